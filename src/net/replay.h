/*
 * net/replay.h: from a list of launches to bound kernels in one arena, and running them. memory.c lays the buffers out
 * by their lives; replay.c makes one kernel object a launch and queues them in order, without ever waiting.
 */
#ifndef CLDANN_NET_REPLAY_H
#define CLDANN_NET_REPLAY_H

#include "ops/launch.h"

/* Sets vbuf.arena of every buffer of the list that is not external; first fit by life, 256-byte tops. Returns bytes. */
size_t memory_assign(launches *l);

typedef struct replay replay;
/* Takes the list over, on failure too: it is freed with the replay. Allocates the arena, compiles, binds. */
int replay_new(device *d, launches *l, replay **out);
void replay_free(replay *r);
int replay_run(replay *r);                            /* queues all launches once, without those for a look */
int replay_look(replay *r);                           /* and with them */
int replay_run_range(replay *r, int first, int last); /* launches first..last-1 of replay_list, whatever they are for */
const launches *replay_list(const replay *r);         /* launch 0 is scrap: real ones are 1..n-1 */
size_t replay_arena_bytes(const replay *r);
/* Copies a tensor that lives in the arena or an external buffer; blocking. Bytes = count * element size. */
int replay_read(replay *r, tensor t, void *dst);
int replay_write(replay *r, tensor t, const void *src);

#endif

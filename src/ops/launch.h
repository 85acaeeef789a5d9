/*
 * ops/launch.h: the list of launches that ops write and the planner turns into bound kernels.
 *
 * An op never touches a device. It appends launches: which kernel, which -D values, which geometry, and which tensors it
 * reads and writes. A tensor lives in a virtual buffer; the first and the last launch that names a buffer are its life,
 * and from that net/memory.c lays all of them into one arena. net/replay.c then makes one kernel object a launch.
 * A tensor argument becomes two kernel arguments: the buffer and the offset in elements.
 */
#ifndef CLDANN_OPS_LAUNCH_H
#define CLDANN_OPS_LAUNCH_H

#include <stddef.h>

#include "base/err.h"
#include "device/device.h"
#include "device/tuning.h"

/* A (rows,h,w,c) block of float, int32 or bytes in a virtual buffer; offset in elements. Views share the buffer. */
typedef struct tensor {
  int buf; /* index of a virtual buffer; 0: none */
  size_t offset;
  int rows, h, w, c;
} tensor;

static inline size_t tensor_item(tensor t) {
  return (size_t)t.h * (size_t)t.w * (size_t)t.c;
}
static inline size_t tensor_count(tensor t) {
  return (size_t)t.rows * tensor_item(t);
}
static inline tensor tensor_rows(tensor t, int first, int rows) {
  t.offset += (size_t)first * tensor_item(t);
  t.rows = rows;
  return t;
}

typedef struct vbuf {
  char name[56];
  size_t bytes;
  int elem;         /* bytes of an element */
  buffer *external; /* not the arena's: parameters, data, control, statistics */
  int first, last;  /* launches; -1 before the first use */
  size_t arena;     /* byte offset in the arena, set by net/memory.c */
} vbuf;

typedef enum { ARG_TENSOR, ARG_INT, ARG_FLOAT } arg_kind;
typedef enum { ACCESS_READ = 1, ACCESS_WRITE = 2, ACCESS_UPDATE = 3 } arg_access;

typedef struct launch_arg {
  arg_kind kind;
  arg_access access;
  tensor t;
  int i;
  float f;
} launch_arg;

#define LAUNCH_ARGS 14

typedef struct launch {
  const char *file, *kernel, *variant; /* cl/<file>.cl, its kernel, and the row of the op's variant table */
  char node[48], phase[16];            /* who wrote it: node name, "forward" / "backward" / ... */
  char defs[512];
  launch_arg args[LAUNCH_ARGS];
  int n_args;
  int dims;
  size_t global[3], local[3];
  int look;          /* only in a step that is looked at (replay_look) */
  double flops;      /* dense-equivalent: what the op needs with every element counted; 0 for memory-bound ops */
  double true_flops; /* what the kernel computes when it skips zeros; 0: the same as flops */
  int (*library)(device *d, const struct launch *l, const vbuf *bufs, buffer *arena); /* instead of a kernel: CLBlast */
} launch;

/* How one pass is done, and how else it could be; see ops/choice.h. */
enum { KEY = 112, WAY = 64, MOST_WAYS = 16, MOST_VARIANTS = 4 };
typedef struct decision {
  char key[KEY], use[WAY];
  int tuned;                           /* by the tuning file, not by the rule */
  int first, last;                     /* its launches: first..last-1 */
  int first_buf;                       /* buffers from here on are its own temporaries, or of later ops */
  char ways[MOST_WAYS][WAY];           /* of the variant taken, best first by the rule */
  const char *variants[MOST_VARIANTS]; /* the others that the device can run */
  int n_ways, n_variants;
} decision;

typedef struct launches {
  cldann_error *err;
  const device_info *dev;
  const char *force;     /* a variant to prefer where an op has it (tests, check-device); NULL: tuning file and rule */
  const tuning *tuning;  /* NULL: the rule alone */
  const char *reference; /* the key of a pass to do by the reference, each of its parts; NULL: none */
  decision *decisions;
  int n_decisions, cap_decisions;
  int deciding, in_reference; /* while an op emits: its decision */
  const char *numbers;        /* and the tuning file's numbers for it */
  vbuf *bufs;
  int n_bufs, cap_bufs;
  launch *list;
  int n, cap;
  char node[48], phase[16]; /* stamped on what is appended */
  tensor output;            /* what the plan was asked for (plan_spec.output); nothing behind it writes there */
  int failed;               /* first error code; later appends do nothing */
} launches;

int launches_new(cldann_error *e, const device_info *dev, launches **out);
void launches_free(launches *l);
void launches_at(launches *l, const char *node, const char *phase);

/* A new virtual buffer with room for the tensor; elem 4 or 1. On failure the tensor has buf 0 and l->failed is set. */
tensor launches_tensor(launches *l, const char *name, int elem, int rows, int h, int w, int c);
tensor launches_external(launches *l, const char *name, buffer *b, int elem, size_t offset, int rows, int h, int w, int c);

/* Appends a launch. The pointer is good until the next append; never NULL (a scrap one after a failure). */
launch *launches_add(launches *l, const char *file, const char *kernel, const char *variant);
void launch_def(launches *l, launch *k, const char *name, int value);
void launch_in(launches *l, launch *k, tensor t);
void launch_out(launches *l, launch *k, tensor t);
void launch_update(launches *l, launch *k, tensor t);          /* read and written */
void launch_write(launches *l, launch *k, tensor t, int beta); /* out, or update when beta is 1 */
void launch_int(launches *l, launch *k, int v);
void launch_float(launches *l, launch *k, float v);
/* One work-item per work-group (CPU variants): the grid counts work-items. */
void launch_grid1(launches *l, launch *k, size_t gx, size_t gy, size_t gz);
/* Groups of 64 (generic variants), rounded up; kernels guard the tail. */
void launch_grid64(launches *l, launch *k, size_t items);
/* Groups of `items` work-items, `groups` of them along x and `parts` along y. */
void launch_groups(launches *l, launch *k, size_t items, size_t groups, size_t parts);
/*
 * For kernels that run over n elements in blocks, whose size is their last argument: on CPUs a block a work-item, elsewhere
 * one element.
 */
void launch_blocks(launches *l, launch *k, size_t n);

double launch_bytes(const launches *l, const launch *k); /* read + written, each tensor once */
double launch_true_flops(const launch *k);

#endif

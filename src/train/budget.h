/*
 * train/budget.h: what a run takes of the device's memory, and which data sets have to be streamed for it to fit. A run has
 * phases, training and the evaluation of each test set; one at a time is on the device, beside what all share (parameters,
 * gradients, optimiser state, tables). How rows come to the device is train/feed.h's.
 */
#ifndef CLDANN_TRAIN_BUDGET_H
#define CLDANN_TRAIN_BUDGET_H

#include "train/feed.h"

typedef struct phase {
  const char *name;     /* "training", or the set's role */
  int n;                /* data sets, of rows that one step takes together */
  const char *roles[2]; /* for messages */
  feed_spec feeds[2];   /* .block is for budget_place to set, the rest is the caller's */
  int most_block;       /* steps a slot may hold */
  size_t arena;         /* of activations and gradients */
} phase;

/* Bytes of the device that a run may take: the experiment's device_memory, or what the device offers. */
uint64_t budget_of(const device *d, double device_memory);
/* The phase's arena, from a plan that is thrown away; spec needs no streams. */
int budget_measure(device *d, cldann_net *net, const plan_buffers *b, const plan_spec *spec, phase *p);
/*
 * Makes sets stream, the largest of a phase first, until each phase fits the budget beside `shared` bytes. CLDANN_E_MEM, with
 * the least budget that would do for all phases, when one fits in no way.
 */
int budget_place(device *d, uint64_t budget, size_t shared, phase *const *phases, int n);
size_t phase_bytes(const phase *p); /* arena and data, as placed */

#endif

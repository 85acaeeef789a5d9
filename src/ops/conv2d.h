/*
 * ops/conv2d.h: what the files of the convolution share: ops/conv2d.c (the op and its tables of variants), conv2d_local.c
 * (the variants for GPUs), conv2d_pooled.c (with a max-pooling behind it) and conv2d_groups.c (with channels in groups).
 */
#ifndef CLDANN_OPS_CONV2D_H
#define CLDANN_OPS_CONV2D_H

#include "ops/op.h"

typedef struct conv { /* what an emit function is given */
  const op *o;
  const op_io *io;
  tensor *spread; /* behind a pooling: dy in the places of the winners, once a pass has made it */
} conv;

/* The passes without a pooling and without groups, each by its table of variants. */
void conv2d_forward(launches *l, const op *o, const op_io *io);
void conv2d_backward_weights(launches *l, const op *o, const op_io *io);
void conv2d_backward_data(launches *l, const op *o, const op_io *io);
/* The key of a pass (ops/choice.h): "conv2d.forward 28x28x3 5x5x32 /1x1". */
void conv2d_key(char key[KEY], const char *pass, const op *o);

/* The -D values of the shape, which all kernels of conv2d take. How many rows there are is not among them: batches share. */
void conv2d_shape_defs(launches *l, launch *k, const op *o);
/* Of forward, of the input gradient or of the weight gradient: all three have as many. */
double conv2d_pass_flops(const op *o, int rows);

void conv2d_local_forward(launches *l, const char *name, const void *what);
void conv2d_local_backward_data(launches *l, const char *name, const void *what);
void conv2d_local_backward_weights(launches *l, const char *name, const void *what);

/* May the max-pooling behind this convolution become part of it? Then o->pool points at it in what follows. */
int conv2d_takes_pool(const op *o, const op *pool);
void conv2d_pooled_forward(launches *l, const op *o, const op_io *io);  /* io->y, io->saved: pooled */
void conv2d_pooled_backward(launches *l, const op *o, const op_io *io); /* io->dy: pooled */

/* The passes with o->groups above 1, and no pooling. */
void conv2d_groups_forward(launches *l, const op *o, const op_io *io);
void conv2d_groups_backward_weights(launches *l, const op *o, const op_io *io);
void conv2d_groups_backward_data(launches *l, const op *o, const op_io *io);

#endif

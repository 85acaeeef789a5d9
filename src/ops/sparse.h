/*
 * ops/sparse.h: a batch of rows whose zeros were left out, as the planner hands it to the first layer. A dense layer right
 * behind the input takes the entries alone (OP_SPARSE); before anything else the rows are made dense by sparse_gather_emit.
 * Kernels: cl/sparse.cl, and gather_sparse of cl/gather.cl.
 */
#ifndef CLDANN_OPS_SPARSE_H
#define CLDANN_OPS_SPARSE_H

#include "ops/op.h"

/* Rows of one data set: item i has the entries offsets[i] to offsets[i + 1] - 1, its columns rising. */
typedef struct sparse_part {
  tensor offsets, columns, values; /* the data set's */
  tensor indices;                  /* which items, one a row */
  int first;                       /* its first row in the batch; there are indices.c */
  double entries;                  /* an item has, on average */
} sparse_part;

typedef struct sparse_batch {
  sparse_part part[2];
  int n;
  float scale;
  tensor mean; /* of zeros: rows less another mean have no zeros to leave out, and are made dense at once */
  tensor x;    /* the rows made dense: the shape, and a buffer once a pass has asked for it */
} sparse_batch;

/*
 * x = (entries - mean) scale, an item a row; one source channel is repeated to x's. `item`: numbers an item of the set has.
 */
void sparse_gather_emit(launches *l, const sparse_part *p, tensor mean, int centred, float scale, int item, tensor x);
/* y = act(x W + bias), W (columns, units). */
void sparse_forward_emit(launches *l, sparse_batch *b, tensor w, tensor bias, int units, int act, tensor y);
/* dw = x^T dy */
void sparse_weights_emit(launches *l, sparse_batch *b, tensor dy, int units, tensor dw);

#endif

/*
 * ops/op.h: what an op is: a row of the table in ops/op.c, with its shapes, its forward and its backward.
 *
 * An op is described once (struct op: attributes, shapes of one row, parameters), then asked to append its launches for
 * a given batch (struct op_io: the tensors). It knows nothing of graphs, devices or training. To add one: a file with an
 * op_type, a row in op_types, example shapes in tests/ops_cases.c. Next: net/graph.h, which strings ops together.
 */
#ifndef CLDANN_OPS_OP_H
#define CLDANN_OPS_OP_H

#include "../cl/layout.clh"
#include "ops/choice.h"

typedef struct shape { /* of one row */
  int h, w, c;
} shape;

typedef struct param {
  const char *suffix; /* "weight", "bias" */
  int dims[4], n_dims;
  size_t count;
  int fan_in, fan_out;
  cldann_init init;
  int state; /* not trained: no gradient, no update by the optimiser */
} param;

typedef struct op_type op_type;

enum { OP_PARAMS = 6 };

typedef struct op {
  const op_type *type;
  char name[48];
  shape in, out;
  /* attributes; which count depends on the type */
  int units;  /* dense: units; conv2d: filters */
  int groups; /* conv2d: of channels; 0: as 1 */
  cldann_window window;
  cldann_layer layer;
  cldann_rows_id rows;
  cldann_loss_target target;
  float lr[2];             /* factors of the schedule's rate for the first parameter and the others; 0: never updated */
  float max_norm;          /* dense, conv2d: of a unit's weights; 0: any */
  float lambda;            /* reversal */
  float slope;             /* leaky_relu */
  float rate;              /* dropout */
  int per_domain;          /* batch_norm: statistics of each domain by themselves */
  float momentum, epsilon; /* batch_norm */
  int size;                /* lrn: channels of a window */
  float alpha, beta, k;    /* lrn */
  /* set by infer */
  int pad_top, pad_left;
  param params[OP_PARAMS];
  int n_params;
  int keeps; /* floats that forward keeps for backward, whatever the rows (batch_norm's statistics) */
  int saves; /* bytes per output element that forward keeps for backward (max-pool's arg) */
  /* set by the planner */
  int act;               /* an activation fused behind it: ACT_* */
  const struct op *pool; /* a max-pooling fused behind that, of which y, dy and saved then are; NULL: none */
  int reduce;            /* losses: REDUCE_* */
} op;

/* The tensors of one op in one plan. A tensor with buf 0 is absent. */
typedef struct op_io {
  tensor x, y;
  struct sparse_batch *sparse; /* OP_SPARSE, right behind sparse input: x's rows, and x has a shape and no buffer; or NULL */
  tensor w, b;
  tensor saved, kept;
  tensor state;     /* parameters that are not trained, one after the other */
  int train, split; /* in training; rows of x that are the source's, which come first */
  tensor dx;        /* absent when nobody wants it */
  int beta;         /* 0: dx is written, 1: added to */
  tensor dy, dw, db;
  tensor labels, control, stats; /* losses; labels of a domain loss: which of many domains, or none for source and target */
  int row0;                      /* losses: x's first row within the batch */
  uint64_t seed;                 /* of random ops, and the stream that is this node's own */
  uint32_t stream;
} op_io;

enum {
  OP_INPUT = 1, /* filled from data */
  OP_VIEW = 2,  /* y and dy are x and dx, or some rows of them; no launches */
  OP_ALIAS = 4, /* y is x; the gradient has a buffer of its own */
  OP_LOSS = 8,
  OP_FUSES = 16,  /* takes an activation behind it into its own launches */
  OP_ACT = 32,    /* an activation: may be fused, and its dx may be its dy */
  OP_TRAIN = 64,  /* in training alone; outside it an alias */
  OP_SPARSE = 128 /* takes io.sparse */
};

struct op_type {
  const char *name;
  unsigned flags;
  int act;                              /* OP_ACT: its ACT_* */
  int (*infer)(op *o, cldann_error *e); /* checks attributes, sets out, params, saves */
  void (*forward)(launches *l, const op *o, const op_io *io);
  void (*backward)(launches *l, const op *o, const op_io *io);
  /* At the end of a training step, behind the updates; NULL: nothing. */
  void (*finish)(launches *l, const op *o, const op_io *io);
  /* conv2d: may this max-pooling become part of it? NULL: never. */
  int (*takes_pool)(const op *o, const op *pool);
  double (*flops)(const op *o); /* multiply and add count as two, forward, one row; NULL: 0 */
};

extern const op_type *const op_types[]; /* NULL-terminated */
/* What dense and conv2d share (ops/layer.c): weights like `w` and a bias, and the finish, which limits the weights. */
void layer_params(op *o, param w);
void layer_finish(launches *l, const op *o, const op_io *io);

extern const op_type op_input, op_dense, op_conv2d, op_max_pool, op_avg_pool, op_global_pool, op_relu, op_leaky_relu,
    op_sigmoid, op_tanh, op_dropout, op_batch_norm, op_lrn, op_flatten, op_rows, op_reversal, op_softmax_xent, op_logistic_xent;

const op_type *op_find(const char *name);

#endif

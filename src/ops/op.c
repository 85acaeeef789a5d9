/* ops/op.c: the table of ops. See ops/op.h; how an op's passes are done is ops/choice.h's. */
#include "ops/op.h"

#include <string.h>

const op_type *const op_types[] = {&op_input,       &op_dense,        &op_conv2d,        &op_max_pool, &op_avg_pool,
                                   &op_global_pool, &op_relu,         &op_leaky_relu,    &op_sigmoid,  &op_tanh,
                                   &op_dropout,     &op_batch_norm,   &op_lrn,           &op_flatten,  &op_rows,
                                   &op_reversal,    &op_softmax_xent, &op_logistic_xent, NULL};

static int infer_input(op *o, cldann_error *e) {
  int rc = CLDANN_OK;
  if (o->in.h < 1 || o->in.w < 1 || o->in.c < 1)
    FAIL(e, CLDANN_E_SHAPE, "input %s: %d x %d x %d is not a shape; height, width and channels are at least 1", o->name,
         o->in.h, o->in.w, o->in.c);
  o->out = o->in;
fail:
  return rc;
}

const op_type op_input = {.name = "input", .flags = OP_INPUT, .infer = infer_input};

const op_type *op_find(const char *name) {
  for (int i = 0; op_types[i]; i++)
    if (!strcmp(op_types[i]->name, name)) return op_types[i];
  return NULL;
}

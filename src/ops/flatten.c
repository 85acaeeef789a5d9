/* ops/flatten.c: the ops that only look at their input differently: flatten (all rows) and rows (some). No launches. */
#include "ops/op.h"

static int infer_flatten(op *o, cldann_error *e) {
  (void)e;
  o->out = (shape){1, 1, o->in.h * o->in.w * o->in.c};
  return CLDANN_OK;
}

static int infer_rows(op *o, cldann_error *e) {
  (void)e;
  o->out = o->in;
  return CLDANN_OK;
}

const op_type op_flatten = {.name = "flatten", .flags = OP_VIEW, .infer = infer_flatten};
const op_type op_rows = {.name = "rows", .flags = OP_VIEW, .infer = infer_rows};

/*
 * ops/reversal.c: gradient reversal, y = x and dx = -lambda * dy. Forward is an alias; lambda is this op's
 * constant times the run-time lambda in the control block, so a schedule changes it without touching the plan.
 */
#include "ops/op.h"

static int infer(op *o, cldann_error *e) {
  (void)e;
  o->out = o->in;
  return CLDANN_OK;
}

static void backward(launches *l, const op *o, const op_io *io) {
  const int n = (int)tensor_count(io->dy);
  if (!io->dx.buf) return;
  launch *k = launches_add(l, "reversal", "reversal_backward", "generic");
  launch_in(l, k, io->dy);
  launch_write(l, k, io->dx, io->beta);
  launch_in(l, k, io->control);
  launch_int(l, k, n);
  launch_float(l, k, o->lambda);
  launch_int(l, k, io->beta);
  launch_blocks(l, k, (size_t)n);
}

const op_type op_reversal = {.name = "reversal", .flags = OP_ALIAS, .infer = infer, .backward = backward};

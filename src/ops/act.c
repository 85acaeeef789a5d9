/*
 * ops/act.c: ReLU, sigmoid, tanh. Behind a dense or conv2d the planner fuses the forward into that op; the backward is a
 * pass of its own, in place where nobody else needs dy. leaky_relu, which has a number of its own, is never fused.
 */
#include "ops/op.h"

static int infer(op *o, cldann_error *e) {
  (void)e;
  o->out = o->in;
  return CLDANN_OK;
}

static void forward(launches *l, const op *o, const op_io *io) {
  const int n = (int)tensor_count(io->x);
  launch *k = launches_add(l, "act", "act_forward", "generic");
  launch_in(l, k, io->x);
  launch_out(l, k, io->y);
  launch_int(l, k, n);
  launch_int(l, k, o->type->act);
  launch_blocks(l, k, (size_t)n);
}

static void backward(launches *l, const op *o, const op_io *io) {
  const int n = (int)tensor_count(io->y);
  if (!io->dx.buf) return;
  launch *k = launches_add(l, "act", "act_backward", "generic");
  launch_in(l, k, io->y);
  launch_in(l, k, io->dy);
  launch_write(l, k, io->dx, io->beta);
  launch_int(l, k, n);
  launch_int(l, k, o->type->act);
  launch_int(l, k, io->beta);
  launch_blocks(l, k, (size_t)n);
}

#define ACTIVATION(NAME, ACT) \
  const op_type op_##NAME = { \
      .name = #NAME, .flags = OP_ACT, .act = ACT, .infer = infer, .forward = forward, .backward = backward}

ACTIVATION(relu, ACT_RELU);
ACTIVATION(sigmoid, ACT_SIGMOID);
ACTIVATION(tanh, ACT_TANH);

static int infer_leaky(op *o, cldann_error *e) {
  int rc = CLDANN_OK;
  if (!(o->slope >= 0.0f && o->slope < 1.0f))
    FAIL(e, CLDANN_E_ARG, "leaky_relu %s: slope %g; it is at least 0 and less than 1", o->name, (double)o->slope);
  o->out = o->in;
fail:
  return rc;
}

static void leaky_forward(launches *l, const op *o, const op_io *io) {
  const int n = (int)tensor_count(io->x);
  launch *k = launches_add(l, "act", "leaky_forward", "generic");
  launch_in(l, k, io->x);
  launch_out(l, k, io->y);
  launch_int(l, k, n);
  launch_float(l, k, o->slope);
  launch_blocks(l, k, (size_t)n);
}

static void leaky_backward(launches *l, const op *o, const op_io *io) {
  const int n = (int)tensor_count(io->y);
  if (!io->dx.buf) return;
  launch *k = launches_add(l, "act", "leaky_backward", "generic");
  launch_in(l, k, io->x);
  launch_in(l, k, io->dy);
  launch_write(l, k, io->dx, io->beta);
  launch_int(l, k, n);
  launch_float(l, k, o->slope);
  launch_int(l, k, io->beta);
  launch_blocks(l, k, (size_t)n);
}

const op_type op_leaky_relu = {
    .name = "leaky_relu", .infer = infer_leaky, .forward = leaky_forward, .backward = leaky_backward};

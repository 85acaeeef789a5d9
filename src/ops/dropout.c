/*
 * ops/dropout.c: in training each element is 0 with probability rate and divided by 1 - rate otherwise; outside it an alias.
 * The mask is not kept: backward draws it again, from the same counter (cl/act.cl).
 */
#include "ops/op.h"

static int infer(op *o, cldann_error *e) {
  int rc = CLDANN_OK;
  if (!(o->rate >= 0.0f && o->rate < 1.0f))
    FAIL(e, CLDANN_E_ARG, "dropout %s: rate %g; it is at least 0 and less than 1", o->name, (double)o->rate);
  o->out = o->in;
fail:
  return rc;
}

static void emit(launches *l, const op *o, const op_io *io, tensor from, tensor to, int beta) {
  const int n = (int)tensor_count(from);
  launch *k = l->dev->is_cpu ? launches_add(l, "act", "dropout_block", "cpu") : launches_add(l, "act", "dropout", "generic");
  launch_in(l, k, from);
  launch_write(l, k, to, beta);
  launch_in(l, k, io->control);
  launch_int(l, k, n);
  launch_float(l, k, o->rate);
  launch_int(l, k, (int)(uint32_t)io->seed);
  launch_int(l, k, (int)(uint32_t)(io->seed >> 32));
  launch_int(l, k, (int)io->stream);
  launch_int(l, k, beta);
  launch_blocks(l, k, (size_t)n);
}

static void forward(launches *l, const op *o, const op_io *io) {
  emit(l, o, io, io->x, io->y, 0);
}

static void backward(launches *l, const op *o, const op_io *io) {
  if (io->dx.buf) emit(l, o, io, io->dy, io->dx, io->beta);
}

const op_type op_dropout = {.name = "dropout", .flags = OP_TRAIN, .infer = infer, .forward = forward, .backward = backward};

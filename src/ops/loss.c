/*
 * ops/loss.c: softmax + cross-entropy over c logits, and logistic + binary cross-entropy over one. One launch gives the
 * statistics and, in training, the gradient of the logits (as "backward"); evaluation asks for "forward" alone.
 */

#include "ops/op.h"

static int infer(op *o, cldann_error *e) {
  const int logits = o->in.h * o->in.w * o->in.c, softmax = o->type == &op_softmax_xent;
  int rc = CLDANN_OK;
  if (softmax && logits < 2)
    FAIL(e, CLDANN_E_SHAPE,
         "softmax_xent %s: a softmax over one unit is always 1 and has no gradient; use 2 units or logistic_xent", o->name);
  if (!softmax && logits != 1)
    FAIL(e, CLDANN_E_SHAPE, "logistic_xent %s: its input has %d units, not 1; use a dense layer with 1 unit, or softmax_xent",
         o->name, logits);
  o->out = (shape){1, 1, 1};
fail:
  return rc;
}

static void emit(launches *l, const op *o, const op_io *io, int train) {
  const int group = l->dev->is_cpu || l->dev->max_work_group < 64 ? 1 : 64;
  const int of_domain = o->target == CLDANN_TARGET_DOMAIN, marked = !of_domain || io->labels.buf;
  launch *k = launches_add(l, "loss", o->type->name, group == 1 ? "cpu" : "generic");
  launch_in(l, k, io->x);
  if (train) /* what the kernel does not touch is some other tensor */
    launch_out(l, k, io->dx);
  else
    launch_in(l, k, io->x);
  launch_in(l, k, marked ? io->labels : io->x);
  launch_update(l, k, io->control);
  launch_update(l, k, io->stats);
  launch_int(l, k, io->x.rows);
  launch_int(l, k, (int)tensor_item(io->x));
  launch_int(l, k, train);
  launch_int(l, k, of_domain);
  launch_int(l, k, marked);
  launch_int(l, k, o->reduce);
  launch_int(l, k, io->row0);
  launch_grid1(l, k, (size_t)group, 1, 1);
  k->local[0] = (size_t)group;
}

static void forward(launches *l, const op *o, const op_io *io) {
  emit(l, o, io, 0);
}

static void backward(launches *l, const op *o, const op_io *io) {
  emit(l, o, io, 1);
}

const op_type op_softmax_xent = {
    .name = "softmax_xent", .flags = OP_LOSS, .infer = infer, .forward = forward, .backward = backward};
const op_type op_logistic_xent = {
    .name = "logistic_xent", .flags = OP_LOSS, .infer = infer, .forward = forward, .backward = backward};

/*
 * ops/lrn.c: local response normalisation across channels (Krizhevsky et al. 2012, section 3.3), with alpha divided by the size
 * of the window, as Caffe and PyTorch have it. Nothing is kept for backward but x. Kernels: cl/lrn.cl.
 */
#include "ops/op.h"

static int infer(op *o, cldann_error *e) {
  int rc = CLDANN_OK;
  if (o->size < 1 || o->size % 2 == 0)
    FAIL(e, CLDANN_E_ARG, "lrn %s: size %d; it is odd and at least 1, the channel and its neighbours on both sides", o->name,
         o->size);
  if (!(o->alpha >= 0.0f && o->beta >= 0.0f && o->k > 0.0f))
    FAIL(e, CLDANN_E_ARG, "lrn %s: alpha %g, beta %g, k %g; alpha and beta are not below 0, and k is above", o->name,
         (double)o->alpha, (double)o->beta, (double)o->k);
  o->out = o->in;
fail:
  return rc;
}

/* On CPUs channels go by vectors, elsewhere one by one. */
static launch *add(launches *l, const op *o, const char *name) {
  launch *k = launches_add(l, "lrn", name, "generic");
  launch_def(l, k, "C", o->in.c);
  launch_def(l, k, "V", l->dev->is_cpu ? l->dev->vector_width : 1);
  return k;
}

/* What all kernels take behind their tensors; returns how many chunks of channels there are. */
static size_t axis(launches *l, launch *k, const op *o, tensor x) {
  const int chunks = x.rows * x.h * x.w * ceil_div(o->in.c, l->dev->is_cpu ? l->dev->vector_width : 1);
  launch_int(l, k, chunks);
  launch_int(l, k, o->size / 2);
  return (size_t)chunks;
}

static void scale(launches *l, launch *k, const op *o, tensor x) {
  const size_t n = axis(l, k, o, x);
  launch_float(l, k, o->alpha / (float)o->size);
  launch_float(l, k, o->beta);
  launch_float(l, k, o->k);
  launch_blocks(l, k, n);
}

static void forward(launches *l, const op *o, const op_io *io) {
  launch *k = add(l, o, "lrn_forward");
  launch_in(l, k, io->x);
  launch_out(l, k, io->y);
  scale(l, k, o, io->x);
}

static void backward(launches *l, const op *o, const op_io *io) {
  const tensor x = io->x;
  if (!io->dx.buf) return;
  const tensor own = launches_tensor(l, "own part of the gradient", 4, x.rows, x.h, x.w, x.c);
  const tensor shared = launches_tensor(l, "shared part of the gradient", 4, x.rows, x.h, x.w, x.c);
  launch *k = add(l, o, "lrn_terms");
  launch_in(l, k, x);
  launch_in(l, k, io->dy);
  launch_out(l, k, own);
  launch_out(l, k, shared);
  scale(l, k, o, x);
  k = add(l, o, "lrn_backward");
  launch_in(l, k, x);
  launch_in(l, k, own);
  launch_in(l, k, shared);
  launch_write(l, k, io->dx, io->beta);
  const size_t n = axis(l, k, o, x);
  launch_float(l, k, 2.0f * o->alpha / (float)o->size * o->beta);
  launch_int(l, k, io->beta);
  launch_blocks(l, k, n);
}

const op_type op_lrn = {.name = "lrn", .infer = infer, .forward = forward, .backward = backward};

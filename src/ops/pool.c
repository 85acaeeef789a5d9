/*
 * ops/pool.c: poolings: see cl/pool.cl. Max: forward keeps the winner of each window (one byte), backward gathers by it.
 * Average: the mean over the cells of a window that lie inside the input; global: over all of them.
 */
#include "ops/window.h"

static int infer(op *o, cldann_error *e) {
  int rc;
  TRY(window_infer(o, e, 0, 0));
  if (o->window.height * o->window.width > 256)
    FAIL(e, CLDANN_E_SHAPE, "max_pool %s: a %dx%d window has more than 256 cells; use a smaller one", o->name, o->window.height,
         o->window.width);
  o->out.c = o->in.c;
  o->saves = 1;
fail:
  return rc;
}

static launch *add(launches *l, const op *o, const char *name) {
  launch *k = launches_add(l, "pool", name, "generic");
  launch_def(l, k, "H", o->in.h);
  launch_def(l, k, "W", o->in.w);
  launch_def(l, k, "C", o->in.c);
  launch_def(l, k, "OH", o->out.h);
  launch_def(l, k, "OW", o->out.w);
  launch_def(l, k, "KH", o->window.height);
  launch_def(l, k, "KW", o->window.width);
  launch_def(l, k, "SH", o->window.stride_y);
  launch_def(l, k, "SW", o->window.stride_x);
  launch_def(l, k, "PT", o->pad_top);
  launch_def(l, k, "PL", o->pad_left);
  return k;
}

/* On CPUs a work-item takes whole rows of pixels, all channels of each; elsewhere one pixel. */
static void pixels(launches *l, launch *k, int n, int width) {
  launch_int(l, k, l->dev->is_cpu ? width : 1);
  if (l->dev->is_cpu)
    launch_grid1(l, k, (size_t)ceil_div(n, width), 1, 1);
  else
    launch_grid64(l, k, (size_t)n);
}

static void forward(launches *l, const op *o, const op_io *io) {
  const int n = io->y.rows * o->out.h * o->out.w;
  launch *k = add(l, o, "max_pool_forward");
  launch_in(l, k, io->x);
  launch_out(l, k, io->y);
  launch_out(l, k, io->saved);
  launch_int(l, k, n);
  pixels(l, k, n, o->out.w);
}

static void backward(launches *l, const op *o, const op_io *io) {
  const int n = io->x.rows * o->in.h * o->in.w;
  if (!io->dx.buf) return;
  launch *k = add(l, o, "max_pool_backward");
  launch_in(l, k, io->dy);
  launch_in(l, k, io->saved);
  launch_write(l, k, io->dx, io->beta);
  launch_int(l, k, n);
  launch_int(l, k, io->beta);
  pixels(l, k, n, o->in.w);
}

/* ---- averages ---- */

static int infer_average(op *o, cldann_error *e) {
  int rc;
  TRY(window_infer(o, e, 0, 0));
  o->out.c = o->in.c;
fail:
  return rc;
}

static int infer_global(op *o, cldann_error *e) {
  o->window = (cldann_window){.height = o->in.h, .width = o->in.w, .padding = CLDANN_VALID};
  return infer_average(o, e);
}

static void average_forward(launches *l, const op *o, const op_io *io) {
  const int n = io->y.rows * o->out.h * o->out.w;
  launch *k = add(l, o, "avg_pool_forward");
  launch_in(l, k, io->x);
  launch_out(l, k, io->y);
  launch_int(l, k, n);
  pixels(l, k, n, o->out.w);
}

static void average_backward(launches *l, const op *o, const op_io *io) {
  const int n = io->x.rows * o->in.h * o->in.w;
  if (!io->dx.buf) return;
  launch *k = add(l, o, "avg_pool_backward");
  launch_in(l, k, io->dy);
  launch_write(l, k, io->dx, io->beta);
  launch_int(l, k, n);
  launch_int(l, k, io->beta);
  pixels(l, k, n, o->in.w);
}

const op_type op_avg_pool = {
    .name = "avg_pool", .infer = infer_average, .forward = average_forward, .backward = average_backward};
const op_type op_global_pool = {
    .name = "global_pool", .infer = infer_global, .forward = average_forward, .backward = average_backward};
const op_type op_max_pool = {.name = "max_pool", .infer = infer, .forward = forward, .backward = backward};

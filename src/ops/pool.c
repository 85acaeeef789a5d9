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

/* On CPUs channels go by vectors, the smallest that holds a short row of them; elsewhere one by one. */
static int lanes(const launches *l, const op *o) {
  int v = l->dev->is_cpu ? l->dev->vector_width : 1;
  while (v / 2 >= o->in.c) v /= 2;
  return v;
}

static launch *add(launches *l, const op *o, const char *name) {
  launch *k = launches_add(l, "pool", name, "generic");
  window_defs(l, k, o);
  launch_def(l, k, "V", lanes(l, o));
  return k;
}

/* The last arguments: how many chunks of channels t has, beta where it has one, and how many a work-item takes: a row of pixels
 * on CPUs. */
static void chunks(launches *l, launch *k, const op *o, tensor t, const int *beta) {
  const int row = t.w * ceil_div(t.c, lanes(l, o)), n = t.rows * t.h * row;
  launch_int(l, k, n);
  if (beta) launch_int(l, k, *beta);
  launch_int(l, k, l->dev->is_cpu ? row : 1);
  if (l->dev->is_cpu)
    launch_grid1(l, k, (size_t)t.rows * (size_t)t.h, 1, 1);
  else
    launch_grid64(l, k, (size_t)n);
}

static void forward(launches *l, const op *o, const op_io *io) {
  launch *k = add(l, o, "max_pool_forward");
  launch_in(l, k, io->x);
  launch_out(l, k, io->y);
  launch_out(l, k, io->saved);
  chunks(l, k, o, io->y, NULL);
}

static void backward(launches *l, const op *o, const op_io *io) {
  if (!io->dx.buf) return;
  launch *k = add(l, o, "max_pool_backward");
  launch_in(l, k, io->dy);
  launch_in(l, k, io->saved);
  launch_write(l, k, io->dx, io->beta);
  chunks(l, k, o, io->dx, &io->beta);
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
  launch *k = add(l, o, "avg_pool_forward");
  launch_in(l, k, io->x);
  launch_out(l, k, io->y);
  chunks(l, k, o, io->y, NULL);
}

static void average_backward(launches *l, const op *o, const op_io *io) {
  if (!io->dx.buf) return;
  launch *k = add(l, o, "avg_pool_backward");
  launch_in(l, k, io->dy);
  launch_write(l, k, io->dx, io->beta);
  chunks(l, k, o, io->dx, &io->beta);
}

const op_type op_avg_pool = {
    .name = "avg_pool", .infer = infer_average, .forward = average_forward, .backward = average_backward};
const op_type op_global_pool = {
    .name = "global_pool", .infer = infer_global, .forward = average_forward, .backward = average_backward};
const op_type op_max_pool = {.name = "max_pool", .infer = infer, .forward = forward, .backward = backward};

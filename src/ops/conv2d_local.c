/*
 * ops/conv2d_local.c: the variants of the convolution for GPUs: each pass is a product of matrices in local tiles, one of
 * them never in memory (cl/conv2d_local.cl). The tiles are those of ops/gemm_local.c. See ops/conv2d.c for the op.
 */
#include "ops/conv2d.h"
#include "ops/gemm.h"

typedef enum { PASS_FORWARD, PASS_DATA, PASS_WEIGHTS } pass; /* PASS of cl/conv2d_local.cl */

/* The launch of a pass whose product is m x n, its sums cut into runs; arguments and the rest are the caller's. */
static launch *add_pass(launches *l, const char *name, const conv *c, pass p, int m, int n, local_split split) {
  launch *at = launches_add(l, "conv2d_local", "conv2d_local", name);
  launch_def(l, at, "N", c->io->x.rows);
  conv2d_shape_defs(l, at, c->o);
  launch_def(l, at, "PASS", p);
  launch_def(l, at, "A_BY_K", p != PASS_WEIGHTS);
  launch_def(l, at, "B_BY_K", p == PASS_DATA);
  launch_def(l, at, "RUN", split.run);
  gemm_local_grid(l, at, m, n, split.parts);
  at->flops = conv2d_pass_flops(c->o, c->io->x.rows); /* without the row of the bias and what a stride pads */
  return at;
}

static int window_area(const op *o) {
  return o->window.height * o->window.width;
}

void conv2d_local_forward(launches *l, const char *name, const void *what) {
  const conv *c = what;
  const op *o = c->o;
  const int m = c->io->x.rows * o->out.h * o->out.w, k = window_area(o) * o->in.c;
  launch *at = add_pass(l, name, c, PASS_FORWARD, m, o->units, (local_split){1, k});
  launch_def(l, at, "ACT", o->act);
  launch_in(l, at, c->io->x);
  launch_in(l, at, c->io->w);
  launch_in(l, at, c->io->b);
  launch_out(l, at, c->io->y);
}

void conv2d_local_backward_data(launches *l, const char *name, const void *what) {
  const conv *c = what;
  const op *o = c->o;
  const int m = c->io->x.rows * o->in.h * o->in.w, k = window_area(o) * o->units;
  launch *at = add_pass(l, name, c, PASS_DATA, m, o->in.c, (local_split){1, k});
  launch_def(l, at, "BETA", c->io->beta);
  launch_in(l, at, c->io->dy);
  launch_in(l, at, c->io->w);
  launch_in(l, at, c->io->w); /* in place of a bias */
  launch_write(l, at, c->io->dx, c->io->beta);
}

/* The parts lie as {dw, db}: the bias gradient is the product's last row. */
void conv2d_local_backward_weights(launches *l, const char *name, const void *what) {
  const conv *c = what;
  const op *o = c->o;
  const int rows = window_area(o) * o->in.c + 1, k = c->io->x.rows * o->out.h * o->out.w;
  const int weights = (rows - 1) * o->units, stride = rows * o->units;
  const local_split split = gemm_local_split(rows, o->units, k);
  tensor part = launches_tensor(l, "partial sums", 4, split.parts, 1, 1, stride);
  launch *at = add_pass(l, name, c, PASS_WEIGHTS, rows, o->units, split);
  launch_in(l, at, c->io->x);
  launch_in(l, at, c->io->dy);
  launch_in(l, at, c->io->dy); /* in place of a bias */
  launch_out(l, at, part);
  sum_partials_emit(l, part, 0, stride, split.parts, c->io->dw, weights, 0);
  sum_partials_emit(l, part, weights, stride, split.parts, c->io->db, o->units, 0);
}

/*
 * ops/conv2d_pooled.c: convolution, activation and max-pooling in one, on CPUs: forward never stores what is not pooled,
 * and backward works on the winners alone (cl/conv2d_pooled.cl). The planner joins the ops where conv2d_takes_pool says
 * yes; the results are those of the ops one by one, bit by bit forward, in another order of sums backward.
 */
#include "ops/conv2d.h"

#include <string.h>

#include "ops/gemm.h"

/* Floats of a work-item's own, the padded image or the list of winners: on the stack of a thread, best in its L2 cache. */
enum { IMAGE_LIMIT = 98304, BAND_LIMIT = 4096, BLOCK_OC = 16 };

/* How the rows of a patch, kw * c floats, are cut into vectors. */
typedef struct patch {
  int v, av, chunks, kb;
} patch;

/*
 * By least estimated time for one winner: a vector is half a cycle, a pass over the winners costs two more each. The sums
 * fit the registers. max_kb: patch rows that a kernel can take at a time.
 */
static patch patch_of(const op *o, int width, int max_kb) {
  const int axis = o->window.width * o->in.c, sums = width >= 16 ? 26 : 12;
  patch best = {.v = width};
  double least = 1e300;
  while (best.v > 1 && best.v / 2 >= axis) best.v /= 2; /* the smallest vector that holds a short row */
  const int vectors = ceil_div(axis, best.v);
  for (int kb = 1; kb <= max_kb; kb++)
    for (int av = 1; av <= vectors && av * kb <= sums; av++) {
      const int chunks = ceil_div(vectors, av);
      const double cost = (double)chunks * (o->window.height / kb) * (0.5 * kb * av + 2.0);
      if (o->window.height % kb || cost >= least) continue;
      least = cost;
      best = (patch){.v = best.v, .av = av, .chunks = chunks, .kb = kb};
    }
  return best;
}

static int axis_room(patch p) {
  return p.chunks * p.av * p.v;
}

int conv2d_takes_pool(const launches *l, const op *o, const op *pool) {
  const cldann_window *w = &o->window, *q = &pool->window;
  const long long line = ((o->out.w - 1LL) * w->stride_x + w->width) * o->in.c;
  const long long lines = (o->out.h - 1LL) * w->stride_y + w->height;
  if (!l->dev->is_cpu || (l->force && strcmp(l->force, "cpu") != 0)) return 0;
  if (q->stride_y != q->height || q->stride_x != q->width) return 0; /* overlapping windows would convolve twice */
  const long long windows = (long long)pool->out.h * pool->out.w;
  return line * lines <= IMAGE_LIMIT && 2 * windows * o->units <= IMAGE_LIMIT && windows * q->height * q->width <= IMAGE_LIMIT;
}

static void pool_defs(launches *l, launch *k, const op *o) {
  const op *q = o->pool;
  launch_def(l, k, "POOL_H", q->window.height);
  launch_def(l, k, "POOL_W", q->window.width);
  launch_def(l, k, "POOL_T", q->pad_top);
  launch_def(l, k, "POOL_L", q->pad_left);
  launch_def(l, k, "POOL_OH", q->out.h);
  launch_def(l, k, "POOL_OW", q->out.w);
}

void conv2d_pooled_forward(launches *l, const op *o, const op_io *io) {
  const op *q = o->pool;
  const int rows = io->x.rows;
  tile t = tile_pick(o->out.w, o->units, l->dev->vector_width, 4, 0);
  /* As many pooled columns as keep the band between convolution and pooling in the first-level cache. */
  int columns = (BAND_LIMIT / (t.nv * t.v * q->window.height) - t.rows) / q->window.width;
  if (columns > q->out.w) columns = q->out.w;
  if (columns < 1) columns = 1;
  if (columns * q->window.width < o->out.w) t = tile_pick(columns * q->window.width, o->units, l->dev->vector_width, t.nv, 0);
  launch *k = launches_add(l, "conv2d", "conv2d_pool_tile", "cpu");
  conv2d_shape_defs(l, k, o);
  launch_def(l, k, "V", t.v);
  launch_def(l, k, "NV", t.nv);
  launch_def(l, k, "PX", t.rows);
  launch_def(l, k, "BIAS", 1);
  launch_def(l, k, "ACT", o->act);
  pool_defs(l, k, o);
  launch_def(l, k, "POOL_COLS", columns);
  launch_in(l, k, io->x);
  launch_in(l, k, io->w);
  launch_in(l, k, io->b);
  launch_out(l, k, io->y);
  launch_out(l, k, io->saved);
  launch_grid1(l, k, (size_t)(ceil_div(q->out.w, columns) * ceil_div(o->units, t.nv * t.v)), (size_t)q->out.h, (size_t)rows);
  k->flops = conv2d_pass_flops(o, rows);
}

/* At most one output of a window has a gradient; how many have one is known only when it runs. */
static void set_flops(launch *k, const op *o, int rows) {
  k->flops = conv2d_pass_flops(o, rows);
  k->true_flops = k->flops * o->pool->out.h * o->pool->out.w / ((double)o->out.h * o->out.w);
}

/* A launch of cl/conv2d_pooled.cl. */
static launch *add(launches *l, const op *o, patch p, const char *name) {
  launch *k = launches_add(l, "conv2d_pooled", name, "winners");
  conv2d_shape_defs(l, k, o);
  pool_defs(l, k, o);
  launch_def(l, k, "V", p.v);
  launch_def(l, k, "AV", p.av);
  launch_def(l, k, "CHUNKS", p.chunks);
  launch_def(l, k, "KB", p.kb);
  return k;
}

/* Weights, or their gradient, from one order into the other (cl/turn.cl). */
static void turn(launches *l, const op *o, patch p, const char *name, tensor from, tensor to) {
  launch *k = launches_add(l, "turn", name, "winners");
  launch_in(l, k, from);
  launch_out(l, k, to);
  launch_int(l, k, o->window.width * o->in.c);
  launch_int(l, k, axis_room(p));
  launch_int(l, k, o->units);
  launch_grid1(l, k, (size_t)o->window.height, (size_t)ceil_div(o->units, 16), 1);
}

static void backward_weights(launches *l, const op *o, const op_io *io) {
  const patch p = patch_of(o, l->dev->vector_width, o->window.height);
  const int rows = io->x.rows, blocks = ceil_div(o->units, BLOCK_OC), weights = o->units * o->window.height * axis_room(p);
  int s = 1;
  while (2 * s * blocks <= 64 && 2 * s <= rows) s *= 2; /* a function of the shape alone: so are the bits */
  tensor part = launches_tensor(l, "partial sums", 4, s, 1, 1, weights + o->units);
  tensor sum = launches_tensor(l, "sum of winners", 4, 1, 1, 1, weights);
  launch *k = add(l, o, p, "conv2d_pooled_dw");
  launch_in(l, k, io->x);
  launch_in(l, k, io->dy);
  launch_in(l, k, io->saved);
  launch_out(l, k, part);
  launch_int(l, k, rows);
  launch_int(l, k, s);
  launch_int(l, k, BLOCK_OC);
  launch_grid1(l, k, (size_t)s, (size_t)blocks, 1);
  set_flops(k, o, rows);
  sum_partials_emit(l, part, 0, weights + o->units, s, sum, weights, 0);
  sum_partials_emit(l, part, weights, weights + o->units, s, io->db, o->units, 0);
  turn(l, o, p, "channels_by_patch", sum, io->dw);
}

static void backward_data(launches *l, const op *o, const op_io *io) {
  const patch p = patch_of(o, l->dev->vector_width, 1);
  const int rows = io->x.rows;
  tensor turned = launches_tensor(l, "turned weights", 4, 1, 1, 1, o->units * o->window.height * axis_room(p));
  turn(l, o, p, "patches_by_channel", io->w, turned);
  launch *k = add(l, o, p, "conv2d_pooled_dx");
  launch_in(l, k, io->dy);
  launch_in(l, k, io->saved);
  launch_in(l, k, turned);
  launch_write(l, k, io->dx, io->beta);
  launch_int(l, k, io->beta);
  launch_grid1(l, k, (size_t)rows, 1, 1);
  set_flops(k, o, rows);
}

void conv2d_pooled_backward(launches *l, const op *o, const op_io *io) {
  backward_weights(l, o, io);
  if (io->dx.buf) backward_data(l, o, io);
}

/*
 * ops/conv2d_pooled.c: convolution, activation and max-pooling as one op; the planner joins them where conv2d_takes_pool says
 * yes. On CPUs forward never stores what is not pooled, and backward works on the winners alone (cl/conv2d_pooled.cl);
 * elsewhere ("apart") the convolution's own passes and the pooling's follow each other, with what is not pooled for their
 * time only. The results are the same, bit by bit forward, in another order of sums backward.
 */
#include "ops/conv2d.h"

#include <stdio.h>
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
static patch patch_choose(launches *l, const op *o, int max_kb) {
  const int width = l->dev->vector_width, axis = o->window.width * o->in.c, sums = width >= 16 ? 26 : 12;
  double costs[TILES];
  numbers ways[TILES];
  int v = width, n = 0;
  while (v > 1 && v / 2 >= axis) v /= 2; /* the smallest vector that holds a short row */
  const int vectors = ceil_div(axis, v);
  for (int kb = 1; kb <= max_kb; kb++)
    for (int av = 1; av <= vectors && av * kb <= sums && n < TILES; av++) {
      const double cost = (double)ceil_div(vectors, av) * (o->window.height / kb) * (0.5 * kb * av + 2.0);
      int at = n;
      if (o->window.height % kb) continue;
      for (n++; at > 0 && costs[at - 1] > cost; at--) ways[at] = ways[at - 1], costs[at] = costs[at - 1];
      ways[at] = (numbers){{av, kb}};
      costs[at] = cost;
    }
  const numbers way = choice_numbers(l, "av kb", ways, n);
  return (patch){.v = v, .av = way.v[0], .chunks = ceil_div(vectors, way.v[0]), .kb = way.v[1]};
}

static int axis_room(patch p) {
  return p.chunks * p.av * p.v;
}

int conv2d_takes_pool(const op *o, const op *pool) {
  const cldann_window *q = &pool->window;
  /* Overlapping windows would convolve twice; groups are convolutions of their own. */
  return o->groups == 1 && q->stride_y == q->height && q->stride_x == q->width;
}

/* The winners' kernels keep an image and the lists of its winners in memory of their own. */
static int fits_winners(const device_info *d, const void *what) {
  const op *o = ((const conv *)what)->o, *pool = o->pool;
  const cldann_window *w = &o->window, *q = &pool->window;
  const long long line = ((o->out.w - 1LL) * w->stride_x + w->width) * o->in.c;
  const long long lines = (o->out.h - 1LL) * w->stride_y + w->height;
  const long long windows = (long long)pool->out.h * pool->out.w;
  return d->is_cpu && line * lines <= IMAGE_LIMIT && 2 * windows * o->units <= IMAGE_LIMIT &&
         windows * q->height * q->width <= IMAGE_LIMIT;
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

static void forward_cpu(launches *l, const char *name, const void *what) {
  const conv *c = what;
  const op *o = c->o, *q = o->pool;
  const op_io *io = c->io;
  const int rows = io->x.rows;
  tile t = tile_choose(l, o->out.w, o->units, 4, 0);
  /* As many pooled columns as keep the band between convolution and pooling in the first-level cache. */
  int columns = (BAND_LIMIT / (t.nv * t.v * q->window.height) - t.rows) / q->window.width;
  if (columns > q->out.w) columns = q->out.w;
  if (columns < 1) columns = 1;
  if (columns * q->window.width < t.rows) t.rows = columns * q->window.width; /* a tile stays within the band */
  launch *k = launches_add(l, "conv2d", "conv2d_pool_tile", name);
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
static launch *add(launches *l, const char *way, const op *o, patch p, const char *name) {
  launch *k = launches_add(l, "conv2d_pooled", name, way);
  conv2d_shape_defs(l, k, o);
  pool_defs(l, k, o);
  launch_def(l, k, "V", p.v);
  launch_def(l, k, "AV", p.av);
  launch_def(l, k, "CHUNKS", p.chunks);
  launch_def(l, k, "KB", p.kb);
  return k;
}

/* Weights, or their gradient, from one order into the other (cl/turn.cl). */
static void turn(launches *l, const char *way, const op *o, patch p, const char *name, tensor from, tensor to) {
  launch *k = launches_add(l, "turn", name, way);
  launch_in(l, k, from);
  launch_out(l, k, to);
  launch_int(l, k, o->window.width * o->in.c);
  launch_int(l, k, axis_room(p));
  launch_int(l, k, o->units);
  launch_grid1(l, k, (size_t)o->window.height, (size_t)ceil_div(o->units, 16), 1);
}

static void backward_weights_cpu(launches *l, const char *name, const void *what) {
  const conv *c = what;
  const op *o = c->o;
  const op_io *io = c->io;
  const patch p = patch_choose(l, o, o->window.height);
  const int rows = io->x.rows, blocks = ceil_div(o->units, BLOCK_OC), weights = o->units * o->window.height * axis_room(p);
  int s = 1;
  while (2 * s * blocks <= 64 && 2 * s <= rows) s *= 2; /* a function of the shape alone: so are the bits */
  tensor part = launches_tensor(l, "partial sums", 4, s, 1, 1, weights + o->units);
  tensor sum = launches_tensor(l, "sum of winners", 4, 1, 1, 1, weights);
  launch *k = add(l, name, o, p, "conv2d_pooled_dw");
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
  turn(l, name, o, p, "channels_by_patch", sum, io->dw);
}

static void backward_data_cpu(launches *l, const char *name, const void *what) {
  const conv *c = what;
  const op *o = c->o;
  const op_io *io = c->io;
  const patch p = patch_choose(l, o, 1);
  const int rows = io->x.rows;
  tensor turned = launches_tensor(l, "turned weights", 4, 1, 1, 1, o->units * o->window.height * axis_room(p));
  turn(l, name, o, p, "patches_by_channel", io->w, turned);
  launch *k = add(l, name, o, p, "conv2d_pooled_dx");
  launch_in(l, k, io->dy);
  launch_in(l, k, io->saved);
  launch_in(l, k, turned);
  launch_write(l, k, io->dx, io->beta);
  launch_int(l, k, io->beta);
  launch_grid1(l, k, (size_t)rows, 1, 1);
  set_flops(k, o, rows);
}

/* ---- apart ---- */

static op alone(const op *o) {
  op plain = *o;
  plain.pool = NULL;
  return plain;
}

static tensor unpooled(launches *l, const op *o, int rows) {
  return launches_tensor(l, "not pooled", 4, rows, o->out.h, o->out.w, o->out.c);
}

static void forward_apart(launches *l, const char *name, const void *what) {
  const conv *c = what;
  const op plain = alone(c->o);
  op_io first = *c->io, second = *c->io;
  (void)name;
  first.y = second.x = unpooled(l, c->o, c->io->x.rows);
  conv2d_forward(l, &plain, &first);
  c->o->pool->type->forward(l, c->o->pool, &second);
}

/* What the convolution's own passes take: the gradient in the places of the winners, zeros around; made once for both. */
static op_io spread_winners(launches *l, const conv *c) {
  op_io pooling = *c->io, plain = *c->io;
  if (!c->spread->buf) {
    *c->spread = unpooled(l, c->o, c->io->x.rows);
    pooling.x = pooling.dx = *c->spread;
    pooling.beta = 0;
    c->o->pool->type->backward(l, c->o->pool, &pooling);
  }
  plain.dy = *c->spread;
  return plain;
}

static void backward_weights_apart(launches *l, const char *name, const void *what) {
  const conv *c = what;
  const op plain = alone(c->o);
  const op_io io = spread_winners(l, c);
  (void)name;
  conv2d_backward_weights(l, &plain, &io);
}

static void backward_data_apart(launches *l, const char *name, const void *what) {
  const conv *c = what;
  const op plain = alone(c->o);
  const op_io io = spread_winners(l, c);
  (void)name;
  conv2d_backward_data(l, &plain, &io);
}

/* ---- the passes ---- */

static const variant forward_variants[] = {{"cpu", fits_winners, forward_cpu, NULL}, {"apart", fits_any, forward_apart, NULL}};
static const variant weight_variants[] = {{"cpu", fits_winners, backward_weights_cpu, NULL},
                                          {"apart", fits_any, backward_weights_apart, NULL}};
static const variant data_variants[] = {{"cpu", fits_winners, backward_data_cpu, NULL},
                                        {"apart", fits_any, backward_data_apart, NULL}};

static void emit(launches *l, const variant *table, const char *pass, const conv *c) {
  char key[KEY];
  conv2d_key(key, pass, c->o);
  snprintf(key + strlen(key), KEY - strlen(key), " pool %dx%d", c->o->pool->window.height, c->o->pool->window.width);
  choice_emit(l, table, 2, key, c);
}

void conv2d_pooled_forward(launches *l, const op *o, const op_io *io) {
  emit(l, forward_variants, "forward", &(conv){.o = o, .io = io});
}

void conv2d_pooled_backward(launches *l, const op *o, const op_io *io) {
  tensor spread = {0};
  const conv c = {.o = o, .io = io, .spread = &spread};
  emit(l, weight_variants, "weights", &c);
  if (io->dx.buf) emit(l, data_variants, "data", &c);
}

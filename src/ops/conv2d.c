/*
 * ops/conv2d.c: convolution of (rows,h,w,c) with (kh,kw,c,filters), any stride and padding. Forward, input gradient and
 * weight gradient each have a CPU variant (register tiles, cl/conv2d.cl), one for GPUs (local tiles, ops/conv2d_local.c) and
 * a generic one (an element a work-item, cl/conv2d_plain.cl). On CPUs the input gradient is the forward kernel over dy with
 * flipped weights. Channels in groups: ops/conv2d_groups.c.
 */
#include "ops/conv2d.h"

#include <stdio.h>

#include "ops/gemm.h"
#include "ops/window.h"

static int infer(op *o, cldann_error *e) {
  int rc;
  if (o->window.padding == CLDANN_CEIL)
    FAIL(e, CLDANN_E_SHAPE, "conv2d %s: padding \"ceil\" is for poolings; use \"same\", \"valid\" or four numbers", o->name);
  TRY(window_infer(o, e, 1, 1));
  if (o->units < 1) FAIL(e, CLDANN_E_SHAPE, "conv2d %s: filters is %d; it must be at least 1", o->name, o->units);
  if (o->groups == 0) o->groups = 1;
  if (o->groups < 0 || o->in.c % o->groups || o->units % o->groups)
    FAIL(e, CLDANN_E_SHAPE, "conv2d %s: %d groups; the %d channels and the %d filters must be multiples of it", o->name,
         o->groups, o->in.c, o->units);
  o->out.c = o->units;
  const int kh = o->window.height, kw = o->window.width, area = kh * kw, channels = o->in.c / o->groups;
  layer_params(o, (param){.dims = {kh, kw, channels, o->units},
                          .n_dims = 4,
                          .fan_in = area * channels,
                          .fan_out = area * o->units / o->groups});
fail:
  return rc;
}

double conv2d_pass_flops(const op *o, int rows) {
  return 2.0 * rows * o->out.h * o->out.w * o->units * o->window.height * o->window.width * o->in.c;
}

void conv2d_shape_defs(launches *l, launch *k, const op *o) {
  window_defs(l, k, o);
  launch_def(l, k, "OC", o->units);
}

/* ---- forward ---- */

static void tile_defs(launches *l, launch *k, tile t) {
  launch_def(l, k, "V", t.v);
  launch_def(l, k, "NV", t.nv);
  launch_def(l, k, "PX", t.rows);
}

static void forward_cpu(launches *l, const char *name, const void *what) {
  const conv *c = what;
  const op *o = c->o;
  const tile t = tile_choose(l, o->out.w, o->units, 4, 0);
  launch *k = launches_add(l, "conv2d", "conv2d_tile", name);
  conv2d_shape_defs(l, k, o);
  tile_defs(l, k, t);
  launch_def(l, k, "BIAS", 1);
  launch_def(l, k, "ACT", o->act);
  launch_in(l, k, c->io->x);
  launch_in(l, k, c->io->w);
  launch_in(l, k, c->io->b);
  launch_out(l, k, c->io->y);
  launch_grid1(l, k, (size_t)(ceil_div(o->out.w, t.rows) * ceil_div(o->units, t.nv * t.v)), (size_t)o->out.h,
               (size_t)c->io->x.rows);
  k->flops = conv2d_pass_flops(o, c->io->x.rows);
}

static void forward_generic(launches *l, const char *name, const void *what) {
  const conv *c = what;
  launch *k = launches_add(l, "conv2d_plain", "conv2d_forward", name);
  conv2d_shape_defs(l, k, c->o);
  launch_in(l, k, c->io->x);
  launch_in(l, k, c->io->w);
  launch_in(l, k, c->io->b);
  launch_out(l, k, c->io->y);
  launch_int(l, k, c->io->x.rows);
  launch_int(l, k, c->o->act);
  launch_grid64(l, k, tensor_count(c->io->y));
  k->flops = conv2d_pass_flops(c->o, c->io->x.rows);
}

/* ---- input gradient ---- */

static void backward_data_cpu(launches *l, const char *name, const void *what) {
  const conv *c = what;
  const op *o = c->o;
  const cldann_window *w = &o->window;
  const tile t = tile_choose(l, o->in.w, o->in.c, 4, 0);
  tensor flipped = launches_tensor(l, "flipped weights", 4, 1, 1, 1, (int)o->params[0].count);
  launch *k = launches_add(l, "turn", "flip", name);
  launch_in(l, k, c->io->w);
  launch_out(l, k, flipped);
  launch_int(l, k, w->height * w->width);
  launch_int(l, k, o->in.c);
  launch_int(l, k, o->units);
  launch_grid1(l, k, (size_t)(w->height * w->width), 1, 1);

  /* The same kernel with input and output exchanged: dy, dilated by the stride, is its input. */
  k = launches_add(l, "conv2d", "conv2d_tile", name);
  op turned = *o;
  turned.in = o->out;
  turned.out = o->in;
  turned.units = o->in.c;
  turned.window.stride_y = turned.window.stride_x = 1;
  turned.pad_top = w->height - 1 - o->pad_top;
  turned.pad_left = w->width - 1 - o->pad_left;
  conv2d_shape_defs(l, k, &turned);
  launch_def(l, k, "DH", w->stride_y);
  launch_def(l, k, "DW", w->stride_x);
  tile_defs(l, k, t);
  launch_def(l, k, "BETA", c->io->beta);
  launch_in(l, k, c->io->dy);
  launch_in(l, k, flipped);
  launch_in(l, k, flipped);
  launch_write(l, k, c->io->dx, c->io->beta);
  launch_grid1(l, k, (size_t)(ceil_div(o->in.w, t.rows) * ceil_div(o->in.c, t.nv * t.v)), (size_t)o->in.h,
               (size_t)c->io->x.rows);
  k->flops = conv2d_pass_flops(o, c->io->x.rows);
}

static void backward_data_generic(launches *l, const char *name, const void *what) {
  const conv *c = what;
  launch *k = launches_add(l, "conv2d_plain", "conv2d_backward_data", name);
  conv2d_shape_defs(l, k, c->o);
  launch_in(l, k, c->io->dy);
  launch_in(l, k, c->io->w);
  launch_write(l, k, c->io->dx, c->io->beta);
  launch_int(l, k, c->io->x.rows);
  launch_int(l, k, c->io->beta);
  launch_grid64(l, k, tensor_count(c->io->x));
  k->flops = conv2d_pass_flops(c->o, c->io->x.rows);
}

/* ---- weight gradient ---- */

/*
 * The number of partial sums, a function of the shape alone: about 64 work-items, each with at least 128 pixels, and not
 * so many that adding up big weights takes long.
 */
static int dw_parts(int n, int oh, int ow, int kh, long long weights) {
  int s = 1;
  while (2 * s * kh <= 64 && 2 * s <= n * oh && 256LL * s <= (long long)n * oh * ow && (s < 4 || 2 * s * weights <= 2000000))
    s *= 2;
  return s;
}

static void backward_weights_cpu(launches *l, const char *name, const void *what) {
  const conv *c = what;
  const op *o = c->o;
  const int kh = o->window.height, kw = o->window.width, rows = c->io->x.rows;
  const int weights = (int)o->params[0].count, stride = weights + o->units;
  const tile t = tile_choose(l, kw * o->in.c, o->units, 4, 0);
  const int s = dw_parts(rows, o->out.h, o->out.w, kh, weights);
  const int block_c = kw * o->in.c <= 2048 ? o->in.c : 2048 / kw > 1 ? 2048 / kw : 1; /* BLOCK_C of the kernel */
  tensor part = launches_tensor(l, "partial sums", 4, s, 1, 1, stride);
  launch *k = launches_add(l, "conv2d", "conv2d_dw_tile", name);
  conv2d_shape_defs(l, k, o);
  launch_def(l, k, "V", t.v);
  launch_def(l, k, "NV", t.nv);
  launch_def(l, k, "MR", t.rows);
  launch_in(l, k, c->io->x);
  launch_in(l, k, c->io->dy);
  launch_out(l, k, part);
  launch_int(l, k, rows);
  launch_int(l, k, s);
  launch_grid1(l, k, (size_t)s, (size_t)kh, (size_t)ceil_div(o->in.c, block_c));
  k->flops = conv2d_pass_flops(o, rows);
  sum_partials_emit(l, part, 0, stride, s, c->io->dw, weights, 0);
  sum_partials_emit(l, part, weights, stride, s, c->io->db, o->units, 0);
}

static void backward_weights_generic(launches *l, const char *name, const void *what) {
  const conv *c = what;
  const op *o = c->o;
  const int rows = c->io->x.rows, weights = (int)o->params[0].count;
  int s = 1;
  while (s < 16 && 2 * s <= rows) s *= 2;
  tensor part = launches_tensor(l, "partial sums", 4, s, 1, 1, weights);
  launch *k = launches_add(l, "conv2d_plain", "conv2d_backward_weights", name);
  conv2d_shape_defs(l, k, o);
  launch_in(l, k, c->io->x);
  launch_in(l, k, c->io->dy);
  launch_out(l, k, part);
  launch_int(l, k, rows);
  launch_int(l, k, s);
  launch_grid64(l, k, (size_t)weights * (size_t)s);
  k->flops = conv2d_pass_flops(o, rows);
  sum_partials_emit(l, part, 0, weights, s, c->io->dw, weights, 0);
  column_sums_emit(l, c->io->dy, rows * o->out.h * o->out.w, o->units, c->io->db);
}

static const variant forward_variants[] = {{"cpu", fits_cpu, forward_cpu, NULL},
                                           {"local", fits_local, conv2d_local_forward, rule_gpu},
                                           {"generic", fits_any, forward_generic, NULL}};
static const variant data_variants[] = {{"cpu", fits_cpu, backward_data_cpu, NULL},
                                        {"local", fits_local, conv2d_local_backward_data, rule_gpu},
                                        {"generic", fits_any, backward_data_generic, NULL}};
static const variant weight_variants[] = {{"cpu", fits_cpu, backward_weights_cpu, NULL},
                                          {"local", fits_local, conv2d_local_backward_weights, rule_gpu},
                                          {"generic", fits_any, backward_weights_generic, NULL}};

void conv2d_key(char key[KEY], const char *pass, const op *o) {
  const cldann_window *w = &o->window;
  snprintf(key, KEY, "conv2d.%s %dx%dx%d %dx%dx%d /%dx%d", pass, o->in.h, o->in.w, o->in.c, w->height, w->width, o->units,
           w->stride_y, w->stride_x);
}

/* All tables have three rows. */
static void emit(launches *l, const variant *table, const char *pass, const op *o, const op_io *io) {
  const conv c = {.o = o, .io = io};
  char key[KEY];
  conv2d_key(key, pass, o);
  choice_emit(l, table, 3, key, &c);
}

void conv2d_forward(launches *l, const op *o, const op_io *io) {
  emit(l, forward_variants, "forward", o, io);
}

void conv2d_backward_weights(launches *l, const op *o, const op_io *io) {
  emit(l, weight_variants, "weights", o, io);
}

void conv2d_backward_data(launches *l, const op *o, const op_io *io) {
  emit(l, data_variants, "data", o, io);
}

static void forward(launches *l, const op *o, const op_io *io) {
  (o->groups > 1 ? conv2d_groups_forward : o->pool ? conv2d_pooled_forward : conv2d_forward)(l, o, io);
}

static void backward(launches *l, const op *o, const op_io *io) {
  if (o->pool) {
    conv2d_pooled_backward(l, o, io);
    return;
  }
  (o->groups > 1 ? conv2d_groups_backward_weights : conv2d_backward_weights)(l, o, io);
  if (io->dx.buf) (o->groups > 1 ? conv2d_groups_backward_data : conv2d_backward_data)(l, o, io);
}

static double flops(const op *o) {
  return conv2d_pass_flops(o, 1) / o->groups;
}

const op_type op_conv2d = {.name = "conv2d",
                           .flags = OP_FUSES,
                           .infer = infer,
                           .forward = forward,
                           .backward = backward,
                           .finish = layer_finish,
                           .flops = flops,
                           .takes_pool = conv2d_takes_pool};

/* ops/op.c: the table of ops, the choice of variants, and the tile rule that the CPU variants share. See ops/op.h. */
#include "ops/op.h"

#include <string.h>

const op_type *const op_types[] = {&op_input,        &op_dense,         &op_conv2d,  &op_max_pool, &op_relu,
                                   &op_sigmoid,      &op_tanh,          &op_flatten, &op_rows,     &op_reversal,
                                   &op_softmax_xent, &op_logistic_xent, NULL};

static int infer_input(op *o, cldann_error *e) {
  int rc = CLDANN_OK;
  if (o->in.h < 1 || o->in.w < 1 || o->in.c < 1)
    FAIL(e, CLDANN_E_SHAPE, "input %s: %d x %d x %d is not a shape; height, width and channels are at least 1", o->name,
         o->in.h, o->in.w, o->in.c);
  o->out = o->in;
fail:
  return rc;
}

const op_type op_input = {.name = "input", .flags = OP_INPUT, .infer = infer_input};

const op_type *op_find(const char *name) {
  for (int i = 0; op_types[i]; i++)
    if (!strcmp(op_types[i]->name, name)) return op_types[i];
  return NULL;
}

size_t op_param_count(const op *o) {
  size_t n = 0;
  for (int i = 0; i < o->n_params; i++) n += o->params[i].count;
  return n;
}

const variant *variant_pick(const launches *l, const variant *table, int n, const void *what) {
  if (l->force)
    for (int i = 0; i < n; i++)
      if (!strcmp(table[i].name, l->force) && table[i].fits(l->dev, what)) return &table[i];
  for (int i = 0; i < n - 1; i++)
    if (table[i].fits(l->dev, what) && (!table[i].rule || table[i].rule(l->dev, what))) return &table[i];
  return &table[n - 1]; /* the last row fits everything */
}

int fits_any(const device_info *d, const void *what) {
  (void)d, (void)what;
  return 1;
}

int fits_cpu(const device_info *d, const void *what) {
  (void)what;
  return d->is_cpu;
}

int rule_gpu(const device_info *d, const void *what) {
  (void)what;
  return d->is_gpu;
}

int ceil_div(int a, int b) {
  return (a + b - 1) / b;
}

/* Largest power of two that is neither above n nor above the device's vectors. */
static int tile_vector(int n, int width) {
  int v = 1;
  while (2 * v <= n && 2 * v <= width) v *= 2;
  return v;
}

/*
 * Picks the register tile for `rows` along the scalar axis and n along the vector axis by least estimated time: padded
 * work, plus a little for loads. rows * nv sums, nv vectors and one broadcast must fit the registers (AVX-512 has 32,
 * narrower sets 16). Below 8 sums the latency shows; vector loads count double (they straddle cache lines); `strided`
 * says that each row has its own pointer, and more than 8 of them no longer fit the integer registers.
 */
tile tile_pick(int rows, int n, int width, int max_nv, int strided) {
  tile best = {tile_vector(n, width), 1, 1};
  const int regs = width >= 16 ? 32 : 16, vectors = ceil_div(n, best.v);
  double least = 1e300;
  for (int nv = 1; nv <= max_nv && nv <= vectors; nv++)
    for (int r = 1; r <= 16 && r <= rows && r * nv + nv + 1 <= regs; r++) {
      const int sums = r * nv < 8 ? 8 : r * nv, loads = r + 2 * nv + (strided && r > 8 ? r - 8 : 0);
      const double step = (sums > loads ? sums : loads) + 0.1 * loads + 1.0;
      const double cost = (double)ceil_div(rows, r) * ceil_div(vectors, nv) * step;
      if (cost < least) {
        least = cost;
        best.nv = nv;
        best.rows = r;
      }
    }
  return best;
}

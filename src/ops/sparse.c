/*
 * ops/sparse.c: passes over rows whose zeros were left out: by their entries alone where few of the numbers are entries, else
 * made dense for ops/gemm.h. See ops/sparse.h. Sums run over rising columns and rows, as those of the dense products do.
 */
#include "ops/sparse.h"

#include <stdio.h>

#include "ops/gemm.h"

enum { MOST_VECTORS = 8 };

static void operands(launches *l, launch *k, const sparse_part *p) {
  launch_in(l, k, p->offsets);
  launch_in(l, k, p->columns);
  launch_in(l, k, p->values);
  launch_in(l, k, p->indices);
}

void sparse_gather_emit(launches *l, const sparse_part *p, tensor mean, int centred, float scale, int item, tensor x) {
  const int total = p->indices.c * item;
  launch *k = launches_add(l, "gather", "gather_sparse", "generic");
  operands(l, k, p);
  launch_in(l, k, mean);
  launch_out(l, k, tensor_rows(x, p->first, p->indices.c));
  launch_int(l, k, item);
  launch_int(l, k, total);
  launch_float(l, k, scale);
  launch_int(l, k, (int)tensor_item(x) / item);
  launch_int(l, k, x.c);
  launch_int(l, k, centred);
  launch_blocks(l, k, (size_t)total);
}

/* The rows made dense, once for all passes. */
static tensor dense_rows(launches *l, sparse_batch *b) {
  if (b->x.buf) return b->x;
  b->x = launches_tensor(l, "input", 4, b->x.rows, b->x.h, b->x.w, b->x.c);
  for (int i = 0; i < b->n; i++) sparse_gather_emit(l, &b->part[i], b->mean, 0, b->scale, (int)tensor_item(b->x), b->x);
  return b->x;
}

/* ---- the ways ---- */

typedef struct pass { /* forward where y is there, else the weights' gradient */
  sparse_batch *b;
  tensor w, bias, y, dy, dw;
  int units, act;
} pass;

static double entries_of(const sparse_batch *b) {
  double rows = 0, entries = 0;
  for (int i = 0; i < b->n; i++) rows += b->part[i].indices.c, entries += b->part[i].indices.c * b->part[i].entries;
  return entries / rows;
}

/* An entry costs as much as several numbers in a register tile, and less than that when the tile's rows must be gathered. */
static int few_entries(const sparse_batch *b) {
  return entries_of(b) * 8 <= (double)tensor_item(b->x);
}

static int rule_few(const device_info *d, const void *what) {
  (void)d;
  return few_entries(((const pass *)what)->b);
}

static void count(launch *k, const sparse_part *p, int columns, int units) {
  k->flops = 2.0 * p->indices.c * columns * units;
  k->true_flops = 2.0 * p->indices.c * p->entries * units;
}

/* V: a vector's width; nv: vectors of a row that a work-item sums up. */
static void emit_forward(launches *l, const char *name, const pass *p, const sparse_part *part, int v, int nv) {
  const int total = part->indices.c * ceil_div(p->units, v * nv);
  launch *k = launches_add(l, "sparse", "sparse_forward", name);
  launch_def(l, k, "V", v);
  launch_def(l, k, "NV", nv);
  operands(l, k, part);
  launch_in(l, k, p->w);
  launch_in(l, k, p->bias);
  launch_out(l, k, tensor_rows(p->y, part->first, part->indices.c));
  launch_int(l, k, total);
  launch_int(l, k, p->units);
  launch_float(l, k, p->b->scale);
  launch_int(l, k, p->act);
  if (l->dev->is_cpu)
    launch_grid1(l, k, (size_t)total, 1, 1);
  else
    launch_grid64(l, k, (size_t)total);
  count(k, part, (int)tensor_item(p->b->x), p->units);
}

/* A work-item has `width` columns of x, rows of dw, and `span` units of them. */
static void emit_weights(launches *l, const char *name, const pass *p, const sparse_part *part, int v, int width, int span) {
  const int columns = (int)tensor_item(p->b->x), total = ceil_div(columns, width) * ceil_div(p->units, span);
  launch *k = launches_add(l, "sparse", "sparse_weights", name);
  launch_def(l, k, "V", v);
  operands(l, k, part);
  launch_in(l, k, tensor_rows(p->dy, part->first, part->indices.c));
  launch_write(l, k, p->dw, part->first > 0);
  launch_int(l, k, part->indices.c);
  launch_int(l, k, total);
  launch_int(l, k, columns);
  launch_int(l, k, p->units);
  launch_int(l, k, width);
  launch_int(l, k, span);
  launch_float(l, k, p->b->scale);
  launch_int(l, k, part->first > 0);
  if (l->dev->is_cpu)
    launch_grid1(l, k, (size_t)total, 1, 1);
  else
    launch_grid64(l, k, (size_t)total);
  count(k, part, columns, p->units);
}

/* Vectors over the units. The weights' gradient by about 64 runs of columns: work for many cores, few searches in the rows. */
static void emit_cpu(launches *l, const char *name, const void *what) {
  const pass *p = what;
  const int columns = (int)tensor_item(p->b->x);
  int v = 1;
  while (2 * v <= p->units && 2 * v <= l->dev->vector_width) v *= 2;
  const int vectors = ceil_div(p->units, v), nv = vectors < MOST_VECTORS ? vectors : MOST_VECTORS;
  for (int i = 0; i < p->b->n; i++)
    if (p->y.buf)
      emit_forward(l, name, p, &p->b->part[i], v, nv);
    else
      emit_weights(l, name, p, &p->b->part[i], v, ceil_div(columns, 64), p->units);
}

/* A work-item for each unit, so that neighbours read one line of W and dy. */
static void emit_generic(launches *l, const char *name, const void *what) {
  const pass *p = what;
  for (int i = 0; i < p->b->n; i++)
    if (p->y.buf)
      emit_forward(l, name, p, &p->b->part[i], 1, 1);
    else
      emit_weights(l, name, p, &p->b->part[i], 1, 16, 1);
}

static void emit_gathered(launches *l, const char *name, const void *what) {
  const pass *p = what;
  const tensor x = dense_rows(l, p->b);
  const int rows = x.rows, columns = (int)tensor_item(x);
  (void)name;
  if (p->y.buf)
    gemm_emit(l, &(gemm){.m = rows, .n = p->units, .k = columns, .a = x, .b = p->w, .c = p->y, .bias = p->bias, .act = p->act});
  else
    gemm_emit(l, &(gemm){.m = columns, .n = p->units, .k = rows, .a = x, .a_trans = 1, .b = p->dy, .c = p->dw});
}

static const variant sparse_variants[] = {
    {"cpu", fits_cpu, emit_cpu, rule_few},
    {"generic", fits_any, emit_generic, rule_few},
    {"gathered", fits_any, emit_gathered, NULL},
};

static void emit(launches *l, const char *which, const pass *p) {
  char key[KEY];
  snprintf(key, sizeof key, "sparse %s %dx%dx%d entries=%.0f", which, p->b->x.rows, p->units, (int)tensor_item(p->b->x),
           entries_of(p->b));
  choice_emit(l, sparse_variants, sizeof sparse_variants / sizeof *sparse_variants, key, p);
}

void sparse_forward_emit(launches *l, sparse_batch *b, tensor w, tensor bias, int units, int act, tensor y) {
  emit(l, "forward", &(pass){.b = b, .w = w, .bias = bias, .units = units, .act = act, .y = y});
}

void sparse_weights_emit(launches *l, sparse_batch *b, tensor dy, int units, tensor dw) {
  emit(l, "weights", &(pass){.b = b, .dy = dy, .units = units, .dw = dw});
}

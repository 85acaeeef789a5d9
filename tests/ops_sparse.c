/*
 * tests/ops_sparse.c: rows without their zeros against the same rows with them, in double: the products of a dense layer by
 * their entries, and the rows made dense. Rows that are empty, full, taken twice, of two sets; widths that no vector fits.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "harness.h"
#include "ops/sparse.h"
#include "ops_suites.h"
#include "reference.h"

enum { ITEMS = 11, MOST_ROWS = 40 };

/* Every fourth item is empty, and item 1 lacks nothing; of the others one number in `rare` is there. */
typedef struct set {
  int32_t offsets[ITEMS + 1], *columns;
  float *values;
  double *dense; /* (ITEMS, width) */
  int at[3];     /* the rig's */
} set;

static set new_set(uint32_t stream, int width, int rare) {
  set s = {.dense = new_doubles((size_t)ITEMS * (size_t)width)};
  int n = 0;
  s.columns = calloc((size_t)ITEMS * (size_t)width, sizeof *s.columns);
  s.values = calloc((size_t)ITEMS * (size_t)width, sizeof *s.values);
  for (int i = 0; i < ITEMS; i++) {
    for (int c = 0; c < width; c++) {
      const size_t at = (size_t)i * (size_t)width + (size_t)c;
      if (i % 4 == 3 || (i != 1 && rng_words(stream, RNG_CHECK, 1, at).v[0] % (uint32_t)rare)) continue;
      s.dense[at] = draw_normal(stream, at);
      s.columns[n] = c, s.values[n++] = (float)s.dense[at];
    }
    s.offsets[i + 1] = n;
  }
  return s;
}

static void free_set(set *s) {
  free(s->columns), free(s->values), free(s->dense);
}

static void declare_set(rig *g, set *s, int which) {
  char name[3][16];
  snprintf(name[0], sizeof name[0], "offsets%d", which);
  snprintf(name[1], sizeof name[1], "columns%d", which);
  snprintf(name[2], sizeof name[2], "values%d", which);
  s->at[0] = rig_in(g, name[0], 4, 1, 1, 1, ITEMS + 1);
  for (int i = 1; i < 3; i++) s->at[i] = rig_in(g, name[i], 4, 1, 1, 1, s->offsets[ITEMS]);
}

static void put_set(rig *g, const set *s) {
  rig_put(g, s->at[0], s->offsets);
  rig_put(g, s->at[1], s->columns);
  rig_put(g, s->at[2], s->values);
}

static sparse_part part_of(const rig *g, const set *s, int index, int first, int rows) {
  tensor t = g->slots[index].t;
  t.offset += (size_t)first;
  t.rows = 1, t.c = rows;
  return (sparse_part){.offsets = g->slots[s->at[0]].t,
                       .columns = g->slots[s->at[1]].t,
                       .values = g->slots[s->at[2]].t,
                       .indices = t,
                       .first = first,
                       .entries = (double)s->offsets[ITEMS] / ITEMS};
}

/* ---- a dense layer's products ---- */

typedef struct product_case {
  int rows, split, width, units, rare, act, small;
} product_case;

static const product_case products[] = {
    {5, 5, 37, 3, 6, ACT_NONE, 1},     {6, 2, 50, 1, 9, ACT_SIGMOID, 1},    {7, 4, 9, 17, 3, ACT_NONE, 1},
    {1, 1, 300, 50, 30, ACT_RELU, 0},  {40, 20, 5003, 50, 70, ACT_NONE, 0}, {33, 1, 640, 131, 20, ACT_TANH, 0},
    {12, 11, 65, 300, 4, ACT_NONE, 0}, {8, 4, 1, 2, 2, ACT_NONE, 1},        {40, 20, 700, 50, 2, ACT_SIGMOID, 0},
};

static void product(const product_case *c, const char *way) {
  const size_t width = (size_t)c->width, units = (size_t)c->units, rows = (size_t)c->rows;
  const float scale = 0.75f;
  int32_t index[MOST_ROWS];
  set sets[2] = {new_set(5, c->width, c->rare), new_set(6, c->width, c->rare)};
  const int parts = 1 + (c->split < c->rows);
  char label[100];
  rig g;
  snprintf(label, sizeof label, "sparse %d (%d) x %d x %d, 1 in %d, act %d", c->rows, c->split, c->units, c->width, c->rare,
           c->act);
  rig_begin(&g, way, label);
  for (int i = 0; i < parts; i++) declare_set(&g, &sets[i], i);
  const int at_index = rig_in(&g, "rows", 4, 1, 1, 1, c->rows), w = rig_in(&g, "w", 4, 1, 1, c->width, c->units);
  const int b = rig_in(&g, "b", 4, 1, 1, 1, c->units), dy = rig_in(&g, "dy", 4, c->rows, 1, 1, c->units);
  const int y = rig_out(&g, "y", 4, c->rows, 1, 1, c->units), dw = rig_out(&g, "dw", 4, 1, 1, c->width, c->units);
  const int mean = rig_in(&g, "mean", 4, 1, 1, 1, c->width);
  sparse_batch batch = {
      .n = parts, .scale = scale, .mean = g.slots[mean].t, .x = {.rows = c->rows, .h = 1, .w = 1, .c = c->width}};
  batch.part[0] = part_of(&g, &sets[0], at_index, 0, c->split);
  if (parts > 1) batch.part[1] = part_of(&g, &sets[1], at_index, c->split, c->rows - c->split);
  sparse_forward_emit(g.l, &batch, g.slots[w].t, g.slots[b].t, c->units, c->act, g.slots[y].t);
  sparse_weights_emit(g.l, &batch, g.slots[dy].t, c->units, g.slots[dw].t);
  rig_bind(&g);
  for (int r = 0; r < c->rows; r++) index[r] = (r * 7 + 1) % ITEMS;
  double *vw = new_normals(7, width * units), *vb = new_normals(8, units), *vdy = new_normals(9, rows * units),
         *none = new_doubles(width), *x = new_doubles(rows * width);
  for (int i = 0; i < parts; i++) put_set(&g, &sets[i]);
  rig_put(&g, at_index, index);
  rig_put_doubles(&g, w, vw), rig_put_doubles(&g, b, vb), rig_put_doubles(&g, dy, vdy), rig_put_doubles(&g, mean, none);
  rig_poison(&g, y), rig_poison(&g, dw);
  rig_run(&g, 1, g.l->n);
  for (size_t r = 0; r < rows; r++)
    for (size_t k = 0; k < width; k++)
      x[r * width + k] = (double)scale * sets[(int)r >= c->split].dense[(size_t)index[r] * width + k];
  double *want = new_doubles(rows * units), *mag = new_doubles(rows * units);
  for (size_t r = 0; r < rows; r++)
    for (size_t u = 0; u < units; u++) {
      double sum = vb[u], size = fabs(vb[u]);
      for (size_t k = 0; k < width; k++) {
        sum += x[r * width + k] * vw[k * units + u];
        size += fabs(x[r * width + k] * vw[k * units + u]);
      }
      want[r * units + u] = ref_activate(c->act, sum), mag[r * units + u] = size;
    }
  rig_compare(&g, y, want, mag, (double)width);
  double *wanted = new_doubles(width * units), *sizes = new_doubles(width * units);
  for (size_t r = 0; r < rows; r++)
    for (size_t k = 0; k < width; k++)
      for (size_t u = 0; u < units; u++) {
        const double term = x[r * width + k] * vdy[r * units + u];
        wanted[k * units + u] += term, sizes[k * units + u] += fabs(term);
      }
  rig_compare(&g, dw, wanted, sizes, (double)rows);
  rig_end(&g);
  double *all[] = {vw, vb, vdy, none, x, want, mag, wanted, sizes};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
  for (int i = 0; i < 2; i++) free_set(&sets[i]);
}

START_TEST(sparse_product) {
  static const char *const ways[] = {"cpu", "generic", "gathered"};
  const product_case *c = &products[_i];
  if (harness_small() && !c->small) return;
  for (int v = 0; v < 3; v++)
    if (v || harness_has(ways[v])) product(c, ways[v]);
}
END_TEST

/* ---- rows made dense ---- */

typedef struct gather_case {
  int h, w, from, to, rows, centred;
} gather_case;

static void gather_one(const gather_case *c, const char *way) {
  const int item = c->h * c->w * c->from;
  const size_t out = (size_t)(c->h * c->w * c->to), n = out * (size_t)c->rows;
  const float scale = 0.25f;
  static const double means[] = {0.5, 12.25, -3};
  int32_t index[MOST_ROWS];
  set s = new_set(4, item, 5);
  char label[100];
  rig g;
  snprintf(label, sizeof label, "gather sparse (%d,%d,%d to %d) centred %d", c->h, c->w, c->from, c->to, c->centred);
  rig_begin(&g, way, label);
  declare_set(&g, &s, 0);
  const int at_index = rig_in(&g, "rows", 4, 1, 1, 1, c->rows), mean = rig_in(&g, "mean", 4, 1, 1, 1, 3);
  const int y = rig_out(&g, "y", 4, c->rows, c->h, c->w, c->to);
  const sparse_part part = part_of(&g, &s, at_index, 0, c->rows);
  sparse_gather_emit(g.l, &part, g.slots[mean].t, c->centred, scale, item, g.slots[y].t);
  rig_bind(&g);
  for (int r = 0; r < c->rows; r++) index[r] = (r * 5 + 1) % ITEMS;
  put_set(&g, &s);
  rig_put(&g, at_index, index);
  rig_put_doubles(&g, mean, means);
  rig_poison(&g, y);
  rig_run(&g, 1, g.l->n);
  double *want = new_doubles(n), *mag = new_doubles(n);
  for (size_t i = 0; i < n; i++) {
    const size_t channel = i % (size_t)c->to, pixel = i % out / (size_t)c->to;
    const size_t at = pixel * (size_t)c->from + (c->from == 1 ? 0 : channel);
    const double v = s.dense[(size_t)index[i / out] * (size_t)item + at];
    want[i] = (v - (c->centred ? means[channel] : 0)) * (double)scale, mag[i] = 4;
  }
  rig_compare(&g, y, want, mag, 1);
  rig_end(&g);
  free(want), free(mag), free_set(&s);
}

START_TEST(sparse_gather) {
  static const gather_case cases[] = {
      {1, 1, 37, 37, 5, 0}, {3, 5, 1, 3, 7, 1}, {3, 5, 1, 1, 4, 1}, {2, 2, 3, 3, 12, 1}, {4, 3, 1, 3, 3, 0}};
  const gather_case wide = {1, 1, 4999, 4999, 9, 0};
  static const char *const ways[] = {"cpu", "generic"};
  for (int v = 0; v < 2; v++) {
    if (!harness_has(ways[v])) continue;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) gather_one(&cases[i], ways[v]);
    if (!harness_small()) gather_one(&wide, ways[v]);
  }
}
END_TEST

TCase *sparse_cases(void) {
  TCase *t = tcase_create("sparse");
  tcase_set_timeout(t, 300);
  tcase_add_loop_test(t, sparse_product, 0, (int)(sizeof products / sizeof *products));
  tcase_add_test(t, sparse_gather);
  return t;
}

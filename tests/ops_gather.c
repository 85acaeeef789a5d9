/* tests/ops_gather.c: what a step begins with: rows and labels that are gathered, the control block, arrays that are filled. */
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "harness.h"
#include "ops_suites.h"

/* ---- gather ---- */

typedef struct gather_case {
  int bytes, from, to, binarise; /* bytes of an item's element; channels of source and result */
  int wide;                      /* the kernel for many channels */
} gather_case;

static void gather_one(const char *way, const gather_case *c) {
  enum { ITEMS = 9, H = 7, WIDTH = 5, ROWS = 6, PIXELS = H * WIDTH };
  static const int32_t rows[ROWS] = {8, 0, 3, 3, 7, 1};
  static const double mean[40] = {0.5, 12.25, 100, -3, 7};
  const float scale = 1.0f / 255.0f;
  const size_t n = (size_t)ITEMS * PIXELS * (size_t)c->from, n_out = (size_t)ROWS * PIXELS * (size_t)c->to;
  unsigned char *u8 = malloc(n);
  double *v = new_doubles(n), *want = new_doubles(n_out), *mag = new_doubles(n_out);
  char label[80];
  rig g;
  for (size_t i = 0; i < n; i++) {
    u8[i] = i % 3 ? (unsigned char)(rng_words(1, RNG_CHECK, 0, i).v[0] >> 24) : 0;
    v[i] = c->bytes == 1 ? u8[i] : draw_normal(3, i);
  }
  for (size_t i = 0; i < n_out; i++) {
    const size_t ch = i % (size_t)c->to, pixel = i / (size_t)c->to % PIXELS, row = (size_t)rows[i / (size_t)c->to / PIXELS];
    double x = v[(row * PIXELS + pixel) * (size_t)c->from + (c->from == 1 ? 0 : ch)];
    if (c->binarise) x = x > 0 ? 255 : 0;
    want[i] = (x - mean[ch]) * (double)scale;
    mag[i] = 2;
  }
  snprintf(label, sizeof label, "gather %d bytes, %d to %d channels, binarise %d", c->bytes, c->from, c->to, c->binarise);
  rig_begin(&g, way, label);
  const int data = rig_in(&g, "data", c->bytes, ITEMS, H, WIDTH, c->from), index = rig_in(&g, "rows", 4, ROWS, 1, 1, 1);
  const int m = rig_in(&g, "mean", 4, 1, 1, 1, 40), y = rig_out(&g, "y", 4, ROWS, H, WIDTH, c->to);
  const int wide = c->wide, item = PIXELS * (wide ? c->to : 1);
  launch *k = launches_add(g.l, "gather",
                           wide            ? c->bytes == 1 ? "gather_wide_u8" : "gather_wide_f32"
                           : c->bytes == 1 ? "gather_u8"
                                           : "gather_f32",
                           way);
  launch_in(g.l, k, rig_tensor(&g, data));
  launch_in(g.l, k, rig_tensor(&g, index));
  launch_in(g.l, k, rig_tensor(&g, m));
  launch_out(g.l, k, rig_tensor(&g, y));
  launch_int(g.l, k, item);
  launch_int(g.l, k, item * ROWS);
  launch_float(g.l, k, scale);
  if (!wide) launch_int(g.l, k, c->from);
  launch_int(g.l, k, c->to);
  if (!wide) launch_int(g.l, k, c->binarise);
  launch_blocks(g.l, k, (size_t)(item * ROWS));
  rig_bind(&g);
  if (c->bytes == 1)
    rig_put(&g, data, u8);
  else
    rig_put_doubles(&g, data, v);
  rig_put(&g, index, rows);
  rig_put_doubles(&g, m, mean);
  rig_run(&g, 1, g.l->n);
  rig_compare(&g, y, want, mag, 1);
  rig_end(&g);
  free(u8), free(v), free(want), free(mag);
}

static void gather_body(const char *way) {
  static const gather_case cases[] = {{1, 1, 3, 1, 0}, {1, 1, 3, 0, 0}, {1, 3, 3, 0, 0}, {1, 1, 1, 0, 0},
                                      {4, 2, 2, 0, 0}, {4, 1, 3, 1, 0}, {1, 3, 3, 0, 1}, {4, 37, 37, 0, 1}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) gather_one(way, &cases[i]);
}

START_TEST(gather) {
  harness_each_geometry(gather_body);
}
END_TEST

static void labels_body(const char *way) {
  enum { ITEMS = 300, ROWS = 65 };
  int32_t labels[ITEMS], rows[ROWS], got[ROWS];
  rig g;
  for (int i = 0; i < ITEMS; i++) labels[i] = i * 37 % 101;
  for (int i = 0; i < ROWS; i++) rows[i] = i * 91 % ITEMS;
  rig_begin(&g, way, "gather_labels");
  const int l = rig_in(&g, "labels", 4, ITEMS, 1, 1, 1), index = rig_in(&g, "rows", 4, ROWS, 1, 1, 1);
  const int y = rig_out(&g, "y", 4, ROWS, 1, 1, 1);
  launch *k = launches_add(g.l, "gather", "gather_labels", way);
  launch_in(g.l, k, rig_tensor(&g, l));
  launch_in(g.l, k, rig_tensor(&g, index));
  launch_out(g.l, k, rig_tensor(&g, y));
  launch_int(g.l, k, ROWS);
  launch_blocks(g.l, k, ROWS);
  rig_bind(&g);
  rig_put(&g, l, labels);
  rig_put(&g, index, rows);
  rig_run(&g, 1, g.l->n);
  rig_get(&g, y, got);
  for (int i = 0; i < ROWS; i++) ck_assert_int_eq(got[i], labels[rows[i]]);
  rig_end(&g);
}

START_TEST(gather_labels) {
  harness_each_geometry(labels_body);
}
END_TEST

/* ---- control ---- */

START_TEST(control_next) {
  enum { STEPS = 3, ROWS = 7 };
  int32_t table[STEPS * CTL_ROW_WORDS], indices[STEPS * ROWS], got[CTL_WORDS], got_rows[ROWS], start[CTL_WORDS];
  rig g;
  for (int i = 0; i < STEPS * CTL_ROW_WORDS; i++) table[i] = 1000 + i;
  for (int i = 0; i < STEPS * ROWS; i++) indices[i] = 2000 + i;
  for (int i = 0; i < CTL_WORDS; i++) start[i] = i == CTL_NEXT ? 0 : 3000 + i;
  rig_begin(&g, "generic", "control_next");
  const int t = rig_in(&g, "table", 4, STEPS, 1, 1, CTL_ROW_WORDS), it = rig_in(&g, "indices", 4, STEPS, 1, 1, ROWS);
  const int c = rig_out(&g, "control", 4, 1, 1, 1, CTL_WORDS), x = rig_out(&g, "rows", 4, ROWS, 1, 1, 1);
  launch *k = launches_add(g.l, "control", "control_next", "generic");
  launch_in(g.l, k, rig_tensor(&g, t));
  launch_in(g.l, k, rig_tensor(&g, it));
  launch_update(g.l, k, rig_tensor(&g, c));
  launch_out(g.l, k, rig_tensor(&g, x));
  launch_int(g.l, k, ROWS);
  launch_grid1(g.l, k, 1, 1, 1);
  rig_bind(&g);
  rig_put(&g, t, table);
  rig_put(&g, it, indices);
  rig_put(&g, c, start);
  for (int step = 0; step < STEPS; step++) {
    rig_run(&g, 1, g.l->n);
    rig_get(&g, c, got);
    rig_get(&g, x, got_rows);
    for (int i = 0; i < CTL_WORDS; i++)
      ck_assert_int_eq(got[i], i < CTL_ROW_WORDS ? table[step * CTL_ROW_WORDS + i] : i == CTL_NEXT ? step + 1 : start[i]);
    for (int i = 0; i < ROWS; i++) ck_assert_int_eq(got_rows[i], indices[step * ROWS + i]);
  }
  rig_end(&g);
}
END_TEST

static void fill_body(const char *way) {
  enum { N = 4161 };
  rig g;
  float got[N];
  rig_begin(&g, way, "fill");
  const int y = rig_out(&g, "y", 4, N, 1, 1, 1);
  launch *k = launches_add(g.l, "control", "fill", way);
  launch_out(g.l, k, rig_tensor(&g, y));
  launch_int(g.l, k, N);
  launch_float(g.l, k, 2.5f);
  launch_blocks(g.l, k, N);
  rig_bind(&g);
  rig_run(&g, 1, g.l->n);
  rig_get(&g, y, got);
  for (int i = 0; i < N; i++) ck_assert_msg(got[i] == 2.5f, "%s: [%d] is %g", g.label, i, (double)got[i]);
  rig_end(&g);
}

START_TEST(fill) {
  harness_each_geometry(fill_body);
}
END_TEST

TCase *gather_cases(void) {
  TCase *t = tcase_create("gather");
  tcase_set_timeout(t, 600);
  tcase_add_test(t, gather);
  tcase_add_test(t, gather_labels);
  tcase_add_test(t, control_next);
  tcase_add_test(t, fill);
  return t;
}

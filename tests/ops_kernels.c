/*
 * tests/ops_kernels.c: the kernels without an op: gather, control, fill, fma_peak, triad, sums and norms, the optimiser, a
 * library's bias and activation, products of every variant, and the random numbers of cl/common.clh, which must be those of
 * base/rng.c.
 */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "device/kernels.h"
#include "harness.h"
#include "ops/gemm.h"
#include "ops_suites.h"
#include "reference.h"
#include "runner.h"

static const char *const geometries[] = {"cpu", "generic"};

/* Runs a test body for the geometry of a CPU, where there is one, and for that of other devices. */
static void each_geometry(void (*body)(const char *way)) {
  for (int v = 0; v < 2; v++)
    if (harness_has(geometries[v])) body(geometries[v]);
}

static tensor at(const rig *g, int s) {
  return g->slots[s].t;
}

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
  launch_in(g.l, k, at(&g, data));
  launch_in(g.l, k, at(&g, index));
  launch_in(g.l, k, at(&g, m));
  launch_out(g.l, k, at(&g, y));
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
  each_geometry(gather_body);
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
  launch_in(g.l, k, at(&g, l));
  launch_in(g.l, k, at(&g, index));
  launch_out(g.l, k, at(&g, y));
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
  each_geometry(labels_body);
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
  launch_in(g.l, k, at(&g, t));
  launch_in(g.l, k, at(&g, it));
  launch_update(g.l, k, at(&g, c));
  launch_out(g.l, k, at(&g, x));
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
  launch_out(g.l, k, at(&g, y));
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
  each_geometry(fill_body);
}
END_TEST

/* ---- ceilings ---- */

/* What the peak kernels compute is exact: x goes to b - x and back, and the triad's factors are powers of two. */
static void fma_peak_body(const char *way) {
  enum { ITEMS = 64, WIDTH = 4, CHAINS = 12, DEPTH = 3, ROUNDS = 5 };
  float got[ITEMS * WIDTH];
  rig g;
  rig_begin(&g, way, "fma_peak");
  const int out = rig_out(&g, "out", 4, ITEMS, 1, 1, WIDTH);
  launch *k = launches_add(g.l, "peak", "fma_peak", way);
  launch_def(g.l, k, "V", WIDTH);
  launch_def(g.l, k, "CHAINS", CHAINS);
  launch_def(g.l, k, "DEPTH", DEPTH);
  launch_out(g.l, k, at(&g, out));
  launch_float(g.l, k, -1.0f);
  launch_float(g.l, k, 7.0f);
  launch_int(g.l, k, ROUNDS);
  if (!strcmp(way, "cpu"))
    launch_grid1(g.l, k, ITEMS, 1, 1);
  else
    launch_grid64(g.l, k, ITEMS);
  rig_bind(&g);
  rig_run(&g, 1, g.l->n);
  rig_get(&g, out, got);
  for (int i = 0; i < ITEMS * WIDTH; i++) {
    const int item = i / WIDTH;
    float want = 0;
    for (int c = 0; c < CHAINS; c++) want += 7.0f - (float)(item % 8 + c); /* DEPTH * ROUNDS is odd */
    ck_assert_msg(got[i] == want, "%s: [%d] is %g, not %g", g.label, i, (double)got[i], (double)want);
  }
  rig_end(&g);
}

START_TEST(fma_peak) {
  each_geometry(fma_peak_body);
}
END_TEST

static void triad_body(const char *way) {
  enum { WIDTH = 4, VECTORS = 4161, N = VECTORS * WIDTH };
  double *x = new_normals(1, N), *z = new_normals(2, N), *want = new_doubles(N), *mag = new_doubles(N);
  rig g;
  for (int i = 0; i < N; i++) want[i] = x[i] + 0.5 * z[i], mag[i] = fabs(x[i]) + fabs(0.5 * z[i]);
  rig_begin(&g, way, "triad");
  const int a = rig_in(&g, "x", 4, N, 1, 1, 1), b = rig_in(&g, "z", 4, N, 1, 1, 1), y = rig_out(&g, "y", 4, N, 1, 1, 1);
  launch *k = launches_add(g.l, "peak", "triad", way);
  launch_def(g.l, k, "V", WIDTH);
  launch_in(g.l, k, at(&g, a));
  launch_in(g.l, k, at(&g, b));
  launch_out(g.l, k, at(&g, y));
  launch_int(g.l, k, VECTORS);
  launch_float(g.l, k, 0.5f);
  launch_blocks(g.l, k, VECTORS);
  rig_bind(&g);
  rig_put_doubles(&g, a, x);
  rig_put_doubles(&g, b, z);
  rig_run(&g, 1, g.l->n);
  rig_compare(&g, y, want, mag, 2);
  rig_end(&g);
  free(x), free(z), free(want), free(mag);
}

START_TEST(triad) {
  each_geometry(triad_body);
}
END_TEST

/* ---- sums ---- */

static void column_sums_one(const char *way, int rows, int columns) {
  const size_t n = (size_t)rows * (size_t)columns, wide = (size_t)columns;
  double *x = new_normals(1, n), *want = new_doubles(wide), *mag = new_doubles(wide);
  char label[64];
  rig g;
  for (size_t i = 0; i < n; i++) want[i % wide] += x[i], mag[i % wide] += fabs(x[i]);
  snprintf(label, sizeof label, "column_sums %d x %d", rows, columns);
  rig_begin(&g, way, label);
  const int in = rig_in(&g, "x", 4, rows, 1, 1, columns), out = rig_out(&g, "sums", 4, 1, 1, 1, columns);
  column_sums_emit(g.l, at(&g, in), rows, columns, at(&g, out));
  rig_bind(&g);
  rig_put_doubles(&g, in, x);
  rig_run(&g, 1, g.l->n);
  rig_compare(&g, out, want, mag, rows);
  rig_end(&g);
  free(x), free(want), free(mag);
}

static void column_sums_body(const char *way) {
  static const int sizes[][2] = {{1, 1}, {255, 5}, {257, 64}, {1000, 65}, {20000, 3}, {3, 4200}};
  for (int i = 0; i < (harness_small() ? 2 : 6); i++) column_sums_one(way, sizes[i][0], sizes[i][1]);
}

START_TEST(column_sums) {
  each_geometry(column_sums_body);
}
END_TEST

static void sum_partials_one(const char *way, int n, int count, int beta) {
  const int first = 5, stride = n + 9;
  const size_t size = (size_t)n;
  double *part = new_normals(1, (size_t)stride * (size_t)count), *want = new_normals(2, size), *mag = new_abs(want, size);
  char label[64];
  rig g;
  snprintf(label, sizeof label, "sum_partials n %d count %d beta %d", n, count, beta);
  rig_begin(&g, way, label);
  const int in = rig_in(&g, "part", 4, count, 1, 1, stride), out = rig_out(&g, "out", 4, 1, 1, 1, n);
  sum_partials_emit(g.l, at(&g, in), first, stride, count, at(&g, out), n, beta);
  rig_bind(&g);
  rig_put_doubles(&g, in, part);
  if (beta) rig_put_doubles(&g, out, want);
  for (size_t i = 0; i < size; i++) {
    if (!beta) want[i] = mag[i] = 0;
    for (int s = 0; s < count; s++) {
      const double v = part[(size_t)(s * stride + first) + i];
      want[i] += v, mag[i] += fabs(v);
    }
  }
  rig_run(&g, 1, g.l->n);
  rig_compare(&g, out, want, mag, count + 1);
  rig_end(&g);
  free(part), free(want), free(mag);
}

static void sum_partials_body(const char *way) {
  static const int sizes[][2] = {{1, 1}, {63, 4}, {1024, 3}, {1025, 64}, {3000, 2}};
  for (int i = 0; i < 5; i++)
    for (int beta = 0; beta < 2; beta++) sum_partials_one(way, sizes[i][0], sizes[i][1], beta);
}

START_TEST(sum_partials) {
  each_geometry(sum_partials_body);
}
END_TEST

/* ---- norms ---- */

/* poison: an element that is made not finite, or -1 */
static void norm_one(const char *way, int n, int block, int poison, double with) {
  const int parts = ceil_div(n, block), step = 12;
  double *x = new_normals(1, (size_t)n), want = 0;
  ctl_word control[CTL_WORDS] = {[CTL_STEP] = {.i = step}}, got[CTL_WORDS];
  float norm2;
  rig g;
  if (poison >= 0) x[poison] = with;
  for (int i = 0; i < n; i++) want += x[i] * x[i];
  rig_begin(&g, way, "gradient norm");
  const int in = rig_in(&g, "x", 4, n, 1, 1, 1), part = rig_out(&g, "part", 4, parts, 1, 1, 1);
  const int norm = rig_out(&g, "norm2", 4, 1, 1, 1, 1), c = rig_out(&g, "control", 4, 1, 1, 1, CTL_WORDS);
  launch *k = launches_add(g.l, "reduce", "square_sums", way);
  launch_in(g.l, k, at(&g, in));
  launch_out(g.l, k, at(&g, part));
  launch_int(g.l, k, n);
  launch_int(g.l, k, block);
  if (!strcmp(way, "cpu"))
    launch_grid1(g.l, k, (size_t)parts, 1, 1);
  else
    launch_grid64(g.l, k, (size_t)parts);
  k = launches_add(g.l, "reduce", "gradient_norm", way);
  launch_in(g.l, k, at(&g, part));
  launch_out(g.l, k, at(&g, norm));
  launch_update(g.l, k, at(&g, c));
  launch_int(g.l, k, parts);
  launch_grid1(g.l, k, 1, 1, 1);
  rig_bind(&g);
  rig_put_doubles(&g, in, x);
  for (int before = 0; before < 10; before += 9) { /* CTL_BAD of an earlier step stays */
    control[CTL_BAD].i = before;
    rig_put(&g, c, control);
    rig_run(&g, 1, g.l->n);
    rig_get(&g, c, got);
    ck_assert_msg(got[CTL_BAD].i == (before        ? before
                                     : poison >= 0 ? step + 1
                                                   : 0),
                  "%s: n %d, element %d is %g: CTL_BAD is %d", g.label, n, poison, with, got[CTL_BAD].i);
  }
  rig_get(&g, norm, &norm2);
  if (poison < 0)
    ck_assert_msg(fabs((double)norm2 - want) <= tolerance(want, want, n), "%s: n %d: %.9g, not %.9g", g.label, n, (double)norm2,
                  want);
  else
    ck_assert_msg(!isfinite(norm2), "%s: finite although an element is %g", g.label, with);
  rig_end(&g);
  free(x);
}

static void norm_body(const char *way) {
  norm_one(way, 1, 64, -1, 0);
  norm_one(way, 1000, 64, -1, 0);
  norm_one(way, 70000, 4096, -1, 0);
  norm_one(way, 1000, 64, 999, (double)NAN);
  norm_one(way, 1000, 64, 500, (double)-INFINITY);
  norm_one(way, 1000, 64, 0, 1e30); /* its square is not finite */
}

START_TEST(gradient_norm) {
  each_geometry(norm_body);
}
END_TEST

/* ---- optimiser ---- */

enum { PARAMS = 4161 };

typedef struct optim_trial {
  rig g;
  int method, w, gr, m, v, control, hyper, norms;
  double *w_v, *m_v, *v_v;
} optim_trial;

/* Of three branches: 3, 4, 12 make 13. */
static const double branch_norms2[3] = {9, 16, 144};

static void optim_step(optim_trial *t, int step, int bad, const double hyper[HYPER_WORDS], float lr, float scale) {
  const float adam1 = (float)(1 / (1 - pow(hyper[0], step + 1))), adam2 = (float)(1 / (1 - pow(hyper[1], step + 1)));
  ctl_word control[CTL_WORDS] = {[CTL_STEP] = {.i = step},
                                 [CTL_LR] = {.f = lr},
                                 [CTL_ADAM1] = {.f = adam1},
                                 [CTL_ADAM2] = {.f = adam2},
                                 [CTL_BAD] = {.i = bad}};
  double *grad = new_normals(60 + (uint32_t)step, PARAMS);
  rig_put(&t->g, t->control, control);
  rig_put_doubles(&t->g, t->gr, grad);
  rig_run(&t->g, 1, t->g.l->n);
  if (!bad)
    ref_optim(t->method, PARAMS, t->w_v, grad, t->m_v, t->v_v, hyper, 13, (double)(lr * scale), (double)adam1, (double)adam2);
  free(grad);
}

static void optim_compare(optim_trial *t) {
  const int slots[3] = {t->w, t->m, t->v};
  double *const want[3] = {t->w_v, t->m_v, t->v_v};
  double mag[PARAMS];
  for (int i = 0; i < PARAMS; i++) mag[i] = 8;
  for (int i = 0; i < 3; i++) rig_compare(&t->g, slots[i], want[i], mag, 1);
}

static void optim_one(const char *way, int method, double decay, double clip) {
  const double hyper[HYPER_WORDS] = {(double)0.9f, (double)0.99f, (double)1e-4f, decay, clip};
  const float lr = 0.01f, scale = 0.5f;
  optim_trial t = {.method = method, .w_v = new_normals(1, PARAMS), .m_v = new_doubles(PARAMS), .v_v = new_doubles(PARAMS)};
  char label[64];
  snprintf(label, sizeof label, "optimiser %d, weight decay %g, clip %g", method, decay, clip);
  rig *g = &t.g;
  rig_begin(g, way, label);
  t.w = rig_out(g, "w", 4, PARAMS, 1, 1, 1), t.gr = rig_in(g, "g", 4, PARAMS, 1, 1, 1);
  t.m = rig_out(g, "m", 4, PARAMS, 1, 1, 1), t.v = rig_out(g, "v", 4, PARAMS, 1, 1, 1);
  t.control = rig_in(g, "control", 4, 1, 1, 1, CTL_WORDS), t.hyper = rig_in(g, "hyper", 4, 1, 1, 1, HYPER_WORDS);
  t.norms = rig_in(g, "norms", 4, 1, 1, 1, 3);
  launch *k = launches_add(g->l, "optim", "optim_update", way);
  launch_update(g->l, k, at(g, t.w));
  launch_in(g->l, k, at(g, t.gr));
  launch_update(g->l, k, at(g, t.m));
  launch_update(g->l, k, at(g, t.v));
  launch_in(g->l, k, at(g, t.control));
  launch_in(g->l, k, at(g, t.hyper));
  launch_in(g->l, k, at(g, t.norms));
  launch_int(g->l, k, 3);
  launch_int(g->l, k, PARAMS);
  launch_float(g->l, k, scale);
  launch_int(g->l, k, method);
  launch_blocks(g->l, k, PARAMS);
  rig_bind(g);
  rig_put_doubles(g, t.w, t.w_v);
  rig_put_doubles(g, t.m, t.m_v);
  rig_put_doubles(g, t.v, t.v_v);
  rig_put_doubles(g, t.hyper, hyper);
  rig_put_doubles(g, t.norms, branch_norms2);
  for (int step = 0; step < 4; step++) optim_step(&t, step, 0, hyper, lr, scale);
  optim_compare(&t);
  optim_step(&t, 4, 3, hyper, lr, scale); /* frozen */
  optim_compare(&t);
  rig_end(g);
  free(t.w_v), free(t.m_v), free(t.v_v);
}

static void optim_body(const char *way) {
  for (int method = 0; method < 4; method++) {
    optim_one(way, method, 0, 0);
    optim_one(way, method, (double)0.125f, 14);
    optim_one(way, method, (double)0.125f, 5);
  }
}

START_TEST(optimiser) {
  each_geometry(optim_body);
}
END_TEST

/* ---- bias and activation behind a library's product ---- */

static void bias_act_body(const char *way) {
  enum { ROWS = 65, N = 65 };
  for (int act = 0; act < 4; act++) {
    double *c = new_normals(1, ROWS * N), *bias = new_normals(2, N), *mag = new_doubles(ROWS * N);
    rig g;
    rig_begin(&g, way, "bias_act");
    const int x = rig_out(&g, "c", 4, ROWS, 1, 1, N), b = rig_in(&g, "bias", 4, 1, 1, 1, N);
    launch *k = launches_add(g.l, "gemm_plain", "bias_act", way);
    launch_update(g.l, k, at(&g, x));
    launch_in(g.l, k, at(&g, b));
    launch_int(g.l, k, N);
    launch_int(g.l, k, ROWS * N);
    launch_int(g.l, k, act != 3);
    launch_int(g.l, k, act);
    launch_blocks(g.l, k, ROWS * N);
    rig_bind(&g);
    rig_put_doubles(&g, x, c);
    rig_put_doubles(&g, b, bias);
    for (int i = 0; i < ROWS * N; i++) c[i] = ref_activate(act, c[i] + (act != 3 ? bias[i % N] : 0)), mag[i] = 4;
    rig_run(&g, 1, g.l->n);
    rig_compare(&g, x, c, mag, 1);
    rig_end(&g);
    free(c), free(bias), free(mag);
  }
}

START_TEST(bias_act) {
  each_geometry(bias_act_body);
}
END_TEST

/* ---- products ---- */

typedef struct product_case {
  int m, n, k, a_trans, b_trans, beta, bias, act;
} product_case;

/* Sizes about those of tiles; long sums with few results, which some variants cut into parts; wide tiles and their ends. */
static const product_case products[] = {
    {1, 1, 1, 0, 0, 0, 1, 1},      {3, 17, 65, 1, 0, 1, 0, 0},   {65, 3, 17, 0, 1, 0, 1, 2},    {17, 33, 9, 1, 1, 1, 1, 3},
    {64, 65, 63, 0, 0, 1, 1, 0},   {63, 64, 65, 1, 0, 0, 0, 1},  {65, 63, 64, 0, 1, 1, 0, 0},   {129, 63, 1, 1, 1, 0, 1, 0},
    {5, 65, 2049, 0, 0, 1, 1, 3},  {64, 1, 1025, 1, 0, 0, 1, 2}, {130, 1000, 7, 0, 1, 1, 1, 0}, {130, 100, 90, 1, 0, 0, 0, 0},
    {70, 150, 100, 0, 1, 1, 1, 1}, {64, 128, 128, 0, 0, 0, 1, 0}};

static void product_one(const char *way, const product_case *p) {
  const size_t m = (size_t)p->m, n = (size_t)p->n, k = (size_t)p->k;
  double *a = new_normals(1, m * k), *b = new_normals(2, k * n), *bias = new_normals(3, n);
  double *want = new_normals(4, m * n), *mag = new_doubles(m * n);
  char label[96];
  rig g;
  snprintf(label, sizeof label, "product %d x %d x %d, transposed %d %d, beta %d, bias %d, act %d", p->m, p->n, p->k,
           p->a_trans, p->b_trans, p->beta, p->bias, p->act);
  rig_begin(&g, way, label);
  const int as = rig_in(&g, "a", 4, p->m, 1, 1, p->k), bs = rig_in(&g, "b", 4, p->k, 1, 1, p->n);
  const int bias_s = rig_in(&g, "bias", 4, 1, 1, 1, p->n), c = rig_out(&g, "c", 4, p->m, 1, 1, p->n);
  gemm product = {p->m, p->n, p->k, at(&g, as), at(&g, bs), at(&g, c), p->a_trans, p->b_trans, p->beta, {0}, p->act};
  if (p->bias) product.bias = at(&g, bias_s);
  gemm_emit(g.l, &product);
  rig_bind(&g);
  rig_put_doubles(&g, as, a);
  rig_put_doubles(&g, bs, b);
  rig_put_doubles(&g, bias_s, bias);
  if (p->beta) rig_put_doubles(&g, c, want);
  for (size_t i = 0; i < m; i++)
    for (size_t j = 0; j < n; j++) {
      double sum = (p->beta ? want[i * n + j] : 0) + (p->bias ? bias[j] : 0), size = fabs(sum) + 4;
      for (size_t h = 0; h < k; h++) {
        const double term = a[p->a_trans ? h * m + i : i * k + h] * b[p->b_trans ? j * k + h : h * n + j];
        sum += term, size += fabs(term);
      }
      want[i * n + j] = ref_activate(p->act, sum), mag[i * n + j] = size;
    }
  rig_run(&g, 1, g.l->n);
  rig_compare(&g, c, want, mag, p->k);
  rig_end(&g);
  free(a), free(b), free(bias), free(want), free(mag);
}

START_TEST(product) {
  const int n = harness_small() ? 4 : (int)(sizeof products / sizeof *products);
  for (int v = 0; harness_variants[v]; v++)
    for (int i = 0; i < n && harness_has(harness_variants[v]); i++) product_one(harness_variants[v], &products[i]);
}
END_TEST

/* ---- random numbers ---- */

/* A header's text as it is in use, into the program's folder. */
static void probe_header(const char *used, const char *stem) {
  char name[32], path[512], text[16384] = "";
  snprintf(name, sizeof name, "%s.clh", stem);
  for (const kernel_source *s = kernel_sources; s->name && !used; s++)
    if (!strcmp(s->name, stem)) write_file(in(name), s->text, strlen(s->text));
  if (!used) return;
  snprintf(path, sizeof path, "%s/%s", used, name);
  FILE *f = fopen(path, "r");
  ck_assert_ptr_nonnull(f);
  const size_t n = fread(text, 1, sizeof text, f);
  fclose(f);
  write_file(in(name), text, n);
}

static const char probe_text[] =
    "__kernel void philox_probe(__global const uint *in, int io, __global uint *out, int oo, int n) {\n"
    "  const int i = (int)get_global_id(0);\n"
    "  if (i >= n) return;\n"
    "  __global const uint *p = in + io + 6 * i;\n"
    "  const uint4 r = philox4x32((uint4)(p[0], p[1], p[2], p[3]), (uint2)(p[4], p[5]));\n"
    "  __global uint *q = out + oo + 5 * i;\n"
    "  q[0] = r.x; q[1] = r.y; q[2] = r.z; q[3] = r.w; q[4] = as_uint(unit_float(r.x));\n"
    "}\n";

/* Binds with the program's folder as the source of kernels: the two headers in use, and one more kernel file. */
static void probe_bind(rig *g) {
  const char *used = getenv("CLDANN_KERNEL_PATH");
  char *keep = used && *used ? strdup(used) : NULL;
  probe_header(keep, "layout");
  probe_header(keep, "common");
  write_file(in("philox_probe.cl"), probe_text, strlen(probe_text));
  setenv("CLDANN_KERNEL_PATH", folder, 1);
  rig_bind(g);
  if (keep)
    setenv("CLDANN_KERNEL_PATH", keep, 1);
  else
    unsetenv("CLDANN_KERNEL_PATH");
  free(keep);
}

START_TEST(random_numbers) {
  enum { N = 67, KNOWN = 3 };
  /* Random123's known answers for philox4x32-10: counter, key, result. */
  static const uint32_t known[KNOWN][10] = {
      {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
      {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
      {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}};
  uint32_t in[N][6], out[N][5];
  rig g;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < 6; j++) in[i][j] = i < KNOWN ? known[i][j] : rng_words(7, RNG_CHECK, (uint32_t)j, (uint64_t)i).v[1];
  rig_begin(&g, "generic", "philox");
  const int a = rig_in(&g, "in", 4, N, 1, 1, 6), b = rig_out(&g, "out", 4, N, 1, 1, 5);
  launch *k = launches_add(g.l, "philox_probe", "philox_probe", "generic");
  launch_in(g.l, k, at(&g, a));
  launch_out(g.l, k, at(&g, b));
  launch_int(g.l, k, N);
  launch_grid64(g.l, k, N);
  probe_bind(&g);
  rig_put(&g, a, in);
  rig_run(&g, 1, g.l->n);
  rig_get(&g, b, out);
  for (int i = 0; i < N; i++) {
    const uint64_t index = in[i][0] | (uint64_t)in[i][1] << 32, seed = in[i][4] | (uint64_t)in[i][5] << 32;
    const rng r = rng_words(seed, in[i][3], in[i][2], index); /* counter {index, step, stream} */
    float unit;
    for (int j = 0; j < 4; j++) {
      if (i < KNOWN) ck_assert_uint_eq(out[i][j], known[i][6 + j]);
      ck_assert_uint_eq(out[i][j], r.v[j]);
    }
    memcpy(&unit, &out[i][4], sizeof unit);
    ck_assert_msg(unit == rng_unit(r.v[0]), "unit_float differs from rng_unit");
  }
  rig_end(&g);
}
END_TEST

TCase *kernel_cases(void) {
  TCase *t = tcase_create("kernels");
  tcase_set_timeout(t, 600);
  tcase_add_test(t, random_numbers);
  tcase_add_test(t, gather);
  tcase_add_test(t, gather_labels);
  tcase_add_test(t, control_next);
  tcase_add_test(t, fill);
  tcase_add_test(t, fma_peak);
  tcase_add_test(t, triad);
  tcase_add_test(t, column_sums);
  tcase_add_test(t, sum_partials);
  tcase_add_test(t, gradient_norm);
  tcase_add_test(t, optimiser);
  tcase_add_test(t, bias_act);
  tcase_add_test(t, product);
  return t;
}

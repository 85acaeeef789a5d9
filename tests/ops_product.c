/*
 * tests/ops_product.c: products of every variant, the bias and activation behind a library's, and the kernels that measure what
 * a device can do.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "ops/gemm.h"
#include "ops_suites.h"
#include "reference.h"

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
  gemm product = {p->m,    p->n, p->k,  rig_tensor(&g, as), rig_tensor(&g, bs), rig_tensor(&g, c), p->a_trans, p->b_trans,
                  p->beta, {0},  p->act};
  if (p->bias) product.bias = rig_tensor(&g, bias_s);
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

/* ---- bias and activation behind a library's product ---- */

static void bias_act_body(const char *way) {
  enum { ROWS = 65, N = 65 };
  for (int act = 0; act < 4; act++) {
    double *c = new_normals(1, ROWS * N), *bias = new_normals(2, N), *mag = new_doubles(ROWS * N);
    rig g;
    rig_begin(&g, way, "bias_act");
    const int x = rig_out(&g, "c", 4, ROWS, 1, 1, N), b = rig_in(&g, "bias", 4, 1, 1, 1, N);
    launch *k = launches_add(g.l, "gemm_plain", "bias_act", way);
    launch_update(g.l, k, rig_tensor(&g, x));
    launch_in(g.l, k, rig_tensor(&g, b));
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
  harness_each_geometry(bias_act_body);
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
  launch_out(g.l, k, rig_tensor(&g, out));
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
  harness_each_geometry(fma_peak_body);
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
  launch_in(g.l, k, rig_tensor(&g, a));
  launch_in(g.l, k, rig_tensor(&g, b));
  launch_out(g.l, k, rig_tensor(&g, y));
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
  harness_each_geometry(triad_body);
}
END_TEST

TCase *product_cases(void) {
  TCase *t = tcase_create("product");
  tcase_set_timeout(t, 600);
  tcase_add_test(t, product);
  tcase_add_test(t, bias_act);
  tcase_add_test(t, fma_peak);
  tcase_add_test(t, triad);
  return t;
}

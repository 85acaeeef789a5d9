/* tests/ops_update.c: what a step ends with: sums over rows and over parts, norms of the gradients, the optimiser. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "ops/gemm.h"
#include "ops_suites.h"
#include "reference.h"

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
  column_sums_emit(g.l, rig_tensor(&g, in), rows, columns, rig_tensor(&g, out));
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
  harness_each_geometry(column_sums_body);
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
  sum_partials_emit(g.l, rig_tensor(&g, in), first, stride, count, rig_tensor(&g, out), n, beta);
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
  harness_each_geometry(sum_partials_body);
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
  launch_in(g.l, k, rig_tensor(&g, in));
  launch_out(g.l, k, rig_tensor(&g, part));
  launch_int(g.l, k, n);
  launch_int(g.l, k, block);
  if (!strcmp(way, "cpu"))
    launch_grid1(g.l, k, (size_t)parts, 1, 1);
  else
    launch_grid64(g.l, k, (size_t)parts);
  k = launches_add(g.l, "reduce", "gradient_norm", way);
  launch_in(g.l, k, rig_tensor(&g, part));
  launch_out(g.l, k, rig_tensor(&g, norm));
  launch_update(g.l, k, rig_tensor(&g, c));
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
  harness_each_geometry(norm_body);
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
  launch_update(g->l, k, rig_tensor(g, t.w));
  launch_in(g->l, k, rig_tensor(g, t.gr));
  launch_update(g->l, k, rig_tensor(g, t.m));
  launch_update(g->l, k, rig_tensor(g, t.v));
  launch_in(g->l, k, rig_tensor(g, t.control));
  launch_in(g->l, k, rig_tensor(g, t.hyper));
  launch_in(g->l, k, rig_tensor(g, t.norms));
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
  harness_each_geometry(optim_body);
}
END_TEST

TCase *update_cases(void) {
  TCase *t = tcase_create("update");
  tcase_set_timeout(t, 600);
  tcase_add_test(t, column_sums);
  tcase_add_test(t, sum_partials);
  tcase_add_test(t, gradient_norm);
  tcase_add_test(t, optimiser);
  return t;
}

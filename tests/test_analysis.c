/*
 * tests/test_analysis.c: principal components against cases worked out by hand, t-SNE against all of it done naively in
 * doubles, and what pictures do where gnuplot is missing or fails. That pictures come out is tried by tests/test_cli.sh.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/pca.h"
#include "analysis/plot.h"
#include "analysis/tsne.h"
#include "base/mem.h"
#include "base/rng.h"
#include "device/context.h"
#include "runner.h"

static cldann *ctx;
static cldann_error e;

/* Normal numbers, the same for the same `number`. */
static float normal(uint32_t number, int i) {
  const rng r = rng_words(5, RNG_CHECK, number, (uint64_t)i);
  return rng_normal(r.v[0], r.v[1]);
}

/* Points along (3, 4) by 5 s, and across it by t: the scores are s and t, whatever is added to all. */
START_TEST(directions) {
  static const double s[] = {-20, -5, 0, 10, 15}, t[] = {1, -2, 0, 2, -1};
  float x[15];
  double scores[10], share[2], most = 0;
  for (int i = 0; i < 5; i++) {
    x[3 * i] = (float)(0.6 * s[i] - 0.8 * t[i] + 100);
    x[3 * i + 1] = (float)(0.8 * s[i] + 0.6 * t[i] - 7);
    x[3 * i + 2] = 5;
  }
  err_clear(&e);
  ck_assert_int_eq(pca(&e, x, 5, 3, 2, scores, share), 0);
  /* s and t are not quite uncorrelated: the exact answer of the 2 x 2 case. */
  double ss = 0, tt = 0, st = 0;
  for (int i = 0; i < 5; i++) ss += s[i] * s[i], tt += t[i] * t[i], st += s[i] * t[i];
  const double angle = 0.5 * atan2(2 * st, ss - tt), c = cos(angle), q = sin(angle);
  double first[5];
  for (int i = 0; i < 5; i++) first[i] = c * s[i] + q * t[i], most = fabs(first[i]) > fabs(most) ? first[i] : most;
  for (int i = 0; i < 5; i++) ck_assert_double_eq_tol(scores[2 * i], most < 0 ? -first[i] : first[i], 1e-4);
  double sum = 0, along = 0;
  for (int i = 0; i < 5; i++) sum += scores[2 * i + 1], along += scores[2 * i] * scores[2 * i];
  ck_assert_double_eq_tol(sum, 0, 1e-4);
  ck_assert_double_eq_tol(share[0], along / (ss + tt), 1e-6);
  ck_assert_double_eq_tol(share[0] + share[1], 1, 1e-6);
}
END_TEST

/* All of the components turn rows and change no distance, whether rows or columns are fewer; each has less than the last. */
START_TEST(all_components) {
  enum { MOST = 12 };
  for (int n = 2; n <= MOST; n += 5)
    for (int width = 1; width <= MOST; width += 11) {
      float x[MOST * MOST];
      double scores[MOST * MOST], share[MOST], shares = 0;
      for (int i = 0; i < n * width; i++) x[i] = 3 + normal(1, i) * (float)(1 + i % width);
      err_clear(&e);
      ck_assert_int_eq(pca(&e, x, n, width, MOST, scores, share), 0);
      for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++) {
          double there = 0, here = 0;
          for (int k = 0; k < width; k++) there += pow((double)x[i * width + k] - (double)x[j * width + k], 2);
          for (int k = 0; k < MOST; k++) here += pow(scores[i * MOST + k] - scores[j * MOST + k], 2);
          ck_assert_double_eq_tol(here, there, 1e-9 * there);
        }
      for (int k = 0; k < MOST; k++) {
        ck_assert(k == 0 || share[k] <= share[k - 1]);
        if (k >= n || k >= width) ck_assert_double_eq(share[k], 0);
        shares += share[k];
      }
      ck_assert_double_eq_tol(shares, 1, 1e-9);
    }
}
END_TEST

/*
 * Of data with over a thousand rows and columns few components come of a Krylov space, and many of all products: both ways
 * agree. Of noise alone few do too, since no space is large enough.
 */
enum { MANY = 1100, FEW = 10, SLOWLY = 0, OF_RANK_4 = 1, NOISE = 2, LOUD = 3 };

static void fill_wide(float *x, int n, int width, int kind) {
  enum { DIRECTIONS = 40 };
  for (int i = 0; i < n; i++)
    for (int k = 0; k < width; k++) {
      double sum = kind == OF_RANK_4 ? 3 : 3 + 0.1 * (double)normal(20, i * width + k);
      for (int j = 0; j < (kind == OF_RANK_4 ? 4 : DIRECTIONS) && kind != NOISE; j++)
        sum += (double)normal(21, i * DIRECTIONS + j) * (double)normal(22, k * DIRECTIONS + j) / (j + 1) *
               (kind == LOUD && j == 0 ? 1e3 : 1);
      x[(size_t)i * (size_t)width + (size_t)k] = (float)sum;
    }
}

START_TEST(wide_rows) {
  static const struct {
    int n, width, kind;
  } cases[] = {{MANY, 1300, SLOWLY}, {1300, MANY, SLOWLY}, {MANY, 1300, OF_RANK_4}, {1300, MANY, NOISE}, {1300, MANY, LOUD}};
  const int n = cases[_i].n, width = cases[_i].width, all = MANY / 2;
  float *x = calloc((size_t)n * (size_t)width, sizeof *x);
  double *many = calloc((size_t)n * (size_t)all, sizeof *many), *few = calloc((size_t)n * FEW, sizeof *few),
         *again = calloc((size_t)n * FEW, sizeof *again), shares[MANY], share[FEW];
  fill_wide(x, n, width, cases[_i].kind);
  err_clear(&e);
  ck_assert_int_eq(pca(&e, x, n, width, all, many, shares), 0);
  ck_assert_int_eq(pca(&e, x, n, width, FEW, few, share), 0);
  for (int k = 0; k < FEW; k++) {
    double most = 0;
    const int own = cases[_i].kind == OF_RANK_4 && k >= 4 ? 0 : k;
    for (int i = 0; i < n; i++) most = fmax(most, fabs(many[i * all + own]));
    ck_assert_double_eq_tol(share[k], shares[k], 1e-9 * shares[own] + 1e-15 * shares[0]);
    for (int i = 0; i < n; i++) {
      const double there = many[i * all + k], here = few[i * FEW + k];
      if (own != k) /* nothing but rounding errors */
        ck_assert_double_lt(fabs(here), 1e-5 * most);
      else
        ck_assert_double_eq_tol(here, there, 1e-5 * most);
    }
  }
  ck_assert_int_eq(pca(&e, x, n, width, FEW, again, share), 0);
  ck_assert_int_eq(memcmp(few, again, (size_t)n * FEW * sizeof *few), 0);
  free(x), free(many), free(few), free(again);
}
END_TEST

START_TEST(wide_rows_refused) {
  float *x = calloc(MANY * MANY, sizeof *x);
  double *scores = calloc(MANY * FEW, sizeof *scores), share[FEW];
  fill_wide(x, MANY, MANY, OF_RANK_4);
  for (long at = 0, rc = CLDANN_E_MEM; rc != 0; at++) {
    const long before = mem_live();
    ck_assert_int_lt(at, 200);
    err_clear(&e);
    mem_fail_after(at);
    rc = pca(&e, x, MANY, MANY, FEW, scores, share);
    mem_fail_after(-1);
    ck_assert(rc == 0 || rc == CLDANN_E_MEM);
    ck_assert_int_eq(mem_live(), before);
  }
  x[MANY] = NAN;
  err_clear(&e);
  ck_assert_int_eq(pca(&e, x, MANY, MANY, FEW, scores, share), CLDANN_E_CHECK);
  ck_assert_ptr_nonnull(strstr(e.message, "are the numbers finite?"));
  free(x), free(scores);
}
END_TEST

START_TEST(degenerate_rows) {
  const float same[] = {1, 2, 1, 2, 1, 2};
  double scores[6], share[2];
  err_clear(&e);
  ck_assert_int_eq(pca(&e, same, 3, 2, 2, scores, share), 0);
  for (int i = 0; i < 6; i++) ck_assert_double_eq_tol(scores[i], 0, 1e-12);
  ck_assert_double_eq(share[0], 0);
  ck_assert_int_eq(pca(&e, same, 1, 2, 2, scores, share), CLDANN_E_ARG);
  for (long n = 0; n < 12; n++) {
    const long before = mem_live();
    err_clear(&e);
    mem_fail_after(n);
    const int rc = pca(&e, same, 3, 2, 2, scores, share);
    mem_fail_after(-1);
    ck_assert(rc == 0 || rc == CLDANN_E_MEM);
    ck_assert_int_eq(mem_live(), before);
  }
}
END_TEST

START_TEST(no_gnuplot) {
  const long before = mem_live();
  char *path = getenv("PATH") ? strdup(getenv("PATH")) : NULL, text[200] = "";
  const double rows[] = {1, 2, 3, 4};
  plot p;
  err_clear(&e);
  setenv("PATH", folder, 1);
  ck_assert_int_eq(plot_ready(), 0);
  ck_assert_int_eq(plot_open(&e, in("pictures"), "one", "it's a title", &p), 0);
  plot_data(&p, "d", rows, 2, 2, (const int[]){0, 1}, 1, 0);
  ck_assert_int_eq(plot_close(&p, "plot $d"), CLDANN_E_IO);
  ck_assert_msg(strstr(e.message, "pictures need gnuplot, which is not here") != NULL, "%s", e.message);
  if (path) setenv("PATH", path, 1);
  free(path);
  FILE *f = fopen(in("pictures/one.gp"), "r"); /* the script is there, with one of the two rows */
  ck_assert_ptr_nonnull(f);
  int found = 0;
  while (fgets(text, sizeof text, f)) {
    found += !strcmp(text, "3 4\n") || !strcmp(text, "set title 'it''s a title' noenhanced\n");
    ck_assert_str_ne(text, "1 2\n");
  }
  fclose(f);
  ck_assert_int_eq(found, 2);
  err_clear(&e);
  write_file(in("file"), "x", 1);
  ck_assert_int_eq(plot_open(&e, in("file"), "one", "t", &p), CLDANN_E_IO);
  ck_assert_int_eq(mem_live(), before);
}
END_TEST

/* ---- t-SNE ---- */

enum { MOST_POINTS = 300, MOST_PAIRS = MOST_POINTS * MOST_POINTS };
static const int sizes[] = {4, 5, 63, 65, MOST_POINTS};
enum { SIZES = sizeof sizes / sizeof *sizes };

static double perplexity_of(int n) {
  return fmin(9.5, tsne_most_perplexity(n));
}

static double entropy(const double *p, int n) {
  double h = 0;
  for (int i = 0; i < n; i++) h -= p[i] > 0 ? p[i] * log(p[i]) : 0;
  return h;
}

/* p of neighbours at these squared distances: the width found by halving its logarithm. */
static void naive_gaussian(const double *d2, int k, double perplexity, double *p) {
  double low = -60, high = 60, least = d2[0];
  for (int i = 0; i < k; i++) least = fmin(least, d2[i]);
  for (int step = 0; step < 100; step++) {
    double sum = 0;
    for (int i = 0; i < k; i++) sum += p[i] = exp(-exp((low + high) / 2) * (d2[i] - least));
    for (int i = 0; i < k; i++) p[i] /= sum;
    *(entropy(p, k) > log(perplexity) ? &low : &high) = (low + high) / 2;
  }
}

START_TEST(entropy_is_hit) {
  enum { MOST = 100 };
  float d2[MOST];
  double p[MOST], sum;
  for (int scale = -8; scale <= 8; scale += 4)
    for (int k = 3; k <= MOST; k = k * 2 + 1)
      for (double perplexity = 1.5; perplexity < k; perplexity *= 1.9) {
        for (int i = 0; i < k; i++) d2[i] = (float)pow(10, scale) * (1 + normal(2, i) * normal(2, i));
        const double beta = tsne_gaussian(d2, k, perplexity, p);
        int nearest = 0;
        sum = 0;
        for (int i = 0; i < k; i++) sum += p[i], nearest = d2[i] < d2[nearest] ? i : nearest;
        ck_assert_double_eq_tol(sum, 1, 1e-12);
        ck_assert_double_eq_tol(exp(entropy(p, k)), perplexity, 1e-6);
        for (int i = 1; i < k; i++)
          ck_assert_double_eq_tol(p[i], p[nearest] * exp(-beta * ((double)d2[i] - (double)d2[nearest])), 1e-9);
      }
  for (int i = 0; i < MOST; i++) d2[i] = i < 40 ? 0 : 1e20f; /* 40 at no distance: no width gives 10 */
  tsne_gaussian(d2, MOST, 10, p);
  for (int i = 0; i < MOST; i++) ck_assert_double_eq_tol(p[i], i < 40 ? 1.0 / 40 : 0, 1e-12);
}
END_TEST

/* Whole numbers, whose distances are exact and often the same, but for the last two rows, which are one. */
static void whole_rows(int n, int width, float *x) {
  for (int i = 0; i < n * width; i++) x[i] = roundf(2 * normal(3, i));
  memcpy(x + (n - 1) * width, x + (n - 2) * width, (size_t)width * sizeof *x);
}

/* Nearest first, of equally near ones the first. */
static const double *distances;
static int nearer(const void *a, const void *b) {
  const int i = *(const int *)a, j = *(const int *)b;
  return distances[i] != distances[j] ? (distances[i] > distances[j]) - (distances[i] < distances[j]) : i - j;
}

/* All of P, (n, n). */
static void naive_pairs(const float *x, int n, int width, int k, double perplexity, double *p) {
  static double d2[MOST_POINTS], of[MOST_POINTS], near[MOST_POINTS];
  int order[MOST_POINTS];
  memset(p, 0, (size_t)n * (size_t)n * sizeof *p);
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j++) {
      d2[j] = i == j ? INFINITY : 0;
      for (int c = 0; c < width; c++) d2[j] += pow((double)x[i * width + c] - (double)x[j * width + c], 2);
      order[j] = j;
    }
    distances = d2;
    qsort(order, (size_t)n, sizeof *order, nearer);
    for (int j = 0; j < k; j++) near[j] = d2[order[j]];
    naive_gaussian(near, k, perplexity, of);
    for (int j = 0; j < k; j++) p[i * n + order[j]] += of[j] / (2 * n), p[order[j] * n + i] += of[j] / (2 * n);
  }
}

START_TEST(pairs_as_by_hand) {
  enum { WIDTH = 7 };
  static float x[MOST_POINTS * WIDTH];
  static double p[MOST_PAIRS];
  for (int s = 0; s < SIZES; s++) {
    const int n = sizes[s];
    tsne_pairs pairs;
    whole_rows(n, WIDTH, x);
    naive_pairs(x, n, WIDTH, n <= 256 ? n - 1 : 29, perplexity_of(n), p);
    ck_assert_msg(tsne_pairs_of(ctx->dev, x, n, WIDTH, perplexity_of(n), &pairs) == 0, "%s", ctx->err.message);
    for (int i = 0; i < n; i++) {
      for (int at = pairs.offsets[i]; at < pairs.offsets[i + 1]; at++) {
        const int j = pairs.columns[at];
        ck_assert(at == pairs.offsets[i] || j > pairs.columns[at - 1]);
        ck_assert_double_eq_tol((double)pairs.p[at], p[i * n + j], 1e-6 * p[i * n + j] + 1e-9);
        p[i * n + j] = 0;
      }
      for (int j = 0; j < n; j++) ck_assert_double_lt(p[i * n + j], 1e-30); /* all are there */
    }
    tsne_pairs_free(&pairs);
  }
}
END_TEST

/* What the descent does, a pair at a time. state: velocities, gains. */
static void naive_step(const tsne_pairs *pairs, double *y, double *state, double exaggeration, double momentum,
                       double *slopes) {
  const int n = pairs->n;
  double z = 0;
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      if (i != j) z += 1 / (1 + pow(y[2 * i] - y[2 * j], 2) + pow(y[2 * i + 1] - y[2 * j + 1], 2));
  for (int i = 0; i < 2 * n; i++) slopes[i] = 0;
  for (int i = 0; i < n; i++) {
    int at = pairs->offsets[i];
    for (int j = 0; j < n; j++) {
      const double q = 1 / (1 + pow(y[2 * i] - y[2 * j], 2) + pow(y[2 * i + 1] - y[2 * j + 1], 2));
      const double p = at < pairs->offsets[i + 1] && pairs->columns[at] == j ? (double)pairs->p[at++] : 0;
      for (int c = 0; c < 2; c++) slopes[2 * i + c] += 4 * (exaggeration * p - q / z) * q * (y[2 * i + c] - y[2 * j + c]);
    }
  }
  for (int i = 0; i < 2 * n; i++) {
    double *velocity = state + i, *gain = state + 2 * n + i;
    *gain = *velocity * slopes[i] < 0 ? *gain + 0.2 : fmax(0.8 * *gain, 0.01);
    *velocity = momentum * *velocity - 50 * *gain * slopes[i];
    y[i] += *velocity;
  }
}

/* The gradient, from the first step, whose gains are 0.8; then momentum and gains. Each coordinate by the greatest. */
START_TEST(steps_as_by_hand) {
  enum { WIDTH = 7, STEPS = 4 };
  static float x[MOST_POINTS * WIDTH], start[2 * MOST_POINTS], y[2 * MOST_POINTS];
  static double want[2 * MOST_POINTS], state[4 * MOST_POINTS], slopes[2 * MOST_POINTS];
  for (int s = 0; s < SIZES; s++) {
    const int n = sizes[s];
    tsne_pairs pairs;
    whole_rows(n, WIDTH, x);
    ck_assert_int_eq(tsne_pairs_of(ctx->dev, x, n, WIDTH, perplexity_of(n), &pairs), 0);
    for (int i = 0; i < 4 * n; i++) state[i] = i >= 2 * n;
    for (int i = 0; i < 2 * n; i++) want[i] = (double)(start[i] = 3 * normal(4, i));
    for (int steps = 1; steps <= STEPS; steps++) {
      double most = 0, moved = 0;
      naive_step(&pairs, want, state, 12, 0.5, slopes);
      memcpy(y, start, sizeof y);
      ck_assert_msg(tsne_descend(ctx->dev, &pairs, steps, y) == 0, "%s", ctx->err.message);
      for (int i = 0; i < 2 * n; i++) most = fmax(most, fabs(slopes[i])), moved = fmax(moved, fabs(want[i] - (double)start[i]));
      for (int i = 0; i < 2 * n; i++) {
        if (steps == 1) ck_assert_double_eq_tol(((double)start[i] - (double)y[i]) / 40, slopes[i], 1e-5 * most);
        ck_assert_double_eq_tol((double)y[i], want[i], 1e-4 * moved);
      }
    }
    tsne_pairs_free(&pairs);
  }
}
END_TEST

/* Exaggeration ends and momentum grows after 250 steps. Points far apart drift slowly, so that small errors stay small. */
START_TEST(the_end_of_exaggeration) {
  enum { N = 4 };
  const float x[2 * N] = {-20000, -20100, 100, -19000, -19500, 200, 20300, 20500};
  double want[2 * N], state[4 * N], slopes[2 * N];
  float y[2 * N];
  tsne_pairs pairs;
  ck_assert_int_eq(tsne_pairs_of(ctx->dev, x, N, 2, 1, &pairs), 0);
  for (int i = 0; i < 4 * N; i++) state[i] = i >= 2 * N;
  for (int i = 0; i < 2 * N; i++) want[i] = (double)(y[i] = x[i]);
  for (int i = 0; i < 255; i++) naive_step(&pairs, want, state, i < 250 ? 12 : 1, i < 250 ? 0.5 : 0.8, slopes);
  ck_assert_int_eq(tsne_descend(ctx->dev, &pairs, 255, y), 0);
  for (int i = 0; i < 2 * N; i++) ck_assert_double_eq_tol((double)y[i], want[i], 0.05);
  tsne_pairs_free(&pairs);
}
END_TEST

enum { CLUSTERS = 3, FEATURES = 10 };

/* Row i is of cluster i % 3, each 12 units from the others in a direction of its own. */
static void clusters(int n, float *x) {
  for (int i = 0; i < n * FEATURES; i++) x[i] = normal(6, i) + (i % FEATURES == i / FEATURES % CLUSTERS ? 12 : 0);
}

/* A point's nearest is of its cluster. */
static int clusters_apart(const double *xy, int n) {
  for (int i = 0; i < n; i++) {
    int best = -1;
    double least = INFINITY;
    for (int j = 0; j < n; j++) {
      const double d = hypot(xy[2 * i] - xy[2 * j], xy[2 * i + 1] - xy[2 * j + 1]);
      if (i != j && d < least) least = d, best = j;
    }
    if (best % CLUSTERS != i % CLUSTERS) return 0;
  }
  return 1;
}

START_TEST(clusters_stay_apart) {
  static float x[MOST_POINTS * FEATURES], start[2 * MOST_POINTS], y[2 * MOST_POINTS];
  static double xy[2 * MOST_POINTS], again[2 * MOST_POINTS];
  double divergence, second;
  for (int n = 63; n <= MOST_POINTS; n += MOST_POINTS - 63) {
    tsne_pairs pairs;
    clusters(n, x);
    ck_assert_msg(tsne(ctx->dev, x, n, FEATURES, 15, xy, &divergence) == 0, "%s", ctx->err.message);
    ck_assert(clusters_apart(xy, n));
    /* From where nothing is known. At the end of the exaggeration it may be more than at the start. */
    ck_assert_int_eq(tsne_pairs_of(ctx->dev, x, n, FEATURES, 15, &pairs), 0);
    for (int i = 0; i < 2 * n; i++) start[i] = y[i] = 1e-4f * normal(7, i);
    const double first = tsne_divergence(&pairs, y);
    ck_assert_int_eq(tsne_descend(ctx->dev, &pairs, 250, y), 0);
    const double early = tsne_divergence(&pairs, y);
    ck_assert_int_eq(tsne_descend(ctx->dev, &pairs, TSNE_STEPS, start), 0);
    const double last = tsne_divergence(&pairs, start);
    ck_assert_double_lt(last, fmin(first, early) / 2);
    ck_assert_double_lt(divergence, fmin(first, early) / 2);
    tsne_pairs_free(&pairs);
    ck_assert_int_eq(tsne(ctx->dev, x, n, FEATURES, 15, again, &second), 0);
    ck_assert_mem_eq(xy, again, 2 * (size_t)n * sizeof *xy);
    ck_assert_double_eq(divergence, second);
  }
}
END_TEST

START_TEST(few_or_equal_rows) {
  float x[5 * 3];
  double xy[10], divergence;
  for (int i = 0; i < 15; i++) x[i] = normal(8, i);
  for (int n = 4; n <= 5; n++)
    for (int width = 1; width <= 3; width++) {
      ck_assert_msg(tsne(ctx->dev, x, n, width, 1, xy, &divergence) == 0, "%s", ctx->err.message);
      for (int i = 0; i < 2 * n; i++) ck_assert(isfinite(xy[i]));
      ck_assert(divergence >= 0);
    }
  for (int i = 0; i < 15; i++) x[i] = 1e30f;
  ck_assert_int_eq(tsne(ctx->dev, x, 5, 3, 1, xy, &divergence), 0);
  for (int i = 0; i < 10; i++) ck_assert_double_eq(xy[i], 0); /* nothing tells them apart */
  ck_assert_double_eq_tol(divergence, 0, 1e-6);
}
END_TEST

static void refused(const float *x, int n, double perplexity, const char *words) {
  double xy[20];
  ck_assert_int_eq(tsne(ctx->dev, x, n, 2, perplexity, xy, NULL), CLDANN_E_ARG);
  ck_assert_msg(strstr(ctx->err.message, words) != NULL, "%s", ctx->err.message);
  err_clear(&ctx->err);
}

START_TEST(what_tsne_refuses) {
  float x[20];
  for (int i = 0; i < 20; i++) x[i] = (float)i;
  refused(x, 3, 1, "t-SNE of 3 points; give four or more");
  refused(x, 10, 3.1, "with perplexity 3.1; give one of 1 to 3");
  refused(x, 10, 0.9, "give one of 1 to 3");
  refused(x, 10, (double)NAN, "give one of 1 to 3");
  x[7] = NAN;
  refused(x, 10, 3, "number 1 of row 3 is not finite");
  x[7] = INFINITY;
  refused(x, 10, 3, "number 1 of row 3 is not finite");
}
END_TEST

START_TEST(tsne_short_of_memory) {
  float x[20];
  double xy[20];
  for (int i = 0; i < 20; i++) x[i] = normal(9, i);
  ck_assert_int_eq(tsne(ctx->dev, x, 10, 2, 3, xy, NULL), 0); /* programs are compiled, and stay */
  for (long k = 0, rc = -1; rc; k++) {
    const long before = mem_live();
    ck_assert_int_lt(k, 300);
    mem_fail_after(k);
    rc = tsne(ctx->dev, x, 10, 2, 3, xy, NULL);
    mem_fail_after(-1);
    if (rc) ck_assert_int_eq(rc, CLDANN_E_MEM);
    ck_assert_int_eq(mem_live(), before);
    err_clear(&ctx->err);
  }
}
END_TEST

/* What stands in a script of a text that is hostile, or damaged. */
START_TEST(texts_of_scripts) {
  char *text = NULL;
  size_t n = 0;
  FILE *f = open_memstream(&text, &n);
  plot_text("it's\n'.system('x').' \xc3\xa9\xff", f);
  fclose(f);
  ck_assert_str_eq(text, "'it''s?''.system(''x'').'' \xc3\xa9?'");
  free(text);
}
END_TEST

int main(void) {
  Suite *s = suite_create("analysis");
  TCase *t = tcase_create("analysis");
  tcase_add_test(t, directions);
  tcase_add_test(t, all_components);
  tcase_add_test(t, degenerate_rows);
  tcase_add_loop_test(t, wide_rows, 0, 5);
  tcase_add_test(t, wide_rows_refused);
  tcase_add_test(t, no_gnuplot);
  tcase_add_test(t, texts_of_scripts);
  suite_add_tcase(s, t);
  t = tcase_create("tsne");
  tcase_add_test(t, entropy_is_hit);
  tcase_add_test(t, pairs_as_by_hand);
  tcase_add_test(t, steps_as_by_hand);
  tcase_add_test(t, the_end_of_exaggeration);
  tcase_add_test(t, clusters_stay_apart);
  tcase_add_test(t, few_or_equal_rows);
  tcase_add_test(t, what_tsne_refuses);
  tcase_add_test(t, tsne_short_of_memory);
  suite_add_tcase(s, t);
  return runner_run(s, &ctx);
}

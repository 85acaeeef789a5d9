/*
 * analysis/tsne.c: see analysis/tsne.h. Rows are brought to 50 principal components, each row's nearest are found, a Gaussian
 * for each makes them probabilities, and 1,000 steps of gradient descent place the points. Attraction is between pairs of
 * neighbours, repulsion exact between all: n^2 pairs a step, all alike, take vectors seconds for ten thousand points, and
 * there is no tree (van der Maaten 2014), whose walks differ from point to point.
 *
 * Constants are the paper's programs', but the learning rate, which is that of Belkina et al. 2019; scikit-learn has the same.
 */
#include "analysis/tsne.h"

#include <float.h>
#include <math.h>

#include "analysis/pca.h"
#include "base/mem.h"
#include "net/replay.h"
#include "ops/choice.h"

enum {
  COMPONENTS = 50,
  EXACT = 256, /* so many points or fewer: all pairs have a probability */
  CHUNK = 512, /* rows whose distances to all are in memory at a time */
  EARLY = 250, /* steps with exaggeration */
  BLOCK = 64,  /* points of a work-item on a CPU, where each comes with few operations */
  SPAN = 16    /* vectors of distances */
};
static const double exaggeration = 12, tiny_spread = 1e-4;

double tsne_most_perplexity(int n) {
  return (n - 1) / 3.0;
}

/* ---- launches ---- */

/* Floats a vector and points a work-item. */
typedef struct grain {
  int v, r;
} grain;

static grain grain_of(const device_info *d) {
  if (!d->is_cpu) return (grain){4, 1};
  return (grain){d->vector_width, d->vector_width == 16 ? 4 : d->vector_width > 1 ? 2 : 1}; /* as many as registers hold */
}

/* Room for n numbers in whole vectors of any width. */
static int stride_of(int n) {
  return (n + 15) / 16 * 16;
}

static launch *add(launches *l, const char *name) {
  const grain g = grain_of(l->dev);
  launch *k = launches_add(l, "tsne", name, l->dev->is_cpu ? "cpu" : "generic");
  launch_def(l, k, "V", g.v);
  launch_def(l, k, "R", g.r);
  return k;
}

/* A work-item each on CPUs, groups of 64 elsewhere; kernels guard the tail. */
static void items(launches *l, launch *k, int gx, int gy) {
  const int group = l->dev->max_work_group < 64 ? 1 : 64;
  if (l->dev->is_cpu)
    launch_grid1(l, k, (size_t)gx, (size_t)gy, 1);
  else
    launch_groups(l, k, (size_t)group, (size_t)ceil_div(gx, group), (size_t)gy);
}

/* ---- neighbours ---- */

/* Rows to columns of `stride` numbers, infinite behind the last row. */
static int turn_rows(cldann_error *e, const float *x, int n, int width, float **out) {
  const int stride = stride_of(n);
  int rc;
  TRY(mem_new(e, out, (size_t)width * (size_t)stride, sizeof **out));
  for (int k = 0; k < width; k++)
    for (int i = 0; i < stride; i++) (*out)[k * stride + i] = i < n ? x[(size_t)i * (size_t)width + (size_t)k] : INFINITY;
fail:
  return rc;
}

/* The k nearest of each row: columns, rising, and squared distances, (n, k). */
static int nearest(device *d, const float *x, int n, int width, int k, int32_t *columns, float *d2) {
  const device_info *info = device_get_info(d);
  const grain g = grain_of(info);
  const int stride = stride_of(n), vectors = stride / g.v, span = info->is_cpu ? SPAN : 1;
  float *turned = NULL;
  launches *l = NULL;
  replay *r = NULL;
  int rc;
  TRY(turn_rows(device_error(d), x, n, width, &turned));
  TRY(launches_new(device_error(d), info, &l));
  launches_at(l, "tsne", "neighbours");
  tensor points = launches_tensor(l, "points", 4, width, 1, 1, stride),
         all = launches_tensor(l, "distances", 4, CHUNK, 1, 1, stride);
  tensor near = launches_tensor(l, "nearest", 4, n, 1, 1, k), who = launches_tensor(l, "who", 4, n, 1, 1, k);
  for (int first = 0; first < n; first += CHUNK) {
    const int rows = n - first < CHUNK ? n - first : CHUNK;
    launch *p = add(l, "tsne_distances");
    launch_in(l, p, points);
    launch_out(l, p, all);
    launch_int(l, p, first);
    launch_int(l, p, rows);
    launch_int(l, p, n);
    launch_int(l, p, stride);
    launch_int(l, p, width);
    launch_int(l, p, span);
    items(l, p, ceil_div(rows, g.r), ceil_div(vectors, span));
    p = add(l, "tsne_nearest");
    launch_in(l, p, all);
    launch_out(l, p, tensor_rows(who, first, rows));
    launch_out(l, p, tensor_rows(near, first, rows));
    launch_int(l, p, rows);
    launch_int(l, p, stride);
    launch_int(l, p, k);
    items(l, p, rows, 1);
  }
  rc = replay_new(d, l, &r);
  l = NULL;
  TRY(rc);
  TRY(replay_write(r, points, turned));
  TRY(replay_run(r));
  TRY(replay_read(r, who, columns));
  TRY(replay_read(r, near, d2));
fail:
  mem_free(turned);
  launches_free(l);
  replay_free(r);
  return rc;
}

/* ---- probabilities ---- */

/* p for that beta, and its entropy in nats. The nearest's term is 1 before the division, so that the sum is never 0. */
static double entropy_at(const float *d2, int k, double nearest, double beta, double *p) {
  double sum = 0, mean = 0;
  for (int i = 0; i < k; i++) {
    const double d = (double)d2[i] - nearest;
    p[i] = exp(-beta * d);
    sum += p[i];
    mean += d * p[i];
  }
  for (int i = 0; i < k; i++) p[i] /= sum;
  return log(sum) + beta * mean / sum;
}

double tsne_gaussian(const float *d2, int k, double perplexity, double *p) {
  enum { MOST_STEPS = 128 };
  const double want = log(perplexity), close = 1e-9;
  double low = 0, high = INFINITY, nearest = INFINITY, mean = 0;
  for (int i = 0; i < k; i++) nearest = fmin(nearest, (double)d2[i]), mean += (double)d2[i] / k;
  double beta = mean > nearest ? 1 / (mean - nearest) : 1;
  for (int i = 1;; i++) {
    const double h = entropy_at(d2, k, nearest, beta, p);
    if (fabs(h - want) < close || i == MOST_STEPS) return beta;
    if (h > want)
      low = beta;
    else
      high = beta;
    beta = isinf(high) ? 2 * beta : (low + high) / 2;
  }
}

/* One row of a table in CSR, columns rising. */
typedef struct row {
  const int32_t *column;
  const double *p;
  int n;
} row;

/* The mean of both rows, times `scale`, behind those that out has. What is 0 as a float, or nearly, is left out. */
static void merge(row a, row b, double scale, tsne_pairs *out, int32_t *at) {
  for (int i = 0, j = 0; i < a.n || j < b.n;) {
    const int32_t left = i < a.n ? a.column[i] : INT32_MAX, right = j < b.n ? b.column[j] : INT32_MAX;
    const int32_t column = left < right ? left : right;
    double p = 0;
    if (left == column) p += a.p[i++];
    if (right == column) p += b.p[j++];
    if (p * scale / 2 < (double)FLT_MIN) continue;
    out->columns[*at] = column;
    out->p[(*at)++] = (float)(p * scale / 2);
  }
}

/* From p of j given i, of k neighbours each, (n, k): half the sum of both ways, over n. */
static int symmetric(cldann_error *e, const int32_t *columns, const double *p, int n, int k, tsne_pairs *out) {
  const size_t all = (size_t)n * (size_t)k;
  int32_t *starts = NULL, *back = NULL, at = 0;
  double *back_p = NULL;
  int rc;
  TRY(mem_new(e, &starts, (size_t)n + 2, sizeof *starts));
  TRY(mem_new(e, &back, all, sizeof *back));
  TRY(mem_new(e, &back_p, all, sizeof *back_p));
  TRY(mem_new(e, &out->offsets, (size_t)n + 1, sizeof *out->offsets));
  TRY(mem_new(e, &out->columns, 2 * all, sizeof *out->columns));
  TRY(mem_new(e, &out->p, 2 * all, sizeof *out->p));
  out->n = n;
  /* The other way round: starts[j + 1] runs from the start of row j to its end while the row is filled. */
  for (size_t i = 0; i < all; i++) starts[columns[i] + 2]++;
  for (int j = 0; j < n; j++) starts[j + 2] += starts[j + 1];
  for (size_t i = 0; i < all; i++) {
    const int32_t to = starts[columns[i] + 1]++;
    back[to] = (int32_t)(i / (size_t)k);
    back_p[to] = p[i];
  }
  for (int i = 0; i < n; i++) {
    const row there = {columns + (size_t)i * (size_t)k, p + (size_t)i * (size_t)k, k};
    merge(there, (row){back + starts[i], back_p + starts[i], starts[i + 1] - starts[i]}, 1.0 / n, out, &at);
    out->offsets[i + 1] = at;
  }
fail:
  mem_free(starts);
  mem_free(back);
  mem_free(back_p);
  return rc;
}

int tsne_pairs_of(device *d, const float *x, int n, int width, double perplexity, tsne_pairs *out) {
  cldann_error *e = device_error(d);
  const int third = (int)ceil(3 * perplexity), k = n <= EXACT || third > n - 1 ? n - 1 : third;
  int32_t *columns = NULL;
  float *d2 = NULL;
  double *p = NULL;
  int rc;
  *out = (tsne_pairs){.n = 0};
  TRY(mem_new(e, &columns, (size_t)n * (size_t)k, sizeof *columns));
  TRY(mem_new(e, &d2, (size_t)n * (size_t)k, sizeof *d2));
  TRY(mem_new(e, &p, (size_t)n * (size_t)k, sizeof *p));
  TRY(nearest(d, x, n, width, k, columns, d2));
  for (int i = 0; i < n; i++) tsne_gaussian(d2 + (size_t)i * (size_t)k, k, perplexity, p + (size_t)i * (size_t)k);
  TRY(symmetric(e, columns, p, n, k, out));
fail:
  mem_free(columns);
  mem_free(d2);
  mem_free(p);
  return rc;
}

void tsne_pairs_free(tsne_pairs *p) {
  mem_free(p->offsets);
  mem_free(p->columns);
  mem_free(p->p);
  *p = (tsne_pairs){.n = 0};
}

double tsne_divergence(const tsne_pairs *p, const float *y) {
  double z = 0, sum = 0;
  for (int i = 0; i < p->n; i++)
    for (int j = 0; j < i; j++) {
      const double dx = (double)y[2 * i] - (double)y[2 * j], dy = (double)y[2 * i + 1] - (double)y[2 * j + 1];
      z += 2 / (1 + dx * dx + dy * dy);
    }
  for (int i = 0; i < p->n; i++)
    for (int32_t at = p->offsets[i]; at < p->offsets[i + 1]; at++) {
      const int j = p->columns[at];
      const double dx = (double)y[2 * i] - (double)y[2 * j], dy = (double)y[2 * i + 1] - (double)y[2 * j + 1];
      sum += (double)p->p[at] * log((double)p->p[at] * z * (1 + dx * dx + dy * dy));
    }
  return sum;
}

/* ---- descent ---- */

/* What stays from step to step, and so has memory of its own: `y` in turns, velocities and gains, the pairs. */
typedef struct descent {
  int n, pairs;
  buffer *y[2], *state, *offsets, *columns, *p;
  replay *r;
} descent;

static void descent_free(descent *s) {
  replay_free(s->r);
  buffer_free(s->y[0]);
  buffer_free(s->y[1]);
  buffer_free(s->state);
  buffer_free(s->offsets);
  buffer_free(s->columns);
  buffer_free(s->p);
}

/* A step from y[from] to the other: two launches. */
static void put_step(launches *l, const descent *s, int from, int early, tensor field) {
  const int n = s->n, stride = stride_of(n), block = l->dev->is_cpu ? BLOCK : 1;
  const tensor y = launches_external(l, "y", s->y[from], 4, 0, 2, 1, 1, stride);
  launch *k = add(l, "tsne_repel");
  launch_in(l, k, y);
  launch_out(l, k, field);
  launch_int(l, k, n);
  launch_int(l, k, stride);
  items(l, k, ceil_div(n, grain_of(l->dev).r), 1);
  k = add(l, "tsne_move");
  launch_in(l, k, y);
  launch_out(l, k, launches_external(l, "next y", s->y[!from], 4, 0, 2, 1, 1, stride));
  launch_in(l, k, field);
  launch_update(l, k, launches_external(l, "state", s->state, 4, 0, 4, 1, 1, stride));
  launch_in(l, k, launches_external(l, "offsets", s->offsets, 4, 0, n + 1, 1, 1, 1));
  launch_in(l, k, launches_external(l, "columns", s->columns, 4, 0, s->pairs, 1, 1, 1));
  launch_in(l, k, launches_external(l, "p", s->p, 4, 0, s->pairs, 1, 1, 1));
  launch_int(l, k, n);
  launch_int(l, k, stride);
  launch_float(l, k, early ? (float)exaggeration : 1);
  launch_float(l, k, early ? 0.5f : 0.8f);
  launch_float(l, k, (float)fmax(n / exaggeration / 4, 50));
  launch_int(l, k, block);
  items(l, k, ceil_div(n, block), 1);
}

static int put_buffer(device *d, const char *what, const void *from, size_t bytes, buffer **out) {
  int rc;
  TRY(buffer_new(d, what, bytes, out));
  TRY(buffer_write(*out, 0, from, bytes));
fail:
  return rc;
}

/* y of `table` (2, stride) and the start of all else. */
static int descent_open(device *d, const tsne_pairs *p, const float *table, descent *s) {
  const int stride = stride_of(p->n);
  const size_t bytes = (size_t)stride * sizeof(float), pairs = (size_t)p->offsets[p->n];
  float *state = NULL;
  launches *l = NULL;
  int rc;
  TRY(mem_new(device_error(d), &state, 4 * (size_t)stride, sizeof *state));
  for (int i = 2 * stride; i < 4 * stride; i++) state[i] = 1;
  TRY(put_buffer(d, "t-SNE's points", table, 2 * bytes, &s->y[0]));
  TRY(put_buffer(d, "t-SNE's points", table, 2 * bytes, &s->y[1]));
  TRY(put_buffer(d, "t-SNE's velocities", state, 4 * bytes, &s->state));
  TRY(put_buffer(d, "t-SNE's pairs", p->offsets, ((size_t)p->n + 1) * sizeof *p->offsets, &s->offsets));
  TRY(put_buffer(d, "t-SNE's pairs", p->columns, pairs * sizeof *p->columns, &s->columns));
  TRY(put_buffer(d, "t-SNE's pairs", p->p, pairs * sizeof *p->p, &s->p));
  TRY(launches_new(device_error(d), device_get_info(d), &l));
  launches_at(l, "tsne", "descent");
  const tensor field = launches_tensor(l, "field", 4, 3, 1, 1, stride);
  for (int i = 0; i < 4; i++) put_step(l, s, i % 2, i < 2, field);
  TRY(replay_new(d, l, &s->r));
fail:
  mem_free(state);
  return rc;
}

int tsne_descend(device *d, const tsne_pairs *p, int steps, float *y) {
  const int stride = stride_of(p->n);
  descent s = {.n = p->n, .pairs = p->offsets[p->n]};
  float *table = NULL;
  int rc;
  TRY(mem_new(device_error(d), &table, 2 * (size_t)stride, sizeof *table));
  for (int i = 0; i < 2 * p->n; i++) table[i % 2 * stride + i / 2] = y[i];
  TRY(descent_open(d, p, table, &s));
  for (int i = 0; i < steps; i++) {
    const int at = 1 + 4 * (i >= EARLY) + 2 * (i % 2); /* launch 0 is scrap */
    TRY(replay_run_range(s.r, at, at + 2));
  }
  TRY(buffer_read(s.y[steps % 2], 0, table, 2 * (size_t)stride * sizeof *table));
  for (int i = 0; i < 2 * p->n; i++) y[i] = table[i % 2 * stride + i / 2];
fail:
  mem_free(table);
  descent_free(&s);
  return rc;
}

/* ---- all of it ---- */

static int check(cldann_error *e, const float *x, int n, int width, double perplexity) {
  int rc = CLDANN_OK;
  if (n < 4) FAIL(e, CLDANN_E_ARG, "t-SNE of %d points; give four or more", n);
  if (!(perplexity >= 1 && perplexity <= tsne_most_perplexity(n)))
    FAIL(e, CLDANN_E_ARG, "t-SNE of %d points with perplexity %g; give one of 1 to %.4g", n, perplexity,
         tsne_most_perplexity(n));
  for (size_t i = 0; i < (size_t)n * (size_t)width; i++)
    if (!isfinite(x[i]))
      FAIL(e, CLDANN_E_ARG, "t-SNE: number %zu of row %zu is not finite; leave that row out", i % (size_t)width,
           i / (size_t)width);
fail:
  return rc;
}

/* The rows' principal components, the first with a standard deviation of 1: t-SNE knows no scale, and floats do. */
static int components(cldann_error *e, const float *x, int n, int width, int m, float *out) {
  double *scores = NULL, share[COMPONENTS], sum = 0;
  int rc;
  TRY(mem_new(e, &scores, (size_t)n * (size_t)m, sizeof *scores));
  TRY(pca(e, x, n, width, m, scores, share));
  for (int i = 0; i < n; i++) sum += scores[(size_t)i * (size_t)m] * scores[(size_t)i * (size_t)m] / n;
  for (size_t i = 0; i < (size_t)n * (size_t)m; i++) out[i] = sum > 0 ? (float)(scores[i] / sqrt(sum)) : 0;
fail:
  mem_free(scores);
  return rc;
}

int tsne(device *d, const float *x, int n, int width, double perplexity, double *xy, double *divergence) {
  cldann_error *e = device_error(d);
  const int m = width < 2 ? 2 : width < COMPONENTS ? width : COMPONENTS;
  tsne_pairs pairs = {.n = 0};
  float *rows = NULL, *y = NULL;
  int rc;
  TRY(check(e, x, n, width, perplexity));
  TRY(mem_new(e, &rows, (size_t)n * (size_t)m, sizeof *rows));
  TRY(mem_new(e, &y, 2 * (size_t)n, sizeof *y));
  TRY(components(e, x, n, width, m, rows));
  for (int i = 0; i < 2 * n; i++) y[i] = (float)tiny_spread * rows[(size_t)(i / 2) * (size_t)m + (size_t)(i % 2)];
  TRY(tsne_pairs_of(d, rows, n, m, perplexity, &pairs));
  TRY(tsne_descend(d, &pairs, TSNE_STEPS, y));
  for (int i = 0; i < 2 * n; i++) xy[i] = (double)y[i];
  if (divergence) *divergence = tsne_divergence(&pairs, y);
fail:
  tsne_pairs_free(&pairs);
  mem_free(rows);
  mem_free(y);
  return rc;
}

/*
 * data/msda.c: see data/msda.h. Layers are done in turn: each writes its part of every item's result, which is the next
 * one's input, so that beside the results only one matrix and a block of rows are held.
 *
 * With X the inputs (a row of ones last, which is never erased), S = X X^T and q the probabilities of being kept (p, the
 * ones' 1): Q_ij = S_ij q_i q_j, Q_ii = S_ii q_i, P_ij = S_ij q_j, and the map is W = P (Q + r I)^-1. Row i of P is row i of
 * Q + r I divided by p, but for its diagonal, S_ii p instead of S_ii + r / p. Hence
 *
 *     W = (I + D (Q + r I)^-1) / p,   D_i = S_ii p (p - 1) - r
 *
 * without the row of the ones: an inverse, in place, and no product with P. It is symmetric, so that sparse items can add up
 * rows of it.
 */
#include "data/msda.h"

#include <cblas.h>
#include <f77blas.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/parallel.h"

/* What is cut up for threads is cut alike on every machine: OpenBLAS's sums depend on the sizes it is given. */
enum {
  BLOCK = 2048, /* rows that are doubles at a time */
  STRIPE = 512, /* rows of a block that one thread does at a time */
  PANELS = 10   /* of S, even */
};
static const double ridge = 1e-5;

/* A set's way from items to results. */
typedef struct job {
  const dataset *from;
  dataset *to;
} job;

typedef struct msda {
  int layers, width, n_jobs;
  double noise;
  job *jobs; /* each set once, whether fitted, wanted or both */
  int *fit;  /* jobs to fit on */
  int n_fit;
  double *matrix; /* (width + 1)^2: S, then Q, then its inverse */
  double *in;     /* (BLOCK, width + 1) */
  double *out;    /* (BLOCK, width) */
  double *scale;  /* (width): D / p */
} msda;

static int check_memory(cldann_error *e, int width) {
  int rc = CLDANN_OK;
#ifdef _SC_PHYS_PAGES
  /* The system may promise more than it has, and end the process later. */
  const double have = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
#else
  const double have = HUGE_VAL;
#endif
  const double need = ((double)width + 1) * ((double)width + 1) * sizeof(double);
  if (have > 0 && need > have)
    FAIL(e, CLDANN_E_MEM,
         "mSDA of %d features takes a matrix of %.0f MiB, and there are %.0f MiB of memory; keep fewer features", width,
         need / (1 << 20), have / (1 << 20));
fail:
  return rc;
}

static int check_set(cldann_error *e, const msda *m, const char *first, const dataset *d) {
  int rc = CLDANN_OK;
  const int width = d->h * d->w * d->c;
  if (d->type == DATA_U8)
    FAIL(e, CLDANN_E_ARG, "%s holds bytes, and mSDA takes numbers; read the set without bytes = true", d->name);
  if (width != m->width)
    FAIL(e, CLDANN_E_SHAPE, "%s has items of %d numbers, %s of %d; mSDA takes sets of one width", d->name, width, first,
         m->width);
  if (width > INT32_MAX / (m->layers + 1))
    FAIL(e, CLDANN_E_ARG, "%s: %d layers of mSDA on %d numbers make items too long; take fewer layers", d->name, m->layers,
         width);
fail:
  return rc;
}

/* The set's job, a new one unless it has one. */
static int job_of(msda *m, const dataset *d) {
  for (int i = 0; i < m->n_jobs; i++)
    if (m->jobs[i].from == d) return i;
  m->jobs[m->n_jobs].from = d;
  return m->n_jobs++;
}

static int new_result(cldann_error *e, const msda *m, job *j) {
  int rc;
  const dataset *d = j->from;
  const size_t width = (size_t)m->width, stride = width * (size_t)(m->layers + 1);
  TRY(dataset_new(e, &j->to, d->name, DATA_F32, d->n, 1, 1, m->width * (m->layers + 1), 0));
  float *to = j->to->x;
  const float *x = d->x;
  for (int i = 0; i < d->n; i++, to += stride)
    if (dataset_is_sparse(d))
      for (int k = d->offsets[i]; k < d->offsets[i + 1]; k++) to[d->columns[k]] = x[k];
    else
      memcpy(to, x + (size_t)i * width, width * sizeof *to);
fail:
  return rc;
}

static int prepare(cldann_error *e, msda *m, dataset *const *fit, int n_fit, dataset *const *sets, int n) {
  int rc;
  const size_t width = (size_t)m->width;
  for (int i = 0; i < n_fit + n; i++) TRY(check_set(e, m, fit[0]->name, i < n_fit ? fit[i] : sets[i - n_fit]));
  TRY(check_memory(e, m->width));
  TRY(mem_new(e, &m->matrix, (width + 1) * (width + 1), sizeof *m->matrix));
  TRY(mem_new(e, &m->in, BLOCK * (width + 1), sizeof *m->in));
  TRY(mem_new(e, &m->out, BLOCK * width, sizeof *m->out));
  TRY(mem_new(e, &m->scale, width, sizeof *m->scale));
  TRY(mem_new(e, &m->jobs, (size_t)n_fit + (size_t)n, sizeof *m->jobs));
  TRY(mem_new(e, &m->fit, (size_t)n_fit, sizeof *m->fit));
  m->n_fit = n_fit;
  for (int i = 0; i < n_fit; i++) m->fit[i] = job_of(m, fit[i]);
  for (int i = 0; i < n; i++) job_of(m, sets[i]);
  for (int i = 0; i < m->n_jobs; i++) TRY(new_result(e, m, &m->jobs[i]));
fail:
  return rc;
}

/* What a layer reads of an item; what it writes is width numbers further. */
static float *layer_input(const msda *m, const job *j, int layer, int row) {
  return (float *)j->to->x + ((size_t)row * (size_t)(m->layers + 1) + (size_t)layer) * (size_t)m->width;
}

/* Up to BLOCK rows of a set, to be done on several threads. */
typedef struct block {
  const msda *m;
  const job *j;
  int layer, first, rows;
} block;

static block block_at(const msda *m, const job *j, int layer, int first) {
  return (block){m, j, layer, first, j->to->n - first < BLOCK ? j->to->n - first : BLOCK};
}

/* The rows [first, last) of a block into m->in, a one behind each. */
static void load_rows(const block *b, int first, int last) {
  const msda *m = b->m;
  for (int i = first; i < last; i++) {
    const float *x = layer_input(m, b->j, b->layer, b->first + i);
    double *in = m->in + (size_t)i * ((size_t)m->width + 1);
    for (int k = 0; k < m->width; k++) in[k] = (double)x[k];
    in[m->width] = 1;
  }
}

/* Adds a sparse set's entries to S. Columns rise, so all lands in the upper triangle. */
static void add_entries(const msda *m, const dataset *d) {
  const size_t side = (size_t)m->width + 1;
  const float *x = d->x;
  for (int i = 0; i < d->n; i++)
    for (int k = d->offsets[i]; k < d->offsets[i + 1]; k++) {
      double *row = m->matrix + (size_t)d->columns[k] * side;
      for (int l = k; l < d->offsets[i + 1]; l++) row[d->columns[l]] += (double)x[k] * (double)x[l];
      row[side - 1] += (double)x[k];
    }
  m->matrix[side * side - 1] += d->n;
}

/* Adds the block in m->in to the rows of S that are panel number k, from the diagonal on. */
static void add_panel(const block *b, int k) {
  const int side = b->m->width + 1;
  const int first = (int)((int64_t)side * k / PANELS), rows = (int)((int64_t)side * (k + 1) / PANELS) - first;
  if (rows == 0) return;
  cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, rows, side - first, b->rows, 1, b->m->in + first, side, b->m->in + first,
              side, 1, b->m->matrix + (size_t)first * ((size_t)side + 1), side);
}

/* A long panel and a short one are as much work as any other two. */
static int add_panels(cldann_error *e, void *arg, int64_t first, int64_t last) {
  (void)e;
  for (int k = (int)first; k < (int)last; k++) add_panel(arg, k), add_panel(arg, PANELS - 1 - k);
  return CLDANN_OK;
}

/* S, the upper triangle by rows; below it is anything. */
static int scatter(cldann_error *e, const msda *m, int layer) {
  int rc = CLDANN_OK;
  const size_t side = (size_t)m->width + 1;
  memset(m->matrix, 0, side * side * sizeof *m->matrix);
  for (int f = 0; f < m->n_fit; f++) {
    const job *j = &m->jobs[m->fit[f]];
    if (layer == 0 && dataset_is_sparse(j->from)) {
      add_entries(m, j->from);
      continue;
    }
    for (int first = 0; first < j->from->n; first += BLOCK) {
      block b = block_at(m, j, layer, first);
      load_rows(&b, 0, b.rows);
      TRY(parallel_for(e, PANELS / 2, 0, add_panels, &b));
    }
  }
fail:
  return rc;
}

/* From S to the inverse, all of it, and what it is scaled by. */
static int solve(cldann_error *e, const msda *m, int layer) {
  int rc = CLDANN_OK;
  const int width = m->width;
  const size_t side = (size_t)width + 1;
  const double p = 1 - m->noise;
  double *a = m->matrix;
  blasint order = width + 1, info = 0;
  char lower[] = "L"; /* by columns, as LAPACK has it: our upper one */
  for (int i = 0; i < width; i++) {
    double *row = a + (size_t)i * side;
    m->scale[i] = (row[i] * p * (p - 1) - ridge) / p;
    for (int k = i + 1; k < width; k++) row[k] *= p * p;
    row[width] *= p;
    row[i] = row[i] * p + ridge;
  }
  a[side * side - 1] += ridge;
  dpotrf_(lower, &order, a, &order, &info);
  if (info == 0) dpotri_(lower, &order, a, &order, &info);
  if (info != 0)
    FAIL(e, CLDANN_E_ARG, "mSDA: layer %d has no solution, the numbers of feature %d are too large; scale them to about 1",
         layer + 1, (int)info - 1);
  for (size_t i = 0; i < side; i++)
    for (size_t k = i + 1; k < side; k++) a[k * side + i] = a[i * side + k];
fail:
  return rc;
}

/* m->out = m->in times the inverse, from the entries alone. */
static void multiply_entries(const block *b, int first, int last) {
  const dataset *d = b->j->from;
  const int width = b->m->width;
  const size_t side = (size_t)width + 1;
  const float *x = d->x;
  for (int i = first; i < last; i++) {
    double *out = b->m->out + (size_t)i * (size_t)width;
    memcpy(out, b->m->matrix + (side - 1) * side, (size_t)width * sizeof *out);
    for (int k = d->offsets[b->first + i]; k < d->offsets[b->first + i + 1]; k++) {
      const double *row = b->m->matrix + (size_t)d->columns[k] * side, v = (double)x[k];
      for (int l = 0; l < width; l++) out[l] += v * row[l];
    }
  }
}

static void finish_rows(const block *b, int first, int last) {
  const int width = b->m->width;
  const double *scale = b->m->scale, inverse_p = 1 / (1 - b->m->noise);
  for (int i = first; i < last; i++) {
    const double *out = b->m->out + (size_t)i * (size_t)width;
    const float *x = layer_input(b->m, b->j, b->layer, b->first + i);
    float *y = layer_input(b->m, b->j, b->layer + 1, b->first + i);
    for (int k = 0; k < width; k++) y[k] = (float)tanh(inverse_p * (double)x[k] + scale[k] * out[k]);
  }
}

static int transform_stripes(cldann_error *e, void *arg, int64_t from, int64_t to) {
  const block *b = arg;
  const int width = b->m->width, side = width + 1;
  (void)e;
  for (int s = (int)from; s < (int)to; s++) {
    const int first = s * STRIPE, last = b->rows - first < STRIPE ? b->rows : first + STRIPE;
    if (b->layer == 0 && dataset_is_sparse(b->j->from)) {
      multiply_entries(b, first, last);
    } else {
      load_rows(b, first, last);
      cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, last - first, width, side, 1,
                  b->m->in + (size_t)first * (size_t)side, side, b->m->matrix, side, 0,
                  b->m->out + (size_t)first * (size_t)width, width);
    }
    finish_rows(b, first, last);
  }
  return CLDANN_OK;
}

/* The layer's outputs of all sets. */
static int transform(cldann_error *e, const msda *m, int layer) {
  int rc = CLDANN_OK;
  for (int i = 0; i < m->n_jobs; i++)
    for (int first = 0; first < m->jobs[i].to->n; first += BLOCK) {
      block b = block_at(m, &m->jobs[i], layer, first);
      TRY(parallel_for(e, (b.rows + STRIPE - 1) / STRIPE, 0, transform_stripes, &b));
    }
fail:
  return rc;
}

/* The set takes its result's items; the result is left with nothing. */
static void take(dataset *d, dataset *result) {
  mem_free(d->x), mem_free(d->offsets), mem_free(d->columns);
  d->x = result->x, d->offsets = NULL, d->columns = NULL;
  d->h = d->w = 1, d->c = result->c;
  result->x = NULL;
}

int msda_apply(cldann_error *e, int layers, double noise, dataset *const *fit, int n_fit, dataset **sets, int n) {
  int rc = CLDANN_OK;
  msda m = {.layers = layers, .noise = noise};
  const int threads = openblas_get_num_threads();
  openblas_set_num_threads(1); /* ours do better: its own wait by spinning, and are part of what decides the bits */
  if (layers < 1 || layers == INT32_MAX) FAIL(e, CLDANN_E_ARG, "mSDA of %d layers; it takes at least 1", layers);
  if (!(noise >= 0 && noise < 1)) FAIL(e, CLDANN_E_ARG, "mSDA with noise %g; it must be from 0 to below 1", noise);
  if (n_fit < 1) FAIL(e, CLDANN_E_ARG, "mSDA has no set to fit on; give it at least one");
  m.width = fit[0]->h * fit[0]->w * fit[0]->c;
  TRY(prepare(e, &m, fit, n_fit, sets, n));
  for (int layer = 0; layer < layers; layer++) {
    TRY(scatter(e, &m, layer));
    TRY(solve(e, &m, layer));
    TRY(transform(e, &m, layer));
  }
  for (int i = 0; i < n; i++) {
    dataset *result = m.jobs[job_of(&m, sets[i])].to;
    if (result->x) take(sets[i], result); /* a set may be named twice */
  }
fail:
  openblas_set_num_threads(threads);
  for (int i = 0; i < m.n_jobs; i++) dataset_free(m.jobs[i].to);
  mem_free(m.jobs), mem_free(m.fit), mem_free(m.matrix), mem_free(m.in), mem_free(m.out), mem_free(m.scale);
  return rc;
}

/*
 * analysis/pca.c: see analysis/pca.h. By the products of the rows or those of the columns, whichever are fewer: both have the
 * same eigenvalues, the variances along the components. Where few are in all, the products are made and LAPACK has their
 * eigenvectors. Where many, they never are: a random block is multiplied by them again and again, and what comes of it, the
 * block Krylov space (Halko, Martinsson and Tropp 2011; Musco and Musco 2015), has the leading eigenvectors in it after a few
 * rounds. It grows until they are exact enough. Of data without leading directions they would not soon be; that is seen while
 * it grows, and the products are made after all.
 */
#include "analysis/pca.h"

#include <cblas.h>
#include <f77blas.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

enum {
  FEW = 1000, /* rows or columns, whichever are fewer */
  BLOCK = 32, /* vectors that are multiplied at a time */
  SHARE = 4   /* one in so many dimensions is the most that the Krylov space takes: beyond, all products cost less */
};
/* Length of what an eigenvector lacks, A v - value v: to its own value, and to the greatest, where doubles end. */
static const double close_enough = 1e-7, rounding = 1e-12;

/* Rows less their mean, (n, width), and the side of the products: n of them, or width. */
typedef struct table {
  double *c;
  int n, width, side;
} table;

/* LAPACK's, in OpenBLAS; its header has the BLAS alone. */
extern void dsyevr_(char *, char *, char *, blasint *, double *, blasint *, double *, double *, blasint *, blasint *, double *,
                    blasint *, double *, double *, blasint *, blasint *, double *, blasint *, blasint *, blasint *, blasint *);
extern void dgeqrf_(blasint *, blasint *, double *, blasint *, double *, double *, blasint *, blasint *);
extern void dorgqr_(blasint *, blasint *, blasint *, double *, blasint *, double *, double *, blasint *, blasint *);

/* ---- all products ---- */

/* The greatest m eigenvalues of g (n, n), falling, and their vectors (m, n). Of g, used up, the lower triangle is read. */
static int greatest(cldann_error *e, double *g, int n, int m, double *values, double *vectors) {
  blasint size = n, low = n - m + 1, high = n, found = 0, info = 0, n_work = 26 * n, n_iwork = 10 * n;
  blasint *iwork = NULL, *support = NULL;
  double *work = NULL, none = 0, *all = NULL, *rising = NULL;
  char job = 'V', range = 'I', triangle = 'U'; /* to LAPACK's eyes, whose matrices lie by columns */
  int rc;
  TRY(mem_new(e, &work, (size_t)n_work, sizeof *work));
  TRY(mem_new(e, &iwork, (size_t)n_iwork, sizeof *iwork));
  TRY(mem_new(e, &support, 2 * (size_t)n, sizeof *support));
  TRY(mem_new(e, &all, (size_t)n, sizeof *all));
  TRY(mem_new(e, &rising, (size_t)m * (size_t)n, sizeof *rising));
  dsyevr_(&job, &range, &triangle, &size, g, &size, &none, &none, &low, &high, &none, &found, all, rising, &size, support, work,
          &n_work, iwork, &n_iwork, &info);
  if (info != 0 || found != m)
    FAIL(e, CLDANN_E_CHECK, "the principal components could not be found (LAPACK's dsyevr: %d); are the numbers finite?",
         (int)info);
  for (int i = 0; i < m; i++) {
    values[i] = all[m - 1 - i];
    memcpy(vectors + (size_t)i * (size_t)n, rising + (size_t)(m - 1 - i) * (size_t)n, (size_t)n * sizeof *vectors);
  }
fail:
  mem_free(work);
  mem_free(iwork);
  mem_free(support);
  mem_free(all);
  mem_free(rising);
  return rc;
}

static int by_products(cldann_error *e, const table *t, int m, double *values, double *vectors) {
  double *g = NULL;
  int rc;
  TRY(mem_new(e, &g, (size_t)t->side * (size_t)t->side, sizeof *g));
  cblas_dsyrk(CblasRowMajor, CblasLower, t->side == t->n ? CblasNoTrans : CblasTrans, t->side,
              t->side == t->n ? t->width : t->n, 1, t->c, t->width, 0, g, t->side);
  TRY(greatest(e, g, t->side, m, values, vectors));
fail:
  mem_free(g);
  return rc;
}

/* ---- the Krylov space ---- */

/* Its vectors lie one after the other: to BLAS and LAPACK the columns of a matrix, (side, vectors). */
typedef struct krylov {
  int side, most, n; /* room for vectors; how many there are */
  double *q;         /* (most + BLOCK, side), orthonormal; behind the n-th the block that comes next */
  double *t;         /* (most, most): of the products A, q A q'; the lower triangle, of n columns */
  double *between;   /* (BLOCK, the other side), or room for whatever */
  double *r, *part;  /* (BLOCK, BLOCK): what the next block had of its length; (BLOCK, most) */
  double *tau;
} krylov;

static int krylov_open(cldann_error *e, const table *x, krylov *k) {
  const size_t side = (size_t)x->side, most = side / SHARE, other = (size_t)(x->side == x->n ? x->width : x->n);
  int rc;
  *k = (krylov){.side = x->side, .most = (int)most};
  TRY(mem_new(e, &k->q, (most + BLOCK) * side, sizeof *k->q));
  TRY(mem_new(e, &k->t, most * most, sizeof *k->t));
  TRY(mem_new(e, &k->between, BLOCK * other, sizeof *k->between));
  TRY(mem_new(e, &k->r, BLOCK * BLOCK, sizeof *k->r));
  TRY(mem_new(e, &k->part, BLOCK * most, sizeof *k->part));
  TRY(mem_new(e, &k->tau, BLOCK, sizeof *k->tau));
  for (size_t i = 0; i < BLOCK * side; i++) {
    const rng u = rng_words(0, RNG_COMPONENTS, (uint32_t)(i / side), i % side);
    k->q[i] = (double)rng_normal(u.v[0], u.v[1]);
  }
fail:
  return rc;
}

static void krylov_free(krylov *k) {
  mem_free(k->q);
  mem_free(k->t);
  mem_free(k->between);
  mem_free(k->r);
  mem_free(k->part);
  mem_free(k->tau);
}

static double *next_of(const krylov *k) {
  return k->q + (size_t)k->n * (size_t)k->side;
}

/* The next block, less what lies in the space; to q is its part there, (BLOCK, n). */
static void leave_space(krylov *k) {
  if (!k->n) return;
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, BLOCK, k->n, k->side, 1, next_of(k), k->side, k->q, k->side, 0, k->part,
              k->n);
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, BLOCK, k->side, k->n, -1, k->part, k->n, k->q, k->side, 1, next_of(k),
              k->side);
}

/* The next block is made orthonormal, and r to what it was by that: r, to LAPACK's eyes upper, times what r was. */
static int straighten(cldann_error *e, krylov *k) {
  double *q = next_of(k), work[BLOCK * BLOCK], upper[BLOCK * BLOCK] = {0};
  blasint side = k->side, block = BLOCK, n_work = BLOCK * BLOCK, info = 0, bad = 0;
  int rc = CLDANN_OK;
  dgeqrf_(&side, &block, q, &side, k->tau, work, &n_work, &info);
  for (int j = 0; j < BLOCK; j++)
    for (int i = 0; i <= j; i++) upper[j * BLOCK + i] = q[(size_t)j * (size_t)k->side + (size_t)i];
  dorgqr_(&side, &block, &block, q, &side, k->tau, work, &n_work, &bad);
  if (info != 0 || bad != 0) FAIL(e, CLDANN_E_CHECK, "LAPACK's dgeqrf: %d, dorgqr: %d", (int)info, (int)bad);
  cblas_dtrmm(CblasColMajor, CblasLeft, CblasUpper, CblasNoTrans, CblasNonUnit, BLOCK, BLOCK, 1, upper, BLOCK, k->r, BLOCK);
fail:
  return rc;
}

/* Twice: what was nearly in the space is rounding errors, made long, and those may lie in it. */
static int make_new(cldann_error *e, krylov *k) {
  int rc;
  for (int i = 0; i < BLOCK; i++)
    for (int j = 0; j < BLOCK; j++) k->r[i * BLOCK + j] = i == j;
  for (int i = 0; i < 2; i++) {
    leave_space(k);
    TRY(straighten(e, k));
  }
fail:
  return rc;
}

/* The next block joins the space, and behind it comes the products' times it. */
static void multiply(krylov *k, const table *x) {
  const double *q = next_of(k);
  const int by_rows = x->side == x->n, other = by_rows ? x->width : x->n;
  k->n += BLOCK;
  cblas_dgemm(CblasRowMajor, CblasNoTrans, by_rows ? CblasNoTrans : CblasTrans, BLOCK, other, k->side, 1, q, k->side, x->c,
              x->width, 0, k->between, other);
  cblas_dgemm(CblasRowMajor, CblasNoTrans, by_rows ? CblasTrans : CblasNoTrans, BLOCK, k->side, other, 1, k->between, other,
              x->c, x->width, 0, next_of(k), k->side);
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, BLOCK, k->n, k->side, 1, next_of(k), k->side, k->q, k->side, 0,
              k->t + (size_t)(k->n - BLOCK) * (size_t)k->most, k->most);
}

/*
 * The m greatest of what the space has: values, and vectors in terms of q, (m, n). What those lack is r times their last
 * numbers. Are all close?
 */
static int look(cldann_error *e, const krylov *k, int m, double *values, double *s, int *close) {
  double *t = NULL;
  int rc;
  TRY(mem_new(e, &t, (size_t)k->n * (size_t)k->n, sizeof *t));
  for (int i = 0; i < k->n; i++)
    memcpy(t + (size_t)i * (size_t)k->n, k->t + (size_t)i * (size_t)k->most, (size_t)k->n * sizeof *t);
  TRY(greatest(e, t, k->n, m, values, s));
  *close = 1;
  for (int i = 0; i < m; i++) {
    double lack[BLOCK];
    memcpy(lack, s + (size_t)(i + 1) * (size_t)k->n - BLOCK, sizeof lack);
    cblas_dtrmv(CblasColMajor, CblasUpper, CblasNoTrans, CblasNonUnit, BLOCK, k->r, BLOCK, lack, 1);
    *close = *close && cblas_dnrm2(BLOCK, lack, 1) <= close_enough * fabs(values[i]) + rounding * values[0];
  }
fail:
  mem_free(t);
  return rc;
}

/* *found: 0 where the space would have to be larger than pays. */
static int by_krylov(cldann_error *e, const table *x, int m, double *values, double *vectors, int *found) {
  double *s = NULL;
  krylov k;
  int rc;
  *found = 0;
  TRY(krylov_open(e, x, &k));
  TRY(mem_new(e, &s, (size_t)m * (size_t)k.most, sizeof *s));
  TRY(make_new(e, &k));
  while (!*found && k.n + BLOCK <= k.most) {
    multiply(&k, x);
    TRY(make_new(e, &k));
    if (k.n >= m) TRY(look(e, &k, m, values, s, found));
  }
  if (*found)
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, k.side, k.n, 1, s, k.n, k.q, k.side, 0, vectors, k.side);
fail:
  mem_free(s);
  krylov_free(&k);
  return rc;
}

/* ---- components ---- */

/* c = x less the mean of its rows. Returns the sum of all squares. */
static int centre(cldann_error *e, const float *x, const table *t, double *total) {
  const size_t width = (size_t)t->width;
  double *mean = NULL;
  int rc;
  TRY(mem_new(e, &mean, width, sizeof *mean));
  for (int i = 0; i < t->n; i++)
    for (size_t k = 0; k < width; k++) mean[k] += (double)x[(size_t)i * width + k];
  for (size_t k = 0; k < width; k++) mean[k] /= t->n;
  *total = 0;
  for (int i = 0; i < t->n; i++) {
    double *row = t->c + (size_t)i * width;
    for (size_t k = 0; k < width; k++) row[k] = (double)x[(size_t)i * width + k] - mean[k];
    *total += cblas_ddot(t->width, row, 1, row, 1);
  }
fail:
  mem_free(mean);
  return rc;
}

/* One column of scores, (n, stride), to the sign that pca.h says. */
static void turn(double *scores, int n, int stride) {
  double most = 0;
  for (int i = 0; i < n; i++)
    if (fabs(scores[(size_t)i * (size_t)stride]) > fabs(most)) most = scores[(size_t)i * (size_t)stride];
  for (int i = 0; most < 0 && i < n; i++) scores[(size_t)i * (size_t)stride] *= -1;
}

int pca(cldann_error *e, const float *x, int n, int width, int components, double *scores, double *share) {
  table t = {.n = n, .width = width, .side = n < width ? n : width};
  const int m = components < t.side ? components : t.side;
  double *vectors = NULL, *values = NULL, total;
  int rc, found = 0;
  if (n < 2) FAIL(e, CLDANN_E_ARG, "principal components of %d rows; give two or more", n);
  TRY(mem_new(e, &t.c, (size_t)n * (size_t)width, sizeof *t.c));
  TRY(mem_new(e, &vectors, (size_t)m * (size_t)t.side, sizeof *vectors));
  TRY(mem_new(e, &values, (size_t)m, sizeof *values));
  TRY(centre(e, x, &t, &total));
  if (t.side > FEW && m <= t.side / SHARE / 2) TRY(by_krylov(e, &t, m, values, vectors, &found));
  if (!found) TRY(by_products(e, &t, m, values, vectors));
  memset(scores, 0, (size_t)n * (size_t)components * sizeof *scores);
  if (t.side == width)
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, m, width, 1, t.c, width, vectors, width, 0, scores, components);
  for (int k = 0; k < components; k++) {
    const double value = k < m && values[k] > 0 ? values[k] : 0;
    for (int i = 0; i < n && k < m && t.side != width; i++)
      scores[(size_t)i * (size_t)components + (size_t)k] = vectors[(size_t)k * (size_t)n + (size_t)i] * sqrt(value);
    turn(scores + k, n, components);
    share[k] = total > 0 ? value / total : 0;
  }
fail:
  mem_free(t.c);
  mem_free(vectors);
  mem_free(values);
  return rc;
}

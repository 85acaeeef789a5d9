/*
 * analysis/pca.c: see analysis/pca.h. By the products of the rows or those of the columns, whichever are fewer: both have the
 * same eigenvalues, the variances along the components.
 */
#include "analysis/pca.h"

#include <cblas.h>
#include <f77blas.h>
#include <math.h>

#include "base/mem.h"

/* LAPACK's, in OpenBLAS; its header has the BLAS alone. */
extern void dsyevr_(char *, char *, char *, blasint *, double *, blasint *, double *, double *, blasint *, blasint *, double *,
                    blasint *, double *, double *, blasint *, blasint *, double *, blasint *, blasint *, blasint *, blasint *);

/* The greatest m eigenvalues of g (n, n), rising, and their vectors (m, n). g is used up. */
static int greatest(cldann_error *e, double *g, int n, int m, double *values, double *vectors) {
  blasint size = n, low = n - m + 1, high = n, found = 0, info = 0, n_work = 26 * n, n_iwork = 10 * n;
  blasint *iwork = NULL, *support = NULL;
  double *work = NULL, none = 0, *all = NULL;
  char job = 'V', range = 'I', triangle = 'U';
  int rc;
  TRY(mem_new(e, &work, (size_t)n_work, sizeof *work));
  TRY(mem_new(e, &iwork, (size_t)n_iwork, sizeof *iwork));
  TRY(mem_new(e, &support, 2 * (size_t)n, sizeof *support));
  TRY(mem_new(e, &all, (size_t)n, sizeof *all));
  dsyevr_(&job, &range, &triangle, &size, g, &size, &none, &none, &low, &high, &none, &found, all, vectors, &size, support,
          work, &n_work, iwork, &n_iwork, &info);
  if (info != 0 || found != m)
    FAIL(e, CLDANN_E_CHECK, "the principal components could not be found (LAPACK's dsyevr: %d); are the numbers finite?",
         (int)info);
  for (int i = 0; i < m; i++) values[i] = all[i];
fail:
  mem_free(work);
  mem_free(iwork);
  mem_free(support);
  mem_free(all);
  return rc;
}

/* c = x less the mean of its rows. Returns the sum of all squares. */
static double centre(const float *x, int n, int width, double *c) {
  double total = 0;
  for (int k = 0; k < width; k++) {
    double mean = 0;
    for (int i = 0; i < n; i++) mean += (double)x[(size_t)i * (size_t)width + (size_t)k] / n;
    for (int i = 0; i < n; i++) {
      const size_t at = (size_t)i * (size_t)width + (size_t)k;
      c[at] = (double)x[at] - mean;
      total += c[at] * c[at];
    }
  }
  return total;
}

/* One column of scores, (n, stride), to the sign that pca.h says. */
static void turn(double *scores, int n, int stride) {
  double most = 0;
  for (int i = 0; i < n; i++)
    if (fabs(scores[(size_t)i * (size_t)stride]) > fabs(most)) most = scores[(size_t)i * (size_t)stride];
  for (int i = 0; most < 0 && i < n; i++) scores[(size_t)i * (size_t)stride] *= -1;
}

int pca(cldann_error *e, const float *x, int n, int width, int components, double *scores, double *share) {
  const int by_rows = n < width, side = by_rows ? n : width, m = components < side ? components : side;
  double *c = NULL, *g = NULL, *vectors = NULL, *values = NULL;
  int rc;
  if (n < 2) FAIL(e, CLDANN_E_ARG, "principal components of %d rows; give two or more", n);
  TRY(mem_new(e, &c, (size_t)n * (size_t)width, sizeof *c));
  TRY(mem_new(e, &g, (size_t)side * (size_t)side, sizeof *g));
  TRY(mem_new(e, &vectors, (size_t)m * (size_t)side, sizeof *vectors));
  TRY(mem_new(e, &values, (size_t)m, sizeof *values));
  const double total = centre(x, n, width, c);
  /* The lower triangle is the upper one to LAPACK's eyes. */
  cblas_dsyrk(CblasRowMajor, CblasLower, by_rows ? CblasNoTrans : CblasTrans, side, by_rows ? width : n, 1, c, width, 0, g,
              side);
  TRY(greatest(e, g, side, m, values, vectors));
  for (int k = 0; k < components; k++) {
    const double value = k < m && values[m - 1 - k] > 0 ? values[m - 1 - k] : 0;
    const double *v = k < m ? vectors + (size_t)(m - 1 - k) * (size_t)side : NULL;
    if (v && !by_rows)
      cblas_dgemv(CblasRowMajor, CblasNoTrans, n, width, 1, c, width, v, 1, 0, scores + k, components);
    else
      for (int i = 0; i < n; i++) scores[(size_t)i * (size_t)components + (size_t)k] = v ? v[i] * sqrt(value) : 0;
    turn(scores + k, n, components);
    share[k] = total > 0 ? value / total : 0;
  }
fail:
  mem_free(c);
  mem_free(g);
  mem_free(vectors);
  mem_free(values);
  return rc;
}

/* analysis/pca.c: see analysis/pca.h. By the n x n products of the rows, whose size does not depend on their width. */
#include "analysis/pca.h"

#include <cblas.h>
#include <f77blas.h>
#include <math.h>

#include "base/mem.h"

/* LAPACK's, in OpenBLAS; its header has the BLAS alone. */
extern void dsyevr_(char *, char *, char *, blasint *, double *, blasint *, double *, double *, blasint *, blasint *, double *,
                    blasint *, double *, double *, blasint *, blasint *, double *, blasint *, blasint *, blasint *, blasint *);

/* The greatest two eigenvalues, the greater last, and their vectors. g is used up. */
static int greatest_two(cldann_error *e, double *g, int n, double *values, double *vectors) {
  blasint size = n, low = n > 1 ? n - 1 : 1, high = n, found = 0, info = 0, n_work = 26 * n, n_iwork = 10 * n;
  blasint *iwork = NULL, support[4];
  double *work = NULL, none = 0, *all = NULL;
  char job = 'V', range = 'I', triangle = 'U';
  int rc;
  TRY(mem_new(e, &work, (size_t)n_work, sizeof *work));
  TRY(mem_new(e, &iwork, (size_t)n_iwork, sizeof *iwork));
  TRY(mem_new(e, &all, (size_t)n, sizeof *all));
  dsyevr_(&job, &range, &triangle, &size, g, &size, &none, &none, &low, &high, &none, &found, all, vectors, &size, support,
          work, &n_work, iwork, &n_iwork, &info);
  if (info != 0 || found != high - low + 1)
    FAIL(e, CLDANN_E_CHECK, "the principal components could not be found (LAPACK's dsyevr: %d); are the numbers finite?",
         (int)info);
  for (int i = 0; i < found; i++) values[i] = all[i];
fail:
  mem_free(work);
  mem_free(iwork);
  mem_free(all);
  return rc;
}

int pca_two(cldann_error *e, const float *x, int n, int width, double *scores, double share[2]) {
  double *c = NULL, *g = NULL, *vectors = NULL, values[2] = {0, 0}, total = 0;
  int rc;
  if (n < 2) FAIL(e, CLDANN_E_ARG, "principal components of %d rows; give two or more", n);
  TRY(mem_new(e, &c, (size_t)n * (size_t)width, sizeof *c));
  TRY(mem_new(e, &g, (size_t)n * (size_t)n, sizeof *g));
  TRY(mem_new(e, &vectors, 2 * (size_t)n, sizeof *vectors));
  for (int k = 0; k < width; k++) {
    double mean = 0;
    for (int i = 0; i < n; i++) mean += (double)x[(size_t)i * (size_t)width + (size_t)k] / n;
    for (int i = 0; i < n; i++) {
      const size_t at = (size_t)i * (size_t)width + (size_t)k;
      c[at] = (double)x[at] - mean;
      total += c[at] * c[at];
    }
  }
  cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, n, width, 1, c, width, 0, g, n); /* the upper one to LAPACK's eyes */
  TRY(greatest_two(e, g, n, values, vectors));
  for (int k = 0; k < 2; k++) {
    const double value = values[1 - k] > 0 ? values[1 - k] : 0, *v = vectors + (size_t)(1 - k) * (size_t)n;
    double most = 0;
    for (int i = 0; i < n; i++)
      if (fabs(v[i]) > fabs(most)) most = v[i];
    for (int i = 0; i < n; i++) scores[2 * i + k] = (most < 0 ? -v[i] : v[i]) * sqrt(value);
    share[k] = total > 0 ? value / total : 0;
  }
fail:
  mem_free(c);
  mem_free(g);
  mem_free(vectors);
  return rc;
}

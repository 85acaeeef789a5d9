/*
 * analysis/tsne.h: t-SNE (van der Maaten and Hinton, JMLR 9, 2008): points in the plane that have the neighbours that rows of
 * numbers have. Distances, neighbours and the descent are the device's (cl/tsne.cl), the rest the host's. Knows nothing of
 * nets and pictures. The same rows give the same points, bit by bit, on one device and driver.
 */
#ifndef CLDANN_ANALYSIS_TSNE_H
#define CLDANN_ANALYSIS_TSNE_H

#include "device/device.h"

/* The most that n points can have: a third of the others. */
double tsne_most_perplexity(int n);

/*
 * x (n, width), 4 rows or more, finite. xy (n, 2). perplexity: 1 to tsne_most_perplexity(n), else CLDANN_E_ARG. *divergence,
 * unless NULL: Kullback-Leibler, of the pairs' probabilities in the plane from those among the rows.
 */
int tsne(device *d, const float *x, int n, int width, double perplexity, double *xy, double *divergence);

/* ---- its parts ---- */

enum { TSNE_STEPS = 1000 };

/* Symmetric probabilities of pairs that are 1 in all, without their zeros; of row i those from offsets[i], columns rising. */
typedef struct tsne_pairs {
  int n;
  int32_t *offsets, *columns; /* n + 1; offsets[n] */
  float *p;
} tsne_pairs;

/*
 * Pairs of x (n, width), from each row's nearest: of 256 rows or fewer all others, else 3 perplexity. Squares of distances
 * must be finite as floats. Freed by tsne_pairs_free, on failure too.
 */
int tsne_pairs_of(device *d, const float *x, int n, int width, double perplexity, tsne_pairs *out);
void tsne_pairs_free(tsne_pairs *p);
/*
 * p[k]: what a Gaussian makes of k squared distances, 1 in all, as narrow as gives them the perplexity, entropy's exponential;
 * where even the narrowest has more, for equal distances, that one. Returns 1 / (2 sigma^2).
 */
double tsne_gaussian(const float *d2, int k, double perplexity, double *p);
/* The first `steps` of TSNE_STEPS from y (n, 2), in place. */
int tsne_descend(device *d, const tsne_pairs *p, int steps, float *y);
double tsne_divergence(const tsne_pairs *p, const float *y);

#endif

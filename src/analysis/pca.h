/* analysis/pca.h: principal components of rows of numbers, by LAPACK. Host only. */
#ifndef CLDANN_ANALYSIS_PCA_H
#define CLDANN_ANALYSIS_PCA_H

#include "base/err.h"

/*
 * x (n, width). scores (n, 2): each row less the mean of all, along the two directions of greatest variance; share[2]: of all
 * variance. The sign is such that a direction's score of greatest size is positive. Takes n^2 doubles: n of a thousand or two.
 */
int pca_two(cldann_error *e, const float *x, int n, int width, double *scores, double share[2]);

#endif

/* analysis/pca.h: principal components of rows of numbers, by LAPACK. Host only. */
#ifndef CLDANN_ANALYSIS_PCA_H
#define CLDANN_ANALYSIS_PCA_H

#include "base/err.h"

/*
 * x (n, width). scores (n, components): each row less the mean of all, along the directions of greatest variance, the first
 * before the second; share[components]: of all variance. Components beyond n or width are 0. The sign is such that a
 * direction's score of greatest size is positive. Where both n and width are over a thousand and few components are asked for,
 * time grows with their product; else with the lesser of them squared, too. Memory: the rows as doubles, and some more. Same
 * bits again by the same library on as many threads.
 */
int pca(cldann_error *e, const float *x, int n, int width, int components, double *scores, double *share);

#endif

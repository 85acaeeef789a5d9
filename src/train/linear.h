/*
 * train/linear.h: linear support vector machines, fitted by liblinear on data sets in host memory: the baseline that an
 * adapted net is compared with, and the measure of how far apart two sets are. Knows nothing of nets or devices.
 *
 * Bytes are taken as 0 to 1 (value / 255), floats as they are; a zero that is stored and one that is left out are the same.
 * The same data give the same model on every run. What liblinear draws from rand() starts from a fixed state: the caller's
 * own is put aside and comes back (glibc, where rand() is random(); elsewhere srand(1) is what the caller is left with).
 * liblinear's print function is set, to one that is silent. Fits of several threads wait for each other. Short of memory
 * liblinear itself aborts; of what it needs, only the weights and some numbers an item are not taken by base/mem.h.
 */
#ifndef CLDANN_TRAIN_LINEAR_H
#define CLDANN_TRAIN_LINEAR_H

#include "data/dataset.h"

typedef struct linear linear; /* a linear SVM over the classes of the set that it was fitted on */

/*
 * L2-regularised, hinge loss, dual (L2R_L1LOSS_SVC_DUAL, what scikit-learn's and SVMlight's linear SVM solve), the bias as a
 * constant feature 1; more than two classes: each against the rest. c: cost of a mistake. d: float or byte items, sparse or
 * dense, with labels. Freed by linear_free.
 */
int linear_fit(cldann_error *e, const dataset *d, double c, linear **out);
int linear_predict(cldann_error *e, const linear *m, const dataset *d, int32_t *labels);   /* d->n of them */
int linear_accuracy(cldann_error *e, const linear *m, const dataset *d, double *accuracy); /* d must have labels */
void linear_free(linear *m);

/*
 * Proxy A-distance of two sets (Ben-David et al. 2007; Ganin et al. JMLR 2016, section 5.1.5): the items of both are drawn in
 * a seeded random order, half of each set trains an SVM to tell the sets apart and the rest measures its error, for
 * C = 1e-5, 1e-4 ... 1e4; *pad = 2 (1 - 2 error) for the least error: 2 far apart, about 0 (and by chance a little below) where
 * they cannot be told apart. The error is the mean of both sets' own, so that a bigger set does not make it small. Labels of
 * the sets are not looked at.
 */
int linear_pad(cldann_error *e, const dataset *source, const dataset *target, uint64_t seed, double *pad);

#endif

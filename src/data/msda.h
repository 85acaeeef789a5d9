/*
 * data/msda.h: marginalised stacked denoising autoencoders (Chen, Xu, Weinberger, Sha, ICML 2012), features learnt without
 * labels that a shallow network can start from. A layer is the linear map that best repairs items of which each number was
 * erased with probability `noise`, all erasures weighed at once: a closed form, no draws and no steps. Host only, in doubles,
 * by OpenBLAS.
 */
#ifndef CLDANN_DATA_MSDA_H
#define CLDANN_DATA_MSDA_H

#include "data/dataset.h"

/*
 * Fits `layers` maps on the rows of all sets of fit[0..n_fit) together (labels are not looked at), and replaces the items of
 * each set in sets[0..n) by themselves followed by the outputs of all layers: (layers + 1) * width numbers an item, a dense
 * float set of shape (1, 1, (layers + 1) * width), labels, class names and name kept. fit sets may be among sets. noise is
 * from 0 to below 1.
 *
 * On failure all sets are as they were. The same bits on every run on one kind of processor with one release of OpenBLAS,
 * whatever the number of processors. Meanwhile OpenBLAS has one thread in the whole process and gets its number back at the
 * end: no other thread may call it at the same time.
 *
 * Memory: the results, also of sets that are only fitted on, a matrix of (width + 1) x (width + 1) doubles, and 4096 rows of
 * doubles.
 */
int msda_apply(cldann_error *e, int layers, double noise, dataset *const *fit, int n_fit, dataset **sets, int n);

#endif

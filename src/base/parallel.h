/*
 * base/parallel.h: a loop over 0..n-1 on several threads. Work is split into equal ranges fixed by n and the number of
 * threads; a body that computes each index on its own gives the same result for any number. Only generators and readers
 * use it: device work has one host thread.
 */
#ifndef CLDANN_BASE_PARALLEL_H
#define CLDANN_BASE_PARALLEL_H

#include <stdint.h>

#include "base/err.h"

/* Does the indices [first, last). Fills its own e; must not touch what other ranges write. */
typedef int (*parallel_fn)(cldann_error *e, void *arg, int64_t first, int64_t last);

/* threads <= 0: one for each processor on line. Waits for all; returns the error of the lowest range that failed. */
int parallel_for(cldann_error *e, int64_t n, int threads, parallel_fn fn, void *arg);

#endif

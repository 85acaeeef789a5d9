/* data/blobs.h: the toy set of tf-dann's Blobs notebook: two classes of points in the plane, and a shifted domain. */
#ifndef CLDANN_DATA_BLOBS_H
#define CLDANN_DATA_BLOBS_H

#include <stdint.h>

#include "data/dataset.h"

enum { BLOBS_SOURCE = 0, BLOBS_TARGET = 1, BLOBS_POINTS = 300 };

/*
 * n points (n,1,1,2), float, sd 0.2, classes in turn: class 0, 1 around (0,0), (0,1) in the source and around (1,-1),
 * (1,0) in the target. Owned by the caller: dataset_free.
 */
int blobs_make(cldann_error *e, uint64_t seed, int domain, int n, dataset **out);

#endif

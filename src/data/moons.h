/* data/moons.h: two interleaved half circles and a turned domain, the toy set of Ganin et al. 2016, section 5.1.1. */
#ifndef CLDANN_DATA_MOONS_H
#define CLDANN_DATA_MOONS_H

#include <stdint.h>

#include "data/dataset.h"

enum { MOONS_SOURCE = 0, MOONS_TARGET = 1, MOONS_POINTS = 300 };

/*
 * n points (n,1,1,2), float, classes in turn: class 0 on the half circle (cos t, sin t), class 1 on (1 - cos t, 1/2 - sin t), t
 * evenly from 0 to pi, noise of sd 0.05, then centred and doubled. The target is other draws, turned by 35 degrees against
 * the clock. Owned by the caller: dataset_free.
 */
int moons_make(cldann_error *e, uint64_t seed, int domain, int n, dataset **out);

#endif

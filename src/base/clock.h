/*
 * base/clock.h: seconds for timing: a clock that only goes forward, from an origin of no meaning.
 */
#ifndef CLDANN_BASE_CLOCK_H
#define CLDANN_BASE_CLOCK_H

#include <time.h>

static inline double clock_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#endif

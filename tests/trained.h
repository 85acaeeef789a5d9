/*
 * tests/trained.h: a training that came to its end, and what tests compare of two of them. Knows nothing of what was trained.
 */
#ifndef CLDANN_TESTS_TRAINED_H
#define CLDANN_TESTS_TRAINED_H

#include "train/trainer.h"

typedef struct trained {
  float *params; /* n of them; free */
  size_t n;
  cldann_progress last; /* of its windows */
  cldann_result r;
} trained;

/* Runs what is left of the steps, measures the test sets, and frees both. */
trained train_to_end(trainer *t, cldann_experiment *x);
/* What t holds now (free). */
float *params_of(trainer *t);

#endif

/*
 * data/sampler.h: which rows a training step reads. Each epoch is a fresh shuffle from (seed, stream, epoch); the last
 * partial batch of an epoch is dropped. The rows are a pure function of the step, so resuming needs no state. Knows only
 * the number of rows: no labels.
 */
#ifndef CLDANN_DATA_SAMPLER_H
#define CLDANN_DATA_SAMPLER_H

#include <stdint.h>

#include "base/err.h"

typedef struct sampler sampler;

/* stream: RNG_SHUFFLE_SOURCE, RNG_SHUFFLE_TARGET ... Owned by the caller: sampler_free. */
int sampler_new(cldann_error *e, sampler **out, const char *name, int n, int batch, uint64_t seed, uint32_t stream);
/* Writes the `batch` row indices of a global step (0, 1, ...). Steps in order are cheap: one shuffle an epoch. */
int sampler_batch(cldann_error *e, sampler *s, int64_t step, int32_t *rows);
void sampler_free(sampler *s);

#endif

/* data/describe.c: see data/describe.h. */
#include "data/describe.h"

#include <math.h>
#include <string.h>

typedef struct sums {
  double sum, squares, filled;
} sums;

static void add(data_figures *f, sums *s, double v) {
  if (v < f->least) f->least = v;
  if (v > f->most) f->most = v;
  s->sum += v;
  s->squares += v * v;
  s->filled += v != 0;
}

void dataset_describe(const dataset *d, data_figures *f) {
  const size_t item = (size_t)d->h * (size_t)d->w * (size_t)d->c;
  sums all = {0, 0, 0};
  double lengths = 0;
  *f = (data_figures){.least = INFINITY, .most = -INFINITY};
  for (int i = 0; i < d->n; i++) {
    sums own = {0, 0, 0};
    const size_t first = dataset_is_sparse(d) ? (size_t)d->offsets[i] : (size_t)i * item;
    const size_t end = dataset_is_sparse(d) ? (size_t)d->offsets[i + 1] : first + item;
    for (size_t k = first; k < end; k++)
      add(f, &own, d->type == DATA_U8 ? ((const uint8_t *)d->x)[k] : (double)((const float *)d->x)[k]);
    if (end - first < item) add(f, &own, 0); /* of the zeros that are left out, one is enough */
    all.sum += own.sum, all.squares += own.squares, all.filled += own.filled;
    lengths += sqrt(own.squares);
  }
  const double n = (double)d->n * (double)item, mean = all.sum / n, variance = all.squares / n - mean * mean;
  f->mean = mean;
  f->deviation = variance > 0 ? sqrt(variance) : 0;
  f->filled = all.filled / n;
  f->length = lengths / d->n;
}

void dataset_class_counts(const dataset *d, int64_t *counts) {
  memset(counts, 0, (size_t)d->classes * sizeof *counts);
  for (int i = 0; d->y && i < d->n; i++) counts[d->y[i]]++;
}

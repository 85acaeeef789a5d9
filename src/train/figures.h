/*
 * train/figures.h: the figures of a window of training and of a run: what each is called in records and where it lies. A row
 * here, and metrics.jsonl and metrics.csv (train/metrics.h), what reads them back (train/history.h) and TensorBoard's files
 * (train/tensorboard.h) have it.
 */
#ifndef CLDANN_TRAIN_FIGURES_H
#define CLDANN_TRAIN_FIGURES_H

#include <stddef.h>

typedef enum { FIGURE_NUMBER, FIGURE_WHOLE, FIGURE_PART } figure_kind;

typedef struct figure {
  const char *key;
  figure_kind kind; /* a double; an int64_t; a double of those that have this key together */
  size_t at;        /* in the struct */
  const char *tag;  /* TensorBoard's name for it; NULL: it is not told there */
} figure;

extern const figure window_figures[]; /* of cldann_progress; .key NULL ends */
extern const figure result_figures[]; /* of cldann_result */

/* Of a number or a part. */
double figure_of(const figure *f, const void *of);

#endif

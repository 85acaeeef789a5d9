/*
 * data/dataset.h: what every reader and generator returns, a data set in host memory. Images stay uint8, rows are
 * (h,w,c), labels int32 or absent. Rows of formats that leave zeros out stay so: floats alone, compressed by rows (CSR).
 * Knows nothing of OpenCL; train/feed.c brings it to the device. Next: data/sampler.h.
 */
#ifndef CLDANN_DATA_DATASET_H
#define CLDANN_DATA_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef enum { DATA_U8, DATA_F32 } data_type;

typedef struct dataset {
  char name[64]; /* for messages */
  int n, h, w, c;
  int classes;  /* number of classes: the names, or 1 + the largest label; 0 without labels */
  int left_out; /* images that could not be read and were skipped */
  data_type type;
  /* All but y, files and names: pages of their own, which a CPU device uses in place. */
  void *x;          /* (n,h,w,c) uint8_t or float; sparse: the entries' values, float */
  int32_t *offsets; /* sparse: (n + 1), item i has the entries offsets[i] to offsets[i + 1] - 1, offsets[0] is 0; or NULL */
  int32_t *columns; /* sparse: each entry's place in its item, rising within one */
  int32_t *y;       /* (n), or NULL */
  int32_t *domain;  /* (n): which of an experiment's domains each item is of, where there are more than two; else NULL */
  char **files;     /* (n): of images as read, the path of each, else NULL; not kept by dataset_take and dataset_join */
  struct class_list *names; /* what the classes are called (data/classes.h), or NULL: as their numbers */
} dataset;

static inline int dataset_is_sparse(const dataset *d) {
  return d->offsets != NULL;
}
/* Entries of all items; sparse sets alone. */
static inline size_t dataset_entries(const dataset *d) {
  return (size_t)d->offsets[d->n];
}
size_t dataset_item_bytes(const dataset *d); /* of a dense item */
/* An empty data set with room for n items (labels too when labelled). Owned by the caller: dataset_free. */
int dataset_new(cldann_error *e, dataset **out, const char *name, data_type type, int n, int h, int w, int c, int labelled);
/* The same for a sparse one, with room for so many entries. */
int dataset_new_sparse(cldann_error *e, dataset **out, const char *name, int n, int h, int w, int c, size_t entries,
                       int labelled);
/* Drops the first `skip` items, then keeps at most `count` (count < 0: all). CLDANN_E_ARG when nothing is left. */
int dataset_trim(cldann_error *e, dataset *d, int skip, int count);
/* A new set of these rows, in the order given. Freed by the caller. */
int dataset_take(cldann_error *e, const dataset *d, const int32_t *rows, int n, dataset **out);
/*
 * The items of n sets, one set after the other, of the same shape, type, density and classes: CLDANN_E_ARG where one differs.
 * The first one's names of classes go along.
 */
int dataset_join(cldann_error *e, dataset *const *parts, int n, dataset **out);
/* x > 0 -> 255, else 0, in place; only for DATA_U8. */
int dataset_binarise(cldann_error *e, dataset *d);
/* A sparse set gets its zeros; others stay. */
int dataset_to_dense(cldann_error *e, dataset *d);
/* Floats from 0 to 1 become bytes 0 to 255, rounded, and dense; CLDANN_E_FORMAT for another number. Bytes stay. */
int dataset_to_bytes(cldann_error *e, dataset *d);
/* CLDANN_E_FORMAT for a float that is none; the message begins with `where`. */
int dataset_check_finite(cldann_error *e, const dataset *d, const char *where);
/* Sets classes from the labels; CLDANN_E_FORMAT for a negative label. */
int dataset_count_classes(cldann_error *e, dataset *d);
/* All items are of this domain. */
int dataset_set_domain(cldann_error *e, dataset *d, int domain);
void dataset_free(dataset *d);

#endif

/*
 * data/array.h: what the formats of named arrays have in common (HDF5, MATLAB, NumPy): which sizes make a data set, labels
 * given as an array of numbers, and the error that lists the names a file has. Arrays are rows first here: (n), (n,c),
 * (n,h,w) or (n,h,w,c).
 */
#ifndef CLDANN_DATA_ARRAY_H
#define CLDANN_DATA_ARRAY_H

#include "data/file.h"

enum { ARRAY_DIMS = 4 };

/* An empty data set of these sizes, named after the file. packed: the bytes that hold it, or 0; no more is believed. */
int array_new(cldann_error *e, const file_request *r, data_type type, int rank, const uint64_t *size, uint64_t packed,
              dataset **out);
/* Labels of d, one number each; `name` is what the array is called. */
int array_labels(cldann_error *e, const file_request *r, const char *name, const double *labels, uint64_t n, dataset *d);
/* Is it a vector? (n), (n,1), (1,n), ...; *n gets its length. */
int array_is_vector(int rank, const uint64_t *size, uint64_t *n);

/* Names found in a file, for an error. */
typedef struct array_names {
  char text[240];
  size_t at;
  int n;
} array_names;
void array_name(array_names *l, const char *name);
/* wanted NULL: the key is not given. */
int array_missing(cldann_error *e, const file_request *r, const char *key, const char *wanted, const array_names *l);

/* Writes x (rows, width) as a .npy file, whole or not at all. */
int npy_write(cldann_error *e, const char *path, const float *x, int rows, int width);

#endif

/*
 * data/idx.h: the IDX format of MNIST: big-endian sizes, then bytes. Reads plain and gzip files, told apart by content,
 * and writes plain ones that appear whole. Every size is checked against the file before memory is taken on its word.
 */
#ifndef CLDANN_DATA_IDX_H
#define CLDANN_DATA_IDX_H

#include "data/dataset.h"
#include "data/place.h"

/* (N,H,W) -> c = 1, (N,H,W,C), or (N,C) -> h = w = 1; uint8, without labels. Owned by the caller: dataset_free. */
int idx_read_images(cldann_error *e, const char *path, dataset **out);
/* (N) into d->y and d->classes; d keeps what it had on failure. */
int idx_read_labels(cldann_error *e, const char *path, dataset *d);
/* Both files. */
int idx_read_set(cldann_error *e, const char *images, const char *labels, dataset **out);
/*
 * A set by the usual names in a folder: DIR/<prefix>train-images-idx3-ubyte[.gz] and its labels, t10k when test is true;
 * idx4 for colour. The prefix is "" for MNIST and "mnistm-" for what mnistm_write wrote.
 */
int idx_read_named(cldann_error *e, const char *dir, const char *prefix, int test, dataset **out);

/* (N,H,W) when c = 1, else (N,H,W,C). */
int idx_write_images(cldann_error *e, const char *path, const dataset *d);
int idx_write_labels(cldann_error *e, const char *path, const dataset *d);
/* The same into a file already opened, not yet committed. */
int idx_put_images(cldann_error *e, place *p, const dataset *d);
int idx_put_labels(cldann_error *e, place *p, const dataset *d);

#endif

/*
 * train/tensors.h: safetensors files: a JSON header that names tensors of floats and may hold texts, then their bytes. Written
 * whole or not at all; nothing that a file says is believed before it was held against its size. What tensors mean is
 * train/model.h's and train/checkpoint.h's.
 */
#ifndef CLDANN_TRAIN_TENSORS_H
#define CLDANN_TRAIN_TENSORS_H

#include <jansson.h>
#include <stdio.h>

#include "base/err.h"

typedef struct tensor_file {
  cldann_error *err;
  const char *path; /* borrowed */
  FILE *f;
  json_t *header;
  size_t data_at, data_size; /* the tensors' bytes are data_size from data_at on */
} tensor_file;

/*
 * `what` the user should have named, for errors: "the model.safetensors that ...". CLDANN_E_IO: no such file, or of a newer
 * version of cldann; CLDANN_E_FORMAT: damaged. Closed by tensors_close, also after a failure.
 */
int tensors_open(cldann_error *e, const char *path, const char *what, tensor_file *t);
void tensors_close(tensor_file *t);
/* CLDANN_E_FORMAT unless every byte is as tensors_write sealed it. */
int tensors_check_seal(tensor_file *t);
/* A text of the header's metadata, or NULL. */
const char *tensors_text(const tensor_file *t, const char *key);
/* Is there a tensor of this name, of floats, and of this shape? n 0: of any. */
int tensors_has(const tensor_file *t, const char *name, const int *shape, int n);
/* Fills to: `count` finite floats, in a tensor of this shape; n 0: of any. */
int tensors_read(tensor_file *t, const char *name, const int *shape, int n, size_t count, float *to);

/* An entry of a header; the tensor's first byte is the at-th of all. */
json_t *tensors_entry(const int *shape, int n, size_t at, size_t count);
/*
 * The blocks' floats behind each other. Takes the header; NULL is memory that was refused. sealed: the metadata, of which there
 * must be some, get a SHA-256 of all the rest.
 */
int tensors_write(cldann_error *e, const char *path, json_t *header, const float *const *blocks, const size_t *counts, int n,
                  int sealed);

#endif

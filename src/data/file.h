/*
 * data/file.h: data sets in the usual file formats. The format is told by the file's first bytes, not by its name. A format
 * is a file of its own (data/svmlight.c ...) that defines a file_format, and a row of the table in data/file.c. What is common
 * to all is done there: finite numbers, the items' shape, keys that a format does not have. Labels: data/classes.h.
 */
#ifndef CLDANN_DATA_FILE_H
#define CLDANN_DATA_FILE_H

#include <stddef.h>

#include "data/dataset.h"

/* Height and width of each image that could be read, before it was resized. */
typedef struct image_sizes {
  int n, room;
  int (*at)[2]; /* freed by who reads it (mem_free) */
} image_sizes;

typedef struct file_request {
  const char *path;              /* as found: data/find.h */
  const char *format;            /* NULL: by content */
  const char *features, *labels; /* what they are called inside the file; NULL: not given */
  int width;                     /* of a sparse row; 0: as wide as the file's widest */
  int shape[3];                  /* (h,w,c) of an item; 0: the file's own */
  int bytes;                     /* numbers from 0 to 1 become bytes */
  int resize[2], crop[2];        /* (h,w) of images; 0: none */
  int skip_bad;                  /* leave out images that cannot be read */
  image_sizes *sizes;            /* of formats of images; NULL: not wanted */
} file_request;

/* The keys of a request that not every format has. */
enum {
  FILE_FEATURES = 1,
  FILE_LABELS = 2,
  FILE_WIDTH = 4,
  FILE_SHAPE = 8,
  FILE_IMAGES = 16
}; /* the last: skip_bad, and resize of its own */

enum { FILE_HEAD = 4096 };

typedef struct file_head {
  const char *path;
  int is_folder;
  size_t n;                  /* at most FILE_HEAD; unpacked where the file is gzip */
  char bytes[FILE_HEAD + 1]; /* and a zero */
} file_head;

typedef struct file_format {
  const char *name;
  int (*probe)(const file_head *h); /* not 0: this is the format */
  int (*read)(cldann_error *e, const file_request *r, dataset **out);
  unsigned keys; /* FILE_FEATURES ... */
} file_format;

/* Owned by the caller: dataset_free. The labels are settled (data/classes.h), not yet compared with another set's. */
int file_read(cldann_error *e, const file_request *r, dataset **out);
/* The format that the content is of; an error where it is none. */
int file_tell(cldann_error *e, const char *path, const file_format **out);

extern const file_format format_csv, format_folder, format_hdf5, format_idx, format_image, format_list, format_matlab,
    format_npy, format_npz, format_svmlight;

#endif

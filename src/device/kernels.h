/*
 * device/kernels.h: the OpenCL C sources that travel inside the library.
 *
 * tools/embed-cl writes the array at build time from the files of cl/ (the list stands in cl/local.mk). Each text opens
 * with #line 1 "cl/x.cl", so a compiler's messages name the file to edit. A program is the texts of "layout" and "common"
 * followed by that of one other entry, or by those of all shared entries: a compiler takes about as long to begin as to
 * read a small file, and kernels that take no -D values can all be in one program. Which kernels a file holds is the
 * business of the room that launches them.
 */
#ifndef CLDANN_DEVICE_KERNELS_H
#define CLDANN_DEVICE_KERNELS_H

#include <stddef.h>

typedef struct kernel_source {
  const char *name; /* file name without folder and ending: "common", "conv2d" ... */
  const char *text; /* ends in a zero byte that length does not count */
  size_t length;    /* bytes */
  int shared;       /* one of those that are one program together */
} kernel_source;

/* In the order of cl/local.mk; ends with an entry whose name is NULL. */
extern const kernel_source kernel_sources[];

/* tuning/built-in.conf as a text: the tuning file that ships (device/tuning.h). */
extern const char *const tuning_built_in;

#endif

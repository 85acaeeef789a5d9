/*
 * base/mem.h: every heap block of the library is taken and given back here, so that tests can count the blocks still
 * alive and make the n-th allocation fail. Sizes are checked for overflow. Blocks are zeroed.
 */
#ifndef CLDANN_BASE_MEM_H
#define CLDANN_BASE_MEM_H

#include <stddef.h>

#include "base/err.h"

/* *out = count * size zeroed bytes (at least one). CLDANN_E_MEM with the number of bytes in the message. */
int mem_new(cldann_error *e, void *out, size_t count, size_t size);
/* The same at the start of a page, and whole pages: what a device that shares the host's memory can use in place. */
int mem_new_pages(cldann_error *e, void *out, size_t count, size_t size);
/* Grows (or shrinks) *inout; the old block stays valid on failure. New bytes are not zeroed. */
int mem_resize(cldann_error *e, void *inout, size_t count, size_t size);
int mem_strdup(cldann_error *e, char **out, const char *s);
void mem_free(void *p);

/* Bytes of main memory that the process has held at its most, libraries and drivers included; 0 where the system does not tell.
 */
double mem_peak_resident(void);

long mem_live(void);             /* blocks taken and not given back */
void mem_fail_after(long count); /* tests: the count-th allocation from now fails; negative: never */

#endif

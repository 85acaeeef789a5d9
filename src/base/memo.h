/* base/memo.h: a text in the making, of any length: written to as a file, then taken as a whole. */
#ifndef CLDANN_BASE_MEMO_H
#define CLDANN_BASE_MEMO_H

#include <stdio.h>

#include "base/err.h"

typedef struct memo {
  FILE *f;
  char *text; /* of `size` bytes and a NUL, once it is ended */
  size_t size;
} memo;

/* memo_free, on failure too; so may one that is all zero. */
int memo_open(cldann_error *e, memo *m);
/* CLDANN_E_MEM where something of it was lost. */
int memo_end(cldann_error *e, memo *m);
/* Ends it, and *out is a copy for mem_free. */
int memo_take(cldann_error *e, memo *m, char **out);
void memo_free(memo *m);

#endif

/*
 * data/record.h: a text file that grows by whole lines, each with the system as soon as it is told, so that a run which is
 * killed keeps what it measured. A line for which there is no room leaves nothing behind. Knows nothing of what the lines say.
 */
#ifndef CLDANN_DATA_RECORD_H
#define CLDANN_DATA_RECORD_H

#include <stddef.h>

#include "base/err.h"

typedef struct record record;

/* A file that is there stays as it is until one of the three below. */
int record_open(cldann_error *e, const char *path, record **out);
/* Empties it. */
int record_start(cldann_error *e, record *r);
/* Puts n bytes in the place of all that is there, or leaves it. */
int record_replace(cldann_error *e, record *r, const char *text, size_t n);
/* Appends n bytes that end a line, or nothing. */
int record_add(cldann_error *e, record *r, const char *text, size_t n);
const char *record_path(const record *r);
/* Also frees. A file that record_open made and nothing was done to goes. */
void record_close(record *r);

#endif

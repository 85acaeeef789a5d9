/*
 * data/place.h: files that appear whole or not at all. Bytes go to a temporary name in the same folder; commit flushes
 * them to the disk and renames. place_free before commit removes the temporary, and what a killed process left the next
 * place_open in that folder. Knows nothing of formats.
 */
#ifndef CLDANN_DATA_PLACE_H
#define CLDANN_DATA_PLACE_H

#include <stddef.h>

#include "base/err.h"

typedef struct place place;

/* A file of n bytes, in one go. */
int place_whole(cldann_error *e, const char *path, const void *data, size_t n);

/* CLDANN_E_IO where something of that name is a pipe or a device, whose place the file would take. */
int place_open(cldann_error *e, place **out, const char *path);
int place_write(cldann_error *e, place *p, const void *data, size_t n);
/* Everything on the disk, still under the temporary name: what can fail for want of room fails here. */
int place_flush(cldann_error *e, place *p);
/* place_flush, then the true name. */
int place_commit(cldann_error *e, place *p);
/* Removes the placed file again, for a set of files of which a later one failed. */
void place_undo(place *p);
void place_free(place *p);

/* rename() and the folder's entry on the disk. */
int place_rename(cldann_error *e, const char *from, const char *to);
/* Makes a folder and those above it. *made, unless NULL: whether it was not there before, for who must undo it. */
int place_folder(cldann_error *e, const char *path, int *made);
/*
 * Holds the folder until *lock is closed or the process ends, however: CLDANN_E_IO while another one holds it. *lock is -1
 * where the file system knows no locks.
 */
int place_hold(cldann_error *e, const char *folder, int *lock);
/* *out: TMPDIR's folder, or /tmp, and behind it a name that ends in XXXXXX, for mkstemp or mkdtemp. Freed by mem_free. */
int place_temporary(cldann_error *e, const char *name, char **out);

#endif

/*
 * data/archive.h: walks a tar archive (plain or gzip), as downloaded, or a zip file, and hands the wanted members over in
 * memory. Nothing is unpacked to disk, so a member's path can do no harm. The only file that calls libarchive.
 */
#ifndef CLDANN_DATA_ARCHIVE_H
#define CLDANN_DATA_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Non-zero: the member is wanted. */
typedef int (*archive_wants)(const char *member, void *arg);
/* Owns bytes (mem_free), whether it succeeds or not. A negative result ends the walk. */
typedef int (*archive_take)(cldann_error *e, const char *member, uint8_t *bytes, size_t size, void *arg);

/* In the archive's order. A NULL take only looks at names, without unpacking members. */
int archive_walk(cldann_error *e, const char *path, archive_wants wants, archive_take take, void *arg);

/* The same for a zip file. */
int archive_walk_zip(cldann_error *e, const char *path, archive_wants wants, archive_take take, void *arg);

#endif

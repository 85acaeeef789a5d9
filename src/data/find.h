/*
 * data/find.h: where data live: the folder given, CLDANN_DATA, the cache that `cldann data fetch` fills. Knows names and
 * folders only.
 */
#ifndef CLDANN_DATA_FIND_H
#define CLDANN_DATA_FIND_H

#include "base/err.h"

/* CLDANN_CACHE, else XDG_CACHE_HOME/cldann, else ~/.cache/cldann. Freed by mem_free. */
int data_cache_folder(cldann_error *e, char **out);
/*
 * The first that is there of: relative inside dir_option (may be NULL), inside CLDANN_DATA, as given, inside the cache.
 * Files and folders alike; a file is also found with .gz added. The error lists where it looked. Freed by mem_free.
 */
int data_find(cldann_error *e, const char *dir_option, const char *relative, char **path);

#endif

/*
 * data/fetch.h: downloads of the data sets we may point to but not ship, into the cache folder of data/find.h. A download
 * resumes where it stopped (.part), is checked (SHA-256, or its contents where no hash was published) and then renamed
 * into place, so a file under its true name is whole. The only file that calls libcurl; without it, an error says so.
 */
#ifndef CLDANN_DATA_FETCH_H
#define CLDANN_DATA_FETCH_H

#include <stdint.h>

#include "base/err.h"

enum { FETCH_URLS = 3 };

typedef struct fetch_file {
  const char *path;                                 /* inside the cache folder, and after CLDANN_MIRROR/ */
  const char *urls[FETCH_URLS];                     /* tried in turn; NULL ends */
  const char *sha256;                               /* NULL: only `verify` */
  int64_t bytes;                                    /* 0: not known */
  int (*verify)(cldann_error *e, const char *path); /* may be NULL */
} fetch_file;

/* total is 0 when not known. A non-zero result stops the download (CLDANN_E_INTERRUPTED); what came stays for later. */
typedef int (*fetch_progress)(void *user, const char *path, int64_t done, int64_t total);

/*
 * All files of "mnist" or "bsds500", into dir, or the cache folder when dir is NULL. Files that are there and right are
 * left alone. CLDANN_MIRROR, a base URL, replaces the published addresses.
 */
int data_fetch(cldann_error *e, const char *name, const char *dir, fetch_progress progress, void *user);
/* One file; for tests, which bring their own row. */
int fetch_one(cldann_error *e, const fetch_file *f, const char *dir, fetch_progress progress, void *user);

#endif

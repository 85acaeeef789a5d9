/* data/archive.c: see data/archive.h. */
#include "data/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

/* What is said of a file that is not one, and what a member may claim: above it is damage. */
typedef struct kind {
  const char *name, *fix;
  int zip;
  int64_t member_most;
} kind;

static const kind tarball = {"a tar archive", "give the tarball as downloaded (cldann data fetch bsds500)", 0, 64 << 20};
static const kind zip_file = {"a zip file", "make it again", 1, INT64_MAX};

enum { DEFLATE_MOST = 1032 /* deflate cannot shrink more than 1032 : 1 */ };

static const char *why(struct archive *a) {
  const char *s = archive_error_string(a);
  return s ? s : "unknown reason";
}

static int archive_member(cldann_error *e, const char *path, struct archive *a, const char *member, int64_t size, int64_t most,
                          archive_take take, void *arg) {
  int rc = CLDANN_OK;
  uint8_t *bytes = NULL;
  size_t got = 0;
  if (size < 0 || size > most)
    FAIL(e, CLDANN_E_FORMAT, "%s: member %s claims %lld bytes; the archive is damaged, fetch it again", path, member,
         (long long)size);
  TRY(mem_new(e, &bytes, (size_t)size, 1));
  while (got < (size_t)size) {
    la_ssize_t r = archive_read_data(a, bytes + got, (size_t)size - got);
    if (r < 0) FAIL(e, CLDANN_E_FORMAT, "%s is truncated or damaged at %s: %s; fetch it again", path, member, why(a));
    if (r == 0) break;
    got += (size_t)r;
  }
  if (got < (size_t)size)
    FAIL(e, CLDANN_E_FORMAT, "%s is truncated: %zu bytes of %s are missing; fetch it again", path, (size_t)size - got, member);
  rc = take(e, member, bytes, got, arg);
  bytes = NULL;
fail:
  mem_free(bytes);
  return rc;
}

static int walk(cldann_error *e, const char *path, const kind *k, archive_wants wants, archive_take take, void *arg) {
  int rc = CLDANN_OK, r, members = 0;
  int64_t most = k->member_most;
  struct stat st;
  struct archive_entry *entry;
  FILE *there = fopen(path, "rb"); /* libarchive's error does not tell a missing file from a strange one */
  struct archive *a = archive_read_new();
  if (!a) FAIL(e, CLDANN_E_MEM, "out of memory while opening %s; free some memory", path);
  if (k->zip) {
    archive_read_support_format_zip_seekable(a);
    if (stat(path, &st) == 0 && st.st_size < INT64_MAX / DEFLATE_MOST) most = (int64_t)st.st_size * DEFLATE_MOST;
  } else {
    archive_read_support_filter_gzip(a);
    archive_read_support_format_tar(a);
  }
  if (!there) FAIL(e, CLDANN_E_IO, "cannot open %s: %s; %s", path, strerror(errno), k->fix);
  if (archive_read_open_filename(a, path, 1 << 17) != ARCHIVE_OK)
    FAIL(e, CLDANN_E_FORMAT, "%s is not %s: %s; %s", path, k->name, why(a), k->fix);
  while ((r = archive_read_next_header(a, &entry)) != ARCHIVE_EOF) {
    const char *member;
    if (r < ARCHIVE_WARN && members == 0) FAIL(e, CLDANN_E_FORMAT, "%s is not %s: %s; %s", path, k->name, why(a), k->fix);
    if (r < ARCHIVE_WARN)
      FAIL(e, CLDANN_E_FORMAT, "%s is truncated or damaged after %d members: %s; fetch it again", path, members, why(a));
    members++;
    member = archive_entry_pathname(entry);
    if (!member || archive_entry_filetype(entry) != AE_IFREG || !wants(member, arg)) continue;
    if (take) TRY(archive_member(e, path, a, member, archive_entry_size(entry), most, take, arg));
  }
  if (members == 0) FAIL(e, CLDANN_E_FORMAT, "%s is not %s or is empty; %s", path, k->name, k->fix);
fail:
  if (a) archive_read_free(a);
  if (there) fclose(there);
  return rc;
}

int archive_walk(cldann_error *e, const char *path, archive_wants wants, archive_take take, void *arg) {
  return walk(e, path, &tarball, wants, take, arg);
}

int archive_walk_zip(cldann_error *e, const char *path, archive_wants wants, archive_take take, void *arg) {
  return walk(e, path, &zip_file, wants, take, arg);
}

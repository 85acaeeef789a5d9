/* data/archive.c: see data/archive.h. */
#include "data/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { MEMBER_MAX = 64 << 20 }; /* no image here is larger; a claim above it is damage */

static const char *why(struct archive *a) {
  const char *s = archive_error_string(a);
  return s ? s : "unknown reason";
}

static int archive_member(cldann_error *e, const char *path, struct archive *a, const char *member, int64_t size,
                          archive_take take, void *arg) {
  int rc = CLDANN_OK;
  uint8_t *bytes = NULL;
  size_t got = 0;
  if (size < 0 || size > MEMBER_MAX)
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

int archive_walk(cldann_error *e, const char *path, archive_wants wants, archive_take take, void *arg) {
  int rc = CLDANN_OK, r, members = 0;
  struct archive_entry *entry;
  FILE *there = fopen(path, "rb"); /* libarchive's error does not tell a missing file from a strange one */
  struct archive *a = archive_read_new();
  if (!a) FAIL(e, CLDANN_E_MEM, "out of memory while opening %s; free some memory", path);
  archive_read_support_filter_gzip(a);
  archive_read_support_format_tar(a);
  if (!there)
    FAIL(e, CLDANN_E_IO, "cannot open %s: %s; give the tarball as downloaded (cldann data fetch bsds500)", path,
         strerror(errno));
  if (archive_read_open_filename(a, path, 1 << 17) != ARCHIVE_OK)
    FAIL(e, CLDANN_E_FORMAT, "%s is not a tar archive: %s; give the tarball as downloaded (cldann data fetch bsds500)", path,
         why(a));
  while ((r = archive_read_next_header(a, &entry)) != ARCHIVE_EOF) {
    const char *member;
    if (r < ARCHIVE_WARN && members == 0)
      FAIL(e, CLDANN_E_FORMAT, "%s is not a tar archive: %s; give the tarball as downloaded (cldann data fetch bsds500)", path,
           why(a));
    if (r < ARCHIVE_WARN)
      FAIL(e, CLDANN_E_FORMAT, "%s is truncated or damaged after %d members: %s; fetch it again", path, members, why(a));
    members++;
    member = archive_entry_pathname(entry);
    if (!member || archive_entry_filetype(entry) != AE_IFREG || !wants(member, arg)) continue;
    if (take) TRY(archive_member(e, path, a, member, archive_entry_size(entry), take, arg));
  }
  if (members == 0)
    FAIL(e, CLDANN_E_FORMAT, "%s is not a tar archive or is empty; give the tarball as downloaded (cldann data fetch bsds500)",
         path);
fail:
  if (a) archive_read_free(a);
  if (there) fclose(there);
  return rc;
}

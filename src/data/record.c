/* data/record.c: see data/record.h. */
#define _POSIX_C_SOURCE 200809L
#include "data/record.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "data/place.h"

struct record {
  char *path;
  int fd;    /* -1: none */
  int fresh; /* record_open made the file, and nothing was done to it yet */
};

static int reopen(cldann_error *e, record *r) {
  if (r->fd >= 0) close(r->fd);
  r->fd = open(r->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (r->fd >= 0) return CLDANN_OK;
  return err_set(e, CLDANN_E_IO, __FILE__, __LINE__, "cannot write %s: %s; give --out a folder that can be written", r->path,
                 strerror(errno));
}

int record_open(cldann_error *e, const char *path, record **out) {
  record *r = NULL;
  int rc;
  TRY(mem_new(e, &r, 1, sizeof *r));
  r->fd = -1;
  TRY(mem_strdup(e, &r->path, path));
  r->fresh = access(path, F_OK) != 0;
  TRY(reopen(e, r));
  *out = r;
  return CLDANN_OK;
fail:
  record_close(r);
  return rc;
}

int record_start(cldann_error *e, record *r) {
  r->fresh = 0;
  /* A device, as /dev/stdout, cannot be cut and need not be. */
  if (ftruncate(r->fd, 0) == 0 || errno == EINVAL) return CLDANN_OK;
  return err_set(e, CLDANN_E_IO, __FILE__, __LINE__, "cannot write %s: %s; choose another --out", r->path, strerror(errno));
}

int record_replace(cldann_error *e, record *r, const char *text, size_t n) {
  int rc;
  TRY(place_whole(e, r->path, text, n));
  r->fresh = 0;
  TRY(reopen(e, r)); /* the file of that name is another now */
fail:
  return rc;
}

int record_add(cldann_error *e, record *r, const char *text, size_t n) {
  const off_t before = lseek(r->fd, 0, SEEK_END); /* -1 of what has no places, as a pipe */
  int rc = CLDANN_OK;
  for (size_t done = 0; done < n;) {
    const ssize_t more = write(r->fd, text + done, n - done);
    if (more < 0 && errno == EINTR) continue;
    if (more >= 0) {
      done += (size_t)more;
      continue;
    }
    const int why = errno;
    if (done && before >= 0 && ftruncate(r->fd, before) != 0) errno = why;
    FAIL(e, CLDANN_E_IO, "cannot write %s: %s; free some space or choose another --out", r->path, strerror(why));
  }
fail:
  return rc;
}

const char *record_path(const record *r) {
  return r->path;
}

void record_close(record *r) {
  if (!r) return;
  if (r->fd >= 0) close(r->fd);
  if (r->fd >= 0 && r->fresh) unlink(r->path);
  mem_free(r->path);
  mem_free(r);
}

/* data/bytes.c: see data/bytes.h. zlib's gz functions pass plain files through. */
#include "data/bytes.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"

enum { FIRST = 1 << 16, STEP_MOST = 1 << 30 };

int bytes_read(cldann_error *e, const char *path, uint8_t **bytes, size_t *size) {
  int rc = CLDANN_OK, code = Z_OK, got = 1;
  size_t room = 0, n = 0;
  uint8_t *b = NULL;
  gzFile f = gzopen(path, "rb");
  if (!f) FAIL(e, CLDANN_E_IO, "cannot open %s: %s; check its name and permissions", path, strerror(errno));
  while (got > 0) {
    if (n == room) {
      TRY(mem_resize(e, &b, room ? 2 * room : FIRST, 1));
      room = room ? 2 * room : FIRST;
    }
    got = gzread(f, b + n, room - n > STEP_MOST ? STEP_MOST : (unsigned)(room - n));
    const char *why = gzerror(f, &code);
    if (code == Z_BUF_ERROR)
      FAIL(e, CLDANN_E_FORMAT, "%s is truncated: the end of the gzip data is missing; fetch it again", path);
    if (got < 0)
      FAIL(e, code == Z_ERRNO ? CLDANN_E_IO : CLDANN_E_FORMAT, "%s is damaged: %.80s; fetch or make it again", path,
           code == Z_ERRNO ? strerror(errno) : why);
    n += (size_t)got;
  }
  *bytes = b;
  *size = n;
  b = NULL;
fail:
  mem_free(b);
  if (f) gzclose(f);
  return rc;
}

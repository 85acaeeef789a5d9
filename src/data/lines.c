/* data/lines.c: see data/lines.h. zlib's gz functions pass plain files through. */
#include "data/lines.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

enum { STEP = 1 << 16 };

int lines_open(cldann_error *e, lines *l, const char *path) {
  int rc = CLDANN_OK;
  memset(l, 0, sizeof *l);
  l->path = path;
  l->file = gzopen(path, "rb");
  if (!l->file) FAIL(e, CLDANN_E_IO, "cannot open %s: %s; check its name and permissions", path, strerror(errno));
  gzbuffer(l->file, 1 << 17);
fail:
  return rc;
}

/* More text behind what is there; the line begun moves to the front first. */
static int fill(cldann_error *e, lines *l) {
  int rc = CLDANN_OK, code = Z_OK, got;
  memmove(l->text, l->text + l->at, l->end - l->at);
  l->end -= l->at;
  l->at = 0;
  if (l->room - l->end < STEP) {
    TRY(mem_resize(e, &l->text, l->room ? 2 * l->room : 2 * STEP, 1));
    l->room = l->room ? 2 * l->room : 2 * STEP;
  }
  got = gzread(l->file, l->text + l->end, STEP - 1); /* room for a final zero */
  const char *why = gzerror(l->file, &code);
  if (code == Z_BUF_ERROR)
    FAIL(e, CLDANN_E_FORMAT, "%s is truncated: the end of the gzip data is missing; fetch it again", l->path);
  if (got < 0)
    FAIL(e, code == Z_ERRNO ? CLDANN_E_IO : CLDANN_E_FORMAT, "%s is damaged: %.80s; fetch or make it again", l->path,
         code == Z_ERRNO ? strerror(errno) : why);
  if (memchr(l->text + l->end, 0, (size_t)got))
    FAIL(e, CLDANN_E_FORMAT, "%s has zero bytes behind line %ld and is no text file; give another file", l->path, l->number);
  l->eof = got == 0;
  l->end += (size_t)got;
fail:
  return rc;
}

int lines_next(cldann_error *e, lines *l, char **line) {
  int rc = CLDANN_OK;
  size_t seen = 0;
  char *end = NULL;
  for (;;) {
    const size_t n = l->end - l->at;
    if (n > seen) end = memchr(l->text + l->at + seen, '\n', n - seen);
    if (end || l->eof) break;
    seen = n;
    if (!l->text) TRY(mem_new(e, &l->text, l->room = 2 * STEP, 1));
    TRY(fill(e, l));
  }
  if (!end && l->at == l->end) return 0;
  if (!end) end = l->text + l->end;
  *line = l->text + l->at;
  l->at = (size_t)(end - l->text) + (end < l->text + l->end);
  l->number++;
  *end = 0;
  if (end > *line && end[-1] == '\r') end[-1] = 0;
  return 1;
fail:
  return rc;
}

void lines_close(lines *l) {
  if (l->file) gzclose(l->file);
  mem_free(l->text);
  memset(l, 0, sizeof *l);
}

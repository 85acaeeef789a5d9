/* base/memo.c: see base/memo.h. */
#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "base/memo.h"

#include <stdlib.h>

#include "base/mem.h"

static int lost(cldann_error *e) {
  return err_set(e, CLDANN_E_MEM, __FILE__, __LINE__, "out of memory for a text; free some memory");
}

int memo_open(cldann_error *e, memo *m) {
  *m = (memo){.f = NULL};
  m->f = open_memstream(&m->text, &m->size);
  return m->f ? CLDANN_OK : lost(e);
}

int memo_end(cldann_error *e, memo *m) {
  const int bad = ferror(m->f);
  const int closed = fclose(m->f);
  m->f = NULL;
  return bad || closed != 0 ? lost(e) : CLDANN_OK;
}

int memo_take(cldann_error *e, memo *m, char **out) {
  int rc;
  TRY(memo_end(e, m));
  TRY(mem_strdup(e, out, m->text));
fail:
  return rc;
}

void memo_free(memo *m) {
  if (m->f) fclose(m->f);
  free(m->text);
  *m = (memo){.f = NULL};
}

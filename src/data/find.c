/* data/find.c: see data/find.h. */
#define _POSIX_C_SOURCE 200809L
#include "data/find.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

static const char *variable(const char *name) {
  const char *v = getenv(name);
  return v && v[0] ? v : NULL;
}

int data_cache_folder(cldann_error *e, char **out) {
  int rc = CLDANN_OK;
  const char *v;
  if ((v = variable("CLDANN_CACHE"))) return mem_strdup(e, out, v);
  if ((v = variable("XDG_CACHE_HOME"))) return text_join(e, out, v, "cldann");
  if ((v = variable("HOME"))) return text_join(e, out, v, ".cache/cldann");
  FAIL(e, CLDANN_E_IO, "no cache folder: neither CLDANN_CACHE nor XDG_CACHE_HOME nor HOME is set; set CLDANN_CACHE");
fail:
  return rc;
}

/* dir/relative or dir/relative.gz when it is there, else *path stays NULL. */
static int probe(cldann_error *e, const char *dir, const char *relative, char **path) {
  int rc = CLDANN_OK;
  char *p = NULL;
  size_t n;
  TRY(text_join(e, &p, dir, relative));
  n = strlen(p);
  TRY(mem_resize(e, &p, n + 4, 1));
  if (access(p, F_OK) != 0) memcpy(p + n, ".gz", 4);
  if (access(p, F_OK) == 0) {
    *path = p;
    p = NULL;
  }
fail:
  mem_free(p);
  return rc;
}

int data_find(cldann_error *e, const char *dir_option, const char *relative, char **path) {
  int rc = CLDANN_OK;
  char *cache = NULL, *found = NULL;
  cldann_error none;
  err_clear(&none);
  if (data_cache_folder(&none, &cache) < 0 && none.code == CLDANN_E_MEM) {
    if (e && !e->code) *e = none;
    return none.code;
  }
  const char *const places[] = {dir_option, variable("CLDANN_DATA"), "", cache};
  for (size_t i = 0; i < sizeof places / sizeof *places && !found; i++)
    if (places[i] && (i == 2 || places[i][0])) TRY(probe(e, places[i], relative, &found));
  if (!found)
    FAIL(e, CLDANN_E_IO, "no %s in --data (%s), CLDANN_DATA (%s), here or in the cache (%s); give --data DIR%s", relative,
         dir_option ? dir_option : "not given", places[1] ? places[1] : "not set", cache ? cache : "none",
         strstr(relative, "bsds") || strstr(relative, "BSR")       ? " or run: cldann data fetch bsds500"
         : strstr(relative, "mnistm")                              ? " or run: cldann data mnist-m"
         : strstr(relative, "mnist") || strstr(relative, "-ubyte") ? " or run: cldann data fetch mnist"
                                                                   : " or another path");
  *path = found;
fail:
  mem_free(cache);
  return rc;
}

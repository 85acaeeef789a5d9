/* base/conftext.c: see base/conftext.h. */
#include "base/conftext.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

enum { BYTES_MAX = 1 << 20 };

static int read_text(cldann_error *e, const char *path, const char *fix, char **out) {
  int rc = CLDANN_OK;
  struct stat st;
  char *text = NULL;
  FILE *f = NULL;
  if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) /* before opening, which waits for ever at a pipe */
    FAIL(e, CLDANN_E_IO, "%s is not a file; %s", path, fix);
  f = fopen(path, "rb");
  if (!f || fstat(fileno(f), &st) != 0) FAIL(e, CLDANN_E_IO, "cannot read %s: %s; %s", path, strerror(errno), fix);
  if (st.st_size > BYTES_MAX) FAIL(e, CLDANN_E_CONFIG, "%s has more than %d bytes; %s", path, BYTES_MAX, fix);
  TRY(mem_new(e, &text, (size_t)st.st_size + 1, 1));
  if (fread(text, 1, (size_t)st.st_size, f) != (size_t)st.st_size)
    FAIL(e, CLDANN_E_IO, "cannot read %s: the file became shorter or the disk failed; try again", path);
  if (strlen(text) != (size_t)st.st_size) FAIL(e, CLDANN_E_CONFIG, "%s has zero bytes; %s", path, fix);
  *out = text;
  text = NULL;
fail:
  mem_free(text);
  if (f) fclose(f);
  return rc;
}

/* The end of the comment or string that starts here, or NULL when none does. */
static const char *skip_quoted(const char *p) {
  if (*p == '#' || (p[0] == '/' && p[1] == '/')) return p + strcspn(p, "\n");
  if (p[0] == '/' && p[1] == '*') {
    const char *end = strstr(p + 2, "*/");
    return end ? end + 2 : p + strlen(p);
  }
  if (*p != '"') return NULL;
  for (p++; *p && *p != '"'; p++)
    if (*p == '\\' && p[1]) p++;
  return *p ? p + 1 : p;
}

/*
 * What libconfig takes without a word but we must not: an integer of more than 32 bits without its L loses its upper
 * bits, and @include of a folder ends the process.
 */
static int check_text(cldann_error *e, const char *path, const char *text) {
  for (const char *p = text, *next; *p; p = next) {
    const char *problem = NULL;
    int line = 1;
    if ((next = skip_quoted(p))) continue;
    next = p + 1;
    if (*p == '@') problem = "@include is not supported; write all in one file";
    if (isalnum((unsigned char)*p) || *p == '_' || *p == '.') {
      const size_t digits = strspn(p, "0123456789");
      next = p + strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");
      errno = 0;
      const long long whole = strtoll(p, NULL, 10);
      if (errno == ERANGE && (digits == (size_t)(next - p) || p[digits] == 'L'))
        problem = "the whole number has more than 64 bits; give a smaller one";
      else if (digits == (size_t)(next - p) && digits > 0 && whole > INT32_MAX)
        problem = "a whole number above 2147483647 needs an L behind it";
    }
    if (!problem) continue;
    for (const char *q = text; q < p; q++) line += *q == '\n';
    return err_set(e, CLDANN_E_CONFIG, __FILE__, __LINE__, "%.180s:%d: %s", path, line, problem);
  }
  return CLDANN_OK;
}

int conftext_parse(cldann_error *e, const char *path, const char *fix, const char *text, config_t *c) {
  int rc;
  TRY(check_text(e, path, text));
  if (!config_read_string(c, text))
    FAIL(e, CLDANN_E_CONFIG, "%.180s:%d: %s; %s", path, config_error_line(c),
         config_error_text(c) ? config_error_text(c) : "out of memory", fix);
fail:
  return rc;
}

int conftext_load(cldann_error *e, const char *path, const char *fix, config_t *c) {
  int rc;
  char *text = NULL;
  TRY(read_text(e, path, fix, &text));
  TRY(conftext_parse(e, path, fix, text, c));
fail:
  mem_free(text);
  return rc;
}

int conftext_is_plain(const char *value) {
  for (const char *p = value, *next; *p; p = next) {
    if (*p == '@' || *p == '\n') return 0;
    next = skip_quoted(p);
    if (!next) next = p + 1;
  }
  return 1;
}

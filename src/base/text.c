/* base/text.c: see base/text.h. */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { TEXT_MAX = 64 }; /* longer names are compared by their first characters */

static int least(int a, int b) {
  return a < b ? a : b;
}

/* Edit distance with insert, delete, replace and swap of neighbours (optimal string alignment); three rolling rows. */
static int text_distance(const char *a, const char *b) {
  int rows[3][TEXT_MAX + 1], *two = rows[0], *one = rows[1], *cur = rows[2];
  int na = least((int)strlen(a), TEXT_MAX), nb = least((int)strlen(b), TEXT_MAX);
  for (int j = 0; j <= nb; j++) one[j] = two[j] = j;
  for (int i = 1; i <= na; i++) {
    int *t = two, ca = tolower((unsigned char)a[i - 1]);
    cur[0] = i;
    for (int j = 1; j <= nb; j++) {
      int cb = tolower((unsigned char)b[j - 1]);
      cur[j] = least(least(one[j], cur[j - 1]) + 1, one[j - 1] + (ca != cb));
      if (i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) && cb == tolower((unsigned char)a[i - 2]))
        cur[j] = least(cur[j], two[j - 2] + 1);
    }
    two = one, one = cur, cur = t;
  }
  return one[nb];
}

const char *text_nearest(const char *name, const char *const *known, size_t n) {
  const char *best = NULL;
  int limit = least((int)strlen(name), TEXT_MAX) / 3, best_distance;
  if (limit < 2) limit = 2;
  best_distance = limit + 1;
  for (size_t i = 0; i < n; i++) {
    int d = text_distance(name, known[i]);
    if (d < best_distance && d < (int)strlen(known[i])) best = known[i], best_distance = d;
  }
  return best;
}

int text_join(cldann_error *e, char **out, const char *dir, const char *name) {
  int rc = CLDANN_OK;
  size_t nd = strlen(dir), nn = strlen(name);
  if (name[0] == '/' || nd == 0) return mem_strdup(e, out, name);
  while (nd > 1 && dir[nd - 1] == '/') nd--;
  TRY(mem_new(e, out, nd + nn + 2, 1));
  memcpy(*out, dir, nd);
  if (dir[nd - 1] != '/') (*out)[nd++] = '/';
  memcpy(*out + nd, name, nn + 1);
fail:
  return rc;
}

const char *text_base(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

int text_ends_with(const char *s, const char *end) {
  size_t ns = strlen(s), ne = strlen(end);
  return ns >= ne && memcmp(s + ns - ne, end, ne) == 0;
}

int text_to_int(cldann_error *e, const char *what, const char *s, int64_t min, int64_t max, int64_t *out) {
  int rc = CLDANN_OK;
  char *end = NULL;
  long long v;
  errno = 0;
  v = strtoll(s, &end, 10);
  if (end == s || *end || isspace((unsigned char)s[0]))
    FAIL(e, CLDANN_E_ARG, "%s: '%.40s' is not a whole number; give one from %lld to %lld", what, s, (long long)min,
         (long long)max);
  if (errno == ERANGE || v < min || v > max)
    FAIL(e, CLDANN_E_ARG, "%s: %.40s is out of range; give a whole number from %lld to %lld", what, s, (long long)min,
         (long long)max);
  *out = v;
fail:
  return rc;
}

const char *text_number(char text[TEXT_NUMBER], double v, int digits) {
  if (isfinite(v))
    snprintf(text, TEXT_NUMBER, "%.*f", digits, v);
  else
    snprintf(text, TEXT_NUMBER, "-");
  return text;
}

const char *text_duration(char text[TEXT_DURATION], double seconds) {
  const int64_t s = isfinite(seconds) && seconds >= 0 && seconds <= 1e8 ? (int64_t)(seconds + 0.5) : -1;
  const int minutes = (int)(s / 60), rest = (int)(s % 60);
  if (s < 0)
    snprintf(text, TEXT_DURATION, "-");
  else if (minutes >= 60)
    snprintf(text, TEXT_DURATION, "%d:%02d:%02d", minutes / 60, minutes % 60, rest);
  else
    snprintf(text, TEXT_DURATION, "%d:%02d", minutes, rest);
  return text;
}

int text_character(const char *s) {
  const unsigned char *u = (const unsigned char *)s;
  const int n = u[0] < 0x80 ? 1 : u[0] >= 0xc2 && u[0] < 0xe0 ? 2 : (u[0] & 0xf0) == 0xe0 ? 3 : (u[0] & 0xf8) == 0xf0 ? 4 : 0;
  unsigned code = n == 1 ? u[0] : n ? u[0] & (0xffu >> (n + 1)) : 0;
  for (int i = 1; i < n; i++) {
    if ((u[i] & 0xc0) != 0x80) return 0;
    code = code << 6 | (u[i] & 0x3fu);
  }
  const int control = code < 0x20 || (code >= 0x7f && code < 0xa0), half = code >= 0xd800 && code < 0xe000;
  const int longer = (n == 3 && code < 0x800) || (n == 4 && code < 0x10000);
  return control || half || longer || code > 0x10ffff || (code & 0xfffe) == 0xfffe ? 0 : n;
}

void text_clean(char *s) {
  while (*s) {
    const int n = text_character(s);
    if (!n) *s = strchr("\t\n\v\f\r", *s) ? ' ' : '?';
    s += n ? n : 1;
  }
}

int text_lines(cldann_error *e, char *text, const char ***lines, int *n) {
  int rc, k = 0;
  *n = 1;
  for (const char *s = text; *s; s++) *n += *s == '\n';
  TRY(mem_new(e, lines, (size_t)*n, sizeof **lines));
  for (char *at = text, *end; at; at = end) {
    if ((end = strchr(at, '\n'))) *end++ = '\0';
    (*lines)[k++] = at;
  }
fail:
  return rc;
}

void text_put_csv(const char *s, FILE *f) {
  const int quoted = s[strcspn(s, ",\"\r\n")] != 0;
  if (quoted) fputc('"', f);
  for (; *s; s++) {
    if (*s == '"') fputc('"', f);
    fputc(*s, f);
  }
  if (quoted) fputc('"', f);
}

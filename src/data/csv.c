/*
 * data/csv.c: text tables: an item a row, numbers between commas, semicolons or tabs, whichever the first row has. One column
 * may hold labels, numbers or names. A row may also be a JSON array of them. A first row of names is a header. Fields may stand
 * in double quotes, on one line. See data/file.h.
 */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "data/classes.h"
#include "data/file.h"
#include "data/lines.h"

enum { COLUMNS_MAX = 1 << 24 };

typedef struct table {
  lines l;
  char separator;
  int columns, label; /* label: which column, -1: none */
  char **field;       /* (columns) of the row just split */
  int n;
  size_t room;
  float *x; /* (n, columns without the label's) */
  int32_t *y;
  class_list classes;
} table;

static char separator_of(const char *line) {
  return strchr(line, '\t') ? '\t' : strchr(line, ';') ? ';' : ',';
}

static char *trim_field(char *s) {
  char *end = s + strlen(s);
  while (isspace((unsigned char)*s)) s++;
  while (end > s && isspace((unsigned char)end[-1])) *--end = 0;
  return s;
}

/* The field at *at, which moves behind its separator; NULL then at the end of the row. Undoes quotes in place. */
static int next_field(cldann_error *e, table *t, char **at, char **field) {
  int rc = CLDANN_OK;
  char *p = *at, *to, *end;
  while (*p == ' ') p++;
  if (*p != '"') {
    end = strchr(*at, t->separator);
    *field = *at;
  } else {
    *field = to = ++p;
    for (; *p && (*p != '"' || p[1] == '"'); p++) {
      if (*p == '"') p++;
      *to++ = *p;
    }
    if (*p != '"') LINES_FAIL(e, &t->l, "a field in quotes does not end on its line; '%.20s'", *field);
    p++;
    *to = 0;
    while (*p == ' ' || (*p == '\t' && t->separator != '\t')) p++;
    if (*p && *p != t->separator) LINES_FAIL(e, &t->l, "text stands behind a field in quotes: '%.20s'", p);
    end = *p ? p : NULL;
  }
  if (end) *end = 0;
  *at = end ? end + 1 : NULL;
  *field = trim_field(*field);
fail:
  return rc;
}

/* Splits a row; the first one says how many columns there are. */
static int split(cldann_error *e, table *t, char *line) {
  int rc = CLDANN_OK, n = 0, room = t->columns;
  const int first = t->columns == 0;
  for (char *at = line; at; n++) {
    char *field;
    TRY(next_field(e, t, &at, &field));
    if (first && n == room) {
      room = room ? 2 * room : 64;
      if (room > COLUMNS_MAX) LINES_FAIL(e, &t->l, "more than %d columns", COLUMNS_MAX);
      TRY(mem_resize(e, &t->field, (size_t)room, sizeof *t->field));
    }
    if (n < room) t->field[n] = field;
  }
  if (first) t->columns = n;
  if (n != t->columns) LINES_FAIL(e, &t->l, "%d columns, but the first row has %d", n, t->columns);
fail:
  return rc;
}

static int is_number(const char *s) {
  char *end;
  (void)strtod(s, &end);
  return end != s && !*end;
}

/* Which column has the labels, and is this first row a header? */
static int understand(cldann_error *e, const file_request *r, table *t, int *header) {
  int rc = CLDANN_OK, names = 0, numbers = 0;
  char *end;
  const long at = r->labels ? strtol(r->labels, &end, 10) : 0;
  *header = 0;
  t->label = -1;
  for (int i = 0; r->labels && i < t->columns; i++)
    if (!strcmp(t->field[i], r->labels)) {
      if (t->label >= 0)
        FAIL(e, CLDANN_E_ARG, "%s has two columns %.60s; give the number of one, as \"%d\"", r->path, r->labels, i);
      t->label = i;
      *header = !is_number(r->labels);
    }
  if (r->labels && !*header) {
    t->label = (int)(at < 0 ? t->columns + at : at);
    if (end == r->labels || *end || at >= t->columns || at < -t->columns)
      FAIL(e, CLDANN_E_ARG,
           "%s has no column %.60s for labels; name one of its first row, or give its number, 0 to %d, -1 the last", r->path,
           r->labels, t->columns - 1);
  }
  for (int i = 0; i < t->columns; i++) {
    if (i == t->label) continue;
    if (is_number(t->field[i]))
      numbers++;
    else
      names++;
  }
  if (!*header && names && numbers)
    LINES_FAIL(e, &t->l, "%d of %d fields are numbers; a first row has numbers only, or is a header of names", numbers,
               names + numbers);
  *header |= names > 0;
  if (t->columns < 2 && t->label >= 0) FAIL(e, CLDANN_E_FORMAT, "%s has no column besides the labels", r->path);
fail:
  return rc;
}

static int add_row(cldann_error *e, table *t) {
  int rc = CLDANN_OK;
  const size_t width = (size_t)(t->columns - (t->label >= 0));
  char where[300], *end;
  if ((size_t)t->n == t->room) {
    const size_t room = t->room ? 2 * t->room : 64;
    if (room > INT32_MAX) LINES_FAIL(e, &t->l, "more than %d rows; split the file", t->n);
    TRY(mem_resize(e, &t->x, room * width, sizeof *t->x));
    TRY(mem_resize(e, &t->y, room, sizeof *t->y));
    t->room = room;
  }
  float *x = t->x + (size_t)t->n * width;
  snprintf(where, sizeof where, "%.200s:%ld", t->l.path, t->l.number);
  for (int i = 0; i < t->columns; i++) {
    if (i == t->label) {
      TRY(classes_add(e, &t->classes, where, t->field[i], &t->y[t->n]));
      continue;
    }
    const double v = strtod(t->field[i], &end);
    if ((end == t->field[i] || *end) && t->label >= 0)
      LINES_FAIL(e, &t->l, "column %d (from 0): '%.30s' is not a number", i, t->field[i]);
    if (end == t->field[i] || *end)
      LINES_FAIL(e, &t->l, "column %d (from 0): '%.30s' is not a number; where it is the label, give the set labels = \"%d\"",
                 i, t->field[i], i);
    if (!isfinite((float)v))
      LINES_FAIL(e, &t->l, "column %d (from 0): %.30s is not a finite float; take the row out or put a number there", i,
                 t->field[i]);
    *x++ = (float)v;
  }
  t->n++;
fail:
  return rc;
}

/* A row may be a JSON array: it is what stands between its brackets. */
static char *open_array(char *line) {
  char *row = trim_field(line);
  const size_t n = strlen(row);
  if (n < 2 || row[0] != '[' || row[n - 1] != ']') return line;
  row[n - 1] = 0;
  return row + 1;
}

static int read_rows(cldann_error *e, const file_request *r, table *t) {
  int rc, header = 0;
  char *line;
  while ((rc = lines_next(e, &t->l, &line)) > 0) {
    if (t->l.number == 1 && !strncmp(line, "\xef\xbb\xbf", 3)) line += 3;
    if (!line[strspn(line, " \t")]) continue;
    line = open_array(line);
    const int first = t->columns == 0;
    if (first) t->separator = separator_of(line);
    TRY(split(e, t, line));
    if (first) TRY(understand(e, r, t, &header));
    if (!first || !header) TRY(add_row(e, t));
  }
  TRY(rc);
  if (t->n == 0) FAIL(e, CLDANN_E_FORMAT, "%s has no rows of numbers", r->path);
fail:
  return rc;
}

static int csv_read(cldann_error *e, const file_request *r, dataset **out) {
  int rc;
  table t = {.label = -1};
  dataset *d = NULL;
  TRY(lines_open(e, &t.l, r->path));
  TRY(read_rows(e, r, &t));
  TRY(dataset_new(e, &d, text_base(r->path), DATA_F32, t.n, 1, 1, t.columns - (t.label >= 0), t.label >= 0));
  memcpy(d->x, t.x, (size_t)d->n * dataset_item_bytes(d));
  if (d->y) {
    memcpy(d->y, t.y, (size_t)d->n * sizeof *d->y);
    TRY(classes_settle(e, d, &t.classes));
  }
  *out = d;
  d = NULL;
fail:
  dataset_free(d);
  lines_close(&t.l);
  classes_free(&t.classes);
  mem_free(t.field);
  mem_free(t.x);
  mem_free(t.y);
  return rc;
}

/* Text whose first row has a separator. Other formats of text come first in the table. */
static int csv_probe(const file_head *h) {
  const char *line = h->bytes + strspn(h->bytes, " \r\n");
  const size_t n = strcspn(line, "\n");
  return !h->is_folder && strlen(h->bytes) == h->n &&
         (line[0] == '[' || memchr(line, ',', n) || memchr(line, ';', n) || memchr(line, '\t', n));
}

const file_format format_csv = {"csv", csv_probe, csv_read, FILE_LABELS | FILE_SHAPE};

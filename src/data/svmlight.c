/*
 * data/svmlight.c: text rows "label index:value index:value ... # comment", as svmlight and libsvm write them. Indices rise
 * within a row and are taken as they are: one file's column 7 is every file's column 7, whether its writer counted from 0 or
 * from 1. The set is sparse, as the file is. See data/file.h.
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

enum { WIDTH_MAX = 1 << 24, ROWS_MAX = 1 << 30 };

typedef struct sparse {
  int n, width;
  size_t entries, room, row_room;
  size_t *end; /* (n): where row i ends */
  int32_t *y;
  int32_t *column; /* (entries) */
  float *value;
  class_list classes;
} sparse;

static void sparse_free(sparse *s) {
  mem_free(s->end);
  mem_free(s->y);
  mem_free(s->column);
  mem_free(s->value);
  classes_free(&s->classes);
}

static int sparse_grow(cldann_error *e, sparse *s) {
  int rc = CLDANN_OK;
  if (s->entries == s->room) {
    const size_t room = s->room ? 2 * s->room : 4096;
    TRY(mem_resize(e, &s->column, room, sizeof *s->column));
    TRY(mem_resize(e, &s->value, room, sizeof *s->value));
    s->room = room;
  }
  if ((size_t)s->n == s->row_room) {
    const size_t room = s->row_room ? 2 * s->row_room : 1024;
    TRY(mem_resize(e, &s->end, room, sizeof *s->end));
    TRY(mem_resize(e, &s->y, room, sizeof *s->y));
    s->row_room = room;
  }
fail:
  return rc;
}

static char *skip_space(char *p) {
  while (*p == ' ' || *p == '\t') p++;
  return p;
}

/* One "index:value" at *at; `last` is the index before it. */
static int read_entry(cldann_error *e, const lines *l, const file_request *r, sparse *s, char **at, long *last) {
  int rc = CLDANN_OK;
  char *end, *p = *at;
  const long index = strtol(p, &end, 10);
  if (!strncmp(p, "qid:", 4)) { /* of ranking; means nothing here */
    *at = p + strcspn(p, " \t");
    return CLDANN_OK;
  }
  if (end == p || *end != ':' || !isdigit((unsigned char)*p))
    LINES_FAIL(e, l, "'%.30s' is not index:value; write each row as label index:value ...", p);
  if (index <= *last) LINES_FAIL(e, l, "index %ld stands behind %ld; the indices of a row must rise", index, *last);
  if (r->width > 0 && index >= r->width)
    LINES_FAIL(e, l, "index %ld is beyond the width %d; give a width that holds all indices of all sets", index, r->width);
  if (index >= WIDTH_MAX)
    LINES_FAIL(e, l, "index %ld is beyond the width %d, the most there is; is it an index?", index, WIDTH_MAX);
  p = end + 1;
  const double v = strtod(p, &end);
  if (end == p || isspace((unsigned char)*p) || (*end && !isspace((unsigned char)*end)))
    LINES_FAIL(e, l, "index %ld: '%.30s' is not a number", index, p);
  if (!isfinite((float)v))
    LINES_FAIL(e, l, "index %ld: the value %.30s is not a finite float; take the row out or put a number there", index, p);
  TRY(sparse_grow(e, s));
  s->column[s->entries] = (int32_t)index;
  s->value[s->entries++] = (float)v;
  *last = index;
  if (index >= s->width) s->width = (int)index + 1;
  *at = end;
fail:
  return rc;
}

static int read_row(cldann_error *e, const lines *l, const file_request *r, sparse *s, char *line) {
  int rc = CLDANN_OK;
  char where[300], *p, *end;
  long last = -1;
  line[strcspn(line, "#")] = 0;
  p = skip_space(line);
  if (!*p) return CLDANN_OK;
  const double label = strtod(p, &end);
  if (end == p || (*end && !isspace((unsigned char)*end)))
    LINES_FAIL(e, l, "the row begins with '%.30s', not with a label, which is a number", p);
  if (s->n == ROWS_MAX) LINES_FAIL(e, l, "more than %d rows; split the file", ROWS_MAX);
  snprintf(where, sizeof where, "%.200s:%ld", l->path, l->number);
  TRY(sparse_grow(e, s));
  TRY(classes_add_number(e, &s->classes, where, label, &s->y[s->n]));
  for (p = skip_space(end); *p; p = skip_space(p)) TRY(read_entry(e, l, r, s, &p, &last));
  s->end[s->n++] = s->entries;
fail:
  return rc;
}

static int to_dataset(cldann_error *e, const file_request *r, sparse *s, dataset **out) {
  int rc = CLDANN_OK;
  dataset *d = NULL;
  const int width = r->width > 0 ? r->width : s->width;
  TRY(dataset_new_sparse(e, &d, text_base(r->path), s->n, 1, 1, width, s->entries, 1));
  for (int i = 0; i < s->n; i++) d->offsets[i + 1] = (int32_t)s->end[i];
  if (s->entries) memcpy(d->x, s->value, s->entries * sizeof *s->value);
  if (s->entries) memcpy(d->columns, s->column, s->entries * sizeof *s->column);
  memcpy(d->y, s->y, (size_t)s->n * sizeof *d->y);
  TRY(classes_settle(e, d, &s->classes));
  *out = d;
  d = NULL;
fail:
  dataset_free(d);
  return rc;
}

static int svmlight_read(cldann_error *e, const file_request *r, dataset **out) {
  int rc;
  lines l = {0};
  sparse s = {0};
  char *line;
  TRY(lines_open(e, &l, r->path));
  while ((rc = lines_next(e, &l, &line)) > 0) TRY(read_row(e, &l, r, &s, line));
  TRY(rc);
  if (s.n == 0 || (s.width == 0 && r->width == 0))
    FAIL(e, CLDANN_E_FORMAT, "%s has no %s; write each row as label index:value ...", r->path, s.n ? "values" : "rows");
  TRY(to_dataset(e, r, &s, out));
fail:
  lines_close(&l);
  sparse_free(&s);
  return rc;
}

/* The first row that is more than a comment: a number, then index:value. */
static int svmlight_probe(const file_head *h) {
  const char *p = h->bytes;
  char *end;
  if (h->is_folder || strlen(h->bytes) < h->n) return 0;
  while (*p && (isspace((unsigned char)*p) || *p == '#')) p += *p == '#' ? strcspn(p, "\n") : 1;
  (void)strtod(p, &end);
  if (end == p || (*end != ' ' && *end != '\t')) return 0;
  p = end + strspn(end, " \t");
  if (!strncmp(p, "qid:", 4)) return 1;
  const size_t digits = strspn(p, "0123456789");
  return digits > 0 && p[digits] == ':';
}

const file_format format_svmlight = {"svmlight", svmlight_probe, svmlight_read, FILE_WIDTH | FILE_SHAPE};

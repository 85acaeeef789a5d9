/* train/metrics.c: see train/metrics.h. */
#define _POSIX_C_SOURCE 200809L
#include "train/metrics.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/memo.h"
#include "base/text.h"
#include "data/place.h"
#include "data/record.h"
#include "train/figures.h"
#include "train/tensorboard.h"

struct metrics {
  record *lines, *rows; /* metrics.jsonl, metrics.csv */
  tensorboard *board;   /* NULL: no event files */
  char *folder;
  int made; /* metrics_open made the folder, and nothing was recorded yet */
  int held; /* the folder's lock; -1: none */
};

json_t *metrics_number(double v) {
  return isfinite(v) ? json_real(v) : json_null();
}

json_t *metrics_text(const char *s) {
  static const char lost[] = "\xef\xbf\xbd";
  cldann_error e = {0};
  memo text;
  json_t *o = json_string(s);
  if (o || memo_open(&e, &text) < 0) return o;
  for (int n; *s; s += n ? n : 1) {
    n = (unsigned char)*s < 0x80 ? 1 : text_character(s);
    fwrite(n ? s : lost, 1, n ? (size_t)n : sizeof lost - 1, text.f);
  }
  if (memo_end(&e, &text) == 0) o = json_string(text.text);
  memo_free(&text);
  return o;
}

/* Takes v; a NULL v is memory that was refused. */
static int put(json_t *o, const char *key, json_t *v) {
  return json_object_set_new(o, key, v);
}

/* Drops an object of which a member is missing: all or nothing. */
static json_t *whole(json_t *o, int bad) {
  if (!o || !bad) return o;
  json_decref(o);
  return NULL;
}

/* The members that a table of figures names; of a key's parts, an array. */
static int put_figures(json_t *o, const figure *f, const void *of) {
  int bad = 0;
  for (; f->key; f++) {
    if (f->kind == FIGURE_WHOLE) {
      int64_t v;
      memcpy(&v, (const char *)of + f->at, sizeof v);
      bad |= put(o, f->key, json_integer(v));
    } else if (f->kind == FIGURE_NUMBER) {
      bad |= put(o, f->key, metrics_number(figure_of(f, of)));
    } else {
      if (!json_object_get(o, f->key)) bad |= put(o, f->key, json_array());
      bad |= json_array_append_new(json_object_get(o, f->key), metrics_number(figure_of(f, of)));
    }
  }
  return bad;
}

json_t *metrics_progress_json(const cldann_progress *p) {
  json_t *o = json_object();
  int bad = put(o, "type", json_string("progress"));
  bad |= put_figures(o, window_figures, p);
  return whole(o, bad);
}

json_t *metrics_result_json(const cldann_result *r) {
  json_t *o = json_object();
  int bad = put(o, "type", json_string("result"));
  bad |= put(o, "method", json_string(r->method));
  /* JSON integers here have 63 bits; a larger seed keeps its digits as text. */
  if (r->seed <= INT64_MAX)
    bad |= put(o, "seed", json_integer((json_int_t)r->seed));
  else
    bad |= put(o, "seed", json_sprintf("%llu", (unsigned long long)r->seed));
  bad |= put_figures(o, result_figures, r);
  bad |= put(o, "device", json_string(r->device));
  return whole(o, bad);
}

int metrics_line(cldann_error *e, FILE *f, const char *name, json_t *object) {
  int rc = CLDANN_OK;
  if (!object) FAIL(e, CLDANN_E_MEM, "out of memory for a line of %s; free some memory", name);
  errno = 0;
  if (json_dumpf(object, f, JSON_REAL_PRECISION(9)) != 0 || putc('\n', f) == EOF || fflush(f) != 0)
    FAIL(e, CLDANN_E_IO, "cannot write %s: %s; free some space or choose another place", name,
         errno ? strerror(errno) : "the text is refused");
fail:
  json_decref(object);
  return rc;
}

/* ---- the files ---- */

/* A line of metrics.csv: a cell for each number of a window, or its name. The object says which there are, and their order. */
static void put_row(const json_t *window, int names, FILE *f) {
  static const char *const branches[] = {"features", "label_head", "domain_head"};
  const char *key, *comma = "";
  json_t *value, *one;
  size_t i;
  json_object_foreach((json_t *)window, key, value) {
    if (json_is_string(value)) continue; /* its type */
    const size_t n = json_is_array(value) ? json_array_size(value) : 0;
    for (i = 0; i < (n ? n : 1); i++, comma = ",") {
      one = n ? json_array_get(value, i) : value;
      fputs(comma, f);
      if (names)
        fprintf(f, "%s%s%s", key, n ? "_" : "", n ? branches[i] : "");
      else if (json_is_integer(one))
        fprintf(f, "%lld", (long long)json_integer_value(one));
      else if (json_is_real(one))
        fprintf(f, "%.9g", json_real_value(one));
    }
  }
  fputc('\n', f);
}

/* The names of the columns. */
static int put_head(cldann_error *e, FILE *f) {
  json_t *any = metrics_progress_json(&(cldann_progress){0});
  if (!any) return err_set(e, CLDANN_E_MEM, __FILE__, __LINE__, "out of memory for the head of metrics.csv");
  put_row(any, 1, f);
  json_decref(any);
  return CLDANN_OK;
}

static int open_record(cldann_error *e, const char *dir, const char *name, record **out) {
  char *path = NULL;
  int rc;
  TRY(text_join(e, &path, dir, name));
  TRY(record_open(e, path, out));
fail:
  mem_free(path);
  return rc;
}

int metrics_open(cldann_error *e, const char *out_dir, int events, metrics **out) {
  int rc = CLDANN_OK;
  metrics *m = NULL;
  *out = NULL;
  if (!out_dir) return CLDANN_OK;
  TRY(mem_new(e, &m, 1, sizeof *m));
  m->held = -1;
  if (events) TRY(tensorboard_open(e, out_dir, &m->board));
  TRY(mem_strdup(e, &m->folder, out_dir));
  TRY(place_folder(e, out_dir, &m->made));
  TRY(place_hold(e, out_dir, &m->held));
  TRY(open_record(e, out_dir, "metrics.jsonl", &m->lines));
  TRY(open_record(e, out_dir, "metrics.csv", &m->rows));
  *out = m;
  return CLDANN_OK;
fail:
  metrics_close(m);
  return rc;
}

int metrics_start(cldann_error *e, metrics *m) {
  memo head = {0};
  int rc = CLDANN_OK;
  if (!m) return CLDANN_OK;
  m->made = 0;
  TRY(record_start(e, m->lines));
  TRY(record_start(e, m->rows));
  TRY(memo_open(e, &head));
  TRY(put_head(e, head.f));
  TRY(memo_end(e, &head));
  TRY(record_add(e, m->rows, head.text, head.size));
  TRY(tensorboard_clear(e, m->folder));
  if (m->board) TRY(tensorboard_start(e, m->board, 0));
fail:
  memo_free(&head);
  return rc;
}

/* Both files are made anew, whole, from the lines that stay. */
int metrics_rewind(cldann_error *e, metrics *m, int64_t step) {
  FILE *f = m ? fopen(record_path(m->lines), "r") : NULL;
  memo lines = {0}, rows = {0};
  char *line = NULL;
  size_t room = 0;
  int rc = CLDANN_OK;
  if (!m) return CLDANN_OK;
  m->made = 0;
  if (!f) FAIL(e, CLDANN_E_IO, "cannot read %s: %s; it is needed to go on", record_path(m->lines), strerror(errno));
  TRY(memo_open(e, &lines));
  TRY(memo_open(e, &rows));
  TRY(put_head(e, rows.f));
  while (getline(&line, &room, f) > 0) {
    json_t *o = json_loads(line, 0, NULL);
    const char *type = json_string_value(json_object_get(o, "type"));
    if (type && strcmp(type, "result") != 0 && json_integer_value(json_object_get(o, "step")) <= step) {
      fputs(line, lines.f);
      if (!strcmp(type, "progress")) put_row(o, 0, rows.f);
    }
    json_decref(o);
  }
  TRY(memo_end(e, &lines));
  TRY(memo_end(e, &rows));
  TRY(record_replace(e, m->lines, lines.text, lines.size));
  TRY(record_replace(e, m->rows, rows.text, rows.size));
  if (m->board) TRY(tensorboard_start(e, m->board, step));
fail:
  if (f) fclose(f);
  free(line);
  memo_free(&lines);
  memo_free(&rows);
  return rc;
}

/* Takes the object, which may be NULL. */
static int put_line(cldann_error *e, metrics *m, json_t *object) {
  memo d = {0};
  int rc;
  TRY(memo_open(e, &d));
  TRY(metrics_line(e, d.f, record_path(m->lines), json_incref(object)));
  TRY(memo_end(e, &d));
  TRY(record_add(e, m->lines, d.text, d.size));
fail:
  json_decref(object);
  memo_free(&d);
  return rc;
}

int metrics_write(cldann_error *e, metrics *m, const cldann_progress *p) {
  memo row = {0};
  json_t *o;
  int rc = CLDANN_OK;
  if (!m) return CLDANN_OK;
  o = metrics_progress_json(p);
  TRY(put_line(e, m, json_incref(o)));
  TRY(memo_open(e, &row));
  put_row(o, 0, row.f);
  TRY(memo_end(e, &row));
  TRY(record_add(e, m->rows, row.text, row.size));
  if (m->board) TRY(tensorboard_progress(e, m->board, p));
fail:
  json_decref(o);
  memo_free(&row);
  return rc;
}

int metrics_warning(cldann_error *e, metrics *m, int64_t step, const char *text) {
  return m ? put_line(e, m, json_pack("{s:s, s:I, s:s}", "type", "warning", "step", (json_int_t)step, "text", text))
           : CLDANN_OK;
}

int metrics_result(cldann_error *e, metrics *m, const cldann_result *r) {
  int rc = CLDANN_OK;
  if (!m) return CLDANN_OK;
  TRY(put_line(e, m, metrics_result_json(r)));
  if (m->board) TRY(tensorboard_result(e, m->board, r));
fail:
  return rc;
}

void metrics_close(metrics *m) {
  if (!m) return;
  record_close(m->lines);
  record_close(m->rows);
  tensorboard_close(m->board);
  if (m->made) rmdir(m->folder);
  if (m->held >= 0) close(m->held);
  mem_free(m->folder);
  mem_free(m);
}

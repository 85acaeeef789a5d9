/* train/history.c: see train/history.h. */
#include "train/history.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/text.h"
#include "train/figures.h"
#include "train/trainer_internal.h"

static double number_of(const json_t *v) {
  return json_is_number(v) ? json_number_value(v) : NAN;
}

static const char *text_of(const json_t *o, const char *key) {
  const char *text = json_string_value(json_object_get(o, key));
  return text ? text : "";
}

static void take_figures(const json_t *o, const figure *all, void *to) {
  size_t k = 0; /* which of its key's parts */
  for (const figure *f = all; f->key; f++) {
    const json_t *v = json_object_get(o, f->key);
    k = f > all && !strcmp(f[-1].key, f->key) ? k + 1 : 0;
    if (f->kind == FIGURE_WHOLE)
      memcpy((char *)to + f->at, &(int64_t){json_integer_value(v)}, sizeof(int64_t));
    else
      memcpy((char *)to + f->at, &(double){number_of(f->kind == FIGURE_PART ? json_array_get(v, k) : v)}, sizeof(double));
  }
}

static int take_window(cldann_error *e, history *h, const json_t *o) {
  int rc;
  TRY(mem_resize(e, &h->windows, (size_t)h->n + 1, sizeof *h->windows));
  take_figures(o, window_figures, &h->windows[h->n++]);
fail:
  return rc;
}

static int take_warning(cldann_error *e, history *h, const json_t *o) {
  int rc;
  TRY(mem_resize(e, &h->warnings, (size_t)h->n_warnings + 1, sizeof *h->warnings));
  h->warnings[h->n_warnings] = (history_warning){.step = json_integer_value(json_object_get(o, "step"))};
  TRY(mem_strdup(e, &h->warnings[h->n_warnings++].text, text_of(o, "text")));
fail:
  return rc;
}

static void take_result(history *h, const json_t *o) {
  cldann_result *r = &h->result;
  const json_t *seed = json_object_get(o, "seed"); /* a text where it has more than 63 bits */
  snprintf(r->method, sizeof r->method, "%s", text_of(o, "method"));
  snprintf(r->device, sizeof r->device, "%s", text_of(o, "device"));
  r->seed = json_is_string(seed) ? strtoull(json_string_value(seed), NULL, 10) : (uint64_t)json_integer_value(seed);
  take_figures(o, result_figures, r);
  h->done = 1;
}

/* Types that are not known are left out: a later version may have more. */
static int take_line(cldann_error *e, history *h, const json_t *o) {
  const char *type = text_of(o, "type");
  if (!strcmp(type, "progress")) return take_window(e, h, o);
  if (!strcmp(type, "warning")) return take_warning(e, h, o);
  if (!strcmp(type, "result")) take_result(h, o);
  return CLDANN_OK;
}

int history_read(cldann_error *e, const char *dir, history *h) {
  char *path = NULL, *line = NULL;
  size_t room = 0;
  json_t *o = NULL;
  FILE *f = NULL;
  struct stat st;
  json_error_t why;
  int rc;
  *h = (history){.result = result_unknown};
  TRY(text_join(e, &path, dir, "metrics.jsonl"));
  if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) /* before opening, which waits for ever at a pipe */
    FAIL(e, CLDANN_E_IO, "%s is not a file; name a folder that 'cldann train --out' made", path);
  if (!(f = fopen(path, "r")))
    FAIL(e, CLDANN_E_IO, "%s: %s; name a folder that 'cldann train --out' made", path, strerror(errno));
  for (int at = 1; getline(&line, &room, f) > 0; at++) {
    if (h->cut) FAIL(e, CLDANN_E_FORMAT, "%s:%d: this line is no JSON object; the file is damaged", path, at - 1);
    o = json_loads(line, 0, &why);
    if (!o && !why.text[0]) FAIL(e, CLDANN_E_MEM, "out of memory for %s", path);
    h->cut = !json_is_object(o);
    TRY(h->cut ? CLDANN_OK : take_line(e, h, o));
    json_decref(o);
    o = NULL;
  }
  if (ferror(f)) FAIL(e, CLDANN_E_IO, "cannot read %s: %s", path, strerror(errno));
fail:
  json_decref(o);
  if (f) fclose(f);
  free(line);
  mem_free(path);
  return rc;
}

void history_free(history *h) {
  for (int i = 0; i < h->n_warnings; i++) mem_free(h->warnings[i].text);
  mem_free(h->warnings);
  mem_free(h->windows);
  *h = (history){.n = 0};
}

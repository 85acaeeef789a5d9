/* train/metrics.c: see train/metrics.h. */
#define _POSIX_C_SOURCE 200809L
#include "train/metrics.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "data/place.h"

struct metrics {
  FILE *file;
  char *path;
  char *folder;
  int fresh, made; /* metrics_open made the file, the folder, and nothing was recorded yet */
};

json_t *metrics_number(double v) {
  return isfinite(v) ? json_real(v) : json_null();
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

json_t *metrics_progress_json(const cldann_progress *p) {
  json_t *o = json_object(), *norms = json_array();
  int bad = put(o, "type", json_string("progress"));
  bad |= put(o, "step", json_integer(p->step));
  bad |= put(o, "steps", json_integer(p->steps));
  bad |= put(o, "label_loss", metrics_number(p->label_loss));
  bad |= put(o, "domain_loss", metrics_number(p->domain_loss));
  bad |= put(o, "label_accuracy", metrics_number(p->label_accuracy));
  bad |= put(o, "domain_accuracy", metrics_number(p->domain_accuracy));
  bad |= put(o, "domain_accuracy_low", metrics_number(p->domain_accuracy_low));
  bad |= put(o, "domain_accuracy_high", metrics_number(p->domain_accuracy_high));
  bad |= put(o, "domain_accuracy_source", metrics_number(p->domain_accuracy_source));
  bad |= put(o, "domain_accuracy_target", metrics_number(p->domain_accuracy_target));
  bad |= put(o, "validation_accuracy", metrics_number(p->validation_accuracy));
  bad |= put(o, "validation_loss", metrics_number(p->validation_loss));
  bad |= put(o, "lr", metrics_number(p->lr));
  bad |= put(o, "lambda", metrics_number(p->lambda));
  bad |= put(o, "domain_weight", metrics_number(p->domain_weight));
  bad |= put(o, "feature_weight", metrics_number(p->feature_weight));
  for (int i = 0; i < 3; i++) bad |= json_array_append_new(norms, metrics_number(p->gradient_norm[i]));
  bad |= put(o, "gradient_norm", norms);
  bad |= put(o, "samples_per_second", metrics_number(p->samples_per_second));
  bad |= put(o, "seconds", metrics_number(p->seconds));
  bad |= put(o, "eta_seconds", metrics_number(p->eta_seconds));
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
  bad |= put(o, "steps", json_integer(r->steps));
  bad |= put(o, "source_accuracy", metrics_number(r->source_accuracy));
  bad |= put(o, "target_accuracy", metrics_number(r->target_accuracy));
  bad |= put(o, "domain_accuracy", metrics_number(r->domain_accuracy));
  bad |= put(o, "domain_accuracy_source", metrics_number(r->domain_accuracy_source));
  bad |= put(o, "domain_accuracy_target", metrics_number(r->domain_accuracy_target));
  bad |= put(o, "model_step", json_integer(r->model_step));
  bad |= put(o, "validation_accuracy", metrics_number(r->validation_accuracy));
  bad |= put(o, "reverse_accuracy", metrics_number(r->reverse_accuracy));
  bad |= put(o, "last_source_accuracy", metrics_number(r->last_source_accuracy));
  bad |= put(o, "last_target_accuracy", metrics_number(r->last_target_accuracy));
  bad |= put(o, "pad", metrics_number(r->pad));
  bad |= put(o, "svm_source_accuracy", metrics_number(r->svm_source_accuracy));
  bad |= put(o, "svm_target_accuracy", metrics_number(r->svm_target_accuracy));
  bad |= put(o, "source_loss", metrics_number(r->source_loss));
  bad |= put(o, "target_loss", metrics_number(r->target_loss));
  bad |= put(o, "samples_per_second", metrics_number(r->samples_per_second));
  bad |= put(o, "seconds", metrics_number(r->seconds));
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

int metrics_open(cldann_error *e, const char *out_dir, metrics **out) {
  int rc = CLDANN_OK;
  metrics *m = NULL;
  *out = NULL;
  if (!out_dir) return CLDANN_OK;
  TRY(mem_new(e, &m, 1, sizeof *m));
  TRY(mem_strdup(e, &m->folder, out_dir));
  TRY(place_folder(e, out_dir, &m->made));
  TRY(text_join(e, &m->path, out_dir, "metrics.jsonl"));
  m->fresh = access(m->path, F_OK) != 0;
  m->file = fopen(m->path, "a"); /* what an earlier run wrote stays until this one starts */
  if (!m->file) FAIL(e, CLDANN_E_IO, "cannot write %s: %s; give --out a folder that can be written", m->path, strerror(errno));
  *out = m;
  return CLDANN_OK;
fail:
  metrics_close(m);
  return rc;
}

int metrics_start(cldann_error *e, metrics *m) {
  if (!m) return CLDANN_OK;
  m->fresh = m->made = 0;
  /* A device, as /dev/stdout, cannot be cut and need not be. */
  if (ftruncate(fileno(m->file), 0) == 0 || errno == EINVAL) return CLDANN_OK;
  return err_set(e, CLDANN_E_IO, __FILE__, __LINE__, "cannot write %s: %s; choose another --out", m->path, strerror(errno));
}

/* The file is made anew, whole, from the lines that stay. */
int metrics_rewind(cldann_error *e, metrics *m, int64_t step) {
  FILE *f = m ? fopen(m->path, "r") : NULL, *kept;
  char *line = NULL, *text = NULL;
  size_t room = 0, size = 0;
  int rc = CLDANN_OK;
  if (!m) return CLDANN_OK;
  m->fresh = m->made = 0;
  if (!f || !(kept = open_memstream(&text, &size)))
    FAIL(e, CLDANN_E_IO, "cannot read %s: %s; it is needed to go on", m->path, strerror(errno));
  while (getline(&line, &room, f) > 0) {
    json_t *o = json_loads(line, 0, NULL);
    const char *type = json_string_value(json_object_get(o, "type"));
    if (type && strcmp(type, "result") != 0 && json_integer_value(json_object_get(o, "step")) <= step) fputs(line, kept);
    json_decref(o);
  }
  if (fclose(kept) != 0) FAIL(e, CLDANN_E_MEM, "no memory for the lines of %s", m->path);
  TRY(place_whole(e, m->path, text, size));
  if (!(m->file = freopen(m->path, "a", m->file)))
    FAIL(e, CLDANN_E_IO, "cannot write %s: %s; choose another --out", m->path, strerror(errno));
fail:
  if (f) fclose(f);
  free(line);
  free(text);
  return rc;
}

int metrics_write(cldann_error *e, metrics *m, const cldann_progress *p) {
  return m ? metrics_line(e, m->file, m->path, metrics_progress_json(p)) : CLDANN_OK;
}

int metrics_warning(cldann_error *e, metrics *m, int64_t step, const char *text) {
  return m ? metrics_line(e, m->file, m->path,
                          json_pack("{s:s, s:I, s:s}", "type", "warning", "step", (json_int_t)step, "text", text))
           : CLDANN_OK;
}

int metrics_result(cldann_error *e, metrics *m, const cldann_result *r) {
  return m ? metrics_line(e, m->file, m->path, metrics_result_json(r)) : CLDANN_OK;
}

void metrics_close(metrics *m) {
  if (!m) return;
  if (m->file) fclose(m->file);
  if (m->file && m->fresh) unlink(m->path);
  if (m->made) rmdir(m->folder);
  mem_free(m->folder);
  mem_free(m->path);
  mem_free(m);
}

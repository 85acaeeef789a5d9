/* report/runs.c: see report/runs.h. */
#include "report/runs.h"

#include <libconfig.h>
#include <math.h>
#include <string.h>

#include "base/conftext.h"
#include "base/mem.h"
#include "base/text.h"
#include "train/history.h"

typedef struct setting {
  char *key, *value;
} setting;

typedef struct run {
  char *dir, *seed;
  setting *settings; /* in the order of the file, which is the same in all; without the seed */
  int n_settings;
  double target, source, last_target, seconds;
  long long steps;
  int group;
} run;

struct runs {
  run *all;
  int n, groups;
};

/* ---- reading ---- */

static int add_setting(cldann_error *e, run *r, const char *key, const char *value) {
  int rc;
  if (!strcmp(key, "seed")) return mem_strdup(e, &r->seed, value);
  TRY(mem_resize(e, &r->settings, (size_t)r->n_settings + 1, sizeof *r->settings));
  r->settings[r->n_settings] = (setting){NULL, NULL};
  r->n_settings++;
  TRY(mem_strdup(e, &r->settings[r->n_settings - 1].key, key));
  TRY(mem_strdup(e, &r->settings[r->n_settings - 1].value, value));
fail:
  return rc;
}

/* Groups, lists and arrays become keys with dots and numbers: "net.features.0.units". */
static int flatten(cldann_error *e, run *r, const config_setting_t *s, const char *path) {
  char key[300], value[300];
  int rc = CLDANN_OK;
  for (int i = 0; config_setting_is_aggregate(s) && i < config_setting_length(s); i++) {
    const config_setting_t *one = config_setting_get_elem(s, (unsigned)i);
    const char *name = config_setting_name(one);
    if (name)
      snprintf(key, sizeof key, "%s%s%s", path, path[0] ? "." : "", name);
    else
      snprintf(key, sizeof key, "%s.%d", path, i);
    TRY(flatten(e, r, one, key));
  }
  switch (config_setting_type(s)) {
  case CONFIG_TYPE_INT:
  case CONFIG_TYPE_INT64: snprintf(value, sizeof value, "%lld", config_setting_get_int64(s)); break;
  case CONFIG_TYPE_FLOAT: snprintf(value, sizeof value, "%.9g", config_setting_get_float(s)); break;
  case CONFIG_TYPE_BOOL: snprintf(value, sizeof value, "%s", config_setting_get_bool(s) ? "true" : "false"); break;
  case CONFIG_TYPE_STRING: snprintf(value, sizeof value, "%s", config_setting_get_string(s)); break;
  default: return CLDANN_OK;
  }
  TRY(add_setting(e, r, path, value));
fail:
  return rc;
}

static int read_settings(cldann_error *e, run *r) {
  config_t c;
  char *path = NULL;
  int rc;
  config_init(&c);
  TRY(text_join(e, &path, r->dir, "experiment.conf"));
  TRY(conftext_load(e, path, "name folders that 'cldann train --out' made", &c));
  TRY(flatten(e, r, config_root_setting(&c), ""));
fail:
  config_destroy(&c);
  mem_free(path);
  return rc;
}

static int read_result(cldann_error *e, run *r) {
  history h;
  int rc;
  TRY(history_read(e, r->dir, &h));
  if (!h.done)
    FAIL(e, CLDANN_E_FORMAT, "%s/metrics.jsonl has no result: the run did not come to its end; --resume goes on with it",
         r->dir);
  r->target = h.result.target_accuracy, r->source = h.result.source_accuracy;
  r->last_target = h.result.last_target_accuracy, r->seconds = h.result.seconds;
  r->steps = (long long)h.result.steps;
fail:
  history_free(&h);
  return rc;
}

static void forget(run *r) {
  for (int i = 0; i < r->n_settings; i++) mem_free(r->settings[i].key), mem_free(r->settings[i].value);
  mem_free(r->settings);
  mem_free(r->dir);
  mem_free(r->seed);
}

int runs_new(cldann_error *e, runs **out) {
  return mem_new(e, out, 1, sizeof **out);
}

void runs_free(runs *r) {
  if (!r) return;
  for (int i = 0; i < r->n; i++) forget(&r->all[i]);
  mem_free(r->all);
  mem_free(r);
}

static const char *value_of(const run *r, const char *key) {
  for (int i = 0; i < r->n_settings; i++)
    if (!strcmp(r->settings[i].key, key)) return r->settings[i].value;
  return "";
}

static int same_settings(const run *a, const run *b) {
  if (a->n_settings != b->n_settings) return 0;
  for (int i = 0; i < a->n_settings; i++)
    if (strcmp(a->settings[i].key, b->settings[i].key) != 0 || strcmp(a->settings[i].value, b->settings[i].value) != 0)
      return 0;
  return 1;
}

int runs_add(cldann_error *e, runs *r, const char *dir) {
  run one = {.target = NAN, .source = NAN, .last_target = NAN, .seconds = NAN};
  int rc;
  TRY(mem_strdup(e, &one.dir, dir));
  TRY(read_settings(e, &one));
  TRY(read_result(e, &one));
  TRY(mem_resize(e, &r->all, (size_t)r->n + 1, sizeof *r->all));
  one.group = r->groups;
  for (int i = 0; i < r->n && one.group == r->groups; i++)
    if (same_settings(&one, &r->all[i])) one.group = r->all[i].group;
  if (one.group == r->groups) r->groups++;
  r->all[r->n++] = one;
fail:
  if (rc < 0) forget(&one);
  return rc;
}

/* ---- writing ---- */

static const run *first_of(const runs *r, int group) {
  for (int i = 0; i < r->n; i++)
    if (r->all[i].group == group) return &r->all[i];
  return NULL;
}

/* What sets a group apart: "method dann, lambda.max 0.3", of the keys that are not the same in all runs. */
static void put_differences(const runs *r, const run *one, const char *none, FILE *f) {
  int n = 0;
  for (int i = 0; i < one->n_settings; i++) {
    const char *key = one->settings[i].key;
    int differs = 0;
    if (!strcmp(key, "name")) continue;
    for (int k = 0; k < r->n; k++) differs |= strcmp(value_of(&r->all[k], key), one->settings[i].value) != 0;
    if (differs) fprintf(f, "%s%s %s", n++ ? "; " : "", key, one->settings[i].value);
  }
  if (!n) fputs(none, f);
}

/* A line for a group: its figures over the seeds. target: room for one of each run. */
static void put_group(const runs *r, int group, double *target, cells *w) {
  double source = 0;
  int n = 0;
  for (int i = 0; i < r->n; i++)
    if (r->all[i].group == group) target[n++] = r->all[i].target, source += r->all[i].source;
  cells_number(w, cells_mean(target, n), 4);
  cells_number(w, cells_deviation(target, n), 4);
  cells_number(w, source / n, 4);
  cells_number(w, n, 0);
  for (int i = 0; i < n; i++) {
    char text[TEXT_NUMBER];
    fprintf(w->cell.f, "%s%s", i ? " " : "", text_number(text, target[i], 4));
  }
  cells_put(w);
  put_differences(r, first_of(r, group), "no other settings", w->cell.f);
  cells_put(w);
}

static void put_run(const runs *r, const run *one, cells *w) {
  cells_text(w, one->dir);
  cells_number(w, one->group, 0);
  cells_text(w, one->seed ? one->seed : "");
  cells_number(w, one->target, 4);
  cells_number(w, one->source, 4);
  cells_number(w, one->last_target, 4);
  cells_number(w, (double)one->steps, 0);
  put_differences(r, one, "", w->cell.f);
  cells_put(w);
}

int runs_write(cldann_error *e, const runs *r, cells_form form, FILE *f) {
  static const cells_column
      of_groups[] = {{.name = "target", .width = 7}, {.name = "sd", .width = 7}, {.name = "source", .width = 7},
                     {.name = "runs", .width = 4},   {.name = "each"},           {.name = "settings that differ"}},
      of_runs[] = {{.name = "folder"},          {.name = "group"},           {.name = "seed"},
                   {.name = "target_accuracy"}, {.name = "source_accuracy"}, {.name = "last_target_accuracy"},
                   {.name = "steps"},           {.name = "settings"}};
  double *target = NULL;
  cells w = {.to = NULL};
  int rc;
  TRY(mem_new(e, &target, (size_t)r->n + 1, sizeof *target));
  TRY(cells_open(e, f, form, &w));
  if (form == CELLS_CSV) {
    cells_heading(&w, of_runs, sizeof of_runs / sizeof *of_runs);
    for (int i = 0; i < r->n; i++) put_run(r, &r->all[i], &w);
  } else {
    cells_heading(&w, of_groups, sizeof of_groups / sizeof *of_groups);
    for (int g = 0; g < r->groups; g++) put_group(r, g, target, &w);
  }
  rc = cells_close(e, &w);
fail:
  mem_free(target);
  return rc;
}

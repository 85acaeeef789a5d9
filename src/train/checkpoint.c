/* train/checkpoint.c: see train/checkpoint.h. */
#include "train/checkpoint.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "train/tensors.h"
#include "train/validation.h"

enum { STATS = 2 * STAT_WORDS };

/* ---- the files ---- */

static int path_of(cldann_error *e, const char *dir, int64_t step, char **out) {
  char name[64];
  snprintf(name, sizeof name, "checkpoint-%lld.safetensors", (long long)step);
  return text_join(e, out, dir, name);
}

static int newest_first(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x < y) - (x > y);
}

/* The steps that a folder has checkpoints of, the newest first; none where there is no folder. */
static int list(cldann_error *e, const char *dir, int64_t **steps, int *n) {
  DIR *d = opendir(dir);
  const struct dirent *entry;
  int rc = CLDANN_OK;
  *n = 0;
  while (d && (entry = readdir(d))) {
    long long step;
    int end = 0;
    if (sscanf(entry->d_name, "checkpoint-%lld.safetensors%n", &step, &end) != 1 || !end || entry->d_name[end]) continue;
    TRY(mem_resize(e, steps, (size_t)*n + 1, sizeof **steps));
    (*steps)[(*n)++] = step;
  }
  if (*n) qsort(*steps, (size_t)*n, sizeof **steps, newest_first);
fail:
  if (d) closedir(d);
  return rc;
}

/* All but the `keep` newest up to `step`: a later one, damaged or of a run that was given up, is none to go on from. */
static void remove_others(const char *dir, int64_t step, int keep) {
  int64_t *steps = NULL;
  char *path = NULL;
  cldann_error e;
  int n;
  err_clear(&e);
  if (list(&e, dir, &steps, &n) < 0) n = 0;
  for (int i = 0; i < n; i++) {
    if (steps[i] <= step && keep-- > 0) continue;
    if (path_of(&e, dir, steps[i], &path) == 0) unlink(path);
    mem_free(path);
    path = NULL;
  }
  mem_free(steps);
}

int checkpoint_exists(const char *dir) {
  int64_t *steps = NULL;
  cldann_error e;
  int n;
  err_clear(&e);
  const int there = list(&e, dir, &steps, &n) == 0 && n > 0;
  mem_free(steps);
  return there;
}

void checkpoint_remove(const char *dir) {
  remove_others(dir, INT64_MAX, 0);
}

/* ---- what is kept beside the arrays ---- */

static json_t *state_of(const trainer *t) {
  const validation *v = &t->validation;
  json_t *row = json_array(), *told = json_array();
  int bad = 0;
  for (int i = 0; i < HEALTH_SIGNS; i++) {
    bad |= json_array_append_new(row, json_integer(t->health.row[i]));
    bad |= json_array_append_new(told, json_integer(t->health.told[i]));
  }
  if (bad) json_decref(row), row = NULL; /* and json_pack fails */
  return json_pack("{s:I, s:I, s:f, s:I, s:I, s:I, s:f, s:f, s:b, s:o, s:o}", "step", (json_int_t)t->step, "window",
                   (json_int_t)t->window, "seconds", t->seconds, "looks", (json_int_t)v->looks, "best_look",
                   (json_int_t)v->best_look, "best_step", (json_int_t)v->best_step, "best_accuracy", v->best_accuracy,
                   "last_accuracy", v->last_accuracy, "over", v->over, "signs", row, "told", told);
}

static int take_state(trainer *t, const tensor_file *f) {
  validation *v = &t->validation;
  const char *text = tensors_text(f, "state");
  json_error_t why;
  json_t *o = text ? json_loads(text, 0, &why) : NULL, *row, *told;
  json_int_t step = -1, window = -1, looks = 0, best_look = 0, best_step = 0;
  int rc = CLDANN_OK, over = 0;
  if (!o ||
      json_unpack(o, "{s:I, s:I, s:F, s:I, s:I, s:I, s:F, s:F, s:b, s:o, s:o}", "step", &step, "window", &window, "seconds",
                  &t->seconds, "looks", &looks, "best_look", &best_look, "best_step", &best_step, "best_accuracy",
                  &v->best_accuracy, "last_accuracy", &v->last_accuracy, "over", &over, "signs", &row, "told", &told) != 0)
    FAIL(t->err, CLDANN_E_FORMAT, "%s does not say where its training was; it is damaged, or no checkpoint", f->path);
  if (step < 0 || step > t->x->s.steps || window > step || (looks > 0 && !v->held.r))
    FAIL(t->err, CLDANN_E_FORMAT, "%s says step %lld of %lld; it is damaged", f->path, (long long)step,
         (long long)t->x->s.steps);
  t->step = step, t->window = window;
  v->looks = looks, v->best_look = best_look, v->best_step = best_step, v->over = over;
  for (size_t i = 0; i < HEALTH_SIGNS; i++) {
    t->health.row[i] = (int)json_integer_value(json_array_get(row, i));
    t->health.told[i] = (int)json_integer_value(json_array_get(told, i));
  }
fail:
  json_decref(o);
  return rc;
}

/* ---- saving ---- */

static size_t second_moments(const trainer *t) {
  return t->x->s.optimiser.kind == OPT_ADAM ? t->x->net->param_count : 4;
}

/* What the bits depend on beside the experiment; `ways` stands for how each pass of the plan is done. */
typedef struct origin {
  const char *version, *device, *driver, *tuning, *ways;
} origin;

static origin origin_here(const trainer *t, char ways[HASH_HEX]) {
  const device_info *d = device_get_info(t->dev);
  const launches *l = replay_list(t->train);
  hash h;
  hash_init(&h);
  for (int i = 0; i < l->n_decisions; i++) {
    hash_update(&h, l->decisions[i].key, strlen(l->decisions[i].key) + 1);
    hash_update(&h, l->decisions[i].use, strlen(l->decisions[i].use) + 1);
  }
  hash_final(&h, ways);
  return (origin){CLDANN_VERSION, d->name, d->driver, tuning_name(device_get_tuning(t->dev)), ways};
}

static json_t *header_of(const trainer *t, const char *experiment, const char *const *names, const size_t *counts, int n) {
  char ways[HASH_HEX];
  const origin o = origin_here(t, ways);
  json_t *state = state_of(t);
  char *text = state ? json_dumps(state, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
  json_t *h =
      text ? json_pack("{s:{s:s, s:s, s:s, s:s, s:s, s:s, s:s}}", "__metadata__", "cldann", o.version, "device", o.device,
                       "driver", o.driver, "tuning", o.tuning, "ways", o.ways, "experiment", experiment, "state", text)
           : NULL;
  size_t at = 0;
  for (int i = 0; h && i < n; at += counts[i], i++) {
    const int size = (int)counts[i];
    if (json_object_set_new(h, names[i], tensors_entry(&size, 1, at, counts[i])) != 0) json_decref(h), h = NULL;
  }
  json_decref(state);
  free(text);
  return h;
}

int checkpoint_save(trainer *t) {
  static const char *const names[] = {"parameters", "momentum", "second_moment", "statistics", "norms", "join", "best"};
  enum { BLOCKS = sizeof names / sizeof *names };
  const size_t n = t->x->net->param_count, counts[BLOCKS] = {n, n, second_moments(t), STATS, BRANCHES, JOIN_WORDS, n};
  buffer *const from[] = {t->b.params, t->b.m, t->b.v, t->b.stats, t->b.norms, t->b.join};
  const int blocks = t->validation.looks ? BLOCKS : BLOCKS - 1;
  float *all[BLOCKS] = {NULL};
  char *path = NULL, *experiment = NULL;
  int rc;
  TRY(cldann_experiment_text(t->x, &experiment));
  TRY(path_of(t->err, t->o.out_dir, t->step, &path));
  for (int i = 0; i < BLOCKS - 1; i++) {
    TRY(mem_new(t->err, &all[i], counts[i], sizeof **all));
    TRY(buffer_read(from[i], 0, all[i], counts[i] * sizeof **all));
  }
  const float *const block[BLOCKS] = {all[0], all[1], all[2], all[3], all[4], all[5], t->validation.best};
  TRY(tensors_write(t->err, path, header_of(t, experiment, names, counts, blocks), block, counts, blocks, 1));
  remove_others(t->o.out_dir, t->step, t->o.checkpoint_keep > 0 ? t->o.checkpoint_keep : 1);
fail:
  for (int i = 0; i < BLOCKS - 1; i++) mem_free(all[i]);
  mem_free(path);
  mem_free(experiment);
  return rc;
}

/* ---- loading ---- */

/* What memory is granted does not touch the result, and the first line is a remark. */
static int may_differ(const char *line) {
  return !strncmp(line, "device_memory", strlen("device_memory")) || line[0] == '#';
}

/* Line by line, to say what differs: the first three. */
static int same_experiment(trainer *t, const char *path, const char *theirs) {
  enum { TOLD = 3 };
  char *ours = NULL, *a = NULL, *b = NULL, *next_a = NULL, *next_b = NULL, text[360] = "";
  int rc, line = 1, n = 0;
  TRY(cldann_experiment_text(t->x, &ours));
  TRY(mem_strdup(t->err, &a, ours));
  TRY(mem_strdup(t->err, &b, theirs ? theirs : ""));
  char *x = strtok_r(a, "\n", &next_a), *y = strtok_r(b, "\n", &next_b);
  for (; x || y; x = strtok_r(NULL, "\n", &next_a), y = strtok_r(NULL, "\n", &next_b), line++) {
    const size_t used = strlen(text);
    if ((x && y && (!strcmp(x, y) || (may_differ(x) && may_differ(y)))) || n++ >= TOLD) continue;
    snprintf(text + used, sizeof text - used, "%s it has '%.40s', this one '%.40s' (line %d)", used ? ";" : "",
             y ? y + strspn(y, " ") : "", x ? x + strspn(x, " ") : "", line);
  }
  if (n > TOLD) snprintf(text + strlen(text), sizeof text - strlen(text), "; and %d lines more", n - TOLD);
  if (n) FAIL(t->err, CLDANN_E_CONFIG, "%s is of another experiment:%s; go on with that one, or --overwrite", path, text);
fail:
  mem_free(ours);
  mem_free(a);
  mem_free(b);
  return rc;
}

/* On another device a training may go on, but not to the same bits. */
static int say_what_else_differs(trainer *t, const tensor_file *f) {
  char ways[HASH_HEX], text[600] = "";
  const origin o = origin_here(t, ways);
  const char *ways_there = tensors_text(f, "ways");
  const int same_ways = ways_there && !strcmp(ways_there, o.ways);
  const struct {
    const char *what, *key, *here;
  } parts[] = {{"version of cldann", "cldann", o.version},
               {"device", "device", o.device},
               {"driver", "driver", o.driver},
               {"tuning", "tuning", o.tuning}};
  int rc = CLDANN_OK, n = 0;
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    const char *there = tensors_text(f, parts[i].key);
    const size_t used = strlen(text);
    if (!strcmp(parts[i].key, "tuning") ? same_ways : there && !strcmp(there, parts[i].here)) continue;
    snprintf(text + used, sizeof text - used, "%s %s (%.60s, here %.60s)", n++ ? "," : "the checkpoint is of another",
             parts[i].what, there ? there : "?", parts[i].here);
  }
  if (!n) return CLDANN_OK;
  snprintf(text + strlen(text), sizeof text - strlen(text), ": what comes will not be the same bits as without a stop");
  TRY(trainer_warn(t, text));
fail:
  return rc;
}

/* Opens the newest that is as it was written. One of a newer version ends the search, as all that is not damage. */
static int open_newest(trainer *t, char **path, tensor_file *f) {
  int64_t *steps = NULL;
  int n, rc;
  TRY(list(t->err, t->o.out_dir, &steps, &n));
  if (!n) FAIL(t->err, CLDANN_E_IO, "the checkpoints of %s are gone since this training began", t->o.out_dir);
  for (int i = 0; i < n; i++) {
    TRY(path_of(t->err, t->o.out_dir, steps[i], path));
    if ((rc = tensors_open(t->err, *path, "the folder of a training that was stopped", f)) == 0) rc = tensors_check_seal(f);
    if (rc != CLDANN_E_FORMAT || i + 1 == n) break;
    trainer_say(t, "%s; taking the checkpoint of step %lld", t->err->message, (long long)steps[i + 1]);
    err_clear(t->err);
    tensors_close(f);
    mem_free(*path);
    *path = NULL;
  }
fail:
  mem_free(steps);
  return rc;
}

int checkpoint_load(trainer *t) {
  const size_t n = t->x->net->param_count;
  char *path = NULL;
  float *v = NULL;
  tensor_file f = {0};
  int rc;
  const struct {
    const char *name;
    buffer *to;
    size_t count;
  } blocks[] = {
      {"parameters", t->b.params, n},    {"momentum", t->b.m, n},         {"second_moment", t->b.v, second_moments(t)},
      {"statistics", t->b.stats, STATS}, {"norms", t->b.norms, BRANCHES}, {"join", t->b.join, JOIN_WORDS}};
  TRY(open_newest(t, &path, &f));
  TRY(same_experiment(t, path, tensors_text(&f, "experiment")));
  TRY(trainer_warm_up(t)); /* which counts a step: before the statistics come back */
  TRY(take_state(t, &f));
  TRY(mem_new(t->err, &v, n > STATS ? n : STATS, sizeof *v));
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
    TRY(tensors_read(&f, blocks[i].name, NULL, 0, blocks[i].count, v));
    TRY(buffer_write(blocks[i].to, 0, v, blocks[i].count * sizeof *v));
  }
  if (t->validation.looks) TRY(tensors_read(&f, "best", NULL, 0, n, t->validation.best));
  TRY(validation_write_best(t)); /* what lies there may be of a later step, and so may lines */
  TRY(metrics_rewind(t->err, t->metrics, t->window < 0 ? t->step : t->window));
  trainer_say(t, "going on from step %lld of %lld", (long long)t->step, (long long)t->x->s.steps);
  TRY(say_what_else_differs(t, &f));
fail:
  tensors_close(&f);
  mem_free(path);
  mem_free(v);
  return rc;
}

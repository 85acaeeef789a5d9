/* train/checkpoint.c: see train/checkpoint.h. */
#include "train/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "train/tensors.h"

static const char file_name[] = "checkpoint.safetensors";

enum { STATS = 2 * STAT_WORDS };

/* ---- what is kept beside the arrays ---- */

static json_t *state_of(const trainer *t) {
  const validation *v = &t->validation;
  const health *h = &t->health;
  return json_pack("{s:I, s:I, s:f, s:I, s:I, s:I, s:f, s:f, s:b, s:i, s:i, s:i, s:i}", "step", (json_int_t)t->step, "window",
                   (json_int_t)t->window, "seconds", t->seconds, "looks", (json_int_t)v->looks, "best_look",
                   (json_int_t)v->best_look, "best_step", (json_int_t)v->best_step, "best_accuracy", v->best_accuracy,
                   "last_accuracy", v->last_accuracy, "over", v->over, "collapsed", h->collapsed, "perfect", h->perfect,
                   "told_collapsed", h->told_collapsed, "told_perfect", h->told_perfect);
}

static int take_state(trainer *t, const tensor_file *f) {
  validation *v = &t->validation;
  health *h = &t->health;
  const char *text = tensors_text(f, "state");
  json_error_t why;
  json_t *o = text ? json_loads(text, 0, &why) : NULL;
  json_int_t step = -1, window = -1, looks = 0, best_look = 0, best_step = 0;
  int rc = CLDANN_OK, over = 0;
  if (!o ||
      json_unpack(o, "{s:I, s:I, s:F, s:I, s:I, s:I, s:F, s:F, s:b, s:i, s:i, s:i, s:i}", "step", &step, "window", &window,
                  "seconds", &t->seconds, "looks", &looks, "best_look", &best_look, "best_step", &best_step, "best_accuracy",
                  &v->best_accuracy, "last_accuracy", &v->last_accuracy, "over", &over, "collapsed", &h->collapsed, "perfect",
                  &h->perfect, "told_collapsed", &h->told_collapsed, "told_perfect", &h->told_perfect) != 0)
    FAIL(t->err, CLDANN_E_FORMAT, "%s does not say where its training was; it is damaged, or no checkpoint", f->path);
  if (step < 0 || step > t->x->s.steps || window > step || (looks > 0 && !v->held.r))
    FAIL(t->err, CLDANN_E_FORMAT, "%s says step %lld of %lld; it is damaged", f->path, (long long)step,
         (long long)t->x->s.steps);
  t->step = step, t->window = window;
  v->looks = looks, v->best_look = best_look, v->best_step = best_step, v->over = over;
fail:
  json_decref(o);
  return rc;
}

/* ---- saving ---- */

static size_t second_moments(const trainer *t) {
  return t->x->s.optimiser.kind == OPT_ADAM ? t->x->net->param_count : 4;
}

static json_t *header_of(const trainer *t, const char *experiment, const char *const *names, const size_t *counts, int n) {
  const device_info *d = device_get_info(t->dev);
  json_t *state = state_of(t);
  char *text = state ? json_dumps(state, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
  json_t *h = text ? json_pack("{s:{s:s, s:s, s:s, s:s}}", "__metadata__", "cldann", CLDANN_VERSION, "device", d->name,
                               "experiment", experiment, "state", text)
                   : NULL;
  size_t at = 0;
  for (int i = 0; h && i < n; at += counts[i], i++) {
    const int size = (int)counts[i];
    json_object_set_new(h, names[i], tensors_entry(&size, 1, at, counts[i]));
  }
  json_decref(state);
  free(text);
  return h;
}

int checkpoint_save(trainer *t) {
  static const char *const names[] = {"parameters", "momentum", "second_moment", "statistics", "norms", "best"};
  enum { BLOCKS = sizeof names / sizeof *names };
  const size_t n = t->x->net->param_count, counts[BLOCKS] = {n, n, second_moments(t), STATS, BRANCHES, n};
  buffer *const from[] = {t->b.params, t->b.m, t->b.v, t->b.stats, t->b.norms};
  const int blocks = t->validation.looks ? BLOCKS : BLOCKS - 1;
  float *all[BLOCKS] = {NULL};
  char *path = NULL, *experiment = NULL;
  int rc;
  TRY(cldann_experiment_text(t->x, &experiment));
  TRY(text_join(t->err, &path, t->o.out_dir, file_name));
  for (int i = 0; i < BLOCKS - 1; i++) {
    TRY(mem_new(t->err, &all[i], counts[i], sizeof **all));
    TRY(buffer_read(from[i], 0, all[i], counts[i] * sizeof **all));
  }
  const float *const block[BLOCKS] = {all[0], all[1], all[2], all[3], all[4], t->validation.best};
  TRY(tensors_write(t->err, path, header_of(t, experiment, names, counts, blocks), block, counts, blocks));
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

/* Line by line, to say what differs. */
static int same_experiment(trainer *t, const char *path, const char *theirs) {
  char *ours = NULL, *a = NULL, *b = NULL, *next_a = NULL, *next_b = NULL;
  int rc;
  TRY(cldann_experiment_text(t->x, &ours));
  TRY(mem_strdup(t->err, &a, ours));
  TRY(mem_strdup(t->err, &b, theirs ? theirs : ""));
  char *x = strtok_r(a, "\n", &next_a), *y = strtok_r(b, "\n", &next_b);
  for (; x || y; x = strtok_r(NULL, "\n", &next_a), y = strtok_r(NULL, "\n", &next_b)) {
    if (x && y && (!strcmp(x, y) || (may_differ(x) && may_differ(y)))) continue;
    FAIL(t->err, CLDANN_E_CONFIG,
         "%s is of another experiment: it has '%s', this one '%s'; go on with that one, or --overwrite", path,
         y ? y + strspn(y, " ") : "", x ? x + strspn(x, " ") : "");
  }
fail:
  mem_free(ours);
  mem_free(a);
  mem_free(b);
  return rc;
}

static int say_what_else_differs(trainer *t, const tensor_file *f) {
  const char *version = tensors_text(f, "cldann"), *there = tensors_text(f, "device"), *here = device_get_info(t->dev)->name;
  char text[400];
  int rc = CLDANN_OK;
  if (version && there && !strcmp(version, CLDANN_VERSION) && !strcmp(there, here)) return CLDANN_OK;
  snprintf(text, sizeof text,
           "the checkpoint is of cldann %.40s on %.120s, this is %s on %.120s: what comes will not be the same bits as without "
           "a stop",
           version ? version : "?", there ? there : "?", CLDANN_VERSION, here);
  TRY(trainer_warn(t, text));
fail:
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
  } blocks[] = {{"parameters", t->b.params, n},
                {"momentum", t->b.m, n},
                {"second_moment", t->b.v, second_moments(t)},
                {"statistics", t->b.stats, STATS},
                {"norms", t->b.norms, BRANCHES}};
  TRY(text_join(t->err, &path, t->o.out_dir, file_name));
  if (access(path, F_OK) != 0)
    FAIL(t->err, CLDANN_E_IO,
         "there is no %s to go on from; leave --resume out, or name the folder of a training that was stopped", path);
  TRY(tensors_open(t->err, path, "the folder of a training that was stopped", &f));
  TRY(same_experiment(t, path, tensors_text(&f, "experiment")));
  TRY(trainer_warm_up(t)); /* which counts a step: before the statistics come back */
  TRY(take_state(t, &f));
  TRY(mem_new(t->err, &v, n > STATS ? n : STATS, sizeof *v));
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
    TRY(tensors_read(&f, blocks[i].name, NULL, 0, blocks[i].count, v));
    TRY(buffer_write(blocks[i].to, 0, v, blocks[i].count * sizeof *v));
  }
  if (t->validation.looks) TRY(tensors_read(&f, "best", NULL, 0, n, t->validation.best));
  trainer_say(t, "going on from step %lld of %lld", (long long)t->step, (long long)t->x->s.steps);
  TRY(say_what_else_differs(t, &f));
fail:
  tensors_close(&f);
  mem_free(path);
  mem_free(v);
  return rc;
}

void checkpoint_remove(const char *dir) {
  char *path = NULL;
  cldann_error e;
  err_clear(&e);
  if (text_join(&e, &path, dir, file_name) == 0) unlink(path);
  mem_free(path);
}

/*
 * train/tune.c: the choices of a step (ops/choice.h) from outside: listed, timed, tried against the reference, and written to
 * a tuning file. What to try and in which process is the caller's business; src/cli/cmd_tune.c is one.
 */
#include <errno.h>
#include <libconfig.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/conftext.h"
#include "base/mem.h"
#include "base/memo.h"
#include "base/text.h"
#include "data/place.h"
#include "device/tuning.h"
#include "ops/gemm.h"
#include "train/stand.h"

static const double try_seconds = 0.25;

int cldann_use_tuning(cldann *c, const char *file) {
  tuning *t = NULL;
  int rc;
  TRY(tuning_open(&c->err, device_get_info(c->dev), file, &t));
  device_set_tuning(c->dev, t);
fail:
  return rc;
}

const char *cldann_tuning(const cldann *c) {
  return tuning_name(device_get_tuning(c->dev));
}

/* ---- listing ---- */

static int seen_before(const launches *l, int at) {
  for (int i = 0; i < at; i++)
    if (!strcmp(l->decisions[i].key, l->decisions[at].key)) return 1;
  return 0;
}

static void tell(const cldann_tune_options *o, const char *of, const char *use, int tuned, int in_use, double us) {
  cldann_choice c = {.tuned = tuned, .in_use = in_use, .us = us};
  snprintf(c.of, sizeof c.of, "%s", of);
  snprintf(c.use, sizeof c.use, "%s", use);
  if (o->on_choice) o->on_choice(o->user, &c);
}

/* A library's own parameters are one choice for all of its products. */
static void tell_library(const cldann_tune_options *o) {
  for (int k = 0; gemm_library_kernels[k]; k++) {
    tell(o, gemm_library_kernels[k], GEMM_LIBRARY_OWN, 0, 1, 0);
    for (int i = 0; gemm_library_way(k, i); i++) tell(o, gemm_library_kernels[k], gemm_library_way(k, i), 0, 0, 0);
  }
}

int cldann_list_choices(cldann_experiment *x, const cldann_tune_options *o) {
  stand s;
  int rc, library = 0;
  TRY(stand_open(&s, x, o->inference, o->batch, o->entries));
  const launches *l = replay_list(s.r);
  for (int i = 0; i < l->n_decisions; i++) {
    const decision *d = &l->decisions[i];
    if (seen_before(l, i)) continue;
    tell(o, d->key, d->use, d->tuned, 1, 0);
    for (int k = 0; k < d->n_ways; k++)
      if (strcmp(d->ways[k], d->use) != 0) tell(o, d->key, d->ways[k], 0, 0, 0);
    for (int k = 0; k < d->n_variants; k++) {
      tell(o, d->key, d->variants[k], 0, 0, 0);
      library |= !strcmp(d->variants[k], GEMM_LIBRARY);
    }
  }
  if (library) tell_library(o);
fail:
  stand_close(&s);
  return rc;
}

/* ---- timing ---- */

static double time_of(const launches *l, const char *key, const double *us) {
  double sum = 0;
  for (int i = 0; i < l->n_decisions; i++)
    if (!strcmp(l->decisions[i].key, key))
      for (int k = l->decisions[i].first; k < l->decisions[i].last; k++) sum += us[k];
  return sum;
}

static int profile(stand *s, double **us) {
  int rc, repeats;
  TRY(mem_new(s->t->err, us, (size_t)replay_list(s->r)->n, sizeof **us));
  TRY(stand_profile(s, try_seconds, NULL, NULL, *us, &repeats));
fail:
  return rc;
}

int cldann_time_choices(cldann_experiment *x, const cldann_tune_options *o) {
  stand s;
  double *us = NULL;
  int rc;
  TRY(stand_open(&s, x, o->inference, o->batch, o->entries));
  TRY(profile(&s, &us));
  const launches *l = replay_list(s.r);
  for (int i = 0; i < l->n_decisions; i++) {
    const decision *d = &l->decisions[i];
    if (!seen_before(l, i)) tell(o, d->key, d->use, d->tuned, 1, time_of(l, d->key, us));
  }
fail:
  mem_free(us);
  stand_close(&s);
  return rc;
}

/* ---- against the reference ---- */

/* The next tensor of floats that launches first..last-1 write and that outlives them, each once. *at, *arg: where to go on. */
static int next_output(const launches *l, const decision *d, int *at, int *arg, tensor *out) {
  for (; *at < d->last; ++*at, *arg = 0)
    for (const launch *k = &l->list[*at]; *arg < k->n_args;) {
      const launch_arg *a = &k->args[(*arg)++];
      if (a->kind != ARG_TENSOR || !(a->access & ACCESS_WRITE)) continue;
      const vbuf *b = &l->bufs[a->t.buf];
      if (b->elem != 4 || (!b->external && a->t.buf >= d->first_buf)) continue;
      *out = a->t;
      return 1;
    }
  return 0;
}

/* The output of the other plan's decision that is the same tensor: by name, place and size. */
static int same_output(const launches *l, tensor t, const launches *other, const decision *d, tensor *out) {
  int at = d->first, arg = 0;
  while (next_output(other, d, &at, &arg, out))
    if (!strcmp(l->bufs[t.buf].name, other->bufs[out->buf].name) && t.offset == out->offset &&
        tensor_count(t) == tensor_count(*out))
      return 1;
  return 0;
}

static const decision *nth_of(const launches *l, const char *key, int nth) {
  for (int i = 0; i < l->n_decisions; i++)
    if (!strcmp(l->decisions[i].key, key) && nth-- == 0) return &l->decisions[i];
  return NULL;
}

/* Largest difference against largest value: sums of different order differ by a millionth or so, a wrong one by far more. */
static int compare(cldann_error *e, const decision *d, const char *name, const float *got, const float *want, size_t n) {
  const double allowed = 1e-3;
  double most = 0, off = 0;
  int rc = CLDANN_OK;
  for (size_t i = 0; i < n; i++) {
    if (!isfinite(got[i])) off = INFINITY;
    if (fabs((double)want[i]) > most) most = fabs((double)want[i]);
    if (fabs((double)got[i] - (double)want[i]) > off) off = fabs((double)got[i] - (double)want[i]);
  }
  if (off > allowed * most)
    FAIL(e, CLDANN_E_CHECK, "'%s' for '%s' is wrong: %s is off by %.3g of %.3g", d->use, d->key, name, off, most);
fail:
  return rc;
}

static int check_output(stand *s, replay *reference, const decision *mine, const decision *theirs, tensor t) {
  const launches *l = replay_list(s->r), *other = replay_list(reference);
  const size_t n = tensor_count(t);
  float *got = NULL, *want = NULL;
  tensor twin;
  int rc;
  TRY(mem_new(s->t->err, &got, n, sizeof *got));
  TRY(mem_new(s->t->err, &want, n, sizeof *want));
  if (!same_output(l, t, other, theirs, &twin))
    FAIL(s->t->err, CLDANN_E_CHECK, "'%s': the reference has no %s to compare with", mine->key, l->bufs[t.buf].name);
  TRY(stand_prepare(s));
  TRY(replay_run_range(s->r, 1, mine->last));
  TRY(replay_read(s->r, t, got));
  TRY(stand_prepare(s));
  TRY(replay_run_range(reference, 1, theirs->last));
  TRY(replay_read(reference, twin, want));
  TRY(compare(s->t->err, mine, l->bufs[t.buf].name, got, want, n));
fail:
  mem_free(got);
  mem_free(want);
  return rc;
}

/* A second plan, all the same but that `key` is done by the reference: its inputs are the same bits. */
static int check(stand *s, const char *key) {
  plan_spec spec = s->eval.r ? s->eval.spec : s->t->spec;
  launches *l = NULL;
  replay *reference = NULL;
  const decision *mine;
  int rc;
  spec.reference = key;
  TRY(plan_build(s->t->dev, s->x.net, &s->t->b, &spec, &l));
  TRY(replay_new(s->t->dev, l, &reference));
  for (int nth = 0; (mine = nth_of(replay_list(s->r), key, nth)); nth++) {
    const decision *theirs = nth_of(replay_list(reference), key, nth);
    int at = mine->first, arg = 0;
    tensor t;
    while (next_output(replay_list(s->r), mine, &at, &arg, &t)) TRY(check_output(s, reference, mine, theirs, t));
  }
fail:
  device_finish(s->t->dev);
  replay_free(reference);
  return rc;
}

/* ---- trying ---- */

/* A copy of the device's tuning, with the choices added. */
static int add_choices(cldann *c, const cldann_choice *choices, int n, tuning **out) {
  const tuning *now = device_get_tuning(c->dev);
  const char *key, *use;
  tuning *t = NULL;
  int rc;
  TRY(tuning_open(&c->err, device_get_info(c->dev), "none", &t));
  for (int i = 0; i < tuning_count(now); i++) {
    tuning_get(now, i, &key, &use);
    TRY(tuning_set(&c->err, t, key, use));
  }
  for (int i = 0; i < n; i++) TRY(tuning_set(&c->err, t, choices[i].of, choices[i].use));
  *out = t;
  return CLDANN_OK;
fail:
  tuning_free(t);
  return rc;
}

int cldann_try_choices(cldann_experiment *x, const cldann_choice *choices, int n, const cldann_tune_options *o, double *us) {
  cldann_error *e = &x->ctx->err;
  tuning *with = NULL, *before = NULL;
  stand s = {.r = NULL};
  double *all = NULL;
  int rc;
  if (n < 1) FAIL(e, CLDANN_E_ARG, "no choice to try; give at least one");
  TRY(add_choices(x->ctx, NULL, 0, &before));
  TRY(add_choices(x->ctx, choices, n, &with));
  device_set_tuning(x->ctx->dev, with);
  if ((rc = stand_open(&s, x, o->inference, o->batch, o->entries)) == CLDANN_OK) {
    if (!nth_of(replay_list(s.r), choices[0].of, 0))
      rc = err_set(e, CLDANN_E_ARG, __FILE__, __LINE__, "nothing in this step is '%s'; 'cldann plan' lists what there is",
                   choices[0].of);
    if (rc == CLDANN_OK) rc = check(&s, choices[0].of);
    if (rc == CLDANN_OK) rc = profile(&s, &all);
    if (rc == CLDANN_OK) *us = time_of(replay_list(s.r), choices[0].of, all);
  }
  stand_close(&s);
  device_set_tuning(x->ctx->dev, before);
  before = NULL;
fail:
  tuning_free(before);
  mem_free(all);
  return rc;
}

/* ---- writing ---- */

static const char *const opening =
    "# Tuning of kernels, made by cldann tune: which way to do a pass where the rule's is not the fastest. A group of the "
    "list\n"
    "# is for one device and driver (names may be patterns, as a shell's for files). Times are microseconds of a step, of "
    "this\n"
    "# way and of the rule's, when it was measured. 'cldann tune' changes only the group of the device at hand.\n";

static int group_is(const config_setting_t *group, const device_info *d) {
  const char *name = "", *platform = "", *driver = "";
  return config_setting_is_group(group) && config_setting_lookup_string(group, "device", &name) &&
         config_setting_lookup_string(group, "platform", &platform) && config_setting_lookup_string(group, "driver", &driver) &&
         !strcmp(name, d->name) && !strcmp(platform, d->platform) && !strcmp(driver, d->driver);
}

static int of_another_version(const config_setting_t *group) {
  const char *version = CLDANN_VERSION;
  config_setting_lookup_string(group, "version", &version);
  return strcmp(version, CLDANN_VERSION) != 0;
}

static config_setting_t *add_text(config_setting_t *group, const char *key, const char *value) {
  config_setting_t *s = config_setting_add(group, key, CONFIG_TYPE_STRING);
  return s && config_setting_set_string(s, value) ? s : NULL;
}

static config_setting_t *add_number(config_setting_t *group, const char *key, double value) {
  config_setting_t *s = config_setting_add(group, key, CONFIG_TYPE_FLOAT);
  return s && config_setting_set_float(s, round(10 * value) / 10) ? s : NULL;
}

/* The list of choices of the device's group, which is made where there is none. */
static config_setting_t *choices_of(config_t *c, const device_info *d) {
  config_setting_t *all = config_lookup(c, "tuning"), *group = NULL;
  if (!all) all = config_setting_add(config_root_setting(c), "tuning", CONFIG_TYPE_LIST);
  for (int i = 0; all && config_setting_is_list(all) && i < config_setting_length(all) && !group; i++)
    if (group_is(config_setting_get_elem(all, (unsigned)i), d)) group = config_setting_get_elem(all, (unsigned)i);
  if (group && of_another_version(group)) {
    config_setting_remove_elem(all, (unsigned)config_setting_index(group));
    group = NULL;
  }
  if (!group) {
    if (!(group = config_setting_add(all, NULL, CONFIG_TYPE_GROUP))) return NULL;
    if (!add_text(group, "device", d->name) || !add_text(group, "platform", d->platform) ||
        !add_text(group, "driver", d->driver) || !add_text(group, "version", CLDANN_VERSION))
      return NULL;
  }
  config_setting_t *list = config_setting_lookup(group, "choices");
  return list ? list : config_setting_add(group, "choices", CONFIG_TYPE_LIST);
}

/* Removes what the list says of a key. */
static void forget(config_setting_t *list, const char *key) {
  for (int i = config_setting_length(list) - 1; i >= 0; i--) {
    const char *of = NULL;
    const config_setting_t *one = config_setting_get_elem(list, (unsigned)i);
    if (config_setting_is_group(one) && config_setting_lookup_string(one, "of", &of) && !strcmp(of, key))
      config_setting_remove_elem(list, (unsigned)i);
  }
}

/* choices: the chosen way of each key and, with in_use set, the rule's of the same key, for its time. */
static int put_choices(cldann_error *e, config_setting_t *list, const cldann_choice *choices, int n) {
  int rc = CLDANN_OK;
  for (int i = 0; i < n; i++) forget(list, choices[i].of);
  for (int i = 0; i < n; i++) {
    const cldann_choice *c = &choices[i];
    if (c->in_use) continue;
    config_setting_t *one = config_setting_add(list, NULL, CONFIG_TYPE_GROUP);
    int ok = one && add_text(one, "of", c->of) && add_text(one, "use", c->use) && add_number(one, "us", c->us);
    for (int k = 0; ok && k < n; k++)
      if (choices[k].in_use && !strcmp(choices[k].of, c->of)) ok = add_number(one, "rule_us", choices[k].us) != NULL;
    if (!ok) FAIL(e, CLDANN_E_MEM, "out of memory for the tuning file; free some memory");
  }
fail:
  return rc;
}

static int read_old(cldann_error *e, config_t *c, const char *path) {
  if (access(path, F_OK) != 0 && errno == ENOENT) return CLDANN_OK;
  return conftext_load(e, path, "mend it, or name another file with --out", c);
}

static int write_whole(cldann_error *e, const config_t *c, const char *path) {
  memo text;
  char *dir = NULL;
  int rc;
  TRY(memo_open(e, &text));
  fputs(opening, text.f);
  config_write(c, text.f);
  TRY(memo_end(e, &text));
  TRY(mem_strdup(e, &dir, path));
  dir[text_base(path) - path] = '\0';
  if (dir[0]) TRY(place_folder(e, dir, NULL));
  TRY(place_whole(e, path, text.text, text.size));
fail:
  mem_free(dir);
  memo_free(&text);
  return rc;
}

int cldann_write_tuning(cldann *c, const char *file, const cldann_choice *choices, int n) {
  char *user = NULL;
  config_t conf;
  int rc;
  config_init(&conf);
  config_set_options(&conf, config_get_options(&conf) & ~CONFIG_OPTION_OPEN_BRACE_ON_SEPARATE_LINE);
  if (!file) TRY(tuning_user_path(&c->err, &user));
  if (!file) file = user;
  TRY(read_old(&c->err, &conf, file));
  config_setting_t *list = choices_of(&conf, device_get_info(c->dev));
  if (!list || !config_setting_is_list(list))
    FAIL(&c->err, CLDANN_E_CONFIG, "%s: its list tuning is no list of groups; mend it, or name another file with --out", file);
  if (n > 0) {
    TRY(put_choices(&c->err, list, choices, n));
    TRY(write_whole(&c->err, &conf, file));
  }
fail:
  config_destroy(&conf);
  mem_free(user);
  return rc;
}

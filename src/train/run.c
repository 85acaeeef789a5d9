/*
 * train/run.c: the public entry points over an experiment: cldann_train, cldann_evaluate, cldann_plan_text; and what is
 * said when training diverges. The loop itself is in train/trainer.c.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "data/place.h"
#include "data/sheet.h"
#include "train/model.h"
#include "train/schedule.h"
#include "train/trainer_internal.h"

void trainer_say(trainer *t, const char *fmt, ...) {
  char line[512];
  va_list ap;
  if (!t->o.on_message) return;
  va_start(ap, fmt);
  vsnprintf(line, sizeof line, fmt, ap);
  va_end(ap);
  t->o.on_message(t->o.user, line);
}

/* ---- divergence ---- */

/* Reads what a launch wrote; 1 when some value is not finite. */
static int wrote_bad(trainer *t, const launch *k, int *bad) {
  const launches *l = replay_list(t->train);
  float *v = NULL;
  int rc = CLDANN_OK;
  *bad = 0;
  for (int i = 0; i < k->n_args && !*bad; i++) {
    const launch_arg *a = &k->args[i];
    if (a->kind != ARG_TENSOR || !(a->access & ACCESS_WRITE) || l->bufs[a->t.buf].elem != 4) continue;
    const char *name = l->bufs[a->t.buf].name;
    if (!strcmp(name, "control") || !strcmp(name, "row indices") || !strcmp(name, "labels")) continue; /* integers */
    const size_t n = tensor_count(a->t);
    TRY(mem_resize(t->err, &v, n, sizeof *v));
    TRY(replay_read(t->train, a->t, v));
    for (size_t j = 0; j < n && !*bad; j++) *bad = !isfinite(v[j]);
  }
fail:
  mem_free(v);
  return rc;
}

int trainer_diagnose(trainer *t, int64_t step) {
  const launches *l = replay_list(t->train);
  int rc, bad = 0, at = 1;
  t->step = step; /* the parameters on the device are those before this step */
  TRY(trainer_prepare_step(t, step, 1));
  for (; at < l->n && !bad; at++) {
    TRY(replay_run_range(t->train, at, at + 1));
    TRY(wrote_bad(t, &l->list[at], &bad));
  }
  if (!bad)
    FAIL(t->err, CLDANN_E_DIVERGED,
         "the loss was not finite at step %lld; lower lr.lr or the init, the parameters before that step are kept",
         (long long)step);
  const launch *k = &l->list[at - 1];
  FAIL(t->err, CLDANN_E_DIVERGED,
       "training diverged at step %lld: the first value that is not finite came from %s (%s); the parameters before that step "
       "are "
       "kept; lower lr.lr or the initial weights",
       (long long)step, k->node, k->phase);
fail:
  return rc;
}

/* ---- train, evaluate ---- */

static int save(trainer *t) {
  const cldann_net *net = t->x->net;
  float *params = NULL;
  char *path = NULL;
  int rc;
  TRY(mem_new(t->err, &params, net->param_count, sizeof *params));
  TRY(trainer_params(t, params));
  TRY(text_join(t->err, &path, t->o.out_dir, "model.safetensors"));
  TRY(model_save(t->err, path, net, params));
fail:
  mem_free(params);
  mem_free(path);
  return rc;
}

/* After a failure the error is the cause; saving what is there must not replace it. */
static void save_last_good(trainer *t) {
  const cldann_error cause = *t->err;
  err_clear(t->err);
  if (save(t) < 0) trainer_say(t, "the last good model could not be saved: %s", t->err->message);
  *t->err = cause;
}

void trainer_tuning(const trainer *t, const launches *l, char *text, size_t room) {
  int n = 0;
  for (int i = 0; i < l->n_decisions; i++) n += l->decisions[i].tuned;
  const char *name = tuning_name(device_get_tuning(t->dev));
  if (n)
    snprintf(text, room, "%s; %d of %d passes by it, the others by rule", name, n, l->n_decisions);
  else
    snprintf(text, room, "%s; all %d passes by rule", name, l->n_decisions);
}

static void introduce_device(trainer *t) {
  const device_info *d = device_get_info(t->dev);
  trainer_say(t, "device %d: %s (%s, %s), %d compute units, %s kernels", d->index, d->name, d->platform, d->driver,
              d->compute_units,
              d->is_cpu                          ? "cpu"
              : d->is_gpu && fits_local(d, NULL) ? "local"
                                                 : "generic");
}

static void introduce(trainer *t) {
  const settings *s = &t->x->s;
  const weights end = schedule_at(s, s->steps - 1);
  char by[256];
  introduce_device(t);
  trainer_tuning(t, replay_list(t->train), by, sizeof by);
  trainer_say(t, "tuning: %s", by);
  trainer_say(t, "%s, method %s, seed %llu, %lld steps of %d rows, %.1f MB on the device", s->name, s->method->name,
              (unsigned long long)s->seed, (long long)s->steps, s->batch, (double)t->device_bytes / 1e6);
  if (s->method->domain_loss)
    trainer_say(t, "at the last step the domain loss weighs %.3g on its head and %.3g on the features", end.domain,
                -end.domain * end.reversal);
}

static int write_experiment(cldann_experiment *x, const char *dir) {
  char *text = NULL, *path = NULL;
  place *f = NULL;
  int rc;
  TRY(cldann_experiment_text(x, &text));
  TRY(text_join(&x->ctx->err, &path, dir, "experiment.conf"));
  TRY(place_open(&x->ctx->err, &f, path));
  TRY(place_write(&x->ctx->err, f, text, strlen(text)));
  TRY(place_commit(&x->ctx->err, f));
fail:
  place_free(f);
  mem_free(text);
  mem_free(path);
  return rc;
}

int cldann_train(cldann_experiment *x, const cldann_train_options *options, cldann_result *result) {
  static const cldann_train_options none;
  trainer *t = NULL;
  metrics *m = NULL;
  int rc;
  if (!options) options = &none;
  TRY(metrics_open(&x->ctx->err, options->out_dir, &m));
  TRY(trainer_new(x, options, &t));
  TRY(metrics_start(&x->ctx->err, m));
  if (options->out_dir) TRY(write_experiment(x, options->out_dir));
  t->metrics = m;
  introduce(t);
  rc = trainer_run(t, x->s.steps);
  if ((rc == CLDANN_E_DIVERGED || rc == CLDANN_E_INTERRUPTED) && options->out_dir) save_last_good(t);
  if (rc < 0) goto fail;
  TRY(trainer_evaluate(t, result));
  if (options->out_dir) TRY(save(t));
  if (m) TRY(metrics_result(&x->ctx->err, m, result));
fail:
  trainer_free(t);
  metrics_close(m);
  return rc;
}

int cldann_evaluate(cldann_experiment *x, const char *model_path, const cldann_train_options *options, cldann_result *result) {
  trainer *t = NULL;
  float *params = NULL;
  int rc;
  TRY(mem_new(&x->ctx->err, &params, x->net->param_count, sizeof *params));
  TRY(model_load(&x->ctx->err, model_path, x->net, params));
  TRY(trainer_open(x, options, &t)); /* no training plan: only the test sets are looked at */
  TRY(trainer_set_params(t, params));
  introduce_device(t);
  trainer_say(t, "tuning: %s", tuning_name(device_get_tuning(t->dev)));
  TRY(trainer_evaluate(t, result));
fail:
  trainer_free(t);
  mem_free(params);
  return rc;
}

/* ---- the plan as text ---- */

typedef struct text {
  char *s;
  size_t used, cap;
  int rc;
  cldann_error *err;
} text;

static void put(text *t, const char *fmt, ...) {
  char line[512];
  va_list ap;
  va_start(ap, fmt);
  const int n = vsnprintf(line, sizeof line, fmt, ap);
  va_end(ap);
  if (t->rc < 0) return;
  if (t->used + (size_t)n + 1 > t->cap) {
    const size_t cap = 2 * t->cap + (size_t)n + 4096;
    if ((t->rc = mem_resize(t->err, &t->s, cap, 1)) < 0) return;
    t->cap = cap;
  }
  memcpy(t->s + t->used, line, (size_t)n + 1);
  t->used += (size_t)n;
}

/* The tensor that tells most about a launch: the first it writes, or for reductions the first it reads. */
static tensor main_tensor(const launch *k) {
  for (int i = 0; i < k->n_args; i++)
    if (k->args[i].kind == ARG_TENSOR && (k->args[i].access & ACCESS_WRITE)) return k->args[i].t;
  return k->args[0].t;
}

static void put_launch(text *t, const launches *l, int i, double *flops, double *bytes) {
  const launch *k = &l->list[i];
  const tensor y = main_tensor(k);
  char dims[48], where[64];
  const vbuf *b = &l->bufs[y.buf];
  snprintf(dims, sizeof dims, "(%d,%d,%d,%d)", y.rows, y.h, y.w, y.c);
  if (b->external)
    snprintf(where, sizeof where, "%s", b->name);
  else
    snprintf(where, sizeof where, "+%zu", b->arena + y.offset * (size_t)b->elem);
  put(t, "%4d  %-16s %-9s %-18s %-8s %-20s %-14s %10.3f %9.3f\n", i, k->node, k->phase, k->kernel, k->variant, dims, where,
      k->flops / 1e6, launch_bytes(l, k) / 1e6);
  *flops += k->flops;
  *bytes += launch_bytes(l, k);
}

int cldann_plan_text(cldann_experiment *x, char **out) {
  trainer *t = NULL;
  text s = {.err = &x->ctx->err};
  double flops = 0, bytes = 0;
  int rc;
  TRY(trainer_new(x, NULL, &t));
  const launches *l = replay_list(t->train);
  const device_info *d = device_get_info(t->dev);
  put(&s, "%s, method %s, one step of %d rows on %s\n\n", x->s.name, x->s.method->name, x->s.batch, d->name);
  put(&s, "%4s  %-16s %-9s %-18s %-8s %-20s %-14s %10s %9s\n", "#", "node", "phase", "kernel", "variant", "writes (rows,h,w,c)",
      "where", "MFLOP", "MB");
  for (int i = 1; i < l->n; i++) put_launch(&s, l, i, &flops, &bytes);
  put(&s, "\n%-52s %s\n", "passes", "way (by)");
  for (int i = 0; i < l->n_decisions; i++)
    put(&s, "%-52s %s (%s)\n", l->decisions[i].key, l->decisions[i].use, l->decisions[i].tuned ? "tuning" : "rule");
  put(&s, "tuning: %s\n", cldann_tuning(x->ctx));
  put(&s, "\n%d launches, %.1f MFLOP, %.1f MB read and written a step\n", l->n - 1, flops / 1e6, bytes / 1e6);
  put(&s, "parameters: features %zu, label head %zu, domain head %zu\n", x->net->group_count[0], x->net->group_count[1],
      x->net->group_count[2]);
  put(&s, "device memory: arena %.2f MB, in all %.2f MB with parameters, gradients, optimiser state and data\n",
      (double)replay_arena_bytes(t->train) / 1e6, (double)t->device_bytes / 1e6);
  TRY(s.rc);
  *out = s.s;
  s.s = NULL;
fail:
  mem_free(s.s);
  trainer_free(t);
  return rc;
}

int cldann_sample_sheet(cldann_experiment *x, const char *path, int rows, int columns) {
  enum { ZOOM = 2 };
  int rc;
  TRY(experiment_load_data(x, NULL, NULL));
  TRY(sheet_write(&x->ctx->err, path, (const dataset *const[]){x->source, x->target}, rows, columns, ZOOM));
fail:
  return rc;
}

void cldann_free_text(char *s) {
  mem_free(s);
}

/*
 * train/run.c: the public entry points over an experiment: cldann_train, cldann_evaluate, cldann_sample_sheet; and what
 * is said when training diverges. The loop itself is in train/trainer.c, cldann_plan_text in train/plan_text.c.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "data/place.h"
#include "data/sheet.h"
#include "train/checkpoint.h"
#include "train/model.h"
#include "train/schedule.h"
#include "train/start.h"
#include "train/svm.h"
#include "train/tensorboard.h"
#include "train/trainer_internal.h"
#include "train/validation.h"

void trainer_say(trainer *t, const char *fmt, ...) {
  char line[512];
  va_list ap;
  if (!t->o.on_message) return;
  va_start(ap, fmt);
  vsnprintf(line, sizeof line, fmt, ap);
  va_end(ap);
  t->o.on_message(t->o.user, line);
}

int trainer_warn(trainer *t, const char *text) {
  int rc = CLDANN_OK;
  if (!text) return rc;
  trainer_say(t, "warning: %s", text);
  TRY(metrics_warning(t->err, t->metrics, t->step, text));
fail:
  return rc;
}

/* What is known before the first step. */
static int warn_ahead(trainer *t) {
  const dataset *sets[] = {t->x->source, t->x->target};
  int rc;
  TRY(trainer_warn(t, health_of_schedule(&t->x->s)));
  for (int i = 0; i < 2; i++)
    if (sets[i]) TRY(trainer_warn(t, health_of_data(sets[i])));
fail:
  return rc;
}

/* ---- divergence ---- */

/* Reads what a launch wrote; 1 when some value is not finite. */
static int wrote_bad(trainer *t, const launch *k, int *bad) {
  const launches *l = replay_list(t->train);
  float *v = NULL;
  int rc = CLDANN_OK;
  *bad = 0;
  if (k->look) return rc; /* it computes nothing that training goes on with */
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

static int tell_about(trainer *t, model_about *about) {
  int rc;
  *about = (model_about){0};
  TRY(cldann_experiment_text(t->x, &about->experiment));
  TRY(experiment_class_names(t->x, &about->classes));
  if (!t->x->s.mean_channels) return CLDANN_OK;
  about->channels = net_input(t->x->net)->o.out.c;
  TRY(mem_new(t->err, &about->mean, (size_t)about->channels, sizeof *about->mean));
  TRY(buffer_read(t->b.mean, 0, about->mean, (size_t)about->channels * 4));
fail:
  return rc;
}

int trainer_write_model(trainer *t, const char *name, const float *params) {
  model_about about = {0};
  char *path = NULL;
  int rc;
  TRY(text_join(t->err, &path, t->o.out_dir, name));
  TRY(tell_about(t, &about));
  TRY(model_save(t->err, path, t->x->net, params, &about));
fail:
  model_forget_about(&about);
  mem_free(path);
  return rc;
}

static int save(trainer *t) {
  float *params = NULL;
  int rc;
  TRY(mem_new(t->err, &params, t->x->net->param_count, sizeof *params));
  TRY(trainer_params(t, params));
  TRY(trainer_write_model(t, "model.safetensors", params));
fail:
  mem_free(params);
  return rc;
}

/* After a failure the error is the cause; saving what is there must not replace it. */
static void save_last_good(trainer *t) {
  const cldann_error cause = *t->err;
  err_clear(t->err);
  if (save(t) < 0) trainer_say(t, "the last good model could not be saved: %s", t->err->message);
  *t->err = cause;
}

/* The same for what a later run would go on from. */
static void keep_for_resume(trainer *t) {
  const cldann_error cause = *t->err;
  err_clear(t->err);
  if (checkpoint_save(t) < 0)
    trainer_say(t, "no checkpoint could be saved: %s", t->err->message);
  else
    trainer_say(t, "--resume goes on from here");
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

/* Which sets are resident and which are streamed: nobody should have to guess what a budget did. */
static void say_where_data_are(trainer *t) {
  const phase *all[] = {&t->training, &t->tests[0], &t->tests[1]};
  char line[480] = "";
  for (size_t i = 0, used = 0; i < sizeof all / sizeof *all; i++)
    for (int k = 0; k < all[i]->n && used < sizeof line; k++) {
      const feed_spec *f = &all[i]->feeds[k];
      feed_spec whole = *f;
      whole.block = 0;
      used += (size_t)snprintf(line + used, sizeof line - used, "%s%s ", used ? ", " : "", all[i]->roles[k]);
      if (used >= sizeof line) break;
      if (f->block)
        used += (size_t)snprintf(line + used, sizeof line - used, "streamed, %d steps at a time (%.1f MB for its %.1f)",
                                 f->block, (double)feed_bytes(f, NULL) / 1e6, (double)feed_bytes(&whole, NULL) / 1e6);
      else
        used += (size_t)snprintf(line + used, sizeof line - used, "resident (%.1f MB)", (double)feed_bytes(f, NULL) / 1e6);
    }
  trainer_say(t, "data on the device: %s", line);
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
              (unsigned long long)s->seed, (long long)s->steps, s->batch,
              (double)(t->shared_bytes + phase_bytes(&t->training)) / 1e6);
  say_where_data_are(t);
  if (s->method->domain_loss)
    trainer_say(t, "at the last step the domain loss weighs %.3g on its head and %.3g on the features", end.domain,
                0.0 - end.domain * end.reversal);
}

static int write_experiment(cldann_experiment *x, const char *dir) {
  char *text = NULL, *path = NULL;
  int rc;
  TRY(cldann_experiment_text(x, &text));
  TRY(text_join(&x->ctx->err, &path, dir, "experiment.conf"));
  TRY(place_whole(&x->ctx->err, path, text, strlen(text)));
fail:
  mem_free(text);
  mem_free(path);
  return rc;
}

/* From the last parameters to those that the run is to keep, and what both are worth. */
static int choose(trainer *t, cldann_result *r) {
  const validation v = t->validation;
  const int best = v.looks && t->x->s.validation.keep == KEEP_BEST;
  cldann_result last;
  int rc;
  t->validation.best = NULL; /* ours now */
  trainer_end_training(t);
  TRY(trainer_evaluate(t, &last));
  *r = last;
  if (best && v.best_step != t->step) {
    TRY(trainer_set_params(t, v.best));
    TRY(trainer_evaluate(t, r));
    r->model_step = v.best_step;
  }
  if (v.looks) {
    r->validation_accuracy = best ? v.best_accuracy : v.last_accuracy;
    r->last_source_accuracy = last.source_accuracy;
    r->last_target_accuracy = last.target_accuracy;
    trainer_say(t, "the model is of step %lld, %.4f right on the %d held-out rows", (long long)r->model_step,
                r->validation_accuracy, v.held.set->n);
  }
fail:
  mem_free(v.best);
  return rc;
}

static int has_file(cldann_error *e, const char *dir, const char *name) {
  char *path = NULL;
  struct stat st;
  if (text_join(e, &path, dir, name) < 0) return 0;
  const int there = stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
  mem_free(path);
  return there;
}

/* There must be a checkpoint to go on from; a training that came to its end has none. */
static int check_resume(cldann_error *e, const char *dir) {
  int rc = CLDANN_OK;
  if (!dir) FAIL(e, CLDANN_E_ARG, "going on needs the folder of the run; give --out DIR");
  if (checkpoint_exists(dir)) return CLDANN_OK;
  if (has_file(e, dir, "model.safetensors"))
    FAIL(e, CLDANN_E_IO,
         "%s holds a training that came to its end, so there is nothing to go on from; --overwrite trains anew, another --out "
         "with init.from=%s/model.safetensors trains on from its model",
         dir, dir);
  if (has_file(e, dir, "metrics.jsonl"))
    FAIL(e, CLDANN_E_IO,
         "%s has no checkpoint to go on from: its training was cut off before it wrote one; give --overwrite to train anew",
         dir);
  FAIL(e, CLDANN_E_IO,
       "%s has no checkpoint to go on from; leave --resume out, or name the folder of a training that was stopped", dir);
fail:
  return rc;
}

/* A folder with a run in it is not written to unless that is asked for. */
static int check_folder(cldann_error *e, const cldann_train_options *o) {
  static const char *const files[] = {"model.safetensors", "metrics.jsonl"};
  const char *found = NULL;
  int rc = CLDANN_OK;
  if (o->resume) TRY(check_resume(e, o->out_dir));
  if (o->tensorboard && !o->out_dir) FAIL(e, CLDANN_E_ARG, "event files need the folder of the run; give --out DIR");
  if (!o->out_dir || o->resume || o->overwrite) return CLDANN_OK;
  if (tensorboard_there(o->out_dir)) found = "event files";
  if (checkpoint_exists(o->out_dir)) found = "a checkpoint";
  for (size_t i = 0; i < sizeof files / sizeof *files; i++)
    if (has_file(e, o->out_dir, files[i])) found = files[i];
  if (found)
    FAIL(e, CLDANN_E_IO, "%s holds a run already (%s); give %s--overwrite to replace it, or another --out", o->out_dir, found,
         checkpoint_exists(o->out_dir) ? "--resume to go on with it, " : "");
fail:
  return rc;
}

static int remove_file(cldann_error *e, const char *dir, const char *name) {
  char *path = NULL;
  int rc;
  TRY(text_join(e, &path, dir, name));
  unlink(path);
fail:
  mem_free(path);
  return rc;
}

/* The page of the run as it was, and its pictures: report/report.c, analysis/draw.c. */
static int remove_page(cldann_error *e, const char *dir) {
  static const char *const pictures[] = {"classes",  "confusion",       "curves",        "domains",
                                         "features", "features-before", "features-tsne", "features-tsne-before",
                                         "units"},
                           *const endings[] = {"png", "svg", "gp"};
  enum { PICTURES = sizeof pictures / sizeof *pictures, ENDINGS = sizeof endings / sizeof *endings };
  char name[40];
  int rc;
  TRY(remove_file(e, dir, "report.html"));
  for (int i = 0; i < PICTURES * ENDINGS; i++) {
    snprintf(name, sizeof name, "%s.%s", pictures[i / ENDINGS], endings[i % ENDINGS]);
    TRY(remove_file(e, dir, name));
  }
fail:
  return rc;
}

/* When all is ready: what a run before has left in the folder stays until then, and its model until there is another. */
static int begin_anew(cldann_experiment *x, const char *dir, metrics *m) {
  int rc;
  TRY(metrics_start(&x->ctx->err, m));
  if (!dir) return CLDANN_OK;
  checkpoint_remove(dir);
  TRY(remove_file(&x->ctx->err, dir, validation_best_file));
  if (x->s.method->linear) TRY(remove_file(&x->ctx->err, dir, "model.safetensors")); /* there will be none */
fail:
  return rc;
}

/* Behind either beginning. */
static int describe_run(cldann_experiment *x, const char *dir) {
  int rc = CLDANN_OK;
  if (!dir) return rc;
  TRY(write_experiment(x, dir));
  TRY(remove_page(&x->ctx->err, dir));
fail:
  return rc;
}

int cldann_train(cldann_experiment *x, const cldann_train_options *options, cldann_result *result) {
  static const cldann_train_options none;
  reverse back = {0};
  trainer *t = NULL;
  metrics *m = NULL;
  int rc;
  if (!options) options = &none;
  TRY(check_folder(&x->ctx->err, options));
  TRY(metrics_open(&x->ctx->err, options->out_dir, options->tensorboard, &m));
  if (x->s.method->linear) {
    TRY(svm_train(x, options, result));
    TRY(begin_anew(x, options->out_dir, m));
    TRY(describe_run(x, options->out_dir));
    if (m) TRY(metrics_result(&x->ctx->err, m, result));
    goto fail;
  }
  TRY(trainer_new(x, options, &t));
  t->metrics = m;
  introduce(t);
  if (!options->resume) TRY(start_from_file(t));
  TRY(options->resume ? checkpoint_load(t) : begin_anew(x, options->out_dir, m));
  TRY(describe_run(x, options->out_dir));
  if (!options->resume) TRY(warn_ahead(t));
  rc = trainer_run(t, x->s.steps);
  if (rc == CLDANN_E_INTERRUPTED && options->out_dir) keep_for_resume(t);
  if ((rc == CLDANN_E_DIVERGED || rc == CLDANN_E_INTERRUPTED) && options->out_dir) save_last_good(t);
  if (rc < 0) goto fail;
  if (x->s.validation.reverse && options->out_dir) TRY(checkpoint_save(t)); /* what comes behind may be stopped too */
  TRY(choose(t, result));
  if (options->out_dir) TRY(save(t));
  TRY(svm_measure(t, result));
  if (x->s.validation.reverse) {
    TRY(reverse_begin(t, &back));
    trainer_free(t); /* two trainings would ask for twice the memory */
    t = NULL;
    TRY(reverse_run(&back, options, &result->reverse_accuracy));
  }
  if (m) TRY(metrics_result(&x->ctx->err, m, result));
  if (options->out_dir) checkpoint_remove(options->out_dir);
fail:
  reverse_free(&back);
  trainer_free(t);
  metrics_close(m);
  return rc;
}

int cldann_experiment_of_model(cldann *c, const char *model_path, const char *const *overrides, int n, const char *data_dir,
                               cldann_experiment **out) {
  model_about about = {0};
  int rc;
  *out = NULL;
  TRY(model_read_about(&c->err, model_path, &about));
  if (!about.experiment)
    FAIL(&c->err, CLDANN_E_FORMAT,
         "%s does not hold the experiment it is of; name the experiment file too (cldann eval EXPERIMENT MODEL), or save the "
         "model "
         "with the metadata that its file had",
         model_path);
  TRY(experiment_open(c, model_path, about.experiment, overrides, n, data_dir, out));
fail:
  model_forget_about(&about);
  return rc;
}

/* A model's input is as its training took it, whatever the data here: their mean may be another. */
static int take_mean(trainer *t, const char *model_path) {
  const size_t channels = (size_t)net_input(t->x->net)->o.out.c;
  model_about about = {0};
  int rc;
  TRY(model_read_about(t->err, model_path, &about));
  if (about.channels && (size_t)about.channels != channels)
    FAIL(t->err, CLDANN_E_FORMAT, "%s: its input_mean has %d channels, the net's input %zu; the file is damaged", model_path,
         about.channels, channels);
  if (about.channels) TRY(buffer_write(t->b.mean, 0, about.mean, channels * 4));
fail:
  model_forget_about(&about);
  return rc;
}

int trainer_open_model(cldann_experiment *x, const char *model_path, const cldann_train_options *o, trainer **out) {
  float *params = NULL;
  int rc;
  TRY(mem_new(&x->ctx->err, &params, x->net->param_count, sizeof *params));
  TRY(model_load(&x->ctx->err, model_path, x->net, params));
  TRY(trainer_open(x, o, out)); /* no training plan: only the test sets are looked at */
  TRY(trainer_set_params(*out, params));
  TRY(take_mean(*out, model_path));
fail:
  mem_free(params);
  return rc;
}

int cldann_evaluate(cldann_experiment *x, const char *model_path, const cldann_train_options *options, cldann_result *result) {
  trainer *t = NULL;
  int rc;
  TRY(trainer_open_model(x, model_path, options, &t));
  introduce_device(t);
  trainer_say(t, "tuning: %s", tuning_name(device_get_tuning(t->dev)));
  say_where_data_are(t);
  TRY(trainer_evaluate(t, result));
fail:
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

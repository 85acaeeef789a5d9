/*
 * train/trainer.c: one training run. A window of log_every steps is queued in chunks, without waiting inside one, and
 * its statistics are read back at its end. Rows come from train/feed.c; what streams is decided by train/budget.c. See
 * train/trainer.h; the public entry points are in train/run.c.
 */
#include "train/trainer.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "data/sampler.h"
#include "train/checkpoint.h"
#include "train/schedule.h"
#include "train/trainer_internal.h"
#include "train/validation.h"

/* ---- setting up ---- */

static int zeroed(trainer *t, const char *what, size_t words, buffer **out) {
  float *zero = NULL;
  int rc;
  TRY(mem_new(t->err, &zero, words, sizeof *zero));
  TRY(buffer_new(t->dev, what, words * 4, out));
  TRY(buffer_write(*out, 0, zero, words * 4));
  t->shared_bytes += words * 4;
fail:
  mem_free(zero);
  return rc;
}

/* The sums of d's own channels, each in the order of the items: the zeros of a sparse set do not change one. */
static void sum_channels(const dataset *d, double *sum) {
  const size_t pixels = (size_t)d->n * (size_t)d->h * (size_t)d->w, channels = (size_t)d->c;
  for (size_t c = 0; c < channels; c++) sum[c] = 0;
  if (dataset_is_sparse(d)) {
    for (size_t i = 0; i < dataset_entries(d); i++) sum[d->columns[i] % d->c] += (double)((const float *)d->x)[i];
    return;
  }
  for (size_t c = 0; c < channels; c++)
    for (size_t i = 0; i < pixels; i++)
      sum[c] += d->type == DATA_U8 ? ((const uint8_t *)d->x)[i * channels + c] : ((const float *)d->x)[i * channels + c];
}

/* Adds d's pixels to the per-channel sums; a single channel counts for all. own: room for the sums of d's own. */
static void add_channels(const dataset *d, int channels, double *own, double *sum, double *count) {
  sum_channels(d, own);
  for (int c = 0; c < channels; c++) {
    sum[c] += own[d->c == 1 ? 0 : c];
    count[c] += (double)d->n * d->h * d->w;
  }
}

static int set_mean(trainer *t) {
  const cldann_experiment *x = t->x;
  const int channels = net_input(x->net)->o.out.c;
  double *sum = NULL;
  float *mean = NULL;
  int rc;
  TRY(mem_new(t->err, &sum, 3 * (size_t)channels, sizeof *sum));
  TRY(mem_new(t->err, &mean, (size_t)channels, sizeof *mean));
  if (x->s.mean_channels) {
    if (x->source) add_channels(x->source, channels, sum + 2 * channels, sum, sum + channels);
    if (x->target) add_channels(x->target, channels, sum + 2 * channels, sum, sum + channels);
    for (int c = 0; c < channels; c++) mean[c] = sum[channels + c] > 0 ? (float)(sum[c] / sum[channels + c]) : 0.0f;
  }
  TRY(buffer_new(t->dev, "mean", (size_t)channels * 4, &t->b.mean));
  TRY(buffer_write(t->b.mean, 0, mean, (size_t)channels * 4));
fail:
  mem_free(sum);
  mem_free(mean);
  return rc;
}

static int set_parameters(trainer *t) {
  const cldann_net *net = t->x->net;
  const optimiser_settings *o = &t->x->s.optimiser;
  float *params = NULL;
  int rc;
  const float hyper[HYPER_WORDS] = {[HYPER_MOMENTUM] = (float)(o->kind == OPT_ADAM ? o->beta1 : o->momentum),
                                    [HYPER_BETA2] = (float)o->beta2,
                                    [HYPER_EPSILON] = (float)o->epsilon,
                                    [HYPER_DECAY] = (float)o->weight_decay,
                                    [HYPER_CLIP] = (float)o->clip_norm};
  TRY(mem_new(t->err, &params, net->param_count, sizeof *params));
  net_init_params(net, t->x->s.seed, params);
  TRY(zeroed(t, "parameters", net->param_count, &t->b.params));
  TRY(buffer_write(t->b.params, 0, params, net->param_count * 4));
  TRY(zeroed(t, "gradients", net->param_count, &t->b.grads));
  TRY(zeroed(t, "momentum", net->param_count, &t->b.m));
  TRY(zeroed(t, "second moment", o->kind == OPT_ADAM ? net->param_count : 4, &t->b.v));
  TRY(zeroed(t, "hyper-parameters", HYPER_WORDS, &t->b.hyper));
  TRY(buffer_write(t->b.hyper, 0, hyper, sizeof hyper));
fail:
  mem_free(params);
  return rc;
}

/* Windows of an evaluation are as long; no set takes larger tables. */
static int set_tables(trainer *t) {
  const cldann_experiment *x = t->x;
  const settings *s = &x->s;
  const dataset *all[] = {x->source, x->target, x->source_test, x->target_test, x->source_held, x->target_held};
  int evals = 0;
  size_t rows, indices;
  int rc;
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (evaluation_batches(all[i], s->eval_batch) > evals) evals = evaluation_batches(all[i], s->eval_batch);
  if (evals < 1) evals = 1; /* sets may come that the experiment does not know of (cldann_predict) */
  if (evals > TRAINER_CHUNK) evals = TRAINER_CHUNK;
  t->chunk = s->log_every < s->steps ? s->log_every : s->steps;
  if (t->chunk > TRAINER_CHUNK) t->chunk = TRAINER_CHUNK;
  rows = (size_t)t->chunk;
  indices = rows * (size_t)s->batch;
  if (rows < (size_t)evals) rows = (size_t)evals;
  if (indices < (size_t)evals * (size_t)s->eval_batch) indices = (size_t)evals * (size_t)s->eval_batch;
  TRY(zeroed(t, "control", CTL_WORDS, &t->b.control));
  TRY(zeroed(t, "statistics", 2 * STAT_WORDS, &t->b.stats));
  TRY(zeroed(t, "norms", BRANCHES, &t->b.norms));
  TRY(zeroed(t, "norms at the join", JOIN_WORDS, &t->b.join));
  TRY(buffer_write(t->b.join, 0, (const float[JOIN_WORDS]){-1, -1}, JOIN_WORDS * 4));
  TRY(zeroed(t, "control table", rows * CTL_ROW_WORDS, &t->b.table));
  TRY(zeroed(t, "index table", indices, &t->b.indices));
  TRY(mem_new(t->err, &t->table, rows * CTL_ROW_WORDS, sizeof *t->table));
  TRY(mem_new(t->err, &t->indices, indices, sizeof *t->indices));
fail:
  return rc;
}

/* The target stream never has labels, except as the only stream of target-only, the upper bound. */
static int describe_training(trainer *t) {
  cldann_experiment *x = t->x;
  const settings *s = &x->s;
  const method *m = s->method;
  const int both = m->source && m->target;
  const dataset *first = m->source ? x->source : x->target;
  plan_spec *p = &t->spec;
  phase *h = &t->training;
  int rc;
  *p = (plan_spec){.train = 1,
                   .rows = s->batch,
                   .split = both ? s->batch / 2 : s->batch,
                   .label_loss = m->label_loss,
                   .domain_loss = m->domain_loss,
                   .label_reduce = s->label_reduce,
                   .domain_reduce = s->domain_reduce,
                   .optimiser = (int)s->optimiser.kind,
                   .scale = (float)s->scale,
                   .centred = s->mean_channels,
                   .crop = s->augment_crop,
                   .mirror = s->augment_mirror,
                   .seed = s->seed};
  *h = (phase){.name = "training", .n = 1 + both, .roles = {m->source ? "source" : "target", "target"}};
  h->most_block = (int)t->chunk;
  TRY(sampler_new(t->err, &t->samplers[0], first->name, first->n, p->split, s->seed, RNG_SHUFFLE_SOURCE));
  if (both)
    TRY(sampler_new(t->err, &t->samplers[1], x->target->name, x->target->n, p->rows - p->split, s->seed, RNG_SHUFFLE_TARGET));
  h->feeds[0] = (feed_spec){.set = first, .labels = m->label_loss, .rows = p->split};
  h->feeds[1] = (feed_spec){.set = x->target, .rows = p->rows - p->split};
  for (int i = 0; i < h->n; i++) {
    h->feeds[i].sampler = t->samplers[i], h->feeds[i].steps = s->steps;
    h->feeds[i].domains = m->domain_loss && experiment_many_domains(x);
  }
  TRY(budget_measure(t->dev, x->net, &t->b, p, h));
fail:
  return rc;
}

/* Before anything is trained: a test set that fits in no way is told now, not after hours. */
static int place_all(trainer *t, int training) {
  const cldann_experiment *x = t->x;
  phase *all[3];
  int rc, n = 0;
  if (training) {
    TRY(validation_describe(t));
    TRY(describe_training(t));
    all[n++] = &t->training;
  }
  if (x->source_test) {
    TRY(evaluation_describe(t, x->source_test, "source_test", NULL, &t->tests[0]));
    all[n++] = &t->tests[0];
  }
  if (x->target_test) {
    TRY(evaluation_describe(t, x->target_test, "target_test", NULL, &t->tests[1]));
    all[n++] = &t->tests[1];
  }
  t->budget = budget_of(t->dev, x->s.device_memory);
  TRY(budget_place(t->dev, t->budget, t->shared_bytes, all, n));
  for (int i = 0; i < t->training.n; i++)
    if (t->training.feeds[i].block) t->chunk = t->training.feeds[i].block; /* what is queued at once comes from one slot */
fail:
  return rc;
}

static int plan_training(trainer *t) {
  const double start = clock_now();
  launches *l = NULL;
  int rc;
  for (int i = 0; i < t->training.n; i++) {
    TRY(feed_open(t->dev, &t->training.feeds[i], &t->feeds[i]));
    t->spec.streams[i] = t->feeds[i].s;
  }
  TRY(plan_build(t->dev, t->x->net, &t->b, &t->spec, &l));
  TRY(replay_new(t->dev, l, &t->train));
  TRY(validation_open(t));
  t->start_up = clock_now() - start;
fail:
  return rc;
}

static int open_with(cldann_experiment *x, const cldann_train_options *o, int training, trainer **out) {
  trainer *t = NULL;
  int rc;
  TRY(mem_new(&x->ctx->err, &t, 1, sizeof *t));
  t->x = x;
  t->err = &x->ctx->err;
  t->window = -1;
  if (x->s.method->linear)
    FAIL(t->err, CLDANN_E_ARG, "method %s has no net to plan or train; only training (cldann train) takes it",
         x->s.method->name);
  t->dev = x->ctx->dev;
  if (o) t->o = *o;
  TRY(experiment_load_data(x, t->o.on_message, t->o.user));
  TRY(set_mean(t));
  TRY(set_parameters(t));
  TRY(set_tables(t));
  TRY(place_all(t, training));
  if (training) TRY(plan_training(t));
  *out = t;
  return CLDANN_OK;
fail:
  trainer_free(t);
  return rc;
}

int trainer_open(cldann_experiment *x, const cldann_train_options *o, trainer **out) {
  return open_with(x, o, 0, out);
}

int trainer_new(cldann_experiment *x, const cldann_train_options *o, trainer **out) {
  return open_with(x, o, 1, out);
}

void trainer_end_training(trainer *t) {
  device_finish(t->dev);
  replay_free(t->train);
  t->train = NULL;
  for (int i = 0; i < 2; i++) feed_close(&t->feeds[i]);
  validation_close(t);
}

void trainer_free(trainer *t) {
  if (!t) return;
  trainer_end_training(t);
  for (int i = 0; i < 2; i++) sampler_free(t->samplers[i]);
  buffer *all[] = {t->b.params, t->b.grads, t->b.m,    t->b.v,     t->b.control, t->b.stats,
                   t->b.norms,  t->b.join,  t->b.mean, t->b.hyper, t->b.table,   t->b.indices};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) buffer_free(all[i]);
  mem_free(t->table);
  mem_free(t->indices);
  mem_free(t);
}

/* ---- running ---- */

void trainer_put_float(int32_t *row, int at, double v) {
  const float f = (float)v;
  memcpy(&row[at], &f, sizeof f);
}

/* The tables' rows for steps [first, first + n). */
static int fill_steps(trainer *t, int64_t first, int n) {
  const settings *s = &t->x->s;
  int rc = CLDANN_OK;
  for (int i = 0; i < n; i++) {
    const int64_t step = first + i;
    const weights w = schedule_at(s, step);
    int32_t *row = t->table + (size_t)i * CTL_ROW_WORDS;
    row[CTL_STEP] = (int32_t)step;
    trainer_put_float(row, CTL_LR, w.lr);
    trainer_put_float(row, CTL_LAMBDA, w.reversal);
    trainer_put_float(row, CTL_DOMAIN_WEIGHT, w.domain);
    row[CTL_ROWS] = s->batch;
    /* With one stream all rows are of its domain. */
    row[CTL_SPLIT] = t->training.n > 1 ? t->spec.split : s->method->source ? s->batch : 0;
    trainer_put_float(row, CTL_ADAM1, 1.0 / (1.0 - pow(s->optimiser.beta1, (double)(step + 1))));
    trainer_put_float(row, CTL_ADAM2, 1.0 / (1.0 - pow(s->optimiser.beta2, (double)(step + 1))));
  }
  for (int i = 0; i < t->training.n; i++) TRY(feed_use(&t->feeds[i], first, n, t->indices + i * t->spec.split, s->batch));
fail:
  return rc;
}

int trainer_reset_stats(trainer *t) {
  const float zero[2 * STAT_WORDS] = {0};
  return buffer_write(t->b.stats, 0, zero, sizeof zero);
}

int trainer_begin_window(trainer *t, size_t steps, size_t rows, int32_t bad) {
  const int32_t clock[2] = {bad, 0};
  int rc;
  TRY(buffer_write(t->b.table, 0, t->table, steps * CTL_ROW_WORDS * 4));
  TRY(buffer_write(t->b.indices, 0, t->indices, steps * rows * 4));
  TRY(buffer_write(t->b.control, CTL_BAD * 4, clock, sizeof clock));
fail:
  return rc;
}

/* One step with the updates held back: drivers compile at a kernel's first launch, and that is not training time. */
int trainer_warm_up(trainer *t) {
  const double start = clock_now();
  int rc;
  TRY(fill_steps(t, t->step, 1));
  TRY(trainer_begin_window(t, 1, (size_t)t->x->s.batch, 1));
  TRY(replay_look(t->train));
  TRY(device_finish(t->dev));
  t->warm = 1;
  t->start_up += clock_now() - start;
  trainer_say(t, "kernels ready in %.2f s, from the plan to the end of the first step", t->start_up);
fail:
  return rc;
}

double trainer_ratio(double a, double b) {
  return b > 0 ? a / b : NAN;
}

static int read_window(trainer *t, int64_t steps, double seconds, cldann_progress *p) {
  float stats[2 * STAT_WORDS], norms[BRANCHES], join[JOIN_WORDS];
  const settings *s = &t->x->s;
  const float *label = stats, *domain = stats + STAT_WORDS;
  const weights w = schedule_at(s, t->step - 1);
  int rc;
  TRY(buffer_read(t->b.stats, 0, stats, sizeof stats));
  TRY(buffer_read(t->b.norms, 0, norms, sizeof norms));
  TRY(buffer_read(t->b.join, 0, join, sizeof join));
  memset(p, 0, sizeof *p);
  p->step = t->step;
  p->steps = s->steps;
  p->label_loss = trainer_ratio(label[STAT_LOSS], label[STAT_ROWS]);
  p->domain_loss = trainer_ratio(domain[STAT_LOSS], domain[STAT_ROWS]);
  p->label_accuracy = trainer_ratio(label[STAT_HITS0] + label[STAT_HITS1], label[STAT_ROWS]);
  p->domain_accuracy_source = trainer_ratio(domain[STAT_HITS0], domain[STAT_ROWS0]);
  p->domain_accuracy_target = trainer_ratio(domain[STAT_HITS1], domain[STAT_ROWS1]);
  p->domain_accuracy = trainer_ratio(domain[STAT_HITS0] + domain[STAT_HITS1], domain[STAT_ROWS]);
  health_interval(p->domain_accuracy, (double)domain[STAT_ROWS], &p->domain_accuracy_low, &p->domain_accuracy_high);
  p->lr = w.lr;
  p->lambda = w.lambda;
  p->domain_weight = w.domain;
  p->feature_weight = -w.reversal * w.domain;
  for (int i = 0; i < BRANCHES; i++) p->gradient_norm[i] = sqrt((double)norms[i]);
  p->join_label = join[JOIN_LABEL] < 0 ? NAN : sqrt((double)join[JOIN_LABEL]);
  p->join_domain = join[JOIN_DOMAIN] < 0 ? NAN : sqrt((double)join[JOIN_DOMAIN]);
  p->samples_per_second = steps ? trainer_ratio((double)steps * s->batch, seconds) : NAN; /* all of them before a stop */
  p->validation_accuracy = p->validation_loss = NAN;
  p->seconds = t->seconds;
  p->eta_seconds = trainer_ratio(t->seconds, (double)t->step) * (double)(s->steps - t->step);
fail:
  return rc;
}

/*
 * Queues steps [t->step, t->step + steps) without waiting; while the device is at them, stages the data behind; then asks once
 * whether the steps stayed finite, so that all are done when the next chunk begins. reset: a window begins; look: one ends.
 */
static int run_chunk(trainer *t, int steps, int reset, int look) {
  int32_t bad;
  int rc;
  TRY(fill_steps(t, t->step, steps));
  if (reset) TRY(trainer_reset_stats(t));
  TRY(trainer_begin_window(t, (size_t)steps, (size_t)t->x->s.batch, 0));
  for (int i = 0; i < steps; i++) {
    TRY(look && i + 1 == steps ? replay_look(t->train) : replay_run(t->train));
    TRY(device_flush(t->dev));
  }
  for (int i = 0; i < t->training.n; i++) TRY(feed_ahead(&t->feeds[i], t->step));
  TRY(buffer_read(t->b.control, CTL_BAD * 4, &bad, sizeof bad));
  if (bad) TRY(trainer_diagnose(t, bad - 1));
  t->step += steps;
fail:
  return rc;
}

/* Steps to queue at once from t->step on, towards `end`. A chunk of streamed data ends where its block does. */
static int next_chunk(const trainer *t, int64_t end) {
  int64_t n = t->chunk;
  for (int i = 0; i < t->training.n; i++)
    if (t->feeds[i].spec.block) n = t->chunk - t->step % t->chunk;
  return (int)(end - t->step < n ? end - t->step : n);
}

int trainer_run(trainer *t, int64_t until) {
  const settings *s = &t->x->s;
  int rc = CLDANN_OK;
  if (!t->warm) TRY(trainer_warm_up(t));
  while (t->step < until && !t->validation.over) { /* one round a line of metrics: to the next multiple of log_every */
    const double start = clock_now();
    const int64_t from = t->step, first = t->window < 0 ? from : t->window; /* a window that was left goes on */
    const int64_t next = (first / s->log_every + 1) * s->log_every, end = next < until ? next : until;
    cldann_progress p;
    t->window = first;
    while (t->step < end) {
      const int steps = next_chunk(t, end);
      TRY(run_chunk(t, steps, t->step == first, t->step + steps == end));
      if (t->step < until && t->o.should_stop && t->o.should_stop(t->o.user)) {
        t->seconds += clock_now() - start;
        FAIL(t->err, CLDANN_E_INTERRUPTED, "stopped at step %lld of %lld as asked", (long long)t->step, (long long)s->steps);
      }
    }
    t->seconds += clock_now() - start;
    t->window = -1;
    TRY(read_window(t, end - from, clock_now() - start, &p));
    if (t->step == next || t->step == s->steps) TRY(validation_look(t, &p)); /* and not where a caller cut a window */
    TRY(metrics_write(t->err, t->metrics, &p));
    TRY(trainer_warn(t, health_look(&t->health, s, &p)));
    if (t->o.on_progress) t->o.on_progress(t->o.user, &p);
    if (t->o.out_dir && t->o.checkpoint_every && t->step / t->o.checkpoint_every > from / t->o.checkpoint_every)
      TRY(checkpoint_save(t));
  }
fail:
  return rc;
}

/* Puts the tables and the clock for one given step in place; used by diagnosis and profiling. */
int trainer_prepare_step(trainer *t, int64_t step, int32_t bad) {
  int rc;
  TRY(fill_steps(t, step, 1));
  TRY(trainer_begin_window(t, 1, (size_t)t->x->s.batch, bad));
fail:
  return rc;
}

int trainer_params(trainer *t, float *out) {
  return buffer_read(t->b.params, 0, out, t->x->net->param_count * 4);
}

int trainer_set_params(trainer *t, const float *params) {
  return buffer_write(t->b.params, 0, params, t->x->net->param_count * 4);
}

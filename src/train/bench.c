/*
 * train/bench.c: cldann_bench: how long a step takes, launch by launch and as a whole, beside what the device can do.
 * Steps run as the trainer runs them, on random rows: speed does not depend on what the pictures show. The trainer and its
 * plans are trainer.c's, the peaks are peak.c's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "train/peak.h"
#include "train/trainer_internal.h"

enum { WINDOWS = 9, CHUNK = 32, LEAST_REPEATS = 5, MOST_REPEATS = 50 };
static const double window_seconds = 0.15, repeat_seconds = 0.5;

typedef struct bench {
  cldann_experiment x; /* a copy with random data, the asked batch and no learning; shares net and context */
  dataset *data;
  trainer *t;
  evaluation eval; /* for inference */
  replay *r;       /* of a step; the trainer's or the evaluation's */
  peak *peak;
  const cldann_bench_options *o;
  cldann_bench_result *result;
  double *us; /* a launch's median time; as replay_list, from 1 */
} bench;

static int by_size(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Sorts v. */
static double median(double *v, int n) {
  qsort(v, (size_t)n, sizeof *v, by_size);
  return n % 2 ? v[n / 2] : 0.5 * (v[n / 2 - 1] + v[n / 2]);
}

/* ---- setting up ---- */

/* Bytes for images, floats for plain rows of numbers, as the readers give them; several megabytes, as of a real set. */
static int random_rows(bench *b) {
  enum { MOST_BYTES = 64 << 20, MOST_ITEMS = 8192 };
  const shape in = net_input(b->x.net)->o.out;
  const op *loss = &net_loss(b->x.net, CLDANN_TARGET_LABELS)->o;
  const int classes = loss->type == &op_logistic_xent ? 2 : loss->in.h * loss->in.w * loss->in.c;
  const int image = in.h * in.w > 1;
  const size_t rows = (size_t)b->result->batch, item = (size_t)in.h * (size_t)in.w * (size_t)in.c;
  size_t n = MOST_BYTES / (item * (image ? 1 : 4)), batches;
  int rc;
  if (n > MOST_ITEMS) n = MOST_ITEMS;
  batches = (n + rows - 1) / rows;
  if (batches < 1) batches = 1;
  if (b->o->inference && batches > CHUNK) batches = CHUNK; /* what is queued at once */
  n = batches * rows;
  TRY(dataset_new(&b->x.ctx->err, &b->data, "random rows", image ? DATA_U8 : DATA_F32, (int)n, in.h, in.w, in.c, 1));
  for (size_t i = 0; i < n * item; i++) {
    const uint32_t word = rng_words(1, RNG_CHECK, 0, i / 4).v[i % 4];
    if (image)
      ((uint8_t *)b->data->x)[i] = (uint8_t)(word >> 24);
    else
      ((float *)b->data->x)[i] = 2.0f * rng_unit(word) - 1.0f;
  }
  for (size_t i = 0; i < n; i++) b->data->y[i] = (int32_t)(i % (size_t)classes);
  b->data->classes = classes;
fail:
  return rc;
}

static int set_up(bench *b, const cldann_experiment *x) {
  settings *s = &b->x.s;
  cldann_error *e = &x->ctx->err;
  const int inference = b->o->inference, batch = b->o->batch;
  int rc;
  b->x = *x;
  b->result->inference = inference;
  b->result->batch = batch ? batch : inference ? s->eval_batch : s->batch;
  if (b->result->batch < 1 || b->result->batch > 65536)
    FAIL(e, CLDANN_E_ARG, "a batch of %d rows; give 1 to 65536", b->result->batch);
  if (!inference && s->method->source && s->method->target && b->result->batch % 2)
    FAIL(e, CLDANN_E_ARG, "a batch of %d rows is odd; method %s takes one half of it from the source and one from the target",
         b->result->batch, s->method->name);
  s->eval_batch = b->result->batch; /* when training too: what nobody evaluates must not ask for more memory than the step */
  if (!inference) s->batch = b->result->batch;
  s->lr.lr = 0; /* the weights stay as initialised, so no step can diverge and all do the same work */
  s->steps = s->log_every = INT32_MAX;
  s->horizon = 1; /* lambda at its end */
  TRY(random_rows(b));
  b->x.source = b->x.target = b->x.source_test = b->x.target_test = b->data;
  if (inference) {
    TRY(trainer_open(&b->x, NULL, &b->t));
    TRY(evaluation_open(b->t, b->data, 0, &b->eval));
    b->r = b->eval.r;
    b->result->streamed = b->eval.feed.spec.block > 0;
  } else {
    TRY(trainer_new(&b->x, NULL, &b->t));
    for (int i = 0; i < 2; i++) b->result->streamed += b->t->feeds[i].spec.block > 0;
    b->r = b->t->train;
  }
  b->result->launches = replay_list(b->r)->n - 1;
  TRY(peak_new(b->t->dev, &b->peak));
fail:
  return rc;
}

static void tear_down(bench *b) {
  peak_free(b->peak);
  if (b->eval.r) evaluation_close(b->t, &b->eval);
  trainer_free(b->t);
  dataset_free(b->data);
  mem_free(b->us);
}

/* ---- the step as a whole ---- */

static int asked_to_stop(const bench *b) {
  int rc = CLDANN_OK;
  if (b->o->should_stop && b->o->should_stop(b->o->user))
    FAIL(&b->x.ctx->err, CLDANN_E_INTERRUPTED, "the benchmark was stopped as asked");
fail:
  return rc;
}

/* The batch of one step in place, so that launches may be replayed. */
static int prepare(bench *b) {
  return b->eval.r ? evaluation_prepare(b->t, &b->eval, 0) : trainer_prepare_step(b->t, b->t->step, 0);
}

static int evaluate_batches(bench *b, int64_t n) {
  int rc = CLDANN_OK;
  for (int batches; n > 0; n -= batches) {
    batches = n < b->eval.batches ? (int)n : b->eval.batches;
    TRY(evaluation_run(b->t, &b->eval, 0, batches));
  }
  TRY(device_finish(b->t->dev));
fail:
  return rc;
}

static int time_steps(bench *b, int64_t n, double *seconds) {
  const double start = clock_now();
  int rc;
  TRY(b->eval.r ? evaluate_batches(b, n) : trainer_run(b->t, b->t->step + n));
  *seconds = clock_now() - start;
fail:
  return rc;
}

static int time_windows(bench *b) {
  double ms[WINDOWS], seconds = 0;
  int64_t n = 1;
  int rc;
  TRY(time_steps(b, 1, &seconds)); /* drivers compile at a kernel's first launch */
  TRY(time_steps(b, 1, &seconds));
  while (seconds < window_seconds && n < 1 << 20) {
    n *= 2;
    TRY(time_steps(b, n, &seconds));
  }
  for (int i = 0; i < WINDOWS; i++) {
    TRY(asked_to_stop(b));
    TRY(time_steps(b, n, &seconds));
    ms[i] = 1e3 * seconds / (double)n;
  }
  b->result->windows = WINDOWS;
  b->result->step_ms = median(ms, WINDOWS);
  b->result->step_ms_min = ms[0];
  b->result->step_ms_max = ms[WINDOWS - 1];
fail:
  return rc;
}

/* ---- launch by launch ---- */

/* One step. What a library queues has no event of ours: it is waited for, and its time goes to ns[launch]. */
static int run_apart(bench *b, double *ns) {
  const launches *l = replay_list(b->r);
  double start = 0;
  int rc;
  TRY(asked_to_stop(b));
  TRY(prepare(b));
  for (int i = 1; i < l->n; i++) {
    const int library = l->list[i].library != NULL;
    if (library) TRY(device_finish(b->t->dev));
    start = clock_now();
    TRY(replay_run_range(b->r, i, i + 1));
    if (library) TRY(device_finish(b->t->dev));
    ns[i] = 1e9 * (clock_now() - start);
  }
fail:
  return rc;
}

/* ns[step * l->n + launch], for `steps` steps. events has the same size. */
static int profile(bench *b, int steps, double *ns, double *events) {
  const launches *l = replay_list(b->r);
  int rc, end, n = 0;
  TRY(device_profile_begin(b->t->dev));
  rc = CLDANN_OK;
  for (int s = 0; s < steps && rc == CLDANN_OK; s++) rc = run_apart(b, ns + (size_t)s * (size_t)l->n);
  end = device_profile_end(b->t->dev, events, steps * l->n, &n); /* whatever came: it puts the ordinary queue back */
  TRY(rc);
  TRY(end);
  for (int s = 0, at = 0; s < steps; s++)
    for (int i = 1; i < l->n && at < n; i++)
      if (!l->list[i].library) ns[s * l->n + i] = events[at++];
fail:
  return rc;
}

static int time_launches(bench *b) {
  const int n = replay_list(b->r)->n;
  double *ns = NULL, *events = NULL, one[MOST_REPEATS];
  int repeats = (int)(1e3 * repeat_seconds / b->result->step_ms), rc;
  if (repeats < LEAST_REPEATS) repeats = LEAST_REPEATS;
  if (repeats > MOST_REPEATS) repeats = MOST_REPEATS;
  const size_t size = ((size_t)repeats + 1) * (size_t)n;
  TRY(mem_new(b->t->err, &ns, size, sizeof *ns));
  TRY(mem_new(b->t->err, &events, size, sizeof *events));
  TRY(mem_new(b->t->err, &b->us, (size_t)n, sizeof *b->us));
  TRY(profile(b, repeats + 1, ns, events));
  for (int i = 1; i < n; i++) {
    for (int r = 0; r < repeats; r++) one[r] = ns[(r + 1) * n + i]; /* without the first, on a queue just made */
    b->us[i] = 1e-3 * median(one, repeats);
  }
  b->result->repeats = repeats;
fail:
  mem_free(ns);
  mem_free(events);
  return rc;
}

/* ---- what comes of it ---- */

static cldann_bench_launch describe(const bench *b, int i) {
  const launches *l = replay_list(b->r);
  const launch *k = &l->list[i];
  const double us = b->us[i] > 0 ? b->us[i] : 1e-3; /* below the resolution of the device's clock */
  cldann_bench_launch d = {.us = b->us[i], .flops = k->flops, .true_flops = launch_true_flops(k), .bytes = launch_bytes(l, k)};
  snprintf(d.node, sizeof d.node, "%s", k->node);
  snprintf(d.phase, sizeof d.phase, "%s", k->phase);
  snprintf(d.kernel, sizeof d.kernel, "%s", k->kernel);
  snprintf(d.variant, sizeof d.variant, "%s", k->variant);
  d.gflops = d.flops / us * 1e-3;
  d.gbytes = d.bytes / us * 1e-3;
  d.flops_share = d.true_flops / us * 1e-3 / b->result->peak_gflops;
  d.bytes_share = d.gbytes / b->result->peak_gbytes;
  return d;
}

static void conclude(bench *b, const ceilings *before, const ceilings *after) {
  cldann_bench_result *r = b->result;
  snprintf(r->device, sizeof r->device, "%s", device_get_info(b->t->dev)->name);
  r->peak_gflops_before = 1e-9 * before->flops, r->peak_gflops_after = 1e-9 * after->flops;
  r->peak_gbytes_before = 1e-9 * before->bytes, r->peak_gbytes_after = 1e-9 * after->bytes;
  r->peak_gflops = r->peak_gflops_before > r->peak_gflops_after ? r->peak_gflops_before : r->peak_gflops_after;
  r->peak_gbytes = r->peak_gbytes_before > r->peak_gbytes_after ? r->peak_gbytes_before : r->peak_gbytes_after;
  r->peak_bytes = peak_footprint(b->peak);
  for (int i = 1; i <= r->launches; i++) {
    const cldann_bench_launch k = describe(b, i);
    r->launches_ms += 1e-3 * k.us;
    r->flops += k.flops;
    r->true_flops += k.true_flops;
    r->bytes += k.bytes;
  }
  r->samples_per_second = 1e3 * r->batch / r->step_ms;
  r->gflops_dense = 1e-6 * r->flops / r->step_ms;
  r->gflops_true = 1e-6 * r->true_flops / r->step_ms;
  r->gbytes = 1e-6 * r->bytes / r->step_ms;
  r->peak_fraction = r->gflops_dense / r->peak_gflops;
  r->memory_fraction = r->gbytes / r->peak_gbytes;
}

int cldann_bench(cldann_experiment *x, const cldann_bench_options *options, cldann_bench_result *result) {
  static const cldann_bench_options none;
  bench b = {.o = options ? options : &none, .result = result};
  ceilings before, after;
  int rc;
  memset(result, 0, sizeof *result);
  TRY(set_up(&b, x));
  TRY(peak_measure(b.peak, &before));
  TRY(time_windows(&b));
  TRY(time_launches(&b));
  TRY(peak_measure(b.peak, &after));
  conclude(&b, &before, &after);
  for (int i = 1; b.o->on_launch && i <= result->launches; i++) {
    const cldann_bench_launch k = describe(&b, i);
    b.o->on_launch(b.o->user, &k);
  }
fail:
  tear_down(&b);
  return rc;
}

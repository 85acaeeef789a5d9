/*
 * train/bench.c: cldann_bench: how long a step takes, launch by launch and as a whole, beside what the device can do.
 * Steps run as the trainer runs them, on random rows (train/stand.h); the peaks are peak.c's.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "train/peak.h"
#include "train/stand.h"

enum { WINDOWS = 9 };
static const double window_seconds = 0.15, repeat_seconds = 0.5;

typedef struct bench {
  stand s;
  peak *peak;
  const cldann_bench_options *o;
  cldann_bench_result *result;
  double *us; /* a launch's median time; as replay_list, from 1 */
} bench;

/* ---- setting up ---- */

static int set_up(bench *b, const cldann_experiment *x) {
  int rc;
  TRY(stand_open(&b->s, x, b->o->inference, b->o->batch, b->o->entries));
  b->result->inference = b->o->inference;
  b->result->batch = b->s.batch;
  b->result->entries = b->o->entries;
  b->result->streamed = b->s.streamed;
  b->result->launches = replay_list(b->s.r)->n - 1;
  TRY(peak_new(b->s.t->dev, &b->peak));
fail:
  return rc;
}

static void tear_down(bench *b) {
  peak_free(b->peak);
  stand_close(&b->s);
  mem_free(b->us);
}

/* ---- the step as a whole ---- */

static int asked_to_stop(void *user) {
  const bench *b = user;
  int rc = CLDANN_OK;
  if (b->o->should_stop && b->o->should_stop(b->o->user))
    FAIL(b->s.t->err, CLDANN_E_INTERRUPTED, "the benchmark was stopped as asked");
fail:
  return rc;
}

static int evaluate_batches(bench *b, int64_t n) {
  int rc = CLDANN_OK;
  for (int batches; n > 0; n -= batches) {
    batches = n < b->s.eval.batches ? (int)n : b->s.eval.batches;
    TRY(evaluation_run(b->s.t, &b->s.eval, 0, batches));
  }
  TRY(device_finish(b->s.t->dev));
fail:
  return rc;
}

static int time_steps(bench *b, int64_t n, double *seconds) {
  const double start = clock_now();
  int rc;
  TRY(b->s.eval.r ? evaluate_batches(b, n) : trainer_run(b->s.t, b->s.t->step + n));
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
  b->result->step_ms = stand_median(ms, WINDOWS);
  b->result->step_ms_min = ms[0];
  b->result->step_ms_max = ms[WINDOWS - 1];
fail:
  return rc;
}

/* ---- launch by launch ---- */

static int time_launches(bench *b) {
  int rc;
  TRY(mem_new(b->s.t->err, &b->us, (size_t)replay_list(b->s.r)->n, sizeof *b->us));
  TRY(stand_profile(&b->s, repeat_seconds, asked_to_stop, b, b->us, &b->result->repeats));
fail:
  return rc;
}

/* ---- what comes of it ---- */

static cldann_bench_launch describe(const bench *b, int i) {
  const launches *l = replay_list(b->s.r);
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
  snprintf(r->device, sizeof r->device, "%s", device_get_info(b->s.t->dev)->name);
  trainer_tuning(b->s.t, replay_list(b->s.r), r->tuning, sizeof r->tuning);
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

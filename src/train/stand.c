/* train/stand.c: see train/stand.h. */
#include "train/stand.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "train/judge.h"

enum { CHUNK = 32, LEAST_REPEATS = 5, MOST_REPEATS = 50 };

static int by_size(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double stand_median(double *v, int n) {
  qsort(v, (size_t)n, sizeof *v, by_size);
  return n % 2 ? v[n / 2] : 0.5 * (v[n / 2 - 1] + v[n / 2]);
}

/* ---- setting up ---- */

static float random_number(size_t i) {
  return 2.0f * rng_unit(rng_words(1, RNG_CHECK, 0, i / 4).v[i % 4]) - 1.0f;
}

/* Bytes for images, floats for plain rows of numbers, as the readers give them. */
static int dense_rows(stand *s, int n, shape in) {
  const int image = in.h * in.w > 1;
  const size_t all = (size_t)n * (size_t)in.h * (size_t)in.w * (size_t)in.c;
  int rc;
  TRY(dataset_new(&s->x.ctx->err, &s->data, "random rows", image ? DATA_U8 : DATA_F32, n, in.h, in.w, in.c, 1));
  for (size_t i = 0; i < all; i++)
    if (image)
      ((uint8_t *)s->data->x)[i] = (uint8_t)(rng_words(1, RNG_CHECK, 0, i / 4).v[i % 4] >> 24);
    else
      ((float *)s->data->x)[i] = random_number(i);
fail:
  return rc;
}

/* Each row has its entries spread over all columns, one somewhere in each of as many equal parts. */
static int sparse_rows(stand *s, int n, shape in, int entries) {
  const int64_t item = (int64_t)in.h * in.w * in.c;
  cldann_error *e = &s->x.ctx->err;
  int rc;
  if (entries < 0 || entries > item)
    FAIL(e, CLDANN_E_ARG, "%d entries of a row that has %lld numbers; give 1 to that, or 0 for dense rows", entries,
         (long long)item);
  TRY(dataset_new_sparse(e, &s->data, "random rows", n, in.h, in.w, in.c, (size_t)n * (size_t)entries, 1));
  for (int i = 0; i < n; i++) {
    s->data->offsets[i + 1] = (i + 1) * entries;
    for (int k = 0; k < entries; k++) {
      const int64_t from = k * item / entries, room = (k + 1) * item / entries - from;
      const int at = i * entries + k;
      s->data->columns[at] = (int32_t)(from + rng_words(1, RNG_CHECK, 1, (uint64_t)at).v[0] % (uint32_t)room);
      ((float *)s->data->x)[at] = random_number((size_t)at);
    }
  }
fail:
  return rc;
}

/* Several megabytes, as of a real set. */
static int random_rows(stand *s, int inference, int entries) {
  enum { MOST_BYTES = 64 << 20, MOST_ITEMS = 8192 };
  const shape in = net_input(s->x.net)->o.out;
  const int classes = judge_classes(&net_loss(s->x.net, CLDANN_TARGET_LABELS)->o);
  const size_t rows = (size_t)s->batch, item = (size_t)in.h * (size_t)in.w * (size_t)in.c;
  size_t n = MOST_BYTES / (item * (in.h * in.w > 1 ? 1 : 4)), batches;
  int rc;
  if (n > MOST_ITEMS) n = MOST_ITEMS;
  batches = (n + rows - 1) / rows;
  if (batches < 1) batches = 1;
  if (inference && batches > CHUNK) batches = CHUNK; /* what is queued at once */
  n = batches * rows;
  TRY(entries ? sparse_rows(s, (int)n, in, entries) : dense_rows(s, (int)n, in));
  for (size_t i = 0; i < n; i++) s->data->y[i] = (int32_t)(i % (size_t)classes);
  s->data->classes = classes;
  if (experiment_many_domains(&s->x)) TRY(dataset_set_domain(&s->x.ctx->err, s->data, 0));
fail:
  return rc;
}

int stand_open(stand *s, const cldann_experiment *x, int inference, int batch, int entries) {
  settings *set = &s->x.s;
  cldann_error *e = &x->ctx->err;
  int rc;
  *s = (stand){.x = *x};
  s->batch = batch ? batch : inference ? set->eval_batch : set->batch;
  if (s->batch < 1 || s->batch > 65536) FAIL(e, CLDANN_E_ARG, "a batch of %d rows; give 1 to 65536", s->batch);
  if (!inference && set->method->source && set->method->target && s->batch % 2)
    FAIL(e, CLDANN_E_ARG, "a batch of %d rows is odd; method %s takes one half of it from the source and one from the target",
         s->batch, set->method->name);
  set->eval_batch = s->batch; /* when training too: what nobody evaluates must not ask for more memory than the step */
  if (!inference) set->batch = s->batch;
  set->lr.lr = 0;
  set->steps = set->log_every = INT32_MAX;
  set->horizon = 1; /* lambda at its end */
  TRY(random_rows(s, inference, entries));
  s->x.source = s->x.target = s->x.source_test = s->x.target_test = s->data;
  s->x.source_held = s->x.target_held = NULL;
  s->x.loaded = 1;
  if (inference) {
    TRY(trainer_open(&s->x, NULL, &s->t));
    TRY(evaluation_open(s->t, &s->t->tests[0], 0, NULL, &s->eval));
    s->r = s->eval.r;
    s->streamed = s->eval.feed.spec.block > 0;
  } else {
    TRY(trainer_new(&s->x, NULL, &s->t));
    s->r = s->t->train;
    for (int i = 0; i < 2; i++) s->streamed += s->t->feeds[i].spec.block > 0;
  }
fail:
  return rc;
}

void stand_close(stand *s) {
  if (s->eval.r) evaluation_close(s->t, &s->eval);
  trainer_free(s->t);
  dataset_free(s->data);
  *s = (stand){.r = NULL};
}

int stand_prepare(stand *s) {
  return s->eval.r ? evaluation_prepare(s->t, &s->eval, 0) : trainer_prepare_step(s->t, s->t->step, 0);
}

/* ---- launch by launch ---- */

/* One step. What a library queues has no event of ours: it is waited for, and its time goes to ns[launch]. */
static int run_apart(stand *s, double *ns) {
  const launches *l = replay_list(s->r);
  double start = 0;
  int rc;
  TRY(stand_prepare(s));
  for (int i = 1; i < l->n; i++) {
    const int library = l->list[i].library != NULL;
    if (library) TRY(device_finish(s->t->dev));
    start = clock_now();
    TRY(replay_run_range(s->r, i, i + 1));
    if (library) TRY(device_finish(s->t->dev));
    ns[i] = 1e9 * (clock_now() - start);
  }
fail:
  return rc;
}

/* Steps until `seconds` have passed, each with a row of ns; the first, on a queue just made, is not to be counted. */
static int run_steps(stand *s, double seconds, int (*stop)(void *), void *user, double *ns, int *steps) {
  const size_t n = (size_t)replay_list(s->r)->n;
  double start = clock_now();
  int rc = CLDANN_OK;
  for (*steps = 0; *steps <= MOST_REPEATS; ++*steps) {
    if (*steps > LEAST_REPEATS && clock_now() - start > seconds) break;
    TRY(stop ? stop(user) : CLDANN_OK);
    TRY(run_apart(s, ns + (size_t)*steps * n));
    TRY(device_finish(s->t->dev));
    if (*steps == 0) start = clock_now();
  }
fail:
  return rc;
}

int stand_profile(stand *s, double seconds, int (*stop)(void *), void *user, double *us, int *repeats) {
  const launches *l = replay_list(s->r);
  const size_t size = (size_t)(MOST_REPEATS + 1) * (size_t)l->n;
  double *ns = NULL, *events = NULL, one[MOST_REPEATS];
  int steps = 0, rc, end, n = 0;
  TRY(mem_new(s->t->err, &ns, size, sizeof *ns));
  TRY(mem_new(s->t->err, &events, size, sizeof *events));
  TRY(device_profile_begin(s->t->dev));
  rc = run_steps(s, seconds, stop, user, ns, &steps);
  end = device_profile_end(s->t->dev, events, (int)size, &n); /* whatever came: it puts the ordinary queue back */
  TRY(rc);
  TRY(end);
  for (int k = 0, at = 0; k < steps; k++)
    for (int i = 1; i < l->n && at < n; i++)
      if (!l->list[i].library) ns[k * l->n + i] = events[at++];
  for (int i = 1; i < l->n; i++) {
    for (int k = 1; k < steps; k++) one[k - 1] = ns[k * l->n + i];
    us[i] = 1e-3 * stand_median(one, steps - 1);
  }
  *repeats = steps - 1;
fail:
  mem_free(ns);
  mem_free(events);
  return rc;
}

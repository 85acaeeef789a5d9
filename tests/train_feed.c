/*
 * tests/train_feed.c: data that do not fit the device's memory: a run that streams them must end in the same bits as one that
 * keeps them there, however it is cut into chunks and wherever it is stopped; and a budget that is too small says what would
 * do.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "runner.h"
#include "train/trainer_internal.h"
#include "train_suites.h"
#include "trained.h"

static cldann **at;

#define GOOD(call) ck_assert_msg((call) == 0, "%s", (*at)->err.message)

enum { MOST_SETS = 10 };

/* One experiment, small enough that slots are smaller than its sets, whose epochs end inside a block. */
typedef struct job {
  const char *file, *sets[MOST_SETS]; /* ends with NULL */
  int streams;                        /* of training */
} job;

#define DIGITS \
  "data.source.n=640", "data.target.n=700", "data.source_test.n=330", "data.target_test.n=410", "batch=16", "eval_batch=20"
static const job jobs[] = {
    {"experiments/digits.conf", {DIGITS, "steps=130", "log_every=50", "method=dann"}, 2},
    {"experiments/digits.conf", {DIGITS, "steps=100", "log_every=9", "method=source-only"}, 1},
    {"experiments/digits.conf", {DIGITS, "steps=50", "log_every=11", "method=target-only"}, 1},
    {"experiments/digits.conf", {DIGITS, "steps=1", "log_every=1", "method=dann"}, 2},
    {"experiments/blobs.conf", {"steps=120", "log_every=16", "batch=8", "eval_batch=3", "method=dann"}, 2},
};
enum { JOBS = sizeof jobs / sizeof *jobs };

typedef struct outcome {
  trained end;
  int blocks[2], test_blocks[2];
  uint64_t whole;    /* bytes of training with all resident */
  uint64_t streamed; /* with all streamed, in blocks as long as may be */
  uint64_t shared, test_arena;
} outcome;

static cldann_experiment *load(const job *j, double megabytes) {
  cldann_experiment *x = NULL;
  int n = 0;
  while (n < MOST_SETS && j->sets[n]) n++;
  GOOD(cldann_experiment_load(*at, source_path(j->file), j->sets, n, NULL, &x));
  x->s.device_memory = megabytes;
  return x;
}

static void describe(const trainer *t, outcome *o) {
  o->shared = t->shared_bytes;
  o->whole = o->streamed = t->shared_bytes + t->training.arena;
  o->test_arena = t->tests[0].arena;
  for (int i = 0; i < t->training.n; i++) {
    feed_spec f = t->training.feeds[i];
    o->blocks[i] = f.block;
    f.block = 0;
    o->whole += feed_bytes(&f, NULL);
    f.block = t->training.most_block;
    o->streamed += feed_bytes(&f, NULL);
  }
  for (int i = 0; i < 2; i++) o->test_blocks[i] = t->tests[i].feeds[0].block;
}

static outcome finish(trainer *t, cldann_experiment *x) {
  outcome o = {.shared = 0};
  describe(t, &o);
  o.end = train_to_end(t, x);
  return o;
}

static outcome run(const job *j, double megabytes) {
  cldann_experiment *x = load(j, megabytes);
  trainer *t = NULL;
  GOOD(trainer_new(x, NULL, &t));
  return finish(t, x);
}

#define SAME(field) ck_assert_msg(!memcmp(&a->field, &b->field, sizeof a->field), "%s is another number", #field)

static void check_same(const trained *a, const trained *b) {
  ck_assert_int_eq(a->n, b->n);
  ck_assert_int_eq(memcmp(a->params, b->params, a->n * 4), 0);
  SAME(last.label_loss), SAME(last.label_accuracy), SAME(last.domain_loss), SAME(last.domain_accuracy);
  SAME(r.source_accuracy), SAME(r.source_loss), SAME(r.domain_accuracy_source);
  SAME(r.target_accuracy), SAME(r.target_loss), SAME(r.domain_accuracy_target);
}

/* A little above, for the way through megabytes. */
static double megabytes(uint64_t bytes) {
  return (double)(bytes + 1) / 1e6;
}

START_TEST(streamed_is_resident) {
  const job *j = &jobs[_i];
  outcome whole = run(j, 0);
  ck_assert_int_eq(whole.blocks[0] + whole.blocks[1] + whole.test_blocks[0] + whole.test_blocks[1], 0);
  outcome one = run(j, megabytes(whole.whole - 100)), all = run(j, megabytes(whole.streamed));
  ck_assert_msg(one.blocks[0] + one.blocks[1] > 0, "nothing streamed");
  if (j->streams > 1) ck_assert_msg(!one.blocks[0] || !one.blocks[1], "not the largest alone streamed");
  for (int i = 0; i < j->streams; i++) ck_assert_msg(all.blocks[i] > 0, "set %d did not stream", i);
  check_same(&whole.end, &one.end);
  check_same(&whole.end, &all.end);
  free(whole.end.params), free(one.end.params), free(all.end.params);
}
END_TEST

/* The least budget: slots of one step, and of one batch in evaluation, which then streams too. */
START_TEST(the_least_that_would_do_does) {
  const job *j = &jobs[_i];
  cldann_experiment *x = load(j, 1e-6);
  trainer *t = NULL;
  ck_assert_int_eq(trainer_new(x, NULL, &t), CLDANN_E_MEM);
  const char *text = strstr((*at)->err.message, "device_memory to ");
  ck_assert_msg(text != NULL, "%s", (*at)->err.message);
  const double least = strtod(text + strlen("device_memory to "), NULL);
  cldann_clear_error(*at);
  x->s.device_memory = least - 0.1; /* it is told in tenths, rounded up */
  if (least > 0.1) {
    ck_assert_int_eq(trainer_new(x, NULL, &t), CLDANN_E_MEM);
    cldann_clear_error(*at);
  }
  cldann_experiment_free(x);
  outcome whole = run(j, 0), tight = run(j, least);
  check_same(&whole.end, &tight.end);
  free(whole.end.params), free(tight.end.params);
}
END_TEST

START_TEST(test_sets_stream) {
  const job *j = &jobs[0];
  outcome whole = run(j, 0);
  cldann_experiment *x = load(j, 0);
  trainer *t = NULL;
  cldann_result r;
  GOOD(experiment_load_data(x, NULL, NULL));
  /* As little as four batches of the target need, in a trainer that only evaluates. */
  x->s.device_memory = megabytes(whole.shared + whole.test_arena + 4 * 20 * (dataset_item_bytes(x->target_test) + 4));
  GOOD(trainer_open(x, NULL, &t));
  ck_assert_int_eq(t->tests[0].feeds[0].block, 4);
  ck_assert_int_eq(t->tests[1].feeds[0].block, 2);
  GOOD(trainer_set_params(t, whole.end.params));
  GOOD(trainer_evaluate(t, &r));
  ck_assert_double_eq(r.target_loss, whole.end.r.target_loss);
  ck_assert_double_eq(r.target_accuracy, whole.end.r.target_accuracy);
  ck_assert_double_eq(r.source_loss, whole.end.r.source_loss);
  ck_assert_double_eq(r.domain_accuracy_target, whole.end.r.domain_accuracy_target);
  trainer_free(t);
  cldann_experiment_free(x);
  free(whole.end.params);
}
END_TEST

static int stop_now(void *user) {
  return *(int *)user;
}

/* Stopped inside a block, sent to steps that nobody staged, and going on: what is in the slots is never taken for granted. */
static outcome wander(const job *j, double megabytes) {
  cldann_experiment *x = load(j, megabytes);
  trainer *t = NULL;
  int stop = 1;
  const cldann_train_options o = {.should_stop = stop_now, .user = &stop};
  GOOD(trainer_new(x, &o, &t));
  ck_assert_int_eq(trainer_run(t, x->s.steps), CLDANN_E_INTERRUPTED);
  cldann_clear_error(*at);
  stop = 0;
  GOOD(trainer_run(t, 41));
  for (int64_t step = 129; step >= 0; step -= 43) { /* updates held back: the tables and the slots alone change */
    GOOD(trainer_prepare_step(t, step, 1));
    GOOD(replay_run(t->train));
  }
  GOOD(trainer_run(t, 64));
  t->step = 97; /* another block than the one staged ahead, in the slot of the one before */
  GOOD(trainer_run(t, 101));
  t->step = 5;
  t->o.should_stop = NULL;
  return finish(t, x);
}

START_TEST(stopped_and_going_on) {
  const outcome straight = run(&jobs[0], 0), whole = wander(&jobs[0], 0),
                streamed = wander(&jobs[0], megabytes(whole.streamed));
  ck_assert_int_gt(streamed.blocks[0], 0);
  ck_assert_int_eq(memcmp(whole.end.params, streamed.end.params, whole.end.n * 4), 0);
  ck_assert_int_ne(memcmp(straight.end.params, streamed.end.params, whole.end.n * 4), 0);
  free(straight.end.params), free(whole.end.params), free(streamed.end.params);
}
END_TEST

START_TEST(stopping_changes_nothing) {
  const outcome whole = run(&jobs[0], 0);
  cldann_experiment *x = load(&jobs[0], megabytes(whole.streamed));
  trainer *t = NULL;
  GOOD(trainer_new(x, NULL, &t));
  for (int until = 7; until < 130; until += 19) GOOD(trainer_run(t, until));
  const outcome streamed = finish(t, x);
  ck_assert_int_eq(memcmp(whole.end.params, streamed.end.params, whole.end.n * 4), 0);
  free(whole.end.params), free(streamed.end.params);
}
END_TEST

START_TEST(divergence_while_streaming) {
  const job j = {"experiments/digits.conf", {DIGITS, "steps=130", "log_every=50", "lr.lr=1000"}, 2};
  char message[2][512];
  for (int i = 0; i < 2; i++) {
    cldann_experiment *x = load(&j, 0);
    trainer *t = NULL;
    outcome o;
    GOOD(trainer_new(x, NULL, &t));
    describe(t, &o);
    if (i) {
      trainer_free(t);
      x->s.device_memory = megabytes(o.streamed);
      GOOD(trainer_new(x, NULL, &t));
      ck_assert_int_gt(t->feeds[1].spec.block, 0);
    }
    ck_assert_int_eq(trainer_run(t, x->s.steps), CLDANN_E_DIVERGED);
    snprintf(message[i], sizeof message[i], "%s", (*at)->err.message);
    cldann_clear_error(*at);
    trainer_free(t);
    cldann_experiment_free(x);
  }
  ck_assert_str_eq(message[0], message[1]);
}
END_TEST

/* Every allocation of a feed fails once, and none of the others is left behind. */
START_TEST(a_feed_gives_all_back) {
  cldann_experiment *x = load(&jobs[0], 0);
  GOOD(experiment_load_data(x, NULL, NULL));
  for (int block = 0; block < 3; block += 2) {
    const feed_spec spec = {.set = x->source, .labels = 1, .rows = 8, .steps = 80, .block = block};
    const long live = mem_live();
    feed f = {0};
    int rc = -1, failures = 0;
    for (long n = 0; rc < 0 && n < 100; n++) {
      mem_fail_after(n);
      rc = feed_open((*at)->dev, &spec, &f);
      mem_fail_after(-1);
      if (rc == 0) break;
      failures++;
      ck_assert_int_eq(rc, CLDANN_E_MEM);
      ck_assert_int_eq(mem_live(), live);
      cldann_clear_error(*at);
    }
    ck_assert_int_eq(rc, 0);
    ck_assert_int_ge(failures, block ? 7 : 2);
    feed_close(&f);
    ck_assert_int_eq(mem_live(), live);
  }
  cldann_experiment_free(x);
}
END_TEST

START_TEST(bench_streams) {
  const job j = {"experiments/digits.conf", {NULL}, 2};
  cldann_bench_result r;
  cldann_experiment *x = load(&j, 0);
  x->s.device_memory = 20;
  GOOD(cldann_bench(x, NULL, &r));
  ck_assert_int_eq(r.streamed, 2);
  GOOD(cldann_bench(x, &(cldann_bench_options){.inference = 1}, &r));
  ck_assert_int_eq(r.streamed, 1);
  cldann_experiment_free(x);
}
END_TEST

TCase *feed_cases(cldann **ctx) {
  TCase *t = tcase_create("feed");
  at = ctx;
  tcase_set_timeout(t, 300);
  tcase_add_loop_test(t, streamed_is_resident, 0, JOBS);
  tcase_add_loop_test(t, the_least_that_would_do_does, 0, JOBS);
  tcase_add_test(t, test_sets_stream);
  tcase_add_test(t, stopped_and_going_on);
  tcase_add_test(t, stopping_changes_nothing);
  tcase_add_test(t, divergence_while_streaming);
  tcase_add_test(t, a_feed_gives_all_back);
  tcase_add_test(t, bench_streams);
  return t;
}

/*
 * tests/train_checkpoint.c: a training that was stopped, anywhere and more than once, and went on, ends in the files of one
 * that was not. What cannot be gone on from is refused, and nothing of it is lost.
 */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner.h"
#include "train/trainer_internal.h"
#include "train_suites.h"

static cldann **at;

#define GOOD(call) ck_assert_msg((call) == 0, "%s", (*at)->err.message)

enum { MOST_SETS = 12 };

typedef struct job {
  const char *file, *sets[MOST_SETS];
  int stops[4]; /* calls of should_stop until each, then none */
} job;

static const char net[] = "net.features=({op=\"dense\"; units=9; name=\"f\";}, {op=\"batch_norm\"; stats=\"perdomain\";}, "
                          "{op=\"relu\";}, {op=\"dropout\"; rate=0.3;})";

static const job jobs[] = {
    {"experiments/blobs.conf", {"steps=130", "log_every=50", "batch=16"}, {2, 1, 1}}, /* Adam; inside a window, twice in one */
    {"experiments/blobs.conf", {"steps=130", "log_every=9", "optimiser.kind=nesterov", "lr.lr=0.002", net}, {5, 3}},
    {"experiments/blobs.conf",
     {"steps=300", "log_every=15", "validation.share=0.2", "validation.patience=6", "batch=20"},
     {4, 8}},
    {"experiments/blobs.conf",
     {"steps=120", "log_every=15", "validation.share=0.2", "validation.reverse=true", "batch=20"},
     {4, 5}},
    {"experiments/digits.conf",
     {"steps=60", "log_every=40", "data.source.n=320", "data.target.n=400", "data.source_test.n=50", "data.target_test.n=50",
      "batch=16", "eval_batch=10", "device_memory=10"}, /* streamed */
     {1}},
};
enum { JOBS = sizeof jobs / sizeof *jobs };

static cldann_experiment *load(const job *j, const char *more) {
  const char *sets[MOST_SETS + 1];
  cldann_experiment *x = NULL;
  int n = 0;
  while (n < MOST_SETS && j->sets[n]) sets[n] = j->sets[n], n++;
  if (more) sets[n++] = more;
  GOOD(cldann_experiment_load(*at, source_path(j->file), sets, n, NULL, &x));
  return x;
}

static int stop_after(void *user) {
  int *left = user;
  return *left > 0 && --*left == 0;
}

static int train(const job *j, const char *more, const char *dir, int stop, int resume, cldann_result *r) {
  cldann_experiment *x = load(j, more);
  const cldann_train_options o = {.out_dir = dir, .resume = resume, .should_stop = stop_after, .user = &stop};
  const int rc = cldann_train(x, &o, r);
  cldann_experiment_free(x);
  return rc;
}

static char *whole(const char *dir, const char *name, size_t *n) {
  char path[300], *text = malloc(1 << 20);
  snprintf(path, sizeof path, "%s/%s", dir, name);
  FILE *f = fopen(path, "rb");
  ck_assert_msg(f && text, "no %s", path);
  *n = fread(text, 1, (1 << 20) - 1, f);
  text[*n] = 0;
  fclose(f);
  return text;
}

static void check_same_files(const char *a, const char *b) {
  size_t n, m;
  char *x = whole(a, "model.safetensors", &n), *y = whole(b, "model.safetensors", &m);
  ck_assert(n == m && !memcmp(x, y, n));
  free(x), free(y);
  x = whole(a, "metrics.jsonl", &n), y = whole(b, "metrics.jsonl", &m);
  char *p = x, *q = y, *in_x, *in_y;
  for (p = strtok_r(x, "\n", &in_x), q = strtok_r(y, "\n", &in_y); p || q;
       p = strtok_r(NULL, "\n", &in_x), q = strtok_r(NULL, "\n", &in_y)) {
    static const char *const times[] = {"seconds", "samples_per_second", "eta_seconds"};
    ck_assert_msg(p && q, "one has a line more: %s", p ? p : q);
    json_t *one = json_loads(p, 0, NULL), *two = json_loads(q, 0, NULL);
    ck_assert(one && two);
    for (int i = 0; i < 3; i++) json_object_del(one, times[i]), json_object_del(two, times[i]);
    ck_assert_msg(json_equal(one, two), "%s\n%s", p, q);
    json_decref(one), json_decref(two);
  }
  free(x), free(y);
}

static int there(const char *dir, const char *name) {
  char path[300];
  snprintf(path, sizeof path, "%s/%s", dir, name);
  return access(path, F_OK) == 0;
}

START_TEST(stopped_is_not_stopped) {
  const job *j = &jobs[_i];
  char straight[100], stopped[100];
  cldann_result a, b;
  snprintf(straight, sizeof straight, "%s/straight%d", folder, _i);
  snprintf(stopped, sizeof stopped, "%s/stopped%d", folder, _i);
  GOOD(train(j, NULL, straight, 0, 0, &a));
  for (int i = 0; i < 4 && j->stops[i]; i++) {
    ck_assert_int_eq(train(j, NULL, stopped, j->stops[i], i > 0, &b), CLDANN_E_INTERRUPTED);
    cldann_clear_error(*at);
    ck_assert(there(stopped, "checkpoint.safetensors") && there(stopped, "model.safetensors"));
  }
  GOOD(train(j, NULL, stopped, 0, 1, &b));
  check_same_files(straight, stopped);
  ck_assert(a.target_accuracy == b.target_accuracy && a.target_loss == b.target_loss && a.model_step == b.model_step);
  ck_assert(!there(stopped, "checkpoint.safetensors"));
}
END_TEST

static char crashed[100];

/* Keeps the checkpoint of step 50 when the line of step 100 is there. */
static void keep_checkpoint(void *user, const cldann_progress *p) {
  size_t n;
  (void)user;
  if (p->step != 100) return;
  char *text = whole(crashed, "checkpoint.safetensors", &n);
  write_file(in("kept"), text, n);
  free(text);
}

/* As after a crash: the last checkpoint is older than the last line of metrics. */
START_TEST(from_an_older_checkpoint) {
  const job *j = &jobs[0];
  char straight[100], path[300];
  cldann_result r;
  cldann_experiment *x = load(j, NULL);
  size_t n;
  snprintf(crashed, sizeof crashed, "%s/crashed", folder), snprintf(straight, sizeof straight, "%s/uncrashed", folder);
  GOOD(train(j, NULL, straight, 0, 0, &r));
  GOOD(
      cldann_train(x, &(cldann_train_options){.out_dir = crashed, .checkpoint_every = 40, .on_progress = keep_checkpoint}, &r));
  cldann_experiment_free(x);
  char *kept = whole(folder, "kept", &n);
  ck_assert_ptr_nonnull(strstr(kept + 8, "\\\"step\\\":50,"));
  snprintf(path, sizeof path, "%s/checkpoint.safetensors", crashed);
  write_file(path, kept, n);
  free(kept);
  GOOD(train(j, NULL, crashed, 0, 1, &r));
  check_same_files(straight, crashed);
}
END_TEST

static void refused(const job *j, const char *more, const char *dir, int resume, int status, const char *text) {
  cldann_result r;
  ck_assert_int_eq(train(j, more, dir, 0, resume, &r), status);
  ck_assert_msg(strstr((*at)->err.message, text) && !strchr((*at)->err.message, '\n'), "%s", (*at)->err.message);
  cldann_clear_error(*at);
}

START_TEST(what_is_refused) {
  const job *j = &jobs[0];
  char dir[100], path[300], *before, *after;
  cldann_result r;
  size_t n, m;
  snprintf(dir, sizeof dir, "%s/refused", folder);
  refused(j, NULL, dir, 1, CLDANN_E_IO, "to go on from; leave --resume out");
  ck_assert_int_eq(train(j, NULL, dir, 2, 0, &r), CLDANN_E_INTERRUPTED);
  cldann_clear_error(*at);
  before = whole(dir, "metrics.jsonl", &n);
  refused(j, NULL, dir, 0, CLDANN_E_IO, "holds a run already");
  refused(j, "lr.lr=0.5", dir, 1, CLDANN_E_CONFIG, "it has 'lr = 0.001;', this one 'lr = 0.5;'");
  refused(j, "steps=500", dir, 1, CLDANN_E_CONFIG, "'steps = 130;'");
  after = whole(dir, "metrics.jsonl", &m);
  ck_assert(n == m && !memcmp(before, after, n));
  free(before), free(after);
  /* Cut or changed anywhere it is refused, or is as good as it was; never a crash. */
  char *good = whole(dir, "checkpoint.safetensors", &n);
  snprintf(path, sizeof path, "%s/checkpoint.safetensors", dir);
  for (size_t k = 0; k < 40; k++) {
    char *bad = malloc(n);
    size_t size = k % 2 ? n : n * k / 40;
    memcpy(bad, good, n);
    if (k % 2) bad[8 + (n - 8) * k / 40 / 4] ^= 0x55;
    write_file(path, bad, size);
    const int rc = train(j, NULL, dir, 1, 1, &r);
    ck_assert_msg(rc == CLDANN_E_FORMAT || rc == CLDANN_E_CONFIG || rc == CLDANN_E_INTERRUPTED || rc == CLDANN_E_DIVERGED,
                  "%d: %s", rc, (*at)->err.message);
    cldann_clear_error(*at);
    free(bad);
  }
  free(good);
  cldann_experiment *x = load(j, NULL);
  GOOD(cldann_train(x, &(cldann_train_options){.out_dir = dir, .overwrite = 1}, &r));
  cldann_experiment_free(x);
}
END_TEST

TCase *checkpoint_cases(cldann **ctx) {
  TCase *t = tcase_create("checkpoint");
  at = ctx;
  tcase_set_timeout(t, 300);
  tcase_add_loop_test(t, stopped_is_not_stopped, 0, JOBS);
  tcase_add_test(t, from_an_older_checkpoint);
  tcase_add_test(t, what_is_refused);
  return t;
}

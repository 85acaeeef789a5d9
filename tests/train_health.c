/* tests/train_health.c: the warnings of train/health.h, each provoked, and silence where all is well. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "runner.h"
#include "train/experiment.h"
#include "train/health.h"
#include "train_suites.h"

static cldann **at;

START_TEST(intervals) {
  double low, high;
  health_interval(0.5, 100, &low, &high); /* (0.4038, 0.5962), as tables of Wilson's interval have it */
  ck_assert(fabs(low - 0.4038) < 1e-4 && fabs(high - 0.5962) < 1e-4);
  health_interval(1, 10, &low, &high);
  ck_assert(fabs(low - 0.7225) < 1e-4 && fabs(high - 1) < 1e-6);
  health_interval(0.5, 0, &low, &high);
  ck_assert(isnan(low) && isnan(high));
}
END_TEST

static cldann_progress window(double lambda, double source, double target) {
  return (cldann_progress){.lambda = lambda, .domain_accuracy_source = source, .domain_accuracy_target = target};
}

/* The number of windows after which the warning with `word` in it comes, 0: never in 30; each comes once. */
static int windows_until(double lambda, double source, double target, const char *word) {
  const settings s = {.method = &methods[0], .lambda = {.max = 1}};
  const cldann_progress p = window(lambda, source, target);
  health h = {0};
  int when = 0, told = 0;
  for (int i = 1; i <= 30; i++) {
    const char *text = health_look(&h, &s, &p);
    told += text != NULL;
    if (text && strstr(text, word) && !when) when = i;
  }
  ck_assert_int_le(told, 1);
  return when;
}

/* The same for what meets at the features. */
static int meetings_until(double lambda, double label, double domain, double accuracy, const char *word) {
  const settings s = {.method = &methods[0], .lambda = {.max = 1}};
  const cldann_progress p = {.lambda = lambda,
                             .domain_accuracy_source = 0.6,
                             .domain_accuracy_target = 0.6,
                             .label_accuracy = accuracy,
                             .join_label = label,
                             .join_domain = domain};
  health h = {0};
  int when = 0, told = 0;
  for (int i = 1; i <= 30; i++) {
    const char *text = health_look(&h, &s, &p);
    told += text != NULL;
    if (text && strstr(text, word) && !when) when = i;
  }
  ck_assert_int_eq(told, when > 0);
  return when;
}

START_TEST(meetings) {
  ck_assert_int_eq(meetings_until(1, 1, 0.0009, 0.6, "nothing is adapted"), 10);
  ck_assert_int_eq(meetings_until(1, 1, 0.0011, 0.6, ""), 0);
  ck_assert_int_eq(meetings_until(0.1, 1, 0.0009, 0.6, ""), 0);
  ck_assert_int_eq(meetings_until(1, 0.1, 3.1, 0.6, "labels are not learnt"), 10);
  ck_assert_int_eq(meetings_until(1, 0.1, 2.9, 0.6, ""), 0);
  ck_assert_int_eq(meetings_until(1, 0.1, 3.1, 0.95, ""), 0); /* a label head that is right has little to send */
  ck_assert_int_eq(meetings_until(1, 0, 0, 0.6, ""), 0);
  ck_assert_int_eq(meetings_until(1, NAN, NAN, 0.6, ""), 0);
}
END_TEST

START_TEST(heads) {
  ck_assert_int_eq(windows_until(1, 1, 0, "collapsed"), 5);
  ck_assert_int_eq(windows_until(1, 0.0005, 1, "collapsed"), 5);
  ck_assert_int_eq(windows_until(0.1, 1, 0, "collapsed"), 0); /* lambda is only on its way */
  ck_assert_int_eq(windows_until(1, 1, 1, "no effect"), 10);
  ck_assert_int_eq(windows_until(0.1, 1, 1, "no effect"), 0);
  ck_assert_int_eq(windows_until(1, 0.9, 0.2, ""), 0);
  health h = {0};
  const settings s = {.method = &methods[0], .lambda = {.max = 1}};
  for (int i = 0; i < 30; i++) { /* a window between that is none begins the count anew */
    const cldann_progress p = i % 5 == 4 ? window(1, 0.5, 0.5) : window(1, 1, 0);
    ck_assert_ptr_null(health_look(&h, &s, &p));
  }
}
END_TEST

typedef struct heard {
  int warnings;
  char last[300];
} heard;

static void hear(void *user, const char *line) {
  heard *h = user;
  if (strncmp(line, "warning: ", 9) != 0) return;
  h->warnings++;
  snprintf(h->last, sizeof h->last, "%.290s", line);
}

static void make_constant(dataset *d) {
  for (int i = 1; i < d->n; i++) memcpy((char *)d->x + (size_t)i * dataset_item_bytes(d), d->x, dataset_item_bytes(d));
}

static heard train(const char *file, const char *const *sets, int n, int constant) {
  heard h = {0};
  cldann_experiment *x = NULL;
  const cldann_train_options o = {.on_message = hear, .user = &h};
  cldann_result r;
  ck_assert_msg(cldann_experiment_load(*at, source_path(file), sets, n, NULL, &x) == 0, "%s", (*at)->err.message);
  ck_assert_int_eq(experiment_load_data(x, NULL, NULL), 0);
  if (constant) make_constant(x->target);
  ck_assert_msg(cldann_train(x, &o, &r) == 0, "%s", (*at)->err.message);
  cldann_experiment_free(x);
  return h;
}

START_TEST(runs) {
  const char *const digits[] = {"steps=100", "log_every=5", "data.source.n=640", "data.target.n=640"};
  const char *const blobs[] = {"steps=3000", "log_every=100"};
  const char *const zero[] = {"steps=20", "lambda.max=0"}, *const late[] = {"steps=20", "horizon=1000000"};
  const char *const few[] = {"steps=20"};
  ck_assert_int_eq(train("experiments/digits.conf", digits, 4, 0).warnings, 0);
  ck_assert_int_eq(train("experiments/blobs.conf", blobs, 2, 0).warnings, 0);
  heard h = train("experiments/blobs.conf", zero, 2, 0);
  ck_assert_msg(h.warnings == 1 && strstr(h.last, "never weighs"), "%d: %s", h.warnings, h.last);
  h = train("experiments/blobs.conf", late, 2, 0);
  ck_assert_msg(h.warnings == 1 && strstr(h.last, "never weighs"), "%d: %s", h.warnings, h.last);
  h = train("experiments/blobs.conf", few, 1, 1);
  ck_assert_msg(h.warnings == 1 && strstr(h.last, "are the same"), "%d: %s", h.warnings, h.last);
}
END_TEST

/* Of sparse rows it is places as well as values that make them the same. */
START_TEST(constant_sparse) {
  enum { ROWS = 6, WIDTH = 4 };
  cldann_error e = {0};
  dataset *d = NULL;
  ck_assert_int_eq(dataset_new_sparse(&e, &d, "ones", ROWS, 1, 1, WIDTH, 2 * ROWS, 0), 0);
  for (int i = 0; i < 2 * ROWS; i++) ((float *)d->x)[i] = 1, d->columns[i] = i % 2, d->offsets[i / 2] = i / 2 * 2;
  ck_assert_ptr_nonnull(health_of_data(d));
  d->columns[2 * ROWS - 1] = WIDTH - 1; /* of the last row */
  ck_assert_ptr_null(health_of_data(d));
  d->columns[2 * ROWS - 1] = 1;
  d->offsets[ROWS - 1] = 2 * ROWS - 1; /* now with an entry less */
  ck_assert_ptr_null(health_of_data(d));
  dataset_free(d);
}
END_TEST

static void see_meeting(void *user, const cldann_progress *p) {
  const int meet = *(const int *)user;
  ck_assert_msg(meet ? p->join_label > 0 && p->join_domain > 0 && isfinite(p->join_label + p->join_domain)
                     : isnan(p->join_label) && isnan(p->join_domain),
                "%g %g", p->join_label, p->join_domain);
}

/* Where the heads meet there are figures, and where one is not trained none. */
START_TEST(who_meets) {
  static const char *const sets[3][3] = {{"method=dann", "steps=90", "log_every=40"},
                                         {"method=source-only", "steps=90", "log_every=40"},
                                         {"method=domain-only", "steps=90", "log_every=40"}};
  cldann_experiment *x = NULL;
  cldann_result r;
  int meet = _i == 0;
  ck_assert_msg(cldann_experiment_load(*at, source_path("experiments/blobs.conf"), sets[_i], 3, NULL, &x) == 0, "%s",
                (*at)->err.message);
  ck_assert_msg(cldann_train(x, &(cldann_train_options){.on_progress = see_meeting, .user = &meet}, &r) == 0, "%s",
                (*at)->err.message);
  cldann_experiment_free(x);
}
END_TEST

/* Far too large and far too small a lambda is told. */
START_TEST(lambda_that_is_out_of_place) {
  const char *const large[] = {"steps=1000", "log_every=25", "lambda.max=30"};
  const char *const small[] = {"steps=1000", "log_every=25", "lambda.max=0.02"};
  heard h = train("experiments/moons.conf", large, 3, 0);
  ck_assert_msg(h.warnings == 1 && strstr(h.last, "labels are not learnt"), "%d: %s", h.warnings, h.last);
  h = train("experiments/moons.conf", small, 3, 0);
  ck_assert_msg(h.warnings == 1 && strstr(h.last, "nothing is adapted"), "%d: %s", h.warnings, h.last);
}
END_TEST

TCase *health_cases(cldann **ctx) {
  TCase *t = tcase_create("health");
  at = ctx;
  tcase_set_timeout(t, 300);
  tcase_add_test(t, intervals);
  tcase_add_test(t, heads);
  tcase_add_test(t, meetings);
  tcase_add_test(t, runs);
  tcase_add_test(t, constant_sparse);
  tcase_add_loop_test(t, who_meets, 0, 3);
  tcase_add_test(t, lambda_that_is_out_of_place);
  return t;
}

/*
 * tests/train_domains.c: more than two domains: which rows are of which domain must reach the domain head, whoever brings the
 * rows, in training and in evaluation; and what does not fit together is told.
 */
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "runner.h"
#include "train/trainer_internal.h"
#include "train_suites.h"
#include "trained.h"

static cldann **at;

#define GOOD(call) ck_assert_msg((call) == 0, "%s", (*at)->err.message)

enum { ITEMS = 120, PARTS = 4 };

/* Points around a centre of their own for each part; the class is on which side of it they lie. */
static void write_part(int part, int items) {
  static const double centres[PARTS][2] = {{0, 0}, {4, 0}, {0, 4}, {4, 4}};
  char name[40];
  snprintf(name, sizeof name, "part%d.csv", part);
  FILE *f = fopen(in(name), "w");
  ck_assert_ptr_nonnull(f);
  fprintf(f, "x,y,class\n");
  for (int i = 0; i < items; i++) {
    const rng w = rng_words(7, RNG_CHECK, (uint32_t)part, (uint64_t)i);
    const double x = (double)rng_unit(w.v[0]) - 0.5, y = (double)rng_unit(w.v[1]) - 0.5;
    fprintf(f, "%.5f,%.5f,%d\n", centres[part][0] + x, centres[part][1] + y, x > 0);
  }
  fclose(f);
}

#define PART(n) "{ kind = \"file\"; path = \"%s/part" #n ".csv\"; labels = \"class\"; }"

/* Three source sets and a target; units of the domain head, and the source_test set, as asked. */
static const char *write_experiment(const char *units, const char *tests) {
  static char path[300];
  snprintf(path, sizeof path, "%s", in("domains.conf"));
  for (int i = 0; i < PARTS; i++) write_part(i, ITEMS + 7 * i);
  FILE *f = fopen(path, "w");
  ck_assert_ptr_nonnull(f);
  fprintf(
      f,
      "method = \"domain-only\"; seed = 3; steps = 400; batch = 48; eval_batch = 50; log_every = 100;\n"
      "optimiser = { kind = \"adam\"; }; lr = { schedule = \"constant\"; lr = 0.02; };\n"
      "net = { input = [1, 1, 2]; features = ( { op = \"dense\"; units = 16; name = \"features\"; }, { op = \"relu\"; } );\n"
      "  label_head = ( { op = \"dense\"; units = 2; name = \"label\"; }, { op = \"softmax_xent\"; } );\n"
      "  domain_head = ( { op = \"reversal\"; }, { op = \"dense\"; units = %s; name = \"domain\"; }, { op = "
      "\"softmax_xent\"; name = \"domain_loss\"; } ); };\n"
      "data = { source = { kind = \"several\"; sets = ( " PART(0) ", " PART(1) ", " PART(2) " ); };\n  target = " PART(
          3) ";\n"
             "  source_test = { kind = \"several\"; sets = ( %s ); };\n  target_test = " PART(3) "; };\n",
      units, folder, folder, folder, folder, tests, folder);
  fclose(f);
  return path;
}

static const char *three_tests(const char *order) {
  static char text[1200];
  size_t n = 0;
  for (; *order; order++)
    n += (size_t)snprintf(text + n, sizeof text - n, "%s{ kind = \"file\"; path = \"%s/part%c.csv\"; labels = \"class\"; }",
                          n ? ", " : "", folder, *order);
  return text;
}

/* *streams: how many of the training sets do; or NULL */
static trained run(const char *path, const char *const *sets, int n, double megabytes, int *streams) {
  cldann_experiment *x = NULL;
  trainer *t = NULL;
  GOOD(cldann_experiment_load(*at, path, sets, n, NULL, &x));
  x->s.device_memory = megabytes;
  GOOD(trainer_new(x, NULL, &t));
  if (streams) *streams = (t->training.feeds[0].block > 0) + (t->training.feeds[1].block > 0);
  return train_to_end(t, x);
}

/* Four domains that lie apart: the head that works with the features tells them apart, and the tests count by the same numbers.
 */
START_TEST(each_row_has_its_domain) {
  trained o = run(write_experiment("4", three_tests("012")), NULL, 0, 0, NULL);
  ck_assert_double_ge(o.last.domain_accuracy_source, 0.99);
  ck_assert_double_ge(o.last.domain_accuracy_target, 0.99);
  ck_assert_double_ge(o.r.domain_accuracy_source, 0.99);
  ck_assert_double_ge(o.r.domain_accuracy_target, 0.99);
  free(o.params);
  o = run(write_experiment("4", three_tests("021")), NULL, 0, 0,
          NULL); /* two of three sets are of other domains than they say */
  ck_assert_double_eq_tol(o.r.domain_accuracy_source, (double)ITEMS / (3 * ITEMS + 21), 0.02);
  free(o.params);
}
END_TEST

/* A head of two units tells source from target, whatever the source is made of. */
START_TEST(two_units_tell_source_from_target) {
  trained o = run(write_experiment("2", three_tests("021")), NULL, 0, 0, NULL);
  ck_assert_double_ge(o.r.domain_accuracy_source, 0.99);
  ck_assert_double_ge(o.r.domain_accuracy_target, 0.99);
  free(o.params);
}
END_TEST

START_TEST(streamed_is_resident) {
  const char *const sets[] = {"method=dann", "steps=90", "log_every=45"};
  const char *path = write_experiment("4", three_tests("012"));
  trained whole = run(path, sets, 3, 0, NULL), small = {0};
  int streams = 0;
  for (double megabytes = 0.06; megabytes > 0.02 && streams < 2; megabytes -= 0.002) { /* the largest that streams both */
    cldann_experiment *x = NULL;
    trainer *t = NULL;
    GOOD(cldann_experiment_load(*at, path, sets, 3, NULL, &x));
    x->s.device_memory = megabytes;
    const int fits = trainer_new(x, NULL, &t) == CLDANN_OK;
    cldann_clear_error(*at);
    trainer_free(t);
    cldann_experiment_free(x);
    if (!fits) break;
    free(small.params);
    small = run(path, sets, 3, megabytes, &streams);
  }
  ck_assert_int_ge(streams, 1);
  ck_assert_int_eq(memcmp(whole.params, small.params, whole.n * 4), 0);
  ck_assert_double_eq(whole.r.domain_accuracy_source, small.r.domain_accuracy_source);
  free(whole.params), free(small.params);
}
END_TEST

static void refused(const char *path, int code, const char *part) {
  cldann_experiment *x = NULL;
  ck_assert_int_eq(cldann_experiment_load(*at, path, NULL, 0, NULL, &x), code);
  ck_assert_msg(strstr((*at)->err.message, part) != NULL, "%s", (*at)->err.message);
  cldann_clear_error(*at);
}

START_TEST(bad_lists) {
  refused(write_experiment("3", three_tests("012")), CLDANN_E_SHAPE, "has 3 units but there are 4 domains; give it 4, or 2");
  refused(write_experiment("4", three_tests("01")), CLDANN_E_CONFIG, "has 2 sets but data.source has 3");
  refused(write_experiment("4", "{ path = \"x\"; }"), CLDANN_E_CONFIG, "needs a kind, another than several");
  refused(write_experiment("4", "{ kind = \"blobs\"; path = \"x\"; }"), CLDANN_E_CONFIG, "a set of kind blobs has no path");
  refused(write_experiment("4", "3"), CLDANN_E_CONFIG, "must be a group");
  refused(write_experiment("4", ""), CLDANN_E_CONFIG, "must be a list of groups");
}
END_TEST

/* Of a set with other columns, or without the labels that the rest have: the message names both. */
START_TEST(parts_must_fit) {
  cldann_experiment *x = NULL;
  const char *path = write_experiment("4", three_tests("012"));
  FILE *f = fopen(in("part1.csv"), "w");
  ck_assert_ptr_nonnull(f);
  fprintf(f, "x,y,z,class\n1,2,3,0\n4,5,6,1\n");
  fclose(f);
  GOOD(cldann_experiment_load(*at, path, NULL, 0, NULL, &x));
  ck_assert_int_eq(experiment_load_data(x, NULL, NULL), CLDANN_E_CONFIG);
  ck_assert_msg(strstr((*at)->err.message, "1 x 1 x 2 but part1.csv of 1 x 1 x 3") != NULL, "%s", (*at)->err.message);
  cldann_clear_error(*at);
  cldann_experiment_free(x);
}
END_TEST

/* What a run writes down reads back as the same sets. */
START_TEST(text_keeps_the_sets) {
  cldann_experiment *x = NULL, *y = NULL;
  char *text = NULL, *again = NULL;
  GOOD(cldann_experiment_load(*at, write_experiment("4", three_tests("012")), NULL, 0, NULL, &x));
  GOOD(cldann_experiment_text(x, &text));
  GOOD(experiment_open(*at, "domains.conf", text, NULL, 0, NULL, &y));
  GOOD(cldann_experiment_text(y, &again));
  ck_assert_str_eq(strchr(text, '\n'), strchr(again, '\n'));
  ck_assert_int_eq(y->domains[0], 3);
  ck_assert_int_eq(y->domains[1], 1);
  cldann_free_text(text), cldann_free_text(again);
  cldann_experiment_free(x), cldann_experiment_free(y);
}
END_TEST

TCase *domain_cases(cldann **ctx) {
  TCase *t = tcase_create("domains");
  at = ctx;
  tcase_set_timeout(t, 300);
  tcase_add_test(t, each_row_has_its_domain);
  tcase_add_test(t, two_units_tell_source_from_target);
  tcase_add_test(t, streamed_is_resident);
  tcase_add_test(t, bad_lists);
  tcase_add_test(t, parts_must_fit);
  tcase_add_test(t, text_keeps_the_sets);
  return t;
}

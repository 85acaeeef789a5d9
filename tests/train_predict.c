/*
 * tests/train_predict.c: a model in use says of new data what an evaluation of the same data counts, knows its classes by name,
 * and needs nothing of the experiment's own data.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "data/array.h"
#include "runner.h"
#include "train/trainer_internal.h"
#include "train_suites.h"

static cldann **at;

#define GOOD(call) ck_assert_msg((call) == 0, "%s", (*at)->err.message)

enum { ROWS = 130 };

/* Two clouds, a cat's and a dog's, with a header and a column of labels; or without both. */
static void write_rows(const char *path, double shift, int labelled) {
  FILE *f = fopen(path, "w");
  ck_assert_ptr_nonnull(f);
  fprintf(f, labelled ? "x,y,kind\n" : "x,y\n");
  for (int i = 0; i < ROWS; i++) {
    const rng r = rng_words(1, RNG_CHECK, 0, (uint64_t)i);
    fprintf(f, "%.4f,%.4f", (i % 2 ? 1 : -1) + shift + 0.6 * (double)rng_normal(r.v[0], r.v[1]),
            0.6 * (double)rng_normal(r.v[2], r.v[3]));
    fprintf(f, labelled ? ",%s\n" : "\n", i % 2 ? "dog" : "cat small");
  }
  fclose(f);
}

static const char *written_experiment(void) {
  static char text[2048];
  const char *sets[] = {"source", "target", "source_test", "target_test"};
  int n =
      snprintf(text, sizeof text,
               "steps = 150; batch = 16; log_every = 50; eval_batch = 50;\n"
               "input = { subtract_mean = true; };\n"
               "net = { input = [1, 1, 2]; features = ( { op = \"dense\"; units = 5; }, { op = \"tanh\"; } );\n"
               "  label_head = ( { op = \"dense\"; units = 2; }, { op = \"softmax_xent\"; } );\n"
               "  domain_head = ( { op = \"reversal\"; }, { op = \"dense\"; units = 1; }, { op = \"logistic_xent\"; } ); };\n"
               "data = {\n");
  for (int i = 0; i < 4; i++)
    n += snprintf(text + n, sizeof text - (size_t)n, "  %s = { kind = \"file\"; path = \"%s/%s.csv\"; labels = \"kind\"; };\n",
                  sets[i], folder, i % 2 ? "far" : "near");
  snprintf(text + n, sizeof text - (size_t)n, "};\n");
  write_file(in("predict.conf"), text, strlen(text));
  return in("predict.conf");
}

typedef struct answers {
  int n, dogs, features, stop_at;
  int label[ROWS];
  double probability[ROWS], target[ROWS], feature[ROWS];
} answers;

static int take(void *user, const cldann_prediction *p) {
  answers *a = user;
  double sum = 0;
  if (a->stop_at && p->item == a->stop_at) return 1;
  ck_assert(p->item == a->n && p->items == ROWS && p->classes == 2 && p->label >= 0 && p->label < 2);
  for (int k = 0; k < 2; k++) sum += p->probabilities[k];
  ck_assert_double_eq_tol(sum, 1, 1e-9);
  ck_assert(p->probability == p->probabilities[p->label] && p->probability >= 0.5 && p->target > 0 && p->target < 1);
  ck_assert_str_eq(p->name, p->label ? "dog" : "cat small");
  ck_assert(!p->file && !p->features == !a->features);
  if (p->features) a->feature[a->n] = (double)p->features[p->n_features - 1];
  a->label[a->n] = p->label, a->probability[a->n] = p->probability, a->target[a->n] = p->target;
  a->dogs += p->label;
  a->n++;
  return 0;
}

/* What eval's details say of the target's test set, from the predictions on the same file. */
static void check_detail(void *user, const cldann_detail *d) {
  const answers *a = user;
  double confidence[15] = {0}, error = 0;
  int right[15] = {0};
  int64_t counts[4] = {0};
  if (strcmp(d->set, "target_test") != 0) return;
  ck_assert(d->items == ROWS && d->classes == 2);
  ck_assert_str_eq(d->names[1], "dog");
  for (int i = 0; i < ROWS; i++) {
    const int bin = a->probability[i] < 1 ? (int)(a->probability[i] * 15) : 14;
    counts[i % 2 * 2 + a->label[i]]++;
    confidence[bin] += a->probability[i], right[bin] += a->label[i] == i % 2;
  }
  for (int i = 0; i < 15; i++) error += fabs(right[i] - confidence[i]) / ROWS;
  ck_assert_int_eq(memcmp(counts, d->counts, sizeof counts), 0);
  ck_assert_double_eq_tol(d->calibration_error, error, 1e-6);
  ck_assert_double_gt(error, 0.001);
}

START_TEST(what_an_evaluation_counts) {
  cldann_experiment *x = NULL;
  cldann_result r;
  char model[200];
  write_rows(in("near.csv"), 0, 1), write_rows(in("far.csv"), 1.2, 1), write_rows(in("bare.csv"), 1.2, 0);
  GOOD(cldann_experiment_load(*at, written_experiment(), NULL, 0, NULL, &x));
  GOOD(cldann_train(x, &(cldann_train_options){.out_dir = in("used")}, &r));
  cldann_experiment_free(x);
  snprintf(model, sizeof model, "%s/used/model.safetensors", folder);
  answers a = {.features = 1}, b = {.n = 0}, c = {.stop_at = 7};
  GOOD(cldann_predict(*at, model, in("far.csv"), &(cldann_predict_options){.features = 1, .on_item = take, .user = &a}));
  int hits = 0;
  for (int i = 0; i < ROWS; i++) hits += a.label[i] == i % 2;
  ck_assert_double_eq_tol((double)hits / ROWS, r.target_accuracy, 1e-9);
  ck_assert(a.n == ROWS && a.dogs > 0 && a.dogs < ROWS);
  for (int i = 0; i < ROWS; i++) ck_assert(fabs(a.feature[i]) <= 1); /* of tanh */
  GOOD(cldann_experiment_of_model(*at, model, NULL, 0, NULL, &x));
  GOOD(cldann_evaluate_detail(x, model, NULL, check_detail, &a));
  cldann_experiment_free(x);
  /* Without labels, and with none of the training data left. */
  remove(in("near.csv")), remove(in("far.csv"));
  GOOD(cldann_predict(*at, model, in("bare.csv"), &(cldann_predict_options){.on_item = take, .user = &b})); /* found out */
  ck_assert_int_eq(memcmp(a.label, b.label, sizeof a.label), 0);
  b = (answers){.n = 0};
  static const char *const no_labels[] = {"data.target_test.labels="};
  GOOD(cldann_predict(*at, model, in("bare.csv"),
                      &(cldann_predict_options){.overrides = no_labels, .n_overrides = 1, .on_item = take, .user = &b}));
  ck_assert_int_eq(memcmp(a.label, b.label, sizeof a.label), 0);
  ck_assert_int_eq(memcmp(a.probability, b.probability, sizeof a.probability), 0);
  ck_assert_int_eq(memcmp(a.target, b.target, sizeof a.target), 0);
  ck_assert_int_eq(
      cldann_predict(*at, model, in("bare.csv"),
                     &(cldann_predict_options){.overrides = no_labels, .n_overrides = 1, .on_item = take, .user = &c}),
      CLDANN_E_INTERRUPTED);
  ck_assert_int_eq(c.n, 7);
  cldann_clear_error(*at);
}
END_TEST

START_TEST(what_cannot_be_predicted) {
  char model[200];
  answers a = {.n = 0};
  const cldann_predict_options o = {.on_item = take, .user = &a};
  snprintf(model, sizeof model, "%s/used/model.safetensors", folder);
  write_rows(in("far.csv"), 1, 1);
  ck_assert_int_eq(cldann_predict(*at, model, in("nonesuch.csv"), &o), CLDANN_E_IO);
  cldann_clear_error(*at);
  write_file(in("wide.csv"), "x,y,z,kind\n1,2,3,dog\n", 21);
  ck_assert_int_eq(cldann_predict(*at, model, in("wide.csv"), &o), CLDANN_E_SHAPE);
  ck_assert_msg(strstr((*at)->err.message, "has items of 1 x 1 x 3 but net.input is [1, 1, 2]") != NULL, "%s",
                (*at)->err.message);
  cldann_clear_error(*at);
  ck_assert_int_eq(cldann_predict(*at, in("wide.csv"), in("far.csv"), &o), CLDANN_E_FORMAT);
  cldann_clear_error(*at);
}
END_TEST

START_TEST(npy_that_can_be_read) {
  const float x[] = {1, -2.5f, 3, 4, 5e-9f, 6};
  cldann_error e;
  dataset *d = NULL;
  err_clear(&e);
  ck_assert_int_eq(npy_write(&e, in("x.npy"), x, 3, 2), 0);
  ck_assert_int_eq(file_read(&e, &(file_request){.path = in("x.npy")}, &d), 0);
  ck_assert(d->n == 3 && d->c == 2 && !memcmp(d->x, x, sizeof x));
  dataset_free(d);
  ck_assert_int_eq(npy_write(&e, in("no/such/x.npy"), x, 3, 2), CLDANN_E_IO);
}
END_TEST

TCase *predict_cases(cldann **ctx) {
  TCase *t = tcase_create("predict");
  at = ctx;
  tcase_set_timeout(t, 300);
  tcase_add_test(t, what_an_evaluation_counts);
  tcase_add_test(t, what_cannot_be_predicted);
  tcase_add_test(t, npy_that_can_be_read);
  return t;
}

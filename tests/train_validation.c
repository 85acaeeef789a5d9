/*
 * tests/train_validation.c: what is held out is not trained on and nothing else is lost; the model that is kept is the one of
 * the step it is said to be of; training ends when patience does; none of it, reverse validation neither, sees a target label.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"
#include "train/trainer_internal.h"
#include "train_suites.h"
#include "trained.h"

static cldann **at;

#define GOOD(call) ck_assert_msg((call) == 0, "%s", (*at)->err.message)

enum { MOST_SETS = 16 };

/* Blobs with a constant rate and lambda, so that a shorter run is the beginning of a longer one. */
#define BLOBS \
  "batch=20", "log_every=15", "lr.schedule=constant", "lr.lr=0.002", "lambda.schedule=constant", "lambda.max=0.5", "seed=3"
static const char *const base[] = {BLOBS, "validation.share=0.2", "steps=300"};

static cldann_experiment *load(const char *const *more, int n) {
  const char *sets[MOST_SETS];
  const int own = sizeof base / sizeof *base;
  cldann_experiment *x = NULL;
  memcpy(sets, base, sizeof base);
  memcpy(sets + own, more, (size_t)n * sizeof *more);
  GOOD(cldann_experiment_load(*at, source_path("experiments/blobs.conf"), sets, own + n, NULL, &x));
  return x;
}
#define LOAD(...) load((const char *const[]){__VA_ARGS__}, (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)))

static size_t item_of(const dataset *d, int i, const float **x) {
  const size_t item = dataset_item_bytes(d) / sizeof(float);
  *x = (const float *)d->x + (size_t)i * item;
  return item * sizeof(float);
}

/* Each item of the whole set is in one of the parts, at the next place there. */
static void check_parts(const dataset *whole, const dataset *kept, const dataset *held) {
  ck_assert_int_eq(kept->n + held->n, whole->n);
  ck_assert_int_eq(held->n, (whole->n + 2) / 5);
  for (int i = 0, k = 0, h = 0; i < whole->n; i++) {
    const float *want, *got;
    const size_t bytes = item_of(whole, i, &want);
    if (k < kept->n && (item_of(kept, k, &got), !memcmp(want, got, bytes))) {
      ck_assert_int_eq(kept->y[k++], whole->y[i]);
    } else {
      ck_assert_int_lt(h, held->n);
      item_of(held, h, &got);
      ck_assert_int_eq(memcmp(want, got, bytes), 0);
      ck_assert_int_eq(held->y[h++], whole->y[i]);
    }
  }
}

START_TEST(held_out_rows) {
  cldann_experiment *x = LOAD("method=dann"), *whole = LOAD("validation.share=0"), *again = LOAD("method=source-only");
  GOOD(experiment_load_data(x, NULL, NULL));
  GOOD(experiment_load_data(whole, NULL, NULL));
  GOOD(experiment_load_data(again, NULL, NULL));
  ck_assert(!whole->source_held && !whole->target_held);
  check_parts(whole->source, x->source, x->source_held);
  check_parts(whole->target, x->target, x->target_held);
  const size_t bytes = (size_t)x->source_held->n * dataset_item_bytes(x->source_held);
  ck_assert_int_eq(memcmp(x->source_held->x, again->source_held->x, bytes), 0);
  int ones = 0; /* of both classes, although the generator may give one after the other */
  for (int i = 0; i < x->source_held->n; i++) ones += x->source_held->y[i];
  ck_assert(ones > 0 && ones < x->source_held->n);
  cldann_experiment_free(x), cldann_experiment_free(whole), cldann_experiment_free(again);
}
END_TEST

typedef struct outcome {
  float *params; /* of the last step */
  float *best;
  int64_t best_step, steps;
  double best_accuracy;
} outcome;

static float *copy_of(const float *v, size_t n) {
  float *c = malloc(n * sizeof *c);
  ck_assert_ptr_nonnull(c);
  memcpy(c, v, n * sizeof *c);
  return c;
}

static outcome run(cldann_experiment *x) {
  trainer *t = NULL;
  outcome o = {0};
  const size_t n = x->net->param_count;
  GOOD(trainer_new(x, NULL, &t));
  GOOD(trainer_run(t, x->s.steps));
  o.params = params_of(t);
  o.steps = t->step, o.best_step = t->validation.best_step, o.best_accuracy = t->validation.best_accuracy;
  if (t->validation.best) o.best = copy_of(t->validation.best, n);
  trainer_free(t);
  return o;
}

/* Looking changes nothing, and what is kept is what a run that ends there has. */
START_TEST(the_best_is_of_its_step) {
  static const char *const method_sets[] = {"method=dann", "method=source-only", "method=target-only"};
  char steps[32];
  cldann_experiment *x = LOAD(method_sets[_i], "steps=900", "seed=4");
  const size_t bytes = x->net->param_count * sizeof(float);
  outcome o = run(x), shorter;
  ck_assert_int_gt(o.best_step, 0);
  ck_assert_int_lt(o.best_step, 900);
  ck_assert_int_eq(o.steps, 900);
  snprintf(steps, sizeof steps, "steps=%d", (int)o.best_step);
  cldann_experiment *y = LOAD(method_sets[_i], steps, "seed=4", "log_every=7", "validation.keep=last");
  shorter = run(y);
  ck_assert_int_eq(memcmp(o.best, shorter.params, bytes), 0);
  ck_assert_int_ne(memcmp(o.best, o.params, bytes), 0);
  free(o.params), free(o.best), free(shorter.params), free(shorter.best);
  cldann_experiment_free(x), cldann_experiment_free(y);
}
END_TEST

/* By hand from the lines of metrics: the last of the best, and as many lines behind it as patience allows. */
typedef struct lines {
  int n, best;
  double accuracy[64];
} lines;

static void add_line(void *user, const cldann_progress *p) {
  lines *l = user;
  ck_assert(l->n < 64 && isfinite(p->validation_accuracy) && isfinite(p->validation_loss));
  if (l->n == 0 || p->validation_accuracy >= l->accuracy[l->best]) l->best = l->n;
  l->accuracy[l->n++] = p->validation_accuracy;
}

START_TEST(patience_ends_training) {
  static const struct {
    const char *sets[3];
    int patience, least, grow;
  } cases[] = {{{"validation.patience=4", "validation.grow=0", "validation.least=0"}, 4, 0, 0},
               {{"validation.patience=2", "validation.grow=3", "validation.least=0"}, 2, 0, 3},
               {{"validation.patience=1", "validation.grow=0", "validation.least=50"}, 1, 50, 0}};
  cldann_experiment *x = LOAD(cases[_i].sets[0], cases[_i].sets[1], cases[_i].sets[2], "seed=4", "steps=900");
  lines l = {0};
  cldann_result r;
  GOOD(cldann_train(x, &(cldann_train_options){.on_progress = add_line, .user = &l}, &r));
  int want = l.best + 1 + cases[_i].patience;
  if (want < cases[_i].grow * (l.best + 1)) want = cases[_i].grow * (l.best + 1);
  if (want < cases[_i].least) want = cases[_i].least;
  ck_assert_int_eq(l.n, want);
  ck_assert_int_lt(l.n, 60);
  ck_assert_int_eq((int)r.steps, 15 * l.n);
  ck_assert_int_eq((int)r.model_step, 15 * (l.best + 1));
  ck_assert_double_eq(r.validation_accuracy, l.accuracy[l.best]);
  ck_assert(isfinite(r.last_target_accuracy) && isnan(r.reverse_accuracy));
  cldann_experiment_free(x);
}
END_TEST

static cldann_result train_with_labels(const char *way, int add) {
  cldann_experiment *x = LOAD("validation.patience=5", way);
  cldann_result r;
  GOOD(experiment_load_data(x, NULL, NULL));
  dataset *const sets[] = {x->target, x->target_held};
  for (int k = 0; k < 2; k++)
    for (int i = 0; i < sets[k]->n; i++) sets[k]->y[i] = add ? 0 : sets[k]->y[i];
  GOOD(cldann_train(x, NULL, &r));
  cldann_experiment_free(x);
  return r;
}

START_TEST(no_target_label_is_seen) {
  const cldann_result honest = train_with_labels("validation.reverse=true", 0),
                      blind = train_with_labels("validation.reverse=true", 1),
                      plain = train_with_labels("validation.reverse=false", 0);
  ck_assert(isfinite(honest.reverse_accuracy));
  ck_assert_double_eq(honest.reverse_accuracy, blind.reverse_accuracy);
  ck_assert_double_eq(honest.target_loss, blind.target_loss);
  ck_assert_double_eq(honest.target_loss, plain.target_loss); /* what comes behind changes nothing before */
  ck_assert_int_eq((int)honest.model_step, (int)blind.model_step);
}
END_TEST

/* Where both domains are one, the way back finds the source's labels; where the target's labels are noise, it does not. */
START_TEST(reverse_of_one_domain) {
  cldann_result r;
  cldann_experiment *x = LOAD("validation.reverse=true", "steps=600");
  GOOD(experiment_load_data(x, NULL, NULL));
  memcpy(x->target->x, x->source->x, (size_t)x->source->n * dataset_item_bytes(x->source));
  memcpy(x->target_held->x, x->source_held->x, (size_t)x->source_held->n * dataset_item_bytes(x->source_held));
  GOOD(cldann_train(x, NULL, &r));
  ck_assert_double_gt(r.reverse_accuracy, 0.93);
  cldann_experiment_free(x);
  x = LOAD("validation.reverse=true", "steps=600");
  GOOD(experiment_load_data(x, NULL, NULL));
  for (int i = 0; i < x->source->n; i++) x->source->y[i] = 1 - x->source->y[i]; /* the held-out rows stay right */
  GOOD(cldann_train(x, NULL, &r));
  ck_assert_double_lt(r.reverse_accuracy, 0.7);
  cldann_experiment_free(x);
}
END_TEST

/* The label head's numbers, row by row, say what the evaluation counted. */
START_TEST(outputs_of_every_row) {
  cldann_experiment *x = LOAD("eval_batch=37");
  trainer *t = NULL;
  cldann_result r;
  GOOD(trainer_new(x, NULL, &t));
  GOOD(trainer_run(t, 150));
  trainer_end_training(t);
  GOOD(trainer_evaluate(t, &r));
  const dataset *d = x->target_test;
  const cldann_node *logits = net_loss(x->net, CLDANN_TARGET_LABELS)->in;
  float *out = malloc((size_t)d->n * 2 * sizeof *out), *features = malloc((size_t)d->n * 15 * sizeof *features);
  int hits = 0;
  GOOD(trainer_outputs(t, d, 1, logits, out));
  for (int i = 0; i < d->n; i++) hits += (out[2 * i + 1] > out[2 * i]) == d->y[i];
  ck_assert_double_eq_tol((double)hits / d->n, r.target_accuracy, 1e-6);
  const cldann_node *relu = NULL; /* a fused activation, whose values are those of the layer below */
  for (int i = 0; i < x->net->n; i++)
    if (x->net->nodes[i]->branch == CLDANN_FEATURES && x->net->nodes[i]->o.type == &op_relu) relu = x->net->nodes[i];
  ck_assert_ptr_nonnull(relu);
  ck_assert_int_eq(relu->o.out.c, 15);
  GOOD(trainer_outputs(t, d, 1, relu, features));
  double sum = 0;
  for (int i = 0; i < d->n * 15; i++) {
    ck_assert(features[i] >= 0);
    sum += (double)features[i];
  }
  ck_assert_double_gt(sum, 1);
  free(out), free(features);
  trainer_free(t);
  cldann_experiment_free(x);
}
END_TEST

START_TEST(what_cannot_be_validated) {
  static const struct {
    const char *sets[3], *want;
    int n;
  } bad[] = {{{"method=domain-only"}, "which method domain-only does not train", 1},
             {{"validation.share=0", "validation.reverse=true"}, "set validation.share", 2},
             {{"method=target-only", "validation.reverse=true"}, "leave it out", 2},
             {{"validation.share=0.95"}, "validation.share", 1}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    const char *sets[MOST_SETS];
    cldann_experiment *x = NULL;
    memcpy(sets, base, sizeof base);
    memcpy(sets + sizeof base / sizeof *base, bad[i].sets, sizeof bad[i].sets);
    ck_assert_int_eq(cldann_experiment_load(*at, source_path("experiments/blobs.conf"), sets,
                                            (int)(sizeof base / sizeof *base) + bad[i].n, NULL, &x),
                     CLDANN_E_CONFIG);
    ck_assert_msg(strstr((*at)->err.message, bad[i].want) != NULL, "%s", (*at)->err.message);
    cldann_clear_error(*at);
  }
  cldann_experiment *x = LOAD("validation.share=0.9", "batch=100");
  ck_assert_int_eq(experiment_load_data(x, NULL, NULL), CLDANN_E_CONFIG);
  ck_assert_msg(strstr((*at)->err.message, "lower batch or validation.share") != NULL, "%s", (*at)->err.message);
  cldann_clear_error(*at);
  cldann_experiment_free(x);
}
END_TEST

TCase *validation_cases(cldann **ctx) {
  TCase *t = tcase_create("validation");
  at = ctx;
  tcase_set_timeout(t, 300);
  tcase_add_test(t, held_out_rows);
  tcase_add_loop_test(t, the_best_is_of_its_step, 0, 3);
  tcase_add_loop_test(t, patience_ends_training, 0, 3);
  tcase_add_test(t, no_target_label_is_seen);
  tcase_add_test(t, reverse_of_one_domain);
  tcase_add_test(t, outputs_of_every_row);
  tcase_add_test(t, what_cannot_be_validated);
  return t;
}

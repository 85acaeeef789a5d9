/*
 * tests/train_layers.c: what a layer has of its own of the learning: factors of the rate, and a limit to the length of each
 * unit's weights. Where all layers have one factor it is the schedule's rate times that, bit by bit.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"
#include "train/trainer_internal.h"
#include "train_suites.h"
#include "trained.h"

static cldann **at;

#define GOOD(call) ck_assert_msg((call) == 0, "%s", (*at)->err.message)

/* Features and label head have `extra` in each layer with weights, the domain head `other`. */
static cldann_experiment *load(const char *extra, const char *other, const char *set) {
  static char text[4096];
  cldann_experiment *x = NULL;
  snprintf(text, sizeof text,
           "steps = 40; batch = 16; log_every = 40; lr = { schedule = \"constant\"; lr = 0.25; };\n"
           "optimiser = { kind = \"nesterov\"; };\n"
           "init = { biases = { kind = \"constant\"; value = 0.5; }; };\n"
           "net = { input = [28, 28, 3];\n"
           "  features = ( { op = \"avg_pool\"; window = 4; },\n"
           "    { op = \"conv2d\"; filters = 9; kernel = 3; name = \"conv\"; %s }, { op = \"relu\"; },\n"
           "    { op = \"dense\"; units = 70; name = \"features\"; %s } );\n"
           "  label_head = ( { op = \"dense\"; units = 10; name = \"label\"; %s }, { op = \"softmax_xent\"; } );\n"
           "  domain_head = ( { op = \"reversal\"; }, { op = \"dense\"; units = 1; name = \"domain\"; %s },\n"
           "    { op = \"logistic_xent\"; } ); };\n"
           "input = { scale = 0.004; };\n"
           "data = { source = { kind = \"digits\"; n = 200; }; target = { kind = \"digits\"; n = 200; }; };\n",
           extra, extra, extra, other);
  write_file(in("layers.conf"), text, strlen(text));
  GOOD(cldann_experiment_load(*at, in("layers.conf"), &set, 1, NULL, &x));
  return x;
}

/* The parameters behind `steps` (free); a run of none has warmed up. */
static float *run(cldann_experiment *x, int64_t steps) {
  trainer *t = NULL;
  GOOD(trainer_new(x, NULL, &t));
  GOOD(trainer_warm_up(t));
  GOOD(trainer_run(t, steps));
  float *p = params_of(t);
  trainer_free(t);
  return p;
}

static float *train(const char *extra, const char *other, const char *set, int64_t steps) {
  cldann_experiment *x = load(extra, other, set);
  float *p = run(x, steps);
  cldann_experiment_free(x);
  return p;
}

START_TEST(factors_of_the_rate) {
  static const char two[] = "lr = { weights = 2.0; biases = 2.0; };";
  cldann_experiment *x = load("", "", "seed=1");
  const size_t bytes = x->net->param_count * sizeof(float);
  float *slow = train(two, two, "lr.lr=0.0625", 40), *plain = train("", "", "lr.lr=0.125", 40);
  float *heads = train("", two, "lr.lr=0.0625", 40);
  ck_assert_int_eq(memcmp(slow, plain, bytes), 0);
  ck_assert_int_ne(memcmp(heads, slow, bytes), 0);
  free(slow), free(plain), free(heads);
  cldann_experiment_free(x);
}
END_TEST

/* What has the factor 0 stays, weights or biases alone too, and nothing else does. */
START_TEST(what_does_not_learn) {
  static const struct {
    const char *extra;
    int weights, biases; /* of features and label head: do they move? */
  } cases[] = {
      {"lr = { weights = 0.0; biases = 0.0; };", 0, 0}, {"lr = { biases = 0.0; };", 1, 0}, {"lr = { weights = 0; };", 0, 1}};
  for (int i = 0; i < 3; i++) {
    cldann_experiment *x = load(cases[i].extra, "", "seed=1");
    float *before = run(x, 0), *after = run(x, 5);
    for (int k = 0; k < x->net->n; k++) {
      const cldann_node *n = x->net->nodes[k];
      for (int p = 0; p < n->o.n_params; p++) {
        const int moved = memcmp(before + n->param_at[p], after + n->param_at[p], n->o.params[p].count * sizeof(float)) != 0;
        const int want = n->branch == CLDANN_DOMAIN_HEAD ? 1 : p ? cases[i].biases : cases[i].weights;
        ck_assert_msg(moved == want, "%s: %s %s", cases[i].extra, n->o.name, moved ? "moved" : "stayed");
      }
    }
    free(before), free(after);
    cldann_experiment_free(x);
  }
}
END_TEST

static double length_of(const cldann_node *n, const float *p, int unit) {
  const size_t units = (size_t)n->o.units, rows = n->o.params[0].count / units;
  double sum = 0;
  for (size_t r = 0; r < rows; r++) sum += pow((double)p[n->param_at[0] + r * units + (size_t)unit], 2);
  return sqrt(sum);
}

/*
 * One step with a limit is one without it, and then the long ones shortened, the others untouched. The warm-up, whose updates
 * are held back, shortens nothing.
 */
START_TEST(long_weights_are_shortened) {
  const double limit = 0.875;
  static const char text[] = "max_norm = 0.875;";
  cldann_experiment *x = load("", "", "seed=1");
  float *first = train(text, "", "seed=1", 0), *start = train("", "", "seed=1", 0);
  ck_assert_int_eq(memcmp(first, start, x->net->param_count * sizeof(float)), 0);
  float *free_of = train("", "", "seed=1", 1), *limited = train(text, "", "seed=1", 1);
  int cut = 0, whole = 0;
  for (int k = 0; k < x->net->n; k++) {
    const cldann_node *n = x->net->nodes[k];
    if (!n->o.n_params) continue;
    const size_t units = (size_t)n->o.units, count = n->o.params[0].count;
    for (size_t i = 0; i < count; i++) {
      const double length = length_of(n, free_of, (int)(i % units)), w = (double)free_of[n->param_at[0] + i];
      const int may = n->branch != CLDANN_DOMAIN_HEAD && length > limit;
      const double want = may ? w * limit / length : w, got = (double)limited[n->param_at[0] + i];
      ck_assert_msg(fabs(got - want) <= (may ? 1e-6 * fabs(want) : 0), "%s: weight %zu is %.9g, not %.9g", n->o.name, i, got,
                    want);
      cut += may, whole += !may && n->branch != CLDANN_DOMAIN_HEAD;
    }
    ck_assert_int_eq(memcmp(free_of + n->param_at[1], limited + n->param_at[1], n->o.params[1].count * sizeof(float)), 0);
  }
  ck_assert(cut > 100 && whole > 100);
  free(first), free(start), free(free_of), free(limited);
  cldann_experiment_free(x);
}
END_TEST

static void refused(int rc, const char *want) {
  ck_assert_int_eq(rc, CLDANN_E_ARG);
  ck_assert_msg(strstr((*at)->err.message, want) != NULL, "%s", (*at)->err.message);
  cldann_clear_error(*at);
}

START_TEST(settings_of_nodes) {
  cldann_net *net = cldann_net_new(*at);
  cldann_node *x = cldann_input(net, 1, 1, 3), *d = cldann_dense(x, 2, NULL), *r = cldann_relu(d);
  GOOD(cldann_learning_rate(d, 3.0f, 0.0f));
  GOOD(cldann_max_norm(d, 2.0f));
  ck_assert(d->o.lr[0] == 3.0f && d->o.lr[1] == 0.0f && d->o.max_norm == 2.0f);
  ck_assert_int_eq(cldann_learning_rate(NULL, 1, 1), CLDANN_E_ARG); /* a builder that failed handed it on */
  refused(cldann_learning_rate(r, 1, 1), "nothing is learnt there");
  refused(cldann_learning_rate(d, -1, 1), "not below 0");
  refused(cldann_max_norm(r, 1), "only the weights of dense and conv2d");
  refused(cldann_max_norm(d, NAN), "above 0");
  cldann_net_free(net);
}
END_TEST

TCase *layer_cases(cldann **ctx) {
  TCase *t = tcase_create("layers");
  at = ctx;
  tcase_set_timeout(t, 300);
  tcase_add_test(t, factors_of_the_rate);
  tcase_add_test(t, what_does_not_learn);
  tcase_add_test(t, long_weights_are_shortened);
  tcase_add_test(t, settings_of_nodes);
  return t;
}

/* train/svm.c: see train/svm.h. */
#include "train/svm.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "train/linear.h"

/* ---- the method ---- */

/* Fitted on the target's predicted labels: how much of the held-out source it gets right. There is no early stop to hold out
 * for. */
static int reverse_accuracy(cldann_experiment *x, const linear *m, double *accuracy) {
  cldann_error *e = &x->ctx->err;
  dataset named = *x->target;
  linear *back = NULL;
  int rc;
  named.y = NULL;
  TRY(mem_new(e, &named.y, (size_t)named.n, sizeof *named.y));
  TRY(linear_predict(e, m, x->target, named.y));
  named.classes = x->source->classes;
  int same = 1;
  for (int i = 1; i < named.n; i++) same &= named.y[i] == named.y[0];
  if (same) { /* nothing was told apart, and nothing can be learnt back */
    int hits = 0;
    for (int i = 0; i < x->source_held->n; i++) hits += x->source_held->y[i] == named.y[0];
    *accuracy = (double)hits / x->source_held->n;
  } else {
    TRY(linear_fit(e, &named, x->s.svm_c, &back));
    TRY(linear_accuracy(e, back, x->source_held, accuracy));
  }
fail:
  linear_free(back);
  mem_free(named.y);
  return rc;
}

int svm_train(cldann_experiment *x, const cldann_train_options *o, cldann_result *r) {
  cldann_error *e = &x->ctx->err;
  linear *m = NULL;
  int rc;
  TRY(experiment_load_data(x, o->on_message, o->user));
  const double start = clock_now();
  *r = result_unknown;
  r->seed = x->s.seed;
  snprintf(r->method, sizeof r->method, "%s", x->s.method->name);
  snprintf(r->device, sizeof r->device, "the host (liblinear)");
  TRY(linear_fit(e, x->source, x->s.svm_c, &m));
  r->seconds = clock_now() - start;
  if (x->source_test) TRY(linear_accuracy(e, m, x->source_test, &r->source_accuracy));
  if (x->target_test) TRY(linear_accuracy(e, m, x->target_test, &r->target_accuracy));
  r->source_items = x->source_test ? x->source_test->n : 0;
  r->target_items = x->target_test ? x->target_test->n : 0;
  if (x->source_held) {
    TRY(linear_accuracy(e, m, x->source_held, &r->validation_accuracy));
    r->last_source_accuracy = r->source_accuracy, r->last_target_accuracy = r->target_accuracy;
  }
  if (x->s.validation.reverse) TRY(reverse_accuracy(x, m, &r->reverse_accuracy));
  if (x->s.measure_pad) TRY(linear_pad(e, x->source, x->target, x->s.seed, &r->pad));
fail:
  linear_free(m);
  return rc;
}

/* ---- what is measured of features ---- */

static int features_of(trainer *t, const dataset *d, int domain, dataset **out) {
  const cldann_node *node = net_features(t->x->net);
  const shape s = node->o.out;
  dataset *f = NULL;
  int rc;
  TRY(dataset_new(t->err, &f, d->name, DATA_F32, d->n, s.h, s.w, s.c, d->y != NULL));
  if (d->y) memcpy(f->y, d->y, (size_t)d->n * sizeof *f->y);
  f->classes = d->classes;
  TRY(trainer_outputs(t, d, domain, node, f->x));
  *out = f;
  f = NULL;
fail:
  dataset_free(f);
  return rc;
}

/* The last layer fitted anew, as Ganin et al. 2016 did for their table 2 (section 5.2.1). */
static int svm_head(trainer *t, const dataset *source, cldann_result *r) {
  const dataset *tests[2] = {t->x->source_test, t->x->target_test};
  double *accuracy[2] = {&r->svm_source_accuracy, &r->svm_target_accuracy};
  dataset *f = NULL;
  linear *m = NULL;
  int rc;
  TRY(linear_fit(t->err, source, t->x->s.svm_c, &m));
  for (int i = 0; i < 2; i++) {
    if (!tests[i]) continue;
    TRY(features_of(t, tests[i], i, &f));
    TRY(linear_accuracy(t->err, m, f, accuracy[i]));
    dataset_free(f);
    f = NULL;
  }
fail:
  dataset_free(f);
  linear_free(m);
  return rc;
}

int svm_measure(trainer *t, cldann_result *r) {
  const settings *s = &t->x->s;
  dataset *source = NULL, *target = NULL;
  int rc = CLDANN_OK;
  if (!s->measure_pad && !s->measure_svm_head) return CLDANN_OK;
  TRY(features_of(t, t->x->source, 0, &source));
  if (s->measure_pad) {
    TRY(features_of(t, t->x->target, 1, &target));
    TRY(linear_pad(t->err, source, target, s->seed, &r->pad));
  }
  if (s->measure_svm_head) TRY(svm_head(t, source, r));
fail:
  dataset_free(source);
  dataset_free(target);
  return rc;
}

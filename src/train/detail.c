/*
 * train/detail.c: cldann_evaluate_detail: what a model gets wrong on each test set: counts of true and predicted class, and how
 * far its probabilities are from how often it is right.
 */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "data/classes.h"
#include "train/judge.h"
#include "train/trainer_internal.h"

enum { BINS = 15 };

typedef struct bins {
  double confidence[BINS];
  int64_t right[BINS], n[BINS];
} bins;

/* Expected calibration error (Guo et al. 2017): bins of confidence, each one's distance between that and accuracy, by its size.
 */
static double calibration_error(const bins *b, int64_t n) {
  double sum = 0;
  for (int i = 0; i < BINS; i++)
    if (b->n[i]) sum += fabs((double)b->right[i] - b->confidence[i]);
  return sum / (double)n;
}

int trainer_detail(trainer *t, const dataset *d, int domain, const char *name, cldann_on_detail on_detail, void *user) {
  const op *loss = &net_loss(t->x->net, CLDANN_TARGET_LABELS)->o;
  const int units = judge_units(loss), classes = judge_classes(loss);
  float *logits = NULL;
  double *p = NULL;
  int64_t *counts = NULL;
  bins b = {.n = {0}};
  int rc;
  TRY(mem_new(t->err, &logits, (size_t)d->n * (size_t)units, sizeof *logits));
  TRY(mem_new(t->err, &p, (size_t)classes, sizeof *p));
  TRY(mem_new(t->err, &counts, (size_t)classes * (size_t)classes, sizeof *counts));
  TRY(trainer_outputs(t, d, domain, net_loss(t->x->net, CLDANN_TARGET_LABELS)->in, logits));
  for (int i = 0; i < d->n; i++) {
    const int said = judge(loss, logits + (size_t)i * (size_t)units, p), bin = (int)(p[said] * BINS);
    const int at = bin < BINS ? bin : BINS - 1;
    counts[(size_t)d->y[i] * (size_t)classes + (size_t)said]++;
    b.confidence[at] += p[said], b.n[at]++, b.right[at] += said == d->y[i];
  }
  const char *const *names = d->names ? (const char *const *)d->names->name : NULL;
  on_detail(user, &(cldann_detail){.set = name,
                                   .items = d->n,
                                   .classes = classes,
                                   .names = names && d->names->n == classes ? names : NULL,
                                   .counts = counts,
                                   .calibration_error = calibration_error(&b, d->n)});
fail:
  mem_free(logits);
  mem_free(p);
  mem_free(counts);
  return rc;
}

int cldann_evaluate_detail(cldann_experiment *x, const char *model_path, const cldann_train_options *options,
                           cldann_on_detail on_detail, void *user) {
  trainer *t = NULL;
  int rc;
  TRY(trainer_open_model(x, model_path, options, &t));
  if (x->source_test) TRY(trainer_detail(t, x->source_test, 0, "source_test", on_detail, user));
  if (x->target_test) TRY(trainer_detail(t, x->target_test, 1, "target_test", on_detail, user));
fail:
  trainer_free(t);
  return rc;
}

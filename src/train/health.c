/* train/health.c: see train/health.h. */
#include "train/health.h"

#include <math.h>
#include <string.h>

#include "train/schedule.h"

void health_interval(double share, double n, double *low, double *high) {
  const double z = 1.959964, d = 1 + z * z / n;
  const double middle = (share + z * z / (2 * n)) / d, half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / d;
  *low = n > 0 ? fmax(0.0, middle - half) : NAN;
  *high = n > 0 ? fmin(1.0, middle + half) : NAN;
}

/* The last step and some on the way: schedules are smooth. */
const char *health_of_schedule(const settings *s) {
  enum { LOOKS = 100 };
  if (s->method->id != METHOD_DANN) return NULL;
  for (int i = 0; i <= LOOKS; i++) {
    const weights w = schedule_at(s, (s->steps - 1) * i / LOOKS);
    if (fabs(w.reversal * w.domain) > 0.001) return NULL;
  }
  return "the domain loss never weighs more than 0.001 on the features in this run, so that nothing is adapted; see "
         "lambda.max, "
         "lambda.domain_weight, horizon and steps";
}

static int same_items(const dataset *d, int i, int k) {
  if (!dataset_is_sparse(d)) {
    const size_t bytes = dataset_item_bytes(d);
    return !memcmp((const char *)d->x + (size_t)i * bytes, (const char *)d->x + (size_t)k * bytes, bytes);
  }
  const float *x = d->x;
  const size_t a = (size_t)d->offsets[i], b = (size_t)d->offsets[k], n = (size_t)d->offsets[i + 1] - a;
  return (size_t)d->offsets[k + 1] - b == n && !memcmp(d->columns + a, d->columns + b, n * sizeof *d->columns) &&
         !memcmp(x + a, x + b, n * sizeof *x);
}

const char *health_of_data(const dataset *d) {
  for (int i = 1; i < d->n; i++)
    if (!same_items(d, 0, i)) return NULL;
  return d->n > 1 ? "all items of a training set are the same; look at how it is read, and at its scale" : NULL;
}

/*
 * The signs, each with the windows in a row that make it one: a window can be chance, since an adversary swings. Thirty and a
 * thousandth are far outside what trainings that adapt show, a tenth to ten, and a label head that is right has little to send.
 */
static const struct {
  int windows;
  const char *text;
} signs[HEALTH_SIGNS] = {
    [SIGN_COLLAPSED] = {5, "the domain head has given all rows the same domain for five windows: it has collapsed, and what it "
                           "sends back adapts nothing; lower lr.lr or lambda.max"},
    [SIGN_PERFECT] = {10, "the domain head has told the domains apart without a mistake for ten windows: the adversary has no "
                          "effect on the features; raise lambda.max, or look whether the two sets differ in something trivial, "
                          "as in scale"},
    [SIGN_NEGLIGIBLE] = {10,
                         "for ten windows what the domain head sends to the features has been less than a thousandth of what "
                         "the label head sends: nothing is adapted; raise lambda.max or lambda.domain_weight"},
    [SIGN_OVERWHELMING] = {10,
                           "for ten windows what the domain head sends to the features has been more than thirty times what "
                           "the label head sends, and labels are not learnt; lower lambda.max or lambda.domain_weight"},
};

static int shows(int sign, const cldann_progress *p) {
  const double a = p->domain_accuracy_source, b = p->domain_accuracy_target;
  switch (sign) {
  case SIGN_COLLAPSED: return (a >= 0.999 && b <= 0.001) || (a <= 0.001 && b >= 0.999);
  case SIGN_PERFECT: return a >= 0.999 && b >= 0.999;
  case SIGN_NEGLIGIBLE: return p->join_domain < 0.001 * p->join_label;
  default: return p->join_domain > 30 * p->join_label && p->label_accuracy < 0.9;
  }
}

/* Only where the reversed gradient has half its full weight and more: at the start of a ramp any sign is what is to be
 * expected. */
const char *health_look(health *h, const settings *s, const cldann_progress *p) {
  const char *text = NULL;
  if (s->method->id != METHOD_DANN || fabs(p->lambda) < 0.5 * fabs(s->lambda.max)) return NULL;
  for (int i = 0; i < HEALTH_SIGNS; i++) {
    h->row[i] = shows(i, p) ? h->row[i] + 1 : 0;
    if (h->row[i] < signs[i].windows || h->told[i] || text) continue;
    h->told[i] = 1;
    text = signs[i].text;
  }
  return text;
}

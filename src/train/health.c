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

const char *health_of_data(const dataset *d) {
  const size_t bytes = dataset_item_bytes(d);
  for (int i = 1; i < d->n; i++)
    if (memcmp(d->x, (const char *)d->x + (size_t)i * bytes, bytes) != 0) return NULL;
  return d->n > 1 ? "all items of a training set are the same; look at how it is read, and at its scale" : NULL;
}

/*
 * Only where the reversed gradient has half its full weight and more: at the start of a ramp either is what is to be expected.
 * Windows in a row, since one can be chance: an adversary swings.
 */
const char *health_look(health *h, const settings *s, const cldann_progress *p) {
  enum { COLLAPSED = 5, PERFECT = 10 };
  const double a = p->domain_accuracy_source, b = p->domain_accuracy_target;
  if (s->method->id != METHOD_DANN || fabs(p->lambda) < 0.5 * fabs(s->lambda.max)) return NULL;
  h->collapsed = (a >= 0.999 && b <= 0.001) || (a <= 0.001 && b >= 0.999) ? h->collapsed + 1 : 0;
  h->perfect = a >= 0.999 && b >= 0.999 ? h->perfect + 1 : 0;
  if (h->collapsed >= COLLAPSED && !h->told_collapsed) {
    h->told_collapsed = 1;
    return "the domain head has given all rows the same domain for five windows: it has collapsed, and what it sends back "
           "adapts "
           "nothing; lower lr.lr or lambda.max";
  }
  if (h->perfect >= PERFECT && !h->told_perfect) {
    h->told_perfect = 1;
    return "the domain head has told the domains apart without a mistake for ten windows: the adversary has no effect on the "
           "features; raise lambda.max, or look whether the two sets differ in something trivial, as in scale";
  }
  return NULL;
}

/* train/schedule.c: see train/schedule.h. */
#include "train/schedule.h"

#include <math.h>

static double progress_at(const settings *s, int64_t step) {
  const int64_t horizon = s->horizon > 0 ? s->horizon : s->steps;
  const double p = horizon > 0 ? (double)step / (double)horizon : 0.0;
  return p > 1.0 ? 1.0 : p;
}

double schedule_lr(const lr_settings *s, double p) {
  return s->kind == LR_CONSTANT ? s->lr : s->lr / pow(1.0 + s->alpha * p, s->beta);
}

double schedule_lambda(const lambda_settings *s, double p) {
  return s->kind == LAMBDA_CONSTANT ? s->max : s->max * (2.0 / (1.0 + exp(-s->gamma * p)) - 1.0);
}

weights schedule_at(const settings *s, int64_t step) {
  const double p = progress_at(s, step);
  weights w = {.lr = schedule_lr(&s->lr, p), .lambda = schedule_lambda(&s->lambda, p), .domain = s->lambda.domain_weight};
  if (s->method->cooperate) w.lambda = -1.0;
  w.reversal = w.lambda;
  if (s->lambda.mode == LAMBDA_BOTH && !s->method->cooperate) { /* JMLR eq. 13-15: the head's own update is weighted too */
    w.domain *= w.lambda;
    w.reversal = 1.0;
  }
  return w;
}

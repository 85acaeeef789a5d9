/*
 * train/schedule.h: learning rate and lambda as pure functions of the step, so that resuming needs no state.
 * lr = lr0 / (1 + alpha p)^beta; lambda = max (2 / (1 + exp(-gamma p)) - 1) (JMLR section 5.2.2), p = step / horizon.
 */
#ifndef CLDANN_TRAIN_SCHEDULE_H
#define CLDANN_TRAIN_SCHEDULE_H

#include "train/settings.h"

typedef struct weights { /* of one step */
  double lr, lambda;     /* lambda: the schedule's value */
  double reversal;       /* what the reversal multiplies by */
  double domain;         /* weight of the domain loss on the domain head */
} weights;

/* p: how much of the horizon is behind, 0..1. */
double schedule_lr(const lr_settings *s, double p);
double schedule_lambda(const lambda_settings *s, double p);
weights schedule_at(const settings *s, int64_t step);

#endif

/*
 * train/stand.h: a test stand: one step of an experiment, or one batch of its evaluation, on random rows of its input's shape,
 * to be timed launch by launch. None of the experiment's data are loaded; the learning rate is 0, so that the weights stay
 * as initialised, no step can diverge and all do the same work. bench.c and tune.c use it.
 */
#ifndef CLDANN_TRAIN_STAND_H
#define CLDANN_TRAIN_STAND_H

#include "train/trainer_internal.h"

typedef struct stand {
  cldann_experiment x; /* a copy with random data and the asked batch; shares net and context */
  dataset *data;
  trainer *t;
  evaluation eval; /* for inference */
  replay *r;       /* of a step; the trainer's or the evaluation's */
  int batch;       /* rows */
  int streamed;    /* sets that do not fit the device's memory */
} stand;

/* batch 0: the experiment's. entries: of a sparse row; 0: dense rows. On failure too, stand_close. */
int stand_open(stand *s, const cldann_experiment *x, int inference, int batch, int entries);
void stand_close(stand *s);
/* The batch of one step in place, so that launches may be replayed. */
int stand_prepare(stand *s);
/*
 * us[i], for launch i of replay_list: the median microseconds over some steps, `seconds` of them if a step does not take
 * longer than a fifth of that; *repeats: how many. stop is asked before each step and ends it with what it returns below 0.
 */
int stand_profile(stand *s, double seconds, int (*stop)(void *), void *user, double *us, int *repeats);
/* Sorts v. */
double stand_median(double *v, int n);

#endif

/*
 * train/trainer.h: running an experiment: uploads the data, makes the plans, replays steps in windows of log_every, and
 * evaluates. train/trainer.c; the public entry points (cldann_train ...) are in train/run.c.
 */
#ifndef CLDANN_TRAIN_TRAINER_H
#define CLDANN_TRAIN_TRAINER_H

#include "train/experiment.h"

typedef struct trainer trainer;

int trainer_new(cldann_experiment *x, const cldann_train_options *o, trainer **out);
void trainer_free(trainer *t);
/* Trains from the current step up to `until` steps (at most settings.steps). */
int trainer_run(trainer *t, int64_t until);
int trainer_evaluate(trainer *t, cldann_result *r);
/* Copies all parameters to the host (net->param_count floats). */
int trainer_params(trainer *t, float *out);

#endif

/* train/trainer_internal.h: the trainer's state, for the files of this room that run, diagnose and describe it. */
#ifndef CLDANN_TRAIN_TRAINER_INTERNAL_H
#define CLDANN_TRAIN_TRAINER_INTERNAL_H

#include "data/sampler.h"
#include "net/plan.h"
#include "train/budget.h"
#include "train/health.h"
#include "train/metrics.h"
#include "train/trainer.h"

struct trainer {
  cldann_experiment *x;
  cldann_error *err;
  device *dev;
  cldann_train_options o;
  metrics *metrics; /* borrowed; NULL: no record */
  plan_buffers b;
  phase training, tests[2];
  plan_spec spec; /* of the training plan */
  feed feeds[2];
  sampler *samplers[2];
  replay *train;
  int32_t *table, *indices; /* a window's, on the host */
  int64_t step, chunk;      /* chunk: steps queued between two looks at the device */
  double seconds;           /* of training steps */
  double start_up;          /* seconds, from the plan to the end of the first step */
  uint64_t budget;          /* bytes of the device that the run may take */
  size_t shared_bytes;      /* of the device, whatever the phase */
  int warm;
  health health;
};

/* A plan over one set, forward only, and its batches. */
typedef struct evaluation {
  const dataset *set;
  int batches;
  plan_spec spec;
  feed feed;
  replay *r; /* of one batch */
} evaluation;

/* trainer_new without the training plan. */
int trainer_open(cldann_experiment *x, const cldann_train_options *o, trainer **out);
/* All launches of a run once, the updates held back: training, then without it the evaluation of each test set. */
int trainer_rehearse(trainer *t);
/* The memory of the training plan and its data goes back to the device; only evaluation is left to do. */
void trainer_end_training(trainer *t);
/* d: one of the experiment's test sets. The label head where there are labels; the domain head when asked. */
int evaluation_open(trainer *t, const dataset *d, int domain_head, evaluation *v);
/* Statistics to zero and the clock to the first batch; then one replay_run. domain: 0 source, 1 target. */
int evaluation_prepare(trainer *t, evaluation *v, int domain);
/* Statistics to zero, and the first n batches queued. */
int evaluation_run(trainer *t, evaluation *v, int domain, int n);
void evaluation_close(trainer *t, evaluation *v);

/* "FILE; 3 of 20 passes by it, the others by rule" or the like, of a plan made on the trainer's device. */
void trainer_tuning(const trainer *t, const launches *l, char *text, size_t room);
/* A warning to the user and into the record; text NULL: nothing. */
int trainer_warn(trainer *t, const char *text);
void trainer_say(trainer *t, const char *fmt, ...) ERR_PRINTF(2, 3);
int trainer_prepare_step(trainer *t, int64_t step, int32_t bad);
int trainer_set_params(trainer *t, const float *params);
/* Replays a step that went bad and names the first op whose result is not finite: CLDANN_E_DIVERGED, always negative. */
int trainer_diagnose(trainer *t, int64_t step);

#endif

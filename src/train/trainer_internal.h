/* train/trainer_internal.h: the trainer's state, for the files of this room that run, diagnose and describe it. */
#ifndef CLDANN_TRAIN_TRAINER_INTERNAL_H
#define CLDANN_TRAIN_TRAINER_INTERNAL_H

#include "data/sampler.h"
#include "net/plan.h"
#include "train/budget.h"
#include "train/health.h"
#include "train/metrics.h"
#include "train/trainer.h"

/* Steps queued at once: enough to hide the host, few enough that a stop or a NaN is soon seen. */
enum { TRAINER_CHUNK = 32 };

/* A plan over one set, forward only, and its batches. */
typedef struct evaluation {
  const dataset *set;
  int batches;
  plan_spec spec;
  feed feed;
  replay *r; /* of one batch */
} evaluation;

/* What was seen of the held-out rows (train/validation.h). */
typedef struct validation {
  phase phase; /* n 0: nothing is held out */
  evaluation held;
  int domain;  /* of the held-out rows: 0 source, 1 target */
  float *best; /* parameters, of the last line with the best accuracy */
  double best_accuracy, last_accuracy;
  int64_t best_step, looks, best_look;
  int over; /* training is to end */
} validation;

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
  int64_t window;           /* the first step of a window whose line is yet to come; -1: the next step begins one */
  int64_t step, chunk;      /* chunk: steps queued between two looks at the device */
  double seconds;           /* of training steps */
  double start_up;          /* seconds, from the plan to the end of the first step */
  uint64_t budget;          /* bytes of the device that the run may take */
  size_t shared_bytes;      /* of the device, whatever the phase */
  int warm;
  health health;
  validation validation;
};

/* trainer_new without the training plan. */
int trainer_open(cldann_experiment *x, const cldann_train_options *o, trainer **out);
/* trainer_open, with a model file's parameters and input mean. *out may be there after a failure too. */
int trainer_open_model(cldann_experiment *x, const char *model_path, const cldann_train_options *o, trainer **out);
/* All launches of a run once, the updates held back: training, then without it the evaluation of each test set. */
int trainer_rehearse(trainer *t);
/* The memory of the training plan and its data goes back to the device; only evaluation is left to do. */
void trainer_end_training(trainer *t);
int evaluation_batches(const dataset *d, int batch); /* 0 without a set */
/* What the evaluation of a set takes of the device. output: see evaluation_open. */
int evaluation_describe(trainer *t, const dataset *d, const char *role, const cldann_node *output, phase *h);
/*
 * Over the set of a phase that budget_place has placed. The label head where there are labels, the domain head when asked; or
 * an output, forward as far as that node and nothing else.
 */
int evaluation_open(trainer *t, const phase *h, int domain_head, const cldann_node *output, evaluation *v);
/* Statistics to zero and the clock to the first batch; then one replay_run. domain: 0 source, 1 target. */
int evaluation_prepare(trainer *t, evaluation *v, int domain);
/* Statistics to zero, and the first n batches queued. */
int evaluation_run(trainer *t, evaluation *v, int domain, int n);
/* The whole set; NaN for a head that was not asked for. */
typedef struct scores {
  double accuracy, loss, domain_accuracy;
} scores;
int evaluation_measure(trainer *t, evaluation *v, int domain, scores *s);
void evaluation_close(trainer *t, evaluation *v);
extern const cldann_result result_unknown; /* every figure that may be missing is NaN */
/* A node's values for all items of d, in their order: out has room for d->n of its outputs. domain: 0 source, 1 target. */
int trainer_outputs(trainer *t, const dataset *d, int domain, const cldann_node *node, float *out);

/* cldann_evaluate_detail, of one set that has labels. */
int trainer_detail(trainer *t, const dataset *d, int domain, const char *name, cldann_on_detail on_detail, void *user);

/* "FILE; 3 of 20 passes by it, the others by rule" or the like, of a plan made on the trainer's device. */
void trainer_tuning(const trainer *t, const launches *l, char *text, size_t room);
/* A warning to the user and into the record; text NULL: nothing. */
int trainer_warn(trainer *t, const char *text);
void trainer_say(trainer *t, const char *fmt, ...) ERR_PRINTF(2, 3);
int trainer_warm_up(trainer *t);
void trainer_put_float(int32_t *row, int at, double v);
double trainer_ratio(double a, double b); /* NaN for b 0 */
int trainer_reset_stats(trainer *t);
/* Hands a window's tables to the device and sets the clock to its first row; bad: the value of CTL_BAD to start with. */
int trainer_begin_window(trainer *t, size_t steps, size_t rows, int32_t bad);
int trainer_prepare_step(trainer *t, int64_t step, int32_t bad);
int trainer_set_params(trainer *t, const float *params);
/* A model file of that name in out_dir. */
int trainer_write_model(trainer *t, const char *name, const float *params);
/* Replays a step that went bad and names the first op whose result is not finite: CLDANN_E_DIVERGED, always negative. */
int trainer_diagnose(trainer *t, int64_t step);

#endif

/*
 * train/settings.h: every constant of a training run, as train/experiment.c reads it from an experiment file.
 * Plain data: no pointers into files, no device.
 */
#ifndef CLDANN_TRAIN_SETTINGS_H
#define CLDANN_TRAIN_SETTINGS_H

#include <stdint.h>

#include "cldann.h"

typedef enum { METHOD_DANN, METHOD_SOURCE_ONLY, METHOD_TARGET_ONLY, METHOD_DOMAIN_ONLY, METHOD_SVM } method_id;

/* One method: what it trains on and with which losses. */
typedef struct method {
  const char *name;
  method_id id;
  int source, target; /* which streams fill the batch; both: half and half */
  int label_loss, domain_loss;
  int linear;    /* svm: no net is trained (train/svm.h) */
  int cooperate; /* domain-only: lambda is fixed at -1, so features help the domain head */
} method;
extern const method methods[]; /* dann, source-only, target-only, domain-only, svm; .name NULL ends */

/* Schedules are pure functions of p = step / horizon in [0,1]; see train/schedule.h. */
typedef enum { LR_CONSTANT, LR_INVERSE } lr_kind;
typedef struct lr_settings {
  lr_kind kind; /* "constant", "inverse": lr/(1+alpha p)^beta */
  double lr, alpha, beta;
} lr_settings;

typedef enum { LAMBDA_CONSTANT, LAMBDA_RAMP } lambda_kind;
/* What lambda multiplies. REVERSED: features only (head weight 1); BOTH: also the head's own loss (JMLR eq. 13-15). */
typedef enum { LAMBDA_REVERSED, LAMBDA_BOTH } lambda_mode;
typedef struct lambda_settings {
  lambda_kind kind; /* "constant"; "ramp": max * (2/(1+exp(-gamma p)) - 1) */
  double max, gamma;
  lambda_mode mode;     /* "features" or "both" */
  double domain_weight; /* constant factor of the domain loss on head and features; default 1 */
} lambda_settings;

/* In the order of cl/optim.cl:optim_update. */
typedef enum { OPT_SGD, OPT_MOMENTUM, OPT_NESTEROV, OPT_ADAM } optimiser_kind;
typedef struct optimiser_settings {
  optimiser_kind kind;
  double momentum, beta1, beta2, epsilon, weight_decay, clip_norm;
} optimiser_settings;

/* Rows of both training sets held out of training, and what they are for: label-blind choices alone. */
typedef enum { KEEP_BEST, KEEP_LAST } keep_kind;
typedef struct validation_settings {
  double share;     /* of each set that is held out; 0: nothing is, and the rest has no meaning */
  int64_t patience; /* lines of metrics without a better accuracy on the held-out source after which training ends; 0: never */
  int64_t least;    /* ends not before so many lines, */
  double grow;      /* nor before `grow` times the lines until the best */
  keep_kind keep;   /* "best", by that accuracy, or "last" */
  int reverse;      /* 1: reverse validation behind the training */
} validation_settings;

typedef struct settings {
  char name[64], preset[32];
  const method *method;
  uint64_t seed;
  int64_t steps, log_every;
  int64_t horizon; /* steps at which p = 1; 0: steps */
  int batch;       /* rows in a step, both halves together */
  int eval_batch;
  double device_memory;            /* MB that the run may take on the device; 0: what the device offers */
  int label_reduce, domain_reduce; /* REDUCE_MEAN / REDUCE_SUM / REDUCE_HALVES (cl/layout.clh) */
  lr_settings lr;
  lambda_settings lambda;
  optimiser_settings optimiser;
  validation_settings validation;
  int augment_crop, augment_mirror;  /* what training sees of an image: a random part, its mirror image */
  double svm_c;                      /* cost of a mistake of the linear SVMs */
  int measure_pad, measure_svm_head; /* behind the training: proxy A-distance of the features, an SVM in place of the head */
  double scale;                      /* inputs become (x - mean) * scale */
  int mean_channels;                 /* 1: subtract the per-channel mean over both training sets; 0: nothing */
} settings;

#endif

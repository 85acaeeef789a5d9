/*
 * train/validation.h: which parameters a run keeps and when it ends, by rows held out of the labelled training set; and reverse
 * validation. The keys are the group `validation` of an experiment. See train/validation.c.
 */
#ifndef CLDANN_TRAIN_VALIDATION_H
#define CLDANN_TRAIN_VALIDATION_H

#include "train/trainer_internal.h"

/* The first five do nothing in a run that holds nothing out. */
int validation_describe(trainer *t); /* what it takes of the device, into shared_bytes */
int validation_open(trainer *t);
/* Measures, fills p's validation figures, keeps the parameters where they are the best so far, and says whether to end. */
int validation_look(trainer *t, cldann_progress *p);
/* The best so far as a model file, out_dir/best.safetensors, for a run that is killed; validation_look writes it. */
int validation_write_best(trainer *t);
extern const char validation_best_file[];
void validation_close(trainer *t);

/* A training from the target's predicted labels back to the source. Holds views of the experiment's sets. */
typedef struct reverse {
  cldann_experiment x;
  dataset sets[3]; /* target with predicted labels, source without its own, held-out target with predicted ones */
  int32_t *labels[2];
  float *params;
} reverse;

/* Predicts by the trainer's parameters as they are; the trainer may then go. */
int reverse_begin(trainer *t, reverse *r);
/* Trains; *accuracy: of the held-out source rows. */
int reverse_run(reverse *r, const cldann_train_options *o, double *accuracy);
void reverse_free(reverse *r);

#endif

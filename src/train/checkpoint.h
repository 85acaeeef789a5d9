/*
 * train/checkpoint.h: what a training needs to go on as if it had not stopped, in checkpoint.safetensors of its folder:
 * parameters, the optimiser's memory, the statistics of the window it was in, what validation and health have seen. Rows,
 * schedules and draws are functions of the step and the seed. See train/checkpoint.c.
 */
#ifndef CLDANN_TRAIN_CHECKPOINT_H
#define CLDANN_TRAIN_CHECKPOINT_H

#include "train/trainer_internal.h"

/* Into the trainer's out_dir, in the place of the one before. */
int checkpoint_save(trainer *t);
/* From there. CLDANN_E_CONFIG, with the first line that differs, where it is of another experiment. */
int checkpoint_load(trainer *t);
/* A run that is done needs none. */
void checkpoint_remove(const char *dir);

#endif

/*
 * train/checkpoint.h: what a training needs to go on as if it had not stopped, in checkpoint-STEP.safetensors of its folder:
 * parameters, the optimiser's memory, the statistics of the window it was in, what validation and health have seen. Rows,
 * schedules and draws are functions of the step and the seed. See train/checkpoint.c.
 */
#ifndef CLDANN_TRAIN_CHECKPOINT_H
#define CLDANN_TRAIN_CHECKPOINT_H

#include "train/trainer_internal.h"

/* Into the trainer's out_dir, where the last checkpoint_keep stay. */
int checkpoint_save(trainer *t);
/*
 * From there, the newest that is not damaged; for one that is and is not the last, a line. The folder's other files go back to
 * that step too. CLDANN_E_CONFIG, with the first
 * lines that differ, where it is of another experiment; CLDANN_E_IO where a newer version wrote it.
 */
int checkpoint_load(trainer *t);
int checkpoint_exists(const char *dir);
/* All of them: a run that is done needs none. */
void checkpoint_remove(const char *dir);

#endif

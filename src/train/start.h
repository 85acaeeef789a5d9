/*
 * train/start.h: init.from: a training that starts from given weights, as those of a net trained on other data. Which of a
 * file's tensors a net takes is train/model.h's.
 */
#ifndef CLDANN_TRAIN_START_H
#define CLDANN_TRAIN_START_H

#include "train/trainer.h"

/* Puts the weights of the file that init.from names in the place of the initial ones, and says which. Without the key: nothing.
 */
int start_from_file(trainer *t);

#endif

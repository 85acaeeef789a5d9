/*
 * train/svm.h: what linear support vector machines (train/linear.h) have to do with an experiment: the method svm, which is one
 * on the inputs, and what is measured of a trained net's features. See train/svm.c.
 */
#ifndef CLDANN_TRAIN_SVM_H
#define CLDANN_TRAIN_SVM_H

#include "train/trainer_internal.h"

/* Method svm: fits, evaluates, and does reverse validation where that is asked for. No net, no device. */
int svm_train(cldann_experiment *x, const cldann_train_options *o, cldann_result *r);
/* The group `measure` of an experiment, with the trainer's parameters as they are. */
int svm_measure(trainer *t, cldann_result *r);

#endif

/*
 * train/judge.h: what the outputs of a head say of an item: a class and its probability. One unit stands for two classes, the
 * second of them when it is above 0 (logistic_xent), more for one each (softmax_xent).
 */
#ifndef CLDANN_TRAIN_JUDGE_H
#define CLDANN_TRAIN_JUDGE_H

#include "ops/op.h"

/* Of a loss: the units it reads, and the classes they tell apart. */
int judge_units(const op *loss);
int judge_classes(const op *loss);
/* The likeliest class, the first of equals. p, unless NULL: the probabilities of all, which has room for them. */
int judge(const op *loss, const float *outputs, double *p);

#endif

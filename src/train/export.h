/*
 * train/export.h: what is written of a model in the form of another program: its features and label head as a chain of ops, the
 * parameters, and what its file says. export_c.c makes C of it, export_onnx.c ONNX. The domain head stays behind.
 */
#ifndef CLDANN_TRAIN_EXPORT_H
#define CLDANN_TRAIN_EXPORT_H

#include "train/experiment.h"
#include "train/model.h"

enum { EXPORT_LAYERS = 256 };

typedef struct exported {
  cldann_error *e;
  cldann_experiment *x;
  const cldann_node *path[EXPORT_LAYERS]; /* from the input to what the label loss reads */
  int n;
  float *params; /* in our order */
  model_about about;
  int units, classes; /* of the label head; one unit tells two classes apart */
} exported;

/* `form` is for messages: "C". export_close after a failure too. */
int export_open(cldann *c, const char *model, const char *form, exported *p);
void export_close(exported *p);

#endif

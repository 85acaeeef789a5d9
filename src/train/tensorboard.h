/*
 * train/tensorboard.h: the record of a training as TensorBoard reads it: event files (events.out.tfevents.*) in the run's
 * folder, with the figures of each window and of the result as scalars. metrics.c writes them beside its own lines. A figure
 * that is not finite is left out. Needs protobuf-c; without it tensorboard_open says so.
 */
#ifndef CLDANN_TRAIN_TENSORBOARD_H
#define CLDANN_TRAIN_TENSORBOARD_H

#include "base/err.h"

typedef struct tensorboard tensorboard;

/* Whether the folder has event files, whoever wrote them. */
int tensorboard_there(const char *folder);
/* Removes them: they are of a run that is replaced. */
int tensorboard_clear(cldann_error *e, const char *folder);

/* Makes no file yet. */
int tensorboard_open(cldann_error *e, const char *folder, tensorboard **out);
/* A new file. What the others have of later steps than `after`, of a result, or cut short, goes. */
int tensorboard_start(cldann_error *e, tensorboard *b, int64_t after);
int tensorboard_progress(cldann_error *e, tensorboard *b, const cldann_progress *p);
int tensorboard_result(cldann_error *e, tensorboard *b, const cldann_result *r);
void tensorboard_close(tensorboard *b);

#endif

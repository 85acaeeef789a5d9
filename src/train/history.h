/*
 * train/history.h: what a run folder's metrics.jsonl says, read back: the windows, the warnings, the result. The keys are those
 * that train/metrics.c writes. Knows nothing of devices or experiments.
 */
#ifndef CLDANN_TRAIN_HISTORY_H
#define CLDANN_TRAIN_HISTORY_H

#include "base/err.h"

typedef struct history_warning {
  int64_t step;
  char *text;
} history_warning;

typedef struct history {
  cldann_progress *windows;
  int n;
  history_warning *warnings;
  int n_warnings;
  cldann_result result; /* figures that the file lacks are NaN */
  int done;             /* there is a result: the run came to its end */
  int cut;              /* the last line is not whole, as of a run that was killed, and left out */
} history;

/* Of DIR/metrics.jsonl. CLDANN_E_FORMAT, with the line, where another line than the last is no JSON. history_free, on failure
 * too. */
int history_read(cldann_error *e, const char *dir, history *h);
void history_free(history *h);

#endif

/*
 * train/metrics.h: the record of a training run, in the output folder: metrics.jsonl, one JSON object a line, and metrics.csv,
 * the same figures of its windows. Each line is written at once (data/record.h), so that a run that stops early keeps what
 * it measured. The command prints the same objects with --json. Knows nothing of devices or experiments. A number that is NaN
 * or infinite becomes null, or an empty cell.
 */
#ifndef CLDANN_TRAIN_METRICS_H
#define CLDANN_TRAIN_METRICS_H

#include <jansson.h>
#include <stdio.h>

#include "base/err.h"

typedef struct metrics metrics;

/*
 * Makes the folder and those above it where missing and opens both files in it. To be called before data are loaded, so
 * that a folder that cannot be written is told at once. Holds it until metrics_close: a second training into it fails. events:
 * not 0 writes TensorBoard's files too. out_dir NULL: *out is NULL, which all below take.
 */
int metrics_open(cldann_error *e, const char *out_dir, int events, metrics **out);
/* Drops what a run that goes on from `step` will write again: lines of later steps, and results. In the place of metrics_start.
 */
int metrics_rewind(cldann_error *e, metrics *m, int64_t step);
/* Empties the files, when all is ready to train. Those of an earlier run stay as they were until then. */
int metrics_start(cldann_error *e, metrics *m);
int metrics_write(cldann_error *e, metrics *m, const cldann_progress *p);
/* {"type": "warning", "step", "text"} */
int metrics_warning(cldann_error *e, metrics *m, int64_t step, const char *text);
int metrics_result(cldann_error *e, metrics *m, const cldann_result *r);
/* Also frees. */
void metrics_close(metrics *m);

/* The objects: {"type": "progress", ...} and {"type": "result", ...}. NULL when memory is short. json_decref frees them. */
json_t *metrics_progress_json(const cldann_progress *p);
json_t *metrics_result_json(const cldann_result *r);
/* A number, or null for what JSON cannot say. */
json_t *metrics_number(double v);
/* A text, whatever its bytes: those that are no UTF-8 become U+FFFD. */
json_t *metrics_text(const char *s);
/* Writes one line and flushes it; takes `object`, which may be NULL. `name` is for the message: the file's. */
int metrics_line(cldann_error *e, FILE *f, const char *name, json_t *object);

#endif

/*
 * report/runs.h: run folders beside each other: their results, and the settings in which they differ. Runs that differ in the
 * seed alone are one group, of which mean and deviation are told. Reads experiment.conf and metrics.jsonl; knows nothing of
 * devices.
 */
#ifndef CLDANN_REPORT_RUNS_H
#define CLDANN_REPORT_RUNS_H

#include <stdio.h>

#include "report/cells.h"

typedef struct runs runs;

int runs_new(cldann_error *e, runs **out);
void runs_free(runs *r);
/* One folder. CLDANN_E_IO or _FORMAT where it holds no run that came to its end; then it is left out. */
int runs_add(cldann_error *e, runs *r, const char *dir);
/* A line a group, in the order of their first folders; CSV: a line a run. Errors of the stream are the caller's to look for. */
int runs_write(cldann_error *e, const runs *r, cells_form form, FILE *f);

#endif

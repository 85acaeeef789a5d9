/*
 * report/page.h: the sections of a run's page that need its folder alone: no model, no data, no device. report.c makes the page
 * of a run that is over of them, live.c that of one which trains. Each writes to p->f; errors of the stream are the caller's to
 * look for. Pictures are of analysis/draw.h, HTML of report/html.h.
 */
#ifndef CLDANN_REPORT_PAGE_H
#define CLDANN_REPORT_PAGE_H

#include <stdio.h>

#include "train/experiment.h"
#include "train/history.h"

typedef struct page {
  cldann_experiment *x; /* its data need not be loaded */
  cldann_error *e;
  const char *dir;
  FILE *f;
  history h;
  int refresh; /* seconds after which a browser asks for it again, since the run may go on; 0: it is over */
} page;

/* The head, and the title. */
void page_begin(const page *p);
/* In a sentence, what came of the run. */
void page_lead(const page *p);
void page_result(const page *p);
void page_warnings(const page *p);
/* The picture is drawn into a folder, from which the page takes it; it needs gnuplot. Nothing while there is no window. */
int page_curves(const page *p, const char *dir);
int page_settings(const page *p);

/* DIR/NAME.svg, with what it shows in words. */
int page_picture(const page *p, const char *dir, const char *name, const char *words);
/* A row of a table of three columns; of a figure, nothing where it is NaN. */
void page_row(const page *p, const char *what, const char *value, const char *remark);
void page_figure(const page *p, const char *what, double v, const char *remark);

#endif

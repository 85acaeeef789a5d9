/*
 * report/cells.h: tables of text in each of the forms that --format names, cell by cell, and the two figures that they are made
 * of. A form is a row of cells.c:forms. Knows nothing of what the cells are about.
 */
#ifndef CLDANN_REPORT_CELLS_H
#define CLDANN_REPORT_CELLS_H

#include <stdio.h>

#include "base/memo.h"

typedef enum { CELLS_PLAIN, CELLS_MARKDOWN, CELLS_CSV, CELLS_FORMS } cells_form;
extern const char *const cells_form_names[CELLS_FORMS]; /* "plain" */

typedef struct cells_column {
  const char *name, *long_name; /* long_name: where there is room for it; NULL: the name */
  int width;                    /* of plain text, at least; below 0: from the left */
  const char *before;           /* of plain text, where it is not two blanks; NULL */
} cells_column;

typedef struct cells {
  memo cell; /* what is written to its f is the next cell, when it is put */
  cells_form form;
  /* cells.c's */
  FILE *to;
  const cells_column *columns;
  int n, at;
} cells;

int cells_open(cldann_error *e, FILE *to, cells_form form, cells *w);
/* Begins a table of these columns, with their names; they must outlive it. */
void cells_heading(cells *w, const cells_column *columns, int n);
/* What was written to w->cell.f since the last; the last cell of a row ends it. */
void cells_put(cells *w);
void cells_text(cells *w, const char *text);
/* "0.7120", or "-" for what is no number. */
void cells_number(cells *w, double v, int digits);
/* CLDANN_E_MEM when memory ran out on the way. Errors of the stream are the caller's to look for. */
int cells_close(cldann_error *e, cells *w);

/* NaN of none; of a sample: NaN of one. */
double cells_mean(const double *v, int n);
double cells_deviation(const double *v, int n);

#endif

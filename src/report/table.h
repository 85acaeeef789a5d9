/*
 * report/table.h: a published table and what our own runs give for each of its rows. The table is a text file (libconfig,
 * experiments/tables/): which experiment with which overrides a row is, and who published which figure for it. The runs are
 * the caller's; here they become lines of text, Markdown or CSV. Knows nothing of devices.
 */
#ifndef CLDANN_REPORT_TABLE_H
#define CLDANN_REPORT_TABLE_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

enum { TABLE_ROWS = 64, TABLE_SETS = 8, TABLE_PUBLISHED = 6, TABLE_NAME = 64, TABLE_TEXT = 256 };

typedef struct table_row {
  char name[TABLE_NAME];                /* "dann" */
  char experiment[TABLE_TEXT];          /* a path, made from the table's folder */
  char sets[TABLE_SETS][TABLE_TEXT];    /* "method=dann" */
  char by[TABLE_PUBLISHED][TABLE_NAME]; /* who published it */
  double published[TABLE_PUBLISHED];    /* target accuracy, 0..1 */
  int n_sets, n_published;
  int floor, bound;       /* what is trained on the source alone, and on the target: for the share of the gap covered */
  cldann_result *results; /* of the runs that are done, in the order of the seeds; owned */
  int n_results;
} table_row;

typedef struct table {
  char name[TABLE_NAME], title[TABLE_TEXT], source[TABLE_TEXT];
  char quick_sets[TABLE_SETS][TABLE_TEXT]; /* overrides of a quick look, behind the row's */
  int n_quick_sets;
  int seeds; /* 1..seeds are run when nobody asks for others */
  table_row rows[TABLE_ROWS];
  int n_rows;
} table;

/* CLDANN_E_CONFIG with file:line where it is not as it must be. Freed by table_free. */
int table_read(cldann_error *e, const char *path, table **out);
void table_free(table *t);
int table_add(cldann_error *e, table_row *row, const cldann_result *r);

typedef enum { TABLE_PLAIN, TABLE_MARKDOWN, TABLE_CSV } table_form;
/*
 * Target accuracy of each row that has runs: mean, standard deviation and each seed; source accuracy; the published figures;
 * the share of the gap between the floor's and the bound's mean. CSV has a line a run. quick: says that these are no
 * reproductions. Errors of the stream are the caller's to look for.
 */
void table_write(const table *t, table_form form, int quick, FILE *f);

#endif

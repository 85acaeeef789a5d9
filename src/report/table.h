/*
 * report/table.h: a published table and what our own runs give for each of its rows. The table is a text file (libconfig,
 * experiments/tables/): which experiment with which overrides a row is, and who published which figure for it. A row may have
 * candidates, values of a constant that nobody can know beforehand (lambda): all are trained, and one is chosen without a
 * target label. The runs are the caller's; here they become lines of text, Markdown or CSV. Knows nothing of devices.
 */
#ifndef CLDANN_REPORT_TABLE_H
#define CLDANN_REPORT_TABLE_H

#include <stdio.h>

#include "report/cells.h"

enum {
  TABLE_ROWS = 64,
  TABLE_SEEDS = 1000,
  TABLE_SETS = 8,
  TABLE_CANDIDATES = 16,
  TABLE_GROUPS = 8,
  TABLE_PUBLISHED = 6,
  TABLE_NAME = 64,
  TABLE_TEXT = 256
};

typedef struct table_row {
  char name[TABLE_NAME];                         /* "dann" */
  char group[TABLE_NAME];                        /* rows of one method, that the table ends with the means of; "": none */
  char experiment[TABLE_TEXT];                   /* a path, made from the table's folder */
  char sets[TABLE_SETS][TABLE_TEXT];             /* "method=dann" */
  char candidates[TABLE_CANDIDATES][TABLE_TEXT]; /* "lambda.max=0.1": one more override, one run each */
  char by[TABLE_PUBLISHED][TABLE_NAME];          /* who published it */
  double published[TABLE_PUBLISHED];             /* target accuracy, 0..1 */
  int n_sets, n_candidates, n_published;
  int floor, bound;       /* what is trained on the source alone, and on the target: for the share of the gap covered */
  cldann_result *results; /* of the runs that are done: the candidates of the first seed, of the second ...; owned */
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

/* Runs of a row for one seed: its candidates, or 1. And seeds all of whose runs are done. */
int table_runs(const table_row *row);
int table_seeds(const table_row *row);

/* How one run of a row's candidates is chosen. The first two see no target label; the last is there to know what that costs. */
typedef enum { PICK_REVERSE, PICK_SOURCE, PICK_ORACLE } table_pick;
/*
 * The run of seed number k by that rule: the best reverse validation, accuracy on held-out source rows, or accuracy on the
 * target's test set. Of equals the one with the better accuracy on held-out source rows, then the first. NULL where the runs
 * do not have that figure.
 */
const cldann_result *table_choose(const table_row *row, int k, table_pick by);
/* The one that counts for the row: by reverse validation, else by the source, else the only one. */
const cldann_result *table_chosen(const table_row *row, int k);

/*
 * Target accuracy of each row that has runs: mean, standard deviation and each seed; source accuracy; the published figures;
 * the share of the gap between the floor's and the bound's mean. With validation: what the last step's parameters, either
 * choice and the oracle give. Groups: means beside the published ones, and how likely one is better than another. CSV has a
 * line a run. quick: says that these are no reproductions. Errors of the stream are the caller's to look for.
 */
int table_write(cldann_error *e, const table *t, cells_form form, int quick, FILE *f);

#endif

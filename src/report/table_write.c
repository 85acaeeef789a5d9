/*
 * report/table_write.c: a table's text. Plain and Markdown have a line a row and the same columns, of which those that no row
 * has a figure for are left out; groups of rows follow. CSV has a line a run. See report/table.h.
 */
#include <math.h>
#include <string.h>

#include "report/table.h"

/* ---- figures ---- */

typedef double (*run_figure)(const table_row *row, int seed);

static double chosen_target(const table_row *row, int k) {
  return table_chosen(row, k)->target_accuracy;
}
static double chosen_source(const table_row *row, int k) {
  return table_chosen(row, k)->source_accuracy;
}
static double last_target(const table_row *row, int k) {
  return table_chosen(row, k)->last_target_accuracy;
}
static double by_source(const table_row *row, int k) {
  const cldann_result *r = table_choose(row, k, PICK_SOURCE);
  return r ? r->target_accuracy : NAN;
}
static double by_reverse(const table_row *row, int k) {
  const cldann_result *r = table_choose(row, k, PICK_REVERSE);
  return r ? r->target_accuracy : NAN;
}

static double svm_head(const table_row *row, int k) {
  return table_chosen(row, k)->svm_target_accuracy;
}
static double proxy_distance(const table_row *row, int k) {
  return table_chosen(row, k)->pad;
}

/* The most that any choice could have had, of candidates and of what was kept or was last. Nothing where nothing is chosen. */
static double by_oracle(const table_row *row, int k) {
  const int runs = table_runs(row);
  double best = NAN;
  for (int i = 0; i < runs; i++) {
    const cldann_result *r = &row->results[(size_t)k * (size_t)runs + (size_t)i];
    if (isfinite(r->validation_accuracy)) best = fmax(best, fmax(r->target_accuracy, r->last_target_accuracy));
  }
  return best;
}

/* Over the seeds that are done; NaN where none has the figure. */
static double mean_of(const table_row *row, run_figure f) {
  double sum = 0;
  const int n = table_seeds(row);
  for (int k = 0; k < n; k++) sum += f(row, k);
  return n ? sum / n : NAN;
}

static double mean_target(const table_row *row) {
  return mean_of(row, chosen_target);
}

/* Of a sample; NaN for one run, which has none. */
static double deviation(const table_row *row) {
  const double mean = mean_target(row);
  const int n = table_seeds(row);
  double sum = 0;
  for (int k = 0; k < n; k++) sum += pow(chosen_target(row, k) - mean, 2);
  return n > 1 ? sqrt(sum / (n - 1)) : NAN;
}

/* (row - floor) / (bound - floor); NaN where the table has not both. */
static double gap_covered(const table *t, const table_row *row) {
  double floor = NAN, bound = NAN;
  for (int i = 0; i < t->n_rows; i++) {
    if (t->rows[i].floor) floor = mean_target(&t->rows[i]);
    if (t->rows[i].bound) bound = mean_target(&t->rows[i]);
  }
  return row->floor || row->bound ? NAN : (mean_target(row) - floor) / (bound - floor);
}

enum { TARGET, DEVIATION, SOURCE, GAP, LAST, BY_SOURCE, BY_REVERSE, ORACLE, SVM_HEAD, PAD, COLUMNS };

typedef struct column {
  const char *name, *long_name;
  int digits;
} column;
static const column columns[COLUMNS] = {
    [TARGET] = {"target", "target", 4},
    [SOURCE] = {"source", "source", 4},
    [DEVIATION] = {"sd", "sd", 4},
    [GAP] = {"of gap", "share of the gap", 2},
    [LAST] = {"last", "last step", 4},
    [BY_SOURCE] = {"bysrc", "chosen by the source", 4},
    [BY_REVERSE] = {"byrev", "chosen by reverse validation", 4},
    [ORACLE] = {"oracle", "oracle (target labels)", 4},
    [SVM_HEAD] = {"svmhead", "SVM head", 4},
    [PAD] = {"PAD", "PAD", 3},
};

static double value(const table *t, const table_row *row, int c) {
  static const run_figure figures[COLUMNS] = {
      [SOURCE] = chosen_source, [LAST] = last_target,  [BY_SOURCE] = by_source, [BY_REVERSE] = by_reverse,
      [ORACLE] = by_oracle,     [SVM_HEAD] = svm_head, [PAD] = proxy_distance};
  if (c == TARGET) return mean_target(row);
  if (c == DEVIATION) return deviation(row);
  return c == GAP ? gap_covered(t, row) : mean_of(row, figures[c]);
}

static int has_column(const table *t, int c) {
  int has = c == TARGET || c == SOURCE;
  for (int i = 0; i < t->n_rows; i++) has |= table_seeds(&t->rows[i]) > 0 && isfinite(value(t, &t->rows[i], c));
  return has;
}

/* "0.7120", or "-". */
static const char *number(char text[16], double v, int digits) {
  if (isfinite(v))
    snprintf(text, 16, "%.*f", digits, v);
  else
    snprintf(text, 16, "-");
  return text;
}

/* ---- groups ---- */

typedef struct group {
  const char *name;
  int rows, published, far;    /* far: more than FAR from the first published figure */
  double mean, mean_published; /* the second NaN unless every row has one */
} group;
#define FAR 0.03

static int groups_of(const table *t, group all[TABLE_GROUPS]) {
  int n = 0;
  for (int i = 0; i < t->n_rows; i++) {
    const table_row *row = &t->rows[i];
    int g = 0;
    if (!row->group[0] || !table_seeds(row)) continue;
    while (g < n && strcmp(all[g].name, row->group) != 0) g++;
    if (g == TABLE_GROUPS) continue;
    if (g == n) all[n++] = (group){.name = row->group};
    all[g].rows++;
    all[g].mean += mean_target(row);
    if (!row->n_published) continue;
    all[g].published++;
    all[g].mean_published += row->published[0];
    all[g].far += fabs(mean_target(row) - row->published[0]) > FAR;
  }
  for (int g = 0; g < n; g++) {
    all[g].mean /= all[g].rows;
    all[g].mean_published = all[g].published == all[g].rows ? all[g].mean_published / all[g].rows : NAN;
  }
  return n;
}

/* The row of a group for the same problem: the same name but for the group's at its end. */
static const table_row *partner(const table *t, const table_row *row, const char *other) {
  const size_t stem = strlen(row->name) > strlen(row->group) ? strlen(row->name) - strlen(row->group) : 0;
  for (int i = 0; i < t->n_rows; i++)
    if (!strcmp(t->rows[i].group, other) && table_seeds(&t->rows[i]) && !strncmp(t->rows[i].name, row->name, stem) &&
        !strcmp(t->rows[i].name + stem, other))
      return &t->rows[i];
  return NULL;
}

/* That the first row is the better one, by the sizes of the test sets; errors of the two are taken to be independent. */
static double probability(const table_row *a, const table_row *b) {
  const double p = mean_target(a), q = mean_target(b), n = (double)a->results[0].target_items * table_seeds(a),
               m = (double)b->results[0].target_items * table_seeds(b), spread = sqrt(p * (1 - p) / n + q * (1 - q) / m);
  return spread > 0 ? 0.5 * erfc((q - p) / (spread * sqrt(2))) : 0.5;
}

/*
 * Poisson binomial test (Lacoste et al. 2012): that group a is the better one on more than half of the problems, half of an
 * even split counted; NaN without common problems.
 */
static double better(const table *t, const char *a, const char *b) {
  double wins[TABLE_ROWS + 1] = {1}; /* wins[k]: that k are won so far */
  int n = 0;
  for (int i = 0; i < t->n_rows; i++) {
    const table_row *row = &t->rows[i], *other = strcmp(row->group, a) || !table_seeds(row) ? NULL : partner(t, row, b);
    if (!other) continue;
    const double p = probability(row, other);
    n++;
    for (int k = n; k > 0; k--) wins[k] = wins[k] * (1 - p) + wins[k - 1] * p;
    wins[0] *= 1 - p;
  }
  double sum = 0;
  for (int k = 0; k <= n; k++) sum += 2 * k > n ? wins[k] : 2 * k == n ? wins[k] / 2 : 0;
  return n ? sum : NAN;
}

static void write_groups(const table *t, int markdown, FILE *f) {
  group all[TABLE_GROUPS];
  char a[16], b[16], c[16];
  const int n = groups_of(t, all);
  if (!n) return;
  if (markdown) fputs("\n| method | rows | mean target | published | off by more than 3 points |\n|---|---|---|---|---|\n", f);
  if (!markdown) fprintf(f, "\n%-12s  rows     mean  published  off by more than 3 points\n", "method");
  for (int g = 0; g < n; g++)
    fprintf(f, markdown ? "| %s | %d | %s | %s | %s |\n" : "%-12s  %4d  %7s  %9s  %s\n", all[g].name, all[g].rows,
            number(a, all[g].mean, 4), number(b, all[g].mean_published, 4),
            number(c, all[g].published ? (double)all[g].far : NAN, 0));
  if (markdown) fputc('\n', f);
  for (int g = 0; g < n; g++)
    for (int h = 0; h < n; h++) {
      const double p = better(t, all[g].name, all[h].name);
      if (g == h || !isfinite(p)) continue;
      fprintf(f, "%sP(%s better than %s) = %.2f%s\n", markdown ? "" : "  ", all[g].name, all[h].name, p, markdown ? "  " : "");
    }
  fprintf(f, "%sPoisson binomial test over the problems, errors of two methods on a problem taken to be independent.\n",
          markdown ? "" : "  ");
}

/* ---- the forms ---- */

/* Each seed's figure, and which candidate it is of. */
static void put_seeds(const table_row *row, FILE *f) {
  for (int k = 0; k < table_seeds(row); k++) {
    const cldann_result *r = table_chosen(row, k);
    fprintf(f, "%s%.4f", k ? " " : "", r->target_accuracy);
    if (row->n_candidates) {
      const char *set = row->candidates[(r - row->results) % table_runs(row)];
      fprintf(f, " (%s)", strchr(set, '=') + 1);
    }
  }
}

static void put_published(const table_row *row, const char *none, FILE *f) {
  for (int i = 0; i < row->n_published; i++) fprintf(f, "%s%.4f %s", i ? ", " : "", row->published[i], row->by[i]);
  if (!row->n_published) fputs(none, f);
}

static void put_heading(const table *t, const char *before, int quick, FILE *f) {
  fprintf(f, "%s%s\n%s\nTarget accuracy: mean, standard deviation, each seed", before, t->title, t->source);
  for (int i = 0; i < t->n_rows; i++) {
    const table_row *row = &t->rows[i];
    if (!table_seeds(row)) continue;
    fputs(" (", f);
    for (int k = 0; k < table_seeds(row); k++)
      fprintf(f, "%s%llu", k ? " " : "", (unsigned long long)row->results[k * table_runs(row)].seed);
    fprintf(f, "), on %s", row->results[0].device);
    break;
  }
  fprintf(f, ".\n%s", quick ? "A quick look, with fewer steps: no reproduction.\n" : "");
}

static void write_plain(const table *t, int quick, FILE *f) {
  int width = 8;
  char text[16];
  put_heading(t, "", quick, f);
  for (int i = 0; i < t->n_rows; i++) width = (int)strlen(t->rows[i].name) > width ? (int)strlen(t->rows[i].name) : width;
  fprintf(f, "\n%-*s", width, "row");
  for (int c = 0; c < COLUMNS; c++)
    if (has_column(t, c)) fprintf(f, "  %7s", columns[c].name);
  fputs("  each seed; published\n", f);
  for (int i = 0; i < t->n_rows; i++) {
    const table_row *row = &t->rows[i];
    if (!table_seeds(row)) continue;
    fprintf(f, "%-*s", width, row->name);
    for (int c = 0; c < COLUMNS; c++)
      if (has_column(t, c)) fprintf(f, "  %7s", number(text, value(t, row, c), columns[c].digits));
    fputs("  ", f);
    put_seeds(row, f);
    fputs("; ", f);
    put_published(row, "nothing published", f);
    fputc('\n', f);
  }
  write_groups(t, 0, f);
}

static void write_markdown(const table *t, int quick, FILE *f) {
  char text[16];
  int n = 3;
  put_heading(t, "# ", quick, f);
  fputs("\n| row |", f);
  for (int c = 0; c < COLUMNS; c++)
    if (has_column(t, c)) fprintf(f, " %s |", columns[c].long_name), n++;
  fputs(" each seed | published |\n|", f);
  for (int c = 0; c < n; c++) fputs("---|", f);
  fputc('\n', f);
  for (int i = 0; i < t->n_rows; i++) {
    const table_row *row = &t->rows[i];
    if (!table_seeds(row)) continue;
    fprintf(f, "| %s |", row->name);
    for (int c = 0; c < COLUMNS; c++)
      if (has_column(t, c)) fprintf(f, " %s |", number(text, value(t, row, c), columns[c].digits));
    fputc(' ', f);
    put_seeds(row, f);
    fputs(" | ", f);
    put_published(row, "-", f);
    fputs(" |\n", f);
  }
  write_groups(t, 1, f);
}

static void write_run(const table *t, const table_row *row, int i, int quick, FILE *f) {
  const cldann_result *r = &row->results[i];
  const int seed = i / table_runs(row);
  char text[16];
  const double v[] = {r->target_accuracy,     r->source_accuracy,  r->domain_accuracy,     r->last_target_accuracy,
                      r->validation_accuracy, r->reverse_accuracy, r->svm_target_accuracy, r->pad};
  fprintf(f, "%s,%s,%llu,%s,%d", t->name, row->name, (unsigned long long)r->seed,
          row->n_candidates ? row->candidates[i % table_runs(row)] : "",
          seed < table_seeds(row) && r == table_chosen(row, seed));
  for (size_t k = 0; k < sizeof v / sizeof *v; k++) fprintf(f, ",%s", number(text, v[k], 6));
  fprintf(f, ",%lld,%lld,%s,%d,", (long long)r->model_step, (long long)r->steps, number(text, r->seconds, 2), quick != 0);
  for (int p = 0; p < row->n_published; p++) fprintf(f, "%s%.4f", p ? " " : "", row->published[p]);
  fputc('\n', f);
}

static void write_csv(const table *t, int quick, FILE *f) {
  fputs("table,row,seed,candidate,chosen,target_accuracy,source_accuracy,domain_accuracy,last_target_accuracy,"
        "validation_accuracy,reverse_accuracy,svm_target_accuracy,pad,model_step,steps,seconds,quick,published\n",
        f);
  for (int i = 0; i < t->n_rows; i++)
    for (int k = 0; k < t->rows[i].n_results; k++) write_run(t, &t->rows[i], k, quick, f);
}

void table_write(const table *t, table_form form, int quick, FILE *f) {
  if (form == TABLE_PLAIN) write_plain(t, quick, f);
  if (form == TABLE_MARKDOWN) write_markdown(t, quick, f);
  if (form == TABLE_CSV) write_csv(t, quick, f);
}

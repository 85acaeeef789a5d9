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

static int values_of(const table_row *row, run_figure f, double v[TABLE_SEEDS]) {
  const int n = table_seeds(row);
  for (int k = 0; k < n; k++) v[k] = f(row, k);
  return n;
}

/* Over the seeds that are done; NaN where none has the figure. */
static double mean_of(const table_row *row, run_figure f) {
  double v[TABLE_SEEDS];
  const int n = values_of(row, f, v);
  return cells_mean(v, n);
}

static double mean_target(const table_row *row) {
  return mean_of(row, chosen_target);
}

static double deviation(const table_row *row) {
  double v[TABLE_SEEDS];
  const int n = values_of(row, chosen_target, v);
  return cells_deviation(v, n);
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

static void write_groups(const table *t, cells *w) {
  static const cells_column of_groups[] = {{.name = "method", .width = -12},
                                           {.name = "rows", .width = 4},
                                           {.name = "mean", .long_name = "mean target", .width = 7},
                                           {.name = "published", .width = 9},
                                           {.name = "off by more than 3 points"}};
  const int markdown = w->form == CELLS_MARKDOWN;
  group all[TABLE_GROUPS];
  const int n = groups_of(t, all);
  if (!n) return;
  fputc('\n', w->to);
  cells_heading(w, of_groups, sizeof of_groups / sizeof *of_groups);
  for (int g = 0; g < n; g++) {
    cells_text(w, all[g].name);
    cells_number(w, all[g].rows, 0);
    cells_number(w, all[g].mean, 4);
    cells_number(w, all[g].mean_published, 4);
    cells_number(w, all[g].published ? all[g].far : NAN, 0);
  }
  if (markdown) fputc('\n', w->to);
  for (int g = 0; g < n; g++)
    for (int h = 0; h < n; h++) {
      const double p = better(t, all[g].name, all[h].name);
      if (g == h || !isfinite(p)) continue;
      fprintf(w->to, "%sP(%s better than %s) = %.2f%s\n", markdown ? "" : "  ", all[g].name, all[h].name, p,
              markdown ? "  " : "");
    }
  fprintf(w->to, "%sPoisson binomial test over the problems, errors of two methods on a problem taken to be independent.\n",
          markdown ? "" : "  ");
}

/* ---- lines ---- */

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

/* A line a row that has runs, then the groups. */
static void write_rows(const table *t, int quick, cells *w) {
  cells_column all[COLUMNS + 3] = {{.name = "row", .width = -8}};
  int shown[COLUMNS], n = 0;
  put_heading(t, w->form == CELLS_MARKDOWN ? "# " : "", quick, w->to);
  for (int i = 0; i < t->n_rows; i++)
    if ((int)strlen(t->rows[i].name) > -all[0].width) all[0].width = -(int)strlen(t->rows[i].name);
  for (int c = 0; c < COLUMNS; c++)
    if (has_column(t, c)) {
      shown[n++] = c;
      all[n] = (cells_column){columns[c].name, columns[c].long_name, .width = 7};
    }
  all[n + 1] = (cells_column){.name = "each seed"};
  all[n + 2] = (cells_column){.name = "published", .before = "; "};
  fputc('\n', w->to);
  cells_heading(w, all, n + 3);
  for (int i = 0; i < t->n_rows; i++) {
    const table_row *row = &t->rows[i];
    if (!table_seeds(row)) continue;
    cells_text(w, row->name);
    for (int k = 0; k < n; k++) cells_number(w, value(t, row, shown[k]), columns[shown[k]].digits);
    put_seeds(row, w->cell.f);
    cells_put(w);
    put_published(row, w->form == CELLS_MARKDOWN ? "-" : "nothing published", w->cell.f);
    cells_put(w);
  }
  write_groups(t, w);
}

static void put_run(const table *t, const table_row *row, int i, int quick, cells *w) {
  const cldann_result *r = &row->results[i];
  const int seed = i / table_runs(row);
  const double accuracies[] = {r->target_accuracy,     r->source_accuracy,  r->domain_accuracy,     r->last_target_accuracy,
                               r->validation_accuracy, r->reverse_accuracy, r->svm_target_accuracy, r->pad};
  cells_text(w, t->name);
  cells_text(w, row->name);
  fprintf(w->cell.f, "%llu", (unsigned long long)r->seed);
  cells_put(w);
  cells_text(w, row->n_candidates ? row->candidates[i % table_runs(row)] : "");
  cells_number(w, seed < table_seeds(row) && r == table_chosen(row, seed), 0);
  for (size_t k = 0; k < sizeof accuracies / sizeof *accuracies; k++) cells_number(w, accuracies[k], 6);
  cells_number(w, (double)r->model_step, 0);
  cells_number(w, (double)r->steps, 0);
  cells_number(w, r->seconds, 2);
  cells_number(w, quick != 0, 0);
  for (int p = 0; p < row->n_published; p++) fprintf(w->cell.f, "%s%.4f", p ? " " : "", row->published[p]);
  cells_put(w);
}

static void write_runs(const table *t, int quick, cells *w) {
  static const cells_column of_runs[] = {{.name = "table"},
                                         {.name = "row"},
                                         {.name = "seed"},
                                         {.name = "candidate"},
                                         {.name = "chosen"},
                                         {.name = "target_accuracy"},
                                         {.name = "source_accuracy"},
                                         {.name = "domain_accuracy"},
                                         {.name = "last_target_accuracy"},
                                         {.name = "validation_accuracy"},
                                         {.name = "reverse_accuracy"},
                                         {.name = "svm_target_accuracy"},
                                         {.name = "pad"},
                                         {.name = "model_step"},
                                         {.name = "steps"},
                                         {.name = "seconds"},
                                         {.name = "quick"},
                                         {.name = "published"}};
  cells_heading(w, of_runs, sizeof of_runs / sizeof *of_runs);
  for (int i = 0; i < t->n_rows; i++)
    for (int k = 0; k < t->rows[i].n_results; k++) put_run(t, &t->rows[i], k, quick, w);
}

int table_write(cldann_error *e, const table *t, cells_form form, int quick, FILE *f) {
  cells w;
  int rc;
  TRY(cells_open(e, f, form, &w));
  if (form == CELLS_CSV)
    write_runs(t, quick, &w);
  else
    write_rows(t, quick, &w);
  rc = cells_close(e, &w);
fail:
  return rc;
}

/* report/table.c: see report/table.h. */
#include "report/table.h"

#include <errno.h>
#include <libconfig.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* ---- reading ---- */

typedef struct reader {
  cldann_error *e;
  const char *path;
} reader;

static int bad(const reader *r, const config_setting_t *s, const char *what) {
  return err_set(r->e, CLDANN_E_CONFIG, __FILE__, __LINE__, "%s:%u: %s", r->path, (unsigned)config_setting_source_line(s),
                 what);
}

/* A text of a group into `to`; absent is an error when `needed`. */
static int get_text(const reader *r, const config_setting_t *group, const char *key, int needed, char *to, size_t room) {
  const char *text = NULL;
  char what[96];
  to[0] = '\0';
  if (!config_setting_lookup_string(group, key, &text)) {
    snprintf(what, sizeof what, "%s = \"...\" is missing", key);
    return needed ? bad(r, group, what) : CLDANN_OK;
  }
  snprintf(what, sizeof what, "%s is longer than %zu characters", key, room - 1);
  if (strlen(text) >= room) return bad(r, group, what);
  strcpy(to, text);
  return CLDANN_OK;
}

static const config_setting_t *member(const config_setting_t *group, const char *key) {
  return config_setting_get_member((config_setting_t *)group, key);
}

static int get_sets(const reader *r, const config_setting_t *list, char sets[TABLE_SETS][TABLE_TEXT], int *n) {
  for (int i = 0; list && i < config_setting_length(list); i++) {
    const char *text = config_setting_get_string_elem(list, i);
    if (!text || !strchr(text, '=') || strlen(text) >= TABLE_TEXT) return bad(r, list, "a set is a text \"key=value\"");
    if (*n == TABLE_SETS) return bad(r, list, "too many sets in one row");
    strcpy(sets[(*n)++], text);
  }
  return CLDANN_OK;
}

static int get_published(const reader *r, const config_setting_t *list, table_row *row) {
  int rc = CLDANN_OK;
  for (int i = 0; list && i < config_setting_length(list); i++) {
    const config_setting_t *one = config_setting_get_elem(list, (unsigned)i);
    double *value = &row->published[row->n_published];
    if (row->n_published == TABLE_PUBLISHED) return bad(r, list, "too many published figures in one row");
    if (!config_setting_is_group(one) || !config_setting_lookup_float(one, "target", value) || !(*value >= 0 && *value <= 1))
      return bad(r, list, "a published figure is { by = \"...\"; target = 0.0 to 1.0; }");
    TRY(get_text(r, one, "by", 1, row->by[row->n_published++], TABLE_NAME));
  }
fail:
  return rc;
}

static int get_row(const reader *r, const config_setting_t *s, table_row *row) {
  char file[TABLE_TEXT], dir[TABLE_TEXT];
  int rc = CLDANN_OK;
  if (!config_setting_is_group(s)) return bad(r, s, "a row is a group { name; experiment; set; published; }");
  TRY(get_text(r, s, "name", 1, row->name, sizeof row->name));
  if (row->name[strcspn(row->name, "/ ,")]) return bad(r, s, "a row's name has no blanks, slashes and commas");
  TRY(get_text(r, s, "experiment", 1, file, sizeof file));
  if (snprintf(dir, sizeof dir, "%.*s", (int)(text_base(r->path) - r->path), r->path) >= (int)sizeof dir ||
      snprintf(row->experiment, sizeof row->experiment, "%s%s", file[0] == '/' ? "" : dir, file) >= (int)sizeof row->experiment)
    return bad(r, s, "the path of its experiment is too long");
  TRY(get_sets(r, member(s, "set"), row->sets, &row->n_sets));
  TRY(get_published(r, member(s, "published"), row));
  config_setting_lookup_bool(s, "floor", &row->floor);
  config_setting_lookup_bool(s, "bound", &row->bound);
fail:
  return rc;
}

static int get_table(const reader *r, const config_setting_t *root, table *t) {
  const config_setting_t *rows = member(root, "rows");
  int rc;
  TRY(get_text(r, root, "title", 1, t->title, sizeof t->title));
  TRY(get_text(r, root, "source", 1, t->source, sizeof t->source));
  TRY(get_sets(r, member(root, "quick"), t->quick_sets, &t->n_quick_sets));
  t->seeds = 3;
  config_setting_lookup_int(root, "seeds", &t->seeds);
  if (t->seeds < 1 || t->seeds > 1000) return bad(r, root, "seeds is a whole number from 1 to 1000");
  if (!rows || !config_setting_is_list(rows) || config_setting_length(rows) < 1)
    return bad(r, root, "rows is a list of groups");
  if (config_setting_length(rows) > TABLE_ROWS) return bad(r, rows, "too many rows");
  for (; t->n_rows < config_setting_length(rows); t->n_rows++)
    TRY(get_row(r, config_setting_get_elem(rows, (unsigned)t->n_rows), &t->rows[t->n_rows]));
fail:
  return rc;
}

int table_read(cldann_error *e, const char *path, table **out) {
  const reader r = {e, path};
  table *t = NULL;
  config_t c;
  int rc = CLDANN_OK;
  FILE *f = fopen(path, "r");
  config_init(&c);
  if (!f) FAIL(e, CLDANN_E_IO, "%s: %s", path, strerror(errno));
  TRY(mem_new(e, &t, 1, sizeof *t));
  if (!config_read(&c, f)) FAIL(e, CLDANN_E_CONFIG, "%s:%d: %s", path, config_error_line(&c), config_error_text(&c));
  snprintf(t->name, sizeof t->name, "%s", text_base(path));
  if (text_ends_with(t->name, ".conf")) t->name[strlen(t->name) - strlen(".conf")] = '\0';
  TRY(get_table(&r, config_root_setting(&c), t));
  *out = t;
  t = NULL;
fail:
  if (f) fclose(f);
  config_destroy(&c);
  table_free(t);
  return rc;
}

void table_free(table *t) {
  if (!t) return;
  for (int i = 0; i < TABLE_ROWS; i++) mem_free(t->rows[i].results);
  mem_free(t);
}

int table_add(cldann_error *e, table_row *row, const cldann_result *r) {
  int rc;
  TRY(mem_resize(e, &row->results, (size_t)row->n_results + 1, sizeof *row->results));
  row->results[row->n_results++] = *r;
fail:
  return rc;
}

/* ---- writing ---- */

static double mean_target(const table_row *row) {
  double sum = 0;
  for (int i = 0; i < row->n_results; i++) sum += row->results[i].target_accuracy;
  return row->n_results ? sum / row->n_results : NAN;
}

static double mean_source(const table_row *row) {
  double sum = 0;
  for (int i = 0; i < row->n_results; i++) sum += row->results[i].source_accuracy;
  return row->n_results ? sum / row->n_results : NAN;
}

/* Of a sample; NaN for one run, which has none. */
static double deviation(const table_row *row) {
  const double mean = mean_target(row);
  double sum = 0;
  for (int i = 0; i < row->n_results; i++) sum += pow(row->results[i].target_accuracy - mean, 2);
  return row->n_results > 1 ? sqrt(sum / (row->n_results - 1)) : NAN;
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

/* "0.7120", or "-". */
static const char *number(char text[16], double v, int digits) {
  if (isfinite(v))
    snprintf(text, 16, "%.*f", digits, v);
  else
    snprintf(text, 16, "-");
  return text;
}

enum { TARGET, DEVIATION, SOURCE, GAP, FIGURES };
typedef struct figures {
  char text[FIGURES][16];
} figures;

static figures figures_of(const table *t, const table_row *row) {
  figures f;
  number(f.text[TARGET], mean_target(row), 4);
  number(f.text[DEVIATION], deviation(row), 4);
  number(f.text[SOURCE], mean_source(row), 4);
  number(f.text[GAP], gap_covered(t, row), 2);
  return f;
}

static void put_seeds(const table_row *row, FILE *f) {
  for (int i = 0; i < row->n_results; i++) fprintf(f, "%s%.4f", i ? " " : "", row->results[i].target_accuracy);
}

static void put_published(const table_row *row, const char *none, FILE *f) {
  for (int i = 0; i < row->n_published; i++) fprintf(f, "%s%.4f %s", i ? ", " : "", row->published[i], row->by[i]);
  if (!row->n_published) fputs(none, f);
}

static void put_heading(const table *t, const char *before, int quick, FILE *f) {
  fprintf(f, "%s%s\n%s\nTarget accuracy: mean, standard deviation, each seed", before, t->title, t->source);
  for (int i = 0; i < t->n_rows; i++)
    if (t->rows[i].n_results) {
      fputs(" (", f);
      for (int k = 0; k < t->rows[i].n_results; k++)
        fprintf(f, "%s%llu", k ? " " : "", (unsigned long long)t->rows[i].results[k].seed);
      fprintf(f, "), on %s", t->rows[i].results[0].device);
      break;
    }
  fprintf(f, ".\n%s", quick ? "A quick look, with fewer steps: no reproduction.\n" : "");
}

static void write_plain(const table *t, int quick, FILE *f) {
  int width = 8;
  put_heading(t, "", quick, f);
  for (int i = 0; i < t->n_rows; i++) width = (int)strlen(t->rows[i].name) > width ? (int)strlen(t->rows[i].name) : width;
  fprintf(f, "\n%-*s  %7s  %7s  %7s  %7s  each seed; published\n", width, "row", "target", "sd", "source", "of gap");
  for (int i = 0; i < t->n_rows; i++) {
    const table_row *row = &t->rows[i];
    if (!row->n_results) continue;
    const figures v = figures_of(t, row);
    fprintf(f, "%-*s  %7s  %7s  %7s  %7s  ", width, row->name, v.text[TARGET], v.text[DEVIATION], v.text[SOURCE], v.text[GAP]);
    put_seeds(row, f);
    fputs("; ", f);
    put_published(row, "nothing published", f);
    fputc('\n', f);
  }
}

static void write_markdown(const table *t, int quick, FILE *f) {
  put_heading(t, "# ", quick, f);
  fputs("\n| row | target | sd | source | share of the gap | each seed | published |\n|---|---|---|---|---|---|---|\n", f);
  for (int i = 0; i < t->n_rows; i++) {
    const table_row *row = &t->rows[i];
    if (!row->n_results) continue;
    const figures v = figures_of(t, row);
    fprintf(f, "| %s | %s | %s | %s | %s | ", row->name, v.text[TARGET], v.text[DEVIATION], v.text[SOURCE], v.text[GAP]);
    put_seeds(row, f);
    fputs(" | ", f);
    put_published(row, "-", f);
    fputs(" |\n", f);
  }
}

static void write_csv(const table *t, int quick, FILE *f) {
  fputs("table,row,seed,target_accuracy,source_accuracy,domain_accuracy,steps,seconds,quick,published\n", f);
  for (int i = 0; i < t->n_rows; i++)
    for (int k = 0; k < t->rows[i].n_results; k++) {
      const table_row *row = &t->rows[i];
      const cldann_result *r = &row->results[k];
      char a[16], b[16], c[16], d[16];
      fprintf(f, "%s,%s,%llu,%s,%s,%s,%lld,%s,%d,", t->name, row->name, (unsigned long long)r->seed,
              number(a, r->target_accuracy, 6), number(b, r->source_accuracy, 6), number(c, r->domain_accuracy, 6),
              (long long)r->steps, number(d, r->seconds, 2), quick != 0);
      for (int p = 0; p < row->n_published; p++) fprintf(f, "%s%.4f", p ? " " : "", row->published[p]);
      fputc('\n', f);
    }
}

void table_write(const table *t, table_form form, int quick, FILE *f) {
  if (form == TABLE_PLAIN) write_plain(t, quick, f);
  if (form == TABLE_MARKDOWN) write_markdown(t, quick, f);
  if (form == TABLE_CSV) write_csv(t, quick, f);
}

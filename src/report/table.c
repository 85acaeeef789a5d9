/* report/table.c: reading a table, its runs, and which of them count. See report/table.h. */
#include "report/table.h"

#include <libconfig.h>
#include <math.h>
#include <string.h>

#include "base/conftext.h"
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

static int get_sets(const reader *r, const config_setting_t *list, char (*sets)[TABLE_TEXT], int most, int *n) {
  for (int i = 0; list && i < config_setting_length(list); i++) {
    const char *text = config_setting_get_string_elem(list, i);
    if (!text || !strchr(text, '=') || strlen(text) >= TABLE_TEXT) return bad(r, list, "a set is a text \"key=value\"");
    if (*n == most) return bad(r, list, "too many sets or candidates in one row");
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
  TRY(get_text(r, s, "group", 0, row->group, sizeof row->group));
  TRY(get_sets(r, member(s, "set"), row->sets, TABLE_SETS, &row->n_sets));
  TRY(get_sets(r, member(s, "candidates"), row->candidates, TABLE_CANDIDATES, &row->n_candidates));
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
  TRY(get_sets(r, member(root, "quick"), t->quick_sets, TABLE_SETS, &t->n_quick_sets));
  t->seeds = 3;
  config_setting_lookup_int(root, "seeds", &t->seeds);
  if (t->seeds < 1 || t->seeds > TABLE_SEEDS) return bad(r, root, "seeds is a whole number from 1 to 1000");
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
  config_init(&c);
  TRY(mem_new(e, &t, 1, sizeof *t));
  TRY(conftext_load(e, path, "name a table, as those in experiments/tables", &c));
  snprintf(t->name, sizeof t->name, "%s", text_base(path));
  if (text_ends_with(t->name, ".conf")) t->name[strlen(t->name) - strlen(".conf")] = '\0';
  TRY(get_table(&r, config_root_setting(&c), t));
  *out = t;
  t = NULL;
fail:
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

/* ---- which run counts ---- */

int table_runs(const table_row *row) {
  return row->n_candidates ? row->n_candidates : 1;
}

int table_seeds(const table_row *row) {
  return row->n_results / table_runs(row);
}

static double figure(const cldann_result *r, table_pick by) {
  return by == PICK_REVERSE ? r->reverse_accuracy : by == PICK_SOURCE ? r->validation_accuracy : r->target_accuracy;
}

const cldann_result *table_choose(const table_row *row, int k, table_pick by) {
  const int runs = table_runs(row);
  const cldann_result *all = row->results + (size_t)k * (size_t)runs, *best = NULL;
  for (int i = 0; i < runs; i++) {
    const double now = figure(&all[i], by), then = best ? figure(best, by) : -1;
    if (now > then || (now == then && all[i].validation_accuracy > best->validation_accuracy)) best = &all[i];
  }
  return best;
}

const cldann_result *table_chosen(const table_row *row, int k) {
  const cldann_result *r = table_choose(row, k, PICK_REVERSE);
  if (!r) r = table_choose(row, k, PICK_SOURCE);
  return r ? r : &row->results[(size_t)k * (size_t)table_runs(row)];
}

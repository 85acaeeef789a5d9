/*
 * cli/cmd_reproduce.c: cldann reproduce: every row of a published table, by the seeds asked for, beside the published figures.
 * Tables are files, experiments/tables/NAME.conf (report/table.h).
 */
#include "cli/cli.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/memo.h"
#include "base/text.h"
#include "data/place.h"
#include "report/table.h"

enum { PATH_MOST = 4096 };

/* Where tables are: in a checkout's folder, or installed. */
static const char *const folders[] = {"experiments/tables", CLDANN_PKGDATADIR "/experiments/tables"};

size_t cli_tables(char names[CLI_TABLES][CLI_TABLE_NAME]) {
  size_t n = 0;
  for (size_t i = 0; i < sizeof folders / sizeof *folders && n == 0; i++) {
    DIR *d = opendir(folders[i]);
    for (struct dirent *at; d && n < CLI_TABLES && (at = readdir(d));) {
      if (!text_ends_with(at->d_name, ".conf") || strlen(at->d_name) >= CLI_TABLE_NAME) continue;
      snprintf(names[n++], CLI_TABLE_NAME, "%.*s", (int)(strlen(at->d_name) - strlen(".conf")), at->d_name);
    }
    if (d) closedir(d);
  }
  return n;
}

static int unknown_table(const char *name) {
  char names[CLI_TABLES][CLI_TABLE_NAME], all[512] = "";
  const char *known[CLI_TABLES];
  const size_t n = cli_tables(names);
  for (size_t i = 0; i < n; i++) {
    snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? ", " : "", names[i]);
    known[i] = names[i];
  }
  return cli_fail_usage("there is no table '%s'%s; there are: %s, or give a file", name, cli_nearest(name, known, n),
                        n ? all : "none here");
}

static int open_table(const char *name, table **t) {
  char path[PATH_MOST];
  cldann_error e;
  err_clear(&e);
  snprintf(path, sizeof path, "%s", name);
  for (size_t i = 0; access(path, R_OK) != 0 && i < sizeof folders / sizeof *folders; i++)
    snprintf(path, sizeof path, "%s/%s.conf", folders[i], name);
  if (access(path, R_OK) != 0) return unknown_table(name);
  return table_read(&e, path, t) < 0 ? cli_fail(&e) : EXIT_FINE;
}

/* The experiment of one run: the row's overrides, the seed, those of a quick look, and the user's last. */
static int load(cldann *c, const cli_args *a, const table *t, const table_row *row, int candidate, int64_t seed,
                cldann_experiment **x) {
  const char *sets[2 * TABLE_SETS + 2];
  char text[48];
  cli_args one = *a;
  int n = 0, code;
  cldann_error e;
  err_clear(&e);
  for (int i = 0; i < row->n_sets; i++) sets[n++] = row->sets[i];
  if (row->n_candidates) sets[n++] = row->candidates[candidate];
  for (int i = 0; a->quick && i < t->n_quick_sets; i++) sets[n++] = t->quick_sets[i];
  snprintf(text, sizeof text, "seed=%lld", (long long)seed);
  sets[n++] = text;
  one.arg = (const char *[]){row->experiment};
  one.sets = NULL;
  if (mem_new(&e, &one.sets, (size_t)(n + a->n_sets), sizeof *one.sets) < 0) return cli_fail(&e);
  memcpy(one.sets, sets, (size_t)n * sizeof *sets);
  memcpy(one.sets + n, a->sets, (size_t)a->n_sets * sizeof *sets);
  one.n_sets = n + a->n_sets;
  code = cli_load(c, &one, NULL, 0, x);
  mem_free(one.sets);
  return code;
}

/* One seed of a row: each of its candidates. *before: the run before, or NULL, whose data are taken where they are the same. */
static int train_row(cldann *c, const cli_args *a, const table *t, table_row *row, int64_t seed, cldann_experiment **before,
                     progress *p) {
  int code = EXIT_FINE;
  cldann_error e;
  err_clear(&e);
  for (int i = 0; i < table_runs(row) && code == EXIT_FINE; i++) {
    char label[2 * TABLE_NAME + 32];
    cldann_experiment *x = NULL;
    cldann_result r;
    const char *value = row->n_candidates ? strchr(row->candidates[i], '=') + 1 : "";
    snprintf(label, sizeof label, "%s%s%.40s-%lld", row->name, *value ? "-" : "", value, (long long)seed);
    code = load(c, a, t, row, i, seed, &x);
    if (code == EXIT_FINE && *before && cldann_experiment_take_data(x, *before) < 0) code = cli_fail(cldann_get_error(c));
    if (code == EXIT_FINE) code = cli_train_one_of_many(c, x, a, label, p, &r);
    if (code == EXIT_FINE && table_add(&e, row, &r) < 0) code = cli_fail(&e);
    cldann_experiment_free(*before);
    *before = x;
  }
  return code;
}

/* Each row's experiments load: told before hours are spent. */
static int rehearse(cldann *c, const cli_args *a, const table *t) {
  for (int i = 0; i < t->n_rows; i++)
    for (int k = 0; k < table_runs(&t->rows[i]); k++) {
      cldann_experiment *x = NULL;
      const int code = load(c, a, t, &t->rows[i], k, 1, &x);
      cldann_experiment_free(x);
      if (code != EXIT_FINE) return code;
    }
  return EXIT_FINE;
}

/* NAME.md or NAME.csv in --out, whole or not at all. */
static int write_file(const cli_args *a, const table *t, cells_form form, const char *ending) {
  char path[PATH_MOST];
  memo text;
  cldann_error e;
  int rc;
  err_clear(&e);
  TRY(memo_open(&e, &text));
  TRY(table_write(&e, t, form, a->quick, text.f));
  TRY(memo_end(&e, &text));
  snprintf(path, sizeof path, "%s/%s.%s", a->out, t->name, ending);
  TRY(place_folder(&e, a->out, NULL));
  TRY(place_whole(&e, path, text.text, text.size));
fail:
  memo_free(&text);
  return rc < 0 ? cli_fail(&e) : EXIT_FINE;
}

static int seeds_of(const cli_args *a, const table *t, int64_t *seeds, int *n) {
  *n = 0;
  if (a->seeds) return cli_parse_seeds(a->seeds, seeds, TABLE_SEEDS, n);
  for (int64_t s = 1; s <= (a->quick ? 1 : t->seeds); s++) seeds[(*n)++] = s;
  return EXIT_FINE;
}

static int run(const cli_args *a) {
  static int64_t seeds[TABLE_SEEDS];
  cldann *c = NULL;
  table *t = NULL;
  cldann_experiment *before = NULL;
  progress p;
  cldann_error e;
  int code, n = 0, end = EXIT_FINE;
  err_clear(&e);
  progress_init(&p, a);
  p.json = 0; /* results only, as cldann compare */
  if ((code = open_table(a->arg[0], &t)) != EXIT_FINE) goto fail;
  if ((code = seeds_of(a, t, seeds, &n)) != EXIT_FINE) goto fail;
  cli_catch_signals();
  if ((code = cli_open(a, &c, NULL)) != EXIT_FINE) goto fail;
  if ((code = rehearse(c, a, t)) != EXIT_FINE) goto fail;
  for (int s = 0; s < n && code == EXIT_FINE; s++) /* seed by seed: an interrupted table has something of every row */
    for (int i = 0; i < t->n_rows && code == EXIT_FINE; i++) code = train_row(c, a, t, &t->rows[i], seeds[s], &before, &p);
  if (!t->rows[0].n_results) goto fail;
  if (!a->json && table_write(&e, t, CELLS_PLAIN, a->quick, stdout) < 0) end = cli_fail(&e);
  if (a->out && end == EXIT_FINE) end = write_file(a, t, CELLS_MARKDOWN, "md");
  if (a->out && end == EXIT_FINE) end = write_file(a, t, CELLS_CSV, "csv");
  if (code == EXIT_FINE) code = end;
fail:
  cldann_experiment_free(before);
  table_free(t);
  cldann_close(c);
  return code;
}

const cli_command cmd_reproduce = {
    .name = "reproduce",
    .args = "TABLE",
    .summary = "run every row of a published table, beside the published figures",
    .help =
        "Trains every row of a table (experiments/tables/: mnist-mnistm, blobs, or a file of yours) with each seed and prints\n"
        "target accuracy, its mean and deviation, beside what was published. With --out the folder gets TABLE.md, TABLE.csv\n"
        "and for each run a folder with its experiment, metrics and model. Constants are those of the experiment files; --set\n"
        "overrides one for all rows. --quick: one seed and fewer steps, to see that it runs. With --json: an object a run.",
    .options =
        CLI_SET | CLI_DEVICE | CLI_TUNING | CLI_DATA | CLI_OUT | CLI_OVERWRITE | CLI_SEEDS | CLI_QUICK | CLI_JSON | CLI_QUIET,
    .run = run,
};

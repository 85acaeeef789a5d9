/*
 * cli/cmd_compare.c: cldann compare: the same experiment by several methods and seeds, and one table of it. Runs are
 * grouped by method. When one fails, the table of those before it is still printed.
 */
#include "cli/cli.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "train/metrics.h"

enum { MOST_METHODS = 16, MOST_SEEDS = 1000, NAME = 32 };

typedef struct comparison {
  char methods[MOST_METHODS][NAME];
  int n_methods;
  int64_t *seeds; /* unused when none was given: the experiment's own then */
  int n_seeds, own_seed;
  cldann_result *results; /* method by method, n_seeds each */
  int done;
} comparison;

static int parse_methods(comparison *t, const char *text) {
  for (const char *at = text;; at++) {
    size_t n = strcspn(at, ",");
    if (n == 0 || n >= NAME) return cli_fail_usage("--methods '%s': write names with commas, as in source-only,dann", text);
    if (t->n_methods == MOST_METHODS) return cli_fail_usage("--methods: more than %d; give fewer", MOST_METHODS);
    memcpy(t->methods[t->n_methods], at, n);
    t->methods[t->n_methods++][n] = 0;
    at += n;
    if (!*at) return EXIT_FINE;
  }
}

static int parse(comparison *t, const cli_args *a) {
  cldann_error e;
  int code;
  err_clear(&e);
  if (mem_new(&e, &t->seeds, MOST_SEEDS, sizeof *t->seeds) < 0) return cli_fail(&e);
  if ((code = parse_methods(t, a->methods ? a->methods : "source-only,dann")) != EXIT_FINE) return code;
  if (a->seeds && (code = cli_parse_seeds(a->seeds, t->seeds, MOST_SEEDS, &t->n_seeds)) != EXIT_FINE) return code;
  t->own_seed = !a->seeds;
  if (t->own_seed) t->n_seeds = 1;
  if (mem_new(&e, &t->results, (size_t)t->n_methods * (size_t)t->n_seeds, sizeof *t->results) < 0) return cli_fail(&e);
  return EXIT_FINE;
}

/* The experiment of one run. */
static int load(cldann *c, const cli_args *a, const comparison *t, int run, cldann_experiment **x) {
  char method[NAME + 16], seed[NAME + 16];
  const char *const extra[] = {method, seed};
  snprintf(method, sizeof method, "method=%s", t->methods[run / t->n_seeds]);
  snprintf(seed, sizeof seed, "seed=%lld", (long long)t->seeds[run % t->n_seeds]);
  return cli_load(c, a, extra, t->own_seed ? 1 : 2, x);
}

/* Before hours are spent: does each method's experiment load? */
static int rehearse(cldann *c, const cli_args *a, const comparison *t) {
  for (int m = 0; m < t->n_methods; m++) {
    cldann_experiment *x = NULL;
    int code = load(c, a, t, m * t->n_seeds, &x);
    cldann_experiment_free(x);
    if (code != EXIT_FINE) return code;
  }
  return EXIT_FINE;
}

static int train_one(cldann *c, const cli_args *a, comparison *t, progress *p, int run) {
  char label[2 * NAME];
  cldann_experiment *x = NULL;
  int code;
  if (t->own_seed)
    snprintf(label, sizeof label, "%s", t->methods[run]);
  else
    snprintf(label, sizeof label, "%s-%lld", t->methods[run / t->n_seeds], (long long)t->seeds[run % t->n_seeds]);
  if ((code = load(c, a, t, run, &x)) != EXIT_FINE) return code;
  code = cli_train_one_of_many(c, x, a, label, p, t->results + run);
  if (code == EXIT_FINE) t->done = run + 1;
  cldann_experiment_free(x);
  return code;
}

/* What a method's n results are on average. NaN in one makes the mean NaN: it has no meaning then. */
static cldann_result mean_of(const cldann_result *r, int n) {
  cldann_result m = r[0];
  for (int i = 1; i < n; i++) {
    m.source_accuracy += r[i].source_accuracy, m.target_accuracy += r[i].target_accuracy;
    m.domain_accuracy += r[i].domain_accuracy, m.seconds += r[i].seconds;
    m.samples_per_second += r[i].samples_per_second;
  }
  m.source_accuracy /= n, m.target_accuracy /= n, m.domain_accuracy /= n, m.seconds /= n, m.samples_per_second /= n;
  return m;
}

static void print_row(int width, const char *method, const char *seed, const cldann_result *r) {
  char a[TEXT_NUMBER], b[TEXT_NUMBER], c[TEXT_NUMBER], d[TEXT_NUMBER];
  printf("%-*s  %6s  %10s  %10s  %10s  %8s\n", width, method, seed, text_number(a, r->source_accuracy, 4),
         text_number(b, r->target_accuracy, 4), text_number(c, r->domain_accuracy, 4), text_number(d, r->seconds, 1));
}

/* The index of source-only among the methods that have all their runs, or -1. */
static int baseline(const comparison *t) {
  for (int m = 0; m < t->done / t->n_seeds; m++)
    if (!strcmp(t->methods[m], "source-only")) return m;
  return -1;
}

static double gain(const comparison *t, int m) {
  int base = baseline(t);
  if (base < 0 || base == m) return NAN;
  return mean_of(t->results + m * t->n_seeds, t->n_seeds).target_accuracy -
         mean_of(t->results + base * t->n_seeds, t->n_seeds).target_accuracy;
}

static void print_table(const comparison *t) {
  char seed[TEXT_NUMBER];
  int width = 6;
  for (int m = 0; m < t->n_methods; m++)
    if ((int)strlen(t->methods[m]) > width) width = (int)strlen(t->methods[m]);
  printf("%-*s  %6s  %10s  %10s  %10s  %8s\n", width, "method", "seed", "source acc", "target acc", "domain acc", "seconds");
  for (int run = 0; run < t->done; run++) {
    const char *method = t->methods[run / t->n_seeds];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)t->results[run].seed);
    print_row(width, method, seed, t->results + run);
    if (t->n_seeds > 1 && run % t->n_seeds == t->n_seeds - 1) {
      cldann_result m = mean_of(t->results + run + 1 - t->n_seeds, t->n_seeds);
      print_row(width, method, "mean", &m);
    }
  }
  for (int m = 0; m < t->done / t->n_seeds; m++)
    if (isfinite(gain(t, m)))
      printf("%s gains %+.1f points of target accuracy over source-only%s\n", t->methods[m], 100 * gain(t, m),
             t->n_seeds > 1 ? " on average" : "");
}

static int print_means(const comparison *t) {
  cldann_error e;
  err_clear(&e);
  for (int m = 0; m < t->done / t->n_seeds; m++) {
    cldann_result mean = mean_of(t->results + m * t->n_seeds, t->n_seeds);
    json_t *o = json_pack("{s:s, s:s, s:n, s:I, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "type", "mean", "method",
                          t->methods[m], "seed", "steps", (json_int_t)mean.steps, "runs", t->n_seeds, "source_accuracy",
                          metrics_number(mean.source_accuracy), "target_accuracy", metrics_number(mean.target_accuracy),
                          "domain_accuracy", metrics_number(mean.domain_accuracy), "target_gain", metrics_number(gain(t, m)),
                          "samples_per_second", metrics_number(mean.samples_per_second), "seconds",
                          metrics_number(mean.seconds), "device", mean.device);
    if (metrics_line(&e, stdout, "standard output", o) < 0) return cli_fail(&e);
  }
  return EXIT_FINE;
}

static int run(const cli_args *a) {
  cldann *c = NULL;
  comparison t = {0};
  progress p;
  int code;
  progress_init(&p, a);
  p.json = 0; /* results only: lines of several runs mixed would help no reader */
  if ((code = parse(&t, a)) != EXIT_FINE) goto fail;
  cli_catch_signals();
  if ((code = cli_open(a, &c, NULL)) != EXIT_FINE) goto fail;
  if ((code = rehearse(c, a, &t)) != EXIT_FINE) goto fail;
  for (int i = 0; i < t.n_methods * t.n_seeds && code == EXIT_FINE; i++) code = train_one(c, a, &t, &p, i);
  if (t.done > 0 && !a->json) print_table(&t);
  if (t.done > 0 && a->json && print_means(&t) != EXIT_FINE && code == EXIT_FINE) code = EXIT_DATA;
fail:
  cldann_close(c);
  mem_free(t.results);
  mem_free(t.seeds);
  return code;
}

const cli_command cmd_compare = {
    .name = "compare",
    .args = "EXPERIMENT",
    .summary = "train by several methods and seeds, and print a table",
    .help =
        "Trains an experiment by each method with each seed and prints a table: accuracy on the source and the target test\n"
        "set, how well the domain head tells them apart, seconds of training; the mean of each method, and its gain over\n"
        "source-only. Methods: dann, source-only, target-only, domain-only. With --out each run gets a folder in DIR.\n"
        "With --json there is one object a run (\"type\": \"result\") and then one a method (\"type\": \"mean\").",
    .options =
        CLI_SET | CLI_DEVICE | CLI_TUNING | CLI_DATA | CLI_OUT | CLI_OVERWRITE | CLI_METHODS | CLI_SEEDS | CLI_JSON | CLI_QUIET,
    .run = run,
};

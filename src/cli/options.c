/*
 * cli/options.c: one table of all options, from which getopt_long's tables, help and completion are made. An
 * option that a subcommand does not take is refused there, with the nearest one that it does take.
 */
#include "cli/cli.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static const cli_option rows[] = {
    {"set", CLI_SET, "KEY=VALUE", "override a key of the experiment file, as in --set seed=3 (may be repeated)"},
    {"device", CLI_DEVICE, "DEVICE",
     "index or part of a name, see 'cldann devices' (default: $CLDANN_DEVICE, a GPU, the first)"},
    {"data", CLI_DATA, "DIR", "where relative data paths are looked up first (default: $CLDANN_DATA)"},
    {"out", CLI_OUT, "DIR", "folder to write to; made when missing"},
    {"out", CLI_OUT_FILE, "FILE", "file to write"},
    {"overwrite", CLI_OVERWRITE, NULL, "what is in --out already may be replaced"},
    {"resume", CLI_RESUME, NULL, "go on from the checkpoint in --out, as if the training had not stopped"},
    {"checkpoint", CLI_CHECKPOINT, "STEPS", "write a checkpoint every so many steps (default: when it is interrupted)"},
    {"keep", CLI_KEEP, "N", "checkpoints that stay, the last ones (default: 1); a damaged one is passed over by --resume"},
    {"tensorboard", CLI_TENSORBOARD, NULL, "--out gets event files for TensorBoard too"},
    {"details", CLI_DETAILS, NULL, "accuracy of each class, which is taken for which, and calibration, for each test set"},
    {"no-report", CLI_NO_REPORT, NULL, "no report.html and no pictures in --out"},
    {"watch", CLI_WATCH, NULL, "a page that shows the training in --out while it lasts, as 'cldann watch' does"},
    {"port", CLI_PORT, "N", "of 127.0.0.1, where the page is served; 0 for one that is free (default: 8686)"},
    {"methods", CLI_METHODS, "A,B,...", "what to compare (default: source-only,dann)"},
    {"seeds", CLI_SEEDS, "LIST", "seeds to run each method with, as in 1,2,3 or 1-5 (default: the experiment's)"},
    {"mnist", CLI_MNIST, "DIR", "folder with MNIST's four IDX files, plain or .gz"},
    {"bsds", CLI_BSDS, "TGZ", "BSR_bsds500.tgz as downloaded"},
    {"inference", CLI_INFERENCE, NULL, "time the label head's evaluation of a batch, not a training step"},
    {"batch", CLI_BATCH, "LIST", "rows of a step; several, as in 1,64,256, give a line each (default: the experiment's)"},
    {"entries", CLI_ENTRIES, "N", "random rows have N numbers that are not 0 and leave out the others (default: dense rows)"},
    {"tuning", CLI_TUNING, "FILE",
     "tuning file for the kernels, or 'none' (default: $CLDANN_TUNING, the user's, the built-in)"},
    {"choice", CLI_CHOICE, "PASS: WAY",
     "check and time this one choice, in this process (may be repeated: the first is timed)"},
    {"pass", CLI_PASS, "PATTERN", "only passes whose name matches, as in 'conv2d.*' (a shell's pattern)"},
    {"limit", CLI_LIMIT, "SECONDS", "for each way that is tried (default: 30)"},
    {"clblast", CLI_CLBLAST, NULL, "try CLBlast and its parameters also where the device is no GPU; takes minutes"},
    {"format", CLI_FORMAT, "FORM", "plain, markdown or csv (default: plain)"},
    {"features", CLI_FEATURES, "NAME", "what the array of the items is called (default: names that people use)"},
    {"labels", CLI_LABELS, "NAME", "what their labels are called: a column, an array, or the file beside (default: likewise)"},
    {"points", CLI_POINTS, "N", "items of each domain, drawn at random, 1 to 5000 (default: 500)"},
    {"quick", CLI_QUICK, NULL, "one seed and fewer steps: shows that it runs, reproduces nothing"},
    {"seed", CLI_SEED, "N", "seed of the random choices (default: 1)"},
    {"threads", CLI_THREADS, "N", "threads, 0 for one a processor (default: 0); the files do not depend on it"},
    {"json", CLI_JSON, NULL, "standard output is JSON, one object a line"},
    {"quiet", CLI_QUIET, NULL, "no progress and no messages; errors still come"},
    {"help", 0, NULL, "show this help"},
};
enum { N_ROWS = sizeof rows / sizeof *rows, HELP = N_ROWS - 1, FIRST_VALUE = 256 };

static int takes(const cli_command *c, int row) {
  return row == HELP || (c->options & rows[row].bit);
}

const cli_option *cli_option_at(const cli_command *c, int i) {
  for (int row = 0; row < N_ROWS; row++)
    if (takes(c, row) && i-- == 0) return &rows[row];
  return NULL;
}

/* An option that is none, or none of this subcommand: text is it as typed. */
static int unknown_option(const cli_command *c, const char *text) {
  char name[64];
  const char *known[N_ROWS];
  size_t n = 0, dashes = strspn(text, "-");
  char dashed[N_ROWS][24];
  snprintf(name, sizeof name, "--%.*s", (int)strcspn(text + dashes, "="), text + dashes);
  for (int i = 0; i < N_ROWS; i++) {
    if (!takes(c, i)) continue;
    snprintf(dashed[n], sizeof dashed[n], "--%s", rows[i].name);
    known[n] = dashed[n];
    n++;
  }
  return cli_fail_usage("'cldann %s' has no option '%.*s'%s; see 'cldann %s --help'", c->name, (int)strcspn(text, "="), text,
                        cli_nearest(name, known, n), c->name);
}

/* Stores one option; an exit code. */
static int store(cli_args *a, int row, const char *value) {
  cldann_error e;
  int rc = CLDANN_OK;
  err_clear(&e);
  switch (rows[row].bit) {
  case CLI_SET: a->sets[a->n_sets++] = value; break;
  case CLI_CHOICE: a->choices[a->n_choices++] = value; break;
  case CLI_TUNING: a->tuning = value; break;
  case CLI_PASS: a->pass = value; break;
  case CLI_LIMIT: rc = text_to_int(&e, "--limit", value, 1, 86400, &a->limit); break;
  case CLI_CLBLAST: a->clblast = 1; break;
  case CLI_FORMAT: a->format = value; break;
  case CLI_FEATURES: a->features = value; break;
  case CLI_LABELS: a->labels = value; break;
  case CLI_QUICK: a->quick = 1; break;
  case CLI_OVERWRITE: a->overwrite = 1; break;
  case CLI_DETAILS: a->details = 1; break;
  case CLI_NO_REPORT: a->no_report = 1; break;
  case CLI_TENSORBOARD: a->tensorboard = 1; break;
  case CLI_WATCH: a->watch = 1; break;
  case CLI_PORT: rc = text_to_int(&e, "--port", value, 0, 65535, &a->port); break;
  case CLI_RESUME: a->resume = 1; break;
  case CLI_CHECKPOINT: rc = text_to_int(&e, "--checkpoint", value, 1, 1000000000, &a->checkpoint); break;
  case CLI_POINTS: rc = text_to_int(&e, "--points", value, 1, 5000, &a->points); break;
  case CLI_KEEP: rc = text_to_int(&e, "--keep", value, 1, 1000000, &a->keep); break;
  case CLI_DEVICE: a->device = value; break;
  case CLI_DATA: a->data = value; break;
  case CLI_OUT:
  case CLI_OUT_FILE: a->out = value; break;
  case CLI_METHODS: a->methods = value; break;
  case CLI_SEEDS: a->seeds = value; break;
  case CLI_MNIST: a->mnist = value; break;
  case CLI_BSDS: a->bsds = value; break;
  case CLI_SEED: rc = text_to_int(&e, "--seed", value, 0, INT64_MAX, &a->seed); break;
  case CLI_THREADS: rc = text_to_int(&e, "--threads", value, 0, 1024, &a->threads); break;
  case CLI_ENTRIES: rc = text_to_int(&e, "--entries", value, 1, 1000000, &a->entries); break;
  case CLI_BATCH: a->batch = value; break;
  case CLI_INFERENCE: a->inference = 1; break;
  case CLI_JSON: a->json = 1; break;
  case CLI_QUIET: a->quiet = 1; break;
  }
  if (rc == CLDANN_OK && value && !value[0]) return cli_fail_usage("--%s is empty; give a value", rows[row].name);
  if (rc == CLDANN_OK && rows[row].bit == CLI_SET && (!strchr(value, '=') || value[0] == '='))
    return cli_fail_usage("--set '%s': write KEY=VALUE, as in --set seed=3", value);
  return rc == CLDANN_OK ? EXIT_FINE : cli_fail(&e);
}

static int count_words(const char *s) {
  int n = 0;
  for (; *s; s += strcspn(s, " "), s += strspn(s, " ")) n++;
  return n;
}

/* Words in brackets, which come first, may be left out. */
static int check_args(const cli_command *c, const cli_args *a, const char *surplus) {
  const char *missing = c->args;
  if (surplus) return cli_fail_usage("'%s' is one argument too many; usage: cldann %s %s [options]", surplus, c->name, c->args);
  for (; *missing == '['; missing += strcspn(missing, " "), missing += strspn(missing, " ")) {
  }
  if (a->n_args >= count_words(missing)) return EXIT_FINE;
  for (int i = 0; i < a->n_args; i++) missing += strcspn(missing, " ") + 1;
  return cli_fail_usage("%.*s is missing; usage: cldann %s %s [options]", (int)strcspn(missing, " "), missing, c->name,
                        c->args);
}

/* One answer of getopt_long. *surplus gets the first argument beyond those the subcommand takes. */
static int take(const cli_command *c, cli_args *a, int answer, char **argv, const char **surplus) {
  if (answer == 1) { /* not an option; "-" in the option string hands these on in order, whatever POSIXLY_CORRECT says */
    if (a->n_args < count_words(c->args) || text_ends_with(c->args, "..."))
      a->arg[a->n_args++] = optarg;
    else if (!*surplus)
      *surplus = optarg;
    return EXIT_FINE;
  }
  if (answer == ':')
    return cli_fail_usage("--%s needs a value: --%s %s", rows[optopt - FIRST_VALUE].name, rows[optopt - FIRST_VALUE].name,
                          rows[optopt - FIRST_VALUE].value);
  if (answer == '?' && optopt >= FIRST_VALUE) return cli_fail_usage("--%s takes no value", rows[optopt - FIRST_VALUE].name);
  if (answer == '?') {
    char letter[3] = {'-', (char)optopt, 0};
    return unknown_option(c, optopt ? letter : argv[optind - 1]);
  }
  return store(a, answer - FIRST_VALUE, optarg);
}

int cli_parse(const cli_command *c, int argc, char **argv, cli_args *a, int *code) {
  struct option longs[N_ROWS + 1] = {{0}};
  const char *surplus = NULL;
  cldann_error e;
  int n = 0, answer;
  memset(a, 0, sizeof *a);
  a->seed = 1, a->port = -1;
  err_clear(&e);
  if (mem_new(&e, &a->sets, (size_t)argc, sizeof *a->sets) < 0 || mem_new(&e, &a->arg, (size_t)argc, sizeof *a->arg) < 0 ||
      mem_new(&e, &a->choices, (size_t)argc, sizeof *a->choices) < 0) {
    *code = cli_fail(&e);
    return -1;
  }
  for (int i = 0; i < N_ROWS; i++)
    if (takes(c, i)) longs[n++] = (struct option){rows[i].name, rows[i].value ? 1 : 0, NULL, FIRST_VALUE + i};
  opterr = 0;
  *code = EXIT_FINE;
  while (*code == EXIT_FINE && (answer = getopt_long(argc, argv, "-:h", longs, NULL)) != -1) {
    if (answer == 'h' || answer == FIRST_VALUE + HELP) {
      cli_help(c);
      return -1;
    }
    *code = take(c, a, answer, argv, &surplus);
  }
  for (; *code == EXIT_FINE && optind < argc; optind++) { /* after "--" */
    optarg = argv[optind];
    take(c, a, 1, argv, &surplus);
  }
  if (*code == EXIT_FINE) *code = check_args(c, a, surplus);
  return *code == EXIT_FINE ? 0 : -1;
}

void cli_free(cli_args *a) {
  mem_free(a->sets);
  mem_free(a->arg);
  mem_free(a->choices);
}

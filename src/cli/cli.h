/*
 * cli/cli.h: the command `cldann`. main.c finds the subcommand; options.c reads its options; help.c and
 * complete.c show them; each subcommand is one cmd_*.c with a table row (cli_command); session.c has what several share:
 * opening a device and an experiment, exit codes, signals; progress.c shows a training, serve.c a run's page to a browser.
 * Works through cldann.h, as a user's program would, plus base/ for text and train/metrics.h for the JSON objects. Standard
 * output is for results, standard error for the rest.
 */
#ifndef CLDANN_CLI_CLI_H
#define CLDANN_CLI_CLI_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* What the command returns to the shell; session.c maps a cldann_status to it. help.c tells what they mean. */
enum {
  EXIT_FINE = 0,
  EXIT_UNEXPECTED = 1,
  EXIT_USAGE = 2,
  EXIT_EXPERIMENT = 3,
  EXIT_DATA = 4,
  EXIT_DEVICE = 5,
  EXIT_DIVERGED = 6,
  EXIT_SELF_TEST = 7,
  EXIT_INTERRUPTED = 130 /* main.c makes it 128 and the signal's number, as a shell has it */
};

/* Which options a subcommand takes. --help is everyone's. */
enum {
  CLI_SET = 1 << 0,
  CLI_DEVICE = 1 << 1,
  CLI_DATA = 1 << 2,
  CLI_OUT = 1 << 3,
  CLI_JSON = 1 << 4,
  CLI_QUIET = 1 << 5,
  CLI_METHODS = 1 << 6,
  CLI_SEEDS = 1 << 7,
  CLI_MNIST = 1 << 8,
  CLI_BSDS = 1 << 9,
  CLI_SEED = 1 << 10,
  CLI_THREADS = 1 << 11,
  CLI_INFERENCE = 1 << 12,
  CLI_BATCH = 1 << 13,
  CLI_TUNING = 1 << 14,
  CLI_CHOICE = 1 << 15,
  CLI_LIMIT = 1 << 16,
  CLI_CLBLAST = 1 << 17,
  CLI_PASS = 1 << 18,
  CLI_QUICK = 1 << 19,
  CLI_OVERWRITE = 1 << 20,
  CLI_RESUME = 1 << 21,
  CLI_CHECKPOINT = 1 << 22,
  CLI_DETAILS = 1 << 23,
  CLI_FORMAT = 1 << 24,
  CLI_FEATURES = 1 << 25,
  CLI_LABELS = 1 << 26,
  CLI_POINTS = 1 << 27,
  CLI_KEEP = 1 << 28,
  CLI_NO_REPORT = 1 << 29,
  CLI_TENSORBOARD = 1 << 30
};
/* An enum has no room for more. */
#define CLI_WATCH (UINT64_C(1) << 31)
#define CLI_PORT (UINT64_C(1) << 32)
#define CLI_OUT_FILE (UINT64_C(1) << 33)
#define CLI_ENTRIES (UINT64_C(1) << 34)

typedef struct cli_args {
  const char *device, *data, *out, *methods, *seeds, *mnist, *bsds, *batch, *tuning, *pass, *format, *features,
      *labels;          /* NULL: not given */
  const char **sets;    /* "key=value" */
  const char **choices; /* "pass: way" */
  int n_sets, n_choices;
  const char **arg; /* n_args of them */
  int n_args;
  int json, quiet, inference, clblast, quick, overwrite, resume, details, no_report, tensorboard, watch;
  int64_t seed, threads, limit, checkpoint, points, keep, entries, port; /* port -1: not given */
} cli_args;

typedef struct cli_command {
  const char *name; /* one word, or two for `data` */
  const char *args; /* as the usage line shows them; words in brackets may be left out, and come first; "X...": one or more */
  const char *summary, *help;
  uint64_t options;
  int (*run)(const cli_args *a); /* returns an exit code, the error being told */
} cli_command;

extern const cli_command cmd_devices, cmd_train, cmd_compare, cmd_eval, cmd_plan, cmd_bench, cmd_tune, cmd_reproduce,
    cmd_report, cmd_runs, cmd_data_mnistm, cmd_data_fetch, cmd_data_digits, cmd_data_sheet, cmd_init, cmd_draw, cmd_predict,
    cmd_embed, cmd_export, cmd_watch, cmd_check_device;

extern const cli_command *const cli_commands[]; /* main.c: all, NULL behind the last */

typedef struct cli_option {
  const char *name;
  uint64_t bit;      /* 0: every command's */
  const char *value; /* its name in the help; NULL: the option takes none */
  const char *help;
} cli_option;

/* ---- main.c ---- */

/* Do these words start with the command's one or two? Their number, or 0. */
int cli_named(const cli_command *c, int n, char **word);

/* ---- options.c ---- */

/* Reads what follows the subcommand's name, argv[0]. Returns 0, or -1 with *code set: help was printed, or usage told. */
int cli_parse(const cli_command *c, int argc, char **argv, cli_args *a, int *code);
void cli_free(cli_args *a);
/* The i-th option that the command takes; NULL behind the last. */
const cli_option *cli_option_at(const cli_command *c, int i);

/* ---- help.c, complete.c, cmd_reproduce.c ---- */

void cli_help_all(void);
void cli_help(const cli_command *c);
/* A manual page, "cldann" or as in "cldann-data-fetch"; an exit code. */
int cli_man(const char *page);
/* What could come next behind n words, the last of them unfinished; an exit code. */
int cli_complete(int n, char **word);
/* The names of the tables that ship, in the order of the folder; their number. */
enum { CLI_TABLES = 64, CLI_TABLE_NAME = 64 };
size_t cli_tables(char names[CLI_TABLES][CLI_TABLE_NAME]);

/* ---- session.c ---- */

/* Prints one line; returns the exit code. */
int cli_fail(const cldann_error *e);
int cli_fail_usage(const char *fmt, ...) ERR_PRINTF(1, 2);
/* " (did you mean 'x'?)" in a static buffer, or "". */
const char *cli_nearest(const char *name, const char *const *known, size_t n);

extern const char *cli_self; /* how this command was called: argv[0] */

/* The device that a asks for and, unless x is NULL, the experiment. An exit code; on failure nothing is open. */
int cli_open(const cli_args *a, cldann **c, cldann_experiment **x);
/* The experiment alone; `extra` are overrides after those of a. */
int cli_load(cldann *c, const cli_args *a, const char *const *extra, int n_extra, cldann_experiment **x);

/* SIGINT, SIGTERM and SIGHUP ask a training to stop at its next chunk; a second one ends the process at once. */
void cli_catch_signals(void);
int cli_interrupted(void); /* the signal that came, 0: none */

/* The three lines of a result that train and eval share. */
void cli_print_accuracies(const cldann_result *r);

/* ---- progress.c ---- */

typedef struct progress {
  const char *label;            /* before each line; may be NULL */
  int lines, bar;               /* plain lines, or one line that is redrawn; none: nothing */
  int messages, json, warnings; /* the last: how many came */
  int drawn;                    /* the bar's line is on the screen */
  int64_t last_step, next_line; /* of the last report; from which the next plain line is due */
  cldann_error error;
} progress;

void progress_init(progress *p, const cli_args *a);
/* The callbacks for a run; `p` must outlive it. */
cldann_train_options progress_options(progress *p, const char *label, const char *out_dir);
/* Takes the redrawn line off the screen. Before anything else is printed, and at the end. */
void progress_clear(progress *p);
/* A line on standard error unless --quiet: as the library's messages come. user: a progress. */
void progress_message(void *user, const char *line);

/* ---- cmd_report.c ---- */

/* The page of a run folder; an exit code. */
int cli_report(cldann *c, cldann_experiment *x, const char *dir, progress *p);

/* ---- cmd_watch.c ---- */

/* The process that serves a training's page; all zero: none. */
typedef struct watcher {
  pid_t process;
  int end; /* it ends when this is closed, as when our process ends in whatever way */
  const char *dir;
  int made; /* the folder was not there before */
} watcher;

/* Where a asks for one: starts it and tells its address; an exit code. Before the device is opened: OpenCL does not survive
 * fork. */
int cli_watch_begin(const cli_args *a, watcher *w, progress *p);
void cli_watch_end(watcher *w);

/* ---- many.c ---- */

/* "1,2,3" or "1-5" behind the *n seeds there are; an exit code. */
int cli_parse_seeds(const char *text, int64_t *seeds, int most, int *n);
/* Trains into the folder `label` of --out, where there is one, and tells the result in a line; an exit code. */
int cli_train_one_of_many(cldann *c, cldann_experiment *x, const cli_args *a, const char *label, progress *p, cldann_result *r);

#endif

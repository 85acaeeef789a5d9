/*
 * cli/cmd_tune.c: cldann tune: tries the ways to do each pass of an experiment and writes those that beat the rule's into a
 * tuning file. Each way is tried in a process of its own (this command with --choice), so one that is wrong, crashes or hangs
 * is only left out.
 */
#include "cli/cli.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/child.h"
#include "device/tuning.h"
#include "ops/gemm.h"
#include "train/metrics.h"

enum { LIMIT = 30, OUTPUT = 4096, ROUNDS = 3 };
static const double least_share = 0.005; /* of a step: passes that take less are left to the rule */
static const double least_gain = 0.03;   /* less may be noise */

typedef struct tuner {
  const cli_args *a;
  cldann_choice *list; /* as listed: each key's present way, then the others */
  int n, cap;
  cldann_choice *found; /* for the file */
  int n_found, cap_found;
  cldann_choice library; /* CLBlast's parameters, once they are chosen; .of is empty before */
  int inference;
  double step_us; /* of all choices together */
  int tried, failed;
  cldann_error error;
} tuner;

static int push(tuner *t, cldann_choice **list, int *n, int *cap, const cldann_choice *c) {
  if (*n == *cap) {
    const int more = *cap ? 2 * *cap : 64;
    if (mem_resize(&t->error, list, (size_t)more, sizeof **list) < 0) return -1;
    *cap = more;
  }
  (*list)[(*n)++] = *c;
  return 0;
}

static void on_listed(void *user, const cldann_choice *c) {
  tuner *t = user;
  push(t, &t->list, &t->n, &t->cap, c);
}

/* The time of a key's present way goes to its place in the list. */
static void on_timed(void *user, const cldann_choice *c) {
  tuner *t = user;
  for (int i = 0; i < t->n; i++)
    if (t->list[i].in_use && !strcmp(t->list[i].of, c->of)) t->list[i].us = c->us;
  t->step_us += c->us;
}

static void say(const tuner *t, const char *fmt, ...) ERR_PRINTF(2, 3);
static void say(const tuner *t, const char *fmt, ...) {
  va_list ap;
  if (t->a->quiet) return;
  va_start(ap, fmt);
  vfprintf(stderr, fmt, ap);
  va_end(ap);
}

/* ---- one way, in a process of its own ---- */

/* The result line of --choice --json, or the error line as it is. */
static int read_result(char *text, double *us) {
  char *at = strstr(text, "\"us\": ");
  if (!at) return -1;
  *us = strtod(at + strlen("\"us\": "), NULL);
  return 0;
}

static const char *why(int status, char *text) {
  char *at = strstr(text, "cldann: ");
  if (status == CHILD_LATE) return "took too long";
  if (status == CHILD_CRASHED) return "crashed";
  if (status == CHILD_NOT_STARTED) return "could not be started";
  if (!at) return "gave no result";
  at[strcspn(at, "\n")] = '\0';
  return at + strlen("cldann: ");
}

/* 0 with *us, or -1: it failed, which is told, or there was an interruption. */
static int try_way(tuner *t, const cldann_choice *ways, int n, double *us) {
  const cli_args *a = t->a;
  const char *argv[64];
  char choices[3][CLDANN_KEY_ROOM + CLDANN_WAY_ROOM + 4], entries[24], out[OUTPUT];
  int at = 1, status;
  argv[at++] = "tune";
  argv[at++] = a->arg[0];
  argv[at++] = "--json";
  argv[at++] = "--tuning";
  argv[at++] = "none";
  if (t->inference) argv[at++] = "--inference";
  if (a->entries) snprintf(entries, sizeof entries, "%d", (int)a->entries), argv[at++] = "--entries", argv[at++] = entries;
  if (a->device) argv[at++] = "--device", argv[at++] = a->device;
  for (int i = 0; i < a->n_sets && at < 50; i++) argv[at++] = "--set", argv[at++] = a->sets[i];
  for (int i = 0; i < n; i++) {
    snprintf(choices[i], sizeof choices[i], "%s: %s", ways[i].of, ways[i].use);
    argv[at++] = "--choice";
    argv[at++] = choices[i];
  }
  argv[at] = NULL;
  t->tried++;
  status = child_run(argv, (double)(a->limit ? a->limit : LIMIT), out, sizeof out);
  if (status == EXIT_FINE && read_result(out, us) == 0) return 0;
  if (status != CHILD_STOPPED) {
    t->failed++;
    say(t, "  left out: %s: %s\n", ways[0].use, why(status, out));
  }
  return -1;
}

/* ---- the ways of one pass ---- */

static int is_library(const char *text) {
  return !strncmp(text, GEMM_LIBRARY, strlen(GEMM_LIBRARY));
}

static double middle(const double v[ROUNDS]) {
  const double a = v[0], b = v[1], c = v[2];
  return a > b ? (b > c ? b : a > c ? c : a) : (a > c ? a : b > c ? c : b);
}

/* The rule's way and the best of the others again, in turn; what they take then counts. */
static int confirm(tuner *t, cldann_choice *rule, cldann_choice best[2], int n) {
  double ours[ROUNDS], theirs[ROUNDS], ratio[ROUNDS];
  for (int i = 0; i < ROUNDS; i++) {
    if (try_way(t, rule, 1, &ours[i]) < 0 || try_way(t, best, n, &theirs[i]) < 0) return 0;
    ratio[i] = theirs[i] / ours[i];
  }
  rule->us = middle(ours);
  best[0].us = middle(theirs);
  return middle(ratio) < 1 - least_gain;
}

/* The choice itself and, for a library's product, its parameters. */
static int with_library(const tuner *t, const cldann_choice *c, cldann_choice ways[2]) {
  ways[0] = *c;
  if (!is_library(c->use) || !t->library.of[0]) return 1;
  ways[1] = t->library;
  return 2;
}

static int tune_pass(tuner *t, int at) {
  cldann_choice rule = t->list[at], best[2] = {{.us = 0}}, ways[2];
  int n_best = 0, end = at + 1;
  if (try_way(t, &rule, 1, &rule.us) < 0) return 0;
  best[0].us = rule.us;
  for (; end < t->n && !t->list[end].in_use; end++) {
    double us;
    if (is_library(t->list[end].use) && !t->library.of[0]) continue;
    const int n = with_library(t, &t->list[end], ways);
    if (cli_interrupted()) return -1;
    if (try_way(t, ways, n, &us) < 0 || us >= best[0].us) continue;
    memcpy(best, ways, sizeof best);
    best[0].us = us;
    n_best = n;
  }
  const int better = n_best && best[0].us < (1 - least_gain) * rule.us && confirm(t, &rule, best, n_best);
  if (cli_interrupted()) return -1;
  say(t, "%-52s %8.1f us by rule (%s)", rule.of, rule.us, rule.use);
  say(t, better ? ", %.1f us: %s\n" : "\n", best[0].us, best[0].use);
  if (push(t, &t->found, &t->n_found, &t->cap_found, &rule) < 0) return -1;
  if (better && push(t, &t->found, &t->n_found, &t->cap_found, &best[0]) < 0) return -1;
  return 0;
}

/* ---- CLBlast's own parameters, on the largest product ---- */

static int largest_product(const tuner *t) {
  int largest = -1;
  for (int i = 0, key = 0; i < t->n; i++) {
    if (t->list[i].in_use) key = i;
    if (!is_library(t->list[key].of) && is_library(t->list[i].use) && (largest < 0 || t->list[key].us > t->list[largest].us))
      largest = key;
  }
  return largest;
}

static int tune_library(tuner *t) {
  const int product = largest_product(t);
  cldann_choice ways[2];
  double best = 0, us;
  if (product < 0) return 0;
  ways[0] = t->list[product];
  snprintf(ways[0].use, sizeof ways[0].use, GEMM_LIBRARY);
  for (int i = 0; i < t->n && !cli_interrupted(); i++) {
    if (!is_library(t->list[i].of)) continue;
    ways[1] = t->list[i];
    if (try_way(t, ways, 2, &us) < 0) continue;
    say(t, "%-52s %8.1f us: %s\n", ways[1].of, us, ways[1].use);
    if (t->library.of[0] && us >= best * (1 - least_gain)) continue;
    best = us;
    t->library = ways[1];
    t->library.us = us;
  }
  return cli_interrupted() ? -1 : 0;
}

/* ---- all of it ---- */

/* Training first, then evaluation for what it does in other shapes. */
static int tune_phase(tuner *t, cldann *c, cldann_experiment *x, int inference) {
  const cldann_tune_options list = {.inference = inference, .entries = (int)t->a->entries, .on_choice = on_listed, .user = t},
                            time = {.inference = inference, .entries = (int)t->a->entries, .on_choice = on_timed, .user = t};
  int rc = 0;
  t->n = 0;
  t->step_us = 0;
  t->inference = inference;
  if (cldann_list_choices(x, &list) < 0 || cldann_time_choices(x, &time) < 0) {
    t->error = *cldann_get_error(c);
    return -1;
  }
  if (t->error.code) return -1;
  if (!t->library.of[0] && (t->a->clblast || cldann_device(c)->is_gpu)) rc = tune_library(t);
  for (int i = 0; i < t->n && rc == 0; i++) {
    int known = !t->list[i].in_use || is_library(t->list[i].of) || t->list[i].us < least_share * t->step_us;
    for (int k = 0; k < t->n_found; k++) known |= !strcmp(t->found[k].of, t->list[i].of);
    known |= t->a->pass && fnmatch(t->a->pass, t->list[i].of, 0) != 0;
    if (!known) rc = tune_pass(t, i);
  }
  return rc;
}

static void keep_library(tuner *t) {
  int used = 0;
  for (int i = 0; i < t->n_found; i++) used |= !t->found[i].in_use && is_library(t->found[i].use);
  if (used && strcmp(t->library.use, GEMM_LIBRARY_OWN) != 0) {
    t->library.in_use = 0;
    push(t, &t->found, &t->n_found, &t->cap_found, &t->library);
  }
}

static json_t *choice_json(const cldann_choice *c) {
  return json_pack("{s:s, s:s, s:s, s:b, s:o}", "type", "choice", "of", c->of, "use", c->use, "rule", c->in_use, "us",
                   metrics_number(c->us));
}

static int report(tuner *t, const char *file) {
  int better = 0, passes = 0;
  for (int i = 0; i < t->n_found; i++) {
    passes += t->found[i].in_use;
    better += !t->found[i].in_use;
    if (t->a->json && metrics_line(&t->error, stdout, "standard output", choice_json(&t->found[i])) < 0)
      return cli_fail(&t->error);
  }
  if (t->a->json) {
    json_t *o = json_pack("{s:s, s:s, s:i, s:i, s:i, s:i}", "type", "tuning", "file", file, "passes", passes, "choices", better,
                          "tried", t->tried, "failed", t->failed);
    return metrics_line(&t->error, stdout, "standard output", o) < 0 ? cli_fail(&t->error) : EXIT_FINE;
  }
  for (int i = 0; i + 1 < t->n_found; i++)
    if (t->found[i].in_use && !t->found[i + 1].in_use)
      printf("%-52s %8.1f us -> %8.1f us  %s\n", t->found[i].of, t->found[i].us, t->found[i + 1].us, t->found[i + 1].use);
  if (!passes) {
    printf("%s; nothing is written to %s\n", cli_interrupted() ? "stopped before the first pass was done" : "no pass to tune",
           file);
    return EXIT_FINE;
  }
  printf("%d of %d passes are faster another way than by rule; %d ways tried, %d left out; written to %s\n", better, passes,
         t->tried, t->failed, file);
  return EXIT_FINE;
}

static int tune_all(tuner *t, cldann *c, cldann_experiment *x) {
  char *user = NULL;
  int code, rc;
  if (tuning_user_path(&t->error, &user) < 0) return cli_fail(&t->error);
  const char *file = t->a->out ? t->a->out : user;
  if (cldann_write_tuning(c, file, NULL, 0) < 0) { /* before minutes are spent */
    mem_free(user);
    return cli_fail(cldann_get_error(c));
  }
  rc = tune_phase(t, c, x, 0);
  if (rc == 0) rc = tune_phase(t, c, x, 1);
  keep_library(t);
  /* What was found before an interruption holds. */
  if (t->error.code)
    code = cli_fail(&t->error);
  else if (t->n_found && cldann_write_tuning(c, file, t->found, t->n_found) < 0)
    code = cli_fail(cldann_get_error(c));
  else
    code = report(t, file);
  mem_free(user);
  return code == EXIT_FINE && cli_interrupted() ? EXIT_INTERRUPTED : code;
}

/* ---- one choice, in this process ---- */

static int parse_choice(const char *text, cldann_choice *c) {
  const char *at = strstr(text, ": ");
  memset(c, 0, sizeof *c);
  if (!at || (size_t)(at - text) >= sizeof c->of || strlen(at + 2) >= sizeof c->use)
    return cli_fail_usage("--choice '%s': write PASS: WAY, as 'cldann plan' lists them", text);
  snprintf(c->of, sizeof c->of, "%.*s", (int)(at - text), text);
  snprintf(c->use, sizeof c->use, "%s", at + 2);
  return EXIT_FINE;
}

static int try_here(const cli_args *a, cldann *c, cldann_experiment *x) {
  const cldann_tune_options o = {.inference = a->inference, .entries = (int)a->entries};
  cldann_choice choices[8];
  cldann_error e = {.code = 0};
  int code;
  if (a->n_choices > 8) return cli_fail_usage("--choice: at most 8 at a time; give fewer");
  for (int i = 0; i < a->n_choices; i++)
    if ((code = parse_choice(a->choices[i], &choices[i])) != EXIT_FINE) return code;
  if (cldann_try_choices(x, choices, a->n_choices, &o, &choices[0].us) < 0) return cli_fail(cldann_get_error(c));
  if (a->json) return metrics_line(&e, stdout, "standard output", choice_json(&choices[0])) < 0 ? cli_fail(&e) : EXIT_FINE;
  printf("%s: %s: as the reference, %.1f us\n", choices[0].of, choices[0].use, choices[0].us);
  return EXIT_FINE;
}

static int run(const cli_args *a) {
  cldann *c = NULL;
  cldann_experiment *x = NULL;
  tuner t = {.a = a};
  int code;
  if ((code = cli_open(a, &c, NULL)) != EXIT_FINE) goto fail;
  /* Beside the rule: a file in force is not measured, unless it is named. */
  if (!a->tuning && cldann_use_tuning(c, "none") < 0) {
    code = cli_fail(cldann_get_error(c));
    goto fail;
  }
  if ((code = cli_load(c, a, NULL, 0, &x)) != EXIT_FINE) goto fail;
  if (a->n_choices) {
    code = try_here(a, c, x);
  } else {
    cli_catch_signals();
    code = tune_all(&t, c, x);
  }
fail:
  mem_free(t.list);
  mem_free(t.found);
  cldann_experiment_free(x);
  cldann_close(c);
  return code;
}

const cli_command cmd_tune = {
    .name = "tune",
    .args = "EXPERIMENT",
    .summary = "find the fastest kernels for this device and write a tuning file",
    .help =
        "For each pass of a training step and of an evaluation that takes a noticeable part of it, tries the ways to do it, "
        "on\n"
        "random rows: each is held against the reference kernels, then timed within the step, in a process of its own with a\n"
        "time limit; one that is wrong, crashes or hangs is left out. Those that beat the rule's way, also when both are "
        "timed\n"
        "again in turn, go into the tuning file of this device and driver (--out FILE, default: the user's,\n"
        "$XDG_CONFIG_HOME/cldann/tuning.conf), which training, evaluation and benchmark take from then on. What the file says\n"
        "of other devices and shapes stays. Minutes; Ctrl-C keeps the passes that are done. With --choice: that one choice "
        "alone.\n"
        "For sparse data --entries says how many numbers of a row are not 0, as in what 'cldann plan' prints.",
    .options = CLI_SET | CLI_DEVICE | CLI_OUT_FILE | CLI_TUNING | CLI_CHOICE | CLI_PASS | CLI_INFERENCE | CLI_ENTRIES |
               CLI_LIMIT | CLI_CLBLAST | CLI_JSON | CLI_QUIET,
    .run = run,
};

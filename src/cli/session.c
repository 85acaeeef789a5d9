/* cli/session.c: what several subcommands share: errors and exit codes, opening a device and an experiment, signals. */
#include "cli/cli.h"

#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

static int exit_code(int status) {
  switch (status) {
  case CLDANN_OK: return EXIT_FINE;
  case CLDANN_E_ARG: return EXIT_USAGE;
  case CLDANN_E_CONFIG:
  case CLDANN_E_SHAPE: return EXIT_EXPERIMENT;
  case CLDANN_E_IO:
  case CLDANN_E_FORMAT:
  case CLDANN_E_NET: return EXIT_DATA;
  case CLDANN_E_DEVICE:
  case CLDANN_E_CL: return EXIT_DEVICE;
  case CLDANN_E_DIVERGED: return EXIT_DIVERGED;
  case CLDANN_E_CHECK: return EXIT_SELF_TEST;
  case CLDANN_E_INTERRUPTED: return EXIT_INTERRUPTED;
  default: return EXIT_UNEXPECTED;
  }
}

int cli_fail(const cldann_error *e) {
  /* Results printed so far come first, also where both streams go to one file. */
  fflush(stdout);
  fprintf(stderr, "cldann: %s\n", e->message[0] ? e->message : cldann_status_name(e->code));
  return e->code ? exit_code(e->code) : EXIT_UNEXPECTED;
}

int cli_fail_usage(const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  fputs("cldann: ", stderr);
  vfprintf(stderr, fmt, ap);
  fputc('\n', stderr);
  va_end(ap);
  return EXIT_USAGE;
}

const char *cli_nearest(const char *name, const char *const *known, size_t n) {
  static char text[96];
  const char *near = text_nearest(name, known, n);
  text[0] = 0;
  if (near) snprintf(text, sizeof text, " (did you mean '%s'?)", near);
  return text;
}

const char *cli_self;

int cli_open(const cli_args *a, cldann **c, cldann_experiment **x) {
  cldann_error e;
  err_clear(&e);
  if (a->tuning) setenv("CLDANN_TUNING", a->tuning, 1); /* before a default is looked for, which may be what is wrong */
  if (cldann_open(c, a->device, &e) < 0) return cli_fail(&e);
  const int code = x ? cli_load(*c, a, NULL, 0, x) : EXIT_FINE;
  if (code != EXIT_FINE) cldann_close(*c), *c = NULL;
  return code;
}

/* An experiment that is not here may be one of those that were installed: experiments/NAME.conf. */
static const char *find_experiment(const char *name, char *room, size_t size) {
  if (name[0] == '/' || access(name, F_OK) == 0) return name;
  const int n = snprintf(room, size, "%s/%s", CLDANN_PKGDATADIR, name);
  return n > 0 && (size_t)n < size && access(room, R_OK) == 0 ? room : name;
}

int cli_load(cldann *c, const cli_args *a, const char *const *extra, int n_extra, cldann_experiment **x) {
  const char **all = NULL;
  char path[4096];
  cldann_error e;
  int n = a->n_sets + n_extra, code = EXIT_FINE;
  err_clear(&e);
  if (mem_new(&e, &all, (size_t)n + 1, sizeof *all) < 0) return cli_fail(&e);
  for (int i = 0; i < n; i++) all[i] = i < a->n_sets ? a->sets[i] : extra[i - a->n_sets];
  const char *from = find_experiment(a->arg[0], path, sizeof path);
  const int rc = text_ends_with(from, ".safetensors") ? cldann_experiment_of_model(c, from, all, n, a->data, x)
                                                      : cldann_experiment_load(c, from, all, n, a->data, x);
  if (rc < 0) code = cli_fail(cldann_get_error(c));
  mem_free(all);
  return code;
}

/* ---- signals ---- */

static const int endings[] = {SIGINT, SIGTERM, SIGHUP};
enum { ENDINGS = sizeof endings / sizeof *endings };

static volatile sig_atomic_t stop; /* the signal that came, 0: none */

/* The next one of any kind ends the process at once. */
static void on_signal(int number) {
  stop = number;
  for (int i = 0; i < ENDINGS; i++) signal(endings[i], SIG_DFL);
}

void cli_catch_signals(void) {
  struct sigaction action, before;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigfillset(&action.sa_mask);
  for (int i = 0; i < ENDINGS; i++) {
    sigaction(endings[i], NULL, &before);
    if (before.sa_handler != SIG_IGN) sigaction(endings[i], &action, NULL); /* as nohup, or a shell behind '&', has it */
  }
}

int cli_interrupted(void) {
  return stop;
}

static void print_accuracy(const char *of, double accuracy, double loss) {
  char a[TEXT_NUMBER], b[TEXT_NUMBER];
  if (isfinite(accuracy)) printf("  %-17s%s  (loss %s)\n", of, text_number(a, accuracy, 4), text_number(b, loss, 4));
}

void cli_print_accuracies(const cldann_result *r) {
  char a[TEXT_NUMBER], b[TEXT_NUMBER], c[TEXT_NUMBER];
  print_accuracy("source accuracy", r->source_accuracy, r->source_loss);
  if (isfinite(r->validation_accuracy)) printf("  held-out rows    %s\n", text_number(a, r->validation_accuracy, 4));
  if (isfinite(r->reverse_accuracy)) printf("  reverse accuracy %s\n", text_number(a, r->reverse_accuracy, 4));
  if (isfinite(r->target_accuracy))
    print_accuracy("target accuracy", r->target_accuracy, r->target_loss);
  else
    puts("  target accuracy  unknown, for want of labelled target_test data");
  if (isfinite(r->domain_accuracy))
    printf("  domain accuracy  %s  (source %s, target %s)\n", text_number(a, r->domain_accuracy, 4),
           text_number(b, r->domain_accuracy_source, 4), text_number(c, r->domain_accuracy_target, 4));
  else if (isfinite(r->domain_accuracy_target))
    printf("  domain accuracy  %s of the target's rows\n", text_number(c, r->domain_accuracy_target, 4));
}

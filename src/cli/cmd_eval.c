/* cli/cmd_eval.c: cldann eval: a trained model on an experiment's test sets. */
#include "cli/cli.h"

#include <math.h>
#include <stdio.h>

#include "base/text.h"
#include "train/metrics.h"

static void print_summary(const cldann_result *r) {
  printf("%s, seed %llu, on %s\n", r->method, (unsigned long long)r->seed, r->device);
  cli_print_accuracies(r);
}

static const char *class_name(const cldann_detail *d, int k, char room[24]) {
  snprintf(room, 24, "%d", k);
  return d->names ? d->names[k] : room;
}

/* A row for each class: how often it is right, and what it is taken for. */
static void print_detail(const cldann_detail *d) {
  char room[24], number[TEXT_NUMBER];
  printf("%s: %lld items, calibration error %s; rows are the true classes, columns what they are taken for\n%12s  %8s", d->set,
         (long long)d->items, text_number(number, d->calibration_error, 4), "class", "accuracy");
  for (int k = 0; k < d->classes; k++) printf(" %7.7s", class_name(d, k, room));
  putchar('\n');
  for (int i = 0; i < d->classes; i++) {
    const int64_t *row = d->counts + (int64_t)i * d->classes;
    int64_t n = 0;
    for (int k = 0; k < d->classes; k++) n += row[k];
    printf("%12.12s  %8s", class_name(d, i, room), text_number(number, n ? (double)row[i] / (double)n : NAN, 4));
    for (int k = 0; k < d->classes; k++) printf(" %7lld", (long long)row[k]);
    putchar('\n');
  }
}

static json_t *detail_json(const cldann_detail *d) {
  json_t *counts = json_array(), *names = json_array();
  char room[24];
  for (int i = 0; i < d->classes; i++) {
    json_t *row = json_array();
    for (int k = 0; k < d->classes; k++)
      json_array_append_new(row, json_integer((json_int_t)d->counts[(int64_t)i * d->classes + k]));
    json_array_append_new(counts, row);
    json_array_append_new(names, json_string(class_name(d, i, room)));
  }
  return json_pack("{s:s, s:s, s:I, s:o, s:o, s:o}", "type", "detail", "set", d->set, "items", (json_int_t)d->items, "classes",
                   names, "counts", counts, "calibration_error", metrics_number(d->calibration_error));
}

typedef struct details {
  const cli_args *a;
  cldann_error error;
} details;

static void on_detail(void *user, const cldann_detail *d) {
  details *to = user;
  if (!to->a->json)
    print_detail(d);
  else if (!to->error.code)
    metrics_line(&to->error, stdout, "standard output", detail_json(d));
}

static int run(const cli_args *a) {
  cldann *c;
  cldann_experiment *x;
  cldann_result r;
  progress p;
  details to = {.a = a};
  int code;
  err_clear(&to.error);
  progress_init(&p, a);
  cldann_train_options o = progress_options(&p, NULL, NULL);
  if ((code = cli_open(a, &c, &x)) != EXIT_FINE) return code;
  int rc = cldann_evaluate(x, a->arg[a->n_args - 1], &o, &r);
  if (rc == CLDANN_OK && a->details)
    rc = cldann_evaluate_detail(x, a->arg[a->n_args - 1], &(cldann_train_options){.out_dir = NULL}, on_detail, &to);
  progress_clear(&p);
  if (rc < 0)
    code = cli_fail(cldann_get_error(c));
  else if (to.error.code)
    code = cli_fail(&to.error);
  else if (!a->json)
    print_summary(&r);
  else if (metrics_line(&p.error, stdout, "standard output", metrics_result_json(&r)) < 0)
    code = cli_fail(&p.error);
  cldann_experiment_free(x);
  cldann_close(c);
  return code;
}

const cli_command cmd_eval = {
    .name = "eval",
    .args = "[EXPERIMENT] MODEL",
    .summary = "evaluate a trained model",
    .help = "Evaluates a model file, which 'cldann train --out DIR' wrote as DIR/model.safetensors, on the test sets of the\n"
            "experiment that it is of, which the file holds, or of another one with the same network. With --details also\n"
            "how often each class is right, what it is taken for, and how far probabilities are from truth.",
    .options = CLI_SET | CLI_DEVICE | CLI_TUNING | CLI_DATA | CLI_DETAILS | CLI_JSON | CLI_QUIET,
    .run = run,
};

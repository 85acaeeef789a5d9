/* cli/cmd_eval.c: cldann eval: a trained model on an experiment's test sets. */
#include "cli/cli.h"

#include <stdio.h>

#include "train/metrics.h"

static void print_summary(const cldann_result *r) {
  printf("%s, seed %llu, %lld steps\n", r->method, (unsigned long long)r->seed, (long long)r->steps);
  cli_print_accuracies(r);
}

static int run(const cli_args *a) {
  cldann *c = NULL;
  cldann_experiment *x = NULL;
  cldann_result r;
  progress p;
  int code;
  progress_init(&p, a);
  cldann_train_options o = progress_options(&p, NULL, NULL);
  if ((code = cli_open(a, &c)) != EXIT_FINE) goto fail;
  if ((code = cli_load(c, a, NULL, 0, &x)) != EXIT_FINE) goto fail;
  int rc = cldann_evaluate(x, a->arg[a->n_args - 1], &o, &r);
  progress_clear(&p);
  if (rc < 0)
    code = cli_fail(cldann_get_error(c));
  else if (!a->json)
    print_summary(&r);
  else if (metrics_line(&p.error, stdout, "standard output", metrics_result_json(&r)) < 0)
    code = cli_fail(&p.error);
fail:
  cldann_experiment_free(x);
  cldann_close(c);
  return code;
}

const cli_command cmd_eval = {
    .name = "eval",
    .args = "[EXPERIMENT] MODEL",
    .summary = "evaluate a trained model",
    .help = "Evaluates a model file, which 'cldann train --out DIR' wrote as DIR/model.safetensors, on the test sets of the\n"
            "experiment that it is of, which the file holds, or of another one with the same network.",
    .options = CLI_SET | CLI_DEVICE | CLI_TUNING | CLI_DATA | CLI_JSON | CLI_QUIET,
    .run = run,
};

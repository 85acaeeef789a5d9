/* cli/cmd_train.c: cldann train: one training run and its result. */
#include "cli/cli.h"

#include <stdio.h>

#include "base/text.h"
#include "train/metrics.h"

static void print_summary(const cldann_result *r, int warnings, const char *out_dir) {
  char a[TEXT_NUMBER], b[TEXT_NUMBER];
  printf("%s, seed %llu: %lld steps in %s s (%s samples/s) on %s\n", r->method, (unsigned long long)r->seed,
         (long long)r->steps, text_number(a, r->seconds, 1), text_number(b, r->samples_per_second, 0), r->device);
  cli_print_accuracies(r);
  if (warnings) printf("  warnings         %d, see above\n", warnings);
  if (out_dir) printf("  written to       %s (experiment.conf, metrics.jsonl, metrics.csv, model.safetensors)\n", out_dir);
}

static int train(cldann *c, cldann_experiment *x, const cli_args *a, progress *p) {
  cldann_train_options o = progress_options(p, NULL, a->out);
  cldann_result r;
  int code = EXIT_FINE;
  o.overwrite = a->overwrite, o.resume = a->resume, o.checkpoint_every = a->checkpoint;
  o.checkpoint_keep = (int)a->keep, o.tensorboard = a->tensorboard;
  const int rc = cldann_train(x, &o, &r);
  progress_clear(p);
  if (rc < 0) return cli_fail(p->error.code ? &p->error : cldann_get_error(c));
  if (!a->json)
    print_summary(&r, p->messages ? p->warnings : 0, a->out);
  else if (metrics_line(&p->error, stdout, "standard output", metrics_result_json(&r)) < 0)
    return cli_fail(&p->error);
  if (a->out && !a->no_report) {
    fflush(stdout); /* the result is there, whatever becomes of the page */
    code = cli_report(c, x, a->out, p);
    if (code == EXIT_FINE && !a->json) printf("  report           %s/report.html\n", a->out);
  }
  return code;
}

static int run(const cli_args *a) {
  cldann *c;
  cldann_experiment *x;
  watcher w;
  progress p;
  int code;
  progress_init(&p, a);
  cli_catch_signals();
  if ((code = cli_watch_begin(a, &w, &p)) != EXIT_FINE) return code;
  if ((code = cli_open(a, &c, &x)) == EXIT_FINE) {
    code = train(c, x, a, &p);
    cldann_experiment_free(x);
    cldann_close(c);
  }
  cli_watch_end(&w);
  return code;
}

const cli_command cmd_train = {
    .name = "train",
    .args = "EXPERIMENT",
    .summary = "train a network and evaluate it",
    .help =
        "Trains the network of an experiment file, evaluates it on the source and the target test set and prints the\n"
        "result. With --out the folder gets experiment.conf (all settings of this run), metrics.jsonl,\n"
        "metrics.csv, model.safetensors and the page report.html. With --json the last line is the result:\n"
        "method, seed, steps, source_accuracy, target_accuracy, domain_accuracy, samples_per_second, device and more.\n"
        "Ctrl-C, SIGTERM and SIGHUP stop after at most 32 steps: what was learned so far is written to --out, and --resume\n"
        "goes on from there, bit by bit as if it had not stopped. A second one stops at once and writes nothing; for that,\n"
        "and for a machine that fails, --checkpoint N keeps what there is every N steps.",
    .options = CLI_SET | CLI_DEVICE | CLI_TUNING | CLI_DATA | CLI_OUT | CLI_OVERWRITE | CLI_RESUME | CLI_CHECKPOINT | CLI_KEEP |
               CLI_TENSORBOARD | CLI_JSON | CLI_NO_REPORT | CLI_WATCH | CLI_PORT | CLI_QUIET,
    .run = run,
};

/* cli/cmd_report.c: cldann report: a run folder's page (report/page.c). */
#include "cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

int cli_report(cldann *c, cldann_experiment *x, const char *dir, progress *p) {
  const cldann_train_options o = {.on_message = progress_message, .user = p};
  return cldann_report(x, dir, &o) < 0 ? cli_fail(cldann_get_error(c)) : EXIT_FINE;
}

/* The experiment of a run folder; an exit code. */
static int find_run(const char *dir, char **conf) {
  cldann_error e;
  err_clear(&e);
  if (text_join(&e, conf, dir, "experiment.conf") < 0) return cli_fail(&e);
  if (access(*conf, F_OK) == 0) return EXIT_FINE;
  err_set(&e, CLDANN_E_IO, __FILE__, __LINE__, "%s: %s; name a folder that 'cldann train --out' made", *conf, strerror(errno));
  mem_free(*conf);
  return cli_fail(&e);
}

static int run(const cli_args *a) {
  cldann *c;
  cldann_experiment *x;
  char *conf = NULL;
  progress p;
  int code;
  progress_init(&p, a);
  if ((code = find_run(a->arg[0], &conf)) != EXIT_FINE) return code;
  cli_args of_run = *a;
  of_run.arg = (const char *[]){conf};
  code = cli_open(&of_run, &c, &x);
  mem_free(conf);
  if (code != EXIT_FINE) return code;
  code = cli_report(c, x, a->arg[0], &p);
  if (code == EXIT_FINE) printf("%s%sreport.html\n", a->arg[0], text_ends_with(a->arg[0], "/") ? "" : "/");
  cldann_experiment_free(x);
  cldann_close(c);
  return code;
}

const cli_command cmd_report = {
    .name = "report",
    .args = "DIR",
    .summary = "a page about a run, with pictures by gnuplot",
    .help =
        "Makes DIR/report.html, DIR being what 'cldann train --out DIR' wrote: result, warnings, training curves, features\n"
        "of both domains before and after (principal components, t-SNE), the target's confusion matrix, some predictions,\n"
        "settings. The page needs no other file. Its pictures are in DIR too, as PNG and SVG, each with its gnuplot script,\n"
        ".gp. 'cldann train' makes one at its end.",
    .options = CLI_DEVICE | CLI_TUNING | CLI_DATA | CLI_QUIET,
    .run = run,
};

/* cli/cmd_runs.c: cldann runs: run folders beside each other (report/runs.h). */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "report/runs.h"

static int run(const cli_args *a) {
  int form = CELLS_PLAIN, code = EXIT_FINE;
  runs *r = NULL;
  cldann_error e;
  err_clear(&e);
  if (a->format) {
    while (form < CELLS_FORMS && strcmp(a->format, cells_form_names[form]) != 0) form++;
    if (form == CELLS_FORMS)
      return cli_fail_usage("--format '%s'%s; there are plain, markdown and csv", a->format,
                            cli_nearest(a->format, cells_form_names, CELLS_FORMS));
  }
  if (runs_new(&e, &r) < 0) return cli_fail(&e);
  for (int i = 0; i < a->n_args && code == EXIT_FINE; i++)
    if (runs_add(&e, r, a->arg[i]) < 0) code = cli_fail(&e);
  if (code == EXIT_FINE && runs_write(&e, r, (cells_form)form, stdout) < 0) code = cli_fail(&e);
  runs_free(r);
  return code;
}

const cli_command cmd_runs = {
    .name = "runs",
    .args = "DIR...",
    .summary = "compare run folders: results, and the settings that differ",
    .help =
        "A line for each set of settings among the folders that 'cldann train --out' (or compare, or reproduce) made: the mean "
        "of\n"
        "the target accuracy over its seeds, the deviation, each run, and the settings in which it differs from the others.",
    .options = CLI_FORMAT,
    .run = run,
};

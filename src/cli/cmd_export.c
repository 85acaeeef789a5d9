/* cli/cmd_export.c: cldann export: a trained model as one file of plain C (train/export_c.c). */
#include "cli/cli.h"

#include <stdio.h>

#include "base/text.h"

static int run(const cli_args *a) {
  cldann *c = NULL;
  int code;
  if (!text_ends_with(a->arg[1], ".c")) return cli_fail_usage("'%s' does not end with .c; models are exported as C", a->arg[1]);
  if ((code = cli_open(a, &c)) != EXIT_FINE) return code;
  if (cldann_export_c(c, a->arg[0], a->arg[1]) < 0) code = cli_fail(cldann_get_error(c));
  if (code == EXIT_FINE && !a->quiet) fprintf(stderr, "%s: compile with any C99 compiler, link with -lm\n", a->arg[1]);
  cldann_close(c);
  return code;
}

const cli_command cmd_export = {
    .name = "export",
    .args = "MODEL FILE.c",
    .summary = "a trained model as one C file that needs nothing else",
    .help =
        "Writes features and label head as plain C99: the weights as constants and a function NAME_predict, NAME being the\n"
        "file's. It needs no OpenCL and no library but the compiler's -lm. The file's head says what it takes and gives.",
    .options = CLI_DEVICE | CLI_QUIET,
    .run = run,
};

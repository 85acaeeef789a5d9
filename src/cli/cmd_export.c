/* cli/cmd_export.c: cldann export: a trained model for other programs, in the form that the file's name ends with. */
#include "cli/cli.h"

#include <stdio.h>

#include "base/text.h"

typedef struct form {
  const char *end;
  int (*write)(cldann *c, const char *model, const char *path);
  const char *next; /* what to do with the file */
} form;

static const form forms[] = {
    {".c", cldann_export_c, "compile with any C99 compiler, link with -lm"},
    {".onnx", cldann_export_onnx, "takes 'input', gives 'logits' and 'probabilities', any number of items at once"},
};
enum { FORMS = sizeof forms / sizeof *forms };

static int run(const cli_args *a) {
  const char *path = a->arg[1];
  cldann *c = NULL;
  int code, k = 0;
  while (k < FORMS && !text_ends_with(path, forms[k].end)) k++;
  if (k == FORMS) return cli_fail_usage("'%s' ends with neither .c nor .onnx, which tell the form to export to", path);
  if ((code = cli_open(a, &c, NULL)) != EXIT_FINE) return code;
  if (forms[k].write(c, a->arg[0], path) < 0) code = cli_fail(cldann_get_error(c));
  if (code == EXIT_FINE && !a->quiet) fprintf(stderr, "%s: %s\n", path, forms[k].next);
  cldann_close(c);
  return code;
}

const cli_command cmd_export = {
    .name = "export",
    .args = "MODEL FILE",
    .summary = "a trained model for other programs: one C file, or ONNX",
    .help = "Writes features and label head, which take items as the training data have them (bytes 0 to 255).\n"
            "FILE.c: plain C99, weights as constants and a function NAME_predict, NAME being the file's. It needs no\n"
            "OpenCL and no library but the compiler's -lm; its head says what it takes and gives.\n"
            "FILE.onnx: ONNX, operator set 13: 'input' (batch, c, h, w) or, without pixels, (batch, n); out come\n"
            "'logits' and 'probabilities'.",
    .options = CLI_DEVICE | CLI_QUIET,
    .run = run,
};

/* cli/cmd_plan.c: cldann plan: what a training step will launch, before anything runs. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

static int run(const cli_args *a) {
  cldann *c;
  cldann_experiment *x;
  char *text = NULL;
  int code;
  if ((code = cli_open(a, &c, &x)) != EXIT_FINE) return code;
  if (cldann_plan_text(x, &text) < 0)
    code = cli_fail(cldann_get_error(c));
  else
    printf("%s%s", text, text[0] && text[strlen(text) - 1] != '\n' ? "\n" : "");
  cldann_free_text(text);
  cldann_experiment_free(x);
  cldann_close(c);
  return code;
}

const cli_command cmd_plan = {
    .name = "plan",
    .args = "EXPERIMENT",
    .summary = "print the launches of a training step",
    .help = "Prints the plan of one training step: the launches in order, with shapes, kernel variant, FLOPs and bytes;\n"
            "then the memory of a whole run: on the device, phase by phase, and of the process. For the latter the data are "
            "loaded\n"
            "and each launch runs once, the updates held back: nothing is trained. It depends on the device.",
    .options = CLI_SET | CLI_DEVICE | CLI_TUNING | CLI_DATA,
    .run = run,
};

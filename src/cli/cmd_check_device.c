/* cli/cmd_check_device.c: cldann check-device: does this device compute what it should? */
#include "cli/cli.h"

#include <stdio.h>

static void on_line(void *user, const char *line) {
  const cli_args *a = user;
  if (!a->quiet) puts(line);
}

static int run(const cli_args *a) {
  cldann *c = NULL;
  int code;
  if ((code = cli_open(a, &c, NULL)) != EXIT_FINE) return code;
  if (cldann_check_device(c, on_line, (void *)a) < 0)
    code = cli_fail(cldann_get_error(c));
  else if (!a->quiet)
    printf("%s: all is well\n", cldann_device(c)->name);
  cldann_close(c);
  return code;
}

const cli_command cmd_check_device = {
    .name = "check-device",
    .args = "",
    .summary = "test a device's gradients and the reversal",
    .help = "Compares the gradient of every op with a numeric one and checks the sign of the gradient reversal, on the chosen\n"
            "device, in a few seconds. Exit code 7 when a check fails.",
    .options = CLI_DEVICE | CLI_QUIET,
    .run = run,
};

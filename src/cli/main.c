/*
 * cli/main.c: `cldann`: finds the subcommand, has its options read and runs it. To add a subcommand: a cmd_*.c with a
 * cli_command, declared in cli.h and named in the table here.
 */
#include "cli/cli.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const cli_command *const cli_commands[] = {
    &cmd_init,  &cmd_train,       &cmd_compare,    &cmd_eval,        &cmd_predict,    &cmd_embed,   &cmd_export,
    &cmd_draw,  &cmd_plan,        &cmd_bench,      &cmd_tune,        &cmd_reproduce,  &cmd_report,  &cmd_runs,
    &cmd_watch, &cmd_data_mnistm, &cmd_data_fetch, &cmd_data_digits, &cmd_data_sheet, &cmd_devices, &cmd_check_device,
    NULL,
};
enum { N_COMMANDS = sizeof cli_commands / sizeof *cli_commands - 1 };

static int is_help(const char *word) {
  return !strcmp(word, "--help") || !strcmp(word, "-h");
}

int cli_named(const cli_command *c, int n, char **word) {
  const char *space = strchr(c->name, ' ');
  size_t first = space ? (size_t)(space - c->name) : strlen(c->name);
  if (n < 1 || strlen(word[0]) != first || strncmp(word[0], c->name, first) != 0) return 0;
  if (!space) return 1;
  return n > 1 && !strcmp(word[1], space + 1) ? 2 : 0;
}

/* `cldann data` without a known action, whose commands have two words. */
static int fail_data(int argc, char **argv) {
  const char *actions[N_COMMANDS];
  size_t n = 0;
  if (argc > 2 && is_help(argv[2])) {
    for (int i = 0; i < N_COMMANDS; i++) {
      if (strncmp(cli_commands[i]->name, "data ", 5) != 0) continue;
      if (n++) puts("");
      cli_help(cli_commands[i]);
    }
    return EXIT_FINE;
  }
  for (int i = 0; i < N_COMMANDS; i++)
    if (!strncmp(cli_commands[i]->name, "data ", 5)) actions[n++] = cli_commands[i]->name + 5;
  if (argc < 3)
    return cli_fail_usage("'cldann data' needs an action, mnist-m, fetch, digits or sheet; see 'cldann data --help'");
  return cli_fail_usage("there is no action 'data %s'%s; see 'cldann data --help'", argv[2], cli_nearest(argv[2], actions, n));
}

static int fail_unknown(const char *word) {
  const char *names[N_COMMANDS], *options[] = {"--help", "--version"};
  size_t n = 0;
  if (word[0] == '-')
    return cli_fail_usage("there is no option '%s'%s; see 'cldann --help'", word, cli_nearest(word, options, 2));
  for (int i = 0; i < N_COMMANDS; i++)
    if (!strchr(cli_commands[i]->name, ' ')) names[n++] = cli_commands[i]->name;
  names[n++] = "data";
  return cli_fail_usage("there is no command '%s'%s; see 'cldann --help'", word, cli_nearest(word, names, n));
}

static int dispatch(int argc, char **argv) {
  cli_args a;
  int code, words = 0;
  if (argc < 2) return cli_fail_usage("which command? See 'cldann --help'");
  if (is_help(argv[1])) {
    cli_help_all();
    return EXIT_FINE;
  }
  if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
    printf("cldann %s\n", cldann_version());
    return EXIT_FINE;
  }
  /* For the build and for shells, not for people: help.c, complete.c. */
  if (!strcmp(argv[1], "--man")) return cli_man(argc > 2 ? argv[2] : "cldann");
  if (!strcmp(argv[1], "--complete")) return cli_complete(argc - 2, argv + 2);
  for (int i = 0; i < N_COMMANDS; i++) {
    if (!(words = cli_named(cli_commands[i], argc - 1, argv + 1))) continue;
    if (cli_parse(cli_commands[i], argc - words, argv + words, &a, &code) == 0) code = cli_commands[i]->run(&a);
    cli_free(&a);
    return code;
  }
  return strcmp(argv[1], "data") ? fail_unknown(argv[1]) : fail_data(argc, argv);
}

int main(int argc, char **argv) {
  int code;
  /* POCL's worker threads stay on a core each only when told to; without, two often share one and a step takes twice
   * as long. Before anything may start a thread; a value of the user's own stands. */
  setenv("POCL_AFFINITY", "1", 0);
#ifdef SIGXFSZ
  signal(SIGXFSZ, SIG_IGN); /* a file above the limit is an error of write(), told and cleaned up after */
#endif
  cli_self = argv[0];
  code = dispatch(argc, argv);
  if (code == EXIT_INTERRUPTED && cli_interrupted()) code = 128 + cli_interrupted();
  errno = 0;
  if ((fflush(stdout) != 0 || ferror(stdout)) && code == EXIT_FINE) {
    fprintf(stderr, "cldann: cannot write standard output: %s\n", errno ? strerror(errno) : "an earlier write failed");
    code = EXIT_DATA;
  }
  return code;
}

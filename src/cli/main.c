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

static const cli_command *const commands[] = {
    &cmd_train,       &cmd_compare,    &cmd_eval,       &cmd_predict, &cmd_embed,        &cmd_export,
    &cmd_draw,        &cmd_plan,       &cmd_bench,      &cmd_tune,    &cmd_reproduce,    &cmd_runs,
    &cmd_data_mnistm, &cmd_data_fetch, &cmd_data_sheet, &cmd_devices, &cmd_check_device,
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

static const struct {
  int code;
  const char *meaning;
} exits[] = {
    {EXIT_FINE, "done"},
    {EXIT_UNEXPECTED, "an unexpected error, as for want of memory"},
    {EXIT_USAGE, "a command line that cannot be right"},
    {EXIT_EXPERIMENT, "a mistake in the experiment file or a --set"},
    {EXIT_DATA, "a file: missing, not writable, damaged, not to be downloaded"},
    {EXIT_DEVICE, "no such device, or OpenCL failed"},
    {EXIT_DIVERGED, "training diverged"},
    {EXIT_SELF_TEST, "check-device found a fault, or a way to tune is wrong"},
    {EXIT_INTERRUPTED, "interrupted"},
};

static void print_help(void) {
  puts("cldann: domain-adversarial training of neural networks on any OpenCL device\n\n"
       "usage: cldann COMMAND [arguments] [options]\n\ncommands:");
  for (int i = 0; i < N_COMMANDS; i++) printf("  %-14s %s\n", commands[i]->name, commands[i]->summary);
  puts("\noptions:\n  -h, --help     show this help; after a command, its own\n  -V, --version  show the version\n\nexit "
       "codes:");
  for (size_t i = 0; i < sizeof exits / sizeof *exits; i++) printf("  %3d  %s\n", exits[i].code, exits[i].meaning);
  puts("\nenvironment:\n"
       "  CLDANN_DEVICE  the device when --device is not given\n"
       "  CLDANN_TUNING  the tuning file when --tuning is not given, or 'none'\n"
       "  CLDANN_DATA    the data folder when --data is not given\n"
       "  CLDANN_CACHE   where 'cldann data fetch' puts files\n"
       "  CLDANN_MIRROR  a server to download from\n"
       "  CLDANN_MAX_GROUP  the largest work-group to use, for drivers that promise more than they keep\n"
       "\nA first run: cldann compare experiments/digits.conf");
}

static int is_help(const char *word) {
  return !strcmp(word, "--help") || !strcmp(word, "-h");
}

/* Does the command line start with this command's one or two words? Their number, or 0. */
static int named(const cli_command *c, int argc, char **argv) {
  const char *space = strchr(c->name, ' ');
  size_t first = space ? (size_t)(space - c->name) : strlen(c->name);
  if (strlen(argv[1]) != first || strncmp(argv[1], c->name, first) != 0) return 0;
  if (!space) return 1;
  return argc > 2 && !strcmp(argv[2], space + 1) ? 2 : 0;
}

/* `cldann data` without a known action, whose commands have two words. */
static int fail_data(int argc, char **argv) {
  const char *actions[N_COMMANDS];
  size_t n = 0;
  if (argc > 2 && is_help(argv[2])) {
    cli_help(&cmd_data_mnistm);
    putchar('\n');
    cli_help(&cmd_data_fetch);
    puts("");
    cli_help(&cmd_data_sheet);
    return EXIT_FINE;
  }
  for (int i = 0; i < N_COMMANDS; i++)
    if (!strncmp(commands[i]->name, "data ", 5)) actions[n++] = commands[i]->name + 5;
  if (argc < 3) return cli_fail_usage("'cldann data' needs an action, mnist-m, fetch or sheet; see 'cldann data --help'");
  return cli_fail_usage("there is no action 'data %s'%s; see 'cldann data --help'", argv[2], cli_nearest(argv[2], actions, n));
}

static int fail_unknown(const char *word) {
  const char *names[N_COMMANDS], *options[] = {"--help", "--version"};
  size_t n = 0;
  if (word[0] == '-')
    return cli_fail_usage("there is no option '%s'%s; see 'cldann --help'", word, cli_nearest(word, options, 2));
  for (int i = 0; i < N_COMMANDS; i++)
    if (!strchr(commands[i]->name, ' ')) names[n++] = commands[i]->name;
  names[n++] = "data";
  return cli_fail_usage("there is no command '%s'%s; see 'cldann --help'", word, cli_nearest(word, names, n));
}

static int dispatch(int argc, char **argv) {
  cli_args a;
  int code, words = 0;
  if (argc < 2) return cli_fail_usage("which command? See 'cldann --help'");
  if (is_help(argv[1])) {
    print_help();
    return EXIT_FINE;
  }
  if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
    printf("cldann %s\n", cldann_version());
    return EXIT_FINE;
  }
  for (int i = 0; i < N_COMMANDS; i++) {
    if (!(words = named(commands[i], argc, argv))) continue;
    if (cli_parse(commands[i], argc - words, argv + words, &a, &code) == 0) code = commands[i]->run(&a);
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
  errno = 0;
  if ((fflush(stdout) != 0 || ferror(stdout)) && code == EXIT_FINE) {
    fprintf(stderr, "cldann: cannot write standard output: %s\n", errno ? strerror(errno) : "an earlier write failed");
    code = EXIT_DATA;
  }
  return code;
}

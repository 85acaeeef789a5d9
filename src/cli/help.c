/*
 * cli/help.c: the tables of commands, options, exit codes and environment variables as text: --help for a terminal, and --man
 * for manual pages, which the build writes into man/ (src/cli/local.mk). What a command says of itself is in its cmd_*.c,
 * options are in options.c; complete.c offers the same to a shell.
 */
#include "cli/cli.h"

#include "config.h"

#include <stdio.h>
#include <string.h>

#define ABOUT "domain-adversarial training of neural networks on any OpenCL device"

static const struct {
  int code;
  const char *meaning;
} exits[] = {
    {EXIT_FINE, "done"},
    {EXIT_UNEXPECTED, "an unexpected error, as for want of memory"},
    {EXIT_USAGE, "a command line that cannot be right"},
    {EXIT_EXPERIMENT, "a mistake in the experiment file or a --set"},
    {EXIT_DATA, "a file: missing, not writable, damaged, not to be downloaded; or a port in use"},
    {EXIT_DEVICE, "no such device, or OpenCL failed"},
    {EXIT_DIVERGED, "training diverged"},
    {EXIT_SELF_TEST, "check-device found a fault, or a way to tune is wrong"},
    {EXIT_INTERRUPTED, "interrupted; 143 by SIGTERM, 129 by SIGHUP"},
};
enum { N_EXITS = sizeof exits / sizeof *exits };

static const struct {
  const char *name, *meaning;
} variables[] = {
    {"CLDANN_DEVICE", "the device when --device is not given"},
    {"CLDANN_TUNING", "the tuning file when --tuning is not given, or 'none'"},
    {"CLDANN_DATA", "the data folder when --data is not given"},
    {"CLDANN_CACHE", "where 'cldann data fetch' puts files"},
    {"CLDANN_MIRROR", "a server to download from"},
    {"CLDANN_MAX_GROUP", "the largest work-group to use, for drivers that promise more than they keep"},
};
enum { N_VARIABLES = sizeof variables / sizeof *variables };

/* ---- for a terminal ---- */

void cli_help_all(void) {
  puts("cldann: " ABOUT "\n\nusage: cldann COMMAND [arguments] [options]\n\ncommands:");
  for (int i = 0; cli_commands[i]; i++) printf("  %-14s %s\n", cli_commands[i]->name, cli_commands[i]->summary);
  puts("\noptions:\n  -h, --help     show this help; after a command, its own\n  -V, --version  show the version\n\nexit "
       "codes:");
  for (int i = 0; i < N_EXITS; i++) printf("  %3d  %s\n", exits[i].code, exits[i].meaning);
  puts("\nenvironment:");
  for (int i = 0; i < N_VARIABLES; i++) printf("  %-16s  %s\n", variables[i].name, variables[i].meaning);
  puts("\nA first run: cldann compare experiments/digits.conf\nFrom there: doc/guide.md; installed, documents are "
       "in " CLDANN_DOCDIR);
}

void cli_help(const cli_command *c) {
  const cli_option *o;
  printf("usage: cldann %s%s%s [options]\n\n%s\n\noptions:\n", c->name, c->args[0] ? " " : "", c->args, c->help);
  for (int i = 0; (o = cli_option_at(c, i)); i++) {
    char left[40];
    snprintf(left, sizeof left, "%s%s %s", o->bit ? "    --" : "-h, --", o->name, o->value ? o->value : "");
    printf("  %-22s  %s\n", left, o->help);
  }
}

/* ---- manual pages ---- */

/* Text as roff has it: what it would take for a request or a glyph of its own is escaped, an empty line parts paragraphs. */
static void put_roff(const char *s) {
  int at_start = 1;
  for (; *s; s++) {
    if (at_start && (*s == '.' || *s == '\'')) fputs("\\&", stdout);
    at_start = *s == '\n';
    switch (*s) {
    case '\\': fputs("\\e", stdout); break;
    case '-': fputs("\\-", stdout); break;
    case '\'': fputs("\\(aq", stdout); break;
    case '`': fputs("\\(ga", stdout); break;
    case '^': fputs("\\(ha", stdout); break;
    case '~': fputs("\\(ti", stdout); break;
    case '\n':
      putchar('\n');
      if (s[1] == '\n') fputs(".PP", stdout);
      break;
    default: putchar(*s);
    }
  }
}

/* What stands under a tag, before it ends its line. */
static void put_item(const char *meaning) {
  putchar('\n');
  put_roff(meaning);
  putchar('\n');
}

/* A command's name with dashes for spaces, as its page is called: "cldann-data-fetch". */
static const char *page_of(const cli_command *c) {
  static char page[48];
  snprintf(page, sizeof page, "cldann-%s", c->name);
  for (char *at = page; (at = strchr(at, ' '));) *at = '-';
  return page;
}

static void put_heading(const char *page, const char *summary) {
  fputs(".TH ", stdout);
  for (const char *s = page; *s; s++) /* in capitals, as the pages' titles are */
    if (*s == '-')
      fputs("\\-", stdout);
    else
      putchar(*s >= 'a' && *s <= 'z' ? *s - 'a' + 'A' : *s);
  printf(" 1 " CLDANN_DATE " \"cldann %s\" \"User Commands\"\n.nh\n.ad l\n.SH NAME\n", cldann_version());
  put_roff(page);
  fputs(" \\- ", stdout);
  put_roff(summary);
  puts("\n.SH SYNOPSIS");
}

static void man_command(const cli_command *c) {
  const cli_option *o;
  put_heading(page_of(c), c->summary);
  fputs(".B cldann ", stdout);
  put_roff(c->name);
  if (c->args[0]) printf("\n.I %s", c->args);
  puts("\n.RI [ options ]\n.SH DESCRIPTION");
  put_roff(c->help);
  puts("\n.SH OPTIONS");
  for (int i = 0; (o = cli_option_at(c, i)); i++) {
    printf(".TP\n%s \"%s\\-\\-", o->value ? ".BI" : ".B", o->bit ? "" : "\\-h, ");
    put_roff(o->name);
    if (o->value) printf(" \" \"%s", o->value);
    putchar('"');
    put_item(o->help);
  }
  puts(".SH SEE ALSO\n.BR cldann (1),\nwhich also has the exit codes and the environment variables");
}

static void man_all(void) {
  put_heading("cldann", ABOUT);
  puts(".B cldann\n.I COMMAND\n.RI [ arguments ]\n.RI [ options ]\n.SH DESCRIPTION\n"
       "A classifier that is trained on one domain, the source, fails on another, the target. Domain\\-adversarial training\n"
       "learns features from which a second head cannot tell the two domains apart, by reversing that head\\(aqs gradient on\n"
       "its way into the features. It needs no label of the target.\n.PP\n"
       "An experiment file holds every constant of a training; those that come with cldann are in the folder below.\n"
       ".SH COMMANDS");
  for (int i = 0; cli_commands[i]; i++) {
    fputs(".TP\n.BR ", stdout);
    put_roff(page_of(cli_commands[i]));
    fputs(" (1)", stdout);
    put_item(cli_commands[i]->summary);
  }
  puts(".SH OPTIONS\n.TP\n.B \"\\-h, \\-\\-help\"\nshow the list of commands; after a command, its options\n"
       ".TP\n.B \"\\-V, \\-\\-version\"\nshow the version");
  puts(".SH EXIT STATUS");
  for (int i = 0; i < N_EXITS; i++) {
    printf(".TP\n.B %d", exits[i].code);
    put_item(exits[i].meaning);
  }
  puts(".SH ENVIRONMENT");
  for (int i = 0; i < N_VARIABLES; i++) {
    printf(".TP\n.B %s", variables[i].name);
    put_item(variables[i].meaning);
  }
  fputs(".SH FILES\n.TP\n.I ", stdout);
  put_roff(CLDANN_PKGDATADIR "/experiments");
  fputs("\nexperiments, and tables for\n.BR cldann\\-reproduce (1);\nan experiment that is not here is looked for in the "
        "folder above\n"
        ".TP\n.I ",
        stdout);
  put_roff(CLDANN_DOCDIR "/doc");
  fputs("\nguide.md to begin with, experiments.md with every key of an experiment file\n.SH EXAMPLES\nTrain without and with "
        "adaptation on data "
        "that need no download:\n.PP\n.RS\ncldann compare ",
        stdout);
  put_roff(CLDANN_PKGDATADIR "/experiments/digits.conf");
  puts("\n.RE");
}

int cli_man(const char *page) {
  if (!strcmp(page, "cldann")) {
    man_all();
    return EXIT_FINE;
  }
  for (int i = 0; cli_commands[i]; i++) {
    if (strcmp(page, page_of(cli_commands[i])) != 0) continue;
    man_command(cli_commands[i]);
    return EXIT_FINE;
  }
  return cli_fail_usage("there is no manual page '%s'; they are called as in cldann-train", page);
}

/*
 * cli/complete.c: what could come next on a command line, from the tables of commands and options, for the shells' completion
 * (completions/). `cldann --complete WORD...` gets the words behind cldann, the last being the unfinished one, and prints an
 * answer a line: a word, a tab and what it is; or ":files END", ":files" or ":dirs" where the shell is to name files. What
 * does not start as the unfinished word does is the shell's to drop.
 */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

static void say_devices(void) {
  enum { MOST = 64 };
  static cldann_device_info infos[MOST];
  cldann_error e;
  int n = 0;
  err_clear(&e);
  if (cldann_devices(infos, MOST, &n, &e) < 0) return; /* nothing to offer */
  for (int i = 0; i < n && i < MOST; i++) printf("%d\t%s\n", infos[i].index, infos[i].name);
}

static void say_tables(void) {
  char names[CLI_TABLES][CLI_TABLE_NAME];
  const size_t n = cli_tables(names);
  for (size_t i = 0; i < n; i++) puts(names[i]);
}

/* What a value or an argument may be, by the name that usage and help give it. A name that is not here: any file. */
static const struct {
  const char *name;
  const char *answer; /* lines, or NULL */
  void (*say)(void);  /* more lines, or NULL */
} kinds[] = {
    {"EXPERIMENT", ":files .conf", NULL},
    {"MODEL", ":files .safetensors", NULL},
    {"TABLE", ":files .conf", say_tables},
    {"DIR", ":dirs", NULL},
    {"DIR...", ":dirs", NULL},
    {"DEVICE", NULL, say_devices},
    {"NAME", "mnist\nbsds500", NULL},
    {"FORM", "plain\nmarkdown\ncsv", NULL},
    {"A,B,...", "dann\nsource-only\ntarget-only\ndomain-only\nsvm", NULL},
    {"KEY=VALUE", NULL, NULL},
    {"PASS: WAY", NULL, NULL},
    {"PATTERN", NULL, NULL},
    {"LIST", NULL, NULL},
    {"STEPS", NULL, NULL},
    {"SECONDS", NULL, NULL},
    {"N", NULL, NULL},
};

static void say_kind(const char *name, size_t length) {
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    if (strlen(kinds[i].name) != length || strncmp(kinds[i].name, name, length) != 0) continue;
    if (kinds[i].say) kinds[i].say();
    if (kinds[i].answer) puts(kinds[i].answer);
    return;
  }
  puts(":files");
}

/* The argument behind n others. One in brackets may be left out, so the one behind it is offered too. */
static void say_argument(const cli_command *c, int n) {
  const char *at = c->args;
  for (; *at && n > 0 && !text_ends_with(at, "..."); n--) at += strcspn(at, " "), at += strspn(at, " ");
  for (int again = 1; *at && again; at += strcspn(at, " "), at += strspn(at, " ")) {
    again = *at == '[';
    say_kind(at + again, strcspn(at, " ") - 2 * (size_t)again);
  }
}

static const cli_option *find_option(const cli_command *c, const char *word) {
  const cli_option *o;
  for (int i = 0; (o = cli_option_at(c, i)); i++)
    if (!strncmp(word, "--", 2) && !strcmp(word + 2, o->name)) return o;
  return NULL;
}

/* The words behind the command's name. A shell may hand --out=DIR on as three words, "--out", "=" and "DIR". */
static void say_for(const cli_command *c, int n, char **word) {
  const cli_option *o = NULL; /* the one whose value is due */
  int n_args = 0;
  for (int i = 0; i + 1 < n; i++) {
    if (!strcmp(word[i], "=")) continue;
    if (o)
      o = NULL;
    else if (word[i][0] != '-')
      n_args++;
    else if ((o = find_option(c, word[i])) && !o->value)
      o = NULL;
  }
  if (o)
    say_kind(o->value, strlen(o->value));
  else if (word[n - 1][0] != '-')
    say_argument(c, n_args);
  else
    for (int i = 0; (o = cli_option_at(c, i)); i++) printf("--%s\t%s\n", o->name, o->help);
}

/* Commands; behind `data`, its actions. */
static void say_commands(int actions, int options) {
  for (int i = 0; cli_commands[i]; i++) {
    const char *space = strchr(cli_commands[i]->name, ' ');
    if (!space == !actions) printf("%s\t%s\n", space ? space + 1 : cli_commands[i]->name, cli_commands[i]->summary);
  }
  if (!actions) puts("data\tmake or fetch data");
  if (options) puts("--help\tshow help\n--version\tshow the version");
}

int cli_complete(int n, char **word) {
  if (n < 2) {
    say_commands(0, n == 1 && word[0][0] == '-');
    return EXIT_FINE;
  }
  for (int i = 0; cli_commands[i]; i++) {
    const int words = cli_named(cli_commands[i], n - 1, word);
    if (words) say_for(cli_commands[i], n - words, word + words);
  }
  if (n == 2 && !strcmp(word[0], "data")) say_commands(1, 0);
  return EXIT_FINE;
}

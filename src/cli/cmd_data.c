/* cli/cmd_data.c: cldann data mnist-m, which makes MNIST-M, cldann data fetch, which downloads, cldann data digits, which
 * writes folders of images to try things on, and cldann data sheet, which draws samples. */
#include "cli/cli.h"

#include <stdio.h>

static int run_mnistm(const cli_args *a) {
  cldann_error e;
  const char *missing = !a->mnist ? "--mnist DIR" : !a->bsds ? "--bsds TGZ" : !a->out ? "--out DIR" : NULL;
  err_clear(&e);
  if (missing) return cli_fail_usage("%s is missing; see 'cldann data mnist-m --help'", missing);
  cli_catch_signals();
  if (cldann_make_mnistm(a->mnist, a->bsds, a->out, (uint64_t)a->seed, (int)a->threads, cli_interrupted, &e) < 0)
    return cli_fail(&e);
  if (!a->quiet) printf("MNIST-M of seed %lld is in %s\n", (long long)a->seed, a->out);
  return EXIT_FINE;
}

const cli_command cmd_data_mnistm = {
    .name = "data mnist-m",
    .args = "",
    .summary = "make MNIST-M from MNIST and BSDS500",
    .help =
        "Blends MNIST's digits with patches of BSDS500's training photographs and writes MNIST-M as four IDX files, 60,000\n"
        "training and 10,000 test digits in MNIST's order. The same seed gives the same bytes on every machine.\n"
        "--mnist, --bsds and --out are required.",
    .options = CLI_MNIST | CLI_BSDS | CLI_OUT | CLI_SEED | CLI_THREADS | CLI_QUIET,
    .run = run_mnistm,
};

static int run_fetch(const cli_args *a) {
  cldann_error e;
  progress p;
  err_clear(&e);
  progress_init(&p, a);
  return cldann_fetch(a->arg[0], progress_message, &p, &e) < 0 ? cli_fail(&e) : EXIT_FINE;
}

const cli_command cmd_data_fetch = {
    .name = "data fetch",
    .args = "NAME",
    .summary = "download mnist or bsds500",
    .help = "Downloads a data set, mnist or bsds500, to the cache folder: $CLDANN_CACHE, else cldann in $XDG_CACHE_HOME, else\n"
            "~/.cache/cldann. A download that was stopped goes on where it was; what arrives is checked before it takes its\n"
            "name. CLDANN_MIRROR names another server.",
    .options = CLI_QUIET,
    .run = run_fetch,
};

static int run_digits(const cli_args *a) {
  enum { EACH = 2000 };
  cldann_error e;
  if (!a->out) return cli_fail_usage("--out DIR is missing; see 'cldann data digits --help'");
  cli_catch_signals();
  if (cldann_make_digits(a->out, EACH, (uint64_t)a->seed, cli_interrupted, &e) < 0) return cli_fail(&e);
  if (!a->quiet) printf("%d images each in %s/source and %s/target, a folder for each class\n", EACH, a->out, a->out);
  return EXIT_FINE;
}

const cli_command cmd_data_digits = {
    .name = "data digits",
    .args = "",
    .summary = "write the built-in digits as folders of images",
    .help =
        "Writes 2,000 images of each domain of the built-in digits (experiments/digits.conf) to --out DIR, as "
        "DIR/source/3/0013.png\n"
        "and DIR/target/...: folders as 'cldann init' and kind = \"file\" read them, to try things on. The same for a --seed.",
    .options = CLI_OUT | CLI_SEED | CLI_QUIET,
    .run = run_digits,
};

static int run_sheet(const cli_args *a) {
  enum { ROWS = 3, COLUMNS = 20 };
  cldann *c;
  cldann_experiment *x;
  int code;
  if (!a->out) return cli_fail_usage("--out FILE.png is missing; see 'cldann data sheet --help'");
  if ((code = cli_open(a, &c, &x)) != EXIT_FINE) return code;
  if (cldann_sample_sheet(x, a->out, ROWS, COLUMNS) < 0) code = cli_fail(cldann_get_error(c));
  cldann_experiment_free(x);
  cldann_close(c);
  return code;
}

const cli_command cmd_data_sheet = {
    .name = "data sheet",
    .args = "EXPERIMENT",
    .summary = "draw samples of both domains as a PNG",
    .help = "Writes --out FILE.png with the first images of the experiment's training sets, the source above the target.",
    .options = CLI_SET | CLI_DEVICE | CLI_DATA | CLI_OUT_FILE,
    .run = run_sheet,
};

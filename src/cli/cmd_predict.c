/* cli/cmd_predict.c: cldann predict and cldann embed: a trained model on data of one's own. */
#define _POSIX_C_SOURCE 200809L
#include "cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "data/array.h"
#include "data/place.h"
#include "train/metrics.h"

typedef struct sink {
  const cli_args *a;
  cldann_error error;
  float *features; /* of embed, all of them */
  int64_t n;
  int width;
} sink;

static const char *class_name(const cldann_prediction *p, char room[32]) {
  snprintf(room, 32, "%d", p->label);
  return p->name ? p->name : room;
}

static int print_item(void *user, const cldann_prediction *p) {
  sink *s = user;
  char room[32];
  if (s->a->json) {
    json_t *o = json_pack("{s:I, s:s, s:o, s:o}", "item", (json_int_t)p->item, "class", class_name(p, room), "probability",
                          metrics_number(p->probability), "target", metrics_number(p->target));
    json_t *all = json_array();
    for (int i = 0; i < p->classes; i++) json_array_append_new(all, metrics_number(p->probabilities[i]));
    if (o) json_object_set_new(o, "probabilities", all);
    if (o && p->file) json_object_set_new(o, "file", metrics_text(p->file));
    return metrics_line(&s->error, stdout, "standard output", o) < 0;
  }
  if (p->item == 0) puts(p->file ? "item,class,probability,target,file" : "item,class,probability,target");
  printf("%lld,", (long long)p->item);
  text_put_csv(class_name(p, room), stdout);
  printf(",%.6f,%.6f", p->probability, p->target);
  if (p->file) putchar(','), text_put_csv(p->file, stdout);
  putchar('\n');
  if (ferror(stdout))
    return err_set(&s->error, CLDANN_E_IO, __FILE__, __LINE__, "cannot write standard output: %s; free some space",
                   strerror(errno));
  return cli_interrupted();
}

static int keep_features(void *user, const cldann_prediction *p) {
  sink *s = user;
  if (!s->features && mem_new(&s->error, &s->features, (size_t)p->items * (size_t)p->n_features, sizeof *s->features) < 0)
    return 1;
  memcpy(s->features + p->item * p->n_features, p->features, (size_t)p->n_features * sizeof *s->features);
  s->n = p->items, s->width = p->n_features;
  return cli_interrupted();
}

/* Standard input as a file, since formats are told by content and some are read from their end; the caller's to remove and
 * free. */
static int spool(cldann_error *e, char **path) {
  char part[1 << 16];
  FILE *f = NULL;
  int rc, fd = -1;
  TRY(place_temporary(e, "cldann-input-XXXXXX", path));
  if ((fd = mkstemp(*path)) < 0 || !(f = fdopen(fd, "wb")))
    FAIL(e, CLDANN_E_IO, "cannot write %s: %s; name another folder as TMPDIR", *path, strerror(errno));
  for (size_t n; (n = fread(part, 1, sizeof part, stdin)) > 0 && !cli_interrupted();)
    if (fwrite(part, 1, n, f) != n) break;
  if (ferror(stdin) || ferror(f) || fflush(f) != 0)
    FAIL(e, CLDANN_E_IO, "cannot copy standard input to %s: %s; name another folder as TMPDIR", *path, strerror(errno));
fail:
  if (f) fclose(f);
  if (!f && fd >= 0) close(fd);
  return rc;
}

/* Says what went wrong, in the sink or else in the library. The copy of standard input is called what its user knows it as. */
static int fail_of(const sink *s, const cldann_error *library, const char *input) {
  const cldann_error *cause = s->error.code ? &s->error : library;
  cldann_error e = *cause;
  const char *const names[] = {input, input ? text_base(input) : NULL};
  for (int i = 0; input && i < 2; i++) {
    const char *at = strstr(cause->message, names[i]);
    if (!at) continue;
    snprintf(e.message, sizeof e.message, "%.*sstandard input%s", (int)(at - cause->message), cause->message,
             at + strlen(names[i]));
    break;
  }
  return cli_fail(&e);
}

/* The model on the data, item by item to the sink; an exit code. */
static int each(const cli_args *a, sink *s, int features) {
  cldann *c = NULL;
  char *input = NULL;
  int code;
  const int piped = !strcmp(a->arg[1], "-");
  const cldann_predict_options o = {.features = features,
                                    .overrides = a->sets,
                                    .n_overrides = a->n_sets,
                                    .data_dir = a->data,
                                    .on_item = features ? keep_features : print_item,
                                    .user = s};
  *s = (sink){.a = a};
  err_clear(&s->error);
  cli_catch_signals();
  if (piped && spool(&s->error, &input) < 0)
    code = cli_fail(&s->error);
  else if ((code = cli_open(a, &c, NULL)) == EXIT_FINE && cldann_predict(c, a->arg[0], piped ? input : a->arg[1], &o) < 0)
    code = fail_of(s, cldann_get_error(c), input);
  if (input) unlink(input);
  mem_free(input);
  cldann_close(c);
  return code;
}

static int predict(const cli_args *a) {
  sink s;
  return each(a, &s, 0);
}

static int embed(const cli_args *a) {
  sink s;
  int code = each(a, &s, 1);
  if (code == EXIT_FINE && npy_write(&s.error, a->arg[2], s.features, (int)s.n, s.width) < 0) code = cli_fail(&s.error);
  if (code == EXIT_FINE && !a->quiet) fprintf(stderr, "%s: %lld items of %d features\n", a->arg[2], (long long)s.n, s.width);
  mem_free(s.features);
  return code;
}

#define HOW                                                                                                                    \
  "DATA is a file or a folder of images in any format of kind = \"file\" (doc/experiments.md), or - for standard input, "      \
  "which may\n"                                                                                                                \
  "be CSV, a JSON array a line, or NumPy's bytes. It is read by the keys that the model's experiment has for its target_test " \
  "set,\n"                                                                                                                     \
  "or else its target, where that is a file too; others: --set data.target_test.KEY=VALUE, as in\n"                            \
  "--set data.target_test.labels= for data that have no labels. The experiment's own data need not be there."

const cli_command cmd_predict = {
    .name = "predict",
    .args = "MODEL DATA",
    .summary = "the classes that a trained model gives to data",
    .help =
        "Prints a line of CSV for each item: its number from 0, its class, the probability of that, and the probability that\n"
        "it is of the target domain, by the domain head; of images also the file. With --json an object, with the\n"
        "probabilities of all classes.\n" HOW,
    .options = CLI_SET | CLI_DEVICE | CLI_TUNING | CLI_DATA | CLI_JSON | CLI_QUIET,
    .run = predict,
};

const cli_command cmd_embed = {
    .name = "embed",
    .args = "MODEL DATA NPY",
    .summary = "the features that a trained model makes of data",
    .help = "Writes what the label head reads, a row an item, as the file NPY in NumPy's format.\n" HOW,
    .options = CLI_SET | CLI_DEVICE | CLI_TUNING | CLI_DATA | CLI_QUIET,
    .run = embed,
};

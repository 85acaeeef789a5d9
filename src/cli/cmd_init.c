/* cli/cmd_init.c: cldann init: an experiment file for data of one's own, and what was seen of them. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "train/metrics.h"

typedef struct listener {
  const cli_args *a;
  cldann_error error;
} listener;

static void put_range(const cldann_set_info *s, int side) {
  if (s->own[side][0] == s->own[side][1])
    printf("%d", s->own[side][0]);
  else
    printf("%d to %d", s->own[side][0], s->own[side][1]);
}

static void put_classes(const cldann_set_info *s) {
  enum { SHOWN = 20 };
  if (!s->classes) {
    puts("  no labels");
    return;
  }
  printf("  %d class%s:", s->classes, s->classes == 1 ? "" : "es");
  for (int i = 0; i < s->classes && i < SHOWN; i++) printf("%s %s (%lld)", i ? "," : "", s->names[i], (long long)s->counts[i]);
  puts(s->classes > SHOWN ? ", ..." : "");
}

static void print_set(const cldann_set_info *s) {
  printf("%s: %s, format %s", s->set, s->path, s->format);
  if (s->features) printf(", features %s", s->features);
  if (s->labels) printf(", labels %s", s->labels);
  printf("\n  %lld items of %d x %d x %d", (long long)s->items, s->height, s->width, s->channels);
  if (s->own[0][1] &&
      (s->own[0][0] != s->height || s->own[0][1] != s->height || s->own[1][0] != s->width || s->own[1][1] != s->width)) {
    fputs(" (images of ", stdout);
    put_range(s, 0);
    fputs(" x ", stdout);
    put_range(s, 1);
    fputs(")", stdout);
  }
  printf("; %s from %.4g to %.4g, mean %.4g, deviation %.4g",
         s->bytes    ? "bytes"
         : s->sparse ? "sparse floats"
                     : "floats",
         s->least, s->most, s->mean, s->deviation);
  if (s->sparse) printf(", %.2g %% of them not 0", 100 * s->filled);
  putchar('\n');
  put_classes(s);
}

static void on_set(void *user, const cldann_set_info *s) {
  listener *l = user;
  if (!l->a->json) {
    print_set(s);
    return;
  }
  json_t *classes = json_array();
  for (int i = 0; i < s->classes; i++)
    json_array_append_new(classes, json_pack("{s:s, s:I}", "name", s->names[i], "items", (json_int_t)s->counts[i]));
  json_t *o =
      json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s?, s:I, s:I, s:[iii], s:b, s:b, s:o, s:o, s:o, s:o, s:o}", "type", "set", "set",
                s->set, "path", s->path, "format", s->format, "features", s->features, "labels", s->labels, "items",
                (json_int_t)s->items, "unreadable", (json_int_t)s->unreadable, "shape", s->height, s->width, s->channels,
                "bytes", s->bytes, "sparse", s->sparse, "least", metrics_number(s->least), "most", metrics_number(s->most),
                "mean", metrics_number(s->mean), "deviation", metrics_number(s->deviation), "classes", classes);
  metrics_line(&l->error, stdout, "standard output", o);
}

static void on_note(void *user, int warning, const char *line) {
  listener *l = user;
  if (l->a->json)
    metrics_line(&l->error, stdout, "standard output",
                 json_pack("{s:s, s:s}", "type", warning ? "warning" : "note", "text", line));
  else
    printf("%s%s\n", warning ? "warning: " : "", line);
}

/* EXP.conf -> EXP.png */
static int sheet_of(cldann_error *e, const char *conf, char **out) {
  const size_t n = strlen(conf) - (text_ends_with(conf, ".conf") ? 5 : 0);
  int rc;
  TRY(mem_new(e, out, n + 5, 1));
  sprintf(*out, "%.*s.png", (int)n, conf);
fail:
  return rc;
}

static int run(const cli_args *a) {
  const char *path = a->out ? a->out : "experiment.conf";
  listener l = {.a = a};
  char *sheet = NULL;
  int code = EXIT_FINE;
  err_clear(&l.error);
  if (sheet_of(&l.error, path, &sheet) < 0) return cli_fail(&l.error);
  const cldann_draft_options o = {.path = path,
                                  .sheet = sheet,
                                  .overwrite = a->overwrite,
                                  .features = a->features,
                                  .labels = a->labels,
                                  .data_dir = a->data,
                                  .on_set = on_set,
                                  .on_note = on_note,
                                  .user = &l};
  cldann_error e;
  if (cldann_draft(a->arg[0], a->arg[1], &o, &e) < 0)
    code = cli_fail(&e);
  else if (l.error.code)
    code = cli_fail(&l.error);
  else if (a->json)
    metrics_line(&l.error, stdout, "standard output", json_pack("{s:s, s:s}", "type", "experiment", "path", path));
  else
    printf("%s: an experiment for these data. Next: cldann train %s --out run1\n", path, path);
  mem_free(sheet);
  return code;
}

const cli_command cmd_init = {
    .name = "init",
    .args = "SOURCE TARGET",
    .summary = "an experiment file for data of your own",
    .help = "Looks at two files or folders, SOURCE with labels and TARGET, tells what is in them, and writes a commented "
            "experiment\n"
            "that trains on them, --out EXP.conf (default: experiment.conf); of images also EXP.png, samples of both. Formats: "
            "those of\n"
            "kind = \"file\" (doc/experiments.md): a folder with a folder of images for each class, lists of images, CSV, "
            "NumPy, IDX,\n"
            "MATLAB, HDF5, svmlight. Rows to test on are taken where they lie beside: folders train/ and test/, files or "
            "arrays whose\n"
            "names differ in that word. doc/guide.md goes on from here.",
    .options = CLI_DATA | CLI_OUT_FILE | CLI_OVERWRITE | CLI_JSON | CLI_FEATURES | CLI_LABELS,
    .run = run,
};

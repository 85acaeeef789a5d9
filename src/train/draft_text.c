/* train/draft_text.c: what train/draft.c decided, as an experiment file with its reasons; see train/draft.h. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>

#include "base/memo.h"
#include "base/text.h"
#include "train/conf.h"
#include "train/draft.h"

/* ---- the net ---- */

static void put_dense(FILE *f, const char *name, int units, const char *then) {
  fprintf(f, "    { op = \"dense\"; units = %d; name = \"%s\"; },\n    { op = \"%s\"; },\n", units, name, then);
}

static void put_heads(const draft *d, FILE *f, int units, int label_layers) {
  char name[16];
  fputs("  label_head = (\n", f);
  for (int i = 1; i <= label_layers; i++) {
    snprintf(name, sizeof name, "label%d", i);
    put_dense(f, name, units, "relu");
  }
  fprintf(f,
          "    { op = \"dense\"; units = %d; name = \"label\"; },      # a class each\n"
          "    { op = \"softmax_xent\"; name = \"label_loss\"; }\n  );\n"
          "  domain_head = (\n    { op = \"reversal\"; name = \"reversal\"; },\n",
          d->classes.n);
  put_dense(f, "domain1", units, "relu");
  fputs("    { op = \"dense\"; units = 2; name = \"domain\"; },     # source, target\n"
        "    { op = \"softmax_xent\"; name = \"domain_loss\"; }\n  );\n};\n",
        f);
}

static void put_recipe(FILE *f, double lr) {
  fprintf(f,
          "optimiser = { kind = \"momentum\"; momentum = 0.9; clip_norm = 10.0; };\n"
          "lr = { schedule = \"inverse\"; lr = %g; alpha = 10.0; beta = 0.75; };\n"
          "# The features' weight against the domain head grows from 0 to max. max is what to try other values of: 0.3, 3.\n"
          "lambda = { schedule = \"ramp\"; max = 1.0; gamma = 10.0; mode = \"features\"; };\n"
          "init = { weights = { kind = \"he\"; }; };\n\n",
          lr);
}

static void put_images(const draft *d, FILE *f) {
  const int deep = d->h > 40 || d->w > 40;
  static const int filters[] = {32, 48, 64};
  put_recipe(f, 0.005);
  fprintf(f,
          "input = { scale = %.15g; subtract_mean = true; };%s\nnet = {\n  input = [%d, %d, %d];\n"
          "  # batch_norm brings the outputs of each domain to one mean and deviation by itself, which keeps the adversary "
          "steady.\n"
          "  features = (\n",
          d->scale, d->scale < 1 ? " # bytes to about 0 to 1, less each channel's mean" : "", d->h, d->w, d->c);
  for (int i = 0; i < 2 + deep; i++)
    fprintf(f,
            "    { op = \"conv2d\"; filters = %d; kernel = 5; padding = \"same\"; name = \"conv%d\"; },\n"
            "    { op = \"batch_norm\"; stats = \"perdomain\"; name = \"norm%d\"; },\n"
            "    { op = \"relu\"; },\n    { op = \"max_pool\"; window = 2; padding = \"same\"; },\n",
            filters[i], i + 1, i + 1);
  fputs("    { op = \"flatten\"; name = \"features\"; }\n  );\n", f);
  put_heads(d, f, 100, 2);
}

static void put_rows(const draft *d, FILE *f) {
  const int units = d->c <= 16 ? 32 : d->c <= 64 ? 64 : 128;
  put_recipe(f, 0.02);
  fprintf(f,
          "net = {\n  input = [1, 1, %d];\n  features = (\n"
          "    # Brings each column to mean 0 and deviation 1, over the rows of both domains.\n"
          "    { op = \"batch_norm\"; stats = \"joint\"; name = \"standardise\"; },\n",
          d->c);
  put_dense(f, "dense1", units, "relu");
  fprintf(f, "    { op = \"dense\"; units = %d; name = \"dense2\"; },\n    { op = \"relu\"; name = \"features\"; }\n  );\n",
          units);
  put_heads(d, f, units, 0);
}

static void put_counts(const draft *d, FILE *f) {
  fputs("# The recipe of experiments/amazon.conf: one hidden layer, linear heads, sums over the rows of a batch. Training ends "
        "when the\n"
        "# held-out source rows get no better, and the best step is the model.\n"
        "optimiser = { kind = \"sgd\"; };\nlr = { schedule = \"constant\"; lr = 0.001; };\n"
        "lambda = { schedule = \"constant\"; max = 0.3; mode = \"both\"; };   # max is what to try other values of\n"
        "loss = { label = \"sum\"; domain = \"sum\"; };\n",
        f);
  if (d->scale != 1)
    fprintf(f, "input = { scale = %.3g; };      # rows are about 10 long then, as counts of words are\n", d->scale);
  fprintf(
      f,
      "\nnet = {\n  input = [1, 1, %d];\n"
      "  features = (\n    { op = \"dense\"; units = 50; name = \"features\"; },\n    { op = \"sigmoid\"; }\n  );\n"
      "  label_head = (\n    { op = \"dense\"; units = %d; name = \"label\"; },\n"
      "    { op = \"softmax_xent\"; name = \"label_loss\"; }\n  );\n"
      "  domain_head = (\n    { op = \"reversal\"; name = \"reversal\"; },\n"
      "    { op = \"dense\"; units = 1; name = \"domain\"; init = { weights = { kind = \"constant\"; value = 0.0; }; }; },\n"
      "    { op = \"logistic_xent\"; name = \"domain_loss\"; }\n  );\n};\n",
      d->c, d->classes.n);
}

/* ---- the data ---- */

static void put_key(FILE *f, const char *key, const char *value) {
  if (!value) return;
  fprintf(f, " %s = ", key);
  conf_put_text(f, value);
  fputc(';', f);
}

static void put_set(FILE *f, const char *name, const part *p) {
  const file_request *r = &p->r;
  fprintf(f, "  %s = { kind = \"file\";", name);
  put_key(f, "path", p->path);
  put_key(f, "features", r->features);
  put_key(f, "labels", r->labels);
  if (r->width) fprintf(f, " width = %d;", r->width);
  if (r->shape[0]) fprintf(f, " shape = [%d, %d, %d];", r->shape[0], r->shape[1], r->shape[2]);
  if (r->bytes) fputs(" bytes = true;", f);
  if (r->resize[0]) fprintf(f, " resize = [%d, %d];", r->resize[0], r->resize[1]);
  if (p->d->left_out) fputs(" skip_bad = true;", f);
  fputs(" };\n", f);
}

static void put_data(const draft *d, FILE *f) {
  fputs("\n# Paths are looked for in --data DIR, CLDANN_DATA and the folder that cldann is run in.\ndata = {\n", f);
  if (d->named) {
    fputs("  classes = [", f);
    for (int i = 0; i < d->classes.n; i++) {
      fputs(i ? ", " : "", f);
      conf_put_text(f, d->classes.name[i]);
    }
    fputs("];\n", f);
  }
  put_set(f, "source", d->set[0]);
  put_set(f, "target", d->set[1]);
  if (d->set[2]) put_set(f, "source_test", d->set[2]);
  if (!d->set[2])
    fputs("  # No source_test: validation.share holds rows of the source out, whose accuracy the log shows.\n", f);
  if (d->set[3]) put_set(f, "target_test", d->set[3]);
  if (d->target_is_test) {
    fputs("  # The target's labels are for this evaluation alone: training does not see them.\n", f);
    put_set(f, "target_test", d->set[1]);
  }
  if (!d->set[3] && !d->target_is_test)
    fputs("  # No target_test: the target has no labels, so its accuracy cannot be known. With some, give them here.\n", f);
  fputs("};\n", f);
}

static void put_comment_path(FILE *f, const char *s) {
  for (; *s; s++) fputc((unsigned char)*s < ' ' ? '?' : *s, f);
}

static void put_head(const draft *d, FILE *f) {
  fprintf(f, "# %s: from ", text_base(d->o->path));
  put_comment_path(f, d->source);
  fputs(", labelled, to ", f);
  put_comment_path(f, d->target);
  fprintf(f, ". Written by cldann init %s; every line is yours to change.\n#   cldann train ", CLDANN_VERSION);
  put_comment_path(f, d->o->path);
  fprintf(f,
          " --out run1\n# Every key is in doc/experiments.md, what to look at in doc/guide.md.\nmethod = \"dann\";       "
          "# source-only: the same net without the target, to compare with\nseed = 1;\n"
          "steps = %lld;\nlog_every = %lld;\nbatch = %d;             # half of it from each domain\n\n",
          (long long)d->steps, (long long)d->log_every, d->batch);
  if (d->kind == DRAFT_COUNTS)
    fprintf(f, "validation = { share = %.1f; patience = 1; least = 30; grow = 1.5; };\n", d->share);
  else
    fprintf(f,
            "# A part of both domains is held out. The model is the last step's, when lambda has its full weight; keep = "
            "\"best\" takes\n"
            "# the step that is best on the held-out source rows.\nvalidation = { share = %.1f; keep = \"last\"; };\n",
            d->share);
}

int draft_write(const draft *d, char **out) {
  memo text;
  int rc;
  TRY(memo_open(d->e, &text));
  FILE *f = text.f;
  put_head(d, f);
  fputc('\n', f);
  if (d->kind == DRAFT_IMAGES) put_images(d, f);
  if (d->kind == DRAFT_TABLE) put_rows(d, f);
  if (d->kind == DRAFT_COUNTS) put_counts(d, f);
  put_data(d, f);
  TRY(memo_take(d->e, &text, out));
fail:
  memo_free(&text);
  return rc;
}

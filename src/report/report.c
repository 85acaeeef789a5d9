/*
 * report/report.c: cldann_report: the page of a run whose model is at hand: what the folder tells (report/page.h), and what is
 * asked of the model: features, classes, predictions. Pictures are of analysis/draw.h, images of report/samples.h. The page is
 * made in memory and replaces the one of before when it is whole.
 */
#include <string.h>

#include "analysis/draw.h"
#include "analysis/plot.h"
#include "base/mem.h"
#include "base/memo.h"
#include "base/text.h"
#include "data/place.h"
#include "report/html.h"
#include "report/page.h"
#include "report/samples.h"
#include "train/judge.h"
#include "train/trainer_internal.h"

typedef struct report {
  page page;
  trainer *t;                                    /* holds the model; NULL: the method has none, or the data are not at hand */
  char lack[sizeof((cldann_error *)0)->message]; /* why they are not; empty: they are */
  int pictures;                                  /* gnuplot is here */
  char *classes;                                 /* their names, split */
  const char **names;
  cldann_detail target; /* on the target's test set; classes 0: there is none */
  int64_t *counts;
  int failed; /* of a callback */
} report;

/* ---- what is asked of the model ---- */

static int split_names(report *r) {
  int n, rc;
  TRY(experiment_class_names(r->page.x, &r->classes));
  if (!r->classes) return CLDANN_OK;
  TRY(text_lines(r->page.e, r->classes, &r->names, &n));
  if (n < judge_classes(&net_loss(r->page.x->net, CLDANN_TARGET_LABELS)->o)) /* more units than there are classes */
    mem_free(r->names), r->names = NULL;
fail:
  return rc;
}

static void keep_counts(void *user, const cldann_detail *d) {
  report *r = user;
  const size_t n = (size_t)d->classes * (size_t)d->classes;
  if ((r->failed = mem_new(r->page.e, &r->counts, n, sizeof *r->counts)) < 0) return;
  memcpy(r->counts, d->counts, n * sizeof *r->counts);
  r->target = *d;
  r->target.counts = r->counts;
  r->target.names = r->names;
}

/* Loads the data. A run that was copied without them, or whose program had them, has a page too: without what they are for. */
static int find_data(report *r, const cldann_train_options *o) {
  cldann_error *e = r->page.e;
  const int rc = experiment_load_data(r->page.x, o ? o->on_message : NULL, o ? o->user : NULL);
  if (rc == CLDANN_OK || rc == CLDANN_E_MEM) return rc;
  snprintf(r->lack, sizeof r->lack, "%s", e->message);
  err_clear(e);
  if (o && o->on_message) {
    o->on_message(o->user, r->lack);
    o->on_message(o->user, "the report is without features, classes and predictions, for want of the data");
  }
  return CLDANN_OK;
}

static int ask_model(report *r, const cldann_train_options *o) {
  char *path = NULL;
  int rc;
  TRY(text_join(r->page.e, &path, r->page.dir, "model.safetensors"));
  TRY(trainer_open_model(r->page.x, path, o, &r->t));
  TRY(split_names(r));
  if (r->page.x->target_test) TRY(trainer_detail(r->t, r->page.x->target_test, 1, "target_test", keep_counts, r));
  TRY(r->failed);
fail:
  mem_free(path);
  return rc;
}

/* ---- its sections ---- */

/* Two pictures beside each other: before training, and after. */
static int put_pair(const report *r, const char *before, const char *after, const char *how) {
  char words[200];
  int rc;
  fputs("<div class=\"beside\">\n", r->page.f);
  snprintf(words, sizeof words, "Features of source and target, %s, by the net before training.", how);
  TRY(page_picture(&r->page, r->page.dir, before, words));
  snprintf(words, sizeof words, "Features of source and target, %s, by the trained net.", how);
  TRY(page_picture(&r->page, r->page.dir, after, words));
  fputs("</div>\n", r->page.f);
fail:
  return rc;
}

static int put_features(const report *r) {
  const cldann_experiment *x = r->page.x;
  adaptation a;
  int rc = CLDANN_OK;
  if (!r->t || !r->pictures) return CLDANN_OK;
  TRY(draw_adaptation(r->t, r->page.dir, &a));
  fprintf(
      r->page.f,
      "<h2>Features</h2>\n<p class=\"faint\">What the label head reads, in two dimensions: %d items of the source's %s "
      "set, filled circles, and %d of the target's %s set, open triangles. Where both domains cover each other, a classifier "
      "learnt on the source has a chance on the target.</p>\n<h3>Two principal components</h3>\n",
      a.points[0], x->source_test ? "test" : "training", a.points[1], x->target_test ? "test" : "training");
  TRY(put_pair(r, "features-before", "features", "two principal components"));
  if (a.perplexity <= 0) return CLDANN_OK;
  fprintf(r->page.f,
          "<h3>Neighbours</h3>\n<p class=\"faint\">The same items by t-SNE, perplexity %.3g: about so many neighbours of each "
          "stay near it. How far groups are from each other, and how wide they are, says little.</p>\n",
          a.perplexity);
  TRY(put_pair(r, "features-tsne-before", "features-tsne", "placed by t-SNE"));
fail:
  return rc;
}

static void put_class(const report *r, int i) {
  if (r->names)
    html_text(r->page.f, r->names[i]);
  else
    fprintf(r->page.f, "%d", i);
}

static void put_counts(const report *r) {
  const int n = r->target.classes;
  fputs("<details><summary>The same as numbers of items</summary>\n<div class=\"scroll\" tabindex=\"0\"><table "
        "class=\"counts\">\n"
        "<tr><th scope=\"col\">is, taken for</th>",
        r->page.f);
  for (int i = 0; i < n; i++) fputs("<th scope=\"col\">", r->page.f), put_class(r, i), fputs("</th>", r->page.f);
  fputs("</tr>\n", r->page.f);
  for (int i = 0; i < n; i++) {
    fputs("<tr><th scope=\"row\">", r->page.f), put_class(r, i), fputs("</th>", r->page.f);
    for (int k = 0; k < n; k++)
      fprintf(r->page.f, "<td%s>%lld</td>", i == k ? " class=\"same\"" : "", (long long)r->counts[i * n + k]);
    fputs("</tr>\n", r->page.f);
  }
  fputs("</table></div></details>\n", r->page.f);
}

static int put_confusion(const report *r) {
  int rc = CLDANN_OK;
  if (!r->t) return CLDANN_OK;
  fputs("<h2>Classes of the target</h2>\n", r->page.f);
  if (!r->target.classes) {
    fputs("<p>The experiment has no test set of the target, so that nothing is known of its classes.</p>\n", r->page.f);
    return CLDANN_OK;
  }
  fprintf(r->page.f,
          "<p class=\"faint\">%lld items of the target's test set: a row for each class, and what its items were taken for. "
          "Calibration error %.3f.</p>\n",
          (long long)r->target.items, r->target.calibration_error);
  if (r->pictures) {
    TRY(draw_confusion(r->page.e, r->page.dir, &r->target));
    TRY(page_picture(&r->page, r->page.dir, "confusion",
                     "Confusion matrix of the target's test set; its numbers are in the table below."));
  }
  put_counts(r);
fail:
  return rc;
}

/* ---- the page ---- */

static const char no_pictures[] =
    "the report has no pictures, since gnuplot is not here; install it (Debian: gnuplot-nox) and run "
    "'cldann report'";

static int put_page(const report *r) {
  const page *p = &r->page;
  int rc;
  page_begin(p);
  page_lead(p);
  page_result(p);
  page_warnings(p);
  if (r->lack[0]) {
    fputs("<p>The page is without features, classes and predictions, since the data were not at hand: ", p->f);
    html_text(p->f, r->lack);
    fputs("</p>\n", p->f);
  }
  if (!r->pictures) fprintf(p->f, "<p>%c%s.</p>\n", 'T', no_pictures + 1);
  if (r->pictures) TRY(page_curves(p, p->dir));
  TRY(put_features(r));
  TRY(put_confusion(r));
  if (r->t) TRY(samples_write(r->t, r->names, p->f));
  TRY(page_settings(p));
  html_end(p->f);
fail:
  return rc;
}

int cldann_report(cldann_experiment *x, const char *dir, const cldann_train_options *options) {
  report r = {.page = {.x = x, .e = &x->ctx->err, .dir = dir}};
  page *p = &r.page;
  memo text = {.f = NULL};
  char *path = NULL;
  int rc;
  TRY(text_join(p->e, &path, dir, "report.html"));
  TRY(history_read(p->e, dir, &p->h));
  if (!x->s.method->linear) TRY(find_data(&r, options));
  if (!x->s.method->linear && !r.lack[0]) TRY(ask_model(&r, options));
  r.pictures = plot_ready();
  if (!r.pictures && options && options->on_message) options->on_message(options->user, no_pictures);
  TRY(memo_open(p->e, &text));
  p->f = text.f;
  TRY(put_page(&r));
  TRY(memo_end(p->e, &text));
  TRY(place_whole(p->e, path, text.text, text.size));
fail:
  memo_free(&text);
  mem_free(path);
  mem_free(r.counts);
  mem_free(r.names);
  mem_free(r.classes);
  history_free(&p->h);
  trainer_free(r.t);
  return rc;
}

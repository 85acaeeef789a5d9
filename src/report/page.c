/*
 * report/page.c: cldann_report: a run folder's page: what it says and in which order. Pictures are of analysis/draw.h, HTML of
 * report/html.h, images of report/samples.h. The page is made in memory and replaces the one of before when it is whole.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analysis/draw.h"
#include "analysis/plot.h"
#include "base/mem.h"
#include "base/text.h"
#include "data/place.h"
#include "report/html.h"
#include "report/samples.h"
#include "train/judge.h"
#include "train/trainer_internal.h"

typedef struct page {
  cldann_experiment *x;
  cldann_error *e;
  const char *dir;
  FILE *f;
  history h;
  trainer *t;    /* holds the model; NULL: the method has none */
  int pictures;  /* gnuplot is here */
  char *classes; /* their names, split */
  const char **names;
  cldann_detail target; /* on the target's test set; classes 0: there is none */
  int64_t *counts;
  int failed; /* of a callback */
} page;

/* What the domain head is right in by guessing. */
static double chance_of(const cldann_experiment *x) {
  return experiment_many_domains(x) ? 1.0 / (x->domains[0] + x->domains[1]) : 0.5;
}

/* ---- what is asked of the model ---- */

static int split_names(page *p) {
  int n = 1, rc;
  TRY(experiment_class_names(p->x, &p->classes));
  if (!p->classes) return CLDANN_OK;
  for (const char *s = p->classes; *s; s++) n += *s == '\n';
  const int needed = judge_classes(&net_loss(p->x->net, CLDANN_TARGET_LABELS)->o);
  if (n < needed) return CLDANN_OK; /* a head of more units than there are classes: their numbers */
  TRY(mem_new(p->e, &p->names, (size_t)n, sizeof *p->names));
  char *at = p->classes;
  for (int i = 0; i < n; i++) {
    char *end = strchr(at, '\n');
    if (end) *end = '\0';
    p->names[i] = at;
    at = end ? end + 1 : at;
  }
fail:
  return rc;
}

static void keep_counts(void *user, const cldann_detail *d) {
  page *p = user;
  const size_t n = (size_t)d->classes * (size_t)d->classes;
  if ((p->failed = mem_new(p->e, &p->counts, n, sizeof *p->counts)) < 0) return;
  memcpy(p->counts, d->counts, n * sizeof *p->counts);
  p->target = *d;
  p->target.counts = p->counts;
  p->target.names = p->names;
}

static int ask_model(page *p, const cldann_train_options *o) {
  char *path = NULL;
  int rc;
  TRY(text_join(p->e, &path, p->dir, "model.safetensors"));
  TRY(trainer_open_model(p->x, path, o, &p->t));
  TRY(split_names(p));
  if (p->x->target_test) TRY(trainer_detail(p->t, p->x->target_test, 1, "target_test", keep_counts, p));
  TRY(p->failed);
fail:
  mem_free(path);
  return rc;
}

/* ---- result ---- */

static void put_lead(const page *p) {
  const cldann_result *r = &p->h.result;
  fputs("<p class=\"lead\">", p->f);
  if (!p->h.done) {
    const cldann_progress *last = p->h.n ? &p->h.windows[p->h.n - 1] : NULL;
    fprintf(p->f, "The run did not come to its end: its last line of metrics is of step %lld of %lld.</p>\n",
            last ? (long long)last->step : 0LL, (long long)p->x->s.steps);
    return;
  }
  fprintf(p->f, "After %lld steps the method %s ", (long long)r->steps, r->method);
  if (isfinite(r->target_accuracy))
    fprintf(p->f, "classifies <b>%.1f %%</b> of the target's test set correctly", 100 * r->target_accuracy);
  if (isfinite(r->source_accuracy))
    fprintf(p->f, "%s%.1f %% of the source's", isfinite(r->target_accuracy) ? ", and " : "classifies ",
            100 * r->source_accuracy);
  if (!isfinite(r->target_accuracy) && !isfinite(r->source_accuracy)) fputs("is done; there is no test set", p->f);
  if (isfinite(r->domain_accuracy) && p->x->s.method->domain_loss)
    fprintf(p->f, "; its domain head tells the domains apart in %.1f %% of cases, where guessing gives %.0f %%",
            100 * r->domain_accuracy, 100 * chance_of(p->x));
  fputs(".</p>\n", p->f);
}

static void put_row(const page *p, const char *what, const char *value, const char *remark) {
  fprintf(p->f, "<tr><th scope=\"row\">%s</th><td>", what);
  html_text(p->f, value);
  fprintf(p->f, "</td><td class=\"faint\">%s</td></tr>\n", remark);
}

/* Nothing where there is no such figure. */
static void put_figure(const page *p, const char *what, double v, const char *remark) {
  char text[32];
  if (!isfinite(v)) return;
  snprintf(text, sizeof text, "%.4f", v);
  put_row(p, what, text, remark);
}

static void put_items(const page *p, const char *what, double v, const dataset *d) {
  char remark[64] = "";
  if (d) snprintf(remark, sizeof remark, "test set, %d items", d->n);
  put_figure(p, what, v, remark);
}

static void put_accuracies(const page *p) {
  const cldann_result *r = &p->h.result;
  char remark[120];
  put_items(p, "target accuracy", r->target_accuracy, p->x->target_test);
  put_items(p, "source accuracy", r->source_accuracy, p->x->source_test);
  snprintf(remark, sizeof remark, "both test sets; %.2g: the head cannot tell them apart%s", chance_of(p->x),
           p->x->s.method->domain_loss ? "" : ". It was not trained");
  put_figure(p, "domain accuracy", r->domain_accuracy, remark);
  snprintf(remark, sizeof remark, "on rows held out of the source; the model is of step %lld", (long long)r->model_step);
  if (p->x->s.method->id == METHOD_TARGET_ONLY)
    snprintf(remark, sizeof remark, "on rows held out of training; the model is of step %lld", (long long)r->model_step);
  put_figure(p, "validation accuracy", r->validation_accuracy, remark);
  put_figure(p, "target accuracy, last step", r->last_target_accuracy, "without the choice of a step by validation");
  put_figure(p, "reverse validation", r->reverse_accuracy, "accuracy on the source of what the target's predictions teach");
  put_figure(p, "proxy A-distance", r->pad, "of the features: 0 alike, 2 always told apart");
  put_figure(p, "target accuracy, SVM", r->svm_target_accuracy, "of a linear SVM on the features");
  put_figure(p, "source accuracy, SVM", r->svm_source_accuracy, "of a linear SVM on the features");
}

static void put_result(const page *p) {
  const cldann_result *r = &p->h.result;
  char text[64];
  fputs("<h2>Result</h2>\n<div class=\"scroll\"><table>\n", p->f);
  if (p->h.done) put_accuracies(p);
  put_row(p, "method", p->x->s.method->name, "");
  snprintf(text, sizeof text, "%llu", (unsigned long long)p->x->s.seed);
  put_row(p, "seed", text, "");
  if (p->h.done) {
    snprintf(text, sizeof text, "%lld", (long long)r->steps);
    put_row(p, "steps", text, "");
    snprintf(text, sizeof text, "%.1f s", r->seconds);
    if (isfinite(r->seconds)) put_row(p, "time", text, "of the training steps");
    snprintf(text, sizeof text, "%.0f", r->samples_per_second);
    if (isfinite(r->samples_per_second)) put_row(p, "rows a second", text, "");
    put_row(p, "device", r->device, "");
  }
  put_row(p, "folder", p->dir, "");
  fputs("</table></div>\n", p->f);
}

static void put_warnings(const page *p) {
  const history *h = &p->h;
  fputs("<h2>Warnings</h2>\n", p->f);
  if (!h->n_warnings && !h->cut) {
    fputs("<p>None: the run gave no sign of an adaptation that does not work.</p>\n", p->f);
    return;
  }
  fputs("<ul class=\"warnings\">\n", p->f);
  for (int i = 0; i < h->n_warnings; i++) {
    if (h->warnings[i].step)
      fprintf(p->f, "<li>Step %lld: ", (long long)h->warnings[i].step);
    else
      fputs("<li>Before the first step: ", p->f);
    html_text(p->f, h->warnings[i].text);
    fputs(".</li>\n", p->f);
  }
  if (h->cut)
    fputs("<li>The last line of metrics.jsonl is not whole and left out: the run was stopped while it wrote.</li>\n", p->f);
  fputs("</ul>\n", p->f);
}

/* ---- pictures ---- */

static int put_picture(const page *p, const char *name, const char *words) {
  char file[64], *path = NULL;
  int rc;
  snprintf(file, sizeof file, "%s.svg", name);
  TRY(text_join(p->e, &path, p->dir, file));
  fputs("<figure class=\"picture\">\n", p->f);
  TRY(html_picture(p->e, p->f, path, words));
  fputs("</figure>\n", p->f);
fail:
  mem_free(path);
  return rc;
}

static int put_curves(const page *p) {
  char words[200];
  int rc = CLDANN_OK;
  if (!p->pictures || !p->h.n) return CLDANN_OK;
  const cldann_progress *last = &p->h.windows[p->h.n - 1];
  TRY(draw_curves(p->e, p->dir, &p->h, chance_of(p->x)));
  fputs("<h2>Training</h2>\n", p->f);
  snprintf(words, sizeof words,
           "Losses, accuracies, lambda and learning rate over %lld steps. Last window: label loss %.3g, domain accuracy %.3g.",
           (long long)last->step, last->label_loss, last->domain_accuracy);
  TRY(put_picture(p, "curves", words));
fail:
  return rc;
}

/* DIR/features-tsne.svg, which cldann_draw makes where it is asked to; not one of an older model. */
static int has_tsne(const page *p, int *has) {
  char *picture = NULL, *model = NULL;
  struct stat a, b;
  int rc;
  TRY(text_join(p->e, &picture, p->dir, "features-tsne.svg"));
  TRY(text_join(p->e, &model, p->dir, "model.safetensors"));
  *has = stat(picture, &a) == 0 && stat(model, &b) == 0 && a.st_mtime >= b.st_mtime;
fail:
  mem_free(picture);
  mem_free(model);
  return rc;
}

static int put_features(const page *p) {
  int rc, tsne = 0;
  if (!p->t) return CLDANN_OK;
  TRY(has_tsne(p, &tsne));
  if (!p->pictures && !tsne) return CLDANN_OK;
  fputs("<h2>Features</h2>\n<p class=\"faint\">What the label head reads, in two dimensions. Where both domains cover each "
        "other, a "
        "classifier learnt on the source has a chance on the target.</p>\n",
        p->f);
  if (p->pictures) {
    TRY(draw_adaptation(p->t, p->dir));
    fputs("<div class=\"beside\">\n", p->f);
    TRY(put_picture(p, "features-before",
                    "Features of source and target, two principal components, by the net before training."));
    TRY(put_picture(p, "features", "Features of source and target, two principal components, by the trained net."));
    fputs("</div>\n", p->f);
  }
  if (tsne) TRY(put_picture(p, "features-tsne", "Features of source and target by the trained net, placed by t-SNE."));
fail:
  return rc;
}

static void put_class(const page *p, int i) {
  if (p->names)
    html_text(p->f, p->names[i]);
  else
    fprintf(p->f, "%d", i);
}

static void put_counts(const page *p) {
  const int n = p->target.classes;
  fputs("<details><summary>The same as numbers of items</summary>\n<div class=\"scroll\" tabindex=\"0\"><table "
        "class=\"counts\">\n"
        "<tr><th scope=\"col\">is, taken for</th>",
        p->f);
  for (int i = 0; i < n; i++) fputs("<th scope=\"col\">", p->f), put_class(p, i), fputs("</th>", p->f);
  fputs("</tr>\n", p->f);
  for (int i = 0; i < n; i++) {
    fputs("<tr><th scope=\"row\">", p->f), put_class(p, i), fputs("</th>", p->f);
    for (int k = 0; k < n; k++)
      fprintf(p->f, "<td%s>%lld</td>", i == k ? " class=\"same\"" : "", (long long)p->counts[i * n + k]);
    fputs("</tr>\n", p->f);
  }
  fputs("</table></div></details>\n", p->f);
}

static int put_confusion(const page *p) {
  int rc = CLDANN_OK;
  if (!p->t) return CLDANN_OK;
  fputs("<h2>Classes of the target</h2>\n", p->f);
  if (!p->target.classes) {
    fputs("<p>The experiment has no test set of the target, so that nothing is known of its classes.</p>\n", p->f);
    return CLDANN_OK;
  }
  fprintf(p->f,
          "<p class=\"faint\">%lld items of the target's test set: a row for each class, and what its items were taken for. "
          "Calibration error %.3f.</p>\n",
          (long long)p->target.items, p->target.calibration_error);
  if (p->pictures) {
    TRY(draw_confusion(p->e, p->dir, &p->target));
    TRY(put_picture(p, "confusion", "Confusion matrix of the target's test set; its numbers are in the table below."));
  }
  put_counts(p);
fail:
  return rc;
}

static int put_settings(const page *p) {
  char *text = NULL;
  int rc;
  TRY(cldann_experiment_text(p->x, &text));
  fputs("<h2>Settings</h2>\n<details><summary>experiment.conf: all of them; <code>cldann train</code> takes it as it "
        "is</summary>\n"
        "<pre tabindex=\"0\">",
        p->f);
  html_text(p->f, text);
  fputs("</pre></details>\n", p->f);
fail:
  cldann_free_text(text);
  return rc;
}

/* ---- the page ---- */

static const char no_pictures[] =
    "the report has no pictures, since gnuplot is not here; install it (Debian: gnuplot-nox) and run "
    "'cldann report'";

static int put_page(page *p) {
  char title[200];
  int rc;
  snprintf(title, sizeof title, "%s: %s, seed %llu", p->x->s.name, p->x->s.method->name, (unsigned long long)p->x->s.seed);
  html_begin(p->f, title);
  fputs("<h1>", p->f), html_text(p->f, title), fputs("</h1>\n", p->f);
  put_lead(p);
  put_result(p);
  put_warnings(p);
  if (!p->pictures) fprintf(p->f, "<p>%c%s.</p>\n", 'T', no_pictures + 1);
  TRY(put_curves(p));
  TRY(put_features(p));
  TRY(put_confusion(p));
  if (p->t) TRY(samples_write(p->t, p->names, p->f));
  TRY(put_settings(p));
  html_end(p->f);
fail:
  return rc;
}

int cldann_report(cldann_experiment *x, const char *dir, const cldann_train_options *options) {
  page p = {.x = x, .e = &x->ctx->err, .dir = dir};
  char *text = NULL, *path = NULL;
  size_t size = 0;
  int rc;
  TRY(text_join(p.e, &path, dir, "report.html"));
  TRY(history_read(p.e, dir, &p.h));
  if (!x->s.method->linear) TRY(ask_model(&p, options));
  p.pictures = plot_ready();
  if (!p.pictures && options && options->on_message) options->on_message(options->user, no_pictures);
  if (!(p.f = open_memstream(&text, &size))) FAIL(p.e, CLDANN_E_MEM, "no memory for %s", path);
  rc = put_page(&p);
  if (fclose(p.f) != 0 && rc == CLDANN_OK) FAIL(p.e, CLDANN_E_MEM, "no memory for %s", path);
  TRY(rc);
  TRY(place_whole(p.e, path, text, size));
fail:
  free(text);
  mem_free(path);
  mem_free(p.counts);
  mem_free(p.names);
  mem_free(p.classes);
  history_free(&p.h);
  trainer_free(p.t);
  return rc;
}

/* report/page.c: see report/page.h. */
#include "report/page.h"

#include <math.h>

#include "analysis/draw.h"
#include "base/mem.h"
#include "base/text.h"
#include "report/html.h"

/* What the domain head is right in by guessing. */
static double chance_of(const cldann_experiment *x) {
  return experiment_many_domains(x) ? 1.0 / (x->domains[0] + x->domains[1]) : 0.5;
}

void page_begin(const page *p) {
  char title[200];
  snprintf(title, sizeof title, "%s: %s, seed %llu", p->x->s.name, p->x->s.method->name, (unsigned long long)p->x->s.seed);
  html_begin(p->f, title, p->refresh);
  fputs("<h1>", p->f), html_text(p->f, title), fputs("</h1>\n", p->f);
}

/* ---- result ---- */

void page_lead(const page *p) {
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

void page_row(const page *p, const char *what, const char *value, const char *remark) {
  fprintf(p->f, "<tr><th scope=\"row\">%s</th><td>", what);
  html_text(p->f, value);
  fprintf(p->f, "</td><td class=\"faint\">%s</td></tr>\n", remark);
}

void page_figure(const page *p, const char *what, double v, const char *remark) {
  char text[32];
  if (!isfinite(v)) return;
  snprintf(text, sizeof text, "%.4f", v);
  page_row(p, what, text, remark);
}

static void put_items(const page *p, const char *what, double v, const dataset *d) {
  char remark[64] = "";
  if (d) snprintf(remark, sizeof remark, "test set, %d items", d->n);
  page_figure(p, what, v, remark);
}

static void put_accuracies(const page *p) {
  const cldann_result *r = &p->h.result;
  char remark[120];
  put_items(p, "target accuracy", r->target_accuracy, p->x->target_test);
  put_items(p, "source accuracy", r->source_accuracy, p->x->source_test);
  snprintf(remark, sizeof remark, "both test sets; %.2g: the head cannot tell them apart%s", chance_of(p->x),
           p->x->s.method->domain_loss ? "" : ". It was not trained");
  page_figure(p, "domain accuracy", r->domain_accuracy, remark);
  snprintf(remark, sizeof remark, "on rows held out of the source; the model is of step %lld", (long long)r->model_step);
  if (p->x->s.method->id == METHOD_TARGET_ONLY)
    snprintf(remark, sizeof remark, "on rows held out of training; the model is of step %lld", (long long)r->model_step);
  page_figure(p, "validation accuracy", r->validation_accuracy, remark);
  if (r->model_step != r->steps)
    page_figure(p, "target accuracy, last step", r->last_target_accuracy, "without the choice of a step by validation");
  page_figure(p, "reverse validation", r->reverse_accuracy, "accuracy on the source of what the target's predictions teach");
  page_figure(p, "proxy A-distance", r->pad, "of the features: 0 alike, 2 always told apart");
  page_figure(p, "target accuracy, SVM", r->svm_target_accuracy, "of a linear SVM on the features");
  page_figure(p, "source accuracy, SVM", r->svm_source_accuracy, "of a linear SVM on the features");
}

void page_result(const page *p) {
  const cldann_result *r = &p->h.result;
  char text[64];
  fputs("<h2>Result</h2>\n<div class=\"scroll\"><table>\n", p->f);
  if (p->h.done) put_accuracies(p);
  page_row(p, "method", p->x->s.method->name, "");
  snprintf(text, sizeof text, "%llu", (unsigned long long)p->x->s.seed);
  page_row(p, "seed", text, "");
  if (p->h.done) {
    snprintf(text, sizeof text, "%lld", (long long)r->steps);
    page_row(p, "steps", text, "");
    snprintf(text, sizeof text, "%.1f s", r->seconds);
    if (isfinite(r->seconds)) page_row(p, "time", text, "of the training steps");
    snprintf(text, sizeof text, "%.0f", r->samples_per_second);
    if (isfinite(r->samples_per_second)) page_row(p, "rows a second", text, "");
    page_row(p, "device", r->device, "");
  }
  page_row(p, "folder", p->dir, "");
  fputs("</table></div>\n", p->f);
}

void page_warnings(const page *p) {
  const history *h = &p->h;
  const int cut = h->cut && !p->refresh; /* else the line may be on its way */
  fputs("<h2>Warnings</h2>\n", p->f);
  if (!h->n_warnings && !cut) {
    fprintf(p->f, "<p>None%s: the run gave no sign of an adaptation that does not work.</p>\n",
            p->refresh && !h->done ? " so far" : "");
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
  if (cut)
    fputs("<li>The last line of metrics.jsonl is not whole and left out: the run was stopped while it wrote.</li>\n", p->f);
  fputs("</ul>\n", p->f);
}

/* ---- pictures and settings ---- */

int page_picture(const page *p, const char *dir, const char *name, const char *words) {
  char file[64], *path = NULL;
  int rc;
  snprintf(file, sizeof file, "%s.svg", name);
  TRY(text_join(p->e, &path, dir, file));
  fputs("<figure class=\"picture\">\n", p->f);
  TRY(html_picture(p->e, p->f, path, words));
  fputs("</figure>\n", p->f);
fail:
  mem_free(path);
  return rc;
}

int page_curves(const page *p, const char *dir) {
  char words[200];
  int rc = CLDANN_OK;
  if (!p->h.n) return CLDANN_OK;
  const cldann_progress *last = &p->h.windows[p->h.n - 1];
  TRY(draw_curves(p->e, dir, &p->h, chance_of(p->x)));
  fputs("<h2>Training</h2>\n", p->f);
  snprintf(words, sizeof words,
           "Losses, accuracies, lambda and learning rate over %lld steps. Last window: label loss %.3g, domain accuracy %.3g.",
           (long long)last->step, last->label_loss, last->domain_accuracy);
  TRY(page_picture(p, dir, "curves", words));
fail:
  return rc;
}

int page_settings(const page *p) {
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

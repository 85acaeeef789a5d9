/* report/live.c: see report/live.h. */
#include "report/live.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "analysis/plot.h"
#include "base/mem.h"
#include "base/memo.h"
#include "base/text.h"
#include "data/bytes.h"
#include "data/place.h"
#include "device/context.h"
#include "report/html.h"
#include "report/page.h"

struct live {
  char *dir, *metrics, *conf, *report; /* paths */
  int to_begin;
  struct stat before; /* metrics.jsonl when it was opened */
  memo curves;        /* their section; none yet where it has no text */
  struct stat drawn;  /* metrics.jsonl when they were drawn */
};

/* All zero where there is no file. */
static struct stat look(const char *path) {
  struct stat st;
  if (stat(path, &st) != 0) memset(&st, 0, sizeof st);
  return st;
}

static int earlier(struct timespec a, struct timespec b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

static int same(const struct stat *a, const struct stat *b) {
  return a->st_ino == b->st_ino && a->st_size == b->st_size && !earlier(a->st_mtim, b->st_mtim) &&
         !earlier(b->st_mtim, a->st_mtim);
}

int live_open(cldann_error *e, const char *dir, int to_begin, live **out) {
  live *l = NULL;
  int rc;
  *out = NULL;
  TRY(mem_new(e, &l, 1, sizeof *l));
  TRY(mem_strdup(e, &l->dir, dir));
  TRY(text_join(e, &l->metrics, dir, "metrics.jsonl"));
  TRY(text_join(e, &l->conf, dir, "experiment.conf"));
  TRY(text_join(e, &l->report, dir, "report.html"));
  l->to_begin = to_begin;
  if (!to_begin && access(l->metrics, R_OK) != 0)
    FAIL(e, CLDANN_E_IO, "%s: %s; name a folder that 'cldann train --out' made", l->metrics, strerror(errno));
  l->before = look(l->metrics);
  *out = l;
  return CLDANN_OK;
fail:
  live_free(l);
  return rc;
}

void live_free(live *l) {
  if (!l) return;
  memo_free(&l->curves);
  mem_free(l->dir);
  mem_free(l->metrics);
  mem_free(l->conf);
  mem_free(l->report);
  mem_free(l);
}

/* ---- curves ---- */

/* Not in the folder, where a training that ends draws its own. */
static int draw(const page *p, const char *dir) {
  static const char *const left[] = {"curves.gp", "curves.png", "curves.svg"};
  const int rc = page_curves(p, dir);
  char path[4096];
  for (size_t i = 0; i < sizeof left / sizeof *left; i++)
    if (snprintf(path, sizeof path, "%s/%s", dir, left[i]) < (int)sizeof path) unlink(path);
  rmdir(dir);
  return rc;
}

/* The section anew; the one of before stays where that fails. */
static int draw_again(live *l, const page *p) {
  memo text = {.f = NULL};
  char *dir = NULL;
  page q = *p;
  int rc;
  TRY(place_temporary(p->e, "cldann-curves-XXXXXX", &dir));
  if (!mkdtemp(dir)) FAIL(p->e, CLDANN_E_IO, "cannot make %s: %s; name another folder as TMPDIR", dir, strerror(errno));
  TRY(memo_open(p->e, &text));
  q.f = text.f;
  TRY(draw(&q, dir));
  TRY(memo_end(p->e, &text));
  memo_free(&l->curves);
  l->curves = text;
  text = (memo){.f = NULL};
fail:
  memo_free(&text);
  mem_free(dir);
  return rc;
}

/* Drawn again only when there is more to draw. A page is worth having without them too. */
static void put_curves(live *l, const page *p, const struct stat *now) {
  if (!same(&l->drawn, now)) {
    if (!plot_ready()) {
      fputs("<p>There are no curves, since gnuplot is not here; install it (Debian: gnuplot-nox), they then come by "
            "themselves.</p>\n",
            p->f);
      return;
    }
    if (draw_again(l, p) == CLDANN_OK) l->drawn = *now;
  }
  if (l->curves.text) fputs(l->curves.text, p->f);
  if (!p->e->code) return;
  fputs("<p>The curves are not up to date: ", p->f), html_text(p->f, p->e->message), fputs(".</p>\n", p->f);
  err_clear(p->e);
}

/* ---- the page ---- */

static void put_progress(const page *p) {
  const cldann_progress *last = p->h.n ? &p->h.windows[p->h.n - 1] : NULL;
  const long long step = last ? last->step : 0, steps = p->x->s.steps;
  char left[TEXT_DURATION];
  fprintf(p->f, "<p class=\"lead\">Step <b>%lld</b> of %lld", step, steps);
  if (last && isfinite(last->eta_seconds)) fprintf(p->f, ", about %s to go", text_duration(left, last->eta_seconds));
  fprintf(p->f, ".</p>\n<p><progress aria-label=\"steps\" max=\"%lld\" value=\"%lld\">%.0f %%</progress></p>\n", steps, step,
          steps ? 100.0 * (double)step / (double)steps : 0);
}

static void put_domain_accuracy(const page *p, const cldann_progress *w) {
  char remark[80] = "";
  if (isfinite(w->domain_accuracy_low))
    snprintf(remark, sizeof remark, "95 %% interval: %.4f to %.4f", w->domain_accuracy_low, w->domain_accuracy_high);
  page_figure(p, "domain accuracy", w->domain_accuracy, remark);
}

/* Of the last window. A run that stopped shows by the age of its figures. */
static void put_figures(const page *p, const struct stat *now) {
  const cldann_progress *w = p->h.n ? &p->h.windows[p->h.n - 1] : NULL;
  const double age = difftime(time(NULL), now->st_mtim.tv_sec);
  char text[TEXT_DURATION];
  if (!w) return;
  fputs("<h2>Last figures</h2>\n<div class=\"scroll\"><table>\n", p->f);
  page_figure(p, "label loss", w->label_loss, "");
  page_figure(p, "domain loss", w->domain_loss, "");
  page_figure(p, "label accuracy", w->label_accuracy, "of the label head, on training rows");
  put_domain_accuracy(p, w);
  page_figure(p, "validation accuracy", w->validation_accuracy, "on rows held out");
  page_figure(p, "validation loss", w->validation_loss, "");
  page_figure(p, "lambda", w->lambda, "");
  snprintf(text, sizeof text, "%.4g", w->lr);
  if (isfinite(w->lr)) page_row(p, "learning rate", text, "");
  snprintf(text, sizeof text, "%.0f", w->samples_per_second);
  if (isfinite(w->samples_per_second)) page_row(p, "rows a second", text, "");
  page_row(p, "time", text_duration(text, w->seconds), "of the training steps");
  page_row(p, "age of these figures", text_duration(text, age > 0 ? age : 0), "");
  fputs("</table></div>\n", p->f);
}

static int put_run(live *l, page *p, const struct stat *now) {
  int rc;
  page_begin(p);
  if (p->h.done) {
    page_lead(p);
    fprintf(p->f, "<p>Its report is not made yet; 'cldann report' makes it.</p>\n");
    page_result(p);
  } else {
    put_progress(p);
    put_figures(p, now);
  }
  page_warnings(p);
  put_curves(l, p, now);
  TRY(page_settings(p));
  html_end(p->f);
fail:
  return rc;
}

/* A page of one sentence. */
static void put_words(const live *l, FILE *f, const char *words) {
  html_begin(f, l->dir, LIVE_REFRESH);
  fputs("<h1>", f), html_text(f, l->dir);
  fputs("</h1>\n<p class=\"lead\">", f), html_text(f, words), fputs(".</p>\n", f);
  html_end(f);
}

/* Is there nothing yet of the run that is meant? */
static int not_begun(const live *l, const struct stat *now) {
  return (l->to_begin && same(&l->before, now)) || access(l->conf, F_OK) != 0;
}

/* A report that is older than the last line is of a run before. */
static int has_report(const live *l, const struct stat *now) {
  const struct stat report = look(l->report);
  return report.st_size > 0 && !earlier(report.st_mtim, now->st_mtim);
}

static int put_report(cldann_error *e, const live *l, FILE *f) {
  uint8_t *bytes = NULL;
  size_t size = 0;
  int rc;
  TRY(bytes_read(e, l->report, &bytes, &size));
  fwrite(bytes, 1, size, f);
fail:
  mem_free(bytes);
  return rc;
}

static int put_page(live *l, cldann *c, FILE *f) {
  const struct stat now = look(l->metrics);
  page p = {.e = &c->err, .dir = l->dir, .f = f, .refresh = LIVE_REFRESH};
  int rc = CLDANN_OK;
  if (not_begun(l, &now)) {
    put_words(l, f, "The training has not begun: data are read and kernels are compiled");
    return CLDANN_OK;
  }
  TRY(history_read(p.e, l->dir, &p.h));
  if (p.h.done && has_report(l, &now)) {
    TRY(put_report(p.e, l, f));
  } else {
    TRY(cldann_experiment_load(c, l->conf, NULL, 0, NULL, &p.x));
    TRY(put_run(l, &p, &now));
  }
fail:
  history_free(&p.h);
  cldann_experiment_free(p.x);
  return rc;
}

/* A page that was begun and failed goes; the one of the failure comes in its place. */
int live_page(live *l, char **text, size_t *size) {
  cldann no_device = {.dev = NULL};
  int rc = CLDANN_OK;
  FILE *f = open_memstream(text, size);
  if (!f) return CLDANN_E_MEM;
  rc = put_page(l, &no_device, f);
  if (fclose(f) != 0) rc = CLDANN_E_MEM;
  if (rc == CLDANN_OK) return rc;
  free(*text);
  *text = NULL;
  if (rc == CLDANN_E_MEM || !(f = open_memstream(text, size))) return CLDANN_E_MEM;
  put_words(l, f, no_device.err.message);
  if (fclose(f) == 0) return rc;
  free(*text);
  *text = NULL;
  return CLDANN_E_MEM;
}

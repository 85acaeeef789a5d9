/*
 * cli/progress.c: how a training looks while it runs. On a terminal one line is redrawn; else plain lines come, at most
 * sixty in a run however often the library reports; with --json each report is an object on standard output. No colours, so
 * NO_COLOR has nothing to turn off.
 */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"
#include "train/metrics.h"

enum { PLAIN_LINES = 60, BAR_MOST = 30, BAR_LEAST = 6, LINE = 256 };

void progress_init(progress *p, const cli_args *a) {
  const char *term = getenv("TERM");
  int can_redraw = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
  memset(p, 0, sizeof *p);
  p->json = a->json;
  p->messages = !a->quiet;
  /* JSON on the same terminal would run into the redrawn line. */
  p->bar = !a->quiet && can_redraw && !(a->json && isatty(STDOUT_FILENO));
  p->lines = !a->quiet && !p->bar && !a->json;
}

static int terminal_width(void) {
#ifdef TIOCGWINSZ
  struct winsize w;
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0) return w.ws_col;
#endif
  return 80;
}

/* Appends text behind a blank, if all of it fits: a wrapped line could not be redrawn. */
static int append(char line[LINE], int width, const char *fmt, ...) ERR_PRINTF(3, 4);
static int append(char line[LINE], int width, const char *fmt, ...) {
  char text[LINE];
  const size_t at = strlen(line);
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  if (at + strlen(text) + 1 > (size_t)width) return 0;
  snprintf(line + at, LINE - at, "%s%s", at ? " " : "", text);
  return 1;
}

static void append_bar(char line[LINE], int width, double done) {
  char bar[BAR_MOST + 1];
  int room = width - (int)strlen(line) - 3;
  if (room > BAR_MOST) room = BAR_MOST;
  if (room < BAR_LEAST) return;
  const int full = (int)(room * done);
  for (int i = 0; i < room; i++) bar[i] = i < full ? '=' : i == full ? '>' : ' ';
  bar[room] = 0;
  append(line, width, "[%s]", bar);
}

/* What matters most comes first: what does not fit the terminal is left out, from the end. */
static void draw_line(progress *p, const cldann_progress *r) {
  char line[LINE] = "", label[TEXT_NUMBER], domain[TEXT_NUMBER], lambda[TEXT_NUMBER], accuracy[TEXT_NUMBER], rate[TEXT_NUMBER],
       eta[TEXT_DURATION];
  int width = terminal_width() - 1;
  if (width > LINE - 1) width = LINE - 1;
  if (p->label) append(line, width, "%s", p->label);
  if (append(line, width, "%lld/%lld", (long long)r->step, (long long)r->steps) &&
      append(line, width, "ETA %s", text_duration(eta, r->eta_seconds)) &&
      append(line, width, "label %s", text_number(label, r->label_loss, 3)) &&
      append(line, width, "domain %s (acc %s)", text_number(domain, r->domain_loss, 3),
             text_number(accuracy, r->domain_accuracy, 2)) &&
      append(line, width, "lambda %s", text_number(lambda, r->lambda, 2)) && append(line, width, "lr %.2g", r->lr) &&
      append(line, width, "%s/s", text_number(rate, r->samples_per_second, 0)))
    append_bar(line, width, r->steps > 0 ? (double)r->step / (double)r->steps : 0);
  fprintf(stderr, "\r%s\033[K", line);
  fflush(stderr);
  p->drawn = 1;
}

static void print_line(progress *p, const cldann_progress *r) {
  char label[TEXT_NUMBER], domain[TEXT_NUMBER], lambda[TEXT_NUMBER], la[TEXT_NUMBER], da[TEXT_NUMBER], rate[TEXT_NUMBER],
      eta[TEXT_DURATION];
  const int64_t gap = r->step - p->last_step, most = PLAIN_LINES * gap;
  p->last_step = r->step;
  if (r->step < p->next_line && r->step != r->steps) return;
  p->next_line = r->step + (gap > 0 ? (r->steps + most - 1) / most * gap : 1); /* every so many reports */
  fprintf(stderr,
          "%s%sstep %lld/%lld  label loss %s (acc %s)  domain loss %s (acc %s)  lambda %s  lr %.4g  %s samples/s  ETA %s\n",
          p->label ? p->label : "", p->label ? ": " : "", (long long)r->step, (long long)r->steps,
          text_number(label, r->label_loss, 4), text_number(la, r->label_accuracy, 3), text_number(domain, r->domain_loss, 4),
          text_number(da, r->domain_accuracy, 3), text_number(lambda, r->lambda, 3), r->lr,
          text_number(rate, r->samples_per_second, 0), text_duration(eta, r->eta_seconds));
}

static void on_progress(void *user, const cldann_progress *r) {
  progress *p = user;
  if (p->bar) draw_line(p, r);
  if (p->lines) print_line(p, r);
  if (p->json && !p->error.code) metrics_line(&p->error, stdout, "standard output", metrics_progress_json(r));
}

/* A signal stops the training; so does a reader of --json that went away, lest hours of it run on for nobody. */
static int should_stop(void *user) {
  const progress *p = user;
  return p->error.code || cli_interrupted();
}

void progress_clear(progress *p) {
  if (p->drawn) fputs("\r\033[K", stderr);
  p->drawn = 0;
}

void progress_message(void *user, const char *line) {
  progress *p = user;
  p->warnings += !strncmp(line, "warning: ", 9);
  if (!p->messages) return;
  progress_clear(p);
  fprintf(stderr, "%s\n", line);
}

cldann_train_options progress_options(progress *p, const char *label, const char *out_dir) {
  p->label = label;
  p->next_line = p->last_step = 0;
  return (cldann_train_options){
      .out_dir = out_dir, .on_progress = on_progress, .on_message = progress_message, .should_stop = should_stop, .user = p};
}

/* analysis/curves.c: draw_curves: a training's windows over its steps, in three panels. See analysis/draw.h. */
#include <math.h>

#include "analysis/draw.h"
#include "analysis/plot.h"
#include "base/mem.h"
#include "base/memo.h"

/* Columns of the data, as gnuplot counts them. */
enum {
  STEP = 1,
  LABEL_LOSS,
  DOMAIN_LOSS,
  HELD_LOSS,
  LABEL_ACCURACY,
  HELD_ACCURACY,
  DOMAIN_ACCURACY,
  DOMAIN_LOW,
  DOMAIN_HIGH,
  LAMBDA,
  RATE,
  COLUMNS = RATE
};
enum {
  MOST_POINTS = 250,
  FEW_POINTS = 50
}; /* of a curve: beyond, each is the mean of windows; up to so few are seen as points */

typedef struct curves {
  double *rows; /* (n, COLUMNS) */
  int n, each;  /* each is the mean of so many windows, the last of what is left */
  memo commands;
  int panel; /* curves in this one so far */
} curves;

/* The means of what is a number; the step is the last one's. */
static void fill(const history *h, curves *c) {
  int count[COLUMNS] = {0};
  for (int i = 0; i < h->n; i++) {
    const cldann_progress *p = &h->windows[i];
    const double row[COLUMNS] = {(double)p->step,
                                 p->label_loss,
                                 p->domain_loss,
                                 p->validation_loss,
                                 p->label_accuracy,
                                 p->validation_accuracy,
                                 p->domain_accuracy,
                                 p->domain_accuracy_low,
                                 p->domain_accuracy_high,
                                 p->lambda,
                                 p->lr};
    double *to = c->rows + (size_t)(i / c->each) * COLUMNS;
    for (int k = 0; k < COLUMNS; k++) {
      count[k] = i % c->each ? count[k] : 0;
      if (i % c->each == 0) to[k] = NAN;
      if (!isfinite(row[k])) continue;
      count[k]++;
      to[k] = k + 1 == STEP || count[k] == 1 ? row[k] : to[k] + (row[k] - to[k]) / count[k];
    }
  }
}

/* Does any window have a number there? */
static int has(const curves *c, int column) {
  for (int i = 0; i < c->n; i++)
    if (isfinite(c->rows[i * COLUMNS + column - 1])) return 1;
  return 0;
}

/* Marks of the left axis, of a panel whose curves are those of three columns. */
static void put_marks(curves *c, const int columns[3]) {
  double low = INFINITY, high = -INFINITY;
  for (int i = 0; i < c->n; i++)
    for (int k = 0; k < 3; k++) {
      const double v = c->rows[i * COLUMNS + columns[k] - 1];
      if (isfinite(v)) low = fmin(low, v), high = fmax(high, v);
    }
  if (high > low)
    fprintf(c->commands.f, "set ytics %.9g\n", plot_step(high - low));
  else
    fputs("set ytics autofreq\n", c->commands.f);
}

static void begin_panel(curves *c, const char *title, int legend_rows) {
  fprintf(c->commands.f, "set title '%s", title);
  if (c->each > 1) fprintf(c->commands.f, ", means of %d windows", c->each);
  fprintf(c->commands.f, "'\nset key maxrows %d\n", legend_rows);
  c->panel = 0;
}

/* One more entry of the panel's plot command: `how` is what follows "using 1". */
static void put(curves *c, const char *how, const char *style, const char *colour, const char *title) {
  fprintf(c->commands.f, "%s$m using 1:%s with %s linecolor rgb '%s' title '%s'", c->panel++ ? ", \\\n  " : "plot ", how, style,
          colour, title);
}

static void put_line(curves *c, int column, const char *colour, const char *title) {
  char how[16];
  if (!has(c, column)) return;
  snprintf(how, sizeof how, "%d", column);
  put(c, how, c->n > FEW_POINTS ? "lines linewidth 1.6" : "linespoints linewidth 1.6 pointtype 7 pointsize 0.6", colour, title);
}

static void put_losses(curves *c) {
  begin_panel(c, "Losses", 1);
  put_marks(c, (const int[3]){LABEL_LOSS, HELD_LOSS, DOMAIN_LOSS});
  put_line(c, LABEL_LOSS, plot_colour(1), "label head");
  put_line(c, HELD_LOSS, plot_colour(2), "held-out rows");
  put_line(c, DOMAIN_LOSS, plot_colour(0), "domain head");
  if (c->panel) fputs("\n", c->commands.f);
}

static void put_accuracies(curves *c, double chance) {
  begin_panel(c, "Accuracies", 2);
  fputs("set yrange [0:1]\nset ytics 0.2\n", c->commands.f);
  if (has(c, DOMAIN_LOW)) {
    char how[32];
    snprintf(how, sizeof how, "%d:%d", DOMAIN_LOW, DOMAIN_HIGH);
    put(c, how, "filledcurves fillstyle solid 0.25 noborder", plot_colour(0), "95 % interval");
    put_line(c, DOMAIN_ACCURACY, plot_colour(0), "domain head");
    fprintf(c->commands.f, ", \\\n  %.9g with lines dashtype 2 linewidth 1.5 linecolor rgb '#555555' title 'guessing: %.2g'",
            chance, chance);
  }
  put_line(c, LABEL_ACCURACY, plot_colour(1), "label head");
  put_line(c, HELD_ACCURACY, plot_colour(2), "held-out rows");
  fputs("\nset autoscale y\n", c->commands.f);
}

static void put_schedules(curves *c) {
  double top = 0, lambda = 0;
  char how[32];
  for (int i = 0; i < c->n; i++) {
    top = fmax(top, c->rows[i * COLUMNS + RATE - 1]);
    lambda = fmax(lambda, c->rows[i * COLUMNS + LAMBDA - 1]);
  }
  begin_panel(c, "Schedules", 1);
  fputs("set border 11\nset xlabel 'step' offset 0,0.4\nset yrange [*<0:*]\nset ytics autofreq\n", c->commands.f);
  if (lambda > 0) fprintf(c->commands.f, "set ytics %.9g\n", plot_step(lambda));
  if (top > 0) fprintf(c->commands.f, "set y2range [0:*]\nset y2tics %.9g nomirror\n", plot_step(top));
  put_line(c, LAMBDA, plot_colour(0), "lambda (left)");
  snprintf(how, sizeof how, "%d axes x1y2", RATE);
  if (top > 0)
    put(c, how,
        c->n > FEW_POINTS ? "lines linewidth 1.6 dashtype 2" : "linespoints linewidth 1.6 dashtype 2 pointtype 7 pointsize 0.6",
        plot_colour(2), "learning rate (right)");
  fputs("\nset autoscale y\nset border 3\nunset y2tics\nunset xlabel\n", c->commands.f);
}

static int write_commands(cldann_error *e, curves *c, double chance) {
  const int losses = has(c, LABEL_LOSS) || has(c, DOMAIN_LOSS), accuracies = has(c, LABEL_ACCURACY) || has(c, DOMAIN_ACCURACY);
  int rc;
  TRY(memo_open(e, &c->commands));
  fprintf(c->commands.f, "set multiplot layout %d,1\n", losses + accuracies + 1);
  if (losses) put_losses(c);
  if (accuracies) put_accuracies(c, chance);
  put_schedules(c);
  fputs("unset multiplot", c->commands.f);
  TRY(memo_end(e, &c->commands));
fail:
  return rc;
}

int draw_curves(cldann_error *e, const char *dir, const history *h, double chance) {
  curves c = {.each = (h->n + MOST_POINTS - 1) / MOST_POINTS};
  plot p;
  int rc;
  c.n = (h->n + c.each - 1) / c.each;
  TRY(mem_new(e, &c.rows, (size_t)c.n * COLUMNS, sizeof *c.rows));
  fill(h, &c);
  TRY(write_commands(e, &c, chance));
  TRY(plot_open(e, dir, "curves", "", &p));
  p.width = 580, p.height = 960, p.points = 13;
  fputs("set key outside center bottom vertical samplen 2\nset lmargin 8\nset rmargin 9\nset bmargin 5\nset grid ytics "
        "linecolor rgb '#dddddd'\n",
        p.f);
  const double last = c.rows[(size_t)(c.n - 1) * COLUMNS + STEP - 1];
  fprintf(p.f, "set xrange [0:%.9g]\nset xtics %.9g\n", last, plot_step(last));
  plot_data(&p, "m", c.rows, c.n, COLUMNS, NULL, 0, 0);
  TRY(plot_close(&p, c.commands.text));
fail:
  mem_free(c.rows);
  memo_free(&c.commands);
  return rc;
}

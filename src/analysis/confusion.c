/* analysis/confusion.c: draw_confusion: which class is taken for which, as a map of shares. See analysis/draw.h. */
#include "analysis/draw.h"
#include "analysis/plot.h"
#include "base/mem.h"
#include "base/text.h"

enum { SIDE = 640, MARGINS = 160, NAME = 64, SHOWN = 14, MOST_NUMBERS = 25, MOST_NAMES = 50 };

/* The first SHOWN characters of a class's name, or its number. */
static const char *short_name(const cldann_detail *d, int i, char text[NAME]) {
  size_t n = 0;
  if (!d->names) {
    snprintf(text, NAME, "%d", i);
    return text;
  }
  for (int k = 0; k < SHOWN && d->names[i][n]; k++) {
    const int bytes = text_character(d->names[i] + n);
    n += bytes ? (size_t)bytes : 1;
  }
  snprintf(text, NAME, "%.*s%s", (int)n, d->names[i], d->names[i][n] ? "..." : "");
  return text;
}

static void put_names(const cldann_detail *d, plot *p) {
  char name[NAME];
  for (int axis = 0; axis < 2; axis++) {
    fprintf(p->f, "set %ctics noenhanced scale 0 %s(", "xy"[axis], !axis && d->names ? "rotate by 45 right " : "");
    for (int i = 0; i < d->classes; i++) {
      if (i) fputs(", ", p->f);
      plot_text(short_name(d, i, name), p->f);
      fprintf(p->f, " %d", i);
    }
    fputs(")\n", p->f);
  }
}

/* (classes * classes, 4): column, row, share of the row's items, their number. */
static void fill(const cldann_detail *d, double *cells) {
  for (int row = 0; row < d->classes; row++) {
    const int64_t *counts = d->counts + (size_t)row * (size_t)d->classes;
    int64_t all = 0;
    for (int k = 0; k < d->classes; k++) all += counts[k];
    for (int k = 0; k < d->classes; k++, cells += 4)
      cells[0] = k, cells[1] = row, cells[2] = all ? (double)counts[k] / (double)all : 0, cells[3] = (double)counts[k];
  }
}

int draw_confusion(cldann_error *e, const char *dir, const cldann_detail *d) {
  const int cells = d->classes * d->classes, room = (SIDE - MARGINS) / d->classes;
  char command[600];
  double *rows = NULL;
  plot p;
  int rc;
  TRY(mem_new(e, &rows, (size_t)cells * 4, sizeof *rows));
  fill(d, rows);
  TRY(plot_open(e, dir, "confusion", "Percent of each class taken for each", &p));
  p.width = p.height = SIDE, p.points = 13;
  fprintf(p.f,
          "set border 0\nset size square\nset xrange [-0.5:%d.5]\nset yrange [%d.5:-0.5]\nset xlabel 'taken for'\n"
          "set ylabel 'is'\nset cbrange [0:1]\nset palette defined (0 '#f4f7fa', 1 '#0072b2')\n",
          d->classes - 1, d->classes - 1);
  if (d->classes <= MOST_NAMES) put_names(d, &p);
  plot_data(&p, "cells", rows, cells, 4, NULL, 0, 0);
  size_t n = (size_t)snprintf(command, sizeof command, "plot $cells using 1:2:3 with image pixels notitle");
  if (d->classes <= MOST_NUMBERS)
    snprintf(
        command + n, sizeof command - n,
        ", \\\n  $cells using 1:2:($4 == 0 ? '' : $3 < 0.01 ? '<1' : sprintf('%%.0f', 100 * $3)):($3 > 0.5 ? 0xffffff : 0) "
        "with labels font ',%d' textcolor rgb variable notitle",
        room > 34            ? 13
        : room * 13 / 34 > 6 ? room * 13 / 34
                             : 6);
  TRY(plot_close(&p, command));
fail:
  mem_free(rows);
  return rc;
}

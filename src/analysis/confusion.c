/* analysis/confusion.c: draw_confusion: which class is taken for which, as a map of shares. See analysis/draw.h. */
#include "analysis/draw.h"
#include "analysis/plot.h"
#include "base/mem.h"

enum { SIDE = 580, MAP = 430, NAME = 64, SHOWN = 12, MOST_NUMBERS = 25, MOST_NAMES = 50, LARGE = 13, SMALL = 5 };

/* How large the text beside a row is, and how long the longest, in characters. */
typedef struct names {
  int points, longest;
} names;

/* A class's name, cut, or its number. Returns the characters. */
static int short_name(const cldann_detail *d, int i, char text[NAME]) {
  return d->names ? plot_cut(d->names[i], SHOWN, text, NAME) : snprintf(text, NAME, "%d", i);
}

static names measure(const cldann_detail *d) {
  const int fit = MAP * 6 / (10 * d->classes);
  names s = {.points = fit > LARGE ? LARGE : fit < SMALL ? SMALL : fit};
  char text[NAME];
  for (int i = 0; i < d->classes && d->classes <= MOST_NAMES; i++) {
    const int n = short_name(d, i, text);
    s.longest = n > s.longest ? n : s.longest;
  }
  return s;
}

/* Names below the map: as they are, at 45 degrees, or, where those would touch, upright. */
static int turn_of(const cldann_detail *d, const names *s) {
  enum { MOST_SLANTED = 16 };
  return s->longest <= 2 ? 0 : d->classes <= MOST_SLANTED ? 45 : 90;
}

/* Margins that hold the names: a character is about 0.8 of the size in pixels. */
static void put_margins(const names *s, int turn, plot *p) {
  const double length = 0.83 * s->points * s->longest, left = length + 60, bottom = (turn == 90 ? 1 : 0.71) * length + 60;
  fprintf(p->f,
          "set lmargin at screen %.3f\nset rmargin at screen 0.97\nset tmargin at screen 0.91\nset bmargin at screen %.3f\n"
          "set label 'taken for' at screen %.3f, 0.03 center\nset label 'is' at screen 0.03, 0.55 center rotate\n",
          left / SIDE, bottom / SIDE, 0.5 * left / SIDE + 0.485);
}

static void put_names(const cldann_detail *d, const names *s, int turn, plot *p) {
  char name[NAME], turned[32] = "";
  if (turn) snprintf(turned, sizeof turned, "rotate by %d right ", turn);
  for (int axis = 0; axis < 2; axis++) {
    fprintf(p->f, "set %stics noenhanced scale 0 font ',%d' %s(", axis ? "y" : "x", s->points, axis ? "" : turned);
    for (int i = 0; i < d->classes; i++) {
      short_name(d, i, name);
      if (i) fputs(", ", p->f);
      plot_text(name, p->f);
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
  const int cells = d->classes * d->classes;
  const names s = measure(d);
  const int turn = turn_of(d, &s);
  char command[600];
  double *rows = NULL;
  plot p;
  int rc;
  TRY(mem_new(e, &rows, (size_t)cells * 4, sizeof *rows));
  fill(d, rows);
  TRY(plot_open(e, dir, "confusion", "Percent of each class taken for each", &p));
  p.width = p.height = SIDE, p.points = LARGE;
  put_margins(&s, turn, &p);
  fprintf(p.f,
          "set border 0\nset xrange [-0.5:%d.5]\nset yrange [%d.5:-0.5]\nset cbrange [0:1]\n"
          "set palette defined (0 '#f4f7fa', 1 '#0072b2')\n",
          d->classes - 1, d->classes - 1);
  if (d->classes <= MOST_NAMES) put_names(d, &s, turn, &p);
  plot_data(&p, "cells", rows, cells, 4, NULL, 0, 0);
  size_t n = (size_t)snprintf(command, sizeof command, "plot $cells using 1:2:3 with image pixels notitle");
  if (d->classes <= MOST_NUMBERS)
    snprintf(
        command + n, sizeof command - n,
        ", \\\n  $cells using 1:2:($4 == 0 ? '' : $3 < 0.01 ? '<1' : sprintf('%%.0f', 100 * $3)):($3 > 0.5 ? 0xffffff : 0) "
        "with labels font ',%d' textcolor rgb variable notitle",
        s.points);
  TRY(plot_close(&p, command));
fail:
  mem_free(rows);
  return rc;
}

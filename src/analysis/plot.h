/*
 * analysis/plot.h: pictures by gnuplot: a script that holds its data, from which gnuplot makes NAME.png and NAME.svg. The
 * script, NAME.gp, stays beside them, to be changed and run again. Knows nothing of nets.
 */
#ifndef CLDANN_ANALYSIS_PLOT_H
#define CLDANN_ANALYSIS_PLOT_H

#include <stdio.h>

#include "base/err.h"

typedef struct plot {
  cldann_error *err;
  char *script; /* its path */
  FILE *f;
  int width, height, points; /* pixels, and the size of its text; may be changed until plot_close */
} plot;

/* Not 0: gnuplot is here. */
int plot_ready(void);

/* Opens DIR/NAME.gp; the folder is made. What follows is gnuplot's language, written to p->f. */
int plot_open(cldann_error *e, const char *dir, const char *name, const char *title, plot *p);
/*
 * A block of data, $name: n rows of `columns` numbers; those whose `of` is not `which` are left out (of NULL: none is). `line`,
 * when above 0: an empty line behind each so many rows, as gnuplot wants of a grid.
 */
void plot_data(plot *p, const char *name, const double *rows, int n, int columns, const int *of, int which, int line);
/* A text of gnuplot's, quoted; what is no character becomes '?'. */
void plot_text(const char *s, FILE *f);
/* The first `most` characters of s, and "..." where there are more: how many it has then. room: 4 most + 8 bytes, or more. */
int plot_cut(const char *s, int most, char *to, size_t room);
/* The commands that draw it, "plot ..."; both files are made of them. CLDANN_E_IO where gnuplot is missing or fails. */
int plot_close(plot *p, const char *command);

/* Between marks of an axis so long, above 0; four or so of them, where labels have little room: 1, 2 or 5 times a power of 10.
 */
double plot_step(double range);

/* Colours that the colour-blind can tell apart (Okabe and Ito 2008), then again from the first. "#rrggbb". */
enum { PLOT_COLOURS = 8 };
const char *plot_colour(int i);

#endif

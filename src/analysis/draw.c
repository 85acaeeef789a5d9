/*
 * analysis/draw.c: cldann_draw: pictures of a trained net (analysis/draw.h). For any: its features in two dimensions, by
 * principal components and by t-SNE. Where the input is a point of the plane, also the regions of its label head and its domain
 * head, and the lines at which its first units turn: the four pictures of Ganin et al. 2016, figure 2.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw.h"
#include "analysis/pca.h"
#include "analysis/plot.h"
#include "analysis/tsne.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/text.h"
#include "train/judge.h"
#include "train/trainer_internal.h"

enum {
  POINTS = 500,
  MOST_POINTS = 5000,
  GRID = 121,
  FEWEST = 4 /* that t-SNE takes */,
  MOST_CLASSES = 64,
  COMMAND = 2 * MOST_CLASSES * 160
};
static const double perplexity = 30;

typedef struct drawing {
  trainer *t;
  cldann_error *e;
  const char *dir;
  dataset *set[2]; /* source, target: some of each, drawn at random; owned */
  int classes;
  char *class_text; /* what they are called, cut into names; NULL: their numbers */
  const char **names;
  int most;   /* points of a domain */
  int *marks; /* of each point, source first: domain * classes + class */
  int n;      /* points */
} drawing;

/* At random, one of each so many: labels may repeat in a pattern, of which even steps would see a part alone. */
static int take_points(drawing *d, int domain, const dataset *all) {
  const int n = all->n < d->most ? all->n : d->most;
  int32_t *rows = NULL;
  int rc;
  TRY(mem_new(d->e, &rows, (size_t)n, sizeof *rows));
  for (int i = 0; i < n; i++) {
    const int64_t first = (int64_t)i * all->n / n, end = (int64_t)(i + 1) * all->n / n;
    const rng r = rng_words(1, RNG_PICTURES, (uint32_t)domain, (uint64_t)i);
    rows[i] = (int32_t)(first + rng_below(r.v[0], (uint32_t)(end - first)));
  }
  TRY(dataset_take(d->e, all, rows, n, &d->set[domain]));
  const int32_t *y = d->set[domain]->y;
  for (int i = 0; i < n; i++) d->marks[d->n++] = domain * d->classes + (y && d->classes > 1 ? y[i] : 0);
fail:
  mem_free(rows);
  return rc;
}

/* ---- features ---- */

/* Source is filled and target is open. There are eight colours: the ninth class has the first one's, and another shape. */
static int point_type(int domain, int class) {
  static const int types[2][4] = {{7, 5, 13, 15},
                                  {8, 4, 12, 14}}; /* gnuplot's: circle or triangle, square, diamond, pentagon */
  return types[domain][class / PLOT_COLOURS % 4];
}

/* What a legend's entry has behind the domain: the number of a class, or a variable of the script's with its name. */
static void put_class(const drawing *d, plot *p, int c, char *to, size_t room) {
  enum { NAME = 20 }; /* characters; beside longer ones there is little room for points */
  char cut[4 * NAME + 8];
  if (!d->names) {
    snprintf(to, room, ".', class %d'", c);
    return;
  }
  snprintf(to, room, ".', '.class%d", c);
  plot_cut(d->names[c], NAME, cut, sizeof cut);
  fprintf(p->f, "class%d = ", c);
  plot_text(cut, p->f);
  fputc('\n', p->f);
}

/* Ends a picture with all points, coloured by domain or by class: a block of data and an entry of the plot command, behind
 * those of `first`, for each domain and class that has some. */
static int end_with_points(const drawing *d, plot *p, const double *xy, int by_domain, const char *first) {
  enum { COLUMN = 30 }; /* entries of a legend in one column */
  char command[COMMAND];
  size_t at = (size_t)snprintf(command, sizeof command, "%s", first);
  int entries = 0;
  for (int domain = 0, titled = 0; domain < 2; domain++, titled = 0)
    for (int c = 0; c < d->classes && at < sizeof command; c++) {
      const int mark = domain * d->classes + c;
      char name[32], class[32] = "", legend[64];
      int count = 0;
      for (int i = 0; i < d->n; i++) count += d->marks[i] == mark;
      if (!count) continue;
      if (d->set[domain]->y && d->classes > 1 && !by_domain) put_class(d, p, c, class, sizeof class);
      snprintf(legend, sizeof legend, "title '%s'%s", domain ? "target" : "source", class);
      if (by_domain && titled++) strcpy(legend, "notitle");
      entries += !by_domain;
      snprintf(name, sizeof name, "d%dc%d", domain, c);
      plot_data(p, name, xy, d->n, 2, d->marks, mark, 0);
      at += (size_t)snprintf(command + at, sizeof command - at,
                             "%s $%s using 1:2 with points pointtype %d pointsize %s linewidth 1.3 linecolor rgb '%s' %s",
                             at && command[at - 1] != ' ' ? "," : "", name, point_type(domain, by_domain ? 0 : c),
                             domain ? "1.1" : "0.7", plot_colour(by_domain ? domain : c), legend);
    }
  if (entries > COLUMN) {
    p->width = 1080;
    fputs("set key font ',9' samplen 1 spacing 1.05 width -3\n", p->f);
  }
  return plot_close(p, command);
}

static void put_axes(plot *p, const double share[2]) {
  for (int k = 0; k < 2; k++)
    fprintf(p->f, "set %clabel 'component %d (%.0f %% of the variance)'\n", "xy"[k], k + 1, 100 * share[k]);
}

/* Of two that are to stand beside each other. */
static void make_small(plot *p) {
  p->width = 480, p->height = 450, p->points = 12;
  fputs("set key outside center bottom horizontal samplen 1\nset bmargin 5.5\n", p->f);
}

static int draw_components(drawing *d, const float *x, int width, const char *name, const char *title, int small) {
  double *xy = NULL, share[2];
  plot p;
  int rc;
  TRY(mem_new(d->e, &xy, 2 * (size_t)d->n, sizeof *xy));
  TRY(pca(d->e, x, d->n, width, 2, xy, share));
  TRY(plot_open(d->e, d->dir, name, title, &p));
  put_axes(&p, share);
  if (small) {
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < d->n; i++) low = fmin(low, xy[2 * i]), high = fmax(high, xy[2 * i]);
    make_small(&p);
    if (high > low) fprintf(p.f, "set xtics %.9g\n", plot_step(high - low));
  }
  TRY(end_with_points(d, &p, xy, d->classes == 1, "plot "));
fail:
  mem_free(xy);
  return rc;
}

static double perplexity_of(const drawing *d) {
  return fmin(perplexity, tsne_most_perplexity(d->n));
}

/* Which way is up, and where 0 is, mean nothing: no axes, and a unit is as long both ways. */
static int draw_neighbours(drawing *d, const float *x, int width, const char *name, const char *what, int small) {
  const double used = perplexity_of(d);
  char title[120];
  double *xy = NULL, divergence;
  plot p;
  int rc;
  TRY(mem_new(d->e, &xy, 2 * (size_t)d->n, sizeof *xy));
  TRY(tsne(d->t->x->ctx->dev, x, d->n, width, used, xy, &divergence));
  size_t at = (size_t)snprintf(title, sizeof title, "%s, t-SNE (perplexity %.3g", what, used);
  snprintf(title + at, sizeof title - at, small ? ")" : ", divergence %.2f)", divergence);
  TRY(plot_open(d->e, d->dir, name, title, &p));
  fputs("unset tics\nunset border\nset size ratio -1\n", p.f);
  if (small) make_small(&p);
  TRY(end_with_points(d, &p, xy, d->classes == 1, "plot "));
fail:
  mem_free(xy);
  return rc;
}

/* Of all points, source first: *x is (n, *width), the caller's. */
static int features_of(drawing *d, float **x, int *width) {
  const cldann_node *node = net_features(d->t->x->net);
  int rc;
  *width = node->o.out.h * node->o.out.w * node->o.out.c;
  TRY(mem_new(d->e, x, (size_t)d->n * (size_t)*width, sizeof **x));
  TRY(trainer_outputs(d->t, d->set[0], 0, node, *x));
  TRY(trainer_outputs(d->t, d->set[1], 1, node, *x + (size_t)d->set[0]->n * (size_t)*width));
fail:
  return rc;
}

static int draw_features(drawing *d) {
  float *x = NULL;
  int rc, width;
  TRY(features_of(d, &x, &width));
  TRY(draw_components(d, x, width, "features", "Features of both domains, two principal components", 0));
  TRY(draw_neighbours(d, x, width, "features-tsne", "Features of both domains", 0));
fail:
  mem_free(x);
  return rc;
}

/* ---- the plane ---- */

typedef struct plane {
  double low[2], high[2];
  double *points; /* (n, 2) of the drawing's points */
  dataset *grid;  /* GRID x GRID items */
} plane;

static int open_plane(drawing *d, plane *g) {
  int rc;
  TRY(mem_new(d->e, &g->points, 2 * (size_t)d->n, sizeof *g->points));
  for (int domain = 0, i = 0; domain < 2; domain++)
    for (int k = 0; k < 2 * d->set[domain]->n; k++, i++) g->points[i] = (double)((const float *)d->set[domain]->x)[k];
  for (int k = 0; k < 2; k++) {
    g->low[k] = INFINITY, g->high[k] = -INFINITY;
    for (int i = 0; i < d->n; i++)
      g->low[k] = fmin(g->low[k], g->points[2 * i + k]), g->high[k] = fmax(g->high[k], g->points[2 * i + k]);
    const double margin = 0.12 * (g->high[k] - g->low[k]) + 1e-6;
    g->low[k] -= margin, g->high[k] += margin;
  }
  TRY(dataset_new(d->e, &g->grid, "the plane", DATA_F32, GRID * GRID, 1, 1, 2, 0));
  for (int i = 0; i < GRID * GRID; i++)
    for (int k = 0; k < 2; k++)
      ((float *)g->grid->x)[2 * i + k] =
          (float)(g->low[k] + (g->high[k] - g->low[k]) * (k ? i / GRID : i % GRID) / (GRID - 1)); /* x runs first */
fail:
  return rc;
}

static void put_ranges(const plane *g, plot *p) {
  fprintf(p->f, "set xrange [%.6g:%.6g]\nset yrange [%.6g:%.6g]\nset xlabel 'x'\nset ylabel 'y'\n", g->low[0], g->high[0],
          g->low[1], g->high[1]);
}

/* What a head says of each point of the grid: the probability of its second class, or, of more than two, which is likeliest. */
static int regions_of(drawing *d, const plane *g, cldann_loss_target target, double *value) {
  const op *loss = &net_loss(d->t->x->net, target)->o;
  const int units = judge_units(loss), classes = judge_classes(loss);
  float *out = NULL;
  double *p = NULL;
  int rc;
  TRY(mem_new(d->e, &out, (size_t)(GRID * GRID) * (size_t)units, sizeof *out));
  TRY(mem_new(d->e, &p, (size_t)classes, sizeof *p));
  TRY(trainer_outputs(d->t, g->grid, 1, net_loss(d->t->x->net, target)->in, out));
  for (int i = 0; i < GRID * GRID; i++) {
    const int best = judge(loss, out + (size_t)i * (size_t)units, p);
    value[i] = classes == 2 ? p[1] : best;
  }
fail:
  mem_free(out);
  mem_free(p);
  return rc;
}

/* Of each class the colour of its points, pale. */
static void put_palette(plot *p, int classes) {
  fputs("set palette defined (", p->f);
  for (int c = 0; c < classes; c++) {
    unsigned pale = 0;
    for (unsigned rgb = (unsigned)strtoul(plot_colour(c) + 1, NULL, 16), at = 0; at < 24; at += 8)
      pale |= (255 - (255 - (rgb >> at & 255)) / 4) << at;
    fprintf(p->f, "%s%d '#%06x'", c ? ", " : "", c, pale);
  }
  fprintf(p->f, ")\nset palette maxcolors %d\nset cbrange [-0.5:%d.5]\n", classes, classes - 1);
}

static int draw_regions(drawing *d, const plane *g, cldann_loss_target target, const char *name, const char *title) {
  const int classes = judge_classes(&net_loss(d->t->x->net, target)->o), two = classes == 2;
  double *value = NULL, *rows = NULL;
  plot p;
  int rc;
  TRY(mem_new(d->e, &value, GRID * GRID, sizeof *value));
  TRY(mem_new(d->e, &rows, 3 * GRID * GRID, sizeof *rows));
  TRY(regions_of(d, g, target, value));
  for (int i = 0; i < GRID * GRID; i++) {
    rows[3 * i] = (double)((const float *)g->grid->x)[2 * i], rows[3 * i + 1] = (double)((const float *)g->grid->x)[2 * i + 1];
    rows[3 * i + 2] = value[i];
  }
  TRY(plot_open(d->e, d->dir, name, title, &p));
  put_ranges(g, &p);
  plot_data(&p, "grid", rows, GRID * GRID, 3, NULL, 0, GRID);
  if (two) {
    fputs("set palette defined (0 '#fbdcc8', 0.5 '#ffffff', 1 '#c8dff2')\nset cbrange [0:1]\n"
          "set contour base\nset cntrparam levels discrete 0.5\nunset surface\nset table $border\nsplot $grid\nunset "
          "table\nunset contour\n",
          p.f);
  } else {
    put_palette(&p, classes);
  }
  TRY(end_with_points(d, &p, g->points, target == CLDANN_TARGET_DOMAIN,
                      two ? "plot $grid using 1:2:3 with image notitle, $border using 1:2 with lines linewidth 2.5 linecolor "
                            "rgb '#000000' title 'even odds'"
                          : "plot $grid using 1:2:3 with image notitle"));
fail:
  mem_free(value);
  mem_free(rows);
  return rc;
}

/* The dense layer that reads the input, or NULL. */
static const cldann_node *first_dense(const cldann_net *net) {
  for (int i = 0; i < net->n; i++)
    if (net->nodes[i]->o.type == &op_dense && net->nodes[i]->branch == CLDANN_FEATURES && net->nodes[i]->in == net_input(net))
      return net->nodes[i];
  return NULL;
}

/* Where w x + b is 0, from one side of the picture to the other. */
static int draw_units(drawing *d, const plane *g) {
  const cldann_net *net = d->t->x->net;
  const cldann_node *first = first_dense(net);
  const int units = first ? first->o.units : 0;
  float *params = NULL;
  double *lines = NULL;
  plot p;
  int rc, n = 0;
  if (!first) return CLDANN_OK;
  TRY(mem_new(d->e, &params, net->param_count, sizeof *params));
  TRY(mem_new(d->e, &lines, 4 * (size_t)units, sizeof *lines));
  TRY(trainer_params(d->t, params));
  const double reach = hypot(g->high[0] - g->low[0], g->high[1] - g->low[1]);
  for (int u = 0; u < units; u++) {
    const double a = (double)params[first->param_at[0] + (size_t)u],
                 b = (double)params[first->param_at[0] + (size_t)(units + u)],
                 c = (double)params[first->param_at[1] + (size_t)u], size = hypot(a, b);
    if (!(size > 0)) continue;
    const double x = -a * c / (size * size), y = -b * c / (size * size); /* the nearest to the origin */
    const double line[4] = {x - b / size * reach, y + a / size * reach, 2 * b / size * reach, -2 * a / size * reach};
    memcpy(lines + 4 * n++, line, sizeof line);
  }
  TRY(plot_open(d->e, d->dir, "units", "Lines at which the units of the first layer turn", &p));
  put_ranges(g, &p);
  plot_data(&p, "lines", lines, n, 4, NULL, 0, 0);
  TRY(end_with_points(
      d, &p, g->points, 0,
      "plot $lines using 1:2:3:4 with vectors nohead linewidth 1.5 linecolor rgb '#666666' title 'hidden unit'"));
fail:
  mem_free(params);
  mem_free(lines);
  return rc;
}

static int draw_plane(drawing *d) {
  plane g = {.points = NULL};
  int rc;
  TRY(open_plane(d, &g));
  TRY(draw_regions(d, &g, CLDANN_TARGET_LABELS, "classes", "Label head: which class each point is taken for"));
  const int many = judge_classes(&net_loss(d->t->x->net, CLDANN_TARGET_DOMAIN)->o) > 2;
  TRY(draw_regions(d, &g, CLDANN_TARGET_DOMAIN, "domains",
                   many ? "Domain head: which domain each point is taken for" : "Domain head: orange source, blue target"));
  TRY(draw_units(d, &g));
fail:
  mem_free(g.points);
  dataset_free(g.grid);
  return rc;
}

static int open_drawing(drawing *d, int most) {
  const cldann_experiment *x = d->t->x;
  int rc;
  d->most = most;
  TRY(mem_new(d->e, &d->marks, 2 * (size_t)most, sizeof *d->marks));
  TRY(take_points(d, 0, x->source_test ? x->source_test : x->source));
  TRY(take_points(d, 1, x->target_test ? x->target_test : x->target));
fail:
  return rc;
}

static void close_drawing(drawing *d) {
  for (int i = 0; i < 2; i++) dataset_free(d->set[i]);
  mem_free(d->marks);
  mem_free(d->class_text), mem_free(d->names);
}

static int name_classes(drawing *d) {
  int rc, n;
  TRY(experiment_class_names(d->t->x, &d->class_text));
  if (!d->class_text) return CLDANN_OK;
  TRY(text_lines(d->e, d->class_text, &d->names, &n));
  if (n < d->classes) mem_free(d->names), d->names = NULL; /* a head of more units than there are classes */
fail:
  return rc;
}

int cldann_draw(cldann_experiment *x, const char *model_path, int points_each, const cldann_train_options *options) {
  cldann_error *e = &x->ctx->err;
  const shape in = net_input(x->net)->o.out;
  drawing d = {.e = e, .dir = options && options->out_dir ? options->out_dir : "."};
  int rc;
  if (points_each < 0 || points_each > MOST_POINTS)
    FAIL(e, CLDANN_E_ARG, "%d points of each domain; 1 to %d can be drawn", points_each, MOST_POINTS);
  TRY(trainer_open_model(x, model_path, options, &d.t));
  const op *loss = &net_loss(x->net, CLDANN_TARGET_LABELS)->o;
  d.classes = judge_classes(loss);
  if (d.classes > MOST_CLASSES) FAIL(e, CLDANN_E_ARG, "%d classes; pictures have marks for %d", d.classes, MOST_CLASSES);
  TRY(name_classes(&d));
  TRY(open_drawing(&d, points_each ? points_each : POINTS));
  TRY(draw_features(&d));
  if (in.h == 1 && in.w == 1 && in.c == 2 && d.set[0]->type == DATA_F32 && !dataset_is_sparse(d.set[0]) &&
      d.set[1]->type == DATA_F32 && !dataset_is_sparse(d.set[1]))
    TRY(draw_plane(&d));
fail:
  close_drawing(&d);
  trainer_free(d.t);
  return rc;
}

/* Both ways, of the net as t has it. */
static int draw_pair_of(drawing *d, const char *components, const char *neighbours, const char *what) {
  float *x = NULL;
  int rc, width;
  TRY(features_of(d, &x, &width));
  TRY(draw_components(d, x, width, components, what, 1));
  if (d->n >= FEWEST) TRY(draw_neighbours(d, x, width, neighbours, what, 1));
fail:
  mem_free(x);
  return rc;
}

int draw_adaptation(trainer *t, const char *dir, adaptation *a) {
  cldann_experiment *x = t->x;
  drawing d = {.t = t, .e = t->err, .dir = dir, .classes = 1};
  float *trained = NULL, *initial = NULL;
  int rc;
  TRY(open_drawing(&d, POINTS));
  *a = (adaptation){.points = {d.set[0]->n, d.set[1]->n}, .perplexity = d.n >= FEWEST ? perplexity_of(&d) : 0};
  TRY(draw_pair_of(&d, "features", "features-tsne", "Features of the trained net"));
  TRY(mem_new(d.e, &trained, x->net->param_count, sizeof *trained));
  TRY(mem_new(d.e, &initial, x->net->param_count, sizeof *initial));
  TRY(trainer_params(t, trained));
  net_init_params(x->net, x->s.seed, initial);
  TRY(trainer_set_params(t, initial));
  TRY(draw_pair_of(&d, "features-before", "features-tsne-before", "Features before training"));
  TRY(trainer_set_params(t, trained));
fail:
  mem_free(trained);
  mem_free(initial);
  close_drawing(&d);
  return rc;
}

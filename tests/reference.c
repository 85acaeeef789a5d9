/* tests/reference.c: see tests/reference.h. */
#include "reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct geometry {
  int kh, kw, sy, sx, top, left, oh, ow;
} geometry;

static int is(const op *o, const char *name) {
  return !strcmp(o->type->name, name);
}

/* One axis: size, window, stride, padding mode and explicit padding to leading padding and output size. */
static void axis(int in, int k, int stride, cldann_padding mode, int before, int after, int *lead, int *out) {
  if (mode == CLDANN_SAME) {
    *out = (in + stride - 1) / stride;
    const int pad = (*out - 1) * stride + k - in;
    *lead = pad > 0 ? pad / 2 : 0;
    return;
  }
  if (mode == CLDANN_CEIL) {
    *lead = *out = 0;
    for (int at = 0; at < in; at += stride, ++*out)
      if (at > 0 && at - stride + k >= in) break; /* the one before has reached the end */
    return;
  }
  if (mode == CLDANN_VALID) before = after = 0;
  *lead = before;
  *out = 0;
  for (int at = -before; at + k <= in + after; at += stride) ++*out;
}

static geometry window_of(const op *o) {
  const cldann_window *w = &o->window;
  const int pool = is(o, "max_pool") || is(o, "avg_pool");
  if (is(o, "global_pool")) return (geometry){o->in.h, o->in.w, 1, 1, 0, 0, 1, 1};
  geometry g = {w->height, w->width ? w->width : w->height, w->stride_y, w->stride_x, 0, 0, 0, 0};
  if (!g.sy) g.sy = pool ? g.kh : 1;
  if (!g.sx) g.sx = pool ? g.kw : 1;
  axis(o->in.h, g.kh, g.sy, w->padding, w->top, w->bottom, &g.top, &g.oh);
  axis(o->in.w, g.kw, g.sx, w->padding, w->left, w->right, &g.left, &g.ow);
  return g;
}

/* A cell of a window: indices of output cell and input cell (without channels), and which cell of the window. */
typedef void (*visit)(void *what, size_t out, size_t in, int cell);

static void each_cell(const op *o, int rows, visit f, void *what) {
  const geometry g = window_of(o);
  for (int n = 0; n < rows; n++)
    for (int oy = 0; oy < g.oh; oy++)
      for (int ox = 0; ox < g.ow; ox++)
        for (int ky = 0; ky < g.kh; ky++)
          for (int kx = 0; kx < g.kw; kx++) {
            const int iy = oy * g.sy + ky - g.top, ix = ox * g.sx + kx - g.left;
            if (iy < 0 || iy >= o->in.h || ix < 0 || ix >= o->in.w) continue;
            f(what, ((size_t)n * (size_t)g.oh + (size_t)oy) * (size_t)g.ow + (size_t)ox,
              ((size_t)n * (size_t)o->in.h + (size_t)iy) * (size_t)o->in.w + (size_t)ix, ky * g.kw + kx);
          }
}

typedef struct pass {
  const op *o;
  const double *x, *w, *dy;
  double *y, *dx, *dw;
  size_t *best; /* max-pool: winning input element of each output element, plus 1 */
} pass;

static int groups_of(const op *o) {
  return o->groups > 1 ? o->groups : 1;
}

/* The weight between channel i and filter j of a cell, plus 1; 0: they are of different groups. */
static size_t weight_at(const op *o, int cell, size_t i, size_t j) {
  const size_t groups = (size_t)groups_of(o), c = (size_t)o->in.c / groups, oc = (size_t)o->units;
  return i / c == j / (oc / groups) ? ((size_t)cell * c + i % c) * oc + j + 1 : 0;
}

static void conv_forward(void *what, size_t out, size_t in, int cell) {
  const pass *p = what;
  const size_t c = (size_t)p->o->in.c, oc = (size_t)p->o->units;
  for (size_t i = 0; i < c; i++)
    for (size_t j = 0; j < oc; j++) {
      const size_t at = weight_at(p->o, cell, i, j);
      if (at) p->y[out * oc + j] += p->x[in * c + i] * p->w[at - 1];
    }
}

static void conv_backward(void *what, size_t out, size_t in, int cell) {
  const pass *p = what;
  const size_t c = (size_t)p->o->in.c, oc = (size_t)p->o->units;
  for (size_t i = 0; i < c; i++)
    for (size_t j = 0; j < oc; j++) {
      const size_t at = weight_at(p->o, cell, i, j);
      if (!at) continue;
      p->dx[in * c + i] += p->dy[out * oc + j] * p->w[at - 1];
      p->dw[at - 1] += p->dy[out * oc + j] * p->x[in * c + i];
    }
}

static void pool_forward(void *what, size_t out, size_t in, int cell) {
  const pass *p = what;
  const size_t c = (size_t)p->o->in.c;
  (void)cell;
  for (size_t i = 0; i < c; i++) { /* the first of equals stays */
    const size_t to = out * c + i, from = in * c + i;
    if (p->best[to] && p->x[from] <= p->x[p->best[to] - 1]) continue;
    p->best[to] = from + 1;
  }
}

static int averages(const op *o) {
  return is(o, "avg_pool") || is(o, "global_pool");
}

static void count_cells(void *what, size_t out, size_t in, int cell) {
  const pass *p = what;
  (void)in, (void)cell;
  p->best[out]++;
}

/* The cells of each window. The caller's to free. */
static size_t *window_cells(const op *o, int rows) {
  const geometry g = window_of(o);
  pass p = {.o = o, .best = calloc((size_t)rows * (size_t)g.oh * (size_t)g.ow, sizeof(size_t))};
  each_cell(o, rows, count_cells, &p);
  return p.best;
}

static void average(void *what, size_t out, size_t in, int cell) {
  const pass *p = what;
  const size_t c = (size_t)p->o->in.c;
  (void)cell;
  for (size_t i = 0; i < c; i++) {
    if (p->y) p->y[out * c + i] += p->x[in * c + i] / (double)p->best[out];
    if (p->dx) p->dx[in * c + i] += p->dy[out * c + i] / (double)p->best[out];
  }
}

/* ---- lrn ---- */

static int meet(const op *o, size_t i, size_t j) { /* is channel i in the window of j? */
  return labs((long)i - (long)j) <= o->size / 2;
}

static double response(const op *o, const double *x, size_t j) {
  double sum = 0;
  for (size_t i = 0; i < (size_t)o->in.c; i++) sum += meet(o, i, j) ? x[i] * x[i] : 0;
  return (double)o->k + (double)o->alpha / o->size * sum;
}

/* dx gets, for one pixel, what dy of each channel says of all channels. */
static void lrn_backward(const op *o, const double *x, const double *dy, double *dx) {
  const double beta = (double)o->beta;
  for (size_t j = 0; j < (size_t)o->in.c; j++) {
    const double s = response(o, x, j);
    dx[j] += dy[j] * pow(s, -beta);
    for (size_t i = 0; i < (size_t)o->in.c; i++)
      if (meet(o, i, j)) dx[i] -= dy[j] * x[j] * beta * pow(s, -beta - 1) * 2 * (double)o->alpha / o->size * x[i];
  }
}

shape ref_shape(const op *o) {
  if (is(o, "dense")) return (shape){1, 1, o->units};
  if (is(o, "flatten")) return (shape){1, 1, o->in.h * o->in.w * o->in.c};
  if (is(o, "conv2d") || is(o, "max_pool") || averages(o)) {
    const geometry g = window_of(o);
    return (shape){g.oh, g.ow, is(o, "conv2d") ? o->units : o->in.c};
  }
  return o->in;
}

static size_t items(shape s, int rows) {
  return (size_t)rows * (size_t)s.h * (size_t)s.w * (size_t)s.c;
}

double ref_activate(int act, double v) {
  if (act == ACT_RELU) return v > 0 ? v : 0;
  if (act == ACT_SIGMOID) return 1 / (1 + exp(-v));
  if (act == ACT_TANH) return tanh(v);
  return v;
}

static int own_act(const op *o) {
  return is(o, "relu") ? ACT_RELU : is(o, "sigmoid") ? ACT_SIGMOID : is(o, "tanh") ? ACT_TANH : o->act;
}

/* The caller's to free. */
static size_t *pool_winners(const op *o, int rows, const double *x, size_t n) {
  pass p = {.o = o, .x = x, .best = calloc(n, sizeof(size_t))};
  each_cell(o, rows, pool_forward, &p);
  return p.best;
}

void ref_forward(const op *o, int rows, const double *x, const double *w, const double *b, double *y) {
  const size_t n = items(ref_shape(o), rows), units = (size_t)o->units, in = items(o->in, 1);
  pass p = {.o = o, .x = x, .w = w, .y = y};
  if (is(o, "conv2d")) {
    for (size_t i = 0; i < n; i++) y[i] = b[i % units];
    each_cell(o, rows, conv_forward, &p);
  } else if (is(o, "dense")) {
    for (size_t r = 0; r < (size_t)rows; r++)
      for (size_t j = 0; j < units; j++) {
        double sum = b[j];
        for (size_t i = 0; i < in; i++) sum += x[r * in + i] * w[i * units + j];
        y[r * units + j] = sum;
      }
  } else if (is(o, "max_pool")) {
    size_t *best = pool_winners(o, rows, x, n);
    for (size_t i = 0; i < n; i++) y[i] = x[best[i] - 1];
    free(best);
  } else if (averages(o)) {
    memset(y, 0, n * sizeof *y);
    p.best = window_cells(o, rows);
    each_cell(o, rows, average, &p);
    free(p.best);
  } else if (is(o, "lrn")) {
    const size_t c = (size_t)o->in.c;
    for (size_t i = 0; i < n; i++) y[i] = x[i] * pow(response(o, x + i / c * c, i % c), -(double)o->beta);
  } else if (is(o, "leaky_relu")) {
    for (size_t i = 0; i < n; i++) y[i] = x[i] < 0 ? (double)o->slope * x[i] : x[i];
  } else {
    memcpy(y, x, n * sizeof *y);
  }
  for (size_t i = 0; i < n; i++) y[i] = ref_activate(own_act(o), y[i]);
}

static void dense_backward(const op *o, int rows, const ref_io *io) {
  const size_t units = (size_t)o->units, in = items(o->in, 1);
  for (size_t r = 0; r < (size_t)rows; r++)
    for (size_t i = 0; i < in; i++)
      for (size_t j = 0; j < units; j++) {
        io->dx[r * in + i] += io->dy[r * units + j] * io->w[i * units + j];
        io->dw[i * units + j] += io->dy[r * units + j] * io->x[r * in + i];
      }
}

void ref_backward(const op *o, int rows, const ref_io *io) {
  const size_t n = items(ref_shape(o), rows), n_in = items(o->in, rows);
  memset(io->dx, 0, n_in * sizeof *io->dx);
  for (int i = 0; i < o->n_params; i++) memset(i ? io->db : io->dw, 0, o->params[i].count * sizeof(double));
  for (size_t i = 0; i < n && o->n_params; i++) io->db[i % (size_t)o->units] += io->dy[i];
  if (is(o, "conv2d")) {
    pass p = {.o = o, .x = io->x, .w = io->w, .dy = io->dy, .dx = io->dx, .dw = io->dw};
    each_cell(o, rows, conv_backward, &p);
  } else if (is(o, "dense")) {
    dense_backward(o, rows, io);
  } else if (is(o, "max_pool")) {
    size_t *best = pool_winners(o, rows, io->x, n);
    for (size_t i = 0; i < n; i++) io->dx[best[i] - 1] += io->dy[i];
    free(best);
  } else if (averages(o)) {
    pass p = {.o = o, .dy = io->dy, .dx = io->dx, .best = window_cells(o, rows)};
    each_cell(o, rows, average, &p);
    free(p.best);
  } else if (is(o, "lrn")) {
    for (size_t i = 0; i < n; i += (size_t)o->in.c) lrn_backward(o, io->x + i, io->dy + i, io->dx + i);
  } else if (is(o, "leaky_relu")) {
    for (size_t i = 0; i < n; i++) io->dx[i] = io->dy[i] * (io->x[i] > 0 ? 1 : (double)o->slope);
  } else {
    for (size_t i = 0; i < n; i++) {
      const double y = io->y[i];
      const double slope = is(o, "relu") ? io->x[i] > 0 : is(o, "sigmoid") ? y * (1 - y) : is(o, "tanh") ? 1 - y * y : 1;
      io->dx[i] = io->dy[i] * slope;
    }
  }
}

double ref_terms(const op *o) {
  const geometry g = window_of(o);
  return is(o, "dense")    ? (double)items(o->in, 1)
         : is(o, "conv2d") ? (double)g.kh * g.kw * o->in.c / groups_of(o)
         : averages(o)     ? (double)g.kh * g.kw
                           : 1;
}

double ref_terms_dx(const op *o) {
  const geometry g = window_of(o);
  return is(o, "dense")    ? o->units
         : is(o, "conv2d") ? (double)g.kh * g.kw * o->units / groups_of(o)
         : averages(o)     ? (double)g.kh * g.kw
                           : 9;
}

double ref_terms_dw(const op *o, int rows) {
  const shape s = ref_shape(o);
  return (double)rows * s.h * s.w;
}

static double row_loss(const ref_loss *r, const double *z, int truth, double *p, int *hit) {
  double top = z[0], sum = 0;
  int best = 0;
  if (!r->softmax) {
    *hit = (z[0] > 0) == (truth == 1);
    p[0] = 1 / (1 + exp(-z[0])) - truth;
    return (z[0] > 0 ? z[0] : 0) + log1p(exp(-fabs(z[0]))) - truth * z[0];
  }
  for (int k = 1; k < r->classes; k++)
    if (z[k] > top) top = z[k], best = k;
  for (int k = 0; k < r->classes; k++) sum += exp(z[k] - top);
  for (int k = 0; k < r->classes; k++) p[k] = exp(z[k] - top) / sum - (k == truth);
  *hit = best == truth;
  return log(sum) + top - z[truth];
}

void ref_loss_run(ref_loss *r) {
  int counts[2] = {0, 0};
  memset(r->stats, 0, sizeof r->stats);
  for (int i = 0; i < r->rows; i++)
    if (r->row0 + i < r->ctl_rows) counts[r->row0 + i >= r->ctl_split]++;
  for (int i = 0; i < r->rows; i++) {
    double *dx = r->dx + (size_t)i * (size_t)r->classes;
    const int domain = r->row0 + i >= r->ctl_split;
    int hit;
    if (r->row0 + i >= r->ctl_rows) { /* padding */
      memset(dx, 0, (size_t)r->classes * sizeof *dx);
      continue;
    }
    r->stats[STAT_LOSS] +=
        row_loss(r, r->x + (size_t)i * (size_t)r->classes, r->domain && !r->domains ? domain : r->labels[i], dx, &hit);
    r->stats[domain ? STAT_HITS1 : STAT_HITS0] += hit;
    double w = r->reduce == REDUCE_SUM ? 1 : r->reduce == REDUCE_HALVES ? 1.0 / counts[domain] : 1.0 / (counts[0] + counts[1]);
    if (r->domain) w *= r->domain_weight;
    for (int k = 0; k < r->classes; k++) dx[k] *= w;
  }
  r->stats[STAT_ROWS] = counts[0] + counts[1];
  r->stats[STAT_ROWS0] = counts[0];
  r->stats[STAT_ROWS1] = counts[1];
}

void ref_optim(int method, int n, double *w, const double *g, double *m, double *v, const double hyper[HYPER_WORDS],
               double norm, double lr, double adam1, double adam2) {
  for (int i = 0; i < n; i++) {
    const double d = g[i] * (hyper[4] > 0 && norm > hyper[4] ? hyper[4] / norm : 1) + hyper[3] * w[i];
    if (method == 0) {
      w[i] -= lr * d;
    } else if (method < 3) {
      m[i] = hyper[0] * m[i] + d;
      w[i] -= lr * (method == 1 ? m[i] : d + hyper[0] * m[i]);
    } else {
      m[i] = hyper[0] * m[i] + (1 - hyper[0]) * d;
      v[i] = hyper[1] * v[i] + (1 - hyper[1]) * d * d;
      w[i] -= lr * m[i] * adam1 / (sqrt(v[i] * adam2) + hyper[2]);
    }
  }
}

/* train/linear.c: see train/linear.h. liblinear fits; what it fitted is copied out, and items are scored here as they lie. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700 /* initstate */
#endif
#include "train/linear.h"

#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h> /* newer linear.h has a bool */
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_LINEAR_H
#include <linear.h>
#else
#include <liblinear/linear.h>
#endif

#include "base/mem.h"
#include "base/rng.h"

struct linear {
  int width, columns; /* columns of w: one for two classes, the first of which is above 0 */
  int32_t *labels;    /* of the classes, as liblinear orders them */
  double *w;          /* (width + 1, columns), the bias last */
};

/* ---- items ---- */

typedef struct item {
  int n;
  const int32_t *columns; /* NULL: 0 to n - 1 */
  const float *floats;    /* or */
  const uint8_t *bytes;
} item;

static int width_of(const dataset *d) {
  return d->h * d->w * d->c;
}

static item item_of(const dataset *d, int i) {
  const size_t width = (size_t)width_of(d), at = dataset_is_sparse(d) ? (size_t)d->offsets[i] : (size_t)i * width;
  item x = {.n = (int)width};
  if (d->type == DATA_U8)
    x.bytes = (const uint8_t *)d->x + at;
  else
    x.floats = (const float *)d->x + at;
  if (dataset_is_sparse(d)) x.columns = d->columns + at, x.n = d->offsets[i + 1] - d->offsets[i];
  return x;
}

static int column(const item *x, int k) {
  return x->columns ? x->columns[k] : k;
}

static double value(const item *x, int k) {
  return x->bytes ? x->bytes[k] / 255.0 : (double)x->floats[k];
}

/* One number that is not finite would make the whole model so, or never let it end. */
static int check_finite(cldann_error *e, const dataset *d) {
  int rc = CLDANN_OK;
  for (int i = 0; i < d->n && d->type == DATA_F32; i++) {
    const item x = item_of(d, i);
    for (int k = 0; k < x.n; k++)
      if (!isfinite(x.floats[k]))
        FAIL(e, CLDANN_E_ARG, "%s: number %d of item %d is not finite, which an SVM cannot take; leave the item out", d->name,
             column(&x, k), i);
  }
fail:
  return rc;
}

/* ---- fitting ---- */

typedef struct pick { /* an item to learn from */
  const dataset *d;
  int item;
  int32_t label;
} pick;

typedef struct lesson { /* what liblinear reads; one for all values of C */
  struct problem p;
  struct feature_node *nodes;
} lesson;

static void lesson_free(lesson *l) {
  mem_free(l->p.x);
  mem_free(l->p.y);
  mem_free(l->nodes);
}

/* An item's numbers but its zeros, columns from 1, then the bias and the end. */
static struct feature_node *write_nodes(struct feature_node *to, const item *x, int width) {
  for (int k = 0; k < x->n; k++)
    if (value(x, k) != 0) *to++ = (struct feature_node){column(x, k) + 1, value(x, k)};
  *to++ = (struct feature_node){width + 1, 1};
  *to++ = (struct feature_node){-1, 0};
  return to;
}

static int lesson_new(cldann_error *e, lesson *l, const pick *picks, int n) {
  int rc = CLDANN_OK;
  const int width = width_of(picks->d);
  size_t nodes = 2 * (size_t)n;
  for (int i = 0; i < n; i++) {
    const item x = item_of(picks[i].d, picks[i].item);
    for (int k = 0; k < x.n; k++) nodes += value(&x, k) != 0;
  }
  *l = (lesson){.p = {.l = n, .n = width + 1, .bias = 1}};
  TRY(mem_new(e, &l->p.x, (size_t)n, sizeof *l->p.x));
  TRY(mem_new(e, &l->p.y, (size_t)n, sizeof *l->p.y));
  TRY(mem_new(e, &l->nodes, nodes, sizeof *l->nodes));
  struct feature_node *to = l->nodes;
  for (int i = 0; i < n; i++) {
    const item x = item_of(picks[i].d, picks[i].item);
    l->p.x[i] = to;
    l->p.y[i] = picks[i].label;
    to = write_nodes(to, &x, width);
  }
fail:
  return rc;
}

static void say_nothing(const char *text) {
  (void)text;
}

/* train(), from a state of rand() that is always the same. Only glibc's rand() draws from what initstate sets. */
static struct model *train_alike(const struct problem *p, const struct parameter *how) {
  static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
  int32_t state[32];
  pthread_mutex_lock(&one_at_a_time);
  set_print_string_function(say_nothing);
  char *callers = initstate(1, (char *)state, sizeof state);
  srand(1);
  struct model *fitted = train(p, how);
  setstate(callers);
  pthread_mutex_unlock(&one_at_a_time);
  return fitted;
}

static int solve(cldann_error *e, const lesson *l, double c, linear **out) {
  int rc = CLDANN_OK;
  linear *m = NULL;
  const struct parameter how = {.solver_type = L2R_L1LOSS_SVC_DUAL,
                                .eps = 1e-3,
                                .C = c,
#ifdef HAVE_STRUCT_PARAMETER_REGULARIZE_BIAS
                                .regularize_bias = 1
#endif
  };
  struct model *fitted = train_alike(&l->p, &how);
  const size_t classes = (size_t)fitted->nr_class, columns = classes == 2 ? 1 : classes, n = (size_t)l->p.n * columns;
  TRY(mem_new(e, &m, 1, sizeof *m));
  m->width = l->p.n - 1, m->columns = (int)columns;
  TRY(mem_new(e, &m->labels, classes, sizeof *m->labels));
  TRY(mem_new(e, &m->w, n, sizeof *m->w));
  for (size_t k = 0; k < classes; k++) m->labels[k] = fitted->label[k];
  memcpy(m->w, fitted->w, n * sizeof *m->w);
  *out = m;
  m = NULL;
fail:
  free_and_destroy_model(&fitted);
  linear_free(m);
  return rc;
}

void linear_free(linear *m) {
  if (!m) return;
  mem_free(m->labels);
  mem_free(m->w);
  mem_free(m);
}

static int check_fit(cldann_error *e, const dataset *d, double c) {
  int rc = CLDANN_OK, i = 1;
  if (!(c > 0) || !isfinite(c)) FAIL(e, CLDANN_E_ARG, "an SVM's cost of a mistake is %g; give a C above 0", c);
  if (!d->y) FAIL(e, CLDANN_E_ARG, "%s has no labels for an SVM to learn; give a set that has", d->name);
  while (i < d->n && d->y[i] == d->y[0]) i++;
  if (i >= d->n)
    FAIL(e, CLDANN_E_ARG, "all items of %s have the label %d, and an SVM tells classes apart; give items of two or more",
         d->name, d->y[0]);
  if (((int64_t)width_of(d) + 1) * d->classes > INT_MAX) /* it counts weights in an int */
    FAIL(e, CLDANN_E_ARG, "%s has %d classes and %d numbers an item, too many for an SVM; give narrower items", d->name,
         d->classes, width_of(d));
  TRY(check_finite(e, d));
fail:
  return rc;
}

int linear_fit(cldann_error *e, const dataset *d, double c, linear **out) {
  int rc = CLDANN_OK;
  pick *picks = NULL;
  lesson l = {0};
  TRY(check_fit(e, d, c));
  TRY(mem_new(e, &picks, (size_t)d->n, sizeof *picks));
  for (int i = 0; i < d->n; i++) picks[i] = (pick){d, i, d->y[i]};
  TRY(lesson_new(e, &l, picks, d->n));
  TRY(solve(e, &l, c, out));
fail:
  mem_free(picks);
  lesson_free(&l);
  return rc;
}

/* ---- what was fitted ---- */

static double score(const linear *m, const item *x, int k) {
  const double *w = m->w + k;
  const size_t columns = (size_t)m->columns;
  double sum = w[(size_t)m->width * columns];
  for (int i = 0; i < x->n; i++) sum += w[(size_t)column(x, i) * columns] * value(x, i);
  return sum;
}

static int32_t choose(const linear *m, const dataset *d, int i) {
  const item x = item_of(d, i);
  double most = score(m, &x, 0);
  int best = 0;
  if (m->columns == 1) return m->labels[most > 0 ? 0 : 1];
  for (int k = 1; k < m->columns; k++) {
    const double s = score(m, &x, k);
    if (s > most) most = s, best = k;
  }
  return m->labels[best];
}

static int check_width(cldann_error *e, const dataset *d, const char *other, int width) {
  int rc = CLDANN_OK;
  if (width_of(d) != width)
    FAIL(e, CLDANN_E_ARG, "the items of %s have %d numbers, %s %d; read all sets with one width", d->name, width_of(d), other,
         width);
fail:
  return rc;
}

int linear_predict(cldann_error *e, const linear *m, const dataset *d, int32_t *labels) {
  int rc = CLDANN_OK;
  TRY(check_width(e, d, "those that the SVM was fitted on", m->width));
  TRY(check_finite(e, d));
  for (int i = 0; i < d->n; i++) labels[i] = choose(m, d, i);
fail:
  return rc;
}

int linear_accuracy(cldann_error *e, const linear *m, const dataset *d, double *accuracy) {
  int rc = CLDANN_OK, right = 0;
  int32_t *labels = NULL;
  if (!d->y) FAIL(e, CLDANN_E_ARG, "%s has no labels to compare an SVM's with; give a set that has", d->name);
  TRY(mem_new(e, &labels, (size_t)d->n, sizeof *labels));
  TRY(linear_predict(e, m, d, labels));
  for (int i = 0; i < d->n; i++) right += labels[i] == d->y[i];
  *accuracy = (double)right / d->n;
fail:
  mem_free(labels);
  return rc;
}

/* ---- distance of two sets ---- */

enum { LEAST_C = -5, MOST_C = 4 }; /* powers of ten */

/* Fisher-Yates. */
static int draw_order(cldann_error *e, int n, uint64_t seed, uint32_t set, int32_t **out) {
  int rc = CLDANN_OK;
  int32_t *order = NULL;
  TRY(mem_new(e, &order, (size_t)n, sizeof *order));
  for (int i = 0; i < n; i++) order[i] = i;
  for (int i = n - 1; i > 0; i--) {
    const int j = (int)rng_below(rng_words(seed, RNG_PAD, set, (uint64_t)i).v[0], (uint32_t)i + 1);
    const int32_t other = order[i];
    order[i] = order[j];
    order[j] = other;
  }
  *out = order;
fail:
  return rc;
}

/* The mean over both sets of the share that is taken for the other, in the halves that were not learnt from. */
static double error_of(const linear *m, const dataset *const sets[2], int32_t *const order[2]) {
  double sum = 0;
  for (int s = 0; s < 2; s++) {
    const int n = sets[s]->n, half = n / 2;
    int wrong = 0;
    for (int i = half; i < n; i++) wrong += choose(m, sets[s], order[s][i]) != s;
    sum += (double)wrong / (n - half);
  }
  return sum / 2;
}

int linear_pad(cldann_error *e, const dataset *source, const dataset *target, uint64_t seed, double *pad) {
  int rc = CLDANN_OK, n = 0;
  const dataset *const sets[2] = {source, target};
  int32_t *order[2] = {NULL, NULL};
  pick *picks = NULL;
  lesson l = {0};
  double least = 1;
  TRY(check_width(e, target, "those of the source", width_of(source)));
  for (int s = 0; s < 2; s++) {
    if (sets[s]->n < 2)
      FAIL(e, CLDANN_E_ARG,
           "%s has one item, and a distance of sets takes two of each: one to learn, one to measure; give more", sets[s]->name);
    TRY(check_finite(e, sets[s]));
    TRY(draw_order(e, sets[s]->n, seed, (uint32_t)s, &order[s]));
  }
  TRY(mem_new(e, &picks, (size_t)(source->n / 2) + (size_t)(target->n / 2), sizeof *picks));
  for (int s = 0; s < 2; s++)
    for (int i = 0; i < sets[s]->n / 2; i++) picks[n++] = (pick){sets[s], order[s][i], s};
  TRY(lesson_new(e, &l, picks, n));
  for (int power = LEAST_C; power <= MOST_C; power++) {
    linear *m = NULL;
    TRY(solve(e, &l, pow(10, power), &m));
    least = fmin(least, error_of(m, sets, order));
    linear_free(m);
  }
  *pad = 2 * (1 - 2 * least);
fail:
  mem_free(order[0]), mem_free(order[1]);
  mem_free(picks);
  lesson_free(&l);
  return rc;
}

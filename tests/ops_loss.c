/*
 * tests/ops_loss.c: the two losses against tests/reference.h: gradient, statistics, padding rows, domains, weights, large
 * logits, and the flag that a loss which is not finite must raise.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "ops_suites.h"
#include "reference.h"

typedef struct loss_case {
  int softmax, domain; /* 0: against labels, 1: source or target, 2: which of many domains, told for each row */
  int reduce, rows, classes, row0, ctl_rows, ctl_split;
  float domain_weight, scale; /* of the logits */
} loss_case;

static const loss_case cases[] = {
    {1, 0, REDUCE_MEAN, 5, 3, 0, 5, 5, 7, 1},       {1, 0, REDUCE_MEAN, 64, 10, 0, 50, 64, 7, 1},
    {1, 0, REDUCE_MEAN, 130, 65, 0, 129, 64, 1, 1}, {1, 0, REDUCE_MEAN, 6, 4, 0, 6, 6, 7, 80},
    {1, 0, REDUCE_MEAN, 32, 10, 32, 64, 32, 7, 1},  {1, 0, REDUCE_SUM, 65, 10, 0, 65, 30, 7, 1},
    {1, 0, REDUCE_HALVES, 65, 10, 0, 65, 30, 7, 1}, {1, 1, REDUCE_MEAN, 64, 2, 0, 64, 32, 0.3f, 1},
    {1, 1, REDUCE_MEAN, 9, 2, 0, 9, 0, 1, 80},      {1, 1, REDUCE_SUM, 7, 2, 0, 7, 3, 0.3f, 1},
    {1, 1, REDUCE_HALVES, 32, 2, 16, 40, 20, 2, 1}, {0, 0, REDUCE_MEAN, 65, 1, 0, 65, 30, 7, 1},
    {0, 0, REDUCE_HALVES, 9, 1, 0, 9, 4, 1, 80},    {0, 1, REDUCE_MEAN, 9, 1, 4, 3, 2, 1, 1}, /* all padding */
    {0, 1, REDUCE_SUM, 7, 1, 0, 7, 3, 0.3f, 1},     {0, 1, REDUCE_HALVES, 32, 1, 16, 40, 20, 2, 1},
    {1, 2, REDUCE_SUM, 9, 3, 0, 8, 4, 0.3f, 1},     {1, 2, REDUCE_HALVES, 64, 6, 8, 70, 40, 2, 1},
};

typedef struct loss_trial {
  const loss_case *c;
  op o;
  rig g;
  int x, dx, labels, control, stats;
  int train, evaluate, end; /* launches */
  size_t n;
  double *x_v;
  int32_t *labels_v;
  ref_loss want;
} loss_trial;

enum { STEP = 41 };

static void loss_begin(loss_trial *t, const loss_case *c, const char *way) {
  char label[112];
  memset(t, 0, sizeof *t);
  t->c = c;
  t->n = (size_t)c->rows * (size_t)c->classes;
  t->o = (op){.type = c->softmax ? &op_softmax_xent : &op_logistic_xent,
              .in = {1, 1, c->classes},
              .reduce = c->reduce,
              .target = c->domain ? CLDANN_TARGET_DOMAIN : CLDANN_TARGET_LABELS};
  snprintf(label, sizeof label, "%s domain %d reduce %d rows %d+%d classes %d valid %d split %d scale %g", t->o.type->name,
           c->domain, c->reduce, c->row0, c->rows, c->classes, c->ctl_rows, c->ctl_split, (double)c->scale);
  rig_begin(&t->g, way, label);
  t->x = rig_in(&t->g, "x", 4, c->rows, 1, 1, c->classes);
  t->dx = rig_out(&t->g, "dx", 4, c->rows, 1, 1, c->classes);
  t->labels = rig_in(&t->g, "labels", 4, c->rows, 1, 1, 1);
  t->control = rig_out(&t->g, "control", 4, 1, 1, 1, CTL_WORDS);
  t->stats = rig_out(&t->g, "stats", 4, 1, 1, 1, STAT_WORDS);
  op_io io = {.x = t->g.slots[t->x].t,
              .dx = t->g.slots[t->dx].t,
              .labels = c->domain == 1 ? (tensor){0} : t->g.slots[t->labels].t,
              .control = t->g.slots[t->control].t,
              .stats = t->g.slots[t->stats].t,
              .row0 = c->row0};
  launches_at(t->g.l, "loss", "backward");
  t->train = t->g.l->n;
  t->o.type->backward(t->g.l, &t->o, &io);
  t->evaluate = t->g.l->n;
  io.dx = (tensor){0};
  t->o.type->forward(t->g.l, &t->o, &io);
  t->end = t->g.l->n;
  rig_bind(&t->g);
  t->x_v = new_normals(1, t->n);
  t->labels_v = calloc((size_t)c->rows, sizeof *t->labels_v);
  for (size_t i = 0; i < t->n; i++) t->x_v[i] = c->scale > 1 ? (draw_uniform(2, i) > 0 ? c->scale : -c->scale) : 2 * t->x_v[i];
  for (int i = 0; i < c->rows; i++) t->labels_v[i] = i * 7 % (c->softmax ? c->classes : 2);
  t->want = (ref_loss){.softmax = c->softmax,
                       .domain = c->domain,
                       .domains = c->domain == 2,
                       .reduce = c->reduce,
                       .rows = c->rows,
                       .classes = c->classes,
                       .row0 = c->row0,
                       .ctl_rows = c->ctl_rows,
                       .ctl_split = c->ctl_split,
                       .domain_weight = (double)c->domain_weight,
                       .x = t->x_v,
                       .labels = t->labels_v,
                       .dx = new_doubles(t->n)};
}

static void loss_end(loss_trial *t) {
  rig_end(&t->g);
  free(t->x_v), free(t->labels_v), free(t->want.dx);
}

/* Runs one launch from fresh statistics; stats_out and the words of the control block come back. */
static void loss_run(loss_trial *t, int first, int last, int bad, float *stats_out, ctl_word *control_out) {
  const loss_case *c = t->c;
  const float stats[STAT_WORDS] = {1, 2, 3, 4, 5, 6, 7, 8};
  ctl_word control[CTL_WORDS] = {[CTL_STEP] = {.i = STEP},        [CTL_LR] = {.f = 3},
                                 [CTL_LAMBDA] = {.f = 5},         [CTL_DOMAIN_WEIGHT] = {.f = c->domain_weight},
                                 [CTL_ROWS] = {.i = c->ctl_rows}, [CTL_SPLIT] = {.i = c->ctl_split},
                                 [CTL_BAD] = {.i = bad},          [CTL_NEXT] = {.i = 9}};
  rig_put_doubles(&t->g, t->x, t->x_v);
  rig_put(&t->g, t->labels, t->labels_v);
  rig_put(&t->g, t->control, control);
  rig_put(&t->g, t->stats, stats);
  rig_poison(&t->g, t->dx);
  rig_run(&t->g, first, last);
  rig_get(&t->g, t->stats, stats_out);
  rig_get(&t->g, t->control, control_out);
  for (int i = 0; i < CTL_WORDS; i++)
    ck_assert_msg(i == CTL_BAD || control_out[i].i == control[i].i, "%s: word %d of the control block changed", t->g.label, i);
}

static void check_stats(loss_trial *t, const float *got) {
  for (int i = 0; i < STAT_WORDS; i++) {
    const double want = t->want.stats[i] + i + 1; /* added to what was there */
    ck_assert_msg(fabs((double)got[i] - want) <= (i == STAT_LOSS ? 2e-6 * (4 + fabs(want)) : 0),
                  "%s: statistic %d is %.9g, not %.9g", t->g.label, i, (double)got[i], want);
  }
}

/* The gradient of the sum of losses against the statistic that the device itself gives. */
static void check_direction(loss_trial *t) {
  double *x = t->x_v, want = 0, spread = 0, f[2];
  const double weight = t->c->domain ? (double)t->c->domain_weight : 1;
  for (int side = 0; side < 2; side++) {
    float stats[STAT_WORDS];
    ctl_word control[CTL_WORDS];
    t->x_v = new_doubles(t->n);
    for (size_t i = 0; i < t->n; i++) t->x_v[i] = (double)(float)(x[i] + (side ? -0.0625 : 0.0625) * draw_uniform(3, i));
    loss_run(t, t->evaluate, t->end, 0, stats, control);
    f[side] = (double)stats[STAT_LOSS];
    free(t->x_v);
  }
  t->x_v = x;
  for (size_t i = 0; i < t->n; i++) {
    const double part = t->want.dx[i] / weight * 0.125 * draw_uniform(3, i);
    want += part;
    spread += part * part;
  }
  ck_assert_msg(fabs(f[0] - f[1] - want) <= 1e-2 * sqrt(spread) + 1e-6 * fabs(f[0]),
                "%s: along a direction the loss changes by %.9g, its gradient says %.9g", t->g.label, f[0] - f[1], want);
}

static void run_case(const loss_case *c, const char *way) {
  loss_trial t;
  float stats[STAT_WORDS];
  ctl_word control[CTL_WORDS];
  loss_begin(&t, c, way);
  ref_loss_run(&t.want);
  loss_run(&t, t.train, t.evaluate, 0, stats, control);
  check_stats(&t, stats);
  ck_assert_msg(control[CTL_BAD].i == 0, "%s: a finite loss raised CTL_BAD", t.g.label);
  double *dx = rig_get_doubles(&t.g, t.dx);
  for (size_t i = 0; i < t.n; i++) {
    const double allowed =
        t.c->row0 + (int)i / c->classes < c->ctl_rows ? 2e-6 * (c->domain ? (double)c->domain_weight : 1) : 0;
    ck_assert_msg(fabs(dx[i] - t.want.dx[i]) <= allowed, "%s: dx[%zu] is %.9g, not %.9g", t.g.label, i, dx[i], t.want.dx[i]);
  }
  free(dx);
  loss_run(&t, t.evaluate, t.end, 0, stats, control);
  check_stats(&t, stats);
  if (c->reduce == REDUCE_SUM) check_direction(&t);
  loss_end(&t);
}

static const char *const variants[] = {"cpu", "generic"};

START_TEST(loss_case_test) {
  const loss_case *c = &cases[_i];
  if (harness_small() && c->rows > 10) return;
  for (int v = 0; v < 2; v++)
    if (harness_has(variants[v])) run_case(c, variants[v]);
}
END_TEST

/* A NaN or infinite logit of a valid row raises CTL_BAD with the step; one of a padding row does not; the first stays. */
static void bad_logit(const char *way, int softmax) {
  static const loss_case base[] = {{0, 0, REDUCE_MEAN, 9, 1, 0, 7, 4, 1, 1}, {1, 0, REDUCE_MEAN, 9, 3, 0, 7, 4, 1, 1}};
  loss_trial t;
  float stats[STAT_WORDS];
  ctl_word control[CTL_WORDS];
  loss_begin(&t, &base[softmax], way);
  const size_t classes = (size_t)t.c->classes, valid_at = 2 * classes + classes - 1, padding_at = 8 * classes;
  const double keep = t.x_v[valid_at], keep_padding = t.x_v[padding_at];
  for (int train = 0; train < 2; train++) {
    const int first = train ? t.train : t.evaluate, last = train ? t.evaluate : t.end;
    t.x_v[padding_at] = (double)NAN;
    loss_run(&t, first, last, 0, stats, control);
    ck_assert_msg(control[CTL_BAD].i == 0, "%s: a NaN in a padding row raised CTL_BAD", t.g.label);
    ck_assert_msg(isfinite(stats[STAT_LOSS]), "%s: a NaN in a padding row reached the loss", t.g.label);
    if (train) {
      double *dx = rig_get_doubles(&t.g, t.dx);
      for (size_t i = 7 * classes; i < 9 * classes; i++)
        ck_assert_msg(dx[i] == 0, "%s: padding row %zu has gradient %g", t.g.label, i / classes, dx[i]);
      free(dx);
    }
    t.x_v[padding_at] = keep_padding;
    t.x_v[valid_at] = (double)NAN;
    loss_run(&t, first, last, 0, stats, control);
    ck_assert_msg(control[CTL_BAD].i == STEP + 1, "%s: after a NaN logit CTL_BAD is %d", t.g.label, control[CTL_BAD].i);
    loss_run(&t, first, last, 5, stats, control);
    ck_assert_msg(control[CTL_BAD].i == 5, "%s: CTL_BAD was overwritten", t.g.label);
    t.x_v[valid_at] = (double)INFINITY;
    loss_run(&t, first, last, 0, stats, control);
    ck_assert_msg(control[CTL_BAD].i == STEP + 1, "%s: after an infinite logit CTL_BAD is %d", t.g.label, control[CTL_BAD].i);
    t.x_v[valid_at] = keep;
  }
  loss_end(&t);
}

START_TEST(bad_logits) {
  for (int v = 0; v < 2; v++)
    for (int softmax = 0; softmax < 2; softmax++)
      if (harness_has(variants[v])) bad_logit(variants[v], softmax);
}
END_TEST

TCase *loss_cases(void) {
  TCase *t = tcase_create("losses");
  tcase_set_timeout(t, 600);
  tcase_add_loop_test(t, loss_case_test, 0, (int)(sizeof cases / sizeof *cases));
  tcase_add_test(t, bad_logits);
  return t;
}

/*
 * tests/ops_cases.c: the ops by their table of example shapes. From one row of it, and for every variant: forward with
 * each fused activation, backward with beta 0 and 1, both against tests/reference.h; then the gradient against the
 * difference of the device's own forward along a random direction. To test a new op: rows in the table.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "harness.h"
#include "ops_suites.h"
#include "reference.h"

enum {
  ACT1 = 2,
  ACT2 = 4,
  ACT3 = 8,
  ACTS = ACT1 | ACT2 | ACT3,
  BETA1 = 16,
  SMALL = 32,
  TIES = 64,
  TWO = 2 << 8,
  THREE = 3 << 8
};

typedef struct op_case {
  const char *op;
  int rows;
  shape in;
  int units; /* of lrn: its size */
  cldann_window window;
  /* ACT*: fused activations to try; BETA1: beta 1 too; SMALL: also under a simulator; TIES: equal inputs; TWO, THREE: groups */
  int what;
} op_case;

#define VALID(...) \
  { __VA_ARGS__, .padding = CLDANN_VALID }
#define SAME(...) \
  { __VA_ARGS__, .padding = CLDANN_SAME }
#define CEIL(...) \
  { __VA_ARGS__, .padding = CLDANN_CEIL }
#define PAD(T, B, L, R, ...) \
  { __VA_ARGS__, .padding = CLDANN_EXPLICIT, .top = T, .bottom = B, .left = L, .right = R }

static const op_case cases[] = {
    {"dense", 1, {1, 1, 1}, 1, {0}, BETA1 | SMALL | ACT1},
    {"dense", 7, {2, 3, 4}, 3, {0}, BETA1 | SMALL | ACTS},
    {"dense", 2, {1, 1, 17}, 48, {0}, BETA1 | SMALL},
    {"dense", 63, {1, 1, 65}, 64, {0}, BETA1 | ACTS},
    {"dense", 64, {1, 1, 63}, 65, {0}, BETA1 | ACT1},
    {"dense", 65, {1, 1, 1000}, 10, {0}, BETA1},
    {"dense", 1000, {1, 1, 63}, 1, {0}, BETA1},
    {"dense", 5, {4, 3, 2}, 1000, {0}, BETA1},
    {"dense", 64, {1, 1, 100}, 100, {0}, ACT3},
    {"dense", 3, {1, 1, 2100}, 64, {0}, BETA1},
    {"dense", 130, {1, 1, 700}, 130, {0}, BETA1 | ACT1}, /* panels, in several runs over k */
    {"dense", 300, {1, 1, 301}, 257, {0}, BETA1},        /* panels, also for the weights' gradient */
    {"conv2d", 3, {5, 4, 3}, 2, SAME(3, 3), BETA1 | SMALL | ACT1},
    {"conv2d", 2, {9, 9, 1}, 1, VALID(5, 5), ACT2},
    {"conv2d", 2, {8, 8, 5}, 17, VALID(2, 2, 2, 2), BETA1},
    {"conv2d", 1, {11, 10, 33}, 48, SAME(3, 3, 2, 2), BETA1 | ACT3},
    {"conv2d", 2, {9, 7, 3}, 50, SAME(4, 4, 3, 3), BETA1 | ACT1},
    {"conv2d", 3, {6, 6, 3}, 2, PAD(1, 0, 2, 1, 3, 3), BETA1 | SMALL | ACT1},
    {"conv2d", 2, {7, 5, 3}, 10, PAD(0, 1, 1, 0, 3, 2, 2, 3), BETA1 | SMALL},
    {"conv2d", 1, {1, 5, 33}, 3, VALID(1, 1), 0},
    {"conv2d", 65, {4, 3, 1}, 32, SAME(2, 5), ACT1},
    {"conv2d", 1, {3, 65, 1}, 3, SAME(3, 3), 0},
    {"conv2d", 1, {1, 63, 3}, 2, VALID(1, 3), 0},
    {"conv2d", 1, {64, 2, 1}, 10, SAME(3, 1), 0},
    {"conv2d", 1, {3, 4, 1100}, 3, SAME(3, 3), BETA1},       /* channels in several passes, blocks of channels */
    {"conv2d", 1, {4, 4, 3}, 1100, SAME(3, 3, 2, 2), BETA1}, /* the same in its input gradient, dilated */
    {"conv2d", 1, {2, 65, 65}, 2, SAME(3, 3), 0},            /* blocks of columns */
    {"conv2d", 3, {5, 4, 6}, 4, SAME(3, 3), BETA1 | SMALL | ACT1 | TWO},
    {"conv2d", 2, {7, 5, 9}, 21, PAD(0, 1, 1, 0, 3, 2, 2, 3), BETA1 | SMALL | ACTS | THREE},
    {"conv2d", 2, {9, 7, 34}, 66, SAME(5, 5), BETA1 | ACT1 | TWO},
    {"conv2d", 5, {3, 5, 3}, 3, VALID(1, 1), BETA1 | THREE}, /* each channel by itself */
    {"max_pool", 3, {6, 6, 5}, 0, VALID(2, 2), BETA1 | SMALL},
    {"max_pool", 2, {7, 7, 3}, 0, VALID(3, 3, 2, 2), BETA1 | SMALL},
    {"max_pool", 2, {7, 6, 33}, 0, SAME(3, 3, 2, 2), BETA1},
    {"max_pool", 1, {5, 5, 1}, 0, SAME(2, 2), BETA1 | SMALL},
    {"max_pool", 2, {9, 7, 2}, 0, PAD(1, 0, 0, 1, 3, 2, 1, 1), 0},
    {"max_pool", 1, {1, 65, 3}, 0, VALID(1, 3, 1, 2), 0},
    {"max_pool", 3, {6, 6, 5}, 0, VALID(2, 2), TIES | SMALL},
    {"max_pool", 3, {7, 6, 33}, 0, SAME(3, 3, 2, 2), TIES},
    {"max_pool", 2, {28, 14, 3}, 0, CEIL(3, 3, 2, 2), BETA1 | SMALL},
    {"max_pool", 3, {5, 6, 2}, 0, CEIL(2, 2, 3, 3), BETA1},  /* a last window that would start outside */
    {"max_pool", 2, {7, 6, 32}, 0, CEIL(3, 3, 2, 2), BETA1}, /* vectors of channels without a rest */
    {"avg_pool", 2, {7, 5, 32}, 0, CEIL(3, 3, 2, 2), BETA1},
    {"avg_pool", 3, {6, 6, 5}, 0, VALID(2, 2), BETA1 | SMALL},
    {"avg_pool", 2, {7, 6, 33}, 0, SAME(3, 3, 2, 2), BETA1 | SMALL},
    {"avg_pool", 2, {9, 7, 2}, 0, PAD(1, 0, 0, 1, 3, 2, 1, 1), BETA1},
    {"avg_pool", 2, {10, 5, 17}, 0, CEIL(3, 3, 2, 2), BETA1 | SMALL},
    {"global_pool", 3, {7, 5, 17}, 0, {0}, BETA1 | SMALL},
    {"global_pool", 65, {1, 1, 3}, 0, {0}, BETA1},
    {"lrn", 3, {5, 4, 7}, 5, {0}, BETA1 | SMALL},
    {"lrn", 2, {9, 7, 96}, 5, {0}, BETA1},
    {"lrn", 65, {1, 1, 63}, 3, {0}, BETA1},
    {"lrn", 5, {3, 3, 2}, 7, {0}, BETA1}, /* windows wider than the channels */
    {"lrn", 7, {2, 3, 1}, 1, {0}, BETA1 | SMALL},
    {"leaky_relu", 65, {1, 1, 64}, 0, {0}, BETA1},
    {"leaky_relu", 3, {5, 3, 1}, 0, {0}, BETA1 | SMALL},
    {"relu", 1, {1, 1, 1}, 0, {0}, BETA1 | SMALL},
    {"relu", 65, {1, 1, 64}, 0, {0}, BETA1},
    {"sigmoid", 3, {7, 5, 3}, 0, {0}, BETA1 | SMALL},
    {"sigmoid", 5, {1, 1, 1000}, 0, {0}, BETA1},
    {"tanh", 3, {7, 5, 3}, 0, {0}, BETA1 | SMALL},
    {"tanh", 63, {1, 1, 65}, 0, {0}, BETA1},
};

enum { X, W, B, N_INPUTS };

typedef struct trial { /* one case, variant, activation and beta on the device */
  const op_case *c;
  op o;
  op_io io;
  rig g;
  int slot[N_INPUTS], grad[N_INPUTS], y, dy; /* slots; -1: none */
  double *in[N_INPUTS], *mag[N_INPUTS];      /* the inputs, and their absolute values */
  double *dy_v, *dy_mag;
  size_t n[N_INPUTS], n_y;
  int first, middle, last; /* launches: forward, backward */
} trial;

static int groups_of(const op_case *c) {
  return c->what >> 8;
}

/* x by the op: far from the kink of a ReLU, no two equal for max-pooling unless ties are wanted. */
static double *new_inputs(const op_case *c, size_t n) {
  double *x = new_normals(11, n);
  for (size_t i = 0; i < n; i++) {
    if (c->what & TIES)
      x[i] = floor(1.5 + 1.5 * draw_uniform(12, i));
    else if (!strcmp(c->op, "max_pool"))
      x[i] = (double)((i * 7919 + 5) % n) - (double)n / 2;
    else if (strstr(c->op, "relu"))
      x[i] = (double)(float)(x[i] + (x[i] > 0 ? 0.25 : -0.25));
  }
  return x;
}

static void trial_op(trial *t, const op_case *c, const char *way, int act, int beta) {
  char label[112];
  memset(t, 0, sizeof *t);
  t->c = c;
  t->o = harness_infer((op){.type = op_find(c->op),
                            .in = c->in,
                            .units = c->units,
                            .groups = groups_of(c),
                            .window = c->window,
                            .size = c->units,
                            .alpha = 1.5f,
                            .beta = 0.75f,
                            .k = 1.25f});
  t->o.act = act;
  t->o.slope = 0.125f;
  snprintf(label, sizeof label, "%s %d x (%d,%d,%d) units %d groups %d window %dx%d/%dx%d pad %d act %d beta %d", c->op,
           c->rows, c->in.h, c->in.w, c->in.c, c->units, groups_of(c), t->o.window.height, t->o.window.width,
           t->o.window.stride_y, t->o.window.stride_x, (int)c->window.padding, act, beta);
  const shape s = ref_shape(&t->o);
  ck_assert_msg(s.h == t->o.out.h && s.w == t->o.out.w && s.c == t->o.out.c, "%s: output (%d,%d,%d), not (%d,%d,%d)", label,
                t->o.out.h, t->o.out.w, t->o.out.c, s.h, s.w, s.c);
  rig_begin(&t->g, way, label);
}

static tensor slot_tensor(const trial *t, int s) {
  return s < 0 ? (tensor){0} : t->g.slots[s].t;
}

static void trial_tensors(trial *t, int backward) {
  static const char *const names[] = {"x", "w", "b"}, *const grads[] = {"dx", "dw", "db"};
  const op *o = &t->o;
  rig *g = &t->g;
  for (int i = 0; i < N_INPUTS; i++) {
    t->slot[i] = t->grad[i] = -1;
    if (i > o->n_params) continue;
    const shape s = i == X ? o->in : (shape){1, 1, (int)o->params[i - 1].count};
    const int rows = i == X ? t->c->rows : 1;
    t->slot[i] = rig_in(g, names[i], 4, rows, s.h, s.w, s.c);
    if (backward) t->grad[i] = rig_out(g, grads[i], 4, rows, s.h, s.w, s.c);
    t->n[i] = g->slots[t->slot[i]].count;
    t->in[i] = i == X ? new_inputs(t->c, t->n[i]) : new_normals(20 + (uint32_t)i, t->n[i]);
    t->mag[i] = new_abs(t->in[i], t->n[i]);
  }
  t->y = rig_out(g, "y", 4, t->c->rows, o->out.h, o->out.w, o->out.c);
  t->dy = backward ? rig_in(g, "dy", 4, t->c->rows, o->out.h, o->out.w, o->out.c) : -1;
  t->n_y = g->slots[t->y].count;
  t->dy_v = new_normals(30, t->n_y);
  t->dy_mag = new_abs(t->dy_v, t->n_y);
  t->io.x = slot_tensor(t, t->slot[X]), t->io.w = slot_tensor(t, t->slot[W]), t->io.b = slot_tensor(t, t->slot[B]);
  t->io.dx = slot_tensor(t, t->grad[X]), t->io.dw = slot_tensor(t, t->grad[W]), t->io.db = slot_tensor(t, t->grad[B]);
  t->io.y = slot_tensor(t, t->y), t->io.dy = slot_tensor(t, t->dy);
  if (o->saves) t->io.saved = slot_tensor(t, rig_out(g, "saved", 1, t->c->rows, o->out.h, o->out.w, o->out.c));
}

static void trial_begin(trial *t, const op_case *c, const char *way, int act, int beta) {
  const int backward = act == 0;
  trial_op(t, c, way, act, beta);
  trial_tensors(t, backward);
  t->io.beta = beta;
  launches *l = t->g.l;
  t->first = l->n;
  launches_at(l, c->op, "forward");
  t->o.type->forward(l, &t->o, &t->io);
  t->middle = l->n;
  launches_at(l, c->op, "backward");
  if (backward) t->o.type->backward(l, &t->o, &t->io);
  t->last = l->n;
  ck_assert_msg(l->n > t->first, "%s: nothing was emitted", t->g.label);
  rig_bind(&t->g);
  for (int i = 0; i < N_INPUTS; i++)
    if (t->slot[i] >= 0) rig_put_doubles(&t->g, t->slot[i], t->in[i]);
  if (backward) rig_put_doubles(&t->g, t->dy, t->dy_v);
}

static void trial_end(trial *t) {
  rig_end(&t->g);
  for (int i = 0; i < N_INPUTS; i++) free(t->in[i]), free(t->mag[i]);
  free(t->dy_v), free(t->dy_mag);
}

/* Sums of absolute values: what the rounding of each output is measured against. The caller's to free. */
static double *forward_mag(const trial *t) {
  op plain = t->o;
  double *mag = new_doubles(t->n_y);
  plain.act = 0;
  ref_forward(&plain, t->c->rows, t->mag[X], t->mag[W], t->mag[B], mag);
  for (size_t i = 0; i < t->n_y; i++) mag[i] += t->o.type->act || t->o.act ? 4 : 0; /* an activation has its own rounding */
  return mag;
}

static void check_forward(trial *t) {
  double *want = new_doubles(t->n_y), *mag = forward_mag(t);
  ref_forward(&t->o, t->c->rows, t->in[X], t->in[W], t->in[B], want);
  rig_poison(&t->g, t->y);
  rig_run(&t->g, t->first, t->middle);
  rig_compare(&t->g, t->y, want, mag, ref_terms(&t->o));
  free(want), free(mag);
}

static void check_backward(trial *t) {
  double *want[N_INPUTS], *mag[N_INPUTS], *y = rig_get_doubles(&t->g, t->y);
  const double terms[N_INPUTS] = {ref_terms_dx(&t->o), ref_terms_dw(&t->o, t->c->rows), ref_terms_dw(&t->o, t->c->rows)};
  for (int i = 0; i < N_INPUTS; i++) want[i] = new_doubles(t->n[i]), mag[i] = new_doubles(t->n[i]);
  ref_backward(&t->o, t->c->rows,
               &(ref_io){.x = t->in[X], .w = t->in[W], .y = y, .dy = t->dy_v, .dx = want[X], .dw = want[W], .db = want[B]});
  if (t->o.n_params)
    ref_backward(&t->o, t->c->rows,
                 &(ref_io){.x = t->mag[X], .w = t->mag[W], .dy = t->dy_mag, .dx = mag[X], .dw = mag[W], .db = mag[B]});
  else
    for (size_t i = 0; i < t->n[X]; i++) mag[X][i] = 8;
  for (int i = 0; i < N_INPUTS; i++) {
    if (t->grad[i] < 0) continue;
    rig_poison(&t->g, t->grad[i]);
    if (i != X || !t->io.beta) continue;
    double *before = new_normals(40, t->n[X]);
    rig_put_doubles(&t->g, t->grad[X], before);
    for (size_t j = 0; j < t->n[X]; j++) want[X][j] += before[j], mag[X][j] += fabs(before[j]);
    free(before);
  }
  rig_run(&t->g, t->middle, t->last);
  for (int i = 0; i < N_INPUTS; i++) {
    if (t->grad[i] >= 0) rig_compare(&t->g, t->grad[i], want[i], mag[i], terms[i]);
    free(want[i]), free(mag[i]);
  }
  free(y);
}

/* sum of dy * y on the device with the given input moved */
static double objective(trial *t, int which, const double *value, double *y_sum) {
  rig_put_doubles(&t->g, t->slot[which], value);
  rig_run(&t->g, t->first, t->middle);
  double *y = rig_get_doubles(&t->g, t->y), sum = 0;
  for (size_t i = 0; i < t->n_y; i++) sum += t->dy_v[i] * y[i], y_sum[i] = y[i];
  free(y);
  return sum;
}

/* f(p + d) - f(p - d) against the sum of gradient * 2d, for one of x, w, b along a random direction. */
static void check_direction(trial *t, int which) {
  /* The linear ops take a step as large as their inputs; pooling must not change its winners, which are 1 apart. */
  const double step = t->o.n_params ? 1 : !strcmp(t->c->op, "max_pool") ? 0.25 : 0.03125;
  double *grad = rig_get_doubles(&t->g, t->grad[which]), *up = new_doubles(t->n[which]), *down = new_doubles(t->n[which]);
  double *y = new_doubles(t->n_y), *mag = forward_mag(t), want = 0, spread = 0, noise = 0;
  for (size_t i = 0; i < t->n[which]; i++) {
    const double d = step * draw_uniform(50 + (uint32_t)which, i);
    up[i] = (double)(float)(t->in[which][i] + d), down[i] = (double)(float)(t->in[which][i] - d);
    want += grad[i] * (up[i] - down[i]);
    spread += pow(grad[i] * (up[i] - down[i]), 2);
  }
  const double got = objective(t, which, up, y) - objective(t, which, down, y);
  for (size_t i = 0; i < t->n_y; i++) noise += pow(t->dy_v[i] * tolerance(y[i], 4 * mag[i], ref_terms(&t->o)), 2);
  const double allowed = (t->o.type->act ? 5e-3 : 1e-3) * sqrt(spread) + 2 * sqrt(noise);
  ck_assert_msg(fabs(got - want) <= allowed,
                "%s: gradient %d along a direction: forward changes by %.9g, gradient says %.9g (allowed %.3g)", t->g.label,
                which, got, want, allowed);
  rig_put_doubles(&t->g, t->slot[which], t->in[which]);
  free(grad), free(up), free(down), free(y), free(mag);
}

static void run_case(const op_case *c, const char *way) {
  trial t;
  for (int act = 0; act < 4; act++) {
    if (act && !(c->what & 1 << act)) continue;
    trial_begin(&t, c, way, act, 0);
    check_forward(&t);
    if (!act) check_backward(&t);
    for (int i = 0; i < N_INPUTS; i++)
      if (t.grad[i] >= 0 && !(c->what & TIES)) check_direction(&t, i);
    trial_end(&t);
  }
  if (!(c->what & BETA1)) return;
  trial_begin(&t, c, way, 0, 1);
  check_forward(&t);
  check_backward(&t);
  trial_end(&t);
}

/* Local tiles are for products, a library for plain ones. */
static int op_has(const char *name, const char *way) {
  const int dense = !strcmp(name, "dense");
  return !strcmp(way, "clblast") ? dense : !strcmp(way, "local") ? dense || !strcmp(name, "conv2d") : 1;
}

START_TEST(op_case_test) {
  const op_case *c = &cases[_i];
  if (harness_small() && !(c->what & SMALL)) return;
  for (int v = 0; harness_variants[v]; v++)
    if (harness_has(harness_variants[v]) && op_has(c->op, harness_variants[v])) run_case(c, harness_variants[v]);
}
END_TEST

/* Every op has rows above, or a test of its own. */
START_TEST(every_op_is_tested) {
  static const char *const elsewhere[] = {"input",   "flatten",    "rows",         "reversal",
                                          "dropout", "batch_norm", "softmax_xent", "logistic_xent"};
  for (int i = 0; op_types[i]; i++) {
    int found = 0;
    for (size_t j = 0; j < sizeof cases / sizeof *cases; j++) found += !strcmp(cases[j].op, op_types[i]->name);
    for (size_t j = 0; j < sizeof elsewhere / sizeof *elsewhere; j++) found += !strcmp(elsewhere[j], op_types[i]->name);
    ck_assert_msg(found > 0, "op %s has no example shape in tests/ops_cases.c", op_types[i]->name);
  }
}
END_TEST

/* An activation's dx may be its dy. */
START_TEST(activations_in_place) {
  static const char *const names[] = {"relu", "sigmoid", "tanh"};
  const size_t n = 5000;
  for (int a = 0; a < 3; a++) {
    rig g;
    op o = {.type = op_find(names[a]), .in = {1, 1, 1000}};
    rig_begin(&g, "generic", "activation in place");
    const int y = rig_in(&g, "y", 4, 5, 1, 1, 1000), d = rig_out(&g, "dy = dx", 4, 5, 1, 1, 1000);
    double *x = new_normals(1, n), *yv = new_doubles(n), *dy = new_normals(2, n), *want = new_doubles(n), *mag = new_doubles(n);
    ref_forward(&o, 5, x, NULL, NULL, yv);
    for (size_t i = 0; i < n; i++) yv[i] = (double)(float)yv[i], mag[i] = 8;
    ref_backward(&o, 5, &(ref_io){.x = x, .y = yv, .dy = dy, .dx = want});
    o.type->backward(g.l, &o, &(op_io){.x = g.slots[y].t, .y = g.slots[y].t, .dy = g.slots[d].t, .dx = g.slots[d].t});
    rig_bind(&g);
    rig_put_doubles(&g, y, yv);
    rig_put_doubles(&g, d, dy);
    rig_run(&g, 1, g.l->n);
    rig_compare(&g, d, want, mag, 1);
    rig_end(&g);
    free(x), free(yv), free(dy), free(want), free(mag);
  }
}
END_TEST

/* The mask is that of base/rng.h, the same forward and backward, another in another step, and rate of it is zeros. */
static void dropout_trial(const char *way, int beta) {
  enum { N = 4233, STEP = 7 };
  const uint64_t seed = 0x123456789abcdefULL;
  const float rate = 0.3f;
  rig g;
  op o = {.type = &op_dropout, .in = {1, 1, N / 3}, .rate = rate};
  rig_begin(&g, way, beta ? "dropout, beta 1" : "dropout, beta 0");
  const int x = rig_in(&g, "x", 4, 3, 1, 1, N / 3), y = rig_out(&g, "y", 4, 3, 1, 1, N / 3);
  const int dy = rig_in(&g, "dy", 4, 3, 1, 1, N / 3), dx = rig_out(&g, "dx", 4, 3, 1, 1, N / 3);
  const int control = rig_in(&g, "control", 4, 1, 1, 1, CTL_WORDS);
  const op_io io = {.x = g.slots[x].t,
                    .y = g.slots[y].t,
                    .dy = g.slots[dy].t,
                    .dx = g.slots[dx].t,
                    .beta = beta,
                    .control = g.slots[control].t,
                    .seed = seed,
                    .stream = 5};
  o.type->forward(g.l, &o, &io);
  o.type->backward(g.l, &o, &io);
  rig_bind(&g);
  double *xv = new_normals(1, N), *dyv = new_normals(2, N), *before = new_normals(3, N);
  ctl_word words[CTL_WORDS] = {[CTL_STEP] = {.i = STEP}};
  rig_put_doubles(&g, x, xv), rig_put_doubles(&g, dy, dyv), rig_put(&g, control, words);
  rig_poison(&g, y), rig_poison(&g, dx);
  if (beta) rig_put_doubles(&g, dx, before);
  rig_run(&g, 1, g.l->n);
  double *gy = rig_get_doubles(&g, y), *gx = rig_get_doubles(&g, dx);
  int zeros = 0, moved = 0;
  for (size_t i = 0; i < N; i++) {
    const int off = rng_unit(rng_words(seed, 5, STEP, i / 4).v[i % 4]) < rate;
    const double scale = off ? 0 : 1 / (1 - (double)rate);
    zeros += off;
    moved += off != (rng_unit(rng_words(seed, 5, STEP + 1, i / 4).v[i % 4]) < rate);
    ck_assert_msg(fabs(gy[i] - xv[i] * scale) <= 1e-6 * fabs(xv[i]), "element %zu forward", i);
    ck_assert_msg(fabs(gx[i] - (beta ? before[i] : 0) - dyv[i] * scale) <= 1e-6 * (fabs(dyv[i]) + fabs(before[i])),
                  "element %zu backward", i);
  }
  ck_assert(abs(zeros - (int)(0.3 * N)) < 120); /* four standard deviations */
  ck_assert_int_gt(moved, N / 4);
  rig_end(&g);
  free(xv), free(dyv), free(before), free(gy), free(gx);
}

START_TEST(dropout_masks) {
  for (int v = 0; harness_variants[v]; v++)
    for (int beta = 0; beta < 2 && harness_has(harness_variants[v]); beta++) dropout_trial(harness_variants[v], beta);
}
END_TEST

/* dx = beta*dx - lambda * run-time lambda * dy, the sign being the point of it all. */
static void reversal_trial(const char *way, int beta, float lambda) {
  static const float run_time[] = {0.0f, 1.0f, 0.25f, -0.5f};
  const size_t n = 4225;
  rig g;
  op o = {.type = &op_reversal, .in = {1, 1, 65}, .lambda = lambda};
  rig_begin(&g, way, beta ? "reversal, beta 1" : "reversal, beta 0");
  const int dy = rig_in(&g, "dy", 4, 65, 1, 1, 65), dx = rig_out(&g, "dx", 4, 65, 1, 1, 65);
  const int control = rig_in(&g, "control", 4, 1, 1, 1, CTL_WORDS);
  double *dy_v = new_normals(1, n), *before = new_normals(2, n), *want = new_doubles(n), *mag = new_doubles(n);
  o.type->backward(g.l, &o, &(op_io){.dy = g.slots[dy].t, .dx = g.slots[dx].t, .control = g.slots[control].t, .beta = beta});
  rig_bind(&g);
  rig_put_doubles(&g, dy, dy_v);
  for (int i = 0; i < 4; i++) {
    ctl_word words[CTL_WORDS] = {[CTL_LAMBDA] = {.f = run_time[i]}, [CTL_LR] = {.f = 7}, [CTL_DOMAIN_WEIGHT] = {.f = 3}};
    rig_put(&g, control, words);
    rig_poison(&g, dx);
    if (beta) rig_put_doubles(&g, dx, before);
    for (size_t j = 0; j < n; j++) {
      want[j] = beta * before[j] - (double)lambda * (double)run_time[i] * dy_v[j];
      mag[j] = fabs(want[j]) + beta * fabs(before[j]);
    }
    rig_run(&g, 1, g.l->n);
    rig_compare(&g, dx, want, mag, 1);
  }
  rig_end(&g);
  free(dy_v), free(before), free(want), free(mag);
}

START_TEST(reversal) {
  static const float own[] = {1.0f, 0.3f, -1.0f};
  cldann_error e;
  op o = {.type = &op_reversal, .in = {3, 2, 5}};
  err_clear(&e);
  ck_assert_int_eq(o.type->infer(&o, &e), CLDANN_OK);
  ck_assert(o.out.h == 3 && o.out.w == 2 && o.out.c == 5);
  ck_assert_msg(o.type->flags == OP_ALIAS && !o.type->forward, "the reversal's forward is an alias");
  for (int beta = 0; beta < 2; beta++)
    for (int i = 0; i < (beta ? 1 : 3); i++) {
      reversal_trial("generic", beta, own[i]);
      if (harness_has("cpu")) reversal_trial("cpu", beta, own[i]);
    }
}
END_TEST

START_TEST(views) {
  cldann_error e;
  op flat = {.type = &op_flatten, .in = {3, 2, 5}}, rows = {.type = &op_rows, .in = {3, 2, 5}};
  err_clear(&e);
  ck_assert_int_eq(flat.type->infer(&flat, &e), CLDANN_OK);
  ck_assert(flat.out.h == 1 && flat.out.w == 1 && flat.out.c == 30 && flat.type->flags == OP_VIEW && !flat.type->forward);
  ck_assert_int_eq(rows.type->infer(&rows, &e), CLDANN_OK);
  ck_assert(rows.out.h == 3 && rows.out.w == 2 && rows.out.c == 5 && rows.type->flags == OP_VIEW && !rows.type->backward);
}
END_TEST

/* Padding and output sizes as TensorFlow has them, written down; and shapes that must be refused, by name. */
START_TEST(windows) {
  static const struct {
    int in, k, stride;
    cldann_padding padding;
    int lead, trail, pad, out;
  } known[] = {
      {28, 5, 1, CLDANN_SAME, 0, 0, 2, 28}, {28, 5, 1, CLDANN_VALID, 0, 0, 0, 24},  {28, 2, 2, CLDANN_SAME, 0, 0, 0, 14},
      {5, 3, 2, CLDANN_SAME, 0, 0, 1, 3},   {6, 3, 2, CLDANN_SAME, 0, 0, 0, 3},     {7, 4, 3, CLDANN_SAME, 0, 0, 1, 3},
      {5, 2, 1, CLDANN_SAME, 0, 0, 0, 5},   {5, 1, 3, CLDANN_SAME, 0, 0, 0, 2},     {7, 3, 2, CLDANN_VALID, 0, 0, 0, 3},
      {8, 3, 2, CLDANN_VALID, 0, 0, 0, 3},  {6, 3, 1, CLDANN_EXPLICIT, 2, 1, 2, 7}, {1, 1, 1, CLDANN_VALID, 9, 9, 0, 1},
  };
  cldann_error e;
  err_clear(&e);
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    for (int across = 0; across < 2; across++) {
      const int k = known[i].k, s = known[i].stride;
      op o = {
          .type = &op_conv2d, .name = "c", .in = {1, 1, 1}, .units = 1, .window = {1, 1, 1, 1, known[i].padding, 0, 0, 0, 0}};
      if (across)
        o.in.w = known[i].in, o.window.width = k, o.window.stride_x = s, o.window.left = known[i].lead,
        o.window.right = known[i].trail;
      else
        o.in.h = known[i].in, o.window.height = k, o.window.stride_y = s, o.window.top = known[i].lead,
        o.window.bottom = known[i].trail;
      ck_assert_msg(o.type->infer(&o, &e) == CLDANN_OK, "window %zu: %s", i, e.message);
      ck_assert_int_eq(across ? o.out.w : o.out.h, known[i].out);
      ck_assert_int_eq(across ? o.pad_left : o.pad_top, known[i].pad);
    }
  op bad[] = {
      {.type = &op_conv2d, .name = "big", .in = {4, 4, 1}, .units = 1, .window = VALID(5, 5)},
      {.type = &op_conv2d, .name = "none", .in = {4, 4, 1}, .units = 0, .window = VALID(3, 3)},
      {.type = &op_conv2d, .name = "odd", .in = {4, 4, 3}, .units = 4, .groups = 2, .window = VALID(3, 3)},
      {.type = &op_conv2d, .name = "few", .in = {4, 4, 4}, .units = 3, .groups = 2, .window = VALID(3, 3)},
      {.type = &op_conv2d, .name = "pad", .in = {4, 4, 1}, .units = 1, .window = PAD(3, 0, 0, 0, 3, 3)},
      {.type = &op_max_pool, .name = "wide", .in = {40, 40, 1}, .window = VALID(17, 17)},
      {.type = &op_dense, .name = "empty", .in = {4, 4, 1}},
      {.type = &op_softmax_xent, .name = "one", .in = {1, 1, 1}},
      {.type = &op_logistic_xent, .name = "two", .in = {1, 1, 2}},
      {.type = &op_input, .name = "flat", .in = {0, 1, 2}},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    err_clear(&e);
    ck_assert_int_eq(bad[i].type->infer(&bad[i], &e), CLDANN_E_SHAPE);
    ck_assert_msg(strstr(e.message, bad[i].name) != NULL, "'%s' does not name %s", e.message, bad[i].name);
  }
}
END_TEST

TCase *op_cases(void) {
  TCase *t = tcase_create("table");
  tcase_set_timeout(t, 600);
  tcase_add_test(t, every_op_is_tested);
  tcase_add_test(t, windows);
  tcase_add_test(t, views);
  tcase_add_test(t, reversal);
  tcase_add_test(t, activations_in_place);
  tcase_add_test(t, dropout_masks);
  tcase_add_loop_test(t, op_case_test, 0, (int)(sizeof cases / sizeof *cases));
  return t;
}

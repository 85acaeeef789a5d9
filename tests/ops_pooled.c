/*
 * tests/ops_pooled.c: a convolution that has taken its activation and its max-pooling into its own kernels, against the
 * three ops one by one in tests/reference.h. Who won a window is asked of the device (equal outputs leave it free), held
 * against the reference's values, and then the gradients must be those of these winners.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness.h"
#include "ops/conv2d.h"
#include "ops_suites.h"
#include "reference.h"

typedef struct pooled_case {
  int rows;
  shape in;
  int units;
  cldann_window window, pool;
  int act, beta, small;
} pooled_case;

#define VALID(...) \
  { __VA_ARGS__, .padding = CLDANN_VALID }
#define SAME(...) \
  { __VA_ARGS__, .padding = CLDANN_SAME }

#define CEIL(...) \
  { __VA_ARGS__, .padding = CLDANN_CEIL }

static const pooled_case cases[] = {
    {2, {6, 6, 3}, 4, SAME(3, 3), VALID(2, 2), ACT_RELU, 0, 1},
    {1, {1, 1, 1}, 1, VALID(1, 1), VALID(1, 1), ACT_NONE, 1, 1},
    {3, {9, 7, 2}, 5, SAME(3, 2), SAME(2, 2), ACT_TANH, 1, 1}, /* windows cut by the edge, a short row of the patch */
    {2, {10, 9, 4}, 6, VALID(4, 3), CEIL(2, 2), ACT_RELU, 1, 1},
    {2, {14, 14, 32}, 48, SAME(5, 5), SAME(2, 2), ACT_RELU, 0, 0},
    {3, {28, 28, 3}, 32, SAME(5, 5), SAME(2, 2), ACT_RELU, 1, 0},
    {33, {8, 8, 1}, 17, VALID(3, 3), VALID(3, 3), ACT_SIGMOID, 0, 0},     /* partial sums of several images, odd channels */
    {2, {11, 10, 33}, 50, SAME(3, 3, 2, 2), VALID(2, 3), ACT_RELU, 1, 0}, /* strides, windows that are not square */
    {1, {10, 9, 7}, 9, VALID(4, 4, 3, 3), VALID(2, 1), ACT_NONE, 1, 0},   /* rows and columns that no window reads */
    {1, {4, 65, 3}, 100, VALID(1, 4), VALID(1, 2), ACT_RELU, 0, 0},       /* a band of several tiles */
    {1, {6, 6, 300}, 3, SAME(3, 3), VALID(2, 2), ACT_RELU, 1, 0},         /* a patch's row in several chunks */
    {1, {2, 600, 2}, 64, SAME(1, 3), VALID(2, 2), ACT_RELU, 0, 0},        /* a work-item takes some pooled columns */
    {1, {8, 400, 40}, 4, SAME(3, 3), VALID(2, 2), ACT_RELU, 1, 0},        /* an image too large for a work-item's memory */
};

enum { X, W, B, DY, N_IN };

typedef struct trial {
  const pooled_case *c;
  op conv, pool;
  rig g;
  int in[N_IN], out[3], y, arg, middle;
  double *v[N_IN], *mag[N_IN];
  size_t n_conv, n_y;
} trial;

static void trial_begin(trial *t, const pooled_case *c, const char *way, int number) {
  static const char *const names[] = {"x", "w", "b", "dy"}, *const grads[] = {"dx", "dw", "db"};
  char label[64];
  *t = (trial){.c = c};
  snprintf(label, sizeof label, "pooled convolution, case %d", number);
  rig_begin(&t->g, way, label);
  t->conv = harness_op("conv2d", c->in, c->units, c->window);
  t->pool = harness_op("max_pool", t->conv.out, 0, c->pool);
  ck_assert_msg(conv2d_takes_pool(&t->conv, &t->pool), "%s: not taken", label);
  t->conv.act = c->act;
  t->conv.pool = &t->pool;
  const shape s = t->pool.out, sizes[N_IN] = {c->in, {1, 1, (int)t->conv.params[0].count}, {1, 1, c->units}, s};
  for (int i = 0; i < N_IN; i++) {
    const int rows = i == X || i == DY ? c->rows : 1;
    const size_t n = (size_t)rows * (size_t)(sizes[i].h * sizes[i].w * sizes[i].c);
    t->in[i] = rig_in(&t->g, names[i], 4, rows, sizes[i].h, sizes[i].w, sizes[i].c);
    if (i < DY) t->out[i] = rig_out(&t->g, grads[i], 4, rows, sizes[i].h, sizes[i].w, sizes[i].c);
    t->v[i] = new_normals(60 + (uint32_t)i, n);
    t->mag[i] = new_abs(t->v[i], n);
  }
  t->v[DY][0] = t->mag[DY][0] = 0; /* a winner without a gradient is left out */
  t->y = rig_out(&t->g, "y", 4, c->rows, s.h, s.w, s.c);
  t->arg = rig_out(&t->g, "arg", 1, c->rows, s.h, s.w, s.c);
  t->n_y = t->g.slots[t->y].count;
  t->n_conv = (size_t)c->rows * (size_t)(t->conv.out.h * t->conv.out.w * t->conv.out.c);
  const slot *at = t->g.slots;
  const op_io io = {.x = at[t->in[X]].t,
                    .w = at[t->in[W]].t,
                    .b = at[t->in[B]].t,
                    .y = at[t->y].t,
                    .saved = at[t->arg].t,
                    .dy = at[t->in[DY]].t,
                    .dx = at[t->out[X]].t,
                    .dw = at[t->out[W]].t,
                    .db = at[t->out[B]].t,
                    .beta = c->beta};
  t->conv.type->forward(t->g.l, &t->conv, &io);
  t->middle = t->g.l->n;
  t->conv.type->backward(t->g.l, &t->conv, &io);
  rig_bind(&t->g);
  for (int i = 0; i < N_IN; i++) rig_put_doubles(&t->g, t->in[i], t->v[i]);
}

static void trial_end(trial *t) {
  rig_end(&t->g);
  for (int i = 0; i < N_IN; i++) free(t->v[i]), free(t->mag[i]);
}

/* The place in the convolution's output of the winner of pooled output q, or a failure. */
static size_t winner(const trial *t, const uint8_t *arg, size_t q) {
  const op *p = &t->pool;
  const size_t c = q % (size_t)p->out.c, ox = q / (size_t)p->out.c % (size_t)p->out.w,
               oy = q / (size_t)(p->out.c * p->out.w) % (size_t)p->out.h, n = q / (size_t)(p->out.c * p->out.w * p->out.h);
  const int y = (int)oy * p->window.stride_y - p->pad_top + arg[q] / p->window.width,
            x = (int)ox * p->window.stride_x - p->pad_left + arg[q] % p->window.width;
  ck_assert_msg(arg[q] < p->window.height * p->window.width && y >= 0 && y < p->in.h && x >= 0 && x < p->in.w,
                "%s: output %zu has no winner %d", t->g.label, q, arg[q]);
  return ((n * (size_t)p->in.h + (size_t)y) * (size_t)p->in.w + (size_t)x) * (size_t)p->in.c + c;
}

/* Forward and who won; dy of the convolution, unpooled, for both dy and |dy|. */
static void check_forward(trial *t, double *unpooled, double *unpooled_mag) {
  op plain = t->conv;
  double *raw = new_doubles(t->n_conv), *mag = new_doubles(t->n_conv), *want = new_doubles(t->n_y),
         *y_mag = new_doubles(t->n_y);
  uint8_t *arg = malloc(t->n_y);
  ref_forward(&t->conv, t->c->rows, t->v[X], t->v[W], t->v[B], raw);
  plain.act = ACT_NONE;
  ref_forward(&plain, t->c->rows, t->mag[X], t->mag[W], t->mag[B], mag);
  ref_forward(&t->pool, t->c->rows, raw, NULL, NULL, want);
  rig_poison(&t->g, t->y);
  rig_run(&t->g, 1, t->middle);
  rig_get(&t->g, t->arg, arg);
  for (size_t q = 0; q < t->n_y; q++) {
    const size_t w = winner(t, arg, q);
    y_mag[q] = mag[w] + 4;
    ck_assert_msg(fabs(raw[w] - want[q]) <= 2 * tolerance(want[q], y_mag[q], ref_terms(&t->conv)),
                  "%s: output %zu is not that of its winner", t->g.label, q);
    unpooled[w] += t->v[DY][q], unpooled_mag[w] += t->mag[DY][q];
  }
  rig_compare(&t->g, t->y, want, y_mag, ref_terms(&t->conv));
  free(raw), free(mag), free(want), free(y_mag), free(arg);
}

static void check_backward(trial *t, const double *unpooled, const double *unpooled_mag) {
  const double terms[3] = {ref_terms_dx(&t->conv), ref_terms_dw(&t->conv, t->c->rows), ref_terms_dw(&t->conv, t->c->rows)};
  double *want[3], *mag[3];
  op plain = t->conv;
  plain.act = ACT_NONE; /* its derivative is a launch of its own */
  for (int i = 0; i < 3; i++) {
    const size_t n = t->g.slots[t->out[i]].count;
    want[i] = new_doubles(n), mag[i] = new_doubles(n);
  }
  ref_backward(&plain, t->c->rows,
               &(ref_io){.x = t->v[X], .w = t->v[W], .dy = unpooled, .dx = want[X], .dw = want[W], .db = want[B]});
  ref_backward(&plain, t->c->rows,
               &(ref_io){.x = t->mag[X], .w = t->mag[W], .dy = unpooled_mag, .dx = mag[X], .dw = mag[W], .db = mag[B]});
  for (int i = 0; i < 3; i++) rig_poison(&t->g, t->out[i]);
  if (t->c->beta) {
    const size_t n = t->g.slots[t->out[X]].count;
    double *before = new_normals(70, n);
    rig_put_doubles(&t->g, t->out[X], before);
    for (size_t i = 0; i < n; i++) want[X][i] += before[i], mag[X][i] += fabs(before[i]);
    free(before);
  }
  rig_run(&t->g, t->middle, t->g.l->n);
  for (int i = 0; i < 3; i++) {
    rig_compare(&t->g, t->out[i], want[i], mag[i], terms[i]);
    free(want[i]), free(mag[i]);
  }
}

/* By the winners on CPUs; the other variants do the convolution and the pooling apart. */
START_TEST(pooled_convolution) {
  const pooled_case *c = &cases[_i];
  if (harness_small() && !c->small) return;
  for (const char *const *way = harness_variants; *way; way++) {
    trial t;
    if (!harness_has(*way)) continue;
    trial_begin(&t, c, *way, _i);
    double *unpooled = new_doubles(t.n_conv), *unpooled_mag = new_doubles(t.n_conv);
    check_forward(&t, unpooled, unpooled_mag);
    check_backward(&t, unpooled, unpooled_mag);
    trial_end(&t);
    free(unpooled), free(unpooled_mag);
  }
}
END_TEST

/* Where no output is above -INFINITY a winner is still a cell of the image: backward goes to the patch it names. */
START_TEST(nothing_to_win) {
  const pooled_case c = {
      1,        {6, 6, 2}, 3, SAME(3, 3), {2, 2, .padding = CLDANN_EXPLICIT, .top = 1, .bottom = 1, .left = 1, .right = 1},
      ACT_NONE, 0,         1};
  const double never[3] = {-INFINITY, -INFINITY, -INFINITY};
  uint8_t arg[4 * 4 * 3];
  trial t;
  if (!harness_has("cpu")) return;
  trial_begin(&t, &c, "cpu", -1);
  ck_assert_uint_eq(t.n_y, sizeof arg);
  rig_put_doubles(&t.g, t.in[B], never);
  rig_run(&t.g, 1, t.middle);
  rig_get(&t.g, t.arg, arg);
  for (size_t q = 0; q < t.n_y; q++) winner(&t, arg, q);
  rig_run(&t.g, t.middle, t.g.l->n);
  trial_end(&t);
}
END_TEST

/* Overlapping windows would be convolved twice. */
START_TEST(not_taken) {
  const op plain = harness_op("conv2d", (shape){8, 8, 3}, 4, (cldann_window)SAME(3, 3));
  const op overlapping = harness_op("max_pool", plain.out, 0, (cldann_window)VALID(3, 3, 2, 2)),
           halves = harness_op("max_pool", plain.out, 0, (cldann_window)VALID(2, 2));
  ck_assert(conv2d_takes_pool(&plain, &halves));
  ck_assert(!conv2d_takes_pool(&plain, &overlapping));
}
END_TEST

TCase *pooled_cases(void) {
  TCase *t = tcase_create("pooled");
  tcase_set_timeout(t, 300);
  tcase_add_loop_test(t, pooled_convolution, 0, (int)(sizeof cases / sizeof *cases));
  tcase_add_test(t, nothing_to_win);
  tcase_add_test(t, not_taken);
  return t;
}

/*
 * tests/ops_norm.c: batch normalisation against its formula in double: values, all gradients, and the running statistics, which
 * follow a step that stayed finite, no other, and which an evaluation takes by its domain.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "ops_suites.h"
#include "reference.h"

typedef struct norm_case {
  int rows;
  shape in;
  int per_domain, split, act, small;
} norm_case;

static const norm_case cases[] = {
    {6, {1, 1, 5}, 0, 3, ACT_NONE, 1},     {6, {1, 1, 5}, 1, 2, ACT_NONE, 1},   {7, {3, 2, 3}, 1, 4, ACT_RELU, 1},
    {64, {1, 1, 100}, 1, 32, ACT_TANH, 0}, {5, {9, 13, 65}, 1, 2, ACT_NONE, 0}, {4, {30, 31, 1}, 0, 2, ACT_SIGMOID, 0},
    {9, {5, 5, 130}, 1, 9, ACT_NONE, 0}, /* rows of one domain */
    {1, {20, 20, 17}, 1, 0, ACT_NONE, 0},
};

static const double momentum = 0.25, epsilon = 0.125;

typedef struct trial {
  const norm_case *c;
  op o;
  op_io io;
  rig g;
  int x, w, b, y, dy, dx, dw, db, kept, state, control;
  int middle, last, end; /* launches: forward, backward, finish */
  size_t n, channels, n_state;
  double *v[5];       /* x, w, b, dy, state */
  double *mean, *var; /* (2, C), of the sets */
  int *set;           /* of each row */
  int sets, pixels[2];
} trial;

static void begin(trial *t, const norm_case *c, const char *way, int beta, int train) {
  const int C = c->in.c;
  char label[100];
  *t = (trial){.c = c, .channels = (size_t)C};
  t->o = (op){.type = &op_batch_norm,
              .in = c->in,
              .per_domain = c->per_domain,
              .momentum = (float)momentum,
              .epsilon = (float)epsilon,
              .act = c->act};
  ck_assert_int_eq(t->o.type->infer(&t->o, &harness_ctx->err), 0);
  snprintf(label, sizeof label, "batch_norm %d x (%d,%d,%d) per domain %d split %d act %d beta %d %s", c->rows, c->in.h,
           c->in.w, C, c->per_domain, c->split, c->act, beta, way);
  rig_begin(&t->g, way, label);
  rig *g = &t->g;
  const shape s = c->in;
  t->x = rig_in(g, "x", 4, c->rows, s.h, s.w, s.c), t->y = rig_out(g, "y", 4, c->rows, s.h, s.w, s.c);
  t->dy = rig_in(g, "dy", 4, c->rows, s.h, s.w, s.c), t->dx = rig_out(g, "dx", 4, c->rows, s.h, s.w, s.c);
  t->w = rig_in(g, "w", 4, 1, 1, 1, C), t->b = rig_in(g, "b", 4, 1, 1, 1, C);
  t->dw = rig_out(g, "dw", 4, 1, 1, 1, C), t->db = rig_out(g, "db", 4, 1, 1, 1, C);
  t->kept = rig_out(g, "kept", 4, 1, 1, 1, t->o.keeps);
  t->n_state = (size_t)(c->per_domain ? 4 : 2) * t->channels;
  t->state = rig_out(g, "state", 4, 1, 1, 1, (int)t->n_state);
  t->control = rig_in(g, "control", 4, 1, 1, 1, CTL_WORDS);
  t->n = g->slots[t->x].count;
#define T(s) g->slots[t->s].t
  t->io = (op_io){.x = T(x),
                  .y = T(y),
                  .w = T(w),
                  .b = T(b),
                  .dx = T(dx),
                  .dy = T(dy),
                  .dw = T(dw),
                  .db = T(db),
                  .kept = T(kept),
                  .state = T(state),
                  .control = T(control),
                  .beta = beta,
                  .train = train,
                  .split = c->split};
#undef T
  t->o.type->forward(g->l, &t->o, &t->io);
  t->middle = g->l->n;
  if (train) t->o.type->backward(g->l, &t->o, &t->io);
  t->last = g->l->n;
  if (train) t->o.type->finish(g->l, &t->o, &t->io);
  t->end = g->l->n;
  rig_bind(g);
  t->v[0] = new_normals(1, t->n), t->v[1] = new_normals(2, t->channels), t->v[2] = new_normals(3, t->channels);
  t->v[3] = new_normals(4, t->n), t->v[4] = new_normals(5, t->n_state);
  for (size_t i = 0; i < t->n; i++) t->v[0][i] = (double)(float)(2 * t->v[0][i] + 5); /* a mean that matters */
  for (size_t i = 0; i < t->n_state; i++) t->v[4][i] = (double)(float)fabs(t->v[4][i]);
  rig_put_doubles(g, t->x, t->v[0]), rig_put_doubles(g, t->w, t->v[1]), rig_put_doubles(g, t->b, t->v[2]);
  rig_put_doubles(g, t->dy, t->v[3]), rig_put_doubles(g, t->state, t->v[4]);
  rig_poison(g, t->y), rig_poison(g, t->kept), rig_poison(g, t->dw), rig_poison(g, t->db);
  if (beta)
    rig_put_doubles(g, t->dx, t->v[3]);
  else
    rig_poison(g, t->dx);
}

static void control_is(trial *t, int split, int bad) {
  const ctl_word words[CTL_WORDS] = {[CTL_ROWS] = {.i = t->c->rows}, [CTL_SPLIT] = {.i = split}, [CTL_BAD] = {.i = bad}};
  rig_put(&t->g, t->control, words);
}

static void end(trial *t) {
  rig_end(&t->g);
  for (int i = 0; i < 5; i++) free(t->v[i]);
  free(t->mean), free(t->var), free(t->set);
}

/* Sets, means and variances by the definition. */
static void measure(trial *t) {
  const norm_case *c = t->c;
  const size_t C = t->channels, item = t->n / (size_t)c->rows;
  const int two = c->per_domain && c->split > 0 && c->split < c->rows;
  t->sets = 1 + two;
  t->mean = new_doubles(2 * C), t->var = new_doubles(2 * C), t->set = calloc((size_t)c->rows, sizeof *t->set);
  for (int r = 0; r < c->rows; r++) t->set[r] = two && r >= c->split, t->pixels[t->set[r]] += c->in.h * c->in.w;
  for (size_t i = 0; i < t->n; i++) {
    const size_t s = (size_t)t->set[i / item];
    t->mean[s * C + i % C] += t->v[0][i] / t->pixels[s];
  }
  for (size_t i = 0; i < t->n; i++) {
    const size_t s = (size_t)t->set[i / item];
    t->var[s * C + i % C] += pow(t->v[0][i] - t->mean[s * C + i % C], 2) / t->pixels[s];
  }
}

static void check_values(trial *t) {
  const size_t C = t->channels, item = t->n / (size_t)t->c->rows;
  double *want = new_doubles(t->n), *mag = new_doubles(t->n), *dx = new_doubles(t->n), *sum[2], *wanted[2],
         *size = new_doubles(C);
  for (int k = 0; k < 2; k++) sum[k] = new_doubles(2 * C), wanted[k] = new_doubles(C);
  for (size_t i = 0; i < t->n; i++) {
    const size_t c = i % C, s = (size_t)t->set[i / item] * C + c;
    const double hat = (t->v[0][i] - t->mean[s]) / sqrt(t->var[s] + epsilon), g = t->v[3][i];
    want[i] = ref_activate(t->o.act, hat * t->v[1][c] + t->v[2][c]);
    mag[i] = 4 * (fabs(hat) + 8) * fabs(t->v[1][c]) + fabs(t->v[2][c]) + 4;
    sum[0][s] += g, sum[1][s] += g * hat;
    wanted[0][c] += g, wanted[1][c] += g * hat;
    size[c] += fabs(g) * (fabs(hat) + 8);
  }
  rig_compare(&t->g, t->y, want, mag, 16);
  rig_compare(&t->g, t->db, wanted[0], size, (double)t->n / (double)C);
  rig_compare(&t->g, t->dw, wanted[1], size, (double)t->n / (double)C);
  for (size_t i = 0; i < t->n; i++) {
    const size_t c = i % C, q = (size_t)t->set[i / item], s = q * C + c;
    const double inverse = 1 / sqrt(t->var[s] + epsilon), hat = (t->v[0][i] - t->mean[s]) * inverse;
    dx[i] = t->v[1][c] * inverse * (t->v[3][i] - (sum[0][s] + hat * sum[1][s]) / t->pixels[q]) + (t->io.beta ? t->v[3][i] : 0);
    mag[i] = fabs(t->v[1][c]) * inverse * (fabs(t->v[3][i]) + (fabs(hat) + 8) * size[c] / t->pixels[q]) + fabs(t->v[3][i]);
  }
  rig_compare(&t->g, t->dx, dx, mag, 16);
  free(want), free(mag), free(dx), free(size);
  for (int k = 0; k < 2; k++) free(sum[k]), free(wanted[k]);
}

/* The target's come first; rows of one domain alone count for both. */
static void check_state(trial *t, int followed) {
  const size_t C = t->channels;
  double *got = rig_get_doubles(&t->g, t->state);
  for (size_t i = 0; i < t->n_state; i++) {
    const size_t domain = i / (2 * C), c = i % C, s = t->sets == 2 ? (1 - domain) * C + c : c;
    const double n = t->pixels[s / C], now = i / C % 2 ? t->var[s] * n / (n > 1 ? n - 1 : 1) : t->mean[s];
    const double want = followed ? (1 - momentum) * t->v[4][i] + momentum * now : t->v[4][i];
    ck_assert_msg(fabs(got[i] - want) <= (followed ? 2e-5 * (1 + fabs(want)) : 0), "%s: state %zu is %.9g, not %.9g",
                  t->g.label, i, got[i], want);
  }
  free(got);
}

static void train(const norm_case *c, const char *way, int beta) {
  trial t;
  begin(&t, c, way, beta, 1);
  measure(&t);
  control_is(&t, c->split, 3);
  rig_run(&t.g, 1, t.end);
  check_values(&t);
  check_state(&t, 0);
  control_is(&t, c->split, 0);
  rig_run(&t.g, t.last, t.end);
  check_state(&t, 1);
  end(&t);
}

static void evaluate(const norm_case *c, const char *way, int source) {
  trial t;
  begin(&t, c, way, 0, 0);
  const size_t C = t.channels, from = c->per_domain && source ? 2 * C : 0;
  double *want = new_doubles(t.n), *mag = new_doubles(t.n);
  control_is(&t, source ? c->rows : 0, 0);
  rig_run(&t.g, 1, t.middle);
  for (size_t i = 0; i < t.n; i++) {
    const double mean = t.v[4][from + i % C], var = t.v[4][from + C + i % C], w = t.v[1][i % C];
    want[i] = ref_activate(t.o.act, (t.v[0][i] - mean) / sqrt(var + epsilon) * w + t.v[2][i % C]);
    mag[i] = (fabs(t.v[0][i]) + fabs(mean)) / sqrt(var + epsilon) * fabs(w) + fabs(t.v[2][i % C]) + 4;
  }
  rig_compare(&t.g, t.y, want, mag, 4);
  free(want), free(mag);
  end(&t);
}

START_TEST(batch_norm_case) {
  const norm_case *c = &cases[_i];
  static const char *const ways[] = {"cpu", "generic"};
  if (harness_small() && !c->small) return;
  for (int v = 0; v < 2; v++) {
    if (!harness_has(ways[v])) continue;
    for (int k = 0; k < 2; k++) train(c, ways[v], k), evaluate(c, ways[v], k);
  }
}
END_TEST

TCase *norm_cases(void) {
  TCase *t = tcase_create("norm");
  tcase_set_timeout(t, 300);
  tcase_add_loop_test(t, batch_norm_case, 0, (int)(sizeof cases / sizeof *cases));
  return t;
}

/*
 * tests/ops_choices.c: the ways to do a pass. On CPUs they differ in tiles alone, and every sum has the same order in all of
 * them, so a tuning file must not change one bit: each way that a tuner would try is held against the rule's. A file that
 * names no way is refused, and the rule still stands where the file says nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "ops_suites.h"

typedef struct choice_case {
  const char *op;
  int rows;
  shape in;
  int units;
  cldann_window window, pool; /* pool.height 0: none */
} choice_case;

static const choice_case cases[] = {
    {.op = "dense", .rows = 37, .in = {1, 1, 130}, .units = 70},
    {.op = "dense", .rows = 300, .in = {1, 1, 300}, .units = 257},
    {.op = "conv2d", .rows = 3, .in = {9, 11, 5}, .units = 20, .window = {3, 3, 2, 1, CLDANN_SAME}},
    {.op = "conv2d",
     .rows = 9,
     .in = {28, 28, 3},
     .units = 64,
     .window = {3, 3, .padding = CLDANN_SAME}}, /* several blocks of rows */
    {.op = "conv2d", .rows = 3, .in = {12, 10, 6}, .units = 24, .window = {3, 5, .padding = CLDANN_SAME}, .pool = {2, 2}},
};

enum { X, W, B, DY, N_IN, Y = N_IN, DX, DW, DB, SAVED, N_SLOTS };

typedef struct pass {
  rig g;
  op o, pool;
  int at[N_SLOTS];
} pass;

/* Forward and backward of a case under a tuning, emitted; launches are left to the caller. */
static void emit(pass *p, const choice_case *c, const tuning *t) {
  memset(p, 0, sizeof *p);
  rig_begin(&p->g, "cpu", c->op);
  p->g.l->force = NULL;
  p->g.l->tuning = t;
  p->o = harness_op(c->op, c->in, c->units, c->window);
  if (c->pool.height) p->pool = harness_op("max_pool", p->o.out, 0, c->pool), p->o.pool = &p->pool;
  const shape out = c->pool.height ? p->pool.out : p->o.out, weights = {1, 1, (int)p->o.params[0].count},
              bias = {1, 1, c->units};
  const shape sizes[N_SLOTS] = {c->in, weights, bias, out, out, c->in, weights, bias, out};
  static const char *const names[N_SLOTS] = {"x", "w", "b", "dy", "y", "dx", "dw", "db", "saved"};
  for (int i = 0; i < N_SLOTS; i++) {
    const int rows = i == X || i == DX || i == Y || i == DY || i == SAVED ? c->rows : 1;
    if (i == SAVED && !c->pool.height) continue;
    p->at[i] = (i < N_IN ? rig_in : rig_out)(&p->g, names[i], i == SAVED ? 1 : 4, rows, sizes[i].h, sizes[i].w, sizes[i].c);
  }
  const slot *s = p->g.slots;
  const op_io io = {.x = s[p->at[X]].t,
                    .w = s[p->at[W]].t,
                    .b = s[p->at[B]].t,
                    .y = s[p->at[Y]].t,
                    .dy = s[p->at[DY]].t,
                    .dx = s[p->at[DX]].t,
                    .dw = s[p->at[DW]].t,
                    .db = s[p->at[DB]].t,
                    .saved = c->pool.height ? s[p->at[SAVED]].t : (tensor){0}};
  p->o.type->forward(p->g.l, &p->o, &io);
  p->o.type->backward(p->g.l, &p->o, &io);
}

/* All results of a case under a tuning, in one block (free). */
static float *results(const choice_case *c, const tuning *t, size_t *n) {
  pass p;
  emit(&p, c, t);
  rig_bind(&p.g);
  for (int i = 0; i < N_IN; i++) {
    double *v = new_normals(80 + (uint32_t)i, p.g.slots[p.at[i]].count);
    rig_put_doubles(&p.g, p.at[i], v);
    free(v);
  }
  rig_run(&p.g, 1, p.g.l->n);
  *n = 0;
  for (int i = Y; i <= DB; i++) *n += p.g.slots[p.at[i]].count;
  float *all = malloc(*n * sizeof *all), *to = all;
  for (int i = Y; i <= DB; i++) {
    rig_get(&p.g, p.at[i], to);
    to += p.g.slots[p.at[i]].count;
  }
  rig_end(&p.g);
  return all;
}

static tuning *no_tuning(void) {
  tuning *t = NULL;
  ck_assert_int_eq(tuning_open(&harness_ctx->err, device_get_info(harness_ctx->dev), "none", &t), CLDANN_OK);
  return t;
}

START_TEST(no_way_changes_a_bit) {
  const choice_case *c = &cases[_i];
  pass rule;
  size_t n, m;
  int tried = 0;
  if (!harness_has("cpu") || harness_small()) return;
  float *want = results(c, NULL, &n);
  emit(&rule, c, NULL);
  ck_assert_int_eq(rule.g.l->n_decisions, 3);
  for (int i = 0; i < rule.g.l->n_decisions; i++) {
    const decision *d = &rule.g.l->decisions[i];
    ck_assert_str_eq(d->use, d->ways[0]); /* the rule's is the first */
    ck_assert_int_gt(d->n_ways, 1);
    for (int k = 1; k < d->n_ways; k += 3, tried++) {
      tuning *t = no_tuning();
      ck_assert_int_eq(tuning_set(&harness_ctx->err, t, d->key, d->ways[k]), CLDANN_OK);
      float *got = results(c, t, &m);
      ck_assert_uint_eq(m, n);
      ck_assert_msg(!memcmp(got, want, n * sizeof *got), "%s: '%s' gives other bits than '%s'", d->key, d->ways[k], d->use);
      tuning_free(t);
      free(got);
    }
  }
  ck_assert_int_gt(tried, 5);
  rig_end(&rule.g);
  free(want);
}
END_TEST

/* What the file names is done, the rest by rule; a way that is none stops the plan with the file's name. */
START_TEST(a_file_decides_and_must_be_right) {
  static const char *const bad[] = {"cpu panel=0 v=16 nv=40 rows=8",   "cpu rows=8", "nonesuch", "", "generic rows=8",
                                    "cpu panel=0 v=16 nv=2 rows=8 x=1"};
  const choice_case *c = &cases[0];
  pass p;
  if (!harness_has("cpu")) return;
  tuning *t = no_tuning();
  ck_assert_int_eq(tuning_set(&harness_ctx->err, t, "gemm 37x70x130", "generic"), CLDANN_OK);
  emit(&p, c, t);
  ck_assert_int_eq(p.g.l->failed, 0);
  ck_assert_str_eq(p.g.l->list[p.g.l->decisions[0].first].kernel, "gemm_plain");
  ck_assert(p.g.l->decisions[0].tuned && !p.g.l->decisions[1].tuned && !p.g.l->decisions[2].tuned);
  rig_end(&p.g);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    ck_assert_int_eq(tuning_set(&harness_ctx->err, t, "gemm 37x70x130", bad[i]), CLDANN_OK);
    emit(&p, c, t);
    ck_assert_int_eq(p.g.l->failed, CLDANN_E_CONFIG);
    ck_assert_msg(strstr(harness_ctx->err.message, "no way to do 'gemm 37x70x130'") != NULL, "%s", harness_ctx->err.message);
    p.g.l->failed = 0;
    err_clear(&harness_ctx->err);
    rig_end(&p.g);
  }
  tuning_free(t);
}
END_TEST

TCase *choice_cases(void) {
  TCase *t = tcase_create("choices");
  tcase_set_timeout(t, 300);
  tcase_add_loop_test(t, no_way_changes_a_bit, 0, (int)(sizeof cases / sizeof *cases));
  tcase_add_test(t, a_file_decides_and_must_be_right);
  return t;
}

/*
 * tests/test_net.c: the planner. Who writes a gradient first, in whichever order heads are built; that no two live
 * buffers share bytes; what is fused, aliased or left out; shape errors that name the op.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "net/plan.h"
#include "runner.h"

enum { ROWS = 8, ITEMS = 16, IN = 5 };

static cldann *ctx;
static const cldann_layer init = {{CLDANN_INIT_TRUNCATED_NORMAL, 0.4f}, {CLDANN_INIT_CONSTANT, 0.1f}};

typedef struct fixture {
  cldann_net *net;
  plan_buffers b;
  plan_spec spec;
  launches *list; /* owned by r once that is there */
  replay *r;
} fixture;

static void make_buffer(buffer **out, const void *src, size_t bytes) {
  ck_assert_int_eq(buffer_new(ctx->dev, "test", bytes, out), 0);
  if (src) ck_assert_int_eq(buffer_write(*out, 0, src, bytes), 0);
}

/* Plans the net with random data, lambda as given, learning rate 0, and runs one step. */
static void run(fixture *f, int train, int label, int domain, float lambda) {
  float x[ITEMS * IN], one = 1.0f, zero[64] = {0}, *params = NULL, *nan = NULL;
  int32_t labels[ITEMS], indices[ROWS], row[CTL_WORDS] = {0};
  for (int i = 0; i < ITEMS * IN; i++) x[i] = rng_unit(rng_words(5, RNG_CHECK, 0, (uint64_t)i).v[0]) - 0.5f;
  for (int i = 0; i < ITEMS; i++) labels[i] = i % 3;
  for (int i = 0; i < ROWS; i++) indices[i] = (3 * i) % ITEMS;
  net_layout(f->net);
  const size_t n = f->net->param_count;
  ck_assert_int_eq(mem_new(&ctx->err, &params, n, 4), 0);
  ck_assert_int_eq(mem_new(&ctx->err, &nan, n, 4), 0);
  for (size_t i = 0; i < n; i++) nan[i] = NAN; /* a gradient nobody wrote would stay so */
  net_init_params(f->net, 11, params);
  f->spec = (plan_spec){.train = train,
                        .rows = ROWS,
                        .split = train ? ROWS / 2 : ROWS,
                        .label_loss = label,
                        .domain_loss = domain,
                        .scale = 1.0f};
  make_buffer(&f->b.params, params, n * 4);
  make_buffer(&f->b.grads, nan, n * 4);
  make_buffer(&f->b.m, NULL, n * 4);
  make_buffer(&f->b.v, NULL, n * 4);
  memcpy(&row[CTL_LAMBDA], &lambda, 4);
  memcpy(&row[CTL_DOMAIN_WEIGHT], &one, 4);
  row[CTL_ROWS] = ROWS;
  row[CTL_SPLIT] = f->spec.split;
  make_buffer(&f->b.table, row, CTL_ROW_WORDS * 4);
  memset(row, 0, sizeof row);
  make_buffer(&f->b.control, row, sizeof row);
  make_buffer(&f->b.stats, zero, 2 * STAT_WORDS * 4);
  make_buffer(&f->b.norms, zero, BRANCHES * 4);
  make_buffer(&f->b.join, (const float[JOIN_WORDS]){-1, -1}, JOIN_WORDS * 4);
  make_buffer(&f->b.mean, zero, IN * 4);
  make_buffer(&f->b.hyper, zero, HYPER_WORDS * 4);
  make_buffer(&f->b.indices, indices, sizeof indices);
  for (int i = 0; i < 2; i++) {
    f->spec.streams[i].bytes = 4;
    f->spec.streams[i].channels = IN;
    make_buffer(&f->spec.streams[i].x, x, sizeof x);
  }
  make_buffer(&f->spec.streams[0].labels, labels, sizeof labels);
  ck_assert_msg(plan_build(ctx->dev, f->net, &f->b, &f->spec, &f->list) == 0, "%s", ctx->err.message);
  ck_assert_msg(replay_new(ctx->dev, f->list, &f->r) == 0, "%s", ctx->err.message);
  ck_assert_int_eq(replay_run(f->r), 0);
  mem_free(params);
  mem_free(nan);
}

static void done(fixture *f) {
  buffer *all[] = {f->b.params,
                   f->b.grads,
                   f->b.m,
                   f->b.v,
                   f->b.control,
                   f->b.stats,
                   f->b.norms,
                   f->b.join,
                   f->b.mean,
                   f->b.hyper,
                   f->b.table,
                   f->b.indices,
                   f->spec.streams[0].x,
                   f->spec.streams[1].x,
                   f->spec.streams[0].labels};
  device_finish(ctx->dev);
  replay_free(f->r);
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) buffer_free(all[i]);
  cldann_net_free(f->net);
}

static void label_head(cldann_node *f) {
  cldann_branch(f->net, CLDANN_LABEL_HEAD);
  cldann_node *h = cldann_dense(cldann_rows(f, CLDANN_ROWS_SOURCE), 3, &init);
  cldann_name(h, "label");
  ck_assert_ptr_nonnull(cldann_softmax_xent(h, CLDANN_TARGET_LABELS));
}

static void domain_head(cldann_node *f) {
  cldann_branch(f->net, CLDANN_DOMAIN_HEAD);
  cldann_node *h = cldann_dense(cldann_reversal(f, 1.0f), 2, &init);
  cldann_name(h, "domain");
  ck_assert_ptr_nonnull(cldann_softmax_xent(h, CLDANN_TARGET_DOMAIN));
}

static fixture dann(int domain_first) {
  fixture f = {.net = cldann_net_new(ctx)};
  cldann_node *x = cldann_sigmoid(cldann_dense(cldann_input(f.net, 1, 1, IN), 4, &init));
  if (domain_first) domain_head(x);
  label_head(x);
  if (!domain_first) domain_head(x);
  return f;
}

static int count(const launches *l, const char *name) {
  int n = 0;
  for (int i = 1; i < l->n; i++) n += !strcmp(l->list[i].kernel, name);
  return n;
}

static void feature_gradient(fixture *f, float *out) {
  const cldann_node *n = net_find(f->net, "dense1");
  ck_assert_int_eq(buffer_read(f->b.grads, n->param_at[0] * 4, out, IN * 4 * 4), 0);
}

START_TEST(first_writer_in_either_order) {
  fixture a = dann(0), b = dann(1);
  float ga[IN * 4], gb[IN * 4];
  /* Same initial values although the heads' parameters are numbered differently: copy them over by name. */
  run(&a, 1, 1, 1, 0.7f);
  run(&b, 1, 1, 1, 0.7f);
  float w[64];
  const char *names[] = {"dense1", "label", "domain"};
  for (int i = 0; i < 3; i++)
    for (int k = 0; k < 2; k++) {
      const cldann_node *from = net_find(a.net, names[i]), *to = net_find(b.net, names[i]);
      ck_assert_int_eq(buffer_read(a.b.params, from->param_at[k] * 4, w, from->o.params[k].count * 4), 0);
      ck_assert_int_eq(buffer_write(b.b.params, to->param_at[k] * 4, w, from->o.params[k].count * 4), 0);
    }
  int32_t clock = 0;
  ck_assert_int_eq(buffer_write(b.b.control, CTL_NEXT * 4, &clock, 4), 0);
  ck_assert_int_eq(replay_run(b.r), 0);
  feature_gradient(&a, ga);
  feature_gradient(&b, gb);
  for (int i = 0; i < IN * 4; i++) {
    ck_assert(isfinite(ga[i]) && ga[i] != 0.0f);
    ck_assert_float_eq_tol(ga[i], gb[i], 1e-6f);
  }
  /* The domain head covers all rows, so it may write first; a label head that comes first needs a cleared gradient. */
  ck_assert_int_eq(count(a.list, "fill"), 0);
  ck_assert_int_eq(count(b.list, "fill"), 1);
  done(&a);
  done(&b);
}
END_TEST

START_TEST(gradient_is_the_sum_of_the_branches) {
  float g[3][IN * 4];
  const int on[3][2] = {{1, 1}, {1, 0}, {0, 1}};
  for (int i = 0; i < 3; i++) {
    fixture f = dann(0);
    run(&f, 1, on[i][0], on[i][1], 2.0f);
    feature_gradient(&f, g[i]);
    ck_assert_int_eq(count(f.list, "fill"), on[i][1] ? 0 : 1); /* label head alone covers half of the rows */
    done(&f);
  }
  for (int k = 0; k < IN * 4; k++) {
    ck_assert(g[1][k] != 0.0f && g[2][k] != 0.0f);
    ck_assert_float_eq_tol(g[0][k], g[1][k] + g[2][k], 1e-6f);
  }
}
END_TEST

START_TEST(lambda_scales_and_reverses) {
  float g[3][IN * 4];
  const float lambda[3] = {1.0f, 2.0f, -1.0f};
  for (int i = 0; i < 3; i++) {
    fixture f = dann(0);
    run(&f, 1, 0, 1, lambda[i]);
    feature_gradient(&f, g[i]);
    done(&f);
  }
  for (int k = 0; k < IN * 4; k++) {
    ck_assert_float_eq_tol(g[1][k], 2.0f * g[0][k], 1e-6f);
    ck_assert_float_eq_tol(g[2][k], -g[0][k], 1e-6f);
  }
}
END_TEST

/* ---- where the heads meet ---- */

enum { HIDDEN = 4 };

static void read_layer(fixture *f, const char *name, float *w, float *b) {
  const cldann_node *n = net_find(f->net, name);
  ck_assert_int_eq(buffer_read(f->b.params, n->param_at[0] * 4, w, n->o.params[0].count * 4), 0);
  ck_assert_int_eq(buffer_read(f->b.params, n->param_at[1] * 4, b, n->o.params[1].count * 4), 0);
}

/* The squares of d(softmax cross-entropy)/dh for one row, h (HIDDEN) behind a dense layer of `units`, times `scale`. */
static double squares_of_row(const double *h, const float *w, const float *b, int units, int class, double scale) {
  double z[3], total = 0, squares = 0;
  for (int k = 0; k < units; k++) {
    z[k] = (double)b[k];
    for (int i = 0; i < HIDDEN; i++) z[k] += h[i] * (double)w[i * units + k];
    total += exp(z[k]);
  }
  for (int i = 0; i < HIDDEN; i++) {
    double d = 0;
    for (int k = 0; k < units; k++) d += (exp(z[k]) / total - (k == class)) * (double)w[i * units + k];
    squares += scale * d * scale * d;
  }
  return squares;
}

static void squares_by_hand(fixture *f, double lambda, double *label, double *domain) {
  float w[IN * HIDDEN], b[HIDDEN], lw[HIDDEN * 3], lb[3], dw[HIDDEN * 2], db[2];
  read_layer(f, "dense1", w, b), read_layer(f, "label", lw, lb), read_layer(f, "domain", dw, db);
  *label = *domain = 0;
  for (int r = 0; r < ROWS; r++) {
    const int item = (3 * r) % ITEMS, source = r < ROWS / 2;
    double h[HIDDEN];
    for (int j = 0; j < HIDDEN; j++) {
      double z = (double)b[j];
      for (int i = 0; i < IN; i++) {
        const float x = rng_unit(rng_words(5, RNG_CHECK, 0, (uint64_t)(item * IN + i)).v[0]) - 0.5f;
        z += (double)x * (double)w[i * HIDDEN + j];
      }
      h[j] = 1 / (1 + exp(-z));
    }
    if (source) *label += squares_of_row(h, lw, lb, 3, item % 3, 1.0 / (ROWS / 2));
    *domain += squares_of_row(h, dw, db, 2, !source, -lambda / ROWS);
  }
}

/* The step once more, looked at. */
static void look(fixture *f, float join[JOIN_WORDS]) {
  const int32_t clock = 0;
  ck_assert_int_eq(buffer_write(f->b.control, CTL_NEXT * 4, &clock, 4), 0);
  ck_assert_int_eq(replay_look(f->r), 0);
  ck_assert_int_eq(buffer_read(f->b.join, 0, join, JOIN_WORDS * 4), 0);
}

START_TEST(norms_where_the_heads_meet) {
  const float lambdas[] = {0.7f, -2.0f, 300.0f, 0.001f, 0.0f};
  double label, domain;
  float got[JOIN_WORDS], again[JOIN_WORDS];
  for (int i = 0; i < 5; i++) {
    fixture f = dann(_i);
    run(&f, 1, 1, 1, lambdas[i]);
    ck_assert_int_eq(buffer_read(f.b.join, 0, got, sizeof got), 0);
    ck_assert(got[0] == -1 && got[1] == -1); /* nobody looked */
    look(&f, got), look(&f, again);
    ck_assert_int_eq(memcmp(got, again, sizeof got), 0);
    squares_by_hand(&f, (double)lambdas[i], &label, &domain);
    /* The label head's part has the rounding of a sum that is up to 200 times as long. */
    ck_assert_msg(fabs((double)got[JOIN_DOMAIN] - domain) <= 2e-6 * domain, "%g, not %g", (double)got[JOIN_DOMAIN], domain);
    ck_assert_double_eq_tol((double)got[JOIN_LABEL], label, 2e-6 * label + 1e-6 * sqrt(label * domain));
    done(&f);
  }
}
END_TEST

/* The domain head reads a layer that the label head does not. */
static fixture one_above_the_other(void) {
  fixture f = {.net = cldann_net_new(ctx)};
  cldann_node *x = cldann_sigmoid(cldann_dense(cldann_input(f.net, 1, 1, IN), 4, &init));
  label_head(x);
  cldann_branch(f.net, CLDANN_FEATURES);
  domain_head(cldann_dense(x, 6, &init));
  return f;
}

/* One head alone meets nobody. */
START_TEST(who_does_not_meet) {
  static const int on[3][2] = {{1, 0}, {0, 1}, {1, 1}};
  float got[JOIN_WORDS];
  for (int i = 0; i < 3; i++) {
    fixture f = i < 2 ? dann(0) : one_above_the_other();
    run(&f, 1, on[i][0], on[i][1], 1.0f);
    look(&f, got);
    ck_assert(got[0] == -1 && got[1] == -1 && count(f.list, "join_squares") == 0);
    done(&f);
  }
}
END_TEST

START_TEST(live_buffers_do_not_meet) {
  fixture f = dann(0);
  size_t sum = 0;
  run(&f, 1, 1, 1, 1.0f);
  const launches *l = f.list;
  for (int i = 1; i < l->n_bufs; i++) {
    const vbuf *a = &l->bufs[i];
    if (a->external || a->first < 0) continue;
    sum += a->bytes;
    ck_assert_uint_eq(a->arena % 256, 0);
    ck_assert_uint_le(a->arena + a->bytes, replay_arena_bytes(f.r));
    for (int j = i + 1; j < l->n_bufs; j++) {
      const vbuf *b = &l->bufs[j];
      if (b->external || b->first < 0 || a->first > b->last || b->first > a->last) continue;
      ck_assert_msg(a->arena + a->bytes <= b->arena || b->arena + b->bytes <= a->arena, "%s and %s share bytes", a->name,
                    b->name);
    }
  }
  ck_assert_uint_gt(sum, 0);
  done(&f);
}
END_TEST

START_TEST(memory_is_reused) {
  fixture f = {.net = cldann_net_new(ctx)};
  cldann_node *x = cldann_input(f.net, 1, 1, IN);
  for (int i = 0; i < 6; i++) x = cldann_dense(x, 256, &init);
  label_head(x);
  run(&f, 0, 1, 0, 1.0f); /* forward only: two layers' activations are alive at a time */
  ck_assert_uint_lt(replay_arena_bytes(f.r), 3 * ROWS * 256 * 4);
  done(&f);
}
END_TEST

START_TEST(only_what_is_needed) {
  fixture f = dann(0);
  run(&f, 1, 1, 0, 1.0f);
  for (int i = 1; i < f.list->n; i++) ck_assert_str_ne(f.list->list[i].node, "domain");
  ck_assert_int_eq(count(f.list, "act_forward"), 0); /* the sigmoid went into the dense layer before it */
  ck_assert_int_eq(count(f.list, "act_backward"), 1);
  ck_assert_int_eq(count(f.list, "optim_update"), 2);
  done(&f);
}
END_TEST

/* An activation with two users behind a dense layer, and a dense layer whose raw output is used too: no fusing there. */
START_TEST(no_fusing_when_the_raw_output_is_used) {
  fixture f = {.net = cldann_net_new(ctx)};
  cldann_node *x = cldann_dense(cldann_input(f.net, 1, 1, IN), 4, &init);
  label_head(cldann_tanh(x));
  domain_head(x);
  run(&f, 1, 1, 1, 1.0f);
  ck_assert_int_eq(count(f.list, "act_forward"), 1);
  float g[IN * 4];
  feature_gradient(&f, g);
  for (int k = 0; k < IN * 4; k++) ck_assert(isfinite(g[k]) && g[k] != 0.0f);
  done(&f);
}
END_TEST

/* How many of two poolings one behind the other become part of the convolution: at most the first, whoever stands between. */
START_TEST(a_pooling_behind_a_pooling_stays) {
  const cldann_window three = {.height = 3, .width = 3, .padding = CLDANN_SAME}, half = {.height = 2, .width = 2};
  const int cpu = device_get_info(ctx->dev)->is_cpu;
  for (int between = 0; between < 4; between++) { /* bit 0: a ReLU before the first, bit 1: one behind it */
    launches *l = NULL;
    cldann_net *net = cldann_net_new(ctx);
    cldann_node *x = cldann_conv2d(cldann_input(net, 8, 8, 2), 3, &three, &init);
    if (between & 1) x = cldann_relu(x);
    x = cldann_max_pool(x, &half);
    if (between & 2) x = cldann_relu(x);
    x = cldann_max_pool(x, &half);
    label_head(x);
    domain_head(x);
    net_layout(net);
    const plan_spec spec = {.train = 1, .rows = 2, .split = 1, .label_loss = 1, .domain_loss = 1, .scale = 1.0f};
    const plan_buffers none = {0};
    ck_assert_msg(plan_build(ctx->dev, net, &none, &spec, &l) == 0, "%s", ctx->err.message);
    ck_assert_int_eq(count(l, "conv2d_pool_tile"), cpu);
    ck_assert_int_eq(count(l, "max_pool_forward"), cpu ? 1 : 2);
    ck_assert_int_eq(count(l, "max_pool_backward"), cpu ? 1 : 2);
    launches_free(l);
    cldann_net_free(net);
  }
}
END_TEST

static void expect_shape_error(cldann_node *n, const char *part) {
  ck_assert_ptr_null(n);
  ck_assert_int_eq(ctx->err.code, CLDANN_E_SHAPE);
  ck_assert_msg(strstr(ctx->err.message, part) != NULL, "%s", ctx->err.message);
  cldann_clear_error(ctx);
}

START_TEST(shapes_that_do_not_fit) {
  cldann_net *net = cldann_net_new(ctx);
  cldann_node *x = cldann_input(net, 4, 4, 1);
  expect_shape_error(cldann_conv2d(x, 2, &(cldann_window){.height = 5, .width = 5}, NULL), "conv2d1");
  expect_shape_error(cldann_conv2d(x, 0, &(cldann_window){.height = 3, .width = 3}, NULL), "filters");
  expect_shape_error(cldann_max_pool(x, &(cldann_window){.height = 5, .width = 5}), "max_pool");
  expect_shape_error(cldann_dense(x, 0, NULL), "units");
  expect_shape_error(cldann_softmax_xent(cldann_dense(x, 1, NULL), CLDANN_TARGET_DOMAIN), "one unit");
  expect_shape_error(cldann_logistic_xent(cldann_dense(x, 2, NULL), CLDANN_TARGET_DOMAIN), "2 units");
  ck_assert_ptr_null(cldann_relu(NULL));
  cldann_net_free(net);
}
END_TEST

START_TEST(windows_as_published) {
  cldann_net *net = cldann_net_new(ctx);
  cldann_node *x = cldann_input(net, 28, 28, 3);
  cldann_node *same = cldann_conv2d(x, 2, &(cldann_window){.height = 5, .width = 5, .padding = CLDANN_SAME}, NULL);
  cldann_node *valid = cldann_conv2d(x, 2, &(cldann_window){.height = 5, .width = 5}, NULL);
  cldann_node *stride = cldann_conv2d(
      x, 2, &(cldann_window){.height = 3, .width = 3, .stride_y = 3, .stride_x = 3, .padding = CLDANN_SAME}, NULL);
  ck_assert_int_eq(same->o.out.h, 28);
  ck_assert_int_eq(same->o.pad_top, 2);
  ck_assert_int_eq(valid->o.out.w, 24);
  ck_assert_int_eq(stride->o.out.h, 10);  /* ceil(28 / 3) */
  ck_assert_int_eq(stride->o.pad_top, 1); /* (9*3 + 3 - 28) / 2, the odd one at the bottom */
  cldann_net_free(net);
}
END_TEST

START_TEST(initial_values) {
  cldann_net *net = cldann_net_new(ctx);
  const cldann_layer he = {{CLDANN_INIT_HE, 0}, {CLDANN_INIT_CONSTANT, 0.25f}};
  cldann_dense(cldann_dense(cldann_dense(cldann_input(net, 1, 1, 100), 200, &init), 300, NULL), 50, &he);
  net_layout(net);
  float *p = malloc(net->param_count * 4), *q = malloc(net->param_count * 4);
  net_init_params(net, 1, p);
  net_init_params(net, 2, q);
  double sum = 0, sq = 0;
  for (int i = 0; i < 20000; i++) {
    ck_assert(fabsf(p[i]) < 0.8f); /* cut at two standard deviations of 0.4 */
    sum += p[i], sq += (double)p[i] * p[i];
  }
  ck_assert_double_eq_tol(sum / 20000, 0.0, 0.01);
  ck_assert_double_eq_tol(sqrt(sq / 20000), 0.4 * 0.8796, 0.01); /* sd of a normal cut at 2 */
  const float limit = sqrtf(6.0f / 500.0f);
  const cldann_node *glorot = net_find(net, "dense2"), *last = net_find(net, "dense3");
  float top = 0;
  for (size_t i = 0; i < 60000; i++) top = fmaxf(top, fabsf(p[glorot->param_at[0] + i]));
  ck_assert(top <= limit && top > 0.99f * limit);
  ck_assert_float_eq(p[last->param_at[1] + 7], 0.25f);
  ck_assert_int_ne(memcmp(p, q, 20000 * 4), 0);
  net_init_params(net, 1, q);
  ck_assert_int_eq(memcmp(p, q, net->param_count * 4), 0);
  free(p);
  free(q);
  cldann_net_free(net);
}
END_TEST

int main(void) {
  Suite *s = suite_create("net");
  TCase *t = tcase_create("plan");
  suite_add_tcase(s, t);
  tcase_set_timeout(t, 120);
  tcase_add_test(t, first_writer_in_either_order);
  tcase_add_test(t, gradient_is_the_sum_of_the_branches);
  tcase_add_test(t, lambda_scales_and_reverses);
  tcase_add_loop_test(t, norms_where_the_heads_meet, 0, 2);
  tcase_add_test(t, who_does_not_meet);
  tcase_add_test(t, live_buffers_do_not_meet);
  tcase_add_test(t, memory_is_reused);
  tcase_add_test(t, only_what_is_needed);
  tcase_add_test(t, no_fusing_when_the_raw_output_is_used);
  tcase_add_test(t, a_pooling_behind_a_pooling_stays);
  tcase_add_test(t, shapes_that_do_not_fit);
  tcase_add_test(t, windows_as_published);
  tcase_add_test(t, initial_values);
  return runner_run(s, &ctx);
}

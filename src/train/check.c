/*
 * train/check.c: cldann_check_device: does this device, with this driver, compute gradients that agree with differences,
 * for every op and every kernel variant it can run, and does the reversal reverse? A small net of all ops is run on the
 * device itself; the weights are moved along a random direction and the loss's change is held against the gradient.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "net/plan.h"
#include "ops/gemm.h"

enum { ROWS = 6, CHANNELS = 2, SIDE = 6, ITEMS = 2 * ROWS };

typedef struct bench { /* the device side of one small net */
  cldann *c;
  cldann_net *net;
  plan_buffers b;
  plan_spec spec;
  replay *r;
  float *params, *grads, *moved;
} bench;

static int add_buffer(bench *t, buffer **out, const void *src, size_t bytes) {
  int rc;
  TRY(buffer_new(t->c->dev, "self-test", bytes, out));
  if (src) TRY(buffer_write(*out, 0, src, bytes));
fail:
  return rc;
}

/* Two conv blocks, every activation, both kinds of loss; features, a label head on the source rows, a domain head. */
static cldann_net *build(cldann *c, int logistic) {
  const cldann_layer init = {{CLDANN_INIT_TRUNCATED_NORMAL, 0.3f}, {CLDANN_INIT_CONSTANT, 0.1f}};
  cldann_net *net = cldann_net_new(c);
  if (!net) return NULL;
  cldann_node *x = cldann_input(net, SIDE, SIDE, CHANNELS);
  x = cldann_tanh(cldann_conv2d(x, 5, &(cldann_window){.height = 3, .width = 3, .padding = CLDANN_SAME}, &init));
  x = cldann_max_pool(x, &(cldann_window){.height = 2, .width = 2});
  x = cldann_sigmoid(cldann_conv2d(x, 18, &(cldann_window){.height = 2, .width = 2, .stride_y = 1, .stride_x = 1}, &init));
  cldann_node *f = cldann_flatten(x);
  cldann_branch(net, CLDANN_LABEL_HEAD);
  cldann_node *y = cldann_dense(cldann_rows(f, CLDANN_ROWS_SOURCE), 3, &init);
  cldann_branch(net, CLDANN_DOMAIN_HEAD);
  cldann_node *d = cldann_dense(cldann_reversal(f, 1.0f), 7, &init);
  d = cldann_dense(cldann_relu(d), logistic ? 1 : 2, &init);
  y = cldann_softmax_xent(y, CLDANN_TARGET_LABELS);
  d = logistic ? cldann_logistic_xent(d, CLDANN_TARGET_DOMAIN) : cldann_softmax_xent(d, CLDANN_TARGET_DOMAIN);
  if (!y || !d) {
    cldann_net_free(net);
    return NULL;
  }
  net_layout(net);
  return net;
}

static int set_control(bench *t, float lambda) {
  int32_t row[CTL_WORDS] = {0};
  const float one = 1.0f, zero[2 * STAT_WORDS] = {0};
  int rc;
  memcpy(&row[CTL_LAMBDA], &lambda, 4);
  memcpy(&row[CTL_DOMAIN_WEIGHT], &one, 4);
  row[CTL_ROWS] = ROWS;
  row[CTL_SPLIT] = t->spec.split;
  TRY(buffer_write(t->b.table, 0, row, CTL_ROW_WORDS * 4));
  TRY(buffer_write(t->b.control, 0, row, sizeof row));
  TRY(buffer_write(t->b.stats, 0, zero, sizeof zero));
fail:
  return rc;
}

/* Runs a step (learning rate 0, so nothing moves) and gives the loss, and the gradients when asked. */
static int step(bench *t, float lambda, double *label, double *domain, float *grads) {
  float s[2 * STAT_WORDS];
  int rc;
  TRY(set_control(t, lambda));
  TRY(replay_run(t->r));
  TRY(buffer_read(t->b.stats, 0, s, sizeof s));
  *label = (double)s[STAT_LOSS] / s[STAT_ROWS];
  *domain = (double)s[STAT_WORDS + STAT_LOSS] / s[STAT_WORDS + STAT_ROWS];
  if (grads) TRY(buffer_read(t->b.grads, 0, grads, t->net->param_count * 4));
fail:
  return rc;
}

static int set_up(bench *t, int logistic, const char *force) {
  float x[ITEMS * SIDE * SIDE * CHANNELS], zero[16] = {0};
  int32_t labels[ITEMS], indices[ROWS];
  launches *l = NULL;
  int rc;
  for (int i = 0; i < ITEMS * SIDE * SIDE * CHANNELS; i++)
    x[i] = 2.0f * rng_unit(rng_words(1, RNG_CHECK, 0, (uint64_t)i).v[0]) - 1.0f;
  for (int i = 0; i < ITEMS; i++) labels[i] = i % 3;
  for (int i = 0; i < ROWS; i++) indices[i] = (5 * i) % ITEMS;
  if (!(t->net = build(t->c, logistic))) return t->c->err.code;
  const size_t n = t->net->param_count;
  TRY(mem_new(&t->c->err, &t->params, n, 4));
  TRY(mem_new(&t->c->err, &t->grads, n, 4));
  TRY(mem_new(&t->c->err, &t->moved, n, 4));
  net_init_params(t->net, 7, t->params);
  t->spec = (plan_spec){
      .train = 1, .rows = ROWS, .split = ROWS / 2, .label_loss = 1, .domain_loss = 1, .scale = 1.0f, .force = force};
  buffer **sized[] = {&t->b.params, &t->b.grads, &t->b.m, &t->b.v};
  for (int i = 0; i < 4; i++) TRY(add_buffer(t, sized[i], t->params, n * 4));
  TRY(add_buffer(t, &t->b.control, NULL, CTL_WORDS * 4));
  TRY(add_buffer(t, &t->b.stats, NULL, 2 * STAT_WORDS * 4));
  TRY(add_buffer(t, &t->b.norms, NULL, BRANCHES * 4));
  TRY(add_buffer(t, &t->b.mean, zero, CHANNELS * 4));
  TRY(add_buffer(t, &t->b.hyper, zero, HYPER_WORDS * 4));
  TRY(add_buffer(t, &t->b.table, NULL, CTL_ROW_WORDS * 4));
  TRY(add_buffer(t, &t->b.indices, indices, sizeof indices));
  for (int i = 0; i < 2; i++) {
    t->spec.streams[i].bytes = 4;
    t->spec.streams[i].channels = CHANNELS;
    TRY(add_buffer(t, &t->spec.streams[i].x, x, sizeof x));
  }
  TRY(add_buffer(t, &t->spec.streams[0].labels, labels, sizeof labels));
  TRY(plan_build(t->c->dev, t->net, &t->b, &t->spec, &l));
  TRY(replay_new(t->c->dev, l, &t->r));
fail:
  return rc;
}

static void tear_down(bench *t) {
  buffer *all[] = {
      t->b.params, t->b.grads, t->b.m,     t->b.v,       t->b.control,         t->b.stats,           t->b.norms,
      t->b.mean,   t->b.hyper, t->b.table, t->b.indices, t->spec.streams[0].x, t->spec.streams[1].x, t->spec.streams[0].labels};
  device_finish(t->c->dev);
  replay_free(t->r);
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) buffer_free(all[i]);
  cldann_net_free(t->net);
  mem_free(t->params);
  mem_free(t->grads);
  mem_free(t->moved);
}

/* The loss whose gradient a parameter of this branch holds, lambda being -1 so that features work for both heads. */
static double loss_of(double label, double domain) {
  return label + domain;
}

/* Central difference along a random direction of one parameter against gradient . direction. */
static int check_param(bench *t, const float *grads, size_t at, size_t count, double *error) {
  const float h = 1e-2f;
  double along = 0, size = 0, l, d, up, down;
  int rc;
  for (int side = 0; side < 2; side++) {
    memcpy(t->moved, t->params, t->net->param_count * 4);
    for (size_t i = 0; i < count; i++) {
      const float u = rng_words(3, RNG_CHECK, 1, at + i).v[0] & 1 ? 1.0f : -1.0f;
      t->moved[at + i] += (side ? -h : h) * u / sqrtf((float)count);
      if (!side) along += (double)grads[at + i] * u / sqrt((double)count), size += (double)grads[at + i] * grads[at + i];
    }
    TRY(buffer_write(t->b.params, 0, t->moved, t->net->param_count * 4));
    TRY(step(t, -1.0f, &l, &d, NULL));
    if (side)
      down = loss_of(l, d);
    else
      up = loss_of(l, d);
  }
  TRY(buffer_write(t->b.params, 0, t->params, t->net->param_count * 4));
  *error = fabs((up - down) / (2.0 * h) - along) / (sqrt(size) + 1e-3);
fail:
  return rc;
}

typedef struct report {
  cldann_on_message say;
  void *user;
  int failed;
} report;

static void tell(report *r, int ok, const char *what, double error) {
  char line[160];
  r->failed += !ok;
  snprintf(line, sizeof line, "%-4s %-46s error %.1e", ok ? "ok" : "FAIL", what, error);
  if (r->say) r->say(r->user, line);
}

static int check_gradients(bench *t, const char *force, int logistic, report *r) {
  double l, d, error;
  char what[128];
  int rc = CLDANN_OK;
  TRY(step(t, -1.0f, &l, &d, t->grads));
  for (int i = 0; i < t->net->n; i++)
    for (int k = 0; k < t->net->nodes[i]->o.n_params; k++) {
      const cldann_node *n = t->net->nodes[i];
      TRY(check_param(t, t->grads, n->param_at[k], n->o.params[k].count, &error));
      snprintf(what, sizeof what, "%s %s.%s%s", force, n->o.name, n->o.params[k].suffix, logistic ? " (logistic)" : "");
      tell(r, error < 2e-2, what, error);
    }
fail:
  return rc;
}

/*
 * Feature gradients g(lambda) = label - lambda * domain: g(1) and g(-1) must mirror around g(0), and the domain part must
 * not be zero. The head's own gradient must not depend on lambda.
 */
static int check_reversal(bench *t, const char *force, report *r) {
  const cldann_net *net = t->net;
  const size_t n = net->param_count, f = net->group_count[0], h = net->group_at[2];
  float *g0 = NULL, *g1 = NULL, *g2 = NULL;
  double l, d, mirror = 0, pull = 0, head = 0;
  char what[96];
  int rc;
  TRY(mem_new(&t->c->err, &g0, n, 4));
  TRY(mem_new(&t->c->err, &g1, n, 4));
  TRY(mem_new(&t->c->err, &g2, n, 4));
  TRY(step(t, 0.0f, &l, &d, g0));
  TRY(step(t, 1.0f, &l, &d, g1));
  TRY(step(t, -1.0f, &l, &d, g2));
  for (size_t i = 0; i < f; i++) {
    mirror += fabs((double)g1[i] + g2[i] - 2.0 * g0[i]);
    pull += fabs((double)g1[i] - g0[i]);
  }
  for (size_t i = h; i < h + net->group_count[2]; i++) head += fabs((double)g1[i] - g2[i]);
  snprintf(what, sizeof what, "%s reversal: +lambda mirrors -lambda", force);
  tell(r, pull > 1e-6 && mirror<1e-4 * pull, what, pull> 0 ? mirror / pull : 1.0);
  snprintf(what, sizeof what, "%s reversal: the domain head is left alone", force);
  tell(r, head == 0.0, what, head);
fail:
  mem_free(g0);
  mem_free(g1);
  mem_free(g2);
  return rc;
}

/* What the device can run, but for CLBlast where the rule never takes it: it would compile for seconds to no use. */
static int is_checked(const device_info *d, const char *way) {
  return gemm_has(d, way) && (d->is_gpu || strcmp(way, "clblast") != 0);
}

int cldann_check_device(cldann *c, cldann_on_message on_message, void *user) {
  static const char *const variants[] = {"cpu", "generic", "local", "clblast"};
  report r = {on_message, user, 0};
  int rc = CLDANN_OK;
  for (size_t v = 0; v < sizeof variants / sizeof *variants; v++) {
    if (!is_checked(device_get_info(c->dev), variants[v])) continue;
    for (int logistic = 0; logistic < 2; logistic++) {
      bench t = {.c = c};
      rc = set_up(&t, logistic, variants[v]);
      if (rc == CLDANN_OK) rc = check_gradients(&t, variants[v], logistic, &r);
      if (rc == CLDANN_OK && !logistic) rc = check_reversal(&t, variants[v], &r);
      tear_down(&t);
      if (rc < 0) goto fail;
    }
  }
  if (r.failed)
    FAIL(&c->err, CLDANN_E_CHECK, "%d checks failed on %s: do not train on it; try another driver version or device", r.failed,
         device_get_info(c->dev)->name);
fail:
  return rc;
}

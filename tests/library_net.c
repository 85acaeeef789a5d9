/*
 * tests/library_net.c: a net built in C becomes the net of an experiment, node by node and bit by bit, and so does the text
 * that is written of it.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "library_suites.h"
#include "train/experiment.h"

static cldann **at;

#define GOOD(call) ck_assert_msg((call) == 0, "%s", (*at)->err.message)

/* Every op, with every attribute that is not its default somewhere, heads after and between. */
static cldann_net *built_net(void) {
  const cldann_layer layer = {{CLDANN_INIT_TRUNCATED_NORMAL, 0.1f}, {CLDANN_INIT_CONSTANT, 1.0f / 3.0f}};
  const cldann_layer he = {{CLDANN_INIT_HE, 0}, {CLDANN_INIT_CONSTANT, 0}};
  cldann_net *net = cldann_net_new(*at);
  cldann_node *x = cldann_input(net, 16, 12, 3);
  x = cldann_conv2d(x, 6, &(cldann_window){5, 3, 2, 1, CLDANN_EXPLICIT, 1, 2, 1, 0}, &layer);
  cldann_name(x, "the \"first\" @include\\");
  GOOD(cldann_learning_rate(x, 0.1f, 2.0f));
  GOOD(cldann_max_norm(x, 3.7f));
  x = cldann_leaky_relu(cldann_batch_norm(x, 1, 0.3f, 1e-4f), 0.2f);
  x = cldann_max_pool(x, &(cldann_window){.height = 2, .width = 3, .padding = CLDANN_CEIL});
  x = cldann_relu(cldann_grouped_conv2d(x, 4, 2, &(cldann_window){.height = 3, .width = 3, .padding = CLDANN_SAME}, &he));
  x = cldann_lrn(x, 3, 0.02f, 0.5f, 2.0f);
  x = cldann_tanh(cldann_avg_pool(x, &(cldann_window){.height = 2, .width = 2, .stride_y = 1, .stride_x = 1}));
  cldann_node *f = cldann_dropout(cldann_sigmoid(cldann_global_pool(x)), 0.25f);
  cldann_branch(net, CLDANN_DOMAIN_HEAD);
  cldann_node *d = cldann_dense(cldann_reversal(f, 0.7f), 1, NULL);
  cldann_branch(net, CLDANN_LABEL_HEAD);
  x = cldann_dense(cldann_flatten(cldann_rows(f, CLDANN_ROWS_SOURCE)), 5, NULL);
  ck_assert_ptr_nonnull(cldann_softmax_xent(x, CLDANN_TARGET_LABELS));
  cldann_branch(net, CLDANN_DOMAIN_HEAD);
  ck_assert_ptr_nonnull(cldann_logistic_xent(d, CLDANN_TARGET_DOMAIN));
  return net;
}

static void same_node(const op *a, const op *b) {
  ck_assert_msg(a->type == b->type, "%s", a->name);
  ck_assert(a->units == b->units && a->slope == b->slope && a->rate == b->rate && a->lambda == b->lambda);
  ck_assert(a->groups == b->groups && a->size == b->size && a->alpha == b->alpha && a->beta == b->beta && a->k == b->k);
  ck_assert(a->per_domain == b->per_domain && a->momentum == b->momentum && a->epsilon == b->epsilon);
  ck_assert(a->lr[0] == b->lr[0] && a->lr[1] == b->lr[1] && a->max_norm == b->max_norm);
  ck_assert(a->target == b->target || !(a->type->flags & OP_LOSS));
  ck_assert(a->out.h == b->out.h && a->out.w == b->out.w && a->out.c == b->out.c);
  ck_assert_mem_eq(&a->window, &b->window, sizeof a->window);
  ck_assert_int_eq(a->n_params, b->n_params);
  for (int k = 0; k < a->n_params; k++)
    ck_assert(a->params[k].init.kind == b->params[k].init.kind && a->params[k].count == b->params[k].count &&
              (a->params[k].init.value == b->params[k].init.value || a->params[k].init.kind == CLDANN_INIT_HE));
}

/* Attributes that an op does not have may differ. */
static void same_net(const cldann_net *built, const cldann_net *read) {
  ck_assert_int_eq(built->n, read->n);
  for (int i = 0; i < built->n; i++) {
    const cldann_node *a = built->nodes[i], *b = net_find(read, a->o.name);
    op x, y;
    if (a->o.type == &op_rows) continue;
    ck_assert_msg(b != NULL, "no node %s", a->o.name);
    x = a->o, y = b->o;
    if (x.type != &op_leaky_relu) x.slope = y.slope = 0;
    if (x.type != &op_reversal) x.lambda = y.lambda = 0;
    if (x.type != &op_conv2d) x.groups = y.groups = 0;
    if (x.type != &op_lrn) x.size = y.size = 0, x.alpha = y.alpha = x.beta = y.beta = x.k = y.k = 0;
    if (x.type != &op_batch_norm) x.momentum = y.momentum = x.epsilon = y.epsilon = 0;
    same_node(&x, &y);
    ck_assert(a->branch == b->branch);
  }
}

START_TEST(every_op) {
  static const char text_of_it[] = "seed = 7;\nbatch = 10;\ninit = { biases = { kind = \"constant\"; value = 9.0; }; };\n";
  cldann_net *net = built_net();
  cldann_experiment *x = NULL, *again = NULL;
  char *text = NULL, *second = NULL;
  GOOD(cldann_experiment_new(*at, text_of_it, net, &x));
  ck_assert(x->s.seed == 7 && x->s.batch == 10);
  same_net(net, x->net);
  GOOD(cldann_experiment_text(x, &text));
  GOOD(cldann_experiment_new(*at, text, NULL, &again));
  same_net(net, again->net);
  GOOD(cldann_experiment_text(again, &second));
  ck_assert_str_eq(text, second);
  cldann_net_free(net);
  cldann_free_text(text), cldann_free_text(second);
  cldann_experiment_free(x), cldann_experiment_free(again);
}
END_TEST

/* A new op of op_types is seen here when a program could build it and an experiment file not. */
START_TEST(files_have_every_op) {
  for (int i = 0; op_types[i]; i++) {
    char text[300];
    cldann_experiment *x = NULL;
    const op_type *t = op_types[i];
    if (t == &op_input || t == &op_rows) continue;
    snprintf(text, sizeof text, "net = { input = [4, 4, 1]; features = ( { op = \"%s\"; } ); };", t->name);
    ck_assert_int_lt(cldann_experiment_new(*at, text, NULL, &x), 0);
    ck_assert_msg(!strstr((*at)->err.message, "unknown op"), "%s", (*at)->err.message);
    cldann_clear_error(*at);
  }
}
END_TEST

static void refused(const char *text, cldann_net *net, const char *wanted) {
  cldann_experiment *x = NULL;
  const int rc = cldann_experiment_new(*at, text, net, &x);
  ck_assert_ptr_null(x);
  ck_assert_msg(rc < 0 && rc == (*at)->err.code && strstr((*at)->err.message, wanted), "%d, wanted '%s': %s", rc, wanted,
                (*at)->err.message);
  cldann_clear_error(*at);
  cldann_net_free(net);
}

/* A net of two features and both heads; the label head hangs on the first feature, or begins with these rows. */
static cldann_net *odd_net(int on_first, int rows, int losses) {
  cldann_net *net = cldann_net_new(*at);
  cldann_node *first = cldann_dense(cldann_input(net, 1, 1, 2), 3, NULL), *second = cldann_relu(first), *x;
  cldann_branch(net, CLDANN_LABEL_HEAD);
  x = on_first ? first : second;
  if (rows >= 0) x = cldann_rows(x, (cldann_rows_id)rows);
  if (losses & 1) cldann_softmax_xent(cldann_dense(x, 2, NULL), CLDANN_TARGET_LABELS);
  cldann_branch(net, CLDANN_DOMAIN_HEAD);
  x = cldann_reversal(second, 1.0f);
  if (losses & 2) cldann_logistic_xent(cldann_dense(x, 1, NULL), CLDANN_TARGET_DOMAIN);
  return net;
}

START_TEST(what_is_no_experiment) {
  cldann_experiment *x = NULL;
  cldann_net *net;
  refused(NULL, cldann_net_new(*at), "the net has no input");
  refused(NULL, odd_net(0, -1, 2), "no loss of the label head");
  refused(NULL, odd_net(0, -1, 1), "no loss of the domain head");
  refused(NULL, odd_net(1, -1, 3), "dense2 does not stand behind relu1");
  refused(NULL, odd_net(0, CLDANN_ROWS_TARGET, 3), "only the label head begins with rows");
  refused("net = { input = [1, 1, 2]; };", odd_net(0, -1, 3), "the text has a net, and a net was built for it");
  refused("steps = 10;\nlr = { rate = 1.0; };", odd_net(0, -1, 3), "experiment:2: unknown key lr.rate");
  refused("", NULL, "net.input is missing");
  refused("@include \"x\"", NULL, "@include is not supported");
  for (int rows = -1; rows <= CLDANN_ROWS_SOURCE; rows++) {
    net = odd_net(0, rows, 3);
    GOOD(cldann_experiment_new(*at, "method = \"source-only\";", net, &x));
    ck_assert_ptr_null(net_find(x->net, "rows1"));
    cldann_experiment_free(x);
    cldann_net_free(net);
  }
}
END_TEST

START_TEST(short_of_memory) {
  const long before = mem_live();
  int rc = CLDANN_E_MEM;
  cldann_net *net = built_net();
  const long with_net = mem_live();
  for (long n = 1; rc == CLDANN_E_MEM && n < 500; n++) {
    cldann_experiment *x = NULL;
    mem_fail_after(n);
    rc = cldann_experiment_new(*at, "seed = 2;", net, &x);
    mem_fail_after(-1);
    cldann_experiment_free(x);
    ck_assert_int_eq(mem_live(), with_net);
    cldann_clear_error(*at);
  }
  ck_assert_int_eq(rc, CLDANN_OK);
  cldann_net_free(net);
  ck_assert_int_eq(mem_live(), before);
}
END_TEST

TCase *library_net_cases(cldann **ctx) {
  TCase *t = tcase_create("net");
  at = ctx;
  tcase_add_test(t, every_op);
  tcase_add_test(t, files_have_every_op);
  tcase_add_test(t, what_is_no_experiment);
  tcase_add_test(t, short_of_memory);
  return t;
}

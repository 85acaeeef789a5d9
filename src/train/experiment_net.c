/*
 * train/experiment_net.c: from the net group of an experiment file to a graph. A row of op_keys and a branch of read_op
 * add an op to the files. Shapes are checked by the ops themselves (ops/); here their errors get file and line.
 */
#include <float.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "train/conf.h"

#define END \
  { .name = NULL }

enum { ITEM_MAX = 1 << 24 };

/* ---- the keys ---- */

static const char *const init_kinds[] = {"truncated_normal", "glorot", "he", "constant", NULL}; /* as cldann_init_kind */
static const char *const paddings[] = {"valid", "same", "ceil", NULL};                          /* as cldann_padding */

static const conf_key init_keys[] = {
    {.name = "kind", .type = CONF_CHOICE, .choices = init_kinds},
    {.name = "value", .type = CONF_NUMBER, .min = -1e6, .max = 1e6},
    END,
};
static const conf_key layer_keys[] = {
    {.name = "weights", .type = CONF_GROUP, .keys = init_keys},
    {.name = "biases", .type = CONF_GROUP, .keys = init_keys},
    END,
};

/* At top level: how layers start that do not say it themselves, and a file that comes over all of it (train/start.h). */
const conf_key conf_init_keys[] = {
    {.name = "from", .type = CONF_TEXT, .max = 1000},
    {.name = "weights", .type = CONF_GROUP, .keys = init_keys},
    {.name = "biases", .type = CONF_GROUP, .keys = init_keys},
    END,
};

static const conf_key lr_keys[] = {
    {.name = "weights", .type = CONF_NUMBER, .min = 0, .max = 1000},
    {.name = "biases", .type = CONF_NUMBER, .min = 0, .max = 1000},
    END,
};

#define NAME_KEY \
  { .name = "name", .type = CONF_TEXT, .max = 40 }
#define INIT_KEY \
  { .name = "init", .type = CONF_GROUP, .keys = layer_keys }
#define LR_KEY \
  { .name = "lr", .type = CONF_GROUP, .keys = lr_keys }
#define LIMIT_KEY \
  { .name = "max_norm", .type = CONF_NUMBER, .min = DBL_MIN, .max = 1e6 }
#define COUNT_KEY(NAME) \
  { .name = NAME, .type = CONF_INT, .min = 1, .max = 1e6 }
#define PADDING_KEY \
  { .name = "padding", .type = CONF_PADDING, .choices = paddings }
#define PAIR_KEY(NAME) \
  { .name = NAME, .type = CONF_PAIR }

static const conf_key plain_keys[] = {NAME_KEY, END};
static const conf_key dense_keys[] = {COUNT_KEY("units"), INIT_KEY, LR_KEY, LIMIT_KEY, NAME_KEY, END};
static const conf_key conv2d_keys[] = {COUNT_KEY("filters"),
                                       PAIR_KEY("kernel"),
                                       PAIR_KEY("stride"),
                                       PADDING_KEY,
                                       COUNT_KEY("groups"),
                                       INIT_KEY,
                                       LR_KEY,
                                       LIMIT_KEY,
                                       NAME_KEY,
                                       END};
static const conf_key pool_keys[] = {PAIR_KEY("window"), PAIR_KEY("stride"), PADDING_KEY, NAME_KEY, END};
static const char *const norm_stats[] = {"joint", "perdomain", NULL};
static const conf_key norm_keys[] = {{.name = "stats", .type = CONF_CHOICE, .choices = norm_stats},
                                     {.name = "momentum", .type = CONF_NUMBER, .min = DBL_MIN, .max = 1},
                                     {.name = "epsilon", .type = CONF_NUMBER, .min = DBL_MIN, .max = 1},
                                     LR_KEY,
                                     NAME_KEY,
                                     END};
static const conf_key lrn_keys[] = {{.name = "size", .type = CONF_INT, .min = 1, .max = 1e6},
                                    {.name = "alpha", .type = CONF_NUMBER, .min = 0, .max = 1e6},
                                    {.name = "beta", .type = CONF_NUMBER, .min = 0, .max = 100},
                                    {.name = "k", .type = CONF_NUMBER, .min = DBL_MIN, .max = 1e6},
                                    NAME_KEY,
                                    END};
static const conf_key leaky_keys[] = {{.name = "slope", .type = CONF_NUMBER, .min = 0, .max = 0.999999}, NAME_KEY, END};
static const conf_key dropout_keys[] = {{.name = "rate", .type = CONF_NUMBER, .min = 0, .max = 0.999999}, NAME_KEY, END};
static const conf_key reversal_keys[] = {{.name = "lambda", .type = CONF_NUMBER, .min = -1000, .max = 1000}, NAME_KEY, END};

static const conf_key op_keys[] = {
    {.name = "conv2d", .type = CONF_GROUP, .keys = conv2d_keys},
    {.name = "dense", .type = CONF_GROUP, .keys = dense_keys},
    {.name = "max_pool", .type = CONF_GROUP, .keys = pool_keys},
    {.name = "avg_pool", .type = CONF_GROUP, .keys = pool_keys},
    {.name = "global_pool", .type = CONF_GROUP, .keys = plain_keys},
    {.name = "relu", .type = CONF_GROUP, .keys = plain_keys},
    {.name = "leaky_relu", .type = CONF_GROUP, .keys = leaky_keys},
    {.name = "sigmoid", .type = CONF_GROUP, .keys = plain_keys},
    {.name = "tanh", .type = CONF_GROUP, .keys = plain_keys},
    {.name = "batch_norm", .type = CONF_GROUP, .keys = norm_keys},
    {.name = "lrn", .type = CONF_GROUP, .keys = lrn_keys},
    {.name = "dropout", .type = CONF_GROUP, .keys = dropout_keys},
    {.name = "flatten", .type = CONF_GROUP, .keys = plain_keys},
    {.name = "reversal", .type = CONF_GROUP, .keys = reversal_keys},
    {.name = "softmax_xent", .type = CONF_GROUP, .keys = plain_keys},
    {.name = "logistic_xent", .type = CONF_GROUP, .keys = plain_keys},
    END,
};
const conf_key conf_net_keys[] = {
    {.name = "input", .type = CONF_SHAPE},
    {.name = "features", .type = CONF_OPS, .keys = op_keys},
    {.name = "label_head", .type = CONF_OPS, .keys = op_keys},
    {.name = "domain_head", .type = CONF_OPS, .keys = op_keys},
    END,
};

/* ---- the attributes of one op ---- */

static int elem(const config_setting_t *s, int i) {
  return (int)conf_int(config_setting_get_elem(s, (unsigned)i), 0);
}

/* An integer for both, or [height, width]; absent: 0, 0. */
static void read_pair(const config_setting_t *s, int *y, int *x) {
  *y = *x = 0;
  if (s && config_setting_is_aggregate(s))
    *y = elem(s, 0), *x = elem(s, 1);
  else
    *y = *x = (int)conf_int(s, 0);
}

static void read_window(const config_setting_t *s, const char *size, cldann_window *w) {
  const config_setting_t *padding = conf_member(s, "padding");
  read_pair(conf_member(s, size), &w->height, &w->width);
  read_pair(conf_member(s, "stride"), &w->stride_y, &w->stride_x);
  if (padding && config_setting_is_aggregate(padding)) {
    w->padding = CLDANN_EXPLICIT;
    w->top = elem(padding, 0), w->bottom = elem(padding, 1), w->left = elem(padding, 2), w->right = elem(padding, 3);
  } else {
    w->padding = (cldann_padding)conf_choice(padding, paddings, CLDANN_VALID);
  }
}

static int make_init(const struct config *c, const config_setting_t *kind, const config_setting_t *value, cldann_init *init) {
  if (!kind && value)
    return conf_bad(c, value, CLDANN_E_CONFIG,
                    "an initialiser with a value needs its kind; add kind = \"constant\" or \"truncated_normal\"");
  if (!kind) return CLDANN_OK;
  init->kind = (cldann_init_kind)conf_choice(kind, init_kinds, 0);
  init->value = (float)conf_number(value, 0.0);
  if (init->kind == CLDANN_INIT_TRUNCATED_NORMAL && !(init->value > 0.0f))
    return conf_bad(c, value ? value : kind, CLDANN_E_CONFIG, "truncated_normal needs value, its standard deviation, above 0");
  return CLDANN_OK;
}

/* The initialisers that layers without their own have. */
static int default_layer(const struct config *c, cldann_layer *layer) {
  int rc;
  *layer = (cldann_layer){{CLDANN_INIT_GLOROT, 0.0f}, {CLDANN_INIT_CONSTANT, 0.0f}};
  TRY(make_init(c, conf_get(c, "init.weights.kind"), conf_get(c, "init.weights.value"), &layer->weights));
  TRY(make_init(c, conf_get(c, "init.biases.kind"), conf_get(c, "init.biases.value"), &layer->biases));
fail:
  return rc;
}

static int own_layer(const struct config *c, const config_setting_t *s, cldann_layer *layer) {
  int rc;
  const config_setting_t *init = conf_member(s, "init"), *w = conf_member(init, "weights"), *b = conf_member(init, "biases");
  TRY(make_init(c, conf_member(w, "kind"), conf_member(w, "value"), &layer->weights));
  TRY(make_init(c, conf_member(b, "kind"), conf_member(b, "value"), &layer->biases));
fail:
  return rc;
}

static int need(const struct config *c, const config_setting_t *s, const char *key) {
  if (conf_member(s, key)) return CLDANN_OK;
  return conf_bad(c, s, CLDANN_E_CONFIG, "%s needs %s", conf_text(conf_member(s, "op"), ""), key);
}

static int read_op(const struct config *c, const config_setting_t *s, const cldann_layer *layer, cldann_loss_target target,
                   op *o) {
  int rc = CLDANN_OK;
  *o = (op){.type = op_find(conf_text(conf_member(s, "op"), "")), .layer = *layer, .target = target};
  snprintf(o->name, sizeof o->name, "%s", conf_text(conf_member(s, "name"), ""));
  TRY(own_layer(c, s, &o->layer));
  if (o->type == &op_dense) {
    TRY(need(c, s, "units"));
    o->units = (int)conf_int(conf_member(s, "units"), 0);
  } else if (o->type == &op_conv2d) {
    TRY(need(c, s, "filters"));
    TRY(need(c, s, "kernel"));
    o->units = (int)conf_int(conf_member(s, "filters"), 0);
    o->groups = (int)conf_int(conf_member(s, "groups"), 1);
    read_window(s, "kernel", &o->window);
  } else if (o->type == &op_max_pool || o->type == &op_avg_pool) {
    TRY(need(c, s, "window"));
    read_window(s, "window", &o->window);
  } else if (o->type == &op_leaky_relu) {
    o->slope = (float)conf_number(conf_member(s, "slope"), 0.01);
  } else if (o->type == &op_batch_norm) {
    o->per_domain = conf_choice(conf_member(s, "stats"), norm_stats, 0);
    o->momentum = (float)conf_number(conf_member(s, "momentum"), 0.1);
    o->epsilon = (float)conf_number(conf_member(s, "epsilon"), 1e-5);
  } else if (o->type == &op_lrn) {
    o->size = (int)conf_int(conf_member(s, "size"), 5);
    o->alpha = (float)conf_number(conf_member(s, "alpha"), 1e-4);
    o->beta = (float)conf_number(conf_member(s, "beta"), 0.75);
    o->k = (float)conf_number(conf_member(s, "k"), 1.0);
  } else if (o->type == &op_dropout) {
    TRY(need(c, s, "rate"));
    o->rate = (float)conf_number(conf_member(s, "rate"), 0.0);
  } else if (o->type == &op_reversal) {
    o->lambda = (float)conf_number(conf_member(s, "lambda"), 1.0);
  }
fail:
  return rc;
}

/* What the node has of its own of the learning; the keys are there where they mean something. */
static void set_learning(const config_setting_t *s, cldann_node *n) {
  const config_setting_t *lr = conf_member(s, "lr");
  n->o.lr[0] = (float)conf_number(conf_member(lr, "weights"), 1.0);
  n->o.lr[1] = (float)conf_number(conf_member(lr, "biases"), 1.0);
  n->o.max_norm = (float)conf_number(conf_member(s, "max_norm"), 0.0);
}

/* ---- the three branches ---- */

typedef struct builder {
  const struct config *c;
  cldann_net *net;
  cldann_layer layer;
} builder;

/* Keeps sizes and their products inside an int, here and in the ops. */
static int fits(shape s) {
  return (double)s.h * s.w * s.c <= ITEM_MAX;
}

/* Adds the ops of one list behind x. A head ends with its loss, and no other op is one. */
static int build_branch(const builder *b, cldann_branch_id branch, const char *path, cldann_node *x, cldann_node **out) {
  int rc = CLDANN_OK;
  const config_setting_t *list = conf_get(b->c, path);
  const int n = list ? config_setting_length(list) : 0;
  const cldann_loss_target target = branch == CLDANN_DOMAIN_HEAD ? CLDANN_TARGET_DOMAIN : CLDANN_TARGET_LABELS;
  if (n == 0 && branch != CLDANN_FEATURES)
    return conf_bad(b->c, list, CLDANN_E_CONFIG, "%s is missing; a net has both heads, each ending with a loss", path);
  cldann_branch(b->net, branch);
  for (int i = 0; i < n; i++) {
    const config_setting_t *s = config_setting_get_elem(list, (unsigned)i);
    op o;
    TRY(read_op(b->c, s, &b->layer, target, &o));
    const int loss = (o.type->flags & OP_LOSS) != 0, last = branch != CLDANN_FEATURES && i == n - 1;
    if (loss && !last)
      return conf_bad(b->c, s, CLDANN_E_CONFIG, "%s is a loss, which may only be the last op of a head", o.type->name);
    if (!loss && last)
      return conf_bad(b->c, s, CLDANN_E_CONFIG, "%s ends with %s; its last op must be softmax_xent or logistic_xent", path,
                      o.type->name);
    if (!(x = net_add(b->net, x, &o))) return conf_blame(b->c, s);
    set_learning(s, x);
    if (!fits(x->o.out))
      return conf_bad(b->c, s, CLDANN_E_SHAPE, "%s %s: its output of %d x %d x %d is too large; the most is %d numbers an item",
                      o.type->name, x->o.name, x->o.out.h, x->o.out.w, x->o.out.c, ITEM_MAX);
  }
  *out = x;
fail:
  return rc;
}

static int has_reversal(const cldann_net *net) {
  for (int i = 0; i < net->n; i++)
    if (net->nodes[i]->branch == CLDANN_DOMAIN_HEAD && net->nodes[i]->o.type == &op_reversal) return 1;
  return 0;
}

int experiment_build_net(cldann_experiment *x) {
  int rc;
  builder b = {.c = x->cfg};
  const config_setting_t *input = conf_get(b.c, "net.input"), *head = conf_get(b.c, "net.domain_head");
  cldann_node *node, *features;
  if (!input)
    return conf_bad(b.c, NULL, CLDANN_E_CONFIG, "net.input is missing; give net = { input = [height, width, channels]; ... }");
  TRY(default_layer(b.c, &b.layer));
  if (!(b.net = x->net = cldann_net_new(x->ctx))) return x->ctx->err.code;
  if (!(node = cldann_input(b.net, elem(input, 0), elem(input, 1), elem(input, 2)))) return conf_blame(b.c, input);
  if (!fits(node->o.out))
    return conf_bad(b.c, input, CLDANN_E_SHAPE, "net.input is too large; the most is %d numbers an item", ITEM_MAX);
  TRY(build_branch(&b, CLDANN_FEATURES, "net.features", node, &features));
  node = features;
  if (x->s.method->source && x->s.method->target) { /* only the source half has labels */
    cldann_branch(b.net, CLDANN_LABEL_HEAD);
    if (!(node = cldann_rows(features, CLDANN_ROWS_SOURCE))) return conf_blame(b.c, NULL);
  }
  TRY(build_branch(&b, CLDANN_LABEL_HEAD, "net.label_head", node, &node));
  TRY(build_branch(&b, CLDANN_DOMAIN_HEAD, "net.domain_head", features, &node));
  if (x->s.method->id == METHOD_DANN && !has_reversal(b.net))
    return conf_bad(
        b.c, head, CLDANN_E_CONFIG,
        "net.domain_head has no reversal, without which dann trains nothing adversarial; put {op = \"reversal\";} first");
  net_layout(b.net);
fail:
  return rc;
}

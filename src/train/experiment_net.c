/*
 * train/experiment_net.c: from the net group of an experiment file to a graph, and from a graph that a program built to the
 * same keys. A row of op_keys adds an op to both. Shapes are checked by the ops themselves (ops/); here their errors get file
 * and line.
 */
#include <float.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/memo.h"
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

/* Where an op keeps the value. */
#define IN(field) .at = offsetof(op, field), .size = sizeof(((op *)0)->field)
#define IN_PAIR(field) .at = offsetof(op, field), .size = 2 * sizeof(int)

static const conf_key lr_keys[] = {
    {.name = "weights", .type = CONF_NUMBER, .min = 0, .max = 1000, IN(lr[0])},
    {.name = "biases", .type = CONF_NUMBER, .min = 0, .max = 1000, IN(lr[1])},
    END,
};

#define NAME_KEY \
  { .name = "name", .type = CONF_TEXT, .max = sizeof(((op *)0)->name) - 1, IN(name) }
#define INIT_KEY \
  { .name = "init", .type = CONF_GROUP, .keys = layer_keys }
#define LR_KEY \
  { .name = "lr", .type = CONF_GROUP, .keys = lr_keys }
#define LIMIT_KEY \
  { .name = "max_norm", .type = CONF_NUMBER, .min = DBL_MIN, .max = 1e6, IN(max_norm) }
#define UNITS_KEY(NAME) \
  { .name = NAME, .type = CONF_INT, .min = 1, .max = 1e6, IN(units), .required = 1 }
#define WINDOW_KEYS(NAME)                                                    \
  {.name = NAME, .type = CONF_PAIR, IN_PAIR(window.height), .required = 1},  \
      {.name = "stride", .type = CONF_PAIR, IN_PAIR(window.stride_y)}, {     \
    .name = "padding", .type = CONF_PADDING, .choices = paddings, IN(window) \
  }

static const conf_key plain_keys[] = {NAME_KEY, END};
static const conf_key dense_keys[] = {UNITS_KEY("units"), INIT_KEY, LR_KEY, LIMIT_KEY, NAME_KEY, END};
static const conf_key conv2d_keys[] = {
    UNITS_KEY("filters"),
    WINDOW_KEYS("kernel"),
    {.name = "groups", .type = CONF_INT, .min = 1, .max = 1e6, IN(groups)},
    INIT_KEY,
    LR_KEY,
    LIMIT_KEY,
    NAME_KEY,
    END,
};
static const conf_key pool_keys[] = {WINDOW_KEYS("window"), NAME_KEY, END};
static const char *const norm_stats[] = {"joint", "perdomain", NULL};
static const conf_key norm_keys[] = {
    {.name = "stats", .type = CONF_CHOICE, .choices = norm_stats, IN(per_domain)},
    {.name = "momentum", .type = CONF_NUMBER, .min = DBL_MIN, .max = 1, IN(momentum)},
    {.name = "epsilon", .type = CONF_NUMBER, .min = DBL_MIN, .max = 1, IN(epsilon)},
    LR_KEY,
    NAME_KEY,
    END,
};
static const conf_key lrn_keys[] = {
    {.name = "size", .type = CONF_INT, .min = 1, .max = 1e6, IN(size)},
    {.name = "alpha", .type = CONF_NUMBER, .min = 0, .max = 1e6, IN(alpha)},
    {.name = "beta", .type = CONF_NUMBER, .min = 0, .max = 100, IN(beta)},
    {.name = "k", .type = CONF_NUMBER, .min = DBL_MIN, .max = 1e6, IN(k)},
    NAME_KEY,
    END,
};
static const conf_key leaky_keys[] = {
    {.name = "slope", .type = CONF_NUMBER, .min = 0, .max = 0.999999, IN(slope)}, NAME_KEY, END};
static const conf_key dropout_keys[] = {
    {.name = "rate", .type = CONF_NUMBER, .min = 0, .max = 0.999999, IN(rate), .required = 1}, NAME_KEY, END};
static const conf_key reversal_keys[] = {
    {.name = "lambda", .type = CONF_NUMBER, .min = -1000, .max = 1000, IN(lambda)}, NAME_KEY, END};

/* What a key that is left out means. */
static const op op_defaults = {.lr = {1.0f, 1.0f},
                               .groups = 1,
                               .slope = 0.01f,
                               .momentum = 0.1f,
                               .epsilon = 1e-5f,
                               .lambda = 1.0f,
                               .size = 5,
                               .alpha = 1e-4f,
                               .beta = 0.75f,
                               .k = 1.0f};

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
static const conf_key *keys_of(const op_type *type) {
  const conf_key *k = op_keys;
  while (k->name && strcmp(k->name, type->name)) k++;
  return k->keys;
}

const conf_key conf_net_keys[] = {
    {.name = "input", .type = CONF_SHAPE},
    {.name = "features", .type = CONF_OPS, .keys = op_keys},
    {.name = "label_head", .type = CONF_OPS, .keys = op_keys},
    {.name = "domain_head", .type = CONF_OPS, .keys = op_keys},
    END,
};

/* ---- the attributes of one op ---- */

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

static int read_op(const struct config *c, const config_setting_t *s, const cldann_layer *layer, cldann_loss_target target,
                   op *o) {
  const char *name = conf_text(conf_member(s, "op"), "");
  *o = op_defaults;
  o->type = op_find(name);
  o->layer = *layer;
  o->target = target;
  for (const conf_key *k = keys_of(o->type); k->name; k++)
    if (k->required && !conf_member(s, k->name)) return conf_bad(c, s, CLDANN_E_CONFIG, "%s needs %s", name, k->name);
  conf_store_all(s, keys_of(o->type), o);
  return own_layer(c, s, &o->layer);
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
    memcpy(x->o.lr, o.lr, sizeof o.lr); /* a new node has 1 */
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
  int size[3];
  if (!input)
    return conf_bad(b.c, NULL, CLDANN_E_CONFIG, "net.input is missing; give net = { input = [height, width, channels]; ... }");
  TRY(default_layer(b.c, &b.layer));
  if (!(b.net = x->net = cldann_net_new(x->ctx))) return x->ctx->err.code;
  conf_sizes(input, size);
  if (!(node = cldann_input(b.net, size[0], size[1], size[2]))) return conf_blame(b.c, input);
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

/* ---- from a graph to the keys ---- */

/* One member, unless it is what its absence means. */
static void put_member(FILE *f, const conf_key *k, const op *o) {
  if (!memcmp((const char *)o + k->at, (const char *)&op_defaults + k->at, k->size)) return;
  if (k->type == CONF_PADDING && o->window.padding == op_defaults.window.padding) return;
  fprintf(f, " %s = ", k->name);
  conf_put(f, k, o);
  fputc(';', f);
}

/* An initialiser says its kind and, where that has one, its value. */
static void put_init(FILE *f, const char *of, const cldann_init *init) {
  const int valued = init->kind == CLDANN_INIT_TRUNCATED_NORMAL || init->kind == CLDANN_INIT_CONSTANT;
  static const conf_key value = {.type = CONF_NUMBER, .at = offsetof(cldann_init, value), .size = sizeof init->value};
  fprintf(f, " %s = { kind = \"%s\";", of, init_kinds[init->kind]);
  if (valued) fputs(" value = ", f), conf_put(f, &value, init), fputc(';', f);
  fputs(" };", f);
}

static void put_op(FILE *f, const op *o) {
  fprintf(f, "{ op = \"%s\";", o->type->name);
  for (const conf_key *k = keys_of(o->type); k->name; k++) {
    if (k->keys == layer_keys) {
      fputs(" init = {", f);
      put_init(f, "weights", &o->layer.weights), put_init(f, "biases", &o->layer.biases);
      fputs(" };", f);
    } else if (k->keys == lr_keys) {
      if (!memcmp(o->lr, op_defaults.lr, sizeof o->lr)) continue;
      fputs(" lr = {", f);
      for (const conf_key *m = lr_keys; m->name; m++) put_member(f, m, o);
      fputs(" };", f);
    } else {
      put_member(f, k, o);
    }
  }
  fputs(" }", f);
}

/* Ops of one branch, in a row behind *last, which becomes the last of them. */
static int put_branch(cldann_error *e, FILE *f, const cldann_net *net, cldann_branch_id branch, const cldann_node **last) {
  int rc = CLDANN_OK, n = 0;
  for (int i = 0; i < net->n; i++) {
    const cldann_node *node = net->nodes[i];
    if (node->branch != branch || node->o.type == &op_input) continue;
    if (node->in != *last)
      FAIL(
          e, CLDANN_E_ARG,
          "%s %s does not stand behind %s; the net of an experiment is a chain of features, and from its last node a chain for "
          "each head",
          node->o.type->name, node->o.name, (*last)->o.name);
    *last = node;
    if (node->o.type == &op_rows) { /* an experiment puts it there itself, as its method wants */
      if (branch != CLDANN_LABEL_HEAD || n || node->o.rows == CLDANN_ROWS_TARGET)
        FAIL(e, CLDANN_E_ARG, "rows %s: in an experiment only the label head begins with rows, the source's; leave it out",
             node->o.name);
      continue;
    }
    fputs(n++ ? ", " : "", f);
    put_op(f, &node->o);
  }
fail:
  return rc;
}

static int put_set(cldann_error *e, const cldann_net *net, const conf_key *key, cldann_branch_id branch,
                   const cldann_node **last, char **out) {
  memo text;
  int rc;
  TRY(memo_open(e, &text));
  fprintf(text.f, "net.%s=(", key->name);
  TRY(put_branch(e, text.f, net, branch, last));
  fputc(')', text.f);
  TRY(memo_take(e, &text, out));
fail:
  memo_free(&text);
  return rc;
}

int experiment_net_sets(cldann_error *e, const cldann_net *net, char *sets[NET_SETS]) {
  const cldann_node *input = net_input(net), *last = input, *behind;
  char text[80];
  int rc;
  if (!input || !net_loss(net, CLDANN_TARGET_LABELS) || !net_loss(net, CLDANN_TARGET_DOMAIN))
    FAIL(e, CLDANN_E_ARG, "the net has no %s; build it with an input and a loss at the end of each head",
         !input                                ? "input"
         : net_loss(net, CLDANN_TARGET_DOMAIN) ? "loss of the label head"
                                               : "loss of the domain head");
  snprintf(text, sizeof text, "net.input=[%d, %d, %d]", input->o.out.h, input->o.out.w, input->o.out.c);
  TRY(mem_strdup(e, &sets[0], text));
  TRY(put_set(e, net, &conf_net_keys[1], CLDANN_FEATURES, &last, &sets[1]));
  behind = last;
  TRY(put_set(e, net, &conf_net_keys[2], CLDANN_LABEL_HEAD, &behind, &sets[2]));
  behind = last;
  TRY(put_set(e, net, &conf_net_keys[3], CLDANN_DOMAIN_HEAD, &behind, &sets[3]));
fail:
  return rc;
}

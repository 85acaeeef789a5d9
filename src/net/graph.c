/* net/graph.c: building the graph and laying out its parameters. See net/graph.h and, for the builders, cldann.h. */
#include "net/graph.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

cldann_net *cldann_net_new(cldann *c) {
  cldann_net *net = NULL;
  if (mem_new(&c->err, &net, 1, sizeof *net) < 0) return NULL;
  net->err = &c->err;
  return net;
}

void cldann_net_free(cldann_net *net) {
  if (!net) return;
  for (int i = 0; i < net->n; i++) mem_free(net->nodes[i]);
  mem_free(net->nodes);
  mem_free(net);
}

void cldann_branch(cldann_net *net, cldann_branch_id branch) {
  net->branch = branch;
}

const char *branch_name(cldann_branch_id b) {
  static const char *const names[] = {"features", "label head", "domain head"};
  return names[b];
}

static int row_of(const op_type *t) {
  int i = 0;
  while (op_types[i] != t) i++;
  return i;
}

cldann_node *net_add(cldann_net *net, cldann_node *in, const op *o) {
  cldann_node *n = NULL;
  int rc;
  if (net->n == net->cap) {
    int cap = net->cap ? 2 * net->cap : 16;
    TRY(mem_resize(net->err, &net->nodes, (size_t)cap, sizeof *net->nodes));
    net->cap = cap;
  }
  TRY(mem_new(net->err, &n, 1, sizeof *n));
  n->o = *o;
  n->o.lr[0] = n->o.lr[1] = 1.0f;
  n->net = net;
  n->in = in;
  n->id = net->n;
  n->branch = net->branch;
  if (in) n->o.in = in->o.out;
  if (!n->o.name[0]) snprintf(n->o.name, sizeof n->o.name, "%s%d", o->type->name, ++net->per_op[row_of(o->type)]);
  if (net_find(net, n->o.name)) FAIL(net->err, CLDANN_E_ARG, "two nodes are named %s; names must differ", n->o.name);
  TRY(n->o.type->infer(&n->o, net->err));
  net->nodes[net->n++] = n;
  return n;
fail:
  mem_free(n);
  return NULL;
}

int cldann_name(cldann_node *node, const char *name) {
  int rc = CLDANN_OK;
  if (!node) return CLDANN_E_ARG;
  cldann_node *other = net_find(node->net, name);
  if (other && other != node) FAIL(node->net->err, CLDANN_E_ARG, "two nodes are named %s; names must differ", name);
  if (strlen(name) >= sizeof node->o.name) FAIL(node->net->err, CLDANN_E_ARG, "the node name %.60s is too long", name);
  snprintf(node->o.name, sizeof node->o.name, "%s", name);
fail:
  return rc;
}

static int bad_setting(cldann_node *node, const char *what) {
  return err_set(node->net->err, CLDANN_E_ARG, __FILE__, __LINE__, "%s %s: %s", node->o.type->name, node->o.name, what);
}

int cldann_learning_rate(cldann_node *node, float weights, float biases) {
  if (!node) return CLDANN_E_ARG;
  if (!node->o.n_params) return bad_setting(node, "nothing is learnt there; a factor of the learning rate has no meaning");
  if (!(weights >= 0.0f) || !(biases >= 0.0f)) return bad_setting(node, "a factor of the learning rate is not below 0");
  node->o.lr[0] = weights;
  node->o.lr[1] = biases;
  return CLDANN_OK;
}

int cldann_max_norm(cldann_node *node, float norm) {
  if (!node) return CLDANN_E_ARG;
  if (node->o.type->finish != layer_finish) return bad_setting(node, "only the weights of dense and conv2d are limited");
  if (!(norm >= 0.0f)) return bad_setting(node, "the limit of a unit's weights is above 0, or 0 for none");
  node->o.max_norm = norm;
  return CLDANN_OK;
}

cldann_node *net_find(const cldann_net *net, const char *name) {
  for (int i = 0; i < net->n; i++)
    if (!strcmp(net->nodes[i]->o.name, name)) return net->nodes[i];
  return NULL;
}

cldann_node *net_input(const cldann_net *net) {
  for (int i = 0; i < net->n; i++)
    if (net->nodes[i]->o.type->flags & OP_INPUT) return net->nodes[i];
  return NULL;
}

cldann_node *net_loss(const cldann_net *net, cldann_loss_target target) {
  for (int i = 0; i < net->n; i++)
    if ((net->nodes[i]->o.type->flags & OP_LOSS) && net->nodes[i]->o.target == target) return net->nodes[i];
  return NULL;
}

const cldann_node *net_features(const cldann_net *net) {
  const cldann_node *n = net_loss(net, CLDANN_TARGET_LABELS);
  while (n->branch != CLDANN_FEATURES) n = n->in;
  return n;
}

/* Gives the trained parameters of a branch, or the others of all branches (branch BRANCHES), their places from `at` on. */
static size_t lay_out(cldann_net *net, int branch, size_t at) {
  for (int i = 0; i < net->n; i++) {
    cldann_node *n = net->nodes[i];
    if (branch < BRANCHES && (int)n->branch != branch) continue;
    for (int p = 0; p < n->o.n_params; p++) {
      if (n->o.params[p].state != (branch == BRANCHES)) continue;
      n->param_at[p] = at;
      at += n->o.params[p].count;
    }
  }
  return at;
}

void net_layout(cldann_net *net) {
  size_t at = 0;
  for (int b = 0; b < BRANCHES; b++) {
    net->group_at[b] = at;
    at = lay_out(net, b, at);
    net->group_count[b] = at - net->group_at[b];
  }
  net->param_count = lay_out(net, BRANCHES, at);
}

/* A normal cut at two standard deviations: redrawn until it is inside, each try from its own counter. */
static float truncated(uint64_t seed, uint32_t stream, uint64_t i) {
  for (uint32_t attempt = 0;; attempt++) {
    const rng r = rng_words(seed, stream, attempt, i);
    const float v = rng_normal(r.v[0], r.v[1]);
    if (fabsf(v) < 2.0f) return v;
  }
}

static float draw(const param *p, uint64_t seed, uint32_t stream, uint64_t i) {
  switch (p->init.kind) {
  case CLDANN_INIT_TRUNCATED_NORMAL: return p->init.value * truncated(seed, stream, i);
  case CLDANN_INIT_GLOROT:
    return (2.0f * rng_unit(rng_words(seed, stream, 0, i).v[0]) - 1.0f) * (float)sqrt(6.0 / (p->fan_in + p->fan_out));
  case CLDANN_INIT_HE: return truncated(seed, stream, i) * (float)sqrt(2.0 / p->fan_in);
  case CLDANN_INIT_CONSTANT: break;
  }
  return p->init.value;
}

void net_init_params(const cldann_net *net, uint64_t seed, float *params) {
  uint32_t index = 0;
  for (int i = 0; i < net->n; i++)
    for (int k = 0; k < net->nodes[i]->o.n_params; k++, index++) {
      const param *p = &net->nodes[i]->o.params[k];
      float *to = params + net->nodes[i]->param_at[k];
      for (size_t j = 0; j < p->count; j++) to[j] = draw(p, seed, RNG_PARAM + index, j);
    }
}

/* ---- the public builders ---- */

static const cldann_layer default_layer = {{CLDANN_INIT_GLOROT, 0.0f}, {CLDANN_INIT_CONSTANT, 0.0f}};

cldann_node *cldann_input(cldann_net *net, int height, int width, int channels) {
  if (net_input(net)) {
    err_set(net->err, CLDANN_E_ARG, __FILE__, __LINE__, "the net has an input already; a net has one");
    return NULL;
  }
  return net_add(net, NULL, &(op){.type = &op_input, .in = {height, width, channels}});
}

static cldann_node *add(cldann_node *x, const op *o) {
  return x ? net_add(x->net, x, o) : NULL;
}

cldann_node *cldann_dense(cldann_node *x, int units, const cldann_layer *layer) {
  return add(x, &(op){.type = &op_dense, .units = units, .layer = layer ? *layer : default_layer});
}
cldann_node *cldann_grouped_conv2d(cldann_node *x, int filters, int groups, const cldann_window *window,
                                   const cldann_layer *layer) {
  return add(
      x,
      &(op){
          .type = &op_conv2d, .units = filters, .groups = groups, .window = *window, .layer = layer ? *layer : default_layer});
}
cldann_node *cldann_conv2d(cldann_node *x, int filters, const cldann_window *window, const cldann_layer *layer) {
  return cldann_grouped_conv2d(x, filters, 1, window, layer);
}
cldann_node *cldann_max_pool(cldann_node *x, const cldann_window *window) {
  return add(x, &(op){.type = &op_max_pool, .window = *window});
}
cldann_node *cldann_avg_pool(cldann_node *x, const cldann_window *window) {
  return add(x, &(op){.type = &op_avg_pool, .window = *window});
}
cldann_node *cldann_global_pool(cldann_node *x) {
  return add(x, &(op){.type = &op_global_pool});
}
cldann_node *cldann_leaky_relu(cldann_node *x, float slope) {
  return add(x, &(op){.type = &op_leaky_relu, .slope = slope});
}
cldann_node *cldann_batch_norm(cldann_node *x, int per_domain, float momentum, float epsilon) {
  return add(x, &(op){.type = &op_batch_norm, .per_domain = per_domain != 0, .momentum = momentum, .epsilon = epsilon});
}
cldann_node *cldann_lrn(cldann_node *x, int size, float alpha, float beta, float k) {
  return add(x, &(op){.type = &op_lrn, .size = size, .alpha = alpha, .beta = beta, .k = k});
}
cldann_node *cldann_dropout(cldann_node *x, float rate) {
  return add(x, &(op){.type = &op_dropout, .rate = rate});
}
cldann_node *cldann_relu(cldann_node *x) {
  return add(x, &(op){.type = &op_relu});
}
cldann_node *cldann_sigmoid(cldann_node *x) {
  return add(x, &(op){.type = &op_sigmoid});
}
cldann_node *cldann_tanh(cldann_node *x) {
  return add(x, &(op){.type = &op_tanh});
}
cldann_node *cldann_flatten(cldann_node *x) {
  return add(x, &(op){.type = &op_flatten});
}
cldann_node *cldann_rows(cldann_node *x, cldann_rows_id rows) {
  return add(x, &(op){.type = &op_rows, .rows = rows});
}
cldann_node *cldann_reversal(cldann_node *x, float lambda) {
  return add(x, &(op){.type = &op_reversal, .lambda = lambda});
}
cldann_node *cldann_softmax_xent(cldann_node *x, cldann_loss_target target) {
  return add(x, &(op){.type = &op_softmax_xent, .target = target});
}
cldann_node *cldann_logistic_xent(cldann_node *x, cldann_loss_target target) {
  return add(x, &(op){.type = &op_logistic_xent, .target = target});
}

/*
 * net/graph.h: the graph of named nodes that cldann.h's builders make: one op a node, one input each, three branches.
 * It owns shapes and the layout of the parameter arena, no device memory and no launches: net/plan.h makes those.
 */
#ifndef CLDANN_NET_GRAPH_H
#define CLDANN_NET_GRAPH_H

#include "device/context.h"
#include "ops/op.h"

enum { BRANCHES = 3 };

struct cldann_node {
  op o;
  cldann_net *net;
  cldann_node *in; /* NULL for the input */
  int id;          /* position in net->nodes, which is a topological order */
  cldann_branch_id branch;
  size_t param_at[OP_PARAMS]; /* first element of each parameter in the arenas, set by net_layout */
};

struct cldann_net {
  cldann_error *err;
  cldann_node **nodes;
  int n, cap;
  cldann_branch_id branch;
  int per_op[32]; /* counters for default names, by row of op_types */
  /* Parameters grouped by branch, so an optimiser or a checkpoint is one pass over a range. Set by net_layout. */
  size_t group_at[BRANCHES], group_count[BRANCHES], param_count; /* behind the groups: what is not trained */
};

/* Appends a node; o has its type and attributes. NULL (error set) when the shapes do not fit. `in` NULL only for inputs. */
cldann_node *net_add(cldann_net *net, cldann_node *in, const op *o);
void net_layout(cldann_net *net);
cldann_node *net_input(const cldann_net *net);
/* The loss node against the given target, or NULL. */
cldann_node *net_loss(const cldann_net *net, cldann_loss_target target);
const cldann_node *net_features(const cldann_net *net); /* what the label head, which the net has, reads of the features */
cldann_node *net_find(const cldann_net *net, const char *name);
const char *branch_name(cldann_branch_id b);
/* Fills params (param_count floats) from each parameter's initialiser; draw i of parameter p is Philox(seed, p, i). */
void net_init_params(const cldann_net *net, uint64_t seed, float *params);

#endif

/*
 * train/export_onnx.c: cldann_export_onnx: a model as ONNX, operator set 13, by protobuf-c: what scales the input, features and
 * label head. Weights lie in the graph as they do in model files, which is ONNX's layout too (train/model.h): images are
 * (c,h,w), and so is what is flattened. Without protobuf-c, an error says so. proto/onnx.proto has the messages.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "train/export.h"

#ifdef HAVE_PROTOBUFC
#include <limits.h>
#include <proto/onnx.pb-c.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "data/place.h"

/* NODES_OF: the most that a layer of ours becomes. */
enum { IR_VERSION = 7, OPERATORS = 13, NODES_OF = 8, NODES_MORE = 8, INPUTS = 5, ATTRIBUTES = 4, NAME = 64, PROPERTIES = 5 };

/* Messages with room for what they point to. */
typedef struct node {
  Onnx__NodeProto m;
  Onnx__AttributeProto attribute[ATTRIBUTES], *attributes[ATTRIBUTES];
  int64_t ints[ATTRIBUTES][4];
  char *in[INPUTS], *out[1];
  char name[NAME];
} node;

typedef struct constant {
  Onnx__TensorProto m;
  int64_t dims[4], whole[4]; /* whole: its value, where that is a shape */
  float number;              /* its value, where that is one number */
  char name[NAME];
} constant;

typedef struct value {
  Onnx__ValueInfoProto m;
  Onnx__TypeProto type;
  Onnx__TypeProto__Tensor tensor;
  Onnx__TensorShapeProto shape;
  Onnx__TensorShapeProto__Dimension dim[4], *dims[4];
} value;

typedef struct graph {
  exported m;
  float *params; /* in files' order */
  node *nodes;
  constant *constants;
  int n_nodes, n_constants;
  char *at; /* the name of the value that is next to be used */
  int flat; /* it is (batch, n) and not (batch, c, h, w) */
} graph;

/* ---- nodes ---- */

/* A node that takes the value at hand and makes the next one, called NAME.SUFFIX. */
static node *add(graph *g, const char *operator, const char * name, const char *suffix) {
  node *n = &g->nodes[g->n_nodes++];
  onnx__node_proto__init(&n->m);
  snprintf(n->name, sizeof n->name, "%s.%s", name, suffix);
  n->m.name = n->out[0] = n->name;
  n->m.op_type = (char *)operator;
  n->m.input = n->in, n->m.output = n->out, n->m.attribute = n->attributes;
  n->in[0] = g->at;
  n->m.n_input = n->m.n_output = 1;
  g->at = n->name;
  return n;
}

static Onnx__AttributeProto *attribute(node *n, const char *name, Onnx__AttributeProto__AttributeType type) {
  const size_t k = n->m.n_attribute++;
  Onnx__AttributeProto *a = n->attributes[k] = &n->attribute[k];
  onnx__attribute_proto__init(a);
  a->name = (char *)name;
  a->has_type = 1, a->type = type;
  a->ints = n->ints[k];
  return a;
}

static void set_int(node *n, const char *name, int v) {
  Onnx__AttributeProto *a = attribute(n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
  a->has_i = 1, a->i = v;
}

static void set_float(node *n, const char *name, float v) {
  Onnx__AttributeProto *a = attribute(n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
  a->has_f = 1, a->f = v;
}

static void set_ints(node *n, const char *name, int count, const int *v) {
  Onnx__AttributeProto *a = attribute(n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
  for (int i = 0; i < count; i++) a->ints[a->n_ints++] = v[i];
}

/* ---- constants, which become the last input of a node ---- */

static constant *constant_of(graph *g, node *n, const char *name, const char *suffix, const int *dims, int n_dims) {
  constant *c = &g->constants[g->n_constants++];
  onnx__tensor_proto__init(&c->m);
  snprintf(c->name, sizeof c->name, "%s.%s", name, suffix);
  c->m.name = n->in[n->m.n_input++] = c->name;
  c->m.dims = c->dims;
  for (int i = 0; i < n_dims; i++) c->dims[c->m.n_dims++] = dims[i];
  return c;
}

/* Hosts are little-endian, as the format is. */
static void hold(constant *c, Onnx__TensorProto__DataType type, const void *data, size_t bytes) {
  c->m.has_data_type = c->m.has_raw_data = 1;
  c->m.data_type = (int)type;
  c->m.raw_data = (ProtobufCBinaryData){.len = bytes, .data = (uint8_t *)data};
}

static void put_numbers(graph *g, node *n, const char *name, const char *suffix, const int *dims, int n_dims, const float *v) {
  size_t count = 1;
  for (int i = 0; i < n_dims; i++) count *= (size_t)dims[i];
  hold(constant_of(g, n, name, suffix, dims, n_dims), ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, v, count * sizeof *v);
}

static void put_number(graph *g, node *n, const char *name, const char *suffix, float v) {
  constant *c = constant_of(g, n, name, suffix, NULL, 0);
  c->number = v;
  hold(c, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, &c->number, sizeof c->number);
}

static void put_params(graph *g, node *n, const cldann_node *from, int count) {
  int dims[4];
  for (int k = 0; k < count; k++) {
    const int n_dims = model_shape(from, k, dims);
    put_numbers(g, n, from->o.name, from->o.params[k].suffix, dims, n_dims, g->params + from->param_at[k]);
  }
}

/* ---- forms ---- */

static void make_flat(graph *g, const char *name) {
  if (!g->flat) set_int(add(g, "Flatten", name, "flat"), "axis", 1);
  g->flat = 1;
}

static void reshape(graph *g, const char *name, const char *suffix, const char *constant_suffix, shape s) {
  const int four = 4;
  node *n = add(g, "Reshape", name, suffix);
  constant *c = constant_of(g, n, name, constant_suffix, &four, 1);
  memcpy(c->whole, (int64_t[]){0, s.c, s.h, s.w}, sizeof c->whole); /* 0: as many items as come */
  hold(c, ONNX__TENSOR_PROTO__DATA_TYPE__INT64, c->whole, sizeof c->whole);
  g->flat = 0;
}

static int is_image(shape s) {
  return s.h * s.w > 1;
}

/* Numbers in our order, (h,w,c), of what may be an image or a flattened one. */
static void in_our_order(graph *g, const cldann_node *from) {
  const shape s = model_image(from);
  const char *name = from->o.name;
  if (is_image(s)) {
    if (g->flat || !is_image(from->o.in)) reshape(g, name, "image", "image_shape", s);
    set_ints(add(g, "Transpose", name, "hwc"), "perm", 4, (int[]){0, 2, 3, 1});
  }
  make_flat(g, name);
}

/* Back from that to the order that what comes next finds in its weights. */
static void in_image_order(graph *g, const cldann_node *from) {
  const shape s = model_image(from);
  const char *name = from->o.name;
  reshape(g, name, "cells", "cells_shape", (shape){.c = s.h, .h = s.w, .w = s.c}); /* (batch, h, w, c) */
  set_ints(add(g, "Transpose", name, "chw"), "perm", 4, (int[]){0, 3, 1, 2});
  set_int(add(g, "Flatten", name, "again"), "axis", 1);
  g->flat = 1;
}

/* What works on pixels gets some. Where it tells the channels apart it does so in our order, if they are a flattened image's.
 */
static void make_pixels(graph *g, const cldann_node *from) {
  if ((from->o.type == &op_conv2d || from->o.type == &op_lrn) && !is_image(from->o.in)) in_our_order(g, from);
  if (g->flat) reshape(g, from->o.name, "pixel", "pixel_shape", from->o.in);
}

/* ---- layers ---- */

/* Pads what our number of windows needs: also in place of rounding up, since a pooling sees no padding. */
static void set_window(node *n, const op *o) {
  const cldann_window *w = &o->window;
  const int below = (o->out.h - 1) * w->stride_y + w->height - o->in.h - o->pad_top;
  const int right = (o->out.w - 1) * w->stride_x + w->width - o->in.w - o->pad_left;
  set_ints(n, "kernel_shape", 2, (int[]){w->height, w->width});
  set_ints(n, "strides", 2, (int[]){w->stride_y, w->stride_x});
  set_ints(n, "pads", 4, (int[]){o->pad_top, o->pad_left, below > 0 ? below : 0, right > 0 ? right : 0});
}

typedef struct translation {
  const op_type *type;
  const char *operator;
} translation;

/* Of the batch_norm of two domains the target's statistics, which come first. */
enum { NORM_PARAMS = 4 };

static void put_layer(graph *g, const cldann_node *from, const char *operator) {
  const op *o = &from->o;
  const op_type *t = o->type;
  if (t == &op_flatten || t == &op_dense) make_flat(g, o->name);
  if (t == &op_flatten) return;
  if (t == &op_conv2d || t == &op_max_pool || t == &op_avg_pool || t == &op_global_pool || t == &op_lrn) make_pixels(g, from);
  node *n = add(g, operator, o->name, "out");
  if (t == &op_dense || t == &op_conv2d) put_params(g, n, from, 2);
  if (t == &op_dense) set_int(n, "transB", 1);
  if (t == &op_conv2d || t == &op_max_pool || t == &op_avg_pool) set_window(n, o);
  if (t == &op_batch_norm) put_params(g, n, from, NORM_PARAMS), set_float(n, "epsilon", o->epsilon);
  if (t == &op_conv2d && o->groups > 1) set_int(n, "group", o->groups);
  if (t == &op_leaky_relu) set_float(n, "alpha", o->slope);
  if (t == &op_lrn) {
    set_int(n, "size", o->size);
    set_float(n, "alpha", o->alpha), set_float(n, "beta", o->beta), set_float(n, "bias", o->k);
    if (!is_image(o->in) && is_image(model_image(from))) in_image_order(g, from);
  }
}

static int put_layers(graph *g) {
  static const translation all[] = {{&op_dense, "Gemm"},
                                    {&op_conv2d, "Conv"},
                                    {&op_max_pool, "MaxPool"},
                                    {&op_avg_pool, "AveragePool"},
                                    {&op_relu, "Relu"},
                                    {&op_global_pool, "GlobalAveragePool"},
                                    {&op_tanh, "Tanh"},
                                    {&op_sigmoid, "Sigmoid"},
                                    {&op_leaky_relu, "LeakyRelu"},
                                    {&op_flatten, "Flatten"},
                                    {&op_lrn, "LRN"},
                                    {&op_batch_norm, "BatchNormalization"}};
  int rc = CLDANN_OK;
  for (int i = 0; i < g->m.n; i++) {
    const op *o = &g->m.path[i]->o;
    size_t k = 0;
    if (o->type == &op_dropout || o->type == &op_rows || (o->type->flags & OP_INPUT)) continue;
    while (k < sizeof all / sizeof *all && all[k].type != o->type) k++;
    if (k == sizeof all / sizeof *all)
      FAIL(g->m.e, CLDANN_E_ARG, "%s %s: this op cannot be written as ONNX yet", o->type->name, o->name);
    put_layer(g, g->m.path[i], all[k].operator);
  }
fail:
  return rc;
}

/* The item as the net takes it: less its mean, times the scale. */
static void put_input(graph *g) {
  const int dims[] = {g->m.about.channels, 1, 1};
  if (g->m.about.channels)
    put_numbers(g, add(g, "Sub", "input", "centred"), "input", "mean", dims, g->flat ? 1 : 3, g->m.about.mean);
  put_number(g, add(g, "Mul", "input", "scaled"), "input", "scale", (float)g->m.x->s.scale);
}

/* protobuf-c takes no const text, and changes none. */
static void call(graph *g, const char *name) {
  g->at = g->nodes[g->n_nodes - 1].out[0] = (char *)name;
}

static void put_output(graph *g) {
  static const char logits[] = "logits", probabilities[] = "probabilities";
  in_our_order(g, net_loss(g->m.x->net, CLDANN_TARGET_LABELS));
  call(g, logits);
  if (g->m.units > 1) {
    set_int(add(g, "Softmax", probabilities, "all"), "axis", 1);
  } else {
    char *second = add(g, "Sigmoid", probabilities, "second")->name;
    node *n = add(g, "Sub", probabilities, "first"); /* 1 - second */
    put_number(g, n, probabilities, "one", 1.0f);
    n->in[0] = n->in[1], n->in[1] = second;
    n = add(g, "Concat", probabilities, "all");
    n->in[n->m.n_input++] = second;
    set_int(n, "axis", 1);
  }
  call(g, probabilities);
}

/* ---- the model ---- */

/* A value of the graph's border: any number of items of these dimensions. */
static Onnx__ValueInfoProto *describe(value *v, const char *name, int n, const int *dims) {
  onnx__value_info_proto__init(&v->m);
  onnx__type_proto__init(&v->type);
  onnx__type_proto__tensor__init(&v->tensor);
  onnx__tensor_shape_proto__init(&v->shape);
  v->m.name = (char *)name;
  v->m.type = &v->type, v->type.tensor_type = &v->tensor, v->tensor.shape = &v->shape, v->shape.dim = v->dims;
  v->tensor.has_elem_type = 1, v->tensor.elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
  for (int i = 0; i <= n; i++) {
    onnx__tensor_shape_proto__dimension__init(v->dims[i] = &v->dim[i]);
    if (i == 0)
      v->dim[i].dim_param = (char *)"batch";
    else
      v->dim[i].has_dim_value = 1, v->dim[i].dim_value = dims[i - 1];
  }
  v->shape.n_dim = (size_t)n + 1;
  return &v->m;
}

/* What can be told in a text. Returns how many. */
static size_t put_properties(const graph *g, Onnx__StringStringEntryProto *p, Onnx__StringStringEntryProto **to,
                             char seed[24]) {
  const settings *s = &g->m.x->s;
  const char *const all[PROPERTIES][2] = {{"producer", "cldann " CLDANN_VERSION},
                                          {"experiment", s->name},
                                          {"method", s->method->name},
                                          {"seed", seed},
                                          {"classes", g->m.about.classes}};
  size_t n = 0;
  snprintf(seed, 24, "%llu", (unsigned long long)s->seed);
  for (int i = 0; i < PROPERTIES; i++) {
    if (!all[i][1]) continue;
    onnx__string_string_entry_proto__init(to[n] = &p[n]);
    p[n].key = (char *)all[i][0], p[n].value = (char *)all[i][1];
    n++;
  }
  return n;
}

static int pack(graph *g, Onnx__ModelProto *m, const char *path) {
  const size_t size = onnx__model_proto__get_packed_size(m);
  uint8_t *bytes = NULL;
  int rc;
  if (size > INT_MAX)
    FAIL(g->m.e, CLDANN_E_ARG, "%s: ONNX files end at 2 GB, and this model would take %zu bytes; a smaller net fits", path,
         size);
  TRY(mem_new(g->m.e, &bytes, size, 1));
  onnx__model_proto__pack(m, bytes);
  TRY(place_whole(g->m.e, path, bytes, size));
fail:
  mem_free(bytes);
  return rc;
}

static int write_model(graph *g, const char *path) {
  const shape s = net_input(g->m.x->net)->o.out;
  Onnx__ModelProto m = ONNX__MODEL_PROTO__INIT;
  Onnx__GraphProto whole = ONNX__GRAPH_PROTO__INIT;
  Onnx__OperatorSetIdProto set = ONNX__OPERATOR_SET_ID_PROTO__INIT, *sets[] = {&set};
  Onnx__StringStringEntryProto texts[PROPERTIES], *properties[PROPERTIES];
  Onnx__NodeProto **nodes = NULL;
  Onnx__TensorProto **constants = NULL;
  value border[3];
  char seed[24];
  const int image = is_image(s);
  Onnx__ValueInfoProto *input = describe(&border[0], "input", image ? 3 : 1, (int[]){s.c, s.h, s.w});
  Onnx__ValueInfoProto *outputs[] = {describe(&border[1], "logits", 1, &g->m.units),
                                     describe(&border[2], "probabilities", 1, &g->m.classes)};
  int rc;
  TRY(mem_new(g->m.e, &nodes, (size_t)g->n_nodes, sizeof *nodes));
  TRY(mem_new(g->m.e, &constants, (size_t)g->n_constants, sizeof *constants));
  for (int i = 0; i < g->n_nodes; i++) nodes[i] = &g->nodes[i].m;
  for (int i = 0; i < g->n_constants; i++) constants[i] = &g->constants[i].m;
  whole.name = g->m.x->s.name;
  whole.node = nodes, whole.n_node = (size_t)g->n_nodes;
  whole.initializer = constants, whole.n_initializer = (size_t)g->n_constants;
  whole.input = &input, whole.n_input = 1;
  whole.output = outputs, whole.n_output = 2;
  set.domain = (char *)"", set.has_version = 1, set.version = OPERATORS;
  m.has_ir_version = 1, m.ir_version = IR_VERSION;
  m.producer_name = (char *)"cldann", m.producer_version = (char *)CLDANN_VERSION;
  m.graph = &whole;
  m.opset_import = sets, m.n_opset_import = 1;
  m.metadata_props = properties, m.n_metadata_props = put_properties(g, texts, properties, seed);
  TRY(pack(g, &m, path));
fail:
  mem_free(nodes);
  mem_free(constants);
  return rc;
}

int cldann_export_onnx(cldann *c, const char *model, const char *path) {
  graph g = {.at = (char *)"input"};
  int rc;
  TRY(export_open(c, model, "ONNX", &g.m));
  const shape s = net_input(g.m.x->net)->o.out;
  const size_t layers = (size_t)g.m.n;
  g.flat = !is_image(s);
  TRY(mem_new(&c->err, &g.params, g.m.x->net->param_count, sizeof *g.params));
  model_turn(g.m.x->net, g.m.params, g.params);
  TRY(mem_new(&c->err, &g.nodes, NODES_OF * layers + NODES_MORE, sizeof *g.nodes));
  TRY(mem_new(&c->err, &g.constants, (NORM_PARAMS + 2) * layers + NODES_MORE, sizeof *g.constants));
  put_input(&g);
  TRY(put_layers(&g));
  put_output(&g);
  TRY(write_model(&g, path));
fail:
  mem_free(g.params);
  mem_free(g.nodes);
  mem_free(g.constants);
  export_close(&g.m);
  return rc;
}

#else

int cldann_export_onnx(cldann *c, const char *model, const char *path) {
  (void)model;
  return err_set(&c->err, CLDANN_E_ARG, __FILE__, __LINE__,
                 "%s: this build cannot write ONNX; install protobuf-c (Debian: libprotobuf-c-dev and protobuf-c-compiler), "
                 "configure and make again",
                 path);
}

#endif

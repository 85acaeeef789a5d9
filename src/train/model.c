/* train/model.c: see train/model.h. */
#include "train/model.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/memo.h"
#include "train/tensors.h"

static const char wanted[] = "the model.safetensors that 'cldann train --out DIR' wrote";

static void param_name(const cldann_node *n, int k, char *out, size_t size) {
  snprintf(out, size, "%s.%s", n->o.name, n->o.params[k].suffix);
}

/* ---- layouts ---- */

/* How a parameter looks in the file: our dimensions in another order; input pixels and channels of a dense layer too. */
typedef struct turned {
  size_t dims[4];  /* ours */
  int order[4];    /* the file's dimension i is our order[i] */
  int shape[4], n; /* as the file tells it */
} turned;

/* What flattened an image, or cut its rows, has kept the order. */
shape model_image(const cldann_node *node) {
  const int count = node->o.in.h * node->o.in.w * node->o.in.c;
  for (const cldann_node *n = node->in; n; n = n->in) {
    const shape s = n->o.out;
    if (s.h * s.w * s.c != count) break;
    if (s.h * s.w > 1) return s;
    if (n->o.n_params && n->o.type != &op_batch_norm) break;
  }
  return node->o.in;
}

static turned turn(const cldann_node *node, int k) {
  const param *p = &node->o.params[k];
  const shape in = model_image(node);
  if (p->n_dims == 4) /* (kh,kw,in,out) -> (out,in,kh,kw) */
    return (turned){.dims = {(size_t)p->dims[0], (size_t)p->dims[1], (size_t)p->dims[2], (size_t)p->dims[3]},
                    .order = {3, 2, 0, 1},
                    .shape = {p->dims[3], p->dims[2], p->dims[0], p->dims[1]},
                    .n = 4};
  if (p->n_dims == 2) /* (h*w*c,out) -> (out,c*h*w): PyTorch flattens channels first */
    return (turned){.dims = {(size_t)in.h, (size_t)in.w, (size_t)in.c, (size_t)p->dims[1]},
                    .order = {3, 2, 0, 1},
                    .shape = {p->dims[1], p->dims[0]},
                    .n = 2};
  if (node->o.type == &op_batch_norm && node->o.in.h * node->o.in.w == 1 && in.h * in.w > 1) /* over a flattened image */
    return (turned){
        .dims = {(size_t)in.h, (size_t)in.w, (size_t)in.c, 1}, .order = {2, 0, 1, 3}, .shape = {p->dims[0]}, .n = 1};
  return (turned){.dims = {1, 1, 1, p->count}, .order = {0, 1, 2, 3}, .shape = {p->dims[0]}, .n = 1};
}

/* Copies from our order to the file's, or back. */
static void copy_turned(const turned *t, const float *from, float *to, int back) {
  size_t step[4] = {0}, at[4], i = 0;
  for (int d = 3, s = 1; d >= 0; s *= (int)t->dims[d], d--) step[d] = (size_t)s;
  const size_t *n = t->dims;
  const int *o = t->order;
  for (at[0] = 0; at[0] < n[o[0]]; at[0]++)
    for (at[1] = 0; at[1] < n[o[1]]; at[1]++)
      for (at[2] = 0; at[2] < n[o[2]]; at[2]++)
        for (at[3] = 0; at[3] < n[o[3]]; at[3]++, i++) {
          const size_t ours = at[0] * step[o[0]] + at[1] * step[o[1]] + at[2] * step[o[2]] + at[3] * step[o[3]];
          to[back ? ours : i] = from[back ? i : ours];
        }
}

/* ---- writing ---- */

/* The format's metadata are texts: the mean becomes numbers with a blank between them. NULL: memory is short. */
static json_t *describe_file(const model_about *about) {
  json_t *o = json_pack("{s:s, s:s}", "format", "pt", "cldann", CLDANN_VERSION);
  char *text = NULL;
  size_t size = 0;
  int bad = 0;
  if (!about) return o;
  FILE *f = open_memstream(&text, &size);
  for (int c = 0; f && c < about->channels; c++) fprintf(f, "%s%.9g", c ? " " : "", (double)about->mean[c]);
  bad |= !f || fclose(f) != 0;
  bad |= json_object_set_new(o, "experiment", json_string(about->experiment));
  if (about->channels && !bad) bad |= json_object_set_new(o, "input_mean", json_string(text));
  if (about->classes) bad |= json_object_set_new(o, "classes", json_string(about->classes));
  free(text);
  if (!bad) return o;
  json_decref(o);
  return NULL;
}

void model_turn(const cldann_net *net, const float *params, float *file) {
  for (int i = 0; i < net->n; i++)
    for (int k = 0; k < net->nodes[i]->o.n_params; k++) {
      const turned t = turn(net->nodes[i], k);
      copy_turned(&t, params + net->nodes[i]->param_at[k], file + net->nodes[i]->param_at[k], 0);
    }
}

int model_shape(const cldann_node *node, int k, int dims[4]) {
  const turned t = turn(node, k);
  for (int i = 0; i < t.n; i++) dims[i] = t.shape[i];
  return t.n;
}

int model_save(cldann_error *e, const char *path, const cldann_net *net, const float *params, const model_about *about) {
  json_t *h = json_pack("{s:o}", "__metadata__", describe_file(about));
  float *file = NULL;
  char name[64];
  int rc, bad = 0;
  for (int i = 0; i < net->n; i++)
    for (int k = 0; k < net->nodes[i]->o.n_params; k++) {
      const turned t = turn(net->nodes[i], k);
      param_name(net->nodes[i], k, name, sizeof name);
      bad |= json_object_set_new(h, name,
                                 tensors_entry(t.shape, t.n, net->nodes[i]->param_at[k], net->nodes[i]->o.params[k].count));
    }
  if (bad || !h) FAIL(e, CLDANN_E_MEM, "%s: out of memory for its header", path); /* or a tensor would be missing */
  TRY(mem_new(e, &file, net->param_count, sizeof *file));
  model_turn(net, params, file);
  json_incref(h);
  TRY(tensors_write(e, path, h, (const float *const[]){file}, &net->param_count, 1, 0));
fail:
  json_decref(h);
  mem_free(file);
  return rc;
}

/* ---- reading ---- */

static int read_param(tensor_file *f, const cldann_node *n, int k, float *params) {
  const turned t = turn(n, k);
  const size_t count = n->o.params[k].count;
  char name[64];
  float *file = NULL;
  int rc;
  param_name(n, k, name, sizeof name);
  TRY(mem_new(f->err, &file, count, sizeof *file));
  TRY(tensors_read(f, name, t.shape, t.n, count, file));
  copy_turned(&t, file, params + n->param_at[k], 1);
fail:
  mem_free(file);
  return rc;
}

int model_load(cldann_error *e, const char *path, const cldann_net *net, float *params) {
  tensor_file f;
  int rc;
  TRY(tensors_open(e, path, wanted, &f));
  for (int i = 0; i < net->n; i++)
    for (int k = 0; k < net->nodes[i]->o.n_params; k++) TRY(read_param(&f, net->nodes[i], k, params));
fail:
  tensors_close(&f);
  return rc;
}

/* ---- what another net's file has ---- */

static int has_param(const tensor_file *f, const cldann_node *n, int k) {
  const turned t = turn(n, k);
  char name[64];
  param_name(n, k, name, sizeof name);
  return tensors_has(f, name, t.shape, t.n);
}

static int wants(const cldann_net *net, const tensor_file *f, const char *key) {
  char name[64];
  for (int i = 0; i < net->n; i++)
    for (int k = 0; k < net->nodes[i]->o.n_params; k++) {
      param_name(net->nodes[i], k, name, sizeof name);
      if (!strcmp(name, key)) return has_param(f, net->nodes[i], k);
    }
  return 0;
}

static void put_name(FILE *to, int *n, const char *before, const char *name) {
  fprintf(to, "%s%s", (*n)++ ? ", " : before, name);
}

/* Lists both sides' others behind what was taken. */
static void put_others(FILE *to, const cldann_net *net, const tensor_file *f) {
  char name[64];
  int n = 0;
  for (int i = 0; i < net->n; i++)
    for (int k = 0; k < net->nodes[i]->o.n_params; k++) {
      param_name(net->nodes[i], k, name, sizeof name);
      if (!has_param(f, net->nodes[i], k)) put_name(to, &n, "; as initialised: ", name);
    }
  n = 0;
  for (void *it = json_object_iter(f->header); it; it = json_object_iter_next(f->header, it)) {
    const char *key = json_object_iter_key(it);
    if (strcmp(key, "__metadata__") != 0 && !wants(net, f, key)) put_name(to, &n, "; not used of the file: ", key);
  }
}

int model_take(cldann_error *e, const char *path, const cldann_net *net, float *params, char **report) {
  tensor_file f;
  memo told = {.f = NULL};
  int rc, taken = 0, all = 0;
  TRY(tensors_open(e, path, "a safetensors file with weights of the net's layers", &f));
  for (int i = 0; i < net->n; i++)
    for (int k = 0; k < net->nodes[i]->o.n_params; k++, all++) {
      if (!has_param(&f, net->nodes[i], k)) continue;
      TRY(read_param(&f, net->nodes[i], k, params));
      taken++;
    }
  if (!taken)
    FAIL(e, CLDANN_E_FORMAT,
         "%s has no tensor of floats that is named and shaped as a parameter of the net (LAYER.weight, LAYER.bias, as "
         "'cldann train' writes them); rename its tensors or the layers",
         path);
  TRY(memo_open(e, &told));
  fprintf(told.f, "%s: %d of the net's %d parameters start from it", path, taken, all);
  put_others(told.f, net, &f);
  TRY(memo_take(e, &told, report));
fail:
  tensors_close(&f);
  memo_free(&told);
  return rc;
}

/* Numbers with blanks between them, all finite; *n gets how many. */
static int read_mean(cldann_error *e, const char *path, const char *text, float **out, int *n) {
  const char *at = text;
  char *end;
  int rc = CLDANN_OK;
  for (*n = 0;; at = end) {
    const float v = strtof(at, &end);
    if (end == at) break;
    TRY(mem_resize(e, out, (size_t)*n + 1, sizeof **out));
    (*out)[(*n)++] = v;
  }
  int finite = 1;
  for (int i = 0; i < *n; i++) finite &= isfinite((*out)[i]) != 0;
  if (!*n || *end || !finite) FAIL(e, CLDANN_E_FORMAT, "%s: its input_mean is not a list of numbers; it is damaged", path);
fail:
  return rc;
}

int model_read_about(cldann_error *e, const char *path, model_about *about) {
  tensor_file f;
  int rc;
  *about = (model_about){0};
  TRY(tensors_open(e, path, wanted, &f));
  const char *experiment = tensors_text(&f, "experiment"), *mean = tensors_text(&f, "input_mean"),
             *classes = tensors_text(&f, "classes");
  if (experiment) TRY(mem_strdup(e, &about->experiment, experiment));
  if (classes) TRY(mem_strdup(e, &about->classes, classes));
  if (mean) TRY(read_mean(e, path, mean, &about->mean, &about->channels));
fail:
  tensors_close(&f);
  if (rc < 0) model_forget_about(about);
  return rc;
}

void model_forget_about(model_about *about) {
  mem_free(about->experiment);
  mem_free(about->mean);
  mem_free(about->classes);
  *about = (model_about){0};
}

/*
 * train/model.c: see train/model.h. The format: u64 length (little-endian), a JSON header padded with spaces to a multiple of
 * 8, the tensors' bytes.
 */
#include "train/model.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "data/place.h"

enum { HEADER_LIMIT = 1 << 22 };

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

/* The image that a dense layer reads flat: what flattened it, or cut its rows, has kept the order. */
static shape image_behind(const cldann_node *node) {
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
  const shape in = image_behind(node);
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

static json_t *describe(const cldann_node *node, int k) {
  const turned t = turn(node, k);
  const size_t at = node->param_at[k];
  json_t *dims = json_array();
  for (int i = 0; i < t.n; i++) json_array_append_new(dims, json_integer(t.shape[i]));
  return json_pack("{s:s, s:o, s:[I, I]}", "dtype", "F32", "shape", dims, "data_offsets", (json_int_t)(at * 4),
                   (json_int_t)((at + node->o.params[k].count) * 4));
}

/* The format's metadata are texts: the mean becomes numbers with a blank between them. */
static json_t *describe_file(const model_about *about) {
  json_t *o = json_pack("{s:s, s:s}", "format", "pt", "cldann", CLDANN_VERSION);
  char *text = NULL;
  size_t size = 0;
  FILE *f;
  if (!about || !(f = open_memstream(&text, &size))) return o;
  for (int c = 0; c < about->channels; c++) fprintf(f, "%s%.9g", c ? " " : "", (double)about->mean[c]);
  fclose(f);
  json_object_set_new(o, "experiment", json_string(about->experiment));
  if (about->channels) json_object_set_new(o, "input_mean", json_string(text));
  if (about->classes) json_object_set_new(o, "classes", json_string(about->classes));
  free(text);
  return o;
}

/* Padded, so that the tensors behind it are aligned. The caller's (free). */
static char *header_text(const cldann_net *net, const model_about *about) {
  char name[64];
  json_t *h = json_pack("{s:o}", "__metadata__", describe_file(about));
  for (int i = 0; i < net->n; i++)
    for (int k = 0; k < net->nodes[i]->o.n_params; k++) {
      param_name(net->nodes[i], k, name, sizeof name);
      json_object_set_new(h, name, describe(net->nodes[i], k));
    }
  char *text = json_dumps(h, JSON_COMPACT), *padded = NULL;
  json_decref(h);
  if (text) padded = malloc(strlen(text) + 8);
  if (padded) sprintf(padded, "%s%*s", text, (int)((8 - strlen(text) % 8) % 8), "");
  free(text);
  return padded;
}

static void turn_all(const cldann_net *net, const float *params, float *file) {
  for (int i = 0; i < net->n; i++)
    for (int k = 0; k < net->nodes[i]->o.n_params; k++) {
      const turned t = turn(net->nodes[i], k);
      copy_turned(&t, params + net->nodes[i]->param_at[k], file + net->nodes[i]->param_at[k], 0);
    }
}

int model_save(cldann_error *e, const char *path, const cldann_net *net, const float *params, const model_about *about) {
  place *f = NULL;
  unsigned char length[8];
  float *file = NULL;
  char *text = header_text(net, about);
  int rc;
  if (!text) FAIL(e, CLDANN_E_MEM, "%s: out of memory for its header", path);
  TRY(mem_new(e, &file, net->param_count, sizeof *file));
  turn_all(net, params, file);
  for (int i = 0; i < 8; i++) length[i] = (unsigned char)((uint64_t)strlen(text) >> (8 * i));
  TRY(place_open(e, &f, path));
  TRY(place_write(e, f, length, sizeof length));
  TRY(place_write(e, f, text, strlen(text)));
  TRY(place_write(e, f, file, net->param_count * sizeof *file)); /* hosts are little-endian, as the format is */
  TRY(place_commit(e, f));
fail:
  free(text);
  mem_free(file);
  place_free(f);
  return rc;
}

/* ---- reading ---- */

/* A file cut or overwritten on the disk can have the right form and still be none that training wrote. */
static int all_finite(const float *v, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (!isfinite(v[i])) return 0;
  return 1;
}

/* The tensor's place in the data section, after checking type, shape and bounds. */
static int locate(cldann_error *e, const char *path, const json_t *header, const char *name, const turned *t, size_t count,
                  size_t data, size_t *at) {
  json_int_t from = -1, to = -1;
  const char *dtype = "";
  json_t *dims = NULL, *entry = json_object_get(header, name);
  int rc = CLDANN_OK;
  if (!entry || json_unpack(entry, "{s:s, s:o, s:[I, I]}", "dtype", &dtype, "shape", &dims, "data_offsets", &from, &to))
    FAIL(e, CLDANN_E_FORMAT, "%s has no tensor %s; use the experiment it was trained with", path, name);
  int same = json_array_size(dims) == (size_t)t->n && !strcmp(dtype, "F32");
  for (int i = 0; same && i < t->n; i++) same = json_integer_value(json_array_get(dims, (size_t)i)) == t->shape[i];
  if (!same)
    FAIL(e, CLDANN_E_FORMAT,
         "%s: tensor %s has another shape than the experiment's net; use the experiment it was trained with", path, name);
  if (from < 0 || to < from || (size_t)to > data || (size_t)(to - from) != count * 4)
    FAIL(e, CLDANN_E_FORMAT, "%s: tensor %s lies outside the file; it is damaged", path, name);
  *at = (size_t)from;
fail:
  return rc;
}

/* A model file, open, with its header read: the tensors' bytes are data_size bytes from data_at on. */
typedef struct model_file {
  FILE *f;
  json_t *header;
  size_t data_at, data_size;
} model_file;

static void close_file(model_file *m) {
  if (m->f) fclose(m->f);
  json_decref(m->header);
}

static int open_file(cldann_error *e, const char *path, model_file *m) {
  unsigned char length[8];
  char *text = NULL;
  json_error_t why;
  uint64_t n = 0;
  int rc = CLDANN_OK;
  struct stat st;
  *m = (model_file){0};
  if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) /* before opening, which waits for ever at a pipe */
    FAIL(e, CLDANN_E_IO, "%s is not a file; name the model.safetensors that 'cldann train --out DIR' wrote", path);
  m->f = fopen(path, "rb");
  if (!m->f)
    FAIL(e, CLDANN_E_IO, "%s: %s; name the model.safetensors that 'cldann train --out DIR' wrote", path, strerror(errno));
  fseek(m->f, 0, SEEK_END);
  const long size = ftell(m->f);
  rewind(m->f);
  if (size < 8 || fread(length, 1, 8, m->f) != 8) FAIL(e, CLDANN_E_FORMAT, "%s is too short for a model file", path);
  for (int i = 0; i < 8; i++) n |= (uint64_t)length[i] << (8 * i);
  if (n > HEADER_LIMIT || n > (uint64_t)size - 8) FAIL(e, CLDANN_E_FORMAT, "%s is not a safetensors file, or is damaged", path);
  TRY(mem_new(e, &text, (size_t)n + 1, 1));
  if (fread(text, 1, (size_t)n, m->f) != (size_t)n) FAIL(e, CLDANN_E_FORMAT, "%s: its header is cut short", path);
  if (!(m->header = json_loads(text, 0, &why))) FAIL(e, CLDANN_E_FORMAT, "%s: its header is not JSON: %s", path, why.text);
  m->data_at = 8 + (size_t)n;
  m->data_size = (size_t)size - m->data_at;
fail:
  mem_free(text);
  return rc;
}

int model_load(cldann_error *e, const char *path, const cldann_net *net, float *params) {
  model_file m;
  char name[64];
  float *file = NULL;
  size_t at = 0;
  int rc;
  TRY(open_file(e, path, &m));
  TRY(mem_new(e, &file, net->param_count, sizeof *file));
  for (int i = 0; i < net->n; i++)
    for (int k = 0; k < net->nodes[i]->o.n_params; k++) {
      const size_t count = net->nodes[i]->o.params[k].count, to = net->nodes[i]->param_at[k];
      const turned t = turn(net->nodes[i], k);
      param_name(net->nodes[i], k, name, sizeof name);
      TRY(locate(e, path, m.header, name, &t, count, m.data_size, &at));
      fseek(m.f, (long)(m.data_at + at), SEEK_SET);
      if (fread(file + to, 4, count, m.f) != count) FAIL(e, CLDANN_E_FORMAT, "%s: tensor %s is cut short", path, name);
      if (!all_finite(file + to, count))
        FAIL(e, CLDANN_E_FORMAT, "%s: tensor %s has values that are not finite; it is damaged", path, name);
      copy_turned(&t, file + to, params + to, 1);
    }
fail:
  close_file(&m);
  mem_free(file);
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
  if (!*n || *end || !all_finite(*out, (size_t)*n))
    FAIL(e, CLDANN_E_FORMAT, "%s: its input_mean is not a list of numbers; it is damaged", path);
fail:
  return rc;
}

int model_read_about(cldann_error *e, const char *path, model_about *about) {
  model_file m;
  int rc;
  *about = (model_about){0};
  TRY(open_file(e, path, &m));
  const json_t *o = json_object_get(m.header, "__metadata__");
  const char *experiment = json_string_value(json_object_get(o, "experiment"));
  const char *mean = json_string_value(json_object_get(o, "input_mean"));
  const char *classes = json_string_value(json_object_get(o, "classes"));
  if (experiment) TRY(mem_strdup(e, &about->experiment, experiment));
  if (classes) TRY(mem_strdup(e, &about->classes, classes));
  if (mean) TRY(read_mean(e, path, mean, &about->mean, &about->channels));
fail:
  close_file(&m);
  if (rc < 0) model_forget_about(about);
  return rc;
}

void model_forget_about(model_about *about) {
  mem_free(about->experiment);
  mem_free(about->mean);
  mem_free(about->classes);
  *about = (model_about){0};
}

/* train/model.c: see train/model.h. The format: u64 length (little-endian), a JSON header, the tensors' bytes. */
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

enum { HEADER_LIMIT = 1 << 20 };

static void param_name(const cldann_node *n, int k, char *out, size_t size) {
  snprintf(out, size, "%s.%s", n->o.name, n->o.params[k].suffix);
}

static json_t *describe(const param *p, size_t at) {
  json_t *dims = json_array();
  for (int i = 0; i < p->n_dims; i++) json_array_append_new(dims, json_integer(p->dims[i]));
  return json_pack("{s:s, s:o, s:[I, I]}", "dtype", "F32", "shape", dims, "data_offsets", (json_int_t)(at * 4),
                   (json_int_t)((at + p->count) * 4));
}

static char *header_text(const cldann_net *net) {
  char name[64];
  json_t *h = json_pack("{s:{s:s, s:s, s:s}}", "__metadata__", "format", "cldann", "version", CLDANN_VERSION, "layout", "hwio");
  for (int i = 0; i < net->n; i++)
    for (int k = 0; k < net->nodes[i]->o.n_params; k++) {
      param_name(net->nodes[i], k, name, sizeof name);
      json_object_set_new(h, name, describe(&net->nodes[i]->o.params[k], net->nodes[i]->param_at[k]));
    }
  char *text = json_dumps(h, JSON_COMPACT);
  json_decref(h);
  return text;
}

int model_save(cldann_error *e, const char *path, const cldann_net *net, const float *params) {
  place *f = NULL;
  unsigned char length[8];
  char *text = header_text(net);
  int rc;
  if (!text) FAIL(e, CLDANN_E_MEM, "%s: out of memory for its header", path);
  for (int i = 0; i < 8; i++) length[i] = (unsigned char)((uint64_t)strlen(text) >> (8 * i));
  TRY(place_open(e, &f, path));
  TRY(place_write(e, f, length, sizeof length));
  TRY(place_write(e, f, text, strlen(text)));
  TRY(place_write(e, f, params, net->param_count * sizeof *params)); /* hosts are little-endian, as the format is */
  TRY(place_commit(e, f));
fail:
  free(text);
  place_free(f);
  return rc;
}

/* A file cut or overwritten on the disk can have the right form and still be none that training wrote. */
static int all_finite(const float *v, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (!isfinite(v[i])) return 0;
  return 1;
}

/* The tensor's place in the data section, after checking type, shape and bounds. */
static int locate(cldann_error *e, const char *path, const json_t *header, const char *name, const param *p, size_t data,
                  size_t *at) {
  json_int_t from = -1, to = -1;
  const char *dtype = "";
  json_t *dims = NULL, *entry = json_object_get(header, name);
  int rc = CLDANN_OK;
  if (!entry || json_unpack(entry, "{s:s, s:o, s:[I, I]}", "dtype", &dtype, "shape", &dims, "data_offsets", &from, &to))
    FAIL(e, CLDANN_E_FORMAT, "%s has no tensor %s; use the experiment it was trained with", path, name);
  int same = json_array_size(dims) == (size_t)p->n_dims && !strcmp(dtype, "F32");
  for (int i = 0; same && i < p->n_dims; i++) same = json_integer_value(json_array_get(dims, (size_t)i)) == p->dims[i];
  if (!same)
    FAIL(e, CLDANN_E_FORMAT,
         "%s: tensor %s has another shape than the experiment's net; use the experiment it was trained with", path, name);
  if (from < 0 || to < from || (size_t)to > data || (size_t)(to - from) != p->count * 4)
    FAIL(e, CLDANN_E_FORMAT, "%s: tensor %s lies outside the file; it is damaged", path, name);
  *at = (size_t)from;
fail:
  return rc;
}

int model_load(cldann_error *e, const char *path, const cldann_net *net, float *params) {
  unsigned char length[8];
  char *text = NULL, name[64];
  json_t *header = NULL;
  json_error_t why;
  uint64_t n = 0;
  size_t at = 0;
  int rc = CLDANN_OK;
  struct stat st;
  FILE *f = NULL;
  if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) /* before opening, which waits for ever at a pipe */
    FAIL(e, CLDANN_E_IO, "%s is not a file; name the model.safetensors that 'cldann train --out DIR' wrote", path);
  f = fopen(path, "rb");
  if (!f) FAIL(e, CLDANN_E_IO, "%s: %s; name the model.safetensors that 'cldann train --out DIR' wrote", path, strerror(errno));
  fseek(f, 0, SEEK_END);
  const long size = ftell(f);
  rewind(f);
  if (size < 8 || fread(length, 1, 8, f) != 8) FAIL(e, CLDANN_E_FORMAT, "%s is too short for a model file", path);
  for (int i = 0; i < 8; i++) n |= (uint64_t)length[i] << (8 * i);
  if (n > HEADER_LIMIT || n > (uint64_t)size - 8) FAIL(e, CLDANN_E_FORMAT, "%s is not a safetensors file, or is damaged", path);
  TRY(mem_new(e, &text, (size_t)n + 1, 1));
  if (fread(text, 1, (size_t)n, f) != (size_t)n) FAIL(e, CLDANN_E_FORMAT, "%s: its header is cut short", path);
  if (!(header = json_loads(text, 0, &why))) FAIL(e, CLDANN_E_FORMAT, "%s: its header is not JSON: %s", path, why.text);
  for (int i = 0; i < net->n; i++)
    for (int k = 0; k < net->nodes[i]->o.n_params; k++) {
      const param *p = &net->nodes[i]->o.params[k];
      param_name(net->nodes[i], k, name, sizeof name);
      TRY(locate(e, path, header, name, p, (size_t)size - 8 - (size_t)n, &at));
      fseek(f, (long)(8 + n + at), SEEK_SET);
      if (fread(params + net->nodes[i]->param_at[k], 4, p->count, f) != p->count)
        FAIL(e, CLDANN_E_FORMAT, "%s: tensor %s is cut short", path, name);
      if (!all_finite(params + net->nodes[i]->param_at[k], p->count))
        FAIL(e, CLDANN_E_FORMAT, "%s: tensor %s has values that are not finite; it is damaged", path, name);
    }
fail:
  if (f) fclose(f);
  json_decref(header);
  mem_free(text);
  return rc;
}

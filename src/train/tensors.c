/*
 * train/tensors.c: see train/tensors.h. The format: u64 length (little-endian), a JSON header padded with spaces to a multiple
 * of 8, the tensors' bytes. Hosts are little-endian, as the format is.
 */
#include "train/tensors.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/mem.h"
#include "data/place.h"

enum { HEADER_LIMIT = 1 << 22 };

static const char about[] = "__metadata__", seal[] = "sha256";

/* ---- reading ---- */

void tensors_close(tensor_file *t) {
  if (t->f) fclose(t->f);
  json_decref(t->header);
  *t = (tensor_file){0};
}

/* By numbers: 0.10 is newer than 0.9. What is no version is not. */
static int is_newer(const char *version) {
  const char *own = CLDANN_VERSION;
  int a[3] = {0}, b[3] = {0};
  if (!version || sscanf(version, "%d.%d.%d", &a[0], &a[1], &a[2]) < 2) return 0;
  sscanf(own, "%d.%d.%d", &b[0], &b[1], &b[2]);
  for (int i = 0; i < 3; i++)
    if (a[i] != b[i]) return a[i] > b[i];
  return 0;
}

typedef struct extent {
  json_int_t from, to;
} extent;

static int by_place(const void *a, const void *b) {
  const extent *x = a, *y = b;
  return x->from != y->from ? (x->from > y->from) - (x->from < y->from) : (x->to > y->to) - (x->to < y->to);
}

/* Does each tensor begin where another ends, and the last end where the file does? */
static int check_extents(cldann_error *e, const char *path, json_t *header, size_t size) {
  const char *key;
  json_t *entry;
  extent *all = NULL;
  size_t n = 0;
  json_int_t end = 0;
  int rc, good = 1;
  TRY(mem_new(e, &all, json_object_size(header), sizeof *all));
  json_object_foreach(header, key, entry) {
    if (!strcmp(key, about)) continue;
    good &= json_unpack(entry, "{s:[I, I]}", "data_offsets", &all[n].from, &all[n].to) == 0;
    n++;
  }
  if (good) qsort(all, n, sizeof *all, by_place);
  for (size_t i = 0; i < n; end = all[i++].to) good &= all[i].from == end && all[i].to >= end;
  if (!good || (size_t)end != size)
    FAIL(e, CLDANN_E_FORMAT, "%s: its tensors do not lie one behind the other, to the end of the file; it is damaged", path);
fail:
  mem_free(all);
  return rc;
}

int tensors_open(cldann_error *e, const char *path, const char *what, tensor_file *t) {
  unsigned char length[8];
  char *text = NULL;
  json_error_t why;
  uint64_t n = 0;
  int rc = CLDANN_OK;
  struct stat st;
  *t = (tensor_file){.err = e, .path = path};
  if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) /* before opening, which waits for ever at a pipe */
    FAIL(e, CLDANN_E_IO, "%s is not a file; name %s", path, what);
  t->f = fopen(path, "rb");
  if (!t->f) FAIL(e, CLDANN_E_IO, "%s: %s; name %s", path, strerror(errno), what);
  fseek(t->f, 0, SEEK_END);
  const long size = ftell(t->f);
  rewind(t->f);
  if (size < 8 || fread(length, 1, 8, t->f) != 8)
    FAIL(e, CLDANN_E_FORMAT, "%s is too short for a safetensors file; name %s", path, what);
  for (int i = 0; i < 8; i++) n |= (uint64_t)length[i] << (8 * i);
  if (n > HEADER_LIMIT || n > (uint64_t)size - 8)
    FAIL(e, CLDANN_E_FORMAT, "%s is not a safetensors file, or is damaged; name %s", path, what);
  TRY(mem_new(e, &text, (size_t)n + 1, 1));
  if (fread(text, 1, (size_t)n, t->f) != (size_t)n)
    FAIL(e, CLDANN_E_FORMAT, "%s: its header is cut short; copy or make the file again", path);
  t->header = json_loadb(text, (size_t)n, 0, &why);
  if (!t->header && !why.text[0]) FAIL(e, CLDANN_E_MEM, "out of memory for the header of %s; free some memory", path);
  if (!t->header) FAIL(e, CLDANN_E_FORMAT, "%s: its header is not JSON: %s; copy or make the file again", path, why.text);
  t->data_at = 8 + (size_t)n;
  t->data_size = (size_t)size - t->data_at;
  if (is_newer(tensors_text(t, "cldann")))
    FAIL(e, CLDANN_E_IO, "%s was written by cldann %.40s, which is newer than this one (%s); use that version", path,
         tensors_text(t, "cldann"), CLDANN_VERSION);
  TRY(check_extents(e, path, t->header, t->data_size));
fail:
  mem_free(text);
  return rc;
}

const char *tensors_text(const tensor_file *t, const char *key) {
  return json_string_value(json_object_get(json_object_get(t->header, about), key));
}

/* "100x768" into text; strange what is no list of whole numbers. */
static void shape_text(const json_t *dims, char *text, size_t room) {
  const json_t *one;
  size_t i, used = 0;
  snprintf(text, room, "strange");
  json_array_foreach((json_t *)dims, i, one) if (used < room) used +=
      (size_t)snprintf(text + used, room - used, "%s%lld", i ? "x" : "", (long long)json_integer_value(one));
}

static int same_shape(json_t *dims, const int *shape, int n) {
  int same = n == 0 || json_array_size(dims) == (size_t)n;
  for (int i = 0; same && i < n; i++) same = json_integer_value(json_array_get(dims, (size_t)i)) == shape[i];
  return same;
}

int tensors_has(const tensor_file *t, const char *name, const int *shape, int n) {
  json_t *entry = json_object_get(t->header, name);
  const char *dtype = json_string_value(json_object_get(entry, "dtype"));
  return dtype && !strcmp(dtype, "F32") && same_shape(json_object_get(entry, "shape"), shape, n);
}

/* The tensor's place in the data section, after checking type, shape and bounds. */
static int locate(const tensor_file *t, const char *name, const int *shape, int n, size_t count, size_t *at) {
  json_int_t from = -1, to = -1;
  json_t *entry = json_object_get(t->header, name);
  int rc = CLDANN_OK;
  if (!entry || json_unpack(entry, "{s:[I, I]}", "data_offsets", &from, &to))
    FAIL(t->err, CLDANN_E_FORMAT, "%s has no tensor %s; use the experiment it was trained with", t->path, name);
  const char *dtype = json_string_value(json_object_get(entry, "dtype"));
  json_t *dims = json_object_get(entry, "shape");
  if (!dtype || strcmp(dtype, "F32") != 0)
    FAIL(t->err, CLDANN_E_FORMAT, "%s: tensor %s has numbers of type %.12s, not F32; write them so", t->path, name,
         dtype ? dtype : "nothing");
  if (!same_shape(dims, shape, n)) {
    char is[64], must[64];
    json_t *want = json_array();
    for (int i = 0; i < n; i++) json_array_append_new(want, json_integer(shape[i]));
    shape_text(dims, is, sizeof is), shape_text(want, must, sizeof must);
    json_decref(want);
    FAIL(
        t->err, CLDANN_E_FORMAT,
        "%s: tensor %s is %s, in the experiment's net %s: another net, or another size of its input; use the experiment it was "
        "trained with",
        t->path, name, is, must);
  }
  if (from < 0 || to < from || (size_t)to > t->data_size || (size_t)(to - from) != count * 4)
    FAIL(t->err, CLDANN_E_FORMAT, "%s: tensor %s lies outside the file; it is damaged", t->path, name);
  *at = (size_t)from;
fail:
  return rc;
}

int tensors_read(tensor_file *t, const char *name, const int *shape, int n, size_t count, float *to) {
  size_t at = 0;
  int rc;
  TRY(locate(t, name, shape, n, count, &at));
  fseek(t->f, (long)(t->data_at + at), SEEK_SET);
  if (fread(to, 4, count, t->f) != count)
    FAIL(t->err, CLDANN_E_FORMAT, "%s: tensor %s is cut short; copy or make the file again", t->path, name);
  /* A file cut or overwritten on the disk can have the right form and still be none that training wrote. */
  for (size_t i = 0; i < count; i++)
    if (!isfinite(to[i]))
      FAIL(t->err, CLDANN_E_FORMAT, "%s: tensor %s has values that are not finite; it is damaged", t->path, name);
fail:
  return rc;
}

/* ---- the seal ---- */

/* Padded to a multiple of `align`; the caller's (mem_free). Not by json_dumps, which leaves out a name when memory is short. */
static int header_text(cldann_error *e, const json_t *header, size_t align, char **out) {
  const size_t n = header ? json_dumpb(header, NULL, 0, JSON_COMPACT) : 0, all = (n + align - 1) / align * align;
  int rc;
  TRY(mem_new(e, out, all + 1, 1));
  memset(*out, ' ', all);
  if (!n || json_dumpb(header, *out, n, JSON_COMPACT) != n)
    FAIL(e, CLDANN_E_MEM, "out of memory for the header of a safetensors file; free some memory");
fail:
  return rc;
}

/* Begins with the header, which is without a seal yet, or no more. */
static int hash_header(cldann_error *e, const json_t *header, hash *h) {
  char *text = NULL;
  int rc;
  TRY(header_text(e, header, 1, &text));
  hash_init(h);
  hash_update(h, text, strlen(text));
fail:
  mem_free(text);
  return rc;
}

int tensors_check_seal(tensor_file *t) {
  const char *text = tensors_text(t, seal);
  char block[1 << 14], want[HASH_HEX] = "", got[HASH_HEX];
  size_t n;
  hash h;
  int rc;
  if (text) snprintf(want, sizeof want, "%s", text);
  json_object_del(json_object_get(t->header, about), seal);
  TRY(hash_header(t->err, t->header, &h));
  fseek(t->f, (long)t->data_at, SEEK_SET);
  while ((n = fread(block, 1, sizeof block, t->f))) hash_update(&h, block, n);
  hash_final(&h, got);
  if (strcmp(want, got) != 0)
    FAIL(t->err, CLDANN_E_FORMAT, "%s is damaged: it is not what was written; copy or make it again", t->path);
fail:
  return rc;
}

static int put_seal(cldann_error *e, json_t *header, const float *const *blocks, const size_t *counts, int n) {
  char text[HASH_HEX];
  hash h;
  int rc;
  TRY(hash_header(e, header, &h));
  for (int i = 0; i < n; i++) hash_update(&h, blocks[i], counts[i] * sizeof **blocks);
  hash_final(&h, text);
  if (json_object_set_new(json_object_get(header, about), seal, json_string(text)) != 0)
    FAIL(e, CLDANN_E_MEM, "out of memory for the header of a safetensors file; free some memory");
fail:
  return rc;
}

/* ---- writing ---- */

json_t *tensors_entry(const int *shape, int n, size_t at, size_t count) {
  json_t *dims = json_array();
  int bad = 0;
  for (int i = 0; i < n; i++) bad |= json_array_append_new(dims, json_integer(shape[i]));
  if (bad) json_decref(dims), dims = NULL;
  return json_pack("{s:s, s:o, s:[I, I]}", "dtype", "F32", "shape", dims, "data_offsets", (json_int_t)(at * 4),
                   (json_int_t)((at + count) * 4));
}

int tensors_write(cldann_error *e, const char *path, json_t *header, const float *const *blocks, const size_t *counts, int n,
                  int sealed) {
  place *f = NULL;
  unsigned char length[8];
  char *text = NULL;
  int rc = CLDANN_OK;
  if (sealed) TRY(put_seal(e, header, blocks, counts, n));
  TRY(header_text(e, header, 8, &text)); /* so that the tensors behind it are aligned */
  for (int i = 0; i < 8; i++) length[i] = (unsigned char)((uint64_t)strlen(text) >> (8 * i));
  TRY(place_open(e, &f, path));
  TRY(place_write(e, f, length, sizeof length));
  TRY(place_write(e, f, text, strlen(text)));
  for (int i = 0; i < n; i++) TRY(place_write(e, f, blocks[i], counts[i] * sizeof **blocks));
  TRY(place_commit(e, f));
fail:
  json_decref(header);
  mem_free(text);
  place_free(f);
  return rc;
}

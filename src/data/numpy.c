/*
 * data/numpy.c: NumPy's .npy (one array) and .npz (a zip of them). Unsigned bytes and truth values stay bytes, other numbers
 * become floats, of either order of bytes. The header's sizes are compared with the bytes that are there before any memory is
 * taken. See data/array.h; zip files are opened by data/archive.c.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "data/archive.h"
#include "data/array.h"
#include "data/bytes.h"
#include "data/place.h"

typedef struct npy {
  uint8_t *bytes; /* the file, owned */
  size_t size;
  const uint8_t *data; /* in bytes */
  char kind;           /* u, i, f, b */
  int width, swap;     /* of a number */
  int rank;
  uint64_t dim[ARRAY_DIMS], count;
} npy;

static const char magic[] = "\x93NUMPY";

/* What stands behind 'key': in the header, or NULL. */
static const char *value_of(const char *head, const char *key) {
  const char *p = strstr(head, key);
  if (!p) return NULL;
  p += strlen(key);
  return p + strspn(p, " ");
}

static int read_type(cldann_error *e, const char *name, const char *p, npy *a) {
  int rc = CLDANN_OK;
  static const uint16_t one = 1;
  const int little = *(const uint8_t *)&one;
  if (p && *p == '\'' && strlen(p) > 4 && p[4] == '\'' && strchr("<>|=", p[1]) && strchr("uifb", p[2])) {
    a->kind = p[2];
    a->width = p[3] - '0';
    a->swap = p[1] == (little ? '>' : '<');
  }
  const int w = a->width;
  if ((a->kind == 'f' && (w == 4 || w == 8)) || (a->kind == 'b' && w == 1)) return CLDANN_OK;
  if ((a->kind == 'u' || a->kind == 'i') && (w == 1 || w == 2 || w == 4 || w == 8)) return CLDANN_OK;
  FAIL(e, CLDANN_E_FORMAT, "%s: numbers of type %.10s are not read; save float32, float64, an integer type or bool", name,
       p ? p : "unknown");
fail:
  return rc;
}

static int read_dims(cldann_error *e, const char *name, const char *p, npy *a) {
  int rc = CLDANN_OK;
  char *end;
  a->count = 1;
  if (!p || *p != '(') FAIL(e, CLDANN_E_FORMAT, "%s: the header has no shape; the file is damaged", name);
  for (p++; *p && *p != ')'; p = end + strspn(end, ", ")) {
    if (!isdigit((unsigned char)*p)) FAIL(e, CLDANN_E_FORMAT, "%s: the header has an odd shape; the file is damaged", name);
    const uint64_t n = strtoull(p, &end, 10);
    if (a->rank == ARRAY_DIMS)
      FAIL(e, CLDANN_E_FORMAT, "%s: more than %d dimensions; save items, height, width, channels", name, ARRAY_DIMS);
    if (n < 1 || n > INT32_MAX || a->count > UINT64_MAX / 8 / n)
      FAIL(e, CLDANN_E_FORMAT, "%s: size %llu in dimension %d; the file is damaged or empty", name, (unsigned long long)n,
           a->rank + 1);
    a->count *= n;
    a->dim[a->rank++] = n;
  }
  if (a->rank == 0) FAIL(e, CLDANN_E_FORMAT, "%s: a single number is no data set", name);
fail:
  return rc;
}

/* Fills a from a->bytes. */
static int parse(cldann_error *e, const char *name, npy *a) {
  int rc = CLDANN_OK;
  const uint8_t *b = a->bytes;
  char *head = NULL;
  if (a->size < 12 || memcmp(b, magic, 6)) FAIL(e, CLDANN_E_FORMAT, "%s is not a .npy array, or is truncated", name);
  const size_t at = b[6] == 1 ? 10 : 12;
  const size_t n = b[6] == 1 ? b[8] | (size_t)b[9] << 8 : b[8] | (size_t)b[9] << 8 | (size_t)b[10] << 16 | (size_t)b[11] << 24;
  if (b[6] < 1 || b[6] > 3) FAIL(e, CLDANN_E_FORMAT, "%s is .npy of version %d; 1 to 3 are read", name, b[6]);
  if (n > a->size - at || n > 65535) FAIL(e, CLDANN_E_FORMAT, "%s is truncated or damaged in its header; make it again", name);
  TRY(mem_new(e, &head, n + 1, 1));
  memcpy(head, b + at, n);
  const char *fortran = value_of(head, "'fortran_order':");
  TRY(read_type(e, name, value_of(head, "'descr':"), a));
  TRY(read_dims(e, name, value_of(head, "'shape':"), a));
  if (!fortran || (a->rank > 1 && strncmp(fortran, "False", 5)))
    FAIL(e, CLDANN_E_FORMAT, "%s is in Fortran's order; save numpy.ascontiguousarray(x)", name);
  if (a->count > (a->size - at - n) / (size_t)a->width)
    FAIL(e, CLDANN_E_FORMAT, "%s is truncated: of %llu bytes %llu are there; make it again", name,
         (unsigned long long)(a->count * (uint64_t)a->width), (unsigned long long)(a->size - at - n));
  if (a->size - at - n > a->count * (uint64_t)a->width)
    FAIL(e, CLDANN_E_FORMAT, "%s has %llu bytes behind its numbers; it is damaged, or holds more than one array", name,
         (unsigned long long)(a->size - at - n - a->count * (uint64_t)a->width));
  a->data = b + at + n;
fail:
  mem_free(head);
  return rc;
}

static double number_at(const npy *a, size_t i) {
  const uint8_t *p = a->data + i * (size_t)a->width;
  uint8_t b[8];
  union {
    uint8_t u1;
    int8_t i1;
    uint16_t u2;
    int16_t i2;
    uint32_t u4;
    int32_t i4;
    uint64_t u8;
    int64_t i8;
    float f4;
    double f8;
  } v;
  for (int k = 0; k < a->width; k++) b[k] = p[a->swap ? a->width - 1 - k : k];
  memcpy(&v, b, (size_t)a->width);
  if (a->kind == 'f') return a->width == 4 ? (double)v.f4 : v.f8;
  switch (a->width) {
  case 1: return a->kind == 'i' ? v.i1 : v.u1;
  case 2: return a->kind == 'i' ? v.i2 : v.u2;
  case 4: return a->kind == 'i' ? (double)v.i4 : (double)v.u4;
  default: return a->kind == 'i' ? (double)v.i8 : (double)v.u8;
  }
}

static int to_features(cldann_error *e, const file_request *r, const npy *a, dataset **out) {
  int rc;
  const int bytes = a->width == 1 && a->kind != 'i';
  TRY(array_new(e, r, bytes ? DATA_U8 : DATA_F32, a->rank, a->dim, 0, out));
  if (bytes)
    memcpy((*out)->x, a->data, a->count);
  else
    for (size_t i = 0; i < a->count; i++) ((float *)(*out)->x)[i] = (float)number_at(a, i);
fail:
  return rc;
}

static int to_labels(cldann_error *e, const file_request *r, const npy *a, dataset *d) {
  int rc = CLDANN_OK;
  uint64_t n;
  double *labels = NULL;
  if (!array_is_vector(a->rank, a->dim, &n) || n != (uint64_t)d->n)
    FAIL(e, CLDANN_E_FORMAT, "%s: %.60s is not one label for each of the %d items; name another array", r->path, r->labels,
         d->n);
  TRY(mem_new(e, &labels, n, sizeof *labels));
  for (uint64_t i = 0; i < n; i++) labels[i] = number_at(a, i);
  TRY(array_labels(e, r, r->labels, labels, n, d));
fail:
  mem_free(labels);
  return rc;
}

/* ---- .npy: labels are in a second file, in the same folder unless its path says otherwise ---- */

static int npy_read(cldann_error *e, const file_request *r, dataset **out) {
  int rc;
  npy x = {0}, y = {0};
  char *folder = NULL, *path = NULL;
  dataset *d = NULL;
  TRY(bytes_read(e, r->path, &x.bytes, &x.size));
  TRY(parse(e, r->path, &x));
  TRY(to_features(e, r, &x, &d));
  if (r->labels) {
    TRY(mem_strdup(e, &folder, r->path));
    folder[text_base(folder) - folder] = 0;
    TRY(text_join(e, &path, folder, r->labels));
    TRY(bytes_read(e, path, &y.bytes, &y.size));
    TRY(parse(e, path, &y));
    TRY(to_labels(e, r, &y, d));
  }
  *out = d;
  d = NULL;
fail:
  dataset_free(d);
  mem_free(x.bytes);
  mem_free(y.bytes);
  mem_free(folder);
  mem_free(path);
  return rc;
}

static int npy_probe(const file_head *h) {
  return h->n >= 6 && !memcmp(h->bytes, magic, 6);
}

/* ---- .npz ---- */

typedef struct npz {
  const file_request *r;
  npy x, y;
  array_names names;
} npz;

/* Is the member NAME.npy this array? */
static int is_member(const char *member, const char *name) {
  return name && text_ends_with(member, ".npy") && strlen(member) == strlen(name) + 4 && !strncmp(member, name, strlen(name));
}

static int npz_wants(const char *member, void *arg) {
  npz *z = arg;
  char name[64];
  snprintf(name, sizeof name, "%.*s", text_ends_with(member, ".npy") ? (int)strlen(member) - 4 : (int)strlen(member), member);
  array_name(&z->names, name);
  return is_member(member, z->r->features) || is_member(member, z->r->labels);
}

static int npz_take(cldann_error *e, const char *member, uint8_t *bytes, size_t size, void *arg) {
  int rc = CLDANN_OK;
  npz *z = arg;
  npy *a = is_member(member, z->r->features) ? &z->x : &z->y;
  char name[300];
  if (a->bytes) {
    mem_free(bytes);
    FAIL(e, CLDANN_E_FORMAT, "%s has two members %.60s, or one array is both features and labels; name two arrays", z->r->path,
         member);
  }
  a->bytes = bytes;
  a->size = size;
  snprintf(name, sizeof name, "%.200s: %.60s", z->r->path, member);
  TRY(parse(e, name, a));
fail:
  return rc;
}

static int npz_read(cldann_error *e, const file_request *r, dataset **out) {
  int rc;
  npz z = {.r = r};
  dataset *d = NULL;
  TRY(archive_walk_zip(e, r->path, npz_wants, npz_take, &z));
  if (!z.x.bytes) {
    rc = array_missing(e, r, "features", r->features, &z.names);
    goto fail;
  }
  if (r->labels && !z.y.bytes) {
    rc = array_missing(e, r, "labels", r->labels, &z.names);
    goto fail;
  }
  TRY(to_features(e, r, &z.x, &d));
  if (r->labels) TRY(to_labels(e, r, &z.y, d));
  *out = d;
  d = NULL;
fail:
  dataset_free(d);
  mem_free(z.x.bytes);
  mem_free(z.y.bytes);
  return rc;
}

static int npz_probe(const file_head *h) {
  return h->n >= 4 && !memcmp(h->bytes, "PK\3\4", 4);
}

const file_format format_npy = {"npy", npy_probe, npy_read, FILE_LABELS | FILE_SHAPE};
const file_format format_npz = {"npz", npz_probe, npz_read, FILE_FEATURES | FILE_LABELS | FILE_SHAPE};

/* Version 1.0; the data begin at a multiple of 64, as NumPy has it. */
int npy_write(cldann_error *e, const char *path, const float *x, int rows, int width) {
  static const uint16_t one = 1;
  char head[192];
  const char order = *(const uint8_t *)&one ? '<' : '>';
  int n = snprintf(head + 10, sizeof head - 10, "{'descr': '%cf4', 'fortran_order': False, 'shape': (%d, %d), }", order, rows,
                   width);
  const int all = (10 + n + 1 + 63) / 64 * 64;
  place *p = NULL;
  int rc;
  memcpy(head, magic, 6);
  head[6] = 1, head[7] = 0;
  head[8] = (char)((all - 10) & 255), head[9] = (char)((all - 10) >> 8);
  memset(head + 10 + n, ' ', (size_t)(all - 10 - n));
  head[all - 1] = '\n';
  TRY(place_open(e, &p, path));
  TRY(place_write(e, p, head, (size_t)all));
  TRY(place_write(e, p, x, (size_t)rows * (size_t)width * sizeof *x));
  TRY(place_commit(e, p));
fail:
  place_free(p);
  return rc;
}

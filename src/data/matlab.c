/*
 * data/matlab.c: MATLAB files, v5 and, where matio has HDF5, v7.3, by matio. MATLAB stores the first index fastest, and its
 * image sets count items last, so (n,c) is read as it stands and (h,w,n) and (h,w,c,n) with the items first. matio prints what
 * it finds wrong, which is silenced here, and gives what it could not read as whatever the memory held: whether a v5 file is
 * whole is looked at before. Without matio, an error says so. See data/array.h.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "data/array.h"
#include "data/bytes.h"

#ifdef HAVE_MATIO
#include <matio.h>
#include <zlib.h>

static void say_nothing(int level, char *message) {
  (void)level;
  (void)message;
}

static uint32_t word_at(const uint8_t *p, int little) {
  return little ? p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24
                : p[3] | (uint32_t)p[2] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[0] << 24;
}

/* Does it unpack to its end, with the right check sum? */
static int unpacks(cldann_error *e, const uint8_t *bytes, uint32_t n, int *yes) {
  enum { ROOM = 1 << 16 };
  int rc = CLDANN_OK, state = Z_OK;
  uint8_t *out = NULL;
  z_stream z = {.next_in = (Bytef *)bytes, .avail_in = n};
  TRY(mem_new(e, &out, ROOM, 1));
  if (inflateInit(&z) != Z_OK) FAIL(e, CLDANN_E_MEM, "zlib does not start; free some memory");
  while (state == Z_OK) {
    z.next_out = out;
    z.avail_out = ROOM;
    state = inflate(&z, Z_NO_FLUSH);
  }
  inflateEnd(&z);
  *yes = state == Z_STREAM_END;
fail:
  mem_free(out);
  return rc;
}

/* The elements of a v5 file, each with its type and length before it, end where the file ends. */
static int check_whole(cldann_error *e, const file_request *r) {
  enum { HEADER = 128, COMPRESSED = 15 };
  int rc, yes = 1;
  uint8_t *b = NULL;
  size_t n, at = HEADER;
  TRY(bytes_read(e, r->path, &b, &n));
  const int little = n >= HEADER && b[126] == 'I';
  if (n < HEADER) FAIL(e, CLDANN_E_FORMAT, "%s is truncated in its header; fetch or make it again", r->path);
  if (b[little ? 125 : 124] != 1) goto fail; /* v7.3 is HDF5, which looks after itself */
  while (at < n) {
    const uint32_t type = n - at < 8 ? 0 : word_at(b + at, little), length = n - at < 8 ? 0 : word_at(b + at + 4, little);
    if (n - at < 8 || length > n - at - 8)
      FAIL(e, CLDANN_E_FORMAT, "%s is truncated or damaged: the variable at byte %zu does not end; fetch or make it again",
           r->path, at);
    if (type == COMPRESSED) TRY(unpacks(e, b + at + 8, length, &yes));
    if (!yes)
      FAIL(e, CLDANN_E_FORMAT, "%s is damaged: the variable at byte %zu does not unpack; fetch or make it again", r->path, at);
    at += 8 + (size_t)length;
  }
fail:
  mem_free(b);
  return rc;
}

static int is_numeric(const matvar_t *v) {
  return v->class_type >= MAT_C_DOUBLE && v->class_type <= MAT_C_UINT64 && !v->isComplex;
}

static void list_names(mat_t *mat, array_names *all) {
  Mat_Rewind(mat);
  for (matvar_t *v; (v = Mat_VarReadNextInfo(mat));) {
    if (v->name) array_name(all, v->name);
    Mat_VarFree(v);
  }
}

/* The variable with its data; its sizes are looked at before. */
static int var_open(cldann_error *e, const file_request *r, mat_t *mat, const char *key, const char *name, matvar_t **out) {
  int rc = CLDANN_OK;
  struct stat st = {0};
  uint64_t bytes = 1;
  array_names all = {.n = 0};
  matvar_t *v = name ? Mat_VarReadInfo(mat, name) : NULL;
  if (!v) {
    list_names(mat, &all);
    return array_missing(e, r, key, name, &all);
  }
  if (!is_numeric(v))
    FAIL(e, CLDANN_E_FORMAT, "%s: %.60s is no full array of real numbers; save it as one, as with full(double(x))", r->path,
         name);
  stat(r->path, &st);
  for (int i = 0; i < v->rank; i++) {
    if (v->dims[i] < 1 || bytes > UINT64_MAX / 8 / v->dims[i])
      FAIL(e, CLDANN_E_FORMAT, "%s: %.60s has size %zu in dimension %d; the file is damaged or empty", r->path, name,
           v->dims[i], i + 1);
    bytes *= v->dims[i];
  }
  if (bytes / 1032 > (uint64_t)st.st_size) /* deflate cannot shrink more */
    FAIL(e, CLDANN_E_FORMAT, "%s: %.60s claims %llu numbers, more than the file can hold; it is damaged or truncated", r->path,
         name, (unsigned long long)bytes);
  if (Mat_VarReadDataAll(mat, v) != 0 || !v->data || v->nbytes < (size_t)bytes * (size_t)v->data_size || v->data_size < 1)
    FAIL(e, CLDANN_E_FORMAT, "%s: %.60s cannot be read; the file is truncated or damaged", r->path, name);
  *out = v;
  v = NULL;
fail:
  Mat_VarFree(v);
  return rc;
}

static double number_at(const matvar_t *v, size_t i) {
  const void *p = v->data;
  switch (v->class_type) {
  case MAT_C_SINGLE: return ((const float *)p)[i];
  case MAT_C_INT8: return ((const mat_int8_t *)p)[i];
  case MAT_C_UINT8: return ((const mat_uint8_t *)p)[i];
  case MAT_C_INT16: return ((const mat_int16_t *)p)[i];
  case MAT_C_UINT16: return ((const mat_uint16_t *)p)[i];
  case MAT_C_INT32: return ((const mat_int32_t *)p)[i];
  case MAT_C_UINT32: return ((const mat_uint32_t *)p)[i];
  case MAT_C_INT64: return (double)((const mat_int64_t *)p)[i];
  case MAT_C_UINT64: return (double)((const mat_uint64_t *)p)[i];
  default: return ((const double *)p)[i];
  }
}

static int size_of_class(const matvar_t *v) {
  switch (v->class_type) {
  case MAT_C_INT8:
  case MAT_C_UINT8: return 1;
  case MAT_C_INT16:
  case MAT_C_UINT16: return 2;
  case MAT_C_SINGLE:
  case MAT_C_INT32:
  case MAT_C_UINT32: return 4;
  default: return 8;
  }
}

/* d's item i, pixel (y,x), channel c, from MATLAB's order. */
static void fill(dataset *d, const matvar_t *v) {
  const size_t n = (size_t)d->n, h = (size_t)d->h, w = (size_t)d->w, c = (size_t)d->c;
  size_t to = 0;
  for (size_t i = 0; i < n; i++)
    for (size_t y = 0; y < h; y++)
      for (size_t x = 0; x < w; x++)
        for (size_t k = 0; k < c; k++, to++) {
          const size_t from = v->rank > 2 ? y + h * (x + w * (k + c * i)) : i + n * k;
          if (d->type == DATA_U8)
            ((uint8_t *)d->x)[to] = ((const uint8_t *)v->data)[from];
          else
            ((float *)d->x)[to] = (float)number_at(v, from);
        }
}

static int read_features(cldann_error *e, const file_request *r, mat_t *mat, dataset **out) {
  int rc;
  matvar_t *v = NULL;
  uint64_t size[ARRAY_DIMS] = {0};
  TRY(var_open(e, r, mat, "features", r->features, &v));
  if (v->data_size != size_of_class(v))
    FAIL(e, CLDANN_E_FORMAT, "%s: %.60s does not have the type it claims; the file is damaged", r->path, r->features);
  for (int i = 0; i < v->rank && v->rank <= ARRAY_DIMS; i++) {
    const int from = v->rank > 2 ? (i + v->rank - 1) % v->rank : i; /* items first */
    size[i] = v->dims[from];
  }
  TRY(array_new(e, r, v->class_type == MAT_C_UINT8 ? DATA_U8 : DATA_F32, v->rank, size, 0, out));
  fill(*out, v);
fail:
  Mat_VarFree(v);
  return rc;
}

static int read_labels(cldann_error *e, const file_request *r, mat_t *mat, dataset *d) {
  int rc;
  matvar_t *v = NULL;
  double *labels = NULL;
  uint64_t n = 1;
  int longer = 0;
  TRY(var_open(e, r, mat, "labels", r->labels, &v));
  for (int i = 0; i < v->rank; i++) {
    longer += v->dims[i] != 1;
    n *= v->dims[i];
  }
  if (longer > 1 || n != (uint64_t)d->n || v->data_size != size_of_class(v))
    FAIL(e, CLDANN_E_FORMAT, "%s: %.60s is not one label for each of the %d items; name another variable", r->path, r->labels,
         d->n);
  TRY(mem_new(e, &labels, n, sizeof *labels));
  for (uint64_t i = 0; i < n; i++) labels[i] = number_at(v, i);
  TRY(array_labels(e, r, r->labels, labels, n, d));
fail:
  mem_free(labels);
  Mat_VarFree(v);
  return rc;
}

static int matlab_read(cldann_error *e, const file_request *r, dataset **out) {
  int rc = CLDANN_OK;
  dataset *d = NULL;
  mat_t *mat = NULL;
  TRY(check_whole(e, r));
  Mat_LogInitFunc("cldann", say_nothing);
  if (!(mat = Mat_Open(r->path, MAT_ACC_RDONLY)))
    FAIL(e, CLDANN_E_FORMAT, "%s: matio cannot open it; it is damaged, packed or, if v7.3, matio here is without HDF5",
         r->path);
  TRY(read_features(e, r, mat, &d));
  if (r->labels) TRY(read_labels(e, r, mat, d));
  *out = d;
  d = NULL;
fail:
  dataset_free(d);
  if (mat) Mat_Close(mat);
  return rc;
}

#else

static int matlab_read(cldann_error *e, const file_request *r, dataset **out) {
  (void)out;
  return err_set(
      e, CLDANN_E_ARG, __FILE__, __LINE__,
      "%s is a MATLAB file, and this build is without them; install matio (Debian: libmatio-dev), configure and make "
      "again",
      r->path);
}

#endif

/* 124 bytes of text, the version, and "MI" as the writer's order of bytes. */
static int matlab_probe(const file_head *h) {
  return h->n >= 128 && !memcmp(h->bytes, "MATLAB", 6) &&
         (!memcmp(h->bytes + 126, "IM", 2) || !memcmp(h->bytes + 126, "MI", 2));
}

const file_format format_matlab = {"matlab", matlab_probe, matlab_read, FILE_FEATURES | FILE_LABELS | FILE_SHAPE};

/*
 * data/idx.c: see data/idx.h. Reading goes through zlib's gz functions: they pass plain files through, check the CRC,
 * and give what a truncated file still holds, so that an error can say how much is missing.
 */
#define _POSIX_C_SOURCE 200809L
#include "data/idx.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "data/file.h"

enum { IDX_UBYTE = 8, IDX_DIMS = 4, IDX_DEFLATE_MOST = 1032 /* deflate cannot shrink more than 1032 : 1 */ };

typedef struct idx {
  const char *path;
  gzFile file;
  uint64_t file_bytes;
  int broken; /* the gzip data ended early */
  int dims;
  uint32_t size[IDX_DIMS];
  uint64_t bytes; /* product of the sizes */
} idx;

/* Reads up to n bytes; *got < n at the end of the data, also when a gzip stream breaks off, which f->broken then tells. */
static int idx_read(cldann_error *e, idx *f, void *data, uint64_t n, uint64_t *got) {
  int rc = CLDANN_OK, code = Z_OK;
  *got = 0;
  while (*got < n) {
    unsigned part = n - *got > (1u << 30) ? 1u << 30 : (unsigned)(n - *got);
    int r = gzread(f->file, (char *)data + *got, part);
    const char *why = gzerror(f->file, &code);
    if (!strncmp(why, f->path, strlen(f->path)) && why[strlen(f->path)] == ':') why += strlen(f->path) + 2; /* "path: why" */
    if (r > 0) *got += (uint64_t)r;
    if (code == Z_BUF_ERROR) f->broken = 1;
    if (code == Z_BUF_ERROR || (r == 0 && code >= 0)) break;
    if (r < 0)
      FAIL(e, code == Z_ERRNO ? CLDANN_E_IO : CLDANN_E_FORMAT, "%s is damaged: %.80s; fetch or make it again", f->path,
           code == Z_ERRNO ? strerror(errno) : why);
  }
fail:
  return rc;
}

static int idx_truncated(cldann_error *e, const idx *f, uint64_t missing) {
  return err_set(e, CLDANN_E_FORMAT, __FILE__, __LINE__, "%s is truncated: %llu bytes are missing; fetch or make it again",
                 f->path, (unsigned long long)missing);
}

static int idx_check_magic(cldann_error *e, const idx *f, const uint8_t m[4]) {
  int rc = CLDANN_OK;
  if (m[0] != 0 || m[1] != 0 || m[3] < 1 || m[3] > IDX_DIMS)
    FAIL(e, CLDANN_E_FORMAT, "%s is not an IDX file: its magic is %02x%02x%02x%02x, 0000080N with N from 1 to 4 is needed",
         f->path, m[0], m[1], m[2], m[3]);
  if (m[2] != IDX_UBYTE)
    FAIL(e, CLDANN_E_FORMAT, "%s is an IDX file of type %02x; only unsigned bytes (type 08) are read", f->path, m[2]);
fail:
  return rc;
}

/* The sizes the header claims, against the bytes that are there, before any memory is taken. */
static int idx_check_sizes(cldann_error *e, idx *f) {
  int rc = CLDANN_OK;
  uint64_t head = 4 + 4 * (uint64_t)f->dims, item;
  f->bytes = 1;
  for (int i = 0; i < f->dims; i++) {
    if (f->size[i] == 0 || f->size[i] > INT32_MAX || (i > 0 && f->size[i] > 65535))
      FAIL(e, CLDANN_E_FORMAT, "%s claims the size %u in dimension %d; the file is damaged or not what its name says", f->path,
           (unsigned)f->size[i], i + 1);
    if (f->bytes > UINT64_MAX / f->size[i])
      f->bytes = UINT64_MAX;
    else
      f->bytes *= f->size[i];
  }
  item = f->bytes / f->size[0];
  if (f->bytes == UINT64_MAX || item > INT32_MAX)
    FAIL(e, CLDANN_E_FORMAT, "%s claims items of more than 2 GiB; the file is damaged or not what its name says", f->path);
  if (gzdirect(f->file)) {
    if (head + f->bytes > f->file_bytes) return idx_truncated(e, f, head + f->bytes - f->file_bytes);
    if (head + f->bytes < f->file_bytes)
      FAIL(e, CLDANN_E_FORMAT, "%s has %llu bytes after its %u items; the file is damaged or not what its name says", f->path,
           (unsigned long long)(f->file_bytes - head - f->bytes), (unsigned)f->size[0]);
  } else if (f->bytes / IDX_DEFLATE_MOST > f->file_bytes) {
    FAIL(e, CLDANN_E_FORMAT, "%s claims %llu bytes, more than its %llu compressed bytes can hold; it is damaged or truncated",
         f->path, (unsigned long long)f->bytes, (unsigned long long)f->file_bytes);
  }
fail:
  return rc;
}

static int idx_open(cldann_error *e, idx *f, const char *path) {
  int rc = CLDANN_OK;
  uint8_t head[4 + 4 * IDX_DIMS];
  uint64_t got;
  struct stat st;
  memset(f, 0, sizeof *f);
  f->path = path;
  if (stat(path, &st) != 0)
    FAIL(e, CLDANN_E_IO, "cannot open %s: %s; name the data folder with --data DIR, or run: cldann data fetch mnist", path,
         strerror(errno));
  if (!S_ISREG(st.st_mode)) FAIL(e, CLDANN_E_IO, "%s is not a file; name an IDX file", path);
  f->file_bytes = (uint64_t)st.st_size;
  f->file = gzopen(path, "rb");
  if (!f->file) FAIL(e, CLDANN_E_IO, "cannot open %s: %s; check its permissions", path, strerror(errno));
  gzbuffer(f->file, 1 << 17);
  TRY(idx_read(e, f, head, 4, &got));
  if (got < 4) FAIL(e, CLDANN_E_FORMAT, "%s is truncated: %d of the 4 bytes of its magic are missing", path, 4 - (int)got);
  TRY(idx_check_magic(e, f, head));
  f->dims = head[3];
  TRY(idx_read(e, f, head + 4, 4 * (uint64_t)f->dims, &got));
  if (got < 4 * (uint64_t)f->dims)
    FAIL(e, CLDANN_E_FORMAT, "%s is truncated: %d bytes of its header are missing; fetch or make it again", path,
         4 * f->dims - (int)got);
  for (int i = 0; i < f->dims; i++) {
    const uint8_t *p = head + 4 + 4 * i;
    f->size[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
  }
  TRY(idx_check_sizes(e, f));
fail:
  return rc;
}

static void idx_close(idx *f) {
  if (f->file) gzclose(f->file);
  f->file = NULL;
}

/* Everything after the header, which must be exactly f->bytes. */
static int idx_body(cldann_error *e, idx *f, void *data) {
  int rc = CLDANN_OK;
  uint64_t got;
  uint8_t more;
  TRY(idx_read(e, f, data, f->bytes, &got));
  if (got < f->bytes) return idx_truncated(e, f, f->bytes - got);
  TRY(idx_read(e, f, &more, 1, &got)); /* also has zlib check the CRC */
  if (got > 0)
    FAIL(e, CLDANN_E_FORMAT, "%s has bytes after its %u items; the file is damaged or not what its name says", f->path,
         (unsigned)f->size[0]);
  if (f->broken) FAIL(e, CLDANN_E_FORMAT, "%s is truncated: the end of the gzip data is missing; fetch it again", f->path);
fail:
  return rc;
}

int idx_read_images(cldann_error *e, const char *path, dataset **out) {
  int rc = CLDANN_OK;
  dataset *d = NULL;
  idx f = {0};
  TRY(idx_open(e, &f, path));
  if (f.dims == 1)
    FAIL(e, CLDANN_E_FORMAT, "%s is mislabelled: it holds labels (one dimension) where images are needed; swap the two files",
         path);
  TRY(dataset_new(e, &d, text_base(path), DATA_U8, (int)f.size[0], f.dims > 2 ? (int)f.size[1] : 1,
                  f.dims > 2 ? (int)f.size[2] : 1,
                  f.dims == 2   ? (int)f.size[1]
                  : f.dims == 4 ? (int)f.size[3]
                                : 1,
                  0));
  TRY(idx_body(e, &f, d->x));
  *out = d;
  d = NULL;
fail:
  idx_close(&f);
  dataset_free(d);
  return rc;
}

int idx_read_labels(cldann_error *e, const char *path, dataset *d) {
  int rc = CLDANN_OK;
  uint8_t *bytes = NULL;
  int32_t *y = NULL;
  idx f = {0};
  TRY(idx_open(e, &f, path));
  if (f.dims != 1)
    FAIL(e, CLDANN_E_FORMAT, "%s is mislabelled: it holds images (%d dimensions) where labels are needed; swap the two files",
         path, f.dims);
  if ((int64_t)f.size[0] != d->n)
    FAIL(e, CLDANN_E_FORMAT, "%s has %u labels but %s has %d images; give the two files of one set", path, (unsigned)f.size[0],
         d->name, d->n);
  TRY(mem_new(e, &bytes, f.bytes, 1));
  TRY(mem_new(e, &y, (size_t)d->n, sizeof *y));
  TRY(idx_body(e, &f, bytes));
  d->classes = 0;
  for (int i = 0; i < d->n; i++) {
    y[i] = bytes[i];
    if (y[i] >= d->classes) d->classes = y[i] + 1;
  }
  mem_free(d->y);
  d->y = y;
  y = NULL;
fail:
  idx_close(&f);
  mem_free(bytes);
  mem_free(y);
  return rc;
}

int idx_read_set(cldann_error *e, const char *images, const char *labels, dataset **out) {
  int rc = CLDANN_OK;
  dataset *d = NULL;
  TRY(idx_read_images(e, images, &d));
  TRY(idx_read_labels(e, labels, d));
  *out = d;
  d = NULL;
fail:
  dataset_free(d);
  return rc;
}

/* DIR/<name>, then DIR/<name>.gz; *path stays NULL when neither is there. */
static int idx_probe(cldann_error *e, const char *dir, const char *name, char **path) {
  int rc = CLDANN_OK;
  char with[128], *p = NULL;
  for (int gz = 0; gz < 2; gz++) {
    snprintf(with, sizeof with, "%s%s", name, gz ? ".gz" : "");
    TRY(text_join(e, &p, dir, with));
    if (access(p, F_OK) == 0) {
      *path = p;
      return CLDANN_OK;
    }
    mem_free(p);
    p = NULL;
  }
fail:
  mem_free(p);
  return rc;
}

int idx_read_named(cldann_error *e, const char *dir, const char *prefix, int test, dataset **out) {
  int rc = CLDANN_OK;
  const char *split = test ? "t10k" : "train";
  char *images = NULL, *labels = NULL, name[96];
  snprintf(name, sizeof name, "%.40s%s-images-idx3-ubyte", prefix, split);
  TRY(idx_probe(e, dir, name, &images));
  if (!images) {
    snprintf(name, sizeof name, "%.40s%s-images-idx4-ubyte", prefix, split);
    TRY(idx_probe(e, dir, name, &images));
  }
  if (images) {
    snprintf(name, sizeof name, "%.40s%s-labels-idx1-ubyte", prefix, split);
    TRY(idx_probe(e, dir, name, &labels));
  }
  if (!images) snprintf(name, sizeof name, "%.40s%s-images-idx%d-ubyte", prefix, split, prefix[0] ? 4 : 3);
  if (!images || !labels)
    FAIL(e, CLDANN_E_IO, "%s has no %s (plain or .gz); name the right folder, or %s", dir, name,
         prefix[0] ? "make the set with: cldann data mnist-m" : "run: cldann data fetch mnist");
  TRY(idx_read_set(e, images, labels, out));
fail:
  mem_free(images);
  mem_free(labels);
  return rc;
}

static void put_u32(uint8_t *p, int v) {
  for (int i = 0; i < 4; i++) p[i] = (uint8_t)((uint32_t)v >> (24 - 8 * i));
}

int idx_put_images(cldann_error *e, place *p, const dataset *d) {
  int rc = CLDANN_OK;
  uint8_t head[20] = {0, 0, IDX_UBYTE, (uint8_t)(d->c == 1 ? 3 : 4)};
  if (d->type != DATA_U8) FAIL(e, CLDANN_E_ARG, "%s holds floats; IDX files here hold bytes", d->name);
  put_u32(head + 4, d->n);
  put_u32(head + 8, d->h);
  put_u32(head + 12, d->w);
  put_u32(head + 16, d->c);
  TRY(place_write(e, p, head, d->c == 1 ? 16 : 20));
  TRY(place_write(e, p, d->x, (size_t)d->n * dataset_item_bytes(d)));
fail:
  return rc;
}

int idx_put_labels(cldann_error *e, place *p, const dataset *d) {
  int rc = CLDANN_OK;
  uint8_t head[8] = {0, 0, IDX_UBYTE, 1}, buffer[4096];
  if (!d->y) FAIL(e, CLDANN_E_ARG, "%s has no labels to write", d->name);
  put_u32(head + 4, d->n);
  TRY(place_write(e, p, head, sizeof head));
  for (int i = 0; i < d->n;) {
    size_t used = 0;
    for (; i < d->n && used < sizeof buffer; i++) {
      if (d->y[i] < 0 || d->y[i] > 255)
        FAIL(e, CLDANN_E_ARG, "%s: the label %d of item %d does not fit a byte", d->name, (int)d->y[i], i);
      buffer[used++] = (uint8_t)d->y[i];
    }
    TRY(place_write(e, p, buffer, used));
  }
fail:
  return rc;
}

static int idx_write(cldann_error *e, const char *path, const dataset *d,
                     int (*put)(cldann_error *, place *, const dataset *)) {
  int rc = CLDANN_OK;
  place *p = NULL;
  TRY(place_open(e, &p, path));
  TRY(put(e, p, d));
  TRY(place_commit(e, p));
fail:
  place_free(p);
  return rc;
}

int idx_write_images(cldann_error *e, const char *path, const dataset *d) {
  return idx_write(e, path, d, idx_put_images);
}

int idx_write_labels(cldann_error *e, const char *path, const dataset *d) {
  return idx_write(e, path, d, idx_put_labels);
}

/* ---- as a format of kind = "file": labels are in a second file, in the same folder unless its path says otherwise ---- */

static int idx_read_file(cldann_error *e, const file_request *r, dataset **out) {
  int rc;
  char *folder = NULL, *path = NULL;
  dataset *d = NULL;
  TRY(idx_read_images(e, r->path, &d));
  if (r->labels) {
    TRY(mem_strdup(e, &folder, r->path));
    folder[text_base(folder) - folder] = 0;
    TRY(text_join(e, &path, folder, r->labels));
    TRY(idx_read_labels(e, path, d));
  }
  *out = d;
  d = NULL;
fail:
  dataset_free(d);
  mem_free(folder);
  mem_free(path);
  return rc;
}

static int idx_probe_file(const file_head *h) {
  return h->n >= 4 && !h->bytes[0] && !h->bytes[1] && h->bytes[2] == IDX_UBYTE && h->bytes[3] >= 1 && h->bytes[3] <= IDX_DIMS;
}

const file_format format_idx = {"idx", idx_probe_file, idx_read_file, FILE_LABELS | FILE_SHAPE};

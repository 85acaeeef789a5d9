/* data/dataset.c: see data/dataset.h. */
#include "data/dataset.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "data/classes.h"

size_t dataset_item_bytes(const dataset *d) {
  return (size_t)d->h * (size_t)d->w * (size_t)d->c * (d->type == DATA_U8 ? sizeof(uint8_t) : sizeof(float));
}

/* All but the numbers. */
static int new_empty(cldann_error *e, dataset **out, const char *name, data_type type, int n, int h, int w, int c,
                     int labelled) {
  int rc = CLDANN_OK;
  dataset *d = NULL;
  if (n < 1 || h < 1 || w < 1 || c < 1 || (int64_t)h * w > INT32_MAX / c)
    FAIL(e, CLDANN_E_ARG, "%s: %d items of %d x %d x %d make no data set; every size must be at least 1", name, n, h, w, c);
  TRY(mem_new(e, &d, 1, sizeof *d));
  snprintf(d->name, sizeof d->name, "%s", name);
  text_clean(d->name); /* of a file, perhaps, and cut anywhere */
  d->type = type;
  d->n = n;
  d->h = h;
  d->w = w;
  d->c = c;
  if (labelled) TRY(mem_new(e, &d->y, (size_t)n, sizeof *d->y));
  *out = d;
  return CLDANN_OK;
fail:
  dataset_free(d);
  return rc;
}

int dataset_new(cldann_error *e, dataset **out, const char *name, data_type type, int n, int h, int w, int c, int labelled) {
  int rc;
  dataset *d = NULL;
  TRY(new_empty(e, &d, name, type, n, h, w, c, labelled));
  TRY(mem_new_pages(e, &d->x, (size_t)n, dataset_item_bytes(d)));
  *out = d;
  return CLDANN_OK;
fail:
  dataset_free(d);
  return rc;
}

int dataset_new_sparse(cldann_error *e, dataset **out, const char *name, int n, int h, int w, int c, size_t entries,
                       int labelled) {
  int rc;
  dataset *d = NULL;
  if (entries > INT32_MAX)
    FAIL(e, CLDANN_E_ARG, "%s has %zu numbers besides zeros, more than the %d of a sparse set; split it", name, entries,
         INT32_MAX);
  TRY(new_empty(e, &d, name, DATA_F32, n, h, w, c, labelled));
  TRY(mem_new_pages(e, &d->x, entries, sizeof(float)));
  TRY(mem_new_pages(e, &d->columns, entries, sizeof *d->columns));
  TRY(mem_new_pages(e, &d->offsets, (size_t)n + 1, sizeof *d->offsets));
  d->offsets[n] = (int32_t)entries;
  *out = d;
  return CLDANN_OK;
fail:
  dataset_free(d);
  return rc;
}

static void trim_sparse(dataset *d, int skip, int count) {
  const int32_t first = d->offsets[skip], end = d->offsets[skip + count];
  memmove(d->x, (float *)d->x + first, (size_t)(end - first) * sizeof(float));
  memmove(d->columns, d->columns + first, (size_t)(end - first) * sizeof *d->columns);
  for (int i = 0; i <= count; i++) d->offsets[i] = d->offsets[skip + i] - first;
}

static void trim_files(dataset *d, int skip, int count) {
  for (int i = 0; i < d->n; i++)
    if (i < skip || i >= skip + count) mem_free(d->files[i]);
  memmove(d->files, d->files + skip, (size_t)count * sizeof *d->files);
}

int dataset_trim(cldann_error *e, dataset *d, int skip, int count) {
  int rc = CLDANN_OK;
  size_t item = dataset_item_bytes(d);
  if (skip < 0 || skip >= d->n || count == 0)
    FAIL(e, CLDANN_E_ARG, "%s has %d items: skipping %d and keeping %d leaves none; skip fewer", d->name, d->n, skip, count);
  if (count < 0 || count > d->n - skip) count = d->n - skip;
  /* Blocks keep their size: giving back a few rows is not worth a copy that can fail. */
  if (dataset_is_sparse(d))
    trim_sparse(d, skip, count);
  else
    memmove(d->x, (char *)d->x + (size_t)skip * item, (size_t)count * item);
  if (d->y) memmove(d->y, d->y + skip, (size_t)count * sizeof *d->y);
  if (d->domain) memmove(d->domain, d->domain + skip, (size_t)count * sizeof *d->domain);
  if (d->files) trim_files(d, skip, count);
  d->n = count;
fail:
  return rc;
}

/* Room for these rows of d, as dense or sparse as d is. */
static int new_like(cldann_error *e, const dataset *d, const int32_t *rows, int n, dataset **out) {
  size_t entries = 0;
  if (!dataset_is_sparse(d)) return dataset_new(e, out, d->name, d->type, n, d->h, d->w, d->c, d->y != NULL);
  for (int i = 0; i < n; i++) entries += (size_t)(d->offsets[rows[i] + 1] - d->offsets[rows[i]]);
  return dataset_new_sparse(e, out, d->name, n, d->h, d->w, d->c, entries, d->y != NULL);
}

int dataset_take(cldann_error *e, const dataset *d, const int32_t *rows, int n, dataset **out) {
  int rc;
  dataset *to = NULL;
  const size_t item = dataset_item_bytes(d);
  TRY(new_like(e, d, rows, n, &to));
  to->classes = d->classes;
  if (d->domain) TRY(mem_new(e, &to->domain, (size_t)n, sizeof *to->domain));
  for (int i = 0; i < n; i++) {
    if (to->y) to->y[i] = d->y[rows[i]];
    if (to->domain) to->domain[i] = d->domain[rows[i]];
    if (!dataset_is_sparse(d)) {
      memcpy((char *)to->x + (size_t)i * item, (const char *)d->x + (size_t)rows[i] * item, item);
      continue;
    }
    const int from = d->offsets[rows[i]], at = to->offsets[i], count = d->offsets[rows[i] + 1] - from;
    memcpy((float *)to->x + at, (const float *)d->x + from, (size_t)count * sizeof(float));
    memcpy(to->columns + at, d->columns + from, (size_t)count * sizeof *to->columns);
    to->offsets[i + 1] = at + count;
  }
  *out = to;
  return CLDANN_OK;
fail:
  dataset_free(to);
  return rc;
}

static int joinable(cldann_error *e, const dataset *a, const dataset *b) {
  int rc = CLDANN_OK;
  if (a->h != b->h || a->w != b->w || a->c != b->c)
    FAIL(e, CLDANN_E_ARG, "%s has items of %d x %d x %d but %s of %d x %d x %d; sets of one domain list have one size", a->name,
         a->h, a->w, a->c, b->name, b->h, b->w, b->c);
  if (a->type != b->type || dataset_is_sparse(a) != dataset_is_sparse(b))
    FAIL(e, CLDANN_E_ARG, "%s and %s do not go together: one holds %s", a->name, b->name,
         a->type != b->type ? "bytes and one floats; give the floats bytes = true" : "its zeros and one does not");
  if (!a->y != !b->y)
    FAIL(e, CLDANN_E_ARG, "%s has no labels but %s has; give all of them labels, or none", a->y ? b->name : a->name,
         a->y ? a->name : b->name);
fail:
  return rc;
}

static void append(dataset *to, int *at, const dataset *from) {
  const size_t item = dataset_item_bytes(to);
  if (from->y) memcpy(to->y + *at, from->y, (size_t)from->n * sizeof *to->y);
  if (from->domain) memcpy(to->domain + *at, from->domain, (size_t)from->n * sizeof *to->domain);
  if (from->classes > to->classes) to->classes = from->classes;
  to->left_out += from->left_out;
  if (dataset_is_sparse(to)) {
    const int32_t first = to->offsets[*at];
    memcpy((float *)to->x + first, from->x, dataset_entries(from) * sizeof(float));
    memcpy(to->columns + first, from->columns, dataset_entries(from) * sizeof *to->columns);
    for (int i = 0; i < from->n; i++) to->offsets[*at + i + 1] = first + from->offsets[i + 1];
  } else {
    memcpy((char *)to->x + (size_t)*at * item, from->x, (size_t)from->n * item);
  }
  *at += from->n;
}

int dataset_join(cldann_error *e, dataset *const *parts, int n, dataset **out) {
  const dataset *first = parts[0];
  dataset *to = NULL;
  size_t entries = 0;
  int64_t items = 0;
  int rc = CLDANN_OK, at = 0, domains = 1;
  char name[sizeof first->name];
  for (int i = 0; i < n; i++) {
    TRY(joinable(e, first, parts[i]));
    items += parts[i]->n;
    domains &= parts[i]->domain != NULL;
    if (dataset_is_sparse(parts[i])) entries += dataset_entries(parts[i]);
  }
  if (items > INT32_MAX) FAIL(e, CLDANN_E_ARG, "%lld items are more than a set can have; use count", (long long)items);
  snprintf(name, sizeof name, n > 1 ? "%.40s and %d more" : "%.40s", first->name, n - 1);
  if (dataset_is_sparse(first))
    TRY(dataset_new_sparse(e, &to, name, (int)items, first->h, first->w, first->c, entries, first->y != NULL));
  else
    TRY(dataset_new(e, &to, name, first->type, (int)items, first->h, first->w, first->c, first->y != NULL));
  if (domains) TRY(mem_new(e, &to->domain, (size_t)items, sizeof *to->domain));
  for (int i = 0; i < n; i++) append(to, &at, parts[i]);
  to->names = parts[0]->names, parts[0]->names = NULL;
  *out = to;
  return CLDANN_OK;
fail:
  dataset_free(to);
  return rc;
}

int dataset_set_domain(cldann_error *e, dataset *d, int domain) {
  int rc = CLDANN_OK;
  if (!d->domain) TRY(mem_new(e, &d->domain, (size_t)d->n, sizeof *d->domain));
  for (int i = 0; i < d->n; i++) d->domain[i] = domain;
fail:
  return rc;
}

int dataset_binarise(cldann_error *e, dataset *d) {
  int rc = CLDANN_OK;
  uint8_t *x = d->x;
  size_t all = (size_t)d->n * dataset_item_bytes(d);
  if (d->type != DATA_U8) FAIL(e, CLDANN_E_ARG, "%s holds floats; only images of bytes can be made black and white", d->name);
  for (size_t i = 0; i < all; i++) x[i] = x[i] ? 255 : 0;
fail:
  return rc;
}

int dataset_to_dense(cldann_error *e, dataset *d) {
  int rc = CLDANN_OK;
  const size_t item = dataset_item_bytes(d) / sizeof(float);
  float *x = NULL;
  if (!dataset_is_sparse(d)) return CLDANN_OK;
  TRY(mem_new_pages(e, &x, (size_t)d->n * item, sizeof *x));
  for (int i = 0; i < d->n; i++)
    for (int k = d->offsets[i]; k < d->offsets[i + 1]; k++) x[(size_t)i * item + (size_t)d->columns[k]] = ((float *)d->x)[k];
  mem_free(d->x), mem_free(d->offsets), mem_free(d->columns);
  d->x = x, d->offsets = NULL, d->columns = NULL;
fail:
  return rc;
}

int dataset_to_bytes(cldann_error *e, dataset *d) {
  int rc = CLDANN_OK;
  const size_t all = (size_t)d->n * dataset_item_bytes(d) / sizeof(float);
  uint8_t *bytes = NULL;
  if (d->type == DATA_U8) return CLDANN_OK;
  TRY(dataset_to_dense(e, d));
  const float *x = d->x;
  TRY(mem_new_pages(e, &bytes, all, 1));
  for (size_t i = 0; i < all; i++) {
    if (!(x[i] >= 0 && x[i] <= 1))
      FAIL(e, CLDANN_E_FORMAT, "%s has the number %g; only numbers from 0 to 1 become bytes, so leave bytes = true out",
           d->name, (double)x[i]);
    bytes[i] = (uint8_t)(x[i] * 255 + 0.5f);
  }
  mem_free(d->x);
  d->x = bytes;
  d->type = DATA_U8;
  bytes = NULL;
fail:
  mem_free(bytes);
  return rc;
}

int dataset_check_finite(cldann_error *e, const dataset *d, const char *where) {
  int rc = CLDANN_OK;
  const size_t item = (size_t)d->h * (size_t)d->w * (size_t)d->c;
  const float *x = d->x;
  if (dataset_is_sparse(d)) return CLDANN_OK; /* its reader looks at each number it takes */
  for (size_t i = 0; d->type == DATA_F32 && i < (size_t)d->n * item; i++)
    if (!isfinite(x[i]))
      FAIL(e, CLDANN_E_FORMAT,
           "%s: number %zu of item %zu is %f (both counted from 0); take the item out or put a number there", where, i % item,
           i / item, (double)x[i]);
fail:
  return rc;
}

int dataset_count_classes(cldann_error *e, dataset *d) {
  int rc = CLDANN_OK, classes = 0;
  for (int i = 0; d->y && i < d->n; i++) {
    if (d->y[i] < 0 || d->y[i] == INT32_MAX)
      FAIL(e, CLDANN_E_FORMAT, "%s: item %d has the label %d; labels must count from 0", d->name, i, (int)d->y[i]);
    if (d->y[i] >= classes) classes = d->y[i] + 1;
  }
  d->classes = classes;
fail:
  return rc;
}

void dataset_free(dataset *d) {
  if (!d) return;
  mem_free(d->x);
  mem_free(d->offsets);
  mem_free(d->columns);
  mem_free(d->y);
  mem_free(d->domain);
  for (int i = 0; d->files && i < d->n; i++) mem_free(d->files[i]);
  mem_free(d->files);
  classes_free(d->names);
  mem_free(d->names);
  mem_free(d);
}

/* data/array.c: see data/array.h. */
#include "data/array.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/text.h"
#include "data/classes.h"

enum { PACKED_MOST = 1032 /* deflate cannot shrink more than 1032 : 1 */ };

int array_new(cldann_error *e, const file_request *r, data_type type, int rank, const uint64_t *size, uint64_t packed,
              dataset **out) {
  int rc = CLDANN_OK;
  int s[ARRAY_DIMS] = {1, 1, 1, 1};
  uint64_t all = type == DATA_U8 ? 1 : sizeof(float);
  if (rank < 1 || rank > ARRAY_DIMS)
    FAIL(e, CLDANN_E_FORMAT, "%s: the features have %d dimensions; 1 to %d are read: items, height, width, channels", r->path,
         rank, ARRAY_DIMS);
  for (int i = 0; i < rank; i++) {
    if (size[i] < 1 || size[i] > INT32_MAX || all > UINT64_MAX / size[i])
      FAIL(e, CLDANN_E_FORMAT, "%s: the features have size %llu in dimension %d; the file is damaged or empty", r->path,
           (unsigned long long)size[i], i + 1);
    all *= size[i];
    s[i] = (int)size[i];
  }
  if (packed > 0 && all / PACKED_MOST > packed)
    FAIL(e, CLDANN_E_FORMAT, "%s claims %llu bytes of features, more than its %llu bytes can hold; it is damaged or truncated",
         r->path, (unsigned long long)all, (unsigned long long)packed);
  TRY(dataset_new(e, out, text_base(r->path), type, s[0], rank > 2 ? s[1] : 1, rank > 2 ? s[2] : 1, rank == 2 ? s[1] : s[3],
                  0));
fail:
  return rc;
}

int array_labels(cldann_error *e, const file_request *r, const char *name, const double *labels, uint64_t n, dataset *d) {
  int rc = CLDANN_OK;
  class_list list = {0};
  char where[300];
  if (n != (uint64_t)d->n)
    FAIL(e, CLDANN_E_FORMAT, "%s: %.60s has %llu labels for %d items; give the labels of these features", r->path, name,
         (unsigned long long)n, d->n);
  TRY(mem_new(e, &d->y, (size_t)n, sizeof *d->y));
  for (int i = 0; i < d->n; i++) {
    snprintf(where, sizeof where, "%.200s: %.60s[%d]", r->path, name, i);
    TRY(classes_add_number(e, &list, where, labels[i], &d->y[i]));
  }
  TRY(classes_settle(e, d, &list));
fail:
  classes_free(&list);
  return rc;
}

int array_is_vector(int rank, const uint64_t *size, uint64_t *n) {
  int longer = 0;
  *n = 1;
  for (int i = 0; i < rank; i++) {
    longer += size[i] != 1;
    if (size[i] != 1) *n = size[i];
  }
  return rank > 0 && longer <= 1;
}

void array_name(array_names *l, const char *name) {
  const size_t from = l->at;
  if (l->at + 48 < sizeof l->text)
    l->at += (size_t)snprintf(l->text + l->at, sizeof l->text - l->at, "%s%.40s", l->n ? ", " : "", name);
  else if (!text_ends_with(l->text, "..."))
    l->at += (size_t)snprintf(l->text + l->at, sizeof l->text - l->at, ", ...");
  for (size_t i = from; i < l->at; i++) /* a damaged file's names may be anything, and an error is one line */
    if ((unsigned char)l->text[i] < ' ') l->text[i] = '?';
  l->n++;
}

int array_missing(cldann_error *e, const file_request *r, const char *key, const char *wanted, const array_names *l) {
  if (!wanted)
    return err_set(e, CLDANN_E_ARG, __FILE__, __LINE__, "%s: which array? Give %s = \"...\"; the file has %s", r->path, key,
                   l->n ? l->text : "none");
  return err_set(e, CLDANN_E_ARG, __FILE__, __LINE__, "%s has no %.60s for %s; it has %s", r->path, wanted, key,
                 l->n ? l->text : "no arrays");
}

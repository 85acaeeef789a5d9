/*
 * data/hdf5.c: HDF5 files, by libhdf5: one data set of the file for the features, one for the labels, named by their paths.
 * Unsigned bytes stay bytes; other numbers become floats. The library's own error stack is silenced while we read and then as
 * it was. Without libhdf5, an error says so. See data/array.h.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include <string.h>

#include "base/mem.h"
#include "data/array.h"

#ifdef HAVE_HDF5
#include <hdf5.h>

typedef struct open_set {
  hid_t set, type, space;
  int rank;
  uint64_t size[H5S_MAX_RANK];
} open_set;

static void set_close(open_set *s) {
  if (s->space >= 0) H5Sclose(s->space);
  if (s->type >= 0) H5Tclose(s->type);
  if (s->set >= 0) H5Dclose(s->set);
}

static herr_t visit(hid_t group, const char *name, const H5L_info_t *info, void *names) {
  hid_t object = info->type == H5L_TYPE_HARD ? H5Oopen(group, name, H5P_DEFAULT) : -1;
  if (object >= 0 && H5Iget_type(object) == H5I_DATASET) array_name(names, name);
  if (object >= 0) H5Oclose(object);
  return 0;
}

static int set_open(cldann_error *e, const file_request *r, hid_t file, const char *key, const char *name, open_set *s) {
  int rc = CLDANN_OK;
  hsize_t size[H5S_MAX_RANK];
  array_names all = {.n = 0};
  if (name) s->set = H5Dopen2(file, name, H5P_DEFAULT);
  if (s->set < 0) {
    H5Lvisit(file, H5_INDEX_NAME, H5_ITER_INC, visit, &all);
    rc = array_missing(e, r, key, name, &all);
    goto fail;
  }
  s->type = H5Dget_type(s->set);
  s->space = H5Dget_space(s->set);
  const H5T_class_t class = s->type >= 0 ? H5Tget_class(s->type) : H5T_NO_CLASS;
  if (class != H5T_INTEGER && class != H5T_FLOAT)
    FAIL(e, CLDANN_E_FORMAT, "%s: %.60s holds no plain numbers; name another data set", r->path, name);
  s->rank = s->space >= 0 ? H5Sget_simple_extent_dims(s->space, size, NULL) : -1;
  if (s->rank < 1) FAIL(e, CLDANN_E_FORMAT, "%s: %.60s is no array; name another data set", r->path, name);
  for (int i = 0; i < s->rank; i++) s->size[i] = size[i];
fail:
  return rc;
}

static int read_features(cldann_error *e, const file_request *r, hid_t file, dataset **out) {
  int rc;
  open_set s = {-1, -1, -1, 0, {0}};
  dataset *d = NULL;
  TRY(set_open(e, r, file, "features", r->features, &s));
  const int bytes = H5Tget_class(s.type) == H5T_INTEGER && H5Tget_size(s.type) == 1 && H5Tget_sign(s.type) == H5T_SGN_NONE;
  const uint64_t stored = H5Dget_storage_size(s.set);
  if (stored == 0) FAIL(e, CLDANN_E_FORMAT, "%s: %.60s holds no data; was the file written to its end?", r->path, r->features);
  TRY(array_new(e, r, bytes ? DATA_U8 : DATA_F32, s.rank, s.size, stored, &d));
  if (H5Dread(s.set, bytes ? H5T_NATIVE_UCHAR : H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, d->x) < 0)
    FAIL(e, CLDANN_E_FORMAT, "%s: %.60s cannot be read; the file is damaged, or packed by a filter that libhdf5 lacks here",
         r->path, r->features);
  *out = d;
  d = NULL;
fail:
  dataset_free(d);
  set_close(&s);
  return rc;
}

static int read_labels(cldann_error *e, const file_request *r, hid_t file, dataset *d) {
  int rc;
  uint64_t n;
  double *labels = NULL;
  open_set s = {-1, -1, -1, 0, {0}};
  TRY(set_open(e, r, file, "labels", r->labels, &s));
  if (!array_is_vector(s.rank, s.size, &n) || n != (uint64_t)d->n)
    FAIL(e, CLDANN_E_FORMAT, "%s: %.60s is not one label for each of the %d items; name another data set", r->path, r->labels,
         d->n);
  TRY(mem_new(e, &labels, n, sizeof *labels));
  if (H5Dread(s.set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, labels) < 0)
    FAIL(e, CLDANN_E_FORMAT, "%s: %.60s cannot be read; the file is damaged", r->path, r->labels);
  TRY(array_labels(e, r, r->labels, labels, n, d));
fail:
  mem_free(labels);
  set_close(&s);
  return rc;
}

static int hdf5_read(cldann_error *e, const file_request *r, dataset **out) {
  int rc = CLDANN_OK;
  H5E_auto2_t report = NULL;
  void *report_data = NULL;
  hid_t file = -1;
  dataset *d = NULL;
  H5Eget_auto2(H5E_DEFAULT, &report, &report_data);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  file = H5Fopen(r->path, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file < 0)
    FAIL(e, CLDANN_E_FORMAT, "%s: libhdf5 cannot open it; it is truncated, damaged, packed or still being written", r->path);
  TRY(read_features(e, r, file, &d));
  if (r->labels) TRY(read_labels(e, r, file, d));
  *out = d;
  d = NULL;
fail:
  dataset_free(d);
  if (file >= 0) H5Fclose(file);
  H5Eset_auto2(H5E_DEFAULT, report, report_data);
  return rc;
}

#else

static int hdf5_read(cldann_error *e, const file_request *r, dataset **out) {
  (void)out;
  return err_set(e, CLDANN_E_ARG, __FILE__, __LINE__,
                 "%s is HDF5, and this build is without it; install libhdf5 (Debian: libhdf5-dev), configure and make again",
                 r->path);
}

#endif

/* The signature stands at 0 or, behind a block of the user's own, at 512, 1024, ... */
static int hdf5_probe(const file_head *h) {
  for (size_t at = 0; at + 8 <= h->n; at = at ? 2 * at : 512)
    if (!memcmp(h->bytes + at, "\x89HDF\r\n\x1a\n", 8)) return 1;
  return 0;
}

const file_format format_hdf5 = {"hdf5", hdf5_probe, hdf5_read, FILE_FEATURES | FILE_LABELS | FILE_SHAPE};

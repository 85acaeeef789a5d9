/* data/file.c: see data/file.h. */
#include "data/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "data/resample.h"

/* The first that takes a file reads it: formats with a magic number before those of plain text. */
static const file_format *const formats[] = {&format_folder, &format_image, &format_matlab, &format_hdf5,     &format_idx,
                                             &format_npy,    &format_npz,   &format_list,   &format_svmlight, &format_csv};
enum { FORMATS = sizeof formats / sizeof *formats };

/* "svmlight, csv, ...": for messages. */
static void list_formats(char *to, size_t room) {
  size_t at = 0;
  to[0] = 0;
  for (int i = 0; i < FORMATS && at < room; i++)
    at += (size_t)snprintf(to + at, room - at, "%s%s", i ? ", " : "", formats[i]->name);
}

static int read_head(cldann_error *e, const char *path, file_head *h) {
  int rc = CLDANN_OK, got;
  struct stat st;
  gzFile f = NULL;
  memset(h, 0, sizeof *h);
  h->path = path;
  if (stat(path, &st) != 0) FAIL(e, CLDANN_E_IO, "cannot open %s: %s; check its name and permissions", path, strerror(errno));
  h->is_folder = S_ISDIR(st.st_mode);
  if (h->is_folder) return CLDANN_OK;
  if (!S_ISREG(st.st_mode)) FAIL(e, CLDANN_E_IO, "%s is neither a file nor a folder; give the path of a data set", path);
  if (!(f = gzopen(path, "rb")))
    FAIL(e, CLDANN_E_IO, "cannot open %s: %s; check its name and permissions", path, strerror(errno));
  got = gzread(f, h->bytes, FILE_HEAD); /* what is wrong with a gzip file is its reader's to say */
  h->n = got > 0 ? (size_t)got : 0;
  if (h->n == 0) FAIL(e, CLDANN_E_FORMAT, "%s is empty or damaged; fetch or make it again", path);
fail:
  if (f) gzclose(f);
  return rc;
}

static int find_format(cldann_error *e, const file_request *r, const file_format **out) {
  int rc = CLDANN_OK;
  char list[200];
  file_head h;
  TRY(read_head(e, r->path, &h));
  list_formats(list, sizeof list);
  for (int i = 0; i < FORMATS; i++)
    if (r->format ? !strcmp(r->format, formats[i]->name) : formats[i]->probe(&h)) {
      *out = formats[i];
      return CLDANN_OK;
    }
  if (r->format) FAIL(e, CLDANN_E_ARG, "there is no format \"%.40s\"; it is one of %s", r->format, list);
  FAIL(e, CLDANN_E_FORMAT, "%s is in no format that is read here (%s); if it is one of them, say which, as format = \"...\"",
       r->path, list);
fail:
  return rc;
}

int file_tell(cldann_error *e, const char *path, const file_format **out) {
  return find_format(e, &(file_request){.path = path}, out);
}

static int check_keys(cldann_error *e, const file_request *r, const file_format *f) {
  int rc = CLDANN_OK;
  const struct {
    unsigned key;
    int given;
    const char *name;
  } keys[] = {
      {FILE_FEATURES, r->features != NULL, "features"},
      {FILE_LABELS, r->labels != NULL, "labels"},
      {FILE_WIDTH, r->width > 0, "width"},
      {FILE_SHAPE, r->shape[0] > 0, "shape"},
      {FILE_IMAGES, r->skip_bad, "skip_bad"},
  };
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    if (keys[i].given && !(f->keys & keys[i].key))
      FAIL(e, CLDANN_E_ARG, "%s is in format %s, which has no %s; leave that key out", r->path, f->name, keys[i].name);
fail:
  return rc;
}

static int give_shape(cldann_error *e, const file_request *r, dataset *d) {
  int rc = CLDANN_OK;
  const int *s = r->shape;
  if (s[0] == 0) return CLDANN_OK;
  if ((int64_t)s[0] * s[1] * s[2] != (int64_t)d->h * d->w * d->c)
    FAIL(e, CLDANN_E_ARG, "%s has items of %d x %d x %d, which shape = [%d, %d, %d] cannot hold; give one of as many numbers",
         r->path, d->h, d->w, d->c, s[0], s[1], s[2]);
  d->h = s[0];
  d->w = s[1];
  d->c = s[2];
fail:
  return rc;
}

int file_read(cldann_error *e, const file_request *r, dataset **out) {
  int rc = CLDANN_OK;
  const file_format *f = NULL;
  dataset *d = NULL;
  TRY(find_format(e, r, &f));
  TRY(check_keys(e, r, f));
  TRY(f->read(e, r, &d));
  TRY(dataset_check_finite(e, d, r->path));
  TRY(give_shape(e, r, d));
  if (r->bytes) TRY(dataset_to_bytes(e, d));
  if (!(f->keys & FILE_IMAGES)) TRY(dataset_resample(e, d, r->resize, r->crop)); /* those may be of any size before */
  *out = d;
  d = NULL;
fail:
  dataset_free(d);
  return rc;
}

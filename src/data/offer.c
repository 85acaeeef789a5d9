/* data/offer.c: see data/offer.h. */
#define _POSIX_C_SOURCE 200809L
#include "data/offer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "data/classes.h"
#include "data/find.h"

/* What arrays are called; of a file that has "train" in its names, the test rows are where that is "test". */
static const struct {
  const char *features, *labels;
} array_pairs[] = {
    {"x_train", "y_train"},
    {"X_train", "y_train"},
    {"train/data", "train/target"},
    {"train/data", "train/labels"},
    {"train/images", "train/labels"},
    {"x", "y"},
    {"X", "y"},
    {"X", "Y"},
    {"data", "labels"},
    {"data", "label"},
    {"data", "target"},
    {"features", "labels"},
    {"images", "labels"},
    {"fea", "gnd"},
    {"fts", "labels"},
    {"arr_0", "arr_1"},
};
static const char *const label_columns[] = {"label", "labels", "class", "target", "y",
                                            "Label", "Labels", "Class", "Target", "category"};
/* How the file of labels beside a file of features is called. */
static const struct {
  const char *features, *labels;
} file_pairs[] = {{"images-idx3", "labels-idx1"},
                  {"images-idx4", "labels-idx1"},
                  {"images-idx2", "labels-idx1"},
                  {"images", "labels"},
                  {"features", "labels"},
                  {"data", "labels"},
                  {"X", "y"},
                  {"x", "y"},
                  {".npy", "_labels.npy"}};
static const char *const test_folders[] = {"test", "val", "valid", "validation"};

enum { CLASSES_LIKELY = 100 }; /* a column of whole numbers with more values than that is no label by its looks */

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* ---- words ---- */

/* *out: s with the last `from` in it replaced, or NULL where it has none. */
static int replace(cldann_error *e, const char *s, const char *from, const char *to, char **out) {
  const char *at = NULL;
  int rc = CLDANN_OK;
  *out = NULL;
  for (const char *p = strstr(s, from); p; p = strstr(p + 1, from)) at = p;
  if (!at) return CLDANN_OK;
  TRY(mem_new(e, out, strlen(s) + strlen(to) + 1, 1));
  sprintf(*out, "%.*s%s%s", (int)(at - s), s, to, at + strlen(from));
fail:
  return rc;
}

static int is_there(const char *folder, const char *name, int want_folder) {
  char path[4096];
  struct stat st;
  snprintf(path, sizeof path, "%s%s%s", folder, name[0] ? "/" : "", name);
  return stat(path, &st) == 0 && (S_ISDIR(st.st_mode) ? want_folder : !want_folder);
}

/* ---- one part ---- */

static void part_close(part *p) {
  mem_free(p->path), mem_free(p->found), mem_free(p->features), mem_free(p->labels), mem_free(p->sizes.at);
  dataset_free(p->d);
  *p = (part){0};
}

static int part_open(cldann_error *e, const char *data_dir, const char *path, part *p) {
  const file_format *f;
  int rc;
  TRY(mem_strdup(e, &p->path, path));
  for (size_t n = strlen(p->path); n > 1 && p->path[n - 1] == '/';) p->path[--n] = 0;
  TRY(data_find(e, data_dir, p->path, &p->found));
  TRY(file_tell(e, p->found, &f));
  p->format = f->name;
  p->r = (file_request){.path = p->found};
  if (f->keys & FILE_IMAGES) {
    p->r.skip_bad = 1;
    p->r.resize[0] = p->r.resize[1] = OFFER_SIDE;
    p->r.sizes = &p->sizes;
  }
fail:
  return rc;
}

int part_read(cldann_error *e, part *p) {
  dataset *d = NULL;
  int rc;
  p->sizes.n = 0;
  TRY(file_read(e, &p->r, &d));
  dataset_free(p->d);
  p->d = d;
fail:
  return rc;
}

/* 1: read, with these names; 0: it cannot be, *why says so; negative: an error. */
static int attempt(cldann_error *e, part *p, const char *features, const char *labels, cldann_error *why) {
  char *own[2] = {NULL, NULL};
  int rc;
  if (features) TRY(mem_strdup(e, &own[0], features));
  if (labels) TRY(mem_strdup(e, &own[1], labels));
  mem_free(p->features), mem_free(p->labels);
  p->r.features = p->features = own[0], p->r.labels = p->labels = own[1];
  own[0] = own[1] = NULL;
  err_clear(why);
  rc = part_read(why, p);
  if (rc == CLDANN_E_MEM) *e = *why;
  if (rc < 0) return rc == CLDANN_E_MEM ? rc : 0;
  return 1;
fail:
  mem_free(own[0]), mem_free(own[1]);
  return rc;
}

/* The names that people use, with labels and then without. */
static int find_arrays(cldann_error *e, part *p, const char *features, const char *labels, cldann_error *why) {
  int rc = 0;
  if (features || labels) return attempt(e, p, features, labels, why);
  for (int with = 1; with >= 0 && rc == 0; with--)
    for (size_t i = 0; i < COUNT(array_pairs) && rc == 0; i++)
      rc = attempt(e, p, array_pairs[i].features, with ? array_pairs[i].labels : NULL, why);
  return rc ? rc : attempt(e, p, NULL, NULL, why); /* whose error lists the names there are */
}

static int find_beside(cldann_error *e, part *p, const char *labels, cldann_error *why) {
  const char *base = text_base(p->found);
  char *folder = NULL, *name = NULL;
  int rc;
  TRY(mem_strdup(e, &folder, p->found));
  folder[base > p->found ? base - p->found - 1 : 0] = 0;
  if (labels) {
    TRY(attempt(e, p, NULL, labels, why));
    goto fail;
  }
  for (size_t i = 0; i < COUNT(file_pairs); i++) {
    TRY(replace(e, base, file_pairs[i].features, file_pairs[i].labels, &name));
    if (name && is_there(folder[0] ? folder : ".", name, 0)) {
      TRY(attempt(e, p, NULL, name, why));
      if (rc > 0) goto fail;
    }
    mem_free(name);
    name = NULL;
  }
  TRY(attempt(e, p, NULL, NULL, why));
fail:
  mem_free(folder);
  mem_free(name);
  return rc;
}

/* Does a column look like labels: whole numbers, few of them, none by itself? */
static int looks_like_labels(const dataset *d, int column) {
  float seen[CLASSES_LIKELY];
  int n = 0, k;
  for (int i = 0; i < d->n; i++) {
    const float v = ((const float *)d->x)[(size_t)i * (size_t)d->c + (size_t)column];
    if (v != floorf(v) || fabsf(v) > 1e6f) return 0;
    for (k = 0; k < n && seen[k] != v; k++) continue;
    if (k == n && n == CLASSES_LIKELY) return 0;
    if (k == n) seen[n++] = v;
  }
  return n > 1 && 2 * n <= d->n;
}

/* The column of labels by its name, or as the only one that holds no numbers, or by its looks: the last, or the first. */
static int find_column(cldann_error *e, part *p, cldann_error *why) {
  int rc = 0;
  for (size_t i = 0; i < COUNT(label_columns) && rc == 0; i++) rc = attempt(e, p, NULL, label_columns[i], why);
  if (rc == 0 && (rc = attempt(e, p, NULL, NULL, why)) == 1) {
    const char *column = p->d->c < 2                            ? NULL
                         : looks_like_labels(p->d, p->d->c - 1) ? "-1"
                         : looks_like_labels(p->d, 0)           ? "0"
                                                                : NULL;
    return column ? attempt(e, p, NULL, column, why) : rc;
  }
  if (rc == 0) rc = attempt(e, p, NULL, "-1", why);
  if (rc == 0) rc = attempt(e, p, NULL, "0", why);
  if (rc == 0) rc = attempt(e, p, NULL, NULL, why); /* whose error names the column */
  return rc;
}

/* As the source has it, unless the column is not there. */
static int find_same_column(cldann_error *e, part *p, const part *like, cldann_error *why) {
  const int by_number = like->labels && strspn(like->labels, "-0123456789") == strlen(like->labels);
  int rc = attempt(e, p, NULL, NULL, why);
  if (rc < 0 || (rc == 1 && by_number && p->d->c == like->d->c)) return rc;
  if ((rc = attempt(e, p, NULL, like->labels, why)) == 0) rc = attempt(e, p, NULL, NULL, why);
  return rc;
}

/* like: a part that has its labels in the same way, or NULL. */
static int part_find(cldann_error *e, part *p, const char *features, const char *labels, const part *like) {
  cldann_error why;
  int rc;
  const int same = like && !strcmp(like->format, p->format);
  err_clear(&why);
  if (!strcmp(p->format, "csv") && labels && like)
    rc = find_same_column(e, p, &(part){.labels = (char *)labels, .d = like->d, .format = p->format}, &why);
  else if (!strcmp(p->format, "csv") && labels)
    rc = attempt(e, p, NULL, labels, &why);
  else if (!strcmp(p->format, "csv"))
    rc = same ? find_same_column(e, p, like, &why) : find_column(e, p, &why);
  else if (!strcmp(p->format, "npy") || !strcmp(p->format, "idx"))
    rc = find_beside(e, p, labels, &why);
  else if (!strcmp(p->format, "npz") || !strcmp(p->format, "hdf5") || !strcmp(p->format, "matlab"))
    rc = find_arrays(e, p, features, labels, &why);
  else
    rc = attempt(e, p, NULL, NULL, &why);
  if (rc == 0 && labels && like) rc = attempt(e, p, features, NULL, &why); /* a target need not have them */
  if (rc == 0) *e = why;
  return rc == 0 ? why.code : rc < 0 ? rc : CLDANN_OK;
}

/* ---- which part is where ---- */

/* *train, *test: what `path` has of them; *test NULL where it has no second. */
static int split(cldann_error *e, const char *found, const char *path, char **train, char **test) {
  static const char *const idx[] = {"train-images-idx3-ubyte", "train-images-idx3-ubyte.gz", "train-images-idx4-ubyte",
                                    "train-images-idx4-ubyte.gz"};
  int rc;
  char *other = NULL, *there = NULL;
  if (is_there(found, "", 1)) {
    if (is_there(found, "train", 1)) TRY(text_join(e, train, path, "train"));
    for (size_t i = 0; i < COUNT(test_folders) && *train && !*test; i++)
      if (is_there(found, test_folders[i], 1)) TRY(text_join(e, test, path, test_folders[i]));
    for (size_t i = 0; i < COUNT(idx) && !*train; i++) {
      if (!is_there(found, idx[i], 0)) continue;
      TRY(text_join(e, train, path, idx[i]));
      TRY(replace(e, idx[i], "train", "t10k", &other));
      if (is_there(found, other, 0)) TRY(text_join(e, test, path, other));
    }
  } else if (strstr(text_base(path), "train")) {
    static const char *const words[] = {"test", "t10k"};
    for (size_t i = 0; i < COUNT(words) && !*test; i++) {
      mem_free(other), mem_free(there);
      other = there = NULL;
      TRY(replace(e, path, "train", words[i], &other));
      TRY(replace(e, found, "train", words[i], &there));
      if (other && there && is_there(there, "", 0)) *test = other, other = NULL;
    }
  }
  if (!*train) TRY(mem_strdup(e, train, path));
fail:
  mem_free(other);
  mem_free(there);
  return rc;
}

/* The test rows that go with those to train on: in another file, or in other arrays of the same. */
static int open_test(cldann_error *e, const char *data_dir, const char *path, offer *o) {
  char *features = NULL, *labels = NULL;
  cldann_error why;
  int rc = CLDANN_OK;
  if (path) {
    TRY(part_open(e, data_dir, path, &o->test));
    const int beside = o->train.labels && strcmp(o->train.format, "csv") != 0 && !o->train.features;
    if (beside) TRY(replace(e, o->train.labels, "train", strstr(path, "t10k") ? "t10k" : "test", &labels));
    TRY(part_find(e, &o->test, o->train.features, labels ? labels : o->train.labels, NULL));
  } else if (o->train.features && strstr(o->train.features, "train")) {
    TRY(replace(e, o->train.features, "train", "test", &features));
    if (o->train.labels) TRY(replace(e, o->train.labels, "train", "test", &labels));
    TRY(part_open(e, data_dir, o->train.path, &o->test));
    TRY(attempt(e, &o->test, features, labels, &why));
    if (rc == 0) part_close(&o->test); /* it has none */
    rc = CLDANN_OK;
  }
fail:
  mem_free(features);
  mem_free(labels);
  return rc;
}

/* A folder with one folder that is no class of the source's: images without labels. */
static int look_into_folder(cldann_error *e, const char *data_dir, const part *like, part *p) {
  const class_list *known = like->d->names, *own = p->d->names;
  char *path = NULL;
  int rc;
  if (strcmp(p->format, "folder") || !own || own->n != 1) return CLDANN_OK;
  for (int i = 0; known && i < known->n; i++)
    if (!strcmp(known->name[i], own->name[0])) return CLDANN_OK;
  TRY(text_join(e, &path, p->path, own->name[0]));
  part_close(p);
  TRY(part_open(e, data_dir, path, p));
  TRY(part_read(e, p));
fail:
  mem_free(path);
  return rc;
}

int offer_open(cldann_error *e, const char *data_dir, const char *path, const char *features, const char *labels,
               const offer *like, offer *o) {
  char *found = NULL, *train = NULL, *test = NULL, *whole = NULL;
  int rc;
  *o = (offer){.train = {.path = NULL}};
  TRY(mem_strdup(e, &whole, path));
  for (size_t n = strlen(whole); n > 1 && whole[n - 1] == '/';) whole[--n] = 0;
  TRY(data_find(e, data_dir, whole, &found));
  TRY(split(e, found, whole, &train, &test));
  TRY(part_open(e, data_dir, train, &o->train));
  TRY(part_find(e, &o->train, features, labels, like ? &like->train : NULL));
  if (like) TRY(look_into_folder(e, data_dir, &like->train, &o->train));
  TRY(open_test(e, data_dir, test, o));
fail:
  mem_free(found), mem_free(train), mem_free(test), mem_free(whole);
  return rc;
}

void offer_close(offer *o) {
  part_close(&o->train);
  part_close(&o->test);
}

/* train/experiment_sets.c: see train/experiment_sets.h. A row of kinds and a loader add a kind. Files are found by data/find.h.
 */
#include "train/experiment_sets.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "data/blobs.h"
#include "data/digits.h"
#include "data/file.h"
#include "data/find.h"
#include "data/idx.h"
#include "data/moons.h"
#include "data/resample.h"

#define END \
  { .name = NULL }

const char *const role_names[ROLES] = {"source", "target", "source_test", "target_test"};

/* ---- the keys ---- */

static const char *const splits[] = {"train", "test", NULL};
static const char *const kind_names[] = {"idx", "mnist", "mnist-m", "blobs", "digits", "file", "moons", "several", NULL};

/* All keys of all kinds; which kind has which is in `kinds`. */
const conf_key conf_set_keys[] = {
    {.name = "kind", .type = CONF_CHOICE, .choices = kind_names},
    {.name = "path", .type = CONF_TEXT, .max = 1000},
    {.name = "format", .type = CONF_TEXT, .max = 40},
    {.name = "features", .type = CONF_TEXT, .max = 200},
    {.name = "width", .type = CONF_INT, .min = 1, .max = 1 << 24},
    {.name = "shape", .type = CONF_SHAPE},
    {.name = "bytes", .type = CONF_FLAG},
    {.name = "resize", .type = CONF_PAIR},
    {.name = "crop", .type = CONF_PAIR},
    {.name = "skip_bad", .type = CONF_FLAG},
    {.name = "images", .type = CONF_TEXT, .max = 1000},
    {.name = "labels", .type = CONF_TEXT, .max = 1000},
    {.name = "dir", .type = CONF_TEXT, .max = 1000},
    {.name = "bsds", .type = CONF_TEXT, .max = 1000},
    {.name = "split", .type = CONF_CHOICE, .choices = splits},
    {.name = "skip", .type = CONF_INT, .min = 0, .max = 1e9},
    {.name = "count", .type = CONF_INT, .min = 1, .max = 1e9},
    {.name = "binarise", .type = CONF_FLAG},
    {.name = "n", .type = CONF_INT, .min = 1, .max = 1e7},
    {.name = "seed", .type = CONF_INT, .min = 0, .max = 9e18},
    {.name = "rotate", .type = CONF_NUMBER, .min = -360, .max = 360},
    {.name = "sets", .type = CONF_GROUPS, .keys = conf_set_keys},
    END,
};

/* ---- one set ---- */

typedef struct kind_row {
  int (*load)(loader *l, const set_view *v, dataset **out);
  const char *keys[16]; /* besides kind */
  const char *required; /* one of them, or NULL */
  const char *what;     /* that one is */
} kind_row;

static const config_setting_t *set_get_upto(const struct config *c, role r, const char *key, int last, int *layer) {
  char path[64];
  snprintf(path, sizeof path, "data.%s.%s", role_names[r], key);
  return conf_get_upto(c, path, last, layer);
}

const config_setting_t *set_get(const set_view *v, const char *key) {
  if (v->part) return conf_member(v->part, key);
  return set_get_upto(v->c, v->r, key, v->last, NULL);
}

int set_has_of_file(const set_view *v, const char *key) {
  int layer = CONF_SETS;
  return set_get_upto(v->c, v->r, key, v->last, &layer) && layer != CONF_SETS;
}

int set_open(const cldann_experiment *x, role r, set_view *v) {
  const config_setting_t *kind;
  *v = (set_view){.c = x->cfg, .r = r, .kind = SET_OWN, .last = CONF_FILE};
  if (own_data_is(x, r)) return 1;
  kind = set_get_upto(x->cfg, r, "kind", CONF_FILE, &v->last);
  v->kind = conf_choice(kind, kind_names, SET_OWN);
  return kind != NULL;
}

int set_parts(const set_view *v) {
  const config_setting_t *sets = set_get(v, "sets");
  return sets ? config_setting_length(sets) : 1;
}

set_view set_part(const set_view *v, int i) {
  set_view p = *v;
  p.part = config_setting_get_elem(set_get(v, "sets"), (unsigned)i);
  p.kind = conf_choice(set_get(&p, "kind"), kind_names, -1);
  return p;
}

static int load_photos(loader *l, const char *name) {
  int rc;
  char *path = NULL;
  TRY(data_find(l->err, l->x->data_dir, name, &path));
  if (!l->photos || strcmp(path, l->photos_path)) {
    mnistm_free_backgrounds(l->photos);
    l->photos = NULL;
    TRY(mnistm_load_backgrounds(l->err, path, 0, &l->photos));
    mem_free(l->photos_path);
    l->photos_path = path;
    path = NULL;
  }
fail:
  mem_free(path);
  return rc;
}

static int trim(loader *l, const set_view *v, dataset *d, int *skip) {
  *skip = (int)conf_int(set_get(v, "skip"), 0);
  if (*skip >= d->n)
    return conf_bad(v->c, set_get(v, "skip"), CLDANN_E_CONFIG, "data.%s (%s) has %d items: skipping %d leaves none; skip fewer",
                    role_names[v->r], d->name, d->n, *skip);
  return dataset_trim(l->err, d, *skip, (int)conf_int(set_get(v, "count"), -1));
}

static int load_idx(loader *l, const set_view *v, dataset **out) {
  int rc, skip;
  char *images = NULL, *labels = NULL;
  dataset *d = NULL;
  const char *label_name = conf_text(set_get(v, "labels"), NULL);
  TRY(data_find(l->err, l->x->data_dir, conf_text(set_get(v, "images"), ""), &images));
  TRY(idx_read_images(l->err, images, &d));
  if (label_name) {
    TRY(data_find(l->err, l->x->data_dir, label_name, &labels));
    TRY(idx_read_labels(l->err, labels, d));
  }
  TRY(trim(l, v, d, &skip));
  *out = d;
  d = NULL;
fail:
  dataset_free(d);
  mem_free(images);
  mem_free(labels);
  return rc;
}

/* The digits of MNIST; `first` gets the index of the first in its file. */
static int load_digits_of_mnist(loader *l, const set_view *v, dataset **out, int *first) {
  int rc;
  char *dir = NULL;
  dataset *d = NULL;
  TRY(data_find(l->err, l->x->data_dir, conf_text(set_get(v, "dir"), "mnist"), &dir));
  TRY(idx_read_named(l->err, dir, "", conf_choice(set_get(v, "split"), splits, role_test(v->r)), &d));
  TRY(trim(l, v, d, first));
  *out = d;
  d = NULL;
fail:
  dataset_free(d);
  mem_free(dir);
  return rc;
}

static int load_mnist(loader *l, const set_view *v, dataset **out) {
  int rc, first, resize[2] = {0, 0};
  dataset *d = NULL;
  TRY(load_digits_of_mnist(l, v, &d, &first));
  conf_sizes(set_get(v, "resize"), resize);
  TRY(dataset_resample(l->err, d, resize, (const int[2]){0, 0}));
  TRY(dataset_rotate(l->err, d, conf_number(set_get(v, "rotate"), 0)));
  *out = d;
  d = NULL;
fail:
  dataset_free(d);
  return rc;
}

/* The same images as `cldann data mnist-m` writes for this seed, whatever part of them is asked for. */
static int load_mnistm(loader *l, const set_view *v, dataset **out) {
  int rc, first, resize[2] = {0, 0};
  dataset *digits = NULL, *d = NULL;
  const int test = conf_choice(set_get(v, "split"), splits, role_test(v->r));
  TRY(load_digits_of_mnist(l, v, &digits, &first));
  TRY(load_photos(l, conf_text(set_get(v, "bsds"), "BSR_bsds500.tgz")));
  TRY(mnistm_make(l->err, l->photos, digits, (uint64_t)conf_int(set_get(v, "seed"), 1),
                  (uint64_t)(first + (test ? MNISTM_TEST_INDEX : 0)), 0, &d));
  conf_sizes(set_get(v, "resize"), resize);
  TRY(dataset_resample(l->err, d, resize, (const int[2]){0, 0}));
  *out = d;
  d = NULL;
fail:
  dataset_free(d);
  dataset_free(digits);
  return rc;
}

static uint64_t generator_seed(loader *l, const set_view *v) {
  return (uint64_t)conf_int(set_get(v, "seed"), (int64_t)l->x->s.seed);
}

static int load_blobs(loader *l, const set_view *v, dataset **out) {
  return blobs_make(l->err, generator_seed(l, v), role_domain(v->r) ? BLOBS_TARGET : BLOBS_SOURCE,
                    (int)conf_int(set_get(v, "n"), BLOBS_POINTS), out);
}

static int load_moons(loader *l, const set_view *v, dataset **out) {
  return moons_make(l->err, generator_seed(l, v), role_domain(v->r) ? MOONS_TARGET : MOONS_SOURCE,
                    (int)conf_int(set_get(v, "n"), MOONS_POINTS), out);
}

static int load_digits(loader *l, const set_view *v, dataset **out) {
  return digits_make(l->err, generator_seed(l, v), role_test(v->r) ? DIGITS_TEST : DIGITS_TRAIN,
                     role_domain(v->r) ? DIGITS_TARGET : DIGITS_SOURCE,
                     (int)conf_int(set_get(v, "n"), role_test(v->r) ? 2000 : 10000), 0, out);
}

/* A file in a usual format; a mistake in its keys is told with the place of `path`. */
static int load_file(loader *l, const set_view *v, dataset **out) {
  int rc, skip;
  char *path = NULL;
  dataset *d = NULL;
  file_request r = {.format = conf_text(set_get(v, "format"), NULL),
                    .features = conf_text(set_get(v, "features"), NULL),
                    .labels = l->unlabelled ? NULL : conf_text(set_get(v, "labels"), NULL),
                    .width = (int)conf_int(set_get(v, "width"), 0),
                    .bytes = conf_flag(set_get(v, "bytes"), 0),
                    .skip_bad = conf_flag(set_get(v, "skip_bad"), 0)};
  if (r.labels && !r.labels[0]) r.labels = NULL; /* an override takes them away: new data have none */
  conf_sizes(set_get(v, "shape"), r.shape);
  conf_sizes(set_get(v, "resize"), r.resize);
  conf_sizes(set_get(v, "crop"), r.crop);
  TRY(data_find(l->err, l->x->data_dir, conf_text(set_get(v, "path"), ""), &path));
  for (size_t n = strlen(path); n > 1 && path[n - 1] == '/';) path[--n] = 0; /* a set is named after the last part */
  r.path = path;
  if ((rc = file_read(l->err, &r, &d)) == CLDANN_E_ARG) rc = conf_blame(v->c, set_get(v, "path"));
  TRY(rc);
  TRY(trim(l, v, d, &skip));
  *out = d;
  d = NULL;
fail:
  dataset_free(d);
  mem_free(path);
  return rc;
}

/* In the order of kind_names. */
static const kind_row kinds[] = {
    {load_idx, {"images", "labels", "skip", "count", "binarise", NULL}, "images", "the path of an IDX file"},
    {load_mnist, {"split", "skip", "count", "binarise", "resize", "rotate", "dir", NULL}, NULL, NULL},
    {load_mnistm, {"split", "skip", "count", "resize", "dir", "bsds", "seed", NULL}, NULL, NULL},
    {load_blobs, {"n", "seed", NULL}, NULL, NULL},
    {load_digits, {"n", "seed", NULL}, NULL, NULL},
    {load_file,
     {"path", "format", "features", "labels", "width", "shape", "bytes", "resize", "crop", "skip_bad", "skip", "count",
      "binarise", NULL},
     "path",
     "the path of a file or a folder of images"},
    {load_moons, {"n", "seed", NULL}, NULL, NULL},
    {NULL, {"sets", NULL}, "sets", "a list of sets, each of a domain of its own"},
};

int set_is_file(const set_view *v) {
  return v->kind != SET_OWN && kinds[v->kind].load == load_file;
}

int set_is_several(const set_view *v) {
  return v->kind != SET_OWN && !kinds[v->kind].load;
}

int set_load(loader *l, const set_view *v, int labels, dataset **out) {
  dataset *d = NULL;
  int rc;
  if (v->kind == SET_OWN && own_data_is(l->x, v->r)) return own_data_load(l->x, v->r, labels, out);
  if (v->kind == SET_OWN)
    return conf_bad(v->c, NULL, CLDANN_E_CONFIG,
                    "data.%s is missing; give it a kind, as data.%s.kind = \"file\", or in a program call "
                    "cldann_experiment_set_data",
                    role_names[v->r], role_names[v->r]);
  TRY(kinds[v->kind].load(l, v, &d));
  if (conf_flag(set_get(v, "binarise"), 0)) TRY(dataset_binarise(l->err, d));
  *out = d;
  d = NULL;
fail:
  dataset_free(d);
  return rc;
}

void loader_end(loader *l) {
  mnistm_free_backgrounds(l->photos);
  mem_free(l->photos_path);
}

int set_check(const set_view *v) {
  const config_setting_t *s;
  for (const conf_key *k = conf_set_keys; k->name; k++) {
    const char *const *has = kinds[v->kind].keys;
    if (!(s = set_get(v, k->name)) || !strcmp(k->name, "kind")) continue;
    while (*has && strcmp(*has, k->name)) has++;
    if (!*has)
      return conf_bad(v->c, s, CLDANN_E_CONFIG, "data.%s.%s: a set of kind %s has no %s; its keys are in doc/experiments.md",
                      role_names[v->r], k->name, kind_names[v->kind], k->name);
  }
  const kind_row *k = &kinds[v->kind];
  if (k->required && !set_get(v, k->required))
    return conf_bad(v->c, set_get(v, "kind"), CLDANN_E_CONFIG, "data.%s of kind %s needs %s, %s", role_names[v->r],
                    kind_names[v->kind], k->required, k->what);
  return CLDANN_OK;
}

/*
 * train/experiment_data.c: from the data group of an experiment file to data sets in host memory. A row of kinds and a
 * loader add a kind. Files are found by data/find.h; that the sets fit the net is checked here, before the device is used.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/text.h"
#include "data/blobs.h"
#include "data/classes.h"
#include "data/digits.h"
#include "data/file.h"
#include "data/find.h"
#include "data/idx.h"
#include "data/mnistm.h"
#include "data/moons.h"
#include "data/msda.h"
#include "data/resample.h"
#include "data/sampler.h"
#include "train/conf.h"
#include "train/judge.h"

#define END \
  { .name = NULL }

typedef enum { ROLE_SOURCE, ROLE_TARGET, ROLE_SOURCE_TEST, ROLE_TARGET_TEST, ROLES } role;
static const char *const role_names[ROLES] = {"source", "target", "source_test", "target_test"};

static int role_domain(role r) {
  return r == ROLE_TARGET || r == ROLE_TARGET_TEST;
}
static int role_test(role r) {
  return r >= ROLE_SOURCE_TEST;
}

/* ---- the keys ---- */

static const char *const splits[] = {"train", "test", NULL};
static const char *const kind_names[] = {"idx", "mnist", "mnist-m", "blobs", "digits", "file", "moons", NULL};

/* All keys of all kinds; which kind has which is in `kinds`. */
static const conf_key set_keys[] = {
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
    END,
};
static const conf_key msda_keys[] = {
    {.name = "layers", .type = CONF_INT, .min = 1, .max = 100},
    {.name = "noise", .type = CONF_NUMBER, .min = 0, .max = 0.99},
    END,
};
const conf_key conf_data_keys[] = {
    {.name = "classes", .type = CONF_NAMES},
    {.name = "msda", .type = CONF_GROUP, .keys = msda_keys},
    {.name = "source", .type = CONF_GROUP, .keys = set_keys},
    {.name = "target", .type = CONF_GROUP, .keys = set_keys},
    {.name = "source_test", .type = CONF_GROUP, .keys = set_keys},
    {.name = "target_test", .type = CONF_GROUP, .keys = set_keys},
    END,
};

/* ---- one set ---- */

typedef struct loader {
  cldann_experiment *x;
  cldann_error *err;
  backgrounds *photos; /* of MNIST-M: unpacked once for all sets that name the same archive */
  char *photos_path;
} loader;

typedef struct set_view {
  const struct config *c;
  role r;
  int kind;
  int last; /* a layer that names a kind replaces the group of the layers below it */
} set_view;

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

static const config_setting_t *set_get(const set_view *v, const char *key) {
  return set_get_upto(v->c, v->r, key, v->last, NULL);
}

/* 0 when the experiment has no such set. */
static int set_open(const struct config *c, role r, set_view *v) {
  const config_setting_t *kind;
  *v = (set_view){.c = c, .r = r, .last = CONF_FILE};
  kind = set_get_upto(c, r, "kind", CONF_FILE, &v->last);
  v->kind = conf_choice(kind, kind_names, -1);
  return kind != NULL;
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
  if (conf_flag(set_get(v, "binarise"), 0)) TRY(dataset_binarise(l->err, d));
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
  if (conf_flag(set_get(v, "binarise"), 0)) TRY(dataset_binarise(l->err, d));
  *out = d;
  d = NULL;
fail:
  dataset_free(d);
  return rc;
}

/* The same images as `cldann data mnist-m` writes for this seed, whatever part of them is asked for. */
static int load_mnistm(loader *l, const set_view *v, dataset **out) {
  int rc, first;
  dataset *digits = NULL;
  const int test = conf_choice(set_get(v, "split"), splits, role_test(v->r));
  TRY(load_digits_of_mnist(l, v, &digits, &first));
  TRY(load_photos(l, conf_text(set_get(v, "bsds"), "BSR_bsds500.tgz")));
  TRY(mnistm_make(l->err, l->photos, digits, (uint64_t)conf_int(set_get(v, "seed"), 1),
                  (uint64_t)(first + (test ? MNISTM_TEST_INDEX : 0)), 0, out));
fail:
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
                    .labels = conf_text(set_get(v, "labels"), NULL),
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
  if (conf_flag(set_get(v, "binarise"), 0)) TRY(dataset_binarise(l->err, d));
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
    {load_mnist, {"split", "skip", "count", "binarise", "resize", "dir", NULL}, NULL, NULL},
    {load_mnistm, {"split", "skip", "count", "dir", "bsds", "seed", NULL}, NULL, NULL},
    {load_blobs, {"n", "seed", NULL}, NULL, NULL},
    {load_digits, {"n", "seed", NULL}, NULL, NULL},
    {load_file,
     {"path", "format", "features", "labels", "width", "shape", "bytes", "resize", "crop", "skip_bad", "skip", "count",
      "binarise", NULL},
     "path",
     "the path of a file or a folder of images"},
    {load_moons, {"n", "seed", NULL}, NULL, NULL},
};

/* ---- checks ---- */

/* Keys that the set's kind has not, and those it must have. */
static int check_set(const set_view *v) {
  const config_setting_t *s;
  for (const conf_key *k = set_keys; k->name; k++) {
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

int experiment_check_data(const cldann_experiment *x) {
  int rc = CLDANN_OK;
  set_view v;
  for (role r = 0; r < ROLES; r++) {
    char path[64];
    const config_setting_t *group;
    if (set_open(x->cfg, r, &v)) {
      TRY(check_set(&v));
      continue;
    }
    snprintf(path, sizeof path, "data.%s", role_names[r]);
    group = conf_get(x->cfg, path);
    for (const conf_key *k = set_keys; k->name && !group; k++) group = set_get(&v, k->name);
    if (group || !role_test(r))
      return conf_bad(x->cfg, group, CLDANN_E_CONFIG,
                      "data.%s has no kind; give idx, mnist, mnist-m, blobs, moons, digits or file", role_names[r]);
  }
fail:
  return rc;
}

/* Labels are needed where the method trains on them and wherever accuracy is measured. */
static int needs_labels(const method *m, role r) {
  if (role_test(r)) return 1;
  return m->label_loss && (r == ROLE_SOURCE ? m->source : m->target && !m->source);
}

/* At least one, where any. */
static int held_out_of(const cldann_experiment *x, role r, const dataset *d) {
  const double share = role_test(r) ? 0 : x->s.validation.share;
  const int n = (int)(share * d->n + 0.5);
  return share > 0 && n == 0 ? 1 : n;
}

static int check_shape(const cldann_experiment *x, const set_view *v, const dataset *d) {
  const shape in = net_input(x->net)->o.out;
  if (d->h == in.h && d->w == in.w && (d->c == in.c || d->c == 1)) return CLDANN_OK;
  return conf_bad(v->c, set_get(v, "kind"), CLDANN_E_SHAPE,
                  "data.%s (%s) has items of %d x %d x %d but net.input is [%d, %d, %d]; change one of them%s",
                  role_names[v->r], d->name, d->h, d->w, d->c, in.h, in.w, in.c,
                  kinds[v->kind].load == load_file ? ", or give the set shape, width, resize or crop" : "");
}

/* held: rows that are yet to be held out. */
static int check_fit(const cldann_experiment *x, const set_view *v, const dataset *d, int held) {
  const config_setting_t *kind = set_get(v, "kind");
  const method *m = x->s.method;
  const op *loss = &net_loss(x->net, CLDANN_TARGET_LABELS)->o;
  const int classes = judge_classes(loss);
  const int rows = m->source && m->target ? x->s.batch / 2 : x->s.batch;
  const int left = d->n - held;
  const int trains = v->r == ROLE_SOURCE ? m->source : v->r == ROLE_TARGET && m->target;
  const char *name = role_names[v->r];
  if (check_shape(x, v, d) < 0) return x->ctx->err.code;
  if (needs_labels(m, v->r) && !d->y)
    return conf_bad(v->c, kind, CLDANN_E_CONFIG, "data.%s (%s) has no labels; say where they are, as labels = \"...\"", name,
                    d->name);
  if (d->y && d->classes > classes)
    return conf_bad(v->c, kind, CLDANN_E_SHAPE,
                    "data.%s (%s) has labels up to %d but the label head %s tells %d classes apart; give it %d", name, d->name,
                    d->classes - 1, loss->name, classes, d->classes);
  if (trains && left < rows)
    return conf_bad(v->c, kind, CLDANN_E_CONFIG,
                    "data.%s (%s) has %d items to train on, fewer than the %d that a batch takes from it; lower batch%s", name,
                    d->name, left, rows, left < d->n ? " or validation.share" : "");
  return CLDANN_OK;
}

/* ---- all sets ---- */

/*
 * Labels mean the same in all sets: what they are called is mapped by data.classes, or must agree. Every set that has labels
 * counts, used or not, since evaluation and another method would use them.
 */
static int name_classes(cldann_experiment *x, const set_view *v, dataset *d, dataset **const sets[ROLES]) {
  int rc = CLDANN_OK;
  cldann_error *err = &x->ctx->err;
  const config_setting_t *list = conf_get(x->cfg, "data.classes");
  const int n = list ? config_setting_length(list) : 0;
  char(*room)[32] = NULL;
  const char **wanted = NULL;
  if (!d->y) return CLDANN_OK;
  if (list) {
    TRY(mem_new(err, &room, (size_t)n, sizeof *room));
    TRY(mem_new(err, &wanted, (size_t)n, sizeof *wanted));
    for (int i = 0; i < n; i++) wanted[i] = conf_name(config_setting_get_elem(list, (unsigned)i), room[i]);
    rc = classes_apply(err, d, wanted, n);
  } else {
    rc = classes_check(err, d);
    for (role r = 0; r < v->r && rc == CLDANN_OK; r++)
      if (*sets[r] && (*sets[r])->y && (d->names || (*sets[r])->names))
        rc = classes_agree(err, role_names[r], *sets[r], role_names[v->r], d);
  }
  if (rc < 0 && rc != CLDANN_E_MEM) conf_blame(x->cfg, list ? list : set_get(v, "kind"));
  rc = rc < 0 ? err->code : CLDANN_OK;
fail:
  mem_free(room);
  mem_free(wanted);
  return rc;
}

/* data.msda: learnt from both training sets without their labels, then all sets go through it. */
static int denoise(cldann_experiment *x, dataset **const at[ROLES], cldann_on_message on_message, void *user) {
  const config_setting_t *wanted = conf_get(x->cfg, "data.msda.layers");
  dataset *fit[2] = {x->source, x->target}, *all[ROLES];
  char line[120];
  int rc = CLDANN_OK, n = 0;
  if (!wanted) return CLDANN_OK;
  for (role r = 0; r < ROLES; r++)
    if (*at[r]) all[n++] = *at[r];
  const double start = clock_now();
  rc =
      msda_apply(&x->ctx->err, (int)conf_int(wanted, 0), conf_number(conf_get(x->cfg, "data.msda.noise"), 0.5), fit, 2, all, n);
  if (rc == CLDANN_E_ARG || rc == CLDANN_E_SHAPE) conf_blame(x->cfg, wanted);
  TRY(rc);
  snprintf(line, sizeof line, "mSDA: %d numbers an item, in %.1f s", x->source->c, clock_now() - start);
  if (on_message) on_message(user, line);
fail:
  return rc;
}

static void tell(const set_view *v, const dataset *d, cldann_on_message on_message, void *user) {
  char line[240], bad[60] = "", sparse[60] = "";
  if (!on_message) return;
  if (d->left_out) snprintf(bad, sizeof bad, "; %d images could not be read and are left out", d->left_out);
  if (dataset_is_sparse(d))
    snprintf(sparse, sizeof sparse, ", sparse (%.1f numbers besides zeros)", (double)dataset_entries(d) / d->n);
  snprintf(line, sizeof line, "%s: %s, %d items of %d x %d x %d%s%s%s", role_names[v->r], d->name, d->n, d->h, d->w, d->c,
           sparse, d->y ? "" : ", no labels", bad);
  on_message(user, line);
}

/* Drawn by the experiment's seed; both parts keep the order of the set. */
static int hold_out(cldann_experiment *x, role r, dataset **set, dataset **held) {
  cldann_error *e = &x->ctx->err;
  const int all = *set ? (*set)->n : 0, n = *set ? held_out_of(x, r, *set) : 0;
  sampler *s = NULL;
  int32_t *order = NULL, *rows = NULL;
  char *out = NULL;
  dataset *rest = NULL;
  int rc = CLDANN_OK, at = 0;
  if (!n) return CLDANN_OK;
  TRY(mem_new(e, &order, (size_t)all, sizeof *order));
  TRY(mem_new(e, &rows, (size_t)all, sizeof *rows));
  TRY(mem_new(e, &out, (size_t)all, 1));
  TRY(sampler_new(e, &s, (*set)->name, all, all, x->s.seed, role_domain(r) ? RNG_HOLD_OUT_TARGET : RNG_HOLD_OUT_SOURCE));
  TRY(sampler_batch(e, s, 0, order));
  for (int i = 0; i < n; i++) out[order[i]] = 1;
  for (int i = 0; i < all; i++)
    if (out[i]) rows[at++] = i;
  for (int i = 0; i < all; i++)
    if (!out[i]) rows[at++] = i;
  TRY(dataset_take(e, *set, rows, n, held));
  TRY(dataset_take(e, *set, rows + n, all - n, &rest));
  rest->names = (*set)->names, (*set)->names = NULL;
  dataset_free(*set);
  *set = rest;
fail:
  sampler_free(s);
  mem_free(order), mem_free(rows), mem_free(out);
  return rc;
}

static dataset **held_by(cldann_experiment *x, int i) {
  dataset **const all[] = {&x->source, &x->target, &x->source_test, &x->target_test, &x->source_held, &x->target_held};
  return i < (int)(sizeof all / sizeof *all) ? all[i] : NULL;
}

static void forget_data(cldann_experiment *x) {
  for (int i = 0; held_by(x, i); i++) {
    dataset_free(*held_by(x, i));
    *held_by(x, i) = NULL;
  }
  x->loaded = 0;
}

/* What the data sets of an experiment depend on. */
static const conf_key data_root[] = {
    {.name = "data", .type = CONF_GROUP, .keys = conf_data_keys},
    END,
};

int cldann_experiment_take_data(cldann_experiment *to, cldann_experiment *from) {
  char *a = NULL, *b = NULL;
  int rc, same;
  TRY(conf_write(to, data_root, &a));
  TRY(conf_write(from, data_root, &b));
  same = from->loaded && !strcmp(strchr(a, '\n'), strchr(b, '\n')) && to->s.seed == from->s.seed &&
         to->s.validation.share == from->s.validation.share && !!to->data_dir == !!from->data_dir &&
         (!to->data_dir || !strcmp(to->data_dir, from->data_dir));
  if (same) {
    forget_data(to);
    for (int i = 0; held_by(to, i); i++) *held_by(to, i) = *held_by(from, i), *held_by(from, i) = NULL;
    to->loaded = 1, from->loaded = 0;
    for (role r = 0; r < ROLES; r++) { /* another net or batch may not fit them */
      const dataset *const *sets = (const dataset *const[]){to->source, to->target, to->source_test, to->target_test};
      set_view v;
      if (set_open(to->cfg, r, &v)) TRY(check_fit(to, &v, sets[r], 0));
    }
  }
fail:
  mem_free(a);
  mem_free(b);
  return rc;
}

int experiment_load_data(cldann_experiment *x, cldann_on_message on_message, void *user) {
  int rc = CLDANN_OK;
  loader l = {.x = x, .err = &x->ctx->err};
  dataset **const at[ROLES] = {&x->source, &x->target, &x->source_test, &x->target_test};
  if (x->loaded) return CLDANN_OK;
  for (role r = 0; r < ROLES; r++) {
    set_view v;
    if (!set_open(x->cfg, r, &v)) continue;
    TRY(kinds[v.kind].load(&l, &v, at[r]));
    TRY(name_classes(x, &v, *at[r], at));
    tell(&v, *at[r], on_message, user);
  }
  TRY(denoise(x, at, on_message, user));
  for (role r = 0; r < ROLES; r++) {
    set_view v;
    if (set_open(x->cfg, r, &v)) TRY(check_fit(x, &v, *at[r], held_out_of(x, r, *at[r])));
  }
  TRY(hold_out(x, ROLE_SOURCE, &x->source, &x->source_held));
  TRY(hold_out(x, ROLE_TARGET, &x->target, &x->target_held));
  x->loaded = 1;
fail:
  if (rc < 0) forget_data(x); /* all or nothing: a second call begins anew */
  mnistm_free_backgrounds(l.photos);
  mem_free(l.photos_path);
  return rc;
}

/* ---- for a model in use ---- */

int experiment_tests_file(const cldann_experiment *x) {
  set_view v;
  return set_open(x->cfg, ROLE_TARGET_TEST, &v) && kinds[v.kind].load == load_file;
}

int experiment_load_one(cldann_experiment *x, dataset **out) {
  loader l = {.x = x, .err = &x->ctx->err};
  dataset *d = NULL;
  set_view v;
  int rc;
  if (conf_get(x->cfg, "data.msda.layers"))
    FAIL(l.err, CLDANN_E_ARG,
         "the model's input is behind mSDA, whose layers it does not hold; use a model of the plain input");
  if (!set_open(x->cfg, ROLE_TARGET_TEST, &v)) FAIL(l.err, CLDANN_E_ARG, "the experiment has no target_test set");
  TRY(kinds[v.kind].load(&l, &v, &d));
  mem_free(d->y);
  d->y = NULL, d->classes = 0;
  TRY(check_shape(x, &v, d));
  x->loaded = 1;
  *out = d;
  d = NULL;
fail:
  dataset_free(d);
  return rc;
}

/* The file's own list, else what a set's labels are called. */
int experiment_class_names(const cldann_experiment *x, char **out) {
  const config_setting_t *list = conf_get(x->cfg, "data.classes");
  const dataset *const sets[] = {x->source, x->target, x->source_test, x->target_test};
  const class_list *names = NULL;
  char *text = NULL, room[32];
  size_t size = 0;
  int rc = CLDANN_OK;
  *out = NULL;
  for (size_t i = 0; i < sizeof sets / sizeof *sets && !names; i++)
    if (sets[i]) names = sets[i]->names;
  const int n = list ? config_setting_length(list) : names ? names->n : 0;
  if (!n) return CLDANN_OK;
  FILE *f = open_memstream(&text, &size);
  if (!f) FAIL(&x->ctx->err, CLDANN_E_MEM, "no memory for the names of the classes");
  for (int i = 0; i < n; i++)
    fprintf(f, "%s%s", i ? "\n" : "", list ? conf_name(config_setting_get_elem(list, (unsigned)i), room) : names->name[i]);
  if (fclose(f) != 0) FAIL(&x->ctx->err, CLDANN_E_MEM, "no memory for the names of the classes");
  TRY(mem_strdup(&x->ctx->err, out, text));
fail:
  free(text);
  return rc;
}

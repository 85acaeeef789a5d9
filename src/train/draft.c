/* train/draft.c: cldann_draft: what two sets of data are, and which experiment fits them; see train/draft.h. */
#define _POSIX_C_SOURCE 200809L
#include "train/draft.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "data/describe.h"
#include "data/place.h"
#include "data/sheet.h"

const char *const draft_set_names[DRAFT_SETS] = {"source", "target", "source_test", "target_test"};

enum { SIDE_LEAST = 28, HALF = 32, COUNTS_HALF = 20, SHEET_ROWS = 3, SHEET_COLUMNS = 20 };

static void note(const draft *d, int warning, const char *fmt, ...) ERR_PRINTF(3, 4);
static void note(const draft *d, int warning, const char *fmt, ...) {
  char line[600];
  va_list ap;
  if (!d->o->on_note) return;
  va_start(ap, fmt);
  vsnprintf(line, sizeof line, fmt, ap);
  va_end(ap);
  d->o->on_note(d->o->user, warning, line);
}

/* ---- labels ---- */

static const char *class_name(const dataset *s, int i, char room[32]) {
  snprintf(room, 32, "%d", i);
  return s->names ? s->names->name[i] : room;
}

static int has_class(const dataset *s, const char *name) {
  char room[32];
  for (int i = 0; s && i < s->classes; i++)
    if (!strcmp(class_name(s, i, room), name)) return 1;
  return 0;
}

static int check_source(const draft *d) {
  const part *s = d->set[0];
  const dataset *x = s->d;
  int64_t *counts = NULL;
  int rc = CLDANN_OK, used = 0;
  char room[32];
  if (!x->y) {
    const int images = !strcmp(s->format, "folder") || !strcmp(s->format, "list");
    FAIL(d->e, CLDANN_E_FORMAT, "%s, the source, has no labels, and they are what is learnt; %s", s->path,
         !strcmp(s->format, "folder") ? "put its images into a folder for each class, named after it"
         : images                     ? "write a label behind each path"
                                      : "name their column, array or file with --labels NAME");
  }
  TRY(mem_new(d->e, &counts, (size_t)x->classes, sizeof *counts));
  dataset_class_counts(x, counts);
  for (int i = 0; i < x->classes; i++) used += counts[i] > 0;
  if (used < 2)
    FAIL(d->e, CLDANN_E_FORMAT, "%s, the source, has one class only ('%.60s'); a classifier needs items of two or more",
         s->path, class_name(x, x->classes - 1, room));
fail:
  mem_free(counts);
  return rc;
}

/* Are the classes of all sets the same, in words that need no list? */
static int classes_plain(const draft *d) {
  cldann_error scrap;
  const dataset *first = d->set[0]->d;
  for (int i = 0; i < DRAFT_SETS; i++) {
    const dataset *s = d->set[i] ? d->set[i]->d : NULL;
    err_clear(&scrap);
    if (!s || !s->y) continue;
    if (classes_check(&scrap, s) < 0 || classes_agree(&scrap, "", first, "", s) < 0) return 0;
  }
  return 1;
}

static int add_classes(draft *d, const dataset *s) {
  char room[32];
  int32_t id;
  int rc = CLDANN_OK;
  for (int i = 0; s->y && i < s->classes; i++) TRY(classes_add(d->e, &d->classes, s->name, class_name(s, i, room), &id));
fail:
  return rc;
}

/* The classes of all sets together, and what one domain has alone. */
static int settle_classes(draft *d) {
  const dataset *of[2] = {d->domain[0].train.d, d->domain[1].train.d};
  char alone[2][200] = {"", ""};
  int rc = CLDANN_OK, shared = 0;
  for (int i = 0; i < DRAFT_SETS; i++)
    if (d->set[i]) TRY(add_classes(d, d->set[i]->d));
  for (int i = 0; i < d->classes.n && of[1]->y; i++) {
    const char *name = d->classes.name[i];
    const int in[2] = {has_class(of[0], name), has_class(of[1], name)};
    char *to = alone[in[1]];
    const size_t at = strlen(to);
    shared += in[0] && in[1];
    if (in[0] != in[1] && at + 48 < sizeof alone[0]) snprintf(to + at, sizeof alone[0] - at, "%s%.40s", at ? ", " : "", name);
  }
  if (of[1]->y && !shared)
    FAIL(d->e, CLDANN_E_FORMAT,
         "%s and %s have no class in common (%.60s; %.60s); call them the same, or, where the target has no labels, leave them "
         "out",
         d->set[0]->path, d->set[1]->path, alone[0], alone[1]);
  for (int k = 0; k < 2; k++)
    if (alone[k][0])
      note(d, 1, "classes of the %s alone: %s; the domains can only be brought together where both have a class",
           draft_set_names[k], alone[k]);
  d->named = !classes_plain(d) || d->set[0]->d->names;
  for (int i = 0; i < d->classes.n && d->named; i++)
    if (strchr(d->classes.name[i], '|'))
      FAIL(d->e, CLDANN_E_FORMAT, "the class '%.60s' has a | in its name, which means 'or' in data.classes; call it otherwise",
           d->classes.name[i]);
fail:
  return rc;
}

/* ---- which sets ---- */

static int settle_sets(draft *d) {
  offer *o = d->domain;
  int rc;
  TRY(offer_open(d->e, d->o->data_dir, d->source, d->o->features, d->o->labels, NULL, &o[0]));
  d->set[0] = &o[0].train;
  TRY(check_source(d));
  TRY(offer_open(d->e, d->o->data_dir, d->target, d->o->features, d->o->labels, &o[0], &o[1]));
  d->set[1] = &o[1].train;
  for (int k = 0; k < 2; k++) {
    if (!o[k].test.d) continue;
    if (o[k].test.d->y) d->set[2 + k] = &o[k].test;
    if (!o[k].test.d->y) note(d, 0, "%s has no labels, so it is no test set", o[k].test.path);
  }
  d->target_is_test = !d->set[3] && d->set[1]->d->y;
fail:
  return rc;
}

/* ---- shapes ---- */

static int is_image(const part *p) {
  return p->d->h > 1 || p->d->w > 1 || p->sizes.n > 0;
}

/* Rows that are square images, as some files have them, beside images: they get their shape. */
static int shape_rows(draft *d, offer *o, int channels) {
  part *parts[2] = {&o->train, &o->test};
  const int all = o->train.d->c, pixels = all % 3 || channels < 3 ? all : all / 3, side = (int)(sqrt(pixels) + 0.5);
  int rc = CLDANN_OK;
  for (int i = 0; i < 2 && side * side == pixels && side > 1; i++) {
    if (!parts[i]->d || parts[i]->d->c != all) continue;
    memcpy(parts[i]->r.shape, (int[3]){side, side, all / pixels}, sizeof parts[i]->r.shape);
    TRY(part_read(d->e, parts[i]));
  }
fail:
  return rc;
}

static int settle_kind(draft *d) {
  const part *s = d->set[0], *t = d->set[1];
  data_figures f;
  int rc = CLDANN_OK;
  if (dataset_is_sparse(s->d) != dataset_is_sparse(t->d))
    FAIL(d->e, CLDANN_E_FORMAT, "%s is in format %s and %s in %s; save both in the same", s->path, s->format, t->path,
         t->format);
  if (is_image(s) && !is_image(t)) TRY(shape_rows(d, &d->domain[1], s->d->c));
  if (is_image(t) && !is_image(s)) TRY(shape_rows(d, &d->domain[0], t->d->c));
  if (is_image(s) != is_image(t))
    FAIL(d->e, CLDANN_E_SHAPE, "%s has items of %d x %d x %d, %s of %d x %d x %d; save both as images, or both as rows",
         s->path, s->d->h, s->d->w, s->d->c, t->path, t->d->h, t->d->w, t->d->c);
  dataset_describe(s->d, &f);
  d->kind = is_image(s) ? DRAFT_IMAGES : dataset_is_sparse(s->d) && f.filled < 0.5 ? DRAFT_COUNTS : DRAFT_TABLE;
fail:
  return rc;
}

static int by_value(const void *a, const void *b) {
  return (*(const int *)a > *(const int *)b) - (*(const int *)a < *(const int *)b);
}

/* The middle one of the heights (side 0) or widths (1). */
static int usual_side(const draft *d, const part *p, int side, int *out) {
  int rc, *all = NULL;
  *out = side ? p->d->w : p->d->h;
  if (!p->sizes.n) return CLDANN_OK;
  TRY(mem_new(d->e, &all, (size_t)p->sizes.n, sizeof *all));
  for (int i = 0; i < p->sizes.n; i++) all[i] = p->sizes.at[i][side];
  qsort(all, (size_t)p->sizes.n, sizeof *all, by_value);
  *out = all[p->sizes.n / 2];
fail:
  mem_free(all);
  return rc;
}

static int has_size(const part *p, int h, int w) {
  for (int i = 0; i < p->sizes.n; i++)
    if (p->sizes.at[i][0] != h || p->sizes.at[i][1] != w) return 0;
  return p->sizes.n || (p->d->h == h && p->d->w == w);
}

/* Floats from 0 to 1 become bytes, as images are. Not 0: all training images are bytes then. */
static int make_bytes(draft *d, int *yes) {
  data_figures f;
  int rc = CLDANN_OK;
  *yes = 1;
  for (int i = 0; i < 2; i++) {
    dataset_describe(d->set[i]->d, &f);
    if (d->set[i]->d->type == DATA_F32 && (f.least < 0 || f.most > 1)) *yes = 0;
  }
  for (int i = 0; i < DRAFT_SETS && *yes; i++) {
    part *p = d->set[i];
    if (!p || p->d->type == DATA_U8) continue;
    p->r.bytes = 1;
    TRY(part_read(d->e, p));
  }
fail:
  return rc;
}

/* One size for all: the smaller domain's usual one, neither tiny nor more than a small net can take. */
static int choose_size(draft *d, int size[2]) {
  int rc, longer;
  for (int side = 0; side < 2; side++) {
    int of[2];
    for (int k = 0; k < 2; k++) TRY(usual_side(d, d->set[k], side, &of[k]));
    size[side] = of[0] < of[1] ? of[0] : of[1];
  }
  longer = size[0] > size[1] ? size[0] : size[1];
  for (int side = 0; side < 2; side++) {
    if (longer > OFFER_SIDE) size[side] = size[side] * OFFER_SIDE / longer;
    if (size[side] < SIDE_LEAST) size[side] = SIDE_LEAST;
  }
  rc = CLDANN_OK;
fail:
  return rc;
}

static int settle_images(draft *d) {
  int rc, bytes, size[2] = {d->set[0]->d->h, d->set[0]->d->w};
  const int c[2] = {d->set[0]->d->c, d->set[1]->d->c};
  TRY(make_bytes(d, &bytes));
  d->c = c[0] > c[1] ? c[0] : c[1];
  if (c[0] != c[1] && c[0] != 1 && c[1] != 1)
    FAIL(d->e, CLDANN_E_SHAPE, "%s has %d channels, %s %d; save both with as many, or one of them with 1", d->set[0]->path,
         c[0], d->set[1]->path, c[1]);
  const int can_resize = bytes && (c[0] == 1 || c[0] == 3) && (c[1] == 1 || c[1] == 3);
  if (can_resize) TRY(choose_size(d, size));
  for (int i = 0; i < DRAFT_SETS; i++) {
    part *p = d->set[i];
    if (!p) continue;
    const int keep = has_size(p, size[0], size[1]);
    if (!keep && !can_resize)
      FAIL(d->e, CLDANN_E_SHAPE,
           "%s has images of %d x %d, %s of %d x %d, and only bytes, or floats from 0 to 1, with 1 or 3 channels can be "
           "resized; "
           "save them with one size",
           d->set[0]->path, size[0], size[1], p->path, p->d->h, p->d->w);
    const int stale = p->d->h != size[0] || p->d->w != size[1];
    p->r.resize[0] = keep ? 0 : size[0], p->r.resize[1] = keep ? 0 : size[1];
    if (stale) TRY(part_read(d->e, p));
  }
  d->h = size[0], d->w = size[1];
  d->scale = bytes ? 1.0 / 255 : 1;
fail:
  return rc;
}

static int settle_rows(draft *d) {
  data_figures f;
  int rc = CLDANN_OK;
  d->h = d->w = 1;
  for (int i = 0; i < DRAFT_SETS; i++)
    if (d->set[i] && d->set[i]->d->c > d->c) d->c = d->set[i]->d->c;
  for (int i = 1; i < DRAFT_SETS && !dataset_is_sparse(d->set[0]->d); i++)
    if (d->set[i] && d->set[i]->d->c != d->set[0]->d->c)
      FAIL(d->e, CLDANN_E_SHAPE,
           "%s has rows of %d numbers (besides labels), %s of %d; they must have the same columns in the same order%s",
           d->set[0]->path, d->set[0]->d->c, d->set[i]->path, d->set[i]->d->c,
           abs(d->set[0]->d->c - d->set[i]->d->c) == 1 ? ", or one has a column of labels more: --labels NAME" : "");
  for (int i = 0; i < DRAFT_SETS && dataset_is_sparse(d->set[0]->d); i++)
    if (d->set[i]) d->set[i]->r.width = d->c;
  dataset_describe(d->set[0]->d, &f);
  /* A rate that is right for counts of words is so for any other numbers of their size. */
  if (d->kind == DRAFT_COUNTS && f.length > 0 && (f.length < 3 || f.length > 30)) d->scale = 10 / f.length;
fail:
  return rc;
}

/* ---- how long, how much at a time ---- */

static int64_t within(double v, int64_t least, int64_t most, int64_t step) {
  const int64_t whole = (int64_t)(v / (double)step + 0.5) * step;
  return whole < least ? least : whole > most ? most : whole;
}

static int settle_steps(draft *d) {
  const int n[2] = {d->set[0]->d->n, d->set[1]->d->n}, fewer = n[0] < n[1] ? n[0] : n[1], more = n[0] + n[1] - fewer;
  const int half_most = d->kind == DRAFT_COUNTS ? COUNTS_HALF : HALF;
  int rc = CLDANN_OK;
  d->share = fewer < 200 ? 0.2 : 0.1;
  const int held = (int)(d->share * fewer + 0.5), left = fewer - (held ? held : 1), half = left / 2;
  if (half < 1)
    FAIL(d->e, CLDANN_E_FORMAT, "%s has %d items, too few to train on and to hold some out; give it some hundred, at least 4",
         d->set[n[1] < n[0]]->path, fewer);
  if (fewer < 100)
    note(d, 1, "%s has %d items only; what comes of so few depends much on chance", d->set[n[1] < n[0]]->path, fewer);
  d->batch = 2 * (half < half_most ? half : half_most);
  const double epoch = 2.0 * more / d->batch;
  if (d->kind == DRAFT_IMAGES) d->steps = within(20 * epoch, 1000, 6000, 100);
  if (d->kind == DRAFT_TABLE) d->steps = within(40 * epoch, 4000, 10000, 100);
  if (d->kind == DRAFT_COUNTS) d->steps = within(100 * epoch, 1000, 20000, 1);
  d->log_every = d->kind == DRAFT_COUNTS ? within(epoch, 10, 1000, 1) : within((double)d->steps / 40, 10, 1000, 10);
fail:
  return rc;
}

/* ---- telling ---- */

static void own_sizes(const part *p, cldann_set_info *s) {
  for (int i = 0; i < p->sizes.n; i++)
    for (int side = 0; side < 2; side++) {
      const int v = p->sizes.at[i][side];
      if (i == 0 || v < s->own[side][0]) s->own[side][0] = v;
      if (v > s->own[side][1]) s->own[side][1] = v;
    }
}

static int tell_set(const draft *d, int i) {
  const part *p = d->set[i];
  const dataset *x = p->d;
  data_figures f;
  int64_t *counts = NULL;
  const char **names = NULL;
  char(*room)[32] = NULL;
  int rc;
  cldann_set_info s = {.set = draft_set_names[i],
                       .path = p->path,
                       .format = p->format,
                       .features = p->features,
                       .labels = p->labels,
                       .items = x->n,
                       .unreadable = x->left_out,
                       .height = x->h,
                       .width = x->w,
                       .channels = x->c,
                       .bytes = x->type == DATA_U8,
                       .sparse = dataset_is_sparse(x),
                       .classes = x->classes};
  TRY(mem_new(d->e, &counts, (size_t)x->classes, sizeof *counts));
  TRY(mem_new(d->e, &names, (size_t)x->classes, sizeof *names));
  TRY(mem_new(d->e, &room, (size_t)x->classes, sizeof *room));
  dataset_describe(x, &f);
  s.least = f.least, s.most = f.most, s.mean = f.mean, s.deviation = f.deviation, s.filled = f.filled;
  dataset_class_counts(x, counts);
  for (int k = 0; k < x->classes; k++) names[k] = class_name(x, k, room[k]);
  s.counts = counts, s.names = names;
  own_sizes(p, &s);
  if (d->o->on_set) d->o->on_set(d->o->user, &s);
  if (x->left_out) note(d, 1, "%s: %d images cannot be read and are left out", p->path, x->left_out);
  if (i < 2 && f.least == f.most) note(d, 1, "%s holds one number only, %g; is it damaged?", p->path, f.least);
fail:
  mem_free(counts), mem_free(names), mem_free(room);
  return rc;
}

/* What is done to the data on their way into the net. */
static void tell_changes(const draft *d) {
  const dataset *a = d->set[0]->d, *b = d->set[1]->d;
  for (int i = 0; i < DRAFT_SETS; i++) {
    if (!d->set[i]) continue;
    const file_request *r = &d->set[i]->r;
    if (r->shape[0])
      note(d, 0, "%s: rows are taken as images of %d x %d x %d", draft_set_names[i], r->shape[0], r->shape[1], r->shape[2]);
    if (r->bytes) note(d, 0, "%s: its floats from 0 to 1 are taken as bytes from 0 to 255", draft_set_names[i]);
    if (r->resize[0]) note(d, 0, "%s: images are resized to %d x %d", draft_set_names[i], r->resize[0], r->resize[1]);
  }
  if (a->c != b->c && d->kind == DRAFT_IMAGES)
    note(d, 0, "the one channel of the %s is repeated to %d", draft_set_names[a->c > 1], d->c);
  if (a->type != b->type)
    note(d, 1, "the %s holds bytes from 0 to 255, the %s floats; bring both to one scale", draft_set_names[a->type != DATA_U8],
         draft_set_names[a->type == DATA_U8]);
}

static void tell_balance(const draft *d) {
  for (int k = 0; k < 2; k++) {
    const dataset *x = d->set[k]->d;
    int64_t counts[1000], least = INT64_MAX, most = 0;
    if (!x->y || x->classes > 1000) continue;
    dataset_class_counts(x, counts);
    for (int i = 0; i < x->classes; i++) {
      if (counts[i] && counts[i] < least) least = counts[i];
      if (counts[i] > most) most = counts[i];
    }
    if (most >= 10 * least)
      note(d, 1,
           "%s: its largest class has %lld items, its smallest %lld; accuracy will say little of the small ones "
           "(cldann eval --details)",
           draft_set_names[k], (long long)most, (long long)least);
  }
}

/* ---- files ---- */

static int check_path(const draft *d, const char *path) {
  int rc = CLDANN_OK;
  if (path && !d->o->overwrite && access(path, F_OK) == 0)
    FAIL(d->e, CLDANN_E_IO, "%s is there already; choose another --out, or give --overwrite", path);
fail:
  return rc;
}

/* Samples from all over each set, whose order is often by class. */
static int write_sheet(const draft *d) {
  dataset *some[2] = {NULL, NULL};
  int32_t rows[SHEET_ROWS * SHEET_COLUMNS];
  int rc = CLDANN_OK;
  for (int k = 0; k < 2; k++) {
    const dataset *x = d->set[k]->d;
    const int n = x->n < SHEET_ROWS * SHEET_COLUMNS ? x->n : SHEET_ROWS * SHEET_COLUMNS;
    if (x->type != DATA_U8 || (x->c != 1 && x->c != 3)) goto fail;
    for (int i = 0; i < n; i++) rows[i] = (int32_t)((int64_t)i * x->n / n);
    TRY(dataset_take(d->e, x, rows, n, &some[k]));
  }
  TRY(sheet_write(d->e, d->o->sheet, (const dataset *const[]){some[0], some[1]}, SHEET_ROWS, SHEET_COLUMNS, d->w < 40 ? 2 : 1));
  note(d, 0, "%s: samples, the source above the target", d->o->sheet);
fail:
  dataset_free(some[0]), dataset_free(some[1]);
  return rc;
}

static int look(draft *d) {
  int rc;
  TRY(settle_sets(d));
  TRY(settle_kind(d));
  TRY(d->kind == DRAFT_IMAGES ? settle_images(d) : settle_rows(d));
  for (int i = 0; i < DRAFT_SETS; i++)
    if (d->set[i]) TRY(tell_set(d, i));
  tell_changes(d);
  TRY(settle_classes(d));
  TRY(settle_steps(d));
  tell_balance(d);
fail:
  return rc;
}

int cldann_draft(const char *source, const char *target, const cldann_draft_options *options, cldann_error *error) {
  cldann_error scrap;
  draft d = {.e = error ? error : &scrap, .o = options, .source = source, .target = target, .scale = 1};
  char *text = NULL;
  int rc;
  err_clear(d.e);
  TRY(check_path(&d, options->path));
  TRY(check_path(&d, options->sheet));
  TRY(look(&d));
  TRY(draft_write(&d, &text));
  TRY(place_whole(d.e, options->path, text, strlen(text)));
  if (d.kind == DRAFT_IMAGES && options->sheet) TRY(write_sheet(&d));
fail:
  offer_close(&d.domain[0]), offer_close(&d.domain[1]);
  classes_free(&d.classes);
  mem_free(text);
  return rc;
}

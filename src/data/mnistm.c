/* data/mnistm.c: see data/mnistm.h. */
#define _POSIX_C_SOURCE 200809L
#include "data/mnistm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "base/text.h"
#include "data/archive.h"
#include "data/idx.h"
#include "data/jpeg.h"
#include "data/place.h"

typedef struct background {
  char *name;
  uint8_t *file; /* the JPEG, until it is decoded */
  size_t size;
  picture image;
} background;

struct backgrounds {
  background *list;
  int n, room;
};

static int is_training_photo(const char *member, void *arg) {
  (void)arg;
  return strstr(member, "images/train/") && text_ends_with(member, ".jpg") && text_base(member)[0] != '.';
}

static int keep_photo(cldann_error *e, const char *member, uint8_t *bytes, size_t size, void *arg) {
  backgrounds *b = arg;
  int rc = CLDANN_OK;
  char *name = NULL;
  TRY(mem_strdup(e, &name, member));
  if (b->n == b->room) {
    TRY(mem_resize(e, &b->list, (size_t)b->room + 256, sizeof *b->list));
    b->room += 256;
  }
  b->list[b->n++] = (background){.name = name, .file = bytes, .size = size};
  return CLDANN_OK;
fail:
  mem_free(name);
  mem_free(bytes);
  return rc;
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const background *)a)->name, ((const background *)b)->name);
}

static int decode_range(cldann_error *e, void *arg, int64_t first, int64_t last) {
  backgrounds *b = arg;
  int rc = CLDANN_OK;
  for (int64_t i = first; i < last; i++) {
    background *g = b->list + i;
    TRY(jpeg_decode(e, g->name, g->file, g->size, &g->image));
    mem_free(g->file);
    g->file = NULL;
  }
fail:
  return rc;
}

int mnistm_load_backgrounds(cldann_error *e, const char *tgz, int threads, backgrounds **out) {
  int rc = CLDANN_OK;
  backgrounds *b = NULL;
  TRY(mem_new(e, &b, 1, sizeof *b));
  TRY(archive_walk(e, tgz, is_training_photo, keep_photo, b));
  if (b->n == 0)
    FAIL(e, CLDANN_E_FORMAT, "%s has no images/train/*.jpg; give the original BSR_bsds500.tgz (cldann data fetch bsds500)",
         tgz);
  qsort(b->list, (size_t)b->n, sizeof *b->list, by_name);
  TRY(parallel_for(e, b->n, threads, decode_range, b));
  *out = b;
  return CLDANN_OK;
fail:
  mnistm_free_backgrounds(b);
  return rc;
}

int mnistm_count_backgrounds(const backgrounds *b) {
  return b->n;
}

void mnistm_free_backgrounds(backgrounds *b) {
  if (!b) return;
  for (int i = 0; i < b->n; i++) {
    mem_free(b->list[i].name);
    mem_free(b->list[i].file);
    mem_free(b->list[i].image.rgb);
  }
  mem_free(b->list);
  mem_free(b);
}

typedef struct blend {
  const backgrounds *b;
  const dataset *digits;
  dataset *out;
  uint64_t seed, first_index;
} blend;

static int blend_range(cldann_error *e, void *arg, int64_t first, int64_t last) {
  const blend *t = arg;
  int h = t->digits->h, w = t->digits->w;
  (void)e;
  for (int64_t i = first; i < last; i++) {
    rng r = rng_words(t->seed, RNG_MNISTM, 0, t->first_index + (uint64_t)i);
    const picture *p = &t->b->list[rng_below(r.v[0], (uint32_t)t->b->n)].image;
    int y0 = (int)rng_below(r.v[1], (uint32_t)(p->h - h + 1)), x0 = (int)rng_below(r.v[2], (uint32_t)(p->w - w + 1));
    const uint8_t *digit = (const uint8_t *)t->digits->x + (size_t)i * (size_t)h * (size_t)w;
    uint8_t *to = (uint8_t *)t->out->x + (size_t)i * (size_t)h * (size_t)w * 3;
    for (int y = 0; y < h; y++) {
      const uint8_t *from = p->rgb + ((size_t)(y0 + y) * (size_t)p->w + (size_t)x0) * 3;
      for (int x = 0; x < w; x++) {
        uint8_t flip = *digit++ > 0 ? 255 : 0; /* |p - 255| = p xor 255 for a byte */
        for (int c = 0; c < 3; c++) *to++ = *from++ ^ flip;
      }
    }
  }
  return CLDANN_OK;
}

int mnistm_make(cldann_error *e, const backgrounds *b, const dataset *digits, uint64_t seed, uint64_t first_index, int threads,
                dataset **out) {
  int rc = CLDANN_OK;
  dataset *d = NULL;
  blend t = {b, digits, NULL, seed, first_index};
  if (digits->type != DATA_U8 || digits->c != 1)
    FAIL(e, CLDANN_E_SHAPE, "%s has %d channels of %s; MNIST-M is made from grey images of bytes", digits->name, digits->c,
         digits->type == DATA_U8 ? "bytes" : "floats");
  for (int i = 0; i < b->n; i++)
    if (b->list[i].image.h < digits->h || b->list[i].image.w < digits->w)
      FAIL(e, CLDANN_E_SHAPE, "%s has %d x %d pixels, too few for a patch of %d x %d; give the original BSR_bsds500.tgz",
           b->list[i].name, b->list[i].image.h, b->list[i].image.w, digits->h, digits->w);
  TRY(dataset_new(e, &d, "mnistm", DATA_U8, digits->n, digits->h, digits->w, 3, digits->y != NULL));
  t.out = d;
  TRY(parallel_for(e, digits->n, threads, blend_range, &t));
  if (digits->y) memcpy(d->y, digits->y, (size_t)d->n * sizeof *d->y);
  d->classes = digits->classes;
  *out = d;
  d = NULL;
fail:
  dataset_free(d);
  return rc;
}

static int check_stop(cldann_error *e, int (*stop)(void)) {
  if (!stop || !stop()) return CLDANN_OK;
  return err_set(e, CLDANN_E_INTERRUPTED, __FILE__, __LINE__, "interrupted; nothing was written");
}

/* One set to two files on the disk, under their temporary names. */
static int prepare_set(cldann_error *e, const char *mnist_dir, const backgrounds *b, const char *out_dir, int test,
                       uint64_t seed, int threads, int (*stop)(void), place *files[2]) {
  int rc = CLDANN_OK;
  dataset *digits = NULL, *made = NULL;
  char *path = NULL;
  TRY(idx_read_named(e, mnist_dir, "", test, &digits));
  TRY(mnistm_make(e, b, digits, seed, test ? MNISTM_TEST_INDEX : 0, threads, &made));
  for (int i = 0; i < 2; i++) {
    const char *name = test ? (i ? "mnistm-t10k-labels-idx1-ubyte" : "mnistm-t10k-images-idx4-ubyte")
                            : (i ? "mnistm-train-labels-idx1-ubyte" : "mnistm-train-images-idx4-ubyte");
    TRY(check_stop(e, stop));
    TRY(text_join(e, &path, out_dir, name));
    TRY(place_open(e, &files[i], path));
    TRY((i ? idx_put_labels : idx_put_images)(e, files[i], made));
    TRY(place_flush(e, files[i]));
    mem_free(path);
    path = NULL;
  }
fail:
  mem_free(path);
  dataset_free(digits);
  dataset_free(made);
  return rc;
}

int mnistm_write(cldann_error *e, const char *mnist_dir, const char *bsds_tgz, const char *out_dir, uint64_t seed, int threads,
                 int (*stop)(void)) {
  int rc = CLDANN_OK, placed = 0, made = 0;
  backgrounds *b = NULL;
  place *files[4] = {NULL};
  TRY(mnistm_load_backgrounds(e, bsds_tgz, threads, &b));
  TRY(check_stop(e, stop));
  TRY(place_folder(e, out_dir, &made));
  for (int test = 0; test < 2; test++) TRY(prepare_set(e, mnist_dir, b, out_dir, test, seed, threads, stop, files + 2 * test));
  TRY(check_stop(e, stop));
  for (; placed < 4; placed++) TRY(place_commit(e, files[placed]));
fail:
  for (int i = 0; i < 4; i++) {
    if (rc < 0 && i < placed) place_undo(files[i]);
    place_free(files[i]);
  }
  if (rc < 0 && made) rmdir(out_dir);
  mnistm_free_backgrounds(b);
  return rc;
}

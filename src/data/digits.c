/* data/digits.c: see data/digits.h. */
#include "data/digits.h"

#include "base/parallel.h"
#include "data/draw.h"
#include "data/glyph.h"
#include "data/texture.h"

typedef struct batch {
  dataset *d;
  uint64_t seed;
  int split, domain;
} batch;

static int make_range(cldann_error *e, void *arg, int64_t first, int64_t last) {
  const batch *b = arg;
  enum { PIXELS = DIGITS_SIDE * DIGITS_SIDE };
  uint8_t digit[PIXELS];
  (void)e;
  for (int64_t i = first; i < last; i++) {
    uint32_t set = (uint32_t)(2 * b->split + b->domain);
    draw hand = draw_start(b->seed, RNG_DIGITS, set, (uint64_t)i), paper = draw_start(b->seed, RNG_TEXTURE, set, (uint64_t)i);
    uint8_t *x = (uint8_t *)b->d->x + (size_t)i * dataset_item_bytes(b->d);
    b->d->y[i] = (int32_t)(i % DIGITS_CLASSES);
    if (b->domain == DIGITS_SOURCE) {
      glyph_draw(&hand, b->d->y[i], DIGITS_SIDE, x);
      continue;
    }
    glyph_draw(&hand, b->d->y[i], DIGITS_SIDE, digit);
    texture_draw(&paper, DIGITS_SIDE, x);
    for (int k = 0; k < 3 * PIXELS; k++) {
      int v = x[k] - digit[k / 3];
      x[k] = (uint8_t)(v < 0 ? -v : v);
    }
  }
  return CLDANN_OK;
}

int digits_make(cldann_error *e, uint64_t seed, int split, int domain, int n, int threads, dataset **out) {
  static const char *const names[2][2] = {{"digits-source-train", "digits-target-train"},
                                          {"digits-source-test", "digits-target-test"}};
  int rc = CLDANN_OK;
  batch b = {.seed = seed, .split = split, .domain = domain};
  if (split < 0 || split > 1 || domain < 0 || domain > 1)
    FAIL(e, CLDANN_E_ARG, "digits have no split %d, domain %d; give 0 or 1 for each", split, domain);
  TRY(dataset_new(e, &b.d, names[split][domain], DATA_U8, n, DIGITS_SIDE, DIGITS_SIDE, domain ? 3 : 1, 1));
  TRY(parallel_for(e, n, threads, make_range, &b));
  b.d->classes = n < DIGITS_CLASSES ? n : DIGITS_CLASSES;
  *out = b.d;
  return CLDANN_OK;
fail:
  dataset_free(b.d);
  return rc;
}

/*
 * data/draw.h: a run of random numbers inside one image: counter-based words (base/rng.h) handed out one by one, so that
 * generators read like ordinary code and stay a pure function of (seed, stream, set, index).
 */
#ifndef CLDANN_DATA_DRAW_H
#define CLDANN_DATA_DRAW_H

#include "base/rng.h"

typedef struct draw {
  uint64_t seed, index;
  uint32_t stream, set, block;
  int left;
  rng words;
} draw;

/* set: what tells train from test and source from target (below 256); index: the image. */
static inline draw draw_start(uint64_t seed, uint32_t stream, uint32_t set, uint64_t index) {
  return (draw){.seed = seed, .stream = stream, .set = set, .index = index};
}

static inline uint32_t draw_word(draw *d) {
  if (d->left == 0) {
    d->words = rng_words(d->seed, d->stream, d->set << 24 | d->block++, d->index);
    d->left = 4;
  }
  return d->words.v[--d->left];
}

static inline float draw_in(draw *d, float low, float high) {
  return low + (high - low) * rng_unit(draw_word(d));
}

static inline int draw_below(draw *d, int n) {
  return (int)rng_below(draw_word(d), (uint32_t)n);
}

#endif

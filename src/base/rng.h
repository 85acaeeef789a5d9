/*
 * base/rng.h: counter-based random numbers, Philox4x32-10 (Salmon et al. 2011) by Random123. A draw is a pure function
 * of (seed, stream, step, index), so results do not depend on order, thread count or machine. cl/common.clh has the
 * same function for kernels; a test compares both with the published known answers.
 */
#ifndef CLDANN_BASE_RNG_H
#define CLDANN_BASE_RNG_H

#include <stdint.h>

/* Streams keep independent uses of one seed apart: one number per use. Parameters use RNG_PARAM + parameter index. */
enum {
  RNG_SHUFFLE_SOURCE = 1,
  RNG_SHUFFLE_TARGET = 2,
  RNG_MNISTM = 3,
  RNG_DIGITS = 4,
  RNG_TEXTURE = 5,
  RNG_BLOBS = 6,
  RNG_CHECK = 7,
  RNG_MOONS = 8,
  RNG_HOLD_OUT_SOURCE = 9,
  RNG_HOLD_OUT_TARGET = 10,
  RNG_PAD = 11,
  RNG_AUGMENT = 12,
  RNG_REPORT = 13,
  RNG_COMPONENTS = 14,
  RNG_PICTURES = 15,
  RNG_PARAM = 1024,
  RNG_DROPOUT = 1 << 20 /* + the node */
};

typedef struct rng {
  uint32_t v[4];
} rng;

/* Four independent uniform 32-bit words. */
rng rng_words(uint64_t seed, uint32_t stream, uint32_t step, uint64_t index);
/* A word to [0,1) in steps of 2^-24: the same float on every machine. */
float rng_unit(uint32_t word);
/* A word to 0..n-1 by multiply-shift; the bias is below n / 2^32. */
uint32_t rng_below(uint32_t word, uint32_t n);
/* A standard normal from two words (Box-Muller). */
float rng_normal(uint32_t a, uint32_t b);

#endif

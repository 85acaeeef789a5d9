/* base/rng.c: see base/rng.h. */
#include "base/rng.h"

#include <Random123/philox.h>
#include <math.h>

rng rng_words(uint64_t seed, uint32_t stream, uint32_t step, uint64_t index) {
  philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
  philox4x32_ctr_t ctr = {{(uint32_t)index, (uint32_t)(index >> 32), step, stream}};
  philox4x32_ctr_t r = philox4x32(ctr, key);
  return (rng){{r.v[0], r.v[1], r.v[2], r.v[3]}};
}

float rng_unit(uint32_t word) {
  return (float)(word >> 8) * 0x1p-24f;
}

uint32_t rng_below(uint32_t word, uint32_t n) {
  return (uint32_t)(((uint64_t)word * n) >> 32);
}

float rng_normal(uint32_t a, uint32_t b) {
  double u = ((double)a + 1.0) * 0x1p-32, v = (double)b * 0x1p-32;
  return (float)(sqrt(-2.0 * log(u)) * cos(6.28318530717958647692 * v));
}

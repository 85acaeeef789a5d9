/* data/blobs.c: see data/blobs.h. */
#include "data/blobs.h"

#include "base/rng.h"

int blobs_make(cldann_error *e, uint64_t seed, int domain, int n, dataset **out) {
  static const float centre[2][2][2] = {{{0, 0}, {0, 1}}, {{1, -1}, {1, 0}}}; /* domain, class, (x, y) */
  int rc = CLDANN_OK;
  dataset *d = NULL;
  float *x;
  if (domain != BLOBS_SOURCE && domain != BLOBS_TARGET)
    FAIL(e, CLDANN_E_ARG, "blobs have no domain %d; give 0 (source) or 1 (target)", domain);
  TRY(dataset_new(e, &d, domain ? "blobs-target" : "blobs-source", DATA_F32, n, 1, 1, 2, 1));
  x = d->x;
  for (int i = 0; i < n; i++) {
    rng r = rng_words(seed, RNG_BLOBS, (uint32_t)domain, (uint64_t)i);
    int y = i & 1;
    x[2 * i] = centre[domain][y][0] + 0.2f * rng_normal(r.v[0], r.v[1]);
    x[2 * i + 1] = centre[domain][y][1] + 0.2f * rng_normal(r.v[2], r.v[3]);
    d->y[i] = y;
  }
  d->classes = 2;
  *out = d;
fail:
  return rc;
}

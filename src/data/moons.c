/* data/moons.c: see data/moons.h. */
#include "data/moons.h"

#include <math.h>

#include "base/rng.h"

static const double pi = 3.14159265358979323846, turned = 35; /* degrees */

int moons_make(cldann_error *e, uint64_t seed, int domain, int n, dataset **out) {
  int rc = CLDANN_OK;
  dataset *d = NULL;
  if (domain != MOONS_SOURCE && domain != MOONS_TARGET)
    FAIL(e, CLDANN_E_ARG, "moons have no domain %d; give 0 (source) or 1 (target)", domain);
  const double angle = domain == MOONS_TARGET ? turned * pi / 180 : 0, c = cos(angle), s = sin(angle);
  TRY(dataset_new(e, &d, domain ? "moons-target" : "moons-source", DATA_F32, n, 1, 1, 2, 1));
  float *to = d->x;
  for (int i = 0; i < n; i++) {
    const rng r = rng_words(seed, RNG_MOONS, (uint32_t)domain, (uint64_t)i);
    const int y = i & 1, last = (n - y + 1) / 2 - 1; /* points of this class, less one */
    const double t = last > 0 ? pi * (i / 2) / last : 0;
    const double px = (y ? 1 - cos(t) : cos(t)) + 0.05 * (double)rng_normal(r.v[0], r.v[1]);
    const double py = (y ? 0.5 - sin(t) : sin(t)) + 0.05 * (double)rng_normal(r.v[2], r.v[3]);
    const double x = 2 * (px - 0.5), z = 2 * (py - 0.25); /* the means of both half circles together */
    to[2 * i] = (float)(c * x - s * z);
    to[2 * i + 1] = (float)(s * x + c * z);
    d->y[i] = y;
  }
  d->classes = 2;
  *out = d;
fail:
  return rc;
}

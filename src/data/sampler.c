/* data/sampler.c: see data/sampler.h. */
#include "data/sampler.h"

#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

struct sampler {
  int n, batch;
  uint64_t seed;
  uint32_t stream;
  int64_t epoch; /* of which `order` is the shuffle; -1: none yet */
  int32_t *order;
};

int sampler_new(cldann_error *e, sampler **out, const char *name, int n, int batch, uint64_t seed, uint32_t stream) {
  int rc = CLDANN_OK;
  sampler *s = NULL;
  if (batch < 1 || n < batch)
    FAIL(e, CLDANN_E_ARG, "%s has %d items, too few for a batch of %d; set a batch from 1 to %d or give more data", name, n,
         batch, n);
  TRY(mem_new(e, &s, 1, sizeof *s));
  *s = (sampler){.n = n, .batch = batch, .seed = seed, .stream = stream, .epoch = -1};
  TRY(mem_new(e, &s->order, (size_t)n, sizeof *s->order));
  *out = s;
  return CLDANN_OK;
fail:
  sampler_free(s);
  return rc;
}

/* Fisher-Yates from the identity, so that the order does not depend on the epochs seen before. */
static void sampler_shuffle(sampler *s, int64_t epoch) {
  for (int i = 0; i < s->n; i++) s->order[i] = i;
  for (int i = s->n - 1; i > 0; i--) {
    rng r = rng_words(s->seed, s->stream, (uint32_t)epoch, (uint64_t)i);
    int j = (int)rng_below(r.v[0], (uint32_t)i + 1);
    int32_t t = s->order[i];
    s->order[i] = s->order[j];
    s->order[j] = t;
  }
  s->epoch = epoch;
}

int sampler_batch(cldann_error *e, sampler *s, int64_t step, int32_t *rows) {
  int rc = CLDANN_OK;
  int64_t per = s->n / s->batch;
  if (step < 0 || step / per > UINT32_MAX)
    FAIL(e, CLDANN_E_ARG, "there is no training step %lld; count steps from 0", (long long)step);
  if (step / per != s->epoch) sampler_shuffle(s, step / per);
  memcpy(rows, s->order + step % per * s->batch, (size_t)s->batch * sizeof *rows);
fail:
  return rc;
}

void sampler_free(sampler *s) {
  if (!s) return;
  mem_free(s->order);
  mem_free(s);
}

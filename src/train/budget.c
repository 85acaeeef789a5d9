/* train/budget.c: see train/budget.h. */
#include "train/budget.h"

#include <math.h>

uint64_t budget_of(const device *d, double device_memory) {
  /* A tenth is left for the driver's own and for other programs: devices count what they have, not what is free. */
  return device_memory > 0 ? (uint64_t)(device_memory * 1e6) : device_get_info(d)->global_bytes / 10 * 9;
}

int budget_measure(device *d, cldann_net *net, const plan_buffers *b, const plan_spec *spec, phase *p) {
  plan_spec s = *spec;
  enum { BUFFERS = 5, ALL = 2 * BUFFERS };
  buffer *stand_in[ALL] = {NULL}; /* for data and labels: a plan looks at what its streams are, not at how much they hold */
  launches *l = NULL;
  int rc;
  for (int i = 0; i < ALL; i++) TRY(buffer_new(d, "a stand-in for data", 4, &stand_in[i]));
  for (int i = 0; i < p->n; i++) {
    const dataset *set = p->feeds[i].set;
    buffer **own = &stand_in[BUFFERS * i];
    s.streams[i] = (stream){.x = own[0], .bytes = set->type == DATA_U8 ? 1 : 4, .channels = set->c, .h = set->h, .w = set->w};
    if (p->feeds[i].labels && set->y) s.streams[i].labels = own[1];
    if (p->feeds[i].domains && set->domain) s.streams[i].domains = own[4];
    if (dataset_is_sparse(set)) {
      s.streams[i].offsets = own[2], s.streams[i].columns = own[3];
      s.streams[i].entries = (double)dataset_entries(set) / set->n;
    }
  }
  TRY(plan_build(d, net, b, &s, &l));
  p->arena = memory_assign(l);
fail:
  launches_free(l);
  for (int i = 0; i < ALL; i++) buffer_free(stand_in[i]);
  return rc;
}

size_t phase_bytes(const phase *p) {
  size_t bytes = p->arena;
  for (int i = 0; i < p->n; i++) bytes += feed_bytes(&p->feeds[i], NULL);
  return bytes;
}

/* Makes feed i stream in blocks. 0, and it stays resident, when that would not be less, and where it is sparse. */
static int make_stream(feed_spec *f, int block) {
  feed_spec streamed = *f;
  if (dataset_is_sparse(f->set)) return 0;
  streamed.block = block;
  if (feed_bytes(&streamed, NULL) >= feed_bytes(f, NULL)) return 0;
  f->block = block;
  return 1;
}

/* The largest set that is resident and need not be. 0: none is left. */
static int stream_largest(phase *p, int block, int *tried) {
  int at = -1;
  for (int i = 0; i < p->n; i++)
    if (!p->feeds[i].block && !tried[i] && (at < 0 || feed_bytes(&p->feeds[i], NULL) > feed_bytes(&p->feeds[at], NULL))) at = i;
  if (at < 0) return 0;
  tried[at] = 1;
  make_stream(&p->feeds[at], block);
  return 1;
}

/* With slots of `block` steps: 1 when the phase fits `room` bytes, no buffer above `most`. */
static int place_with(phase *p, int block, uint64_t room, uint64_t most) {
  int tried[2] = {0};
  size_t largest, above = 0;
  for (int i = 0; i < p->n; i++) {
    p->feeds[i].block = 0;
    feed_bytes(&p->feeds[i], &largest);
    if (largest > most) tried[i] = 1, make_stream(&p->feeds[i], block);
    feed_bytes(&p->feeds[i], &largest);
    above |= largest > most;
  }
  while (phase_bytes(p) > room && stream_largest(p, block, tried)) {
  }
  return !above && phase_bytes(p) <= room;
}

/* Long blocks first: they look at the device less often. The last try leaves the phase as small as it gets. */
static int place(phase *p, uint64_t room, uint64_t most) {
  for (int block = p->most_block; block > 0; block /= 2)
    if (place_with(p, block, room, most)) return 1;
  return 0;
}

static const feed_spec *sparse_feed(const phase *p) {
  for (int i = 0; i < p->n; i++)
    if (dataset_is_sparse(p->feeds[i].set)) return &p->feeds[i];
  return NULL;
}

int budget_place(device *d, uint64_t budget, size_t shared, phase *const *phases, int n) {
  const device_info *info = device_get_info(d);
  const uint64_t room = budget > shared ? budget - shared : 0;
  const phase *worst = NULL;
  size_t least = 0;
  int rc = CLDANN_OK;
  for (int i = 0; i < n; i++) {
    const int fits = place(phases[i], room, info->max_alloc_bytes);
    if (!fits && (!worst || phase_bytes(phases[i]) > least)) worst = phases[i], least = phase_bytes(phases[i]);
  }
  const feed_spec *sparse = worst ? sparse_feed(worst) : NULL;
  if (sparse && least > room)
    FAIL(device_error(d), CLDANN_E_MEM,
         "%.1f MB of device memory are too few for %s: %s is sparse, and sparse sets are not streamed; set device_memory to "
         "%.1f or more, or keep fewer of its rows (count)",
         (double)budget / 1e6, worst->name, sparse->set->name, ceil((double)(shared + least) / 1e5) / 10);
  if (sparse)
    FAIL(device_error(d), CLDANN_E_MEM,
         "%s: %s has more numbers than %s allows in one buffer, %.1f MB, and sparse sets are not streamed; keep fewer of its "
         "rows "
         "(count)",
         worst->name, sparse->set->name, info->name, (double)info->max_alloc_bytes / 1e6);
  if (worst && least <= room)
    FAIL(device_error(d), CLDANN_E_MEM,
         "%s: one step's rows are more than %s allows in one buffer, %.1f MB; use a smaller batch", worst->name, info->name,
         (double)info->max_alloc_bytes / 1e6);
  if (worst)
    FAIL(device_error(d), CLDANN_E_MEM,
         "%.1f MB of device memory are too few for %s, its data streamed already; set device_memory to %.1f or more, or use a "
         "smaller %s",
         (double)budget / 1e6, worst->name, ceil((double)(shared + least) / 1e5) / 10,
         worst->feeds[0].sampler ? "batch" : "eval_batch");
fail:
  return rc;
}

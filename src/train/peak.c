/*
 * train/peak.c: see train/peak.h. The two kernels are launches of a small plan, as the ops' are, so that geometry and memory
 * come the same way. Times are the host's, over launches that together take far longer than a launch costs.
 */
#include "train/peak.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/replay.h"

enum { CHAINS = 12, DEPTH = 4 }; /* as in cl/peak.cl */
enum { FILL_X = 1, FILL_Z, FMA, TRIAD };

struct peak {
  device *dev;
  replay *r;
  double flops, bytes; /* of one launch of FMA and of TRIAD */
};

/*
 * Elements of one of the triad's tensors. All three together are four times the last-level cache, so that next to nothing
 * is found there when the next pass begins; less where the device has not the memory for it.
 */
static int triad_elements(const device_info *d) {
  const uint64_t least = 96u << 20, most = 3u << 30;
  uint64_t bytes = 4 * d->cache_bytes;
  if (bytes < least) bytes = least;
  if (bytes > most) bytes = most;
  if (bytes > d->max_alloc_bytes * 3 / 4) bytes = d->max_alloc_bytes * 3 / 4;
  if (bytes > d->global_bytes / 4) bytes = d->global_bytes / 4;
  return (int)(bytes / 12 / 1024 * 1024);
}

static void emit_fill(launches *l, tensor t, float value) {
  const int n = (int)tensor_count(t);
  launch *k = launches_add(l, "control", "fill", "generic");
  launch_out(l, k, t);
  launch_int(l, k, n);
  launch_float(l, k, value);
  launch_blocks(l, k, (size_t)n);
}

/* A CPU gets a few long work-items for each core, another device enough to fill it. Returns the FLOPs. */
static double emit_fma(launches *l, const device_info *d) {
  const int cpu = d->is_cpu, v = d->vector_width, items = d->compute_units * (cpu ? 4 : 2048), rounds = cpu ? 1 << 16 : 1 << 12;
  tensor out = launches_tensor(l, "fma", 4, items, 1, 1, v);
  launch *k = launches_add(l, "peak", "fma_peak", cpu ? "cpu" : "generic");
  launch_def(l, k, "V", v);
  launch_def(l, k, "CHAINS", CHAINS);
  launch_def(l, k, "DEPTH", DEPTH);
  launch_out(l, k, out);
  launch_float(l, k, -1.0f);
  launch_float(l, k, 1.0f);
  launch_int(l, k, rounds);
  if (cpu)
    launch_grid1(l, k, (size_t)items, 1, 1);
  else
    launch_grid64(l, k, (size_t)items);
  return k->flops = 2.0 * v * CHAINS * DEPTH * rounds * items;
}

/* Four floats at a time at least: what a GPU without vectors of its own loads best. */
static void emit_triad(launches *l, const device_info *d, tensor x, tensor z, tensor y) {
  const int v = d->vector_width < 4 ? 4 : d->vector_width, n = (int)tensor_count(y) / v;
  launch *k = launches_add(l, "peak", "triad", d->is_cpu ? "cpu" : "generic");
  launch_def(l, k, "V", v);
  launch_in(l, k, x);
  launch_in(l, k, z);
  launch_out(l, k, y);
  launch_int(l, k, n);
  launch_float(l, k, 0.5f);
  launch_blocks(l, k, (size_t)n);
}

int peak_new(device *d, peak **out) {
  const device_info *info = device_get_info(d);
  const int n = triad_elements(info);
  launches *l = NULL;
  peak *p = NULL;
  int rc;
  TRY(mem_new(device_error(d), &p, 1, sizeof *p));
  p->dev = d;
  TRY(launches_new(device_error(d), info, &l));
  launches_at(l, "peak", "bench");
  tensor x = launches_tensor(l, "x", 4, n, 1, 1, 1), z = launches_tensor(l, "z", 4, n, 1, 1, 1);
  tensor y = launches_tensor(l, "y", 4, n, 1, 1, 1);
  emit_fill(l, x, 1.0f);
  emit_fill(l, z, 2.0f);
  p->flops = emit_fma(l, info);
  emit_triad(l, info, x, z, y);
  p->bytes = 12.0 * n;
  TRY(replay_new(d, l, &p->r));
  /* Memory that was never written is not there yet, or the same page everywhere: all three are written before they count. */
  TRY(replay_run(p->r));
  TRY(device_finish(d));
  *out = p;
  return CLDANN_OK;
fail:
  peak_free(p);
  return rc;
}

void peak_free(peak *p) {
  if (!p) return;
  replay_free(p->r);
  mem_free(p);
}

static int time_launch(peak *p, int at, int times, double *seconds) {
  const double start = clock_now();
  int rc;
  for (int i = 0; i < times; i++) TRY(replay_run_range(p->r, at, at + 1));
  TRY(device_finish(p->dev));
  *seconds = clock_now() - start;
fail:
  return rc;
}

/* Seconds of one launch when the machine does best: other work on it can only make it slower. */
static int best_time(peak *p, int at, double *best) {
  enum { SAMPLES = 6 };
  const double enough = 0.03;
  double seconds = 0;
  int times = 1, rc;
  TRY(time_launch(p, at, 1, &seconds));
  while (seconds < enough && times < 1 << 20) {
    times *= 2;
    TRY(time_launch(p, at, times, &seconds));
  }
  *best = seconds;
  for (int i = 1; i < SAMPLES; i++) {
    TRY(time_launch(p, at, times, &seconds));
    if (seconds < *best) *best = seconds;
  }
  *best /= times;
fail:
  return rc;
}

int peak_measure(peak *p, ceilings *c) {
  double fma, triad;
  int rc;
  TRY(best_time(p, FMA, &fma));
  TRY(best_time(p, TRIAD, &triad));
  c->flops = p->flops / fma;
  c->bytes = p->bytes / triad;
fail:
  return rc;
}

double peak_footprint(const peak *p) {
  return p->bytes;
}

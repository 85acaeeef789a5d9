/*
 * train/plan_text.c: cldann_plan_text: the launches of a training step as a table, and what memory a whole run takes, on the
 * device and on the host. The plan is net/plan.c's, what streams is budget.c's choice.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "train/trainer_internal.h"

typedef struct text {
  char *s;
  size_t used, cap;
  int rc;
  cldann_error *err;
} text;

static void put(text *t, const char *fmt, ...) {
  char line[512];
  va_list ap;
  va_start(ap, fmt);
  const int n = vsnprintf(line, sizeof line, fmt, ap);
  va_end(ap);
  if (t->rc < 0) return;
  if (t->used + (size_t)n + 1 > t->cap) {
    const size_t cap = 2 * t->cap + (size_t)n + 4096;
    if ((t->rc = mem_resize(t->err, &t->s, cap, 1)) < 0) return;
    t->cap = cap;
  }
  memcpy(t->s + t->used, line, (size_t)n + 1);
  t->used += (size_t)n;
}

/* The tensor that tells most about a launch: the first it writes, or for reductions the first it reads. */
static tensor main_tensor(const launch *k) {
  for (int i = 0; i < k->n_args; i++)
    if (k->args[i].kind == ARG_TENSOR && (k->args[i].access & ACCESS_WRITE)) return k->args[i].t;
  return k->args[0].t;
}

static void put_launch(text *t, const launches *l, int i, double *flops, double *bytes) {
  const launch *k = &l->list[i];
  const tensor y = main_tensor(k);
  char dims[48], where[64];
  const vbuf *b = &l->bufs[y.buf];
  snprintf(dims, sizeof dims, "(%d,%d,%d,%d)", y.rows, y.h, y.w, y.c);
  if (b->external)
    snprintf(where, sizeof where, "%s", b->name);
  else
    snprintf(where, sizeof where, "+%zu", b->arena + y.offset * (size_t)b->elem);
  put(t, "%4d  %-16s %-9s %-18s %-8s %-20s %-14s %10.3f %9.3f\n", i, k->node, k->phase, k->kernel, k->variant, dims, where,
      k->flops / 1e6, launch_bytes(l, k) / 1e6);
  *flops += k->flops;
  *bytes += launch_bytes(l, k);
}

/* ---- memory ---- */

static void put_phase(text *t, const phase *p, size_t shared) {
  put(t, "  %-12s arena %.2f MB", p->name, (double)p->arena / 1e6);
  for (int i = 0; i < p->n; i++)
    put(t, ", %s %.2f MB %s%s", p->n > 1 || strcmp(p->roles[i], p->name) ? p->roles[i] : "data",
        (double)feed_bytes(&p->feeds[i], NULL) / 1e6, dataset_is_sparse(p->feeds[i].set) ? "sparse " : "",
        p->feeds[i].block ? "streamed" : "resident");
  put(t, "; %.2f MB with what all share\n", (double)(shared + phase_bytes(p)) / 1e6);
}

/* Phases follow each other, so that the largest is the peak. */
static void put_device_memory(text *t, const trainer *tr) {
  const phase *all[] = {&tr->training, &tr->tests[0], &tr->tests[1]};
  const device_info *d = device_get_info(tr->dev);
  const size_t model = buffer_bytes(tr->b.params) + buffer_bytes(tr->b.grads) + buffer_bytes(tr->b.m) + buffer_bytes(tr->b.v);
  size_t most = 0;
  for (int i = 0; i < 3; i++)
    if (all[i]->n && phase_bytes(all[i]) > most) most = phase_bytes(all[i]);
  put(t, "device memory: %.2f MB at its peak, of %.2f MB that device_memory grants%s\n",
      (double)(tr->shared_bytes + most) / 1e6, (double)tr->budget / 1e6,
      d->is_cpu ? "; resident data are used where the host has them" : "");
  put(t, "  %-12s parameters, gradients, optimiser state %.2f MB; tables and statistics %.2f MB\n", "all share",
      (double)model / 1e6, (double)(tr->shared_bytes - model) / 1e6);
  for (int i = 0; i < 3; i++)
    if (all[i]->n) put_phase(t, all[i], tr->shared_bytes);
}

/*
 * Most of a process is the driver's (its compiler and what that built), which nobody can calculate: the peak is that of this
 * process, which has loaded, built and launched all that a run would. loaded: the peak before anything was built.
 */
static void put_host_memory(text *t, double loaded, double peak) {
  put(t, "resident memory of the process: %.0f MB at the peak of a run", peak / 1e6);
  if (peak > 1.02 * loaded)
    put(t,
        "; %.0f MB by the end of loading the data, then the device's and the driver's, which takes less once it has compiled "
        "all kernels: plan again to see\n",
        loaded / 1e6);
  else
    put(t, ", while the data are loaded\n");
}

int cldann_plan_text(cldann_experiment *x, char **out) {
  trainer *t = NULL;
  text s = {.err = &x->ctx->err};
  double flops = 0, bytes = 0;
  int rc;
  TRY(experiment_load_data(x, NULL, NULL));
  const double loaded = mem_peak_resident();
  TRY(trainer_new(x, NULL, &t));
  const launches *l = replay_list(t->train);
  const device_info *d = device_get_info(t->dev);
  put(&s, "%s, method %s, one step of %d rows on %s\n\n", x->s.name, x->s.method->name, x->s.batch, d->name);
  put(&s, "%4s  %-16s %-9s %-18s %-8s %-20s %-14s %10s %9s\n", "#", "node", "phase", "kernel", "variant", "writes (rows,h,w,c)",
      "where", "MFLOP", "MB");
  for (int i = 1; i < l->n; i++) put_launch(&s, l, i, &flops, &bytes);
  put(&s, "\n%-52s %s\n", "passes", "way (by)");
  for (int i = 0; i < l->n_decisions; i++)
    put(&s, "%-52s %s (%s)\n", l->decisions[i].key, l->decisions[i].use, l->decisions[i].tuned ? "tuning" : "rule");
  put(&s, "tuning: %s\n", cldann_tuning(x->ctx));
  put(&s, "\n%d launches, %.1f MFLOP, %.1f MB read and written a step\n", l->n - 1, flops / 1e6, bytes / 1e6);
  put(&s, "parameters: features %zu, label head %zu, domain head %zu\n", x->net->group_count[0], x->net->group_count[1],
      x->net->group_count[2]);
  put_device_memory(&s, t);
  TRY(trainer_rehearse(t));
  put_host_memory(&s, loaded, mem_peak_resident());
  TRY(s.rc);
  *out = s.s;
  s.s = NULL;
fail:
  mem_free(s.s);
  trainer_free(t);
  return rc;
}

void cldann_free_text(char *s) {
  mem_free(s);
}

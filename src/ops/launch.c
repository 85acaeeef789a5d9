/* ops/launch.c: see ops/launch.h. */
#include "ops/launch.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { CPU_BLOCK = 4096, GROUP = 64 };

int launches_new(cldann_error *e, const device_info *dev, launches **out) {
  launches *l = NULL;
  int rc;
  TRY(mem_new(e, &l, 1, sizeof *l));
  l->err = e;
  l->dev = dev;
  /* Slot 0 of both tables is scrap: tensor 0 means "none", launch 0 takes what is appended after a failure. */
  if ((rc = mem_new(e, &l->bufs, l->cap_bufs = 64, sizeof *l->bufs)) < 0 ||
      (rc = mem_new(e, &l->list, l->cap = 64, sizeof *l->list)) < 0)
    goto fail;
  l->n_bufs = 1;
  l->n = 1;
  *out = l;
  return CLDANN_OK;
fail:
  launches_free(l);
  return rc;
}

void launches_free(launches *l) {
  if (!l) return;
  mem_free(l->bufs);
  mem_free(l->list);
  mem_free(l->decisions);
  mem_free(l);
}

void launches_at(launches *l, const char *node, const char *phase) {
  snprintf(l->node, sizeof l->node, "%s", node);
  snprintf(l->phase, sizeof l->phase, "%s", phase);
}

static vbuf *add_buf(launches *l, const char *name) {
  int rc;
  if (l->failed) return NULL;
  if (l->n_bufs == l->cap_bufs) {
    TRY(mem_resize(l->err, &l->bufs, 2 * (size_t)l->cap_bufs, sizeof *l->bufs));
    l->cap_bufs *= 2;
  }
  vbuf *b = &l->bufs[l->n_bufs++];
  memset(b, 0, sizeof *b);
  snprintf(b->name, sizeof b->name, "%s", name);
  b->first = b->last = -1;
  return b;
fail:
  l->failed = rc;
  return NULL;
}

tensor launches_tensor(launches *l, const char *name, int elem, int rows, int h, int w, int c) {
  tensor t = {0, 0, rows, h, w, c};
  vbuf *b = add_buf(l, name);
  if (!b) return t;
  b->elem = elem;
  b->bytes = tensor_count(t) * (size_t)elem;
  t.buf = l->n_bufs - 1;
  return t;
}

tensor launches_external(launches *l, const char *name, buffer *ext, int elem, size_t offset, int rows, int h, int w, int c) {
  tensor t = {0, offset, rows, h, w, c};
  vbuf *b = NULL;
  for (int i = 1; i < l->n_bufs && !b; i++)
    if (l->bufs[i].external == ext && ext) b = &l->bufs[i];
  if (!b) b = add_buf(l, name);
  if (!b) return t;
  b->elem = elem;
  b->external = ext;
  b->bytes = ext ? buffer_bytes(ext) : 0;
  t.buf = (int)(b - l->bufs);
  return t;
}

launch *launches_add(launches *l, const char *file, const char *name, const char *variant) {
  launch *k;
  int rc, at = 0;
  if (!l->failed && l->n == l->cap) {
    TRY(mem_resize(l->err, &l->list, 2 * (size_t)l->cap, sizeof *l->list));
    l->cap *= 2;
  }
  if (!l->failed) at = l->n++;
out:
  k = &l->list[at];
  memset(k, 0, sizeof *k);
  k->file = file;
  k->kernel = name;
  k->variant = variant;
  memcpy(k->node, l->node, sizeof k->node);
  memcpy(k->phase, l->phase, sizeof k->phase);
  return k;
fail:
  l->failed = rc;
  goto out;
}

void launch_def(launches *l, launch *k, const char *name, int value) {
  size_t used = strlen(k->defs);
  int n = snprintf(k->defs + used, sizeof k->defs - used, "%s-D%s=%d", used ? " " : "", name, value);
  if (n >= (int)(sizeof k->defs - used) && !l->failed)
    l->failed = err_set(l->err, CLDANN_E_ARG, __FILE__, __LINE__, "%s: too many kernel options", k->kernel);
}

static void add_arg(launches *l, launch *k, launch_arg a) {
  if (k->n_args == LAUNCH_ARGS) {
    if (!l->failed) l->failed = err_set(l->err, CLDANN_E_ARG, __FILE__, __LINE__, "%s: too many arguments", k->kernel);
    return;
  }
  k->args[k->n_args++] = a;
  if (a.kind != ARG_TENSOR) return;
  vbuf *b = &l->bufs[a.t.buf];
  int at = (int)(k - l->list);
  if (b->first < 0) b->first = at;
  b->last = at;
}

void launch_in(launches *l, launch *k, tensor t) {
  add_arg(l, k, (launch_arg){.kind = ARG_TENSOR, .access = ACCESS_READ, .t = t});
}
void launch_out(launches *l, launch *k, tensor t) {
  add_arg(l, k, (launch_arg){.kind = ARG_TENSOR, .access = ACCESS_WRITE, .t = t});
}
void launch_update(launches *l, launch *k, tensor t) {
  add_arg(l, k, (launch_arg){.kind = ARG_TENSOR, .access = ACCESS_UPDATE, .t = t});
}
void launch_write(launches *l, launch *k, tensor t, int beta) {
  add_arg(l, k, (launch_arg){.kind = ARG_TENSOR, .access = beta ? ACCESS_UPDATE : ACCESS_WRITE, .t = t});
}
void launch_int(launches *l, launch *k, int v) {
  add_arg(l, k, (launch_arg){.kind = ARG_INT, .i = v});
}
void launch_float(launches *l, launch *k, float v) {
  add_arg(l, k, (launch_arg){.kind = ARG_FLOAT, .f = v});
}

static void grid(launch *k, int dims, size_t gx, size_t gy, size_t gz, size_t lx) {
  k->dims = dims;
  k->global[0] = gx, k->global[1] = gy, k->global[2] = gz;
  k->local[0] = lx, k->local[1] = k->local[2] = 1;
}

void launch_grid1(launches *l, launch *k, size_t gx, size_t gy, size_t gz) {
  (void)l;
  grid(k, 3, gx, gy, gz, 1);
}

void launch_grid64(launches *l, launch *k, size_t items) {
  size_t group = l->dev->max_work_group < GROUP ? 1 : GROUP;
  grid(k, 1, (items + group - 1) / group * group, 1, 1, group);
}

void launch_groups(launches *l, launch *k, size_t items, size_t groups, size_t parts) {
  (void)l;
  grid(k, 2, items * groups, parts, 1, items);
}

void launch_blocks(launches *l, launch *k, size_t n) {
  launch_int(l, k, l->dev->is_cpu ? CPU_BLOCK : 1);
  if (l->dev->is_cpu)
    grid(k, 1, (n + CPU_BLOCK - 1) / CPU_BLOCK, 1, 1, 1);
  else
    launch_grid64(l, k, n);
}

/* Is argument i the same read as an earlier one? A kernel that is built without a bias gets some other tensor for it. */
static int read_before(const launch *k, int i) {
  const tensor t = k->args[i].t;
  for (int j = 0; j < i; j++) {
    const launch_arg *a = &k->args[j];
    if (a->kind == ARG_TENSOR && a->access == ACCESS_READ && a->t.buf == t.buf && a->t.offset == t.offset) return 1;
  }
  return 0;
}

double launch_bytes(const launches *l, const launch *k) {
  double sum = 0;
  for (int i = 0; i < k->n_args; i++) {
    const launch_arg *a = &k->args[i];
    if (a->kind != ARG_TENSOR || (a->access == ACCESS_READ && read_before(k, i))) continue;
    double bytes = (double)tensor_count(a->t) * l->bufs[a->t.buf].elem;
    sum += bytes * (a->access == ACCESS_UPDATE ? 2 : 1);
  }
  return sum;
}

double launch_true_flops(const launch *k) {
  return k->true_flops > 0 ? k->true_flops : k->flops;
}

/* net/replay.c: see net/replay.h. */
#include "net/replay.h"

#include <limits.h>

#include "base/mem.h"

struct replay {
  device *dev;
  launches *l;
  buffer *arena;
  size_t arena_bytes;
  kernel **kernels; /* one a launch; NULL for library calls and for launch 0 */
};

static const buffer *home(const replay *r, const vbuf *b) {
  return b->external ? b->external : r->arena;
}

/* Elements from the start of the tensor's home buffer. */
static size_t home_offset(const vbuf *b, tensor t) {
  return t.offset + (b->external ? 0 : b->arena / (size_t)b->elem);
}

static int bind(replay *r, int at) {
  const launch *k = &r->l->list[at];
  int rc, index = 0;
  TRY(kernel_new(r->dev, k->file, k->kernel, k->defs, &r->kernels[at]));
  TRY(kernel_check_group(r->kernels[at], k->local[0] * k->local[1] * k->local[2]));
  for (int i = 0; i < k->n_args; i++) {
    const launch_arg *a = &k->args[i];
    if (a->kind == ARG_INT) {
      TRY(kernel_set_int(r->kernels[at], index++, a->i));
    } else if (a->kind == ARG_FLOAT) {
      TRY(kernel_set_float(r->kernels[at], index++, a->f));
    } else {
      const vbuf *b = &r->l->bufs[a->t.buf];
      const size_t offset = home_offset(b, a->t);
      if (a->t.buf == 0) FAIL(device_error(r->dev), CLDANN_E_ARG, "%s: argument %d of %s has no buffer", k->node, i, k->kernel);
      if (offset > INT_MAX)
        FAIL(device_error(r->dev), CLDANN_E_MEM, "%s: more than 2^31 elements in a buffer; use a smaller batch", k->node);
      TRY(kernel_set_buffer(r->kernels[at], index++, home(r, b)));
      TRY(kernel_set_int(r->kernels[at], index++, (int32_t)offset));
    }
  }
fail:
  return rc;
}

void replay_free(replay *r) {
  if (!r) return;
  for (int i = 0; r->kernels && i < r->l->n; i++) kernel_free(r->kernels[i]);
  mem_free(r->kernels);
  buffer_free(r->arena);
  launches_free(r->l);
  mem_free(r);
}

int replay_new(device *d, launches *l, replay **out) {
  replay *r = NULL;
  int rc;
  if ((rc = mem_new(device_error(d), &r, 1, sizeof *r)) < 0) {
    launches_free(l);
    return rc;
  }
  r->dev = d;
  r->l = l;
  r->arena_bytes = memory_assign(l);
  TRY(l->failed);
  TRY(buffer_new(d, "the arena of activations", r->arena_bytes, &r->arena));
  TRY(mem_new(device_error(d), &r->kernels, (size_t)l->n, sizeof *r->kernels));
  for (int i = 1; i < l->n; i++)
    if (!l->list[i].library) TRY(bind(r, i));
  *out = r;
  return CLDANN_OK;
fail:
  replay_free(r);
  return rc;
}

static int run_each(replay *r, int first, int last, int looked) {
  int rc = CLDANN_OK;
  for (int i = first; i < last; i++) {
    const launch *k = &r->l->list[i];
    if (k->look && !looked) continue;
    if (k->library)
      TRY(k->library(r->dev, k, r->l->bufs, r->arena));
    else
      TRY(kernel_launch(r->kernels[i], k->dims, k->global, k->local));
  }
fail:
  return rc;
}

int replay_run_range(replay *r, int first, int last) {
  return run_each(r, first, last, 1);
}

int replay_run(replay *r) {
  return run_each(r, 1, r->l->n, 0);
}

int replay_look(replay *r) {
  return run_each(r, 1, r->l->n, 1);
}

const launches *replay_list(const replay *r) {
  return r->l;
}

size_t replay_arena_bytes(const replay *r) {
  return r->arena_bytes;
}

int replay_read(replay *r, tensor t, void *dst) {
  const vbuf *b = &r->l->bufs[t.buf];
  const size_t elem = (size_t)b->elem;
  return buffer_read((buffer *)home(r, b), home_offset(b, t) * elem, dst, tensor_count(t) * elem);
}

int replay_write(replay *r, tensor t, const void *src) {
  const vbuf *b = &r->l->bufs[t.buf];
  const size_t elem = (size_t)b->elem;
  return buffer_write((buffer *)home(r, b), home_offset(b, t) * elem, src, tensor_count(t) * elem);
}

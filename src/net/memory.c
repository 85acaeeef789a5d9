/*
 * net/memory.c: one arena for all buffers of a list. Two buffers may share bytes when no launch lies in both lives.
 * Larger buffers are placed first, each at the lowest place that is free for its whole life.
 */
#include "base/mem.h"
#include "net/replay.h"

enum { ALIGN = 256 };

static size_t round_up(size_t n) {
  return (n + ALIGN - 1) / ALIGN * ALIGN;
}

static int lives_meet(const vbuf *a, const vbuf *b) {
  return a->first <= b->last && b->first <= a->last;
}

/* The lowest offset where b meets none of the `n` placed buffers; quadratic, and plans have tens of buffers. */
static size_t place(const launches *l, const int *placed, int n, const vbuf *b) {
  size_t at = 0;
  for (int moved = 1; moved;) {
    moved = 0;
    for (int i = 0; i < n; i++) {
      const vbuf *o = &l->bufs[placed[i]];
      if (lives_meet(o, b) && at < o->arena + round_up(o->bytes) && o->arena < at + round_up(b->bytes)) {
        at = o->arena + round_up(o->bytes);
        moved = 1;
      }
    }
  }
  return at;
}

size_t memory_assign(launches *l) {
  int *order = NULL, n = 0;
  size_t top = 0;
  if (l->failed || (l->failed = mem_new(l->err, &order, (size_t)l->n_bufs, sizeof *order)) < 0) return 0;
  for (int i = 1; i < l->n_bufs; i++) {
    const vbuf *b = &l->bufs[i];
    if (b->external || b->first < 0) continue;
    int j = n++;
    for (; j > 0 && l->bufs[order[j - 1]].bytes < b->bytes; j--) order[j] = order[j - 1];
    order[j] = i;
  }
  for (int i = 0; i < n; i++) {
    vbuf *b = &l->bufs[order[i]];
    b->arena = place(l, order, i, b);
    if (b->arena + round_up(b->bytes) > top) top = b->arena + round_up(b->bytes);
  }
  mem_free(order);
  return top;
}

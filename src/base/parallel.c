/* base/parallel.c: see base/parallel.h. */
#include "base/parallel.h"

#include <pthread.h>
#include <unistd.h>

#include "base/mem.h"

enum { PARALLEL_MAX = 256 };

typedef struct part {
  parallel_fn fn;
  void *arg;
  int64_t first, last;
  cldann_error error;
  int rc, started;
  pthread_t thread;
} part;

static void *part_run(void *p) {
  part *t = p;
  t->rc = t->fn(&t->error, t->arg, t->first, t->last);
  return NULL;
}

static int processors(void) {
  long n = sysconf(_SC_NPROCESSORS_ONLN);
  return n < 1 ? 1 : n > PARALLEL_MAX ? PARALLEL_MAX : (int)n;
}

int parallel_for(cldann_error *e, int64_t n, int threads, parallel_fn fn, void *arg) {
  int rc = CLDANN_OK;
  part *parts = NULL;
  if (threads <= 0) threads = processors();
  if (threads > PARALLEL_MAX) threads = PARALLEL_MAX;
  if (threads > n) threads = (int)n;
  if (n <= 0) return CLDANN_OK;
  if (threads == 1) return fn(e, arg, 0, n);
  TRY(mem_new(e, &parts, (size_t)threads, sizeof *parts));
  for (int i = 0; i < threads; i++) {
    part *p = parts + i;
    p->fn = fn;
    p->arg = arg;
    p->first = n / threads * i + n % threads * i / threads;
    p->last = n / threads * (i + 1) + n % threads * (i + 1) / threads;
    if (i > 0) p->started = pthread_create(&p->thread, NULL, part_run, p) == 0;
  }
  /* The caller's thread does the first range, and any for which the system gave no thread. */
  for (int i = 0; i < threads; i++)
    if (!parts[i].started) part_run(parts + i);
  for (int i = 0; i < threads; i++) {
    if (parts[i].started) pthread_join(parts[i].thread, NULL);
    if (parts[i].rc < 0 && rc == CLDANN_OK) {
      rc = parts[i].rc;
      if (e && !e->code) *e = parts[i].error;
    }
  }
fail:
  mem_free(parts);
  return rc;
}

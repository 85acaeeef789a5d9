/* base/mem.c: see base/mem.h. The two counters are the library's only globals, and only tests read them. */
#define _DEFAULT_SOURCE
#include "base/mem.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static atomic_long live;
static atomic_long fail_in = -1;

static int refuse(void) {
  long n = atomic_load(&fail_in);
  if (n < 0) return 0;
  return atomic_fetch_sub(&fail_in, 1) <= 0;
}

/* The end of every allocation: p, which may have been refused, goes to *out; fresh: it is a block more than before. */
static int hand_out(cldann_error *e, void *p, int fresh, void *out, size_t count, size_t size) {
  if (!p)
    return err_set(e, CLDANN_E_MEM, __FILE__, __LINE__, "out of memory: %zu x %zu bytes were refused; free some memory", count,
                   size);
  if (fresh) atomic_fetch_add(&live, 1);
  memcpy(out, &p, sizeof p);
  return CLDANN_OK;
}

int mem_new(cldann_error *e, void *out, size_t count, size_t size) {
  void *p = NULL;
  if (count == 0 || size == 0) count = size = 1;
  if (count <= SIZE_MAX / size && !refuse()) p = calloc(count, size);
  return hand_out(e, p, 1, out, count, size);
}

int mem_new_pages(cldann_error *e, void *out, size_t count, size_t size) {
  const size_t page = 4096;
  void *p = NULL;
  if (count == 0 || size == 0) count = size = 1;
  if (count <= (SIZE_MAX - page) / size && !refuse()) {
    const size_t bytes = (count * size + page - 1) / page * page;
    p = aligned_alloc(page, bytes);
    if (p) memset(p, 0, bytes);
  }
  return hand_out(e, p, 1, out, count, size);
}

int mem_resize(cldann_error *e, void *inout, size_t count, size_t size) {
  void *old, *p = NULL;
  memcpy(&old, inout, sizeof old);
  if (count == 0 || size == 0) count = size = 1;
  if (count <= SIZE_MAX / size && !refuse()) p = realloc(old, count * size);
  return hand_out(e, p, !old, inout, count, size);
}

int mem_strdup(cldann_error *e, char **out, const char *s) {
  size_t n = strlen(s) + 1;
  int rc = mem_new(e, out, n, 1);
  if (rc == CLDANN_OK) memcpy(*out, s, n);
  return rc;
}

void mem_free(void *p) {
  if (!p) return;
  atomic_fetch_sub(&live, 1);
  free(p);
}

double mem_peak_resident(void) {
  struct rusage use;
  if (getrusage(RUSAGE_SELF, &use) != 0) return 0;
  return (double)use.ru_maxrss * 1024;
}

long mem_live(void) {
  return atomic_load(&live);
}

void mem_fail_after(long count) {
  atomic_store(&fail_in, count);
}

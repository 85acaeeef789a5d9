/* ops/choice.c: see ops/choice.h. */
#include "ops/choice.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "device/tuning.h"

/* The file names what cannot be done. */
static void unfit(launches *l, const char *way, const char *key) {
  if (l->failed) return;
  l->failed =
      err_set(l->err, CLDANN_E_CONFIG, __FILE__, __LINE__,
              "%s: '%s' is no way to do '%s' on this device; make the file anew with 'cldann tune', or use --tuning none",
              tuning_name(l->tuning), way, key);
}

/* ---- what was decided ---- */

static decision *begin(launches *l, const char *key, const char *entry) {
  int rc = CLDANN_OK;
  if (l->failed) goto fail;
  if (l->n_decisions == l->cap_decisions) {
    const int cap = l->cap_decisions ? 2 * l->cap_decisions : 16;
    TRY(mem_resize(l->err, &l->decisions, (size_t)cap, sizeof *l->decisions));
    l->cap_decisions = cap;
  }
  decision *d = &l->decisions[l->n_decisions];
  memset(d, 0, sizeof *d);
  snprintf(d->key, sizeof d->key, "%s", key);
  d->tuned = entry != NULL;
  d->first = l->n;
  d->first_buf = l->n_bufs;
  l->deciding = l->n_decisions++;
  return d;
fail:
  l->failed = rc < 0 ? rc : l->failed;
  return NULL;
}

static const variant *named(const launches *l, const variant *table, int n, const char *name, size_t length, const void *what) {
  for (int i = 0; i < n; i++)
    if (strlen(table[i].name) == length && !strncmp(table[i].name, name, length) && table[i].fits(l->dev, what))
      return &table[i];
  return NULL;
}

static const variant *by_rule(const launches *l, const variant *table, int n, const void *what) {
  for (int i = 0; i < n - 1; i++)
    if (table[i].fits(l->dev, what) && (!table[i].rule || table[i].rule(l->dev, what))) return &table[i];
  return &table[n - 1]; /* the last row fits everything */
}

static void add_others(decision *d, const launches *l, const variant *table, int n, const variant *taken, const void *what) {
  for (int i = 0; i < n; i++)
    if (&table[i] != taken && table[i].fits(l->dev, what) && d->n_variants < MOST_VARIANTS)
      d->variants[d->n_variants++] = table[i].name;
}

void choice_emit(launches *l, const variant *table, int n, const char *key, const void *what) {
  const char *entry = l->force || !l->tuning ? NULL : tuning_find(l->tuning, key);
  const variant *v = NULL;
  const int outer = l->deciding, reference = l->in_reference;
  const char *const outer_numbers = l->numbers;
  if (l->force && !(v = named(l, table, n, l->force, strlen(l->force), what))) v = &table[n - 1];
  if (entry && !(v = named(l, table, n, entry, strcspn(entry, " "), what))) unfit(l, entry, key);
  if (l->reference && !strcmp(l->reference, key)) l->in_reference = 1;
  if (l->in_reference) v = &table[n - 1], entry = NULL;
  if (!v) v = by_rule(l, table, n, what);
  decision *d = begin(l, key, entry);
  if (d) {
    const int at = l->deciding;
    l->numbers = entry ? entry + strcspn(entry, " ") : NULL;
    snprintf(d->use, sizeof d->use, "%s", v->name);
    add_others(d, l, table, n, v, what);
    v->emit(l, v->name, what);
    l->decisions[at].last = l->n;
    if (l->numbers && l->numbers[0] && !l->decisions[at].n_ways) unfit(l, entry, key);
  }
  l->deciding = outer;
  l->numbers = outer_numbers;
  l->in_reference = reference;
}

/* ---- numbers ---- */

/* " v=16 nv=2 rows=8" */
static void write_numbers(char *to, size_t room, const char *names, const numbers *way) {
  size_t used = 0;
  for (int i = 0; *names; i++) {
    const size_t length = strcspn(names, " ");
    used += (size_t)snprintf(to + used, used < room ? room - used : 0, " %.*s=%d", (int)length, names, way->v[i]);
    names += length;
    names += strspn(names, " ");
  }
}

/* A variant without numbers, or one named alone in the file, is done as its rule says. */
numbers choice_numbers(launches *l, const char *names, const numbers *ways, int n) {
  decision *d = l->failed ? NULL : &l->decisions[l->deciding];
  int taken = 0;
  char text[WAY] = "";
  if (!d) return ways[0];
  if (l->numbers && l->numbers[0]) {
    for (taken = n - 1; taken >= 0; taken--) {
      write_numbers(text, sizeof text, names, &ways[taken]);
      if (!strcmp(text, l->numbers)) break;
    }
    if (taken < 0) {
      unfit(l, l->numbers + 1, d->key);
      return ways[0];
    }
  }
  for (int i = 0; i < n && d->n_ways < MOST_WAYS; i++) {
    write_numbers(text, sizeof text, names, &ways[i]);
    snprintf(d->ways[d->n_ways++], WAY, "%s%s", d->use, text);
  }
  write_numbers(text, sizeof text, names, &ways[taken]);
  snprintf(d->use + strlen(d->use), sizeof d->use - strlen(d->use), "%s", text);
  return ways[taken];
}

/* ---- which devices ---- */

int fits_any(const device_info *d, const void *what) {
  (void)d, (void)what;
  return 1;
}

int fits_cpu(const device_info *d, const void *what) {
  (void)what;
  return d->is_cpu;
}

int rule_gpu(const device_info *d, const void *what) {
  (void)what;
  return d->is_gpu;
}

int ceil_div(int a, int b) {
  return (a + b - 1) / b;
}

/* ---- register tiles ---- */

/* Largest power of two that is neither above n nor above the device's vectors. */
static int tile_vector(int n, int width) {
  int v = 1;
  while (2 * v <= n && 2 * v <= width) v *= 2;
  return v;
}

/*
 * Estimated time: padded work, plus a little for loads. Below 8 sums the latency shows; vector loads count double (they
 * straddle cache lines); `strided` says that each row has its own pointer, and more than 8 of them no longer fit the integer
 * registers.
 */
static double tile_cost(int rows, int vectors, tile t, int strided) {
  const int all = t.rows * t.nv, sums = all < 8 ? 8 : all;
  const int loads = t.rows + 2 * t.nv + (strided && t.rows > 8 ? t.rows - 8 : 0);
  const double step = (sums > loads ? sums : loads) + 0.1 * loads + 1.0;
  return (double)ceil_div(rows, t.rows) * ceil_div(vectors, t.nv) * step;
}

int tile_list(int rows, int n, int width, int max_nv, int strided, tile all[TILES]) {
  const int widest = tile_vector(n, width), regs = width >= 16 ? 32 : 16; /* AVX-512 has 32, narrower sets 16 */
  double cost[TILES];
  int count = 0;
  for (int v = widest; v >= 1 && 2 * v >= widest; v /= 2) /* half a vector may fit n better */
    for (int nv = 1; nv <= max_nv && nv <= ceil_div(n, v); nv++)
      /* rows * nv sums, nv vectors and one broadcast must fit the registers */
      for (int r = 1; r <= 16 && r <= rows && r * nv + nv + 1 <= regs && count < TILES; r++) {
        const tile t = {v, nv, r};
        const double c = tile_cost(rows, ceil_div(n, v), t, strided);
        int at = count++;
        for (; at > 0 && cost[at - 1] > c; at--) all[at] = all[at - 1], cost[at] = cost[at - 1];
        all[at] = t;
        cost[at] = c;
      }
  return count;
}

tile tile_choose(launches *l, int rows, int n, int max_nv, int strided) {
  tile all[TILES];
  numbers ways[TILES];
  const int count = tile_list(rows, n, l->dev->vector_width, max_nv, strided, all);
  for (int i = 0; i < count; i++) ways[i] = (numbers){{all[i].v, all[i].nv, all[i].rows}};
  const numbers taken = choice_numbers(l, "v nv rows", ways, count);
  return (tile){taken.v[0], taken.v[1], taken.v[2]};
}

/* tests/harness.c: see tests/harness.h. */
#define _POSIX_C_SOURCE 200809L
#include "harness.h"

#include <check.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/rng.h"
#include "ops/gemm.h"
#include "runner.h"

enum { GUARD_AFTER = 37 };

cldann *harness_ctx;

const char *const harness_variants[] = {"cpu", "generic", "local", "clblast", NULL};

int harness_small(void) {
  return env_is_set("CLDANN_TEST_SMALL");
}

int harness_has(const char *way) {
  return gemm_has(device_get_info(harness_ctx->dev), way); /* the product has every variant there is */
}

void harness_each_geometry(void (*body)(const char *way)) {
  static const char *const geometries[] = {"cpu", "generic"};
  for (int v = 0; v < 2; v++)
    if (harness_has(geometries[v])) body(geometries[v]);
}

op harness_infer(op o) {
  cldann_error e;
  err_clear(&e);
  snprintf(o.name, sizeof o.name, "%s", o.type->name);
  ck_assert_msg(o.type->infer(&o, &e) == CLDANN_OK, "%s: %s", o.name, e.message);
  return o;
}

op harness_op(const char *type, shape in, int units, cldann_window window) {
  return harness_infer((op){.type = op_find(type), .in = in, .units = units, .window = window});
}

static void must(const rig *g, int rc, const char *what) {
  ck_assert_msg(rc >= 0, "%s: %s: %s", g->label, what, harness_ctx->err.message);
}

void rig_begin(rig *g, const char *way, const char *label) {
  memset(g, 0, sizeof *g);
  err_clear(&harness_ctx->err);
  g->started = clock_now();
  snprintf(g->label, sizeof g->label, "%s [%s]", label, way);
  g->info = *device_get_info(harness_ctx->dev);
  if (strcmp(way, "cpu") != 0) g->info.is_cpu = 0;
  must(g, launches_new(&harness_ctx->err, &g->info, &g->l), "launches_new");
  g->l->force = way;
}

/* A quiet NaN with a mark for floats, a byte that is no cell of a window for bytes. */
static void fill_guard(unsigned char *p, size_t elements, int elem) {
  static const unsigned char nan_bytes[4] = {0xAD, 0xDE, 0xC0, 0x7F};
  for (size_t i = 0; i < elements; i++)
    for (int b = 0; b < elem; b++) p[i * (size_t)elem + (size_t)b] = elem == 4 ? nan_bytes[b] : 0xAB;
}

static int add_slot(rig *g, const char *name, int elem, int is_out, int rows, int h, int w, int c) {
  ck_assert_int_lt(g->n, SLOTS);
  slot *s = &g->slots[g->n];
  snprintf(s->name, sizeof s->name, "%s", name);
  s->elem = elem;
  s->is_out = is_out;
  s->count = tensor_count((tensor){0, 0, rows, h, w, c});
  s->before = 3 + 2 * (size_t)g->n;
  s->total = s->before + s->count + GUARD_AFTER;
  s->sent = malloc(s->total * (size_t)elem);
  fill_guard(s->sent, s->total, elem);
  must(g, buffer_new(harness_ctx->dev, name, s->total * (size_t)elem, &s->buf), name);
  must(g, buffer_write(s->buf, 0, s->sent, s->total * (size_t)elem), name);
  s->t = launches_external(g->l, name, s->buf, elem, s->before, rows, h, w, c);
  return g->n++;
}

int rig_in(rig *g, const char *name, int elem, int rows, int h, int w, int c) {
  return add_slot(g, name, elem, 0, rows, h, w, c);
}

int rig_out(rig *g, const char *name, int elem, int rows, int h, int w, int c) {
  return add_slot(g, name, elem, 1, rows, h, w, c);
}

tensor rig_tensor(const rig *g, int s) {
  return g->slots[s].t;
}

void rig_bind(rig *g) {
  must(g, g->l->failed, "emit");
  must(g, replay_new(harness_ctx->dev, g->l, &g->r), "replay_new");
  /* The arena starts as NaN: a temporary that is read before it is written shows. */
  for (int i = 1; i < g->l->n_bufs; i++) {
    const vbuf *b = &g->l->bufs[i];
    if (b->external || b->first < 0) continue;
    unsigned char *nans = malloc(b->bytes);
    fill_guard(nans, b->bytes / (size_t)b->elem, b->elem);
    must(g, replay_write(g->r, (tensor){i, 0, 1, 1, 1, (int)(b->bytes / (size_t)b->elem)}, nans), b->name);
    free(nans);
  }
}

static void upload(rig *g, slot *s) {
  must(g, buffer_write(s->buf, 0, s->sent, s->total * (size_t)s->elem), s->name);
}

void rig_put(rig *g, int at, const void *data) {
  slot *s = &g->slots[at];
  memcpy(s->sent + s->before * (size_t)s->elem, data, s->count * (size_t)s->elem);
  upload(g, s);
}

void rig_put_doubles(rig *g, int at, const double *data) {
  slot *s = &g->slots[at];
  float *to = (float *)(void *)s->sent + s->before;
  ck_assert_int_eq(s->elem, 4);
  for (size_t i = 0; i < s->count; i++) to[i] = (float)data[i];
  upload(g, s);
}

void rig_poison(rig *g, int at) {
  slot *s = &g->slots[at];
  fill_guard(s->sent, s->total, s->elem);
  upload(g, s);
}

void rig_run(rig *g, int first, int last) {
  must(g, replay_run_range(g->r, first, last), "run");
}

/* Downloads a slot; its guards, and all of it when nothing may have written there, must be what was uploaded. */
static unsigned char *download(rig *g, const slot *s) {
  const size_t e = (size_t)s->elem, before = s->before * e, inside = s->count * e, total = s->total * e;
  unsigned char *got = malloc(total);
  must(g, buffer_read(s->buf, 0, got, total), s->name);
  ck_assert_msg(!memcmp(got, s->sent, before), "%s: %s: written before its start", g->label, s->name);
  ck_assert_msg(!memcmp(got + before + inside, s->sent + before + inside, total - before - inside),
                "%s: %s: written past its end", g->label, s->name);
  ck_assert_msg(s->is_out || !memcmp(got, s->sent, total), "%s: %s: an input was changed", g->label, s->name);
  return got;
}

void rig_get(rig *g, int at, void *data) {
  const slot *s = &g->slots[at];
  unsigned char *got = download(g, s);
  memcpy(data, got + s->before * (size_t)s->elem, s->count * (size_t)s->elem);
  free(got);
}

double *rig_get_doubles(rig *g, int at) {
  const slot *s = &g->slots[at];
  float *f = malloc(s->count * sizeof *f);
  double *d = new_doubles(s->count);
  rig_get(g, at, f);
  for (size_t i = 0; i < s->count; i++) d[i] = (double)f[i];
  free(f);
  return d;
}

void rig_end(rig *g) {
  for (int i = 0; i < g->n; i++) {
    slot *s = &g->slots[i];
    free(download(g, s));
    free(s->sent);
  }
  if (g->r)
    replay_free(g->r);
  else
    launches_free(g->l);
  for (int i = 0; i < g->n; i++) buffer_free(g->slots[i].buf);
  if (env_is_set("CLDANN_TEST_VERBOSE")) printf("%7.1f ms  %s\n", 1e3 * (clock_now() - g->started), g->label);
}

double tolerance(double want, double mag, double terms) {
  return FLT_EPSILON * ((4 + sqrt(terms)) * mag + 8 * fabs(want)) + FLT_MIN;
}

void rig_compare(rig *g, int at, const double *want, const double *mag, double terms) {
  const slot *s = &g->slots[at];
  double *got = rig_get_doubles(g, at);
  for (size_t i = 0; i < s->count; i++) {
    const double allowed = tolerance(want[i], mag[i], terms);
    ck_assert_msg(fabs(got[i] - want[i]) <= allowed, "%s: %s[%zu] is %.9g, not %.9g (off by %.3g, allowed %.3g)", g->label,
                  s->name, i, got[i], want[i], fabs(got[i] - want[i]), allowed);
  }
  free(got);
}

double draw_normal(uint32_t stream, size_t i) {
  const rng r = rng_words(stream, RNG_CHECK, 0, i);
  return (double)rng_normal(r.v[0], r.v[1]);
}

double draw_uniform(uint32_t stream, size_t i) {
  const rng r = rng_words(stream, RNG_CHECK, 1, i);
  return (double)(2 * rng_unit(r.v[0]) - 1);
}

double *new_doubles(size_t n) {
  return calloc(n ? n : 1, sizeof(double));
}

double *new_normals(uint32_t stream, size_t n) {
  double *v = new_doubles(n);
  for (size_t i = 0; i < n; i++) v[i] = draw_normal(stream, i);
  return v;
}

double *new_abs(const double *v, size_t n) {
  double *a = new_doubles(n);
  for (size_t i = 0; i < n; i++) a[i] = fabs(v[i]);
  return a;
}

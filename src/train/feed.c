/*
 * train/feed.c: see train/feed.h. Block b of a streamed set goes into slot b % 2 of the device's buffer, by way of a host block
 * of its own, so that gathering block b + 1 touches neither what the device reads nor what may still be on its way.
 */
#include "train/feed.h"

#include <string.h>

#include "base/mem.h"

/* ---- setting up ---- */

static size_t items_of(const feed_spec *spec) {
  return spec->block ? 2 * (size_t)spec->block * (size_t)spec->rows : (size_t)spec->set->n;
}

/* What goes with each item, a whole number: its label, its domain. */
enum { LABELS, DOMAINS, MARKS };

static int32_t *marks_of(const feed_spec *spec, int k) {
  if (k == LABELS) return spec->labels ? spec->set->y : NULL;
  return spec->domains ? spec->set->domain : NULL;
}

static buffer **place_of(feed *f, int k) {
  return k == LABELS ? &f->s.labels : &f->s.domains;
}

/* Of the values, and of the columns; a buffer cannot be empty. */
static size_t entries_bytes(const dataset *d) {
  return 4 * (dataset_entries(d) > 0 ? dataset_entries(d) : 1);
}

size_t feed_bytes(const feed_spec *spec, size_t *largest) {
  const dataset *d = spec->set;
  const size_t items = items_of(spec), x = dataset_is_sparse(d) ? entries_bytes(d) : items * dataset_item_bytes(d);
  const size_t y = items * 4, marks = (marks_of(spec, LABELS) ? y : 0) + (marks_of(spec, DOMAINS) ? y : 0);
  const size_t columns = dataset_is_sparse(d) ? x : 0, offsets = dataset_is_sparse(d) ? (items + 1) * 4 : 0;
  if (largest) *largest = x > offsets && (x > y || !marks) ? x : offsets > y || !marks ? offsets : y;
  return x + columns + offsets + marks;
}

static int open_resident(feed *f) {
  const dataset *d = f->spec.set;
  int rc;
  if (dataset_is_sparse(d)) {
    TRY(buffer_new_over(f->dev, d->name, d->x, entries_bytes(d), &f->s.x));
    TRY(buffer_new_over(f->dev, d->name, d->columns, entries_bytes(d), &f->s.columns));
    TRY(buffer_new_over(f->dev, d->name, d->offsets, ((size_t)d->n + 1) * 4, &f->s.offsets));
  } else {
    TRY(buffer_new_over(f->dev, d->name, d->x, (size_t)d->n * dataset_item_bytes(d), &f->s.x));
  }
  for (int k = 0; k < MARKS; k++)
    if (marks_of(&f->spec, k)) TRY(buffer_new_over(f->dev, d->name, marks_of(&f->spec, k), (size_t)d->n * 4, place_of(f, k)));
fail:
  return rc;
}

static int open_streamed(feed *f) {
  const dataset *d = f->spec.set;
  cldann_error *e = device_error(f->dev);
  const size_t items = items_of(&f->spec), item = dataset_item_bytes(d);
  int rc;
  TRY(mem_new(e, &f->order, (size_t)f->spec.rows, sizeof *f->order));
  TRY(buffer_new(f->dev, d->name, items * item, &f->s.x));
  for (int k = 0; k < MARKS; k++)
    if (marks_of(&f->spec, k)) TRY(buffer_new(f->dev, d->name, items * 4, place_of(f, k)));
  for (int i = 0; i < 2; i++) {
    f->slots[i].holds = -1;
    TRY(mem_new(e, &f->slots[i].x, items / 2, item));
    for (int k = 0; k < MARKS; k++)
      if (marks_of(&f->spec, k)) TRY(mem_new(e, &f->slots[i].marks[k], items / 2, sizeof *f->slots[i].marks[k]));
  }
fail:
  return rc;
}

int feed_open(device *d, const feed_spec *spec, feed *f) {
  int rc;
  *f = (feed){.spec = *spec, .dev = d};
  f->s.bytes = spec->set->type == DATA_U8 ? 1 : 4;
  f->s.channels = spec->set->c, f->s.h = spec->set->h, f->s.w = spec->set->w;
  f->s.entries = dataset_is_sparse(spec->set) ? (double)dataset_entries(spec->set) / spec->set->n : 0;
  TRY(spec->block ? open_streamed(f) : open_resident(f));
fail:
  if (rc < 0) feed_close(f);
  return rc;
}

void feed_close(feed *f) {
  if (f->dev) device_finish(f->dev); /* uploads and launches may still read what goes */
  buffer_free(f->s.x);
  buffer_free(f->s.offsets);
  buffer_free(f->s.columns);
  for (int k = 0; k < MARKS; k++) buffer_free(*place_of(f, k));
  mem_free(f->order);
  for (int i = 0; i < 2; i++) {
    mem_free(f->slots[i].x);
    for (int k = 0; k < MARKS; k++) mem_free(f->slots[i].marks[k]);
  }
  *f = (feed){0};
}

/* ---- rows ---- */

/* The items of a step, in order; *n of them. */
static int rows_of(const feed *f, int64_t step, int32_t *rows, int *n) {
  const feed_spec *s = &f->spec;
  const int64_t left = s->set->n - step * s->rows;
  *n = s->rows;
  if (s->sampler) return sampler_batch(device_error(f->dev), s->sampler, step, rows);
  if (left < *n) *n = (int)left;
  for (int i = 0; i < *n; i++) rows[i] = (int32_t)(step * s->rows + i);
  return CLDANN_OK;
}

/* Rows of the batch that the set has no items for repeat its first: they are read, and count for nothing. */
static void pad(int32_t *indices, int n, int rows) {
  for (int i = n; i < rows; i++) indices[i] = indices[0];
}

static int stage(feed *f, int64_t block) {
  const feed_spec *s = &f->spec;
  struct feed_slot *slot = &f->slots[block % 2];
  const size_t item = dataset_item_bytes(s->set), per_slot = (size_t)s->block * (size_t)s->rows;
  const size_t at = (size_t)(block % 2) * per_slot;
  const int64_t first = block * s->block, left = s->steps - first;
  size_t used = 0;
  int rc, n;
  slot->holds = -1;
  for (int64_t i = 0; i < s->block && i < left; i++) {
    TRY(rows_of(f, first + i, f->order, &n));
    for (int k = 0; k < n; k++) {
      const size_t from = (size_t)f->order[k], to = used + (size_t)k;
      memcpy(slot->x + to * item, (const uint8_t *)s->set->x + from * item, item);
      for (int m = 0; m < MARKS; m++)
        if (slot->marks[m]) slot->marks[m][to] = marks_of(s, m)[from];
    }
    used += (size_t)s->rows;
  }
  TRY(buffer_stage(f->s.x, at * item, slot->x, used * item));
  for (int m = 0; m < MARKS; m++)
    if (slot->marks[m]) TRY(buffer_stage(*place_of(f, m), at * 4, slot->marks[m], used * 4));
  slot->holds = block;
  slot->sent = 1;
fail:
  return rc;
}

int feed_use(feed *f, int64_t first, int n, int32_t *indices, int stride) {
  const feed_spec *s = &f->spec;
  const int64_t block = s->block ? first / s->block : 0;
  int rc = CLDANN_OK, rows;
  if (s->block) {
    struct feed_slot *slot = &f->slots[block % 2];
    if (slot->holds != block) {
      TRY(device_finish(f->dev)); /* the slot may be in use, or on its way */
      TRY(stage(f, block));
    }
    TRY(device_await_staged(f->dev));
    slot->sent = 0;
  }
  for (int i = 0; i < n; i++) {
    int32_t *to = indices + (size_t)i * (size_t)stride;
    const int64_t step = first + i, left = s->set->n - step * s->rows;
    if (!s->block) {
      TRY(rows_of(f, step, to, &rows));
    } else {
      const int64_t at = (block % 2 * s->block + step % s->block) * s->rows;
      rows = s->sampler || left > s->rows ? s->rows : (int)left;
      for (int k = 0; k < rows; k++) to[k] = (int32_t)(at + k);
    }
    pad(to, rows, s->rows);
  }
fail:
  return rc;
}

int feed_ahead(feed *f, int64_t step) {
  const feed_spec *s = &f->spec;
  const int64_t next = s->block ? step / s->block + 1 : 0;
  int rc = CLDANN_OK;
  if (!s->block || next * s->block >= s->steps || f->slots[next % 2].holds == next) return CLDANN_OK;
  if (f->slots[next % 2].sent) TRY(device_finish(f->dev)); /* staged, and never asked for: its upload may read the block yet */
  TRY(stage(f, next));
fail:
  return rc;
}

/*
 * data/resample.c: see data/resample.h. Two passes, across and then down, with bytes between them and weights of 22 bits: the
 * arithmetic of Pillow's Image.resize(BILINEAR), which published data sets were mostly resized with.
 */
#include "data/resample.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

enum { BITS = 22 };

/* For each of `to` outputs: the first of its inputs, how many, and their weights. */
typedef struct weights {
  int most; /* weights an output at most */
  int *first, *count;
  int32_t *weight; /* (to, most) */
} weights;

static void weights_free(weights *k) {
  mem_free(k->first);
  mem_free(k->count);
  mem_free(k->weight);
}

static int weights_make(cldann_error *e, int from, int to, weights *k) {
  int rc = CLDANN_OK;
  const double scale = (double)from / to, wide = scale > 1 ? scale : 1;
  double *part = NULL;
  k->most = (int)ceil(wide) * 2 + 1;
  TRY(mem_new(e, &part, (size_t)k->most, sizeof *part));
  TRY(mem_new(e, &k->first, (size_t)to, sizeof *k->first));
  TRY(mem_new(e, &k->count, (size_t)to, sizeof *k->count));
  TRY(mem_new(e, &k->weight, (size_t)to * (size_t)k->most, sizeof *k->weight));
  for (int i = 0; i < to; i++) {
    const double centre = (i + 0.5) * scale;
    const int low = (int)(centre - wide + 0.5), high = (int)(centre + wide + 0.5);
    const int first = low < 0 ? 0 : low, n = (high > from ? from : high) - first;
    double sum = 0;
    for (int j = 0; j < n; j++) {
      const double far = fabs((j + first - centre + 0.5) / wide);
      part[j] = far < 1 ? 1 - far : 0;
      sum += part[j];
    }
    for (int j = 0; j < n; j++)
      k->weight[(size_t)i * (size_t)k->most + (size_t)j] = (int32_t)(0.5 + part[j] / sum * (1 << BITS));
    k->first[i] = first;
    k->count[i] = n;
  }
fail:
  mem_free(part);
  return rc;
}

/* Along lines whose neighbouring pixels are `step` bytes apart: output line l is at to + l * to_line. */
static void pass(const weights *k, int outputs, int lines, const uint8_t *from, size_t step, size_t from_line, uint8_t *to,
                 size_t to_step, size_t to_line) {
  for (int l = 0; l < lines; l++)
    for (int i = 0; i < outputs; i++) {
      const uint8_t *p = from + (size_t)l * from_line + (size_t)k->first[i] * step;
      const int32_t *w = k->weight + (size_t)i * (size_t)k->most;
      int32_t sum[3] = {1 << (BITS - 1), 1 << (BITS - 1), 1 << (BITS - 1)};
      for (int j = 0; j < k->count[i]; j++, p += step)
        for (int c = 0; c < 3; c++) sum[c] += p[c] * w[j];
      for (int c = 0; c < 3; c++) {
        const int32_t v = sum[c] >> BITS;
        to[(size_t)l * to_line + (size_t)i * to_step + (size_t)c] = (uint8_t)(v > 255 ? 255 : v);
      }
    }
}

int picture_resize(cldann_error *e, picture *p, int h, int w) {
  int rc = CLDANN_OK;
  weights across = {0}, down = {0};
  uint8_t *middle = NULL, *end = NULL;
  if (w != p->w) {
    TRY(weights_make(e, p->w, w, &across));
    TRY(mem_new(e, &middle, (size_t)p->h * (size_t)w, 3));
    pass(&across, w, p->h, p->rgb, 3, (size_t)p->w * 3, middle, 3, (size_t)w * 3);
    mem_free(p->rgb);
    p->rgb = middle;
    p->w = w;
  }
  if (h != p->h) {
    TRY(weights_make(e, p->h, h, &down));
    TRY(mem_new(e, &end, (size_t)h * (size_t)w, 3));
    pass(&down, h, w, p->rgb, (size_t)w * 3, 3, end, (size_t)w * 3, 3);
    mem_free(p->rgb);
    p->rgb = end;
    p->h = h;
  }
fail:
  weights_free(&across);
  weights_free(&down);
  return rc;
}

void picture_crop(picture *p, int h, int w) {
  const size_t top = (size_t)(p->h - h) / 2, left = (size_t)(p->w - w) / 2, line = (size_t)w * 3;
  for (size_t y = 0; y < (size_t)h; y++) memmove(p->rgb + y * line, p->rgb + ((top + y) * (size_t)p->w + left) * 3, line);
  p->h = h;
  p->w = w;
}

/* One image of the set into a picture, and back into the new set. */
static void take(const dataset *d, int i, picture *p) {
  const uint8_t *from = (const uint8_t *)d->x + (size_t)i * dataset_item_bytes(d);
  const size_t n = (size_t)d->h * (size_t)d->w;
  for (size_t k = 0; k < n; k++)
    for (size_t c = 0; c < 3; c++) p->rgb[3 * k + c] = from[d->c == 3 ? 3 * k + c : k];
  p->h = d->h;
  p->w = d->w;
}

static void give(const picture *p, int channels, uint8_t *to) {
  const size_t n = (size_t)p->h * (size_t)p->w;
  for (size_t k = 0; k < n; k++)
    for (int c = 0; c < channels; c++) *to++ = p->rgb[3 * k + (size_t)c];
}

int dataset_resample(cldann_error *e, dataset *d, const int resize[2], const int crop[2]) {
  int rc = CLDANN_OK;
  const int h = resize[0] ? resize[0] : d->h, w = resize[0] ? resize[1] : d->w;
  const int end_h = crop[0] ? crop[0] : h, end_w = crop[0] ? crop[1] : w;
  const size_t item = (size_t)end_h * (size_t)end_w * (size_t)d->c;
  picture p = {0};
  uint8_t *x = NULL;
  if (!resize[0] && !crop[0]) return CLDANN_OK;
  if (d->type != DATA_U8 || (d->c != 1 && d->c != 3))
    FAIL(e, CLDANN_E_ARG, "%s holds no images of bytes with 1 or 3 channels to resize or crop; give shape, or bytes = true",
         d->name);
  if (end_h > h || end_w > w)
    FAIL(e, CLDANN_E_ARG, "%s has %d x %d pixels, fewer than crop = [%d, %d]; crop less or resize", d->name, h, w, end_h,
         end_w);
  TRY(mem_new_pages(e, &x, (size_t)d->n, item));
  for (int i = 0; i < d->n; i++) {
    TRY(mem_new(e, &p.rgb, (size_t)d->h * (size_t)d->w, 3));
    take(d, i, &p);
    if (resize[0]) TRY(picture_resize(e, &p, h, w));
    if (crop[0]) picture_crop(&p, end_h, end_w);
    give(&p, d->c, x + (size_t)i * item);
    mem_free(p.rgb);
    p.rgb = NULL;
  }
  mem_free(d->x);
  d->x = x;
  x = NULL;
  d->h = end_h;
  d->w = end_w;
fail:
  mem_free(p.rgb);
  mem_free(x);
  return rc;
}

/* The pixel at (y, x) of an image, 0 outside it. */
static double pixel(const uint8_t *image, const dataset *d, int y, int x, int c) {
  return y < 0 || x < 0 || y >= d->h || x >= d->w ? 0 : image[(y * d->w + x) * d->c + c];
}

static void rotate(const dataset *d, const uint8_t *from, double cosine, double sine, uint8_t *to) {
  const double my = 0.5 * (d->h - 1), mx = 0.5 * (d->w - 1);
  for (int y = 0; y < d->h; y++)
    for (int x = 0; x < d->w; x++) {
      const double sy = my + cosine * (y - my) + sine * (x - mx), sx = mx - sine * (y - my) + cosine * (x - mx);
      const int y0 = (int)floor(sy), x0 = (int)floor(sx);
      const double fy = sy - y0, fx = sx - x0;
      for (int c = 0; c < d->c; c++) {
        const double above = (1 - fx) * pixel(from, d, y0, x0, c) + fx * pixel(from, d, y0, x0 + 1, c);
        const double under = (1 - fx) * pixel(from, d, y0 + 1, x0, c) + fx * pixel(from, d, y0 + 1, x0 + 1, c);
        to[(y * d->w + x) * d->c + c] = (uint8_t)((1 - fy) * above + fy * under + 0.5);
      }
    }
}

int dataset_rotate(cldann_error *e, dataset *d, double degrees) {
  const double turn = degrees * 0.017453292519943295;
  const size_t item = dataset_item_bytes(d);
  uint8_t *x = NULL;
  int rc = CLDANN_OK;
  if (!(degrees != 0)) return CLDANN_OK;
  if (d->type != DATA_U8) FAIL(e, CLDANN_E_ARG, "%s holds no images of bytes to rotate; give bytes = true", d->name);
  TRY(mem_new_pages(e, &x, (size_t)d->n, item));
  for (int i = 0; i < d->n; i++)
    rotate(d, (const uint8_t *)d->x + (size_t)i * item, cos(turn), sin(turn), x + (size_t)i * item);
  mem_free(d->x);
  d->x = x;
fail:
  return rc;
}

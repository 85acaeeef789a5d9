/* data/sheet.c: see data/sheet.h. */
#include "data/sheet.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "data/place.h"
#include "data/png.h"

enum { GAP = 1, GREY = 60 }; /* pixels between images, before magnifying */

static void draw(picture *to, const dataset *d, int item, int x0, int y0, int zoom) {
  const uint8_t *from = (const uint8_t *)d->x + (size_t)item * dataset_item_bytes(d);
  for (int y = 0; y < d->h * zoom; y++)
    for (int x = 0; x < d->w * zoom; x++) {
      const uint8_t *p = from + ((size_t)(y / zoom) * (size_t)d->w + (size_t)(x / zoom)) * (size_t)d->c;
      uint8_t *q = to->rgb + ((size_t)(y0 + y) * (size_t)to->w + (size_t)(x0 + x)) * 3;
      for (int c = 0; c < 3; c++) q[c] = p[d->c == 3 ? c : 0];
    }
}

static int write_png(cldann_error *e, const char *path, const picture *p) {
  uint8_t *bytes = NULL;
  size_t size = 0;
  int rc;
  TRY(png_encode(e, path, p, &bytes, &size));
  TRY(place_whole(e, path, bytes, size));
fail:
  mem_free(bytes);
  return rc;
}

int sheet_write(cldann_error *e, const char *path, const dataset *const sets[2], int rows, int columns, int zoom) {
  picture c = {0};
  int rc = CLDANN_OK, y = GAP * zoom;
  for (int s = 0; s < 2; s++) {
    const dataset *d = sets[s];
    if (!d) continue;
    if (d->type != DATA_U8 || (d->c != 1 && d->c != 3))
      FAIL(e, CLDANN_E_ARG, "%s: no images of 1 or 3 channels, so there is nothing to draw", d->name);
    const int width = (columns * (d->w + GAP) + GAP) * zoom;
    c.w = width > c.w ? width : c.w;
    c.h += rows * (d->h + GAP) * zoom;
  }
  if (c.w == 0) FAIL(e, CLDANN_E_ARG, "%s: no data set to draw", path);
  c.h += GAP * zoom;
  TRY(mem_new(e, &c.rgb, (size_t)c.w * (size_t)c.h, 3));
  memset(c.rgb, GREY, (size_t)c.w * (size_t)c.h * 3);
  for (int s = 0; s < 2; s++)
    for (int r = 0; sets[s] && r < rows; r++, y += (sets[s]->h + GAP) * zoom)
      for (int k = 0; k < columns && r * columns + k < sets[s]->n; k++)
        draw(&c, sets[s], r * columns + k, (GAP + k * (sets[s]->w + GAP)) * zoom, y, zoom);
  TRY(write_png(e, path, &c));
fail:
  mem_free(c.rgb);
  return rc;
}

/* Not by data/place.h, which waits for the disk: a folder of thousands of images would take minutes. */
int sheet_write_folder(cldann_error *e, const char *folder, const dataset *d, int (*stop)(void)) {
  char name[64], *path = NULL;
  int rc, made;
  TRY(place_folder(e, folder, &made));
  if (!made) FAIL(e, CLDANN_E_IO, "%s is there already; choose another --out, or remove it", folder);
  for (int i = 0; i < d->n; i++) {
    if (stop && stop()) FAIL(e, CLDANN_E_INTERRUPTED, "stopped after %d images of %s", i, folder);
    snprintf(name, sizeof name, "%d", (int)d->y[i]);
    TRY(text_join(e, &path, folder, name));
    TRY(place_folder(e, path, NULL));
    mem_free(path), path = NULL;
    snprintf(name, sizeof name, "%d/%04d.png", (int)d->y[i], i);
    TRY(text_join(e, &path, folder, name));
    TRY(png_write(e, path, (const uint8_t *)d->x + (size_t)i * dataset_item_bytes(d), d->h, d->w, d->c));
    mem_free(path), path = NULL;
  }
fail:
  mem_free(path);
  return rc;
}

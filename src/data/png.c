/* data/png.c: see data/png.h. libpng leaves by longjmp, so all that must be freed lives in the decoder struct. */
#include "data/png.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <png.h>

#include "base/mem.h"

enum { SIDE_MAX = 16384 };

typedef struct decoder {
  png_structp png;
  png_infop info;
  const uint8_t *bytes;
  size_t size, at;
  png_bytep *rows;
  jmp_buf out;
  char why[100];
} decoder;

static void decoder_leave(png_structp png, png_const_charp why) {
  decoder *d = png_get_error_ptr(png);
  snprintf(d->why, sizeof d->why, "%s", why);
  longjmp(d->out, 1);
}

static void decoder_warn(png_structp png, png_const_charp what) {
  (void)png;
  (void)what;
}

static void decoder_take(png_structp png, png_bytep to, png_size_t n) {
  decoder *d = png_get_io_ptr(png);
  if (n > d->size - d->at) png_error(png, "the end of the file is missing");
  memcpy(to, d->bytes + d->at, n);
  d->at += n;
}

static int decoder_run(cldann_error *e, decoder *d, const char *name, picture *out) {
  int rc = CLDANN_OK;
  png_structp p = d->png;
  if (setjmp(d->out)) FAIL(e, CLDANN_E_FORMAT, "%s is corrupt: %s; fetch or make it again", name, d->why);
  png_set_read_fn(p, d, decoder_take);
  png_read_info(p, d->info);
  const png_uint_32 w = png_get_image_width(p, d->info), h = png_get_image_height(p, d->info);
  if (w > SIDE_MAX || h > SIDE_MAX)
    FAIL(e, CLDANN_E_FORMAT, "%s claims %u x %u pixels; pictures of at most %d x %d are read", name, (unsigned)w, (unsigned)h,
         SIDE_MAX, SIDE_MAX);
  png_set_expand(p);
  png_set_strip_16(p);
  png_set_strip_alpha(p);
  png_set_gray_to_rgb(p);
  png_set_interlace_handling(p);
  png_read_update_info(p, d->info);
  if (png_get_rowbytes(p, d->info) != (png_size_t)w * 3) FAIL(e, CLDANN_E_FORMAT, "%s: libpng does not give RGB of it", name);
  out->h = (int)h;
  out->w = (int)w;
  TRY(mem_new(e, &out->rgb, (size_t)h * w, 3));
  TRY(mem_new(e, &d->rows, h, sizeof *d->rows));
  for (png_uint_32 y = 0; y < h; y++) d->rows[y] = out->rgb + (size_t)y * w * 3;
  png_read_image(p, d->rows);
  png_read_end(p, NULL);
fail:
  return rc;
}

int png_decode(cldann_error *e, const char *name, const uint8_t *bytes, size_t size, picture *out) {
  int rc = CLDANN_OK;
  decoder *d = NULL;
  memset(out, 0, sizeof *out);
  TRY(mem_new(e, &d, 1, sizeof *d));
  d->bytes = bytes;
  d->size = size;
  d->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, d, decoder_leave, decoder_warn);
  d->info = d->png ? png_create_info_struct(d->png) : NULL;
  if (!d->info) FAIL(e, CLDANN_E_MEM, "%s: libpng does not start; free some memory", name);
  rc = decoder_run(e, d, name, out);
fail:
  if (d) png_destroy_read_struct(&d->png, &d->info, NULL);
  if (d) mem_free(d->rows);
  if (rc < 0) {
    mem_free(out->rgb);
    out->rgb = NULL;
  }
  mem_free(d);
  return rc;
}

static png_image image_of(int h, int w, int channels) {
  return (png_image){.version = PNG_IMAGE_VERSION,
                     .format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB,
                     .width = (png_uint_32)w,
                     .height = (png_uint_32)h};
}

int png_write(cldann_error *e, const char *path, const uint8_t *pixels, int h, int w, int channels) {
  png_image image = image_of(h, w, channels);
  int rc = CLDANN_OK;
  if (!png_image_write_to_file(&image, path, 0, pixels, 0, NULL))
    FAIL(e, CLDANN_E_IO, "cannot write %s: %s; free some space or choose another --out", path, image.message);
fail:
  return rc;
}

int png_encode(cldann_error *e, const char *name, const picture *p, uint8_t **bytes, size_t *size) {
  png_image image = image_of(p->h, p->w, 3);
  png_alloc_size_t n = 0;
  int rc = CLDANN_OK;
  *bytes = NULL;
  if (!png_image_write_to_memory(&image, NULL, &n, 0, p->rgb, 0, NULL)) FAIL(e, CLDANN_E_IO, "%s: %s", name, image.message);
  TRY(mem_new(e, bytes, n, 1));
  if (!png_image_write_to_memory(&image, *bytes, &n, 0, p->rgb, 0, NULL)) FAIL(e, CLDANN_E_IO, "%s: %s", name, image.message);
  *size = n;
  return CLDANN_OK;
fail:
  mem_free(*bytes);
  *bytes = NULL;
  return rc;
}

/* data/jpeg.c: see data/jpeg.h. libjpeg leaves by longjmp, so all that must be freed lives in the decoder struct. */
#include "data/jpeg.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include "base/mem.h"

enum { SIDE_MAX = 16384 };

typedef struct decoder {
  struct jpeg_decompress_struct jpeg;
  struct jpeg_error_mgr manager;
  jmp_buf out;
  char why[JMSG_LENGTH_MAX];
} decoder;

static void decoder_leave(j_common_ptr jpeg) {
  decoder *d = jpeg->client_data;
  jpeg->err->format_message(jpeg, d->why);
  longjmp(d->out, 1);
}

/* libjpeg warns (level -1) where it fills in for missing or bad data: for us the file is corrupt. */
static void decoder_message(j_common_ptr jpeg, int level) {
  if (level < 0) decoder_leave(jpeg);
}

static int decoder_run(cldann_error *e, decoder *d, const char *name, const uint8_t *bytes, size_t size, picture *out) {
  struct jpeg_decompress_struct *j = &d->jpeg;
  int rc = CLDANN_OK;
  if (setjmp(d->out)) FAIL(e, CLDANN_E_FORMAT, "%s is corrupt: %s; fetch or make it again", name, d->why);
  jpeg_mem_src(j, (unsigned char *)bytes, (unsigned long)size);
  jpeg_read_header(j, TRUE);
  if (j->image_width > SIDE_MAX || j->image_height > SIDE_MAX)
    FAIL(e, CLDANN_E_FORMAT, "%s claims %u x %u pixels; pictures of at most %d x %d are read", name, j->image_width,
         j->image_height, SIDE_MAX, SIDE_MAX);
  j->out_color_space = JCS_RGB;
  j->dct_method = JDCT_ISLOW;
  jpeg_start_decompress(j);
  out->h = (int)j->output_height;
  out->w = (int)j->output_width;
  TRY(mem_new(e, &out->rgb, (size_t)out->h * (size_t)out->w, 3));
  while (j->output_scanline < j->output_height) {
    JSAMPROW row = out->rgb + (size_t)j->output_scanline * (size_t)out->w * 3;
    jpeg_read_scanlines(j, &row, 1);
  }
  jpeg_finish_decompress(j);
fail:
  return rc;
}

int jpeg_decode(cldann_error *e, const char *name, const uint8_t *bytes, size_t size, picture *out) {
  int rc = CLDANN_OK;
  decoder *d = NULL;
  memset(out, 0, sizeof *out);
  TRY(mem_new(e, &d, 1, sizeof *d));
  d->jpeg.err = jpeg_std_error(&d->manager);
  d->manager.error_exit = decoder_leave;
  d->manager.emit_message = decoder_message;
  d->jpeg.client_data = d;
  if (setjmp(d->out)) FAIL(e, CLDANN_E_MEM, "%s: libjpeg does not start: %s", name, d->why);
  jpeg_create_decompress(&d->jpeg);
  rc = decoder_run(e, d, name, bytes, size, out);
  jpeg_destroy_decompress(&d->jpeg);
fail:
  if (rc < 0) {
    mem_free(out->rgb);
    out->rgb = NULL;
  }
  mem_free(d);
  return rc;
}

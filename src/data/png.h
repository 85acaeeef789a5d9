/* data/png.h: a PNG in memory to RGB bytes, and back. The only caller of libpng. */
#ifndef CLDANN_DATA_PNG_H
#define CLDANN_DATA_PNG_H

#include "data/jpeg.h"

/*
 * The stored numbers, as image libraries for Python give them: grey is repeated, 16 bits are cut to the upper 8, transparency
 * is dropped, gamma is left alone. A corrupt or short file is an error.
 */
int png_decode(cldann_error *e, const char *name, const uint8_t *bytes, size_t size, picture *out);
/* *bytes is freed by mem_free. */
int png_encode(cldann_error *e, const char *name, const picture *p, uint8_t **bytes, size_t *size);
/* Pixels of 1 or 3 channels into a file, at once and without waiting for the disk. */
int png_write(cldann_error *e, const char *path, const uint8_t *pixels, int h, int w, int channels);

#endif

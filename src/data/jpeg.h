/* data/jpeg.h: a JPEG in memory to RGB bytes. The only file that calls libjpeg. */
#ifndef CLDANN_DATA_JPEG_H
#define CLDANN_DATA_JPEG_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef struct picture {
  int h, w;
  uint8_t *rgb; /* (h,w,3); freed by mem_free */
} picture;

/*
 * As libjpeg-turbo decodes by default, which is what the published MNIST-M was made with: slow integer transform, smooth
 * chroma. Its SIMD and plain code give the same bytes there, so any machine does. A corrupt or short file is an error,
 * never a half-grey picture.
 */
int jpeg_decode(cldann_error *e, const char *name, const uint8_t *bytes, size_t size, picture *out);

#endif

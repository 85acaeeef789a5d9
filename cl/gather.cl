/*
 * cl/gather.cl: rows of the data set, picked by index, into the batch. Images stay uint8 on the device and become
 * y = (x - mean[channel]) * scale here; one source channel is repeated to C channels; BINARISE makes x > 0 -> 255 first.
 * data (items, pixels, SC), y (rows, pixels, C); mean has C entries.
 */
#ifndef C
#define C 3
#endif
#ifndef SC
#define SC 1
#endif
#ifndef BINARISE
#define BINARISE 0
#endif
#ifndef BLOCK
#define BLOCK 1
#endif

#define GATHER(NAME, TYPE, VALUE)                                                                                     \
  __kernel void NAME(__global const TYPE *restrict data, int doff, __global const int *restrict rows, int ro,         \
                     __global const float *restrict mean, int mo, __global float *restrict y, int yo, int pixels,     \
                     int total, float scale) {                                                                        \
    const int first = (int)get_global_id(0) * BLOCK, end = min(first + BLOCK, total);                                 \
    for (int i = first; i < end; i++) { /* i: a pixel of the batch */                                                 \
      const int r = i / pixels, p = i - r * pixels;                                                                   \
      __global const TYPE *src = data + doff + ((size_t)rows[ro + r] * (size_t)pixels + (size_t)p) * SC;              \
      for (int c = 0; c < C; c++) y[yo + i * C + c] = (VALUE(src[SC == 1 ? 0 : c]) - mean[mo + c]) * scale;           \
    }                                                                                                                 \
  }

#if BINARISE
#define PIXEL(v) ((v) > 0 ? 255.0f : 0.0f)
#else
#define PIXEL(v) ((float)(v))
#endif

GATHER(gather_u8, uchar, PIXEL)
GATHER(gather_f32, float, PIXEL)

/* labels (items) -> y (rows) */
__kernel void gather_labels(__global const int *restrict labels, int lo, __global const int *restrict rows, int ro,
                            __global int *restrict y, int yo, int n) {
  const int first = (int)get_global_id(0) * BLOCK, end = min(first + BLOCK, n);
  for (int i = first; i < end; i++) y[yo + i] = labels[lo + rows[ro + i]];
}

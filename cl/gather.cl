/*
 * cl/gather.cl: rows of the data set, picked by index, into the batch. Images stay uint8 on the device and become
 * y = (x - mean[channel]) * scale here; one source channel is repeated to all; binarise makes x > 0 -> 255 first.
 * data (items, pixels, source), y (rows, pixels, channels); mean has an entry a channel.
 */
/* count pixels of a row; with constants for the channels a compiler sees through the short inner loop. */
#define COPY(SOURCE, CHANNELS)                                                                                        \
  for (int k = 0; k < count; k++)                                                                                     \
    for (int c = 0; c < (CHANNELS); c++) {                                                                            \
      const float v = (float)src[k * (SOURCE) + ((SOURCE) == 1 ? 0 : c)];                                             \
      dst[k * (CHANNELS) + c] = ((binarise ? (v > 0.0f ? 255.0f : 0.0f) : v) - mean[mo + c]) * scale;                 \
    }

#define GATHER(NAME, TYPE)                                                                                            \
  __kernel void NAME(__global const TYPE *restrict data, int doff, __global const int *restrict rows, int ro,         \
                     __global const float *restrict mean, int mo, __global float *restrict y, int yo, int pixels,     \
                     int total, float scale, int source, int channels, int binarise, int block) {                     \
    const int first = (int)get_global_id(0) * block, end = min(first + block, total);                                 \
    for (int i = first, count; i < end; i += count) { /* i: a pixel of the batch; as far as its row goes */           \
      const int r = i / pixels, p = i - r * pixels;                                                                   \
      __global const TYPE *src = data + doff + ((size_t)rows[ro + r] * (size_t)pixels + (size_t)p) * (size_t)source;  \
      __global float *dst = y + yo + i * channels;                                                                    \
      count = min(end - i, pixels - p);                                                                               \
      if (channels == 3 && source == 3) {                                                                             \
        COPY(3, 3)                                                                                                    \
      } else if (channels == 3 && source == 1) {                                                                      \
        COPY(1, 3)                                                                                                    \
      } else {                                                                                                        \
        COPY(source, channels)                                                                                        \
      }                                                                                                               \
    }                                                                                                                 \
  }

GATHER(gather_u8, uchar)
GATHER(gather_f32, float)

/*
 * A part of each image, h x w of its from_h x from_w, mirrored or not: places (rows, 3) has its top, its left, and whether it is
 * mirrored. The rest as above.
 */
#define GATHER_PLACED(NAME, TYPE)                                                                                     \
  __kernel void NAME(__global const TYPE *restrict data, int doff, __global const int *restrict rows, int ro,         \
                     __global const int *restrict places, int po, __global const float *restrict mean, int mo,        \
                     __global float *restrict y, int yo, int from_h, int from_w, int source, int h, int w,            \
                     int channels, int total, float scale, int block) {                                               \
    const int first = (int)get_global_id(0) * block, end = min(first + block, total);                                 \
    for (int i = first, count; i < end; i += count) { /* i: a pixel of the batch; as far as its line goes */          \
      const int q = i % w, line = i / w % h, r = i / (w * h);                                                         \
      __global const int *place = places + po + 3 * r;                                                                \
      const int left = place[1] + (place[2] ? w - 1 - q : q), step = place[2] ? -source : source;                     \
      __global const TYPE *src = data + doff +                                                                        \
          (((size_t)rows[ro + r] * (size_t)from_h + (size_t)(place[0] + line)) * (size_t)from_w + (size_t)left) *     \
              (size_t)source;                                                                                         \
      __global float *dst = y + yo + i * channels;                                                                    \
      count = min(end - i, w - q);                                                                                    \
      for (int k = 0; k < count; k++)                                                                                 \
        for (int c = 0; c < channels; c++)                                                                            \
          dst[k * channels + c] = ((float)src[k * step + (source == 1 ? 0 : c)] - mean[mo + c]) * scale;              \
    }                                                                                                                 \
  }

GATHER_PLACED(gather_placed_u8, uchar)
GATHER_PLACED(gather_placed_f32, float)

/*
 * places (n, 3) for the rows of a batch from `row` on: top, left, mirrored. The image has more_h and more_w pixels more than its
 * part, which is the middle, or where the random numbers of (seed, stream, step, row) put it.
 */
__kernel void draw_places(__global const int *control, int co, __global int *places, int po, int row, int n, int more_h, int more_w,
                          int random, int mirror, int seed_low, int seed_high, int stream, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, n);
  const uint2 key = (uint2)((uint)seed_low, (uint)seed_high);
  for (int i = first; i < end; i++) {
    const uint4 r = philox4x32((uint4)((uint)(row + i), 0u, (uint)control[co + CTL_STEP], (uint)stream), key);
    places[po + 3 * i] = random ? (int)mul_hi(r.x, (uint)more_h + 1u) : more_h / 2;
    places[po + 3 * i + 1] = random ? (int)mul_hi(r.y, (uint)more_w + 1u) : more_w / 2;
    places[po + 3 * i + 2] = mirror ? (int)(r.z >> 31) : 0;
  }
}

/* gather for many channels, none repeated: by numbers, `item` a row, and not by pixels. */
#define GATHER_WIDE(NAME, TYPE)                                                                                       \
  __kernel void NAME(__global const TYPE *restrict data, int doff, __global const int *restrict rows, int ro,         \
                     __global const float *restrict mean, int mo, __global float *restrict y, int yo, int item,       \
                     int total, float scale, int channels, int block) {                                               \
    const int first = (int)get_global_id(0) * block, end = min(first + block, total);                                 \
    for (int i = first, count; i < end; i += count) { /* a run of channels */                                         \
      const int r = i / item, p = i - r * item, c = p % channels;                                                     \
      __global const TYPE *src = data + doff + (size_t)rows[ro + r] * (size_t)item + (size_t)p;                       \
      __global float *dst = y + yo + i;                                                                               \
      count = min(min(end - i, item - p), channels - c);                                                              \
      for (int k = 0; k < count; k++) dst[k] = ((float)src[k] - mean[mo + c + k]) * scale;                            \
    }                                                                                                                 \
  }

GATHER_WIDE(gather_wide_u8, uchar)
GATHER_WIDE(gather_wide_f32, float)

/* labels (items) -> y (rows) */
__kernel void gather_labels(__global const int *restrict labels, int lo, __global const int *restrict rows, int ro,
                            __global int *restrict y, int yo, int n, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, n);
  for (int i = first; i < end; i++) y[yo + i] = labels[lo + rows[ro + i]];
}

/*
 * Rows that lack their zeros (ops/sparse.h) into a dense batch. total: numbers of the batch's rows as the set has them, `item`
 * each; each is written `repeat` times, side by side. Where centred is 0 the mean is zero and not read.
 */
__kernel void gather_sparse(__global const int *restrict offsets, int oo, __global const int *restrict columns, int co,
                            __global const float *restrict values, int vo, __global const int *restrict rows, int ro,
                            __global const float *restrict mean, int mo, __global float *restrict y, int yo, int item,
                            int total, float scale, int repeat, int channels, int centred, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, total);
  for (int i = first, count; i < end; i += count) { /* i: a number of the batch; as far as its row goes */
    const int r = i / item, p = i - r * item;
    int from = offsets[oo + rows[ro + r]], to = offsets[oo + rows[ro + r] + 1];
    const int behind = to;
    __global float *dst = y + yo + i * repeat;
    count = min(end - i, item - p);
    while (from < to) { /* the first entry from p on */
      const int middle = from + (to - from) / 2;
      if (columns[co + middle] < p)
        from = middle + 1;
      else
        to = middle;
    }
    if (centred) {
      for (int k = 0, c = p * repeat % channels; k < count * repeat; k++, c = c + 1 == channels ? 0 : c + 1)
        dst[k] = (0.0f - mean[mo + c]) * scale;
    } else {
      for (int k = 0; k < count * repeat; k++) dst[k] = 0.0f;
    }
    for (; from < behind && columns[co + from] < p + count; from++)
      for (int k = 0; k < repeat; k++) {
        const int at = columns[co + from] * repeat + k;
        dst[at - p * repeat] = (values[vo + from] - (centred ? mean[mo + at % channels] : 0.0f)) * scale;
      }
  }
}

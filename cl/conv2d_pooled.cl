/*
 * conv2d_pooled.cl: gradients of a convolution whose output went through a max-pooling, for CPU devices.
 *
 * Behind a pooling only the winner of each window has a gradient, one output in four for 2 x 2, and none where a ReLU was
 * off. So the unpooled gradient is never made: for one image and one channel the winners are listed, and each adds its
 * patch of the input to the weights' gradient, or its weights to the input's gradient. Patches are rows of KW*C floats in a
 * zero-padded private copy of the image, so the vectors run along a patch, not along the channels of the output.
 *
 * One work-item per work-group, no barriers, sums in an order fixed by the shape.
 *
 *   H W C  OH OW OC  KH KW  SH SW  PT PL     the convolution, as in conv2d.cl
 *   POOL_*                                   the pooling, as in conv2d.cl
 *   V AV CHUNKS                              vector width, vectors of a patch row at a time, times to cover it
 *   KB                                       patch rows at a time, a divisor of KH
 */
#ifndef H
#define H 6
#define W 6
#define C 3
#define OH 6
#define OW 6
#define OC 4
#define KH 3
#define KW 3
#define SH 1
#define SW 1
#define PT 1
#define PL 1
#define POOL_H 2
#define POOL_W 2
#define POOL_T 0
#define POOL_L 0
#define POOL_OH 3
#define POOL_OW 3
#define AV 9
#define CHUNKS 1
#define KB 1
#endif

#define AXIS (KW * C)                   /* a row of a patch */
#define AXIS_ROOM (CHUNKS * AV * V)     /* in whole vectors; what is beyond AXIS has no meaning, or is zero */
#define LINE (((OW - 1) * SW + KW) * C) /* a row of the padded image */
#define LINES ((OH - 1) * SH + KH)
#define IMAGE (LINES * LINE + AXIS_ROOM - AXIS) /* the last patch's vectors read on */
#define POOLED (POOL_OH * POOL_OW)
#define WEIGHTS (OC * KH * AXIS_ROOM)

/* With a channel count that fits, no vector then straddles two cache lines. */
#define ALIGNED __attribute__((aligned(64)))

/*
 * The winners with a gradient in one channel of one image: where their patches start in the padded image, and their
 * gradients. dy and arg point at the channel, (POOL_OH,POOL_OW,OC). Returns how many.
 */
static inline int list_winners(global const float *dy, global const uchar *arg, int *at, float *g) {
  int cell[POOL_H * POOL_W], n = 0;
  for (int a = 0; a < POOL_H * POOL_W; a++) cell[a] = a / POOL_W * SH * LINE + a % POOL_W * SW * C;
  for (int py = 0; py < POOL_OH; py++)
    for (int px = 0; px < POOL_OW; px++) {
      const int q = (py * POOL_OW + px) * OC;
      at[n] = (py * POOL_H - POOL_T) * SH * LINE + (px * POOL_W - POOL_L) * SW * C + cell[arg[q]];
      g[n] = dy[q];
      n += dy[q] != 0.0f; /* true for a NaN */
    }
  return n;
}

/* The image with zeros around it. */
static inline void pad_image(global const float *x, float *into) {
  for (int r = 0; r < LINES; r++) {
    const int iy = r - PT, inside = iy >= 0 && iy < H;
    const int lo = PL * C, hi = inside ? (PL + W) * C : 0;
    global const float *from = x + (inside ? iy : 0) * W * C - PL * C;
    for (int i = 0; i < LINE; i++) into[r * LINE + i] = i >= lo && i < hi ? from[i] : 0.0f;
  }
  for (int i = LINES * LINE; i < IMAGE; i++) into[i] = 0.0f;
}

/* KB rows of a patch, AV vectors of each: sum += g * patch over the winners. */
static inline void add_patches(const float *x, const int *at, const float *g, int n, int first, global float *sum) {
  floatV acc[KB][AV];
#pragma unroll
  for (int b = 0; b < KB; b++)
#pragma unroll
    for (int j = 0; j < AV; j++) acc[b][j] = first ? (floatV)(0.0f) : VLOAD(sum + b * AXIS_ROOM + j * V);
#pragma unroll 1
  for (int i = 0; i < n; i++) {
    const float *xp = x + at[i];
    const floatV gv = (floatV)(g[i]);
#pragma unroll
    for (int b = 0; b < KB; b++)
#pragma unroll
      for (int j = 0; j < AV; j++) acc[b][j] = VFMA(gv, VLOAD(xp + b * LINE + j * V), acc[b][j]);
  }
#pragma unroll
  for (int b = 0; b < KB; b++)
#pragma unroll
    for (int j = 0; j < AV; j++) VSTORE(acc[b][j], sum + b * AXIS_ROOM + j * V);
}

/*
 * part[s] = {dw[OC][KH][AXIS_ROOM], db[OC]} over the s-th of `parts` runs of images, `channels` of OC a work-item.
 * Global size {parts, ceil(OC/channels), 1}.
 */
kernel void conv2d_pooled_dw(global const float *restrict x, int xo, global const float *restrict dy, int dyo,
                             global const uchar *restrict arg, int ao, global float *restrict part, int po, int images, int parts,
                             int channels) {
  const int s = (int)get_global_id(0), oc0 = (int)get_global_id(1) * channels, oc1 = MIN_OF(oc0 + channels, OC);
  const int n0 = (int)((long)images * s / parts), n1 = (int)((long)images * (s + 1) / parts);
  global float *to = part + po + s * (WEIGHTS + OC), *db = to + WEIGHTS;
  ALIGNED float image[IMAGE], g[POOLED + 1];
  int at[POOLED + 1];
  for (int n = n0; n < n1; n++) {
    pad_image(x + xo + n * H * W * C, image);
    for (int oc = oc0; oc < oc1; oc++) {
      const int winners = list_winners(dy + dyo + n * POOLED * OC + oc, arg + ao + n * POOLED * OC + oc, at, g);
      float sum = n == n0 ? 0.0f : db[oc];
      for (int kh = 0; kh < KH; kh += KB)
#pragma unroll 1
        for (int j = 0; j < CHUNKS; j++)
          add_patches(image + kh * LINE + j * AV * V, at, g, winners, n == n0, to + (oc * KH + kh) * AXIS_ROOM + j * AV * V);
      for (int i = 0; i < winners; i++) sum += g[i];
      db[oc] = sum;
    }
  }
}

#define CELLS (POOL_H * POOL_W)

/*
 * All winners of one image that have a gradient, sorted by pooled output and cell: those of bucket i are first[i] to
 * first[i+1]-1, each a channel and a gradient. The channels of a bucket have their patches at the same place. One entry more
 * than there can be takes what is not kept.
 */
static inline void sort_winners(global const float *dy, global const uchar *arg, int *first, int *channel, float *g) {
  int n = 0;
  for (int p = 0; p < POOLED; p++) {
    int next[CELLS];
    for (int a = 0; a < CELLS; a++) next[a] = 0;
    for (int oc = 0; oc < OC; oc++) next[arg[p * OC + oc]] += dy[p * OC + oc] != 0.0f; /* true for a NaN */
    for (int a = 0; a < CELLS; a++) {
      const int count = next[a];
      first[p * CELLS + a] = next[a] = n;
      n += count;
    }
    for (int oc = 0; oc < OC; oc++) {
      const int a = arg[p * OC + oc], kept = dy[p * OC + oc] != 0.0f, at = kept ? next[a] : POOLED * OC;
      channel[at] = oc;
      g[at] = dy[p * OC + oc];
      next[a] += kept;
    }
  }
  first[POOLED * CELLS] = n;
}

/* One row of a patch, AV vectors of it: image += the sum of g * weights over the channels of a bucket. */
static inline void add_weights(global const float *w, const int *channel, const float *g, int n, float *image) {
  floatV acc[AV];
#pragma unroll
  for (int j = 0; j < AV; j++) acc[j] = VLOAD(image + j * V);
#pragma unroll 1
  for (int i = 0; i < n; i++) {
    global const float *wp = w + channel[i] * AXIS_ROOM;
    const floatV gv = (floatV)(g[i]);
#pragma unroll
    for (int j = 0; j < AV; j++) acc[j] = VFMA(gv, VLOAD(wp + j * V), acc[j]);
  }
#pragma unroll
  for (int j = 0; j < AV; j++) VSTORE(acc[j], image + j * V);
}

/* dx = beta*dx + the input gradient, an image a work-item; wt as patches_by_channel (cl/turn.cl) makes it. Global size {images, 1, 1}. */
kernel void conv2d_pooled_dx(global const float *restrict dy, int dyo, global const uchar *restrict arg, int ao,
                             global const float *restrict wt, int wo, global float *restrict dx, int dxo, int beta) {
  const int n = (int)get_global_id(0);
  ALIGNED float image[IMAGE];
  float g[POOLED * OC + 1];
  int channel[POOLED * OC + 1], first[POOLED * CELLS + 1];
  for (int i = 0; i < IMAGE; i++) image[i] = 0.0f;
  sort_winners(dy + dyo + n * POOLED * OC, arg + ao + n * POOLED * OC, first, channel, g);
  for (int kh = 0; kh < KH; kh++) /* outermost: the weights of one kernel row stay in the first-level cache */
    for (int p = 0; p < POOLED; p++)
      for (int a = 0; a < CELLS; a++) {
        const int i = p * CELLS + a, count = first[i + 1] - first[i];
        if (count == 0) continue;
        float *to = image + ((p / POOL_OW * POOL_H - POOL_T + a / POOL_W) * SH + kh) * LINE +
                    (p % POOL_OW * POOL_W - POOL_L + a % POOL_W) * SW * C;
#pragma unroll 1
        for (int j = 0; j < CHUNKS; j++)
          add_weights(wt + wo + kh * OC * AXIS_ROOM + j * AV * V, channel + first[i], g + first[i], count, to + j * AV * V);
      }
  for (int y = 0; y < H; y++) {
    global float *to = dx + dxo + (n * H + y) * W * C;
    const int known = y + PT < LINES ? MIN_OF(W * C, LINE - PL * C) : 0; /* a stride may leave the last rows unread */
    for (int i = 0; i < W * C; i++) {
      const float v = i < known ? image[(y + PT) * LINE + PL * C + i] : 0.0f;
      to[i] = beta ? to[i] + v : v;
    }
  }
}

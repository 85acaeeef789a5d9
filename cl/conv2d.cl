/*
 * conv2d.cl: convolution for CPU devices: forward, input gradient, weight and bias gradient.
 *
 * One work-item per work-group, no local memory, no barriers. A work-item keeps a tile of results in registers and reads
 * the zero-padded input from a small private array, so that its inner loop has no branches. Activations are NHWC, weights
 * [KH][KW][C][OC]. The host gives the whole shape by -D; the tile sizes come from a pure function of the shape and the
 * vector width (ops/conv2d.c). Every sum runs in an order fixed by the shape, so results do not depend on the number of
 * compute units.
 *
 *   H W C  OH OW OC  KH KW  SH SW     input, output, kernel, stride
 *   PT PL                             zero rows above, zero columns to the left (of the dilated input, if dilated)
 *   DH DW                             input dilation: zeros between rows / columns; 1 = none
 *   V NV                              vector width (<= OC), vectors of output channels per tile
 *   PX                                output columns per tile (conv2d_tile)
 *   MR                                tile rows (conv2d_dw_tile)
 *   BIAS BETA ACT                     add a bias; add to y instead of writing it; activation
 */
#ifndef H
#define H 6
#endif
#ifndef W
#define W 6
#endif
#ifndef C
#define C 3
#endif
#ifndef OH
#define OH 6
#endif
#ifndef OW
#define OW 6
#endif
#ifndef OC
#define OC 4
#endif
#ifndef KH
#define KH 3
#endif
#ifndef KW
#define KW 3
#endif
#ifndef SH
#define SH 1
#endif
#ifndef SW
#define SW 1
#endif
#ifndef PT
#define PT 1
#endif
#ifndef PL
#define PL 1
#endif
#ifndef DH
#define DH 1
#endif
#ifndef DW
#define DW 1
#endif
#ifndef NV
#define NV 1
#endif
#ifndef PX
#define PX 4
#endif
#ifndef MR
#define MR 3
#endif
#ifndef BIAS
#define BIAS 0
#endif
#ifndef BETA
#define BETA 0
#endif

#define TILE_OC (NV * V)

/* Where vector j of a channel tile is read: one that would pass the end is moved back to overlap its neighbour. */
#define OC_AT(oc) MIN_OF(oc, OC - V)

/*
 * y = act(beta*y + v) for channels oc..oc+V-1, v being held at OC_AT(oc): lanes that a neighbour owns are neither read
 * nor written.
 */
static inline void store_channels(floatV v, global float *y, int oc, int beta, int act) {
  if (oc + V <= OC) {
    if (beta) v += VLOAD(y + oc);
    VSTORE(activate(v, act), y + oc);
  } else if (oc < OC) {
    float lane[V];
    VSTORE(v, lane);
    if (beta)
      for (int i = oc - (OC - V); i < V; i++) lane[i] += y[OC - V + i];
    v = VLOAD(lane);
    VSTORE(activate(v, act), lane);
    for (int i = oc - (OC - V); i < V; i++) y[OC - V + i] = lane[i];
  }
}

/*
 * ---- forward, and input gradient ----
 *
 * The input gradient is conv2d_tile over dy with the weights flipped (cl/turn.cl), C and OC swapped, padding KH-1-PT and
 * KW-1-PL, dilation = the stride, stride 1.
 */

/* One input row of a tile: ROW_W columns of ROW_C channels, at most 16 KB; more channels than fit go in several passes. */
#define ROW_W ((PX - 1) * SW + KW)
#define ROW_C (ROW_W * C <= 4096 ? C : MAX_OF(1, 4096 / ROW_W))
#define ROW_PASSES CEIL_DIV(C, ROW_C)

/* Copies input columns ix0.. (dilated, may lie outside) of one row, channels c0..c0+ROW_C-1, with zeros for what is not. */
static inline void stage_row(global const float *x, int ix0, int c0, float *row) {
#if DW == 1
  if (ROW_PASSES == 1) {
    const int lo = -ix0 * C, hi = (W - ix0) * C;
    global const float *from = x + ix0 * C;
    for (int i = 0; i < ROW_W * C; i++) row[i] = i >= lo && i < hi ? from[i] : 0.0f;
    return;
  }
#endif
  const int channels = MIN_OF(ROW_C, C - c0);
  for (int q = 0; q < ROW_W; q++) {
    const int ix = ix0 + q, inside = ix >= 0 && ix % DW == 0 && ix / DW < W;
    global const float *from = x + (inside ? ix / DW : 0) * C + c0;
    for (int c = 0; c < channels; c++) row[q * ROW_C + c] = inside ? from[c] : 0.0f;
  }
}

/* acc = conv(x, w) + bias for output pixels (n, oy, ox0..ox0+PX-1) and channels oc0..; x and w at their offsets. */
static inline void conv_tile(global const float *x, global const float *w, global const float *bias, int n, int oy, int ox0,
                             int oc0, float *row, floatV acc[PX][NV]) {
#if !BIAS
  /* Not a constant: LLVM 15, told that all sums start from the same one, keeps half of them in memory. */
  volatile float zero = 0.0f;
#endif
#pragma unroll
  for (int j = 0; j < NV; j++) {
#if BIAS
    const floatV first = VLOAD(bias + OC_AT(oc0 + j * V));
#else
    const floatV first = (floatV)(zero);
#endif
#pragma unroll
    for (int p = 0; p < PX; p++) acc[p][j] = first;
  }

  for (int kh = 0; kh < KH; kh++) {
    const int iy = oy * SH + kh - PT;
    if (iy < 0 || iy % DH != 0 || iy / DH >= H) continue;
    for (int c0 = 0; c0 < C; c0 += ROW_C) {
      stage_row(x + (n * H + iy / DH) * W * C, ox0 * SW - PL, c0, row);
      /* Columns and channels are one axis when all channels are staged at once. */
      const int steps = ROW_PASSES == 1 ? KW * C : MIN_OF(ROW_C, C - c0);
      for (int kw = 0; kw < (ROW_PASSES == 1 ? 1 : KW); kw++) {
        global const float *wk = w + ((kh * KW + kw) * C + c0) * OC;
        const float *at = row + kw * ROW_C;
#pragma unroll 1
        for (int i = 0; i < steps; i++) {
          floatV wv[NV];
#pragma unroll
          for (int j = 0; j < NV; j++) wv[j] = VLOAD(wk + OC_AT(oc0 + j * V));
#pragma unroll
          for (int p = 0; p < PX; p++) {
            const floatV xv = (floatV)(at[p * SW * ROW_C + i]);
#pragma unroll
            for (int j = 0; j < NV; j++) acc[p][j] = VFMA(xv, wv[j], acc[p][j]);
          }
          wk += OC;
        }
      }
    }
  }
}

/* y = act(BETA*y + conv(x, w) + bias). Global size {ceil(OW/PX) * ceil(OC/(V*NV)), OH, N}, local {1,1,1}. */
kernel void conv2d_tile(global const float *restrict x, int xo, global const float *restrict w, int wo,
                        global const float *restrict bias, int bo, global float *restrict y, int yo) {
  const int tiles_oc = CEIL_DIV(OC, TILE_OC);
  const int oc0 = (int)get_global_id(0) % tiles_oc * TILE_OC, ox0 = (int)get_global_id(0) / tiles_oc * PX;
  const int oy = (int)get_global_id(1), n = (int)get_global_id(2);
  float row[ROW_W * ROW_C];
  floatV acc[PX][NV];
  conv_tile(x + xo, w + wo, bias + bo, n, oy, ox0, oc0, row, acc);

  /* Rolled: unrolled, the ends of rows would be most of what a compiler works on. */
  global float *yp = y + yo + ((n * OH + oy) * OW + ox0) * OC;
  floatV sum[PX][NV];
#pragma unroll
  for (int p = 0; p < PX; p++)
#pragma unroll
    for (int j = 0; j < NV; j++) sum[p][j] = acc[p][j];
#pragma unroll 1
  for (int p = 0; p < MIN_OF(PX, OW - ox0); p++)
#pragma unroll 1
    for (int j = 0; j < NV; j++) store_channels(sum[p][j], yp + p * OC, oc0 + j * V, BETA, ACT);
}

#ifdef POOL_H
/*
 * The same with a max-pooling behind it: y = pool(act(conv(x, w) + bias)) and arg, the winner of each window as in
 * cl/pool.cl. The windows do not overlap, so each convolution output is made once, and never leaves the work-item.
 *   POOL_H POOL_W   window = stride     POOL_T POOL_L   its padding     POOL_OH POOL_OW   pooled output
 *   POOL_COLS                           pooled columns a work-item
 * Global size {ceil(POOL_OW/POOL_COLS) * ceil(OC/(V*NV)), POOL_OH, N}, local {1,1,1}.
 */
#define BAND (POOL_COLS * POOL_W)
#define BAND_AT(r, q) (((r) * (BAND + PX) + (q)) * TILE_OC)
#if V == 1
typedef int intV;
typedef uchar ucharV;
#define TO_UCHAR(v) ((uchar)(v))
#else
typedef CAT(int, V) intV;
typedef CAT(uchar, V) ucharV;
#define TO_UCHAR(v) CAT(convert_uchar, V)(v)
#endif

static inline void store_arg(intV at, global uchar *arg, int oc) {
  const ucharV small = TO_UCHAR(at);
  if (oc + V <= OC) {
    VSTORE(small, arg + oc);
  } else if (oc < OC) {
    uchar lane[V];
    VSTORE(small, lane);
    for (int i = 0; i < V; i++)
      if (OC - V + i >= oc) arg[OC - V + i] = lane[i];
  }
}

kernel void conv2d_pool_tile(global const float *restrict x, int xo, global const float *restrict w, int wo,
                             global const float *restrict bias, int bo, global float *restrict y, int yo,
                             global uchar *restrict arg, int ao) {
  const int tiles_oc = CEIL_DIV(OC, TILE_OC);
  const int oc0 = (int)get_global_id(0) % tiles_oc * TILE_OC, px0 = (int)get_global_id(0) / tiles_oc * POOL_COLS;
  const int py = (int)get_global_id(1), n = (int)get_global_id(2);
  const int y0 = py * POOL_H - POOL_T, x0 = px0 * POOL_W - POOL_L, from = MAX_OF(x0, 0), to = MIN_OF(x0 + BAND, OW);
  float row[ROW_W * ROW_C], band[BAND_AT(POOL_H, 0)];
  floatV acc[PX][NV];

#pragma unroll 1
  for (int r = 0; r < POOL_H; r++) {
    if (y0 + r < 0 || y0 + r >= OH) continue;
#pragma unroll 1
    for (int ox = from; ox < to; ox += PX) { /* the last tile may run on into the band's slack */
      conv_tile(x + xo, w + wo, bias + bo, n, y0 + r, ox, oc0, row, acc);
#pragma unroll
      for (int p = 0; p < PX; p++)
#pragma unroll
        for (int j = 0; j < NV; j++) VSTORE(activate(acc[p][j], ACT), band + BAND_AT(r, ox - x0 + p) + j * V);
    }
  }

  for (int q = 0; q < POOL_COLS && px0 + q < POOL_OW; q++) {
    const int out = ((n * POOL_OH + py) * POOL_OW + px0 + q) * OC;
#pragma unroll 1
    for (int j = 0; j < NV; j++) {
      floatV best = (floatV)(-INFINITY);
      /* Where nothing is greater than -INFINITY the first cell inside wins: what is outside has no gradient to take. */
      intV at = (intV)(MAX_OF(0, -y0) * POOL_W + MAX_OF(0, -(x0 + q * POOL_W)));
      for (int r = 0; r < POOL_H; r++)
        for (int c = 0; c < POOL_W; c++) {
          const int ox = x0 + q * POOL_W + c;
          if (y0 + r < 0 || y0 + r >= OH || ox < 0 || ox >= OW) continue;
          const floatV v = VLOAD(band + BAND_AT(r, q * POOL_W + c) + j * V);
          const intV wins = (v > best) | (v != v); /* a NaN wins and stays: nothing is greater */
          best = wins ? v : best;
          at = wins ? (intV)(r * POOL_W + c) : at;
        }
      store_channels(best, y + yo + out, oc0 + j * V, 0, 0);
      store_arg(at, arg + ao + out, oc0 + j * V);
    }
  }
}
#endif

/* ---- weight gradient --------------------------------------------------------------------------------------------- */

/*
 * For a fixed kernel row kh and output row, (kw, c) is one contiguous axis of the padded input row. A block is BLOCK_ROWS
 * rows of BLOCK_W output pixels with BLOCK_C channels of their input, staged in at most 64 KB, of which a tile reads a line
 * a pixel; the tile's output gradients for a block stay in the first-level cache. The more pixels a block has, the less often
 * tiles are loaded and stored: 13 pixels, a row of small images with many channels, would be half of the time.
 */
#define BLOCK_C (KW * C <= 2048 ? C : MAX_OF(1, 2048 / KW))
#define BLOCK_W (((OW - 1) * SW + KW) * BLOCK_C <= 4096 ? OW : MAX_OF(1, (4096 / BLOCK_C - KW) / SW + 1))
#define BLOCK_LEN (((BLOCK_W - 1) * SW + KW) * BLOCK_C)
#define BLOCK_ROWS MAX_OF(1, MIN_OF(16384 / BLOCK_LEN, 8192 / (BLOCK_W * MIN_OF(OC, 64)))) /* of no tile: nor are the bits */
#define AXIS (KW * BLOCK_C)

/* Stages the input of output row r (counted through all images) from column ox0; returns 0 if kh falls outside. */
static inline int stage_block_row(global const float *x, int r, int kh, int ox0, int c0, float *row) {
  const int iy = r % OH * SH + kh - PT, ix0 = ox0 * SW - PL;
  if (iy < 0 || iy >= H) return 0;
  global const float *from = x + (r / OH * H + iy) * W * C;
  if (BLOCK_C == C) {
    const int lo = -ix0 * C, hi = (W - ix0) * C;
    from += ix0 * C;
    for (int i = 0; i < BLOCK_LEN; i++) row[i] = i >= lo && i < hi ? from[i] : 0.0f;
  } else {
    for (int i = 0; i < BLOCK_LEN; i++) {
      const int ix = ix0 + i / BLOCK_C, c = c0 + i % BLOCK_C;
      row[i] = ix >= 0 && ix < W && c < C ? from[ix * C + c] : 0.0f;
    }
  }
  return 1;
}

/* One register tile over the staged rows: axis rows m0.., channels oc0.., added to (or first written into) part. */
static inline void dw_register_tile(const float *xs, global const float *dy, const int *dy_row, int rows, int width, int m0,
                                    int oc0, int c0, int first, global float *part) {
  floatV acc[MR][NV];
#pragma unroll
  for (int m = 0; m < MR; m++)
#pragma unroll
    for (int j = 0; j < NV; j++) acc[m][j] = (floatV)(0.0f);

  for (int r = 0; r < rows; r++) {
    const float *xp = xs + r * BLOCK_LEN + m0;
    global const float *gp = dy + dy_row[r];
#pragma unroll 1
    for (int p = 0; p < width; p++) {
      floatV g[NV];
#pragma unroll
      for (int j = 0; j < NV; j++) g[j] = VLOAD(gp + OC_AT(oc0 + j * V));
#pragma unroll
      for (int m = 0; m < MR; m++) {
        const floatV xv = (floatV)(xp[m]);
#pragma unroll
        for (int j = 0; j < NV; j++) acc[m][j] = VFMA(xv, g[j], acc[m][j]);
      }
      xp += SW * BLOCK_C;
      gp += OC;
    }
  }

  floatV sum[MR][NV];
#pragma unroll
  for (int m = 0; m < MR; m++)
#pragma unroll
    for (int j = 0; j < NV; j++) sum[m][j] = acc[m][j];
#pragma unroll 1
  for (int m = 0; m < MIN_OF(MR, AXIS - m0); m++) {
    const int kw = (m0 + m) / BLOCK_C, c = c0 + (m0 + m) % BLOCK_C;
    if (c >= C) continue;
#pragma unroll 1
    for (int j = 0; j < NV; j++) store_channels(sum[m][j], part + (kw * C + c) * OC, oc0 + j * V, !first, ACT_NONE);
  }
}

/* sum of dy over output rows r0..r1-1, for every channel */
static inline void dw_bias(global const float *dy, int r0, int r1, global float *part) {
  for (int oc = 0; oc < OC; oc += V) {
    floatV sum = (floatV)(0.0f);
    global const float *gp = dy + r0 * OW * OC + OC_AT(oc);
    for (int p = 0; p < (r1 - r0) * OW; p++) sum += VLOAD(gp + p * OC);
    store_channels(sum, part, oc, 0, 0);
  }
}

/*
 * part[s] = {dw[KH][KW][C][OC], db[OC]} over the s-th of `parts` runs of the output rows of all images; sum_partials adds
 * them up. Global size {parts, KH, ceil(C/BLOCK_C)}: the last is 1 unless KW*C > 2048.
 */
kernel void conv2d_dw_tile(global const float *restrict x, int xo, global const float *restrict dy, int dyo,
                           global float *restrict part, int po, int images, int parts) {
  const int s = (int)get_global_id(0), kh = (int)get_global_id(1), c0 = (int)get_global_id(2) * BLOCK_C;
  const int r0 = (int)((long)(images * OH) * s / parts), r1 = (int)((long)(images * OH) * (s + 1) / parts);
  float xs[BLOCK_ROWS * BLOCK_LEN + MR];
  int dy_row[BLOCK_ROWS];
  global float *to = part + po + s * ((KH * KW * C + 1) * OC);
  int first = 1;

  for (int i = 0; i < MR; i++) xs[BLOCK_ROWS * BLOCK_LEN + i] = 0.0f; /* the last tile of the last row reads on */
  for (int ox0 = 0; ox0 < OW; ox0 += BLOCK_W) {
    const int width = MIN_OF(BLOCK_W, OW - ox0);
    int r = r0;
    while (r < r1 || first) {
      int rows = 0;
      for (; r < r1 && rows < BLOCK_ROWS; r++)
        if (stage_block_row(x + xo, r, kh, ox0, c0, xs + rows * BLOCK_LEN)) dy_row[rows++] = (r * OW + ox0) * OC;
      for (int oc0 = 0; oc0 < OC; oc0 += TILE_OC)
        for (int m0 = 0; m0 < AXIS; m0 += MR)
          dw_register_tile(xs, dy + dyo, dy_row, rows, width, m0, oc0, c0, first, to + kh * KW * C * OC);
      first = 0;
    }
  }
  if (kh == 0 && c0 == 0) dw_bias(dy + dyo, r0, r1, to + KH * KW * C * OC);
}

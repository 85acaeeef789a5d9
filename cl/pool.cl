/*
 * cl/pool.cl: max-pooling, any window, stride and padding; padded cells never win. arg keeps which cell of its window
 * won (row-major, the first of equals), so that backward is a gather: every input cell adds, in fixed order, the
 * gradients of the windows it won. No atomics, and the same bits every time.
 * x (N,H,W,C), y and arg (N,OH,OW,C). Averages are over the cells of a window that lie inside.
 */
#ifndef H
#define H 4
#define W 4
#define C 1
#define OH 2
#define OW 2
#define KH 2
#define KW 2
#define SH 2
#define SW 2
#define PT 0
#define PL 0
#endif

/* block counts pixels on CPUs: a work-item walks that many output pixels, all channels of each (the contiguous axis). */
__kernel void max_pool_forward(__global const float *restrict x, int xo, __global float *restrict y, int yo,
                               __global uchar *restrict arg, int ao, int pixels, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, pixels);
  for (int p = first; p < end; p++) {
    const int ox = p % OW, oy = p / OW % OH, n = p / (OW * OH);
    const int y0 = oy * SH - PT, x0 = ox * SW - PL;
    for (int c = 0; c < C; c++) {
      float best = -INFINITY;
      uchar at = (uchar)(max(0, -y0) * KW + max(0, -x0)); /* the first cell inside, should nothing exceed -INFINITY */
      for (int ky = 0; ky < KH; ky++) {
        for (int kx = 0; kx < KW; kx++) {
          const int iy = y0 + ky, ix = x0 + kx;
          if (iy < 0 || iy >= H || ix < 0 || ix >= W) continue;
          const float v = x[xo + ((n * H + iy) * W + ix) * C + c];
          if (v > best || isnan(v)) { /* a NaN wins and stays: nothing is greater */
            best = v;
            at = (uchar)(ky * KW + kx);
          }
        }
      }
      y[yo + p * C + c] = best;
      arg[ao + p * C + c] = at;
    }
  }
}

__kernel void max_pool_backward(__global const float *restrict dy, int dyo, __global const uchar *restrict arg, int ao,
                                __global float *restrict dx, int dxo, int pixels, int beta,
                                int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, pixels);
  for (int p = first; p < end; p++) {
    const int ix = p % W, iy = p / W % H, n = p / (W * H);
    if (!beta)
      for (int c = 0; c < C; c++) dx[dxo + p * C + c] = 0.0f;
    /* Windows oy with oy*SH - PT <= iy <= oy*SH - PT + KH-1. */
    const int oy0 = max(0, (iy + PT - KH + SH) / SH), oy1 = min(OH - 1, (iy + PT) / SH);
    const int ox0 = max(0, (ix + PL - KW + SW) / SW), ox1 = min(OW - 1, (ix + PL) / SW);
    for (int oy = oy0; oy <= oy1; oy++) {
      for (int ox = ox0; ox <= ox1; ox++) {
        const uchar mine = (uchar)((iy + PT - oy * SH) * KW + (ix + PL - ox * SW));
        const int q = ((n * OH + oy) * OW + ox) * C;
        for (int c = 0; c < C; c++) dx[dxo + p * C + c] += arg[ao + q + c] == mine ? dy[dyo + q + c] : 0.0f;
      }
    }
  }
}

/* Cells of window (oy, ox) that lie inside. */
static int cells_inside(int oy, int ox) {
  const int y0 = oy * SH - PT, x0 = ox * SW - PL;
  return (min(y0 + KH, H) - max(y0, 0)) * (min(x0 + KW, W) - max(x0, 0));
}

__kernel void avg_pool_forward(__global const float *restrict x, int xo, __global float *restrict y, int yo, int pixels,
                               int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, pixels);
  for (int p = first; p < end; p++) {
    const int ox = p % OW, oy = p / OW % OH, n = p / (OW * OH);
    const int y0 = max(oy * SH - PT, 0), y1 = min(oy * SH - PT + KH, H);
    const int x0 = max(ox * SW - PL, 0), x1 = min(ox * SW - PL + KW, W);
    const float part = 1.0f / (float)cells_inside(oy, ox);
    for (int c = 0; c < C; c++) y[yo + p * C + c] = 0.0f;
    for (int iy = y0; iy < y1; iy++)
      for (int ix = x0; ix < x1; ix++)
        for (int c = 0; c < C; c++) y[yo + p * C + c] += x[xo + ((n * H + iy) * W + ix) * C + c];
    for (int c = 0; c < C; c++) y[yo + p * C + c] *= part;
  }
}

__kernel void avg_pool_backward(__global const float *restrict dy, int dyo, __global float *restrict dx, int dxo, int pixels,
                                int beta, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, pixels);
  for (int p = first; p < end; p++) {
    const int ix = p % W, iy = p / W % H, n = p / (W * H);
    if (!beta)
      for (int c = 0; c < C; c++) dx[dxo + p * C + c] = 0.0f;
    const int oy0 = max(0, (iy + PT - KH + SH) / SH), oy1 = min(OH - 1, (iy + PT) / SH);
    const int ox0 = max(0, (ix + PL - KW + SW) / SW), ox1 = min(OW - 1, (ix + PL) / SW);
    for (int oy = oy0; oy <= oy1; oy++) {
      for (int ox = ox0; ox <= ox1; ox++) {
        const float part = 1.0f / (float)cells_inside(oy, ox);
        const int q = ((n * OH + oy) * OW + ox) * C;
        for (int c = 0; c < C; c++) dx[dxo + p * C + c] += dy[dyo + q + c] * part;
      }
    }
  }
}

/*
 * cl/pool.cl: poolings, any window, stride and padding. Max: padded cells never win; arg keeps which cell of its window
 * won (row-major, the first of equals), so that backward is a gather: every input cell adds, in fixed order, the
 * gradients of the windows it won. No atomics, and the same bits every time. Average: over the cells of a window that lie
 * inside. x (N,H,W,C), y and arg (N,OH,OW,C). The C channels of a pixel are cut into chunks of V, the last one shorter; a
 * work-item takes `block` of n chunks.
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
#define CHUNKS CEIL_DIV(C, V)

#if V == 1
typedef int intV;
typedef uchar ucharV;
#define TO_BYTES(v) ((uchar)(v))
#define TO_INTS(v) ((int)(v))
#else
typedef CAT(int, V) intV;
typedef CAT(uchar, V) ucharV;
#define TO_BYTES(v) CAT(convert_uchar, V)(v)
#define TO_INTS(v) CAT(convert_int, V)(v)
#endif

#define WHOLE (C % V == 0) /* chunks alone */

static inline floatV load(__global const float *row, int c) {
  return WHOLE ? VLOAD(row + c) : row_load(row, c, C);
}

static inline void store(floatV v, __global float *row, int c) {
  if (WHOLE)
    VSTORE(v, row + c);
  else
    row_store(v, row, c, C);
}

/* The same of bytes. */
static inline intV cells_load(__global const uchar *row, int c) {
  uchar lane[V];
  if (WHOLE || c + V <= C) return TO_INTS(VLOAD(row + c));
  for (int j = 0; j < V; j++) lane[j] = c + j < C ? row[c + j] : 0;
  return TO_INTS(VLOAD(lane));
}

static inline void cells_store(intV v, __global uchar *row, int c) {
  uchar lane[V];
  if (WHOLE || c + V <= C) {
    VSTORE(TO_BYTES(v), row + c);
  } else {
    VSTORE(TO_BYTES(v), lane);
    for (int j = 0; j < C - c; j++) row[c + j] = lane[j];
  }
}

/* Rows y0..y1-1 and columns x0..x1-1: of the input, a window's cells that lie inside; of the output, a cell's windows. */
typedef struct area {
  int y0, y1, x0, x1;
} area;

/* Of pixel p of the output. */
static inline area cells_of(int p) {
  const int ox = p % OW, oy = p / OW % OH;
  const area a = {max(oy * SH - PT, 0), min(oy * SH - PT + KH, H), max(ox * SW - PL, 0), min(ox * SW - PL + KW, W)};
  return a;
}

/* Of pixel p of the input: the windows oy with oy*SH - PT <= iy <= oy*SH - PT + KH-1. */
static inline area windows_of(int p) {
  const int ix = p % W, iy = p / W % H;
  const area a = {max(0, (iy + PT - KH + SH) / SH), min(OH - 1, (iy + PT) / SH) + 1, max(0, (ix + PL - KW + SW) / SW),
                  min(OW - 1, (ix + PL) / SW) + 1};
  return a;
}

__kernel void max_pool_forward(__global const float *restrict x, int xo, __global float *restrict y, int yo,
                               __global uchar *restrict arg, int ao, int n, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, n);
  for (int i = first; i < end;) {
    const int p = i / CHUNKS, image = p / (OW * OH);
    const int oy = p / OW % OH * SH - PT, ox = p % OW * SW - PL;
    const area a = cells_of(p);
    for (int c = i % CHUNKS * V; c < C && i < end; c += V, i++) {
      floatV best = (floatV)(-INFINITY);
      intV at = (intV)((a.y0 - oy) * KW + a.x0 - ox); /* the first cell inside, should nothing exceed -INFINITY */
      for (int iy = a.y0; iy < a.y1; iy++)
        for (int ix = a.x0; ix < a.x1; ix++) {
          const floatV v = load(x + xo + ((image * H + iy) * W + ix) * C, c);
          const intV wins = (v > best) | (v != v); /* a NaN wins and stays: nothing is greater */
          best = select(best, v, wins);
          at = select(at, (intV)((iy - oy) * KW + ix - ox), wins);
        }
      store(best, y + yo + p * C, c);
      cells_store(at, arg + ao + p * C, c);
    }
  }
}

__kernel void max_pool_backward(__global const float *restrict dy, int dyo, __global const uchar *restrict arg, int ao,
                                __global float *restrict dx, int dxo, int n, int beta, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, n);
  for (int i = first; i < end;) {
    const int p = i / CHUNKS, image = p / (W * H);
    const int iy = p / W % H + PT, ix = p % W + PL;
    const area a = windows_of(p);
    for (int c = i % CHUNKS * V; c < C && i < end; c += V, i++) {
      floatV sum = beta ? load(dx + dxo + p * C, c) : (floatV)(0.0f);
      for (int oy = a.y0; oy < a.y1; oy++)
        for (int ox = a.x0; ox < a.x1; ox++) {
          const int q = ((image * OH + oy) * OW + ox) * C;
          const intV mine = (intV)((iy - oy * SH) * KW + ix - ox * SW);
          sum += select((floatV)(0.0f), load(dy + dyo + q, c), cells_load(arg + ao + q, c) == mine);
        }
      store(sum, dx + dxo + p * C, c);
    }
  }
}

__kernel void avg_pool_forward(__global const float *restrict x, int xo, __global float *restrict y, int yo, int n, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, n);
  for (int i = first; i < end;) {
    const int p = i / CHUNKS, image = p / (OW * OH);
    const area a = cells_of(p);
    for (int c = i % CHUNKS * V; c < C && i < end; c += V, i++) {
      floatV sum = (floatV)(0.0f);
      for (int iy = a.y0; iy < a.y1; iy++)
        for (int ix = a.x0; ix < a.x1; ix++) sum += load(x + xo + ((image * H + iy) * W + ix) * C, c);
      store(sum * (floatV)(1.0f / (float)((a.y1 - a.y0) * (a.x1 - a.x0))), y + yo + p * C, c);
    }
  }
}

__kernel void avg_pool_backward(__global const float *restrict dy, int dyo, __global float *restrict dx, int dxo, int n,
                                int beta, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, n);
  for (int i = first; i < end;) {
    const int p = i / CHUNKS, image = p / (W * H);
    const area a = windows_of(p);
    for (int c = i % CHUNKS * V; c < C && i < end; c += V, i++) {
      floatV sum = beta ? load(dx + dxo + p * C, c) : (floatV)(0.0f);
      for (int oy = a.y0; oy < a.y1; oy++)
        for (int ox = a.x0; ox < a.x1; ox++) {
          const area inside = cells_of(oy * OW + ox);
          const float part = 1.0f / (float)((inside.y1 - inside.y0) * (inside.x1 - inside.x0));
          sum += load(dy + dyo + ((image * OH + oy) * OW + ox) * C, c) * (floatV)(part);
        }
      store(sum, dx + dxo + p * C, c);
    }
  }
}

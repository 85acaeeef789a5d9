/*
 * conv2d_local.cl: convolution for GPUs as a product of matrices, by the local tiles of cl/common.clh, which tells how they
 * work and why. The patch matrix is never in memory: its elements are found while a tile of it is fetched.
 *
 *   PASS  M rows             COLS  K to add up      A(row, k)                               B(k, column)
 *   0     outputs (n,oy,ox)  OC    (ky,kx,c)        x that ky,kx meets, or 0: padding       weights
 *   1     inputs (n,iy,ix)   C     (ky,kx,oc)       dy that ky,kx came from, or 0           weights, read by columns
 *   2     (ky,kx,c), ones    OC    outputs          x as in 0, turned; the last row is 1    dy
 *
 * The row of ones makes the last row of pass 2 the sum of dy: the bias gradient, for one row more of the product. Pass 2
 * is cut along K into runs of RUN, which sum_partials adds up in order. Shapes by -D as in cl/conv2d.cl; all are
 * constants, so that the divisions below are multiplications.
 */
#ifndef PASS
#define PASS 0
#endif
#ifndef BETA
#define BETA 0
#endif
#if PASS == 0
#define M (N * OH * OW)
#define COLS OC
#define K (KH * KW * C)
#elif PASS == 1
#define M (N * H * W)
#define COLS C
#define K (KH * KW * OC)
#else
#define M (KH * KW * C + 1)
#define COLS OC
#define K (N * OH * OW)
#endif
#ifndef RUN
#define RUN K
#endif
#define FAR (-(1 << 24)) /* a place outside of any image, for rows that are not there */

/* What of a row of A stays the same along k. */
#if PASS == 2
typedef struct rows {
  int y, x, c, ones; /* offset in the image, channel; is it the row of ones? */
} rows;
#else
typedef struct rows {
  int y[FETCH_A], x[FETCH_A], base[FETCH_A]; /* where the window lies, or could; first element of the image */
} rows;
#endif

static inline rows find_rows(int m0, int item) {
  rows f;
#if PASS == 2
  const int row = m0 + A_ROW(item, 0);
  f.c = row % C;
  f.x = row / C % KW - PL;
  f.y = row < M - 1 ? row / (C * KW) - PT : FAR;
  f.ones = row == M - 1;
#else
#pragma unroll
  for (int i = 0; i < FETCH_A; i++) {
    const int row = m0 + A_ROW(item, i);
#if PASS == 0
    f.x[i] = row % OW * SW - PL;
    f.y[i] = row < M ? row / OW % OH * SH - PT : FAR;
    f.base[i] = row / (OW * OH) * (H * W * C);
#else
    f.x[i] = row % W + PL;
    f.y[i] = row < M ? row / W % H + PT : FAR;
    f.base[i] = row / (W * H) * (OH * OW * OC);
#endif
  }
#endif
  return f;
}

static inline void fetch_a(__global const float *p, const rows *f, int at, int end, float *v, int item) {
#if PASS == 2
#pragma unroll
  for (int i = 0; i < FETCH_A; i++) {
    const int k = at + A_K(item, i), y = k / OW % OH * SH + f->y, x = k % OW * SW + f->x;
    const int inside = y >= 0 && y < H && x >= 0 && x < W;
    v[i] = k >= end ? 0.0f : f->ones ? 1.0f : inside ? p[((k / (OW * OH) * H + y) * W + x) * C + f->c] : 0.0f;
  }
#else
  const int depth = PASS == 0 ? C : OC, k = at + A_K(item, 0); /* the same for all i */
  const int ch = k % depth, kx = k / depth % KW, ky = k / (depth * KW);
#pragma unroll
  for (int i = 0; i < FETCH_A; i++) {
#if PASS == 0
    const int y = f->y[i] + ky, x = f->x[i] + kx;
    const int inside = y >= 0 && y < H && x >= 0 && x < W;
    v[i] = k < end && inside ? p[f->base[i] + (y * W + x) * C + ch] : 0.0f;
#else
    const int sy = f->y[i] - ky, sx = f->x[i] - kx, y = sy / SH, x = sx / SW;
    const int met = sy >= 0 && sx >= 0 && y * SH == sy && x * SW == sx && y < OH && x < OW;
    v[i] = k < end && met ? p[f->base[i] + (y * OW + x) * OC + ch] : 0.0f;
#endif
  }
#endif
}

static inline void fetch_b(__global const float *p, int n0, int at, int end, float *v, int item) {
#pragma unroll
  for (int i = 0; i < FETCH_B; i++) {
    const int k = at + B_K(item, i), c = n0 + B_COL(item, i);
#if PASS == 1
    v[i] = k < end && c < COLS ? p[(k / OC * C + c) * OC + k % OC] : 0.0f;
#else
    v[i] = k < end && c < COLS ? p[k * COLS + c] : 0.0f;
#endif
  }
}

/*
 * PASS 0: c = act(A*B + bias). 1: c = BETA*c + A*B. 2: c[s] = A*B over the s-th run of K.
 * Global size {tiles of C * GROUP, parts}, as in cl/gemm_local.cl.
 */
__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
conv2d_local(__global const float *restrict a, int ao, __global const float *restrict b, int bo, __global const float *restrict bias,
             int biaso, __global float *restrict c, int co) {
  __local float as[TK * PITCH_A] __attribute__((aligned(16))), bs[TK * PITCH_B] __attribute__((aligned(16)));
  const int item = (int)get_local_id(0), tile = (int)get_group_id(0), s = (int)get_group_id(1);
  const int m0 = tile / CEIL_DIV(COLS, TN) * TM, n0 = tile % CEIL_DIV(COLS, TN) * TN, end = MIN_OF(K, (s + 1) * RUN);
  const rows f = find_rows(m0, item);
  float av[FETCH_A], bv[FETCH_B];
  float4 sum[4] = {(float4)(0.0f), (float4)(0.0f), (float4)(0.0f), (float4)(0.0f)};

  fetch_a(a + ao, &f, s * RUN, end, av, item);
  fetch_b(b + bo, n0, s * RUN, end, bv, item);
  for (int at = s * RUN; at < end; at += TK) {
    barrier(CLK_LOCAL_MEM_FENCE);
    tile_put(as, bs, av, bv, item);
    barrier(CLK_LOCAL_MEM_FENCE);
    /* The next tile is under way while this one is multiplied; past the end it is zeros. */
    fetch_a(a + ao, &f, at + TK, end, av, item);
    fetch_b(b + bo, n0, at + TK, end, bv, item);
    tile_multiply(as, bs, sum, item);
  }

  const int row = m0 + TILE_ROW(item), column = n0 + TILE_COL(item);
  __global float *to = c + co + s * M * COLS;
#pragma unroll
  for (int r = 0; r < 4; r++) {
    const float v[4] = {sum[r].x, sum[r].y, sum[r].z, sum[r].w};
#pragma unroll
    for (int j = 0; j < 4; j++)
      if (row + r < M && column + j < COLS) {
        float out = v[j];
#if PASS == 0
        out = activate(out + bias[biaso + column + j], ACT);
#elif BETA
        out += to[(row + r) * COLS + column + j];
#endif
        to[(row + r) * COLS + column + j] = out;
      }
  }
}

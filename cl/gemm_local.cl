/*
 * gemm_local.cl: matrix products for GPUs, by the local tiles of cl/common.clh, which tells how they work and why.
 *
 * Sizes and strides are arguments, so that one program serves many layers. A product with few results but a long k is cut
 * along k into parts, which sum_partials adds up in order; how many comes from the shape alone (ops/gemm_local.c).
 *
 *   TN A_BY_K B_BY_K   columns of the tile; which way the matrices lie
 *   BIAS BETA ACT      add a bias per column; add to c instead of writing it; activation
 */
#ifndef BIAS
#define BIAS 0
#endif
#ifndef BETA
#define BETA 0
#endif

/* The work-item's elements of the tile of A whose corner is at p; 0 beyond the rows and the k that are left. */
static inline void fetch_a(__global const float *p, int ars, int acs, int rows, int ks, float *v, int item) {
#pragma unroll
  for (int i = 0; i < FETCH_A; i++) {
    const int r = A_ROW(item, i), k = A_K(item, i);
    v[i] = r < rows && k < ks ? p[r * ars + k * acs] : 0.0f;
  }
}

static inline void fetch_b(__global const float *p, int brs, int bcs, int columns, int ks, float *v, int item) {
#pragma unroll
  for (int i = 0; i < FETCH_B; i++) {
    const int c = B_COL(item, i), k = B_K(item, i);
    v[i] = c < columns && k < ks ? p[k * brs + c * bcs] : 0.0f;
  }
}

/*
 * c[s][m][n] = act(BETA*c + A*B + bias) over the s-th run of `run` of k, A(i,k) = a[i*ars + k*acs], B(k,j) = b[k*brs +
 * j*bcs]. Global size {tiles of C * GROUP, parts}, the tiles of a row of C in a row: groups that run at the same time
 * share their rows of A in the cache.
 */
__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
gemm_local(__global const float *restrict a, int ao, int ars, int acs, __global const float *restrict b, int bo, int brs, int bcs,
           __global const float *restrict bias, int biaso, __global float *restrict c, int co, int m, int n, int k, int run) {
  __local float as[TK * PITCH_A] __attribute__((aligned(16))), bs[TK * PITCH_B] __attribute__((aligned(16)));
  const int item = (int)get_local_id(0), tile = (int)get_group_id(0), s = (int)get_group_id(1);
  const int m0 = tile / CEIL_DIV(n, TN) * TM, n0 = tile % CEIL_DIV(n, TN) * TN, end = MIN_OF(k, (s + 1) * run);
  __global const float *ap = a + ao + m0 * ars, *bp = b + bo + n0 * bcs;
  float av[FETCH_A], bv[FETCH_B];
  float4 sum[4] = {(float4)(0.0f), (float4)(0.0f), (float4)(0.0f), (float4)(0.0f)};

  fetch_a(ap + s * run * acs, ars, acs, m - m0, end - s * run, av, item);
  fetch_b(bp + s * run * brs, brs, bcs, n - n0, end - s * run, bv, item);
  for (int at = s * run; at < end; at += TK) {
    barrier(CLK_LOCAL_MEM_FENCE);
    tile_put(as, bs, av, bv, item);
    barrier(CLK_LOCAL_MEM_FENCE);
    /* The next tile is under way while this one is multiplied; past the end it is zeros. */
    fetch_a(ap + (at + TK) * acs, ars, acs, m - m0, end - at - TK, av, item);
    fetch_b(bp + (at + TK) * brs, brs, bcs, n - n0, end - at - TK, bv, item);
    tile_multiply(as, bs, sum, item);
  }

  const int row = m0 + TILE_ROW(item), column = n0 + TILE_COL(item);
  __global float *to = c + co + s * m * n;
#pragma unroll
  for (int r = 0; r < 4; r++) {
    const float v[4] = {sum[r].x, sum[r].y, sum[r].z, sum[r].w};
#pragma unroll
    for (int j = 0; j < 4; j++)
      if (row + r < m && column + j < n) {
        float out = v[j];
#if BIAS
        out += bias[biaso + column + j];
#endif
#if BETA
        out += to[(row + r) * n + column + j];
#endif
        to[(row + r) * n + column + j] = activate(out, ACT);
      }
  }
}

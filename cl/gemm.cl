/*
 * gemm.cl: matrix products in register tiles, for CPU devices. cl/gemm_plain.cl has what needs no tile.
 *
 * gemm_tile: one work-item per work-group, no local memory, no barriers. A work-item keeps MR rows by NV vectors of the result
 * in registers and reads A and B where they are: rows vary fastest over the work-items, so that neighbours share a panel of B
 * in the cache. All but the tile are arguments, so that one program serves many layers; the tile sizes come from a pure
 * function of the shape and the vector width (ops/gemm.c). Every sum runs over k in rising order.
 *
 *   MR NV V   tile: rows, vectors, vector width. MR <= m and V <= n must hold.
 *   MB KC     rows and depth of a block (gemm_panel)
 *   SMOOTH    1: act may be sigmoid or tanh, long code that the other programs do without
 */
#ifndef MR
#define MR 1
#endif
#ifndef NV
#define NV 1
#endif
#ifndef SMOOTH
#define SMOOTH 0
#endif

/*
 * Columns at..at+V-1 of a row of n. A vector that would pass the end is held at n-V, and then only the lanes that no
 * neighbour owns are read and written.
 */
static inline floatV load_columns(global const float *row, int at, int n) {
  if (at + V <= n) return VLOAD(row + at);
  float lane[V];
  for (int i = 0; i < V; i++) lane[i] = n - V + i >= at && at < n ? row[n - V + i] : 0.0f;
  return VLOAD(lane);
}

static inline void store_columns(floatV v, global float *row, int at, int n) {
  if (at + V <= n) {
    VSTORE(v, row + at);
  } else if (at < n) {
    float lane[V];
    VSTORE(v, lane);
    for (int i = at - (n - V); i < V; i++) row[n - V + i] = lane[i];
  }
}

/*
 * c = act(beta*c + acc), rows first.. of the tile, columns n0.. What is more than a plain store is done by a rolled loop:
 * with the ends of rows unrolled for each vector of the tile, compilers work longer on these few lines than on all the rest.
 */
static inline void store_tile(floatV acc[MR][NV], global float *c, int first, int n0, int n, int beta, int act) {
  const int plain = first == 0 && !beta && act == ACT_NONE;
  floatV sum[MR][NV];
#pragma unroll
  for (int j = 0; j < NV; j++)
    if (plain && n0 + (j + 1) * V <= n) {
#pragma unroll
      for (int r = 0; r < MR; r++) VSTORE(acc[r][j], c + r * n + n0 + j * V);
    }
  if (plain && n0 + NV * V <= n) return;
#pragma unroll
  for (int r = 0; r < MR; r++)
#pragma unroll
    for (int j = 0; j < NV; j++) sum[r][j] = acc[r][j];
#pragma unroll 1
  for (int j = plain ? (n - n0) / V : 0; j < NV; j++)
#pragma unroll 1
    for (int r = first; r < MR; r++) {
      floatV v = sum[r][j];
      if (beta) v += load_columns(c + r * n, n0 + j * V, n);
      if (SMOOTH || act == ACT_RELU) v = activate(v, act);
      store_columns(v, c + r * n, n0 + j * V, n);
    }
}

/*
 * c[m][n] = act(beta*c + A*b + bias), A(i,k) = a[i*ars + k*acs], b[k][n] with rows of ldb floats;
 * bias counts only where has_bias is 1.
 * Global size {ceil(m/MR), ceil(n/(NV*V)), 1}, local {1,1,1}. The last tile moves back inside to overlap its neighbours,
 * and stores only what is its own.
 */
kernel void gemm_tile(global const float *restrict a, int ao, int ars, int acs, global const float *restrict b, int bo, int ldb,
                      global const float *restrict bias, int biaso, global float *restrict c, int co, int m, int n, int k,
                      int has_bias, int beta, int act) {
  const int m0 = (int)get_global_id(0) * MR, n0 = (int)get_global_id(1) * (NV * V), from = MIN_OF(m0, m - MR);
  global const float *ap = a + ao + from * ars;
  global const float *bp = b + bo;
  global float *cp = c + co + from * n;
  floatV acc[MR][NV];

#pragma unroll
  for (int j = 0; j < NV; j++) {
    const floatV first = has_bias ? VLOAD(bias + biaso + MIN_OF(n0 + j * V, n - V)) : (floatV)(0.0f);
#pragma unroll
    for (int r = 0; r < MR; r++) acc[r][j] = first;
  }

#pragma unroll 1
  for (int i = 0; i < k; i++) {
    floatV bv[NV];
#pragma unroll
    for (int j = 0; j < NV; j++) bv[j] = VLOAD(bp + MIN_OF(n0 + j * V, n - V));
#pragma unroll
    for (int r = 0; r < MR; r++) {
      const floatV av = (floatV)(ap[r * ars]);
#pragma unroll
      for (int j = 0; j < NV; j++) acc[r][j] = VFMA(av, bv[j], acc[r][j]);
    }
    ap += acs;
    bp += ldb;
  }
  store_tile(acc, cp, m0 - from, n0, n, beta, act);
}

#ifdef KC
/*
 * The same product for large matrices: a work-item takes MB rows of c and one panel of columns, KC rows of B at a time,
 * which it copies side by side into its own memory: read in place, rows of B lie whole pages apart. Between two runs over k
 * the sums wait in c. Neighbours share the rows of A. Global size {ceil(n/(NV*V)), ceil(m/MB), 1}; MB is a multiple of MR.
 */
kernel void gemm_panel(global const float *restrict a, int ao, int ars, int acs, global const float *restrict b, int bo,
                       int ldb, global const float *restrict bias, int biaso, global float *restrict c, int co, int m, int n,
                       int k, int has_bias, int beta, int act) {
  const int first = (int)get_global_id(1) * MB, end = MIN_OF(first + MB, m), n0 = (int)get_global_id(0) * (NV * V);
  __attribute__((aligned(64))) float panel[KC * NV * V];

  for (int k0 = 0; k0 < k; k0 += KC) {
    const int depth = MIN_OF(KC, k - k0), last = k0 + depth == k;
    global const float *bp = b + bo + k0 * ldb;
    for (int i = 0; i < depth; i++) {
#pragma unroll
      for (int j = 0; j < NV; j++) VSTORE(VLOAD(bp + MIN_OF(n0 + j * V, n - V)), panel + (i * NV + j) * V);
      bp += ldb;
    }
    for (int m0 = first; m0 < end; m0 += MR) {
      const int from = MIN_OF(m0, m - MR);
      global const float *ap = a + ao + from * ars + k0 * acs;
      global float *cp = c + co + from * n;
      /* A tile inside c, between two runs: the common case, without ends of rows. */
      const int inside = from == m0 && n0 + NV * V <= n;
      floatV acc[MR][NV];
      if (inside && k0 > 0) {
#pragma unroll
        for (int r = 0; r < MR; r++)
#pragma unroll
          for (int j = 0; j < NV; j++) acc[r][j] = VLOAD(cp + r * n + n0 + j * V);
      } else {
        floatV sum[MR][NV];
#pragma unroll 1
        for (int r = 0; r < MR; r++)
#pragma unroll 1
          for (int j = 0; j < NV; j++) {
            floatV v = (floatV)(0.0f);
            if ((k0 > 0 || beta) && from + r >= m0) v = load_columns(cp + r * n, n0 + j * V, n);
            if (k0 == 0 && has_bias) v += VLOAD(bias + biaso + MIN_OF(n0 + j * V, n - V));
            sum[r][j] = v;
          }
#pragma unroll
        for (int r = 0; r < MR; r++)
#pragma unroll
          for (int j = 0; j < NV; j++) acc[r][j] = sum[r][j];
      }
#pragma unroll 1
      for (int i = 0; i < depth; i++) {
        floatV bv[NV];
#pragma unroll
        for (int j = 0; j < NV; j++) bv[j] = VLOAD(panel + (i * NV + j) * V);
#pragma unroll
        for (int r = 0; r < MR; r++) {
          const floatV av = (floatV)(ap[r * ars]);
#pragma unroll
          for (int j = 0; j < NV; j++) acc[r][j] = VFMA(av, bv[j], acc[r][j]);
        }
        ap += acs;
      }
      store_tile(acc, cp, m0 - from, n0, n, 0, last ? act : ACT_NONE);
    }
  }
}
#endif

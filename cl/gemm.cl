/*
 * gemm.cl: matrix products: register tiles for CPU devices with the transposition that the input gradient of a dense layer
 * needs, a plain kernel for any device, and the bias and activation that follow a library's product.
 *
 * gemm_tile: one work-item per work-group, no local memory, no barriers. A work-item keeps MR rows by NV vectors of the result
 * in registers and reads A and B where they are: rows vary fastest over the work-items, so that neighbours share a panel of B
 * in the cache. Sizes and strides are arguments, so that one program serves many layers; the tile sizes come from a pure
 * function of the shape and the vector width (ops/gemm.c). Every sum runs over k in rising order.
 *
 *   MR NV V         tile: rows, vectors, vector width. MR <= m and V <= n must hold.
 *   MB KC           rows and depth of a block (gemm_panel)
 *   BIAS BETA ACT   add a bias per column; add to c instead of writing it; activation
 */
#ifndef MR
#define MR 1
#endif
#ifndef NV
#define NV 1
#endif
#ifndef BIAS
#define BIAS 0
#endif
#ifndef BETA
#define BETA 0
#endif
#ifndef BLOCK
#define BLOCK 1
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
 * c = act(beta*c + acc), rows first.. of the tile, columns n0.. The loop is rolled: with the ends of rows unrolled for each
 * vector of the tile, compilers work longer on these few lines than on all the rest.
 */
static inline void store_tile(floatV acc[MR][NV], global float *c, int first, int n0, int n, int beta, int act) {
  floatV sum[MR][NV];
#pragma unroll
  for (int r = 0; r < MR; r++)
#pragma unroll
    for (int j = 0; j < NV; j++) sum[r][j] = acc[r][j];
#pragma unroll 1
  for (int r = first; r < MR; r++)
#pragma unroll 1
    for (int j = 0; j < NV; j++) {
      floatV v = sum[r][j];
      if (beta) v += load_columns(c + r * n, n0 + j * V, n);
      store_columns(activate(v, act), c + r * n, n0 + j * V, n);
    }
}

/*
 * c[m][n] = act(BETA*c + A*b + bias), A(i,k) = a[i*ars + k*acs], b[k][n] with rows of ldb floats.
 * Global size {ceil(m/MR), ceil(n/(NV*V)), 1}, local {1,1,1}. The last tile moves back inside to overlap its neighbours,
 * and stores only what is its own.
 */
kernel void gemm_tile(global const float *restrict a, int ao, int ars, int acs, global const float *restrict b, int bo, int ldb,
                      global const float *restrict bias, int biaso, global float *restrict c, int co, int m, int n, int k) {
  const int m0 = (int)get_global_id(0) * MR, n0 = (int)get_global_id(1) * (NV * V), from = MIN_OF(m0, m - MR);
  global const float *ap = a + ao + from * ars;
  global const float *bp = b + bo;
  global float *cp = c + co + from * n;
  floatV acc[MR][NV];

#pragma unroll
  for (int j = 0; j < NV; j++) {
    floatV first = (floatV)(0.0f);
#if BIAS
    first = VLOAD(bias + biaso + MIN_OF(n0 + j * V, n - V));
#endif
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
  store_tile(acc, cp, m0 - from, n0, n, BETA, ACT);
}

#ifdef KC
/*
 * The same product for large matrices: a work-item takes MB rows of c and one panel of columns, KC rows of B at a time,
 * which it copies side by side into its own memory: read in place, rows of B lie whole pages apart. Between two runs over k
 * the sums wait in c. Neighbours share the rows of A. Global size {ceil(n/(NV*V)), ceil(m/MB), 1}; MB is a multiple of MR.
 */
kernel void gemm_panel(global const float *restrict a, int ao, int ars, int acs, global const float *restrict b, int bo,
                       int ldb, global const float *restrict bias, int biaso, global float *restrict c, int co, int m, int n,
                       int k) {
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
            if ((k0 > 0 || BETA) && from + r >= m0) v = load_columns(cp + r * n, n0 + j * V, n);
            if (k0 == 0 && BIAS) v += VLOAD(bias + biaso + MIN_OF(n0 + j * V, n - V));
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
      if (inside && !last) {
#pragma unroll
        for (int r = 0; r < MR; r++)
#pragma unroll
          for (int j = 0; j < NV; j++) VSTORE(acc[r][j], cp + r * n + n0 + j * V);
      } else {
        store_tile(acc, cp, m0 - from, n0, n, 0, last ? ACT : ACT_NONE);
      }
    }
  }
}
#endif

/* The lower and the upper halves of two vectors, element by element in turn. */
#define INTERLEAVE_LO(a, b) \
  (float16)(a.s0, b.s0, a.s1, b.s1, a.s2, b.s2, a.s3, b.s3, a.s4, b.s4, a.s5, b.s5, a.s6, b.s6, a.s7, b.s7)
#define INTERLEAVE_HI(a, b) \
  (float16)(a.s8, b.s8, a.s9, b.s9, a.sa, b.sa, a.sb, b.sb, a.sc, b.sc, a.sd, b.sd, a.se, b.se, a.sf, b.sf)

/*
 * out[c][r] = in[r][c] by blocks of 16 x 16. A whole block is 16 vectors: interleaving vector i with vector i+8 rotates the
 * eight bits of an element's (row, column) by one place, so four rounds swap row and column.
 * Global size {ceil(cols/16), ceil(rows/16), 1}.
 */
kernel void transpose_tile(global const float *restrict in, int io, global float *restrict out, int oo, int rows, int cols) {
  const int c0 = (int)get_global_id(0) * 16, r0 = (int)get_global_id(1) * 16;
  global const float *from = in + io + r0 * cols + c0;
  global float *into = out + oo + c0 * rows + r0;
  if (r0 + 16 <= rows && c0 + 16 <= cols) {
    float16 even[16], odd[16];
#pragma unroll
    for (int i = 0; i < 16; i++) even[i] = vload16(0, from + i * cols);
#pragma unroll
    for (int round = 0; round < 2; round++) {
#pragma unroll
      for (int i = 0; i < 8; i++) {
        odd[2 * i] = INTERLEAVE_LO(even[i], even[i + 8]);
        odd[2 * i + 1] = INTERLEAVE_HI(even[i], even[i + 8]);
      }
#pragma unroll
      for (int i = 0; i < 8; i++) {
        even[2 * i] = INTERLEAVE_LO(odd[i], odd[i + 8]);
        even[2 * i + 1] = INTERLEAVE_HI(odd[i], odd[i + 8]);
      }
    }
#pragma unroll
    for (int i = 0; i < 16; i++) vstore16(even[i], 0, into + i * rows);
  } else {
    for (int c = 0; c < MIN_OF(16, cols - c0); c++)
      for (int r = 0; r < MIN_OF(16, rows - r0); r++) into[c * rows + r] = from[r * cols + c];
  }
}

#if V == 1 /* scalar kernels: not in the programs of the tiles, whose activate() takes vectors */
/*
 * The same product for any device, one result a work-item; b has strides of its own, so that it may be read transposed.
 * Global size: m*n, rounded up.
 */
kernel void gemm_plain(global const float *a, int ao, int ars, int acs, global const float *b, int bo, int brs, int bcs,
                       global const float *bias, int biaso, global float *c, int co, int m, int n, int k) {
  const int id = (int)get_global_id(0);
  if (id >= m * n) return;
  const int row = id / n, col = id % n;
  global const float *ap = a + ao + row * ars;
  global const float *bp = b + bo + col * bcs;
  float sum = 0.0f;
#if BIAS
  sum = bias[biaso + col];
#endif
#if BETA
  sum += c[co + id];
#endif
  for (int i = 0; i < k; i++) sum += ap[i * acs] * bp[i * brs];
  c[co + id] = activate(sum, ACT);
}

/* c = act(c + bias), c of `total` elements in rows of n. A work-item has BLOCK of them. */
kernel void bias_act(global float *c, int co, global const float *bias, int biaso, int n, int total) {
  const int first = (int)get_global_id(0) * BLOCK, end = min(first + BLOCK, total);
  for (int i = first; i < end; i++) {
    float sum = c[co + i];
#if BIAS
    sum += bias[biaso + i % n];
#endif
    c[co + i] = activate(sum, ACT);
  }
}
#endif

/*
 * cl/gemm_plain.cl: what matrix products need beside register tiles and local tiles: a plain kernel for any device, the bias
 * and activation that follow a library's product, and the transposition for the input gradient of a dense layer.
 */

/*
 * c[m][n] = act(beta*c + A*b + bias) for any device, one result a work-item; b has strides of its own, so that it may be read
 * transposed.
 * Global size: m*n, rounded up.
 */
kernel void gemm_plain(global const float *a, int ao, int ars, int acs, global const float *b, int bo, int brs, int bcs,
                       global const float *bias, int biaso, global float *c, int co, int m, int n, int k,
                       int has_bias, int beta, int act) {
  const int id = (int)get_global_id(0);
  if (id >= m * n) return;
  const int row = id / n, col = id % n;
  global const float *ap = a + ao + row * ars;
  global const float *bp = b + bo + col * bcs;
  float sum = has_bias ? bias[biaso + col] : 0.0f;
  if (beta) sum += c[co + id];
  for (int i = 0; i < k; i++) sum += ap[i * acs] * bp[i * brs];
  c[co + id] = activate(sum, act);
}

/* c = act(c + bias), c of `total` elements in rows of n. A work-item has `block` of them. */
kernel void bias_act(global float *c, int co, global const float *bias, int biaso, int n, int total,
                     int has_bias, int act, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, total);
  for (int i = first; i < end; i++) {
    float sum = c[co + i];
    if (has_bias) sum += bias[biaso + i % n];
    c[co + i] = activate(sum, act);
  }
}

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
#pragma unroll 1
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

/*
 * cl/lrn.cl: local response normalisation across channels: y = x s^-beta, s = k + alpha * (sum of x^2 over the channel and
 * `side` neighbours before and behind it, those that there are). Backward is a gather of what lrn_terms left for it: with
 * t = dy s^-beta and u = t x / s,
 *   dx = t - 2 alpha beta x * (sum of u over the same neighbours), since c is in the window of d where d is in that of c.
 * A row is the C channels of a pixel, cut into chunks of V, the last one shorter; a work-item takes `block` of n chunks.
 */
#ifndef C
#define C 1
#endif
#define CHUNKS CEIL_DIV(C, V)

static inline floatV lrn_scale(__global const float *row, int c, int side, float alpha, float k) {
  floatV sum = (floatV)(0.0f);
  for (int d = c - side; d <= c + side; d++) {
    const floatV v = row_load(row, d, C);
    sum += v * v;
  }
  return (floatV)(k) + (floatV)(alpha)*sum;
}

/* pow, which is far slower, has more to care for than an s above 0 */
static inline floatV lrn_power(floatV s, float beta) {
  return exp((floatV)(-beta) * log(s));
}

__kernel void lrn_forward(__global const float *restrict x, int xo, __global float *restrict y, int yo, int n, int side,
                          float alpha, float beta, float k, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, n);
  for (int i = first; i < end; i++) {
    const int c = i % CHUNKS * V, at = i / CHUNKS * C;
    row_store(row_load(x + xo + at, c, C) * lrn_power(lrn_scale(x + xo + at, c, side, alpha, k), beta), y + yo + at, c, C);
  }
}

__kernel void lrn_terms(__global const float *restrict x, int xo, __global const float *restrict dy, int dyo,
                        __global float *restrict t, int to, __global float *restrict u, int uo, int n, int side, float alpha,
                        float beta, float k, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, n);
  for (int i = first; i < end; i++) {
    const int c = i % CHUNKS * V, at = i / CHUNKS * C;
    const floatV s = lrn_scale(x + xo + at, c, side, alpha, k), v = row_load(dy + dyo + at, c, C) * lrn_power(s, beta);
    row_store(v, t + to + at, c, C);
    row_store(v * row_load(x + xo + at, c, C) / s, u + uo + at, c, C);
  }
}

/* factor: 2 alpha beta */
__kernel void lrn_backward(__global const float *restrict x, int xo, __global const float *restrict t, int to,
                           __global const float *restrict u, int uo, __global float *restrict dx, int dxo, int n, int side,
                           float factor, int add, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, n);
  for (int i = first; i < end; i++) {
    const int c = i % CHUNKS * V, at = i / CHUNKS * C;
    floatV sum = (floatV)(0.0f);
    for (int d = c - side; d <= c + side; d++) sum += row_load(u + uo + at, d, C);
    const floatV v = row_load(t + to + at, c, C) - (floatV)(factor)*row_load(x + xo + at, c, C) * sum;
    row_store(add ? row_load(dx + dxo + at, c, C) + v : v, dx + dxo + at, c, C);
  }
}

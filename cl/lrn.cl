/*
 * cl/lrn.cl: local response normalisation across channels: y = x s^-beta, s = k + alpha * (sum of x^2 over the channel and
 * `side` neighbours before and behind it, those that there are). Rows of `channels` numbers. Backward is a gather of what lrn_terms
 * left for it: with t = dy s^-beta and u = t x / s,
 *   dx = t - 2 alpha beta x * (sum of u over the same neighbours), since c is in the window of d where d is in that of c.
 */

static float lrn_scale(__global const float *x, int c, int channels, int side, float alpha, float k) {
  float sum = 0.0f;
  for (int d = max(c - side, 0); d <= min(c + side, channels - 1); d++) sum += x[d] * x[d];
  return k + alpha * sum;
}

__kernel void lrn_forward(__global const float *restrict x, int xo, __global float *restrict y, int yo, int n, int channels,
                          int side, float alpha, float beta, float k, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, n);
  for (int i = first; i < end; i++) {
    const int c = i % channels;
    y[yo + i] = x[xo + i] * pow(lrn_scale(x + xo + i - c, c, channels, side, alpha, k), -beta);
  }
}

__kernel void lrn_terms(__global const float *restrict x, int xo, __global const float *restrict dy, int dyo,
                        __global float *restrict t, int to, __global float *restrict u, int uo, int n, int channels, int side,
                        float alpha, float beta, float k, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, n);
  for (int i = first; i < end; i++) {
    const int c = i % channels;
    const float s = lrn_scale(x + xo + i - c, c, channels, side, alpha, k), v = dy[dyo + i] * pow(s, -beta);
    t[to + i] = v;
    u[uo + i] = v * x[xo + i] / s;
  }
}

/* factor: 2 alpha beta */
__kernel void lrn_backward(__global const float *restrict x, int xo, __global const float *restrict t, int to,
                           __global const float *restrict u, int uo, __global float *restrict dx, int dxo, int n, int channels,
                           int side, float factor, int add, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, n);
  for (int i = first; i < end; i++) {
    const int c = i % channels;
    float sum = 0.0f;
    for (int d = max(c - side, 0); d <= min(c + side, channels - 1); d++) sum += u[uo + i - c + d];
    const float v = t[to + i] - factor * x[xo + i] * sum;
    dx[dxo + i] = add ? dx[dxo + i] + v : v;
  }
}

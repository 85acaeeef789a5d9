/*
 * cl/act.cl: activations on their own, when no dense or conv2d before them took them in. ACT: cl/layout.clh.
 * Backward needs only the output: dx = BETA*dx + dy * f'(x) with f' written in terms of y.
 */
#ifndef ACT
#define ACT ACT_RELU
#endif
#ifndef BETA
#define BETA 0
#endif
#ifndef BLOCK
#define BLOCK 1
#endif

__kernel void act_forward(__global const float *x, int xo, __global float *y, int yo, int n) {
  const int first = (int)get_global_id(0) * BLOCK, end = min(first + BLOCK, n);
  for (int i = first; i < end; i++) {
    const float v = x[xo + i];
#if ACT == ACT_RELU
    y[yo + i] = v > 0.0f ? v : (isnan(v) ? v : 0.0f); /* a NaN must not vanish here: divergence is found by its spread */
#elif ACT == ACT_SIGMOID
    y[yo + i] = 1.0f / (1.0f + exp(-v));
#else
    y[yo + i] = tanh(v);
#endif
  }
}

__kernel void act_backward(__global const float *y, int yo, __global const float *dy, int dyo, __global float *dx, int dxo, int n) {
  const int first = (int)get_global_id(0) * BLOCK, end = min(first + BLOCK, n);
  for (int i = first; i < end; i++) {
    const float v = y[yo + i], g = dy[dyo + i];
#if ACT == ACT_RELU
    const float r = v > 0.0f ? g : 0.0f;
#elif ACT == ACT_SIGMOID
    const float r = g * v * (1.0f - v);
#else
    const float r = g * (1.0f - v * v);
#endif
#if BETA
    dx[dxo + i] += r;
#else
    dx[dxo + i] = r;
#endif
  }
}

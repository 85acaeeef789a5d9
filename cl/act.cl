/*
 * cl/act.cl: activations on their own, when no dense or conv2d before them took them in. act: ACT_* of
 * cl/layout.clh. Backward needs only the output: dx = beta*dx + dy * f'(x) with f' written in terms of y.
 */

__kernel void act_forward(__global const float *x, int xo, __global float *y, int yo, int n, int act, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, n);
  for (int i = first; i < end; i++) {
    const float v = x[xo + i];
    /* A NaN must not vanish here: divergence is found by its spread. */
    if (act == ACT_RELU) y[yo + i] = v > 0.0f ? v : (isnan(v) ? v : 0.0f);
    else if (act == ACT_SIGMOID) y[yo + i] = 1.0f / (1.0f + exp(-v));
    else y[yo + i] = tanh(v);
  }
}

__kernel void act_backward(__global const float *y, int yo, __global const float *dy, int dyo, __global float *dx, int dxo, int n,
                           int act, int beta, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, n);
  for (int i = first; i < end; i++) {
    const float v = y[yo + i], g = dy[dyo + i];
    const float r = act == ACT_RELU ? (v > 0.0f ? g : 0.0f) : act == ACT_SIGMOID ? g * v * (1.0f - v) : g * (1.0f - v * v);
    dx[dxo + i] = beta ? dx[dxo + i] + r : r;
  }
}

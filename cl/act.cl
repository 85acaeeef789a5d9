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

/* The comparisons are written so that a NaN stays a NaN. */
__kernel void leaky_forward(__global const float *x, int xo, __global float *y, int yo, int n, float slope, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, n);
  for (int i = first; i < end; i++) {
    const float v = x[xo + i];
    y[yo + i] = v < 0.0f ? slope * v : v;
  }
}

__kernel void leaky_backward(__global const float *x, int xo, __global const float *dy, int dyo, __global float *dx, int dxo,
                             int n, float slope, int beta, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, n);
  for (int i = first; i < end; i++) {
    const float r = x[xo + i] > 0.0f ? dy[dyo + i] : slope * dy[dyo + i];
    dx[dxo + i] = beta ? dx[dxo + i] + r : r;
  }
}

/*
 * Dropout, forward and backward alike: out = in * mask, the mask a function of (seed, stream, step, element): 0 with
 * probability rate, else 1 / (1 - rate). Four elements a draw.
 */
__kernel void dropout(__global const float *in, int io, __global float *out, int oo, __global const int *control, int co, int n,
                      float rate, int seed_low, int seed_high, int stream, int beta, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, n);
  const float keep = 1.0f / (1.0f - rate);
  const uint2 key = (uint2)((uint)seed_low, (uint)seed_high);
  for (int i = first; i < end;) {
    const uint4 r = philox4x32((uint4)((uint)(i / 4), 0u, (uint)control[co + CTL_STEP], (uint)stream), key);
    for (int last = min(i / 4 * 4 + 4, end); i < last; i++) {
      const uint word = i % 4 == 0 ? r.x : i % 4 == 1 ? r.y : i % 4 == 2 ? r.z : r.w;
      const float v = unit_float(word) < rate ? 0.0f : in[io + i] * keep;
      out[oo + i] = beta ? out[oo + i] + v : v;
    }
  }
}

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

/* philox4x32 of common.clh, 16 counters at a time, one a lane: each word of counter and draw is a vector. */
static inline void philox16(uint16 *a, uint16 *b, uint16 *c, uint16 *d, uint2 key) {
  for (int round = 0; round < 10; round++) {
    const uint16 lo0 = 0xD2511F53u * *a, hi0 = mul_hi((uint16)(0xD2511F53u), *a);
    const uint16 lo1 = 0xCD9E8D57u * *c, hi1 = mul_hi((uint16)(0xCD9E8D57u), *c);
    *a = hi1 ^ *b ^ key.x, *b = lo1, *c = hi0 ^ *d ^ key.y, *d = lo0;
    key += (uint2)(0x9E3779B9u, 0xBB67AE85u);
  }
}

/* a0 b0 a1 b1 ... */
static inline uint16 interleave(uint8 a, uint8 b) {
  uint16 r;
  r.even = a, r.odd = b;
  return r;
}

/* The same for CPUs, whose vectors take 16 draws at a time: element 4 i + j is word j of draw i. block: a multiple of 64. */
__kernel void dropout_block(__global const float *restrict in, int io, __global float *restrict out, int oo,
                            __global const int *control, int co, int n, float rate, int seed_low, int seed_high, int stream,
                            int beta, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, n);
  const float keep = 1.0f / (1.0f - rate);
  for (int i = first; i < end; i += 64) {
    uint16 a = (uint16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) + (uint16)((uint)(i / 4)), b = (uint16)(0u),
           c = (uint16)((uint)control[co + CTL_STEP]), d = (uint16)((uint)stream);
    float mask[64];
    philox16(&a, &b, &c, &d, (uint2)((uint)seed_low, (uint)seed_high));
    const uint16 even[2] = {interleave(a.lo, c.lo), interleave(a.hi, c.hi)};
    const uint16 odd[2] = {interleave(b.lo, d.lo), interleave(b.hi, d.hi)};
    for (int j = 0; j < 4; j++) {
      const uint16 e = even[j / 2], o = odd[j / 2], word = j % 2 ? interleave(e.hi, o.hi) : interleave(e.lo, o.lo);
      const float16 u = convert_float16(word >> 8) * (float16)(0x1p-24f);
      vstore16(select((float16)(keep), (float16)(0.0f), u < (float16)(rate)), j, mask);
    }
    for (int j = 0; j < min(64, end - i); j++) {
      const float v = mask[j] > 0.0f ? in[io + i + j] * keep : 0.0f; /* not 0 times what may not be finite */
      out[oo + i + j] = beta ? out[oo + i + j] + v : v;
    }
  }
}

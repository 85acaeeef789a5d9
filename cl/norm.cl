/*
 * cl/norm.cl: batch normalisation over the rows and pixels of each channel. x (pixels, C), pixels being rows times image. Of one set
 * of rows: stats (3, C) holds mean, 1 / sqrt(variance + epsilon), unbiased variance. Sums in two stages of a fixed order, the
 * variance from the mean, not from squares. A work-item takes up to NORM_BLOCK neighbouring channels.
 */

/* part[s][c] = sum over chunk s of x, or with centred of (x - mean)^2. Global: (blocks of channels, chunks). */
__kernel void norm_sums(__global const float *restrict x, int xo, __global const float *restrict stats, int so,
                        __global float *restrict part, int po, int pixels, int channels, int chunk, int centred, int block) {
  const int s = (int)get_global_id(1), first = (int)get_global_id(0) * block, len = min(block, channels - first);
  const int from = s * chunk, to = min(from + chunk, pixels);
  float sum[NORM_BLOCK], mean[NORM_BLOCK];
  if (len <= 0) return;
  for (int c = 0; c < len; c++) sum[c] = 0.0f, mean[c] = centred ? stats[so + first + c] : 0.0f;
  for (int p = from; p < to; p++) {
    __global const float *restrict at = x + xo + p * channels + first;
    if (centred)
      for (int c = 0; c < len; c++) sum[c] += (at[c] - mean[c]) * (at[c] - mean[c]);
    else
      for (int c = 0; c < len; c++) sum[c] += at[c];
  }
  for (int c = 0; c < len; c++) part[po + s * channels + first + c] = sum[c];
}

__kernel void norm_mean(__global const float *part, int po, __global float *stats, int so, int parts, int pixels, int channels,
                        int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, channels);
  for (int c = first; c < end; c++) {
    float sum = 0.0f;
    for (int s = 0; s < parts; s++) sum += part[po + s * channels + c];
    stats[so + c] = sum / (float)pixels;
  }
}

__kernel void norm_deviation(__global const float *part, int po, __global float *stats, int so, int parts, int pixels,
                             int channels, float epsilon, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, channels);
  for (int c = first; c < end; c++) {
    float sum = 0.0f;
    for (int s = 0; s < parts; s++) sum += part[po + s * channels + c];
    stats[so + channels + c] = 1.0f / sqrt(sum / (float)pixels + epsilon);
    stats[so + 2 * channels + c] = sum / (float)max(pixels - 1, 1);
  }
}

/* Outside training: from the running mean and variance. state (2, C), or (4, C): the target's, then the source's. */
__kernel void norm_running(__global const float *state, int to, __global const int *control, int co, __global float *stats,
                           int so, int channels, int domains, float epsilon, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, channels);
  const int at = to + (domains > 1 && control[co + CTL_SPLIT] > 0 ? 2 * channels : 0);
  for (int c = first; c < end; c++) {
    stats[so + c] = state[at + c];
    stats[so + channels + c] = 1.0f / sqrt(state[at + channels + c] + epsilon);
  }
}

/* At the end of a step that stayed finite. state (2, C). */
__kernel void norm_follow(__global const float *stats, int so, __global float *state, int to, __global const int *control, int co,
                          int channels, float momentum, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, channels);
  if (control[co + CTL_BAD]) return;
  for (int c = first; c < end; c++) {
    state[to + c] = (1.0f - momentum) * state[to + c] + momentum * stats[so + c];
    state[to + channels + c] = (1.0f - momentum) * state[to + channels + c] + momentum * stats[so + 2 * channels + c];
  }
}

/* y = act((x - mean) / deviation * weight + bias); runs of channels side by side. */
__kernel void norm_apply(__global const float *restrict x, int xo, __global const float *restrict stats, int so,
                         __global const float *restrict weight, int wo, __global const float *restrict bias, int bo,
                         __global float *restrict y, int yo, int n, int channels, int act, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, n);
  for (int i = first; i < end;) {
    const int c = i % channels, run = min(channels - c, end - i);
    for (int j = 0; j < run; j++) {
      const float v = (x[xo + i + j] - stats[so + c + j]) * stats[so + channels + c + j] * weight[wo + c + j] + bias[bo + c + j];
      y[yo + i + j] = v;
    }
    if (act)
      for (int j = 0; j < run; j++) {
        const float v = y[yo + i + j];
        y[yo + i + j] = act == ACT_RELU ? (v < 0.0f ? 0.0f : v) : act == ACT_SIGMOID ? 1.0f / (1.0f + exp(-v)) : tanh(v);
      }
    i += run;
  }
}

/* part[s] = (sums of dy, sums of dy times normalised x), 2 C floats. */
__kernel void norm_gradient_sums(__global const float *restrict x, int xo, __global const float *restrict dy, int dyo,
                                 __global const float *restrict stats, int so, __global float *restrict part, int po, int pixels,
                                 int channels, int chunk, int block) {
  const int s = (int)get_global_id(1), first = (int)get_global_id(0) * block, len = min(block, channels - first);
  const int from = s * chunk, to = min(from + chunk, pixels);
  float sum[NORM_BLOCK], product[NORM_BLOCK], mean[NORM_BLOCK];
  if (len <= 0) return;
  for (int c = 0; c < len; c++) sum[c] = product[c] = 0.0f, mean[c] = stats[so + first + c];
  for (int p = from; p < to; p++) {
    const int at = p * channels + first;
    for (int c = 0; c < len; c++) {
      const float g = dy[dyo + at + c];
      sum[c] += g;
      product[c] += g * (x[xo + at + c] - mean[c]);
    }
  }
  for (int c = 0; c < len; c++) {
    part[po + s * 2 * channels + first + c] = sum[c];
    part[po + (s * 2 + 1) * channels + first + c] = product[c] * stats[so + channels + first + c];
  }
}

/* dx = beta*dx + weight / deviation * (dy - mean of dy - normalised x * mean of their product). sums (2, C). */
__kernel void norm_backward(__global const float *restrict x, int xo, __global const float *restrict dy, int dyo,
                            __global const float *restrict stats, int so, __global const float *restrict weight, int wo,
                            __global const float *restrict sums, int uo, __global float *restrict dx, int dxo, int n,
                            int channels, float part, int beta, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, n);
  for (int i = first; i < end;) {
    const int c = i % channels, run = min(channels - c, end - i);
    for (int j = 0; j < run; j++) {
      const float inverse = stats[so + channels + c + j], hat = (x[xo + i + j] - stats[so + c + j]) * inverse;
      const float r = weight[wo + c + j] * inverse *
                      (dy[dyo + i + j] - part * (sums[uo + c + j] + hat * sums[uo + channels + c + j]));
      dx[dxo + i + j] = beta ? dx[dxo + i + j] + r : r;
    }
    i += run;
  }
}

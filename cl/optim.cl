/*
 * cl/optim.cl: one update of one parameter group. w, g and the state arrays are the flat arenas from the same offset.
 * Once CTL_BAD is raised nothing is changed any more, so the device keeps the last good parameters.
 * method: 0 sgd, 1 momentum (v = m v + g; w -= lr v), 2 nesterov (w -= lr (g + m v)), 3 adam.
 */

/*
 * hyper: HYPER_* of cl/layout.clh. norms: the squared gradient norms of the `branches` branches; where all together are longer
 * than HYPER_CLIP, every gradient is shortened by the same factor. lr_scale multiplies the schedule's lr.
 */
__kernel void optim_update(__global float *restrict w, int wo, __global const float *restrict g, int go, __global float *restrict m,
                           int mo, __global float *restrict v, int vo, __global const float *restrict control, int co,
                           __global const float *restrict hyper, int ho, __global const float *restrict norms, int no, int branches, int n,
                           float lr_scale, int method, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, n);
  const float lr = control[co + CTL_LR] * lr_scale;
  const float b1 = hyper[ho + HYPER_MOMENTUM], b2 = hyper[ho + HYPER_BETA2], eps = hyper[ho + HYPER_EPSILON];
  const float decay = hyper[ho + HYPER_DECAY], clip = hyper[ho + HYPER_CLIP];
  float norm2 = 0.0f, shorten = 1.0f;
  if (((__global const int *)control)[co + CTL_BAD] != 0) return;
  for (int i = 0; i < branches; i++) norm2 += norms[no + i] * 0x1p-40f; /* their sum may be beyond a float */
  const float norm = sqrt(norm2) * 0x1p20f;
  if (clip > 0.0f && norm > clip) shorten = clip / norm;
  if (method == 0) {
    for (int i = first; i < end; i++) w[wo + i] -= lr * (shorten * g[go + i] + decay * w[wo + i]);
  } else if (method < 3) {
    for (int i = first; i < end; i++) {
      const float d = shorten * g[go + i] + decay * w[wo + i], a = b1 * m[mo + i] + d;
      m[mo + i] = a;
      w[wo + i] -= lr * (method == 1 ? a : d + b1 * a);
    }
  } else {
    const float c1 = control[co + CTL_ADAM1], c2 = control[co + CTL_ADAM2];
    for (int i = first; i < end; i++) {
      const float d = shorten * g[go + i] + decay * w[wo + i];
      const float a = b1 * m[mo + i] + (1.0f - b1) * d;
      const float s = b2 * v[vo + i] + (1.0f - b2) * d * d;
      m[mo + i] = a;
      v[vo + i] = s;
      w[wo + i] -= lr * (a * c1) / (sqrt(s * c2) + eps);
    }
  }
}

/* Columns of w (rows, units) that are longer than `limit` are shortened to it; `block` of them, at most NORM_BLOCK, a work-item. */
__kernel void limit_norms(__global float *restrict w, int wo, __global const int *restrict control, int co, int rows, int units,
                          float limit, int block) {
  const int first = (int)get_global_id(0) * block, len = min(block, units - first);
  float sum[NORM_BLOCK];
  if (control[co + CTL_BAD] != 0 || len <= 0) return;
  for (int j = 0; j < len; j++) sum[j] = 0.0f;
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < len; j++) {
      const float v = w[wo + i * units + first + j];
      sum[j] += v * v;
    }
  for (int j = 0; j < len; j++) sum[j] = sum[j] > limit * limit ? limit / sqrt(sum[j]) : 1.0f;
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < len; j++)
      if (sum[j] < 1.0f) w[wo + i * units + first + j] *= sum[j];
}

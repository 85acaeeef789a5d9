/*
 * cl/turn.cl: weights of a convolution, and their gradient, turned into the order in which the kernels for CPUs read and
 * write them. An area is kh * kw places of a kernel, an axis kw * c floats of one of its rows; weights are [kh][kw][c][oc].
 * The loops have 16 columns at a time, which share the cache lines of the side that is read or written across.
 */

/* wt[area-1-k][oc][c] = w[k][c][oc], the weights of the input gradient. Global size {area, 1, 1}. */
kernel void flip(global const float *restrict w, int wo, global float *restrict wt, int to, int area, int channels, int filters) {
  const int k = (int)get_global_id(0);
  global const float *from = w + wo + k * channels * filters;
  global float *into = wt + to + (area - 1 - k) * channels * filters;
  for (int oc0 = 0; oc0 < filters; oc0 += 16)
    for (int c = 0; c < channels; c++)
      for (int oc = oc0; oc < min(oc0 + 16, filters); oc++) into[oc * channels + c] = from[c * filters + oc];
}

/* wt[kh][oc][room] = w[kh][axis][oc], zeros behind the axis. Global size {kh, ceil(oc/16), 1}. */
kernel void patches_by_channel(global const float *restrict w, int wo, global float *restrict wt, int to, int axis, int room,
                               int filters) {
  const int kh = (int)get_global_id(0), oc0 = (int)get_global_id(1) * 16;
  for (int i = 0; i < room; i++)
    for (int oc = oc0; oc < min(oc0 + 16, filters); oc++)
      wt[to + (kh * filters + oc) * room + i] = i < axis ? w[wo + (kh * axis + i) * filters + oc] : 0.0f;
}

/* The way back for a gradient: dw[kh][axis][oc] = sum[oc][kh][room]. Global size {kh, ceil(oc/16), 1}. */
kernel void channels_by_patch(global const float *restrict sum, int so, global float *restrict dw, int dwo, int axis, int room,
                              int filters) {
  const int kh = (int)get_global_id(0), rows = (int)get_global_size(0), oc0 = (int)get_global_id(1) * 16;
  for (int i = 0; i < axis; i++)
    for (int oc = oc0; oc < min(oc0 + 16, filters); oc++)
      dw[dwo + (kh * axis + i) * filters + oc] = sum[so + (oc * rows + kh) * room + i];
}

/* to[b][a][run] = beta*to + from[a][b][run]: what lies in b groups, brought together, or apart. n numbers in all. */
kernel void swap_axes(global const float *restrict from, int fo, global float *restrict to, int too, int n, int as, int bs, int run,
                      int beta, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, n);
  for (int i = first; i < end;) {
    const int r = i % run, a = i / run % as, b = i / (run * as), count = min(run - r, end - i);
    const int at = (a * bs + b) * run + r;
    for (int j = 0; j < count; j++) to[too + i + j] = beta ? to[too + i + j] + from[fo + at + j] : from[fo + at + j];
    i += count;
  }
}

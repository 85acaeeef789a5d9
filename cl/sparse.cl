/*
 * cl/sparse.cl: a dense layer whose input lacks its zeros (CSR: ops/sparse.h). Sums run over rising columns (forward) and rows
 * (weights), without atomics, as those of the dense products do.
 *
 *   V   vector width; V <= n must hold
 *   NV  vectors that a work-item sums up at a time (sparse_forward)
 *
 * Work-items with an id of `total` or more have nothing to do.
 */
#ifndef NV
#define NV 1
#endif

/*
 * y[row] = act(x[row] W + bias), x[row] the entries of item rows[row] times scale; NV * V of the n units a work-item, and of
 * two neighbours the second has the other units of the row. A vector that would pass the end is held at n - V.
 */
kernel void sparse_forward(global const int *restrict offsets, int oo, global const int *restrict columns, int co,
                           global const float *restrict values, int vo, global const int *restrict rows, int ro,
                           global const float *restrict w, int wo, global const float *restrict bias, int biaso,
                           global float *restrict y, int yo, int total, int n, float scale, int act) {
  const int id = (int)get_global_id(0), panels = CEIL_DIV(n, NV * V);
  if (id >= total) return;
  const int row = id / panels, n0 = id % panels * (NV * V), item = rows[ro + row];
  const int end = offsets[oo + item + 1];
  floatV acc[NV];
#pragma unroll
  for (int j = 0; j < NV; j++) acc[j] = VLOAD(bias + biaso + MIN_OF(n0 + j * V, n - V));
  for (int i = offsets[oo + item]; i < end; i++) {
    const floatV v = (floatV)(values[vo + i] * scale);
    global const float *wp = w + wo + columns[co + i] * n;
#pragma unroll
    for (int j = 0; j < NV; j++) acc[j] = VFMA(v, VLOAD(wp + MIN_OF(n0 + j * V, n - V)), acc[j]);
  }
  global float *yp = y + yo + row * n;
#pragma unroll 1
  for (int j = 0; j < NV; j++) {
    const int at = n0 + j * V;
    const floatV v = activate(acc[j], act);
    if (at + V <= n) {
      VSTORE(v, yp + at);
    } else if (at < n) { /* only what no other vector has */
      float lane[V];
      VSTORE(v, lane);
      for (int i = at - (n - V); i < V; i++) yp[n - V + i] = lane[i];
    }
  }
}

/* The first of columns[from..end) that is not below `column`. */
static inline int first_entry(global const int *columns, int from, int end, int column) {
  while (from < end) {
    const int middle = from + (end - from) / 2;
    if (columns[middle] < column)
      from = middle + 1;
    else
      end = middle;
  }
  return from;
}

/*
 * dw = beta*dw + x^T dy, dw (m, n). A work-item has `width` rows of dw and `span` of its columns: it finds the entries of each
 * row of x that are there, and adds that row's share.
 */
kernel void sparse_weights(global const int *restrict offsets, int oo, global const int *restrict columns, int co,
                           global const float *restrict values, int vo, global const int *restrict rows, int ro,
                           global const float *restrict dy, int dyo, global float *restrict dw, int dwo, int count, int total,
                           int m, int n, int width, int span, float scale, int beta) {
  const int id = (int)get_global_id(0), panels = CEIL_DIV(n, span);
  if (id >= total) return;
  const int first = id / panels * width, last = MIN_OF(first + width, m);
  const int n0 = id % panels * span, n1 = MIN_OF(n0 + span, n);
  global const int *column = columns + co;
  if (!beta)
    for (int k = first; k < last; k++)
      for (int j = n0; j < n1; j++) dw[dwo + k * n + j] = 0.0f;
  for (int r = 0; r < count; r++) {
    const int item = rows[ro + r], end = offsets[oo + item + 1];
    global const float *dyp = dy + dyo + r * n;
    for (int i = first_entry(column, offsets[oo + item], end, first); i < end && column[i] < last; i++) {
      global float *to = dw + dwo + column[i] * n;
      const float v = values[vo + i] * scale;
      int j = n0;
      for (; j + V <= n1; j += V) VSTORE(VFMA((floatV)(v), VLOAD(dyp + j), VLOAD(to + j)), to + j);
      for (; j < n1; j++) to[j] = VFMA(v, dyp[j], to[j]);
    }
  }
}

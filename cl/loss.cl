/*
 * cl/loss.cl: losses with their gradient and statistics in one launch of one work-group, so every sum has a fixed order.
 * Softmax: x (rows, classes); logistic: x (rows, 1), class = x > 0. The truth of a row is what marks
 * has for it where `marked` is 1 (its label, or which of many domains), else 0 for source rows and 1 for target rows. A row r of this tensor is row row0 + r of the batch. Rows past CTL_ROWS are padding: no loss, zero
 * gradient. Where train is 0, dx is not written. A loss that is not finite raises CTL_BAD, and the optimiser then stands still.
 */
#define MOST_ITEMS 64 /* of the work-group */

/* The weight of one row's gradient; n0, n1: valid rows of each domain in this tensor. */
float row_weight(__global const float *control, int of_domain, int reduce, int domain, int n0, int n1) {
  const float w = reduce == REDUCE_SUM ? 1.0f : 1.0f / (float)(reduce == REDUCE_HALVES ? (domain ? n1 : n0) : n0 + n1);
  return of_domain ? w * control[CTL_DOMAIN_WEIGHT] : w;
}

/* Sums the work-items' parts in work-item order and adds them to the statistics. */
void add_stats(__global float *stats, __global float *control, float loss, float hits0, float hits1, int n0, int n1,
               __local float *parts) {
  const int lid = (int)get_local_id(0), items = (int)get_local_size(0);
  parts[lid * 3] = loss;
  parts[lid * 3 + 1] = hits0;
  parts[lid * 3 + 2] = hits1;
  barrier(CLK_LOCAL_MEM_FENCE);
  if (lid == 0) {
    for (int i = 1; i < items; i++) {
      loss += parts[i * 3];
      hits0 += parts[i * 3 + 1];
      hits1 += parts[i * 3 + 2];
    }
    stats[STAT_LOSS] += loss;
    stats[STAT_ROWS] += (float)(n0 + n1);
    stats[STAT_HITS0] += hits0;
    stats[STAT_ROWS0] += (float)n0;
    stats[STAT_HITS1] += hits1;
    stats[STAT_ROWS1] += (float)n1;
    __global int *words = (__global int *)control;
    if (!isfinite(loss) && words[CTL_BAD] == 0) words[CTL_BAD] = words[CTL_STEP] + 1;
  }
}

__kernel void softmax_xent(__global const float *x, int xo, __global float *dx, int dxo, __global const int *marks, int mo,
                           __global float *control, int co, __global float *stats, int so, int rows, int classes, int train,
                           int of_domain, int marked, int reduce, int row0) {
  __local float parts[MOST_ITEMS * 3];
  control += co;
  const int lid = (int)get_local_id(0);
  const int valid = min(max(((__global int *)control)[CTL_ROWS] - row0, 0), rows);
  const int split = min(max(((__global int *)control)[CTL_SPLIT] - row0, 0), valid);
  float loss = 0.0f, hits0 = 0.0f, hits1 = 0.0f;
  for (int r = lid; r < rows; r += (int)get_local_size(0)) {
    __global const float *z = x + xo + r * classes;
    const int domain = r >= split;
    const int truth = !marked ? domain : r < valid ? marks[mo + r] : 0;
    float top = z[0], sum = 0.0f;
    int best = 0;
    for (int k = 1; k < classes; k++) {
      if (z[k] > top) {
        top = z[k];
        best = k;
      }
    }
    for (int k = 0; k < classes; k++) sum += exp(z[k] - top);
    if (r < valid) {
      loss += log(sum) - (z[truth] - top);
      if (domain) hits1 += best == truth ? 1.0f : 0.0f;
      else hits0 += best == truth ? 1.0f : 0.0f;
    }
    if (!train) continue;
    const float w = row_weight(control, of_domain, reduce, domain, split, valid - split);
    for (int k = 0; k < classes; k++) /* padding may hold anything, a NaN too: no product with 0 */
      dx[dxo + r * classes + k] = r < valid ? w * (exp(z[k] - top) / sum - (k == truth ? 1.0f : 0.0f)) : 0.0f;
  }
  add_stats(stats + so, control, loss, hits0, hits1, split, valid - split, parts);
}

/* loss = softplus(x) - truth * x, written so that neither exp overflows. */
__kernel void logistic_xent(__global const float *x, int xo, __global float *dx, int dxo, __global const int *marks, int mo,
                            __global float *control, int co, __global float *stats, int so, int rows, int classes, int train,
                           int of_domain, int marked, int reduce, int row0) {
  __local float parts[MOST_ITEMS * 3];
  control += co;
  const int lid = (int)get_local_id(0);
  const int valid = min(max(((__global int *)control)[CTL_ROWS] - row0, 0), rows);
  const int split = min(max(((__global int *)control)[CTL_SPLIT] - row0, 0), valid);
  float loss = 0.0f, hits0 = 0.0f, hits1 = 0.0f;
  for (int r = lid; r < rows; r += (int)get_local_size(0)) {
    const float z = x[xo + r];
    const int domain = r >= split;
    const int truth = !marked ? domain : r < valid ? marks[mo + r] : 0;
    const float e = exp(-fabs(z));
    const float p = z >= 0.0f ? 1.0f / (1.0f + e) : e / (1.0f + e);
    if (r < valid) {
      const float hit = (z > 0.0f) == (truth == 1) ? 1.0f : 0.0f;
      loss += fmax(z, 0.0f) + log1p(e) - (truth ? z : 0.0f) + (isnan(z) ? z : 0.0f);
      if (domain) hits1 += hit;
      else hits0 += hit;
    }
    if (!train) continue;
    const float w = row_weight(control, of_domain, reduce, domain, split, valid - split);
    dx[dxo + r] = r < valid ? w * (p - (float)truth) : 0.0f;
  }
  add_stats(stats + so, control, loss, hits0, hits1, split, valid - split, parts);
}

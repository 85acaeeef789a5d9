/*
 * cl/tsne.cl: t-SNE (van der Maaten and Hinton 2008): who is near whom, and one step of the descent. What the steps are for
 * is told by analysis/tsne.c. All sums have a fixed order, and a work-item alone owns what it writes.
 *
 *   V   floats a vector
 *   R   points that a work-item has at a time; divides V
 *
 * Tables that are read in vectors lie by coordinate, (coordinates, stride): stride is n or more, and a multiple of V.
 */
#ifndef R
#define R 1
#endif
#if V == 1
typedef int intV;
#define AS_INTS(v) as_int(v)
#else
typedef CAT(int, V) intV;
#define AS_INTS(v) CAT(as_int, V)(v)
#endif

/* Lane after lane. */
static inline float lane_sum(floatV v) {
  float lane[V], sum = 0.0f;
  VSTORE(v, lane);
  for (int i = 0; i < V; i++) sum += lane[i];
  return sum;
}

/*
 * d2[r][j] = |x[from + r] - x[j]|^2 for `rows` rows, infinity where both are one point. x (width, stride) is infinite behind
 * the n-th point, and so is d2. A work-item has R rows and `span` vectors of columns: {rows / R, vectors / span}.
 */
kernel void tsne_distances(global const float *restrict x, int xo, global float *restrict d2, int d2o, int from, int rows,
                           int n, int stride, int width, int span) {
  const int first = (int)get_global_id(0) * R, j0 = (int)get_global_id(1) * span * V, j1 = MIN_OF(j0 + span * V, stride);
  if (first >= rows) return;
  for (int j = j0; j < j1; j += V) {
    floatV sum[R];
#pragma unroll
    for (int r = 0; r < R; r++) sum[r] = (floatV)(0.0f);
    for (int k = 0; k < width; k++) {
      global const float *row = x + xo + k * stride;
      const floatV other = VLOAD(row + j);
#pragma unroll
      for (int r = 0; r < R; r++) {
        const floatV d = (floatV)(row[MIN_OF(from + first + r, n - 1)]) - other;
        sum[r] = VFMA(d, d, sum[r]);
      }
    }
#pragma unroll 1
    for (int r = 0; r < R && first + r < rows; r++) {
      global float *to = d2 + d2o + (first + r) * stride;
      const int self = from + first + r;
      VSTORE(sum[r], to + j);
      if (self >= j && self < j + V) to[self] = INFINITY;
    }
  }
}

/* How many of a row's words are at most `limit`. */
static inline int count_upto(global const float *row, int stride, int limit) {
  const intV most = (intV)(limit);
  intV count = (intV)(0);
  int lane[V], sum = 0;
  for (int j = 0; j < stride; j += V) count += AS_INTS(VLOAD(row + j)) <= most ? (intV)(1) : (intV)(0);
  VSTORE(count, lane);
  for (int i = 0; i < V; i++) sum += lane[i];
  return sum;
}

/*
 * The k least of each row of d2, in the order of their columns; of equal ones the first. Floats that are not negative are in
 * order as integers too: the k-th is found by halving, a bit at a time. k of a row must be finite. A row a work-item.
 */
kernel void tsne_nearest(global const float *restrict d2, int d2o, global int *restrict columns, int co,
                         global float *restrict near, int no, int rows, int stride, int k) {
  const int r = (int)get_global_id(0);
  if (r >= rows) return;
  global const float *row = d2 + d2o + r * stride;
  int least = -1; /* fewer than k are this or less */
  for (int step = 1 << 30; step > 0; step >>= 1)
    if (count_upto(row, stride, least + step) < k) least += step;
  const int kth = least + 1;
  int ties = k - count_upto(row, stride, least);
  for (int j = 0, at = r * k; at < (r + 1) * k; j++) {
    const int word = as_int(row[j]);
    if (word > kth || (word == kth && ties-- <= 0)) continue;
    columns[co + at] = j;
    near[no + at] = row[j];
    at++;
  }
}

/* What points from..to-1 do to point i: x, y and z of `field`, below; nothing by i itself. */
static inline float4 repel_each(global const float *px, global const float *py, int i, int from, int to) {
  float4 sum = (float4)(0.0f);
  for (int j = from; j < to; j++) {
    const float dx = px[i] - px[j], dy = py[i] - py[j], q = j == i ? 0.0f : 1.0f / VFMA(dx, dx, VFMA(dy, dy, 1.0f));
    sum += (float4)(q * q * dx, q * q * dy, q, 0.0f);
  }
  return sum;
}

/*
 * What all other points do to each, field (3, stride): sums over j of q^2 (y_i - y_j), two coordinates, and of q, where
 * q = 1 / (1 + |y_i - y_j|^2). The vector in which the points themselves are, and what is behind the last whole one, are
 * done number by number: the loop over all others has no exceptions, and q of a point and itself is never added to be
 * subtracted again. A work-item has R points.
 */
kernel void tsne_repel(global const float *restrict y, int yo, global float *restrict field, int fo, int n, int stride) {
  const int first = (int)get_global_id(0) * R, own = first / V * V, whole = n / V * V;
  if (first >= n) return;
  global const float *px = y + yo, *py = px + stride;
  float x0[R], y0[R];
  floatV fx[R], fy[R], z[R];
#pragma unroll
  for (int r = 0; r < R; r++) {
    x0[r] = px[MIN_OF(first + r, n - 1)], y0[r] = py[MIN_OF(first + r, n - 1)];
    fx[r] = fy[r] = z[r] = (floatV)(0.0f);
  }
  for (int j = 0; j < whole; j += V) {
    if (j == own) continue;
    const floatV x1 = VLOAD(px + j), y1 = VLOAD(py + j);
#pragma unroll
    for (int r = 0; r < R; r++) {
      const floatV dx = (floatV)(x0[r]) - x1, dy = (floatV)(y0[r]) - y1;
      const floatV q = (floatV)(1.0f) / VFMA(dx, dx, VFMA(dy, dy, (floatV)(1.0f))), q2 = q * q;
      fx[r] = VFMA(q2, dx, fx[r]);
      fy[r] = VFMA(q2, dy, fy[r]);
      z[r] += q;
    }
  }
#pragma unroll 1
  for (int r = 0; r < R && first + r < n; r++) {
    const int i = first + r;
    const float4 rest = repel_each(px, py, i, own, MIN_OF(own + V, n)) + repel_each(px, py, i, MAX_OF(own + V, whole), n);
    field[fo + i] = lane_sum(fx[r]) + rest.x;
    field[fo + stride + i] = lane_sum(fy[r]) + rest.y;
    field[fo + 2 * stride + i] = lane_sum(z[r]) + rest.z;
  }
}

/*
 * A step: gradient 4 (exaggeration * sum of p q (y_i - y_j) over the pairs of CSR p - field / sum of z), then gains and
 * momentum as in the paper's programs. state (4, stride): velocities and gains, two coordinates each. A work-item has `block`
 * points; the sum of z it makes for itself, for that costs less than a launch.
 */
kernel void tsne_move(global const float *restrict y, int yo, global float *restrict out, int oo,
                      global const float *restrict field, int fo, global float *restrict state, int so,
                      global const int *restrict offsets, int offo, global const int *restrict columns, int co,
                      global const float *restrict p, int po, int n, int stride, float exaggeration, float momentum, float rate,
                      int block) {
  const int first = (int)get_global_id(0) * block, end = MIN_OF(first + block, n), whole = n / V * V;
  if (first >= n) return;
  global const float *z = field + fo + 2 * stride;
  floatV part = (floatV)(0.0f);
  for (int j = 0; j < whole; j += V) part += VLOAD(z + j);
  float total = lane_sum(part);
  for (int j = whole; j < n; j++) total += z[j];
  for (int i = first; i < end; i++) {
    const float x0 = y[yo + i], y0 = y[yo + stride + i];
    float pull[2] = {0.0f, 0.0f};
    for (int at = offsets[offo + i]; at < offsets[offo + i + 1]; at++) {
      const int j = columns[co + at];
      const float dx = x0 - y[yo + j], dy = y0 - y[yo + stride + j];
      const float pq = p[po + at] / VFMA(dx, dx, VFMA(dy, dy, 1.0f));
      pull[0] = VFMA(pq, dx, pull[0]);
      pull[1] = VFMA(pq, dy, pull[1]);
    }
    for (int c = 0; c < 2; c++) {
      global float *velocity = state + so + c * stride + i, *gain = velocity + 2 * stride;
      const float slope = 4.0f * (exaggeration * pull[c] - field[fo + c * stride + i] / total);
      *gain = *velocity * slope < 0.0f ? *gain + 0.2f : MAX_OF(*gain * 0.8f, 0.01f);
      *velocity = momentum * *velocity - rate * *gain * slope;
      out[oo + c * stride + i] = y[yo + c * stride + i] + *velocity;
    }
  }
}

/*
 * cl/reduce.cl: sums in a fixed order. The number of parts is a constant of the shape, never of the device, so that the
 * bits do not depend on how many compute units there are.
 */

/* part[s][c] = sum of rows r of chunk s of x[r][c]; chunk s has rows [s*chunk, (s+1)*chunk). One work-item: (c block, s). */
__kernel void column_sums(__global const float *restrict x, int xo, __global float *restrict part, int po, int rows,
                          int columns, int chunk, int block) {
  const int s = (int)get_global_id(1), first = (int)get_global_id(0) * block, end = min(first + block, columns);
  const int r0 = s * chunk, r1 = min(r0 + chunk, rows);
  for (int c = first; c < end; c++) {
    float sum = 0.0f;
    for (int r = r0; r < r1; r++) sum += x[xo + r * columns + c];
    part[po + s * columns + c] = sum;
  }
}

/* out[i] = beta*out[i] + (part[i] + part[stride+i] + ... in this order), one of the n results a work-item. */
__kernel void sum_partials(__global const float *restrict part, int po, int stride, int count, __global float *restrict out,
                           int oo, int n, int beta) {
  const int i = (int)get_global_id(0);
  if (i >= n) return;
  float sum = part[po + i];
  for (int s = 1; s < count; s++) sum += part[po + s * stride + i];
  out[oo + i] = beta ? out[oo + i] + sum : sum;
}

/* The same for CPUs: a work-item adds up SUM_BLOCK of the results side by side, as the parts lie in memory. */
__kernel void sum_partials_block(__global const float *restrict part, int po, int stride, int count,
                                 __global float *restrict out, int oo, int n, int beta) {
  const int start = (int)get_global_id(0) * SUM_BLOCK, len = min(SUM_BLOCK, n - start);
  float sum[SUM_BLOCK];
  if (start >= n) return;
  __global const float *from = part + po + start;
  __global float *to = out + oo + start;
  for (int i = 0; i < len; i++) sum[i] = from[i];
  for (int s = 1; s < count; s++) {
    from += stride;
    for (int i = 0; i < len; i++) sum[i] += from[i];
  }
  for (int i = 0; i < len; i++) to[i] = beta ? to[i] + sum[i] : sum[i];
}

/* part[b] = sum of squares of block b of x; not finite when any entry is not. */
__kernel void square_sums(__global const float *restrict x, int xo, __global float *restrict part, int po, int n, int block) {
  const int b = (int)get_global_id(0), first = b * block, end = min(first + block, n);
  float8 even = (float8)(0.0f), odd = (float8)(0.0f);
  int i = first;
  if (first >= n) return;
  for (; i + 16 <= end; i += 16) {
    const float8 a = vload8(0, x + xo + i), c = vload8(0, x + xo + i + 8);
    even += a * a;
    odd += c * c;
  }
  for (; i < end; i++) even.s0 += x[xo + i] * x[xo + i];
  even += odd;
  even.lo += even.hi;
  part[po + b] = (even.s0 + even.s1) + (even.s2 + even.s3);
}

/* norm2 = sum of n parts, for one branch's gradient; raises CTL_BAD when it is not finite. One work-item. */
__kernel void gradient_norm(__global const float *part, int po, __global float *norm2, int no, __global int *control, int co,
                            int n) {
  float sum = 0.0f;
  for (int i = 0; i < n; i++) sum += part[po + i];
  norm2[no] = sum;
  if (!isfinite(sum) && control[co + CTL_BAD] == 0) control[co + CTL_BAD] = control[co + CTL_STEP] + 1;
}

/*
 * sum: two gradients of the same values, of which the domain head's is -lambda * (run-time lambda) * dy (cl/reversal.cl) and
 * the label head's the rest. part[b][JOIN_*] = the squares of each over block b. What the rest lacks in digits is the sum's
 * rounding: of a label head's gradient ten thousand times shorter than the other three digits are left.
 */
__kernel void join_squares(__global const float *restrict sum, int so, __global const float *restrict dy, int dyo,
                           __global const float *restrict control, int co, __global float *restrict part, int po, int n,
                           float lambda, int block) {
  const int b = (int)get_global_id(0), first = b * block, end = min(first + block, n);
  const float scale = -lambda * control[co + CTL_LAMBDA];
  float8 domain = (float8)(0.0f), label = (float8)(0.0f);
  int i = first;
  if (first >= n) return;
  for (; i + 8 <= end; i += 8) {
    const float8 d = scale * vload8(0, dy + dyo + i);
    const float8 l = vload8(0, sum + so + i) - d;
    domain += d * d;
    label += l * l;
  }
  for (; i < end; i++) {
    const float d = scale * dy[dyo + i];
    const float l = sum[so + i] - d;
    domain.s0 += d * d;
    label.s0 += l * l;
  }
  domain.lo += domain.hi;
  label.lo += label.hi;
  part[po + b * JOIN_WORDS + JOIN_DOMAIN] = (domain.s0 + domain.s1) + (domain.s2 + domain.s3);
  part[po + b * JOIN_WORDS + JOIN_LABEL] = (label.s0 + label.s1) + (label.s2 + label.s3);
}

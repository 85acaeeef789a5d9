/*
 * cl/reversal.cl: the join of the domain head and the features. Forward is an alias and has no kernel; backward is
 * dx = beta*dx - lambda * (run-time lambda) * dy.
 */
__kernel void reversal_backward(__global const float *restrict dy, int dyo, __global float *restrict dx, int dxo,
                                __global const float *restrict control, int co, int n, float lambda,
                                int beta, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, n);
  const float scale = -lambda * control[co + CTL_LAMBDA];
  for (int i = first; i < end; i++) {
    const float r = scale * dy[dyo + i];
    dx[dxo + i] = beta ? dx[dxo + i] + r : r;
  }
}

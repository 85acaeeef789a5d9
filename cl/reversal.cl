/*
 * cl/reversal.cl: the join of the domain head and the features. Forward is an alias and has no kernel; backward is
 * dx = BETA*dx - lambda * (run-time lambda) * dy.
 */
#ifndef BETA
#define BETA 0
#endif
#ifndef BLOCK
#define BLOCK 1
#endif

__kernel void reversal_backward(__global const float *restrict dy, int dyo, __global float *restrict dx, int dxo,
                                __global const float *restrict control, int co, int n, float lambda) {
  const int first = (int)get_global_id(0) * BLOCK, end = min(first + BLOCK, n);
  const float scale = -lambda * control[co + CTL_LAMBDA];
  for (int i = first; i < end; i++) {
#if BETA
    dx[dxo + i] += scale * dy[dyo + i];
#else
    dx[dxo + i] = scale * dy[dyo + i];
#endif
  }
}

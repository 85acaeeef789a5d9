/*
 * cl/peak.cl: the two ceilings of a device for cldann bench: how fast it multiplies and adds, and how fast it moves
 * memory. V is the width of the vectors. What they compute is simple enough to be checked and not to be left out: a
 * compiler knows neither the arguments nor what comes of the stores.
 */
#ifndef CHAINS
#define CHAINS 12
#endif
#ifndef DEPTH
#define DEPTH 4
#endif

/*
 * out[item][V] = sum over the chains of x after DEPTH*rounds times x = a*x + b, from x = item%8 + chain. The chains do not
 * depend on each other: two units of four cycles' latency want eight, and twelve with a and b still fit sixteen registers.
 * 2*V*CHAINS*DEPTH*rounds FLOPs an item. With a = -1, b = 1 x goes to and fro, exactly and for ever.
 */
kernel void fma_peak(global float *restrict out, int oo, float a, float b, int rounds) {
  const int id = (int)get_global_id(0);
  const floatV av = (floatV)(a), bv = (floatV)(b);
  floatV x[CHAINS], sum = (floatV)(0.0f);
#pragma unroll
  for (int i = 0; i < CHAINS; i++) x[i] = (floatV)((float)(id % 8 + i));
#pragma unroll 1
  for (int r = 0; r < rounds; r++) {
#pragma unroll
    for (int d = 0; d < DEPTH; d++) {
#pragma unroll
      for (int i = 0; i < CHAINS; i++) x[i] = VFMA(av, x[i], bv);
    }
  }
#pragma unroll
  for (int i = 0; i < CHAINS; i++) sum += x[i];
  VSTORE(sum, out + oo + id * V);
}

/* y = x + scale*z over n vectors of V, `block` vectors a work-item: the triad of STREAM, 12 bytes an element. */
kernel void triad(global const float *restrict x, int xo, global const float *restrict z, int zo, global float *restrict y,
                  int yo, int n, float scale, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, n);
  const floatV s = (floatV)(scale);
  for (int i = first; i < end; i++) VSTORE(VFMA(s, VLOAD(z + zo + i * V), VLOAD(x + xo + i * V)), y + yo + i * V);
}

/*
 * cl/conv2d_plain.cl: convolution for any device, one result a work-item: the reference among the variants, and what runs
 * on devices without one of their own. Shapes as in cl/conv2d.cl.
 */
#ifndef H
#define H 4
#define W 4
#define C 1
#define OH 4
#define OW 4
#define OC 1
#define KH 1
#define KW 1
#define SH 1
#define SW 1
#define PT 0
#define PL 0
#endif

/* y = act(conv(x, w) + bias), one output a work-item */
__kernel void conv2d_forward(__global const float *x, int xo, __global const float *w, int wo, __global const float *bias, int bo,
                             __global float *y, int yo, int images, int act) {
  const int i = (int)get_global_id(0);
  if (i >= images * OH * OW * OC) return;
  const int oc = i % OC, ox = i / OC % OW, oy = i / (OC * OW) % OH, n = i / (OC * OW * OH);
  float sum = bias[bo + oc];
  for (int ky = 0; ky < KH; ky++) {
    const int iy = oy * SH + ky - PT;
    if (iy < 0 || iy >= H) continue;
    for (int kx = 0; kx < KW; kx++) {
      const int ix = ox * SW + kx - PL;
      if (ix < 0 || ix >= W) continue;
      __global const float *xp = x + xo + ((n * H + iy) * W + ix) * C;
      __global const float *wp = w + wo + (ky * KW + kx) * C * OC + oc;
      for (int c = 0; c < C; c++) sum += xp[c] * wp[c * OC];
    }
  }
  y[yo + i] = activate(sum, act);
}

/* dx = beta*dx + the gradient of one input cell, gathered from the outputs it took part in */
__kernel void conv2d_backward_data(__global const float *dy, int dyo, __global const float *w, int wo, __global float *dx, int dxo,
                                   int images, int beta) {
  const int i = (int)get_global_id(0);
  if (i >= images * H * W * C) return;
  const int c = i % C, ix = i / C % W, iy = i / (C * W) % H, n = i / (C * W * H);
  float sum = 0.0f;
  for (int ky = 0; ky < KH; ky++) {
    const int y = iy + PT - ky;
    if (y < 0 || y % SH != 0 || y / SH >= OH) continue;
    for (int kx = 0; kx < KW; kx++) {
      const int xx = ix + PL - kx;
      if (xx < 0 || xx % SW != 0 || xx / SW >= OW) continue;
      __global const float *gp = dy + dyo + ((n * OH + y / SH) * OW + xx / SW) * OC;
      __global const float *wp = w + wo + ((ky * KW + kx) * C + c) * OC;
      for (int oc = 0; oc < OC; oc++) sum += gp[oc] * wp[oc];
    }
  }
  dx[dxo + i] = beta ? dx[dxo + i] + sum : sum;
}

/* part[s][i] = gradient of weight i over the s-th of `parts` runs of images; sum_partials adds them up */
__kernel void conv2d_backward_weights(__global const float *x, int xo, __global const float *dy, int dyo, __global float *part,
                                      int po, int images, int parts) {
  const int weights = KH * KW * C * OC, g = (int)get_global_id(0);
  if (g >= weights * parts) return;
  const int s = g / weights, i = g % weights;
  const int oc = i % OC, c = i / OC % C, kx = i / (OC * C) % KW, ky = i / (OC * C * KW);
  float sum = 0.0f;
  for (int n = images * s / parts; n < images * (s + 1) / parts; n++) {
    for (int oy = 0; oy < OH; oy++) {
      const int iy = oy * SH + ky - PT;
      if (iy < 0 || iy >= H) continue;
      for (int ox = 0; ox < OW; ox++) {
        const int ix = ox * SW + kx - PL;
        if (ix < 0 || ix >= W) continue;
        sum += x[xo + ((n * H + iy) * W + ix) * C + c] * dy[dyo + ((n * OH + oy) * OW + ox) * OC + oc];
      }
    }
  }
  part[po + g] = sum;
}

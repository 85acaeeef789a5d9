/* ops/window.h: what ops with a sliding window share, conv2d and the poolings: strides, padding, output size, -D values. */
#ifndef CLDANN_OPS_WINDOW_H
#define CLDANN_OPS_WINDOW_H

#include "ops/op.h"

/* Fills o->window's defaults (stride 0: stride_y/x given here), o->pad_top/left, o->out.h/w. CLDANN_E_SHAPE names the op. */
int window_infer(op *o, cldann_error *e, int default_stride_y, int default_stride_x);
/* The -D values of sizes, window, strides and padding. */
void window_defs(launches *l, launch *k, const op *o);

#endif

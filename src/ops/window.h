/* ops/window.h: the arithmetic of sliding windows that conv2d and max_pool share: strides, padding, output size. */
#ifndef CLDANN_OPS_WINDOW_H
#define CLDANN_OPS_WINDOW_H

#include "ops/op.h"

/* Fills o->window's defaults (stride 0: stride_y/x given here), o->pad_top/left, o->out.h/w. CLDANN_E_SHAPE names the op. */
int window_infer(op *o, cldann_error *e, int default_stride_y, int default_stride_x);

#endif

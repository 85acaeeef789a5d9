/*
 * ops/window.c: see ops/window.h. SAME pads as TensorFlow does: the odd pixel goes to the bottom and the right. CEIL pads
 * nothing: what a window lacks at the bottom and the right is not there.
 */
#include "ops/window.h"

static int same_pad(int in, int k, int stride, int *out) {
  *out = ceil_div(in, stride);
  const int total = (*out - 1) * stride + k - in;
  return total > 0 ? total / 2 : 0;
}

/* Rounded up; but every window starts inside the input. */
static int ceil_out(int in, int k, int stride) {
  const int out = ceil_div(in - k, stride) + 1;
  return (out - 1) * stride >= in ? out - 1 : out;
}

int window_infer(op *o, cldann_error *e, int default_stride_y, int default_stride_x) {
  cldann_window *w = &o->window;
  int rc = CLDANN_OK;
  if (w->width == 0) w->width = w->height;
  if (w->stride_y == 0) w->stride_y = default_stride_y ? default_stride_y : w->height;
  if (w->stride_x == 0) w->stride_x = default_stride_x ? default_stride_x : w->width;
  if (w->height < 1 || w->width < 1 || w->stride_y < 1 || w->stride_x < 1)
    FAIL(e, CLDANN_E_SHAPE, "%s %s: window %dx%d with stride %dx%d; all must be at least 1", o->type->name, o->name, w->height,
         w->width, w->stride_y, w->stride_x);
  if (w->padding == CLDANN_SAME) {
    o->pad_top = same_pad(o->in.h, w->height, w->stride_y, &o->out.h);
    o->pad_left = same_pad(o->in.w, w->width, w->stride_x, &o->out.w);
    return CLDANN_OK;
  }
  if (w->padding == CLDANN_CEIL) {
    if (o->in.h < w->height || o->in.w < w->width)
      FAIL(e, CLDANN_E_SHAPE, "%s %s: a %dx%d window does not fit its %dx%d input; use a smaller one", o->type->name, o->name,
           w->height, w->width, o->in.h, o->in.w);
    o->out.h = ceil_out(o->in.h, w->height, w->stride_y);
    o->out.w = ceil_out(o->in.w, w->width, w->stride_x);
    return CLDANN_OK;
  }
  if (w->padding == CLDANN_VALID) w->top = w->bottom = w->left = w->right = 0;
  if (w->top < 0 || w->bottom < 0 || w->left < 0 || w->right < 0 || w->top >= w->height || w->bottom >= w->height ||
      w->left >= w->width || w->right >= w->width)
    FAIL(e, CLDANN_E_SHAPE, "%s %s: padding %d,%d,%d,%d must be between 0 and less than the window (%dx%d)", o->type->name,
         o->name, w->top, w->bottom, w->left, w->right, w->height, w->width);
  const int h = o->in.h + w->top + w->bottom - w->height, wd = o->in.w + w->left + w->right - w->width;
  if (h < 0 || wd < 0)
    FAIL(e, CLDANN_E_SHAPE, "%s %s: a %dx%d window does not fit its %dx%d input; use padding \"same\" or a smaller window",
         o->type->name, o->name, w->height, w->width, o->in.h, o->in.w);
  o->pad_top = w->top;
  o->pad_left = w->left;
  o->out.h = h / w->stride_y + 1;
  o->out.w = wd / w->stride_x + 1;
fail:
  return rc;
}

void window_defs(launches *l, launch *k, const op *o) {
  launch_def(l, k, "H", o->in.h);
  launch_def(l, k, "W", o->in.w);
  launch_def(l, k, "C", o->in.c);
  launch_def(l, k, "OH", o->out.h);
  launch_def(l, k, "OW", o->out.w);
  launch_def(l, k, "KH", o->window.height);
  launch_def(l, k, "KW", o->window.width);
  launch_def(l, k, "SH", o->window.stride_y);
  launch_def(l, k, "SW", o->window.stride_x);
  launch_def(l, k, "PT", o->pad_top);
  launch_def(l, k, "PL", o->pad_left);
}

/*
 * ops/dense.c: y = x W + b, x (rows, in) of any (h,w,c) read flat, W (in, units). Backward: dx = dy W^T, dW = x^T dy,
 * db = column sums of dy. All by ops/gemm.h; x that lacks its zeros by ops/sparse.h.
 */
#include "ops/gemm.h"
#include "ops/sparse.h"

static int infer(op *o, cldann_error *e) {
  int rc = CLDANN_OK;
  const int in = o->in.h * o->in.w * o->in.c;
  if (o->units < 1) FAIL(e, CLDANN_E_SHAPE, "dense %s: units is %d; it must be at least 1", o->name, o->units);
  o->out = (shape){1, 1, o->units};
  layer_params(o, (param){.dims = {in, o->units}, .n_dims = 2, .fan_in = in, .fan_out = o->units});
fail:
  return rc;
}

static void forward(launches *l, const op *o, const op_io *io) {
  if (io->sparse) {
    sparse_forward_emit(l, io->sparse, io->w, io->b, o->units, o->act, io->y);
    return;
  }
  gemm_emit(l, &(gemm){.m = io->x.rows,
                       .n = o->units,
                       .k = (int)tensor_item(io->x),
                       .a = io->x,
                       .b = io->w,
                       .c = io->y,
                       .bias = io->b,
                       .act = o->act});
}

static void backward(launches *l, const op *o, const op_io *io) {
  const int rows = io->x.rows, in = (int)tensor_item(io->x);
  if (io->sparse)
    sparse_weights_emit(l, io->sparse, io->dy, o->units, io->dw);
  else
    gemm_emit(l, &(gemm){.m = in, .n = o->units, .k = rows, .a = io->x, .a_trans = 1, .b = io->dy, .c = io->dw});
  column_sums_emit(l, io->dy, rows, o->units, io->db);
  if (io->dx.buf)
    gemm_emit(l,
              &(gemm){.m = rows, .n = in, .k = o->units, .a = io->dy, .b = io->w, .b_trans = 1, .c = io->dx, .beta = io->beta});
}

static double flops(const op *o) {
  return 2.0 * o->in.h * o->in.w * o->in.c * o->units;
}

const op_type op_dense = {.name = "dense",
                          .flags = OP_FUSES | OP_SPARSE,
                          .infer = infer,
                          .forward = forward,
                          .backward = backward,
                          .finish = layer_finish,
                          .flops = flops};

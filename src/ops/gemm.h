/*
 * ops/gemm.h: matrix products for the ops, as launches. C[m][n] = act(beta*C + A B + bias), all row-major. Which variant
 * runs is a rule on the device and the shape. With ops/gemm.c, and device/, the only callers of a CL library (CLBlast).
 */
#ifndef CLDANN_OPS_GEMM_H
#define CLDANN_OPS_GEMM_H

#include "ops/op.h"

typedef struct gemm {
  int m, n, k;
  tensor a; /* (m,k), or (k,m) when a_trans */
  tensor b; /* (k,n), or (n,k) when b_trans */
  tensor c; /* (m,n) */
  int a_trans, b_trans;
  int beta;    /* 0 or 1 */
  tensor bias; /* (n), or absent */
  int act;     /* ACT_* */
} gemm;

/* Rows of one part of a sum over `rows` in two stages, and how many parts: a function of the shape alone, so bits are too. */
int sum_chunk(int rows, int *parts);
void gemm_emit(launches *l, const gemm *g);
/* Is there a variant of this name that the device can run? CLBlast is one where it is built in. */
int gemm_has(const device_info *d, const char *name);
/*
 * A library's own parameters, where it is built in: keys of a tuning file besides those of ops/choice.h, which hold for all of
 * its products. The ways of a kernel that may be tried, NULL behind the last; GEMM_LIBRARY_OWN is as the library comes.
 */
#define GEMM_LIBRARY "clblast"
#define GEMM_LIBRARY_OWN "own"
extern const char *const gemm_library_kernels[]; /* NULL-terminated */
const char *gemm_library_way(int which, int i);
/* The arguments a, b, each with its strides of rows and columns, and bias (b where there is none), for any transposition. */
void gemm_operands(launches *l, launch *k, const gemm *g);
/* c = act(c + bias), after a product that could do neither; nothing when there is neither. */
void gemm_bias_act_emit(launches *l, const char *name, const gemm *g);
/* sum over the rows of x (rows, columns) into out (columns); two stages of fixed size. */
void column_sums_emit(launches *l, tensor x, int rows, int columns, tensor out);
/* out[i] = beta*out[i] + sum over s < count of part[s*stride + first + i], in order of s */
void sum_partials_emit(launches *l, tensor part, int first, int stride, int count, tensor out, int n, int beta);

/*
 * Local tiles (ops/gemm_local.c), for products and for the convolutions that are products. A sum over k is cut into `parts`
 * runs of `run`, by the shape alone, so that the bits do not depend on the device.
 */
typedef struct local_split {
  int parts, run;
} local_split;
local_split gemm_local_split(int m, int n, int k);
/* Sets -DTN and the geometry of a launch that makes `parts` products of m x n. */
void gemm_local_grid(launches *l, launch *k, int m, int n, int parts);
void gemm_local_emit(launches *l, const char *name, const void *what);

#endif

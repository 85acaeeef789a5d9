/*
 * tests/reference.h: what the ops should compute, in double precision and as naively as can be: one loop nest a formula,
 * straight from the definition (scatter where the kernels gather). Written apart from the library: of struct op they use
 * the attributes a user gives, never what infer derived from them.
 */
#ifndef CLDANN_TESTS_REFERENCE_H
#define CLDANN_TESTS_REFERENCE_H

#include "ops/op.h"

typedef struct ref_io {
  const double *x, *w, *b, *y, *dy;
  double *dx, *dw, *db; /* backward: written, never added to */
} ref_io;

shape ref_shape(const op *o); /* of a row of the output */
void ref_forward(const op *o, int rows, const double *x, const double *w, const double *b, double *y);
void ref_backward(const op *o, int rows, const ref_io *io);
double ref_activate(int act, double v);

/* The longest sums of forward, dx and dw: for tolerances. */
double ref_terms(const op *o);
double ref_terms_dx(const op *o);
double ref_terms_dw(const op *o, int rows);

typedef struct ref_loss {
  int softmax, domain, reduce, rows, classes, row0;
  int ctl_rows, ctl_split;
  int domains; /* of many: labels tells which */
  double domain_weight;
  const double *x;
  const int32_t *labels;
  double *dx;
  double stats[STAT_WORDS]; /* of this batch alone */
} ref_loss;
void ref_loss_run(ref_loss *r);

/* One update; m and v as the method needs. hyper: HYPER_* of cl/layout.clh; norm: of all gradients. */
void ref_optim(int method, int n, double *w, const double *g, double *m, double *v, const double hyper[HYPER_WORDS],
               double norm, double lr, double adam1, double adam2);

#endif

/* tests/ops_suites.h: the parts of tests/test_ops, a file each: ops by their table, losses, kernels without an op (what a step
 * begins and ends with, products, random numbers),
 * convolutions with their pooling, the ways to do a pass, batch normalisation, sparse rows, where the heads meet. */
#ifndef CLDANN_TESTS_OPS_SUITES_H
#define CLDANN_TESTS_OPS_SUITES_H

#include <check.h>

TCase *op_cases(void);      /* tests/ops_cases.c */
TCase *loss_cases(void);    /* tests/ops_loss.c */
TCase *gather_cases(void);  /* tests/ops_gather.c */
TCase *update_cases(void);  /* tests/ops_update.c */
TCase *product_cases(void); /* tests/ops_product.c */
TCase *random_cases(void);  /* tests/ops_random.c */
TCase *pooled_cases(void);  /* tests/ops_pooled.c */
TCase *choice_cases(void);  /* tests/ops_choices.c */
TCase *join_cases(void);    /* tests/ops_join.c */
TCase *norm_cases(void);    /* tests/ops_norm.c */
TCase *sparse_cases(void);  /* tests/ops_sparse.c */

#endif

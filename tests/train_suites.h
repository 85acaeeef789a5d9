/* tests/train_suites.h: the parts of tests/test_train that have a file of their own. */
#ifndef CLDANN_TESTS_TRAIN_SUITES_H
#define CLDANN_TESTS_TRAIN_SUITES_H

#include <check.h>

#include "cldann.h"

TCase *augment_cases(cldann **ctx);     /* tests/train_augment.c; *ctx is opened before the tests run */
TCase *checkpoint_cases(cldann **ctx);  /* tests/train_checkpoint.c; *ctx is opened before the tests run */
TCase *domain_cases(cldann **ctx);      /* tests/train_domains.c; the same */
TCase *export_cases(cldann **ctx);      /* tests/train_export.c; the same */
TCase *feed_cases(cldann **ctx);        /* tests/train_feed.c; *ctx is opened before the tests run */
TCase *folder_cases(cldann **ctx);      /* tests/train_folder.c; the same */
TCase *health_cases(cldann **ctx);      /* tests/train_health.c; the same */
TCase *linear_cases(void);              /* tests/train_linear.c */
TCase *layer_cases(cldann **ctx);       /* tests/train_layers.c; the same */
TCase *predict_cases(cldann **ctx);     /* tests/train_predict.c; the same */
TCase *ready_cases(cldann **ctx);       /* tests/train_ready.c; the same */
TCase *sparse_cases(cldann **ctx);      /* tests/train_sparse.c; the same */
TCase *start_cases(cldann **ctx);       /* tests/train_start.c; the same */
TCase *tensor_cases(void);              /* tests/train_tensors.c */
TCase *tensorboard_cases(cldann **ctx); /* tests/train_tensorboard.c; the same */
TCase *validation_cases(cldann **ctx);  /* tests/train_validation.c; the same */

#endif

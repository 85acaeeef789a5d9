/*
 * tests/test_ops.c: the op harness: every op and every kernel against a naive reference, on this device. See
 * tests/harness.h for how a tensor is guarded and tests/ops_cases.c for the table of shapes.
 *   CLDANN_TEST_SMALL=1     only the small shapes (for a simulator)
 *   CLDANN_TEST_VERBOSE=1   a line and its time for each case
 *   CLDANN_REQUIRE_DEVICE=1 no device is a failure, not a skip
 */
#include "harness.h"
#include "ops_suites.h"
#include "runner.h"

int main(void) {
  Suite *s = suite_create("ops");
  suite_add_tcase(s, op_cases());
  suite_add_tcase(s, loss_cases());
  suite_add_tcase(s, gather_cases());
  suite_add_tcase(s, update_cases());
  suite_add_tcase(s, product_cases());
  suite_add_tcase(s, random_cases());
  suite_add_tcase(s, pooled_cases());
  suite_add_tcase(s, choice_cases());
  suite_add_tcase(s, join_cases());
  suite_add_tcase(s, norm_cases());
  suite_add_tcase(s, sparse_cases());
  return runner_run(s, &harness_ctx);
}

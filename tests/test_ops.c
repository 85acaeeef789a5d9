/*
 * tests/test_ops.c: the op harness: every op and every kernel against a naive reference, on this device. See
 * tests/harness.h for how a tensor is guarded and tests/ops_cases.c for the table of shapes.
 *   CLDANN_TEST_SMALL=1     only the small shapes (for a simulator)
 *   CLDANN_TEST_VERBOSE=1   a line and its time for each case
 *   CLDANN_REQUIRE_DEVICE=1 no device is a failure, not a skip
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>

#include "base/mem.h"
#include "harness.h"
#include "ops_suites.h"

int main(void) {
  Suite *s = suite_create("ops");
  SRunner *r;
  int failed, rc = harness_open();
  if (rc) return rc;
  setvbuf(stdout, NULL, _IOLBF, 0);
  suite_add_tcase(s, op_cases());
  suite_add_tcase(s, loss_cases());
  suite_add_tcase(s, kernel_cases());
  suite_add_tcase(s, pooled_cases());
  r = srunner_create(s);
  srunner_set_fork_status(r, CK_NOFORK);
  srunner_run_all(r, CK_NORMAL);
  failed = srunner_ntests_failed(r);
  srunner_free(r);
  harness_close();
  if (!failed && mem_live() != 0) {
    fprintf(stderr, "%ld blocks of memory were not given back\n", mem_live());
    failed = 1;
  }
  return failed != 0;
}

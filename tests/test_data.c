/*
 * tests/test_data.c: readers, generators, sampler and downloads of src/data, on files the test makes itself in a folder
 * of its own. Every bad input must give one line that says what is wrong, leave no memory and no half-written file. See
 * tests/data_suites.h for the parts.
 */
#include "data_suites.h"
#include "runner.h"

int main(void) {
  Suite *s = suite_create("data");
  TCase *t = tcase_create("data");
  suite_add_tcase(s, t);
  tcase_set_timeout(t, 120);
  tcase_add_checked_fixture(t, no_leak, no_leak);
  idx_tests(t);
  svmlight_tests(t);
  array_tests(t);
  csv_tests(t);
  image_tests(t);
  mnistm_tests(t);
  msda_tests(t);
  generator_tests(t);
  sampler_tests(t);
  fetch_tests(t);
  place_tests(t);
  return runner_run(s, NULL);
}

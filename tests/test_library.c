/*
 * tests/test_library.c: what a program builds on: nets built in C trained without an experiment file, data handed over by
 * callback, and an OpenCL context of the program's own. All through cldann.h, except where a result is looked at from inside.
 */
#include "runner.h"
#include "library_suites.h"

static cldann *ctx;

int main(void) {
  Suite *s = suite_create("library");
  suite_add_tcase(s, library_net_cases(&ctx));
  suite_add_tcase(s, library_data_cases(&ctx));
  suite_add_tcase(s, library_cl_cases());
  return runner_run(s, &ctx);
}

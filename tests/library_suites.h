/* tests/library_suites.h: the parts of tests/test_library. */
#ifndef CLDANN_TESTS_LIBRARY_SUITES_H
#define CLDANN_TESTS_LIBRARY_SUITES_H

#include <check.h>

#include "cldann.h"

TCase *library_net_cases(cldann **ctx);
TCase *library_data_cases(cldann **ctx);
TCase *library_cl_cases(void);

#endif

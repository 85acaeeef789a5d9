/* tests/data_suites.h: the parts of tests/test_data, a file each. Each adds its tests to the program's one case. */
#ifndef CLDANN_TESTS_DATA_SUITES_H
#define CLDANN_TESTS_DATA_SUITES_H

#include <check.h>

void idx_tests(TCase *t);       /* tests/data_idx.c */
void array_tests(TCase *t);     /* tests/data_arrays.c */
void csv_tests(TCase *t);       /* tests/data_csv.c */
void image_tests(TCase *t);     /* tests/data_images.c */
void svmlight_tests(TCase *t);  /* tests/data_svmlight.c: and data/classes.h */
void mnistm_tests(TCase *t);    /* tests/data_mnistm.c */
void msda_tests(TCase *t);      /* tests/data_msda.c */
void generator_tests(TCase *t); /* tests/data_generators.c */
void sampler_tests(TCase *t);   /* tests/data_sampler.c */
void fetch_tests(TCase *t);     /* tests/data_fetch.c */
void place_tests(TCase *t);     /* tests/data_place.c */

#endif

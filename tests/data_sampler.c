/* tests/data_sampler.c: the order of rows: each once an epoch, the same for any order of calls, and fair. */
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "data/sampler.h"
#include "data_files.h"
#include "data_suites.h"

static cldann_error error;

START_TEST(sampler_epochs) {
  enum { ROWS = 103, BATCH = 10 };
  sampler *s = NULL, *t = NULL;
  int32_t rows[BATCH], again[BATCH], first[100], seen[ROWS];
  GOOD(sampler_new(&error, &s, "x", ROWS, BATCH, 9, RNG_SHUFFLE_SOURCE));
  for (int epoch = 0; epoch < 5; epoch++) {
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < 10; i++) {
      GOOD(sampler_batch(&error, s, epoch * 10 + i, rows));
      for (int k = 0; k < BATCH; k++) {
        ck_assert(rows[k] >= 0 && rows[k] < ROWS);
        ck_assert_int_eq(seen[rows[k]]++, 0); /* no row twice in an epoch */
        if (epoch == 0) first[10 * i + k] = rows[k];
      }
    }
    if (epoch > 0) {
      GOOD(sampler_batch(&error, s, epoch * 10, rows));
      ck_assert_int_ne(memcmp(rows, first, sizeof rows), 0);
    }
  }
  GOOD(sampler_new(&error, &t, "x", ROWS, BATCH, 9, RNG_SHUFFLE_SOURCE));
  for (int step = 49; step >= 0; step -= 7) { /* any order gives the same rows */
    GOOD(sampler_batch(&error, s, step, rows));
    GOOD(sampler_batch(&error, t, step, again));
    ck_assert_int_eq(memcmp(rows, again, sizeof rows), 0);
  }
  sampler_free(t);
  GOOD(sampler_new(&error, &t, "x", ROWS, BATCH, 9, RNG_SHUFFLE_TARGET));
  GOOD(sampler_batch(&error, t, 0, rows));
  ck_assert_int_ne(memcmp(rows, first, sizeof rows), 0);
  BAD(sampler_batch(&error, t, -1, rows), CLDANN_E_ARG, "step -1");
  sampler_free(t);
  sampler_free(s);
  BAD(sampler_new(&error, &t, "tiny", 5, 32, 1, 1), CLDANN_E_ARG, "tiny has 5 items, too few for a batch of 32");
  GOOD(sampler_new(&error, &t, "one", 10, BATCH, 1, 1)); /* the batch is all there is */
  GOOD(sampler_batch(&error, t, 3, rows));
  sampler_free(t);
}
END_TEST

/* Every place of every row is as likely. */
START_TEST(sampler_is_fair) {
  sampler *s = NULL;
  int32_t rows[6];
  int count[6][6] = {{0}};
  GOOD(sampler_new(&error, &s, "x", 6, 6, 1, 1));
  for (int step = 0; step < 6000; step++) {
    GOOD(sampler_batch(&error, s, step, rows));
    for (int k = 0; k < 6; k++) count[k][rows[k]]++;
  }
  for (int k = 0; k < 36; k++) ck_assert_int_lt(abs(count[k / 6][k % 6] - 1000), 150);
  sampler_free(s);
}
END_TEST

void sampler_tests(TCase *t) {
  tcase_add_test(t, sampler_epochs);
  tcase_add_test(t, sampler_is_fair);
}

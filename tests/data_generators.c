/* tests/data_generators.c: the sets that are drawn, not read: blobs, moons and digits. */
#include <math.h>
#include <string.h>

#include "data/blobs.h"
#include "data/digits.h"
#include "data/moons.h"
#include "data_files.h"
#include "data_suites.h"

static cldann_error error;

START_TEST(blobs_points) {
  dataset *d[2] = {NULL}, *again = NULL;
  static const double centre[2][2][2] = {{{0, 0}, {0, 1}}, {{1, -1}, {1, 0}}};
  for (int domain = 0; domain < 2; domain++) {
    GOOD(blobs_make(&error, 4, domain, 4000, d + domain));
    const float *x = d[domain]->x;
    double sum[2][2] = {{0}}, square = 0;
    int count[2] = {0};
    for (int i = 0; i < 4000; i++) {
      int y = d[domain]->y[i];
      count[y]++;
      for (int k = 0; k < 2; k++) {
        sum[y][k] += x[2 * i + k];
        square += pow(x[2 * i + k] - centre[domain][y][k], 2);
      }
    }
    ck_assert(count[0] == 2000 && count[1] == 2000);
    for (int y = 0; y < 2; y++)
      for (int k = 0; k < 2; k++) ck_assert_double_eq_tol(sum[y][k] / 2000, centre[domain][y][k], .02);
    ck_assert_double_eq_tol(sqrt(square / 8000), .2, .005);
  }
  GOOD(blobs_make(&error, 5, 0, 4000, &again));
  ck_assert_int_ne(memcmp(again->x, d[0]->x, 4000 * 8), 0);
  for (int k = 0; k < 2; k++) dataset_free(d[k]);
  dataset_free(again);
  BAD(blobs_make(&error, 5, 2, 10, &again), CLDANN_E_ARG, "domain 2");
}
END_TEST

/* The two means are 0 together, and the target turned back is the source's law. */
START_TEST(moons_points) {
  dataset *d[2] = {NULL};
  const double angle = 35 * acos(-1) / 180, c = cos(angle), s = sin(angle);
  for (int domain = 0; domain < 2; domain++) {
    GOOD(moons_make(&error, 4, domain, 2001, d + domain));
    const float *p = d[domain]->x;
    double sum[2] = {0}, square = 0;
    ck_assert(d[domain]->classes == 2 && d[domain]->h == 1 && d[domain]->w == 1 && d[domain]->c == 2);
    for (int i = 0; i < 2001; i++) {
      const int y = d[domain]->y[i];
      const double x = domain ? c * p[2 * i] + s * p[2 * i + 1] : p[2 * i],
                   z = domain ? c * p[2 * i + 1] - s * p[2 * i] : p[2 * i + 1];
      const double px = x / 2 + .5 - y, py = z / 2 + .25 - y * .5; /* seen from the centre of its circle */
      ck_assert_int_eq(y, i & 1);
      sum[0] += x, sum[1] += z;
      square += pow(hypot(px, py) - 1, 2);
      ck_assert(y ? py < .25 : py > -.25);
    }
    ck_assert_double_eq_tol(sum[0] / 2001, 0, .01);
    ck_assert_double_eq_tol(sum[1] / 2001, 0, .02);
    ck_assert_double_eq_tol(sqrt(square / 2001), .05, .005);
  }
  for (int k = 0; k < 2; k++) dataset_free(d[k]);
  GOOD(moons_make(&error, 4, 0, 1, d));
  dataset_free(d[0]);
  BAD(moons_make(&error, 5, 2, 10, d), CLDANN_E_ARG, "domain 2");
}
END_TEST

START_TEST(digits_sets) {
  char hex[8][HASH_HEX], other[HASH_HEX];
  dataset *d = NULL;
  int made = 0;
  for (int seed = 1; seed < 3; seed++)
    for (int split = 0; split < 2; split++)
      for (int domain = 0; domain < 2; domain++, made++) {
        for (int threads = 1; threads < 5; threads++) {
          GOOD(digits_make(&error, (uint64_t)seed, split, domain, 100, threads, &d));
          ck_assert(d->n == 100 && d->h == 28 && d->w == 28 && d->c == (domain ? 3 : 1) && d->classes == 10);
          for (int i = 0; i < 100; i++) ck_assert_int_eq(d->y[i], i % 10);
          hash_of(d, threads == 1 ? hex[made] : other);
          if (threads > 1) ck_assert_str_eq(other, hex[made]);
          dataset_free(d);
        }
        for (int k = 0; k < made; k++) ck_assert_str_ne(hex[k], hex[made]);
      }
  dataset *few = NULL, *many = NULL; /* an image does not depend on how many are made */
  GOOD(digits_make(&error, 1, 0, 1, 10, 1, &few));
  GOOD(digits_make(&error, 1, 0, 1, 40, 1, &many));
  ck_assert_int_eq(memcmp(few->x, many->x, 10 * 2352), 0);
  dataset_free(few);
  dataset_free(many);
  BAD(digits_make(&error, 1, 2, 0, 10, 1, &d), CLDANN_E_ARG, "split 2");
}
END_TEST

/* A digit has ink, not too much, inside the picture; the same class twice is not the same picture. */
START_TEST(digits_look_like_digits) {
  dataset *d = NULL;
  GOOD(digits_make(&error, 1, 0, 0, 500, 2, &d));
  const uint8_t *x = d->x;
  int at_edge = 0;
  for (int i = 0; i < 500; i++, x += 784) {
    int ink = 0;
    for (int k = 0; k < 784; k++) {
      ink += x[k] > 127;
      if (k < 28 || k >= 756 || k % 28 == 0 || k % 28 == 27) at_edge += x[k] > 127;
    }
    ck_assert_int_gt(ink, 20);
    ck_assert_int_lt(ink, 320);
    if (i >= 10) ck_assert_int_ne(memcmp(x, x - 7840, 784), 0);
  }
  ck_assert_int_lt(at_edge, 200);
  dataset_free(d);
}
END_TEST

void generator_tests(TCase *t) {
  tcase_add_test(t, blobs_points);
  tcase_add_test(t, moons_points);
  tcase_add_test(t, digits_sets);
  tcase_add_test(t, digits_look_like_digits);
}

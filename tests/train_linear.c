/*
 * tests/train_linear.c: linear support vector machines (train/linear.h) on sets whose answer is known: separable ones, two
 * points whose margin can be worked out by hand, sets of one distribution and of two. The order of the items, what the
 * caller's rand() is at and how zeros are kept must not matter.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "data/dataset.h"
#include "train/linear.h"
#include "train_suites.h"

static cldann_error error;

#define GOOD(call) ck_assert_msg((call) == 0, "%s", error.message)
#define REFUSED(call, words)                                                  \
  do {                                                                        \
    ck_assert_int_eq(call, CLDANN_E_ARG);                                     \
    ck_assert_msg(strstr(error.message, words) != NULL, "%s", error.message); \
    memset(&error, 0, sizeof error);                                          \
  } while (0)

/* Normal items of unit width, most of their numbers 0; those of class k lie `shift` further on in column k. */
static dataset *draw(uint32_t number, int n, int width, int classes, float shift) {
  dataset *d = NULL;
  GOOD(dataset_new(&error, &d, "drawn", DATA_F32, n, 1, 1, width, 1));
  float *x = d->x;
  for (int i = 0; i < n; i++) {
    d->y[i] = i % classes;
    for (int c = 0; c < width; c++) {
      const rng r = rng_words(77, RNG_CHECK, number, (uint64_t)(i * width + c));
      if (r.v[2] % 2) x[i * width + c] = rng_normal(r.v[0], r.v[1]);
      if (c == d->y[i]) x[i * width + c] += shift;
    }
  }
  GOOD(dataset_count_classes(&error, d));
  return d;
}

/* The same items without their zeros. */
static dataset *without_zeros(const dataset *d) {
  dataset *s = NULL;
  const float *x = d->x;
  size_t entries = 0;
  for (int i = 0; i < d->n * d->c; i++) entries += x[i] != 0;
  GOOD(dataset_new_sparse(&error, &s, "sparse", d->n, 1, 1, d->c, entries, 1));
  entries = 0;
  for (int i = 0; i < d->n; i++) {
    for (int c = 0; c < d->c; c++)
      if (x[i * d->c + c] != 0) {
        ((float *)s->x)[entries] = x[i * d->c + c];
        s->columns[entries++] = c;
      }
    s->offsets[i + 1] = (int32_t)entries;
    s->y[i] = d->y[i];
  }
  GOOD(dataset_count_classes(&error, s));
  return s;
}

/* A set of one column: n points, with labels unless NULL. */
static dataset *points(const float *at, const int32_t *labels, int n) {
  dataset *d = NULL;
  GOOD(dataset_new(&error, &d, "points", DATA_F32, n, 1, 1, 1, labels != NULL));
  memcpy(d->x, at, (size_t)n * sizeof *at);
  if (labels) {
    memcpy(d->y, labels, (size_t)n * sizeof *labels);
    GOOD(dataset_count_classes(&error, d));
  }
  return d;
}

enum { ITEMS = 300, WIDTH = 12 };

/* Two classes and three; all of the four ways from a set that is dense or sparse to one that is. */
START_TEST(separable_is_learnt) {
  const int classes = _i;
  dataset *a[2] = {draw(1, ITEMS, WIDTH, classes, 12), NULL}, *b[2] = {draw(2, ITEMS, WIDTH, classes, 12), NULL};
  a[1] = without_zeros(a[0]), b[1] = without_zeros(b[0]);
  int32_t labels[4][ITEMS];
  for (int i = 0; i < 4; i++) {
    linear *m = NULL;
    double accuracy = 0;
    GOOD(linear_fit(&error, a[i / 2], 1, &m));
    GOOD(linear_accuracy(&error, m, a[i / 2], &accuracy));
    ck_assert_double_eq(accuracy, 1);
    GOOD(linear_accuracy(&error, m, b[i % 2], &accuracy));
    ck_assert_double_ge(accuracy, 0.99);
    GOOD(linear_predict(&error, m, b[i % 2], labels[i]));
    ck_assert_int_eq(memcmp(labels[i], labels[0], sizeof labels[0]), 0);
    linear_free(m);
  }
  for (int i = 0; i < 2; i++) dataset_free(a[i]), dataset_free(b[i]);
}
END_TEST

/*
 * Points at 1 and 3. With w x + b, and b part of what is kept small: where mistakes cost much, both margins are 1, so w = 1 and
 * b = -2, at which the multipliers are 3.5 and 1.5. At C = 1 the first is held at 1; then 3 w + b = 1 with w = 3 a - 1 and
 * b = a - 1 gives a = 1/2 and the border, -b / w, goes from 2 to 1. An SVM whose bias is free has it at 2 for both.
 */
START_TEST(two_points_by_hand) {
  const struct { double c, border; } cases[] = {{1, 1}, {10, 2}, {1000, 2}};
  dataset *d = points((const float[]){1, 3}, (const int32_t[]){0, 1}, 2);
  for (int i = 0; i < 3; i++) {
    const float border = (float)cases[i].border;
    dataset *beside = points((const float[]){border - 1e-3f, border + 1e-3f}, (const int32_t[]){0, 1}, 2);
    linear *m = NULL;
    double accuracy = 0;
    GOOD(linear_fit(&error, d, cases[i].c, &m));
    GOOD(linear_accuracy(&error, m, beside, &accuracy));
    ck_assert_msg(accuracy == 1, "C = %g: the border is not at %g", cases[i].c, cases[i].border);
    linear_free(m);
    dataset_free(beside);
  }
  dataset_free(d);
}
END_TEST

/* 51 and 153 are .2 and .6: the border is at .4 where mistakes cost enough, also for floats. */
START_TEST(bytes_are_0_to_1) {
  const uint8_t at[] = {51, 153};
  dataset *d = NULL, *f = points((const float[]){0.399f, 0.401f}, (const int32_t[]){0, 1}, 2);
  linear *m = NULL;
  double accuracy = 0;
  GOOD(dataset_new(&error, &d, "bytes", DATA_U8, 2, 1, 1, 1, 1));
  memcpy(d->x, at, sizeof at);
  d->y[1] = 1;
  GOOD(dataset_count_classes(&error, d));
  GOOD(linear_fit(&error, d, 1000, &m));
  GOOD(linear_accuracy(&error, m, d, &accuracy));
  ck_assert_double_eq(accuracy, 1);
  GOOD(linear_accuracy(&error, m, f, &accuracy));
  ck_assert_double_eq(accuracy, 1);
  linear_free(m);
  dataset_free(d), dataset_free(f);
}
END_TEST

/* Labels of classes that overlap hang on all bits of the weights: what rand() is at must not change one. */
START_TEST(rand_is_left_alone) {
  dataset *d = draw(3, ITEMS, WIDTH, 2, 0.3f);
  int32_t labels[2][ITEMS];
  double pad[2];
  for (int i = 0; i < 2; i++) {
    linear *m = NULL;
    srand(5 + (unsigned)i);
    const int first = rand(), second = rand();
    srand(5 + (unsigned)i);
    ck_assert_int_eq(rand(), first);
    GOOD(linear_fit(&error, d, 100, &m));
    GOOD(linear_predict(&error, m, d, labels[i]));
    GOOD(linear_pad(&error, d, d, 1, &pad[i]));
#ifdef __GLIBC__
    ck_assert_int_eq(rand(), second);
#else
    (void)second;
#endif
    linear_free(m);
  }
  ck_assert_int_eq(memcmp(labels[0], labels[1], sizeof labels[0]), 0);
  ck_assert_double_eq(pad[0], pad[1]);
  dataset_free(d);
}
END_TEST

/* Sets of several sizes, since a bigger one must not look further away. The labels of all are beside the point. */
START_TEST(pad_is_a_distance) {
  dataset *near = draw(4, 2000, WIDTH, 2, 0), *same = draw(5, 1001, WIDTH, 2, 0), *few = draw(6, 250, WIDTH, 2, 0);
  dataset *far = draw(7, 600, WIDTH, 1, 12), *sparse = without_zeros(far);
  double pad = 0, again = 0, other = 0;
  GOOD(linear_pad(&error, near, far, 1, &pad));
  ck_assert(pad > 1.9 && pad <= 2);
  GOOD(linear_pad(&error, near, sparse, 1, &again));
  ck_assert_double_eq(pad, again);
  GOOD(linear_pad(&error, near, same, 1, &pad));
  ck_assert_double_eq_tol(pad, 0, 0.15);
  for (int i = 0; i < near->n; i++) near->y[i] = 0;
  GOOD(linear_pad(&error, near, same, 1, &again));
  ck_assert_double_eq(pad, again);
  GOOD(linear_pad(&error, near, same, 2, &other));
  ck_assert_double_ne(pad, other);
  ck_assert_double_eq_tol(other, 0, 0.15);
  GOOD(linear_pad(&error, near, few, 1, &pad));
  ck_assert_double_eq_tol(pad, 0, 0.3); /* 125 items measure it: .09 for one C, and the best of ten */
  dataset_free(near), dataset_free(same), dataset_free(few), dataset_free(far), dataset_free(sparse);
}
END_TEST

/* With more columns than items anything is learnt by heart: only items that were not learnt from tell that it is nothing. */
START_TEST(pad_is_measured_on_other_items) {
  dataset *a = draw(10, 400, 600, 2, 0), *b = draw(11, 400, 600, 2, 0);
  double pad = 0;
  GOOD(linear_pad(&error, a, b, 1, &pad));
  ck_assert_double_eq_tol(pad, 0, 0.5);
  dataset_free(a), dataset_free(b);
}
END_TEST

START_TEST(what_cannot_be_is_refused) {
  dataset *d = draw(8, 20, WIDTH, 2, 3), *wide = draw(8, 20, WIDTH + 1, 2, 3), *one = draw(8, 20, WIDTH, 1, 3);
  dataset *bare = points((const float[]){1, 2}, NULL, 2), *single = points((const float[]){1}, NULL, 1);
  linear *m = NULL, *none = NULL;
  int32_t labels[20];
  double x;
  GOOD(linear_fit(&error, d, 1, &m));
  REFUSED(linear_fit(&error, one, 1, &none), "label 0");
  REFUSED(linear_fit(&error, bare, 1, &none), "no labels");
  REFUSED(linear_fit(&error, d, 0, &none), "C above 0");
  REFUSED(linear_fit(&error, d, NAN, &none), "C above 0");
  REFUSED(linear_predict(&error, m, wide, labels), "13 numbers");
  REFUSED(linear_accuracy(&error, m, bare, &x), "no labels");
  REFUSED(linear_pad(&error, d, wide, 1, &x), "13 numbers");
  REFUSED(linear_pad(&error, bare, single, 1, &x), "one item");
  ((float *)d->x)[WIDTH + 3] = NAN;
  REFUSED(linear_fit(&error, d, 1, &none), "number 3 of item 1 is not finite");
  REFUSED(linear_predict(&error, m, d, labels), "not finite");
  REFUSED(linear_pad(&error, one, d, 1, &x), "not finite");
  ck_assert_ptr_null(none);
  linear_free(m);
  dataset_free(d), dataset_free(wide), dataset_free(one), dataset_free(bare), dataset_free(single);
}
END_TEST

/* Every allocation fails once: an error, and nothing is left over. */
START_TEST(memory_runs_out) {
  dataset *d = draw(9, 20, WIDTH, 3, 3);
  linear *m = NULL;
  double x;
  for (int pad = 0; pad < 2; pad++)
    for (long k = 0, rc = -1; rc; k++) {
      const long before = mem_live();
      ck_assert_int_lt(k, 100);
      mem_fail_after(k);
      rc = pad ? linear_pad(&error, d, d, 1, &x) : linear_fit(&error, d, 1, &m);
      mem_fail_after(-1);
      if (rc) ck_assert_int_eq(rc, CLDANN_E_MEM);
      if (!pad && !rc) linear_free(m);
      ck_assert_int_eq(mem_live(), before);
      memset(&error, 0, sizeof error);
    }
  dataset_free(d);
}
END_TEST

TCase *linear_cases(void) {
  TCase *t = tcase_create("linear");
  tcase_set_timeout(t, 60);
  tcase_add_loop_test(t, separable_is_learnt, 2, 4);
  tcase_add_test(t, two_points_by_hand);
  tcase_add_test(t, bytes_are_0_to_1);
  tcase_add_test(t, rand_is_left_alone);
  tcase_add_test(t, pad_is_a_distance);
  tcase_add_test(t, pad_is_measured_on_other_items);
  tcase_add_test(t, what_cannot_be_is_refused);
  tcase_add_test(t, memory_runs_out);
  return t;
}

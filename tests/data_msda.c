/*
 * tests/data_msda.c: data/msda.h against its formulas as they stand in the paper, done here in the plainest way: whole
 * matrices, P times the inverse of Q by Gauss's elimination.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "data/classes.h"
#include "data/msda.h"
#include "data_files.h"
#include "data_suites.h"

enum { WIDTH = 7, FULL = WIDTH + 1, LAYERS = 3, ITEM = (LAYERS + 1) * WIDTH, ROWS = 20, FIT = 12 };

static cldann_error error;

/* Number k of item i: counts and zeros as words have them; item 3 is all zero and so is feature 5. */
static float sample(int i, int k) {
  if (i == 3 || k == 5) return 0;
  const int v = (i * 7 + k * 11 + i * k * 3) % 10;
  return v < 5 ? 0 : (float)(v - 4) * 0.5f;
}

/* Items first to first + n - 1. */
static dataset *set_of(int first, int n, int sparse) {
  dataset *d = NULL;
  size_t entries = 0;
  if (sparse)
    GOOD(dataset_new_sparse(&error, &d, "sparse", n, 1, 1, WIDTH, (size_t)n * WIDTH, 1));
  else
    GOOD(dataset_new(&error, &d, "dense", DATA_F32, n, WIDTH, 1, 1, 1));
  for (int i = 0; i < n; i++) {
    for (int k = 0; k < WIDTH; k++) {
      const float x = sample(first + i, k);
      if (!sparse) ((float *)d->x)[i * WIDTH + k] = x;
      if (!sparse || x == 0) continue;
      ((float *)d->x)[entries] = x;
      d->columns[entries++] = k;
    }
    if (sparse) d->offsets[i + 1] = (int32_t)entries;
    d->y[i] = (first + i) % 3;
  }
  d->classes = 3;
  return d;
}

/* a (FULL, FULL) becomes its inverse. */
static void invert(double a[FULL][FULL]) {
  double b[FULL][2 * FULL] = {{0}};
  for (int i = 0; i < FULL; i++) {
    memcpy(b[i], a[i], sizeof a[i]);
    b[i][FULL + i] = 1;
  }
  for (int c = 0; c < FULL; c++) {
    int best = c;
    double row[2 * FULL];
    for (int i = c + 1; i < FULL; i++)
      if (fabs(b[i][c]) > fabs(b[best][c])) best = i;
    memcpy(row, b[best], sizeof row);
    memcpy(b[best], b[c], sizeof row);
    for (int k = 0; k < 2 * FULL; k++) b[c][k] = row[k] / row[c];
    for (int i = 0; i < FULL; i++) {
      const double f = b[i][c];
      for (int k = 0; i != c && k < 2 * FULL; k++) b[i][k] -= f * b[c][k];
    }
  }
  for (int i = 0; i < FULL; i++) memcpy(a[i], b[i] + FULL, sizeof a[i]);
}

/* w of a layer whose inputs are at h[i] + at, of those items that have weight[i] (how often they are fitted on). */
static void naive_map(double h[ROWS][ITEM], int at, const int *weight, double noise, double w[WIDTH][FULL]) {
  double s[FULL][FULL] = {{0}}, q[FULL], m[FULL][FULL];
  for (int i = 0; i < ROWS; i++)
    for (int a = 0; a < FULL; a++)
      for (int b = 0; b < FULL; b++) s[a][b] += weight[i] * (a < WIDTH ? h[i][at + a] : 1) * (b < WIDTH ? h[i][at + b] : 1);
  for (int a = 0; a < FULL; a++) q[a] = a < WIDTH ? 1 - noise : 1;
  for (int a = 0; a < FULL; a++)
    for (int b = 0; b < FULL; b++) m[a][b] = a == b ? s[a][a] * q[a] + 1e-5 : s[a][b] * q[a] * q[b];
  invert(m);
  for (int a = 0; a < WIDTH; a++)
    for (int b = 0; b < FULL; b++) {
      w[a][b] = 0;
      for (int k = 0; k < FULL; k++) w[a][b] += s[a][k] * q[k] * m[k][b];
    }
}

static void naive(const int *weight, double noise, double h[ROWS][ITEM]) {
  double w[WIDTH][FULL];
  for (int i = 0; i < ROWS; i++)
    for (int k = 0; k < WIDTH; k++) h[i][k] = (double)sample(i, k);
  for (int at = 0; at < LAYERS * WIDTH; at += WIDTH) {
    naive_map(h, at, weight, noise, w);
    for (int i = 0; i < ROWS; i++)
      for (int a = 0; a < WIDTH; a++) {
        double sum = w[a][WIDTH];
        for (int k = 0; k < WIDTH; k++) sum += w[a][k] * h[i][at + k];
        h[i][at + WIDTH + a] = tanh(sum);
      }
  }
}

/* A set of items from `first` on is what the naive way gives, labels kept. A layer reads floats, hence the tolerance. */
static void check_set(const dataset *d, int first, double h[ROWS][ITEM]) {
  ck_assert(d->type == DATA_F32 && !dataset_is_sparse(d) && !d->columns);
  ck_assert(d->h == 1 && d->w == 1 && d->c == ITEM && d->classes == 3);
  for (int i = 0; i < d->n; i++) {
    ck_assert_int_eq(d->y[i], (first + i) % 3);
    for (int k = 0; k < ITEM; k++) {
      const double x = (double)((const float *)d->x)[i * ITEM + k];
      if (k < WIDTH) ck_assert(x == (double)sample(first + i, k));
      ck_assert_msg(fabs(x - h[first + i][k]) <= 1e-6, "item %d, number %d: %.9g instead of %.9g", first + i, k, x,
                    h[first + i][k]);
    }
  }
}

/* Two sets, both transformed; fitted on the first alone or on both. */
static void check_pair(int first_sparse, int second_sparse, int both, double noise) {
  static double h[ROWS][ITEM];
  int weight[ROWS];
  dataset *sets[2] = {set_of(0, FIT, first_sparse), set_of(FIT, ROWS - FIT, second_sparse)};
  for (int i = 0; i < ROWS; i++) weight[i] = both || i < FIT;
  naive(weight, noise, h);
  GOOD(msda_apply(&error, LAYERS, noise, sets, both ? 2 : 1, sets, 2));
  check_set(sets[0], 0, h);
  check_set(sets[1], FIT, h);
  dataset_free(sets[0]);
  dataset_free(sets[1]);
}

START_TEST(msda_as_the_formulas) {
  static const double noises[] = {0.5, 0, 0.9};
  for (int k = 0; k < 3; k++)
    for (int how = 0; how < 8; how++) check_pair(how & 1, how >> 1 & 1, how >> 2, noises[k]);
}
END_TEST

/* Sets that are only fitted on stay; a set given twice counts twice in the fit and is replaced once. */
START_TEST(msda_fit_apart) {
  static double h[ROWS][ITEM];
  int weight[ROWS];
  dataset *fit = set_of(0, FIT, 1), *d = set_of(FIT, ROWS - FIT, 0), *old = set_of(0, FIT, 1);
  for (int i = 0; i < ROWS; i++) weight[i] = i < FIT ? 2 : 1;
  naive(weight, 0.5, h);
  GOOD(msda_apply(&error, LAYERS, 0.5, (dataset *const[]){fit, d, fit}, 3, (dataset *[]){d, d}, 2));
  check_set(d, FIT, h);
  ck_assert(dataset_is_sparse(fit) && fit->c == WIDTH && dataset_entries(fit) == dataset_entries(old));
  ck_assert_mem_eq(fit->x, old->x, dataset_entries(old) * sizeof(float));
  dataset_free(fit);
  dataset_free(d);
  dataset_free(old);
}
END_TEST

/* More rows than are done at a time; twice the same bits, names kept. */
START_TEST(msda_again) {
  enum { MANY = 2700, WIDE = 150, OUT = 3 * WIDE };
  char hex[2][HASH_HEX];
  for (int turn = 0; turn < 2; turn++) {
    dataset *d = NULL;
    class_list list = {0};
    GOOD(dataset_new(&error, &d, "many", DATA_F32, MANY, 1, 1, WIDE, 1));
    for (int i = 0; i < MANY * WIDE; i++) ((float *)d->x)[i] = (float)(i % 17 * (i % 13)) / 100;
    for (int i = 0; i < MANY; i++) GOOD(classes_add(&error, &list, "test", i % 2 ? "good" : "bad", &d->y[i]));
    GOOD(classes_settle(&error, d, &list));
    GOOD(msda_apply(&error, 2, 0.5, (dataset *const[]){d}, 1, &d, 1));
    ck_assert(d->c == OUT && d->n == MANY && d->classes == 2 && !strcmp(d->name, "many"));
    ck_assert_str_eq(d->names->name[1], "good");
    for (int i = 0; i < MANY; i++) ck_assert_int_eq(d->y[i], i % 2);
    const float *x = d->x; /* item i repeats item i + 221: so must the outputs, in whatever block they are */
    for (int i = 0; i + 221 < MANY; i++)
      for (int k = 0; k < OUT; k++) ck_assert(fabsf(x[i * OUT + k] - x[(i + 221) * OUT + k]) <= 1e-6f);
    hash_of(d, hex[turn]);
    dataset_free(d);
  }
  ck_assert_str_eq(hex[0], hex[1]);
}
END_TEST

START_TEST(msda_all_zero) {
  dataset *d = NULL;
  for (int sparse = 0; sparse < 2; sparse++) {
    if (sparse)
      GOOD(dataset_new_sparse(&error, &d, "zeros", 4, 1, 1, WIDTH, 0, 0));
    else
      GOOD(dataset_new(&error, &d, "zeros", DATA_F32, 4, 1, 1, WIDTH, 0));
    GOOD(msda_apply(&error, LAYERS, 0.5, (dataset *const[]){d}, 1, &d, 1));
    ck_assert(d->c == ITEM && !d->y);
    for (int i = 0; i < 4 * ITEM; i++) ck_assert(fabsf(((const float *)d->x)[i]) <= 1e-6f);
    dataset_free(d);
  }
}
END_TEST

START_TEST(msda_refuses) {
  dataset *d = set_of(0, ROWS, 1), *wider = NULL, *bytes = NULL, *wide = NULL, *huge = NULL;
  GOOD(dataset_new(&error, &wider, "wider", DATA_F32, 2, 1, 1, WIDTH + 1, 0));
  GOOD(dataset_new(&error, &bytes, "bytes", DATA_U8, 2, 1, 1, WIDTH, 0));
  GOOD(dataset_new_sparse(&error, &wide, "wide", 2, 1, 1, 100000000, 0, 0));
  GOOD(dataset_new(&error, &huge, "huge", DATA_F32, 2, 1, 1, 2, 0));
  for (int i = 0; i < 4; i++) ((float *)huge->x)[i] = FLT_MAX;
  dataset *const one[] = {d};
  BAD(msda_apply(&error, 0, 0.5, one, 1, &d, 1), CLDANN_E_ARG, "0 layers; it takes at least 1");
  BAD(msda_apply(&error, 1, 1, one, 1, &d, 1), CLDANN_E_ARG, "noise 1; it must be from 0 to below 1");
  BAD(msda_apply(&error, 1, -0.1, one, 1, &d, 1), CLDANN_E_ARG, "noise -0.1");
  BAD(msda_apply(&error, 1, (double)NAN, one, 1, &d, 1), CLDANN_E_ARG, "noise");
  BAD(msda_apply(&error, 1, 0.5, one, 0, &d, 1), CLDANN_E_ARG, "no set to fit on");
  BAD(msda_apply(&error, 1, 0.5, one, 1, &wider, 1), CLDANN_E_SHAPE, "wider has items of 8 numbers, sparse of 7");
  BAD(msda_apply(&error, 1, 0.5, one, 1, &bytes, 1), CLDANN_E_ARG, "bytes holds bytes, and mSDA takes numbers; read the set");
  BAD(msda_apply(&error, 1, 0.5, &bytes, 1, &d, 1), CLDANN_E_ARG, "without bytes = true");
  BAD(msda_apply(&error, INT32_MAX / 2, 0.5, one, 1, &d, 1), CLDANN_E_ARG, "take fewer layers");
  BAD(msda_apply(&error, INT32_MAX, 0.5, one, 1, &d, 1), CLDANN_E_ARG, "layers");
  BAD(msda_apply(&error, 1, 0.5, &wide, 1, &wide, 1), CLDANN_E_MEM, "mSDA of 100000000 features takes a matrix of");
  BAD(msda_apply(&error, 1, 0, &huge, 1, &huge, 1), CLDANN_E_ARG, "layer 1 has no solution");
  ck_assert(dataset_is_sparse(d) && d->c == WIDTH && huge->c == 2);
  dataset_free(d);
  dataset_free(wider);
  dataset_free(bytes);
  dataset_free(wide);
  dataset_free(huge);
}
END_TEST

/* A refused allocation leaves the sets as they were and nothing behind. */
START_TEST(msda_allocations) {
  int tries = 0;
  dataset *sets[2] = {set_of(0, FIT, 1), set_of(FIT, ROWS - FIT, 0)}, *fit = set_of(0, ROWS, 1);
  const long before = mem_live();
  for (int rc = -1; rc < 0; tries++) {
    err_clear(&error);
    mem_fail_after(tries);
    rc = msda_apply(&error, LAYERS, 0.5, &fit, 1, sets, 2);
    mem_fail_after(-1);
    if (rc < 0) {
      ck_assert_msg(rc == CLDANN_E_MEM, "%s", error.message);
      ck_assert_int_eq(mem_live(), before);
      ck_assert(dataset_is_sparse(sets[0]) && sets[0]->c == WIDTH && sets[1]->h == WIDTH);
    }
    ck_assert_int_lt(tries, 1000);
  }
  ck_assert_int_gt(tries, 8);
  dataset_free(sets[0]);
  dataset_free(sets[1]);
  dataset_free(fit);
}
END_TEST

void msda_tests(TCase *t) {
  tcase_add_test(t, msda_as_the_formulas);
  tcase_add_test(t, msda_fit_apart);
  tcase_add_test(t, msda_again);
  tcase_add_test(t, msda_all_zero);
  tcase_add_test(t, msda_refuses);
  tcase_add_test(t, msda_allocations);
}

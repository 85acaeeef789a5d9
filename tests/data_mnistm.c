/*
 * tests/data_mnistm.c: JPEG decoding and MNIST-M: a pinned hash for any number of threads, the definition pixel by pixel,
 * bad tarballs, and a folder that gets all four files or none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"
#include "data/digits.h"
#include "data/idx.h"
#include "data/jpeg.h"
#include "data/mnistm.h"
#include "data_files.h"
#include "data_suites.h"
#include "runner.h"

static cldann_error error;

/* Rings and bars in whole numbers, so that a pinned hash does not hang on anyone's sine. */
static dataset *make_digits(int n) {
  dataset *d = NULL;
  GOOD(dataset_new(&error, &d, "rings", DATA_U8, n, 28, 28, 1, 1));
  for (int i = 0; i < n; i++) {
    uint8_t *x = (uint8_t *)d->x + 784 * i;
    d->y[i] = i % 10;
    for (int k = 0; k < 784; k++) {
      int dy = k / 28 - 14, dx = k % 28 - 14, r = dx * dx + dy * dy;
      x[k] = (uint8_t)(abs(r - 10 * (i % 10)) < 25 ? 1 + (r * 7 + i) % 255 : 0);
    }
  }
  GOOD(dataset_count_classes(&error, d));
  return d;
}

START_TEST(jpeg_decodes_or_says) {
  uint8_t bytes[8192];
  picture p;
  size_t n = make_jpeg(1, SIDE, bytes, sizeof bytes);
  GOOD(jpeg_decode(&error, "a.jpg", bytes, n, &p));
  ck_assert(p.h == SIDE && p.w == SIDE);
  ck_assert_int_lt(abs(p.rgb[3 * (10 * SIDE + 10)] - (10 * 5 + 40)), 12);
  mem_free(p.rgb);
  for (size_t cut = 0; cut + 2 < n; cut += 7)
    BAD(jpeg_decode(&error, "a.jpg", bytes, cut, &p), CLDANN_E_FORMAT, "a.jpg is corrupt");
  BAD(jpeg_decode(&error, "a.jpg", (const uint8_t *)"GIF89a", 6, &p), CLDANN_E_FORMAT, "a.jpg is corrupt");
}
END_TEST

START_TEST(mnistm_known_and_the_same_for_any_threads) {
  char hex[HASH_HEX];
  dataset *digits = make_digits(50), *d = NULL;
  backgrounds *b = NULL;
  for (int threads = 1; threads < 8; threads++) {
    make_tgz(in("b.tgz"), PHOTOS, SIDE, -1, threads & 1); /* nor does the order in the archive matter */
    GOOD(mnistm_load_backgrounds(&error, in("b.tgz"), threads, &b));
    ck_assert_int_eq(mnistm_count_backgrounds(b), PHOTOS);
    GOOD(mnistm_make(&error, b, digits, 7, 0, threads, &d));
    ck_assert(d->n == 50 && d->h == 28 && d->w == 28 && d->c == 3 && d->classes == 10);
    ck_assert_int_eq(memcmp(d->y, digits->y, 50 * sizeof *d->y), 0);
    hash_of(d, hex);
    ck_assert_str_eq(hex, "40562706299f30556104e89f2c97bcb097486139741505317ab58e7dc773fc72");
    dataset_free(d);
    mnistm_free_backgrounds(b);
  }
  dataset_free(digits);
}
END_TEST

/* Draws and blend against the definition, from a picture decoded on its own. */
START_TEST(mnistm_pixels) {
  uint8_t bytes[8192];
  dataset *digits = make_digits(20), *d = NULL, *e = NULL;
  backgrounds *b = NULL;
  picture photo[PHOTOS];
  make_tgz(in("b.tgz"), PHOTOS, SIDE, -1, 0);
  for (int k = 0; k < PHOTOS; k++) GOOD(jpeg_decode(&error, "p", bytes, make_jpeg(k, SIDE, bytes, sizeof bytes), photo + k));
  GOOD(mnistm_load_backgrounds(&error, in("b.tgz"), 2, &b));
  GOOD(mnistm_make(&error, b, digits, 11, 1000, 2, &d));
  for (int i = 0; i < 20; i++) {
    rng r = rng_words(11, RNG_MNISTM, 0, 1000 + (uint64_t)i);
    const picture *p = photo + rng_below(r.v[0], PHOTOS);
    int y0 = (int)rng_below(r.v[1], SIDE - 28 + 1), x0 = (int)rng_below(r.v[2], SIDE - 28 + 1);
    for (int k = 0; k < 28 * 28 * 3; k++) {
      int y = k / 84, x = k / 3 % 28, c = k % 3;
      int want = abs(p->rgb[((y0 + y) * SIDE + x0 + x) * 3 + c] - 255 * (((uint8_t *)digits->x)[i * 784 + y * 28 + x] > 0));
      ck_assert_int_eq(((uint8_t *)d->x)[i * 2352 + k], want);
    }
  }
  GOOD(mnistm_make(&error, b, digits, 12, 1000, 2, &e));
  ck_assert_int_ne(memcmp(d->x, e->x, 20 * 2352), 0); /* another seed */
  dataset_free(e);
  GOOD(mnistm_make(&error, b, digits, 11, MNISTM_TEST_INDEX, 2, &e));
  ck_assert_int_ne(memcmp(d->x, e->x, 20 * 2352), 0); /* another first index */
  BAD(mnistm_make(&error, b, d, 1, 0, 1, &e), CLDANN_E_SHAPE, "grey");
  for (int k = 0; k < PHOTOS; k++) mem_free(photo[k].rgb);
  dataset_free(digits);
  dataset_free(d);
  dataset_free(e);
  mnistm_free_backgrounds(b);
}
END_TEST

START_TEST(mnistm_bad_tarballs) {
  static uint8_t bytes[1 << 16];
  backgrounds *b = NULL;
  dataset *digits = make_digits(3), *d = NULL;
  BAD(mnistm_load_backgrounds(&error, in("absent.tgz"), 1, &b), CLDANN_E_IO, "cldann data fetch bsds500");
  write_file(in("text.tgz"), "this is no archive\n", 19);
  BAD(mnistm_load_backgrounds(&error, in("text.tgz"), 1, &b), CLDANN_E_FORMAT, "not a tar archive");
  write_file(in("empty.tgz"), "", 0);
  BAD(mnistm_load_backgrounds(&error, in("empty.tgz"), 1, &b), CLDANN_E_FORMAT, "not a tar archive");
  write_gz(in("gz.tgz"), "this is no archive\n", 19);
  BAD(mnistm_load_backgrounds(&error, in("gz.tgz"), 1, &b), CLDANN_E_FORMAT, "not a tar archive");
  make_tgz(in("none.tgz"), 0, SIDE, -1, 0);
  BAD(mnistm_load_backgrounds(&error, in("none.tgz"), 1, &b), CLDANN_E_FORMAT, "no images/train/*.jpg");
  make_tgz(in("broken.tgz"), PHOTOS, SIDE, 3, 0);
  for (int threads = 1; threads < 4; threads++)
    BAD(mnistm_load_backgrounds(&error, in("broken.tgz"), threads, &b), CLDANN_E_FORMAT, "train/103.jpg is corrupt");
  make_tgz(in("small.tgz"), PHOTOS, 20, -1, 0);
  GOOD(mnistm_load_backgrounds(&error, in("small.tgz"), 1, &b));
  BAD(mnistm_make(&error, b, digits, 1, 0, 1, &d), CLDANN_E_SHAPE, "20 x 20 pixels, too few");
  mnistm_free_backgrounds(b);
  make_tgz(in("whole.tgz"), PHOTOS, SIDE, -1, 0);
  size_t all = read_file(in("whole.tgz"), bytes, sizeof bytes);
  for (size_t n = 0; n < all * 9 / 10; n += 41) {
    write_file(in("cut.tgz"), bytes, n);
    BAD(mnistm_load_backgrounds(&error, in("cut.tgz"), 1, &b), CLDANN_E_FORMAT, "cut.tgz");
  }
  dataset_free(digits);
}
END_TEST

static void make_mnist(const char *dir) {
  dataset *d = NULL;
  mkdir(dir, 0777);
  for (int test = 0; test < 2; test++) {
    char path[300];
    GOOD(digits_make(&error, 5, test, 0, test ? 20 : 30, 1, &d));
    snprintf(path, sizeof path, "%s/%s-images-idx3-ubyte", dir, test ? "t10k" : "train");
    GOOD(idx_write_images(&error, path, d));
    snprintf(path, sizeof path, "%s/%s-labels-idx1-ubyte", dir, test ? "t10k" : "train");
    GOOD(idx_write_labels(&error, path, d));
    dataset_free(d);
  }
}

START_TEST(mnistm_writes_all_or_nothing) {
  char hex[HASH_HEX];
  dataset *d = NULL;
  make_mnist(in("mnist"));
  make_tgz(in("b.tgz"), PHOTOS, SIDE, -1, 0);
  GOOD(mnistm_write(&error, in("mnist"), in("b.tgz"), in("out/deep"), 1, 2, NULL));
  ck_assert_int_eq(files_in(in("out/deep")), 4);
  GOOD(idx_read_named(&error, in("out/deep"), "mnistm-", 1, &d));
  ck_assert(d->n == 20 && d->c == 3 && d->y[13] == 3);
  dataset_free(d);
  GOOD(hash_file(&error, in("out/deep/mnistm-train-images-idx4-ubyte"), hex));
  BAD(mnistm_write(&error, in("mnist"), in("b.tgz"), in("b.tgz"), 1, 2, NULL), CLDANN_E_IO, "a file has that name");
  BAD(mnistm_write(&error, in("nowhere"), in("b.tgz"), in("out2"), 1, 2, NULL), CLDANN_E_IO, "train-images-idx3-ubyte");
  BAD(mnistm_write(&error, in("mnist"), in("mnist/t10k-labels-idx1-ubyte"), in("out2"), 1, 2, NULL), CLDANN_E_FORMAT,
      "not a tar");
  ck_assert_int_eq(files_in(in("out2")), 0);
  truncate(in("mnist/t10k-labels-idx1-ubyte"), 20); /* the training set is fine and prepared by then */
  BAD(mnistm_write(&error, in("mnist"), in("b.tgz"), in("out2"), 1, 2, NULL), CLDANN_E_FORMAT, "truncated: 8 bytes");
  ck_assert_int_ne(access(in("out2"), F_OK), 0); /* a folder it made goes too */
  make_mnist(in("mnist"));
  mkdir(in("out2"), 0777);
  mkdir(in("out2/mnistm-t10k-labels-idx1-ubyte"), 0777); /* the last of the four cannot be placed */
  BAD(mnistm_write(&error, in("mnist"), in("b.tgz"), in("out2"), 1, 2, NULL), CLDANN_E_IO, "cannot place");
  ck_assert_int_eq(files_in(in("out2")), 1);
}
END_TEST

START_TEST(mnistm_each_allocation_fails) {
  int rc = -1, tries = 0;
  make_mnist(in("mnist"));
  make_tgz(in("b.tgz"), PHOTOS, SIDE, -1, 0);
  for (; rc < 0; tries++) {
    err_clear(&error);
    mem_fail_after(tries);
    rc = mnistm_write(&error, in("mnist"), in("b.tgz"), in("out3"), 1, 2, NULL);
    mem_fail_after(-1);
    ck_assert_int_eq(mem_live(), 0);
    ck_assert_int_lt(tries, 500);
    if (rc < 0) {
      ck_assert_int_eq(rc, CLDANN_E_MEM);
      ck_assert_int_eq(files_in(in("out3")), 0);
    }
  }
  ck_assert_int_gt(tries, 30);
  ck_assert_int_eq(files_in(in("out3")), 4);
}
END_TEST

void mnistm_tests(TCase *t) {
  tcase_add_test(t, jpeg_decodes_or_says);
  tcase_add_test(t, mnistm_known_and_the_same_for_any_threads);
  tcase_add_test(t, mnistm_pixels);
  tcase_add_test(t, mnistm_bad_tarballs);
  tcase_add_test(t, mnistm_writes_all_or_nothing);
  tcase_add_test(t, mnistm_each_allocation_fails);
}

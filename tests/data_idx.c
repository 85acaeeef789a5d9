/* tests/data_idx.c: IDX files, sound, cut short, mislabelled and absurd; and the edits of a dataset that was read. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "data/blobs.h"
#include "data/idx.h"
#include "data_files.h"
#include "data_suites.h"
#include "runner.h"

static cldann_error error;

enum { N = 5, H = 4, W = 3, IMAGES = 16 + N * H * W, LABELS = 8 + N };

static void make_idx(uint8_t images[IMAGES], uint8_t labels[LABELS]) {
  static const uint8_t image_head[16] = {0, 0, 8, 3, 0, 0, 0, N, 0, 0, 0, H, 0, 0, 0, W};
  static const uint8_t label_head[8] = {0, 0, 8, 1, 0, 0, 0, N};
  memcpy(images, image_head, 16);
  memcpy(labels, label_head, 8);
  for (int i = 0; i < N * H * W; i++) images[16 + i] = (uint8_t)(i * 37 % 251);
  for (int i = 0; i < N; i++) labels[8 + i] = (uint8_t)(i % 4);
}

static void check_set(const dataset *d, const uint8_t *images) {
  ck_assert_int_eq(d->n, N);
  ck_assert_int_eq(d->h, H);
  ck_assert_int_eq(d->w, W);
  ck_assert_int_eq(d->c, 1);
  ck_assert_int_eq(d->classes, 4);
  ck_assert_int_eq(memcmp(d->x, images + 16, N * H * W), 0);
  for (int i = 0; i < N; i++) ck_assert_int_eq(d->y[i], i % 4);
}

START_TEST(idx_reads_plain_and_gzip) {
  uint8_t images[IMAGES], labels[LABELS], back[IMAGES];
  dataset *d = NULL;
  make_idx(images, labels);
  write_file(in("i"), images, IMAGES);
  write_file(in("l"), labels, LABELS);
  GOOD(idx_read_set(&error, in("i"), in("l"), &d));
  check_set(d, images);
  GOOD(idx_write_images(&error, in("i2"), d));
  GOOD(idx_write_labels(&error, in("l2"), d));
  ck_assert_uint_eq(read_file(in("i2"), back, sizeof back), IMAGES);
  ck_assert_int_eq(memcmp(back, images, IMAGES), 0);
  ck_assert_uint_eq(read_file(in("l2"), back, sizeof back), LABELS);
  ck_assert_int_eq(memcmp(back, labels, LABELS), 0);
  dataset_free(d);
  write_gz(in("i.gz"), images, IMAGES); /* told apart by content: any name does */
  write_gz(in("l"), labels, LABELS);
  GOOD(idx_read_set(&error, in("i.gz"), in("l"), &d));
  check_set(d, images);
  dataset_free(d);
}
END_TEST

START_TEST(idx_is_a_format_of_files) {
  uint8_t images[IMAGES], labels[LABELS];
  dataset *d = NULL;
  make_idx(images, labels);
  write_gz(in("i"), images, IMAGES);
  write_file(in("l"), labels, LABELS);
  GOOD(file_read(&error, &(file_request){.path = in("i"), .labels = "l"}, &d));
  check_set(d, images);
  dataset_free(d);
  GOOD(file_read(&error, &(file_request){.path = in("i"), .resize = {8, 6}}, &d));
  ck_assert(d->n == N && d->h == 8 && d->w == 6 && d->c == 1 && !d->y);
  dataset_free(d);
  BAD(file_read(&error, &(file_request){.path = in("l")}, &d), CLDANN_E_FORMAT, "swap the two files");
  sweep_allocations(&(file_request){.path = in("i"), .labels = "l"});
}
END_TEST

START_TEST(idx_reads_colour_and_vectors) {
  static const uint8_t colour[20 + 2 * 2 * 1 * 3] = {0, 0, 8, 4, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 7};
  static const uint8_t vectors[12 + 2 * 5] = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 5, 9};
  dataset *d = NULL;
  write_file(in("c"), colour, sizeof colour);
  GOOD(idx_read_images(&error, in("c"), &d));
  ck_assert(d->n == 2 && d->h == 2 && d->w == 1 && d->c == 3 && ((uint8_t *)d->x)[0] == 7 && !d->y);
  GOOD(idx_write_images(&error, in("c2"), d));
  uint8_t back[64];
  ck_assert_uint_eq(read_file(in("c2"), back, sizeof back), sizeof colour);
  ck_assert_int_eq(memcmp(back, colour, sizeof colour), 0);
  BAD(idx_write_labels(&error, in("c3"), d), CLDANN_E_ARG, "no labels");
  ck_assert_int_ne(access(in("c3"), F_OK), 0);
  dataset_free(d);
  write_file(in("v"), vectors, sizeof vectors);
  GOOD(idx_read_images(&error, in("v"), &d));
  ck_assert(d->n == 2 && d->h == 1 && d->w == 1 && d->c == 5);
  dataset_free(d);
}
END_TEST

START_TEST(idx_truncated_anywhere) {
  uint8_t images[IMAGES], labels[LABELS], packed[512];
  dataset *d = NULL;
  char text[64];
  make_idx(images, labels);
  for (size_t n = 0; n < IMAGES; n++) {
    write_file(in("t"), images, n);
    snprintf(text, sizeof text, "truncated: %d bytes are missing", (int)(IMAGES - n));
    BAD(idx_read_images(&error, in("t"), &d), CLDANN_E_FORMAT, n < 16 ? "truncated: " : text);
  }
  write_gz(in("z"), images, IMAGES);
  size_t all = read_file(in("z"), packed, sizeof packed);
  for (size_t n = 0; n < all; n++) {
    write_file(in("t"), packed, n);
    BAD(idx_read_images(&error, in("t"), &d), CLDANN_E_FORMAT, n == 1 || n == 0 ? "truncated" : "");
    ck_assert_msg(strstr(error.message, "truncated") || strstr(error.message, "damaged"), "%zu: %s", n, error.message);
  }
  for (size_t at = 10; at < all; at++) { /* one bit flipped anywhere in the data or the check sum */
    packed[at] ^= 4;
    write_file(in("t"), packed, all);
    err_clear(&error);
    if (idx_read_images(&error, in("t"), &d) == 0) /* the stream has a few bits without meaning */
      ck_assert_int_eq(memcmp(d->x, images + 16, N * H * W), 0);
    dataset_free(d);
    d = NULL;
    packed[at] ^= 4;
  }
  ck_assert_ptr_null(d);
}
END_TEST

START_TEST(idx_wrong_files) {
  uint8_t images[IMAGES + 1], labels[LABELS + 1], bad[IMAGES];
  dataset *d = NULL;
  make_idx(images, labels);
  write_file(in("i"), images, IMAGES);
  write_file(in("l"), labels, LABELS);
  BAD(idx_read_images(&error, in("l"), &d), CLDANN_E_FORMAT, "mislabelled");
  GOOD(idx_read_images(&error, in("i"), &d));
  BAD(idx_read_labels(&error, in("i"), d), CLDANN_E_FORMAT, "mislabelled");
  labels[7] = N - 1;
  write_file(in("few"), labels, LABELS - 1);
  BAD(idx_read_labels(&error, in("few"), d), CLDANN_E_FORMAT, "4 labels but i has 5 images");
  ck_assert_ptr_null(d->y);
  dataset_free(d);
  d = NULL;
  images[IMAGES] = 1;
  write_file(in("more"), images, IMAGES + 1);
  BAD(idx_read_images(&error, in("more"), &d), CLDANN_E_FORMAT, "1 bytes after");
  write_gz(in("more.gz"), images, IMAGES + 1);
  BAD(idx_read_images(&error, in("more.gz"), &d), CLDANN_E_FORMAT, "bytes after");
  for (int at = 0; at < 4; at++) {
    memcpy(bad, images, IMAGES);
    bad[at] = 0x77;
    write_file(in("m"), bad, IMAGES);
    BAD(idx_read_images(&error, in("m"), &d), CLDANN_E_FORMAT, at == 2 ? "type 77" : "not an IDX file");
  }
  BAD(idx_read_images(&error, in("absent"), &d), CLDANN_E_IO, "cldann data fetch mnist");
  ck_assert_ptr_nonnull(strstr(error.message, "absent"));
  BAD(idx_read_images(&error, folder, &d), CLDANN_E_IO, "not a file");
  BAD(idx_read_named(&error, folder, "", 1, &d), CLDANN_E_IO, "t10k-images-idx3-ubyte");
}
END_TEST

/* Sizes that no file can back must fail before memory is taken: the first allocation is made to fail. */
START_TEST(idx_absurd_sizes) {
  static const uint8_t sizes[][16] = {
      {0, 0, 8, 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
      {0, 0, 8, 3, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff},
      {0, 0, 8, 3, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 28, 0, 0, 0, 28},
      {0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 28, 0, 0, 0, 28},
      {0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 28},
  };
  dataset *d = NULL;
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    for (int gz = 0; gz < 2; gz++) {
      (gz ? write_gz : write_file)(in("a"), sizes[i], 16);
      mem_fail_after(0);
      BAD(idx_read_images(&error, in("a"), &d), CLDANN_E_FORMAT, in("a"));
      mem_fail_after(-1);
    }
}
END_TEST

START_TEST(idx_cannot_write) {
  dataset *d = NULL;
  GOOD(blobs_make(&error, 1, 0, 4, &d));
  BAD(idx_write_images(&error, in("f"), d), CLDANN_E_ARG, "floats");
  dataset_free(d);
  GOOD(dataset_new(&error, &d, "big", DATA_U8, 100, 28, 28, 1, 1));
  BAD(idx_write_images(&error, in("no/such/f"), d), CLDANN_E_IO, "cannot write");
  d->y[3] = 256;
  BAD(idx_write_labels(&error, in("f"), d), CLDANN_E_ARG, "label 256");
  struct rlimit old, low; /* a full disk, as far as a test can have one */
  getrlimit(RLIMIT_FSIZE, &old);
  low = old;
  low.rlim_cur = 20000;
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &low);
  BAD(idx_write_images(&error, in("f"), d), CLDANN_E_IO, "cannot write");
  setrlimit(RLIMIT_FSIZE, &old);
  ck_assert_int_ne(access(in("f"), F_OK), 0);
  dataset_free(d);
}
END_TEST

START_TEST(idx_each_allocation_fails) {
  uint8_t images[IMAGES], labels[LABELS];
  dataset *d = NULL;
  int rc = -1, tries = 0;
  make_idx(images, labels);
  write_gz(in("train-images-idx3-ubyte.gz"), images, IMAGES);
  write_file(in("train-labels-idx1-ubyte"), labels, LABELS);
  for (; rc < 0; tries++) {
    err_clear(&error);
    mem_fail_after(tries);
    rc = idx_read_named(&error, folder, "", 0, &d);
    if (rc == 0) rc = idx_write_images(&error, in("w"), d);
    if (rc < 0) {
      ck_assert_int_eq(rc, CLDANN_E_MEM);
      dataset_free(d);
      d = NULL;
      ck_assert_int_eq(mem_live(), 0);
      ck_assert_int_lt(tries, 100);
    }
  }
  mem_fail_after(-1);
  ck_assert_int_gt(tries, 5);
  check_set(d, images);
  dataset_free(d);
}
END_TEST

START_TEST(dataset_edits) {
  dataset *d = NULL;
  uint8_t images[IMAGES], labels[LABELS];
  make_idx(images, labels);
  write_file(in("i"), images, IMAGES);
  write_file(in("l"), labels, LABELS);
  GOOD(idx_read_set(&error, in("i"), in("l"), &d));
  GOOD(dataset_trim(&error, d, 2, 2));
  ck_assert_int_eq(d->n, 2);
  ck_assert_int_eq(memcmp(d->x, images + 16 + 2 * H * W, 2 * H * W), 0);
  ck_assert(d->y[0] == 2 && d->y[1] == 3);
  BAD(dataset_trim(&error, d, 2, -1), CLDANN_E_ARG, "leaves none");
  GOOD(dataset_trim(&error, d, 0, 99));
  GOOD(dataset_binarise(&error, d));
  for (int i = 0; i < 2 * H * W; i++) ck_assert_int_eq(((uint8_t *)d->x)[i], images[16 + 2 * H * W + i] ? 255 : 0);
  d->y[1] = -1;
  BAD(dataset_count_classes(&error, d), CLDANN_E_FORMAT, "label -1");
  d->y[1] = 8;
  GOOD(dataset_count_classes(&error, d));
  ck_assert_int_eq(d->classes, 9);
  dataset_free(d);
  BAD(dataset_new(&error, &d, "none", DATA_U8, 0, 1, 1, 1, 0), CLDANN_E_ARG, "none");
  BAD(dataset_new(&error, &d, "huge", DATA_U8, 1, 70000, 70000, 3, 0), CLDANN_E_ARG, "huge");
}
END_TEST

void idx_tests(TCase *t) {
  tcase_add_test(t, idx_reads_plain_and_gzip);
  tcase_add_test(t, idx_is_a_format_of_files);
  tcase_add_test(t, idx_reads_colour_and_vectors);
  tcase_add_test(t, idx_truncated_anywhere);
  tcase_add_test(t, idx_wrong_files);
  tcase_add_test(t, idx_absurd_sizes);
  tcase_add_test(t, idx_cannot_write);
  tcase_add_test(t, idx_each_allocation_fails);
  tcase_add_test(t, dataset_edits);
}

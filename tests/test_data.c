/*
 * tests/test_data.c: readers, generators, sampler and downloads of src/data, on files the test makes itself in a folder
 * of its own. Every bad input must give one line that says what is wrong, leave no memory and no half-written file.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include <check.h>
#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <archive.h>
#include <archive_entry.h>
#include <jpeglib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/rng.h"
#include "data/archive.h"
#include "data/blobs.h"
#include "data/digits.h"
#include "data/fetch.h"
#include "data/find.h"
#include "data/idx.h"
#include "data/jpeg.h"
#include "data/mnistm.h"
#include "data/sampler.h"
#include "runner.h"

static cldann_error error;

static void fresh(void) {
  err_clear(&error);
  ck_assert_int_eq(mem_live(), 0);
}

/* The call must fail with this code and one line with this text in it. */
#define BAD(call, status, text)                                                                               \
  do {                                                                                                        \
    err_clear(&error);                                                                                        \
    ck_assert_int_eq((call), (status));                                                                       \
    ck_assert_msg(strstr(error.message, text) && !strchr(error.message, '\n'), "message: %s", error.message); \
  } while (0)

#define GOOD(call) ck_assert_msg((call) == 0, "%s", error.message)

static size_t read_file(const char *path, void *data, size_t room) {
  FILE *f = fopen(path, "rb");
  ck_assert_ptr_nonnull(f);
  size_t n = fread(data, 1, room, f);
  fclose(f);
  return n;
}

static void write_gz(const char *path, const void *data, size_t n) {
  gzFile f = gzopen(path, "wb9n");
  ck_assert_int_eq(gzwrite(f, data, (unsigned)n), (int)n);
  gzclose(f);
}

static int files_in(const char *path) {
  int n = 0;
  DIR *d = opendir(path);
  if (!d) return 0;
  for (struct dirent *f; (f = readdir(d));) n += f->d_name[0] != '.';
  closedir(d);
  return n;
}

/* ---- IDX ---- */

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

/* ---- archive, JPEG, MNIST-M ---- */

enum { SIDE = 40, PHOTOS = 5 };

static size_t make_jpeg(int k, int side, uint8_t *out, size_t room) {
  struct jpeg_compress_struct j;
  struct jpeg_error_mgr manager;
  unsigned char *bytes = NULL, row[3 * 64];
  unsigned long size = 0;
  j.err = jpeg_std_error(&manager);
  jpeg_create_compress(&j);
  jpeg_mem_dest(&j, &bytes, &size);
  j.image_width = j.image_height = (JDIMENSION)side;
  j.input_components = 3;
  j.in_color_space = JCS_RGB;
  jpeg_set_defaults(&j);
  j.dct_method = JDCT_ISLOW;
  jpeg_start_compress(&j, TRUE);
  for (int y = 0; y < side; y++) {
    JSAMPROW r = row;
    for (int x = 0; x < side; x++) {
      row[3 * x] = (unsigned char)(x * 5 + k * 40);
      row[3 * x + 1] = (unsigned char)(y * 6);
      row[3 * x + 2] = (unsigned char)((x + y + k) * 3);
    }
    jpeg_write_scanlines(&j, &r, 1);
  }
  jpeg_finish_compress(&j);
  jpeg_destroy_compress(&j);
  ck_assert_uint_le(size, room);
  memcpy(out, bytes, size);
  free(bytes);
  return size;
}

static void add_member(struct archive *a, const char *name, const void *data, size_t size) {
  struct archive_entry *m = archive_entry_new();
  archive_entry_set_pathname(m, name);
  archive_entry_set_size(m, (int64_t)size);
  archive_entry_set_filetype(m, AE_IFREG);
  archive_entry_set_perm(m, 0644);
  ck_assert_int_eq(archive_write_header(a, m), ARCHIVE_OK);
  ck_assert_int_eq(archive_write_data(a, data, size), (la_ssize_t)size);
  archive_entry_free(m);
}

/* A tarball in BSDS500's layout. photos < 0: none in train; broken: that photo is cut in half. */
static void make_tgz(const char *path, int photos, int side, int broken, int backwards) {
  uint8_t jpeg[8192];
  char name[80];
  struct archive *a = archive_write_new();
  archive_write_add_filter_gzip(a);
  archive_write_set_format_ustar(a);
  ck_assert_int_eq(archive_write_open_filename(a, path), ARCHIVE_OK);
  add_member(a, "BSR/README", "hello", 5);
  for (int i = 0; i < photos; i++) {
    int k = backwards ? photos - 1 - i : i;
    size_t n = make_jpeg(k, side, jpeg, sizeof jpeg);
    snprintf(name, sizeof name, "BSR/BSDS500/data/images/train/%d.jpg", 100 + k);
    add_member(a, name, jpeg, k == broken ? n / 2 : n);
  }
  add_member(a, "BSR/BSDS500/data/images/train/Thumbs.db", "x", 1);
  add_member(a, "BSR/BSDS500/data/images/test/1.jpg", jpeg, make_jpeg(9, side, jpeg, sizeof jpeg));
  archive_write_close(a);
  archive_write_free(a);
}

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

static void hash_of(const dataset *d, char hex[HASH_HEX]) {
  hash_bytes(d->x, (size_t)d->n * dataset_item_bytes(d), hex);
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

/* ---- generators ---- */

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

/* ---- sampler ---- */

START_TEST(sampler_epochs) {
  enum { ROWS = 103, BATCH = 10 };
  sampler *s = NULL, *t = NULL;
  int32_t rows[BATCH], again[BATCH], first[100], seen[ROWS];
  GOOD(sampler_new(&error, &s, "x", ROWS, BATCH, 9, RNG_SHUFFLE_SOURCE));
  ck_assert_int_eq(sampler_steps_per_epoch(s), 10);
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

/* ---- where data are, and downloads ---- */

START_TEST(finding) {
  char *p = NULL;
  mkdir(in("data"), 0777);
  mkdir(in("cache"), 0777);
  write_file(in("data/a.gz"), "x", 1);
  write_file(in("cache/b"), "x", 1);
  setenv("CLDANN_CACHE", in("cache"), 1);
  unsetenv("CLDANN_DATA");
  GOOD(data_find(&error, in("data"), "a", &p));
  ck_assert_str_eq(p, in("data/a.gz"));
  mem_free(p);
  GOOD(data_find(&error, in("data"), "b", &p));
  ck_assert_str_eq(p, in("cache/b"));
  mem_free(p);
  GOOD(data_find(&error, NULL, in("data/a.gz"), &p));
  ck_assert_str_eq(p, in("data/a.gz"));
  mem_free(p);
  BAD(data_find(&error, NULL, "a", &p), CLDANN_E_IO, "cldann data fetch mnist");
  setenv("CLDANN_DATA", in("data"), 1);
  GOOD(data_find(&error, NULL, "a", &p));
  mem_free(p);
  BAD(data_find(&error, "elsewhere", "BSR_bsds500.tgz", &p), CLDANN_E_IO, "fetch bsds500");
  ck_assert(strstr(error.message, "elsewhere") && strstr(error.message, in("data")) && strstr(error.message, in("cache")));
  unsetenv("CLDANN_DATA");
  unsetenv("CLDANN_CACHE");
  setenv("XDG_CACHE_HOME", "/x", 1);
  GOOD(data_cache_folder(&error, &p));
  ck_assert_str_eq(p, "/x/cldann");
  mem_free(p);
  unsetenv("XDG_CACHE_HOME");
  setenv("HOME", "/h", 1);
  GOOD(data_cache_folder(&error, &p));
  ck_assert_str_eq(p, "/h/.cache/cldann");
  mem_free(p);
}
END_TEST

#ifdef HAVE_LIBCURL

static FILE *server_input;
static char server[64];

/* Starts tests/http_server.py; 0 when there is no python3. */
static int server_start(void) {
  char command[700], port[16] = "";
  unlink(in("port"));
  mkdir(in("www"), 0777);
  snprintf(command, sizeof command, "exec python3 %s %s %s", source_path("tests/http_server.py"), in("www"), in("port"));
  setenv("no_proxy", "127.0.0.1", 1);
  if (system("python3 -c 'import http.server' 2>/dev/null") != 0 || !(server_input = popen(command, "w"))) return 0;
  for (int i = 0; i < 200 && access(in("port"), F_OK) != 0; i++) usleep(50000);
  ck_assert_int_eq(access(in("port"), F_OK), 0);
  ck_assert_uint_gt(read_file(in("port"), port, sizeof port - 1), 0);
  snprintf(server, sizeof server, "http://127.0.0.1:%s", port);
  return 1;
}

static void server_stop(void) {
  if (server_input) pclose(server_input); /* it ends when its input does */
  server_input = NULL;
}

static int count_calls(void *user, const char *path, int64_t done, int64_t total) {
  (void)path;
  ck_assert_int_le(done, total);
  ++*(int *)user;
  return 0;
}

static int stop_now(void *user, const char *path, int64_t done, int64_t total) {
  (void)user, (void)path, (void)done, (void)total;
  return 1;
}

enum { SIZE = 100000 };

static void mirror(const char *mode) {
  char base[128];
  snprintf(base, sizeof base, "%s/%s", server, mode);
  setenv("CLDANN_MIRROR", base, 1);
}

static void same_file(const char *path, const uint8_t *want) {
  static uint8_t back[SIZE + 1];
  ck_assert_uint_eq(read_file(path, back, sizeof back), SIZE);
  ck_assert_int_eq(memcmp(back, want, SIZE), 0);
}

START_TEST(fetching) {
  static uint8_t body[SIZE];
  char hex[HASH_HEX];
  int calls = 0;
  if (!server_start()) return;
  for (int i = 0; i < SIZE; i++) body[i] = (uint8_t)(i * 7 + i / 1000);
  hash_bytes(body, SIZE, hex);
  mkdir(in("www/set"), 0777);
  write_file(in("www/set/f"), body, SIZE);
  fetch_file row = {"set/f", {"http://127.0.0.1:1/f"}, hex, SIZE, NULL};
  mirror("plain");
  GOOD(fetch_one(&error, &row, in("got"), count_calls, &calls));
  same_file(in("got/set/f"), body);
  ck_assert_int_gt(calls, 0);
  ck_assert_int_eq(files_in(in("got/set")), 1);
  mirror("missing"); /* nothing is asked for when the file is there and right */
  GOOD(fetch_one(&error, &row, in("got"), NULL, NULL));
  write_file(in("got/set/f"), body, SIZE - 1); /* there but wrong: fetched anew */
  BAD(fetch_one(&error, &row, in("got"), NULL, NULL), CLDANN_E_NET, "the server answers 404");
  mirror("plain");
  err_clear(&error);
  GOOD(fetch_one(&error, &row, in("got"), NULL, NULL));
  same_file(in("got/set/f"), body);
  unlink(in("got/set/f"));

  mirror("short"); /* half the body, then the line breaks; each call goes on from there */
  BAD(fetch_one(&error, &row, in("got"), NULL, NULL), CLDANN_E_NET, "cannot fetch");
  struct stat st;
  ck_assert_int_eq(stat(in("got/set/f.part"), &st), 0);
  ck_assert_int_eq(st.st_size, SIZE / 2);
  BAD(fetch_one(&error, &row, in("got"), NULL, NULL), CLDANN_E_NET, "cannot fetch");
  ck_assert_int_eq(stat(in("got/set/f.part"), &st), 0);
  ck_assert_int_eq(st.st_size, SIZE / 2 + SIZE / 4);
  mirror("plain");
  err_clear(&error);
  GOOD(fetch_one(&error, &row, in("got"), NULL, NULL));
  same_file(in("got/set/f"), body);
  unlink(in("got/set/f"));

  static const size_t left[] = {1, SIZE / 3, SIZE, SIZE + 0, SIZE * 2};
  static uint8_t longer[2 * SIZE];
  memcpy(longer, body, SIZE);
  for (int known = 0; known < 2; known++)
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
      if (!known && left[i] >= SIZE) continue;
      write_file(in("got/set/f.part"), longer, left[i]);
      row.bytes = known ? SIZE : 0;
      mirror(i & 1 ? "norange" : "plain");
      GOOD(fetch_one(&error, &row, in("got"), NULL, NULL));
      same_file(in("got/set/f"), body);
      unlink(in("got/set/f"));
    }
  server_stop();
}
END_TEST

START_TEST(fetching_goes_wrong) {
  static uint8_t body[SIZE];
  char hex[HASH_HEX], url[128];
  if (!server_start()) return;
  hash_bytes("other", 5, hex);
  mkdir(in("www/set"), 0777);
  write_file(in("www/set/g"), body, SIZE);
  snprintf(url, sizeof url, "%s/plain/set/g", server);
  unsetenv("CLDANN_MIRROR");
  fetch_file row = {"set/g", {"http://127.0.0.1:1/g", url, NULL}, hex, SIZE, NULL};
  BAD(fetch_one(&error, &row, in("bad"), NULL, NULL), CLDANN_E_FORMAT, "wrong SHA-256");
  ck_assert_int_eq(files_in(in("bad/set")), 0);
  hash_bytes(body, SIZE, hex);
  err_clear(&error);
  write_file(in("bad/set/g.part"), "wrong", 5); /* a .part of something else: removed, and the next try is whole */
  BAD(fetch_one(&error, &row, in("bad"), NULL, NULL), CLDANN_E_FORMAT, "wrong SHA-256");
  err_clear(&error);
  GOOD(fetch_one(&error, &row, in("bad"), NULL, NULL)); /* the first address is dead, the second serves */
  same_file(in("bad/set/g"), body);
  unlink(in("bad/set/g"));
  mirror("missing");
  BAD(fetch_one(&error, &row, in("bad"), NULL, NULL), CLDANN_E_NET, "answers 404");
  setenv("CLDANN_MIRROR", "http://127.0.0.1:1", 1);
  BAD(fetch_one(&error, &row, in("bad"), NULL, NULL), CLDANN_E_NET, "CLDANN_MIRROR");
  setenv("CLDANN_MIRROR", "file:///etc", 1);
  BAD(fetch_one(&error, &row, in("bad"), NULL, NULL), CLDANN_E_NET, "cannot fetch");
  mirror("plain");
  BAD(fetch_one(&error, &row, in("bad"), stop_now, NULL), CLDANN_E_INTERRUPTED, "run it again");
  BAD(fetch_one(&error, &row, in("www/set/g"), NULL, NULL), CLDANN_E_IO, "a file has that name");
  unlink(in("bad/set/g.part"));
  struct rlimit old, low;
  getrlimit(RLIMIT_FSIZE, &old);
  low = old;
  low.rlim_cur = 30000;
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &low);
  BAD(fetch_one(&error, &row, in("bad"), NULL, NULL), CLDANN_E_IO, "cannot write set/g");
  setrlimit(RLIMIT_FSIZE, &old);
  unlink(in("bad/set/g.part"));
  make_tgz(in("www/BSR_bsds500.tgz"), PHOTOS, SIDE, -1, 0);
  BAD(data_fetch(&error, "bsds500", in("bad"), NULL, NULL), CLDANN_E_FORMAT, "5, 1, 0 jpg");
  BAD(data_fetch(&error, "svhn", in("bad"), NULL, NULL), CLDANN_E_ARG, "choose mnist or bsds500");
  ck_assert_int_eq(files_in(in("bad")), 1);
  unsetenv("CLDANN_MIRROR");
  server_stop();
}
END_TEST

#else

START_TEST(fetching_without_curl) {
  BAD(data_fetch(&error, "mnist", in("cache"), NULL, NULL), CLDANN_E_NET, "without libcurl");
}
END_TEST

#endif

static void add_tests(TCase *t) {
  const TTest *const tests[] = {
      idx_reads_plain_and_gzip,
      idx_reads_colour_and_vectors,
      idx_truncated_anywhere,
      idx_wrong_files,
      idx_absurd_sizes,
      idx_cannot_write,
      idx_each_allocation_fails,
      dataset_edits,
      jpeg_decodes_or_says,
      mnistm_known_and_the_same_for_any_threads,
      mnistm_pixels,
      mnistm_bad_tarballs,
      mnistm_writes_all_or_nothing,
      mnistm_each_allocation_fails,
      blobs_points,
      digits_sets,
      digits_look_like_digits,
      sampler_epochs,
      sampler_is_fair,
      finding,
#ifdef HAVE_LIBCURL
      fetching,
      fetching_goes_wrong,
#else
      fetching_without_curl,
#endif
  };
  for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) tcase_add_test(t, tests[i]);
}

int main(void) {
  Suite *s = suite_create("data");
  TCase *t = tcase_create("data");
  suite_add_tcase(s, t);
  tcase_set_timeout(t, 120);
  tcase_add_checked_fixture(t, fresh, no_leak);
  add_tests(t);
  return runner_run(s, NULL);
}

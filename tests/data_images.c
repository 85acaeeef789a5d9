/* tests/data_images.c: folders and lists of PNG and JPEG files, and the resampling of pictures. */
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/text.h"
#include "data/classes.h"
#include "data/png.h"
#include "data/resample.h"
#include "data_files.h"
#include "data_suites.h"
#include "runner.h"

static cldann_error error;

/* What pixel (y,x) of picture k is. */
static void pixel(int k, int y, int x, uint8_t rgb[3]) {
  rgb[0] = (uint8_t)(k * 50 + y * 7);
  rgb[1] = (uint8_t)(x * 11);
  rgb[2] = (uint8_t)(y * x + k);
}

/* Picture k as PNG of libpng's colour type and depth; interlaced when asked to. Its size. */
static size_t make_png(int k, int h, int w, int type, int depth, int interlaced, uint8_t *out, size_t room) {
  char *bytes = NULL;
  size_t size = 0;
  FILE *f = open_memstream(&bytes, &size);
  png_structp p = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
  png_infop info = png_create_info_struct(p);
  png_color colours[256];
  png_byte clear[] = {0, 128};
  uint8_t rows[64][64 * 8], *row[64];
  const int channels =
      type & PNG_COLOR_MASK_PALETTE ? 1 : (type & PNG_COLOR_MASK_COLOR ? 3 : 1) + ((type & PNG_COLOR_MASK_ALPHA) != 0);
  for (int i = 0; i < 256; i++) colours[i] = (png_color){(png_byte)i, (png_byte)(255 - i), (png_byte)(i ^ 85)};
  png_init_io(p, f);
  png_set_IHDR(p, info, (png_uint_32)w, (png_uint_32)h, depth, type, interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (type == PNG_COLOR_TYPE_PALETTE) png_set_PLTE(p, info, colours, 256), png_set_tRNS(p, info, clear, 2, NULL);
  png_set_gAMA(p, info, 1.0); /* must not change what is read */
  for (int y = 0; y < h; y++) {
    row[y] = rows[y];
    for (int x = 0; x < w; x++) {
      uint8_t rgb[3];
      pixel(k, y, x, rgb);
      for (int c = 0; c < channels; c++) {
        const uint8_t v = c == channels - 1 && type & PNG_COLOR_MASK_ALPHA ? (uint8_t)(x * 3) : rgb[c];
        uint8_t *to = rows[y] + (x * channels + c) * depth / 8;
        to[0] = v;
        if (depth == 16) to[1] = 77;
      }
    }
  }
  png_set_rows(p, info, row);
  png_write_png(p, info, PNG_TRANSFORM_IDENTITY, NULL);
  png_destroy_write_struct(&p, &info);
  fclose(f);
  ck_assert_uint_le(size, room);
  memcpy(out, bytes, size);
  free(bytes);
  return size;
}

static void put_png(const char *path, int k, int h, int w) {
  uint8_t bytes[8192];
  write_file(path, bytes, make_png(k, h, w, PNG_COLOR_TYPE_RGB, 8, 0, bytes, sizeof bytes));
}

START_TEST(png_kinds) {
  static const int types[] = {PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA,
                              PNG_COLOR_TYPE_PALETTE};
  uint8_t bytes[8192], rgb[3];
  picture p;
  for (size_t t = 0; t < 5; t++)
    for (int depth = 8; depth <= (types[t] == PNG_COLOR_TYPE_PALETTE ? 8 : 16); depth += 8)
      for (int interlaced = 0; interlaced < 2; interlaced++) {
        const size_t n = make_png(1, 9, 13, types[t], depth, interlaced, bytes, sizeof bytes);
        GOOD(png_decode(&error, "p", bytes, n, &p));
        ck_assert(p.h == 9 && p.w == 13);
        for (int y = 0; y < 9; y++)
          for (int x = 0; x < 13; x++) {
            const uint8_t *got = p.rgb + (y * 13 + x) * 3;
            pixel(1, y, x, rgb);
            if (!(types[t] & PNG_COLOR_MASK_COLOR)) rgb[1] = rgb[2] = rgb[0];
            if (types[t] == PNG_COLOR_TYPE_PALETTE) rgb[1] = (uint8_t)(255 - rgb[0]), rgb[2] = rgb[0] ^ 85;
            ck_assert_mem_eq(got, rgb, 3);
          }
        mem_free(p.rgb);
        for (size_t cut = 0; cut < n; cut += 3) BAD(png_decode(&error, "p", bytes, cut, &p), CLDANN_E_FORMAT, "p is corrupt: ");
        for (size_t at = 0; at < n; at++) {
          bytes[at] ^= 0x11;
          err_clear(&error);
          if (png_decode(&error, "p", bytes, n, &p) == 0) mem_free(p.rgb);
          bytes[at] ^= 0x11;
        }
      }
}
END_TEST

/* Against the values of Pillow's Image.resize(BILINEAR) of the same picture. */
START_TEST(resampling) {
  static const uint8_t small[2][3][3] = {{{107, 9, 3}, {107, 33, 5}, {107, 57, 7}},
                                         {{121, 9, 5}, {121, 33, 11}, {121, 57, 17}}},
                       mixed[4][2][3] = {{{107, 26, 4}, {107, 40, 6}},
                                         {{111, 26, 6}, {111, 40, 8}},
                                         {{117, 26, 8}, {117, 40, 11}},
                                         {{121, 26, 9}, {121, 40, 13}}};
  picture p = {5, 7, NULL};
  for (int round = 0; round < 2; round++) {
    GOOD(mem_new(&error, &p.rgb, 5 * 7, 3));
    p.h = 5, p.w = 7;
    for (int y = 0; y < 5; y++)
      for (int x = 0; x < 7; x++) pixel(2, y, x, p.rgb + (y * 7 + x) * 3);
    if (round == 0) {
      GOOD(picture_resize(&error, &p, 2, 3));
      ck_assert_mem_eq(p.rgb, small, sizeof small);
    } else {
      picture_crop(&p, 3, 3); /* rows 1..3, columns 2..4 */
      uint8_t rgb[3];
      pixel(2, 3, 4, rgb);
      ck_assert(p.h == 3 && p.w == 3);
      ck_assert_mem_eq(p.rgb + 8 * 3, rgb, 3);
      GOOD(picture_resize(&error, &p, 4, 2));
      ck_assert_mem_eq(p.rgb, mixed, sizeof mixed);
    }
    mem_free(p.rgb);
  }
}
END_TEST

static void make_folders(void) {
  uint8_t jpeg[8192];
  mkdir(in("g"), 0777);
  mkdir(in("g/dog"), 0777);
  mkdir(in("g/cat"), 0777);
  mkdir(in("g/.hidden"), 0777);
  put_png(in("g/dog/b.png"), 1, 12, 10);
  write_file(in("g/dog/a.JPG"), jpeg, make_jpeg(2, 12, jpeg, sizeof jpeg)); /* 12 x 12 */
  put_png(in("g/cat/0.jpeg"), 0, 12, 10);                                   /* the content counts */
  write_file(in("g/cat/Thumbs.db"), "x", 1);
}

/* Sets that are no image files: floats to bytes, then the same arithmetic, a channel or three. */
/* A quarter turn moves pixels and changes none; an eighth mixes neighbours; half a turn is two quarters. */
START_TEST(rotated_sets) {
  static const uint8_t image[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 30};
  static const uint8_t square[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, left[9] = {3, 6, 9, 2, 5, 8, 1, 4, 7};
  dataset *d;
  GOOD(dataset_new(&error, &d, "square", DATA_U8, 2, 3, 3, 1, 0));
  memcpy(d->x, square, 9), memcpy((uint8_t *)d->x + 9, left, 9);
  GOOD(dataset_rotate(&error, d, 90));
  ck_assert_mem_eq(d->x, left, 9);
  GOOD(dataset_rotate(&error, d, -90));
  ck_assert_mem_eq(d->x, square, 9);
  ck_assert_mem_eq((uint8_t *)d->x + 9, left, 9);
  GOOD(dataset_rotate(&error, d, 45));
  ck_assert_int_eq(((uint8_t *)d->x)[4], 5); /* the middle stays */
  ck_assert_int_eq(((uint8_t *)d->x)[1], 4); /* from row .293, column 1.707, where the plane 1 + 3 row + column is 3.59 */
  ck_assert_int_eq(((uint8_t *)d->x)[0], 1); /* from row -.414, column 1: .586 of a 2, the rest from outside */
  dataset_free(d);
  GOOD(dataset_new(&error, &d, "colours", DATA_U8, 1, 2, 2, 3, 0));
  memcpy(d->x, image, 12);
  GOOD(dataset_rotate(&error, d, 180));
  ck_assert_mem_eq(d->x, ((uint8_t[]){10, 20, 30, 7, 8, 9, 4, 5, 6, 1, 2, 3}), 12);
  dataset_free(d);
  GOOD(dataset_new(&error, &d, "floats", DATA_F32, 1, 2, 2, 1, 0));
  BAD(dataset_rotate(&error, d, 10), CLDANN_E_ARG, "no images of bytes to rotate");
  dataset_free(d);
}
END_TEST

START_TEST(resampled_sets) {
  static const char rows[] = "0 1:0.5 2:1\n1 0:1 1:1 2:1 3:1\n";
  dataset *d = NULL;
  write_file(in("rows"), rows, strlen(rows));
  GOOD(file_read(
      &error, &(file_request){.path = in("rows"), .width = 4, .shape = {2, 2, 1}, .bytes = 1, .resize = {4, 2}, .crop = {2, 1}},
      &d));
  ck_assert(d->n == 2 && d->h == 2 && d->w == 1 && d->c == 1 && d->type == DATA_U8 && d->y[1] == 1);
  const uint8_t *x = d->x; /* the left column is 0, 255; between them a quarter and three quarters */
  ck_assert(x[0] == 64 && x[1] == 191 && x[2] == 255 && x[3] == 255);
  BAD(dataset_resample(&error, d, (int[]){0, 0}, (int[]){3, 1}), CLDANN_E_ARG, "fewer than crop = [3, 1]");
  dataset_free(d);
  d = NULL;
  const file_request r = {.path = in("rows"), .width = 12, .shape = {2, 2, 3}, .bytes = 1, .resize = {3, 3}};
  GOOD(file_read(&error, &r, &d));
  ck_assert(d->h == 3 && d->w == 3 && d->c == 3);
  x = d->x;
  ck_assert(x[0] == 0 && x[1] == 128 && x[2] == 255);
  dataset_free(d);
  d = NULL;
  sweep_allocations(&r);
  BAD(file_read(&error, &(file_request){.path = in("rows"), .width = 4, .resize = {3, 3}}, &d), CLDANN_E_ARG,
      "holds no images of bytes");
  write_file(in("rows"), "0 1:1.5\n", 8);
  BAD(file_read(&error, &(file_request){.path = in("rows"), .bytes = 1}, &d), CLDANN_E_FORMAT,
      "has the number 1.5; only numbers from 0 to 1");
  ck_assert_ptr_null(d);
}
END_TEST

START_TEST(image_folders) {
  dataset *d = NULL;
  uint8_t rgb[3];
  char path[64]; /* in() is good for a few calls only */
  snprintf(path, sizeof path, "%s/g", folder);
  make_folders();
  const file_request r = {.path = path, .crop = {12, 10}};
  GOOD(file_read(&error, &r, &d));
  ck_assert(d->n == 3 && d->h == 12 && d->w == 10 && d->c == 3 && d->type == DATA_U8 && d->classes == 2 && d->left_out == 0);
  ck_assert(d->y[0] == 0 && d->y[1] == 1 && d->y[2] == 1);
  ck_assert_str_eq(d->names->name[1], "dog");
  pixel(1, 3, 4, rgb); /* cat/0.jpeg, dog/a.JPG, dog/b.png */
  ck_assert_mem_eq((uint8_t *)d->x + (2 * 120 + 3 * 10 + 4) * 3, rgb, 3);
  dataset_free(d);
  GOOD(file_read(&error, &(file_request){.path = in("g/dog"), .resize = {5, 6}}, &d));
  ck_assert(d->n == 2 && d->h == 5 && d->w == 6 && !d->y && d->classes == 0);
  dataset_free(d);
  GOOD(file_read(&error, &(file_request){.path = in("g/dog/b.png")}, &d));
  ck_assert(d->n == 1 && !d->y && text_ends_with(d->files[0], "g/dog/b.png"));
  dataset_free(d);
  d = NULL;
  d = NULL;
  sweep_allocations(&r);
  BAD(file_read(&error, &(file_request){.path = in("g")}, &d), CLDANN_E_FORMAT, "g/dog/a.JPG has 12 x 12 pixels but ");
  ck_assert(strstr(error.message, "g/cat/0.jpeg has 12 x 10; give resize"));
  BAD(file_read(&error, &(file_request){.path = in("g"), .crop = {12, 12}}, &d), CLDANN_E_FORMAT, "fewer than crop = [12, 12]");
  BAD(file_read(&error, &(file_request){.path = in("g"), .labels = "x"}, &d), CLDANN_E_ARG,
      "format folder, which has no labels");
  write_file(in("g/dog/c.png"), "\x89PNG\r\n\x1a\nrest", 12);
  BAD(file_read(&error, &r, &d), CLDANN_E_FORMAT, "g/dog/c.png is corrupt");
  ck_assert_ptr_nonnull(strstr(error.message, "skip_bad = true"));
  write_file(in("g/cat/z.jpg"), "text", 4);
  BAD(file_read(&error, &r, &d), CLDANN_E_FORMAT, "g/cat/z.jpg is neither PNG nor JPEG");
  GOOD(file_read(&error, &(file_request){.path = in("g"), .crop = {12, 10}, .skip_bad = 1}, &d));
  ck_assert(d->n == 3 && d->left_out == 2 && d->y[0] == 0 && d->y[2] == 1);
  ck_assert(d->files && text_ends_with(d->files[0], "g/cat/0.jpeg") && text_ends_with(d->files[2], "g/dog/b.png"));
  GOOD(dataset_trim(&error, d, 1, 1));
  ck_assert(d->n == 1 && text_ends_with(d->files[0], "g/dog/a.JPG"));
  dataset_free(d);
  d = NULL;
  mkdir(in("g/bird"), 0777);
  BAD(file_read(&error, &r, &d), CLDANN_E_FORMAT, "g/bird has no .png");
  put_png(in("g/loose.png"), 0, 12, 10);
  BAD(file_read(&error, &r, &d), CLDANN_E_FORMAT, "images beside folders, as loose.png and bird/");
  ck_assert_ptr_null(d);
  remove(in("g/loose.png"));
}
END_TEST

START_TEST(image_folders_of_numbers) {
  dataset *d = NULL;
  uint8_t bytes[8192];
  const size_t n = make_png(0, 4, 4, PNG_COLOR_TYPE_GRAY, 8, 0, bytes, sizeof bytes);
  mkdir(in("n"), 0777);
  static const char *const names[] = {"n/10", "n/2", "n/1"};
  for (int i = 0; i < 3; i++) {
    char path[64];
    mkdir(in(names[i]), 0777);
    snprintf(path, sizeof path, "%s/a.png", names[i]);
    write_file(in(path), bytes, n);
  }
  GOOD(file_read(&error, &(file_request){.path = in("n")}, &d));
  ck_assert(d->n == 3 && d->c == 1 && d->y[0] == 0 && d->y[1] == 2 && d->y[2] == 1); /* 1, 10, 2; grey is one channel */
  ck_assert(((uint8_t *)d->x)[4] == 7);
  dataset_free(d);
  d = NULL;
  mkdir(in("n/02"), 0777);
  write_file(in("n/02/a.png"), bytes, n);
  BAD(file_read(&error, &(file_request){.path = in("n")}, &d), CLDANN_E_FORMAT, "two folders for the class 2");
}
END_TEST

START_TEST(image_lists) {
  dataset *d = NULL;
  static const char list[] = "# image class\npics/with space.png 17\npics/b.png\t3\r\n\n  pics/with space.png    17  \n";
  mkdir(in("pics"), 0777);
  put_png(in("pics/with space.png"), 1, 6, 6);
  put_png(in("pics/b.png"), 2, 6, 6);
  char path[64];
  snprintf(path, sizeof path, "%s/list", folder);
  const file_request r = {.path = path};
  write_file(r.path, list, strlen(list));
  GOOD(file_read(&error, &r, &d));
  ck_assert(d->n == 3 && d->h == 6 && d->classes == 2 && d->y[0] == 1 && d->y[1] == 0 && d->y[2] == 1);
  ck_assert_str_eq(d->names->name[1], "17");
  ck_assert(((uint8_t *)d->x)[2] == 1 && ((uint8_t *)d->x)[108 + 2] == 2);
  dataset_free(d);
  sweep_damage(r.path, &r, 1, 1);
  sweep_allocations(&r);
  write_file(r.path, "pics/b.png\npics/with space.png\n", 31);
  GOOD(file_read(&error, &r, &d));
  ck_assert(d->n == 2 && !d->y);
  dataset_free(d);
  d = NULL;
  write_file(r.path, "pics/b.png\npics/b.png 1\n", 24);
  BAD(file_read(&error, &r, &d), CLDANN_E_FORMAT, "list:2: the line has a label, but those before it have none");
  write_file(r.path, "pics/b.png 1\npics/none.png 1\n", 29);
  BAD(file_read(&error, &r, &d), CLDANN_E_IO, "pics/none.png: No such file");
  GOOD(file_read(&error, &(file_request){.path = in("list"), .skip_bad = 1}, &d));
  ck_assert(d->n == 1 && d->left_out == 1);
  dataset_free(d);
  d = NULL;
  write_file(r.path, "pics/none.png 1\n", 16);
  BAD(file_read(&error, &(file_request){.path = in("list"), .skip_bad = 1}, &d), CLDANN_E_FORMAT, "none of its 1 images");
  ck_assert_ptr_null(d);
}
END_TEST

void image_tests(TCase *t) {
  tcase_add_test(t, png_kinds);
  tcase_add_test(t, resampling);
  tcase_add_test(t, resampled_sets);
  tcase_add_test(t, rotated_sets);
  tcase_add_test(t, image_folders);
  tcase_add_test(t, image_folders_of_numbers);
  tcase_add_test(t, image_lists);
}

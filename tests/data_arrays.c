/* tests/data_arrays.c: the formats of named arrays, HDF5, MATLAB and NumPy, in files written here by their own libraries. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "data_files.h"
#include "data_suites.h"
#include "runner.h"

static cldann_error error;

enum { N = 6, W = 12 };

#ifdef HAVE_HDF5
#include <hdf5.h>

static void put_h5(hid_t file, const char *name, hid_t stored, hid_t type, int rank, const hsize_t *size, const void *data,
                   int packed) {
  hid_t make = H5Pcreate(H5P_LINK_CREATE), how = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(rank, size, NULL);
  H5Pset_create_intermediate_group(make, 1);
  if (packed) H5Pset_chunk(how, rank, size), H5Pset_deflate(how, 9);
  hid_t set = H5Dcreate2(file, name, stored, space, make, how, H5P_DEFAULT);
  ck_assert(set >= 0 && (!data || H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0));
  H5Dclose(set);
  H5Sclose(space);
  H5Pclose(how);
  H5Pclose(make);
}

static void make_h5(const char *path, int packed) {
  float x[N][W], nan[N][W];
  unsigned char bytes[N][2][3][2];
  int y[N], odd[N];
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), text = H5Tcopy(H5T_C_S1);
  for (int i = 0; i < N; i++) y[i] = 3 - i % 3, odd[i] = i;
  for (int i = 0; i < N * W; i++) {
    x[i / W][i % W] = nan[i / W][i % W] = (float)i / 4;
    ((unsigned char *)bytes)[i] = (unsigned char)(i * 7);
  }
  nan[4][5] = NAN;
  put_h5(file, "train/data", H5T_IEEE_F64BE, H5T_NATIVE_FLOAT, 2, (hsize_t[]){N, W}, x, packed); /* swapped and wider */
  put_h5(file, "train/target", H5T_STD_I16LE, H5T_NATIVE_INT, 2, (hsize_t[]){N, 1}, y, 0);
  put_h5(file, "pictures", H5T_STD_U8LE, H5T_NATIVE_UCHAR, 4, (hsize_t[]){N, 2, 3, 2}, bytes, packed);
  put_h5(file, "nan", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 2, (hsize_t[]){N, W}, nan, 0);
  put_h5(file, "few", H5T_STD_I32LE, H5T_NATIVE_INT, 1, (hsize_t[]){N - 1}, odd, 0);
  put_h5(file, "deep", H5T_STD_U8LE, H5T_NATIVE_UCHAR, 5, (hsize_t[]){1, 1, 1, N, 2}, bytes, 0);
  put_h5(file, "words", text, text, 1, (hsize_t[]){N}, "abcdef", 0);
  put_h5(file, "unwritten", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 2, (hsize_t[]){1u << 30, 1u << 20}, NULL, 0);
  H5Tclose(text);
  H5Fclose(file);
}

START_TEST(hdf5_reads) {
  dataset *d = NULL;
  for (int packed = 0; packed < 2; packed++) {
    make_h5(in("h"), packed);
    GOOD(file_read(
        &error, &(file_request){.path = in("h"), .features = "train/data", .labels = "train/target", .shape = {3, 4, 1}}, &d));
    ck_assert(d->n == N && d->h == 3 && d->w == 4 && d->c == 1 && d->type == DATA_F32 && d->classes == 3);
    for (int i = 0; i < N * W; i++) ck_assert(((float *)d->x)[i] == (float)i / 4);
    for (int i = 0; i < N; i++) ck_assert_int_eq(d->y[i], 2 - i % 3);
    dataset_free(d);
    GOOD(file_read(&error, &(file_request){.path = in("h"), .features = "/pictures"}, &d));
    ck_assert(d->n == N && d->h == 2 && d->w == 3 && d->c == 2 && d->type == DATA_U8 && !d->y);
    for (int i = 0; i < N * W; i++) ck_assert(((uint8_t *)d->x)[i] == (uint8_t)(i * 7));
    dataset_free(d);
  }
}
END_TEST

START_TEST(hdf5_bad) {
  dataset *d = NULL;
  make_h5(in("h"), 1);
#define READ(x, y) file_read(&error, &(file_request){.path = in("h"), .features = (x), .labels = (y)}, &d)
  BAD(READ(NULL, NULL), CLDANN_E_ARG,
      "Give features = \"...\"; the file has deep, few, nan, pictures, train/data, train/target");
  BAD(READ("data", NULL), CLDANN_E_ARG, "h has no data for features; it has deep");
  BAD(READ("train", NULL), CLDANN_E_ARG, "h has no train for features");
  BAD(READ("train/data", "y"), CLDANN_E_ARG, "has no y for labels");
  BAD(READ("train/data", "few"), CLDANN_E_FORMAT, "few is not one label for each of the 6 items");
  BAD(READ("train/data", "train/data"), CLDANN_E_FORMAT, "is not one label");
  BAD(READ("few", "words"), CLDANN_E_FORMAT, "words holds no plain numbers");
  BAD(READ("nan", "train/target"), CLDANN_E_FORMAT, "number 5 of item 4 is nan");
  BAD(READ("deep", NULL), CLDANN_E_FORMAT, "5 dimensions");
  BAD(READ("unwritten", NULL), CLDANN_E_FORMAT, "unwritten holds no data");
  const file_request r = {.path = in("h"), .features = "train/data", .labels = "train/target"};
  sweep_cuts(r.path, &r, 7);
  sweep_damage(r.path, &r, 7, 0); /* libhdf5 1.10 itself may crash of changed bytes */
  sweep_allocations(&r);
  write_file(in("h"), "\x89HDF\r\n\x1a\nand no more", 20);
  BAD(READ("x", NULL), CLDANN_E_FORMAT, "libhdf5 cannot open it");
#undef READ
}
END_TEST
#else
START_TEST(hdf5_left_out) {
  dataset *d = NULL;
  write_file(in("h"), "\x89HDF\r\n\x1a\n", 8);
  BAD(file_read(&error, &(file_request){.path = in("h")}, &d), CLDANN_E_ARG, "this build is without it; install libhdf5");
}
END_TEST
#endif

#ifdef HAVE_MATIO
#include <matio.h>

static void put_mat(mat_t *mat, const char *name, enum matio_classes class, enum matio_types type, int rank, size_t *size,
                    void *data, int packed) {
  matvar_t *v = Mat_VarCreate(name, class, type, rank, size, data, 0);
  ck_assert(v && Mat_VarWrite(mat, v, packed ? MAT_COMPRESSION_ZLIB : MAT_COMPRESSION_NONE) == 0);
  Mat_VarFree(v);
}

/* First index fastest, as MATLAB has it. 0: this matio has no such version. */
static int make_mat(const char *path, enum mat_ft version, int packed) {
  double x[W][N], y[N];
  unsigned char bytes[N][W], pictures[N][2][3][2]; /* n, c, w, h */
  char text[] = "hello";
  remove(path);
  mat_t *mat = Mat_CreateVer(path, NULL, version);
  if (!mat) return 0;
  for (int i = 0; i < N; i++) y[i] = i % 3 + 1;
  for (int i = 0; i < N * W; i++) {
    x[i % W][i / W] = i * .25;
    ((unsigned char *)bytes)[i] = (unsigned char)(i * 7);
  }
  for (int i = 0; i < N * W; i++) pictures[i / W][i % 2][i / 2 % 3][i / 6 % 2] = (unsigned char)(i * 7);
  put_mat(mat, "fts", MAT_C_DOUBLE, MAT_T_DOUBLE, 2, (size_t[]){N, W}, x, packed);
  put_mat(mat, "labels", MAT_C_DOUBLE, MAT_T_DOUBLE, 2, (size_t[]){N, 1}, y, packed);
  put_mat(mat, "X", MAT_C_UINT8, MAT_T_UINT8, 4, (size_t[]){2, 3, 2, N}, pictures, packed);
  put_mat(mat, "half", MAT_C_UINT8, MAT_T_UINT8, 2, (size_t[]){N / 2, 2 * W}, bytes, packed);
  put_mat(mat, "text", MAT_C_CHAR, MAT_T_UINT8, 2, (size_t[]){1, 5}, text, packed);
  x[5][4] = INFINITY;
  put_mat(mat, "inf", MAT_C_DOUBLE, MAT_T_DOUBLE, 2, (size_t[]){N, W}, x, packed);
  y[1] = 1.5;
  put_mat(mat, "broken", MAT_C_DOUBLE, MAT_T_DOUBLE, 2, (size_t[]){1, N}, y, packed);
  Mat_Close(mat);
  return 1;
}

START_TEST(matlab_reads) {
  static const enum mat_ft versions[] = {MAT_FT_MAT5, MAT_FT_MAT5, MAT_FT_MAT73};
  dataset *d = NULL;
  for (int k = 0; k < 3; k++) {
    if (!make_mat(in("m"), versions[k], k == 1)) continue;
    GOOD(file_read(&error, &(file_request){.path = in("m"), .features = "fts", .labels = "labels"}, &d));
    ck_assert(d->n == N && d->h == 1 && d->w == 1 && d->c == W && d->type == DATA_F32 && d->classes == 3);
    for (int i = 0; i < N * W; i++) ck_assert(((float *)d->x)[i] == (float)i / 4);
    for (int i = 0; i < N; i++) ck_assert_int_eq(d->y[i], i % 3);
    dataset_free(d);
    GOOD(file_read(&error, &(file_request){.path = in("m"), .features = "X"}, &d));
    ck_assert(d->n == N && d->h == 2 && d->w == 3 && d->c == 2 && d->type == DATA_U8 && !d->y);
    for (int i = 0; i < N * W; i++) ck_assert(((uint8_t *)d->x)[i] == (uint8_t)(i * 7));
    dataset_free(d);
  }
}
END_TEST

START_TEST(matlab_bad) {
  dataset *d = NULL;
  ck_assert(make_mat(in("m"), MAT_FT_MAT5, 1));
#define READ(x, y) file_read(&error, &(file_request){.path = in("m"), .features = (x), .labels = (y)}, &d)
  BAD(READ(NULL, NULL), CLDANN_E_ARG, "the file has fts, labels, X, half, text, inf, broken");
  BAD(READ("features", NULL), CLDANN_E_ARG, "m has no features for features; it has fts, labels, X");
  BAD(READ("fts", "y"), CLDANN_E_ARG, "m has no y for labels; it has fts");
  BAD(READ("text", NULL), CLDANN_E_FORMAT, "text is no full array of real numbers");
  BAD(READ("half", "labels"), CLDANN_E_FORMAT, "labels is not one label for each of the 3 items");
  BAD(READ("fts", "fts"), CLDANN_E_FORMAT, "fts is not one label");
  BAD(READ("fts", "broken"), CLDANN_E_FORMAT, "broken[1]: the label 1.5 is no whole number");
  BAD(READ("inf", "labels"), CLDANN_E_FORMAT, "number 5 of item 4 is inf");
  const file_request r = {.path = in("m"), .features = "fts", .labels = "labels"};
  sweep_cuts(r.path, &r, 1);
  sweep_allocations(&r);
  ck_assert(make_mat(in("m"), MAT_FT_MAT5, 0));
  sweep_cuts(in("m"), &r, 1);
#undef READ
}
END_TEST
#else
START_TEST(matlab_left_out) {
  char head[129] = "MATLAB 5.0 MAT-file";
  dataset *d = NULL;
  memcpy(head + 126, "IM", 2);
  write_file(in("m"), head, 128);
  BAD(file_read(&error, &(file_request){.path = in("m")}, &d), CLDANN_E_ARG, "this build is without them; install matio");
}
END_TEST
#endif

/* ---- NumPy ---- */

static size_t npy_bytes(uint8_t *to, int version, const char *head, const void *data, size_t n) {
  const size_t at = version == 1 ? 10 : 12, length = strlen(head) + 1;
  memcpy(to, "\x93NUMPY", 6);
  to[6] = (uint8_t)version;
  to[7] = 0;
  for (size_t i = 8; i < at; i++) to[i] = (uint8_t)(length >> (8 * (i - 8)));
  memcpy(to + at, head, length);
  to[at + length - 1] = '\n';
  memcpy(to + at + length, data, n);
  return at + length + n;
}

static void make_npy(const char *path, int version, const char *head, const void *data, size_t n) {
  uint8_t all[2048];
  write_file(path, all, npy_bytes(all, version, head, data, n));
}

#define HEAD(type, shape) "{'descr': '" type "', 'fortran_order': False, 'shape': " shape ", }   "

START_TEST(npy_reads) {
  static const float x[2][3] = {{1, -2, 3.5f}, {4, 5, 6}};
  static const uint8_t swapped[] = {0xff, 0xff, 0xff, 0xfe, 0, 0, 1, 0}, bytes[] = {9, 8, 7, 6, 5, 4, 3, 2};
  static const int64_t y[2] = {2, 1};
  dataset *d = NULL;
  make_npy(in("x.npy"), 1, HEAD("<f4", "(2, 3)"), x, sizeof x);
  make_npy(in("y.npy"), 2, HEAD("<i8", "(2,)"), y, sizeof y);
  GOOD(file_read(&error, &(file_request){.path = in("x.npy"), .labels = "y.npy", .shape = {3, 1, 1}}, &d));
  ck_assert(d->n == 2 && d->h == 3 && d->c == 1 && d->type == DATA_F32 && d->y[0] == 1 && d->y[1] == 0);
  ck_assert_mem_eq(d->x, x, sizeof x);
  dataset_free(d);
  make_npy(in("x.npy"), 3, HEAD(">i4", "(2,)"), swapped, sizeof swapped);
  GOOD(file_read(&error, &(file_request){.path = in("x.npy")}, &d));
  ck_assert(d->n == 2 && d->c == 1 && ((float *)d->x)[0] == -2 && ((float *)d->x)[1] == 256);
  dataset_free(d);
  make_npy(in("x.npy"), 1, HEAD("|u1", "(2, 2, 1, 2)"), bytes, sizeof bytes);
  GOOD(file_read(&error, &(file_request){.path = in("x.npy")}, &d));
  ck_assert(d->n == 2 && d->h == 2 && d->w == 1 && d->c == 2 && d->type == DATA_U8);
  ck_assert_mem_eq(d->x, bytes, sizeof bytes);
  dataset_free(d);
}
END_TEST

START_TEST(npy_bad) {
  static const float x[6] = {1, 2, NAN, 4, 5, 6};
  dataset *d = NULL;
  static const struct {
    const char *head, *text;
  } bad[] = {
      {HEAD("<f4", "(2, 3)"), "number 2 of item 0 is nan"},
      {HEAD("<f4", "(2, 4)"), "is truncated: of 32 bytes 24 are there"},
      {HEAD("<f4", "(2000000000, 2000000000, 2000000000)"), "size 2000000000 in dimension 2"},
      {HEAD("<f4", "(2000000000, 100)"), "is truncated"},
      {HEAD("<f4", "(0, 3)"), "size 0 in dimension 1"},
      {HEAD("<f4", "(1, 1, 1, 2, 3)"), "more than 4 dimensions"},
      {HEAD("<f4", "()"), "a single number"},
      {HEAD("<f4", "(-1, 3)"), "odd shape"},
      {HEAD("<c8", "(2,)"), "type '<c8'"},
      {HEAD("<f2", "(2,)"), "type '<f2'"},
      {HEAD("|O", "(2,)"), "type '|O'"},
      {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", "numbers of type [("},
      {"{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", "numpy.ascontiguousarray"},
      {"{'descr': '<f4', 'fortran_order': False}", "no shape"},
      {"", "numbers of type unknown"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    make_npy(in("x.npy"), 1, bad[i].head, x, sizeof x);
    BAD(file_read(&error, &(file_request){.path = in("x.npy")}, &d), CLDANN_E_FORMAT, bad[i].text);
  }
  make_npy(in("x.npy"), 9, HEAD("<f4", "(6,)"), x, sizeof x);
  BAD(file_read(&error, &(file_request){.path = in("x.npy")}, &d), CLDANN_E_FORMAT, "version 9");
  make_npy(in("x.npy"), 1, HEAD("<f4", "(2,)"), x, sizeof x);
  BAD(file_read(&error, &(file_request){.path = in("x.npy")}, &d), CLDANN_E_FORMAT, "has 16 bytes behind its numbers");
  make_npy(in("x.npy"), 1, HEAD("<f4", "(2,)"), x, 8);
  BAD(file_read(&error, &(file_request){.path = in("x.npy"), .labels = "none.npy"}, &d), CLDANN_E_IO, "none.npy: No such");
  make_npy(in("y.npy"), 1, HEAD("<f4", "(3,)"), x + 3, 12);
  BAD(file_read(&error, &(file_request){.path = in("x.npy"), .labels = "y.npy"}, &d), CLDANN_E_FORMAT, "each of the 2 items");
  make_npy(in("y.npy"), 1, HEAD("<f4", "(2, 1)"), x, 8);
  const file_request r = {.path = in("x.npy"), .labels = "y.npy"};
  sweep_cuts(r.path, &r, 1);
  sweep_damage(r.path, &r, 1, 1);
  sweep_allocations(&r);
}
END_TEST

static void put_member(struct archive *a, const char *name, const void *data, size_t size) {
  struct archive_entry *m = archive_entry_new();
  archive_entry_set_pathname(m, name);
  archive_entry_set_size(m, (int64_t)size);
  archive_entry_set_filetype(m, AE_IFREG);
  ck_assert_int_eq(archive_write_header(a, m), ARCHIVE_OK);
  ck_assert_int_eq(archive_write_data(a, data, size), (la_ssize_t)size);
  archive_entry_free(m);
}

static void make_npz(const char *path, int packed) {
  static const float x[4] = {1, 2, 3, 4};
  static const uint8_t y[2] = {1, 0};
  uint8_t bytes[512];
  struct archive *a = archive_write_new();
  archive_write_set_format_zip(a);
  if (packed)
    archive_write_zip_set_compression_deflate(a);
  else
    archive_write_zip_set_compression_store(a);
  ck_assert_int_eq(archive_write_open_filename(a, path), ARCHIVE_OK);
  put_member(a, "x.npy", bytes, npy_bytes(bytes, 1, HEAD("<f4", "(2, 2)"), x, sizeof x));
  put_member(a, "y.npy", bytes, npy_bytes(bytes, 1, HEAD("|b1", "(2,)"), y, sizeof y));
  put_member(a, "readme.txt", "hello", 5);
  archive_write_close(a);
  archive_write_free(a);
}

START_TEST(npz_files) {
  dataset *d = NULL;
  for (int packed = 0; packed < 2; packed++) {
    const file_request r = {.path = in("z"), .features = "x", .labels = "y"};
    make_npz(r.path, packed);
    GOOD(file_read(&error, &r, &d));
    ck_assert(d->n == 2 && d->c == 2 && ((float *)d->x)[3] == 4 && d->y[0] == 1 && d->y[1] == 0 && d->classes == 2);
    dataset_free(d);
    d = NULL;
    sweep_cuts(r.path, &r, 1);
    sweep_damage(r.path, &r, 1, 1);
    sweep_allocations(&r);
  }
#define READ(x, y) file_read(&error, &(file_request){.path = in("z"), .features = (x), .labels = (y)}, &d)
  BAD(READ(NULL, NULL), CLDANN_E_ARG, "Give features = \"...\"; the file has x, y, readme.txt");
  BAD(READ("X", NULL), CLDANN_E_ARG, "z has no X for features; it has x, y");
  BAD(READ("x", "z"), CLDANN_E_ARG, "z has no z for labels");
  BAD(READ("readme", NULL), CLDANN_E_ARG, "has no readme for features");
  ck_assert_ptr_null(d);
#undef READ
}
END_TEST

void array_tests(TCase *t) {
  tcase_add_test(t, npy_reads);
  tcase_add_test(t, npy_bad);
  tcase_add_test(t, npz_files);
#ifdef HAVE_HDF5
  tcase_add_test(t, hdf5_reads);
  tcase_add_test(t, hdf5_bad);
#else
  tcase_add_test(t, hdf5_left_out);
#endif
#ifdef HAVE_MATIO
  tcase_add_test(t, matlab_reads);
  tcase_add_test(t, matlab_bad);
#else
  tcase_add_test(t, matlab_left_out);
#endif
}

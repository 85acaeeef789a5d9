/* tests/data_files.c: see tests/data_files.h. */
#include "data_files.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <archive.h>
#include <archive_entry.h>
#include <jpeglib.h>

#include "base/mem.h"
#include "runner.h"

size_t read_file(const char *path, void *data, size_t room) {
  FILE *f = fopen(path, "rb");
  ck_assert_ptr_nonnull(f);
  size_t n = fread(data, 1, room, f);
  fclose(f);
  return n;
}

void write_gz(const char *path, const void *data, size_t n) {
  gzFile f = gzopen(path, "wb9n");
  ck_assert_int_eq(gzwrite(f, data, (unsigned)n), (int)n);
  gzclose(f);
}

int files_in(const char *path) {
  int n = 0;
  DIR *d = opendir(path);
  if (!d) return 0;
  for (struct dirent *f; (f = readdir(d));) n += f->d_name[0] != '.';
  closedir(d);
  return n;
}

size_t make_jpeg(int k, int side, uint8_t *out, size_t room) {
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

void make_tgz(const char *path, int photos, int side, int broken, int backwards) {
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

static void try_file(const file_request *r, const char *what, size_t at) {
  cldann_error error;
  dataset *d = NULL;
  err_clear(&error);
  const int rc = file_read(&error, r, &d);
  if (rc == 0) ck_assert(d->n > 0 && (!d->y || d->classes > 0));
  if (rc < 0) ck_assert_msg(error.message[0] && !strchr(error.message, '\n') && !d, "%s at %zu: %s", what, at, error.message);
  dataset_free(d);
  ck_assert_msg(mem_live() == 0, "%s at %zu leaves memory", what, at);
}

void sweep_damage(const char *path, const file_request *like, size_t every, int flips) {
  static uint8_t bytes[1 << 18];
  const size_t n = read_file(path, bytes, sizeof bytes);
  file_request r = *like;
  char damaged[300];
  snprintf(damaged, sizeof damaged, "%s-damaged", path);
  r.path = damaged;
  for (size_t at = 0; at < n; at += every) {
    write_file(damaged, bytes, at);
    try_file(&r, "cut", at);
  }
  for (size_t at = 0; flips && at < n; at += every)
    for (int change = 1; change < 256; change = change * 4 + 3) { /* 1, 7, 31, 127 */
      bytes[at] ^= (uint8_t)change;
      write_file(damaged, bytes, n);
      try_file(&r, "changed", at);
      bytes[at] ^= (uint8_t)change;
    }
}

void sweep_cuts(const char *path, const file_request *like, size_t every) {
  static uint8_t bytes[1 << 18];
  const size_t n = read_file(path, bytes, sizeof bytes);
  file_request r = *like;
  cldann_error error;
  dataset *whole = NULL, *d = NULL;
  char cut[300];
  snprintf(cut, sizeof cut, "%s-cut", path);
  r.path = path;
  err_clear(&error);
  ck_assert_msg(file_read(&error, &r, &whole) == 0, "%s", error.message);
  r.path = cut;
  for (size_t at = 0; at < n; at += every) {
    err_clear(&error);
    write_file(cut, bytes, at);
    if (file_read(&error, &r, &d) < 0) continue;
    ck_assert_msg(d->n == whole->n && !memcmp(d->x, whole->x, (size_t)d->n * dataset_item_bytes(d)) &&
                      !memcmp(d->y, whole->y, (size_t)d->n * sizeof *d->y),
                  "%s is another set with %zu of %zu bytes", path, at, n);
    dataset_free(d);
    d = NULL;
  }
  dataset_free(whole);
}

void sweep_allocations(const file_request *r) {
  cldann_error error;
  dataset *d = NULL;
  int tries = 0;
  for (int rc = -1; rc < 0; tries++) {
    err_clear(&error);
    mem_fail_after(tries);
    rc = file_read(&error, r, &d);
    mem_fail_after(-1);
    if (rc < 0) {
      ck_assert_msg(rc == CLDANN_E_MEM, "%s", error.message);
      ck_assert_int_eq(mem_live(), 0);
    }
    ck_assert_int_lt(tries, 1000);
  }
  ck_assert_int_gt(tries, 3);
  dataset_free(d);
}

void hash_of(const dataset *d, char hex[HASH_HEX]) {
  hash_bytes(d->x, (size_t)d->n * dataset_item_bytes(d), hex);
}

/*
 * tests/data_files.h: what the parts of tests/test_data share: how a call that must fail or succeed is checked, and files to
 * read, made here rather than shipped.
 */
#ifndef CLDANN_TESTS_DATA_FILES_H
#define CLDANN_TESTS_DATA_FILES_H

#include <check.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "data/dataset.h"

/*
 * Both look at the including file's own `error`, which the call fills. BAD: the call must fail with this code and one line
 * with this text in it.
 */
#define BAD(call, status, text)                                                                               \
  do {                                                                                                        \
    err_clear(&error);                                                                                        \
    ck_assert_int_eq((call), (status));                                                                       \
    ck_assert_msg(strstr(error.message, text) && !strchr(error.message, '\n'), "message: %s", error.message); \
  } while (0)

#define GOOD(call)                                   \
  do {                                               \
    err_clear(&error);                               \
    ck_assert_msg((call) == 0, "%s", error.message); \
  } while (0)

size_t read_file(const char *path, void *data, size_t room);
void write_gz(const char *path, const void *data, size_t n);
int files_in(const char *path); /* 0 also where there is no such folder */
void hash_of(const dataset *d, char hex[HASH_HEX]);

enum { SIDE = 40, PHOTOS = 5 };

/* Photograph number k, side x side pixels, as a JPEG; its size. */
size_t make_jpeg(int k, int side, uint8_t *out, size_t room);
/* A tarball in BSDS500's layout with so many in train and one in test. Number `broken`, if any, is cut in half. */
void make_tgz(const char *path, int photos, int side, int broken, int backwards);

#endif

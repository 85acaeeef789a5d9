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
#include "data/file.h"

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

/*
 * What every reader must stand. `path` is a sound file: cut at every length, with every byte changed, and with every
 * allocation refused, reading it gives a set or one line that names the file, and no memory is left. `every`: only each
 * so-manieth byte, for large files; flips 0: the format's library does not stand changed bytes.
 */
void sweep_damage(const char *path, const file_request *like, size_t every, int flips);
/* Cut anywhere, it is refused or gives the same set, for formats that know their length. */
void sweep_cuts(const char *path, const file_request *like, size_t every);
void sweep_allocations(const file_request *r);

enum { SIDE = 40, PHOTOS = 5 };

/* Photograph number k, side x side pixels, as a JPEG; its size. */
size_t make_jpeg(int k, int side, uint8_t *out, size_t room);
/* A tarball in BSDS500's layout with so many in train and one in test. Number `broken`, if any, is cut in half. */
void make_tgz(const char *path, int photos, int side, int broken, int backwards);

#endif

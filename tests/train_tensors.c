/*
 * tests/train_tensors.c: files of tensors that are damaged or made to mislead: every number, name and type of a header has
 * others put in its place, and every bit is turned. Nothing is read beyond what was asked for, nothing hangs, and a seal sees
 * it all.
 */
#include "train/tensors.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner.h"
#include "train_suites.h"

enum { A = 6, B = 4, ALL = A + B, TIME_LIMIT = 60 };

static const float values[ALL] = {1, 2, 3, 4, 5, 6, -1, -2, -3, -4};

static const char *made(int sealed) {
  const char *path = in(sealed ? "sealed.safetensors" : "tensors.safetensors");
  const size_t counts[] = {A, B};
  cldann_error e = {0};
  json_t *h = json_pack("{s:{s:s, s:s}, s:o, s:o}", "__metadata__", "cldann", CLDANN_VERSION, "state", "{\"step\":7}", "a",
                        tensors_entry((const int[]){2, 3}, 2, 0, A), "b", tensors_entry((const int[]){4}, 1, A, B));
  ck_assert_int_eq(tensors_write(&e, path, h, (const float *const[]){values, values + A}, counts, 2, sealed), 0);
  return path;
}

static size_t contents(const char *path, unsigned char *to, size_t room) {
  FILE *f = fopen(path, "rb");
  ck_assert_ptr_nonnull(f);
  const size_t n = fread(to, 1, room, f);
  fclose(f);
  return n;
}

/* 0 when both tensors come out as they were. */
static int read_both(const char *path, int sealed) {
  const float guard = -77;
  float a[A + 1], b[B + 1];
  tensor_file f;
  cldann_error e = {0};
  int rc;
  a[A] = b[B] = guard;
  if ((rc = tensors_open(&e, path, "a test", &f)) == 0 && sealed) rc = tensors_check_seal(&f);
  if (rc == 0) rc = tensors_read(&f, "a", (const int[]){2, 3}, 2, A, a);
  if (rc == 0) rc = tensors_read(&f, "b", (const int[]){4}, 1, B, b);
  tensors_close(&f);
  ck_assert(a[A] == guard && b[B] == guard);
  if (rc < 0) ck_assert_msg(e.message[0] && !strchr(e.message, '\n'), "%s", e.message);
  return rc < 0 ? rc : memcmp(a, values, sizeof a - sizeof *a) != 0 || memcmp(b, values + A, sizeof b - sizeof *b) != 0;
}

START_TEST(as_written) {
  ck_assert_int_eq(read_both(made(0), 0), 0);
  ck_assert_int_eq(read_both(made(1), 1), 0);
  ck_assert_int_eq(read_both(made(0), 1), CLDANN_E_FORMAT); /* has no seal */
}
END_TEST

/* As a model has them that is of a net with another input. */
START_TEST(of_another_shape) {
  cldann_error e = {0};
  tensor_file f;
  float a[A];
  ck_assert_int_eq(tensors_open(&e, made(0), "a test", &f), 0);
  ck_assert_int_eq(tensors_read(&f, "a", (const int[]){3, 2}, 2, A, a), CLDANN_E_FORMAT);
  ck_assert_msg(strstr(e.message, "tensor a is 2x3, in the experiment's net 3x2"), "%s", e.message);
  tensors_close(&f);
}
END_TEST

/* The eight bytes before the header. */
START_TEST(lengths_of_the_header) {
  unsigned char all[4096];
  const char *path = made(0);
  const size_t n = contents(path, all, sizeof all);
  uint64_t length = 0;
  for (int i = 0; i < 8; i++) length |= (uint64_t)all[i] << (8 * i);
  const uint64_t others[] = {
      0,          1,          2,         length - 8,        length - 1,     length + 1, n - 8,
      n - 7,      n,          1 << 22,   (1 << 22) + 1,     1u << 31,       1ull << 32, length | 1ull << 32,
      1ull << 53, 1ull << 62, INT64_MAX, (uint64_t)1 << 63, UINT64_MAX - 7, UINT64_MAX, length | 1ull << 63};
  alarm(TIME_LIMIT);
  for (size_t k = 0; k < sizeof others / sizeof *others; k++) {
    for (int i = 0; i < 8; i++) all[i] = (unsigned char)(others[k] >> (8 * i));
    write_file(path, all, n);
    ck_assert_msg(read_both(path, 0) == CLDANN_E_FORMAT, "length %llu", (unsigned long long)others[k]);
  }
  for (size_t size = 0; size < n; size++) { /* cut anywhere */
    for (int i = 0; i < 8; i++) all[i] = (unsigned char)(length >> (8 * i));
    write_file(path, all, size);
    ck_assert_int_eq(read_both(path, 0), CLDANN_E_FORMAT);
  }
  alarm(0);
}
END_TEST

/* The header with one of its values replaced, before the same bytes. */
static void write_header(const char *path, const json_t *header, const unsigned char *data, size_t n) {
  unsigned char all[8192];
  char *text = json_dumps(header, JSON_COMPACT | JSON_ENCODE_ANY);
  const size_t length = strlen(text);
  for (int i = 0; i < 8; i++) all[i] = (unsigned char)(length >> (8 * i));
  memcpy(all + 8, text, length);
  memcpy(all + 8 + length, data, n);
  write_file(path, all, 8 + length + n);
  free(text);
}

/* Both within the file, and of the right sizes: one in the other, and one where it should be with a gap before the other. */
START_TEST(tensors_that_share_bytes) {
  unsigned char all[4096];
  const char *path = made(0);
  const size_t n = contents(path, all, sizeof all), length = all[0] | (size_t)all[1] << 8;
  json_t *h = json_loadb((const char *)all + 8, length, 0, NULL), *third = tensors_entry((const int[]){6}, 1, 0, A);
  json_object_set_new(h, "c", third);
  write_header(path, h, all + 8 + length, n - 8 - length);
  ck_assert_int_eq(read_both(path, 0), CLDANN_E_FORMAT);
  json_object_del(h, "c");
  write_header(path, h, all + 8 + length, n - 8 - length);
  ck_assert_int_eq(read_both(path, 0), 0);
  json_object_del(h, "a"); /* which leaves a hole */
  write_header(path, h, all + 8 + length, n - 8 - length);
  tensor_file f;
  cldann_error e = {0};
  ck_assert_int_eq(tensors_open(&e, path, "a test", &f), CLDANN_E_FORMAT);
  ck_assert_msg(strstr(e.message, "do not lie one behind the other"), "%s", e.message);
  tensors_close(&f);
  json_decref(h);
}
END_TEST

static json_t *nested(int depth) {
  json_t *o = json_array();
  for (int i = 0; i < depth; i++) {
    json_t *around = json_array();
    json_array_append_new(around, o);
    o = around;
  }
  return o;
}

enum { STRANGERS = 22 };

static json_t *stranger(int k) {
  static const json_int_t numbers[] = {
      -1, 0, 1, 3, 5, 7, 23, 25, 41, 1 << 20, INT32_MAX, 1ll << 32, (1ll << 62) + 24, INT64_MAX, INT64_MIN};
  enum { NUMBERS = sizeof numbers / sizeof *numbers };
  if (k < NUMBERS) return json_integer(numbers[k]);
  switch (k - NUMBERS) {
  case 0: return json_real(24.0);
  case 1: return json_real(1e300);
  case 2: return json_null();
  case 3: return json_string("24");
  case 4: return json_true();
  case 5: return json_object();
  default: return nested(100);
  }
}

/* Walks to the `at`-th value below o and puts another in its place; 0 when there are fewer. */
static int replace(json_t *o, int *at, json_t *with) {
  const char *key;
  json_t *v;
  size_t i;
  void *next;
  if (json_is_object(o)) {
    json_object_foreach_safe(o, next, key, v) {
      if ((*at)-- == 0) return json_object_set(o, key, with) == 0;
      if (replace(v, at, with)) return 1;
    }
  } else if (json_is_array(o)) {
    json_array_foreach(o, i, v) {
      if ((*at)-- == 0) return json_array_set(o, i, with) == 0;
      if (replace(v, at, with)) return 1;
    }
  }
  return 0;
}

static int in_metadata(const json_t *a, const json_t *b) {
  json_t *x = json_deep_copy(a), *y = json_deep_copy(b);
  json_object_del(x, "__metadata__"), json_object_del(y, "__metadata__");
  const int same = json_equal(x, y);
  json_decref(x), json_decref(y);
  return same;
}

START_TEST(fields_of_the_header) {
  unsigned char all[4096];
  const char *path = made(_i);
  const size_t n = contents(path, all, sizeof all);
  const size_t length = all[0] | (size_t)all[1] << 8;
  json_t *good = json_loadb((const char *)all + 8, length, 0, NULL);
  int tried = 0;
  ck_assert_ptr_nonnull(good);
  alarm(TIME_LIMIT);
  for (int at = 0, more = 1; more; at++)
    for (int k = 0; k < STRANGERS; k++) {
      json_t *bad = json_deep_copy(good), *with = stranger(k);
      int left = at;
      more = replace(bad, &left, with);
      if (more && !json_equal(bad, good)) {
        write_header(path, bad, all + 8 + length, n - 8 - length);
        const int rc = read_both(path, _i);
        /* What lies in the metadata is for who asks for it, and is under the seal. */
        ck_assert_msg(rc == CLDANN_E_FORMAT || (!_i && rc == 0 && in_metadata(bad, good)), "value %d, stranger %d: %d", at, k,
                      rc);
        tried++;
      }
      json_decref(bad), json_decref(with);
    }
  alarm(0);
  ck_assert_int_gt(tried, 250);
  json_decref(good);
}
END_TEST

START_TEST(every_bit) {
  unsigned char all[4096];
  const char *path = made(_i);
  const size_t n = contents(path, all, sizeof all);
  alarm(TIME_LIMIT);
  for (size_t bit = 0; bit < 8 * n; bit++) {
    all[bit / 8] ^= (unsigned char)(1 << bit % 8);
    write_file(path, all, n);
    const int rc = read_both(path, _i);
    if (_i) ck_assert_msg(rc == CLDANN_E_FORMAT || rc == CLDANN_E_IO, "bit %zu: %d", bit, rc); /* IO: a newer version */
    all[bit / 8] ^= (unsigned char)(1 << bit % 8);
  }
  alarm(0);
}
END_TEST

TCase *tensor_cases(void) {
  TCase *t = tcase_create("tensors");
  tcase_add_test(t, as_written);
  tcase_add_test(t, of_another_shape);
  tcase_add_test(t, lengths_of_the_header);
  tcase_add_test(t, tensors_that_share_bytes);
  tcase_add_loop_test(t, fields_of_the_header, 0, 2);
  tcase_add_loop_test(t, every_bit, 0, 2);
  return t;
}

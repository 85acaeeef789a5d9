/* tests/test_base.c: text, hash, parallel, log and mem of src/base. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/parallel.h"
#include "base/text.h"
#include "runner.h"

static cldann_error error;

static void fresh(void) {
  err_clear(&error);
  ck_assert_int_eq(mem_live(), 0);
}

START_TEST(nearest_name) {
  static const char *const known[] = {"method", "seed", "lambda", "learning_rate", "batch"};
  ck_assert_str_eq(text_nearest("metod", known, 5), "method");
  ck_assert_str_eq(text_nearest("lamdba", known, 5), "lambda");
  ck_assert_str_eq(text_nearest("Seed", known, 5), "seed");
  ck_assert_str_eq(text_nearest("learningrate", known, 5), "learning_rate");
  ck_assert_ptr_null(text_nearest("zzzzzz", known, 5));
  ck_assert_ptr_null(text_nearest("", known, 5));
  ck_assert_ptr_null(text_nearest("x", known, 0));
  char *huge = malloc(5000);
  memset(huge, 'm', 4999);
  huge[4999] = 0;
  ck_assert_ptr_null(text_nearest(huge, known, 5));
  free(huge);
}
END_TEST

START_TEST(joining) {
  static const char *const rows[][3] = {{"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"a//", "b", "a/b"}, {"/", "b", "/b"},
                                        {"", "b", "b"},    {"a", "/b", "/b"},  {"a", "", "a/"},     {"a/b", "c/d", "a/b/c/d"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char *s = NULL;
    ck_assert_int_eq(text_join(&error, &s, rows[i][0], rows[i][1]), 0);
    ck_assert_str_eq(s, rows[i][2]);
    mem_free(s);
  }
  ck_assert_str_eq(text_base("a/b/c.jpg"), "c.jpg");
  ck_assert_str_eq(text_base("c"), "c");
  ck_assert(text_ends_with("x.jpg", ".jpg"));
  ck_assert(!text_ends_with("jpg", ".jpg"));
}
END_TEST

START_TEST(lines) {
  cldann_error e;
  char three[] = "cat\n\ndog's", one[] = "";
  const char **cut = NULL;
  int n = 0;
  err_clear(&e);
  ck_assert_int_eq(text_lines(&e, three, &cut, &n), 0);
  ck_assert(n == 3 && !strcmp(cut[0], "cat") && !strcmp(cut[1], "") && !strcmp(cut[2], "dog's"));
  mem_free(cut);
  ck_assert_int_eq(text_lines(&e, one, &cut, &n), 0);
  ck_assert(n == 1 && !strcmp(cut[0], ""));
  mem_free(cut);
}
END_TEST

START_TEST(characters) {
  static const struct {
    const char *s;
    int n;
  } cases[] = {{"", 0},
               {"a", 1},
               {"~", 1},
               {"\x1f", 0},
               {"\x7f", 0},
               {"\n", 0},
               {"\xc3\xa9", 2},
               {"\xc3", 0},
               {"\xc3g", 0},
               {"\x80", 0},
               {"\xc2\x85", 0},
               {"\xc0\xaf", 0},
               {"\xff", 0},
               {"\xe2\x82\xac", 3},
               {"\xe2\x82", 0},
               {"\xe0\x80\xaf", 0},
               {"\xed\xa0\x80", 0},
               {"\xef\xbf\xbf", 0},
               {"\xf0\x9f\x98\x80", 4},
               {"\xf4\x90\x80\x80", 0},
               {"\xf0\x80\x80\xaf", 0},
               {"\xf8\x88\x80\x80", 0}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    ck_assert_msg(text_character(cases[i].s) == cases[i].n, "case %zu: %d", i, text_character(cases[i].s));
}
END_TEST

START_TEST(numbers) {
  int64_t i = 0;
  ck_assert_int_eq(text_to_int(&error, "--threads", "-12", -20, 20, &i), 0);
  ck_assert_int_eq(i, -12);
  static const char *const bad[] = {"", "x", "3x", " 3", "21", "-21", "99999999999999999999999", "0x10", "3.5"};
  for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
    err_clear(&error);
    ck_assert_int_eq(text_to_int(&error, "--threads", bad[k], -20, 20, &i), CLDANN_E_ARG);
    ck_assert_ptr_nonnull(strstr(error.message, "--threads"));
  }
  ck_assert_int_eq(i, -12);
}
END_TEST

/* The examples of FIPS 180-4 and its predecessors. */
START_TEST(sha256_answers) {
  char hex[HASH_HEX];
  hash_bytes("", 0, hex);
  ck_assert_str_eq(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  hash_bytes("abc", 3, hex);
  ck_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  hash_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, hex);
  ck_assert_str_eq(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}
END_TEST

START_TEST(sha256_streaming) {
  enum { MILLION = 1000000 };
  char hex[HASH_HEX], *a = malloc(MILLION);
  hash s;
  memset(a, 'a', MILLION);
  for (size_t step = 1; step < 200; step += step < 130 ? 1 : 7) { /* all ways to cross a block */
    hash_init(&s);
    for (size_t i = 0; i < MILLION / 100; i += step) hash_update(&s, a, i + step > MILLION / 100 ? MILLION / 100 - i : step);
    hash_final(&s, hex);
    ck_assert_str_eq(hex, "27dd1f61b867b6a0f6e9d8a41c43231de52107e53ae424de8f847b821db4b711");
  }
  hash_bytes(a, MILLION, hex);
  ck_assert_str_eq(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  free(a);
  ck_assert_int_eq(hash_file(&error, "/nonexistent", hex), CLDANN_E_IO);
}
END_TEST

/* The examples of RFC 3720, B.4, and the one of the catalogues. */
START_TEST(crc32c_answers) {
  uint8_t b[32];
  ck_assert_uint_eq(hash_crc32c("123456789", 9), 0xe3069283u);
  ck_assert_uint_eq(hash_crc32c("", 0), 0);
  memset(b, 0, sizeof b);
  ck_assert_uint_eq(hash_crc32c(b, sizeof b), 0x8a9136aau);
  memset(b, 0xff, sizeof b);
  ck_assert_uint_eq(hash_crc32c(b, sizeof b), 0x62a8ab43u);
  for (int i = 0; i < 32; i++) b[i] = (uint8_t)i;
  ck_assert_uint_eq(hash_crc32c(b, sizeof b), 0x46dd794eu);
}
END_TEST

static int mark(cldann_error *e, void *arg, int64_t first, int64_t last) {
  int *seen = arg;
  (void)e;
  for (int64_t i = first; i < last; i++) seen[i]++;
  return 0;
}

static int fail_from_40(cldann_error *e, void *arg, int64_t first, int64_t last) {
  (void)arg;
  for (int64_t i = first; i < last; i++)
    if (i >= 40) return err_set(e, CLDANN_E_FORMAT, __FILE__, __LINE__, "item %d", (int)i);
  return 0;
}

START_TEST(parallel_covers_once) {
  for (int n = 0; n < 40; n++)
    for (int threads = -1; threads < 9; threads++) {
      int seen[40] = {0};
      ck_assert_int_eq(parallel_for(&error, n, threads, mark, seen), 0);
      for (int i = 0; i < 40; i++) ck_assert_int_eq(seen[i], i < n);
    }
  no_leak();
}
END_TEST

START_TEST(parallel_first_error) {
  for (int threads = 1; threads < 20; threads++) {
    fresh();
    ck_assert_int_eq(parallel_for(&error, 100, threads, fail_from_40, NULL), CLDANN_E_FORMAT);
    ck_assert_str_eq(error.message, "item 40");
  }
  fresh();
  mem_fail_after(0);
  ck_assert_int_eq(parallel_for(&error, 100, 2, fail_from_40, NULL), CLDANN_E_MEM);
  no_leak();
}
END_TEST

int main(void) {
  Suite *s = suite_create("base");
  TCase *t = tcase_create("base");
  suite_add_tcase(s, t);
  tcase_set_timeout(t, 60);
  tcase_add_checked_fixture(t, fresh, no_leak);
  tcase_add_test(t, nearest_name);
  tcase_add_test(t, joining);
  tcase_add_test(t, lines);
  tcase_add_test(t, characters);
  tcase_add_test(t, numbers);
  tcase_add_test(t, sha256_answers);
  tcase_add_test(t, sha256_streaming);
  tcase_add_test(t, crc32c_answers);
  tcase_add_test(t, parallel_covers_once);
  tcase_add_test(t, parallel_first_error);
  return runner_run(s, NULL);
}

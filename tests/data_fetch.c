/*
 * tests/data_fetch.c: where data are looked for, and downloads from tests/http_server.py, which also breaks off, lacks
 * ranges or has nothing.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "data/fetch.h"
#include "data/find.h"
#include "data_files.h"
#include "data_suites.h"
#include "runner.h"

static cldann_error error;

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
  BAD(data_find(&error, NULL, "a", &p), CLDANN_E_IO, "give --data DIR or another path");
  BAD(data_find(&error, NULL, "mnist", &p), CLDANN_E_IO, "cldann data fetch mnist");
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
  write_file(in("bad/set/g.part"), "wrong", 5); /* a .part of something else: removed, and the next try is whole */
  BAD(fetch_one(&error, &row, in("bad"), NULL, NULL), CLDANN_E_FORMAT, "wrong SHA-256");
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

void fetch_tests(TCase *t) {
  tcase_add_test(t, finding);
#ifdef HAVE_LIBCURL
  tcase_add_test(t, fetching);
  tcase_add_test(t, fetching_goes_wrong);
#else
  tcase_add_test(t, fetching_without_curl);
#endif
}

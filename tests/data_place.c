/*
 * tests/data_place.c: what becomes of files that are being written when their process is killed, of two that are written side
 * by side, and of what is no file; and that a folder can be held.
 */
#include "data/place.h"

#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "data_files.h"
#include "data_suites.h"
#include "runner.h"

static cldann_error error;

static const char *a_folder(void) {
  char template[] = "XXXXXX";
  const char *path = in(template);
  ck_assert_ptr_nonnull(mkdtemp((char *)path));
  return path;
}

/* Files in the folder that are not whole. */
static int temporaries(const char *dir) {
  char pattern[300];
  glob_t g;
  snprintf(pattern, sizeof pattern, "%s/.cldann-*", dir);
  const int n = glob(pattern, 0, NULL, &g) == 0 ? (int)g.gl_pathc : 0;
  globfree(&g);
  return n;
}

static const char *of(const char *dir, const char *name) {
  static char path[2][300];
  static int next;
  next = !next;
  snprintf(path[next], sizeof path[next], "%s/%s", dir, name);
  return path[next];
}

static void holds(const char *path, const char *text) {
  char is[40];
  const size_t n = read_file(path, is, sizeof is);
  ck_assert(n == strlen(text) && !memcmp(is, text, n));
}

/* A process that writes, or holds the folder, and is killed once it says that it is there. */
static void killed(const char *dir, int writes) {
  int ends[2], lock;
  char byte = 1;
  ck_assert_int_eq(pipe(ends), 0);
  const pid_t process = fork();
  if (process == 0) {
    place *p = NULL;
    if (writes && (place_open(&error, &p, of(dir, "model")) < 0 || place_write(&error, p, "half", 4) < 0)) _exit(1);
    if (!writes && place_hold(&error, dir, &lock) < 0) _exit(1);
    if (write(ends[1], &byte, 1) == 1) pause();
    _exit(1);
  }
  close(ends[1]);
  ck_assert_int_eq(read(ends[0], &byte, 1), 1);
  close(ends[0]);
  if (writes) ck_assert_int_eq(temporaries(dir), 1);
  if (!writes) BAD(place_hold(&error, dir, &lock), CLDANN_E_IO, "another training writes to");
  /* Nobody takes from it what it still writes. */
  GOOD(place_whole(&error, of(dir, "other"), "while", 5));
  if (writes) ck_assert_int_eq(temporaries(dir), 1);
  kill(process, SIGKILL);
  ck_assert_int_eq(waitpid(process, NULL, 0), process);
}

START_TEST(a_killed_process_leaves_nothing_for_long) {
  const char *dir = a_folder();
  killed(dir, 1);
  ck_assert_int_eq(temporaries(dir), 1);
  mkdir(of(dir, ".cldann-folder"), 0777); /* not ours */
  GOOD(place_whole(&error, of(dir, "other"), "whole", 5));
  ck_assert_int_eq(temporaries(dir), 1);
  ck_assert_int_eq(rmdir(of(dir, ".cldann-folder")), 0);
  holds(of(dir, "other"), "whole");
  ck_assert_int_ne(access(of(dir, "model"), F_OK), 0);
}
END_TEST

START_TEST(two_at_once) {
  const char *dir = a_folder();
  place *a = NULL, *b = NULL;
  GOOD(place_open(&error, &a, of(dir, "same")));
  GOOD(place_write(&error, a, "first", 5));
  GOOD(place_flush(&error, a)); /* and still its own until it has its name */
  GOOD(place_open(&error, &b, of(dir, "same")));
  GOOD(place_write(&error, b, "second", 6));
  ck_assert_int_eq(temporaries(dir), 2);
  GOOD(place_commit(&error, b));
  holds(of(dir, "same"), "second");
  GOOD(place_whole(&error, of(dir, "third"), "", 0));
  GOOD(place_commit(&error, a));
  holds(of(dir, "same"), "first");
  place_free(a), place_free(b);
  ck_assert_int_eq(temporaries(dir), 0);
}
END_TEST

START_TEST(what_is_no_file_stays) {
  const char *dir = a_folder();
  struct stat st;
  ck_assert_int_eq(mkfifo(of(dir, "pipe"), 0666), 0);
  BAD(place_whole(&error, of(dir, "pipe"), "x", 1), CLDANN_E_IO, "it is there and is no file");
  ck_assert(stat(of(dir, "pipe"), &st) == 0 && S_ISFIFO(st.st_mode));
  ck_assert_int_eq(mkdir(of(dir, "below"), 0777), 0);
  BAD(place_whole(&error, of(dir, "below"), "x", 1), CLDANN_E_IO, "cannot place");
  ck_assert_int_eq(temporaries(dir), 0);
}
END_TEST

START_TEST(a_folder_is_held_by_one) {
  const char *dir = a_folder();
  int a, b;
  GOOD(place_hold(&error, dir, &a));
  ck_assert_int_ge(a, 0);
  BAD(place_hold(&error, dir, &b), CLDANN_E_IO, "another training writes to");
  ck_assert_int_eq(b, -1);
  close(a);
  killed(dir, 0);
  GOOD(place_hold(&error, dir, &b));
  close(b);
}
END_TEST

void place_tests(TCase *t) {
  tcase_add_test(t, a_killed_process_leaves_nothing_for_long);
  tcase_add_test(t, two_at_once);
  tcase_add_test(t, what_is_no_file_stays);
  tcase_add_test(t, a_folder_is_held_by_one);
}

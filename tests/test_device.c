/*
 * tests/test_device.c: the device room without a device: which group of a tuning file counts, what is refused, and what
 * happens when memory is short. Files that decide something: tests/ops_choices.c and test_tune.sh.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "device/tuning.h"
#include "runner.h"

static cldann_error e;
static const device_info device_here = {
    .name = "pthread-some CPU [4 cores]", .platform = "Portable Computing Language", .driver = "3.1", .vector_width = 8};

#define GROUP(DEVICE, REST, USE)                                                                                           \
  "{ device = \"" DEVICE "\"; platform = \"Portable*\"; driver = \"3.*\"; " REST " choices = ( { of = \"p\"; use = \"" USE \
  "\"; us = 1.5; } ); }"

/* What a file of these groups says of p, in static memory: NULL for nothing, or the error's message. */
static const char *says(const char *groups) {
  static char text[512];
  const char *use;
  tuning *t = NULL;
  char whole[2048];
  snprintf(whole, sizeof whole, "# comment\ntuning = ( %s );\n", groups);
  write_file(in("t.conf"), whole, strlen(whole));
  err_clear(&e);
  if (tuning_open(&e, &device_here, in("t.conf"), &t) < 0) {
    ck_assert_ptr_null(t);
    snprintf(text, sizeof text, "%s", e.message);
    return text;
  }
  ck_assert_ptr_nonnull(strstr(tuning_name(t), "t.conf"));
  use = tuning_find(t, "p");
  if (use) snprintf(text, sizeof text, "%s", use);
  ck_assert_ptr_null(tuning_find(t, "q"));
  tuning_free(t);
  return use ? text : NULL;
}

START_TEST(the_first_group_that_matches) {
  ck_assert_str_eq(says(GROUP("*", "", "a")), "a");
  ck_assert_str_eq(says(GROUP("other*", "", "a") ", " GROUP("pthread-*", "", "b") ", " GROUP("*", "", "c")), "b");
  ck_assert_str_eq(says(GROUP("pthread-some CPU [4 cores]", "", "a")), "a"); /* as it is, though [] means more in a pattern */
  ck_assert_str_eq(says(GROUP("*", "vector_width = 16;", "a") ", " GROUP("*", "vector_width = 8;", "b")), "b");
  ck_assert_str_eq(says(GROUP("*", "version = \"0.0.1\";", "a") ", " GROUP("*", "version = \"" CLDANN_VERSION "\";", "b")),
                   "b");
  ck_assert_ptr_null(says("{ device = \"*\"; platform = \"*\"; driver = \"*\"; }"));
}
END_TEST

START_TEST(files_that_cannot_be) {
  ck_assert_ptr_nonnull(strstr(says(""), "has nothing for pthread-some CPU"));
  ck_assert_ptr_nonnull(strstr(says(GROUP("other", "", "a")), "has nothing for"));
  ck_assert_ptr_nonnull(strstr(says("{ device = \"*\"; platform = \"*\"; }"), "has nothing for")); /* no driver */
  ck_assert_ptr_nonnull(strstr(says("1, 2"), "has nothing for"));
  ck_assert_ptr_nonnull(strstr(says("{ device = "), "t.conf:"));
  ck_assert_ptr_nonnull(strstr(says("{ device = \"*\"; platform = \"*\"; driver = \"*\"; choices = ( { of = \"p\"; } ); }"),
                               "t.conf:2: a choice is a group"));
  write_file(in("t.conf"), "x = 1;", 6);
  tuning *t = NULL;
  err_clear(&e);
  ck_assert_int_eq(tuning_open(&e, &device_here, in("t.conf"), &t), CLDANN_E_CONFIG);
  ck_assert_ptr_nonnull(strstr(e.message, "no list named tuning"));
  err_clear(&e);
  ck_assert_int_eq(tuning_open(&e, &device_here, in("nonesuch"), &t), CLDANN_E_IO);
  /* libconfig itself ends the process of both, or waits for ever at a pipe. */
  ck_assert_ptr_nonnull(strstr(says("@include \"/\""), "t.conf:2: @include is not supported"));
  err_clear(&e);
  ck_assert_int_eq(tuning_open(&e, &device_here, folder, &t), CLDANN_E_IO);
  ck_assert_ptr_nonnull(strstr(e.message, "is not a file; mend or remove it, 'cldann tune' makes it anew"));
  err_clear(&e);
  ck_assert_int_eq(mkfifo(in("pipe"), 0666), 0);
  ck_assert_int_eq(tuning_open(&e, &device_here, in("pipe"), &t), CLDANN_E_IO);
  no_leak();
}
END_TEST

/* $CLDANN_TUNING, the user's file, the built-in one: in this order, each only where it has something for the device. */
START_TEST(where_a_tuning_comes_from) {
  tuning *t = NULL;
  char *path = NULL;
  const char *users = "tuning = ( " GROUP("*", "", "user") " );", *own = "tuning = ( " GROUP("*", "", "own") " );";
  unsetenv("CLDANN_TUNING");
  setenv("XDG_CONFIG_HOME", folder, 1);
  err_clear(&e);
  ck_assert_int_eq(tuning_user_path(&e, &path), CLDANN_OK);
  ck_assert_int_eq(tuning_open(&e, &device_here, NULL, &t), CLDANN_OK); /* there is no user's file */
  ck_assert_ptr_null(tuning_find(t, "p"));
  tuning_free(t);
  char command[300];
  snprintf(command, sizeof command, "mkdir %s/cldann", folder);
  ck_assert_int_eq(system(command), 0);
  write_file(path, users, strlen(users));
  ck_assert_int_eq(tuning_open(&e, &device_here, NULL, &t), CLDANN_OK);
  ck_assert_str_eq(tuning_find(t, "p"), "user");
  ck_assert_str_eq(tuning_name(t), path);
  tuning_free(t);
  write_file(in("own.conf"), own, strlen(own));
  setenv("CLDANN_TUNING", in("own.conf"), 1);
  ck_assert_int_eq(tuning_open(&e, &device_here, NULL, &t), CLDANN_OK);
  ck_assert_str_eq(tuning_find(t, "p"), "own");
  tuning_free(t);
  ck_assert_int_eq(tuning_open(&e, &device_here, "none", &t), CLDANN_OK);
  ck_assert_int_eq(tuning_count(t), 0);
  tuning_free(t);
  setenv("CLDANN_TUNING", "none", 1);
  mem_free(path);
  no_leak();
}
END_TEST

START_TEST(choices_are_replaced_and_memory_may_be_short) {
  const char *key, *use;
  tuning *t = NULL;
  err_clear(&e);
  ck_assert_int_eq(tuning_open(&e, &device_here, "none", &t), CLDANN_OK);
  for (int i = 0; i < 100; i++) {
    char name[16];
    snprintf(name, sizeof name, "key %d", i % 40);
    ck_assert_int_eq(tuning_set(&e, t, name, i < 40 ? "old" : "new"), CLDANN_OK);
  }
  ck_assert_int_eq(tuning_count(t), 40);
  tuning_get(t, 0, &key, &use);
  ck_assert_str_eq(key, "key 0");
  ck_assert_str_eq(use, "new");
  tuning_free(t);
  const char *text = "tuning = ( " GROUP("*", "", "a") " );";
  write_file(in("t.conf"), text, strlen(text));
  int rc = CLDANN_E_MEM;
  for (long n = 1; rc == CLDANN_E_MEM && n < 100; n++) {
    t = NULL;
    err_clear(&e);
    mem_fail_after(n);
    rc = tuning_open(&e, &device_here, in("t.conf"), &t);
    mem_fail_after(-1);
    if (rc < 0) ck_assert_int_eq(rc, CLDANN_E_MEM);
    if (rc < 0) no_leak();
  }
  ck_assert_int_eq(rc, CLDANN_OK);
  tuning_free(t);
}
END_TEST

int main(void) {
  Suite *s = suite_create("device");
  TCase *t = tcase_create("tuning");
  tcase_add_test(t, the_first_group_that_matches);
  tcase_add_test(t, files_that_cannot_be);
  tcase_add_test(t, where_a_tuning_comes_from);
  tcase_add_test(t, choices_are_replaced_and_memory_may_be_short);
  suite_add_tcase(s, t);
  return runner_run(s, NULL);
}

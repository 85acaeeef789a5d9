/*
 * tests/train_folder.c: what a training does to its folder: what stays there of the run before, and that one training at a time
 * writes to it.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "runner.h"
#include "train/experiment.h"
#include "train_suites.h"

static cldann **at;

#define GOOD(call) ck_assert_msg((call) == 0, "%s", (*at)->err.message)

static cldann_experiment *load(const char *by) {
  cldann_experiment *x = NULL;
  char set[40];
  const char *sets[] = {set, "steps=4", "log_every=2"};
  snprintf(set, sizeof set, "method=%s", by);
  GOOD(cldann_experiment_load(*at, source_path("experiments/blobs.conf"), sets, 3, NULL, &x));
  return x;
}

static int files(const char *dir, const char *only) {
  int n = 0;
  DIR *d = opendir(dir);
  ck_assert_ptr_nonnull(d);
  for (struct dirent *f; (f = readdir(d));)
    n += strcmp(f->d_name, ".") && strcmp(f->d_name, "..") && (!only || !strcmp(f->d_name, only));
  closedir(d);
  return n;
}

/* All that report and draw make (pictures where gnuplot is) is of the run before; what is not ours stays. */
START_TEST(a_new_run_has_no_page_of_the_old) {
  const char *dir = in("page");
  char model[200], own[200];
  cldann_experiment *x = load("dann");
  cldann_result r;
  cldann_train_options o = {.out_dir = dir, .overwrite = 1};
  snprintf(model, sizeof model, "%s/model.safetensors", dir);
  snprintf(own, sizeof own, "%s/notes.svg", dir);
  GOOD(cldann_train(x, &o, &r));
  ck_assert_int_eq(files(dir, NULL), 4);
  write_file(own, "x", 1);
  GOOD(cldann_report(x, dir, NULL));
  if (cldann_draw(x, model, 0, &o) < 0) cldann_clear_error(*at); /* no gnuplot */
  ck_assert_int_eq(files(dir, "report.html"), 1);
  GOOD(cldann_train(x, &o, &r));
  ck_assert_int_eq(files(dir, NULL), 5);
  ck_assert_int_eq(files(dir, "notes.svg"), 1);
  ck_assert_int_eq(files(dir, "model.safetensors"), 1);
  cldann_experiment_free(x);
}
END_TEST

/* A method without a net leaves no model of another. */
START_TEST(a_run_without_a_model_has_none) {
  const cldann_train_options o = {.out_dir = in("model"), .overwrite = 1};
  cldann_result r;
  cldann_experiment *x = load("dann"), *svm = load("svm");
  GOOD(cldann_train(x, &o, &r));
  GOOD(cldann_train(svm, &o, &r));
  ck_assert_int_eq(files(o.out_dir, NULL), 3);
  ck_assert_int_eq(files(o.out_dir, "model.safetensors"), 0);
  cldann_experiment_free(x);
  cldann_experiment_free(svm);
}
END_TEST

static void begin_another(void *user, const cldann_progress *p) {
  cldann_experiment *y = load("dann");
  cldann_result r;
  (void)p;
  ck_assert_int_eq(cldann_train(y, &(cldann_train_options){.out_dir = user, .overwrite = 1}, &r), CLDANN_E_IO);
  ck_assert_msg(strstr((*at)->err.message, "another training writes to"), "%s", (*at)->err.message);
  cldann_clear_error(*at);
  cldann_experiment_free(y);
}

START_TEST(one_training_at_a_time) {
  char dir[200];
  cldann_experiment *x = load("dann");
  cldann_result r;
  snprintf(dir, sizeof dir, "%s", in("twice"));
  GOOD(cldann_train(x, &(cldann_train_options){.out_dir = dir, .on_progress = begin_another, .user = dir}, &r));
  GOOD(cldann_train(x, &(cldann_train_options){.out_dir = dir, .overwrite = 1}, &r));
  cldann_experiment_free(x);
}
END_TEST

TCase *folder_cases(cldann **ctx) {
  TCase *t = tcase_create("folder");
  at = ctx;
  tcase_set_timeout(t, 120);
  tcase_add_test(t, a_new_run_has_no_page_of_the_old);
  tcase_add_test(t, a_run_without_a_model_has_none);
  tcase_add_test(t, one_training_at_a_time);
  return t;
}

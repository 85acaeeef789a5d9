/*
 * tests/test_analysis.c: principal components against cases worked out by hand, and what pictures do where gnuplot is missing
 * or fails. Needs no device. That pictures come out is tried by tests/test_cli.sh.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/pca.h"
#include "analysis/plot.h"
#include "base/mem.h"
#include "runner.h"

static cldann_error e;

/* Points along (3, 4) by 5 s, and across it by t: the scores are s and t, whatever is added to all. */
START_TEST(directions) {
  static const double s[] = {-20, -5, 0, 10, 15}, t[] = {1, -2, 0, 2, -1};
  float x[15];
  double scores[10], share[2], most = 0;
  for (int i = 0; i < 5; i++) {
    x[3 * i] = (float)(0.6 * s[i] - 0.8 * t[i] + 100);
    x[3 * i + 1] = (float)(0.8 * s[i] + 0.6 * t[i] - 7);
    x[3 * i + 2] = 5;
  }
  err_clear(&e);
  ck_assert_int_eq(pca_two(&e, x, 5, 3, scores, share), 0);
  /* s and t are not quite uncorrelated: the exact answer of the 2 x 2 case. */
  double ss = 0, tt = 0, st = 0;
  for (int i = 0; i < 5; i++) ss += s[i] * s[i], tt += t[i] * t[i], st += s[i] * t[i];
  const double angle = 0.5 * atan2(2 * st, ss - tt), c = cos(angle), q = sin(angle);
  double first[5];
  for (int i = 0; i < 5; i++) first[i] = c * s[i] + q * t[i], most = fabs(first[i]) > fabs(most) ? first[i] : most;
  for (int i = 0; i < 5; i++) ck_assert_double_eq_tol(scores[2 * i], most < 0 ? -first[i] : first[i], 1e-4);
  double sum = 0, along = 0;
  for (int i = 0; i < 5; i++) sum += scores[2 * i + 1], along += scores[2 * i] * scores[2 * i];
  ck_assert_double_eq_tol(sum, 0, 1e-4);
  ck_assert_double_eq_tol(share[0], along / (ss + tt), 1e-6);
  ck_assert_double_eq_tol(share[0] + share[1], 1, 1e-6);
}
END_TEST

START_TEST(degenerate_rows) {
  const float same[] = {1, 2, 1, 2, 1, 2};
  double scores[6], share[2];
  err_clear(&e);
  ck_assert_int_eq(pca_two(&e, same, 3, 2, scores, share), 0);
  for (int i = 0; i < 6; i++) ck_assert_double_eq_tol(scores[i], 0, 1e-12);
  ck_assert_double_eq(share[0], 0);
  ck_assert_int_eq(pca_two(&e, same, 1, 2, scores, share), CLDANN_E_ARG);
  for (long n = 0; n < 6; n++) {
    err_clear(&e);
    mem_fail_after(n);
    const int rc = pca_two(&e, same, 3, 2, scores, share);
    mem_fail_after(-1);
    ck_assert(rc == 0 || rc == CLDANN_E_MEM);
    ck_assert_int_eq(mem_live(), 0);
  }
}
END_TEST

START_TEST(no_gnuplot) {
  char *path = getenv("PATH") ? strdup(getenv("PATH")) : NULL, text[200] = "";
  const double rows[] = {1, 2, 3, 4};
  plot p;
  err_clear(&e);
  setenv("PATH", folder, 1);
  ck_assert_int_eq(plot_ready(), 0);
  ck_assert_int_eq(plot_open(&e, in("pictures"), "one", "it's a title", &p), 0);
  plot_data(&p, "d", rows, 2, 2, (const int[]){0, 1}, 1, 0);
  ck_assert_int_eq(plot_close(&p, "plot $d"), CLDANN_E_IO);
  ck_assert_msg(strstr(e.message, "pictures need gnuplot, which is not here") != NULL, "%s", e.message);
  if (path) setenv("PATH", path, 1);
  free(path);
  FILE *f = fopen(in("pictures/one.gp"), "r"); /* the script is there, with one of the two rows */
  ck_assert_ptr_nonnull(f);
  int found = 0;
  while (fgets(text, sizeof text, f)) {
    found += !strcmp(text, "3 4\n") || !strcmp(text, "set title 'it''s a title' noenhanced\n");
    ck_assert_str_ne(text, "1 2\n");
  }
  fclose(f);
  ck_assert_int_eq(found, 2);
  err_clear(&e);
  write_file(in("file"), "x", 1);
  ck_assert_int_eq(plot_open(&e, in("file"), "one", "t", &p), CLDANN_E_IO);
  no_leak();
}
END_TEST

/* What stands in a script of a text that is hostile, or damaged. */
START_TEST(texts_of_scripts) {
  char *text = NULL;
  size_t n = 0;
  FILE *f = open_memstream(&text, &n);
  plot_text("it's\n'.system('x').' \xc3\xa9\xff", f);
  fclose(f);
  ck_assert_str_eq(text, "'it''s?''.system(''x'').'' \xc3\xa9?'");
  free(text);
}
END_TEST

int main(void) {
  Suite *s = suite_create("analysis");
  TCase *t = tcase_create("analysis");
  tcase_add_test(t, directions);
  tcase_add_test(t, degenerate_rows);
  tcase_add_test(t, no_gnuplot);
  tcase_add_test(t, texts_of_scripts);
  suite_add_tcase(s, t);
  return runner_run(s, NULL);
}

/* tests/data_svmlight.c: svmlight files, and what labels become (data/classes.h). */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "data/classes.h"
#include "data_files.h"
#include "data_suites.h"
#include "runner.h"

static cldann_error error;

static const char sound[] = "# a comment first\n\n+1 0:1 3:2.5  # behind a row\n-1 1:-1e1\t4:0.25\r\n1 qid:7 2:3\n-1";

static int read_text_of(const char *text, int width, dataset **d) {
  const file_request r = {.path = in("rows"), .width = width};
  write_file(r.path, text, strlen(text));
  return file_read(&error, &r, d);
}

/* Number `at` of all, items one after the other, zeros among them. */
static float number(const dataset *d, int at) {
  const int item = d->h * d->w * d->c, row = at / item;
  for (int i = d->offsets[row]; i < d->offsets[row + 1]; i++)
    if (d->columns[i] == at % item) return ((const float *)d->x)[i];
  return 0;
}

START_TEST(svmlight_reads) {
  static const float want[4][5] = {{1, 0, 0, 2.5f, 0}, {0, -10, 0, 0, 0.25f}, {0, 0, 3, 0, 0}, {0}};
  dataset *d = NULL;
  for (int gz = 0; gz < 2; gz++) {
    (gz ? write_gz : write_file)(in("s"), sound, strlen(sound));
    GOOD(file_read(&error, &(file_request){.path = in("s")}, &d));
    ck_assert(d->n == 4 && d->h == 1 && d->w == 1 && d->c == 5 && d->type == DATA_F32 && d->classes == 2);
    ck_assert_int_eq((int)dataset_entries(d), 5);
    for (int i = 0; i < 4 * 5; i++) ck_assert_double_eq(number(d, i), want[i / 5][i % 5]);
    ck_assert(d->y[0] == 1 && d->y[1] == 0 && d->y[2] == 1 && d->y[3] == 0); /* -1 is class 0, 1 is class 1 */
    GOOD(classes_check(&error, d));
    dataset_free(d);
  }
  GOOD(read_text_of(sound, 8, &d));
  ck_assert(d->c == 8 && number(d, 8 + 4) == 0.25f);
  dataset_free(d);
  GOOD(file_read(&error, &(file_request){.path = in("s"), .width = 6, .shape = {1, 2, 3}, .format = "svmlight"}, &d));
  ck_assert(d->w == 2 && d->c == 3);
  dataset_free(d);
}
END_TEST

START_TEST(svmlight_trimmed) {
  dataset *d = NULL;
  GOOD(read_text_of(sound, 0, &d));
  GOOD(dataset_trim(&error, d, 1, 2)); /* -1 1:-10 4:.25, 1 2:3 */
  ck_assert(d->n == 2 && d->offsets[0] == 0 && dataset_entries(d) == 3 && d->y[0] == 0 && d->y[1] == 1);
  ck_assert(number(d, 1) == -10 && number(d, 4) == 0.25f && number(d, 5) == 0 && number(d, 5 + 2) == 3);
  GOOD(dataset_trim(&error, d, 1, -1));
  ck_assert(d->n == 1 && dataset_entries(d) == 1 && number(d, 2) == 3);
  GOOD(dataset_to_dense(&error, d));
  ck_assert_mem_eq(d->x, ((const float[]){0, 0, 3, 0, 0}), 5 * sizeof(float));
  ck_assert(!dataset_is_sparse(d));
  dataset_free(d);
}
END_TEST

START_TEST(svmlight_bad_rows) {
  dataset *d = NULL;
  BAD(read_text_of("1 0:1\n1 3:1 2:1\n", 0, &d), CLDANN_E_FORMAT, "rows:2: index 2 stands behind 3");
  BAD(read_text_of("1 3:1 3:1\n", 0, &d), CLDANN_E_FORMAT, "rows:1: index 3 stands behind 3");
  BAD(read_text_of("1 0:1\n\n1 4999:1 5000:1\n", 5000, &d), CLDANN_E_FORMAT, "rows:3: index 5000 is beyond the width 5000");
  BAD(read_text_of("1 0:1 99999999999:1\n", 0, &d), CLDANN_E_FORMAT, "beyond the width");
  BAD(read_text_of("1 0:1 99999999999999999999999:1\n", 0, &d), CLDANN_E_FORMAT, "beyond the width");
  BAD(read_text_of("1 0:1\n-1 7:nan\n", 0, &d), CLDANN_E_FORMAT, "rows:2: index 7: the value nan is not a finite");
  BAD(read_text_of("1 0:1e39\n", 0, &d), CLDANN_E_FORMAT, "not a finite");
  BAD(read_text_of("1 0:1 1:\n", 0, &d), CLDANN_E_FORMAT, "is not a number");
  BAD(read_text_of("1 0:1 1: 2\n", 0, &d), CLDANN_E_FORMAT, "is not a number");
  BAD(read_text_of("1 0:1 1:2x\n", 0, &d), CLDANN_E_FORMAT, "is not a number");
  BAD(read_text_of("1 0:1 -1:2\n", 0, &d), CLDANN_E_FORMAT, "is not index:value");
  BAD(read_text_of("1 0:1 two\n", 0, &d), CLDANN_E_FORMAT, "is not index:value");
  BAD(read_text_of("1 0:1\none 0:1\n", 0, &d), CLDANN_E_FORMAT, "rows:2: the row begins with 'one");
  BAD(read_text_of("1 0:1\n0.5 0:1\n", 0, &d), CLDANN_E_FORMAT, "rows:2: the label 0.5 is no whole number");
  BAD(read_text_of("1 0:1\nnan 0:1\n", 0, &d), CLDANN_E_FORMAT, "is no whole number");
  BAD(read_text_of("1 0:1\n1,2 0:1\n", 0, &d), CLDANN_E_FORMAT, "the row begins with");
  BAD(read_text_of("just words\n", 0, &d), CLDANN_E_FORMAT, "in no format that is read here");
  BAD(read_text_of("", 0, &d), CLDANN_E_FORMAT, "empty");
  BAD(file_read(&error, &(file_request){.path = in("nowhere")}, &d), CLDANN_E_IO, "nowhere: No such");
  write_file(in("s"), sound, strlen(sound));
  BAD(file_read(&error, &(file_request){.path = in("s"), .features = "x"}, &d), CLDANN_E_ARG,
      "svmlight, which has no features");
  BAD(file_read(&error, &(file_request){.path = in("s"), .skip_bad = 1}, &d), CLDANN_E_ARG, "has no skip_bad");
  BAD(file_read(&error, &(file_request){.path = in("s"), .shape = {2, 2, 1}}, &d), CLDANN_E_ARG, "shape = [2, 2, 1]");
  BAD(file_read(&error, &(file_request){.path = in("s"), .format = "csvx"}, &d), CLDANN_E_ARG, "no format \"csvx\"");
  ck_assert_ptr_null(d);
}
END_TEST

START_TEST(svmlight_damaged) {
  const file_request r = {.path = in("s")};
  write_file(r.path, sound, strlen(sound));
  sweep_damage(r.path, &r, 1, 1);
  sweep_allocations(&r);
  write_gz(r.path, sound, strlen(sound));
  sweep_damage(r.path, &r, 1, 1);
  static const char zero[] = "1 0:1\n1 \0 0:1\n";
  write_file(r.path, zero, sizeof zero - 1);
  dataset *d = NULL;
  const file_request forced = {.path = r.path, .format = "svmlight"};
  BAD(file_read(&error, &forced, &d), CLDANN_E_FORMAT, "zero bytes");
}
END_TEST

/* Lines longer than any buffer, and many of them. */
START_TEST(svmlight_long_lines) {
  enum { ROWS = 3, WIDTH = 60000, ROOM = ROWS * WIDTH * 9 };
  dataset *d = NULL;
  char *text = NULL;
  size_t at = 0;
  GOOD(mem_new(&error, &text, ROOM, 1));
  for (int i = 0; i < ROWS; i++) {
    at += (size_t)sprintf(text + at, "%d", i);
    for (int k = 0; k < WIDTH; k++) at += (size_t)sprintf(text + at, " %d:%d", k, (i + k) % 10);
    at += (size_t)sprintf(text + at, "\n");
  }
  write_file(in("long"), text, at);
  mem_free(text);
  GOOD(file_read(&error, &(file_request){.path = in("long")}, &d));
  ck_assert(d->n == ROWS && d->c == WIDTH && d->classes == ROWS);
  for (int i = 0; i < ROWS * WIDTH; i++)
    ck_assert(((float *)d->x)[i] == (float)((i / WIDTH + i % WIDTH) % 10)); /* a zero that is written is kept */
  dataset_free(d);
}
END_TEST

/* A set of items with these labels, a word each. */
static dataset *labelled(const char *labels) {
  dataset *d = NULL;
  class_list list = {0};
  char copy[200];
  int n = 0;
  snprintf(copy, sizeof copy, "%s", labels);
  for (char *p = strtok(copy, " "); p; p = strtok(NULL, " ")) n++;
  GOOD(dataset_new(&error, &d, labels, DATA_U8, n, 1, 1, 1, 1));
  snprintf(copy, sizeof copy, "%s", labels);
  n = 0;
  for (char *p = strtok(copy, " "); p; p = strtok(NULL, " ")) GOOD(classes_add(&error, &list, "test", p, &d->y[n++]));
  GOOD(classes_settle(&error, d, &list));
  return d;
}

static void check_labels(const char *labels, int status, const char *text) {
  dataset *d = labelled(labels);
  if (status)
    BAD(classes_check(&error, d), status, text);
  else
    GOOD(classes_check(&error, d));
  dataset_free(d);
}

START_TEST(classes_in_order) {
  dataset *d = labelled("10 9 cat 2 -1 2 +9.0 Cat 10");
  static const int32_t want[] = {3, 2, 5, 1, 0, 1, 2, 4, 3};
  ck_assert_int_eq(d->classes, 6);
  for (int i = 0; i < d->n; i++) ck_assert_int_eq(d->y[i], want[i]);
  ck_assert_str_eq(d->names->name[3], "10");
  dataset_free(d);
  check_labels("0 1 2 1", 0, NULL);
  check_labels("3 1 2", 0, NULL);
  check_labels("1 -1", 0, NULL);
  check_labels("dog cat", 0, NULL);
  check_labels("0 1 3", CLDANN_E_FORMAT, "the labels skip 2");
  check_labels("2 3", CLDANN_E_FORMAT, "the lowest label is 2");
  check_labels("-1 0 1", CLDANN_E_FORMAT, "the lowest label is -1");
  check_labels("0 1 cat", CLDANN_E_FORMAT, "data.classes = [\"0\", \"1\", \"cat\"]");
}
END_TEST

START_TEST(classes_of_two_sets) {
  dataset *a = labelled("1 2 3"), *b = labelled("3 1"), *c = labelled("3 1 2 1"), *plain = NULL;
  GOOD(classes_agree(&error, "source", a, "target", c));
  BAD(classes_agree(&error, "source", a, "target", b), CLDANN_E_FORMAT,
      "source (1 2 3) has the class '2', target (3 1) has not");
  BAD(classes_agree(&error, "source", b, "target", a), CLDANN_E_FORMAT,
      "target (1 2 3) has the class '2', source (3 1) has not");
  GOOD(dataset_new(&error, &plain, "plain", DATA_U8, 3, 1, 1, 1, 1));
  plain->y[2] = 2;
  plain->classes = 3; /* 0, 1, 2 are not 1, 2, 3 */
  BAD(classes_agree(&error, "source", plain, "target", a), CLDANN_E_FORMAT, "source (plain) has the class '0'");
  static const char *const list[] = {"3", "2", "1", "four"}, *const twice[] = {"1", "2", "01"},
                           *const ways[] = {"0|10", "1", "2|two|9"}, *const wrong[] = {"0|", "1", "2"},
                           *const again[] = {"0|1", "1", "2"};
  GOOD(classes_apply(&error, a, list, 4));
  ck_assert(a->classes == 4 && a->y[0] == 2 && a->y[1] == 1 && a->y[2] == 0 && !a->names);
  BAD(classes_apply(&error, b, list + 1, 3), CLDANN_E_FORMAT, "has the label '3', which data.classes lacks");
  BAD(classes_apply(&error, b, twice, 3), CLDANN_E_ARG, "data.classes has '01' twice");
  BAD(classes_apply(&error, plain, list, 4), CLDANN_E_FORMAT, "has the label 0");
  plain->y[0] = plain->y[1] = 1;
  GOOD(classes_apply(&error, plain, list, 4));
  ck_assert(plain->y[0] == 2 && plain->y[2] == 1);
  dataset *ten = labelled("10 1 9 two 2 10");
  GOOD(classes_apply(&error, ten, ways, 3)); /* several names of one class */
  static const int32_t want[] = {0, 1, 2, 2, 2, 0};
  ck_assert(ten->classes == 3 && !memcmp(ten->y, want, sizeof want));
  BAD(classes_apply(&error, b, wrong, 3), CLDANN_E_ARG, "a name that is empty");
  BAD(classes_apply(&error, b, again, 3), CLDANN_E_ARG, "data.classes has '1' twice");
  dataset_free(ten);
  dataset_free(a);
  dataset_free(b);
  dataset_free(c);
  dataset_free(plain);
}
END_TEST

/* Sets of several domains become one; sparse rows keep their places. */
START_TEST(joined_sets) {
  dataset *d[2], *all = NULL;
  for (int k = 0; k < 2; k++) {
    GOOD(dataset_new_sparse(&error, &d[k], k ? "b" : "a", 2, 1, 1, 5, 3, 1));
    memcpy(d[k]->offsets, ((int32_t[]){0, 1 + k, 3}), 12);
    memcpy(d[k]->columns, ((int32_t[]){k, 2, 3 + k}), 12);
    memcpy(d[k]->x, ((float[]){1, 2, 3 + (float)k}), 12);
    d[k]->y[0] = k, d[k]->y[1] = 2 * k;
    d[k]->classes = 1 + 2 * k;
    GOOD(dataset_set_domain(&error, d[k], 4 + k));
  }
  GOOD(dataset_join(&error, d, 2, &all));
  ck_assert(all->n == 4 && all->classes == 3);
  ck_assert_mem_eq(all->offsets, ((int32_t[]){0, 1, 3, 5, 6}), 20);
  ck_assert_mem_eq(all->columns, ((int32_t[]){0, 2, 3, 1, 2, 4}), 24);
  ck_assert_mem_eq(all->x, ((float[]){1, 2, 3, 1, 2, 4}), 24);
  ck_assert_mem_eq(all->y, ((int32_t[]){0, 0, 1, 2}), 16);
  ck_assert_mem_eq(all->domain, ((int32_t[]){4, 4, 5, 5}), 16);
  GOOD(dataset_trim(&error, all, 1, 2));
  ck_assert_mem_eq(all->domain, ((int32_t[]){4, 5}), 8);
  dataset_free(all);
  GOOD(dataset_to_dense(&error, d[1]));
  BAD(dataset_join(&error, d, 2, &all), CLDANN_E_ARG, "a and b do not go together: one holds its zeros and one does not");
  mem_free(d[1]->y), d[1]->y = NULL;
  GOOD(dataset_to_dense(&error, d[0]));
  BAD(dataset_join(&error, d, 2, &all), CLDANN_E_ARG, "b has no labels but a has");
  for (int k = 0; k < 2; k++) dataset_free(d[k]);
}
END_TEST

void svmlight_tests(TCase *t) {
  tcase_add_test(t, svmlight_reads);
  tcase_add_test(t, svmlight_trimmed);
  tcase_add_test(t, joined_sets);
  tcase_add_test(t, svmlight_bad_rows);
  tcase_add_test(t, svmlight_damaged);
  tcase_add_test(t, svmlight_long_lines);
  tcase_add_test(t, classes_in_order);
  tcase_add_test(t, classes_of_two_sets);
}

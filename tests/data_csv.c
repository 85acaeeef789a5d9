/* tests/data_csv.c: text tables, with and without header, quotes and labels. */
#include <string.h>

#include "data_files.h"
#include "data_suites.h"
#include "runner.h"

static cldann_error error;

static int read_table(const char *text, const char *labels, dataset **d) {
  const file_request r = {.path = in("table"), .labels = labels};
  write_file(r.path, text, strlen(text));
  return file_read(&error, &r, d);
}

/* Three rows of two numbers, 1..6, and labels b, a, b. */
static void check_table(const char *text, const char *labels) {
  static const float want[6] = {1, 2, 3, 4, 5, 6};
  dataset *d = NULL;
  GOOD(read_table(text, labels, &d));
  ck_assert(d->n == 3 && d->h == 1 && d->w == 1 && d->c == 2 && d->type == DATA_F32);
  ck_assert_mem_eq(d->x, want, sizeof want);
  if (labels) ck_assert(d->classes == 2 && d->y[0] == 1 && d->y[1] == 0 && d->y[2] == 1);
  if (!labels) ck_assert_ptr_null(d->y);
  dataset_free(d);
}

START_TEST(csv_reads) {
  check_table("1,2\n3,4\n5,6", NULL);
  check_table("x,y\n1,2\n3,4\n5,6\n", NULL);
  check_table("\xef\xbb\xbfx;y\r\n1;2\r\n3;4\r\n\r\n5;6\r\n", NULL);
  check_table("1\t2\tb\n3\t4\ta\n5\t6\tb\n", "-1");
  check_table("b,1,2\na,3,4\nb,5,6\n", "0");
  check_table("x,what,y\n1,b,2\n3,a,4\n5,b,6\n", "what");
  check_table("x,what,y\n1,b,2\n3,a,4\n5,b,6\n", "1");
  check_table("what,0,1\n1,1,2\n-1,3,4\n+1,5,6\n", "what"); /* a header of numbers, but for the name */
  check_table("[1, 2]\n [3,4] \n[5, 6]\n", NULL);
  check_table("[1, 2, \"b\"]\n[3, 4, \"a\"]\n[5, 6, \"b\"]\n", "2");
  check_table("\"x\",\"the \"\"what\"\", here\", y\n1.0,\"b\",\"2\"\n 3 , a , 4e0 \n5,b,6\n", "the \"what\", here");
}
END_TEST

START_TEST(csv_bad) {
  dataset *d = NULL;
  BAD(read_table("1,2\n3\n", NULL, &d), CLDANN_E_FORMAT, "table:2: 1 columns, but the first row has 2");
  BAD(read_table("1,2\n3,4,5\n", NULL, &d), CLDANN_E_FORMAT, "table:2: 3 columns, but");
  BAD(read_table("1,2\n3,\n", NULL, &d), CLDANN_E_FORMAT,
      "table:2: column 1 (from 0): '' is not a number; where it is the label, give the set labels = \"1\"");
  BAD(read_table("1,caf\xe9\n2,b\n", "1", &d), CLDANN_E_FORMAT, "table:1: the label 'caf?' is not in UTF-8");
  BAD(read_table("1,2\n3,4\x1b[2J\x7f\t\xc3\xa9\n", NULL, &d), CLDANN_E_FORMAT, "'4?[2J? \xc3\xa9' is not a number");
  BAD(read_table("a,b\n3,?\n", NULL, &d), CLDANN_E_FORMAT, "table:2: column 1 (from 0): '?' is not a number");
  BAD(read_table("1,2\n3,nan\n", NULL, &d), CLDANN_E_FORMAT, "nan is not a finite float");
  BAD(read_table("1;2\n3;1e60\n", NULL, &d), CLDANN_E_FORMAT, "1e60 is not a finite float");
  BAD(read_table("1,?,3\n1,2,3\n", NULL, &d), CLDANN_E_FORMAT, "2 of 3 fields are numbers");
  BAD(read_table("a,b\n", NULL, &d), CLDANN_E_FORMAT, "no rows of numbers");
  BAD(read_table("a,b\n1,\"2\n", NULL, &d), CLDANN_E_FORMAT, "table:2: a field in quotes does not end");
  BAD(read_table("a,b\n\"1\"x,2\n", NULL, &d), CLDANN_E_FORMAT, "table:2: text stands behind a field in quotes");
  BAD(read_table("a,b\n1,2\n", "c", &d), CLDANN_E_ARG, "has no column c for labels");
  BAD(read_table("a,b\n1,2\n", "2", &d), CLDANN_E_ARG,
      "has no column 2 for labels; name one of its first row, or give its number, 0 to 1");
  BAD(read_table("a,b\n1,2\n", "-3", &d), CLDANN_E_ARG, "has no column -3");
  BAD(read_table("a,a\n1,2\n", "a", &d), CLDANN_E_ARG, "has two columns a");
  BAD(read_table("a,b\n1,\n", "b", &d), CLDANN_E_FORMAT, "table:2: the label is empty");
  const file_request one = {.path = in("table"), .labels = "a", .format = "csv"};
  write_file(one.path, "a\n1\n", 4);
  BAD(file_read(&error, &one, &d), CLDANN_E_FORMAT, "no column besides the labels");
  ck_assert_ptr_null(d);
}
END_TEST

START_TEST(csv_damaged) {
  static const char sound[] = "\"x\",what,y\n1,\"b\",2\n3,a,4\n5,b,6\n";
  const file_request r = {.path = in("t"), .labels = "what", .format = "csv"};
  write_file(r.path, sound, strlen(sound));
  sweep_damage(r.path, &r, 1, 1);
  sweep_allocations(&r);
}
END_TEST

void csv_tests(TCase *t) {
  tcase_add_test(t, csv_reads);
  tcase_add_test(t, csv_bad);
  tcase_add_test(t, csv_damaged);
}

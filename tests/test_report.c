/*
 * tests/test_report.c: published tables: what a file may say, and the figures that come of runs, held against figures worked
 * out by hand; what is read of a run folder; the parts that a page is made of. Whole pages are tried by tests/report-page.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "report/html.h"
#include "report/live.h"
#include "report/runs.h"
#include "report/table.h"
#include "runner.h"
#include "train/history.h"

static cldann_error e;

#define HEAD "title = \"T\"; source = \"S\"; "
#define ROW(NAME, REST) "{ name = \"" NAME "\"; experiment = \"x.conf\"; " REST " }"

static int read_text(const char *text, table **t) {
  *t = NULL;
  err_clear(&e);
  write_file(in("some.conf"), text, strlen(text));
  return table_read(&e, in("some.conf"), t);
}

START_TEST(what_a_file_says) {
  table *t;
  char want[256];
  ck_assert_int_eq(
      read_text(HEAD "seeds = 5; quick = ( \"steps=3\" ); rows = ( " ROW("a", "floor = true;") ", " ROW(
                    "b", "set = ( \"method=dann\", \"x.y=1\" ); published = ( { by = \"P\"; target = 0.5; } );") " );",
                &t),
      CLDANN_OK);
  snprintf(want, sizeof want, "%s/x.conf", folder); /* beside the table */
  ck_assert_str_eq(t->name, "some");
  ck_assert_int_eq(t->n_rows, 2);
  ck_assert_int_eq(t->seeds, 5);
  ck_assert_str_eq(t->quick_sets[0], "steps=3");
  ck_assert_str_eq(t->rows[1].experiment, want);
  ck_assert_str_eq(t->rows[1].sets[1], "x.y=1");
  ck_assert_str_eq(t->rows[1].by[0], "P");
  ck_assert_double_eq(t->rows[1].published[0], 0.5);
  ck_assert(t->rows[0].floor && !t->rows[0].bound && !t->rows[1].floor);
  table_free(t);
  no_leak();
}
END_TEST

START_TEST(files_that_cannot_be) {
  static const char *const bad[][2] = {
      {"title = ", "some.conf:1"},
      {"source = \"S\"; rows = ( );", "title = \"...\" is missing"},
      {HEAD, "rows is a list"},
      {HEAD "rows = ( );", "rows is a list"},
      {HEAD "rows = ( 1 );", "a row is a group"},
      {HEAD "seeds = 0; rows = ( " ROW("a", "") " );", "seeds is a whole number"},
      {HEAD "rows = ( { name = \"a\"; } );", "experiment = \"...\" is missing"},
      {HEAD "rows = ( " ROW("a/b", "") " );", "no blanks, slashes and commas"},
      {HEAD "rows = ( " ROW("a", "set = ( \"steps\" );") " );", "key=value"},
      {HEAD "rows = ( " ROW("a", "set = ( 3 );") " );", "key=value"},
      {HEAD "rows = ( " ROW("a", "published = ( { by = \"P\"; target = 76.6; } );") " );", "target = 0.0 to 1.0"},
      {HEAD "rows = ( " ROW("a", "published = ( { target = 0.6; } );") " );", "by = \"...\" is missing"},
  };
  table *t;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    ck_assert_int_eq(read_text(bad[i][0], &t), CLDANN_E_CONFIG);
    ck_assert_msg(strstr(e.message, bad[i][1]) && strstr(e.message, "some.conf:"), "case %zu: %s", i, e.message);
    ck_assert_ptr_null(t);
    no_leak();
  }
  err_clear(&e);
  ck_assert_int_eq(table_read(&e, in("nonesuch"), &t), CLDANN_E_IO);
  err_clear(&e);
  ck_assert_int_eq(table_read(&e, folder, &t), CLDANN_E_IO);
  ck_assert_ptr_nonnull(strstr(e.message, "is not a file; name a table"));
}
END_TEST

/* The shipped tables can be read, and so can the experiments that they name. */
START_TEST(shipped_tables) {
  static const char *const names[] = {"experiments/tables/amazon.conf",
                                      "experiments/tables/amazon-msda.conf",
                                      "experiments/tables/blobs.conf",
                                      "experiments/tables/mnist-mnistm.conf",
                                      "experiments/tables/mnist-mnistm-jmlr.conf",
                                      "experiments/tables/mnist-usps.conf",
                                      "experiments/tables/mnist-mnistm-bn.conf",
                                      "experiments/tables/moons.conf",
                                      "experiments/tables/office-caltech.conf",
                                      "experiments/tables/office31.conf",
                                      "experiments/tables/pad.conf"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    table *t = NULL;
    err_clear(&e);
    ck_assert_msg(table_read(&e, source_path(names[i]), &t) == CLDANN_OK, "%s", e.message);
    for (int k = 0; k < t->n_rows; k++) {
      FILE *f = fopen(t->rows[k].experiment, "r");
      ck_assert_msg(f != NULL, "%s: there is no %s", names[i], t->rows[k].experiment);
      fclose(f);
    }
    table_free(t);
  }
}
END_TEST

static const cldann_result plain_run = {.device = "D",
                                        .steps = 7,
                                        .model_step = 7,
                                        .domain_accuracy = NAN,
                                        .validation_accuracy = NAN,
                                        .reverse_accuracy = NAN,
                                        .pad = NAN,
                                        .svm_target_accuracy = NAN,
                                        .last_source_accuracy = NAN,
                                        .last_target_accuracy = NAN};

static void run_of(table_row *row, uint64_t seed, double target, double source) {
  cldann_result r = plain_run;
  r.seed = seed, r.target_accuracy = target, r.source_accuracy = source;
  ck_assert_int_eq(table_add(&e, row, &r), CLDANN_OK);
}

/* The table's text in one form (free). */
static char *text_of(const table *t, cells_form form, int quick) {
  char *text = NULL;
  size_t n = 0;
  FILE *f = open_memstream(&text, &n);
  ck_assert_int_eq(table_write(&e, t, form, quick, f), 0);
  fclose(f);
  return text;
}

#define HAS(text, part) ck_assert_msg(strstr(text, part) != NULL, "'%s' is not in:\n%s", part, text)

/* Means .5, .7 and .9: the row in the middle covers half the gap; deviation of .6, .7, .8 is .1. */
START_TEST(figures) {
  table *t;
  ck_assert_int_eq(
      read_text(
          HEAD
          "rows = ( " ROW("low", "floor = true;") ", " ROW("mid", "published = ( { by = \"P\"; target = 0.75; } );") ", " ROW(
              "top", "bound = true;") ", " ROW("never", "") " );",
          &t),
      CLDANN_OK);
  run_of(&t->rows[0], 1, 0.5, 0.9);
  for (int i = 0; i < 3; i++) run_of(&t->rows[1], 1 + (uint64_t)i, 0.6 + 0.1 * i, 0.8);
  run_of(&t->rows[2], 1, 0.9, NAN);
  char *plain = text_of(t, CELLS_PLAIN, 0), *md = text_of(t, CELLS_MARKDOWN, 1), *csv = text_of(t, CELLS_CSV, 0);
  HAS(md, "| low | 0.5000 | - | 0.9000 | - | 0.5000 | - |");
  HAS(md, "| mid | 0.7000 | 0.1000 | 0.8000 | 0.50 | 0.6000 0.7000 0.8000 | 0.7500 P |");
  HAS(md, "| top | 0.9000 | - | - | - | 0.9000 | - |");
  HAS(md, "no reproduction");
  HAS(plain, "0.7000   0.1000   0.8000     0.50  0.6000 0.7000 0.8000; 0.7500 P");
  HAS(csv, "some,mid,2,,1,0.700000,0.800000,-,-,-,-,-,-,7,7,0.00,0,0.7500\n");
  ck_assert_ptr_null(strstr(md, "reverse"));
  ck_assert_ptr_null(strstr(plain, "never"));
  ck_assert_ptr_null(strstr(plain, "no reproduction"));
  free(plain), free(md), free(csv);
  table_free(t);
  no_leak();
}
END_TEST

static void candidate_of(table_row *row, double target, double last, double held, double back) {
  cldann_result r = plain_run;
  r.seed = 4, r.target_items = 100;
  r.target_accuracy = target, r.last_target_accuracy = last, r.validation_accuracy = held, r.reverse_accuracy = back;
  ck_assert_int_eq(table_add(&e, row, &r), CLDANN_OK);
}

/* Three candidates: the source would have the first, reverse validation the second (of equals, the one with more held-out rows
 * right), the oracle the last step of the third. */
START_TEST(candidates) {
  table *t;
  ck_assert_int_eq(
      read_text(HEAD "rows = ( " ROW("a", "candidates = ( \"x=1\", \"x=2\", \"x=3\" );") ", " ROW("b", "") " );", &t),
      CLDANN_OK);
  candidate_of(&t->rows[0], 0.5, 0.55, 0.9, 0.6);
  candidate_of(&t->rows[0], 0.6, 0.65, 0.8, 0.7);
  ck_assert_int_eq(table_seeds(&t->rows[0]), 0); /* one is missing */
  candidate_of(&t->rows[0], 0.7, 0.75, 0.7, 0.7);
  candidate_of(&t->rows[1], 0.4, 0.35, 0.9, NAN);
  char *md = text_of(t, CELLS_MARKDOWN, 0), *csv = text_of(t, CELLS_CSV, 0);
  HAS(md, "| a | 0.6000 | 0.0000 | 0.6500 | 0.5000 | 0.6000 | 0.7500 | 0.6000 (2) | - |");
  HAS(md, "| b | 0.4000 | 0.0000 | 0.3500 | 0.4000 | - | 0.4000 | 0.4000 | - |");
  HAS(csv, "some,a,4,x=1,0,0.500000");
  HAS(csv, "some,a,4,x=2,1,0.600000");
  free(md), free(csv);
  table_free(t);
  no_leak();
}
END_TEST

/* Two problems of 100 rows. On the first both are alike (probability .5), on the second the better one is surely better; so
 * it wins more than half with .5, and half with .5 of which half counts. */
START_TEST(groups) {
  table *t;
  ck_assert_int_eq(
      read_text(
          HEAD "rows = ( " ROW("p-A", "group = \"A\"; published = ( { by = \"P\"; target = 0.65; } );") ", " ROW(
              "p-B", "group = \"B\"; published = ( { by = \"P\"; target = 0.62; } );") ", " ROW("q-A",
                                                                                                "group = \"A\"; published = ( "
                                                                                                "{ by = \"P\"; target = 0.95; "
                                                                                                "} );") ", " ROW("q-B",
                                                                                                                 "group = "
                                                                                                                 "\"B\";") " )"
                                                                                                                           ";",
          &t),
      CLDANN_OK);
  candidate_of(&t->rows[0], 0.6, 0.6, NAN, NAN), candidate_of(&t->rows[1], 0.6, 0.6, NAN, NAN);
  candidate_of(&t->rows[2], 0.96, 0.96, NAN, NAN), candidate_of(&t->rows[3], 0.2, 0.2, NAN, NAN);
  char *md = text_of(t, CELLS_MARKDOWN, 0);
  HAS(md, "| A | 2 | 0.7800 | 0.8000 | 1 |");
  HAS(md, "| B | 2 | 0.4000 | - | 0 |");
  HAS(md, "P(A better than B) = 0.75");
  HAS(md, "P(B better than A) = 0.25");
  free(md);
  table_free(t);
  no_leak();
}
END_TEST

/* ---- run folders ---- */

static void make_run(const char *name, const char *settings, const char *metrics) {
  char path[200];
  mkdir(in(name), 0777);
  snprintf(path, sizeof path, "%s/%s/experiment.conf", folder, name);
  write_file(path, settings, strlen(settings));
  snprintf(path, sizeof path, "%s/%s/metrics.jsonl", folder, name);
  write_file(path, metrics, strlen(metrics));
}

#define RESULT(TARGET)                                                                                       \
  "{\"type\": \"progress\", \"step\": 5}\n{\"type\": \"result\", \"steps\": 9, \"target_accuracy\": " TARGET \
  ", \"source_accuracy\": 0.9, \"last_target_accuracy\": null}\n"

static char *text_of_runs(const runs *r, cells_form form) {
  char *text = NULL;
  size_t n = 0;
  FILE *f = open_memstream(&text, &n);
  ck_assert_int_eq(runs_write(&e, r, form, f), 0);
  fclose(f);
  return text;
}

START_TEST(run_folders) {
  runs *r = NULL;
  make_run("one", "seed = 1; method = \"dann\"; lambda = { max = 0.5; }; net = ( { units = 3; }, { units = 4; } );",
           RESULT("0.6"));
  make_run("two", "seed = 2; method = \"dann\"; lambda = { max = 0.5; }; net = ( { units = 3; }, { units = 4; } );",
           RESULT("0.8"));
  make_run("far", "seed = 2; method = \"dann\"; lambda = { max = 0.25; }; net = ( { units = 3; }, { units = 7; } );",
           RESULT("0.5"));
  make_run("cut", "seed = 2; method = \"dann\";", "{\"type\": \"progress\", \"step\": 5}\n");
  err_clear(&e);
  ck_assert_int_eq(runs_new(&e, &r), 0);
  static const char *const names[] = {"one", "far", "two"};
  for (int i = 0; i < 3; i++) ck_assert_msg(runs_add(&e, r, in(names[i])) == 0, "%s", e.message);
  ck_assert_int_eq(runs_add(&e, r, in("cut")), CLDANN_E_FORMAT);
  ck_assert_msg(strstr(e.message, "did not come to its end") != NULL, "%s", e.message);
  err_clear(&e);
  ck_assert_int_eq(runs_add(&e, r, in("nonesuch")), CLDANN_E_IO);
  err_clear(&e);
  make_run("odd", "@include \"/\"", RESULT("0.5"));
  ck_assert_int_eq(runs_add(&e, r, in("odd")), CLDANN_E_CONFIG);
  err_clear(&e);
  char *md = text_of_runs(r, CELLS_MARKDOWN), *plain = text_of_runs(r, CELLS_PLAIN), *csv = text_of_runs(r, CELLS_CSV);
  HAS(md, "| 0.7000 | 0.1414 | 0.9000 | 2 | 0.6000 0.8000 | lambda.max 0.5; net.1.units 4 |\n");
  HAS(md, "| 0.5000 | - | 0.9000 | 1 | 0.5000 | lambda.max 0.25; net.1.units 7 |\n");
  HAS(plain, "0.7000   0.1414   0.9000     2  0.6000 0.8000  lambda.max 0.5; net.1.units 4\n");
  HAS(csv, "far,1,2,0.5000,0.9000,-,9,lambda.max 0.25; net.1.units 7\n");
  HAS(csv, "two,0,2,0.8000");
  free(md), free(plain), free(csv);
  runs_free(r);
  no_leak();
}
END_TEST

START_TEST(histories) {
  history h;
  err_clear(&e);
  make_run("whole", "",
           "{\"type\": \"warning\", \"step\": 0, \"text\": \"w\"}\n"
           "{\"type\": \"progress\", \"step\": 5, \"steps\": 9, \"lr\": 0.5, \"domain_loss\": null, \"gradient_norm\": [1, 2, "
           "null]}\n"
           "{\"type\": \"of a later version\"}\n"
           "{\"type\": \"result\", \"seed\": \"9300000000000000000\", \"method\": \"dann\", \"steps\": 9, \"seconds\": 2.5}");
  ck_assert_int_eq(history_read(&e, in("whole"), &h), 0);
  ck_assert(h.n == 1 && h.n_warnings == 1 && h.done && !h.cut);
  ck_assert_str_eq(h.warnings[0].text, "w");
  ck_assert(h.windows[0].step == 5 && h.windows[0].steps == 9 && isnan(h.windows[0].domain_loss));
  ck_assert(h.windows[0].gradient_norm[1] == 2 && isnan(h.windows[0].gradient_norm[2]));
  ck_assert_double_eq(h.windows[0].lr, 0.5);
  ck_assert_double_eq(h.result.seconds, 2.5);
  ck_assert_double_nan(h.result.target_accuracy);
  ck_assert(h.result.seed == UINT64_C(9300000000000000000));
  ck_assert_str_eq(h.result.method, "dann");
  history_free(&h);
  make_run("cut", "", "{\"type\": \"progress\", \"step\": 5}\n{\"type\": \"progress\", \"st");
  ck_assert_int_eq(history_read(&e, in("cut"), &h), 0);
  ck_assert(h.n == 1 && h.cut && !h.done);
  history_free(&h);
  make_run("damaged", "", "{\"type\": \"progress\", \"step\": 5}\n[]\n{\"type\": \"progress\", \"step\": 9}\n");
  ck_assert_int_eq(history_read(&e, in("damaged"), &h), CLDANN_E_FORMAT);
  ck_assert_msg(strstr(e.message, "metrics.jsonl:2: ") != NULL, "%s", e.message);
  history_free(&h);
  err_clear(&e);
  ck_assert_int_eq(history_read(&e, in("nonesuch"), &h), CLDANN_E_IO);
  history_free(&h);
  err_clear(&e);
  ck_assert(mkdir(in("piped"), 0777) == 0 && mkfifo(in("piped/metrics.jsonl"), 0666) == 0);
  ck_assert_int_eq(history_read(&e, in("piped"), &h), CLDANN_E_IO); /* at once */
  history_free(&h);
  for (long n = 0; n < 5; n++) {
    err_clear(&e);
    mem_fail_after(n);
    const int rc = history_read(&e, in("whole"), &h);
    mem_fail_after(-1);
    ck_assert(rc == 0 || rc == CLDANN_E_MEM);
    history_free(&h);
    no_leak();
  }
}
END_TEST

/* ---- pages ---- */

START_TEST(html_parts) {
  static const struct {
    const char *bytes, *text;
  } answers[] = {{"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
                 {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"\xff\xfe\xfd", "//79"}}; /* RFC 4648 */
  char *text = NULL, want[64];
  size_t n = 0;
  FILE *f = open_memstream(&text, &n);
  html_text(f, "<a href=\"x\">&'\xc3\xa9\xff\x01\t\n");
  fclose(f);
  ck_assert_str_eq(text, "&lt;a href=&quot;x&quot;&gt;&amp;'\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd \n");
  free(text);
  for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
    f = open_memstream(&text, &n);
    html_data(f, "a/b", answers[i].bytes, strlen(answers[i].bytes));
    fclose(f);
    snprintf(want, sizeof want, "data:a/b;base64,%s", answers[i].text);
    ck_assert_str_eq(text, want);
    free(text);
  }
}
END_TEST

/* What a run before has left is not taken for the one that is about to begin. */
START_TEST(a_run_that_is_to_begin) {
  static const char *const says[] = {"<p>the report</p>", "The training has not begun"};
  for (int to_begin = 0; to_begin < 2; to_begin++) {
    live *l;
    char *text;
    size_t n;
    err_clear(&e);
    make_run("before", "", "{\"type\": \"result\", \"steps\": 5}\n");
    write_file(in("before/report.html"), says[0], strlen(says[0]));
    ck_assert_int_eq(live_open(&e, in("before"), to_begin, &l), 0);
    ck_assert_int_eq(live_page(l, &text, &n), 0);
    ck_assert_msg(strstr(text, says[to_begin]) != NULL, "%s", text);
    free(text);
    live_free(l);
    no_leak();
  }
}
END_TEST

/* What gnuplot leaves on a full disk. */
START_TEST(half_a_picture) {
  char *text = NULL;
  size_t n = 0;
  FILE *f = open_memstream(&text, &n);
  err_clear(&e);
  write_file(in("half.svg"), "<svg><g></g>", 12);
  ck_assert_int_eq(html_picture(&e, f, in("half.svg"), "w"), CLDANN_E_IO);
  ck_assert_msg(strstr(e.message, "not whole") != NULL, "%s", e.message);
  err_clear(&e);
  ck_assert_int_eq(html_picture(&e, f, in("no.svg"), "w"), CLDANN_E_IO);
  err_clear(&e);
  write_file(in("whole.svg"), "<svg></svg>\n\n", 13);
  ck_assert_int_eq(html_picture(&e, f, in("whole.svg"), "a \"b\""), 0);
  fclose(f);
  ck_assert_str_eq(text, "<img alt=\"a &quot;b&quot;\" src=\"data:image/svg+xml;base64,PHN2Zz48L3N2Zz4KCg==\"/>\n");
  free(text);
  no_leak();
}
END_TEST

int main(void) {
  Suite *s = suite_create("report");
  TCase *t = tcase_create("table");
  tcase_add_test(t, what_a_file_says);
  tcase_add_test(t, files_that_cannot_be);
  tcase_add_test(t, shipped_tables);
  tcase_add_test(t, figures);
  tcase_add_test(t, candidates);
  tcase_add_test(t, groups);
  tcase_add_test(t, run_folders);
  tcase_add_test(t, histories);
  tcase_add_test(t, html_parts);
  tcase_add_test(t, a_run_that_is_to_begin);
  tcase_add_test(t, half_a_picture);
  suite_add_tcase(s, t);
  return runner_run(s, NULL);
}

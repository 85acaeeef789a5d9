/*
 * tests/train_export.c: a model written as C, compiled by the system's compiler without a warning, must say what cldann_predict
 * says.
 */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "data/array.h"
#include "runner.h"
#include "train/trainer_internal.h"
#include "train_suites.h"

static cldann **at;

#define GOOD(call) ck_assert_msg((call) == 0, "%s", (*at)->err.message)

enum { ROWS = 7, CLASSES = 10, MOST = 14 * 14 * 3 };

typedef struct job {
  const char *features, *label_head;
  int h, w, c, classes;
} job;

#define LABELS "{ op = \"dense\"; units = 10; }, { op = \"softmax_xent\"; }"
static const job jobs[] = {
    {"{ op = \"dense\"; units = 6; }, { op = \"tanh\"; }, { op = \"dropout\"; rate = 0.5; }", LABELS, 1, 1, 5, 10},
    {"{ op = \"conv2d\"; filters = 5; kernel = [3, 4]; stride = 2; padding = \"same\"; }, { op = \"leaky_relu\"; slope = 0.2; "
     "},"
     "{ op = \"max_pool\"; window = 3; stride = 2; padding = \"ceil\"; }, { op = \"batch_norm\"; stats = \"perdomain\"; },"
     "{ op = \"conv2d\"; filters = 7; kernel = 2; padding = [1, 0, 0, 1]; }, { op = \"relu\"; },"
     "{ op = \"avg_pool\"; window = 2; padding = \"ceil\"; }, { op = \"flatten\"; }, { op = \"batch_norm\"; }",
     "{ op = \"dense\"; units = 9; }, { op = \"sigmoid\"; }," LABELS, 13, 14, 3, 10},
    {"{ op = \"conv2d\"; filters = 6; kernel = 3; }, { op = \"lrn\"; size = 3; alpha = 2.0; beta = 0.6; k = 1.5; },"
     "{ op = \"conv2d\"; filters = 9; kernel = 2; groups = 3; }, { op = \"relu\"; }",
     LABELS, 7, 6, 2, 10},
    {"{ op = \"conv2d\"; filters = 4; kernel = 3; }, { op = \"relu\"; }, { op = \"global_pool\"; }",
     "{ op = \"dense\"; units = 1; }, { op = \"logistic_xent\"; }", 6, 5, 1, 2},
};

static void write_set(const char *name, uint32_t draw, const job *j) {
  const int item = j->h * j->w * j->c, rows = 40;
  FILE *f = fopen(in(name), "w");
  ck_assert_ptr_nonnull(f);
  for (int i = 0; i < rows; i++) {
    for (int k = 0; k < item; k++)
      fprintf(f, "%.3f,", (double)rng_unit(rng_words(draw, RNG_CHECK, (uint32_t)i, (uint64_t)k).v[0]) * 3 - 1);
    fprintf(f, "%d\n", i % j->classes);
  }
  fclose(f);
}

static void train(const job *j, const char *dir) {
  static char text[4096];
  static const char *const sets[] = {"source", "target"};
  cldann_experiment *x = NULL;
  cldann_result r;
  int n = snprintf(
      text, sizeof text,
      "steps = 12; batch = 20; log_every = 12; eval_batch = 16; lr = { lr = 0.05; };\n"
      "input = { scale = 0.5; subtract_mean = true; };\n"
      "net = { input = [%d, %d, %d]; features = ( %s ); label_head = ( %s );\n"
      "  domain_head = ( { op = \"reversal\"; }, { op = \"dense\"; units = 1; }, { op = \"logistic_xent\"; } ); };\ndata = {\n",
      j->h, j->w, j->c, j->features, j->label_head);
  for (int i = 0; i < 2; i++)
    n += snprintf(text + n, sizeof text - (size_t)n,
                  "  %s = { kind = \"file\"; path = \"%s/%s.csv\"; labels = \"-1\"; shape = [%d, %d, %d]; };\n", sets[i],
                  folder, sets[i], j->h, j->w, j->c);
  snprintf(text + n, sizeof text - (size_t)n, "};\n");
  write_set("source.csv", 3, j), write_set("target.csv", 4, j);
  write_file(in("export.conf"), text, strlen(text));
  GOOD(cldann_experiment_load(*at, in("export.conf"), NULL, 0, NULL, &x));
  GOOD(cldann_train(x, &(cldann_train_options){.out_dir = dir, .overwrite = 1}, &r));
  cldann_experiment_free(x);
}

static int keep(void *user, const cldann_prediction *p) {
  double *to = (double *)user + p->item * CLASSES;
  for (int k = 0; k < p->classes; k++) to[k] = p->probabilities[k];
  return 0;
}

static const char main_text[] =
    "#include <stdio.h>\n#include \"one_model.c\"\n"
    "int main(void) {\n  static float x[ITEM], p[one_model_CLASSES], scratch[one_model_SCRATCH];\n"
    "  while (fread(x, sizeof *x, ITEM, stdin) == ITEM) {\n    one_model_predict(x, p, scratch);\n"
    "    for (int i = 0; i < one_model_CLASSES; i++) printf(\"%.9g\\n\", (double)p[i]);\n  }\n  return 0;\n}\n";

START_TEST(c_says_the_same) {
  const job *j = &jobs[_i];
  const int item = j->h * j->w * j->c;
  float x[ROWS * MOST];
  double want[ROWS * CLASSES] = {0}, got;
  char dir[100], model[200], command[600], shape_set[80];
  ck_assert_int_le(item, MOST);
  snprintf(dir, sizeof dir, "%s/exported%d", folder, _i);
  snprintf(model, sizeof model, "%s/model.safetensors", dir);
  train(j, dir);
  for (int i = 0; i < ROWS * item; i++) x[i] = rng_unit(rng_words(9, RNG_CHECK, 0, (uint64_t)i).v[0]) * 3 - 1;
  GOOD(npy_write(&(*at)->err, in("new.npy"), x, ROWS, item));
  write_file(in("new.bin"), x, (size_t)(ROWS * item) * sizeof *x);
  snprintf(shape_set, sizeof shape_set, "data.target_test.shape=[%d, %d, %d]", j->h, j->w, j->c);
  const char *const sets[] = {shape_set};
  GOOD(cldann_predict(*at, model, in("new.npy"),
                      &(cldann_predict_options){.overrides = sets, .n_overrides = 1, .on_item = keep, .user = want}));
  GOOD(cldann_export_c(*at, model, in("one_model.c")));
  write_file(in("main.c"), main_text, strlen(main_text));
  snprintf(command, sizeof command,
           "cd '%s' && cc -std=c99 -Wall -Wextra -Wshadow -pedantic -Werror -O1 -DITEM=%d -o main main.c -lm 2>errors && "
           "./main <new.bin",
           folder, item);
  FILE *f = popen(command, "r");
  ck_assert_ptr_nonnull(f);
  for (int i = 0; i < ROWS * j->classes; i++) {
    ck_assert_msg(fscanf(f, "%lf", &got) == 1, "the program did not compile or print; see %s/errors", folder);
    const double expected = want[i / j->classes * CLASSES + i % j->classes];
    ck_assert_msg(fabs(got - expected) <= 1e-5, "row %d class %d: %.9g, and %.9g by C", i / j->classes, i % j->classes,
                  expected, got);
  }
  ck_assert_int_eq(pclose(f), 0);
}
END_TEST

START_TEST(what_cannot_be_exported) {
  ck_assert_int_eq(cldann_export_c(*at, in("nonesuch"), in("x.c")), CLDANN_E_IO);
  cldann_clear_error(*at);
  char model[200];
  snprintf(model, sizeof model, "%s/exported0/model.safetensors", folder);
  ck_assert_int_eq(cldann_export_c(*at, model, in("no/such/x.c")), CLDANN_E_IO);
  cldann_clear_error(*at);
}
END_TEST

TCase *export_cases(cldann **ctx) {
  TCase *t = tcase_create("export");
  at = ctx;
  tcase_set_timeout(t, 300);
  tcase_add_loop_test(t, c_says_the_same, 0, (int)(sizeof jobs / sizeof *jobs));
  tcase_add_test(t, what_cannot_be_exported);
  return t;
}

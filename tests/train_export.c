/*
 * tests/train_export.c: a model written as C, compiled by the system's compiler without a warning, must say what cldann_predict
 * says. One written as ONNX must be whole; what it says is tests/model_in_onnx.py's.
 */
#define _POSIX_C_SOURCE 200809L
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#ifdef HAVE_PROTOBUFC
#include <proto/onnx.pb-c.h>
#endif

#include "base/mem.h"
#include "base/rng.h"
#include "data/array.h"
#include "runner.h"
#include "train/model.h"
#include "train/trainer_internal.h"
#include "train_suites.h"

static cldann **at;

#define GOOD(call) ck_assert_msg((call) == 0, "%s", (*at)->err.message)

enum { ROWS = 7, CLASSES = 10, MOST = 14 * 14 * 3 };

typedef struct job {
  const char *features, *label_head;
  int h, w, c, classes;
  int sparse; /* the rows of its sets are without their zeros */
} job;

#define LABELS "{ op = \"dense\"; units = 10; }, { op = \"softmax_xent\"; }"
static const job jobs[] = {
    {"{ op = \"dense\"; units = 6; }, { op = \"tanh\"; }, { op = \"dropout\"; rate = 0.5; }", LABELS, 1, 1, 5, 10, 0},
    {"{ op = \"conv2d\"; filters = 5; kernel = [3, 4]; stride = 2; padding = \"same\"; }, { op = \"leaky_relu\"; slope = 0.2; "
     "},"
     "{ op = \"max_pool\"; window = 3; stride = 2; padding = \"ceil\"; }, { op = \"batch_norm\"; stats = \"perdomain\"; },"
     "{ op = \"conv2d\"; filters = 7; kernel = 2; padding = [1, 0, 0, 1]; }, { op = \"relu\"; },"
     "{ op = \"avg_pool\"; window = 2; padding = \"ceil\"; }, { op = \"flatten\"; }, { op = \"batch_norm\"; }",
     "{ op = \"dense\"; units = 9; }, { op = \"sigmoid\"; }," LABELS, 13, 14, 3, 10, 0},
    {"{ op = \"conv2d\"; filters = 6; kernel = 3; }, { op = \"lrn\"; size = 3; alpha = 2.0; beta = 0.6; k = 1.5; },"
     "{ op = \"conv2d\"; filters = 9; kernel = 2; groups = 3; }, { op = \"relu\"; }",
     LABELS, 7, 6, 2, 10, 0},
    {"{ op = \"conv2d\"; filters = 4; kernel = 3; }, { op = \"relu\"; }, { op = \"global_pool\"; }",
     "{ op = \"dense\"; units = 1; }, { op = \"logistic_xent\"; }", 6, 5, 1, 2, 0},
    {"{ op = \"dense\"; units = 6; }, { op = \"relu\"; }", LABELS, 1, 1, 12, 10, 1},
};

static void write_set(const char *name, uint32_t draw, const job *j) {
  const int item = j->h * j->w * j->c, rows = 40;
  FILE *f = fopen(in(name), "w");
  ck_assert_ptr_nonnull(f);
  for (int i = 0; i < rows; i++) {
    if (j->sparse) fprintf(f, "%d", i % j->classes);
    for (int k = 0; k < item; k++) {
      const double v = (double)rng_unit(rng_words(draw, RNG_CHECK, (uint32_t)i, (uint64_t)k).v[0]) * 3 - 1;
      if (!j->sparse)
        fprintf(f, "%.3f,", v);
      else if (v > 0 || k == item - 1)
        fprintf(f, " %d:%.3f", k, v);
    }
    if (!j->sparse) fprintf(f, "%d", i % j->classes);
    fputc('\n', f);
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
                  "  %s = { kind = \"file\"; path = \"%s/%s.csv\"; %s shape = [%d, %d, %d]; };\n", sets[i], folder, sets[i],
                  j->sparse ? "" : "labels = \"-1\";", j->h, j->w, j->c);
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
  char dir[100], model[200], command[600];
  ck_assert_int_le(item, MOST);
  snprintf(dir, sizeof dir, "%s/exported%d", folder, _i);
  snprintf(model, sizeof model, "%s/model.safetensors", dir);
  train(j, dir);
  for (int i = 0; i < ROWS * item; i++) x[i] = rng_unit(rng_words(9, RNG_CHECK, 0, (uint64_t)i).v[0]) * 3 - 1;
  GOOD(npy_write(&(*at)->err, in("new.npy"), x, ROWS, item));
  write_file(in("new.bin"), x, (size_t)(ROWS * item) * sizeof *x);
  static const char *const sets[] = {"data.target.labels="};
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

static const char *model_of(int i) {
  static char path[200];
  snprintf(path, sizeof path, "%s/exported%d/model.safetensors", folder, i);
  return path;
}

#ifdef HAVE_PROTOBUFC

static Onnx__ModelProto *read_onnx(const char *path) {
  static unsigned char bytes[1 << 20];
  FILE *f = fopen(path, "rb");
  ck_assert_ptr_nonnull(f);
  const size_t n = fread(bytes, 1, sizeof bytes, f);
  fclose(f);
  ck_assert_uint_lt(n, sizeof bytes);
  Onnx__ModelProto *m = onnx__model_proto__unpack(NULL, n, bytes);
  ck_assert_ptr_nonnull(m);
  return m;
}

/* How many of the graph's border, its constants and its nodes before the n-th are called so. */
static int known(const Onnx__GraphProto *g, size_t n, const char *name) {
  int found = !strcmp(g->input[0]->name, name);
  for (size_t i = 0; i < g->n_initializer; i++) found += !strcmp(g->initializer[i]->name, name);
  for (size_t i = 0; i < n; i++) found += !strcmp(g->node[i]->output[0], name);
  return found;
}

static void check_constant(const Onnx__TensorProto *t) {
  size_t n = t->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT ? 4 : 8;
  for (size_t i = 0; i < t->n_dims; i++) n *= (size_t)t->dims[i];
  ck_assert_msg(t->raw_data.len == n, "%s has %zu bytes, its dimensions ask for %zu", t->name, t->raw_data.len, n);
}

START_TEST(onnx_is_whole) {
  const job *j = &jobs[_i];
  GOOD(cldann_export_onnx(*at, model_of(_i), in("x.onnx")));
  Onnx__ModelProto *m = read_onnx(in("x.onnx"));
  const Onnx__GraphProto *g = m->graph;
  const Onnx__TensorShapeProto *input = g->input[0]->type->tensor_type->shape;
  const Onnx__TensorShapeProto *p = g->output[1]->type->tensor_type->shape;
  ck_assert_int_eq(m->opset_import[0]->version, 13);
  ck_assert_str_eq(input->dim[0]->dim_param, "batch");
  ck_assert_int_eq(input->dim[1]->dim_value, j->c);
  ck_assert_uint_eq(input->n_dim, j->h * j->w > 1 ? 4 : 2);
  ck_assert_str_eq(g->output[0]->name, "logits");
  ck_assert_str_eq(g->output[1]->name, "probabilities");
  ck_assert_int_eq(p->dim[1]->dim_value, j->classes);
  for (size_t i = 0; i < g->n_initializer; i++) check_constant(g->initializer[i]);
  for (size_t i = 0; i < g->n_node; i++) {
    for (size_t k = 0; k < g->node[i]->n_input; k++)
      ck_assert_msg(known(g, i, g->node[i]->input[k]) == 1, "%s reads %s", g->node[i]->name, g->node[i]->input[k]);
    ck_assert_int_eq(known(g, i, g->node[i]->output[0]), 0);
  }
  for (size_t i = 0; i < g->n_output; i++) ck_assert_int_eq(known(g, g->n_node, g->output[i]->name), 1);
  onnx__model_proto__free_unpacked(m, NULL);
}
END_TEST

/* Whatever allocation is refused, there is an error, no memory is left, and the file that was there before still is. */
START_TEST(onnx_is_written_whole) {
  static const char before[] = "what was there before";
  char now[sizeof before] = "";
  int rc = CLDANN_E_MEM;
  long after = 0;
  for (; rc == CLDANN_E_MEM; after++) {
    const long alive = mem_live();
    write_file(in("x.onnx"), before, sizeof before);
    mem_fail_after(after);
    rc = cldann_export_onnx(*at, model_of(2), in("x.onnx"));
    mem_fail_after(-1);
    if (rc == 0) break;
    cldann_clear_error(*at);
    ck_assert_int_eq(mem_live(), alive);
    FILE *f = fopen(in("x.onnx"), "rb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fread(now, 1, sizeof now, f), sizeof before);
    fclose(f);
    ck_assert_str_eq(now, before);
  }
  ck_assert_int_eq(rc, 0);
  ck_assert_int_gt(after, 20);
}
END_TEST

START_TEST(onnx_cannot_be_written) {
  ck_assert_int_eq(cldann_export_onnx(*at, in("nonesuch"), in("y.onnx")), CLDANN_E_IO);
  cldann_clear_error(*at);
  ck_assert_int_eq(cldann_export_onnx(*at, model_of(0), in("no/such/y.onnx")), CLDANN_E_IO);
  cldann_clear_error(*at);
  ck_assert_int_ne(access(in("y.onnx"), F_OK), 0);
}
END_TEST

#else

START_TEST(onnx_is_not_built_in) {
  ck_assert_int_eq(cldann_export_onnx(*at, model_of(0), in("x.onnx")), CLDANN_E_ARG);
  ck_assert_ptr_nonnull(strstr((*at)->err.message, "libprotobuf-c-dev"));
  cldann_clear_error(*at);
  ck_assert_int_ne(access(in("x.onnx"), F_OK), 0);
}
END_TEST

#endif

START_TEST(what_cannot_be_exported) {
  ck_assert_int_eq(cldann_export_c(*at, in("nonesuch"), in("x.c")), CLDANN_E_IO);
  cldann_clear_error(*at);
  ck_assert_int_eq(cldann_export_c(*at, model_of(0), in("no/such/x.c")), CLDANN_E_IO);
  cldann_clear_error(*at);
}
END_TEST

/* What stands before the net has been learnt with it, and is not in the model. */
START_TEST(behind_msda) {
  static const char *const sets[] = {"data.msda.layers=1"};
  model_about about = {0};
  cldann_experiment *x = NULL;
  float *params = NULL;
  GOOD(cldann_experiment_of_model(*at, model_of(0), sets, 1, NULL, &x));
  GOOD(cldann_experiment_text(x, &about.experiment));
  GOOD(mem_new(&(*at)->err, &params, x->net->param_count, sizeof *params));
  GOOD(model_save(&(*at)->err, in("msda.safetensors"), x->net, params, &about));
  ck_assert_int_eq(cldann_export_c(*at, in("msda.safetensors"), in("x.c")), CLDANN_E_ARG);
  ck_assert_ptr_nonnull(strstr((*at)->err.message, "mSDA"));
  cldann_clear_error(*at);
  model_forget_about(&about);
  mem_free(params);
  cldann_experiment_free(x);
}
END_TEST

TCase *export_cases(cldann **ctx) {
  enum { JOBS = sizeof jobs / sizeof *jobs };
  TCase *t = tcase_create("export");
  at = ctx;
  tcase_set_timeout(t, 300);
  tcase_add_loop_test(t, c_says_the_same, 0, JOBS);
#ifdef HAVE_PROTOBUFC
  tcase_add_loop_test(t, onnx_is_whole, 0, JOBS);
  tcase_add_test(t, onnx_is_written_whole);
  tcase_add_test(t, onnx_cannot_be_written);
#else
  tcase_add_test(t, onnx_is_not_built_in);
#endif
  tcase_add_test(t, what_cannot_be_exported);
  tcase_add_test(t, behind_msda);
  return t;
}

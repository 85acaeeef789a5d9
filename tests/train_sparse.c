/*
 * tests/train_sparse.c: rows without their zeros (svmlight) must train to what the same rows train to with them, whoever
 * reads them first: a dense layer by their entries, the same behind a mean that leaves no zero, a convolution.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "runner.h"
#include "train/trainer_internal.h"
#include "train_suites.h"
#include "trained.h"

static cldann **at;

#define GOOD(call) ck_assert_msg((call) == 0, "%s", (*at)->err.message)

enum { WIDTH = 5000, ITEMS = 90 };

/* Two classes told apart by a few words; the second domain has other words. Every ninth row is empty. */
static void write_rows(const char *path, uint32_t draw, int width) {
  FILE *f = fopen(path, "w");
  ck_assert_ptr_nonnull(f);
  for (int i = 0; i < ITEMS; i++) {
    fprintf(f, i % 2 ? "1" : "-1");
    for (int c = 0, n = 0; c < width && i % 9 != 4; c++) {
      const uint32_t word = rng_words(draw, RNG_CHECK, (uint32_t)i, (uint64_t)c).v[0];
      if (word % (c % 7 == i % 2 ? 11 : 40) && (c + 1 < width || n)) continue;
      fprintf(f, " %d:%g", c, 0.1 * (1 + word / 64 % 9));
      n++;
    }
    fprintf(f, "\n");
  }
  fclose(f);
}

typedef struct job {
  const char *name, *sets[3];
  const char *net;    /* NULL: experiments/amazon.conf's */
  int width, entries; /* entries: a pass takes them */
} job;

#define HEADS                                                                                                           \
  "label_head = ({ op = \"dense\"; units = 2; name = \"label\"; }, { op = \"softmax_xent\"; name = \"label_loss\"; });" \
  "domain_head = ({ op = \"reversal\"; name = \"reversal\"; }, { op = \"dense\"; units = 1; name = \"domain\"; },"      \
  "{ op = \"logistic_xent\"; name = \"domain_loss\"; }); };"

static const job jobs[] = {
    {"a dense layer", {NULL}, NULL, WIDTH, 1},
    {"source-only", {"method=source-only"}, NULL, WIDTH, 1},
    {"less the mean", {"input.subtract_mean=true"}, NULL, WIDTH, 0},
    {"a convolution",
     {NULL},
     "net = { input = [6, 5, 3]; features = ({ op = \"conv2d\"; filters = 4; kernel = 3; name = \"conv\"; }, { op = "
     "\"relu\"; },"
     "{ op = \"flatten\"; });" HEADS,
     90,
     0},
    {"twenty columns",
     {NULL},
     "net = { input = [1, 1, 20]; features = ({ op = \"dense\"; units = 5; name = \"features\"; });" HEADS,
     20,
     1},
};
enum { JOBS = sizeof jobs / sizeof *jobs };

/* experiments/amazon.conf with another net and other files. */
static void write_experiment(const job *j) {
  static char text[1 << 14];
  FILE *from = fopen(source_path("experiments/amazon.conf"), "r"), *f = fopen(in("sparse.conf"), "w");
  ck_assert(from && f);
  text[fread(text, 1, sizeof text - 1, from)] = 0;
  fclose(from);
  char *net = strstr(text, "\nnet = "), *data = strstr(text, "\ndata = ");
  ck_assert(net && data);
  if (j->net)
    fprintf(f, "%.*s\n%s", (int)(net - text), text, j->net);
  else
    fprintf(f, "%.*s", (int)(data - text), text);
  fprintf(f, "\ndata = {\n");
  static const char *const roles[] = {"source", "target", "source_test", "target_test"};
  for (int i = 0; i < 4; i++) {
    char name[40];
    snprintf(name, sizeof name, "%s.svmlight", roles[i]);
    write_rows(in(name), 20 + (uint32_t)i, j->width);
    fprintf(f, "  %s = { kind = \"file\"; path = \"%s\"; width = %d; ", roles[i], in(name), j->width);
    if (j->net && strstr(j->net, "[6, 5, 3]")) fprintf(f, "shape = [6, 5, 3]; ");
    fprintf(f, "};\n");
  }
  fprintf(f, "};\n");
  fclose(f);
}

/* *by_entries: launches of cl/sparse.cl */
static trained run(const job *j, int dense, int *by_entries) {
  cldann_experiment *x = NULL;
  trainer *t = NULL;
  int n = 0;
  while (j->sets[n]) n++;
  const char *sets[8] = {"steps=30", "batch=14", "eval_batch=40", "log_every=10", "lr.lr=0.02"};
  for (int i = 0; i < n; i++) sets[5 + i] = j->sets[i];
  GOOD(cldann_experiment_load(*at, in("sparse.conf"), sets, 5 + n, NULL, &x));
  GOOD(experiment_load_data(x, NULL, NULL));
  dataset *all[] = {x->source, x->target, x->source_test, x->target_test};
  for (int i = 0; dense && i < 4; i++)
    if (all[i]) GOOD(dataset_to_dense(&(*at)->err, all[i]));
  GOOD(trainer_new(x, NULL, &t));
  const launches *l = replay_list(t->train);
  *by_entries = 0;
  for (int i = 1; i < l->n; i++) *by_entries += !strcmp(l->list[i].file, "sparse");
  return train_to_end(t, x);
}

START_TEST(sparse_is_dense) {
  const job *j = &jobs[_i];
  write_experiment(j);
  int of_sparse, of_dense;
  const trained sparse = run(j, 0, &of_sparse), again = run(j, 0, &of_sparse), dense = run(j, 1, &of_dense);
  ck_assert_int_eq(of_dense, 0);
  ck_assert_msg((of_sparse > 0) == j->entries, "%s: %d launches by entries", j->name, of_sparse);
  ck_assert_int_eq(memcmp(sparse.params, again.params, sparse.n * 4), 0);
  for (size_t i = 0; i < sparse.n; i++)
    ck_assert_msg(fabsf(sparse.params[i] - dense.params[i]) <= 2e-5f, "%s: parameter %zu is %g, and %g dense", j->name, i,
                  (double)sparse.params[i], (double)dense.params[i]);
  ck_assert_double_eq_tol(sparse.r.target_accuracy, dense.r.target_accuracy, 1e-9);
  ck_assert_double_eq_tol(sparse.r.source_loss, dense.r.source_loss, 1e-4);
  free(sparse.params), free(again.params), free(dense.params);
}
END_TEST

/* Too little memory is told: sparse sets do not stream. */
START_TEST(sparse_does_not_stream) {
  cldann_experiment *x = NULL;
  trainer *t = NULL;
  write_experiment(&jobs[0]);
  GOOD(cldann_experiment_load(*at, in("sparse.conf"), NULL, 0, NULL, &x));
  x->s.device_memory = 0.5;
  ck_assert_int_eq(trainer_new(x, NULL, &t), CLDANN_E_MEM);
  const char *message = (*at)->err.message;
  ck_assert_msg(strstr(message, "sparse sets are not streamed; set device_memory to") != NULL, "%s", message);
  x->s.device_memory = strtod(strstr(message, "memory to ") + strlen("memory to "), NULL);
  cldann_clear_error(*at);
  GOOD(trainer_new(x, NULL, &t));
  trainer_free(t);
  cldann_experiment_free(x);
}
END_TEST

TCase *sparse_cases(cldann **ctx) {
  TCase *t = tcase_create("sparse");
  at = ctx;
  tcase_set_timeout(t, 300);
  tcase_add_loop_test(t, sparse_is_dense, 0, JOBS);
  tcase_add_test(t, sparse_does_not_stream);
  return t;
}

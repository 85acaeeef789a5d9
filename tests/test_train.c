/*
 * tests/test_train.c: training as a whole on the shipped experiments, in short. Schedules against the published formulas;
 * same seed, same bits; what the trainer must not see; a run that diverges; models that come back as they were.
 */
#include <check.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/dataset.h"
#include "runner.h"
#include "train/model.h"
#include "train/schedule.h"
#include "train/trainer.h"
#include "train_suites.h"
#include "trained.h"

static cldann *ctx;

static cldann_experiment *load(const char *file, const char *const *set, int n) {
  cldann_experiment *x = NULL;
  ck_assert_msg(cldann_experiment_load(ctx, source_path(file), set, n, NULL, &x) == 0, "%s", ctx->err.message);
  return x;
}

/* ---- schedules ---- */

START_TEST(schedules) {
  const lr_settings lr = {.kind = LR_INVERSE, .lr = 0.01, .alpha = 10, .beta = 0.75};
  const lambda_settings ramp = {.kind = LAMBDA_RAMP, .max = 1, .gamma = 10, .domain_weight = 1};
  ck_assert_double_eq_tol(schedule_lr(&lr, 0), 0.01, 1e-12);
  ck_assert_double_eq_tol(schedule_lr(&lr, 1), 0.01 / pow(11, 0.75), 1e-12);
  ck_assert_double_eq_tol(schedule_lambda(&ramp, 0), 0, 1e-12);
  ck_assert_double_eq_tol(schedule_lambda(&ramp, 1), 2 / (1 + exp(-10)) - 1, 1e-12); /* .9999, not a clamped .462 */
}
END_TEST

/* REFERENCES: what lambda multiplies. Effective weight on the head, and on the features, for both published meanings. */
START_TEST(lambda_modes) {
  settings s = {.method = &methods[0], .steps = 100, .lambda = {.kind = LAMBDA_CONSTANT, .max = 0.3, .domain_weight = 0.5}};
  weights w = schedule_at(&s, 0);
  ck_assert_double_eq_tol(w.domain, 0.5, 1e-12);
  ck_assert_double_eq_tol(w.domain * w.reversal, 0.15, 1e-12);
  s.lambda.mode = LAMBDA_BOTH;
  w = schedule_at(&s, 0);
  ck_assert_double_eq_tol(w.domain, 0.15, 1e-12);
  ck_assert_double_eq_tol(w.domain * w.reversal, 0.15, 1e-12);
  s.method = &methods[3];
  ck_assert_str_eq(s.method->name, "domain-only");
  ck_assert_double_eq_tol(schedule_at(&s, 0).reversal, -1, 1e-12);
}
END_TEST

/* ---- whole runs ---- */

/* Trains digits by method `how` for `steps` steps and returns the parameters (free). The target's data can be changed before.
 */
static float *train_digits(const char *how, const char *seed, const char *steps, void (*change)(cldann_experiment *),
                           size_t *n) {
  char m[64], s[64], t[64];
  snprintf(m, sizeof m, "method=%s", how);
  snprintf(s, sizeof s, "seed=%s", seed);
  snprintf(t, sizeof t, "steps=%s", steps);
  const char *set[] = {m,
                       s,
                       t,
                       "data.source.n=640",
                       "data.target.n=640",
                       "data.source_test.n=100",
                       "data.target_test.n=100",
                       "data.source.seed=5",
                       "data.target.seed=5"};
  cldann_experiment *x = load("experiments/digits.conf", set, 9);
  trainer *tr = NULL;
  ck_assert_msg(experiment_load_data(x, NULL, NULL) == 0, "%s", ctx->err.message);
  if (change) change(x);
  ck_assert_msg(trainer_new(x, NULL, &tr) == 0, "%s", ctx->err.message);
  ck_assert_msg(trainer_run(tr, x->s.steps) == 0, "%s", ctx->err.message);
  *n = x->net->param_count;
  float *p = params_of(tr);
  trainer_free(tr);
  cldann_experiment_free(x);
  return p;
}

START_TEST(same_seed_same_bits) {
  size_t n, k;
  float *a = train_digits("dann", "1", "200", NULL, &n), *b = train_digits("dann", "1", "200", NULL, &k);
  float *c = train_digits("dann", "2", "200", NULL, &k);
  ck_assert_int_eq(memcmp(a, b, n * 4), 0);
  ck_assert_int_ne(memcmp(a, c, n * 4), 0);
  free(a);
  free(b);
  free(c);
}
END_TEST

/* Blobs with these features; the target's loss, which an evaluation of the model file must give again. */
static double train_features(const char *ops) {
  char net[200];
  snprintf(net, sizeof net, "net.features=({op=\"dense\"; units=15;}, %s)", ops);
  const char *set[] = {"steps=200", net};
  cldann_experiment *x = load("experiments/blobs.conf", set, 2);
  const cldann_train_options o = {.out_dir = folder, .overwrite = 1};
  cldann_result r, again;
  ck_assert_msg(cldann_train(x, &o, &r) == 0, "%s", ctx->err.message);
  ck_assert_msg(cldann_evaluate(x, in("model.safetensors"), NULL, &again) == 0, "%s", ctx->err.message);
  ck_assert_double_eq(r.target_loss, again.target_loss);
  ck_assert_double_eq(r.source_loss, again.source_loss);
  cldann_experiment_free(x);
  return r.target_loss;
}

/* The same seed gives the same masks, a rate of 0 none. */
START_TEST(dropout_in_a_run) {
  const double a = train_features("{op=\"relu\";}, {op=\"dropout\"; rate=0.5;}");
  ck_assert_double_eq(a, train_features("{op=\"relu\";}, {op=\"dropout\"; rate=0.5;}"));
  ck_assert_double_ne(a, train_features("{op=\"relu\";}, {op=\"dropout\"; rate=0.0;}"));
  ck_assert_double_eq(train_features("{op=\"relu\";}, {op=\"dropout\"; rate=0.0;}"), train_features("{op=\"relu\";}"));
}
END_TEST

/* The running statistics come out of the model file; those of each domain are others than those of all rows. */
START_TEST(batch_norm_in_a_run) {
  const double joint = train_features("{op=\"batch_norm\"; name=\"bn\";}, {op=\"relu\";}");
  FILE *f = fopen(in("model.safetensors"), "rb");
  char head[8000] = "";
  ck_assert_uint_gt(fread(head, 1, sizeof head - 1, f), 8);
  fclose(f);
  ck_assert_ptr_nonnull(strstr(head + 8, "\"bn.running_var\":{\"dtype\":\"F32\",\"shape\":[15]"));
  ck_assert_ptr_null(strstr(head + 8, "bn.source_running_mean"));
  const double each = train_features("{op=\"batch_norm\"; stats=\"perdomain\";}, {op=\"relu\";}");
  ck_assert_double_eq(joint, train_features("{op=\"batch_norm\"; name=\"bn\";}, {op=\"relu\";}"));
  ck_assert_double_ne(joint, each);
  ck_assert(isfinite(joint) && isfinite(each));
}
END_TEST

static void scramble_target_labels(cldann_experiment *x) {
  ck_assert_ptr_nonnull(x->target->y);
  for (int i = 0; i < x->target->n; i++) x->target->y[i] = (x->target->y[i] * 7 + 3) % 10;
}

static void invert_target(cldann_experiment *x) {
  uint8_t *p = x->target->x;
  for (size_t i = 0; i < dataset_item_bytes(x->target) * (size_t)x->target->n; i++) p[i] = (uint8_t)(p[i] ^ 0xff);
}

/* Target labels change nothing in dann and source-only; target images change dann, or the adversary would do nothing. */
START_TEST(target_labels_are_not_seen) {
  size_t n, k;
  float *a = train_digits("dann", "1", "20", NULL, &n), *b = train_digits("dann", "1", "20", scramble_target_labels, &k);
  float *c = train_digits("dann", "1", "20", invert_target, &k);
  float *d = train_digits("target-only", "1", "20", NULL, &k),
        *e = train_digits("target-only", "1", "20", scramble_target_labels, &k);
  ck_assert_int_eq(memcmp(a, b, n * 4), 0);
  ck_assert_int_ne(memcmp(a, c, n * 4), 0);
  ck_assert_int_ne(memcmp(d, e, n * 4), 0);
  free(a), free(b), free(c), free(d), free(e);
}
END_TEST

START_TEST(momentum_lives_across_steps) {
  /* With the momentum lost at every window, two windows of 10 would not equal one of 20. */
  size_t n, k;
  const char *const set[] = {"steps=20", "log_every=10", "data.source.n=640", "data.target.n=640"};
  float *p = NULL, *q = NULL;
  for (int i = 0; i < 2; i++) {
    const char *s[4];
    memcpy(s, set, sizeof s);
    if (i) s[1] = "log_every=20";
    cldann_experiment *x = load("experiments/digits.conf", s, 4);
    trainer *t = NULL;
    ck_assert_msg(trainer_new(x, NULL, &t) == 0, "%s", ctx->err.message);
    if (!i) ck_assert_int_eq(trainer_run(t, 7), 0); /* and stopping in between changes nothing */
    ck_assert_int_eq(trainer_run(t, 20), 0);
    n = x->net->param_count;
    float *v = malloc(n * 4);
    ck_assert_int_eq(trainer_params(t, v), 0);
    if (i)
      q = v, k = n;
    else
      p = v;
    trainer_free(t);
    cldann_experiment_free(x);
  }
  ck_assert_int_eq(memcmp(p, q, k * 4), 0);
  free(p), free(q);
}
END_TEST

START_TEST(blobs_learn) {
  const char *set[] = {"steps=3000", "method=source-only"};
  cldann_result r;
  cldann_experiment *x = load("experiments/blobs.conf", set, 2);
  ck_assert_msg(cldann_train(x, NULL, &r) == 0, "%s", ctx->err.message);
  ck_assert_double_ge(r.source_accuracy, 0.95);
  ck_assert_double_le(r.target_accuracy, 0.65);
  ck_assert_str_eq(r.method, "source-only");
  ck_assert_int_eq(r.steps, 3000);
  cldann_experiment_free(x);
}
END_TEST

START_TEST(divergence_is_caught_and_the_last_good_model_kept) {
  const char *set[] = {"steps=200", "lr.lr=1000", "data.source.n=640", "data.target.n=640"};
  cldann_experiment *x = load("experiments/digits.conf", set, 4);
  const cldann_train_options o = {.out_dir = folder, .overwrite = 1};
  cldann_result r;
  ck_assert_int_eq(cldann_train(x, &o, &r), CLDANN_E_DIVERGED);
  ck_assert_msg(strstr(ctx->err.message, "at step ") && strstr(ctx->err.message, "came from"), "%s", ctx->err.message);
  cldann_clear_error(ctx);
  float *p = malloc(x->net->param_count * 4);
  ck_assert_msg(model_load(&ctx->err, in("model.safetensors"), x->net, p) == 0, "%s", ctx->err.message);
  for (size_t i = 0; i < x->net->param_count; i++) ck_assert(isfinite(p[i]));
  free(p);
  cldann_experiment_free(x);
}
END_TEST

START_TEST(models_travel) {
  const char *set[] = {"steps=300"}, *deeper[] = {"preset=deeper"};
  cldann_experiment *x = load("experiments/blobs.conf", set, 1), *other = load("experiments/blobs.conf", deeper, 1);
  const cldann_train_options o = {.out_dir = folder, .overwrite = 1};
  const char *path = in("model.safetensors");
  cldann_result a, b;
  ck_assert_msg(cldann_train(x, &o, &a) == 0, "%s", ctx->err.message);
  ck_assert_msg(cldann_evaluate(x, path, NULL, &b) == 0, "%s", ctx->err.message);
  ck_assert_double_eq(a.target_accuracy, b.target_accuracy);
  ck_assert_double_eq(a.source_loss, b.source_loss);
  ck_assert_int_lt(cldann_evaluate(other, path, NULL, &b), 0); /* another net */
  cldann_clear_error(ctx);
  ck_assert_int_eq(truncate(path, 200), 0);
  ck_assert_int_eq(cldann_evaluate(x, path, NULL, &b), CLDANN_E_FORMAT);
  cldann_clear_error(ctx);
  cldann_experiment_free(x);
  cldann_experiment_free(other);
}
END_TEST

/* With nothing but the file: the experiment is in it, and the mean that its input takes, whatever other data there are. */
static long json_allocations;

static void *some_memory(size_t n) {
  return json_allocations-- == 0 ? NULL : malloc(n);
}

/* The header's library is refused its n-th allocation: no file, or a whole one. */
START_TEST(a_model_is_whole_where_memory_is_short) {
  cldann_experiment *x = load("experiments/blobs.conf", NULL, 0);
  float *params = calloc(x->net->param_count, sizeof *params), mean[] = {1, 2};
  const model_about about = {.experiment = (char *)"steps = 1;", .mean = mean, .channels = 2, .classes = (char *)"a\nb"};
  model_about back;
  int rc = -1;
  long n = 0;
  for (; rc < 0; n++) {
    json_allocations = n;
    json_set_alloc_funcs(some_memory, free);
    rc = model_save(&ctx->err, in("short.safetensors"), x->net, params, &about);
    json_set_alloc_funcs(malloc, free);
    ck_assert(rc == 0 || rc == CLDANN_E_MEM);
    ck_assert(rc == 0 || access(in("short.safetensors"), F_OK) != 0);
    cldann_clear_error(ctx);
  }
  ck_assert_int_gt(n, 50);
  ck_assert_int_eq(model_load(&ctx->err, in("short.safetensors"), x->net, params), 0);
  ck_assert_int_eq(model_read_about(&ctx->err, in("short.safetensors"), &back), 0);
  ck_assert(back.experiment && back.classes && back.channels == 2);
  model_forget_about(&back);
  free(params);
  cldann_experiment_free(x);
}
END_TEST

START_TEST(models_travel_alone) {
  const char *set[] = {"steps=20", "input.subtract_mean=true", "data.target.n=640", "data.target_test.n=150"};
  const char *less[] = {"data.source.n=64", "data.target.n=64"};
  cldann_experiment *x = load("experiments/digits.conf", set, 4), *alone = NULL, *other = NULL;
  const cldann_train_options o = {.out_dir = folder, .overwrite = 1};
  const char *path = in("model.safetensors");
  cldann_result a, b;
  ck_assert_msg(cldann_train(x, &o, &a) == 0, "%s", ctx->err.message);
  ck_assert_msg(cldann_experiment_of_model(ctx, path, NULL, 0, NULL, &alone) == 0, "%s", ctx->err.message);
  ck_assert_msg(cldann_evaluate(alone, path, NULL, &b) == 0, "%s", ctx->err.message);
  ck_assert_double_eq(a.target_loss, b.target_loss);
  ck_assert_double_eq(a.source_loss, b.source_loss);
  ck_assert_int_eq(cldann_experiment_of_model(ctx, path, less, 2, NULL, &other), 0);
  ck_assert_msg(cldann_evaluate(other, path, NULL, &b) == 0, "%s", ctx->err.message);
  ck_assert_double_eq(a.target_loss, b.target_loss);
  cldann_experiment_free(other);
  float *zero = calloc(alone->net->param_count, sizeof *zero);
  ck_assert_int_eq(model_save(&ctx->err, in("bare.safetensors"), alone->net, zero, NULL), 0);
  free(zero);
  ck_assert_int_eq(cldann_experiment_of_model(ctx, in("bare.safetensors"), NULL, 0, NULL, &other), CLDANN_E_FORMAT);
  ck_assert_msg(strstr(ctx->err.message, "does not hold the experiment"), "%s", ctx->err.message);
  cldann_clear_error(ctx);
  cldann_experiment_free(alone);
  cldann_experiment_free(x);
}
END_TEST

/* In the file, weights lie as PyTorch has them: a convolution's (out,in,y,x), a dense layer's (out, c,y,x of its input). */
START_TEST(models_lie_as_pytorch_has_them) {
  enum { H = 3, W = 4, C = 2, KH = 3, KW = 2, O = 5, UNITS = 3 };
  const cldann_window window = {.height = KH, .width = KW, .padding = CLDANN_SAME};
  cldann_net *net = cldann_net_new(ctx);
  cldann_node *conv = cldann_conv2d(cldann_input(net, H, W, C), O, &window, NULL);
  cldann_node *norm = cldann_batch_norm(cldann_flatten(cldann_relu(conv)), 1, 0.1f, 1e-5f);
  cldann_node *dense = cldann_dense(cldann_rows(norm, CLDANN_ROWS_SOURCE), UNITS, NULL);
  cldann_node *small = cldann_dense(dense, 2, NULL);
  net_layout(net);
  const size_t n = net->param_count, wc = conv->param_at[0], wd = dense->param_at[0], ws = small->param_at[0];
  float *p = calloc(n, sizeof *p), *back = calloc(n, sizeof *p), *file;
  for (size_t i = 0; i < n; i++) p[i] = (float)i;
  ck_assert_int_eq(model_save(&ctx->err, in("layout.safetensors"), net, p, NULL), CLDANN_OK);
  FILE *f = fopen(in("layout.safetensors"), "rb");
  unsigned char length[8];
  ck_assert_uint_eq(fread(length, 1, 8, f), 8);
  const long header = length[0] + 256L * length[1];
  ck_assert_int_eq(header % 8, 0);
  file = malloc(n * sizeof *file);
  fseek(f, 8 + header, SEEK_SET);
  ck_assert_uint_eq(fread(file, sizeof *file, n, f), n);
  fclose(f);
  for (size_t o = 0; o < O; o++)
    for (size_t i = 0; i < C; i++)
      for (size_t y = 0; y < KH; y++)
        for (size_t x = 0; x < KW; x++)
          ck_assert_float_eq(file[wc + ((o * C + i) * KH + y) * KW + x], p[wc + ((y * KW + x) * C + i) * O + o]);
  for (size_t u = 0; u < UNITS; u++)
    for (size_t c = 0; c < O; c++)
      for (size_t y = 0; y < H; y++)
        for (size_t x = 0; x < W; x++)
          ck_assert_float_eq(file[wd + ((u * O + c) * H + y) * W + x], p[wd + ((y * W + x) * O + c) * UNITS + u]);
  for (int k = 0; k < norm->o.n_params; k++) /* over the flattened image: its channels in PyTorch's order too */
    for (size_t c = 0; c < O; c++)
      for (size_t y = 0; y < H; y++)
        for (size_t x = 0; x < W; x++)
          ck_assert_float_eq(file[norm->param_at[k] + (c * H + y) * W + x], p[norm->param_at[k] + (y * W + x) * O + c]);
  for (size_t u = 0; u < 2; u++)
    for (size_t i = 0; i < UNITS; i++) ck_assert_float_eq(file[ws + u * UNITS + i], p[ws + i * 2 + u]);
  ck_assert_int_eq(model_load(&ctx->err, in("layout.safetensors"), net, back), CLDANN_OK);
  ck_assert(!memcmp(p, back, n * sizeof *p));
  free(p), free(back), free(file);
  cldann_net_free(net);
}
END_TEST

/* A partial last batch must not count its padding: accuracies are the same for any evaluation batch. */
START_TEST(evaluation_batches) {
  const char *const sizes[] = {"eval_batch=7", "eval_batch=64", "eval_batch=1000"};
  double target[3];
  for (int i = 0; i < 3; i++) {
    const char *set[] = {
        "steps=20", "data.source.n=640", "data.target.n=640", "data.source_test.n=100", "data.target_test.n=150", sizes[i]};
    cldann_result r;
    cldann_experiment *x = load("experiments/digits.conf", set, 6);
    ck_assert_msg(cldann_train(x, NULL, &r) == 0, "%s", ctx->err.message);
    target[i] = r.target_accuracy;
    cldann_experiment_free(x);
  }
  ck_assert_double_eq_tol(target[0], target[1], 1e-9);
  ck_assert_double_eq_tol(target[0], target[2], 1e-9);
}
END_TEST

/* ---- benchmark ---- */

typedef struct bench_sum {
  int launches, sparse; /* sparse: by the entries alone */
  double us, flops, bytes;
} bench_sum;

static void add_launch(void *user, const cldann_bench_launch *k) {
  bench_sum *s = user;
  s->launches++;
  s->sparse += !strncmp(k->kernel, "sparse_", 7);
  s->us += k->us, s->flops += k->flops, s->bytes += k->bytes;
  ck_assert_msg(k->us >= 0 && k->bytes > 0, "%s %s: %g us, %g bytes", k->node, k->kernel, k->us, k->bytes);
  ck_assert_msg(k->true_flops <= k->flops, "%s %s: more FLOPs than it needs", k->node, k->kernel);
  ck_assert_msg(k->flops_share >= 0 && isfinite(k->bytes_share), "%s %s: no share", k->node, k->kernel);
}

/* The peaks are wide of what any machine has; a share of the multiply-add peak leaves room for other work on this one. */
static void check_bench(const char *file, const cldann_bench_options *options, int planned, int batch) {
  cldann_bench_options o = *options;
  cldann_bench_result r;
  bench_sum sum = {0};
  cldann_experiment *x = load(file, NULL, 0);
  o.on_launch = add_launch, o.user = &sum;
  ck_assert_msg(cldann_bench(x, &o, &r) == 0, "%s", ctx->err.message);
  if (planned) ck_assert_int_eq(r.launches, planned);
  ck_assert_int_eq(sum.launches, r.launches);
  ck_assert_int_eq(r.batch, batch);
  ck_assert_int_eq(r.entries, o.entries);
  ck_assert_int_eq(sum.sparse > 0, o.entries > 0);
  ck_assert_double_eq_tol(sum.flops, r.flops, 1);
  ck_assert_double_eq_tol(sum.bytes, r.bytes, 1);
  ck_assert_double_eq_tol(sum.us * 1e-3, r.launches_ms, 1e-9 * sum.us);
  ck_assert(r.step_ms_min > 0 && r.step_ms_min <= r.step_ms && r.step_ms <= r.step_ms_max);
  ck_assert_double_eq_tol(r.samples_per_second * r.step_ms, 1e3 * batch, 1e-3);
  ck_assert(r.peak_gflops > 0.01 && r.peak_gflops < 1e7 && r.peak_gbytes > 0.01 && r.peak_gbytes < 1e6);
  ck_assert(r.peak_gflops >= r.peak_gflops_before && r.peak_gflops >= r.peak_gflops_after);
  ck_assert_msg(r.peak_fraction > 0 && r.peak_fraction < 1.2, "%g of the peak", r.peak_fraction);
  ck_assert_ptr_null(x->source); /* no data were loaded, and none left behind */
  cldann_experiment_free(x);
}

START_TEST(bench_tells_what_the_plan_does) {
  cldann_experiment *x = load("experiments/blobs.conf", NULL, 0);
  char *plan = NULL;
  int planned;
  const int batch = x->s.batch, eval_batch = x->s.eval_batch;
  ck_assert_msg(cldann_plan_text(x, &plan) == 0, "%s", ctx->err.message);
  const char *end = strstr(plan, " launches, "); /* the number stands at the start of its line */
  ck_assert_ptr_nonnull(end);
  while (end > plan && end[-1] != '\n') end--;
  planned = atoi(end);
  ck_assert_int_gt(planned, 0);
  cldann_free_text(plan);
  cldann_experiment_free(x);
  check_bench("experiments/blobs.conf", &(cldann_bench_options){0}, planned, batch);
  check_bench("experiments/blobs.conf", &(cldann_bench_options){.inference = 1}, 0, eval_batch);
  check_bench("experiments/digits.conf", &(cldann_bench_options){.inference = 1, .batch = 3}, 0, 3);
  check_bench("experiments/amazon.conf", &(cldann_bench_options){.batch = 4, .entries = 95}, 0, 4);
}
END_TEST

START_TEST(bench_refuses) {
  cldann_experiment *x = load("experiments/blobs.conf", NULL, 0);
  cldann_bench_result r;
  ck_assert_int_eq(cldann_bench(x, &(cldann_bench_options){.batch = 7}, &r), CLDANN_E_ARG); /* two halves */
  ck_assert_msg(strstr(ctx->err.message, "odd"), "%s", ctx->err.message);
  cldann_clear_error(ctx);
  ck_assert_int_eq(cldann_bench(x, &(cldann_bench_options){.entries = 1000}, &r), CLDANN_E_ARG);
  ck_assert_msg(strstr(ctx->err.message, "1000 entries"), "%s", ctx->err.message);
  cldann_clear_error(ctx);
  ck_assert_int_eq(cldann_bench(x, &(cldann_bench_options){.batch = -1}, &r), CLDANN_E_ARG);
  cldann_clear_error(ctx);
  cldann_experiment_free(x);
}
END_TEST

static void count_line(void *user, const char *line) {
  ck_assert_msg(strncmp(line, "FAIL", 4) != 0, "%s", line);
  ++*(int *)user;
}

START_TEST(device_self_test) {
  int lines = 0;
  ck_assert_msg(cldann_check_device(ctx, count_line, &lines) == 0, "%s", ctx->err.message);
  ck_assert_int_ge(lines, 20);
}
END_TEST

int main(void) {
  Suite *s = suite_create("train");
  TCase *t = tcase_create("train");
  suite_add_tcase(s, t);
  tcase_set_timeout(t, 300);
  tcase_add_test(t, schedules);
  tcase_add_test(t, lambda_modes);
  tcase_add_test(t, same_seed_same_bits);
  tcase_add_test(t, dropout_in_a_run);
  tcase_add_test(t, batch_norm_in_a_run);
  tcase_add_test(t, target_labels_are_not_seen);
  tcase_add_test(t, momentum_lives_across_steps);
  tcase_add_test(t, blobs_learn);
  tcase_add_test(t, divergence_is_caught_and_the_last_good_model_kept);
  tcase_add_test(t, models_travel);
  tcase_add_test(t, models_travel_alone);
  tcase_add_test(t, a_model_is_whole_where_memory_is_short);
  tcase_add_test(t, models_lie_as_pytorch_has_them);
  tcase_add_test(t, evaluation_batches);
  tcase_add_test(t, bench_tells_what_the_plan_does);
  tcase_add_test(t, bench_refuses);
  tcase_add_test(t, device_self_test);
  suite_add_tcase(s, checkpoint_cases(&ctx));
  suite_add_tcase(s, domain_cases(&ctx));
  suite_add_tcase(s, export_cases(&ctx));
  suite_add_tcase(s, tensorboard_cases(&ctx));
  suite_add_tcase(s, feed_cases(&ctx));
  suite_add_tcase(s, folder_cases(&ctx));
  suite_add_tcase(s, health_cases(&ctx));
  suite_add_tcase(s, layer_cases(&ctx));
  suite_add_tcase(s, predict_cases(&ctx));
  suite_add_tcase(s, ready_cases(&ctx));
  suite_add_tcase(s, linear_cases());
  suite_add_tcase(s, sparse_cases(&ctx));
  suite_add_tcase(s, start_cases(&ctx));
  suite_add_tcase(s, augment_cases(&ctx));
  suite_add_tcase(s, tensor_cases());
  suite_add_tcase(s, validation_cases(&ctx));
  return runner_run(s, &ctx);
}

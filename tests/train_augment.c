/*
 * tests/train_augment.c: augment: training sees the part of each image that the random numbers of its step and row name,
 * mirrored or not; whatever is forward alone sees the middle; and a training that was stopped goes on as if it had not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "runner.h"
#include "train/trainer_internal.h"
#include "train_suites.h"

static cldann **at;

#define GOOD(call) ck_assert_msg((call) == 0, "%s", (*at)->err.message)

enum { H = 21, W = 24, SIDE = 28, BATCH = 12, STEP = 5 };

static cldann_experiment *load(const char *set) {
  static const char text[] =
      "steps = 70; batch = 12; log_every = 20; eval_batch = 16; seed = 77777777777L;\n"
      "net = { input = [21, 24, 3]; features = ( { op = \"avg_pool\"; window = 5; }, { op = \"dense\"; units = 9; } );\n"
      "  label_head = ( { op = \"dense\"; units = 10; }, { op = \"softmax_xent\"; } );\n"
      "  domain_head = ( { op = \"reversal\"; }, { op = \"dense\"; units = 1; }, { op = \"logistic_xent\"; } ); };\n"
      "input = { scale = 0.5; }; augment = { crop = true; mirror = true; };\n"
      "data = { source = { kind = \"digits\"; n = 70; }; target = { kind = \"digits\"; n = 50; };\n"
      "  target_test = { kind = \"digits\"; n = 40; }; };\n";
  cldann_experiment *x = NULL;
  write_file(in("augment.conf"), text, strlen(text));
  GOOD(cldann_experiment_load(*at, in("augment.conf"), &set, 1, NULL, &x));
  return x;
}

/* A pixel of an image of bytes, half of it. */
static float half_of(const dataset *d, int item, int y, int x, int c) {
  return 0.5f * (float)((const uint8_t *)d->x)[((item * d->h + y) * d->w + x) * d->c + (d->c == 1 ? 0 : c)];
}

/* The batch behind the launches that gather it. The caller's (free). */
static float *batch_of(trainer *t) {
  const launches *l = replay_list(t->train);
  float *v = malloc(sizeof *v * BATCH * H * W * 3);
  int last = 0;
  tensor x = {0};
  for (int i = 1; i < l->n; i++)
    if (!strncmp(l->list[i].kernel, "gather_placed", strlen("gather_placed"))) x = l->list[last = i].args[4].t;
  ck_assert_int_gt(last, 0);
  x.offset = 0, x.rows = BATCH; /* the target's half lies behind the source's */
  GOOD(trainer_prepare_step(t, STEP, 1));
  GOOD(replay_run_range(t->train, 1, last + 1));
  GOOD(replay_read(t->train, x, v));
  return v;
}

static void what_training_sees(const char *set, int crop, int mirror) {
  cldann_experiment *x = load(set);
  trainer *t = NULL;
  int moved = 0, mirrored = 0;
  GOOD(trainer_new(x, NULL, &t));
  float *v = batch_of(t);
  for (int r = 0; r < BATCH; r++) {
    const rng words = rng_words(x->s.seed, RNG_AUGMENT, STEP, (uint64_t)r);
    const dataset *d = r < BATCH / 2 ? x->source : x->target;
    const int top = crop ? (int)rng_below(words.v[0], SIDE - H + 1) : (SIDE - H) / 2;
    const int left = crop ? (int)rng_below(words.v[1], SIDE - W + 1) : (SIDE - W) / 2, turn = mirror && words.v[2] >> 31;
    moved += top != (SIDE - H) / 2, mirrored += turn;
    for (int i = 0; i < H * W * 3; i++) {
      const int c = i % 3, q = i / 3 % W, y = i / (3 * W);
      const float want = half_of(d, t->indices[r], top + y, left + (turn ? W - 1 - q : q), c), got = v[r * H * W * 3 + i];
      ck_assert_msg(got == want, "%s: row %d, pixel %d,%d: %g, not %g", set, r, y, q, (double)got, (double)want);
    }
  }
  ck_assert(crop ? moved > 0 : moved == 0);
  ck_assert(mirror ? mirrored > 0 && mirrored < BATCH : mirrored == 0);
  free(v);
  trainer_free(t);
  cldann_experiment_free(x);
}

START_TEST(training) {
  what_training_sees("augment.mirror=true", 1, 1);
  what_training_sees("augment.mirror=false", 1, 0);
}
END_TEST

START_TEST(evaluation_sees_the_middle) {
  cldann_experiment *x = load("log_every=20");
  trainer *t = NULL;
  GOOD(trainer_new(x, NULL, &t));
  const dataset *d = x->target_test;
  float *v = malloc(sizeof *v * (size_t)d->n * H * W * 3);
  GOOD(trainer_outputs(t, d, 1, net_input(x->net), v));
  for (int i = 0; i < d->n * H * W * 3; i++) {
    const int c = i % 3, q = i / 3 % W, y = i / (3 * W) % H, item = i / (3 * W * H);
    ck_assert(v[i] == half_of(d, item, (SIDE - H) / 2 + y, (SIDE - W) / 2 + q, c));
  }
  free(v);
  trainer_free(t);
  cldann_experiment_free(x);
}
END_TEST

static int stop_after(void *user) {
  int *left = user;
  return *left > 0 && --*left == 0;
}

static void train(const char *set, const char *dir, int stop, int resume, int code) {
  cldann_experiment *x = load(set);
  cldann_result r;
  const cldann_train_options o = {
      .out_dir = in(dir), .overwrite = !resume, .resume = resume, .should_stop = stop_after, .user = &stop};
  ck_assert_int_eq(cldann_train(x, &o, &r), code);
  if (code) cldann_clear_error(*at);
  cldann_experiment_free(x);
}

static size_t model_of(const char *dir, char *text, size_t room) {
  char path[100];
  snprintf(path, sizeof path, "%s/model.safetensors", dir);
  FILE *f = fopen(in(path), "rb");
  ck_assert_ptr_nonnull(f);
  const size_t n = fread(text, 1, room, f);
  fclose(f);
  return n;
}

START_TEST(goes_on_bit_by_bit) {
  static char whole[1 << 16], parts[1 << 16];
  train("log_every=20", "augment_whole", 0, 0, CLDANN_OK);
  train("log_every=20", "augment_parts", 2, 0, CLDANN_E_INTERRUPTED);
  train("log_every=20", "augment_parts", 0, 1, CLDANN_OK);
  const size_t n = model_of("augment_whole", whole, sizeof whole), m = model_of("augment_parts", parts, sizeof parts);
  ck_assert(n == m && n < sizeof whole && !memcmp(whole, parts, n));
}
END_TEST

START_TEST(what_does_not_fit) {
  static const char *const sets[] = {"net.input=[29, 24, 3]", "augment.crop=false"};
  for (int i = 0; i < 2; i++) {
    cldann_experiment *x = load(sets[i]);
    ck_assert_int_eq(experiment_load_data(x, NULL, NULL), CLDANN_E_SHAPE);
    ck_assert_msg(strstr((*at)->err.message, "net.input") != NULL, "%s", (*at)->err.message);
    cldann_clear_error(*at);
    cldann_experiment_free(x);
  }
}
END_TEST

TCase *augment_cases(cldann **ctx) {
  TCase *t = tcase_create("augment");
  at = ctx;
  tcase_set_timeout(t, 300);
  tcase_add_test(t, training);
  tcase_add_test(t, evaluation_sees_the_middle);
  tcase_add_test(t, goes_on_bit_by_bit);
  tcase_add_test(t, what_does_not_fit);
  return t;
}

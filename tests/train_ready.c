/*
 * tests/train_ready.c: the experiments whose data nobody may hand on: each is run for two steps on made-up sets of the format,
 * shape and labels that the real ones have, and the sizes of its layers are held against the published ones.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <png.h>

#include "base/rng.h"
#include "config.h"
#include "data/idx.h"
#include "runner.h"
#include "train/trainer_internal.h"
#include "train_suites.h"
#ifdef HAVE_MATIO
#include <matio.h>
#endif

static cldann **at;

#define GOOD(call) ck_assert_msg((call) == 0, "%s", (*at)->err.message)

static uint8_t noise(size_t i) {
  return (uint8_t)(rng_words(1, RNG_CHECK, 0, i).v[0] >> 24);
}

typedef struct layer {
  const char *name;
  int h, w, c;
} layer;

/* Two steps with small batches, and the outputs of some nodes. more: another override, or NULL. */
static void run(const char *file, const char *more, const layer *layers) {
  const char *const sets[] = {"steps=2", "log_every=2", "batch=8", "eval_batch=8", more};
  cldann_experiment *x = NULL;
  cldann_result r;
  GOOD(cldann_experiment_load(*at, source_path(file), sets, more ? 5 : 4, folder, &x));
  for (; layers->name; layers++) {
    const cldann_node *n = net_find(x->net, layers->name);
    ck_assert_msg(n != NULL, "%s: no %s", file, layers->name);
    const shape s = n->o.out;
    ck_assert_msg(s.h == layers->h && s.w == layers->w && s.c == layers->c, "%s: %s is %d x %d x %d", file, n->o.name, s.h, s.w,
                  s.c);
  }
  GOOD(cldann_train(x, NULL, &r));
  ck_assert_msg(isfinite(r.target_loss) && r.target_items > 0, "%s: target loss %g", file, r.target_loss);
  cldann_experiment_free(x);
}

#ifdef HAVE_MATIO
/* Variables X (32, 32, 3, n) and y (n, 1), labels 1 to 10. */
static void write_numbers(const char *path, int n) {
  size_t images[4] = {32, 32, 3, (size_t)n}, labels[2] = {(size_t)n, 1};
  const size_t count = 32 * 32 * 3 * (size_t)n;
  uint8_t *x = malloc(count), *y = malloc((size_t)n);
  mat_t *mat = Mat_CreateVer(path, NULL, MAT_FT_MAT5);
  for (size_t i = 0; i < count; i++) x[i] = noise(i);
  for (int i = 0; i < n; i++) y[i] = (uint8_t)(1 + i % 10);
  matvar_t *v = Mat_VarCreate("X", MAT_C_UINT8, MAT_T_UINT8, 4, images, x, 0);
  ck_assert(mat && v && Mat_VarWrite(mat, v, MAT_COMPRESSION_NONE) == 0);
  Mat_VarFree(v);
  v = Mat_VarCreate("y", MAT_C_UINT8, MAT_T_UINT8, 2, labels, y, 0);
  ck_assert(v && Mat_VarWrite(mat, v, MAT_COMPRESSION_NONE) == 0);
  Mat_VarFree(v);
  Mat_Close(mat);
  free(x), free(y);
}

static void write_digits(const char *prefix, int n) {
  cldann_error e;
  dataset *d = NULL;
  char path[200];
  err_clear(&e);
  ck_assert_int_eq(dataset_new(&e, &d, "digits", DATA_U8, n, 28, 28, 1, 1), 0);
  for (int i = 0; i < n * 28 * 28; i++) ((uint8_t *)d->x)[i] = noise((size_t)i);
  for (int i = 0; i < n; i++) d->y[i] = i % 10;
  d->classes = 10;
  snprintf(path, sizeof path, "%s/mnist/%s-images-idx3-ubyte", folder, prefix);
  ck_assert_int_eq(idx_write_images(&e, path, d), 0);
  snprintf(path, sizeof path, "%s/mnist/%s-labels-idx1-ubyte", folder, prefix);
  ck_assert_int_eq(idx_write_labels(&e, path, d), 0);
  dataset_free(d);
}

static const layer number_net[] = {
    {"conv1", 28, 28, 64},   {"max_pool1", 14, 14, 64}, {"conv2", 10, 10, 64},  {"max_pool2", 5, 5, 64},
    {"features", 1, 1, 128}, {"label1", 1, 1, 3072},    {"label2", 1, 1, 2048}, {"label3", 1, 1, 10},
    {"domain1", 1, 1, 1024}, {"domain3", 1, 1, 1},      {NULL, 0, 0, 0}};

START_TEST(house_numbers) {
  mkdir(in("svhn"), 0777), mkdir(in("synth"), 0777), mkdir(in("mnist"), 0777);
  write_numbers(in("svhn/train_32x32.mat"), 20), write_numbers(in("svhn/test_32x32.mat"), 30);
  write_numbers(in("synth/synth_train_32x32.mat"), 20), write_numbers(in("synth/synth_test_32x32.mat"), 10);
  write_digits("train", 30), write_digits("t10k", 20);
  run("experiments/svhn-mnist.conf", NULL, number_net);
  run("experiments/syn-svhn.conf", NULL, number_net);
  cldann_experiment *x = NULL; /* both sets' zeros are class 0 */
  GOOD(cldann_experiment_load(*at, source_path("experiments/svhn-mnist.conf"), NULL, 0, folder, &x));
  x->s.batch = 8;
  GOOD(experiment_load_data(x, NULL, NULL));
  ck_assert(x->source->y[9] == 0 && x->source->y[0] == 1 && x->target->y[0] == 0 && x->target->y[9] == 9);
  ck_assert(x->source->h == 32 && x->source->c == 3 && x->target->h == 32 && x->target->c == 1);
  cldann_experiment_free(x);
}
END_TEST
#endif

/* Of noise, of a size that depends on i. */
static void write_photo(const char *path, int i) {
  uint8_t pixels[60 * 60 * 3];
  png_image image = {.version = PNG_IMAGE_VERSION, .format = PNG_FORMAT_RGB};
  image.width = (png_uint_32)(30 + i % 31), image.height = (png_uint_32)(30 + i % 17);
  for (size_t k = 0; k < sizeof pixels; k++) pixels[k] = noise(k + (size_t)i);
  ck_assert(png_image_write_to_file(&image, path, 0, pixels, 0, NULL));
}

/* Images of any size, and all 43 classes. */
static void write_signs(const char *dir, const char *list, int n) {
  char path[200];
  FILE *f;
  mkdir(in(dir), 0777);
  snprintf(path, sizeof path, "%s/%s/%s", folder, dir, list);
  ck_assert_ptr_nonnull(f = fopen(path, "w"));
  for (int i = 0; i < n; i++) {
    snprintf(path, sizeof path, "%s/%s/%s-%d.png", folder, dir, list, i);
    write_photo(path, i);
    fprintf(f, "%s-%d.png %d\n", list, i, i % 43);
  }
  fclose(f);
}

START_TEST(traffic_signs) {
  static const layer layers[] = {{"conv1", 36, 36, 96},    {"conv2", 16, 16, 144}, {"conv3", 4, 4, 256},
                                 {"features", 1, 1, 1024}, {"label1", 1, 1, 512},  {"label2", 1, 1, 43},
                                 {"domain2", 1, 1, 1024},  {"domain3", 1, 1, 1},   {NULL, 0, 0, 0}};
  write_signs("syn_signs", "train.txt", 86);
  write_signs("gtsrb", "train.txt", 43);
  write_signs("gtsrb", "test.txt", 50);
  run("experiments/synsigns-gtsrb.conf", NULL, layers);
}
END_TEST

/* A folder for each of the 31 classes, an image in each. */
static void write_office(const char *domain, int first) {
  char path[240];
  snprintf(path, sizeof path, "office31/%s", domain);
  mkdir(in("office31"), 0777), mkdir(in(path), 0777);
  snprintf(path, sizeof path, "office31/%s/images", domain);
  mkdir(in(path), 0777);
  for (int i = 0; i < 31; i++) {
    snprintf(path, sizeof path, "%s/office31/%s/images/class%02d", folder, domain, i);
    mkdir(path, 0777);
    strcat(path, "/frame_0001.jpg"); /* the format is by content */
    write_photo(path, first + i);
  }
}

START_TEST(office) {
  static const layer layers[] = {
      {"conv1", 55, 55, 96},   {"pool1", 27, 27, 96},  {"conv2", 27, 27, 256},  {"pool2", 13, 13, 256}, {"conv3", 13, 13, 384},
      {"conv4", 13, 13, 384},  {"conv5", 13, 13, 256}, {"pool5", 6, 6, 256},    {"fc6", 1, 1, 4096},    {"fc7", 1, 1, 4096},
      {"features", 1, 1, 256}, {"label", 1, 1, 31},    {"domain2", 1, 1, 1024}, {"domain3", 1, 1, 1},   {NULL, 0, 0, 0}};
  write_office("amazon", 0), write_office("webcam", 100);
  run("experiments/office31-alexnet.conf", "init.from=", layers);
}
END_TEST

TCase *ready_cases(cldann **ctx) {
  TCase *t = tcase_create("ready");
  at = ctx;
  tcase_set_timeout(t, 300);
#ifdef HAVE_MATIO
  tcase_add_test(t, house_numbers);
#endif
  tcase_add_test(t, traffic_signs);
  tcase_add_test(t, office);
  return t;
}

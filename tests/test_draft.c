/*
 * tests/test_draft.c: cldann_draft on files and folders made here: what it sees, what it decides, that each experiment it
 * writes trains as it is, and that what cannot be trained on is one line with the fix.
 */
#include <math.h>
#include <png.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"
#include "runner.h"

static cldann *c;
static cldann_error error;

/* What the last call told. */
static struct {
  int sets, warnings;
  char notes[4000];
  int64_t items[4];
  int classes[4];
  double mean[4];
} seen;

static void on_set(void *user, const cldann_set_info *s) {
  static const char *const names[] = {"source", "target", "source_test", "target_test"};
  (void)user;
  for (int i = 0; i < 4; i++)
    if (!strcmp(s->set, names[i])) seen.items[i] = s->items, seen.classes[i] = s->classes, seen.mean[i] = s->mean;
  seen.sets++;
}

static void on_note(void *user, int warning, const char *line) {
  (void)user;
  seen.warnings += warning;
  snprintf(seen.notes + strlen(seen.notes), sizeof seen.notes - strlen(seen.notes), "%s\n", line);
}

static int draft(const char *source, const char *target, const char *labels) {
  char from[200], to[200], path[200], sheet[200];
  snprintf(from, sizeof from, "%s", in(source));
  snprintf(to, sizeof to, "%s", in(target));
  snprintf(path, sizeof path, "%s", in("x.conf"));
  snprintf(sheet, sizeof sheet, "%s", in("x.png"));
  unlink(sheet);
  memset(&seen, 0, sizeof seen);
  const cldann_draft_options o = {
      .path = path, .sheet = sheet, .overwrite = 1, .labels = labels, .on_set = on_set, .on_note = on_note};
  return cldann_draft(from, to, &o, &error);
}

static char text[8192];

/* Drafts, and trains five steps of what was written, which is then in `text`. */
static cldann_result trained(const char *source, const char *target, const char *labels) {
  static const char *const sets[] = {"steps=5", "log_every=5"};
  cldann_experiment *x = NULL;
  cldann_result r;
  ck_assert_msg(draft(source, target, labels) == 0, "%s", error.message);
  FILE *f = fopen(in("x.conf"), "r");
  ck_assert_ptr_nonnull(f);
  text[fread(text, 1, sizeof text - 1, f)] = 0;
  fclose(f);
  ck_assert_msg(cldann_experiment_load(c, in("x.conf"), sets, 2, NULL, &x) == 0, "%s\n%s", cldann_get_error(c)->message, text);
  ck_assert_msg(cldann_train(x, &(cldann_train_options){.out_dir = NULL}, &r) == 0, "%s\n%s", cldann_get_error(c)->message,
                text);
  ck_assert(r.steps == 5 && (r.source_items > 0 || !isnan(r.validation_accuracy)));
  cldann_experiment_free(x);
  return r;
}

#define HAS(part) ck_assert_msg(strstr(text, part) != NULL, "no %s in\n%s", part, text)
#define HAS_NOT(part) ck_assert_msg(!strstr(text, part), "%s in\n%s", part, text)
#define TOLD(part) ck_assert_msg(strstr(seen.notes, part) != NULL, "no %s in\n%s", part, seen.notes)
#define BAD(call, status, part)                                                                               \
  do {                                                                                                        \
    ck_assert_int_eq((call), (status));                                                                       \
    ck_assert_msg(strstr(error.message, part) && !strchr(error.message, '\n'), "message: %s", error.message); \
  } while (0)

/* ---- images ---- */

static void make_folder(const char *name) {
  mkdir(in(name), 0777);
}

static void put_png(const char *folder_name, int k, int h, int w, int channels) {
  uint8_t pixels[120 * 120 * 3];
  char name[200];
  png_image image = {.version = PNG_IMAGE_VERSION,
                     .format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB,
                     .width = (png_uint_32)w,
                     .height = (png_uint_32)h};
  for (int i = 0; i < h * w * channels; i++) pixels[i] = (uint8_t)(i * (k + 3) % 251);
  snprintf(name, sizeof name, "%s/%03d.png", folder_name, k);
  ck_assert(png_image_write_to_file(&image, in(name), 0, pixels, 0, NULL));
}

/* n images in each folder of a class, of sizes from h x w on, each `grow` larger than the last. */
static void make_classes(const char *name, const char *const *classes, int n, int h, int w, int grow, int channels) {
  char class[200];
  make_folder(name);
  for (; *classes; classes++) {
    snprintf(class, sizeof class, "%s/%s", name, *classes);
    make_folder(class);
    for (int i = 0; i < n; i++) put_png(class, i, h + i * grow, w + i * grow, channels);
  }
}

/* n images in the folder itself. */
static void make_loose(const char *name, int n, int side) {
  make_folder(name);
  for (int i = 0; i < n; i++) put_png(name, i, side, side, 3);
}

static const char *const pets[] = {"cat", "dog", NULL};

START_TEST(folders_grey_and_colour) {
  make_classes("grey", pets, 20, 28, 28, 0, 1);
  make_classes("colour", pets, 25, 28, 28, 0, 3);
  const cldann_result r = trained("grey", "colour", NULL);
  ck_assert(seen.sets == 2 && seen.items[0] == 40 && seen.items[1] == 50 && seen.classes[0] == 2 && seen.classes[1] == 2);
  ck_assert(r.target_items == 50 && r.source_items == 0);
  ck_assert(seen.mean[0] > 100 && seen.mean[0] < 150);
  HAS("input = [28, 28, 3]");
  HAS("classes = [\"cat\", \"dog\"]");
  HAS_NOT("resize");
  TOLD("the one channel of the source is repeated to 3");
  ck_assert(access(in("x.png"), F_OK) == 0);
}
END_TEST

START_TEST(folders_of_any_size) {
  make_classes("any", pets, 12, 30, 40, 5, 3); /* 30 x 40 to 85 x 95, in the middle 60 x 70 */
  make_classes("large", pets, 12, 110, 90, 0, 3);
  trained("any", "large", NULL);
  HAS("input = [54, 64, 3]"); /* the longer side of 60 x 70 at most 64 */
  HAS("any\"; resize = [54, 64];");
  TOLD("source: images are resized to 54 x 64");
  TOLD("target: images are resized to 54 x 64");
  make_classes("tiny", pets, 12, 9, 9, 0, 1);
  trained("any", "tiny", NULL);
  HAS("input = [28, 28, 3]");
}
END_TEST

START_TEST(folders_without_labels) {
  static const char *const one[] = {"all", NULL};
  make_loose("loose", 15, 28);
  const cldann_result r = trained("grey", "loose", NULL);
  ck_assert(r.target_items == 0 && seen.classes[1] == 0);
  HAS("No target_test");
  make_classes("boxed", one, 15, 28, 28, 0, 3); /* in one folder that is no class */
  trained("grey", "boxed", NULL);
  HAS("boxed/all\"");
  ck_assert_int_eq(seen.classes[1], 0);
}
END_TEST

static int count_item(void *user, const cldann_prediction *p) {
  ck_assert(p->items == 9 && p->classes == 2 && p->name && p->target > 0 && p->target < 1);
  ++*(int *)user;
  return 0;
}

/* New images are read by the keys of the target where there is no test set. */
START_TEST(predicts_as_the_target_is_read) {
  static const char *const sets[] = {"steps=3"};
  cldann_experiment *x = NULL;
  cldann_result r;
  char model[200], folder_of_new[200];
  int n = 0;
  make_loose("big", 15, 50);
  make_loose("new", 9, 70);
  ck_assert_msg(draft("grey", "big", NULL) == 0, "%s", error.message);
  ck_assert_int_eq(cldann_experiment_load(c, in("x.conf"), sets, 1, NULL, &x), 0);
  ck_assert_msg(cldann_train(x, &(cldann_train_options){.out_dir = in("run"), .overwrite = 1}, &r) == 0, "%s",
                cldann_get_error(c)->message);
  cldann_experiment_free(x);
  snprintf(model, sizeof model, "%s", in("run/model.safetensors"));
  snprintf(folder_of_new, sizeof folder_of_new, "%s", in("new"));
  ck_assert_msg(cldann_predict(c, model, folder_of_new, &(cldann_predict_options){.on_item = count_item, .user = &n}) == 0,
                "%s", cldann_get_error(c)->message);
  ck_assert_int_eq(n, 9);
}
END_TEST

START_TEST(folders_with_train_and_test) {
  make_folder("parts");
  make_classes("parts/train", pets, 20, 28, 28, 0, 1);
  make_classes("parts/test", pets, 7, 28, 28, 0, 1);
  const cldann_result r = trained("parts", "parts", NULL);
  ck_assert(seen.sets == 4 && r.source_items == 14 && r.target_items == 14);
  HAS("parts/train\"");
  HAS("parts/test\"");
}
END_TEST

START_TEST(images_that_cannot_be_read) {
  make_classes("hurt", pets, 20, 28, 28, 0, 1);
  write_file(in("hurt/dog/003.png"), "no picture", 10);
  trained("hurt", "grey", NULL);
  HAS("hurt\"; skip_bad = true;");
  ck_assert_int_eq(seen.items[0], 39);
  TOLD("1 images cannot be read and are left out");
  make_loose("ruin", 2, 28);
  write_file(in("ruin/000.png"), "no picture", 10);
  write_file(in("ruin/001.png"), "no picture", 10);
  BAD(draft("grey", "ruin", NULL), CLDANN_E_FORMAT, "none of its 2 images can be read");
}
END_TEST

START_TEST(classes_of_one_domain) {
  static const char *const more[] = {"bird", "dog", NULL}, *const other[] = {"ape", "elk", NULL};
  make_classes("birds", more, 20, 28, 28, 0, 1);
  trained("grey", "birds", NULL);
  HAS("classes = [\"bird\", \"cat\", \"dog\"]");
  HAS("units = 3; name = \"label\"");
  ck_assert_int_ge(seen.warnings, 2);
  TOLD("classes of the source alone: cat");
  TOLD("classes of the target alone: bird");
  make_classes("apes", other, 20, 28, 28, 0, 1);
  BAD(draft("grey", "apes", NULL), CLDANN_E_FORMAT, "have no class in common");
  make_classes("bar", (const char *const[]){"cat", "a|b", NULL}, 20, 28, 28, 0, 1);
  BAD(draft("bar", "grey", NULL), CLDANN_E_FORMAT, "call it otherwise");
}
END_TEST

START_TEST(folders_not_to_train_on) {
  make_classes("single", (const char *const[]){"cat", NULL}, 20, 28, 28, 0, 1);
  make_folder("empty");
  BAD(draft("single", "grey", NULL), CLDANN_E_FORMAT, "has one class only ('cat')");
  BAD(draft("loose", "grey", NULL), CLDANN_E_FORMAT,
      "has no labels, and they are what is learnt; put its images into a folder");
  BAD(draft("grey", "empty", NULL), CLDANN_E_FORMAT, "has no .png, .jpg or .jpeg files");
  BAD(draft("grey", "nonesuch", NULL), CLDANN_E_IO, "nonesuch");
  make_classes("few", pets, 1, 28, 28, 0, 1);
  BAD(draft("grey", "few", NULL), CLDANN_E_FORMAT, "has 2 items, too few to train on");
}
END_TEST

START_TEST(files_are_kept) {
  char path[200];
  ck_assert_int_eq(draft("grey", "colour", NULL), 0);
  snprintf(path, sizeof path, "%s", in("x.conf"));
  BAD(cldann_draft(in("grey"), in("colour"), &(cldann_draft_options){.path = path}, &error), CLDANN_E_IO, "--overwrite");
  unlink(path);
  snprintf(path, sizeof path, "%s", in("x.png"));
  BAD(cldann_draft(in("grey"), in("colour"), &(cldann_draft_options){.path = in("x.conf"), .sheet = path}, &error), CLDANN_E_IO,
      "x.png is there already");
}
END_TEST

/* ---- tables ---- */

enum { ROWS = 120 };

/* Two clouds in the plane and a column of another scale; labels as the last column, called so or not, or none. */
static void make_csv(const char *name, const char *header, int labelled, int columns) {
  FILE *f = fopen(in(name), "w");
  ck_assert_ptr_nonnull(f);
  fputs(header, f);
  for (int i = 0; i < ROWS; i++) {
    for (int k = 0; k < columns; k++) {
      const rng r = rng_words(1, RNG_CHECK, (uint32_t)k, (uint64_t)i);
      fprintf(f, "%s%.4f", k ? "," : "", (k == 2 ? 5000 : 1) * ((i % 2) + 0.3 * (double)rng_normal(r.v[0], r.v[1])));
    }
    if (labelled == 1) fprintf(f, ",%d", i % 2);
    if (labelled == 2) fprintf(f, ",%s", i % 2 ? "yes" : "no");
    fputs("\n", f);
  }
  fclose(f);
}

START_TEST(tables) {
  make_csv("named.csv", "a,b,c,class\n", 2, 3);
  make_csv("plain.csv", "a,b,c\n", 0, 3);
  make_csv("last.csv", "", 1, 3);
  make_csv("bare.csv", "", 0, 3);
  make_csv("wide.csv", "a,b,c,d\n", 0, 4);
  trained("named.csv", "plain.csv", NULL);
  HAS("named.csv\"; labels = \"class\";");
  HAS("classes = [\"no\", \"yes\"]");
  HAS("batch_norm");
  HAS("No target_test");
  ck_assert(access(in("x.png"), F_OK) != 0);
  ck_assert_int_eq((int)trained("named.csv", "named.csv", NULL).target_items, ROWS);
  trained("last.csv", "bare.csv", NULL);
  HAS("last.csv\"; labels = \"-1\";");
  HAS("bare.csv\"; };");
  ck_assert_int_eq((int)trained("last.csv", "last.csv", NULL).target_items, ROWS);
  ck_assert_int_eq((int)trained("last.csv", "last.csv", "3").target_items, ROWS);
  BAD(draft("bare.csv", "bare.csv", NULL), CLDANN_E_FORMAT, "name their column, array or file with --labels NAME");
  BAD(draft("named.csv", "named.csv", "klass"), CLDANN_E_ARG, "has no column klass");
  BAD(draft("named.csv", "wide.csv", NULL), CLDANN_E_SHAPE, "same columns in the same order");
  BAD(draft("named.csv", "grey", NULL), CLDANN_E_SHAPE, "save both as images, or both as rows");
}
END_TEST

static void put_npy(const char *name, const char *head, const void *data, size_t n) {
  char bytes[128] = "\x93NUMPY\x01";
  FILE *f = fopen(in(name), "wb");
  memset(bytes + 8, ' ', 120);
  bytes[8] = 118, bytes[9] = 0;
  memcpy(bytes + 10, head, strlen(head));
  bytes[127] = '\n';
  fwrite(bytes, 1, 128, f);
  fwrite(data, 1, n, f);
  fclose(f);
}

START_TEST(arrays) {
  static uint8_t images[60 * 16 * 16], labels[60];
  static float floats[60 * 16 * 16];
  for (size_t i = 0; i < sizeof images; i++) images[i] = (uint8_t)(i * 7 % 253), floats[i] = (float)images[i] / 255;
  for (int i = 0; i < 60; i++) labels[i] = (uint8_t)(i % 3);
  put_npy("X_train.npy", "{'descr': '|u1', 'fortran_order': False, 'shape': (60, 16, 16), }", images, sizeof images);
  put_npy("y_train.npy", "{'descr': '|u1', 'fortran_order': False, 'shape': (60,), }", labels, sizeof labels);
  put_npy("X_test.npy", "{'descr': '|u1', 'fortran_order': False, 'shape': (60, 16, 16), }", images, sizeof images);
  put_npy("y_test.npy", "{'descr': '|u1', 'fortran_order': False, 'shape': (60,), }", labels, sizeof labels);
  put_npy("floats.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (60, 16, 16), }", floats, sizeof floats);
  const cldann_result r = trained("X_train.npy", "floats.npy", NULL);
  HAS("X_train.npy\"; labels = \"y_train.npy\"; resize = [28, 28];");
  HAS("X_test.npy\"; labels = \"y_test.npy\";");
  HAS("floats.npy\"; bytes = true; resize = [28, 28];");
  ck_assert(r.source_items == 60 && r.target_items == 0 && seen.classes[0] == 3);
  TOLD("target: its floats from 0 to 1 are taken as bytes");
  put_npy("rows.npy", "{'descr': '|u1', 'fortran_order': False, 'shape': (20, 768), }", images, sizeof images);
  BAD(draft("X_train.npy", "rows.npy", NULL), CLDANN_E_SHAPE, "save both as images, or both as rows");
  put_npy("rows.npy", "{'descr': '|u1', 'fortran_order': False, 'shape': (60, 256), }", images, sizeof images);
  trained("X_train.npy", "rows.npy", NULL);
  HAS("rows.npy\"; shape = [16, 16, 1]; resize = [28, 28];");
  for (int i = 0; i < 60; i++) floats[i] = -3;
  put_npy("floats.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (60, 16, 16), }", floats, sizeof floats);
  trained("X_train.npy", "floats.npy", NULL);
  HAS("input = [16, 16, 1]");
  TOLD("bring both to one scale");
}
END_TEST

START_TEST(idx_folders) {
  static uint8_t images[16 + 40 * 28 * 28] = {0, 0, 8, 3, 0, 0, 0, 40, 0, 0, 0, 28, 0, 0, 0, 28};
  static uint8_t labels[8 + 40] = {0, 0, 8, 1, 0, 0, 0, 40};
  for (int i = 0; i < 40; i++) labels[8 + i] = (uint8_t)(i % 4), images[16 + i * 784] = (uint8_t)i;
  make_folder("idx");
  write_file(in("idx/train-images-idx3-ubyte"), images, sizeof images);
  write_file(in("idx/train-labels-idx1-ubyte"), labels, sizeof labels);
  write_file(in("idx/t10k-images-idx3-ubyte"), images, sizeof images);
  write_file(in("idx/t10k-labels-idx1-ubyte"), labels, sizeof labels);
  const cldann_result r = trained("idx", "idx", NULL);
  ck_assert(seen.sets == 4 && r.source_items == 40 && r.target_items == 40 && seen.classes[3] == 4);
}
END_TEST

START_TEST(counts) {
  for (int k = 0; k < 2; k++) {
    FILE *f = fopen(in(k ? "b.svmlight" : "a.svmlight"), "w");
    for (int i = 0; i < ROWS; i++)
      fprintf(f, "%d %d:1 %d:2 %d:1\n", i % 2 ? 1 : -1, 1 + i % 5, 10 + i % 7, 60 + i % (30 + 10 * k));
    fclose(f);
  }
  trained("a.svmlight", "b.svmlight", NULL);
  HAS("input = [1, 1, 100]"); /* as wide as the wider */
  HAS("a.svmlight\"; width = 100;");
  HAS("logistic_xent");
  HAS("input = { scale = 4.08; };"); /* rows are sqrt(6) long */
  BAD(draft("a.svmlight", "bare.csv", NULL), CLDANN_E_FORMAT, "save both in the same");
}
END_TEST

START_TEST(each_allocation_fails) {
  for (int pair = 0; pair < 2; pair++)
    for (long n = 1;; n += n < 50 ? 1 : 37) {
      mem_fail_after(n);
      const int rc = draft(pair ? "named.csv" : "tiny", pair ? "last.csv" : "few", NULL);
      mem_fail_after(-1);
      if (rc != CLDANN_E_MEM) break;
      ck_assert_ptr_nonnull(strstr(error.message, "memory"));
    }
}
END_TEST

int main(void) {
  Suite *s = suite_create("draft");
  TCase *t = tcase_create("draft");
  suite_add_tcase(s, t);
  tcase_set_timeout(t, 240);
  tcase_add_test(t, folders_grey_and_colour);
  tcase_add_test(t, folders_of_any_size);
  tcase_add_test(t, folders_without_labels);
  tcase_add_test(t, predicts_as_the_target_is_read);
  tcase_add_test(t, folders_with_train_and_test);
  tcase_add_test(t, images_that_cannot_be_read);
  tcase_add_test(t, classes_of_one_domain);
  tcase_add_test(t, folders_not_to_train_on);
  tcase_add_test(t, files_are_kept);
  tcase_add_test(t, tables);
  tcase_add_test(t, arrays);
  tcase_add_test(t, idx_folders);
  tcase_add_test(t, counts);
  tcase_add_test(t, each_allocation_fails);
  return runner_run(s, &c);
}

/*
 * tests/train_tensorboard.c: event files. Their framing and checksums, read by the format's rules and not by our own code; the
 * figures of metrics.jsonl, each once, also of a run that was stopped, lost some of what it had done, and went on.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include <dirent.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#ifdef HAVE_PROTOBUFC
#include <proto/tensorboard.pb-c.h>
#endif

#include "runner.h"
#include "train/trainer_internal.h"
#include "train_suites.h"

static cldann **at;

#define GOOD(call) ck_assert_msg((call) == 0, "%s", (*at)->err.message)

static int stop_after(void *user) {
  int *left = user;
  return *left > 0 && --*left == 0;
}

static int train(const char *dir, cldann_train_options o, int stop) {
  static const char *const sets[] = {"steps=160", "log_every=10", "batch=16", "validation.share=0.2"};
  cldann_experiment *x = NULL;
  cldann_result r;
  GOOD(cldann_experiment_load(*at, source_path("experiments/blobs.conf"), sets, 4, NULL, &x));
  o.out_dir = dir, o.should_stop = stop_after, o.user = &stop;
  const int rc = cldann_train(x, &o, &r);
  cldann_experiment_free(x);
  return rc;
}

static int event_files(const char *dir, char paths[][400], int most) {
  DIR *d = opendir(dir);
  int n = 0;
  for (struct dirent *f; d && (f = readdir(d));)
    if (!strncmp(f->d_name, "events.out.tfevents.", 20)) {
      ck_assert_int_lt(n, most);
      snprintf(paths[n++], 400, "%s/%s", dir, f->d_name);
    }
  if (d) closedir(d);
  return n;
}

#ifdef HAVE_PROTOBUFC

enum { FILES = 8, SCALARS = 2000 };

typedef struct seen {
  int64_t step;
  char tag[48];
  double value;
} seen;

static seen all[SCALARS];
static int n_all;

/* By the table of the reflected polynomial, 8 bits at a time: another way than the library's. */
static uint32_t crc32c(const unsigned char *p, size_t n) {
  static uint32_t table[256];
  uint32_t crc = 0xffffffffu;
  for (uint32_t i = 0; i < 256 && !table[255]; i++) {
    uint32_t c = i;
    for (int k = 0; k < 8; k++) c = (c >> 1) ^ (0x82f63b78u & (0u - (c & 1)));
    table[i] = c;
  }
  while (n--) crc = (crc >> 8) ^ table[(crc ^ *p++) & 255];
  return ~crc;
}

static void check_crc(const unsigned char *sum, const unsigned char *data, size_t n) {
  const uint32_t crc = crc32c(data, n), want = ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
  ck_assert_uint_eq(want, (uint32_t)sum[0] | (uint32_t)sum[1] << 8 | (uint32_t)sum[2] << 16 | (uint32_t)sum[3] << 24);
}

static void take(const Tensorboard__Event *m, int first) {
  ck_assert(m->has_wall_time && m->wall_time > 1.5e9);
  ck_assert_int_eq(first, m->file_version != NULL);
  if (first) ck_assert_str_eq(m->file_version, "brain.Event:2");
  for (size_t i = 0; m->summary && i < m->summary->n_value; i++) {
    ck_assert_int_lt(n_all, SCALARS);
    seen *s = &all[n_all++];
    s->step = m->step, s->value = (double)m->summary->value[i]->simple_value;
    snprintf(s->tag, sizeof s->tag, "%s", m->summary->value[i]->tag);
  }
}

static void read_file(const char *path) {
  static unsigned char bytes[1 << 20];
  FILE *f = fopen(path, "rb");
  ck_assert_ptr_nonnull(f);
  const size_t n = fread(bytes, 1, sizeof bytes, f);
  fclose(f);
  ck_assert_uint_gt(n, 16);
  for (size_t k = 0, size; k < n; k += 16 + size) {
    ck_assert_uint_le(k + 16, n);
    size = (size_t)bytes[k] | (size_t)bytes[k + 1] << 8;
    for (int i = 2; i < 8; i++) ck_assert_uint_eq(bytes[k + (size_t)i], 0);
    check_crc(bytes + k + 8, bytes + k, 8);
    ck_assert_uint_le(k + 16 + size, n);
    check_crc(bytes + k + 12 + size, bytes + k + 12, size);
    Tensorboard__Event *m = tensorboard__event__unpack(NULL, size, bytes + k + 12);
    ck_assert_ptr_nonnull(m);
    take(m, k == 0);
    tensorboard__event__free_unpacked(m, NULL);
  }
}

/* All scalars of the folder's files; returns how many files. */
static int read_events(const char *dir) {
  char paths[FILES][400];
  const int n = event_files(dir, paths, FILES);
  n_all = 0;
  for (int i = 0; i < n; i++) read_file(paths[i]);
  return n;
}

/* Once, with this value; what is not finite (null) not at all. */
static void check_once(int64_t step, const char *tag, const json_t *want) {
  int found = 0;
  for (int i = 0; i < n_all; i++) {
    if (all[i].step != step || strcmp(all[i].tag, tag) != 0) continue;
    found++;
    ck_assert_msg(fabs(all[i].value - json_number_value(want)) <= 1e-6 * fabs(all[i].value), "%s of step %d", tag, (int)step);
  }
  ck_assert_msg(found == json_is_number(want), "step %d has %s %d times", (int)step, tag, found);
}

static const char *const progress_keys[][2] = {{"loss/label", "label_loss"},
                                               {"loss/domain", "domain_loss"},
                                               {"loss/validation", "validation_loss"},
                                               {"accuracy/label", "label_accuracy"},
                                               {"accuracy/domain", "domain_accuracy"},
                                               {"accuracy/validation", "validation_accuracy"},
                                               {"accuracy/domain_source", "domain_accuracy_source"},
                                               {"accuracy/domain_target", "domain_accuracy_target"},
                                               {"lr", "lr"},
                                               {"lambda", "lambda"},
                                               {"weight/domain", "domain_weight"},
                                               {"weight/features", "feature_weight"},
                                               {"join/label", "join_label"},
                                               {"join/domain", "join_domain"}};
static const char *const norm_tags[] = {"gradient_norm/features", "gradient_norm/label_head", "gradient_norm/domain_head"};
static const char *const result_keys[] = {"source_accuracy", "target_accuracy",     "domain_accuracy",
                                          "target_loss",     "validation_accuracy", "pad"};
enum { KEYS = sizeof progress_keys / sizeof *progress_keys, RESULTS = sizeof result_keys / sizeof *result_keys };

/* The folder's events against its metrics.jsonl; returns how many windows. */
static int compare_with_metrics(const char *dir) {
  char path[400], line[4096], tag[64];
  int windows = 0, results = 0;
  snprintf(path, sizeof path, "%s/metrics.jsonl", dir);
  FILE *f = fopen(path, "r");
  ck_assert_ptr_nonnull(f);
  while (fgets(line, sizeof line, f)) {
    json_t *o = json_loads(line, 0, NULL);
    const char *type = json_string_value(json_object_get(o, "type"));
    const int64_t step = json_integer_value(json_object_get(o, "step"));
    if (!strcmp(type, "progress")) {
      for (int i = 0; i < KEYS; i++) check_once(step, progress_keys[i][0], json_object_get(o, progress_keys[i][1]));
      for (int i = 0; i < 3; i++)
        check_once(step, norm_tags[i], json_array_get(json_object_get(o, "gradient_norm"), (size_t)i));
      windows++;
    } else if (!strcmp(type, "result")) {
      for (int i = 0; i < RESULTS; i++) {
        snprintf(tag, sizeof tag, "result/%s", result_keys[i]);
        check_once(json_integer_value(json_object_get(o, "steps")), tag, json_object_get(o, result_keys[i]));
      }
      results++;
    }
    json_decref(o);
  }
  fclose(f);
  ck_assert_int_eq(results, 1);
  return windows;
}

START_TEST(scalars_of_a_run) {
  GOOD(train(in("events"), (cldann_train_options){.tensorboard = 1}, 0));
  ck_assert_int_eq(read_events(in("events")), 1);
  ck_assert_int_eq(compare_with_metrics(in("events")), 16);
}
END_TEST

/* Refused unless it may go, and then it is gone, whether the new run has events or none. */
START_TEST(another_run) {
  ck_assert_int_eq(unlink(in("events/model.safetensors")) | unlink(in("events/metrics.jsonl")), 0);
  ck_assert_int_eq(train(in("events"), (cldann_train_options){.tensorboard = 1}, 0), CLDANN_E_IO);
  ck_assert_ptr_nonnull(strstr((*at)->err.message, "event files"));
  cldann_clear_error(*at);
  ck_assert_int_eq(read_events(in("events")), 1);
  GOOD(train(in("events"), (cldann_train_options){.tensorboard = 1, .overwrite = 1}, 0));
  ck_assert_int_eq(read_events(in("events")), 1);
  ck_assert_int_eq(compare_with_metrics(in("events")), 16);
  GOOD(train(in("events"), (cldann_train_options){.overwrite = 1}, 0));
  ck_assert_int_eq(read_events(in("events")), 0);
}
END_TEST

static void copy(const char *from, const char *to) {
  static char bytes[1 << 20];
  FILE *f = fopen(from, "rb");
  ck_assert_ptr_nonnull(f);
  const size_t n = fread(bytes, 1, sizeof bytes, f);
  fclose(f);
  write_file(to, bytes, n);
}

START_TEST(gone_on) {
  const cldann_train_options first = {.tensorboard = 1}, next = {.tensorboard = 1, .resume = 1};
  char paths[FILES][400];
  ck_assert_int_eq(train(in("stopped"), first, 2), CLDANN_E_INTERRUPTED);
  cldann_clear_error(*at);
  copy(in("stopped/checkpoint-20.safetensors"), in("old.safetensors"));
  ck_assert_int_eq(train(in("stopped"), next, 6), CLDANN_E_INTERRUPTED);
  cldann_clear_error(*at);
  ck_assert_int_eq(read_events(in("stopped")), 2);
  const int before = n_all;
  /* As after a crash: what is known is older than what was recorded, and a record is cut short. */
  ck_assert_int_eq(unlink(in("stopped/checkpoint-80.safetensors")), 0);
  copy(in("old.safetensors"), in("stopped/checkpoint-20.safetensors"));
  ck_assert_int_eq(event_files(in("stopped"), paths, FILES), 2);
  FILE *f = fopen(paths[0], "ab");
  ck_assert_ptr_nonnull(f);
  ck_assert_int_eq((int)fwrite("\x30\0\0\0\0\0\0\0\1", 1, 9, f), 9);
  fclose(f);
  ck_assert_int_eq(train(in("stopped"), next, 1), CLDANN_E_INTERRUPTED);
  cldann_clear_error(*at);
  ck_assert_int_eq(read_events(in("stopped")), 3);
  ck_assert_int_lt(n_all, before);
  GOOD(train(in("stopped"), next, 0));
  ck_assert_int_eq(read_events(in("stopped")), 4);
  ck_assert_int_eq(compare_with_metrics(in("stopped")), 16);
}
END_TEST

START_TEST(no_folder) {
  ck_assert_int_eq(train(NULL, (cldann_train_options){.tensorboard = 1}, 0), CLDANN_E_ARG);
  ck_assert_ptr_nonnull(strstr((*at)->err.message, "--out"));
  cldann_clear_error(*at);
}
END_TEST

#else

START_TEST(not_built_in) {
  char paths[1][400];
  ck_assert_int_eq(train(in("events"), (cldann_train_options){.tensorboard = 1}, 0), CLDANN_E_ARG);
  ck_assert_ptr_nonnull(strstr((*at)->err.message, "libprotobuf-c-dev"));
  cldann_clear_error(*at);
  ck_assert_int_eq(event_files(in("events"), paths, 1), 0);
}
END_TEST

#endif

TCase *tensorboard_cases(cldann **ctx) {
  TCase *t = tcase_create("tensorboard");
  at = ctx;
  tcase_set_timeout(t, 300);
#ifdef HAVE_PROTOBUFC
  tcase_add_test(t, scalars_of_a_run);
  tcase_add_test(t, another_run);
  tcase_add_test(t, gone_on);
  tcase_add_test(t, no_folder);
#else
  tcase_add_test(t, not_built_in);
#endif
  return t;
}

/*
 * tests/train_checkpoint.c: a training that was stopped, anywhere and more than once, and went on, ends in the files of one
 * that was not. What cannot be gone on from is refused, and nothing of it is lost.
 */
#include <glob.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "runner.h"
#include "train/tensors.h"
#include "train/trainer_internal.h"
#include "train_suites.h"

static cldann **at;

#define GOOD(call) ck_assert_msg((call) == 0, "%s", (*at)->err.message)

enum { MOST_SETS = 12 };

typedef struct job {
  const char *file, *sets[MOST_SETS];
  int stops[4]; /* calls of should_stop until each, then none */
} job;

static const char net[] = "net.features=({op=\"dense\"; units=9; name=\"f\";}, {op=\"batch_norm\"; stats=\"perdomain\";}, "
                          "{op=\"relu\";}, {op=\"dropout\"; rate=0.3;})";

static const job jobs[] = {
    {"experiments/blobs.conf", {"steps=130", "log_every=50", "batch=16"}, {2, 1, 1}}, /* Adam; inside a window, twice in one */
    {"experiments/blobs.conf", {"steps=130", "log_every=9", "optimiser.kind=nesterov", "lr.lr=0.002", net}, {5, 3}},
    {"experiments/blobs.conf",
     {"steps=300", "log_every=15", "validation.share=0.2", "validation.patience=6", "batch=20"},
     {4, 8}},
    {"experiments/blobs.conf",
     {"steps=120", "log_every=15", "validation.share=0.2", "validation.reverse=true", "batch=20"},
     {4, 5}},
    {"experiments/digits.conf",
     {"steps=60", "log_every=40", "data.source.n=320", "data.target.n=400", "data.source_test.n=50", "data.target_test.n=50",
      "batch=16", "eval_batch=10", "device_memory=10"}, /* streamed */
     {1}},
};
enum { JOBS = sizeof jobs / sizeof *jobs };

static cldann_experiment *load(const job *j, const char *more) {
  const char *sets[MOST_SETS + 1];
  cldann_experiment *x = NULL;
  int n = 0;
  while (n < MOST_SETS && j->sets[n]) sets[n] = j->sets[n], n++;
  if (more) sets[n++] = more;
  GOOD(cldann_experiment_load(*at, source_path(j->file), sets, n, NULL, &x));
  return x;
}

static int stop_after(void *user) {
  int *left = user;
  return *left > 0 && --*left == 0;
}

static int train(const job *j, const char *more, const char *dir, int stop, int resume, cldann_result *r) {
  cldann_experiment *x = load(j, more);
  const cldann_train_options o = {.out_dir = dir, .resume = resume, .should_stop = stop_after, .user = &stop};
  const int rc = cldann_train(x, &o, r);
  cldann_experiment_free(x);
  return rc;
}

static char *whole(const char *dir, const char *name, size_t *n) {
  char path[300], *text = malloc(1 << 20);
  snprintf(path, sizeof path, "%s/%s", dir, name);
  FILE *f = fopen(path, "rb");
  ck_assert_msg(f && text, "no %s", path);
  *n = fread(text, 1, (1 << 20) - 1, f);
  text[*n] = 0;
  fclose(f);
  return text;
}

/* What is before the next comma; *rest is NULL behind the last. */
static char *next_cell(char **rest) {
  char *cell = *rest;
  if (cell && (*rest = strchr(cell, ','))) *(*rest)++ = 0;
  return cell;
}

/* A row of metrics.csv for each window of metrics.jsonl, with the same numbers under the same names. */
static void check_rows(const char *dir) {
  static const char *const branches[] = {"features", "label_head", "domain_head"};
  size_t n;
  char *lines = whole(dir, "metrics.jsonl", &n), *rows = whole(dir, "metrics.csv", &n), *in_lines, *in_rows;
  char *head = strtok_r(rows, "\n", &in_rows);
  for (char *line = strtok_r(lines, "\n", &in_lines); line; line = strtok_r(NULL, "\n", &in_lines)) {
    json_t *o = json_loads(line, 0, NULL);
    ck_assert_ptr_nonnull(o);
    if (strcmp(json_string_value(json_object_get(o, "type")), "progress") != 0) {
      json_decref(o);
      continue;
    }
    char *row = strtok_r(NULL, "\n", &in_rows), *names = strdup(head);
    ck_assert_msg(row, "no row for %s", line);
    char *name_at = names, *row_at = row;
    size_t cells = 0;
    for (char *name; (name = next_cell(&name_at)); cells++) {
      const char *cell = next_cell(&row_at);
      const json_t *want = json_object_get(o, name);
      for (int b = 0; !strncmp(name, "gradient_norm_", 14) && b < 3; b++)
        if (!strcmp(name + 14, branches[b])) want = json_array_get(json_object_get(o, "gradient_norm"), (size_t)b);
      ck_assert_msg(want && cell, "%s", name);
      ck_assert_msg(json_is_null(want) ? !*cell : strtod(cell, NULL) == json_number_value(want), "%s: %s", name, cell);
    }
    ck_assert_ptr_null(row_at);
    ck_assert_uint_eq(cells, json_object_size(o) - 1 + 2); /* without the type, and three for one array */
    free(names);
    json_decref(o);
  }
  ck_assert_ptr_null(strtok_r(NULL, "\n", &in_rows));
  free(lines), free(rows);
}

static void check_same_files(const char *a, const char *b) {
  size_t n, m;
  char *x = whole(a, "model.safetensors", &n), *y = whole(b, "model.safetensors", &m);
  ck_assert(n == m && !memcmp(x, y, n));
  free(x), free(y);
  x = whole(a, "metrics.jsonl", &n), y = whole(b, "metrics.jsonl", &m);
  char *p = x, *q = y, *in_x, *in_y;
  for (p = strtok_r(x, "\n", &in_x), q = strtok_r(y, "\n", &in_y); p || q;
       p = strtok_r(NULL, "\n", &in_x), q = strtok_r(NULL, "\n", &in_y)) {
    static const char *const times[] = {"seconds", "samples_per_second", "eta_seconds"};
    ck_assert_msg(p && q, "one has a line more: %s", p ? p : q);
    json_t *one = json_loads(p, 0, NULL), *two = json_loads(q, 0, NULL);
    ck_assert(one && two);
    for (int i = 0; i < 3; i++) json_object_del(one, times[i]), json_object_del(two, times[i]);
    ck_assert_msg(json_equal(one, two), "%s\n%s", p, q);
    json_decref(one), json_decref(two);
  }
  free(x), free(y);
  check_rows(a), check_rows(b);
}

static int there(const char *dir, const char *name) {
  char path[300];
  snprintf(path, sizeof path, "%s/%s", dir, name);
  return access(path, F_OK) == 0;
}

/* How many files of a folder match; path, unless NULL, gets the first by name. */
static int matching(const char *dir, const char *pattern, char path[300]) {
  char all[300];
  glob_t g;
  snprintf(all, sizeof all, "%s/%s", dir, pattern);
  const int n = glob(all, 0, NULL, &g) == 0 ? (int)g.gl_pathc : 0;
  if (n && path) snprintf(path, 300, "%s", g.gl_pathv[0]);
  globfree(&g);
  return n;
}

/* The one checkpoint of a folder. */
static char *checkpoint_path(const char *dir, char path[300]) {
  ck_assert_int_eq(matching(dir, "checkpoint-*.safetensors", path), 1);
  return path;
}

START_TEST(stopped_is_not_stopped) {
  const job *j = &jobs[_i];
  char straight[100], stopped[100];
  cldann_result a, b;
  snprintf(straight, sizeof straight, "%s/straight%d", folder, _i);
  snprintf(stopped, sizeof stopped, "%s/stopped%d", folder, _i);
  GOOD(train(j, NULL, straight, 0, 0, &a));
  for (int i = 0; i < 4 && j->stops[i]; i++) {
    ck_assert_int_eq(train(j, NULL, stopped, j->stops[i], i > 0, &b), CLDANN_E_INTERRUPTED);
    cldann_clear_error(*at);
    ck_assert(matching(stopped, "checkpoint-*", NULL) == 1 && there(stopped, "model.safetensors"));
  }
  GOOD(train(j, NULL, stopped, 0, 1, &b));
  check_same_files(straight, stopped);
  ck_assert(a.target_accuracy == b.target_accuracy && a.target_loss == b.target_loss && a.model_step == b.model_step);
  ck_assert_int_eq(matching(stopped, "checkpoint*", NULL), 0);
}
END_TEST

static char crashed[100];

/* Keeps the checkpoint of step 50 when the line of step 100 is there. */
static void keep_checkpoint(void *user, const cldann_progress *p) {
  size_t n;
  (void)user;
  if (p->step != 100) return;
  char *text = whole(crashed, "checkpoint-50.safetensors", &n);
  write_file(in("kept"), text, n);
  free(text);
}

/* As after a crash: the last checkpoint is older than the last line of metrics. */
START_TEST(from_an_older_checkpoint) {
  const job *j = &jobs[0];
  char straight[100], path[300];
  cldann_result r;
  cldann_experiment *x = load(j, NULL);
  size_t n;
  snprintf(crashed, sizeof crashed, "%s/crashed", folder), snprintf(straight, sizeof straight, "%s/uncrashed", folder);
  GOOD(train(j, NULL, straight, 0, 0, &r));
  GOOD(
      cldann_train(x, &(cldann_train_options){.out_dir = crashed, .checkpoint_every = 40, .on_progress = keep_checkpoint}, &r));
  cldann_experiment_free(x);
  char *kept = whole(folder, "kept", &n);
  ck_assert_ptr_nonnull(strstr(kept + 8, "\\\"step\\\":50,"));
  snprintf(path, sizeof path, "%s/checkpoint-50.safetensors", crashed);
  write_file(path, kept, n);
  free(kept);
  GOOD(train(j, NULL, crashed, 0, 1, &r));
  check_same_files(straight, crashed);
}
END_TEST

static void refused(const job *j, const char *more, const char *dir, int resume, int status, const char *text) {
  cldann_result r;
  ck_assert_int_eq(train(j, more, dir, 0, resume, &r), status);
  ck_assert_msg(strstr((*at)->err.message, text) && !strchr((*at)->err.message, '\n'), "%s", (*at)->err.message);
  cldann_clear_error(*at);
}

START_TEST(what_is_refused) {
  const job *j = &jobs[0];
  char dir[100], path[300], *before, *after;
  cldann_result r;
  size_t n, m;
  snprintf(dir, sizeof dir, "%s/refused", folder);
  refused(j, NULL, dir, 1, CLDANN_E_IO, "to go on from; leave --resume out");
  ck_assert_int_eq(train(j, NULL, dir, 2, 0, &r), CLDANN_E_INTERRUPTED);
  cldann_clear_error(*at);
  before = whole(dir, "metrics.jsonl", &n);
  refused(j, NULL, dir, 0, CLDANN_E_IO, "holds a run already");
  refused(j, "lr.lr=0.5", dir, 1, CLDANN_E_CONFIG, "it has 'lr = 0.001;', this one 'lr = 0.5;'");
  refused(j, "steps=500", dir, 1, CLDANN_E_CONFIG, "'steps = 130;'");
  after = whole(dir, "metrics.jsonl", &m);
  ck_assert(n == m && !memcmp(before, after, n));
  free(before), free(after);
  /* Cut or changed anywhere it is refused. */
  checkpoint_path(dir, path);
  char *good = whole(dir, path + strlen(dir) + 1, &n);
  for (size_t k = 0; k < 40; k++) {
    char *bad = malloc(n);
    size_t size = k % 2 ? n : n * k / 40;
    memcpy(bad, good, n);
    if (k % 2) bad[n * k / 40] ^= 0x01;
    write_file(path, bad, size);
    ck_assert_msg(train(j, NULL, dir, 1, 1, &r) == CLDANN_E_FORMAT, "%zu: %s", k, (*at)->err.message);
    cldann_clear_error(*at);
    free(bad);
  }
  free(good);
  cldann_experiment *x = load(j, NULL);
  GOOD(cldann_train(x, &(cldann_train_options){.out_dir = dir, .overwrite = 1}, &r));
  cldann_experiment_free(x);
}
END_TEST

/* ---- several, one damaged ---- */

static const job many = {"experiments/blobs.conf", {"steps=130", "log_every=10", "batch=16", "method=dann"}, {0}};
static const char *const kept[] = {"checkpoint-50.safetensors", "checkpoint-60.safetensors", "checkpoint-70.safetensors"};

typedef struct listener {
  int stop; /* calls of should_stop until then */
  char last[400];
} listener;

static int stop_listening(void *user) {
  listener *l = user;
  return l->stop > 0 && --l->stop == 0;
}

static void listen_for(void *user, const char *line) {
  listener *l = user;
  if (strstr(line, "damaged") || strstr(line, "warning")) snprintf(l->last, sizeof l->last, "%.390s", line);
}

static int go(const job *j, const char *dir, int resume, listener *l) {
  cldann_experiment *x = load(j, NULL);
  cldann_result r;
  const cldann_train_options o = {.out_dir = dir,
                                  .resume = resume,
                                  .overwrite = !resume,
                                  .checkpoint_every = 10,
                                  .checkpoint_keep = 3,
                                  .on_message = listen_for,
                                  .should_stop = stop_listening,
                                  .user = l};
  const int rc = cldann_train(x, &o, &r);
  cldann_experiment_free(x);
  return rc;
}

/* One bit of the last number. */
static void damage(const char *dir, const char *name) {
  size_t n;
  char path[300], *text = whole(dir, name, &n);
  snprintf(path, sizeof path, "%s/%s", dir, name);
  text[n - 4] ^= 1;
  write_file(path, text, n);
  free(text);
}

START_TEST(a_damaged_one_is_passed_over) {
  char straight[100], dir[100];
  listener l = {0};
  snprintf(straight, sizeof straight, "%s/straight-many", folder);
  snprintf(dir, sizeof dir, "%s/many%d", folder, _i);
  GOOD(go(&many, straight, 0, &l));
  ck_assert_int_eq(matching(straight, "checkpoint*", NULL), 0);
  l.stop = 7;
  ck_assert_int_eq(go(&many, dir, 0, &l), CLDANN_E_INTERRUPTED);
  cldann_clear_error(*at);
  ck_assert_int_eq(matching(dir, "checkpoint*", NULL), 3);
  for (int i = 0; i < 3; i++) ck_assert_msg(there(dir, kept[i]), "no %s", kept[i]);
  for (int i = 0; i < _i; i++) damage(dir, kept[2 - i]);
  if (_i == 3) {
    ck_assert_int_eq(go(&many, dir, 1, &l), CLDANN_E_FORMAT);
    ck_assert_msg(strstr((*at)->err.message, "checkpoint-50.safetensors is damaged"), "%s", (*at)->err.message);
    cldann_clear_error(*at);
    return;
  }
  l.stop = 1; /* ten steps on: where two were passed over, the later of them is no longer one to go on from */
  ck_assert_int_eq(go(&many, dir, 1, &l), CLDANN_E_INTERRUPTED);
  cldann_clear_error(*at);
  if (_i)
    ck_assert_ptr_nonnull(strstr(l.last, _i == 1 ? "taking the checkpoint of step 60" : "taking the checkpoint of step 50"));
  ck_assert_int_eq(matching(dir, "checkpoint*", NULL), _i == 2 ? 2 : 3);
  ck_assert_int_eq(there(dir, kept[2]), _i < 2);
  l.last[0] = 0;
  GOOD(go(&many, dir, 1, &l));
  ck_assert_str_eq(l.last, "");
  check_same_files(straight, dir);
}
END_TEST

/* A run that begins anew does not go on from what one before it left. */
START_TEST(the_run_before_is_forgotten) {
  char dir[100];
  listener l = {.stop = 7};
  snprintf(dir, sizeof dir, "%s/anew", folder);
  ck_assert_int_eq(go(&many, dir, 0, &l), CLDANN_E_INTERRUPTED);
  cldann_clear_error(*at);
  write_file(in("anew/best.safetensors"), "x", 1);
  l.stop = 2;
  ck_assert_int_eq(go(&many, dir, 0, &l), CLDANN_E_INTERRUPTED);
  cldann_clear_error(*at);
  ck_assert(matching(dir, "checkpoint*", NULL) == 2 && there(dir, "checkpoint-20.safetensors"));
  ck_assert(!there(dir, "best.safetensors"));
}
END_TEST

/* ---- of another version, device or driver ---- */

/* Writes a checkpoint anew with another text in its metadata. */
static void retell(const char *path, const char *key, const char *text) {
  cldann_error e = {0};
  tensor_file f;
  ck_assert_int_eq(tensors_open(&e, path, "", &f), 0);
  const size_t n = f.data_size / sizeof(float);
  float *all = malloc(f.data_size);
  fseek(f.f, (long)f.data_at, SEEK_SET);
  ck_assert_uint_eq(fread(all, sizeof *all, n, f.f), n);
  json_object_set_new(json_object_get(f.header, "__metadata__"), key, json_string(text));
  json_object_del(json_object_get(f.header, "__metadata__"), "sha256");
  ck_assert_int_eq(tensors_write(&e, path, json_incref(f.header), (const float *const[]){all}, &n, 1, 1), 0);
  tensors_close(&f);
  free(all);
}

START_TEST(of_another_place) {
  static const struct {
    const char *key, *text, *told;
  } places[] = {{"device", "Imaginary 9", "another device (Imaginary 9, here "},
                {"driver", "77.1", "another driver (77.1, here "},
                {"cldann", "0.0.9", "another version of cldann (0.0.9, here " CLDANN_VERSION ")"},
                {"ways", "x", "another tuning (no tuning, here no tuning)"}};
  char dir[100], path[300];
  size_t n;
  listener l = {.stop = 2};
  snprintf(dir, sizeof dir, "%s/places%d", folder, _i);
  ck_assert_int_eq(go(&many, dir, 0, &l), CLDANN_E_INTERRUPTED);
  cldann_clear_error(*at);
  snprintf(path, sizeof path, "%s/checkpoint-20.safetensors", dir);
  retell(path, places[_i].key, places[_i].text);
  GOOD(go(&many, dir, 1, &l));
  ck_assert_msg(strstr(l.last, places[_i].told) && strstr(l.last, "will not be the same bits"), "%s", l.last);
  char *record = whole(dir, "metrics.jsonl", &n);
  ck_assert_msg(strstr(record, places[_i].told), "the record lacks the warning");
  free(record);
}
END_TEST

START_TEST(of_a_newer_version) {
  char dir[100], path[300];
  listener l = {.stop = 3};
  snprintf(dir, sizeof dir, "%s/newer", folder);
  ck_assert_int_eq(go(&many, dir, 0, &l), CLDANN_E_INTERRUPTED);
  cldann_clear_error(*at);
  snprintf(path, sizeof path, "%s/checkpoint-30.safetensors", dir);
  retell(path, "cldann", "0.10.0");
  ck_assert_int_eq(go(&many, dir, 1, &l), CLDANN_E_IO); /* and not from step 20 */
  ck_assert_msg(strstr((*at)->err.message, "written by cldann 0.10.0, which is newer"), "%s", (*at)->err.message);
  cldann_clear_error(*at);
  retell(in("newer/model.safetensors"), "cldann", "1.0");
  cldann_experiment *x = NULL;
  ck_assert_int_eq(cldann_experiment_of_model(*at, in("newer/model.safetensors"), NULL, 0, NULL, &x), CLDANN_E_IO);
  ck_assert_msg(strstr((*at)->err.message, "written by cldann 1.0, which is newer"), "%s", (*at)->err.message);
  cldann_clear_error(*at);
}
END_TEST

/* ---- the best so far ---- */

typedef struct watch {
  const char *dir;
  double best;
  char *file; /* as it was at the last line with the best accuracy */
  size_t n;
  int changes;
} watch;

static void look_at_best(void *user, const cldann_progress *p) {
  watch *w = user;
  size_t n;
  char *now = whole(w->dir, "best.safetensors", &n);
  if (p->validation_accuracy < w->best) {
    ck_assert(n == w->n && !memcmp(now, w->file, n));
    free(now);
    return;
  }
  ck_assert(!w->file || n != w->n || memcmp(now, w->file, n) != 0);
  free(w->file);
  *w = (watch){w->dir, p->validation_accuracy, now, n, w->changes + 1};
}

START_TEST(the_best_is_there_at_once) {
  const job j = {"experiments/blobs.conf",
                 {"steps=900", "log_every=15", "validation.share=0.2", "batch=20", "lr.schedule=constant", "lr.lr=0.002",
                  "lambda.schedule=constant", "lambda.max=0.5", "seed=4"},
                 {0}};
  char dir[100];
  cldann_result r;
  size_t n;
  snprintf(dir, sizeof dir, "%s/best", folder);
  watch w = {.dir = dir, .best = -1};
  cldann_experiment *x = load(&j, NULL);
  GOOD(cldann_train(x, &(cldann_train_options){.out_dir = dir, .on_progress = look_at_best, .user = &w}, &r));
  ck_assert_msg(w.changes > 2 && w.changes < 60 && r.model_step < 900, "%d changes", w.changes);
  char *model = whole(dir, "model.safetensors", &n);
  ck_assert(n == w.n && !memcmp(model, w.file, n)); /* it is what the run keeps */
  free(model), free(w.file);
  cldann_experiment_free(x);
}
END_TEST

/* ---- no room on the disk ---- */

static const job big = {"experiments/blobs.conf",
                        {"steps=130", "log_every=10", "batch=16", "net.features=({op=\"dense\"; units=900; name=\"f\";})"},
                        {0}};

/* No file may grow beyond so many bytes, as if the disk were full. */
static int without_room(rlim_t bytes, const char *dir, int resume, listener *l) {
  struct rlimit all, few;
  ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &all), 0);
  few = (struct rlimit){bytes, all.rlim_max};
  void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &few), 0);
  const int rc = go(&big, dir, resume, l);
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &all), 0);
  signal(SIGXFSZ, before);
  return rc;
}

static void check_whole_lines(const char *dir, const char *name) {
  size_t n;
  char *text = whole(dir, name, &n);
  ck_assert_msg(n && text[n - 1] == '\n', "%s ends in the middle of a line", name);
  free(text);
}

/* Whatever does not fit: a line that says so, nothing half-written, the last good checkpoint, and --resume goes on. */
START_TEST(a_full_disk) {
  static const struct {
    rlim_t room; /* of a model of 27 kB, checkpoints of 78, lines of 600 bytes and of 250 */
    const char *told;
  } disks[] = {{50000, "checkpoint-"}, {2500, "metrics.jsonl"}, {1000, "metrics.jsonl"}};
  char straight[100], dir[100];
  size_t n, m;
  listener l = {0};
  snprintf(straight, sizeof straight, "%s/straight-full", folder);
  snprintf(dir, sizeof dir, "%s/full%d", folder, _i);
  GOOD(go(&big, straight, 0, &l));
  l.stop = 4;
  ck_assert_int_eq(go(&big, dir, 0, &l), CLDANN_E_INTERRUPTED);
  cldann_clear_error(*at);
  char *before = whole(dir, "checkpoint-40.safetensors", &n);
  ck_assert_int_eq(without_room(disks[_i].room, dir, 1, &l), CLDANN_E_IO);
  ck_assert_msg(strstr((*at)->err.message, disks[_i].told) && strstr((*at)->err.message, "free some space"), "%s",
                (*at)->err.message);
  cldann_clear_error(*at);
  char *after = whole(dir, "checkpoint-40.safetensors", &m);
  ck_assert(n == m && !memcmp(before, after, n));
  free(before), free(after);
  ck_assert_int_eq(matching(dir, ".cldann-*", NULL), 0);
  check_whole_lines(dir, "metrics.jsonl");
  check_whole_lines(dir, "metrics.csv");
  GOOD(go(&big, dir, 1, &l));
  check_same_files(straight, dir);
}
END_TEST

/* The run before loses neither its model nor its checkpoint to one that has no room for its own. */
START_TEST(a_full_disk_at_the_end) {
  char dir[100];
  size_t n, m;
  listener l = {0};
  snprintf(dir, sizeof dir, "%s/full-end", folder);
  GOOD(go(&big, dir, 0, &l));
  char *before = whole(dir, "model.safetensors", &n);
  cldann_experiment *x = load(&big, "seed=5");
  struct rlimit all, few;
  cldann_result r;
  ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &all), 0);
  few = (struct rlimit){20000, all.rlim_max};
  void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &few), 0);
  const int rc = cldann_train(x, &(cldann_train_options){.out_dir = dir, .overwrite = 1}, &r);
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &all), 0);
  signal(SIGXFSZ, handler);
  ck_assert_int_eq(rc, CLDANN_E_IO);
  ck_assert_msg(strstr((*at)->err.message, "model.safetensors"), "%s", (*at)->err.message);
  cldann_clear_error(*at);
  char *after = whole(dir, "model.safetensors", &m);
  ck_assert(n == m && !memcmp(before, after, n));
  ck_assert_int_eq(matching(dir, ".cldann-*", NULL), 0);
  free(before), free(after);
  cldann_experiment_free(x);
}
END_TEST

TCase *checkpoint_cases(cldann **ctx) {
  TCase *t = tcase_create("checkpoint");
  at = ctx;
  tcase_set_timeout(t, 300);
  tcase_add_loop_test(t, stopped_is_not_stopped, 0, JOBS);
  tcase_add_test(t, from_an_older_checkpoint);
  tcase_add_test(t, what_is_refused);
  tcase_add_loop_test(t, a_damaged_one_is_passed_over, 0, 4);
  tcase_add_test(t, the_run_before_is_forgotten);
  tcase_add_loop_test(t, of_another_place, 0, 4);
  tcase_add_test(t, of_a_newer_version);
  tcase_add_test(t, the_best_is_there_at_once);
  tcase_add_loop_test(t, a_full_disk, 0, 3);
  tcase_add_test(t, a_full_disk_at_the_end);
  return t;
}

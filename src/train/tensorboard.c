/*
 * train/tensorboard.c: see train/tensorboard.h. A file is a row of TFRecords, each a protobuf message: u64 length, its masked
 * CRC-32C, the message, and its masked CRC-32C, all little-endian; the first one names the version. proto/tensorboard.proto.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#define _POSIX_C_SOURCE 200809L
#include "train/tensorboard.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifdef HAVE_PROTOBUFC
#include <proto/tensorboard.pb-c.h>
#endif

#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "data/place.h"
#include "data/record.h"
#include "train/figures.h"

static const char name_start[] = "events.out.tfevents.";

struct tensorboard {
  char *folder;
  record *file; /* NULL: none yet */
};

enum { MOST = 32 }; /* figures that an event tells */

/* ---- messages ---- */

/* What an event says; tags NULL: the version of the format, as the first one does. */
typedef struct event {
  int64_t step;
  int n;
  const char *tags[MOST];
  float values[MOST];
} event;

#ifdef HAVE_PROTOBUFC

static int pack(cldann_error *e, const event *v, uint8_t **out, size_t *size) {
  Tensorboard__Event m = TENSORBOARD__EVENT__INIT;
  Tensorboard__Summary summary = TENSORBOARD__SUMMARY__INIT;
  Tensorboard__Summary__Value values[MOST], *all[MOST];
  struct timespec now;
  int rc;
  clock_gettime(CLOCK_REALTIME, &now);
  m.has_wall_time = 1, m.wall_time = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
  m.has_step = 1, m.step = v->step;
  for (int i = 0; i < v->n; i++) {
    tensorboard__summary__value__init(all[i] = &values[i]);
    values[i].tag = (char *)v->tags[i];
    values[i].has_simple_value = 1, values[i].simple_value = v->values[i];
  }
  summary.value = all, summary.n_value = (size_t)v->n;
  if (v->n)
    m.summary = &summary;
  else
    m.file_version = (char *)"brain.Event:2";
  *size = tensorboard__event__get_packed_size(&m);
  TRY(mem_new(e, out, *size, 1));
  tensorboard__event__pack(&m, *out);
fail:
  return rc;
}

/* Not of a training that has come as far as `after`. */
static int is_behind(const uint8_t *message, size_t size, int64_t after) {
  static const char result_start[] = "result/";
  Tensorboard__Event *m = tensorboard__event__unpack(NULL, size, message);
  const int figures = m && m->summary && m->summary->n_value;
  const char *tag = figures ? m->summary->value[0]->tag : NULL;
  const int behind = !m || (figures && (m->step > after || (tag && !strncmp(tag, result_start, sizeof result_start - 1))));
  if (m) tensorboard__event__free_unpacked(m, NULL);
  return behind;
}

#else

static int pack(cldann_error *e, const event *v, uint8_t **out, size_t *size) {
  (void)v, (void)out, (void)size;
  err_set(e, CLDANN_E_ARG, __FILE__, __LINE__,
          "this build cannot write TensorBoard's event files; install protobuf-c (Debian: libprotobuf-c-dev and "
          "protobuf-c-compiler), configure and make again");
  return CLDANN_E_ARG;
}

/* Not reached: pack comes first. */
static int is_behind(const uint8_t *message, size_t size, int64_t after) {
  (void)message, (void)size, (void)after;
  return 0;
}

#endif

/* ---- records ---- */

enum { HEAD = 12, TAIL = 4 };

static uint32_t masked(const void *data, size_t n) {
  const uint32_t crc = hash_crc32c(data, n);
  return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static void put_little(uint8_t *to, uint64_t v, int bytes) {
  for (int i = 0; i < bytes; i++) to[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t get_little(const uint8_t *from, int bytes) {
  uint64_t v = 0;
  for (int i = 0; i < bytes; i++) v |= (uint64_t)from[i] << (8 * i);
  return v;
}

static int write_event(cldann_error *e, tensorboard *b, const event *v) {
  uint8_t *message = NULL, *whole = NULL;
  size_t n;
  int rc;
  TRY(pack(e, v, &message, &n));
  TRY(mem_new(e, &whole, HEAD + n + TAIL, 1));
  put_little(whole, n, 8);
  put_little(whole + 8, masked(whole, 8), 4);
  memcpy(whole + HEAD, message, n);
  put_little(whole + HEAD + n, masked(message, n), 4);
  TRY(record_add(e, b->file, (const char *)whole, HEAD + n + TAIL));
fail:
  mem_free(message);
  mem_free(whole);
  return rc;
}

/* The size of the record that begins the n bytes; 0: they hold none that is whole. */
static size_t record_size(const uint8_t *at, size_t n) {
  if (n < HEAD + TAIL || get_little(at + 8, 4) != masked(at, 8)) return 0;
  const uint64_t size = get_little(at, 8);
  if (size > n - HEAD - TAIL || get_little(at + HEAD + size, 4) != masked(at + HEAD, size)) return 0;
  return HEAD + size + TAIL;
}

/* ---- files ---- */

/* Calls `use` with the path of each event file of the folder. */
static int each_file(cldann_error *e, const char *folder, int64_t after, int (*use)(cldann_error *, const char *, int64_t)) {
  DIR *d = opendir(folder);
  char *path = NULL;
  int rc = CLDANN_OK;
  if (!d) FAIL(e, CLDANN_E_IO, "cannot read the folder %s: %s", folder, strerror(errno));
  for (struct dirent *f; (f = readdir(d));) {
    if (strncmp(f->d_name, name_start, sizeof name_start - 1) != 0) continue;
    TRY(text_join(e, &path, folder, f->d_name));
    TRY(use(e, path, after));
    mem_free(path);
    path = NULL;
  }
fail:
  if (d) closedir(d);
  mem_free(path);
  return rc;
}

static int found(cldann_error *e, const char *path, int64_t after) {
  (void)e, (void)path, (void)after;
  return 1;
}

int tensorboard_there(const char *folder) {
  cldann_error none = {0};
  return each_file(&none, folder, 0, found) > 0;
}

static int remove_file(cldann_error *e, const char *path, int64_t after) {
  (void)after;
  if (unlink(path) == 0) return CLDANN_OK;
  return err_set(e, CLDANN_E_IO, __FILE__, __LINE__, "cannot remove %s: %s; choose another --out", path, strerror(errno));
}

int tensorboard_clear(cldann_error *e, const char *folder) {
  return each_file(e, folder, 0, remove_file);
}

/* The file anew without the records that are behind; left alone where there are none. */
static int cut_file(cldann_error *e, const char *path, int64_t after) {
  uint8_t *all = NULL;
  size_t n = 0, kept = 0;
  long size;
  int rc = CLDANN_OK;
  FILE *f = fopen(path, "rb");
  if (!f || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0)
    FAIL(e, CLDANN_E_IO, "cannot read %s: %s; it is needed to go on", path, strerror(errno));
  rewind(f);
  n = (size_t)size;
  TRY(mem_new(e, &all, n, 1));
  if (fread(all, 1, n, f) != n) FAIL(e, CLDANN_E_IO, "cannot read %s; it is needed to go on", path);
  for (size_t at = 0, step; (step = record_size(all + at, n - at)); at += step) {
    if (is_behind(all + at + HEAD, step - HEAD - TAIL, after)) continue;
    memmove(all + kept, all + at, step);
    kept += step;
  }
  if (kept < n) TRY(place_whole(e, path, all, kept));
fail:
  if (f) fclose(f);
  mem_free(all);
  return rc;
}

/* Named after time, host and process, and a number more where that was taken already. */
static int make_file(cldann_error *e, tensorboard *b) {
  char host[64] = "", name[160], *path = NULL;
  int rc = CLDANN_OK, n = 0;
  if (gethostname(host, sizeof host - 1) != 0 || !host[0] || strchr(host, '/')) snprintf(host, sizeof host, "host");
  do {
    mem_free(path);
    path = NULL;
    snprintf(name, sizeof name, "%s%010lld.%s.%ld.%d", name_start, (long long)time(NULL), host, (long)getpid(), n++);
    TRY(text_join(e, &path, b->folder, name));
  } while (access(path, F_OK) == 0);
  TRY(record_open(e, path, &b->file));
  TRY(record_start(e, b->file));
fail:
  mem_free(path);
  return rc;
}

/* ---- a run ---- */

int tensorboard_open(cldann_error *e, const char *folder, tensorboard **out) {
  tensorboard *b = NULL;
  uint8_t *trial = NULL;
  size_t n;
  int rc;
  TRY(pack(e, &(event){.step = 0}, &trial, &n)); /* a build that cannot should say so at once */
  TRY(mem_new(e, &b, 1, sizeof *b));
  TRY(mem_strdup(e, &b->folder, folder));
  *out = b;
  b = NULL;
fail:
  mem_free(trial);
  tensorboard_close(b);
  return rc;
}

int tensorboard_start(cldann_error *e, tensorboard *b, int64_t after) {
  int rc;
  TRY(each_file(e, b->folder, after, cut_file));
  TRY(make_file(e, b));
  TRY(write_event(e, b, &(event){.step = after}));
fail:
  return rc;
}

static int write_figures(cldann_error *e, tensorboard *b, int64_t step, const figure *f, const void *of) {
  event v = {.step = step};
  for (; f->key; f++) {
    const double x = f->tag && v.n < MOST ? figure_of(f, of) : NAN;
    if (!isfinite(x)) continue;
    v.tags[v.n] = f->tag;
    v.values[v.n++] = (float)x;
  }
  return v.n ? write_event(e, b, &v) : CLDANN_OK;
}

int tensorboard_progress(cldann_error *e, tensorboard *b, const cldann_progress *p) {
  return write_figures(e, b, p->step, window_figures, p);
}

int tensorboard_result(cldann_error *e, tensorboard *b, const cldann_result *r) {
  return write_figures(e, b, r->steps, result_figures, r);
}

void tensorboard_close(tensorboard *b) {
  if (!b) return;
  record_close(b->file);
  mem_free(b->folder);
  mem_free(b);
}

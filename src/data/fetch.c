/* data/fetch.c: see data/fetch.h. The hashes are also in datasets/SHA256SUMS, with the recipes. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* flock */
#endif
#include "data/fetch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "data/archive.h"
#include "data/find.h"
#include "data/place.h"

static int verify_bsds(cldann_error *e, const char *path);

#define MNIST(name, sum, size)                                                                                              \
  {                                                                                                                         \
    "mnist/" name,                                                                                                          \
        {"https://ossci-datasets.s3.amazonaws.com/mnist/" name, "https://storage.googleapis.com/cvdf-datasets/mnist/" name, \
         "http://yann.lecun.com/exdb/mnist/" name},                                                                         \
        sum, size, NULL                                                                                                     \
  }

static const fetch_file mnist[] = {
    MNIST("train-images-idx3-ubyte.gz", "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609", 9912422),
    MNIST("train-labels-idx1-ubyte.gz", "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", 28881),
    MNIST("t10k-images-idx3-ubyte.gz", "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6", 1648877),
    MNIST("t10k-labels-idx1-ubyte.gz", "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", 4542),
};

/* Its authors published no hash, so the archive is judged by what it holds. */
static const fetch_file bsds500[] = {
    {"BSR_bsds500.tgz",
     {"https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/BSR/BSR_bsds500.tgz",
      "http://www.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/BSR/BSR_bsds500.tgz", NULL},
     NULL,
     0,
     verify_bsds},
};

static const struct {
  const char *name;
  const fetch_file *files;
  size_t n;
} sets[] = {{"mnist", mnist, sizeof mnist / sizeof *mnist}, {"bsds500", bsds500, sizeof bsds500 / sizeof *bsds500}};

static int count_photo(const char *member, void *arg) {
  static const char *const folders[] = {"images/train/", "images/test/", "images/val/"};
  int *count = arg;
  for (int i = 0; i < 3; i++) count[i] += strstr(member, folders[i]) && text_ends_with(member, ".jpg");
  return 0;
}

static int verify_bsds(cldann_error *e, const char *path) {
  int rc = CLDANN_OK, count[3] = {0};
  TRY(archive_walk(e, path, count_photo, NULL, count));
  if (count[0] != 200 || count[1] != 200 || count[2] != 100)
    FAIL(e, CLDANN_E_FORMAT, "%s has %d, %d, %d jpg in images/train, test, val; 200, 200, 100 are needed; try CLDANN_MIRROR",
         path, count[0], count[1], count[2]);
fail:
  return rc;
}

/* Hash and contents of a file on the disk. */
static int fetch_verify(cldann_error *e, const fetch_file *f, const char *path) {
  int rc = CLDANN_OK;
  char hex[HASH_HEX];
  if (f->sha256) {
    TRY(hash_file(e, path, hex));
    if (strcmp(hex, f->sha256) != 0)
      FAIL(e, CLDANN_E_FORMAT,
           "%s has the wrong SHA-256 (%.12s..., not %.12s...); it was removed: try again or set CLDANN_MIRROR", f->path, hex,
           f->sha256);
  }
  if (f->verify) TRY(f->verify(e, path));
fail:
  return rc;
}

#ifndef HAVE_LIBCURL

static int fetch_get(cldann_error *e, const fetch_file *f, const char *url, FILE *part, fetch_progress progress, void *user) {
  (void)f, (void)part, (void)progress, (void)user;
  return err_set(e, CLDANN_E_NET, __FILE__, __LINE__,
                 "this cldann was built without libcurl; get %s with another tool into the cache folder", url);
}

#else

#include <curl/curl.h>

typedef struct transfer {
  FILE *part;
  CURL *curl;
  const fetch_file *f;
  fetch_progress progress;
  void *user;
  int64_t start; /* bytes that were there */
  int write_errno, resumed, begun;
} transfer;

/* The first bytes tell whether the server went on (206) or began anew (200); an error page is not kept. */
static size_t on_data(char *data, size_t size, size_t n, void *arg) {
  transfer *t = arg;
  if (!t->begun) {
    long status = 0;
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
    t->begun = 1;
    t->resumed = status == 206;
    if (!t->resumed && t->start > 0) {
      if (ftruncate(fileno(t->part), 0) != 0 || fseek(t->part, 0, SEEK_SET) != 0) {
        t->write_errno = errno;
        return 0;
      }
      t->start = 0;
    }
  }
  errno = 0;
  if (fwrite(data, size, n, t->part) == n) return size * n;
  t->write_errno = errno ? errno : EIO;
  return 0;
}

static int on_progress(void *arg, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now) {
  transfer *t = arg;
  int64_t all = t->f->bytes ? t->f->bytes : total ? t->start + (int64_t)total : 0;
  (void)up_total, (void)up_now;
  return t->progress ? t->progress(t->user, t->f->path, t->start + (int64_t)now, all) : 0;
}

static int fetch_explain(cldann_error *e, const transfer *t, CURLcode code, const char *url, const char *detail) {
  long status = 0;
  curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
  if (code == CURLE_WRITE_ERROR && t->write_errno)
    return err_set(e, CLDANN_E_IO, __FILE__, __LINE__, "cannot write %s: %s; free some space or set CLDANN_CACHE", t->f->path,
                   strerror(t->write_errno));
  if (code == CURLE_ABORTED_BY_CALLBACK)
    return err_set(e, CLDANN_E_INTERRUPTED, __FILE__, __LINE__, "the download of %s was stopped; run it again to resume",
                   t->f->path);
  if (code == CURLE_HTTP_RETURNED_ERROR)
    return err_set(e, CLDANN_E_NET, __FILE__, __LINE__, "%s: the server answers %ld; set CLDANN_MIRROR to a server that has it",
                   url, status);
  return err_set(e, CLDANN_E_NET, __FILE__, __LINE__, "cannot fetch %s: %s; check the network or set CLDANN_MIRROR", url,
                 detail[0] ? detail : curl_easy_strerror(code));
}

static void fetch_options(transfer *t, const char *url, char *detail) {
  CURL *c = t->curl;
  curl_easy_setopt(c, CURLOPT_URL, url);
  curl_easy_setopt(c, CURLOPT_ERRORBUFFER, detail);
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(c, CURLOPT_MAXREDIRS, 5L);
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, 30L);
  curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 100L); /* a stalled server: under 100 bytes/s for a minute */
  curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, 60L);
  curl_easy_setopt(c, CURLOPT_USERAGENT, "cldann");
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  curl_easy_setopt(c, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_data);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
  curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(c, CURLOPT_XFERINFODATA, t);
}

/* One address into the open .part, from its end on. The Range header is ours: libcurl's own refuses a server without it. */
static int fetch_get(cldann_error *e, const fetch_file *f, const char *url, FILE *part, fetch_progress progress, void *user) {
  int rc = CLDANN_OK;
  char detail[CURL_ERROR_SIZE] = "", range[40];
  transfer t = {.part = part, .f = f, .progress = progress, .user = user};
  CURLcode code;
  if (fseek(part, 0, SEEK_END) != 0) FAIL(e, CLDANN_E_IO, "cannot read %s.part: %s", f->path, strerror(errno));
  t.start = ftell(part);
  if (f->bytes > 0 && t.start == f->bytes) return CLDANN_OK; /* stopped after the last byte, before it was placed */
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(t.curl = curl_easy_init()))
    FAIL(e, CLDANN_E_NET, "libcurl does not start; check its installation");
  fetch_options(&t, url, detail);
  snprintf(range, sizeof range, "%lld-", (long long)t.start);
  if (t.start > 0) curl_easy_setopt(t.curl, CURLOPT_RANGE, range);
  code = curl_easy_perform(t.curl);
  if (code == CURLE_OK && fflush(part) != 0) {
    t.write_errno = errno;
    code = CURLE_WRITE_ERROR;
  }
  if (code != CURLE_OK) rc = fetch_explain(e, &t, code, url, detail);
fail:
  if (t.curl) curl_easy_cleanup(t.curl);
  return rc;
}

#endif

/* Opens path.part for going on, locked against a second cldann. A .part that cannot become the file starts anew. */
static int part_open(cldann_error *e, const fetch_file *f, const char *part, FILE **out) {
  int rc = CLDANN_OK;
  struct stat st;
  FILE *file = fopen(part, "ab+");
  if (!file)
    FAIL(e, CLDANN_E_IO, "cannot write %s: %s; set CLDANN_CACHE to a folder that can be written", part, strerror(errno));
  if (flock(fileno(file), LOCK_EX | LOCK_NB) != 0)
    FAIL(e, CLDANN_E_IO, "%s is being fetched by another process; wait for it to end", f->path);
  if (fstat(fileno(file), &st) == 0 && f->bytes > 0 && st.st_size > f->bytes && ftruncate(fileno(file), 0) != 0)
    FAIL(e, CLDANN_E_IO, "cannot write %s: %s", part, strerror(errno));
  *out = file;
  return CLDANN_OK;
fail:
  if (file) fclose(file);
  return rc;
}

/* The addresses in turn until one gives a file that is right; the last one's error is told. */
static int fetch_from(cldann_error *e, const fetch_file *f, const char *const *urls, const char *part, const char *path,
                      fetch_progress progress, void *user) {
  int rc = CLDANN_E_NET;
  cldann_error last;
  err_clear(&last);
  for (int i = 0; i < FETCH_URLS && urls[i]; i++) {
    FILE *file = NULL;
    struct stat st;
    err_clear(&last);
    rc = part_open(&last, f, part, &file);
    if (rc == CLDANN_OK) rc = fetch_get(&last, f, urls[i], file, progress, user);
    if (rc == CLDANN_OK && fsync(fileno(file)) != 0)
      rc = err_set(&last, CLDANN_E_IO, __FILE__, __LINE__, "cannot write %s: %s; free some space", part, strerror(errno));
    if (rc == CLDANN_OK) {
      rc = fetch_verify(&last, f, part);
      if (rc < 0 && rc != CLDANN_E_MEM) unlink(part); /* or it would be resumed for ever */
      if (rc == CLDANN_OK) rc = place_rename(&last, part, path);
    }
    if (rc < 0 && file && fstat(fileno(file), &st) == 0 && st.st_size == 0) unlink(part); /* nothing to resume */
    if (file) fclose(file);                                                               /* the lock is held until here */
    if (rc != CLDANN_E_NET && rc != CLDANN_E_FORMAT) break; /* done, or what no other address can cure */
  }
  if (rc < 0 && e && !e->code) *e = last;
  return rc;
}

int fetch_one(cldann_error *e, const fetch_file *f, const char *dir, fetch_progress progress, void *user) {
  int rc = CLDANN_OK;
  const char *mirror = getenv("CLDANN_MIRROR"), *urls[FETCH_URLS] = {NULL};
  char *path = NULL, *part = NULL, *folder = NULL, *mirrored = NULL;
  cldann_error unfit;
  TRY(text_join(e, &path, dir, f->path));
  err_clear(&unfit);
  if (access(path, F_OK) == 0 && fetch_verify(&unfit, f, path) == CLDANN_OK) goto fail; /* there already */
  TRY(mem_new(e, &part, strlen(path) + 6, 1));
  snprintf(part, strlen(path) + 6, "%s.part", path);
  TRY(mem_strdup(e, &folder, path));
  if (strrchr(folder, '/') > folder) {
    *strrchr(folder, '/') = 0;
    TRY(place_folder(e, folder, NULL));
  }
  memcpy(urls, f->urls, sizeof urls);
  if (mirror && mirror[0]) {
    TRY(text_join(e, &mirrored, mirror, f->path));
    memset(urls, 0, sizeof urls);
    urls[0] = mirrored;
  }
  TRY(fetch_from(e, f, urls, part, path, progress, user));
fail:
  mem_free(path);
  mem_free(part);
  mem_free(folder);
  mem_free(mirrored);
  return rc;
}

int data_fetch(cldann_error *e, const char *name, const char *dir, fetch_progress progress, void *user) {
  int rc = CLDANN_OK;
  char *cache = NULL;
  size_t at = 0, n = sizeof sets / sizeof *sets;
  while (at < n && strcmp(sets[at].name, name) != 0) at++;
  if (at == n) FAIL(e, CLDANN_E_ARG, "there is no data set '%.40s' to fetch; choose mnist or bsds500", name);
  if (!dir) {
    TRY(data_cache_folder(e, &cache));
    dir = cache;
  }
  for (size_t i = 0; i < sets[at].n; i++) TRY(fetch_one(e, sets[at].files + i, dir, progress, user));
fail:
  mem_free(cache);
  return rc;
}

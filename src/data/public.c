/* data/public.c: the data functions of cldann.h, over data/mnistm.h, data/fetch.h and data/digits.h. */
#include <stdio.h>

#include "base/mem.h"
#include "base/text.h"
#include "data/digits.h"
#include "data/fetch.h"
#include "data/mnistm.h"
#include "data/sheet.h"

int cldann_make_mnistm(const char *mnist_dir, const char *bsds_tgz, const char *out_dir, uint64_t seed, int threads,
                       int (*stop)(void), cldann_error *error) {
  cldann_error scrap;
  if (!error) error = &scrap;
  err_clear(error);
  return mnistm_write(error, mnist_dir, bsds_tgz, out_dir, seed, threads, stop);
}

int cldann_make_digits(const char *out_dir, int n, uint64_t seed, int (*stop)(void), cldann_error *error) {
  static const char *const names[] = {"source", "target"};
  cldann_error scrap;
  dataset *d = NULL;
  char *folder = NULL;
  int rc = CLDANN_OK;
  if (!error) error = &scrap;
  err_clear(error);
  for (int domain = DIGITS_SOURCE; domain <= DIGITS_TARGET; domain++) {
    TRY(digits_make(error, seed, DIGITS_TRAIN, domain, n, 0, &d));
    TRY(text_join(error, &folder, out_dir, names[domain]));
    TRY(sheet_write_folder(error, folder, d, stop));
    mem_free(folder), folder = NULL;
    dataset_free(d), d = NULL;
  }
fail:
  dataset_free(d);
  mem_free(folder);
  return rc;
}

typedef struct listener {
  cldann_on_message say;
  void *user;
  int64_t told; /* bytes at the last message */
} listener;

static int report(void *user, const char *path, int64_t done, int64_t total) {
  enum { STEP = 4 << 20 };
  listener *l = user;
  char line[256];
  if (done < l->told) l->told = 0; /* the next file */
  if (!l->say || done == l->told || (done < l->told + STEP && done != total)) return 0;
  l->told = done;
  if (total > 0)
    snprintf(line, sizeof line, "%s: %.1f of %.1f MB", path, (double)done / 1e6, (double)total / 1e6);
  else
    snprintf(line, sizeof line, "%s: %.1f MB", path, (double)done / 1e6);
  l->say(l->user, line);
  return 0;
}

int cldann_fetch(const char *name, cldann_on_message on_message, void *user, cldann_error *error) {
  listener l = {on_message, user, 0};
  cldann_error scrap;
  if (!error) error = &scrap;
  err_clear(error);
  return data_fetch(error, name, NULL, report, &l);
}

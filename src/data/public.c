/* data/public.c: the data functions of cldann.h, over data/mnistm.h and data/fetch.h. */
#include <stdio.h>

#include "data/fetch.h"
#include "data/mnistm.h"

int cldann_make_mnistm(const char *mnist_dir, const char *bsds_tgz, const char *out_dir, uint64_t seed, int threads,
                       int (*stop)(void), cldann_error *error) {
  cldann_error scrap;
  if (!error) error = &scrap;
  err_clear(error);
  return mnistm_write(error, mnist_dir, bsds_tgz, out_dir, seed, threads, stop);
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

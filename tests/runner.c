/* tests/runner.c: see tests/runner.h. */
#include "runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Exit statuses that automake gives a meaning: skipped, and failed before the first test. */
enum { SKIPPED = 77, NOT_SET_UP = 99 };

/* In the build tree, where make runs the tests, and relative: it stays short wherever that is. */
static char own_folder[] = "cldann-test-XXXXXX";
const char *const folder = own_folder;

const char *in(const char *name) {
  static char path[8][256];
  static int at;
  at = (at + 1) % 8;
  snprintf(path[at], sizeof path[at], "%s/%s", folder, name);
  return path[at];
}

const char *source_path(const char *relative) {
  static char path[4096];
  const char *root = getenv("CLDANN_SRCDIR");
  snprintf(path, sizeof path, "%s/%s", root ? root : ".", relative);
  return path;
}

int env_is_set(const char *name) {
  const char *v = getenv(name);
  return v && *v && strcmp(v, "0") != 0;
}

void write_file(const char *path, const void *data, size_t n) {
  FILE *f = fopen(path, "wb");
  ck_assert_ptr_nonnull(f);
  ck_assert_uint_eq(fwrite(data, 1, n, f), n);
  fclose(f);
}

void no_leak(void) {
  mem_fail_after(-1);
  ck_assert_int_eq(mem_live(), 0);
}

/* 0, or the exit status. Only a missing device is a reason to skip: any other error is ours. */
static int open_context(cldann **ctx) {
  cldann_error e;
  if (cldann_open(ctx, NULL, &e) == CLDANN_OK) {
    printf("device: %s\n", cldann_device(*ctx)->name);
    return 0;
  }
  fprintf(stderr, "%s\n", e.message);
  return e.code == CLDANN_E_DEVICE && !env_is_set("CLDANN_REQUIRE_DEVICE") ? SKIPPED : 1;
}

/* Makes the folder, runs, and removes the folder with all that the tests left there. */
static int run_in_folder(SRunner *r) {
  char command[64];
  if (!mkdtemp(own_folder)) {
    perror(own_folder);
    return NOT_SET_UP;
  }
  srunner_set_fork_status(r, CK_NOFORK); /* OpenCL runtimes do not survive fork */
  srunner_run_all(r, CK_NORMAL);
  snprintf(command, sizeof command, "rm -rf %s", folder);
  return system(command) != 0 || srunner_ntests_failed(r) != 0;
}

int runner_run(Suite *s, cldann **ctx) {
  SRunner *r = srunner_create(s);
  int rc = 0;
  setvbuf(stdout, NULL, _IOLBF, 0); /* a crash in a driver must not swallow what was printed before it */
  if (ctx) rc = open_context(ctx);
  if (rc == 0) rc = run_in_folder(r);
  srunner_free(r);
  if (ctx) cldann_close(*ctx);
  if (rc == 0 && mem_live() != 0) { /* a test that failed was cut short and leaves what it held */
    fprintf(stderr, "%ld blocks of memory were not given back\n", mem_live());
    rc = 1;
  }
  return rc;
}

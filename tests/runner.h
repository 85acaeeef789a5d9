/*
 * tests/runner.h: what every test program stands on: how its suite is run, a folder of its own, and the few helpers that
 * more than one program needs. It knows nothing of what is tested. Next: the main of any test program.
 */
#ifndef CLDANN_TESTS_RUNNER_H
#define CLDANN_TESTS_RUNNER_H

#include <check.h>
#include <stddef.h>

#include "cldann.h"

/*
 * Runs the suite and frees it; the program's exit status. ctx, unless NULL, is a context to open for the tests and to close
 * after them. No device: 77 (skip), or 1 with CLDANN_REQUIRE_DEVICE=1. Memory that is still alive after tests that all
 * passed is a failure.
 */
int runner_run(Suite *s, cldann **ctx);

/* The program's folder, there while the suite runs; in() is a path in it, good for the next seven calls. */
extern const char *const folder;
const char *in(const char *name);

const char *source_path(const char *relative); /* a file of the source tree; until the next call */
int env_is_set(const char *name);              /* and neither empty nor 0 */
void write_file(const char *path, const void *data, size_t n);
void no_leak(void); /* a fixture: no memory is alive, and no allocation is made to fail any more */

#endif

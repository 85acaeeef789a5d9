/*
 * base/err.h: how a failure travels.
 *
 * A function that can fail returns int: 0, or a negative cldann_status. It fills the caller's cldann_error, where the
 * first error wins, and leaves through one label, fail:, that also frees what the function holds. The library never
 * prints, exits or aborts. This file knows nothing of OpenCL; device/ adds the CL code's name to an error.
 */
#ifndef CLDANN_BASE_ERR_H
#define CLDANN_BASE_ERR_H

#include "cldann.h"

#if defined(__GNUC__)
#define ERR_PRINTF(a, b) __attribute__((format(printf, a, b)))
#else
#define ERR_PRINTF(a, b)
#endif

void err_clear(cldann_error *e);
/* Records an error unless one is there already; returns code in any case. The message is one line and names the fix. */
int err_set(cldann_error *e, int code, const char *file, int line, const char *fmt, ...) ERR_PRINTF(5, 6);

/* Both need `int rc` and a label `fail:` in the function. */
#define FAIL(e, code, ...)                                      \
  do {                                                          \
    rc = err_set((e), (code), __FILE__, __LINE__, __VA_ARGS__); \
    goto fail;                                                  \
  } while (0)
#define TRY(call)                     \
  do {                                \
    if ((rc = (call)) < 0) goto fail; \
  } while (0)

#endif

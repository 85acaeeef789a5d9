/* base/err.c: see base/err.h. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

void err_clear(cldann_error *e) {
  memset(e, 0, sizeof *e);
}

int err_set(cldann_error *e, int code, const char *file, int line, const char *fmt, ...) {
  va_list ap;
  if (!e || e->code) return code; /* the first error is the cause; later ones are consequences */
  e->code = code;
  snprintf(e->where, sizeof e->where, "%s:%d", file, line);
  va_start(ap, fmt);
  vsnprintf(e->message, sizeof e->message, fmt, ap);
  va_end(ap);
  text_clean(e->message); /* a damaged file's words may be anything, and a terminal obeys some */
  return code;
}

const char *cldann_status_name(int status) {
  switch (status) {
  case CLDANN_OK: return "ok";
  case CLDANN_E_ARG: return "bad argument";
  case CLDANN_E_MEM: return "out of memory";
  case CLDANN_E_IO: return "input/output";
  case CLDANN_E_FORMAT: return "bad data";
  case CLDANN_E_SHAPE: return "shapes do not fit";
  case CLDANN_E_CONFIG: return "bad experiment";
  case CLDANN_E_DEVICE: return "no such device";
  case CLDANN_E_CL: return "OpenCL";
  case CLDANN_E_DIVERGED: return "training diverged";
  case CLDANN_E_CHECK: return "self-test failed";
  case CLDANN_E_NET: return "network";
  case CLDANN_E_INTERRUPTED: return "interrupted";
  }
  return "unknown status";
}

/* base/log.c: see base/log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

void log_line(const log_sink *to, log_level level, const char *fmt, ...) {
  char text[1024];
  va_list ap;
  if (!to || !to->fn || level > to->level) return;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  to->fn(to->user, level, text);
}

const char *log_level_name(log_level level) {
  switch (level) {
  case LOG_LEVEL_WARN: return "warning";
  case LOG_LEVEL_INFO: return "info";
  case LOG_LEVEL_DEBUG: return "debug";
  }
  return "unknown";
}

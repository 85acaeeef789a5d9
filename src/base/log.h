/*
 * base/log.h: how the library talks without printing: the caller hands a sink, a function with a level and one line of
 * text without its end. A NULL sink, or one without a function, drops everything. Errors do not come this way (base/err.h).
 */
#ifndef CLDANN_BASE_LOG_H
#define CLDANN_BASE_LOG_H

#include "base/err.h"

typedef enum { LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG } log_level;

typedef void (*log_fn)(void *user, log_level level, const char *text);

typedef struct log_sink {
  log_fn fn;
  void *user;
  log_level level; /* lines above this level are dropped */
} log_sink;

void log_line(const log_sink *to, log_level level, const char *fmt, ...) ERR_PRINTF(3, 4);
const char *log_level_name(log_level level);

#endif

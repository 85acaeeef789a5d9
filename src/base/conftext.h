/*
 * base/conftext.h: files in libconfig's syntax, as experiments, tuning files and tables are, read so that nothing in them can
 * end the process, keep it waiting or have it read another file: what libconfig takes without a word, or with exit(). It knows
 * nothing of what they say.
 */
#ifndef CLDANN_BASE_CONFTEXT_H
#define CLDANN_BASE_CONFTEXT_H

#include <libconfig.h>

#include "base/err.h"

/*
 * Into c, an initialised tree. CLDANN_E_CONFIG, "path:line: why; fix", where it is not in that syntax, CLDANN_E_IO where there
 * is no such file, or it is a folder, pipe or device.
 */
int conftext_load(cldann_error *e, const char *path, const char *fix, config_t *c);
/* The same of a text that came from `path`. */
int conftext_parse(cldann_error *e, const char *path, const char *fix, const char *text, config_t *c);
/* May libconfig see it, as a value? Not where a word outside of texts is one of its orders, which read other files. */
int conftext_is_plain(const char *value);

#endif

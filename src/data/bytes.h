/* data/bytes.h: a whole file in memory, unpacked where it is gzip. For formats that are parsed from memory. */
#ifndef CLDANN_DATA_BYTES_H
#define CLDANN_DATA_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* *bytes is freed by mem_free. */
int bytes_read(cldann_error *e, const char *path, uint8_t **bytes, size_t *size);

#endif

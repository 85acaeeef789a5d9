/*
 * base/hash.h: SHA-256 (FIPS 180-4), streaming, to check downloads and to pin generated data in tests; and CRC-32C (RFC 3720),
 * which TensorBoard's files hold. Tested with the published known answers.
 */
#ifndef CLDANN_BASE_HASH_H
#define CLDANN_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { HASH_HEX = 65 }; /* 64 digits and the end mark */

typedef struct hash {
  uint32_t h[8];
  uint64_t bytes;
  uint8_t block[64];
} hash;

void hash_init(hash *s);
void hash_update(hash *s, const void *data, size_t n);
/* Ends the stream; hex gets 64 lower-case digits and a 0. */
void hash_final(hash *s, char hex[HASH_HEX]);
/* The three above for one block. */
void hash_bytes(const void *data, size_t n, char hex[HASH_HEX]);
int hash_file(cldann_error *e, const char *path, char hex[HASH_HEX]);

uint32_t hash_crc32c(const void *data, size_t n);

#endif

/* base/hash.c: see base/hash.h. */
#include "base/hash.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t K[64] = {0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
                               0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
                               0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
                               0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
                               0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
                               0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
                               0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
                               0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t ror(uint32_t x, int n) {
  return (x >> n) | (x << (32 - n));
}

static void hash_block(hash *s, const uint8_t *p) {
  uint32_t w[64], v[8];
  for (int i = 0; i < 16; i++)
    w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 | (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
  for (int i = 16; i < 64; i++) {
    uint32_t a = w[i - 15], b = w[i - 2];
    w[i] = w[i - 16] + (ror(a, 7) ^ ror(a, 18) ^ (a >> 3)) + w[i - 7] + (ror(b, 17) ^ ror(b, 19) ^ (b >> 10));
  }
  memcpy(v, s->h, sizeof v);
  for (int i = 0; i < 64; i++) {
    uint32_t a = v[0], e = v[4];
    uint32_t t1 = v[7] + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + ((e & v[5]) ^ (~e & v[6])) + K[i] + w[i];
    uint32_t t2 = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
    memmove(v + 1, v, 7 * sizeof *v);
    v[4] += t1; /* the old d, moved one up */
    v[0] = t1 + t2;
  }
  for (int i = 0; i < 8; i++) s->h[i] += v[i];
}

void hash_init(hash *s) {
  static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  memset(s, 0, sizeof *s);
  memcpy(s->h, start, sizeof start);
}

void hash_update(hash *s, const void *data, size_t n) {
  const uint8_t *p = data;
  size_t used = (size_t)(s->bytes % 64);
  s->bytes += n;
  if (used) {
    size_t take = n < 64 - used ? n : 64 - used;
    if (take) memcpy(s->block + used, p, take);
    if (used + take < 64) return;
    hash_block(s, s->block);
    p += take;
    n -= take;
  }
  for (; n >= 64; p += 64, n -= 64) hash_block(s, p);
  if (n) memcpy(s->block, p, n);
}

void hash_final(hash *s, char hex[HASH_HEX]) {
  static const uint8_t pad[64] = {0x80};
  uint64_t bits = s->bytes * 8;
  uint8_t tail[8];
  size_t used = (size_t)(s->bytes % 64);
  for (int i = 0; i < 8; i++) tail[i] = (uint8_t)(bits >> (56 - 8 * i));
  hash_update(s, pad, used < 56 ? 56 - used : 120 - used);
  hash_update(s, tail, 8);
  for (int i = 0; i < 8; i++) snprintf(hex + 8 * i, 9, "%08x", (unsigned)s->h[i]);
}

void hash_bytes(const void *data, size_t n, char hex[HASH_HEX]) {
  hash s;
  hash_init(&s);
  hash_update(&s, data, n);
  hash_final(&s, hex);
}

int hash_file(cldann_error *e, const char *path, char hex[HASH_HEX]) {
  int rc = CLDANN_OK;
  uint8_t buffer[1 << 14];
  size_t got;
  hash s;
  FILE *f = fopen(path, "rb");
  if (!f) FAIL(e, CLDANN_E_IO, "cannot open %s: %s", path, strerror(errno));
  hash_init(&s);
  while ((got = fread(buffer, 1, sizeof buffer, f)) > 0) hash_update(&s, buffer, got);
  if (ferror(f)) FAIL(e, CLDANN_E_IO, "cannot read %s: %s", path, strerror(errno));
  hash_final(&s, hex);
fail:
  if (f) fclose(f);
  return rc;
}

/* Bit by bit: what is summed is short. */
uint32_t hash_crc32c(const void *data, size_t n) {
  const uint8_t *p = data;
  uint32_t crc = 0xffffffffu;
  for (size_t i = 0; i < n; i++) {
    crc ^= p[i];
    for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
  }
  return ~crc;
}

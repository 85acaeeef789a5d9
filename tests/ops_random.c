/* tests/ops_random.c: the random numbers of cl/common.clh, which must be those of base/rng.c. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "device/kernels.h"
#include "harness.h"
#include "ops_suites.h"
#include "runner.h"

/* A header's text as it is in use, into the program's folder. */
static void probe_header(const char *used, const char *stem) {
  char name[32], path[512], text[16384] = "";
  snprintf(name, sizeof name, "%s.clh", stem);
  for (const kernel_source *s = kernel_sources; s->name && !used; s++)
    if (!strcmp(s->name, stem)) write_file(in(name), s->text, strlen(s->text));
  if (!used) return;
  snprintf(path, sizeof path, "%s/%s", used, name);
  FILE *f = fopen(path, "r");
  ck_assert_ptr_nonnull(f);
  const size_t n = fread(text, 1, sizeof text, f);
  fclose(f);
  write_file(in(name), text, n);
}

static const char probe_text[] =
    "__kernel void philox_probe(__global const uint *in, int io, __global uint *out, int oo, int n) {\n"
    "  const int i = (int)get_global_id(0);\n"
    "  if (i >= n) return;\n"
    "  __global const uint *p = in + io + 6 * i;\n"
    "  const uint4 r = philox4x32((uint4)(p[0], p[1], p[2], p[3]), (uint2)(p[4], p[5]));\n"
    "  __global uint *q = out + oo + 5 * i;\n"
    "  q[0] = r.x; q[1] = r.y; q[2] = r.z; q[3] = r.w; q[4] = as_uint(unit_float(r.x));\n"
    "}\n";

/* Binds with the program's folder as the source of kernels: the two headers in use, and one more kernel file. */
static void probe_bind(rig *g) {
  const char *used = getenv("CLDANN_KERNEL_PATH");
  char *keep = used && *used ? strdup(used) : NULL;
  probe_header(keep, "layout");
  probe_header(keep, "common");
  write_file(in("philox_probe.cl"), probe_text, strlen(probe_text));
  setenv("CLDANN_KERNEL_PATH", folder, 1);
  rig_bind(g);
  if (keep)
    setenv("CLDANN_KERNEL_PATH", keep, 1);
  else
    unsetenv("CLDANN_KERNEL_PATH");
  free(keep);
}

START_TEST(random_numbers) {
  enum { N = 67, KNOWN = 3 };
  /* Random123's known answers for philox4x32-10: counter, key, result. */
  static const uint32_t known[KNOWN][10] = {
      {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
      {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
      {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}};
  uint32_t in[N][6], out[N][5];
  rig g;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < 6; j++) in[i][j] = i < KNOWN ? known[i][j] : rng_words(7, RNG_CHECK, (uint32_t)j, (uint64_t)i).v[1];
  rig_begin(&g, "generic", "philox");
  const int a = rig_in(&g, "in", 4, N, 1, 1, 6), b = rig_out(&g, "out", 4, N, 1, 1, 5);
  launch *k = launches_add(g.l, "philox_probe", "philox_probe", "generic");
  launch_in(g.l, k, rig_tensor(&g, a));
  launch_out(g.l, k, rig_tensor(&g, b));
  launch_int(g.l, k, N);
  launch_grid64(g.l, k, N);
  probe_bind(&g);
  rig_put(&g, a, in);
  rig_run(&g, 1, g.l->n);
  rig_get(&g, b, out);
  for (int i = 0; i < N; i++) {
    const uint64_t index = in[i][0] | (uint64_t)in[i][1] << 32, seed = in[i][4] | (uint64_t)in[i][5] << 32;
    const rng r = rng_words(seed, in[i][3], in[i][2], index); /* counter {index, step, stream} */
    float unit;
    for (int j = 0; j < 4; j++) {
      if (i < KNOWN) ck_assert_uint_eq(out[i][j], known[i][6 + j]);
      ck_assert_uint_eq(out[i][j], r.v[j]);
    }
    memcpy(&unit, &out[i][4], sizeof unit);
    ck_assert_msg(unit == rng_unit(r.v[0]), "unit_float differs from rng_unit");
  }
  rig_end(&g);
}
END_TEST

TCase *random_cases(void) {
  TCase *t = tcase_create("random");
  tcase_set_timeout(t, 600);
  tcase_add_test(t, random_numbers);
  return t;
}

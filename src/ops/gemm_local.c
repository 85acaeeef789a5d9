/*
 * ops/gemm_local.c: the matrix product for GPUs (cl/gemm_local.cl), and what it shares with the convolution for GPUs: which
 * devices can run local tiles, how wide a tile is, and how a long sum is cut. Why the tiles are as they are stands in
 * cl/common.clh.
 */
#include "ops/gemm.h"

enum {
  TILE_ROWS = 64,          /* TM of cl/common.clh */
  LOCAL_BYTES = 16 * 1024, /* the tiles need 9 KB at most; a driver may take some for itself */
  RUN_UNIT = 16,           /* runs are whole tiles along k: a multiple of every TK */
  LEAST_RUN = 256,         /* 16 tiles: below that a part is not worth the launch that adds it up */
  ENOUGH_ITEMS = 1 << 17   /* some 130,000 work-items fill the largest GPUs of today */
};

int fits_local(const device_info *d, const void *what) {
  (void)what;
  return d->max_work_group >= 64 && d->local_bytes >= LOCAL_BYTES;
}

/*
 * The width of the tile, 16, 32 or 64: by the rule the one that leaves least work undone: columns, rounded up, plus for each
 * tile across the cost of fetching its rows, about that of 16 columns. A group has four work-items a column: 64, 128 or 256.
 */
static int tile_columns(launches *l, int n) {
  numbers ways[3];
  int count = 0;
  for (int t = 16; t <= 64 && (t == 16 || (size_t)t * 4 <= l->dev->max_work_group); t *= 2) {
    int at = count++;
    for (; at > 0 && ceil_div(n, t) * (t + 16) <= ceil_div(n, ways[at - 1].v[0]) * (ways[at - 1].v[0] + 16); at--)
      ways[at] = ways[at - 1];
    ways[at] = (numbers){{t}};
  }
  return choice_numbers(l, "tn", ways, count).v[0];
}

void gemm_local_grid(launches *l, launch *k, int m, int n, int parts) {
  const int columns = tile_columns(l, n);
  const size_t group = 4 * (size_t)columns, tiles = (size_t)ceil_div(m, TILE_ROWS) * (size_t)ceil_div(n, columns);
  launch_def(l, k, "TN", columns);
  launch_groups(l, k, group, tiles, (size_t)parts);
}

local_split gemm_local_split(int m, int n, int k) {
  const long long items = (long long)ceil_div(m, 4) * ceil_div(n, 4);
  int parts = 1;
  while (2 * parts * items <= ENOUGH_ITEMS && 2LL * parts * LEAST_RUN <= k) parts *= 2;
  const int run = ceil_div(ceil_div(k, parts), RUN_UNIT) * RUN_UNIT;
  return (local_split){ceil_div(k, run), run};
}

void gemm_local_emit(launches *l, const char *name, const void *what) {
  const gemm *g = what;
  const local_split split = gemm_local_split(g->m, g->n, g->k);
  const int whole = split.parts == 1;
  const tensor out = whole ? g->c : launches_tensor(l, "partial sums", 4, split.parts, 1, g->m, g->n);
  launch *k = launches_add(l, "gemm_local", "gemm_local", name);
  launch_def(l, k, "A_BY_K", !g->a_trans);
  launch_def(l, k, "B_BY_K", g->b_trans);
  launch_def(l, k, "BIAS", whole && g->bias.buf);
  launch_def(l, k, "BETA", whole && g->beta);
  launch_def(l, k, "ACT", whole ? g->act : ACT_NONE);
  gemm_operands(l, k, g);
  launch_write(l, k, out, whole && g->beta);
  launch_int(l, k, g->m);
  launch_int(l, k, g->n);
  launch_int(l, k, g->k);
  launch_int(l, k, split.run);
  gemm_local_grid(l, k, g->m, g->n, split.parts);
  k->flops = 2.0 * g->m * g->n * g->k;
  if (whole) return;
  sum_partials_emit(l, out, 0, g->m * g->n, split.parts, g->c, g->m * g->n, g->beta);
  gemm_bias_act_emit(l, name, g);
}

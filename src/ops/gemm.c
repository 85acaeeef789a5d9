/*
 * ops/gemm.c: the variants of the matrix product: register tiles on CPUs; on GPUs CLBlast for big products and local tiles
 * (ops/gemm_local.c) for the others; a plain kernel anywhere. See ops/gemm.h.
 */
#include "ops/gemm.h"

#include <string.h>

#include "config.h"

#ifdef HAVE_CLBLAST
#define CL_TARGET_OPENCL_VERSION 120
#include <clblast_c.h>
#endif

/*
 * A panel of B (k rows of NV*V) should stay in the second-level cache while rows of A go by: fewer vectors for large k. A
 * product of a million multiply-adds takes microseconds with any tile, and each tile is a program to compile: few of them.
 */
static tile gemm_rule(int m, int n, int k, int width) {
  if ((double)m * n * k <= 1e6) return tile_pick(m < 64 ? m : 64, n, width, 2, 1);
  return tile_pick(m, n, width, (long long)k * 3 * width <= 98304 ? 4 : 2, 1);
}

/* A block of B of this size stays in the first-level cache while rows of A and c go by. */
enum { PANEL_BYTES = 32768 };

/* Copying B into panels pays where each panel serves many rows and B is too large to be read in place. */
static int panel_rule(const gemm *g, tile t) {
  return g->m >= 16 * t.rows && (double)g->k * g->n * 4 > 262144;
}

/* About 256 rows, in whole tiles: they stay in the second-level cache while panel after panel goes by. */
static int panel_rows(int m, int rows) {
  const int blocks = ceil_div(m, 256);
  return ceil_div(ceil_div(m, blocks), rows) * rows;
}

/* The arguments behind the operands. */
static void result(launches *l, launch *k, const gemm *g) {
  launch_write(l, k, g->c, g->beta);
  launch_int(l, k, g->m);
  launch_int(l, k, g->n);
  launch_int(l, k, g->k);
  launch_int(l, k, g->bias.buf != 0);
  launch_int(l, k, g->beta);
  launch_int(l, k, g->act);
}

static void emit_cpu(launches *l, const char *name, const void *what) {
  const gemm *g = what;
  const tile wide = tile_pick(g->m, g->n, l->dev->vector_width, 4, 1);
  const int panels = panel_rule(g, wide);
  const tile t = panels ? wide : gemm_rule(g->m, g->n, g->k, l->dev->vector_width);
  tensor b = g->b;
  if (g->b_trans) { /* the tile kernel reads B by rows: turn it once */
    b = launches_tensor(l, "transposed", 4, 1, g->k, g->n, 1);
    launch *k = launches_add(l, "gemm_plain", "transpose_tile", name);
    launch_in(l, k, g->b);
    launch_out(l, k, b);
    launch_int(l, k, g->n);
    launch_int(l, k, g->k);
    launch_grid1(l, k, (size_t)ceil_div(g->k, 16), (size_t)ceil_div(g->n, 16), 1);
  }
  launch *k = launches_add(l, "gemm", panels ? "gemm_panel" : "gemm_tile", name);
  const int height = panels ? panel_rows(g->m, t.rows) : t.rows;
  if (panels) {
    launch_def(l, k, "MB", height);
    launch_def(l, k, "KC", PANEL_BYTES / (4 * t.nv * t.v));
  }
  launch_def(l, k, "V", t.v);
  launch_def(l, k, "NV", t.nv);
  launch_def(l, k, "MR", t.rows);
  if (g->act > ACT_RELU) launch_def(l, k, "SMOOTH", 1);
  launch_in(l, k, g->a);
  launch_int(l, k, g->a_trans ? 1 : g->k);
  launch_int(l, k, g->a_trans ? g->m : 1);
  launch_in(l, k, b);
  launch_int(l, k, g->n);
  launch_in(l, k, g->bias.buf ? g->bias : b);
  result(l, k, g);
  const size_t down = (size_t)ceil_div(g->m, height), across = (size_t)ceil_div(g->n, t.nv * t.v);
  launch_grid1(l, k, panels ? across : down, panels ? down : across, 1);
  k->flops = 2.0 * g->m * g->n * g->k;
}

void gemm_operands(launches *l, launch *k, const gemm *g) {
  launch_in(l, k, g->a);
  launch_int(l, k, g->a_trans ? 1 : g->k);
  launch_int(l, k, g->a_trans ? g->m : 1);
  launch_in(l, k, g->b);
  launch_int(l, k, g->b_trans ? 1 : g->n);
  launch_int(l, k, g->b_trans ? g->k : 1);
  launch_in(l, k, g->bias.buf ? g->bias : g->b);
}

static void emit_generic(launches *l, const char *name, const void *what) {
  const gemm *g = what;
  launch *k = launches_add(l, "gemm_plain", "gemm_plain", name);
  gemm_operands(l, k, g);
  result(l, k, g);
  launch_grid64(l, k, (size_t)g->m * (size_t)g->n);
  k->flops = 2.0 * g->m * g->n * g->k;
}

void gemm_bias_act_emit(launches *l, const char *name, const gemm *g) {
  if (!g->bias.buf && !g->act) return;
  launch *k = launches_add(l, "gemm_plain", "bias_act", name);
  launch_update(l, k, g->c);
  launch_in(l, k, g->bias.buf ? g->bias : g->b);
  launch_int(l, k, g->n);
  launch_int(l, k, g->m * g->n);
  launch_int(l, k, g->bias.buf != 0);
  launch_int(l, k, g->act);
  launch_blocks(l, k, (size_t)g->m * (size_t)g->n);
}

#ifdef HAVE_CLBLAST
/*
 * CLBlast for big products on GPUs. Its parameters are tuned for the device at hand, ours are not, and that shows where the
 * inner loop is all that counts. Below, it has more to lose: its first call compiles for seconds; it does not cut a long
 * k, so few results leave most of the GPU idle; bias and activation are one more pass. 256 x 256 results and 512^3
 * products are from these reasons, not from timings. A process none of whose products is that big never calls it.
 */
static int rule_clblast(const device_info *d, const void *what) {
  const gemm *g = what;
  return d->is_gpu && g->m >= 256 && g->n >= 256 && (double)g->m * g->n * g->k >= 512.0 * 512.0 * 512.0;
}

/* Its cache of compiled kernels must not outlive the context. */
static void forget_clblast(void) {
  CLBlastClearCache();
}

/* args: a, b, c, then m n k, a_trans b_trans, beta. */
static int run_clblast(device *d, const launch *l, const vbuf *bufs, buffer *arena) {
  cl_mem mem[3];
  size_t off[3];
  int rc = CLDANN_OK;
  for (int i = 0; i < 3; i++) {
    const vbuf *b = &bufs[l->args[i].t.buf];
    mem[i] = buffer_mem(b->external ? b->external : arena);
    off[i] = l->args[i].t.offset + (b->external ? 0 : b->arena / 4);
  }
  const size_t m = (size_t)l->args[3].i, n = (size_t)l->args[4].i, k = (size_t)l->args[5].i;
  const int ta = l->args[6].i, tb = l->args[7].i, beta = l->args[8].i;
  cl_command_queue queue = device_queue(d);
  device_at_close(d, forget_clblast);
  const CLBlastStatusCode code = CLBlastSgemm(
      CLBlastLayoutRowMajor, ta ? CLBlastTransposeYes : CLBlastTransposeNo, tb ? CLBlastTransposeYes : CLBlastTransposeNo, m, n,
      k, 1.0f, mem[0], off[0], ta ? m : k, mem[1], off[1], tb ? k : n, (float)beta, mem[2], off[2], n, &queue, NULL);
  if (code != CLBlastSuccess)
    FAIL(device_error(d), CLDANN_E_CL,
         "%s: CLBlastSgemm failed with code %d for %zu x %zu x %zu; configure --without-clblast avoids it", l->node, (int)code,
         m, n, k);
fail:
  return rc;
}

static void emit_clblast(launches *l, const char *name, const void *what) {
  const gemm *g = what;
  launch *k = launches_add(l, "gemm", "CLBlastSgemm", name);
  launch_in(l, k, g->a);
  launch_in(l, k, g->b);
  launch_write(l, k, g->c, g->beta);
  launch_int(l, k, g->m);
  launch_int(l, k, g->n);
  launch_int(l, k, g->k);
  launch_int(l, k, g->a_trans);
  launch_int(l, k, g->b_trans);
  launch_int(l, k, g->beta);
  k->library = run_clblast;
  k->flops = 2.0 * g->m * g->n * g->k;
  gemm_bias_act_emit(l, name, g);
}
#endif

static const variant gemm_variants[] = {
    {"cpu", fits_cpu, emit_cpu, NULL},
#ifdef HAVE_CLBLAST
    {"clblast", fits_any, emit_clblast, rule_clblast},
#endif
    {"local", fits_local, gemm_local_emit, rule_gpu},
    {"generic", fits_any, emit_generic, NULL},
};

enum { VARIANTS = sizeof gemm_variants / sizeof *gemm_variants };

int gemm_has(const device_info *d, const char *name) {
  for (int i = 0; i < VARIANTS; i++)
    if (!strcmp(gemm_variants[i].name, name)) return gemm_variants[i].fits(d, NULL);
  return 0;
}

void gemm_emit(launches *l, const gemm *g) {
  const variant *v = variant_pick(l, gemm_variants, VARIANTS, g);
  v->emit(l, v->name, g);
}

void sum_partials_emit(launches *l, tensor part, int first, int stride, int count, tensor out, int n, int beta) {
  const int cpu = l->dev->is_cpu;
  launch *k = launches_add(l, "reduce", cpu ? "sum_partials_block" : "sum_partials", cpu ? "cpu" : "generic");
  part.offset += (size_t)first;
  part.h = 1, part.w = 1, part.c = n, part.rows = count;
  launch_in(l, k, part);
  launch_int(l, k, stride);
  launch_int(l, k, count);
  launch_write(l, k, out, beta);
  launch_int(l, k, n);
  launch_int(l, k, beta);
  if (cpu)
    launch_grid1(l, k, (size_t)ceil_div(n, SUM_BLOCK), 1, 1);
  else
    launch_grid64(l, k, (size_t)n);
}

void column_sums_emit(launches *l, tensor x, int rows, int columns, tensor out) {
  enum { CHUNK = 256, MAX_PARTS = 64 };
  int parts = ceil_div(rows, CHUNK);
  if (parts > MAX_PARTS) parts = MAX_PARTS;
  const int chunk = ceil_div(rows, parts);
  parts = ceil_div(rows, chunk);
  tensor part = parts == 1 ? out : launches_tensor(l, "column sums", 4, parts, 1, 1, columns);
  launch *k = launches_add(l, "reduce", "column_sums", "generic");
  launch_in(l, k, x);
  launch_out(l, k, part);
  launch_int(l, k, rows);
  launch_int(l, k, columns);
  launch_int(l, k, chunk);
  launch_blocks(l, k, (size_t)columns);
  k->dims = 2;
  k->global[1] = (size_t)parts;
  if (parts > 1) sum_partials_emit(l, part, 0, columns, parts, out, columns, 0);
}

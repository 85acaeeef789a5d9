/*
 * ops/gemm.c: the variants of the matrix product: register tiles on CPUs; on GPUs CLBlast for big products and local tiles
 * (ops/gemm_local.c) for the others; a plain kernel anywhere. See ops/gemm.h.
 */
#include "ops/gemm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"

#ifdef HAVE_CLBLAST
#define CL_TARGET_OPENCL_VERSION 120
#include <clblast_c.h>
#include <pthread.h>
#endif

/* A block of B of this size stays in the first-level cache while rows of A and c go by. */
enum { PANEL_BYTES = 32768 };

/*
 * Copying B into panels pays where each panel serves many rows, and B is too large and its rows lie too far apart to be read
 * in place: of 250 x 100 x 2352 the copy makes a quarter more, of 1024 x 768 x 1024 it saves 7 %.
 */
static int panel_rule(const gemm *g, tile t) {
  return g->m >= 16 * t.rows && g->n >= 256 && (double)g->k * g->n * 4 > 262144;
}

/* About 256 rows, in whole tiles: they stay in the second-level cache while panel after panel goes by. */
static int panel_rows(int m, int rows) {
  const int blocks = ceil_div(m, 256);
  return ceil_div(ceil_div(m, blocks), rows) * rows;
}

/*
 * With panels and without. Without, a panel of B (k rows of NV*V) should all the same stay in the second-level cache while
 * rows of A go by: fewer vectors for large k. A product of a million multiply-adds takes microseconds with any tile, and each
 * tile is a program to compile: few of them.
 */
static numbers cpu_choose(launches *l, const gemm *g) {
  tile wide[TILES], in_place[TILES];
  numbers ways[2 * TILES];
  const int width = l->dev->vector_width, small = (double)g->m * g->n * g->k <= 1e6;
  const int narrow = small || (long long)g->k * 3 * width > 98304, rows = small && g->m > 64 ? 64 : g->m;
  const int n_wide = tile_list(g->m, g->n, width, 4, 1, wide);
  const int n_in_place = tile_list(rows, g->n, width, narrow ? 2 : 4, 1, in_place);
  const int panels = panel_rule(g, wide[0]), half = MOST_WAYS / 2;
  int n = 0;
  /* The best of both come first, the rule's ahead of the others: those are the ways that a tuner tries. */
  for (int from = 0; from < TILES; from += half)
    for (int second = 0; second < 2; second++)
      for (int i = from; i < from + half; i++) {
        const int panel = second ? !panels : panels;
        const tile *t = panel ? &wide[i] : &in_place[i];
        if (i < (panel ? n_wide : n_in_place)) ways[n++] = (numbers){{panel, t->v, t->nv, t->rows}};
      }
  return choice_numbers(l, "panel v nv rows", ways, n);
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
  const numbers way = cpu_choose(l, g);
  const int panels = way.v[0];
  const tile t = {way.v[1], way.v[2], way.v[3]};
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

/*
 * Parameters worth a try in place of CLBlast's own: few and safe, meaning that they meet every divisibility that its kernels
 * ask for, have square tiles (MWG = NWG; others are wrong in versions before 1.6.3) and small groups and local memory. From
 * groups of one work-item, for CPUs, to 256 for large GPUs.
 */
static const char *const xgemm_ways[] = {
    "GEMMK=0 KREG=1 KWG=16 KWI=2 MDIMA=1 MDIMC=1 MWG=16 NDIMB=1 NDIMC=1 NWG=16 SA=0 SB=0 STRM=0 STRN=0 VWM=8 VWN=8",
    "GEMMK=0 KREG=1 KWG=32 KWI=2 MDIMA=1 MDIMC=1 MWG=32 NDIMB=1 NDIMC=1 NWG=32 SA=0 SB=0 STRM=0 STRN=0 VWM=8 VWN=8",
    "GEMMK=0 KREG=1 KWG=16 KWI=2 MDIMA=8 MDIMC=8 MWG=32 NDIMB=8 NDIMC=8 NWG=32 SA=0 SB=0 STRM=0 STRN=0 VWM=4 VWN=4",
    "GEMMK=0 KREG=1 KWG=16 KWI=2 MDIMA=8 MDIMC=8 MWG=64 NDIMB=8 NDIMC=8 NWG=64 SA=0 SB=0 STRM=0 STRN=0 VWM=4 VWN=4",
    "GEMMK=0 KREG=1 KWG=16 KWI=2 MDIMA=8 MDIMC=8 MWG=64 NDIMB=8 NDIMC=8 NWG=64 SA=1 SB=1 STRM=0 STRN=0 VWM=4 VWN=4",
    "GEMMK=0 KREG=1 KWG=16 KWI=2 MDIMA=16 MDIMC=16 MWG=128 NDIMB=16 NDIMC=16 NWG=128 SA=1 SB=1 STRM=0 STRN=0 VWM=4 VWN=4",
    NULL};
static const char *const direct_ways[] = {"KWID=2 MDIMAD=8 MDIMCD=8 NDIMBD=8 NDIMCD=8 PADA=1 PADB=1 VWMD=1 VWND=1 WGD=16",
                                          "KWID=2 MDIMAD=8 MDIMCD=8 NDIMBD=8 NDIMCD=8 PADA=1 PADB=1 VWMD=2 VWND=2 WGD=32",
                                          "KWID=2 MDIMAD=16 MDIMCD=16 NDIMBD=16 NDIMCD=16 PADA=1 PADB=1 VWMD=2 VWND=2 WGD=64",
                                          NULL};

enum { LIBRARY_KERNELS = 2, LIBRARY_PARAMETERS = 16 };
const char *const gemm_library_kernels[] = {GEMM_LIBRARY " Xgemm", GEMM_LIBRARY " XgemmDirect", NULL};

const char *gemm_library_way(int which, int i) {
  return (which ? direct_ways : xgemm_ways)[i];
}

/*
 * What CLBlast was told last, and for which device: its parameters are the process's, and telling them anew makes it compile
 * anew. Contexts in several threads share it, hence the lock, which a product holds from the telling on.
 */
static struct {
  pthread_mutex_t lock;
  cl_device_id id;
  char ways[LIBRARY_KERNELS][192];
} told = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Its cache of compiled kernels must not outlive the context. */
static void forget_clblast(void) {
  pthread_mutex_lock(&told.lock);
  CLBlastClearCache();
  memset(told.ways, 0, sizeof told.ways);
  pthread_mutex_unlock(&told.lock);
}

/* "KWG=16 KWI=2 ..." to CLBlast. */
static int override(device *d, cl_device_id id, const char *which, const char *way) {
  char text[sizeof told.ways[0]], *at = text;
  const char *names[LIBRARY_PARAMETERS];
  size_t values[LIBRARY_PARAMETERS], n = 0;
  int rc = CLDANN_OK;
  snprintf(text, sizeof text, "%s", way);
  for (char *word; (word = strtok_r(at, " ", &at)) && n < LIBRARY_PARAMETERS; n++) {
    char *value = strchr(word, '=');
    if (!value) break;
    *value = '\0';
    names[n] = word;
    values[n] = (size_t)strtoul(value + 1, NULL, 10);
  }
  const CLBlastStatusCode code = CLBlastOverrideParameters(id, which, CLBlastPrecisionSingle, n, names, values);
  if (code != CLBlastSuccess)
    FAIL(device_error(d), CLDANN_E_CONFIG, "%s: CLBlast does not take these parameters for %s (code %d): %s",
         tuning_name(device_get_tuning(d)), which, (int)code, way);
fail:
  return rc;
}

/* The tuning file's parameters, before the first product and when they change. */
static int tell_clblast(device *d) {
  cl_device_id id = NULL;
  int rc = CLDANN_OK;
  clGetCommandQueueInfo(device_queue(d), CL_QUEUE_DEVICE, sizeof id, &id, NULL);
  if (id != told.id) memset(told.ways, 0, sizeof told.ways);
  told.id = id;
  for (int i = 0; i < LIBRARY_KERNELS; i++) {
    const char *way = tuning_find(device_get_tuning(d), gemm_library_kernels[i]);
    if (!way || !strcmp(way, GEMM_LIBRARY_OWN) || !strcmp(way, told.ways[i])) continue;
    TRY(override(d, id, strchr(gemm_library_kernels[i], ' ') + 1, way));
    snprintf(told.ways[i], sizeof told.ways[i], "%s", way);
  }
fail:
  return rc;
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
  pthread_mutex_lock(&told.lock);
  TRY(tell_clblast(d));
  const CLBlastStatusCode code = CLBlastSgemm(
      CLBlastLayoutRowMajor, ta ? CLBlastTransposeYes : CLBlastTransposeNo, tb ? CLBlastTransposeYes : CLBlastTransposeNo, m, n,
      k, 1.0f, mem[0], off[0], ta ? m : k, mem[1], off[1], tb ? k : n, (float)beta, mem[2], off[2], n, &queue, NULL);
  if (code != CLBlastSuccess)
    FAIL(device_error(d), CLDANN_E_CL,
         "%s: CLBlastSgemm failed with code %d for %zu x %zu x %zu; configure --without-clblast avoids it", l->node, (int)code,
         m, n, k);
fail:
  pthread_mutex_unlock(&told.lock);
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
#else
const char *const gemm_library_kernels[] = {NULL};

const char *gemm_library_way(int which, int i) {
  (void)which, (void)i;
  return NULL;
}
#endif

static const variant gemm_variants[] = {
    {"cpu", fits_cpu, emit_cpu, NULL},
#ifdef HAVE_CLBLAST
    {GEMM_LIBRARY, fits_any, emit_clblast, rule_clblast},
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
  char key[KEY];
  snprintf(key, sizeof key, "gemm %dx%dx%d%s%s", g->m, g->n, g->k, g->a_trans ? " at" : "", g->b_trans ? " bt" : "");
  choice_emit(l, gemm_variants, VARIANTS, key, g);
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

int sum_chunk(int rows, int *parts) {
  enum { CHUNK = 256, MAX_PARTS = 64 };
  int n = ceil_div(rows, CHUNK);
  if (n > MAX_PARTS) n = MAX_PARTS;
  const int chunk = ceil_div(rows, n);
  *parts = ceil_div(rows, chunk);
  return chunk;
}

void column_sums_emit(launches *l, tensor x, int rows, int columns, tensor out) {
  int parts;
  const int chunk = sum_chunk(rows, &parts);
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

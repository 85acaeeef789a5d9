/*
 * ops/choice.h: how a pass is done. An op that can do a pass in several ways has a table of variants, and a variant may have
 * several ways of its own: rows of numbers, a register tile for one. Which is taken is a rule on device and shape, the first
 * that fits and the first row, unless the device's tuning file (device/tuning.h) names another for that pass and shape. What
 * was decided is kept with the launches, so that a plan can tell and `cldann tune` can try the others.
 *
 * A key names a pass and all of its shape that a choice should depend on: "gemm 64x100x2352". A way is the variant's name and
 * its numbers: "cpu panel=0 v=16 nv=2 rows=8".
 */
#ifndef CLDANN_OPS_CHOICE_H
#define CLDANN_OPS_CHOICE_H

#include "ops/launch.h"

typedef struct variant {
  const char *name;
  int (*fits)(const device_info *d, const void *what); /* can the device run it? */
  void (*emit)(launches *l, const char *name, const void *what);
  int (*rule)(const device_info *d, const void *what); /* should it, when nobody says otherwise? NULL: wherever it fits */
} variant;

/*
 * Emits `what` by one variant of the table: when l->force is set, the one it names where that fits, else the last; otherwise
 * the tuning file's for the key, or the first that fits and that its rule wants. The last row fits everything and is the
 * reference for the others.
 */
void choice_emit(launches *l, const variant *table, int n, const char *key, const void *what);

enum { NUMBERS = 4 };
typedef struct numbers {
  int v[NUMBERS];
} numbers;

/*
 * Within an emit function: one of `n` ways, best first by the rule. names: of their numbers, as in "v nv rows". The tuning
 * file's where it has one, else the first. A file that names none of them is an error.
 */
numbers choice_numbers(launches *l, const char *names, const numbers *ways, int n);

int fits_any(const device_info *d, const void *what);
int fits_cpu(const device_info *d, const void *what);
int fits_local(const device_info *d, const void *what); /* local tiles: memory and work-groups for them */
int rule_gpu(const device_info *d, const void *what);

/* The register tile of the CPU variants: vector width, vectors, scalar rows. */
typedef struct tile {
  int v, nv, rows;
} tile;

/*
 * Every tile for `rows` along the scalar axis and n along the vector axis that fits the registers, best first by estimated
 * time; returns how many. A pure function of shape and vector width. `strided`: each row has its own pointer.
 */
enum { TILES = 128 };
int tile_list(int rows, int n, int width, int max_nv, int strided, tile all[TILES]);
/* The first of them, or the tuning file's. */
tile tile_choose(launches *l, int rows, int n, int max_nv, int strided);
int ceil_div(int a, int b);

#endif

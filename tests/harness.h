/*
 * tests/harness.h: a rig for launches: tensors with guards around them, the launches that an op emits, and the comparison
 * of what the device made of them with a reference.
 *
 * Every tensor lives in a buffer of its own that is larger than it, at an offset that is not zero and not aligned. What is
 * around it is a NaN that nobody may read or change. Outputs are NaN until written, and so is the arena of the replay.
 * All variants but "cpu" are emitted for a device that says it is no CPU, so that their geometry is that of a GPU here too.
 * Checks fail through Check (ck_assert_msg) with the rig's label. One device for a program: OpenCL does not survive fork.
 */
#ifndef CLDANN_TESTS_HARNESS_H
#define CLDANN_TESTS_HARNESS_H

#include <stdint.h>

#include "device/context.h"
#include "net/replay.h"
#include "ops/op.h"

enum { SLOTS = 16 };

typedef struct slot {
  char name[16];
  tensor t;
  buffer *buf;
  int elem, is_out;
  size_t before, count, total; /* elements: guard, tensor, all */
  unsigned char *sent;         /* what was last uploaded, guards included */
} slot;

typedef struct rig {
  char label[128];
  device_info info;
  launches *l;
  replay *r;
  slot slots[SLOTS];
  int n;
  double started;
} rig;

extern cldann *harness_ctx;                  /* open while the suite runs */
int harness_small(void);                     /* CLDANN_TEST_SMALL=1 */
int harness_has(const char *way);            /* can this device run it? */
extern const char *const harness_variants[]; /* NULL-terminated: cpu, generic, local, clblast */

/* Runs a test body for the geometry of a CPU, where there is one, and for that of other devices. */
void harness_each_geometry(void (*body)(const char *way));

/* An op that is made and inferred, named after its type; a failure where its shapes do not fit. */
op harness_infer(op o);
op harness_op(const char *type, shape in, int units, cldann_window window);

void rig_begin(rig *g, const char *way, const char *label);
/* A new slot; rig_in and rig_out return its number. elem is 4 or 1. */
int rig_in(rig *g, const char *name, int elem, int rows, int h, int w, int c);
int rig_out(rig *g, const char *name, int elem, int rows, int h, int w, int c);
tensor rig_tensor(const rig *g, int s);
void rig_bind(rig *g);                         /* after all launches: compiles and binds */
void rig_put(rig *g, int s, const void *data); /* the tensor's elements */
void rig_put_doubles(rig *g, int s, const double *data);
void rig_poison(rig *g, int s);
void rig_run(rig *g, int first, int last); /* launches first..last-1 */
void rig_get(rig *g, int s, void *data);   /* and checks the guards */
double *rig_get_doubles(rig *g, int s);    /* the caller's to free */
void rig_end(rig *g);                      /* checks all guards, and that inputs are as they were */

/* |got - want| <= eps * ((4 + sqrt(terms)) * mag + 8 |want|): mag is the sum of the absolute values of the terms. */
double tolerance(double want, double mag, double terms);
void rig_compare(rig *g, int s, const double *want, const double *mag, double terms);

/* Draws that are floats, so that host and device start from the same numbers; a stream is a seed. */
double draw_normal(uint32_t stream, size_t i);
double draw_uniform(uint32_t stream, size_t i); /* -1..1 */
double *new_doubles(size_t n);
double *new_normals(uint32_t stream, size_t n);
double *new_abs(const double *v, size_t n);

/* A word of the control block. */
typedef union ctl_word {
  int32_t i;
  float f;
} ctl_word;

#endif

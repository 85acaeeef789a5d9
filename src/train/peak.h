/*
 * train/peak.h: the two ceilings of a device, measured by the kernels of cl/peak.cl: multiply-adds a second and bytes a
 * second. A share of them says how much of a device a kernel uses, on any device and without a data sheet. bench.c uses it.
 */
#ifndef CLDANN_TRAIN_PEAK_H
#define CLDANN_TRAIN_PEAK_H

#include "device/device.h"

typedef struct peak peak;

typedef struct ceilings {
  double flops, bytes; /* a second */
} ceilings;

/* Compiles the kernels and fills the triad's three tensors. */
int peak_new(device *d, peak **out);
void peak_free(peak *p);
/* The best of a few runs of each, some hundred milliseconds in all; nothing else may be queued. */
int peak_measure(peak *p, ceilings *c);
/* The triad's three tensors together, in bytes. */
double peak_footprint(const peak *p);

#endif

/*
 * train/health.h: what a user should be told of a training that runs and yet does not adapt: from the figures of its windows,
 * each warning once. Knows settings and figures alone, no device; the trainer hands the texts on.
 */
#ifndef CLDANN_TRAIN_HEALTH_H
#define CLDANN_TRAIN_HEALTH_H

#include <stddef.h>

#include "data/dataset.h"
#include "train/settings.h"

enum { SIGN_COLLAPSED, SIGN_PERFECT, SIGN_NEGLIGIBLE, SIGN_OVERWHELMING, HEALTH_SIGNS };

typedef struct health {
  int row[HEALTH_SIGNS];  /* windows in a row that show it */
  int told[HEALTH_SIGNS]; /* the user */
} health;

/* The 95 % interval of a share that was seen in n trials (Wilson 1927); NaN where n is 0. */
void health_interval(double share, double n, double *low, double *high);

/* Each returns a text, of which nothing need be freed, or NULL where all is well. */
const char *health_of_schedule(const settings *s);
const char *health_of_data(const dataset *d);
const char *health_look(health *h, const settings *s, const cldann_progress *p);

#endif

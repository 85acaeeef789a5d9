/*
 * report/samples.h: some images of both domains and what a model takes them for, as a section of a page (report/html.h).
 */
#ifndef CLDANN_REPORT_SAMPLES_H
#define CLDANN_REPORT_SAMPLES_H

#include <stdio.h>

#include "train/trainer.h"

/* names: of the classes, or NULL: they are numbers from 0. Nothing is written where the inputs are no images. */
int samples_write(trainer *t, const char *const *names, FILE *f);

#endif

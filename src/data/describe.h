/* data/describe.h: the numbers of a data set in figures, for who looks at data before training on them. */
#ifndef CLDANN_DATA_DESCRIBE_H
#define CLDANN_DATA_DESCRIBE_H

#include "data/dataset.h"

typedef struct data_figures {
  double least, most, mean, deviation; /* of all numbers, zeros of sparse rows too */
  double filled;                       /* share of them that are not 0 */
  double length;                       /* Euclidean, of an item in the mean */
} data_figures;

void dataset_describe(const dataset *d, data_figures *f);
/* (d->classes) items of each class; all 0 without labels. */
void dataset_class_counts(const dataset *d, int64_t *counts);

#endif

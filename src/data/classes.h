/*
 * data/classes.h: from the labels of a file, numbers or names, to the classes 0, 1, ... A set keeps what its classes were
 * called, so that the sets of an experiment can be compared: a class that one of them lacks must not shift the others.
 * Knows nothing of files; the readers of data/file.h call classes_add, train/experiment_data.c the rest.
 */
#ifndef CLDANN_DATA_CLASSES_H
#define CLDANN_DATA_CLASSES_H

#include <stdint.h>

#include "data/dataset.h"

/* Names in order: whole numbers by value, then the rest by bytes. A whole number is written plainly: "+1.0" is "1". */
typedef struct class_list {
  int n, room;
  char **name;
  int32_t *id; /* of name[i]: its place in order of first appearance */
} class_list;

/* The class called `label`, new or known. *id goes into dataset.y until classes_settle. `where` begins an error. */
int classes_add(cldann_error *e, class_list *list, const char *where, const char *label, int32_t *id);
/* The same for a number, which must be whole. */
int classes_add_number(cldann_error *e, class_list *list, const char *where, double label, int32_t *id);
/* From the ids in d->y to places in the order of names. d owns the list from then on; *list is empty. */
int classes_settle(cldann_error *e, dataset *d, class_list *list);
void classes_free(class_list *list);

/* Without a list of the user's: names, numbers without a gap from 0 or 1, or -1 and 1. What else there is needs a list. */
int classes_check(cldann_error *e, const dataset *d);
/* Both sets have the same classes. A set without names has the numbers below its `classes`. a_role ... begin an error. */
int classes_agree(cldann_error *e, const char *a_role, const dataset *a, const char *b_role, const dataset *b);
/* Class i is what the user's list has at place i; every label of the set must be in it. The set then has no names. */
int classes_apply(cldann_error *e, dataset *d, const char *const *wanted, int n);

#endif

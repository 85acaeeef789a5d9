/*
 * train/experiment_sets.h: one data set of an experiment, as its group in the file says: the keys, which kind has which, and
 * the loader of each kind. What several sets have to do with each other is experiment_data.c's.
 */
#ifndef CLDANN_TRAIN_EXPERIMENT_SETS_H
#define CLDANN_TRAIN_EXPERIMENT_SETS_H

#include "data/mnistm.h"
#include "train/conf.h"

/* As cldann_set_id. */
typedef enum { ROLE_SOURCE, ROLE_TARGET, ROLE_SOURCE_TEST, ROLE_TARGET_TEST, ROLES } role;
extern const char *const role_names[ROLES];

static inline int role_domain(role r) {
  return r == ROLE_TARGET || r == ROLE_TARGET_TEST;
}
static inline int role_test(role r) {
  return r >= ROLE_SOURCE_TEST;
}

typedef struct set_view {
  const struct config *c;
  role r;
  int kind;                     /* SET_OWN: none is named, or the program hands the set over */
  int last;                     /* a layer that names a kind replaces the group of the layers below it */
  const config_setting_t *part; /* one of the sets of kind "several": its group; else NULL */
} set_view;

enum { SET_OWN = -1 };
/* 0 when the experiment has no such set. */
int set_open(const cldann_experiment *x, role r, set_view *v);
const config_setting_t *set_get(const set_view *v, const char *key);
/* Is the key there, and not by an override? */
int set_has_of_file(const set_view *v, const char *key);
int set_is_file(const set_view *v);
int set_is_several(const set_view *v);
int set_parts(const set_view *v); /* how many sets it has; 1 for another kind */
set_view set_part(const set_view *v, int i);
/* Keys that the set's kind has not, and those it must have. */
int set_check(const set_view *v);

/* What loading leaves for the sets to come. */
typedef struct loader {
  cldann_experiment *x;
  cldann_error *err;
  backgrounds *photos; /* of MNIST-M: unpacked once for all sets that name the same archive */
  char *photos_path;
  int unlabelled;      /* files are read as if their sets named no labels */
  dataset **at[ROLES]; /* where the sets go, in whose order they are loaded */
} loader;

/* Of any kind but "several", whose sets are loaded one by one. labels 0: they are not needed. Owned by the caller. */
int set_load(loader *l, const set_view *v, int labels, dataset **out);
void loader_end(loader *l);

#endif

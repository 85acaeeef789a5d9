/*
 * train/experiment.h: an experiment: settings, net and data as one text file describes them. experiment.c reads the file
 * and the overrides (libconfig), experiment_net.c builds the net, experiment_data.c loads the data sets on demand.
 */
#ifndef CLDANN_TRAIN_EXPERIMENT_H
#define CLDANN_TRAIN_EXPERIMENT_H

#include "data/dataset.h"
#include "net/graph.h"
#include "train/settings.h"

struct config; /* experiment.c's view of the libconfig tree */

/* A set that the program hands over (train/own_data.c). d.read NULL: none; d.name is not looked at, name is. */
typedef struct own_data {
  cldann_data d;
  char name[64];
} own_data;

enum { SETS = 4 }; /* of cldann_set_id */

struct cldann_experiment {
  cldann *ctx;
  settings s;
  cldann_net *net;    /* built by cldann_experiment_load, laid out (net_layout) */
  struct config *cfg; /* kept for experiment_load_data */
  char *data_dir;     /* --data, may be NULL */
  int domains[2];     /* sets of kind "several" of source and target, else 1: the domains are numbered through both */
  own_data own[SETS]; /* count before what cfg names */
  /* Loaded by experiment_load_data, owned here. The two test sets may be NULL. */
  dataset *source, *target, *source_test, *target_test;
  dataset *source_held, *target_held; /* validation.share of source and target, which lack it; NULL: none */
  int loaded;                         /* experiment_load_data has nothing more to do */
};

/* cldann_experiment_load; text: the file's, where it is not to be read from `path`. */
int experiment_open(cldann *c, const char *path, const char *text, const char *const *overrides, int n, const char *data_dir,
                    cldann_experiment **out);

/* Does the domain head tell more than two domains apart, and not source from target alone? */
int experiment_many_domains(const cldann_experiment *x);

/* Loads all four sets, labels included; who may see which is the trainer's business. Once: a second call does nothing. */
int experiment_load_data(cldann_experiment *x, cldann_on_message on_message, void *user);

/* They are loaded again when they are needed. */
void experiment_forget_data(cldann_experiment *x);

int own_data_is(const cldann_experiment *x, int set);
/* Does one of them stand in for the keys below this path, "data.source" or "data.source."? */
int own_data_hides(const cldann_experiment *x, const char *path);
int own_data_same(const cldann_experiment *a, const cldann_experiment *b);
/* labels 0: they are not asked for. */
int own_data_load(cldann_experiment *x, int set, int labels, dataset **out);

/* "target_test" or "target": whose keys say how new data are read, being of kind "file"; NULL: neither. */
const char *experiment_reader(const cldann_experiment *x);
/* That set, or the target_test set that the program handed over, alone, without its labels; the others are then taken to be
 * loaded, and are not there. Owned by the caller. */
int experiment_load_one(cldann_experiment *x, dataset **out);
/* An error where the net's input is not the item itself but what mSDA, which no model file holds, makes of it. */
int experiment_check_plain(const cldann_experiment *x);
/* What the classes are called, a line each, where they have names; NULL: their numbers. The caller's (mem_free). */
int experiment_class_names(const cldann_experiment *x, char **out);

#endif

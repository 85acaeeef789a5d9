/*
 * train/conf.h: an experiment file as a tree of checked keys. conf.c reads the file (libconfig) and the overrides and
 * checks every name, type and range against the tables of experiment.c, experiment_net.c and experiment_data.c; a key is
 * then looked up in three layers: overrides, the chosen preset, the file. Knows nothing of nets and data sets.
 * Next: train/experiment.c.
 */
#ifndef CLDANN_TRAIN_CONF_H
#define CLDANN_TRAIN_CONF_H

#include <libconfig.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "train/experiment.h"

typedef enum {
  CONF_GROUP,   /* {keys} */
  CONF_TEXT,    /* at most `max` characters */
  CONF_CHOICE,  /* one of `choices`; stored as its index, an int */
  CONF_INT,     /* min..max; stored by `size` */
  CONF_NUMBER,  /* min..max; an integer will do; stored by `size`, as a double or a float */
  CONF_FLAG,    /* true or false; stored as an int */
  CONF_PAIR,    /* an integer or [height, width]; stored as two ints */
  CONF_PADDING, /* one of `choices` or [top, bottom, left, right]; stored into a cldann_window */
  CONF_SHAPE,   /* [height, width, channels] */
  CONF_NAMES,   /* a list of texts or whole numbers, at least one */
  CONF_GROUPS,  /* a list of groups, each with keys of `keys`, at least one */
  CONF_OPS      /* a list of groups; `op` in each names the row of `keys` with the other keys */
} conf_type;

/* A table ends with a row without a name. */
typedef struct conf_key {
  const char *name;
  conf_type type;
  double min, max;
  const char *const *choices; /* NULL ends */
  const struct conf_key *keys;
  size_t at, size; /* where conf_read puts the value; size 0: nowhere */
  int required;    /* of an op: cannot be left out */
} conf_key;

enum { CONF_SETS, CONF_PRESET, CONF_FILE, CONF_LAYERS };

typedef struct conf_set { /* one --set */
  char *text, *key;
  config_t tree; /* its one member is the value */
} conf_set;

struct config {
  cldann_error *err;
  char *path;
  config_t file;
  conf_set *sets;
  int n_sets;
  const config_setting_t *preset; /* a group of `presets`, or NULL */
};

/*
 * Reads and checks all layers against `root`. The file is `text` where that is not NULL, and `path` then only what messages
 * call it. Freed by conf_free.
 */
int conf_load(cldann_error *e, const conf_key *root, const char *path, const char *text, const char *const *sets, int n,
              struct config **out);
void conf_free(struct config *c);

/* The value at a dotted path in the layers up to `last`, and which layer it was; NULL when absent. */
const config_setting_t *conf_get_upto(const struct config *c, const char *path, int last, int *layer);
const config_setting_t *conf_get(const struct config *c, const char *path);
/* Stores the keys that are present, table by table, into *to. */
void conf_read(const struct config *c, const conf_key *table, const char *prefix, void *to);
/* The members of a group, those of its groups too. */
void conf_store_all(const config_setting_t *group, const conf_key *table, void *to);

/* Values of checked settings. A NULL setting gives the default. */
int64_t conf_int(const config_setting_t *s, int64_t otherwise);
double conf_number(const config_setting_t *s, double otherwise);
int conf_flag(const config_setting_t *s, int otherwise);
const char *conf_text(const config_setting_t *s, const char *otherwise);
int conf_choice(const config_setting_t *s, const char *const *choices, int otherwise);
/* The value of an element of CONF_NAMES, as text; a number is written into `room`. */
const char *conf_name(const config_setting_t *s, char room[32]);
/* CONF_PAIR into (height, width), CONF_SHAPE into three; untouched when s is NULL. */
void conf_sizes(const config_setting_t *s, int *to);
const config_setting_t *conf_member(const config_setting_t *group, const char *name);

/* An error of this place, "file:line" or "--set key=value"; of a NULL setting: of the file as a whole. Returns code. */
int conf_bad(const struct config *c, const config_setting_t *s, int code, const char *fmt, ...) ERR_PRINTF(4, 5);
/* Puts the place before the error that a lower room has just set. */
int conf_blame(const struct config *c, const config_setting_t *s);

/* All of an experiment as one text that reads back as the same; conf_write.c. The caller's (mem_free). */
int conf_write(const cldann_experiment *x, const conf_key *root, char **out);
/* The value that conf_read would put there, as a file has it. */
void conf_put(FILE *f, const conf_key *key, const void *from);
/* A text in quotes, so that it reads back as the same. */
void conf_put_text(FILE *f, const char *s);

/* What experiment.c asks of its two neighbours. */
extern const conf_key conf_net_keys[], conf_init_keys[], conf_data_keys[], conf_set_keys[];
int experiment_build_net(cldann_experiment *x);
/* A net that a program built, as overrides ("net.features=( ... )") of the caller's (mem_free). */
enum { NET_SETS = 4 };
int experiment_net_sets(cldann_error *e, const cldann_net *net, char *sets[NET_SETS]);
int experiment_check_data(cldann_experiment *x); /* without loading anything */

#endif

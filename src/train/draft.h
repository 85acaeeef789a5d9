/*
 * train/draft.h: an experiment for data that nobody has written one for. draft.c looks at both domains and decides,
 * draft_text.c writes what was decided down. What the data are like comes from data/offer.h; no device is used.
 */
#ifndef CLDANN_TRAIN_DRAFT_H
#define CLDANN_TRAIN_DRAFT_H

#include "cldann.h"
#include "data/classes.h"
#include "data/offer.h"

/* Which net fits. */
typedef enum { DRAFT_IMAGES, DRAFT_TABLE, DRAFT_COUNTS } draft_kind;

enum { DRAFT_SETS = 4 }; /* source, target, source_test, target_test */
extern const char *const draft_set_names[DRAFT_SETS];

typedef struct draft {
  cldann_error *e;
  const cldann_draft_options *o;
  const char *source, *target; /* as given */
  offer domain[2];
  part *set[DRAFT_SETS]; /* of domain; NULL: the experiment has no such set */
  int target_is_test;    /* all of the target is its own test set */
  draft_kind kind;
  int h, w, c;        /* net.input */
  double scale;       /* input.scale */
  class_list classes; /* of all sets */
  int named;          /* the experiment needs data.classes, or is better for it */
  double share;       /* validation.share */
  int batch;
  int64_t steps, log_every;
} draft;

/* The experiment as text; the caller's (mem_free). */
int draft_write(const draft *d, char **out);

#endif

/*
 * data/offer.h: what a path offers to who would train on it: which file or folder has the rows to train on and which those to
 * test on, and what features and labels are called inside, by the names that people use. All is read, to be sure. Knows nothing
 * of nets and experiments: train/draft.c decides what is made of it.
 */
#ifndef CLDANN_DATA_OFFER_H
#define CLDANN_DATA_OFFER_H

#include "data/file.h"

/* A set of kind "file": its keys, and what they read. */
typedef struct part {
  char *path; /* as the user would write it; r.path is where that was found. NULL: there is no such set */
  file_request r;
  char *found, *features, *labels; /* owned; r points to them */
  const char *format;
  image_sizes sizes; /* of formats of images, before they were resized */
  dataset *d;
} part;

typedef struct offer {
  part train, test;
} offer;

enum { OFFER_SIDE = 64 }; /* images in files of their own are read at this size: theirs may differ */

/*
 * features, labels: what they are called, where the user says it (else NULL). like: the source's offer for the target's, which
 * has its labels where the source has them, or none; else NULL. Freed by offer_close, after failure too.
 */
int offer_open(cldann_error *e, const char *data_dir, const char *path, const char *features, const char *labels,
               const offer *like, offer *o);
/* Reads the part anew, by its keys as they are now. */
int part_read(cldann_error *e, part *p);
void offer_close(offer *o);

#endif

/*
 * train/feed.h: where the rows of a step come from: one data set, all of it on the device (resident), or too large for that and
 * brought there in blocks of steps through two slots (streamed). While the device works through the block in one slot, the host
 * gathers the rows of the next and uploads it into the other. The plan is the same, and so are the bits: only the
 * row indices say another place. A sparse set is resident: three buffers, and its rows have no size of their own. A feed knows
 * nothing of nets or budgets: who streams is decided in train/budget.h.
 */
#ifndef CLDANN_TRAIN_FEED_H
#define CLDANN_TRAIN_FEED_H

#include "data/dataset.h"
#include "data/sampler.h"
#include "net/plan.h"

/* What a feed is made of. */
typedef struct feed_spec {
  const dataset *set; /* outlives the feed: a resident set may be read in place */
  int labels;         /* 1: the set's labels go to the device too */
  int domains;        /* 1: and of which domain each item is */
  int rows;           /* a step takes */
  int64_t steps;      /* there are; none is staged beyond them */
  sampler *sampler;   /* says which rows, borrowed; NULL: step i takes the i-th `rows` of them, and the last what is left */
  int block;          /* steps a slot holds; 0: resident, as sparse sets must be */
} feed_spec;

typedef struct feed {
  feed_spec spec;
  device *dev;
  stream s;          /* for the plan; the buffers are the feed's */
  int32_t *order;    /* the rows of one step */
  struct feed_slot { /* on the host, what was or will be uploaded */
    int64_t holds;   /* which block: steps [holds block, (holds + 1) block); -1: none */
    int sent;        /* its upload has not been awaited yet */
    uint8_t *x;
    int32_t *marks[2]; /* labels, domains */
  } slots[2];
} feed;

/* Bytes that such a feed takes on the device, and its largest buffer. */
size_t feed_bytes(const feed_spec *spec, size_t *largest);
int feed_open(device *d, const feed_spec *spec, feed *f);
void feed_close(feed *f);

/*
 * Writes where on the device the rows of steps [first, first + n) lie, one step every `stride` indices; the rows are there for
 * what is launched from now on. Of a streamed set all steps are in one block. Waits only where the block was not staged ahead.
 */
int feed_use(feed *f, int64_t first, int n, int32_t *indices, int stride);
/* Stages the block behind that of `step`. No launch that uses the block before that of `step` may still be waiting to run. */
int feed_ahead(feed *f, int64_t step);

#endif

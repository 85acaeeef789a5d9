/*
 * net/plan.h: the planner ("scheduler"): from a net and a batch to the ordered list of launches of one step.
 *
 * It decides which nodes a phase needs, which activations and poolings are fused, where gradients live and who writes each
 * first: the first writer of a gradient writes (beta 0), later ones add (beta 1), and one that covers only some rows is never
 * first (the planner clears the gradient before it). Order: control, gather, forward, domain head's backward, label
 * head's, features', gradient norms, updates. Where both heads' gradients have come together, before the features take the sum
 * on, the norm of each can be had (cl/reduce.cl:join_squares). Memory is net/memory.c's. Knows nothing of schedules or epochs.
 */
#ifndef CLDANN_NET_PLAN_H
#define CLDANN_NET_PLAN_H

#include "net/graph.h"
#include "net/replay.h"

typedef struct stream {      /* where rows come from: a data set on the device */
  buffer *x;                 /* (items, h, w, channels) */
  int bytes;                 /* of an element: 1 (uint8) or 4 (float) */
  int channels;              /* 1 is repeated to the input's channels */
  int h, w;                  /* of an item, of which the input may be a part; 0: as the input */
  buffer *offsets, *columns; /* of rows that lack their zeros (data/dataset.h), whose values are x; or NULL */
  double entries;            /* such a row has, on average */
  buffer *labels;            /* (items) int32, or NULL */
  buffer *domains;           /* (items) int32: which of more than two domains; or NULL */
} stream;

typedef struct plan_buffers {     /* what all plans of a run share; sizes in floats or ints unless said */
  buffer *params, *grads, *m, *v; /* param_count each; m and v as the optimiser needs */
  buffer *control;                /* CTL_WORDS */
  buffer *stats;                  /* 2 * STAT_WORDS: label loss, domain loss */
  buffer *norms;                  /* BRANCHES: squared gradient norms */
  buffer *join;                   /* JOIN_WORDS: squared norms where the heads meet, of a step that is looked at; NULL: none */
  buffer *mean;                   /* channels of the input */
  buffer *hyper;                  /* HYPER_WORDS */
  buffer *table, *indices;        /* a window's control rows, and its row indices (rows a step) */
} plan_buffers;

typedef struct plan_spec {
  int train;
  int rows, split; /* rows [0,split) come from stream 0, the rest from stream 1 */
  stream streams[2];
  int label_loss, domain_loss;
  const cldann_node *output; /* without training: its values are launches.output when the step is done; NULL: none */
  int label_reduce, domain_reduce;
  int optimiser; /* `method` of cl/optim.cl:optim_update */
  float scale;
  int centred;           /* 0: the mean is zero */
  int crop, mirror;      /* an item larger than the input: a random part of it, not the middle; every second one mirrored */
  uint64_t seed;         /* of random ops and of those two */
  const char *force;     /* a kernel variant to prefer (tests); NULL: tuning file and rule */
  const char *reference; /* the key of a pass to do by the reference (ops/choice.h); NULL: none */
} plan_spec;

/* The caller frees the list (launches_free) or hands it to replay_new. */
int plan_build(device *d, cldann_net *net, const plan_buffers *b, const plan_spec *s, launches **out);

#endif

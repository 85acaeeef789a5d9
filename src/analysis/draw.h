/*
 * analysis/draw.h: the pictures of a run, which report/ puts on a page: each NAME.png, NAME.svg and NAME.gp of a folder
 * (analysis/plot.h). They are wide as a column and their text is large, since a telephone shows them too.
 */
#ifndef CLDANN_ANALYSIS_DRAW_H
#define CLDANN_ANALYSIS_DRAW_H

#include "train/history.h"
#include "train/trainer.h"

/* What draw_adaptation made its pictures of. */
typedef struct adaptation {
  int points[2];     /* of source and target */
  double perplexity; /* 0: there are too few points for t-SNE, and no pictures of it */
} adaptation;

/*
 * Of both domains, at most 500 items each, by the net as it was initialised and by the model that t holds: principal
 * components of their own for each, features-before and features, and neighbours by t-SNE, features-tsne-before and
 * features-tsne. t is then as it was.
 */
int draw_adaptation(trainer *t, const char *dir, adaptation *a);
/*
 * curves: losses; accuracies, the domain head's with its 95 % interval and with `chance`, what guessing gives; lambda and
 * learning rate. Of one window or more; what no window has is left out.
 */
int draw_curves(cldann_error *e, const char *dir, const history *h, double chance);
/* confusion: of each class the share that was taken for each. */
int draw_confusion(cldann_error *e, const char *dir, const cldann_detail *d);

#endif

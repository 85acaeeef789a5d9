/* tests/trained.c: see tests/trained.h. */
#include "trained.h"

#include <check.h>
#include <stdlib.h>

#include "train/trainer_internal.h"

#define GOOD(call) ck_assert_msg((call) == 0, "%s", t->err->message)

float *params_of(trainer *t) {
  float *p = malloc(t->x->net->param_count * sizeof *p);
  ck_assert_ptr_nonnull(p);
  GOOD(trainer_params(t, p));
  return p;
}

static void keep_last(void *user, const cldann_progress *p) {
  *(cldann_progress *)user = *p;
}

trained train_to_end(trainer *t, cldann_experiment *x) {
  trained end = {.n = x->net->param_count};
  t->o.on_progress = keep_last, t->o.user = &end.last;
  GOOD(trainer_run(t, x->s.steps));
  end.params = params_of(t);
  trainer_end_training(t);
  GOOD(trainer_evaluate(t, &end.r));
  trainer_free(t);
  cldann_experiment_free(x);
  return end;
}

/*
 * train/validation.c: choices that see no target label. At each line of metrics the label head is measured on rows of the
 * labelled training set that were held out; the parameters of the best line are kept, and training may end early. Reverse
 * validation then asks how well the source is found again by a net that has learnt the target's predicted labels alone (Ganin
 * et al. 2016, section 5.1.2, after Zhong et al. 2010).
 */
#include "train/validation.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "train/judge.h"

int validation_describe(trainer *t) {
  const cldann_experiment *x = t->x;
  validation *v = &t->validation;
  int rc = CLDANN_OK;
  v->domain = !x->s.method->source;
  const dataset *held = v->domain ? x->target_held : x->source_held;
  if (!held) return CLDANN_OK;
  TRY(evaluation_describe(t, held, "validation", NULL, &v->phase));
  t->shared_bytes += phase_bytes(&v->phase); /* on the device all the while, beside training */
fail:
  return rc;
}

int validation_open(trainer *t) {
  validation *v = &t->validation;
  int rc = CLDANN_OK;
  if (!v->phase.n) return CLDANN_OK;
  TRY(evaluation_open(t, &v->phase, 0, NULL, &v->held));
  TRY(mem_new(t->err, &v->best, t->x->net->param_count, sizeof *v->best));
  v->best_accuracy = -1;
fail:
  return rc;
}

void validation_close(trainer *t) {
  validation *v = &t->validation;
  if (v->held.r) evaluation_close(t, &v->held);
  mem_free(v->best);
  v->best = NULL;
}

const char validation_best_file[] = "best.safetensors";

int validation_write_best(trainer *t) {
  const validation *v = &t->validation;
  return v->looks && t->o.out_dir ? trainer_write_model(t, validation_best_file, v->best) : CLDANN_OK;
}

int validation_look(trainer *t, cldann_progress *p) {
  validation *v = &t->validation;
  const validation_settings *s = &t->x->s.validation;
  scores now;
  int rc = CLDANN_OK;
  if (!v->held.r) return CLDANN_OK;
  TRY(evaluation_measure(t, &v->held, v->domain, &now));
  p->validation_accuracy = now.accuracy;
  p->validation_loss = now.loss;
  v->last_accuracy = now.accuracy;
  v->looks++;
  if (now.accuracy >= v->best_accuracy) { /* of equals the last: it has adapted for longer */
    TRY(trainer_params(t, v->best));
    v->best_accuracy = now.accuracy;
    v->best_step = t->step;
    v->best_look = v->looks;
    TRY(validation_write_best(t));
  }
  v->over = s->patience && v->looks >= v->best_look + s->patience && v->looks >= s->least &&
            (double)v->looks >= s->grow * (double)v->best_look;
fail:
  return rc;
}

/* ---- reverse validation ---- */

/* The class that the label head names for each item of d. */
static int predict(trainer *t, const dataset *d, int domain, int32_t *y) {
  const op *loss = &net_loss(t->x->net, CLDANN_TARGET_LABELS)->o;
  const cldann_node *logits = net_loss(t->x->net, CLDANN_TARGET_LABELS)->in;
  const size_t units = (size_t)judge_units(loss);
  float *out = NULL;
  int rc;
  TRY(mem_new(t->err, &out, (size_t)d->n * units, sizeof *out));
  TRY(trainer_outputs(t, d, domain, logits, out));
  for (int i = 0; i < d->n; i++) y[i] = judge(loss, out + (size_t)i * units, NULL);
fail:
  mem_free(out);
  return rc;
}

int reverse_begin(trainer *t, reverse *r) {
  const cldann_experiment *x = t->x;
  cldann_experiment *back = &r->x;
  int rc;
  memset(r, 0, sizeof *r);
  r->sets[0] = *x->target, r->sets[1] = *x->source, r->sets[2] = *x->target_held;
  r->sets[0].y = r->sets[2].y = NULL;
  TRY(mem_new(t->err, &r->params, x->net->param_count, sizeof *r->params));
  TRY(trainer_params(t, r->params));
  for (int i = 0; i < 3; i += 2) {
    TRY(mem_new(t->err, &r->labels[i / 2], (size_t)r->sets[i].n, sizeof *r->labels[i / 2]));
    TRY(predict(t, &r->sets[i], 1, r->labels[i / 2]));
    r->sets[i].y = r->labels[i / 2];
    r->sets[i].classes = x->source->classes;
  }
  r->sets[1].y = NULL;
  *back = *x;
  back->source = &r->sets[0], back->target = &r->sets[1], back->source_held = &r->sets[2], back->target_held = NULL;
  back->source_test = NULL, back->target_test = x->source_held;
  back->s.validation.reverse = 0;
  back->s.validation.keep = KEEP_BEST;
fail:
  return rc;
}

/* Features and label head go on from where they are; the domain head, whose domains have changed places, starts anew. */
static int go_on_from(trainer *t, const float *params) {
  const cldann_net *net = t->x->net;
  float *own = NULL;
  int rc;
  TRY(mem_new(t->err, &own, net->param_count, sizeof *own));
  TRY(trainer_params(t, own));
  for (int b = CLDANN_FEATURES; b <= CLDANN_LABEL_HEAD; b++)
    memcpy(own + net->group_at[b], params + net->group_at[b], net->group_count[b] * sizeof *own);
  TRY(trainer_set_params(t, own));
fail:
  mem_free(own);
  return rc;
}

int reverse_run(reverse *r, const cldann_train_options *o, double *accuracy) {
  const cldann_train_options quiet = {.should_stop = o->should_stop, .user = o->user};
  trainer *t = NULL;
  cldann_result back;
  int rc;
  TRY(trainer_new(&r->x, &quiet, &t));
  TRY(go_on_from(t, r->params));
  if (o->on_message) o->on_message(o->user, "reverse validation: a second net, as long again, without lines of its own");
  rc = trainer_run(t, r->x.s.steps);
  if (rc == CLDANN_E_INTERRUPTED) {
    err_clear(t->err);
    FAIL(t->err, rc, "stopped at step %lld of %lld of reverse validation as asked%s", (long long)t->step,
         (long long)r->x.s.steps, o->out_dir ? "; the model is trained and written, --resume does the rest" : "");
  }
  TRY(rc);
  TRY(trainer_set_params(t, t->validation.best));
  trainer_end_training(t);
  TRY(trainer_evaluate(t, &back));
  *accuracy = back.target_accuracy;
fail:
  trainer_free(t);
  return rc;
}

void reverse_free(reverse *r) {
  for (int i = 0; i < 2; i++) mem_free(r->labels[i]);
  mem_free(r->params);
  memset(r, 0, sizeof *r);
}

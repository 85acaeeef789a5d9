/*
 * train/predict.c: cldann_predict: a model file on data of one's own. The experiment that the file holds says how such data are
 * read (its target_test set, or its target, with another path); nothing else of it is loaded.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "train/judge.h"
#include "train/model.h"
#include "train/trainer_internal.h"

typedef struct prediction_job {
  cldann *c;
  cldann_experiment *x;
  trainer *t;
  dataset *d;
  model_about about;
  const char **names; /* of the classes, in about.classes; or NULL */
  int classes, units; /* units: of the label head */
  float *logits, *domain, *features;
} prediction_job;

/* Experiment and data that the program has. */
static int open_own(prediction_job *j, const char *model, const cldann_predict_options *o) {
  int rc;
  cldann_data data = *o->items;
  data.labelled = 0;
  TRY(cldann_experiment_of_model(j->c, model, o->overrides, o->n_overrides, o->data_dir, &j->x));
  TRY(cldann_experiment_set_data(j->x, CLDANN_TARGET_TEST, &data));
  TRY(experiment_load_one(j->x, &j->d));
fail:
  return rc;
}

/* *out: "data.SET.KEY=VALUE" */
static int key_of(cldann_error *e, const char *set, const char *key, const char *value, char **out) {
  int rc;
  const size_t room = strlen(set) + strlen(key) + strlen(value) + 8;
  TRY(mem_new(e, out, room, 1));
  snprintf(*out, room, "data.%s.%s=%s", set, key, value);
fail:
  return rc;
}

/* Experiment and data in a file: those of the set that says how, all of them, from another path. */
static int open_data(prediction_job *j, const char *model, const char *data, const cldann_predict_options *o) {
  enum { OWN = 3 };
  cldann_error *e = &j->c->err;
  char *own[OWN] = {NULL};
  const char **sets = NULL, *set;
  int rc, n = 0;
  TRY(mem_new(e, &sets, (size_t)o->n_overrides + OWN, sizeof *sets));
  TRY(cldann_experiment_of_model(j->c, model, NULL, 0, o->data_dir, &j->x));
  set = experiment_reader(j->x);
  TRY(key_of(e, set ? set : "target_test", "path", data, &own[n++]));
  if (!set) TRY(key_of(e, "target_test", "kind", "file", &own[n++]));
  if (set) TRY(key_of(e, set, "skip", "0", &own[n++]));
  if (set) TRY(key_of(e, set, "count", "1000000000", &own[n++]));
  for (int i = 0; i < n; i++) sets[i] = own[i];
  for (int i = 0; i < o->n_overrides; i++) sets[n + i] = o->overrides[i];
  cldann_experiment_free(j->x);
  j->x = NULL;
  TRY(cldann_experiment_of_model(j->c, model, sets, n + o->n_overrides, o->data_dir, &j->x));
  TRY(experiment_load_one(j->x, &j->d));
fail:
  for (int i = 0; i < OWN; i++) mem_free(own[i]);
  mem_free(sets);
  return rc;
}

/* Each name on a line of its own. */
static int split_names(prediction_job *j) {
  int rc, n;
  if (!j->about.classes) return CLDANN_OK;
  TRY(text_lines(&j->c->err, j->about.classes, &j->names, &n));
  if (n != j->classes)
    FAIL(&j->c->err, CLDANN_E_FORMAT, "the model names other classes than its label head tells apart (%d); the file is damaged",
         j->classes);
fail:
  return rc;
}

static int outputs(prediction_job *j, const cldann_node *node, float **out) {
  const shape s = node->o.out;
  int rc;
  TRY(mem_new(&j->c->err, out, (size_t)j->d->n * (size_t)s.h * (size_t)s.w * (size_t)s.c, sizeof **out));
  TRY(trainer_outputs(j->t, j->d, 1, node, *out));
fail:
  return rc;
}

static int run(prediction_job *j, const cldann_predict_options *o) {
  const cldann_node *head = net_loss(j->x->net, CLDANN_TARGET_LABELS), *domain = net_loss(j->x->net, CLDANN_TARGET_DOMAIN);
  int rc;
  j->units = judge_units(&head->o);
  j->classes = judge_classes(&head->o);
  TRY(split_names(j));
  TRY(outputs(j, head->in, &j->logits));
  TRY(outputs(j, domain->in, &j->domain));
  if (o->features) TRY(outputs(j, net_features(j->x->net), &j->features));
fail:
  return rc;
}

static int tell(prediction_job *j, const cldann_predict_options *o) {
  const op *domain = &net_loss(j->x->net, CLDANN_TARGET_DOMAIN)->o, *head = &net_loss(j->x->net, CLDANN_TARGET_LABELS)->o;
  const int domain_units = judge_units(domain);
  const shape f = net_features(j->x->net)->o.out;
  const size_t width = (size_t)f.h * (size_t)f.w * (size_t)f.c;
  const int many = experiment_many_domains(j->x), first_target = many ? j->x->domains[0] : 1;
  double *p = NULL, *q = NULL;
  int rc;
  TRY(mem_new(&j->c->err, &p, (size_t)j->classes, sizeof *p));
  TRY(mem_new(&j->c->err, &q, (size_t)judge_classes(domain), sizeof *q));
  for (int i = 0; i < j->d->n; i++) {
    const float *of_domain = j->domain + (size_t)i * (size_t)domain_units;
    const int best = judge(head, j->logits + (size_t)i * (size_t)j->units, p);
    double target = 0;
    judge(domain, of_domain, q);
    for (int k = first_target; k < judge_classes(domain); k++) target += q[k];
    const cldann_prediction one = {.item = i,
                                   .items = j->d->n,
                                   .label = best,
                                   .name = j->names ? j->names[best] : NULL,
                                   .probability = p[best],
                                   .probabilities = p,
                                   .classes = j->classes,
                                   .target = target,
                                   .file = j->d->files ? j->d->files[i] : NULL,
                                   .features = j->features ? j->features + (size_t)i * width : NULL,
                                   .n_features = (int)width};
    if (o->on_item(o->user, &one)) FAIL(&j->c->err, CLDANN_E_INTERRUPTED, "stopped at item %d of %d as asked", i, j->d->n);
  }
fail:
  mem_free(p);
  mem_free(q);
  return rc;
}

int cldann_predict(cldann *c, const char *model, const char *data, const cldann_predict_options *options) {
  prediction_job j = {.c = c};
  int rc;
  if (!data == !options->items)
    FAIL(&c->err, CLDANN_E_ARG, "what is to be predicted is a path or options->items; give one of them");
  TRY(data ? open_data(&j, model, data, options) : open_own(&j, model, options));
  TRY(model_read_about(&c->err, model, &j.about));
  TRY(trainer_open_model(j.x, model, NULL, &j.t));
  TRY(run(&j, options));
  TRY(tell(&j, options));
fail:
  trainer_free(j.t);
  cldann_experiment_free(j.x);
  dataset_free(j.d);
  model_forget_about(&j.about);
  mem_free(j.names), mem_free(j.logits), mem_free(j.domain), mem_free(j.features);
  return rc;
}

/*
 * train/evaluate.c: forward passes over a data set: statistics of both heads, and what a node gives for every row. One plan of
 * eval_batch rows, replayed batch by batch; the last batch may be partial.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "train/trainer_internal.h"

int evaluation_batches(const dataset *d, int batch) {
  return d ? (d->n + batch - 1) / batch : 0;
}

/* Statistics of the heads, or, with an output, that node's values and no statistics. */
static plan_spec spec_of(const trainer *t, const dataset *d, int domain_head, const cldann_node *output) {
  const cldann_net *net = t->x->net;
  return (plan_spec){.rows = t->x->s.eval_batch,
                     .split = t->x->s.eval_batch,
                     .label_loss = !output && net_loss(net, CLDANN_TARGET_LABELS) && d->y,
                     .domain_loss = !output && net_loss(net, CLDANN_TARGET_DOMAIN) && domain_head,
                     .output = output,
                     .scale = (float)t->x->s.scale,
                     .centred = t->x->s.mean_channels};
}

int evaluation_describe(trainer *t, const dataset *d, const char *role, const cldann_node *output, phase *h) {
  enum { BLOCK = 8 }; /* of large batches: enough for the next to be gathered meanwhile */
  const plan_spec p = spec_of(t, d, 1, output);
  const int batches = evaluation_batches(d, p.rows);
  *h = (phase){.name = role, .n = 1, .roles = {role}, .most_block = batches < BLOCK ? batches : BLOCK};
  const int domains = p.domain_loss && experiment_many_domains(t->x);
  h->feeds[0] = (feed_spec){.set = d, .labels = !output, .domains = domains, .rows = p.rows, .steps = batches};
  return budget_measure(t->dev, t->x->net, &t->b, &p, h);
}

int evaluation_open(trainer *t, const phase *h, int domain_head, const cldann_node *output, evaluation *v) {
  const dataset *d = h->feeds[0].set;
  launches *l = NULL;
  int rc;
  *v = (evaluation){.set = d, .batches = evaluation_batches(d, t->x->s.eval_batch), .spec = spec_of(t, d, domain_head, output)};
  TRY(feed_open(t->dev, &h->feeds[0], &v->feed));
  v->spec.streams[0] = v->feed.s;
  TRY(plan_build(t->dev, t->x->net, &t->b, &v->spec, &l));
  TRY(replay_new(t->dev, l, &v->r));
fail:
  if (rc < 0) evaluation_close(t, v);
  return rc;
}

/* Batches that are queued at once from `first` on. */
static int window_of(const evaluation *v, int first) {
  const int block = v->feed.spec.block, most = block ? block - first % block : TRAINER_CHUNK;
  return v->batches - first < most ? v->batches - first : most;
}

static int evaluation_window(trainer *t, evaluation *v, int domain, int first, int n) {
  const int batch = v->spec.rows;
  int rc;
  memset(t->table, 0, (size_t)n * CTL_ROW_WORDS * 4);
  for (int i = 0; i < n; i++) {
    int32_t *row = t->table + (size_t)i * CTL_ROW_WORDS;
    const int left = v->set->n - (first + i) * batch;
    row[CTL_ROWS] = left < batch ? left : batch; /* the last batch may be partial */
    row[CTL_SPLIT] = domain ? 0 : batch;
    trainer_put_float(row, CTL_DOMAIN_WEIGHT, 1.0);
  }
  TRY(feed_use(&v->feed, first, n, t->indices, batch));
  TRY(trainer_begin_window(t, (size_t)n, (size_t)batch, 0)); /* waits for the window before: its slot may be filled anew */
fail:
  return rc;
}

int evaluation_prepare(trainer *t, evaluation *v, int domain) {
  int rc;
  TRY(trainer_reset_stats(t));
  TRY(evaluation_window(t, v, domain, 0, 1));
fail:
  return rc;
}

int evaluation_run(trainer *t, evaluation *v, int domain, int batches) {
  int rc;
  TRY(trainer_reset_stats(t));
  for (int first = 0, n; first < batches; first += n) {
    n = window_of(v, first);
    if (n > batches - first) n = batches - first;
    TRY(evaluation_window(t, v, domain, first, n));
    for (int i = 0; i < n; i++) TRY(replay_run(v->r));
    TRY(device_flush(t->dev));
    TRY(feed_ahead(&v->feed, first));
  }
fail:
  return rc;
}

void evaluation_close(trainer *t, evaluation *v) {
  device_finish(t->dev);
  replay_free(v->r);
  feed_close(&v->feed);
  *v = (evaluation){0};
}

int evaluation_measure(trainer *t, evaluation *v, int domain, scores *s) {
  float stats[2 * STAT_WORDS];
  const float *label = stats, *head = stats + STAT_WORDS;
  int rc;
  TRY(evaluation_run(t, v, domain, v->batches));
  TRY(buffer_read(t->b.stats, 0, stats, sizeof stats));
  s->accuracy = trainer_ratio(label[STAT_HITS0] + label[STAT_HITS1], label[STAT_ROWS]);
  s->loss = trainer_ratio(label[STAT_LOSS], label[STAT_ROWS]);
  s->domain_accuracy = trainer_ratio(head[STAT_HITS0] + head[STAT_HITS1], head[STAT_ROWS]);
fail:
  return rc;
}

int trainer_outputs(trainer *t, const dataset *d, int domain, const cldann_node *node, float *out) {
  phase h, *one = &h;
  evaluation v = {0};
  int rc;
  TRY(evaluation_describe(t, d, d->name, node, &h));
  TRY(budget_place(t->dev, t->budget, t->shared_bytes, &one, 1));
  TRY(evaluation_open(t, &h, 0, node, &v));
  for (int i = 0; i < v.batches; i++) {
    const int batch = v.spec.rows, left = d->n - i * batch;
    tensor y = replay_list(v.r)->output;
    y.rows = left < batch ? left : batch;
    TRY(evaluation_window(t, &v, domain, i, 1));
    TRY(replay_run(v.r));
    TRY(feed_ahead(&v.feed, i));
    TRY(replay_read(v.r, y, out + (size_t)i * (size_t)batch * tensor_item(y)));
  }
fail:
  evaluation_close(t, &v);
  return rc;
}

int trainer_rehearse(trainer *t) {
  const dataset *sets[2] = {t->x->source_test, t->x->target_test};
  evaluation v = {0};
  int rc;
  TRY(trainer_warm_up(t));
  trainer_end_training(t);
  for (int i = 0; i < 2; i++) {
    if (!sets[i]) continue;
    TRY(evaluation_open(t, &t->tests[i], 1, NULL, &v));
    TRY(evaluation_run(t, &v, i, 1));
    evaluation_close(t, &v);
  }
fail:
  if (rc < 0) evaluation_close(t, &v);
  return rc;
}

const cldann_result result_unknown = {.source_accuracy = NAN,
                                      .target_accuracy = NAN,
                                      .domain_accuracy = NAN,
                                      .domain_accuracy_source = NAN,
                                      .domain_accuracy_target = NAN,
                                      .source_loss = NAN,
                                      .target_loss = NAN,
                                      .samples_per_second = NAN,
                                      .pad = NAN,
                                      .svm_source_accuracy = NAN,
                                      .svm_target_accuracy = NAN,
                                      .validation_accuracy = NAN,
                                      .reverse_accuracy = NAN,
                                      .last_source_accuracy = NAN,
                                      .last_target_accuracy = NAN};

int trainer_evaluate(trainer *t, cldann_result *r) {
  const dataset *sets[2] = {t->x->source_test, t->x->target_test};
  double *accuracy[2] = {&r->source_accuracy, &r->target_accuracy}, *loss[2] = {&r->source_loss, &r->target_loss};
  double *domain[2] = {&r->domain_accuracy_source, &r->domain_accuracy_target};
  int rc = CLDANN_OK;
  evaluation v = {0};
  *r = result_unknown;
  for (int i = 0; i < 2; i++) {
    scores s = {NAN, NAN, NAN};
    if (sets[i]) {
      TRY(evaluation_open(t, &t->tests[i], 1, NULL, &v));
      TRY(evaluation_measure(t, &v, i, &s));
      evaluation_close(t, &v);
    }
    *accuracy[i] = s.accuracy, *loss[i] = s.loss, *domain[i] = s.domain_accuracy;
  }
  r->domain_accuracy = 0.5 * (r->domain_accuracy_source + r->domain_accuracy_target);
  snprintf(r->method, sizeof r->method, "%s", t->x->s.method->name);
  snprintf(r->device, sizeof r->device, "%s", device_get_info(t->dev)->name);
  r->source_items = sets[0] ? sets[0]->n : 0;
  r->target_items = sets[1] ? sets[1]->n : 0;
  r->seed = t->x->s.seed;
  r->steps = r->model_step = t->step;
  r->seconds = t->seconds;
  r->samples_per_second = trainer_ratio((double)t->step * t->x->s.batch, t->seconds);
fail:
  if (rc < 0) evaluation_close(t, &v);
  return rc;
}

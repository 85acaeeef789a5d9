/*
 * tests/library_data.c: data by callback. The same numbers give the same bits as from an experiment's own sets; the target
 * is not asked for labels; a model of such data is of use without them; and what cannot be is refused.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "library_suites.h"
#include "runner.h"
#include "train/experiment.h"

static cldann **at;

#define GOOD(call) ck_assert_msg((call) == 0, "%s", (*at)->err.message)

#define NET                                                                                         \
  "net = { input = [1, 1, 2]; features = ( { op = \"dense\"; units = 6; }, { op = \"tanh\"; } );\n" \
  "  label_head = ( { op = \"dense\"; units = 2; }, { op = \"softmax_xent\"; } );\n"                \
  "  domain_head = ( { op = \"reversal\"; }, { op = \"dense\"; units = 1; }, { op = \"logistic_xent\"; } ); };\n"
#define SETTINGS "steps = 60; batch = 16; eval_batch = 50; log_every = 20; lr = { lr = 0.1; };\n" NET
#define BLOBS                                                                  \
  "data = { source = { kind = \"blobs\"; }; target = { kind = \"blobs\"; };\n" \
  "  source_test = { kind = \"blobs\"; seed = 5; }; target_test = { kind = \"blobs\"; seed = 5; }; };\n"

/* What hands out a data set, and what it was asked for. */
typedef struct source {
  const dataset *d;
  int next, asked_labels, calls, fail_at;
} source;

static int read_items(void *user, int first, int n, void *items, int32_t *labels) {
  source *s = user;
  const size_t item = dataset_item_bytes(s->d);
  ck_assert(n > 0 && first + n <= s->d->n && (first == s->next || first == 0));
  if (s->fail_at && s->calls++ == s->fail_at - 1) return 42;
  memcpy(items, (const char *)s->d->x + (size_t)first * item, (size_t)n * item);
  if (labels) memcpy(labels, s->d->y + first, (size_t)n * sizeof *labels);
  s->asked_labels += labels != NULL;
  s->next = first + n;
  return 0;
}

static cldann_data data_of(source *s, const dataset *d) {
  *s = (source){.d = d};
  return (cldann_data){.name = "mine",
                       .items = d->n,
                       .height = d->h,
                       .width = d->w,
                       .channels = d->c,
                       .type = d->type == DATA_U8 ? CLDANN_BYTES : CLDANN_FLOATS,
                       .labelled = 1,
                       .read = read_items,
                       .user = s};
}

static void hand_over(cldann_experiment *x, const cldann_experiment *from, source s[4]) {
  const dataset *const sets[] = {from->source, from->target, from->source_test, from->target_test};
  for (int i = 0; i < 4; i++) {
    const cldann_data d = data_of(&s[i], sets[i]);
    GOOD(cldann_experiment_set_data(x, (cldann_set_id)i, &d));
  }
}

static void same_files(const char *a, const char *b, const char *file) {
  char command[600];
  snprintf(command, sizeof command, "tail -c 150 %s/%s >%s/one; tail -c 150 %s/%s | cmp - %s/one", in(a), file, folder, in(b),
           file, folder);
  ck_assert_int_eq(system(command), 0);
}

static cldann_experiment *blobs_loaded(void) {
  cldann_experiment *x = NULL;
  GOOD(cldann_experiment_new(*at, SETTINGS BLOBS, NULL, &x));
  GOOD(experiment_load_data(x, NULL, NULL));
  return x;
}

START_TEST(the_same_bits) {
  cldann_experiment *a = blobs_loaded(), *b = NULL;
  cldann_result ra, rb;
  source s[4];
  char *text = NULL;
  GOOD(cldann_train(a, &(cldann_train_options){.out_dir = in("a")}, &ra));
  GOOD(cldann_experiment_new(*at, SETTINGS, NULL, &b));
  hand_over(b, a, s);
  GOOD(cldann_train(b, &(cldann_train_options){.out_dir = in("b")}, &rb));
  ck_assert(ra.source_accuracy == rb.source_accuracy && ra.target_accuracy == rb.target_accuracy);
  ck_assert(ra.source_loss == rb.source_loss && ra.target_loss == rb.target_loss && ra.source_accuracy > 0.8);
  same_files("a", "b", "model.safetensors"); /* its end is weights */
  ck_assert(s[0].asked_labels == 1 && s[1].asked_labels == 0 && s[1].next == s[1].d->n && s[3].asked_labels == 1);
  GOOD(cldann_experiment_text(b, &text));
  ck_assert_ptr_null(strstr(text, "data ="));
  cldann_free_text(text);
  cldann_experiment_free(a), cldann_experiment_free(b);
}
END_TEST

typedef struct seen {
  int n, hits;
  const dataset *d;
} seen;

static int count_hit(void *user, const cldann_prediction *p) {
  seen *s = user;
  s->n++;
  s->hits += s->d->y[p->item] == p->label;
  return 0;
}

/* A model of the program's data: evaluated on data handed over, and used on items in memory and in a file. */
START_TEST(a_model_of_own_data) {
  cldann_experiment *a = blobs_loaded(), *x = NULL;
  cldann_result r;
  source s[4], one;
  char model[200];
  seen in_memory = {.d = a->target_test}, in_file = {.d = a->target_test};
  snprintf(model, sizeof model, "%s/b/model.safetensors", folder);
  GOOD(cldann_experiment_of_model(*at, model, NULL, 0, NULL, &x));
  ck_assert_int_eq(cldann_evaluate(x, model, NULL, &r), CLDANN_E_CONFIG);
  ck_assert_ptr_nonnull(strstr((*at)->err.message, "data.source is missing"));
  ck_assert_ptr_nonnull(strstr((*at)->err.message, "cldann_experiment_set_data"));
  cldann_clear_error(*at);
  hand_over(x, a, s);
  GOOD(cldann_evaluate(x, model, NULL, &r));
  const cldann_data items = data_of(&one, a->target_test);
  GOOD(cldann_predict(*at, model, NULL, &(cldann_predict_options){.items = &items, .on_item = count_hit, .user = &in_memory}));
  ck_assert(in_memory.n == a->target_test->n && one.asked_labels == 0);
  ck_assert_double_eq_tol((double)in_memory.hits / in_memory.n, r.target_accuracy, 1e-9);
  FILE *f = fopen(in("points.csv"), "w");
  ck_assert_ptr_nonnull(f);
  for (int i = 0; i < a->target_test->n; i++)
    fprintf(f, "%.9g,%.9g\n", (double)((float *)a->target_test->x)[2 * i], (double)((float *)a->target_test->x)[2 * i + 1]);
  fclose(f);
  GOOD(cldann_predict(*at, model, in("points.csv"), &(cldann_predict_options){.on_item = count_hit, .user = &in_file}));
  ck_assert_int_eq(in_file.hits, in_memory.hits);
  ck_assert_int_eq(cldann_predict(*at, model, NULL, &(cldann_predict_options){.on_item = count_hit, .user = &in_file}),
                   CLDANN_E_ARG);
  cldann_clear_error(*at);
  cldann_experiment_free(a), cldann_experiment_free(x);
}
END_TEST

/* Other data, or the text's again, count from the next call on; runs share data only when they are the same. */
START_TEST(data_in_place_of_others) {
  cldann_experiment *a = blobs_loaded(), *b = blobs_loaded(), *c = NULL;
  source s, t;
  cldann_data d = data_of(&s, a->source);
  d.items = 100;
  GOOD(cldann_experiment_set_data(b, CLDANN_SOURCE, &d));
  GOOD(experiment_load_data(b, NULL, NULL));
  ck_assert(b->source->n == 100 && b->target->n == a->target->n);
  ck_assert_mem_eq(b->source->x, a->source->x, 100 * 2 * sizeof(float));
  GOOD(cldann_experiment_new(*at, SETTINGS BLOBS, NULL, &c));
  GOOD(cldann_experiment_take_data(c, b));
  ck_assert(c->source == NULL && b->source != NULL);
  GOOD(cldann_experiment_set_data(c, CLDANN_SOURCE, &d));
  GOOD(cldann_experiment_take_data(c, b));
  ck_assert(c->source != NULL && b->source == NULL);
  GOOD(cldann_experiment_set_data(c, CLDANN_SOURCE, NULL));
  GOOD(experiment_load_data(c, NULL, NULL));
  ck_assert_int_eq(c->source->n, a->source->n);
  d = data_of(&t, a->source);
  d.labelled = 0;
  GOOD(cldann_experiment_set_data(c, CLDANN_SOURCE, &d));
  ck_assert_int_eq(experiment_load_data(c, NULL, NULL), CLDANN_E_CONFIG);
  ck_assert_ptr_nonnull(strstr((*at)->err.message, "data.source (mine) has no labels"));
  cldann_clear_error(*at);
  cldann_experiment_free(a), cldann_experiment_free(b), cldann_experiment_free(c);
}
END_TEST

/* The upper bound trains on the target's labels, and so it is asked for them. */
START_TEST(target_only_asks_for_labels) {
  cldann_experiment *a = blobs_loaded(), *x = NULL;
  source s[4];
  GOOD(cldann_experiment_new(*at, "method = \"target-only\";" SETTINGS, NULL, &x));
  hand_over(x, a, s);
  GOOD(experiment_load_data(x, NULL, NULL));
  ck_assert_int_eq(s[1].asked_labels, 1);
  cldann_experiment_free(a), cldann_experiment_free(x);
}
END_TEST

static void refused(cldann_experiment *x, int set, const cldann_data *d, int status, const char *wanted) {
  int rc = cldann_experiment_set_data(x, (cldann_set_id)set, d);
  if (rc == 0) rc = experiment_load_data(x, NULL, NULL);
  if (set < SETS) cldann_experiment_set_data(x, (cldann_set_id)set, NULL);
  ck_assert_msg(rc == status && strstr((*at)->err.message, wanted), "%d, wanted '%s': %s", rc, wanted, (*at)->err.message);
  cldann_clear_error(*at);
}

START_TEST(what_cannot_be) {
  cldann_experiment *a = blobs_loaded(), *x = blobs_loaded();
  dataset *bad = NULL;
  source s;
  cldann_data d = data_of(&s, a->source);
  const cldann_data good = d;
  refused(x, 4, &d, CLDANN_E_ARG, "there is no set 4");
  d.read = NULL;
  refused(x, CLDANN_SOURCE, &d, CLDANN_E_ARG, "read is not set");
  d = good, d.items = 0;
  refused(x, CLDANN_SOURCE, &d, CLDANN_E_ARG, "every size must be at least 1");
  d = good, d.type = (cldann_data_type)7;
  refused(x, CLDANN_SOURCE, &d, CLDANN_E_ARG, "there is no type 7");
  d = good, d.channels = 1, d.width = 3;
  d.items = 10;
  refused(x, CLDANN_SOURCE, &d, CLDANN_E_SHAPE, "data.source (mine) has items of 1 x 3 x 1 but net.input is [1, 1, 2]");
  d = good, s.fail_at = 1;
  refused(x, CLDANN_TARGET_TEST, &d, CLDANN_E_IO, "data.target_test (mine): the program's read returned 42 for items 0 to 299");
  const int32_t rows[] = {0, 1, 2};
  ck_assert_int_eq(dataset_take(&(*at)->err, a->source, rows, 3, &bad), 0);
  ((float *)bad->x)[3] = NAN;
  d = data_of(&s, bad);
  refused(x, CLDANN_SOURCE, &d, CLDANN_E_FORMAT, "mine: number 1 of item 1 is nan");
  ((float *)bad->x)[3] = 0, bad->y[2] = -1;
  refused(x, CLDANN_SOURCE, &d, CLDANN_E_FORMAT, "item 2 has the label -1");
  bad->y[2] = 2;
  refused(x, CLDANN_SOURCE, &d, CLDANN_E_SHAPE, "tells 2 classes apart");
  dataset_free(bad);
  cldann_experiment_free(x);
  GOOD(cldann_experiment_new(
      *at,
      "net = { input = [1, 1, 2]; label_head = ( { op = \"dense\"; units = 2; }, { op = \"softmax_xent\"; } );"
      "  domain_head = ( { op = \"reversal\"; }, { op = \"dense\"; units = 3; }, { op = \"softmax_xent\"; } ); };"
      "data = { source = { kind = \"several\"; sets = ( { kind = \"blobs\"; }, { kind = \"blobs\"; } ); };"
      "  target = { kind = \"blobs\"; }; };",
      NULL, &x));
  refused(x, CLDANN_SOURCE, &good, CLDANN_E_ARG, "the domain head tells more than two domains apart");
  cldann_experiment_free(a), cldann_experiment_free(x);
}
END_TEST

TCase *library_data_cases(cldann **ctx) {
  TCase *t = tcase_create("data");
  at = ctx;
  tcase_set_timeout(t, 300);
  tcase_add_test(t, the_same_bits);
  tcase_add_test(t, a_model_of_own_data);
  tcase_add_test(t, data_in_place_of_others);
  tcase_add_test(t, target_only_asks_for_labels);
  tcase_add_test(t, what_cannot_be);
  return t;
}

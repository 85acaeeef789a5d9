/*
 * tests/train_start.c: init.from. A training of no effect (rate 0) shows what it started from: the file's weights where name
 * and shape are a layer's, its own initial ones elsewhere.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"
#include "train/model.h"
#include "train/tensors.h"
#include "train/trainer_internal.h"
#include "train_suites.h"

static cldann **at;
static char said[8192];

#define GOOD(call) ck_assert_msg((call) == 0, "%s", (*at)->err.message)

static void hear(void *user, const char *line) {
  (void)user;
  snprintf(said + strlen(said), sizeof said - strlen(said), "%s\n", line);
}

/* A net whose convolution has two groups; the label head's first layer has `units`. */
static cldann_experiment *load(int units, const char *from) {
  static char text[4096];
  cldann_experiment *x = NULL;
  char set[300];
  const char *sets[] = {set};
  snprintf(text, sizeof text,
           "steps = 2; batch = 8; log_every = 2; lr = { schedule = \"constant\"; lr = 0.0; };\n"
           "net = { input = [28, 28, 3];\n"
           "  features = ( { op = \"conv2d\"; filters = 4; kernel = [2, 3]; stride = 5; name = \"first\"; },\n"
           "    { op = \"conv2d\"; filters = 6; kernel = [2, 3]; groups = 2; name = \"grouped\"; } );\n"
           "  label_head = ( { op = \"dense\"; units = %d; name = \"label1\"; },\n"
           "    { op = \"dense\"; units = 10; name = \"label2\"; }, { op = \"softmax_xent\"; } );\n"
           "  domain_head = ( { op = \"reversal\"; }, { op = \"dense\"; units = 1; name = \"domain\"; },\n"
           "    { op = \"logistic_xent\"; } ); };\n"
           "input = { scale = 0.004; };\n"
           "data = { source = { kind = \"digits\"; n = 20; }; target = { kind = \"digits\"; n = 20; }; };\n",
           units);
  write_file(in("start.conf"), text, strlen(text));
  snprintf(set, sizeof set, "init.from=%s", from);
  GOOD(cldann_experiment_load(*at, in("start.conf"), sets, 1, folder, &x));
  return x;
}

/* The parameters behind a training of rate 0. The caller's (free). */
static float *behind(cldann_experiment *x) {
  const cldann_train_options o = {.out_dir = in("started"), .overwrite = 1, .on_message = hear};
  float *p = malloc(x->net->param_count * sizeof *p);
  char model[200];
  cldann_result r;
  said[0] = 0;
  GOOD(cldann_train(x, &o, &r));
  snprintf(model, sizeof model, "%s/model.safetensors", in("started"));
  GOOD(model_load(&(*at)->err, model, x->net, p));
  return p;
}

/* first.weight as (out,in,kh,kw) numbers from 0, grouped.weight from 1000, label1.weight of 7 units, and one of no layer. */
enum {
  FIRST = 4 * 3 * 2 * 3,
  GROUPED = 6 * 2 * 2 * 3,
  LABEL = 7 * 6 * 4 * 4,
  OTHER = 3,
  ALL = FIRST + GROUPED + LABEL + OTHER
};

static void write_weights(const char *name, int known) {
  static float v[ALL];
  const size_t count = ALL;
  const float *const blocks[] = {v};
  json_t *h = json_object();
  for (int i = 0; i < ALL; i++) v[i] = (float)(i < FIRST ? i : 1000 + i - FIRST);
  json_object_set_new(h, known ? "first.weight" : "conv1.weight", tensors_entry((int[]){4, 3, 2, 3}, 4, 0, FIRST));
  json_object_set_new(h, known ? "grouped.weight" : "conv2.weight", tensors_entry((int[]){6, 2, 2, 3}, 4, FIRST, GROUPED));
  json_object_set_new(h, known ? "label1.weight" : "fc.weight", tensors_entry((int[]){7, 96}, 2, FIRST + GROUPED, LABEL));
  json_object_set_new(h, "fc8.bias", tensors_entry((int[]){3}, 1, FIRST + GROUPED + LABEL, OTHER));
  GOOD(tensors_write(&(*at)->err, in(name), h, blocks, &count, 1, 0));
}

static const cldann_node *node(const cldann_experiment *x, const char *name) {
  const cldann_node *n = net_find(x->net, name);
  ck_assert_ptr_nonnull(n);
  return n;
}

/* (kh,kw,in,out) of ours against (out,in,kh,kw) of the file, whose numbers count from `from`. */
static void check_turned(const cldann_experiment *x, const float *p, const char *name, int from) {
  const cldann_node *n = node(x, name);
  const int *d = n->o.params[0].dims;
  int i = 0;
  for (int ky = 0; ky < d[0]; ky++)
    for (int kx = 0; kx < d[1]; kx++)
      for (int c = 0; c < d[2]; c++)
        for (int o = 0; o < d[3]; o++, i++)
          ck_assert_msg(p[n->param_at[0] + (size_t)i] == (float)(from + ((o * d[2] + c) * d[0] + ky) * d[1] + kx), "%s[%d]",
                        name, i);
}

START_TEST(weights_of_a_file) {
  write_weights("given.safetensors", 1);
  cldann_experiment *x = load(9, "given.safetensors"), *plain = load(9, "");
  float *p = behind(x), *own;
  ck_assert_msg(strstr(said,
                       "given.safetensors: 2 of the net's 10 parameters start from it; as initialised: first.bias, "
                       "grouped.bias, label1.weight, label1.bias, label2.weight, label2.bias, domain.weight, domain.bias; "
                       "not used of the file: label1.weight, fc8.bias\n") != NULL,
                "%s", said);
  own = behind(plain);
  ck_assert_msg(!strstr(said, "start from"), "%s", said);
  check_turned(x, p, "first", 0);
  check_turned(x, p, "grouped", 1000);
  for (int i = 0; i < x->net->n; i++)
    for (int k = 0; k < x->net->nodes[i]->o.n_params; k++) {
      const cldann_node *n = x->net->nodes[i];
      const int given = n->branch == CLDANN_FEATURES && k == 0;
      const size_t bytes = n->o.params[k].count * sizeof *p;
      ck_assert_msg(given || !memcmp(p + n->param_at[k], own + n->param_at[k], bytes), "%s %d", n->o.name, k);
    }
  free(p), free(own);
  cldann_experiment_free(x), cldann_experiment_free(plain);
}
END_TEST

START_TEST(what_cannot_be_a_start) {
  const struct {
    const char *from;
    int code;
    const char *says;
  } bad[] = {{"nonesuch.safetensors", CLDANN_E_IO, "nonesuch.safetensors"},
             {"strangers.safetensors", CLDANN_E_FORMAT, "has no tensor of floats that is named and shaped"},
             {"start.conf", CLDANN_E_FORMAT, "is not a safetensors file"}};
  write_weights("strangers.safetensors", 0);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    cldann_experiment *x = load(9, bad[i].from);
    cldann_result r;
    ck_assert_int_eq(cldann_train(x, NULL, &r), bad[i].code);
    const char *message = (*at)->err.message;
    ck_assert_msg(strstr(message, bad[i].says) && strstr(message, "init.from"), "%s", message);
    cldann_clear_error(*at);
    cldann_experiment_free(x);
  }
}
END_TEST

TCase *start_cases(cldann **ctx) {
  TCase *t = tcase_create("start");
  at = ctx;
  tcase_set_timeout(t, 300);
  tcase_add_test(t, weights_of_a_file);
  tcase_add_test(t, what_cannot_be_a_start);
  return t;
}

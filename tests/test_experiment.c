/*
 * tests/test_experiment.c: reading experiment files: the shipped ones constant by constant, layers, every kind of bad
 * input with its file:line, and the data sets a file names. Needs no device: reading compiles nothing.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "data/digits.h"
#include "data/idx.h"
#include "device/context.h"
#include "runner.h"
#include "train/experiment.h"

static cldann ctx;
static cldann_experiment *x;

static void fresh(void) {
  err_clear(&ctx.err);
  x = NULL;
  setenv("CLDANN_CACHE", folder, 1); /* nothing of the user's own may be found */
  unsetenv("CLDANN_DATA");
  ck_assert_int_eq(mem_live(), 0);
}

static void done(void) {
  cldann_experiment_free(x);
  x = NULL;
  ck_assert_int_eq(mem_live(), 0);
}

static const char *written(const char *text) {
  const char *path = in("x.conf");
  write_file(path, text, strlen(text));
  return path;
}

/* Overrides are given as one string, separated by '|'. */
static int load(const char *path, const char *sets) {
  char copy[1024];
  const char *list[16];
  int n = 0;
  cldann_experiment_free(x);
  err_clear(&ctx.err);
  snprintf(copy, sizeof copy, "%s", sets);
  for (char *p = strtok(copy, "|"); p; p = strtok(NULL, "|")) list[n++] = p;
  return cldann_experiment_load(&ctx, path, list, n, folder, &x);
}

#define GOOD(call) ck_assert_msg((call) == 0, "%s", ctx.err.message)

static void bad(const char *path, const char *sets, int status, const char *text) {
  const int rc = load(path, sets);
  ck_assert_msg(rc == status && ctx.err.code == status, "status %d: %s", rc, ctx.err.message);
  ck_assert_msg(strstr(ctx.err.message, text) && !strchr(ctx.err.message, '\n'), "wanted '%s' in: %s", text, ctx.err.message);
  ck_assert_ptr_null(x);
}

/* A small sound file with one place to put something else in: `extra` stands on line 3. */
static const char *small(const char *extra) {
  static char text[4096];
  snprintf(text, sizeof text,
           "# small\nname = \"small\";\n%s\n"
           "net = { input = [1, 1, 2];\n"
           "  label_head = ( {op = \"dense\"; units = 2;}, {op = \"softmax_xent\";} );\n"
           "  domain_head = ( {op = \"reversal\";}, {op = \"dense\"; units = 1;}, {op = \"logistic_xent\";} ); };\n"
           "data = { source = {kind = \"blobs\";}; target = {kind = \"blobs\";}; };\n",
           extra);
  return written(text);
}

#define NET_HEADS                                                                                   \
  "label_head = ( {op = \"dense\"; units = 10;}, {op = \"softmax_xent\";} );\n"                     \
  "domain_head = ( {op = \"reversal\";}, {op = \"dense\"; units = 2;}, {op = \"softmax_xent\";} );" \
  "};\n"
#define BLOBS "data = { source = {kind = \"blobs\";}; target = {kind = \"blobs\";}; };\n"

static const op *node(const char *name) {
  const cldann_node *n = net_find(x->net, name);
  ck_assert_msg(n != NULL, "no node %s", name);
  return &n->o;
}

/* ---- the shipped files ---- */

START_TEST(tf_dann) {
  GOOD(load(source_path("experiments/mnist-mnistm.conf"), ""));
  const settings *s = &x->s;
  ck_assert_str_eq(s->name, "mnist-mnistm");
  ck_assert_str_eq(s->preset, "tf-dann");
  ck_assert_int_eq(s->method->id, METHOD_DANN);
  ck_assert(s->seed == 1 && s->steps == 8600 && s->horizon == 8600 && s->batch == 64 && s->mean_channels == 1);
  ck_assert(s->optimiser.kind == OPT_MOMENTUM && s->optimiser.momentum == 0.9 && s->optimiser.weight_decay == 0.0);
  ck_assert(s->lr.kind == LR_INVERSE && s->lr.lr == 0.01 && s->lr.alpha == 10.0 && s->lr.beta == 0.75);
  ck_assert(s->lambda.kind == LAMBDA_RAMP && s->lambda.max == 1.0 && s->lambda.gamma == 10.0);
  ck_assert(s->lambda.mode == LAMBDA_REVERSED && s->lambda.domain_weight == 1.0);
  ck_assert(s->label_reduce == REDUCE_MEAN && s->domain_reduce == REDUCE_MEAN);
  ck_assert_double_eq_tol(s->scale * 255.0, 1.0, 1e-15);
  const op *conv = node("conv2");
  ck_assert(conv->units == 48 && conv->window.height == 5 && conv->window.width == 5 && conv->window.padding == CLDANN_SAME);
  ck_assert(conv->layer.weights.kind == CLDANN_INIT_TRUNCATED_NORMAL && conv->layer.weights.value == 0.1f);
  ck_assert(conv->layer.biases.kind == CLDANN_INIT_CONSTANT && conv->layer.biases.value == 0.1f);
  ck_assert_int_eq(node("features")->out.c, 2352);
  ck_assert_int_eq(node("domain2")->units, 2);
  ck_assert(node("rows1")->rows == CLDANN_ROWS_SOURCE);
  ck_assert(node("label_loss")->target == CLDANN_TARGET_LABELS && node("domain_loss")->target == CLDANN_TARGET_DOMAIN);
  /* 2432 + 38448, 235300 + 10100 + 1010, 235300 + 202 */
  ck_assert_uint_eq(x->net->param_count, 40880 + 246410 + 235502);
  GOOD(load(source_path("experiments/mnist-mnistm.conf"), "method=source-only|seed=5000000000"));
  ck_assert_ptr_null(net_find(x->net, "rows1"));
  ck_assert(x->s.method->id == METHOD_SOURCE_ONLY && x->s.seed == 5000000000u);
  done();
}
END_TEST

START_TEST(blobs) {
  GOOD(load(source_path("experiments/blobs.conf"), ""));
  const settings *s = &x->s;
  ck_assert(s->steps == 10000 && s->batch == 16 && s->scale == 1.0 && s->mean_channels == 0);
  ck_assert(s->optimiser.kind == OPT_ADAM && s->optimiser.beta2 == 0.999 && s->optimiser.epsilon == 1e-8);
  ck_assert(s->lr.kind == LR_CONSTANT && s->lr.lr == 1e-3);
  ck_assert(s->label_reduce == REDUCE_SUM && s->domain_reduce == REDUCE_SUM);
  ck_assert_uint_eq(x->net->param_count, 45 + 32 + 32);
  GOOD(experiment_load_data(x, NULL, NULL));
  ck_assert_int_eq(x->source->n, 300);
  ck_assert_mem_eq(x->target->x, x->target_test->x, 300 * 2 * sizeof(float));
  ck_assert_mem_ne(x->source->x, x->target->x, 300 * 2 * sizeof(float));
  GOOD(load(source_path("experiments/blobs.conf"), "preset=deeper"));
  ck_assert_int_eq(node("domain1")->units, 8);
  ck_assert_int_eq(node("features")->units, 15);
  done();
}
END_TEST

static void count_lines(void *user, const char *line) {
  ck_assert(strlen(line) > 0);
  ++*(int *)user;
}

START_TEST(digits) {
  int lines = 0;
  GOOD(load(source_path("experiments/digits.conf"),
            "data.source.n=200|data.target.n=200|data.source_test.n=50|data.target_test.n=50"));
  GOOD(experiment_load_data(x, count_lines, &lines));
  ck_assert_int_eq(lines, 4);
  ck_assert(x->source->n == 200 && x->source->c == 1 && x->target->c == 3 && x->target_test->n == 50);
  void *first = x->source->x;
  GOOD(experiment_load_data(x, count_lines, &lines)); /* a second call loads nothing */
  ck_assert(lines == 4 && x->source->x == first);
  done();
}
END_TEST

/* ---- layers ---- */

START_TEST(layers) {
  const char *file = small("lr = {lr = 0.5;}; preset = \"a\"; presets = { a = { lr = {lr = 0.25; alpha = 3;}; seed = 7; };"
                           " b = { seed = 8; data = {source = {n = 20;}; target = {kind = \"digits\";};}; }; };");
  GOOD(load(file, ""));
  ck_assert(x->s.lr.lr == 0.25 && x->s.lr.alpha == 3.0 && x->s.seed == 7 && x->s.lr.beta == 0.75);
  GOOD(load(file, "lr.lr=0.125|seed=9|seed=10"));
  ck_assert(x->s.lr.lr == 0.125 && x->s.seed == 10);
  GOOD(load(file, "preset="));
  ck_assert(x->s.lr.lr == 0.5 && x->s.seed == 1);
  GOOD(load(file, "preset=b|lr.lr=1|lambda.mode=both|input.subtract_mean=true"));
  ck_assert(x->s.seed == 8 && x->s.lr.lr == 1.0 && x->s.lambda.mode == LAMBDA_BOTH && x->s.mean_channels == 1);
  GOOD(load(file, "method=\"domain-only\"|optimiser.kind=adam|loss.domain=halves"));
  ck_assert(x->s.method->cooperate && x->s.optimiser.kind == OPT_ADAM && x->s.domain_reduce == REDUCE_HALVES);
  GOOD(load(file, "net.label_head=({op=\"dense\";units=3;name=\"three\";},{op=\"softmax_xent\";})"));
  ck_assert_int_eq(node("three")->units, 3);
  done();
}
END_TEST

/* A file may be called anything; a model holds the text as JSON, which is UTF-8. */
START_TEST(texts_of_any_bytes) {
  static const char set[] = "name=a\xe9 \"\\ \xc3\xa9\t\x7f\xff";
  char *text = NULL, *again = NULL;
  GOOD(load(small(""), set));
  ck_assert_str_eq(x->s.name, set + strlen("name="));
  GOOD(cldann_experiment_text(x, &text));
  ck_assert_ptr_nonnull(strstr(text, "name = \"a\\xe9 \\\"\\\\ \xc3\xa9\\x09\\x7f\\xff\";"));
  GOOD(load(written(text), ""));
  ck_assert_str_eq(x->s.name, set + strlen("name="));
  GOOD(cldann_experiment_text(x, &again));
  ck_assert_str_eq(text, again);
  cldann_free_text(text);
  cldann_free_text(again);
  done();
}
END_TEST

/* A higher layer that names another kind of data set leaves no keys of the old one behind. */
START_TEST(kind_replaces) {
  const char *file = small("presets = { d = { data = {source = {kind = \"mnist\"; skip = 3;};}; }; };");
  GOOD(load(file, "preset=d"));
  bad(file, "preset=d|data.source.n=5", CLDANN_E_CONFIG, "data.source.n=5: data.source.n: a set of kind mnist has no n");
  GOOD(load(file, "preset=d|data.source.kind=digits|data.source.n=5"));
  done();
}
END_TEST

/* The text of an experiment is that experiment: settings, net and text again, without its preset and overrides. */
START_TEST(as_one_text) {
  static const struct {
    const char *file, *sets, *has, *lacks;
  } cases[] = {
      {"experiments/mnist-mnistm.conf", "method=source-only|lambda.max=0.30000000000000004|seed=9000000000000000000",
       "max = 0.30000000000000004;", "preset ="},
      {"experiments/mnist-mnistm.conf", "data.source.kind=blobs|data.source.n=7", "kind = \"blobs\";\n    n = 7;",
       "count = 55000;\n  };\n  target = {"},
      {"experiments/blobs.conf", "preset=deeper|name=\"a \\\"b\\\" \\\\ c\"|steps=3000000", "steps = 3000000;", "deeper"},
      {"experiments/digits.conf", "optimiser.epsilon=1e-30|net.label_head=({op=\"dense\";units=10;},{op=\"softmax_xent\";})",
       "1e-30", "label1"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *text = NULL, *again = NULL;
    GOOD(load(source_path(cases[i].file), cases[i].sets));
    settings was, is;
    memcpy(&was, &x->s, sizeof was); /* with what lies between its members */
    const size_t params = x->net->param_count;
    GOOD(cldann_experiment_text(x, &text));
    ck_assert_msg(strstr(text, cases[i].has) != NULL, "'%s' is not in:\n%s", cases[i].has, text);
    ck_assert_msg(strstr(text, cases[i].lacks) == NULL, "'%s' is in:\n%s", cases[i].lacks, text);
    GOOD(load(written(text), ""));
    memcpy(&is, &x->s, sizeof is);
    ck_assert_str_eq(is.name, was.name);
    memcpy(is.name, was.name, sizeof is.name);       /* and what lies behind it */
    memcpy(is.preset, was.preset, sizeof is.preset); /* applied, so not named */
    for (size_t k = 0; k < sizeof is; k++)
      ck_assert_msg(((char *)&is)[k] == ((char *)&was)[k], "case %zu: byte %zu of settings differs in\n%s", i, k, text);
    ck_assert_uint_eq(x->net->param_count, params);
    GOOD(cldann_experiment_text(x, &again));
    ck_assert_str_eq(text, again);
    cldann_free_text(text);
    cldann_free_text(again);
  }
  done();
}
END_TEST

START_TEST(windows) {
  GOOD(load(written("net = { input = [9, 7, 2];\n"
                    "features = ( {op = \"conv2d\"; filters = 3; kernel = [3, 2]; stride = [2, 1]; padding = [1, 0, 1, 1];"
                    " name = \"c\"; init = {weights = {kind = \"he\";};};}, {op = \"max_pool\"; window = [2, 3]; name = "
                    "\"p\";} );\n" NET_HEADS "init = {biases = {kind = \"constant\"; value = 0.5;};};\n" BLOBS),
            ""));
  const op *c = node("c"), *p = node("p");
  ck_assert(c->out.h == 4 && c->out.w == 8 && c->out.c == 3 && c->pad_top == 1 && c->pad_left == 1);
  ck_assert(c->layer.weights.kind == CLDANN_INIT_HE && c->layer.biases.value == 0.5f);
  ck_assert(p->out.h == 2 && p->out.w == 2 && p->window.stride_x == 3);
  done();
}
END_TEST

/* ---- bad input ---- */

START_TEST(bad_keys) {
  const char *path = in("x.conf");
  char at[300];
  snprintf(at, sizeof at, "%s:3: unknown key sed; did you mean seed?", path);
  bad(small("sed = 3;"), "", CLDANN_E_CONFIG, at);
  snprintf(at, sizeof at, "%s:3: unknown key optimiser.momentun; did you mean optimiser.momentum?", path);
  bad(small("optimiser = { momentun = 0.9; };"), "", CLDANN_E_CONFIG, at);
  bad(small("momentum = 0.9;"), "", CLDANN_E_CONFIG, "did you mean optimiser.momentum?");
  bad(small("zzzzzzzz = 1;"), "", CLDANN_E_CONFIG, "doc/experiments.md");
  bad(small("presets = { a = { stepz = 1; }; };"), "", CLDANN_E_CONFIG,
      ":3: unknown key presets.a.stepz; did you mean presets.a.steps?");
  bad(small("presets = { aa = { steps = 1; }; }; preset = \"ab\";"), "", CLDANN_E_CONFIG,
      ":3: no preset \"ab\"; did you mean \"aa\"?");
  bad(small("preset = \"tf\";"), "", CLDANN_E_CONFIG, ":3: no preset \"tf\"");
  bad(small(""), "lr.rl=1", CLDANN_E_CONFIG, "--set lr.rl=1: unknown key lr.rl; did you mean lr.lr?");
  bad(small(""), "metod=dann", CLDANN_E_CONFIG, "--set metod=dann: unknown key metod; did you mean method?");
  bad(small(""), "lr=1", CLDANN_E_CONFIG, "lr is a group");
  bad(small(""), "seed.x=1", CLDANN_E_CONFIG, "seed has no keys inside");
  bad(small(""), "method", CLDANN_E_CONFIG, "an override is KEY=VALUE");
  done();
}
END_TEST

START_TEST(bad_values) {
  bad(small("method = \"dan\";"), "", CLDANN_E_CONFIG, ":3: method cannot be \"dan\"; did you mean dann?");
  bad(small("method = 3;"), "", CLDANN_E_CONFIG, ":3: method must be one of dann, source-only");
  bad(small(""), "method=source_only", CLDANN_E_CONFIG, "did you mean source-only?");
  bad(small("steps = 1.5;"), "", CLDANN_E_CONFIG, ":3: steps must be a whole number from 1 to 1000000000");
  bad(small("steps = 0;"), "", CLDANN_E_CONFIG, "steps must be a whole number from 1");
  bad(small(""), "steps=12abc", CLDANN_E_CONFIG, "--set steps=12abc: steps must be a whole number");
  bad(small(""), "seed=-1", CLDANN_E_CONFIG, "seed must be");
  bad(small("lr = { lr = \"x\"; };"), "", CLDANN_E_CONFIG, ":3: lr.lr must be a number from 0 to 1000");
  bad(small("lr = 0.1;"), "", CLDANN_E_CONFIG, ":3: lr must be a group");
  bad(small(""), "input.scale=0", CLDANN_E_CONFIG, "above 0");
  bad(small("input = { subtract_mean = 1; };"), "", CLDANN_E_CONFIG, "true or false");
  bad(small("batch = 7;"), "", CLDANN_E_CONFIG, ":3: batch 7 is odd");
  GOOD(load(small("batch = 7;"), "method=source-only"));
  bad(small("name = \"small\";"), "", CLDANN_E_CONFIG, ":3: duplicate setting name");
  bad(small("seed = ;"), "", CLDANN_E_CONFIG, ":3: syntax error");
  bad(small("seed = 5000000000;"), "", CLDANN_E_CONFIG, ":3: a whole number above 2147483647 needs an L");
  GOOD(load(small("seed = 5000000000L; /* 5000000000 @ */ # @include 5000000000"), ""));
  ck_assert(x->s.seed == 5000000000u);
  bad(small("@include \"y.conf\""), "", CLDANN_E_CONFIG, ":3: @include is not supported");
  bad(in("none.conf"), "", CLDANN_E_IO, "none.conf: No such file");
  bad(folder, "", CLDANN_E_IO, "is not a file");
  done();
}
END_TEST

START_TEST(bad_nets) {
#define NET(FEATURES) written("net = { input = [8, 8, 3];\nfeatures = (\n" FEATURES ");\n" NET_HEADS BLOBS)
  bad(NET("{op = \"conv2\"; filters = 3; kernel = 5;}"), "", CLDANN_E_CONFIG,
      "x.conf:3: unknown op conv2; did you mean conv2d?");
  bad(NET("{op = \"conv2d\"; filter = 3; kernel = 5;}"), "", CLDANN_E_CONFIG,
      ":3: unknown key net.features.conv2d.filter; did you mean net.features.conv2d.filters?");
  bad(NET("{op = \"conv2d\"; filters = 3;}"), "", CLDANN_E_CONFIG, ":3: conv2d needs kernel");
  bad(NET("{op = \"relu\"; units = 3;}"), "", CLDANN_E_CONFIG, ":3: unknown key net.features.relu.units");
  bad(NET("{filters = 3;}"), "", CLDANN_E_CONFIG, ":3: each item of net.features must be a group with op");
  bad(NET("{op = \"conv2d\"; filters = 3; kernel = 5; padding = \"sane\";}"), "", CLDANN_E_CONFIG, "did you mean same?");
  bad(NET("{op = \"conv2d\"; filters = 3; kernel = 9; name = \"wide\";}"), "", CLDANN_E_SHAPE, ":3: conv2d wide: a 9x9 window");
  bad(NET("{op = \"relu\"; name = \"a\";},\n{op = \"tanh\"; name = \"a\";}"), "", CLDANN_E_CONFIG, ":4: two nodes are named a");
  bad(NET("{op = \"softmax_xent\";}"), "", CLDANN_E_CONFIG, ":3: softmax_xent is a loss");
  bad(NET("{op = \"dense\"; units = 1000000;},\n{op = \"dense\"; units = 3; init = {weights = {kind = "
          "\"truncated_normal\";};};}"),
      "", CLDANN_E_CONFIG, ":4: truncated_normal needs value");
  bad(NET("{op = \"conv2d\"; filters = 1000000; kernel = 1;}"), "", CLDANN_E_SHAPE, ":3: conv2d conv2d1: its output");
  bad(small(""), "net.label_head=({op=\"dense\";units=2;})", CLDANN_E_CONFIG, "its last op must be softmax_xent");
  bad(small(""), "net.domain_head=({op=\"dense\";units=1;},{op=\"softmax_xent\";})", CLDANN_E_SHAPE, "--set net.domain_head");
  bad(small(""), "net.domain_head=({op=\"dense\";units=1;},{op=\"logistic_xent\";})", CLDANN_E_CONFIG, "has no reversal");
  bad(small(""), "net.input=[0,1,2]", CLDANN_E_CONFIG, "net.input must be");
  bad(small(""), "net.input=[60000,60000,2]", CLDANN_E_SHAPE, "net.input is too large");
  bad(written("seed = 1;\n" BLOBS), "", CLDANN_E_CONFIG, "net.input is missing");
  done();
}
END_TEST

/* ---- data ---- */

static void bad_data(const char *path, const char *sets, int status, const char *text) {
  GOOD(load(path, sets));
  const int rc = experiment_load_data(x, NULL, NULL);
  ck_assert_msg(rc == status && strstr(ctx.err.message, text), "status %d, wanted '%s' in: %s", rc, text, ctx.err.message);
}

START_TEST(idx_sets) {
  dataset *d = NULL;
  const char *file = source_path("experiments/digits.conf");
  GOOD(digits_make(&ctx.err, 3, 0, DIGITS_SOURCE, 100, 1, &d));
  GOOD(idx_write_images(&ctx.err, in("images"), d));
  GOOD(idx_write_labels(&ctx.err, in("labels"), d));
  dataset_free(d);
#define SMALL "batch=20|data.source.n=20|data.target.n=20|data.target_test.n=20|data.source_test.kind=idx|"
  GOOD(load(file, SMALL "data.source_test.images=images|data.source_test.labels=labels|data.source_test.skip=10|"
                        "data.source_test.count=25|data.source_test.binarise=true"));
  GOOD(experiment_load_data(x, NULL, NULL));
  d = x->source_test;
  ck_assert(d->n == 25 && d->y[3] == 3 && d->c == 1);
  for (int i = 0; i < 28 * 28; i++) ck_assert(((uint8_t *)d->x)[i] == 0 || ((uint8_t *)d->x)[i] == 255);
  bad_data(file, SMALL "data.source_test.images=images", CLDANN_E_CONFIG, "data.source_test (");
  bad_data(file, SMALL "data.source_test.images=nowhere", CLDANN_E_IO, "nowhere");
  bad(file, SMALL "seed=2", CLDANN_E_CONFIG, "data.source_test of kind idx needs images");
  done();
}
END_TEST

/* Labels must mean the same in all sets, by agreement or by a list. */
START_TEST(file_sets) {
  static const char source[] = "-1 0:1\n1 1:2\n-1 1:3\n", target[] = "1 0:1\n-1 1:2\n", ones[] = "1 0:1\n1 1:2\n",
                    odd[] = "0 0:1\n2 1:2\n", wide[] = "1 0:1\n-1 2:1\n";
#define FILES "batch=2|data.source.kind=file|data.source.path=s|data.target.kind=file|"
  write_file(in("s"), source, strlen(source));
  write_file(in("t"), target, strlen(target));
  write_file(in("ones"), ones, strlen(ones));
  write_file(in("odd"), odd, strlen(odd));
  write_file(in("wide"), wide, strlen(wide));
  GOOD(load(small(""), FILES "data.target.path=t|data.source.skip=1|data.source.shape=[1,1,2]"));
  GOOD(experiment_load_data(x, NULL, NULL));
  ck_assert(x->source->n == 2 && x->source->y[0] == 1 && x->source->y[1] == 0);
  ck_assert(x->target->y[0] == 1 && x->target->y[1] == 0 && x->target->classes == 2);
  bad_data(small(""), FILES "data.target.path=ones", CLDANN_E_FORMAT,
           "source (s) has the class '-1', target (ones) has not, so their labels do not mean the same; give data.classes");
  ck_assert_ptr_null(x->target);
  GOOD(load(small(""), FILES "data.target.path=ones|data.classes=[1, -1]"));
  GOOD(experiment_load_data(x, NULL, NULL));
  ck_assert(x->source->y[1] == 0 && x->source->y[0] == 1 && x->target->y[0] == 0 && x->target->classes == 2);
  bad_data(small(""), "data.classes=[\"a\"]|" FILES "data.target.path=t", CLDANN_E_FORMAT,
           "label '-1', which data.classes lacks");
  bad_data(small(""), "batch=2|data.target.kind=file|data.target.path=t", CLDANN_E_FORMAT,
           "target (t) has the class '-1', source (blobs-source)");
  bad_data(small(""), "batch=2|data.target.kind=file|data.target.path=odd", CLDANN_E_FORMAT, "the labels skip 1");
  bad_data(small(""), FILES "data.target.path=wide", CLDANN_E_SHAPE, "or give the set shape, width");
  bad_data(small(""), FILES "data.target.path=wide|data.target.width=2", CLDANN_E_FORMAT, "index 2 is beyond the width 2");
  bad_data(small(""), FILES "data.target.path=t|data.target.skip_bad=true", CLDANN_E_CONFIG, "data.target.path=t: ");
  bad(small(""), FILES "seed=1", CLDANN_E_CONFIG, "data.target of kind file needs path");
  bad(small(""), "data.classes=3", CLDANN_E_CONFIG, "data.classes must be a list of texts or whole numbers");
  bad(small(""), "data.classes=[]", CLDANN_E_CONFIG, "data.classes must be a list");
  done();
}
END_TEST

/* Every allocation of loading may fail; nothing leaks, and a second attempt works. */
/* mSDA: every set is three times as wide, begins with its own numbers, and both training sets were there to learn from. */
START_TEST(msda_sets) {
  static const char net[] = "net.input=[1,1,6]|data.msda.layers=2|data.msda.noise=0.25|data.source_test.n=30";
  cldann_experiment *plain = NULL;
  GOOD(load(source_path("experiments/blobs.conf"), "data.source_test.n=30"));
  GOOD(experiment_load_data(x, NULL, NULL));
  plain = x, x = NULL;
  GOOD(load(source_path("experiments/blobs.conf"), net));
  GOOD(experiment_load_data(x, NULL, NULL));
  const dataset *wide[] = {x->source, x->target, x->source_test, x->target_test},
                *narrow[] = {plain->source, plain->target, plain->source_test, plain->target_test};
  for (int s = 0; s < 4; s++) {
    ck_assert(wide[s]->n == narrow[s]->n && wide[s]->c == 6 && wide[s]->y);
    for (int i = 0; i < wide[s]->n; i++) {
      const float *a = (const float *)wide[s]->x + 6 * i, *b = (const float *)narrow[s]->x + 2 * i;
      ck_assert(a[0] == b[0] && a[1] == b[1] && a[2] > -1 && a[2] < 1 && a[5] > -1 && a[5] < 1);
    }
  }
  cldann_experiment_free(plain);
  GOOD(load(source_path("experiments/blobs.conf"), "data.msda.layers=2"));
  ck_assert_int_eq(experiment_load_data(x, NULL, NULL), CLDANN_E_SHAPE);
  ck_assert_msg(strstr(ctx.err.message, "has items of 1 x 1 x 6 but net.input") != NULL, "%s", ctx.err.message);
  bad(source_path("experiments/blobs.conf"), "data.msda.noise=1", CLDANN_E_CONFIG, "data.msda.noise");
  done();
}
END_TEST

/* Loaded data go from one experiment to the next, where they are the same. */
START_TEST(data_handed_on) {
  static const char *const same[] = {"lambda.max=3", "method=source-only|batch=9"}, *const other[] = {"seed=2",
                                                                                                      "data.target.n=200",
                                                                                                      "validation.share=0.1",
                                                                                                      "data.source.seed=9"};
  cldann_experiment *from = NULL;
  GOOD(load(source_path("experiments/blobs.conf"), ""));
  GOOD(experiment_load_data(x, NULL, NULL));
  from = x, x = NULL;
  for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
    GOOD(load(source_path("experiments/blobs.conf"), other[i]));
    GOOD(cldann_experiment_take_data(x, from));
    ck_assert(!x->loaded && !x->source && from->loaded && from->source);
  }
  for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
    const dataset *source = from->source, *test = from->target_test;
    GOOD(load(source_path("experiments/blobs.conf"), same[i]));
    GOOD(cldann_experiment_take_data(x, from));
    ck_assert(x->loaded && x->source == source && x->target_test == test && !from->loaded && !from->source);
    cldann_experiment_free(from);
    from = x, x = NULL;
  }
  GOOD(load(source_path("experiments/blobs.conf"), "batch=4000"));
  ck_assert_int_eq(cldann_experiment_take_data(x, from), CLDANN_E_CONFIG);
  ck_assert_msg(strstr(ctx.err.message, "lower batch") != NULL, "%s", ctx.err.message);
  cldann_experiment_free(from);
  done();
}
END_TEST

START_TEST(file_out_of_memory) {
  static const char rows[] = "-1 0:1\n1 1:2\n";
  write_file(in("s"), rows, strlen(rows));
  for (long i = 0;; i++) {
    GOOD(load(small(""), FILES "data.target.path=s|data.classes=[-1, 1]"));
    mem_fail_after(i);
    const int rc = experiment_load_data(x, NULL, NULL);
    mem_fail_after(-1);
    ck_assert_msg(rc == 0 || ctx.err.code == CLDANN_E_MEM, "%s", ctx.err.message);
    if (rc == 0) break;
    err_clear(&ctx.err);
    GOOD(experiment_load_data(x, NULL, NULL));
  }
  done();
}
END_TEST

START_TEST(bad_sets) {
  bad_data(source_path("experiments/digits.conf"), "data.source.kind=blobs", CLDANN_E_SHAPE,
           "items of 1 x 1 x 2 but net.input is [28, 28, 3]");
  bad_data(source_path("experiments/digits.conf"), "data.source.n=20", CLDANN_E_CONFIG,
           "has 20 items to train on, fewer than the 32");
  bad_data(source_path("experiments/digits.conf"), "net.label_head=({op=\"dense\";units=9;name=\"l\";},{op=\"softmax_xent\";})",
           CLDANN_E_SHAPE, "labels up to 9");
  bad(source_path("experiments/blobs.conf"), "data.source.kind=blob", CLDANN_E_CONFIG, "did you mean blobs?");
  bad(source_path("experiments/blobs.conf"), "data.source.dir=x", CLDANN_E_CONFIG, "a set of kind blobs has no dir");
  bad(source_path("experiments/blobs.conf"), "data.sorce.n=3", CLDANN_E_CONFIG, "did you mean data.source?");
  bad(small("data2 = 1;"), "", CLDANN_E_CONFIG, "did you mean data?");
  GOOD(load(small(""), "data.source_test.kind=blobs"));
  bad(small(""), "data.source_test.n=3", CLDANN_E_CONFIG, "data.source_test has no kind");
  bad_data(source_path("experiments/mnist-mnistm.conf"), "", CLDANN_E_IO, "fetch mnist");
  ck_assert_ptr_nonnull(strstr(ctx.err.message, "--data DIR"));
  done();
}
END_TEST

/* Every allocation may fail; nothing leaks. */
START_TEST(out_of_memory) {
  for (long i = 1;; i++) {
    err_clear(&ctx.err);
    mem_fail_after(i);
    const int rc =
        cldann_experiment_load(&ctx, source_path("experiments/blobs.conf"), (const char *[]){"seed=3"}, 1, folder, &x);
    mem_fail_after(-1);
    ck_assert(rc == 0 || ctx.err.code == CLDANN_E_MEM);
    if (rc == 0) break;
    ck_assert_int_eq(mem_live(), 0);
  }
  done();
}
END_TEST

int main(void) {
  Suite *s = suite_create("experiment");
  TCase *t = tcase_create("experiment");
  suite_add_tcase(s, t);
  tcase_add_checked_fixture(t, fresh, NULL);
  tcase_add_test(t, tf_dann);
  tcase_add_test(t, blobs);
  tcase_add_test(t, digits);
  tcase_add_test(t, layers);
  tcase_add_test(t, texts_of_any_bytes);
  tcase_add_test(t, kind_replaces);
  tcase_add_test(t, as_one_text);
  tcase_add_test(t, windows);
  tcase_add_test(t, bad_keys);
  tcase_add_test(t, bad_values);
  tcase_add_test(t, bad_nets);
  tcase_add_test(t, idx_sets);
  tcase_add_test(t, file_sets);
  tcase_add_test(t, msda_sets);
  tcase_add_test(t, data_handed_on);
  tcase_add_test(t, file_out_of_memory);
  tcase_add_test(t, bad_sets);
  tcase_add_test(t, out_of_memory);
  return runner_run(s, NULL);
}

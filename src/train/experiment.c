/*
 * train/experiment.c: the public experiment: the table of all keys with their ranges, the defaults, and the settings that
 * come of them. Reading and checking: train/conf.c. The net: experiment_net.c. The data: experiment_data.c.
 */
#include <float.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/memo.h"
#include "base/text.h"
#include "data/classes.h"
#include "train/conf.h"

#define IN(field) .at = offsetof(settings, field), .size = sizeof(((settings *)0)->field)
#define END \
  { .name = NULL }

/* Choices stand in the order of the enums of settings.h and cl/layout.clh. */
static const char *const lr_kinds[] = {"constant", "inverse", NULL};
static const char *const lambda_kinds[] = {"constant", "ramp", NULL};
static const char *const lambda_modes[] = {"features", "both", NULL};
static const char *const optimiser_kinds[] = {"sgd", "momentum", "nesterov", "adam", NULL};
static const char *const label_reduces[] = {"mean", "sum", NULL};
static const char *const domain_reduces[] = {"mean", "sum", "halves", NULL};
/* In the order of methods[]. */
static const char *const method_names[] = {"dann", "source-only", "target-only", "domain-only", "svm", NULL};

static const conf_key lr_keys[] = {
    {.name = "schedule", .type = CONF_CHOICE, .choices = lr_kinds, IN(lr.kind)},
    {.name = "lr", .type = CONF_NUMBER, .min = 0, .max = 1000, IN(lr.lr)},
    {.name = "alpha", .type = CONF_NUMBER, .min = 0, .max = 1e6, IN(lr.alpha)},
    {.name = "beta", .type = CONF_NUMBER, .min = 0, .max = 100, IN(lr.beta)},
    END,
};
static const conf_key lambda_keys[] = {
    {.name = "schedule", .type = CONF_CHOICE, .choices = lambda_kinds, IN(lambda.kind)},
    {.name = "max", .type = CONF_NUMBER, .min = -1000, .max = 1000, IN(lambda.max)},
    {.name = "gamma", .type = CONF_NUMBER, .min = 0, .max = 1000, IN(lambda.gamma)},
    {.name = "mode", .type = CONF_CHOICE, .choices = lambda_modes, IN(lambda.mode)},
    {.name = "domain_weight", .type = CONF_NUMBER, .min = 0, .max = 1000, IN(lambda.domain_weight)},
    END,
};
static const conf_key optimiser_keys[] = {
    {.name = "kind", .type = CONF_CHOICE, .choices = optimiser_kinds, IN(optimiser.kind)},
    {.name = "momentum", .type = CONF_NUMBER, .min = 0, .max = 0.99999, IN(optimiser.momentum)},
    {.name = "beta1", .type = CONF_NUMBER, .min = 0, .max = 0.99999, IN(optimiser.beta1)},
    {.name = "beta2", .type = CONF_NUMBER, .min = 0, .max = 0.99999, IN(optimiser.beta2)},
    {.name = "epsilon", .type = CONF_NUMBER, .min = DBL_MIN, .max = 1, IN(optimiser.epsilon)},
    {.name = "weight_decay", .type = CONF_NUMBER, .min = 0, .max = 100, IN(optimiser.weight_decay)},
    {.name = "clip_norm", .type = CONF_NUMBER, .min = 0, .max = 1e6, IN(optimiser.clip_norm)},
    END,
};
static const conf_key loss_keys[] = {
    {.name = "label", .type = CONF_CHOICE, .choices = label_reduces, IN(label_reduce)},
    {.name = "domain", .type = CONF_CHOICE, .choices = domain_reduces, IN(domain_reduce)},
    END,
};
static const char *const keep_kinds[] = {"best", "last", NULL};
static const conf_key validation_keys[] = {
    {.name = "share", .type = CONF_NUMBER, .min = 0, .max = 0.9, IN(validation.share)},
    {.name = "patience", .type = CONF_INT, .min = 0, .max = 1e9, IN(validation.patience)},
    {.name = "least", .type = CONF_INT, .min = 0, .max = 1e9, IN(validation.least)},
    {.name = "grow", .type = CONF_NUMBER, .min = 0, .max = 1000, IN(validation.grow)},
    {.name = "keep", .type = CONF_CHOICE, .choices = keep_kinds, IN(validation.keep)},
    {.name = "reverse", .type = CONF_FLAG, IN(validation.reverse)},
    END,
};
static const conf_key svm_keys[] = {{.name = "c", .type = CONF_NUMBER, .min = DBL_MIN, .max = 1e9, IN(svm_c)}, END};
static const conf_key measure_keys[] = {
    {.name = "pad", .type = CONF_FLAG, IN(measure_pad)},
    {.name = "svm_head", .type = CONF_FLAG, IN(measure_svm_head)},
    END,
};
static const conf_key input_keys[] = {
    {.name = "scale", .type = CONF_NUMBER, .min = DBL_MIN, .max = 1e6, IN(scale)},
    {.name = "subtract_mean", .type = CONF_FLAG, IN(mean_channels)},
    END,
};
static const conf_key augment_keys[] = {
    {.name = "crop", .type = CONF_FLAG, IN(augment_crop)},
    {.name = "mirror", .type = CONF_FLAG, IN(augment_mirror)},
    END,
};
static const conf_key root_keys[] = {
    {.name = "name", .type = CONF_TEXT, .max = 63, IN(name)},
    {.name = "preset", .type = CONF_TEXT, .max = 31, IN(preset)},
    {.name = "method", .type = CONF_CHOICE, .choices = method_names},
    {.name = "seed", .type = CONF_INT, .min = 0, .max = 9e18, IN(seed)},
    {.name = "steps", .type = CONF_INT, .min = 1, .max = 1e9, IN(steps)},
    {.name = "log_every", .type = CONF_INT, .min = 1, .max = 1e9, IN(log_every)},
    {.name = "batch", .type = CONF_INT, .min = 1, .max = 65536, IN(batch)},
    {.name = "eval_batch", .type = CONF_INT, .min = 1, .max = 65536, IN(eval_batch)},
    {.name = "device_memory", .type = CONF_NUMBER, .min = 0, .max = 1e9, IN(device_memory)},
    {.name = "horizon", .type = CONF_INT, .min = 0, .max = 1e9, IN(horizon)},
    {.name = "lr", .type = CONF_GROUP, .keys = lr_keys},
    {.name = "lambda", .type = CONF_GROUP, .keys = lambda_keys},
    {.name = "optimiser", .type = CONF_GROUP, .keys = optimiser_keys},
    {.name = "loss", .type = CONF_GROUP, .keys = loss_keys},
    {.name = "validation", .type = CONF_GROUP, .keys = validation_keys},
    {.name = "svm", .type = CONF_GROUP, .keys = svm_keys},
    {.name = "measure", .type = CONF_GROUP, .keys = measure_keys},
    {.name = "input", .type = CONF_GROUP, .keys = input_keys},
    {.name = "augment", .type = CONF_GROUP, .keys = augment_keys},
    {.name = "init", .type = CONF_GROUP, .keys = conf_init_keys},
    {.name = "net", .type = CONF_GROUP, .keys = conf_net_keys},
    {.name = "data", .type = CONF_GROUP, .keys = conf_data_keys},
    END,
};

static const settings defaults = {
    .method = &methods[0],
    .seed = 1,
    .steps = 1000,
    .log_every = 100,
    .batch = 64,
    .eval_batch = 256,
    .label_reduce = REDUCE_MEAN,
    .domain_reduce = REDUCE_MEAN,
    .lr = {LR_INVERSE, 0.01, 10.0, 0.75},
    .lambda = {LAMBDA_RAMP, 1.0, 10.0, LAMBDA_REVERSED, 1.0},
    .optimiser = {OPT_MOMENTUM, 0.9, 0.9, 0.999, 1e-8, 0.0},
    .svm_c = 1.0,
    .scale = 1.0,
};

/* The file's name without folder and .conf. */
static void name_after(const char *path, char *to, size_t room) {
  snprintf(to, room, "%s", text_base(path));
  if (text_ends_with(to, ".conf")) to[strlen(to) - strlen(".conf")] = '\0';
}

static int read_settings(cldann_experiment *x, const char *path) {
  settings *s = &x->s;
  *s = defaults;
  name_after(path, s->name, sizeof s->name);
  conf_read(x->cfg, root_keys, "", s);
  s->method = &methods[conf_choice(conf_get(x->cfg, "method"), method_names, METHOD_DANN)];
  if (s->method->source && s->method->target && s->batch % 2)
    return conf_bad(x->cfg, conf_get(x->cfg, "batch"), CLDANN_E_CONFIG,
                    "batch %d is odd; method %s takes one half of it from the source and one from the target", s->batch,
                    s->method->name);
  if (s->validation.share > 0 && !s->method->label_loss)
    return conf_bad(x->cfg, conf_get(x->cfg, "validation.share"), CLDANN_E_CONFIG,
                    "validation is by the accuracy of the label head, which method %s does not train; leave validation out",
                    s->method->name);
  if (s->validation.reverse && (s->validation.share <= 0 || !s->method->source))
    return conf_bad(x->cfg, conf_get(x->cfg, "validation.reverse"), CLDANN_E_CONFIG,
                    "reverse validation needs held-out rows and a method that trains on the source; %s",
                    s->method->source ? "set validation.share, as 0.1" : "leave it out");
  return CLDANN_OK;
}

int experiment_open(cldann *c, const char *path, const char *text, const char *const *overrides, int n, const char *data_dir,
                    cldann_experiment **out) {
  int rc;
  cldann_experiment *x = NULL;
  *out = NULL;
  if (c->err.code) return c->err.code; /* the first error wins until it is cleared */
  TRY(mem_new(&c->err, &x, 1, sizeof *x));
  x->ctx = c;
  if (data_dir) TRY(mem_strdup(&c->err, &x->data_dir, data_dir));
  TRY(conf_load(&c->err, root_keys, path, text, overrides, n, &x->cfg));
  TRY(read_settings(x, path));
  TRY(experiment_build_net(x));
  TRY(experiment_check_data(x));
  *out = x;
  return CLDANN_OK;
fail:
  cldann_experiment_free(x);
  return rc;
}

int cldann_experiment_load(cldann *c, const char *path, const char *const *overrides, int n, const char *data_dir,
                           cldann_experiment **out) {
  return experiment_open(c, path, NULL, overrides, n, data_dir, out);
}

/* The net goes in as overrides, so that all which is done with a file's net, its text too, is done with this one. */
int cldann_experiment_new(cldann *c, const char *text, const cldann_net *net, cldann_experiment **out) {
  char *sets[NET_SETS] = {NULL};
  int rc;
  *out = NULL;
  if (c->err.code) return c->err.code;
  if (net) TRY(experiment_net_sets(&c->err, net, sets));
  TRY(experiment_open(c, "experiment", text ? text : "", (const char *const *)sets, net ? NET_SETS : 0, NULL, out));
  const config_setting_t *own = net ? conf_get((*out)->cfg, "net") : NULL;
  if (own) {
    rc = conf_bad((*out)->cfg, own, CLDANN_E_CONFIG, "the text has a net, and a net was built for it; leave one of them out");
    cldann_experiment_free(*out);
    *out = NULL;
  }
fail:
  for (int i = 0; i < NET_SETS; i++) mem_free(sets[i]);
  return rc;
}

int cldann_experiment_text(cldann_experiment *x, char **out) {
  return conf_write(x, root_keys, out);
}

/* The file's own list, else what a set's labels are called. */
int experiment_class_names(const cldann_experiment *x, char **out) {
  const config_setting_t *list = conf_get(x->cfg, "data.classes");
  const dataset *const sets[] = {x->source, x->target, x->source_test, x->target_test};
  const class_list *names = NULL;
  memo text = {.f = NULL};
  char room[32];
  int rc;
  *out = NULL;
  for (size_t i = 0; i < sizeof sets / sizeof *sets && !names; i++)
    if (sets[i]) names = sets[i]->names;
  const int n = list ? config_setting_length(list) : names ? names->n : 0;
  if (!n) return CLDANN_OK;
  TRY(memo_open(&x->ctx->err, &text));
  for (int i = 0; i < n; i++)
    fprintf(text.f, "%s%s", i ? "\n" : "", list ? conf_name(config_setting_get_elem(list, (unsigned)i), room) : names->name[i]);
  TRY(memo_take(&x->ctx->err, &text, out));
fail:
  memo_free(&text);
  return rc;
}

void cldann_experiment_free(cldann_experiment *x) {
  if (!x) return;
  cldann_net_free(x->net);
  dataset_free(x->source);
  dataset_free(x->target);
  dataset_free(x->source_test);
  dataset_free(x->target_test);
  dataset_free(x->source_held);
  dataset_free(x->target_held);
  conf_free(x->cfg);
  mem_free(x->data_dir);
  mem_free(x);
}

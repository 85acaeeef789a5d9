/*
 * train/experiment_data.c: from the data group of an experiment file to data sets in host memory: all of them, what their
 * classes are called, what is held out; that they fit the net is checked here, before the device is used. One set:
 * experiment_sets.h.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "data/classes.h"
#include "data/msda.h"
#include "data/sampler.h"
#include "train/experiment_sets.h"
#include "train/judge.h"

#define END \
  { .name = NULL }

static const conf_key msda_keys[] = {
    {.name = "layers", .type = CONF_INT, .min = 1, .max = 100},
    {.name = "noise", .type = CONF_NUMBER, .min = 0, .max = 0.99},
    END,
};
const conf_key conf_data_keys[] = {
    {.name = "classes", .type = CONF_NAMES},
    {.name = "msda", .type = CONF_GROUP, .keys = msda_keys},
    {.name = "source", .type = CONF_GROUP, .keys = conf_set_keys},
    {.name = "target", .type = CONF_GROUP, .keys = conf_set_keys},
    {.name = "source_test", .type = CONF_GROUP, .keys = conf_set_keys},
    {.name = "target_test", .type = CONF_GROUP, .keys = conf_set_keys},
    END,
};

/* ---- checks ---- */

static int check_several(cldann_experiment *x, const set_view *v) {
  const int n = set_parts(v), domain = role_domain(v->r);
  int rc = CLDANN_OK;
  TRY(set_check(v));
  for (int i = 0; set_get(v, "sets") && i < n; i++) {
    const set_view p = set_part(v, i);
    if (p.kind < 0 || set_is_several(&p))
      return conf_bad(v->c, p.part, CLDANN_E_CONFIG, "each of data.%s.sets needs a kind, another than several",
                      role_names[v->r]);
    TRY(set_check(&p));
  }
  if (!role_test(v->r)) x->domains[domain] = n;
  if (role_test(v->r) && n > 1 && n != x->domains[domain])
    return conf_bad(v->c, set_get(v, "kind"), CLDANN_E_CONFIG,
                    "data.%s has %d sets but data.%s has %d; give one of each domain, in the same order", role_names[v->r], n,
                    role_names[domain], x->domains[domain]);
fail:
  return rc;
}

/* More than two units of a softmax are one for each domain. */
static int check_domains(const cldann_experiment *x) {
  const cldann_node *loss = net_loss(x->net, CLDANN_TARGET_DOMAIN);
  const int n = x->domains[0] + x->domains[1], units = loss ? judge_units(&loss->o) : 0;
  if (units <= 2 || units == n) return CLDANN_OK;
  return conf_bad(x->cfg, conf_get(x->cfg, "net.domain_head"), CLDANN_E_SHAPE,
                  "the domain head %s has %d units but there are %d domains; give it %d, or 2 to tell source from target alone",
                  loss->o.name, units, n, n);
}

int experiment_many_domains(const cldann_experiment *x) {
  const cldann_node *loss = net_loss(x->net, CLDANN_TARGET_DOMAIN);
  return loss && judge_units(&loss->o) > 2;
}

int experiment_check_data(cldann_experiment *x) {
  int rc = CLDANN_OK;
  set_view v;
  x->domains[0] = x->domains[1] = 1;
  for (role r = 0; r < ROLES; r++) {
    char path[64];
    const config_setting_t *group;
    if (set_open(x, r, &v)) {
      TRY(check_several(x, &v));
      continue;
    }
    snprintf(path, sizeof path, "data.%s", role_names[r]);
    group = conf_get(x->cfg, path);
    for (const conf_key *k = conf_set_keys; k->name && !group; k++) group = set_get(&v, k->name);
    if (group)
      return conf_bad(x->cfg, group, CLDANN_E_CONFIG,
                      "data.%s has no kind; give idx, mnist, mnist-m, blobs, moons, digits, file or several", role_names[r]);
  }
  TRY(check_domains(x));
fail:
  return rc;
}

/* Labels are needed where the method trains on them and wherever accuracy is measured. */
static int needs_labels(const method *m, role r) {
  if (role_test(r)) return 1;
  return m->label_loss && (r == ROLE_SOURCE ? m->source : m->target && !m->source);
}

/* At least one, where any. */
static int held_out_of(const cldann_experiment *x, role r, const dataset *d) {
  const double share = role_test(r) ? 0 : x->s.validation.share;
  const int n = (int)(share * d->n + 0.5);
  return share > 0 && n == 0 ? 1 : n;
}

static int check_shape(const cldann_experiment *x, const set_view *v, const dataset *d) {
  const shape in = net_input(x->net)->o.out;
  const int part = x->s.augment_crop && d->h >= in.h && d->w >= in.w;
  if ((x->s.augment_crop || x->s.augment_mirror) && dataset_is_sparse(d))
    return conf_bad(v->c, set_get(v, "kind"), CLDANN_E_CONFIG,
                    "data.%s (%s) is sparse, and no set of images; leave augment out", role_names[v->r], d->name);
  if ((part || (d->h == in.h && d->w == in.w)) && (d->c == in.c || d->c == 1)) return CLDANN_OK;
  return conf_bad(v->c, set_get(v, "kind"), CLDANN_E_SHAPE,
                  "data.%s (%s) has items of %d x %d x %d but net.input is [%d, %d, %d]; change one of them%s",
                  role_names[v->r], d->name, d->h, d->w, d->c, in.h, in.w, in.c,
                  set_is_file(v) ? ", or give the set shape, width, resize or crop, or all augment.crop" : "");
}

/* held: rows that are yet to be held out. */
static int check_fit(const cldann_experiment *x, const set_view *v, const dataset *d, int held) {
  const config_setting_t *kind = set_get(v, "kind");
  const method *m = x->s.method;
  const op *loss = &net_loss(x->net, CLDANN_TARGET_LABELS)->o;
  const int classes = judge_classes(loss);
  const int rows = m->source && m->target ? x->s.batch / 2 : x->s.batch;
  const int left = d->n - held;
  const int trains = v->r == ROLE_SOURCE ? m->source : v->r == ROLE_TARGET && m->target;
  const char *name = role_names[v->r];
  if (check_shape(x, v, d) < 0) return x->ctx->err.code;
  if (needs_labels(m, v->r) && !d->y)
    return conf_bad(v->c, kind, CLDANN_E_CONFIG, "data.%s (%s) has no labels; say where they are, as labels = \"...\"", name,
                    d->name);
  if (d->y && d->classes > classes)
    return conf_bad(v->c, kind, CLDANN_E_SHAPE,
                    "data.%s (%s) has labels up to %d but the label head %s tells %d classes apart; give it %d", name, d->name,
                    d->classes - 1, loss->name, classes, d->classes);
  if (trains && left < rows)
    return conf_bad(v->c, kind, CLDANN_E_CONFIG,
                    "data.%s (%s) has %d items to train on, fewer than the %d that a batch takes from it; lower batch%s", name,
                    d->name, left, rows, left < d->n ? " or validation.share" : "");
  return CLDANN_OK;
}

/* ---- all sets ---- */

static int agree(cldann_error *e, const char *a_role, const dataset *a, const char *b_role, const dataset *b) {
  return a && a->y && b->y && (a->names || b->names) ? classes_agree(e, a_role, a, b_role, b) : CLDANN_OK;
}

/*
 * Labels mean the same in all sets: what they are called is mapped by data.classes, or must agree. Every set that has labels
 * counts, used or not, since evaluation and another method would use them.
 */
static int name_classes(loader *l, const set_view *v, dataset *d) {
  const cldann_experiment *x = l->x;
  int rc = CLDANN_OK;
  cldann_error *err = l->err;
  const config_setting_t *list = conf_get(x->cfg, "data.classes");
  const int n = list ? config_setting_length(list) : 0;
  char(*room)[32] = NULL;
  const char **wanted = NULL;
  if (!d->y) return CLDANN_OK;
  if (list) {
    TRY(mem_new(err, &room, (size_t)n, sizeof *room));
    TRY(mem_new(err, &wanted, (size_t)n, sizeof *wanted));
    for (int i = 0; i < n; i++) wanted[i] = conf_name(config_setting_get_elem(list, (unsigned)i), room[i]);
    rc = classes_apply(err, d, wanted, n);
  } else {
    rc = classes_check(err, d);
    for (role r = 0; r < v->r && rc == CLDANN_OK; r++) rc = agree(err, role_names[r], *l->at[r], role_names[v->r], d);
  }
  if (rc < 0 && rc != CLDANN_E_MEM) conf_blame(x->cfg, list ? list : set_get(v, "kind"));
  rc = rc < 0 ? err->code : CLDANN_OK;
fail:
  mem_free(room);
  mem_free(wanted);
  return rc;
}

/* One set of them all, in which each item knows which of the experiment's domains it is of. */
static int load_several(loader *l, const set_view *v, dataset **out) {
  const int n = set_parts(v), first = role_domain(v->r) ? l->x->domains[0] : 0, listed = conf_get(v->c, "data.classes") != NULL;
  const char *name = role_names[v->r];
  dataset **parts = NULL;
  int rc;
  TRY(mem_new(l->err, &parts, (size_t)n, sizeof *parts));
  for (int i = 0; i < n; i++) {
    const set_view p = set_part(v, i);
    TRY(set_load(l, &p, 1, &parts[i]));
    TRY(name_classes(l, v, parts[i]));
    if (!listed && agree(l->err, name, parts[0], name, parts[i]) < 0) TRY(conf_blame(v->c, set_get(v, "kind")));
    TRY(dataset_set_domain(l->err, parts[i], first + i));
  }
  if ((rc = dataset_join(l->err, parts, n, out)) == CLDANN_E_ARG) rc = conf_blame(v->c, set_get(v, "kind"));
fail:
  for (int i = 0; parts && i < n; i++) dataset_free(parts[i]);
  mem_free(parts);
  return rc;
}

/* Whoever can be told which labels are needed, a program, is not asked for the target's when the method may not see them. */
static int load_set(loader *l, const set_view *v, dataset **out) {
  int rc;
  if (set_is_several(v)) return load_several(l, v, out);
  TRY(set_load(l, v, v->r != ROLE_TARGET || needs_labels(l->x->s.method, v->r), out));
  TRY(name_classes(l, v, *out));
fail:
  return rc;
}

/* data.msda: learnt from both training sets without their labels, then all sets go through it. */
static int denoise(cldann_experiment *x, dataset **const at[ROLES], cldann_on_message on_message, void *user) {
  const config_setting_t *wanted = conf_get(x->cfg, "data.msda.layers");
  dataset *fit[2] = {x->source, x->target}, *all[ROLES];
  char line[120];
  int rc = CLDANN_OK, n = 0;
  if (!wanted) return CLDANN_OK;
  for (role r = 0; r < ROLES; r++)
    if (*at[r]) all[n++] = *at[r];
  const double start = clock_now();
  rc =
      msda_apply(&x->ctx->err, (int)conf_int(wanted, 0), conf_number(conf_get(x->cfg, "data.msda.noise"), 0.5), fit, 2, all, n);
  if (rc == CLDANN_E_ARG || rc == CLDANN_E_SHAPE) conf_blame(x->cfg, wanted);
  TRY(rc);
  snprintf(line, sizeof line, "mSDA: %d numbers an item, in %.1f s", x->source->c, clock_now() - start);
  if (on_message) on_message(user, line);
fail:
  return rc;
}

static void tell(const set_view *v, const dataset *d, cldann_on_message on_message, void *user) {
  char line[240], bad[60] = "", sparse[60] = "";
  if (!on_message) return;
  if (d->left_out) snprintf(bad, sizeof bad, "; %d images could not be read and are left out", d->left_out);
  if (dataset_is_sparse(d))
    snprintf(sparse, sizeof sparse, ", sparse (%.1f numbers besides zeros)", (double)dataset_entries(d) / d->n);
  snprintf(line, sizeof line, "%s: %s, %d items of %d x %d x %d%s%s%s", role_names[v->r], d->name, d->n, d->h, d->w, d->c,
           sparse, d->y ? "" : ", no labels", bad);
  on_message(user, line);
}

/* Drawn by the experiment's seed; both parts keep the order of the set. */
static int hold_out(cldann_experiment *x, role r, dataset **set, dataset **held) {
  cldann_error *e = &x->ctx->err;
  const int all = *set ? (*set)->n : 0, n = *set ? held_out_of(x, r, *set) : 0;
  sampler *s = NULL;
  int32_t *order = NULL, *rows = NULL;
  char *out = NULL;
  dataset *rest = NULL;
  int rc = CLDANN_OK, at = 0;
  if (!n) return CLDANN_OK;
  TRY(mem_new(e, &order, (size_t)all, sizeof *order));
  TRY(mem_new(e, &rows, (size_t)all, sizeof *rows));
  TRY(mem_new(e, &out, (size_t)all, 1));
  TRY(sampler_new(e, &s, (*set)->name, all, all, x->s.seed, role_domain(r) ? RNG_HOLD_OUT_TARGET : RNG_HOLD_OUT_SOURCE));
  TRY(sampler_batch(e, s, 0, order));
  for (int i = 0; i < n; i++) out[order[i]] = 1;
  for (int i = 0; i < all; i++)
    if (out[i]) rows[at++] = i;
  for (int i = 0; i < all; i++)
    if (!out[i]) rows[at++] = i;
  TRY(dataset_take(e, *set, rows, n, held));
  TRY(dataset_take(e, *set, rows + n, all - n, &rest));
  rest->names = (*set)->names, (*set)->names = NULL;
  dataset_free(*set);
  *set = rest;
fail:
  sampler_free(s);
  mem_free(order), mem_free(rows), mem_free(out);
  return rc;
}

static dataset **held_by(cldann_experiment *x, int i) {
  dataset **const all[] = {&x->source, &x->target, &x->source_test, &x->target_test, &x->source_held, &x->target_held};
  return i < (int)(sizeof all / sizeof *all) ? all[i] : NULL;
}

void experiment_forget_data(cldann_experiment *x) {
  for (int i = 0; held_by(x, i); i++) {
    dataset_free(*held_by(x, i));
    *held_by(x, i) = NULL;
  }
  x->loaded = 0;
}

/* What the data sets of an experiment depend on. */
static const conf_key data_root[] = {
    {.name = "data", .type = CONF_GROUP, .keys = conf_data_keys},
    END,
};

int cldann_experiment_take_data(cldann_experiment *to, cldann_experiment *from) {
  char *a = NULL, *b = NULL;
  int rc, same;
  TRY(conf_write(to, data_root, &a));
  TRY(conf_write(from, data_root, &b));
  same = from->loaded && own_data_same(to, from) && !strcmp(strchr(a, '\n'), strchr(b, '\n')) && to->s.seed == from->s.seed &&
         to->s.validation.share == from->s.validation.share && !!to->data_dir == !!from->data_dir &&
         (!to->data_dir || !strcmp(to->data_dir, from->data_dir));
  if (same) {
    experiment_forget_data(to);
    for (int i = 0; held_by(to, i); i++) *held_by(to, i) = *held_by(from, i), *held_by(from, i) = NULL;
    to->loaded = 1, from->loaded = 0;
    for (role r = 0; r < ROLES; r++) { /* another net or batch may not fit them */
      const dataset *const *sets = (const dataset *const[]){to->source, to->target, to->source_test, to->target_test};
      set_view v;
      if (set_open(to, r, &v)) TRY(check_fit(to, &v, sets[r], 0));
    }
  }
fail:
  mem_free(a);
  mem_free(b);
  return rc;
}

int experiment_load_data(cldann_experiment *x, cldann_on_message on_message, void *user) {
  int rc = CLDANN_OK;
  loader l = {.x = x, .err = &x->ctx->err, .at = {&x->source, &x->target, &x->source_test, &x->target_test}};
  dataset ***const at = l.at;
  if (x->loaded) return CLDANN_OK;
  for (role r = 0; r < ROLES; r++) {
    set_view v;
    if (!set_open(x, r, &v) && role_test(r)) continue;
    TRY(load_set(&l, &v, l.at[r]));
    if (experiment_many_domains(x) && !(*at[r])->domain)
      TRY(dataset_set_domain(l.err, *at[r], role_domain(r) ? x->domains[0] : 0));
    tell(&v, *at[r], on_message, user);
  }
  TRY(denoise(x, l.at, on_message, user));
  for (role r = 0; r < ROLES; r++) {
    set_view v;
    if (set_open(x, r, &v)) TRY(check_fit(x, &v, *at[r], held_out_of(x, r, *at[r])));
  }
  TRY(hold_out(x, ROLE_SOURCE, &x->source, &x->source_held));
  TRY(hold_out(x, ROLE_TARGET, &x->target, &x->target_held));
  x->loaded = 1;
fail:
  if (rc < 0) experiment_forget_data(x); /* all or nothing: a second call begins anew */
  loader_end(&l);
  return rc;
}

/* ---- for a model in use ---- */

/* The set whose keys say how new data are read; ROLES: none does. */
static role reader_of(const cldann_experiment *x, set_view *v) {
  static const role order[] = {ROLE_TARGET_TEST, ROLE_TARGET};
  for (int i = 0; i < 2; i++)
    if (!own_data_is(x, order[i]) && set_open(x, order[i], v) && set_is_file(v)) return order[i];
  return ROLES;
}

const char *experiment_reader(const cldann_experiment *x) {
  set_view v;
  const role r = reader_of(x, &v);
  return r < ROLES ? role_names[r] : NULL;
}

int experiment_check_plain(const cldann_experiment *x) {
  int rc = CLDANN_OK;
  if (conf_get(x->cfg, "data.msda.layers"))
    FAIL(&x->ctx->err, CLDANN_E_ARG,
         "the model's input is behind mSDA, whose layers it does not hold; use a model of the plain input");
fail:
  return rc;
}

static int load_new(loader *l, const set_view *v, dataset **out) {
  dataset *d = NULL;
  int rc;
  TRY(set_load(l, v, 0, &d));
  mem_free(d->y);
  d->y = NULL, d->classes = 0;
  TRY(check_shape(l->x, v, d));
  *out = d;
  return CLDANN_OK;
fail:
  dataset_free(d);
  return rc;
}

/* Where the set has labels new data may have none: what can be read without them alone, in the net's shape, has none. */
int experiment_load_one(cldann_experiment *x, dataset **out) {
  loader l = {.x = x, .err = &x->ctx->err};
  set_view v;
  int rc;
  TRY(experiment_check_plain(x));
  if (!(own_data_is(x, ROLE_TARGET_TEST) && set_open(x, ROLE_TARGET_TEST, &v)) && reader_of(x, &v) == ROLES)
    FAIL(l.err, CLDANN_E_ARG, "the experiment has no target_test set of kind \"file\"");
  rc = load_new(&l, &v, out);
  if (rc < 0 && rc != CLDANN_E_MEM && set_has_of_file(&v, "labels")) {
    const cldann_error cause = *l.err;
    err_clear(l.err);
    l.unlabelled = 1;
    if ((rc = load_new(&l, &v, out)) < 0) *l.err = cause, rc = cause.code;
  }
  TRY(rc);
  x->loaded = 1;
fail:
  return rc;
}

/* train/conf.c: see train/conf.h. How a file is read: base/conftext.h. */
#include "train/conf.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conftext.h"
#include "base/mem.h"
#include "base/text.h"

enum { CONF_SIZE_MAX = 65536, NAMES_MAX = 64 };

/* ---- errors with a place ---- */

static const char *where(const struct config *c, const config_setting_t *s, char *to, size_t room) {
  for (int i = 0; s && i < c->n_sets; i++)
    if (s->config == &c->sets[i].tree) {
      snprintf(to, room, "--set %.120s", c->sets[i].text);
      return to;
    }
  if (s && config_setting_source_line(s) > 0)
    snprintf(to, room, "%.180s:%u", c->path, config_setting_source_line(s));
  else
    snprintf(to, room, "%.180s", c->path);
  return to;
}

int conf_bad(const struct config *c, const config_setting_t *s, int code, const char *fmt, ...) {
  char place[200], what[400];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(what, sizeof what, fmt, ap);
  va_end(ap);
  return err_set(c->err, code, __FILE__, __LINE__, "%s: %s", where(c, s, place, sizeof place), what);
}

int conf_blame(const struct config *c, const config_setting_t *s) {
  const cldann_error was = *c->err;
  if (!was.code) return CLDANN_OK;
  err_clear(c->err);
  const int code = was.code == CLDANN_E_ARG ? CLDANN_E_CONFIG : was.code; /* what a caller got wrong, a file got wrong here */
  conf_bad(c, s, code, "%.390s", was.message);
  memcpy(c->err->where, was.where, sizeof was.where);
  return code;
}

/* An unknown name: the nearest of its table, or where in a deeper group a key of that name is. */
static int bad_name(const struct config *c, const config_setting_t *s, const char *what, const char *name, const char *prefix,
                    const conf_key *table, const char *extra) {
  const char *names[NAMES_MAX], *near;
  size_t n = 0;
  for (const conf_key *k = table; k->name && n < NAMES_MAX - 1; k++) names[n++] = k->name;
  if (extra) names[n++] = extra;
  if ((near = text_nearest(name, names, n)))
    return conf_bad(c, s, CLDANN_E_CONFIG, "unknown %s %s%.60s; did you mean %s%s?", what, prefix, name, prefix, near);
  for (const conf_key *g = table; g->name; g++)
    for (const conf_key *k = g->type == CONF_GROUP ? g->keys : NULL; k && k->name; k++)
      if (!strcmp(k->name, name))
        return conf_bad(c, s, CLDANN_E_CONFIG, "unknown %s %s%.60s; did you mean %s%s.%s?", what, prefix, name, prefix, g->name,
                        name);
  return conf_bad(c, s, CLDANN_E_CONFIG, "unknown %s %s%.60s; all are listed in doc/experiments.md", what, prefix, name);
}

/* ---- values ---- */

const config_setting_t *conf_member(const config_setting_t *group, const char *name) {
  return group ? config_setting_get_member((config_setting_t *)group, name) : NULL;
}

int64_t conf_int(const config_setting_t *s, int64_t otherwise) {
  if (!s) return otherwise;
  return config_setting_type(s) == CONFIG_TYPE_INT ? config_setting_get_int(s) : config_setting_get_int64(s);
}

double conf_number(const config_setting_t *s, double otherwise) {
  if (!s) return otherwise;
  return config_setting_type(s) == CONFIG_TYPE_FLOAT ? config_setting_get_float(s) : (double)conf_int(s, 0);
}

int conf_flag(const config_setting_t *s, int otherwise) {
  return s ? config_setting_get_bool(s) : otherwise;
}

const char *conf_text(const config_setting_t *s, const char *otherwise) {
  return s ? config_setting_get_string(s) : otherwise;
}

int conf_choice(const config_setting_t *s, const char *const *choices, int otherwise) {
  for (int i = 0; s && choices[i]; i++)
    if (!strcmp(choices[i], config_setting_get_string(s))) return i;
  return otherwise;
}

static int elem(const config_setting_t *s, int i) {
  return (int)conf_int(config_setting_get_elem(s, (unsigned)i), 0);
}

static void store_padding(const config_setting_t *s, const conf_key *key, cldann_window *w) {
  if (config_setting_is_aggregate(s)) {
    w->padding = CLDANN_EXPLICIT;
    w->top = elem(s, 0), w->bottom = elem(s, 1), w->left = elem(s, 2), w->right = elem(s, 3);
  } else {
    w->padding = (cldann_padding)conf_choice(s, key->choices, CLDANN_VALID);
  }
}

/* One value, already checked, into `to` as its row says. */
static void store(const config_setting_t *s, const conf_key *key, void *to) {
  char *at = (char *)to + key->at;
  int small = 0;
  if (key->type == CONF_TEXT) snprintf(at, key->size, "%s", conf_text(s, ""));
  if (key->type == CONF_NUMBER && key->size == sizeof(double)) memcpy(at, &(double){conf_number(s, 0.0)}, sizeof(double));
  if (key->type == CONF_NUMBER && key->size == sizeof(float)) {
    memcpy(at, &(float){(float)conf_number(s, 0.0)}, sizeof(float));
    return;
  }
  if (key->type == CONF_PAIR) conf_sizes(s, (int *)(void *)at);
  if (key->type == CONF_PADDING) store_padding(s, key, (cldann_window *)(void *)at);
  if (key->type == CONF_INT && key->size == sizeof(int64_t)) memcpy(at, &(int64_t){conf_int(s, 0)}, sizeof(int64_t));
  if (key->type == CONF_INT && key->size == sizeof small) small = (int)conf_int(s, 0);
  if (key->type == CONF_FLAG) small = conf_flag(s, 0);
  if (key->type == CONF_CHOICE) small = conf_choice(s, key->choices, 0);
  if (key->size == sizeof small && key->type != CONF_TEXT) memcpy(at, &small, sizeof small);
}

void conf_store_all(const config_setting_t *group, const conf_key *table, void *to) {
  for (const conf_key *k = table; k->name; k++) {
    const config_setting_t *s = conf_member(group, k->name);
    if (s && k->type == CONF_GROUP) conf_store_all(s, k->keys, to);
    if (s && k->size) store(s, k, to);
  }
}

const char *conf_name(const config_setting_t *s, char room[32]) {
  if (config_setting_type(s) == CONFIG_TYPE_STRING) return config_setting_get_string(s);
  snprintf(room, 32, "%lld", (long long)conf_int(s, 0));
  return room;
}

void conf_sizes(const config_setting_t *s, int *to) {
  if (s && !config_setting_is_aggregate(s)) to[0] = to[1] = (int)conf_int(s, 0);
  for (int i = 0; s && config_setting_is_aggregate(s) && i < config_setting_length(s); i++)
    to[i] = (int)conf_int(config_setting_get_elem(s, (unsigned)i), 0);
}

static int is_int(const config_setting_t *s) {
  return config_setting_type(s) == CONFIG_TYPE_INT || config_setting_type(s) == CONFIG_TYPE_INT64;
}

static int int_within(const config_setting_t *s, int min) {
  return is_int(s) && conf_int(s, 0) >= min && conf_int(s, 0) <= CONF_SIZE_MAX;
}

/* An array or list of n integers from min on. */
static int is_ints(const config_setting_t *s, int n, int min) {
  if (!config_setting_is_aggregate(s) || config_setting_is_group(s) || config_setting_length(s) != n) return 0;
  for (int i = 0; i < n; i++)
    if (!int_within(config_setting_get_elem(s, (unsigned)i), min)) return 0;
  return 1;
}

static int is_names(const config_setting_t *s) {
  if (!config_setting_is_aggregate(s) || config_setting_is_group(s) || config_setting_length(s) < 1) return 0;
  for (int i = 0; i < config_setting_length(s); i++) {
    const config_setting_t *m = config_setting_get_elem(s, (unsigned)i);
    if (!is_int(m) && config_setting_type(m) != CONFIG_TYPE_STRING) return 0;
  }
  return 1;
}

/* ---- checking against the tables ---- */

static int check_group(const struct config *c, const config_setting_t *s, const conf_key *table, const char *prefix,
                       const char *skip);

static int check_ops(const struct config *c, const config_setting_t *list, const conf_key *ops, const char *path) {
  int rc = CLDANN_OK;
  if (!config_setting_is_list(list))
    return conf_bad(c, list, CLDANN_E_CONFIG, "%s must be a list of ops: ( {op = \"relu\";}, ... )", path);
  for (int i = 0; i < config_setting_length(list); i++) {
    const config_setting_t *s = config_setting_get_elem(list, (unsigned)i);
    const config_setting_t *name = config_setting_is_group(s) ? conf_member(s, "op") : NULL;
    const conf_key *row = ops;
    char prefix[96];
    if (!name || config_setting_type(name) != CONFIG_TYPE_STRING)
      return conf_bad(c, s, CLDANN_E_CONFIG, "each item of %s must be a group with op = \"NAME\"", path);
    while (row->name && strcmp(row->name, conf_text(name, ""))) row++;
    if (!row->name) return bad_name(c, name, "op", conf_text(name, ""), "", ops, NULL);
    snprintf(prefix, sizeof prefix, "%.60s.%s.", path, row->name);
    TRY(check_group(c, s, row->keys, prefix, "op"));
  }
fail:
  return rc;
}

static int check_groups(const struct config *c, const config_setting_t *list, const conf_key *table, const char *path) {
  int rc = CLDANN_OK;
  if (!config_setting_is_list(list) || config_setting_length(list) < 1)
    return conf_bad(c, list, CLDANN_E_CONFIG, "%s must be a list of groups: ( {...}, {...} )", path);
  for (int i = 0; i < config_setting_length(list); i++) {
    const config_setting_t *s = config_setting_get_elem(list, (unsigned)i);
    char prefix[96];
    if (!config_setting_is_group(s)) return conf_bad(c, s, CLDANN_E_CONFIG, "each item of %s must be a group { ... }", path);
    snprintf(prefix, sizeof prefix, "%.90s.", path);
    TRY(check_group(c, s, table, prefix, NULL));
  }
fail:
  return rc;
}

static int check_choice(const struct config *c, const config_setting_t *s, const conf_key *key, const char *path) {
  const char *const *all = key->choices, *const more = key->type == CONF_PADDING ? " or [top, bottom, left, right]" : "";
  char list[200] = "";
  size_t n = 0, at = 0;
  if (key->type == CONF_PADDING && is_ints(s, 4, 0)) return CLDANN_OK;
  for (; all[n]; n++) at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", n ? ", " : "", all[n]);
  if (config_setting_type(s) != CONFIG_TYPE_STRING)
    return conf_bad(c, s, CLDANN_E_CONFIG, "%s must be one of %s%s", path, list, more);
  if (conf_choice(s, all, -1) >= 0) return CLDANN_OK;
  const char *near = text_nearest(conf_text(s, ""), all, n);
  return conf_bad(c, s, CLDANN_E_CONFIG, "%s cannot be \"%.40s\"; %s%s%s%s%s", path, conf_text(s, ""),
                  near ? "did you mean " : "", near ? near : "", near ? "? It is one of " : "it is one of ", list, more);
}

static int check_number(const struct config *c, const config_setting_t *s, const conf_key *key, const char *path) {
  const int whole = key->type == CONF_INT;
  const double v = conf_number(is_int(s) || config_setting_type(s) == CONFIG_TYPE_FLOAT ? s : NULL, 0.0);
  if ((is_int(s) || (!whole && config_setting_type(s) == CONFIG_TYPE_FLOAT)) && v >= key->min && v <= key->max)
    return CLDANN_OK;
  if (key->min == DBL_MIN) return conf_bad(c, s, CLDANN_E_CONFIG, "%s must be a number above 0 and at most %g", path, key->max);
  if (whole) return conf_bad(c, s, CLDANN_E_CONFIG, "%s must be a whole number from %.0f to %.0f", path, key->min, key->max);
  return conf_bad(c, s, CLDANN_E_CONFIG, "%s must be a number from %g to %g", path, key->min, key->max);
}

static int check_value(const struct config *c, const config_setting_t *s, const conf_key *key, const char *path) {
  char inner[100];
  const char *must = NULL;
  switch (key->type) {
  case CONF_GROUP:
    if (!config_setting_is_group(s))
      return conf_bad(c, s, CLDANN_E_CONFIG, "%s must be a group: %s = { ... }", path, key->name);
    snprintf(inner, sizeof inner, "%.96s.", path);
    return check_group(c, s, key->keys, inner, NULL);
  case CONF_OPS: return check_ops(c, s, key->keys, path);
  case CONF_GROUPS: return check_groups(c, s, key->keys, path);
  case CONF_CHOICE:
  case CONF_PADDING: return check_choice(c, s, key, path);
  case CONF_INT:
  case CONF_NUMBER: return check_number(c, s, key, path);
  case CONF_TEXT:
    if (config_setting_type(s) != CONFIG_TYPE_STRING)
      must = "a text in double quotes";
    else if (strlen(conf_text(s, "")) > (size_t)key->max)
      return conf_bad(c, s, CLDANN_E_CONFIG, "%s is longer than %.0f characters; shorten it", path, key->max);
    break;
  case CONF_FLAG:
    if (config_setting_type(s) != CONFIG_TYPE_BOOL) must = "true or false";
    break;
  case CONF_PAIR:
    if (!int_within(s, 1) && !is_ints(s, 2, 1)) must = "a whole number from 1 to 65536 or [height, width]";
    break;
  case CONF_SHAPE:
    if (!is_ints(s, 3, 1)) must = "[height, width, channels], whole numbers from 1 to 65536";
    break;
  case CONF_NAMES:
    if (!is_names(s)) must = "a list of texts or whole numbers, as [\"cat\", \"dog\"] or [-1, 1]";
    break;
  }
  return must ? conf_bad(c, s, CLDANN_E_CONFIG, "%s must be %s", path, must) : CLDANN_OK;
}

/* skip: a member that is no key of the table, known already. */
static int check_group(const struct config *c, const config_setting_t *s, const conf_key *table, const char *prefix,
                       const char *skip) {
  int rc = CLDANN_OK;
  for (int i = 0; i < config_setting_length(s); i++) {
    const config_setting_t *m = config_setting_get_elem(s, (unsigned)i);
    const conf_key *key = table;
    char path[100];
    if (skip && !strcmp(config_setting_name(m), skip)) continue;
    while (key->name && strcmp(key->name, config_setting_name(m))) key++;
    if (!key->name) return bad_name(c, m, "key", config_setting_name(m), prefix, table, skip);
    snprintf(path, sizeof path, "%.60s%s", prefix, key->name);
    TRY(check_value(c, m, key, path));
  }
fail:
  return rc;
}

/* ---- reading ---- */

/* The value of an override: a whole number of any size, else what libconfig makes of it, else a text. */
static int parse_value(const struct config *c, conf_set *set, const char *value) {
  int rc = CLDANN_OK, parsed = 0;
  char *text = NULL, *end = NULL;
  config_setting_t *s;
  errno = 0;
  const long long whole = strtoll(value, &end, 10);
  if (end != value && !*end && !errno && !isspace((unsigned char)value[0])) {
    s = config_setting_add(config_root_setting(&set->tree), "v", CONFIG_TYPE_INT64);
    if (!s || !config_setting_set_int64(s, whole)) FAIL(c->err, CLDANN_E_MEM, "no memory for --set %s", set->text);
    return CLDANN_OK;
  }
  TRY(mem_new(c->err, &text, strlen(value) + 8, 1));
  sprintf(text, "v = %s;", value);
  if (conftext_is_plain(value)) parsed = config_read_string(&set->tree, text);
  if (!parsed || config_setting_length(config_root_setting(&set->tree)) != 1) {
    config_destroy(&set->tree);
    config_init(&set->tree);
    s = config_setting_add(config_root_setting(&set->tree), "v", CONFIG_TYPE_STRING);
    if (!s || !config_setting_set_string(s, value)) FAIL(c->err, CLDANN_E_MEM, "no memory for --set %s", set->text);
  }
fail:
  mem_free(text);
  return rc;
}

static const config_setting_t *set_value(const conf_set *set) {
  return config_setting_get_elem(config_root_setting(&set->tree), 0);
}

/* Walks the dotted key of an override down the tables, then checks the value. */
static int check_set(const struct config *c, const conf_set *set, const conf_key *root) {
  const config_setting_t *s = set_value(set);
  const conf_key *table = root, *key = NULL;
  for (const char *at = set->key; at;) {
    const char *dot = strchr(at, '.');
    const int n = (int)(dot ? dot - at : (long)strlen(at));
    char name[64], prefix[100];
    snprintf(name, sizeof name, "%.*s", n, at);
    snprintf(prefix, sizeof prefix, "%.*s", (int)(at - set->key), set->key);
    if (key && key->type != CONF_GROUP)
      return conf_bad(c, s, CLDANN_E_CONFIG, "%.*s has no keys inside; set it as a whole, or edit the file",
                      (int)(at - set->key - 1), set->key);
    for (key = table; key->name && strcmp(key->name, name);) key++;
    if (!key->name) return bad_name(c, s, "key", name, prefix, table, NULL);
    table = key->keys;
    at = dot ? dot + 1 : NULL;
  }
  if (key->type == CONF_GROUP)
    return conf_bad(c, s, CLDANN_E_CONFIG, "%.60s is a group; set its keys one by one, as in %.60s.%s=VALUE", set->key,
                    set->key, key->keys->name);
  return check_value(c, s, key, set->key);
}

static int add_set(struct config *c, const char *text) {
  int rc;
  conf_set *set = &c->sets[c->n_sets];
  const char *equals = strchr(text, '=');
  if (!equals || equals == text)
    FAIL(c->err, CLDANN_E_CONFIG, "--set %.120s: an override is KEY=VALUE, as in --set method=source-only", text);
  config_init(&set->tree);
  c->n_sets++;
  TRY(mem_strdup(c->err, &set->text, text));
  TRY(mem_strdup(c->err, &set->key, text));
  set->key[equals - text] = '\0';
  TRY(parse_value(c, set, equals + 1));
fail:
  return rc;
}

/* Checks every preset, chosen or not, and finds the chosen one. */
static int check_presets(struct config *c, const conf_key *root) {
  int rc = CLDANN_OK;
  const config_setting_t *all = conf_member(config_root_setting(&c->file), "presets"), *chosen = conf_get(c, "preset");
  const int n = all && config_setting_is_group(all) ? config_setting_length(all) : 0;
  const char *names[NAMES_MAX], *wanted = conf_text(chosen, ""), *near;
  if (all && !config_setting_is_group(all)) return conf_bad(c, all, CLDANN_E_CONFIG, "presets must be a group of groups");
  for (int i = 0; i < n; i++) {
    const config_setting_t *p = config_setting_get_elem(all, (unsigned)i);
    char prefix[100];
    if (i == NAMES_MAX) return conf_bad(c, p, CLDANN_E_CONFIG, "more than %d presets; use a second file", NAMES_MAX);
    names[i] = config_setting_name(p);
    if (!config_setting_is_group(p)) return conf_bad(c, p, CLDANN_E_CONFIG, "presets.%.60s must be a group", names[i]);
    if (conf_member(p, "preset"))
      return conf_bad(c, conf_member(p, "preset"), CLDANN_E_CONFIG, "a preset cannot name another preset");
    snprintf(prefix, sizeof prefix, "presets.%.40s.", names[i]);
    TRY(check_group(c, p, root, prefix, NULL));
    if (!strcmp(names[i], wanted)) c->preset = p;
  }
  if (!wanted[0] || c->preset) return CLDANN_OK;
  if ((near = text_nearest(wanted, names, (size_t)n)))
    return conf_bad(c, chosen, CLDANN_E_CONFIG, "no preset \"%.40s\"; did you mean \"%s\"?", wanted, near);
  return conf_bad(c, chosen, CLDANN_E_CONFIG, "no preset \"%.40s\"; the file has %d preset%s%s%s", wanted, n, n == 1 ? "" : "s",
                  n ? ", the first is " : "", n ? names[0] : "");
fail:
  return rc;
}

int conf_load(cldann_error *e, const conf_key *root, const char *path, const char *text, const char *const *sets, int n,
              struct config **out) {
  static const char fix[] = "give an experiment file, as doc/experiments.md describes it";
  int rc;
  struct config *c = NULL;
  TRY(mem_new(e, &c, 1, sizeof *c));
  c->err = e;
  config_init(&c->file);
  TRY(mem_strdup(e, &c->path, path));
  TRY(mem_new(e, &c->sets, (size_t)n + 1, sizeof *c->sets));
  TRY(text ? conftext_parse(e, c->path, fix, text, &c->file) : conftext_load(e, c->path, fix, &c->file));
  for (int i = 0; i < n; i++) TRY(add_set(c, sets[i]));
  TRY(check_group(c, config_root_setting(&c->file), root, "", "presets"));
  for (int i = 0; i < n; i++) TRY(check_set(c, &c->sets[i], root));
  TRY(check_presets(c, root));
  *out = c;
  return CLDANN_OK;
fail:
  conf_free(c);
  return rc;
}

void conf_free(struct config *c) {
  if (!c) return;
  for (int i = 0; i < c->n_sets; i++) {
    config_destroy(&c->sets[i].tree);
    mem_free(c->sets[i].text);
    mem_free(c->sets[i].key);
  }
  config_destroy(&c->file);
  mem_free(c->sets);
  mem_free(c->path);
  mem_free(c);
}

/* ---- looking up ---- */

/* libconfig's own lookup, which does not take a const setting and stops at ':' and '/' too. */
static const config_setting_t *descend(const config_setting_t *s, const char *path) {
  while (s) {
    const char *dot = strchr(path, '.');
    char name[64];
    if (!config_setting_is_group(s)) return NULL;
    if (!dot) return conf_member(s, path);
    snprintf(name, sizeof name, "%.*s", (int)(dot - path), path);
    s = conf_member(s, name);
    path = dot + 1;
  }
  return NULL;
}

const config_setting_t *conf_get_upto(const struct config *c, const char *path, int last, int *layer) {
  const config_setting_t *s = NULL;
  int at = CONF_SETS;
  for (int i = c->n_sets - 1; i >= 0 && !s; i--) /* the last --set of a key counts */
    if (!strcmp(c->sets[i].key, path)) s = set_value(&c->sets[i]);
  if (!s && last >= CONF_PRESET && c->preset) s = descend(c->preset, path), at = CONF_PRESET;
  if (!s && last >= CONF_FILE) s = descend(config_root_setting(&c->file), path), at = CONF_FILE;
  if (s && layer) *layer = at;
  return s;
}

const config_setting_t *conf_get(const struct config *c, const char *path) {
  return conf_get_upto(c, path, CONF_FILE, NULL);
}

void conf_read(const struct config *c, const conf_key *table, const char *prefix, void *to) {
  for (const conf_key *k = table; k->name; k++) {
    const config_setting_t *s;
    char path[100];
    snprintf(path, sizeof path, "%.60s%s", prefix, k->name);
    if (k->type == CONF_GROUP) {
      strcat(path, ".");
      conf_read(c, k->keys, path, to);
    } else if (k->size && (s = conf_get(c, path))) {
      store(s, k, to);
    }
  }
}

/* train/conf.c: see train/conf.h. The only file besides its neighbours experiment*.c that calls libconfig. */
#include "train/conf.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/text.h"

enum { CONF_BYTES_MAX = 1 << 20, NAMES_MAX = 64 };

/* ---- errors with a place ---- */

const char *conf_where(const struct config *c, const config_setting_t *s, char *to, size_t room) {
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
  char where[200], what[400];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(what, sizeof what, fmt, ap);
  va_end(ap);
  return err_set(c->err, code, __FILE__, __LINE__, "%s: %s", conf_where(c, s, where, sizeof where), what);
}

int conf_blame(const struct config *c, const config_setting_t *s) {
  const cldann_error was = *c->err;
  if (!was.code) return CLDANN_OK;
  err_clear(c->err);
  conf_bad(c, s, was.code, "%.390s", was.message);
  memcpy(c->err->where, was.where, sizeof was.where);
  return was.code;
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

void conf_store(const config_setting_t *s, const conf_key *key, void *to) {
  char *at = (char *)to + key->at;
  int small = 0;
  if (key->type == CONF_TEXT) snprintf(at, key->size, "%s", conf_text(s, ""));
  if (key->type == CONF_NUMBER) memcpy(at, &(double){conf_number(s, 0.0)}, sizeof(double));
  if (key->type == CONF_INT && key->size == sizeof(int64_t)) memcpy(at, &(int64_t){conf_int(s, 0)}, sizeof(int64_t));
  if (key->type == CONF_INT && key->size == sizeof small) small = (int)conf_int(s, 0);
  if (key->type == CONF_FLAG) small = conf_flag(s, 0);
  if (key->type == CONF_CHOICE) small = conf_choice(s, key->choices, 0);
  if (key->size == sizeof small && key->type != CONF_TEXT) memcpy(at, &small, sizeof small);
}

static int is_int(const config_setting_t *s) {
  return config_setting_type(s) == CONFIG_TYPE_INT || config_setting_type(s) == CONFIG_TYPE_INT64;
}

/* An array or list of n integers. */
static int is_ints(const config_setting_t *s, int n) {
  if (!config_setting_is_aggregate(s) || config_setting_is_group(s) || config_setting_length(s) != n) return 0;
  for (int i = 0; i < n; i++)
    if (!is_int(config_setting_get_elem(s, (unsigned)i))) return 0;
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

static int check_choice(const struct config *c, const config_setting_t *s, const conf_key *key, const char *path) {
  const char *const *all = key->choices, *const more = key->type == CONF_PADDING ? " or [top, bottom, left, right]" : "";
  char list[200] = "";
  size_t n = 0, at = 0;
  if (key->type == CONF_PADDING && is_ints(s, 4)) return CLDANN_OK;
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
    if (!is_int(s) && !is_ints(s, 2)) must = "a whole number or [height, width]";
    break;
  case CONF_SHAPE:
    if (!is_ints(s, 3)) must = "[height, width, channels] in whole numbers";
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

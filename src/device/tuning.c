/* device/tuning.c: see device/tuning.h. */
#include "device/tuning.h"

#include <fnmatch.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conftext.h"
#include "base/mem.h"
#include "base/text.h"
#include "device/kernels.h"

typedef struct entry {
  char *key, *use;
} entry;

struct tuning {
  char *name;
  entry *list;
  int n, cap;
};

void tuning_free(tuning *t) {
  if (!t) return;
  for (int i = 0; i < t->n; i++) mem_free(t->list[i].key), mem_free(t->list[i].use);
  mem_free(t->list);
  mem_free(t->name);
  mem_free(t);
}

static entry *find(const tuning *t, const char *key) {
  for (int i = 0; i < t->n; i++)
    if (!strcmp(t->list[i].key, key)) return &t->list[i];
  return NULL;
}

const char *tuning_find(const tuning *t, const char *key) {
  const entry *e = find(t, key);
  return e ? e->use : NULL;
}

int tuning_count(const tuning *t) {
  return t->n;
}

void tuning_get(const tuning *t, int at, const char **key, const char **use) {
  *key = t->list[at].key;
  *use = t->list[at].use;
}

const char *tuning_name(const tuning *t) {
  return t ? t->name : "no tuning";
}

int tuning_set(cldann_error *e, tuning *t, const char *key, const char *use) {
  char *k = NULL, *u = NULL;
  int rc;
  entry *old = find(t, key);
  TRY(mem_strdup(e, &u, use));
  if (old) {
    mem_free(old->use);
    old->use = u;
    return CLDANN_OK;
  }
  TRY(mem_strdup(e, &k, key));
  if (t->n == t->cap) {
    const int cap = t->cap ? 2 * t->cap : 32;
    TRY(mem_resize(e, &t->list, (size_t)cap, sizeof *t->list));
    t->cap = cap;
  }
  t->list[t->n++] = (entry){k, u};
  return CLDANN_OK;
fail:
  mem_free(k);
  mem_free(u);
  return rc;
}

static int new_tuning(cldann_error *e, const char *name, tuning **out) {
  tuning *t = NULL;
  int rc;
  TRY(mem_new(e, &t, 1, sizeof *t));
  TRY(mem_strdup(e, &t->name, name));
  *out = t;
  return CLDANN_OK;
fail:
  tuning_free(t);
  return rc;
}

/* ---- reading ---- */

static int pattern_fits(const config_setting_t *group, const char *key, const char *value) {
  const char *pattern = NULL;
  if (!config_setting_lookup_string(group, key, &pattern)) return 0;
  return !strcmp(pattern, value) || fnmatch(pattern, value, 0) == 0;
}

/* Other versions may have other ways: their choices are not ours to make. */
static int group_fits(const config_setting_t *group, const device_info *d) {
  const char *version = CLDANN_VERSION;
  int width = d->vector_width;
  config_setting_lookup_int(group, "vector_width", &width);
  config_setting_lookup_string(group, "version", &version);
  if (width != d->vector_width || strcmp(version, CLDANN_VERSION) != 0) return 0;
  return pattern_fits(group, "device", d->name) && pattern_fits(group, "platform", d->platform) &&
         pattern_fits(group, "driver", d->driver);
}

static int read_choices(cldann_error *e, const config_setting_t *group, tuning *t) {
  const config_setting_t *list = config_setting_lookup((config_setting_t *)group, "choices");
  const int n = list ? config_setting_length(list) : 0;
  int rc = CLDANN_OK;
  for (int i = 0; i < n; i++) {
    const config_setting_t *one = config_setting_get_elem(list, (unsigned)i);
    const char *key = NULL, *use = NULL;
    if (!config_setting_is_group(one) || !config_setting_lookup_string(one, "of", &key) ||
        !config_setting_lookup_string(one, "use", &use))
      FAIL(e, CLDANN_E_CONFIG, "%s:%u: a choice is a group { of = \"...\"; use = \"...\"; }", t->name,
           (unsigned)config_setting_source_line(one));
    TRY(tuning_set(e, t, key, use));
  }
fail:
  return rc;
}

/* *out stays NULL where no group is for the device. */
static int read_groups(cldann_error *e, config_t *c, const char *name, const device_info *d, tuning **out) {
  const config_setting_t *all = config_lookup(c, "tuning");
  int rc = CLDANN_OK;
  if (!all || !config_setting_is_list(all))
    FAIL(e, CLDANN_E_CONFIG, "%s: no list named tuning; make the file with 'cldann tune'", name);
  for (int i = 0; i < config_setting_length(all) && !*out; i++) {
    const config_setting_t *group = config_setting_get_elem(all, (unsigned)i);
    if (!config_setting_is_group(group) || !group_fits(group, d)) continue;
    TRY(new_tuning(e, name, out));
    TRY(read_choices(e, group, *out));
  }
fail:
  if (rc < 0) tuning_free(*out), *out = NULL;
  return rc;
}

static int read_file(cldann_error *e, const char *path, const device_info *d, tuning **out) {
  config_t c;
  int rc;
  config_init(&c);
  TRY(conftext_load(e, path, "mend or remove it, 'cldann tune' makes it anew; or use --tuning none", &c));
  TRY(read_groups(e, &c, path, d, out));
fail:
  config_destroy(&c);
  return rc;
}

static int read_built_in(cldann_error *e, const device_info *d, tuning **out) {
  config_t c;
  int rc = CLDANN_OK;
  config_init(&c);
  if (!config_read_string(&c, tuning_built_in))
    FAIL(e, CLDANN_E_CONFIG, "the built-in tuning:%d: %s", config_error_line(&c), config_error_text(&c));
  TRY(read_groups(e, &c, "the built-in tuning", d, out));
fail:
  config_destroy(&c);
  return rc;
}

/* ---- which ---- */

int tuning_user_path(cldann_error *e, char **out) {
  const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
  char *dir = NULL;
  int rc;
  if (config && *config)
    TRY(mem_strdup(e, &dir, config));
  else
    TRY(text_join(e, &dir, home && *home ? home : ".", ".config"));
  TRY(text_join(e, out, dir, "cldann/tuning.conf"));
fail:
  mem_free(dir);
  return rc;
}

static int open_default(cldann_error *e, const device_info *d, tuning **out) {
  char *path = NULL;
  int rc;
  TRY(tuning_user_path(e, &path));
  if (access(path, F_OK) == 0) TRY(read_file(e, path, d, out));
  if (!*out) TRY(read_built_in(e, d, out));
  if (!*out) TRY(new_tuning(e, "no tuning", out));
fail:
  mem_free(path);
  return rc;
}

int tuning_open(cldann_error *e, const device_info *d, const char *selector, tuning **out) {
  int rc;
  *out = NULL;
  if (!selector || !*selector) selector = getenv("CLDANN_TUNING");
  if (!selector || !*selector) return open_default(e, d, out);
  if (!strcmp(selector, "none")) return new_tuning(e, "no tuning", out);
  TRY(read_file(e, selector, d, out));
  if (!*out)
    FAIL(e, CLDANN_E_CONFIG, "%s has nothing for %s (%s, driver %s) and cldann %s; make it with 'cldann tune --out %s'",
         selector, d->name, d->platform, d->driver, CLDANN_VERSION, selector);
fail:
  return rc;
}

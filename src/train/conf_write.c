/*
 * train/conf_write.c: an experiment as one text with all that was decided: overrides, preset and file put together, defaults
 * filled in. Read again it is the same experiment. Numbers keep all their digits, which libconfig's own writer does not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memo.h"
#include "base/text.h"
#include "train/conf.h"

typedef struct writer {
  const cldann_experiment *x;
  FILE *f;
} writer;

static void indent(const writer *w, int depth) {
  fprintf(w->f, "%*s", 2 * depth, "");
}

/* What is no character of UTF-8, as in some names of files, goes by its bytes: model files and others take nothing else. */
void conf_put_text(FILE *f, const char *s) {
  fputc('"', f);
  while (*s) {
    const int n = text_character(s);
    if (*s == '"' || *s == '\\') fputc('\\', f);
    if (n)
      fwrite(s, 1, (size_t)n, f);
    else if (*s == '\n')
      fputs("\\n", f);
    else
      fprintf(f, "\\x%02x", (unsigned)(unsigned char)*s);
    s += n ? n : 1;
  }
  fputc('"', f);
}

/*
 * The shortest that reads back as the same number, with a point or an exponent: without, libconfig takes it for whole.
 * single: as the same float.
 */
static void put_number(FILE *f, double v, int single) {
  char text[40];
  int digits = 6;
  do snprintf(text, sizeof text, "%.*g", digits, v);
  while ((single ? (double)(float)strtod(text, NULL) : strtod(text, NULL)) != v && ++digits <= 17);
  fprintf(f, "%s%s", text, strpbrk(text, ".e") ? "" : ".0");
}

static void put_whole(FILE *f, int64_t v) {
  fprintf(f, "%lld%s", (long long)v, v > INT32_MAX || v < INT32_MIN ? "L" : "");
}

static void put_setting(const writer *w, const config_setting_t *s, int depth) {
  const int type = config_setting_type(s), n = config_setting_is_aggregate(s) ? config_setting_length(s) : 0;
  switch (type) {
  case CONFIG_TYPE_STRING: conf_put_text(w->f, config_setting_get_string(s)); return;
  case CONFIG_TYPE_BOOL: fputs(config_setting_get_bool(s) ? "true" : "false", w->f); return;
  case CONFIG_TYPE_FLOAT: put_number(w->f, config_setting_get_float(s), 0); return;
  case CONFIG_TYPE_INT:
  case CONFIG_TYPE_INT64: put_whole(w->f, conf_int(s, 0)); return;
  }
  const char *brackets = type == CONFIG_TYPE_GROUP ? "{}" : type == CONFIG_TYPE_LIST ? "()" : "[]";
  const int lines = type == CONFIG_TYPE_LIST; /* of ops, a line each */
  fputc(brackets[0], w->f);
  for (int i = 0; i < n; i++) {
    const config_setting_t *m = config_setting_get_elem(s, (unsigned)i);
    if (lines)
      fputc('\n', w->f), indent(w, depth + 1);
    else if (type == CONFIG_TYPE_GROUP || i)
      fputc(' ', w->f);
    if (type == CONFIG_TYPE_GROUP) fprintf(w->f, "%s = ", config_setting_name(m));
    put_setting(w, m, depth + 1);
    fputs(type == CONFIG_TYPE_GROUP ? ";" : i + 1 < n ? "," : "", w->f);
  }
  if (lines && n) fputc('\n', w->f), indent(w, depth);
  if (type == CONFIG_TYPE_GROUP) fputc(' ', w->f);
  fputc(brackets[1], w->f);
}

static void put_padding(FILE *f, const conf_key *k, const cldann_window *w) {
  if (w->padding == CLDANN_EXPLICIT)
    fprintf(f, "[%d, %d, %d, %d]", w->top, w->bottom, w->left, w->right);
  else
    conf_put_text(f, k->choices[w->padding]);
}

static double number_at(const conf_key *k, const char *at) {
  float single;
  double number;
  if (k->size == sizeof single) return (double)*(float *)memcpy(&single, at, sizeof single);
  return *(double *)memcpy(&number, at, sizeof number);
}

void conf_put(FILE *f, const conf_key *k, const void *from) {
  const char *at = (const char *)from + k->at;
  int64_t whole;
  int small = 0, pair[2];
  if (k->size == sizeof small && k->type != CONF_TEXT) memcpy(&small, at, sizeof small);
  switch (k->type) {
  case CONF_TEXT: conf_put_text(f, at); break;
  case CONF_CHOICE: conf_put_text(f, k->choices[small]); break;
  case CONF_FLAG: fputs(small ? "true" : "false", f); break;
  case CONF_NUMBER: put_number(f, number_at(k, at), k->size == sizeof(float)); break;
  case CONF_PADDING: put_padding(f, k, (const cldann_window *)(const void *)at); break;
  case CONF_PAIR:
    memcpy(pair, at, sizeof pair);
    fprintf(f, "[%d, %d]", pair[0], pair[1]);
    break;
  default:
    whole = small;
    if (k->size == sizeof whole) memcpy(&whole, at, sizeof whole);
    put_whole(f, whole);
  }
}

/* The lowest layer that counts for the keys of a group: one that names a kind hides those below it, for data sets. */
static int last_layer(const writer *w, const char *prefix) {
  char path[100];
  int last = CONF_FILE;
  if (strncmp(prefix, "data.", strlen("data.")) != 0) return CONF_FILE;
  snprintf(path, sizeof path, "%.90skind", prefix);
  conf_get_upto(w->x->cfg, path, CONF_FILE, &last);
  return last;
}

/* Is there anything of a table to write? Groups of settings always have their values. */
static int has_any(const writer *w, const conf_key *table, const char *prefix) {
  const int last = last_layer(w, prefix);
  if (own_data_hides(w->x, prefix)) return 0;
  for (const conf_key *k = table; k->name; k++) {
    char path[100];
    snprintf(path, sizeof path, "%.60s%s", prefix, k->name);
    if (k->type != CONF_GROUP && (k->size || conf_get_upto(w->x->cfg, path, last, NULL))) return 1;
    snprintf(path, sizeof path, "%.60s%s.", prefix, k->name);
    if (k->type == CONF_GROUP && has_any(w, k->keys, path)) return 1;
  }
  return 0;
}

static void put_table(const writer *w, const conf_key *table, const char *prefix, int depth) {
  const int last = last_layer(w, prefix);
  for (const conf_key *k = table; k->name; k++) {
    char path[100];
    const config_setting_t *s;
    snprintf(path, sizeof path, "%.60s%s", prefix, k->name);
    if (!strcmp(path, "preset")) continue; /* it has been applied */
    if (!strcmp(path, "method")) {
      fprintf(w->f, "method = \"%s\";\n", w->x->s.method->name);
      continue;
    }
    s = conf_get_upto(w->x->cfg, path, last, NULL);
    if (k->type == CONF_GROUP) {
      strcat(path, ".");
      if (!has_any(w, k->keys, path)) continue;
      indent(w, depth), fprintf(w->f, "%s = {\n", k->name);
      put_table(w, k->keys, path, depth + 1);
      indent(w, depth), fputs("};\n", w->f);
      continue;
    }
    if (!k->size && !s) continue;
    indent(w, depth), fprintf(w->f, "%s = ", k->name);
    if (k->size) /* settings has it, whoever gave it */
      conf_put(w->f, k, &w->x->s);
    else
      put_setting(w, s, depth);
    fputs(";\n", w->f);
  }
}

int conf_write(const cldann_experiment *x, const conf_key *root, char **out) {
  cldann_error *e = &x->ctx->err;
  char name[sizeof x->s.name];
  memo text;
  int rc;
  TRY(memo_open(e, &text));
  writer w = {.x = x, .f = text.f};
  snprintf(name, sizeof name, "%s", x->s.name);
  text_clean(name); /* a remark has no escapes */
  fprintf(w.f, "# %s, as cldann %s ran it: overrides, preset and defaults are in their places.\n", name, CLDANN_VERSION);
  put_table(&w, root, "", 0);
  TRY(memo_take(e, &text, out));
fail:
  memo_free(&text);
  return rc;
}

/* data/classes.c: see data/classes.h. */
#include "data/classes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { CLASSES_MAX = 65536, LABEL_MAX = 200 };

/* A whole number, written in digits alone but for a sign and a ".0"? */
static int as_number(const char *text, long long *v) {
  char *end;
  if (!text[0] || strlen(text) > 20 || text[strspn(text, "+-.0123456789")]) return 0;
  const double d = strtod(text, &end);
  if (*end || end == text || d != floor(d) || fabs(d) > 1e15) return 0;
  *v = (long long)d;
  return 1;
}

static int compare(const char *a, const char *b) {
  long long va, vb;
  const int na = as_number(a, &va), nb = as_number(b, &vb);
  if (na && nb) return (va > vb) - (va < vb);
  if (na != nb) return nb - na;
  return strcmp(a, b);
}

/* Where `name` is, or where it belongs (*found 0). */
static int place_of(const class_list *l, const char *name, int *found) {
  int low = 0, high = l->n;
  *found = 0;
  while (low < high) {
    const int middle = (low + high) / 2, c = compare(name, l->name[middle]);
    if (c == 0) *found = 1;
    if (c == 0) return middle;
    if (c < 0) high = middle;
    if (c > 0) low = middle + 1;
  }
  return low;
}

int classes_add(cldann_error *e, class_list *l, const char *where, const char *label, int32_t *id) {
  int rc = CLDANN_OK, found;
  long long v;
  char plain[32], *copy = NULL;
  if (as_number(label, &v)) {
    snprintf(plain, sizeof plain, "%lld", v);
    label = plain;
  }
  if (!label[0]) FAIL(e, CLDANN_E_FORMAT, "%s: the label is empty; give each item one", where);
  if (strlen(label) > LABEL_MAX)
    FAIL(e, CLDANN_E_FORMAT, "%s: the label '%.30s...' has more than %d characters; shorten it", where, label, LABEL_MAX);
  for (const char *c = label; *c; c += text_character(c))
    if (!text_character(c))
      FAIL(e, CLDANN_E_FORMAT,
           "%s: the label '%.30s' is not in UTF-8, as models and JSON have names; convert it, as with iconv", where, label);
  const int at = place_of(l, label, &found);
  if (found) {
    *id = l->id[at];
    return CLDANN_OK;
  }
  if (l->n == CLASSES_MAX)
    FAIL(e, CLDANN_E_FORMAT, "%s: more than %d different labels; are these labels of classes?", where, CLASSES_MAX);
  if (l->n == l->room) {
    const int room = l->room ? 2 * l->room : 16;
    TRY(mem_resize(e, &l->name, (size_t)room, sizeof *l->name));
    TRY(mem_resize(e, &l->id, (size_t)room, sizeof *l->id));
    l->room = room;
  }
  TRY(mem_strdup(e, &copy, label));
  memmove(l->name + at + 1, l->name + at, (size_t)(l->n - at) * sizeof *l->name);
  memmove(l->id + at + 1, l->id + at, (size_t)(l->n - at) * sizeof *l->id);
  l->name[at] = copy;
  *id = l->id[at] = l->n++;
fail:
  return rc;
}

int classes_add_number(cldann_error *e, class_list *l, const char *where, double label, int32_t *id) {
  int rc = CLDANN_OK;
  char text[32];
  if (!(fabs(label) <= 1e15) || label != floor(label))
    FAIL(e, CLDANN_E_FORMAT, "%s: the label %g is no whole number; labels are the numbers or names of classes", where, label);
  snprintf(text, sizeof text, "%.0f", label == 0 ? 0.0 : label);
  TRY(classes_add(e, l, where, text, id));
fail:
  return rc;
}

int classes_settle(cldann_error *e, dataset *d, class_list *l) {
  int rc = CLDANN_OK;
  int32_t *at = NULL;
  TRY(mem_new(e, &at, (size_t)l->n, sizeof *at));
  TRY(mem_new(e, &d->names, 1, sizeof *d->names));
  for (int i = 0; i < l->n; i++) at[l->id[i]] = i;
  for (int i = 0; i < d->n; i++) d->y[i] = at[d->y[i]];
  d->classes = l->n;
  *d->names = *l;
  memset(l, 0, sizeof *l);
fail:
  mem_free(at);
  return rc;
}

void classes_free(class_list *l) {
  if (!l) return;
  for (int i = 0; i < l->n; i++) mem_free(l->name[i]);
  mem_free(l->name);
  mem_free(l->id);
  memset(l, 0, sizeof *l);
}

/* What class i of a set is called; `room` is for the number of a set without names. */
static const char *name_of(const dataset *d, int i, char room[32]) {
  if (d->names) return d->names->name[i];
  snprintf(room, 32, "%d", i);
  return room;
}

/* "[ "a", "b", ... ]": what a user may begin a list with. */
static void write_list(const dataset *d, char *to, size_t room) {
  size_t at = (size_t)snprintf(to, room, "[");
  for (int i = 0; i < d->classes && at + 48 < room; i++) {
    char number[32];
    at += (size_t)snprintf(to + at, room - at, "%s\"%.32s\"", i ? ", " : "", name_of(d, i, number));
  }
  snprintf(to + at, room - at, "%s]", d->classes > 0 && at + 48 >= room ? ", ..." : "");
}

int classes_check(cldann_error *e, const dataset *d) {
  int rc = CLDANN_OK;
  const class_list *l = d->names;
  long long first, v = 0;
  char list[150];
  if (!l || !as_number(l->name[0], &first)) return CLDANN_OK;
  write_list(d, list, sizeof list);
  if (l->n == 2 && first == -1 && as_number(l->name[1], &v) && v == 1) return CLDANN_OK;
  if (first != 0 && first != 1)
    FAIL(e, CLDANN_E_FORMAT,
         "%s: the lowest label is %lld, and classes count from 0 or 1 (or are -1 and 1); give data.classes = %s", d->name,
         first, list);
  for (int i = 1; i < l->n; i++) {
    if (!as_number(l->name[i], &v))
      FAIL(e, CLDANN_E_FORMAT, "%s: the labels are numbers and names, as %s and '%.40s'; give data.classes = %s", d->name,
           l->name[0], l->name[i], list);
    if (v != first + i)
      FAIL(e, CLDANN_E_FORMAT, "%s: the labels skip %lld, so a class has no item; give all classes, as data.classes = %s",
           d->name, first + i, list);
  }
fail:
  return rc;
}

int classes_agree(cldann_error *e, const char *a_role, const dataset *a, const char *b_role, const dataset *b) {
  int rc = CLDANN_OK;
  for (int i = 0; i < a->classes || i < b->classes; i++) {
    char ra[32], rb[32], list[100];
    const char *na = i < a->classes ? name_of(a, i, ra) : NULL, *nb = i < b->classes ? name_of(b, i, rb) : NULL;
    if (na && nb && !strcmp(na, nb)) continue;
    const int only_a = !nb || (na && compare(na, nb) < 0);
    write_list(a->classes > b->classes ? a : b, list, sizeof list);
    FAIL(e, CLDANN_E_FORMAT,
         "%s (%s) has the class '%.40s', %s (%s) has not, so their labels do not mean the same; give data.classes = %s",
         only_a ? a_role : b_role, only_a ? a->name : b->name, only_a ? na : nb, only_a ? b_role : a_role,
         only_a ? b->name : a->name, list);
  }
fail:
  return rc;
}

/* The names of class i, "0|10" being two, into the list; (*class_of)[id] is the class. */
static int add_names(cldann_error *e, class_list *all, const char *names, int i, int32_t **class_of) {
  int rc = CLDANN_OK;
  int32_t id;
  char name[200];
  for (const char *at = names;; at++) {
    const size_t length = strcspn(at, "|");
    if (length == 0 || length >= sizeof name)
      FAIL(e, CLDANN_E_ARG, "data.classes: '%.40s' has a name that is empty or too long; write a class as \"0\" or \"0|10\"",
           names);
    memcpy(name, at, length);
    name[length] = 0;
    const int before = all->n;
    TRY(classes_add(e, all, "data.classes", name, &id));
    if (all->n == before) FAIL(e, CLDANN_E_ARG, "data.classes has '%.40s' twice; name each class once", name);
    TRY(mem_resize(e, class_of, (size_t)all->n, sizeof **class_of));
    (*class_of)[id] = i;
    at += length;
    if (!*at) break;
  }
fail:
  return rc;
}

int classes_apply(cldann_error *e, dataset *d, const char *const *wanted, int n) {
  int rc = CLDANN_OK, found;
  class_list all = {0};
  int32_t *to = NULL, *class_of = NULL;
  char room[32];
  TRY(mem_new(e, &to, (size_t)d->classes, sizeof *to));
  for (int i = 0; i < n; i++) TRY(add_names(e, &all, wanted[i], i, &class_of));
  for (int i = 0; i < d->classes; i++) {
    const char *name = name_of(d, i, room);
    const int at = place_of(&all, name, &found);
    if (!found && d->names)
      FAIL(e, CLDANN_E_FORMAT, "%s has the label '%.40s', which data.classes lacks; add it there, or take its items out",
           d->name, name);
    to[i] = found ? class_of[all.id[at]] : -1;
  }
  for (int i = 0; i < d->n; i++) {
    if (to[d->y[i]] < 0)
      FAIL(e, CLDANN_E_FORMAT, "%s has the label %d, which data.classes lacks; add it there, or take its items out", d->name,
           (int)d->y[i]);
    d->y[i] = to[d->y[i]];
  }
  d->classes = n;
  classes_free(d->names);
  mem_free(d->names);
  d->names = NULL;
fail:
  classes_free(&all);
  mem_free(class_of);
  mem_free(to);
  return rc;
}

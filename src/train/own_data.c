/*
 * train/own_data.c: data sets that a program hands over in place of what an experiment file names: kept as they were told
 * (struct own_data in train/experiment.h), and read by the program's callback when experiment_data.c loads the sets. What
 * they must fit is checked there, as for any other set.
 */
#include <stdio.h>
#include <string.h>

#include "train/experiment_sets.h"

enum { PIECE_BYTES = 1 << 20 };

int cldann_experiment_set_data(cldann_experiment *x, cldann_set_id set, const cldann_data *data) {
  cldann_error *e = &x->ctx->err;
  int rc = CLDANN_OK;
  if ((int)set < 0 || (int)set >= SETS) FAIL(e, CLDANN_E_ARG, "there is no set %d; give CLDANN_SOURCE or another", (int)set);
  if (data && !data->read) FAIL(e, CLDANN_E_ARG, "data.%s: read is not set; it is what the items come from", role_names[set]);
  if (data && data->type != CLDANN_BYTES && data->type != CLDANN_FLOATS)
    FAIL(e, CLDANN_E_ARG, "data.%s: there is no type %d; give CLDANN_BYTES or CLDANN_FLOATS", role_names[set], (int)data->type);
  if (data && (data->items < 1 || data->height < 1 || data->width < 1 || data->channels < 1))
    FAIL(e, CLDANN_E_ARG, "data.%s: %d items of %d x %d x %d; every size must be at least 1", role_names[set], data->items,
         data->height, data->width, data->channels);
  if (data && set != CLDANN_TARGET_TEST && experiment_many_domains(x))
    FAIL(e, CLDANN_E_ARG,
         "data.%s: the domain head tells more than two domains apart, which data of a program do not name; give it 2 units",
         role_names[set]);
  experiment_forget_data(x);
  own_data *own = &x->own[set];
  *own = (own_data){.d = data ? *data : (cldann_data){0}};
  snprintf(own->name, sizeof own->name, "%s", data && data->name ? data->name : "the program's");
fail:
  return rc;
}

int own_data_is(const cldann_experiment *x, int set) {
  return x->own[set].d.read != NULL;
}

int own_data_hides(const cldann_experiment *x, const char *path) {
  for (int i = 0; i < SETS; i++) {
    char group[32];
    const int n = snprintf(group, sizeof group, "data.%s", role_names[i]);
    if (own_data_is(x, i) && !strncmp(path, group, (size_t)n) && (path[n] == '\0' || path[n] == '.')) return 1;
  }
  return 0;
}

int own_data_same(const cldann_experiment *a, const cldann_experiment *b) {
  for (int i = 0; i < SETS; i++) {
    const cldann_data *p = &a->own[i].d, *q = &b->own[i].d;
    if (p->read != q->read || p->user != q->user || p->items != q->items || p->labelled != q->labelled || p->type != q->type ||
        p->height != q->height || p->width != q->width || p->channels != q->channels)
      return 0;
  }
  return 1;
}

int own_data_load(cldann_experiment *x, int set, int labels, dataset **out) {
  const own_data *own = &x->own[set];
  const cldann_data *from = &own->d;
  cldann_error *e = &x->ctx->err;
  dataset *d = NULL;
  int rc;
  TRY(dataset_new(e, &d, own->name, from->type == CLDANN_BYTES ? DATA_U8 : DATA_F32, from->items, from->height, from->width,
                  from->channels, labels && from->labelled));
  const size_t item = dataset_item_bytes(d);
  const int most = item < PIECE_BYTES ? PIECE_BYTES / (int)item : 1;
  for (int at = 0, n; at < d->n; at += n) {
    n = d->n - at < most ? d->n - at : most;
    const int said = from->read(from->user, at, n, (char *)d->x + (size_t)at * item, d->y ? d->y + at : NULL);
    if (said)
      FAIL(e, CLDANN_E_IO, "data.%s (%s): the program's read returned %d for items %d to %d; 0 is what goes on",
           role_names[set], d->name, said, at, at + n - 1);
  }
  TRY(dataset_check_finite(e, d, d->name));
  TRY(dataset_count_classes(e, d));
  *out = d;
  d = NULL;
fail:
  dataset_free(d);
  return rc;
}

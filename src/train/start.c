/* train/start.c: see train/start.h. */
#include "train/start.h"

#include "base/mem.h"
#include "data/find.h"
#include "train/conf.h"
#include "train/model.h"
#include "train/trainer_internal.h"

static int take(trainer *t, const char *path) {
  float *params = NULL;
  char *report = NULL;
  int rc;
  TRY(mem_new(t->err, &params, t->x->net->param_count, sizeof *params));
  TRY(trainer_params(t, params));
  TRY(model_take(t->err, path, t->x->net, params, &report));
  TRY(trainer_set_params(t, params));
  if (t->o.on_message) t->o.on_message(t->o.user, report);
fail:
  mem_free(params);
  mem_free(report);
  return rc;
}

int start_from_file(trainer *t) {
  const config_setting_t *key = conf_get(t->x->cfg, "init.from");
  const char *name = conf_text(key, "");
  char *path = NULL;
  if (!name[0]) return CLDANN_OK;
  int rc = data_find(t->err, t->x->data_dir, name, &path);
  if (rc == CLDANN_OK) rc = take(t, path);
  if (rc == CLDANN_E_IO || rc == CLDANN_E_FORMAT) conf_blame(t->x->cfg, key);
  mem_free(path);
  return rc;
}

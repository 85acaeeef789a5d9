/* train/export.c: see train/export.h. */
#include "train/export.h"

#include "base/mem.h"
#include "train/judge.h"

static int find_path(exported *p, const char *form) {
  const cldann_node *all[EXPORT_LAYERS];
  int rc = CLDANN_OK, n = 0;
  for (const cldann_node *at = net_loss(p->x->net, CLDANN_TARGET_LABELS)->in; at; at = at->in) {
    if (n == EXPORT_LAYERS)
      FAIL(p->e, CLDANN_E_ARG, "a net of more than %d layers cannot be written as %s; take layers out", EXPORT_LAYERS, form);
    all[n++] = at;
  }
  while (n) p->path[p->n++] = all[--n];
fail:
  return rc;
}

int export_open(cldann *c, const char *model, const char *form, exported *p) {
  int rc;
  *p = (exported){.e = &c->err};
  TRY(cldann_experiment_of_model(c, model, NULL, 0, NULL, &p->x));
  TRY(experiment_check_plain(p->x));
  TRY(model_read_about(p->e, model, &p->about));
  TRY(mem_new(p->e, &p->params, p->x->net->param_count, sizeof *p->params));
  TRY(model_load(p->e, model, p->x->net, p->params));
  const int channels = net_input(p->x->net)->o.out.c;
  if (p->about.channels && p->about.channels != channels)
    FAIL(p->e, CLDANN_E_FORMAT, "%s: its input_mean has %d channels, the net's input %d; the file is damaged", model,
         p->about.channels, channels);
  const op *loss = &net_loss(p->x->net, CLDANN_TARGET_LABELS)->o;
  p->units = judge_units(loss), p->classes = judge_classes(loss);
  TRY(find_path(p, form));
fail:
  return rc;
}

void export_close(exported *p) {
  model_forget_about(&p->about);
  mem_free(p->params);
  cldann_experiment_free(p->x);
  *p = (exported){0};
}

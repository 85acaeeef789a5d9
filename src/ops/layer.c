/*
 * ops/layer.c: what layers with weights and a bias for each unit share, dense and conv2d: these parameters, and the end of a
 * step with max_norm: the weights of each unit, all that reach it, are shortened to that length where they are longer
 * (Srivastava et al. 2014, section 5.1). Kernel: cl/optim.cl.
 */
#include "ops/choice.h"
#include "ops/op.h"

void layer_params(op *o, param w) {
  w.suffix = "weight";
  w.init = o->layer.weights;
  w.count = 1;
  for (int i = 0; i < w.n_dims; i++) w.count *= (size_t)w.dims[i];
  o->params[0] = w;
  o->params[1] = (param){.suffix = "bias",
                         .dims = {o->units},
                         .n_dims = 1,
                         .count = (size_t)o->units,
                         .fan_in = w.fan_in,
                         .fan_out = w.fan_out,
                         .init = o->layer.biases};
  o->n_params = 2;
}

void layer_finish(launches *l, const op *o, const op_io *io) {
  const int units = o->units, rows = (int)(o->params[0].count / (size_t)units), block = l->dev->is_cpu ? NORM_BLOCK : 1;
  if (!(o->max_norm > 0.0f)) return;
  launch *k = launches_add(l, "optim", "limit_norms", "generic");
  launch_update(l, k, io->w);
  launch_in(l, k, io->control);
  launch_int(l, k, rows);
  launch_int(l, k, units);
  launch_float(l, k, o->max_norm);
  launch_int(l, k, block);
  if (l->dev->is_cpu)
    launch_grid1(l, k, (size_t)ceil_div(units, block), 1, 1);
  else
    launch_grid64(l, k, (size_t)units);
}

/*
 * ops/limit.c: the end of a step of a dense or convolutional layer with max_norm: the weights of each unit, all that reach it,
 * are shortened to that length where they are longer (Srivastava et al. 2014, section 5.1). Kernel: cl/optim.cl.
 */
#include "ops/choice.h"
#include "ops/op.h"

void limit_finish(launches *l, const op *o, const op_io *io) {
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

/*
 * ops/conv2d_groups.c: a convolution whose channels are cut into groups that do not meet (Krizhevsky et al. 2012): as many
 * convolutions of their own, each by the variants of ops/conv2d.c. Their tensors are brought side by side first and the results
 * back behind (cl/turn.cl), which costs little beside the products. Weights are (kh,kw,c/groups,filters), so that those of a
 * group are columns.
 */
#include "ops/conv2d.h"

/* to (b,a,run) = from (a,b,run), or added to it. */
static void swap(launches *l, tensor from, tensor to, int a, int b, int beta) {
  const int n = (int)tensor_count(from);
  launch *k = launches_add(l, "turn", "swap_axes", "generic");
  launch_in(l, k, from);
  launch_write(l, k, to, beta);
  launch_int(l, k, n);
  launch_int(l, k, a);
  launch_int(l, k, b);
  launch_int(l, k, n / (a * b));
  launch_int(l, k, beta);
  launch_blocks(l, k, (size_t)n);
}

/* (groups * rows, h, w, c / groups): the rows of the first group, then those of the next. */
static tensor room(launches *l, const op *o, const char *name, tensor t) {
  return launches_tensor(l, name, 4, o->groups * t.rows, t.h, t.w, t.c / o->groups);
}

static int pixels(tensor t) {
  return t.rows * t.h * t.w;
}

static tensor apart(launches *l, const op *o, const char *name, tensor t) {
  const tensor to = room(l, o, name, t);
  swap(l, t, to, pixels(t), o->groups, 0);
  return to;
}

static void together(launches *l, const op *o, tensor from, tensor to, int beta) {
  swap(l, from, to, o->groups, pixels(to), beta);
}

/* Weights are a matrix with a column a filter. */
static tensor as_matrix(const op *o, tensor w) {
  w.rows = (int)o->params[0].count / o->units;
  w.h = w.w = 1;
  w.c = o->units;
  return w;
}

static tensor rows_of(const op *o, tensor t, int group) {
  const int rows = t.rows / o->groups;
  return tensor_rows(t, group * rows, rows);
}

static tensor biases_of(const op *o, tensor b, int group) {
  b.c /= o->groups;
  b.offset += (size_t)(group * b.c);
  return b;
}

static op one_of(const op *o) {
  op part = *o;
  part.groups = 1;
  part.in.c /= o->groups;
  part.units = part.out.c = o->units / o->groups;
  part.params[0].dims[3] = part.params[1].dims[0] = part.units;
  for (int i = 0; i < part.n_params; i++) part.params[i].count /= (size_t)o->groups;
  return part;
}

void conv2d_groups_forward(launches *l, const op *o, const op_io *io) {
  const op part = one_of(o);
  const tensor x = apart(l, o, "input by group", io->x), w = apart(l, o, "weights by group", as_matrix(o, io->w));
  const tensor y = room(l, o, "output by group", io->y);
  for (int g = 0; g < o->groups; g++) {
    op_io of = *io;
    of.x = rows_of(o, x, g), of.w = rows_of(o, w, g), of.b = biases_of(o, io->b, g), of.y = rows_of(o, y, g);
    conv2d_forward(l, &part, &of);
  }
  together(l, o, y, io->y, 0);
}

void conv2d_groups_backward_weights(launches *l, const op *o, const op_io *io) {
  const op part = one_of(o);
  const tensor x = apart(l, o, "input by group", io->x), dy = apart(l, o, "output gradient by group", io->dy);
  const tensor dw = room(l, o, "weight gradient by group", as_matrix(o, io->dw));
  for (int g = 0; g < o->groups; g++) {
    op_io of = *io;
    of.x = rows_of(o, x, g), of.dy = rows_of(o, dy, g), of.dw = rows_of(o, dw, g), of.db = biases_of(o, io->db, g);
    conv2d_backward_weights(l, &part, &of);
  }
  together(l, o, dw, as_matrix(o, io->dw), 0);
}

void conv2d_groups_backward_data(launches *l, const op *o, const op_io *io) {
  const op part = one_of(o);
  const tensor dy = apart(l, o, "output gradient by group", io->dy), w = apart(l, o, "weights by group", as_matrix(o, io->w));
  const tensor dx = room(l, o, "input gradient by group", io->dx);
  for (int g = 0; g < o->groups; g++) {
    op_io of = *io;
    of.x = of.dx = rows_of(o, dx, g), of.dy = rows_of(o, dy, g), of.w = rows_of(o, w, g);
    of.beta = 0;
    conv2d_backward_data(l, &part, &of);
  }
  together(l, o, dx, io->dx, io->beta);
}

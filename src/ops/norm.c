/*
 * ops/norm.c: batch normalisation (Ioffe and Szegedy 2015): each channel less its mean, divided by its deviation, times weight,
 * plus bias. In training mean and deviation are the batch's: of all its rows ("joint"), or of its source rows for those and of
 * its target rows for those ("perdomain"). Running ones follow at the end of each step that stayed finite; evaluation takes
 * them. The running ones are parameters without a gradient (param.state). Kernels: cl/norm.cl.
 */
#include "ops/gemm.h"

enum { TRAINED = 2, STATS = 3 }; /* weight and bias; mean, inverse deviation, unbiased variance */

static int infer(op *o, cldann_error *e) {
  static const char *const names[] = {
      "weight", "bias", "running_mean", "running_var", "source_running_mean", "source_running_var"};
  int rc = CLDANN_OK;
  if (!(o->momentum > 0.0f && o->momentum <= 1.0f) || !(o->epsilon > 0.0f))
    FAIL(e, CLDANN_E_ARG, "batch_norm %s: momentum %g and epsilon %g; both are above 0, momentum at most 1", o->name,
         (double)o->momentum, (double)o->epsilon);
  o->out = o->in;
  o->n_params = TRAINED + (o->per_domain ? 4 : 2);
  for (int i = 0; i < o->n_params; i++)
    o->params[i] = (param){.suffix = names[i],
                           .dims = {o->in.c},
                           .n_dims = 1,
                           .count = (size_t)o->in.c,
                           .fan_in = 1,
                           .fan_out = 1,
                           .state = i >= TRAINED,
                           .init = {CLDANN_INIT_CONSTANT, i == 0 || (i >= TRAINED && i % 2) ? 1.0f : 0.0f}};
  o->keeps = (o->per_domain ? 2 : 1) * STATS * o->in.c;
fail:
  return rc;
}

/* ---- which rows are a set ---- */

typedef struct set {
  int first, rows, pixels;
  tensor stats; /* (STATS, C) */
} set;

static tensor part_of(tensor t, int first, int count) {
  t.offset += (size_t)first;
  t.rows = t.h = t.w = 1;
  t.c = count;
  return t;
}

/* Of a batch with rows of both domains, where each has its own statistics: source, target. Else all rows. */
static int sets_of(const op *o, const op_io *io, set s[2]) {
  const int rows = io->x.rows, two = o->per_domain && io->train && io->split > 0 && io->split < rows;
  const int image = o->in.h * o->in.w, size = STATS * o->in.c;
  s[0] = (set){0, two ? io->split : rows, 0, part_of(io->kept, 0, size)};
  s[1] = (set){io->split, rows - io->split, 0, two ? part_of(io->kept, size, size) : (tensor){0}};
  for (int i = 0; i < 1 + two; i++) s[i].pixels = s[i].rows * image;
  return 1 + two;
}

/* ---- sums ---- */

/* On CPUs blocks of channels, elsewhere one; chunks of pixels along the other side. */
static void channel_grid(launches *l, launch *k, int channels, int parts) {
  launch_int(l, k, l->dev->is_cpu ? NORM_BLOCK : 1);
  if (l->dev->is_cpu) {
    launch_grid1(l, k, (size_t)ceil_div(channels, NORM_BLOCK), (size_t)parts, 1);
  } else {
    launch_grid64(l, k, (size_t)channels);
    k->dims = 2;
    k->global[1] = (size_t)parts;
  }
}

static tensor sums(launches *l, tensor x, const set *s, int channels, int centred, int *parts) {
  const int chunk = sum_chunk(s->pixels, parts);
  const tensor part = launches_tensor(l, "norm parts", 4, *parts, 1, 1, channels);
  launch *k = launches_add(l, "norm", "norm_sums", "generic");
  launch_in(l, k, x);
  launch_in(l, k, centred ? s->stats : x);
  launch_out(l, k, part);
  launch_int(l, k, s->pixels);
  launch_int(l, k, channels);
  launch_int(l, k, chunk);
  launch_int(l, k, centred);
  channel_grid(l, k, channels, *parts);
  return part;
}

static void statistics(launches *l, const op *o, tensor x, const set *s) {
  const int channels = o->in.c;
  int parts;
  tensor part = sums(l, x, s, channels, 0, &parts);
  launch *k = launches_add(l, "norm", "norm_mean", "generic");
  launch_in(l, k, part);
  launch_out(l, k, part_of(s->stats, 0, channels));
  launch_int(l, k, parts);
  launch_int(l, k, s->pixels);
  launch_int(l, k, channels);
  launch_blocks(l, k, (size_t)channels);
  part = sums(l, x, s, channels, 1, &parts);
  k = launches_add(l, "norm", "norm_deviation", "generic");
  launch_in(l, k, part);
  launch_update(l, k, s->stats);
  launch_int(l, k, parts);
  launch_int(l, k, s->pixels);
  launch_int(l, k, channels);
  launch_float(l, k, o->epsilon);
  launch_blocks(l, k, (size_t)channels);
}

static void running(launches *l, const op *o, const op_io *io, const set *s) {
  launch *k = launches_add(l, "norm", "norm_running", "generic");
  launch_in(l, k, io->state);
  launch_in(l, k, io->control);
  launch_out(l, k, s->stats);
  launch_int(l, k, o->in.c);
  launch_int(l, k, 1 + o->per_domain);
  launch_float(l, k, o->epsilon);
  launch_blocks(l, k, (size_t)o->in.c);
}

/* ---- the passes ---- */

static void forward(launches *l, const op *o, const op_io *io) {
  set s[2];
  const int n_sets = sets_of(o, io, s);
  for (int i = 0; i < n_sets; i++) {
    const tensor x = tensor_rows(io->x, s[i].first, s[i].rows);
    const int n = (int)tensor_count(x);
    if (io->train)
      statistics(l, o, x, &s[i]);
    else
      running(l, o, io, &s[i]);
    launch *k = launches_add(l, "norm", "norm_apply", "generic");
    launch_in(l, k, x);
    launch_in(l, k, s[i].stats);
    launch_in(l, k, io->w);
    launch_in(l, k, io->b);
    launch_out(l, k, tensor_rows(io->y, s[i].first, s[i].rows));
    launch_int(l, k, n);
    launch_int(l, k, o->in.c);
    launch_int(l, k, o->act);
    launch_blocks(l, k, (size_t)n);
  }
}

static void input_gradient(launches *l, const op *o, const op_io *io, const set *s, tensor total) {
  const tensor x = tensor_rows(io->x, s->first, s->rows);
  const int n = (int)tensor_count(x);
  launch *k = launches_add(l, "norm", "norm_backward", "generic");
  launch_in(l, k, x);
  launch_in(l, k, tensor_rows(io->dy, s->first, s->rows));
  launch_in(l, k, s->stats);
  launch_in(l, k, io->w);
  launch_in(l, k, total);
  launch_write(l, k, tensor_rows(io->dx, s->first, s->rows), io->beta);
  launch_int(l, k, n);
  launch_int(l, k, o->in.c);
  launch_float(l, k, 1.0f / (float)s->pixels);
  launch_int(l, k, io->beta);
  launch_blocks(l, k, (size_t)n);
}

static void backward(launches *l, const op *o, const op_io *io) {
  const int channels = o->in.c, both = 2 * channels;
  set s[2];
  const int n_sets = sets_of(o, io, s);
  const tensor totals = launches_tensor(l, "norm sums", 4, n_sets, 1, 1, both);
  for (int i = 0; i < n_sets; i++) {
    const tensor total = part_of(totals, i * both, both);
    int parts;
    const int chunk = sum_chunk(s[i].pixels, &parts);
    const tensor part = launches_tensor(l, "norm parts", 4, parts, 1, 1, both);
    launch *k = launches_add(l, "norm", "norm_gradient_sums", "generic");
    launch_in(l, k, tensor_rows(io->x, s[i].first, s[i].rows));
    launch_in(l, k, tensor_rows(io->dy, s[i].first, s[i].rows));
    launch_in(l, k, s[i].stats);
    launch_out(l, k, part);
    launch_int(l, k, s[i].pixels);
    launch_int(l, k, channels);
    launch_int(l, k, chunk);
    channel_grid(l, k, channels, parts);
    sum_partials_emit(l, part, 0, both, parts, total, both, 0);
    if (io->dx.buf) input_gradient(l, o, io, &s[i], total);
  }
  sum_partials_emit(l, totals, channels, both, n_sets, io->dw, channels, 0);
  sum_partials_emit(l, totals, 0, both, n_sets, io->db, channels, 0);
}

/* state: running mean and variance, per domain the target's first. Rows of one domain alone count for both. */
static void finish(launches *l, const op *o, const op_io *io) {
  const int size = 2 * o->in.c;
  set s[2];
  const int n_sets = sets_of(o, io, s);
  for (int domain = 0; domain < 1 + o->per_domain; domain++) { /* 0 target, 1 source, as they lie in the state */
    launch *k = launches_add(l, "norm", "norm_follow", "generic");
    launch_in(l, k, s[n_sets == 2 ? 1 - domain : 0].stats);
    launch_update(l, k, part_of(io->state, domain * size, size));
    launch_in(l, k, io->control);
    launch_int(l, k, o->in.c);
    launch_float(l, k, o->momentum);
    launch_blocks(l, k, (size_t)o->in.c);
  }
}

const op_type op_batch_norm = {
    .name = "batch_norm", .flags = OP_FUSES, .infer = infer, .forward = forward, .backward = backward, .finish = finish};

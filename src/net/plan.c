/* net/plan.c: see net/plan.h. */
#include "net/plan.h"

#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "ops/sparse.h"

typedef struct slot { /* what the planner knows of a node */
  op o;               /* a copy, with fusion and reduction decided */
  int needed;         /* an active loss depends on it */
  int learns;         /* it, or something below it, has parameters */
  int consumers;      /* among the needed nodes */
  int fused;          /* activation or pooling computed by the op below */
  int row0, rows;     /* its rows within the batch */
  tensor y, dy, saved, kept;
  int written; /* dy has had its first writer; kept at the node that owns the storage */
} slot;

typedef struct planner {
  cldann_net *net;
  const plan_buffers *b;
  const plan_spec *s;
  launches *l;
  slot *at;
  tensor x, labels, domains, control, stats, indices;
  sparse_batch sparse;
  int direct; /* the layers behind the input take sparse, and x has a shape and no buffer */
} planner;

static slot *below(planner *p, int i) {
  return &p->at[p->net->nodes[i]->in->id];
}

/* ---- what is needed ---- */

static int loss_active(const plan_spec *s, const op *o) {
  return o->target == CLDANN_TARGET_LABELS ? s->label_loss : s->domain_loss;
}

static void place_rows(planner *p, int i) {
  slot *n = &p->at[i];
  const plan_spec *s = p->s;
  const slot *in = p->net->nodes[i]->in ? below(p, i) : NULL;
  n->row0 = in ? in->row0 : 0;
  n->rows = in ? in->rows : s->rows;
  if (n->o.type != &op_rows || !s->train || s->split == s->rows) return; /* only a mixed training batch has halves */
  if (n->o.rows == CLDANN_ROWS_SOURCE) n->row0 = 0, n->rows = s->split;
  if (n->o.rows == CLDANN_ROWS_TARGET) n->row0 = s->split, n->rows = s->rows - s->split;
}

/* A max-pooling behind a convolution, or behind its fused activation, becomes part of the convolution where that can. */
static void fuse_pool(planner *p, int i) {
  slot *n = &p->at[i];
  if (!n->needed || n->o.type != &op_max_pool) return;
  const cldann_node *in = p->net->nodes[i]->in;
  slot *first = &p->at[in->id];
  if (first->consumers != 1) return;
  if (first->fused && !(first->o.type->flags & OP_ACT)) return; /* a pooling behind a pooling */
  if (first->fused) first = below(p, in->id);
  if (!first->o.type->takes_pool || !first->o.type->takes_pool(&first->o, &n->o)) return;
  first->o.pool = &n->o;
  first->o.saves = n->o.saves;
  n->fused = 1;
}

static int analyse(planner *p) {
  cldann_net *net = p->net;
  int rc = CLDANN_OK, losses = 0;
  for (int i = 0; i < net->n; i++) {
    slot *n = &p->at[i];
    n->o = net->nodes[i]->o;
    n->learns = n->o.n_params > 0 || (net->nodes[i]->in && below(p, i)->learns);
    place_rows(p, i);
    if (n->o.type->flags & OP_LOSS) {
      n->needed = loss_active(p->s, &n->o);
      n->o.reduce = n->o.target == CLDANN_TARGET_LABELS ? p->s->label_reduce : p->s->domain_reduce;
      losses += n->needed;
    }
  }
  if (p->s->output) p->at[p->s->output->id].needed = p->at[p->s->output->id].consumers = 1;
  if (!losses && !p->s->output)
    FAIL(net->err, CLDANN_E_ARG,
         "the net has no loss that this method trains; end each head with softmax_xent or logistic_xent");
  for (int i = net->n - 1; i > 0; i--)
    if (p->at[i].needed && net->nodes[i]->in) {
      below(p, i)->needed = 1;
      below(p, i)->consumers++;
    }
  for (int i = 0; i < net->n; i++) {
    slot *n = &p->at[i];
    if (!n->needed || !(n->o.type->flags & OP_ACT)) continue;
    slot *in = below(p, i);
    if ((in->o.type->flags & OP_FUSES) && in->consumers == 1) {
      in->o.act = n->o.type->act;
      n->fused = 1;
    }
  }
  for (int i = 0; i < net->n; i++) fuse_pool(p, i);
fail:
  return rc;
}

/* Does node i read the input, or that in another form? */
static int at_input(planner *p, int i) {
  const cldann_node *in = p->net->nodes[i]->in;
  while (in && in->o.type == &op_flatten) in = in->in;
  return in && (in->o.type->flags & OP_INPUT);
}

/* Are all rows sparse, and may what reads them take them so? */
static int takes_sparse(planner *p) {
  const plan_spec *s = p->s;
  const int channels = net_input(p->net)->o.out.c;
  if (s->output && ((s->output->o.type->flags & OP_INPUT) || (s->output->o.type == &op_flatten && at_input(p, s->output->id))))
    return 0; /* the input is asked for */
  for (int i = 0; i < 1 + (s->split < s->rows); i++)
    if (!s->streams[i].offsets || s->streams[i].channels != channels || s->centred) return 0;
  for (int i = 0; i < p->net->n; i++)
    if (p->at[i].needed && at_input(p, i) && p->at[i].o.type != &op_flatten && !(p->at[i].o.type->flags & OP_SPARSE)) return 0;
  return 1;
}

/* ---- tensors ---- */

static tensor external(planner *p, const char *name, buffer *b, size_t offset, int count) {
  return launches_external(p->l, name, b, 4, offset, 1, 1, 1, count);
}

static tensor param_tensor(planner *p, int node, int k, buffer *arena, const char *name) {
  const cldann_node *n = p->net->nodes[node];
  if (k >= n->o.n_params) return (tensor){0};
  return external(p, name, arena, n->param_at[k], (int)n->o.params[k].count);
}

static tensor reshaped(tensor t, shape s) {
  t.h = s.h, t.w = s.w, t.c = s.c;
  return t;
}

/* A view's part of its input's storage; the same for values and for gradients. */
static tensor view_of(planner *p, int i, tensor base) {
  const slot *n = &p->at[i], *in = below(p, i);
  return reshaped(tensor_rows(base, n->row0 - in->row0, n->rows), n->o.out);
}

/* What is not trained of a node's parameters: they lie one after the other. */
static tensor state_tensor(planner *p, int node) {
  const cldann_node *n = p->net->nodes[node];
  size_t count = 0;
  int first = -1;
  for (int k = 0; k < n->o.n_params; k++)
    if (n->o.params[k].state) first = first < 0 ? k : first, count += n->o.params[k].count;
  if (first < 0) return (tensor){0};
  return external(p, "running statistics", p->b->params, n->param_at[first], (int)count);
}

/* The node's rows that are the source's, of a batch in training. */
static int split_of(const planner *p, int i) {
  const int n = p->s->split - p->at[i].row0;
  return n < 0 ? 0 : n > p->at[i].rows ? p->at[i].rows : n;
}

/* Whole numbers of the batch's rows, from this row on; none stays none. */
static tensor marks_from(tensor marks, int row) {
  if (marks.buf) marks.offset += (size_t)row, marks.c -= row;
  return marks;
}

/* ---- forward ---- */

static op_io io_of(planner *p, int i) {
  slot *n = &p->at[i];
  op_io io = {.y = n->y, .saved = n->saved, .control = p->control, .row0 = n->row0};
  io.kept = n->kept;
  io.state = state_tensor(p, i);
  io.train = p->s->train;
  io.split = split_of(p, i);
  io.seed = p->s->seed;
  io.stream = RNG_DROPOUT + (uint32_t)i;
  if (p->net->nodes[i]->in) io.x = below(p, i)->y;
  if (p->direct && at_input(p, i)) io.sparse = &p->sparse;
  io.w = param_tensor(p, i, 0, p->b->params, "parameters");
  io.b = param_tensor(p, i, 1, p->b->params, "parameters");
  if (n->o.type->flags & OP_LOSS) {
    io.labels = n->o.target == CLDANN_TARGET_LABELS ? p->labels : marks_from(p->domains, n->row0);
    io.stats = external(p, "statistics", p->b->stats, n->o.target == CLDANN_TARGET_LABELS ? 0 : STAT_WORDS, STAT_WORDS);
  }
  return io;
}

static void forward_node(planner *p, int i) {
  slot *n = &p->at[i];
  const unsigned flags = n->o.type->flags;
  if (flags & OP_INPUT) {
    n->y = p->x;
  } else if (flags & OP_VIEW) {
    n->y = view_of(p, i, below(p, i)->y);
  } else if ((flags & OP_ALIAS) || n->fused || ((flags & OP_TRAIN) && !p->s->train)) {
    n->y = below(p, i)->y;
  } else if (flags & OP_LOSS) {
    if (p->s->train) return; /* training gets statistics and gradient from one launch, in backward */
    launches_at(p->l, n->o.name, "loss");
    const op_io io = io_of(p, i);
    n->o.type->forward(p->l, &n->o, &io);
  } else {
    const shape s = n->o.pool ? n->o.pool->out : n->o.out;
    launches_at(p->l, n->o.name, "forward");
    n->y = launches_tensor(p->l, n->o.name, 4, n->rows, s.h, s.w, s.c);
    if (n->o.saves) n->saved = launches_tensor(p->l, n->o.name, n->o.saves, n->rows, s.h, s.w, s.c);
    if (n->o.keeps) n->kept = launches_tensor(p->l, n->o.name, 4, 1, 1, 1, n->o.keeps);
    const op_io io = io_of(p, i);
    n->o.type->forward(p->l, &n->o, &io);
  }
}

/* ---- backward ---- */

static int fused_above(planner *p, int i) {
  for (int j = i + 1; j < p->net->n; j++)
    if (p->at[j].fused && p->at[j].needed && p->net->nodes[j]->in->id == i) return j;
  return -1;
}

/* The node that owns the storage of i's gradient: a view's is its input's, a fused activation's input's is its own. */
static int grad_owner(planner *p, int i) {
  for (;;) {
    const int above = fused_above(p, i);
    if (above >= 0)
      i = above;
    else if (p->at[i].o.type->flags & OP_VIEW)
      i = p->net->nodes[i]->in->id;
    else
      return i;
  }
}

static tensor grad_of(planner *p, int i) {
  slot *n = &p->at[i];
  const int above = fused_above(p, i);
  if (above >= 0) return grad_of(p, above);
  if (n->o.type->flags & OP_VIEW) return view_of(p, i, grad_of(p, p->net->nodes[i]->in->id));
  if (!n->dy.buf) n->dy = launches_tensor(p->l, n->o.name, 4, n->rows, n->o.out.h, n->o.out.w, n->o.out.c);
  return n->dy;
}

static void clear(planner *p, tensor t) {
  const int n = (int)tensor_count(t);
  launch *k = launches_add(p->l, "control", "fill", "generic");
  launch_out(p->l, k, t);
  launch_int(p->l, k, n);
  launch_float(p->l, k, 0.0f);
  launch_blocks(p->l, k, (size_t)n);
}

/* The first-writer rule: the beta with which node i may write the gradient of its input. */
static int first_writer(planner *p, int i) {
  const int input = p->net->nodes[i]->in->id, owner = grad_owner(p, input);
  slot *o = &p->at[owner];
  const int partial = p->at[input].rows != o->rows;
  if (!o->written && partial) clear(p, grad_of(p, owner));
  const int beta = o->written || partial;
  o->written = 1;
  return beta;
}

static int backward_node(planner *p, int i) {
  slot *n = &p->at[i];
  const unsigned flags = n->o.type->flags;
  int rc = CLDANN_OK;
  if (!n->needed || !n->learns || (flags & (OP_VIEW | OP_INPUT))) return rc;
  if (n->fused && !(flags & OP_ACT)) return rc; /* the op below works on the pooled gradient */
  launches_at(p->l, n->o.name, (flags & OP_LOSS) ? "loss" : "backward");
  op_io io = io_of(p, i);
  const int input = p->net->nodes[i]->in->id;
  if (!(flags & OP_LOSS)) io.dy = grad_of(p, i);
  io.dw = param_tensor(p, i, 0, p->b->grads, "gradients");
  io.db = param_tensor(p, i, 1, p->b->grads, "gradients");
  if (n->fused) {
    io.dx = io.dy; /* in place: the op below reads the same storage */
  } else if (p->at[input].learns) {
    io.beta = first_writer(p, i);
    io.dx = grad_of(p, input);
    if ((flags & OP_LOSS) && io.beta)
      FAIL(p->net->err, CLDANN_E_ARG, "%s: the input of a loss must have no other use", n->o.name);
  }
  n->o.type->backward(p->l, &n->o, &io);
fail:
  return rc;
}

/* ---- where the heads meet ---- */

/*
 * The reversal through which the domain head's gradient comes to what the label head reads too; -1: there is none, or several,
 * or it has not all of the rows.
 */
static int find_join(planner *p) {
  int found = -1, meet = 0;
  if (!p->b->join || !p->s->label_loss || !p->s->domain_loss) return -1;
  for (int i = 0; i < p->net->n; i++) {
    if (!p->at[i].needed || p->at[i].o.type != &op_reversal) continue;
    if (found >= 0) return -1;
    found = i;
  }
  if (found < 0 || !below(p, found)->learns) return -1;
  const int owner = grad_owner(p, p->net->nodes[found]->in->id);
  for (const cldann_node *n = net_loss(p->net, CLDANN_TARGET_LABELS)->in; n; n = n->in) meet |= n->id == owner;
  return meet && p->at[found].rows == p->at[owner].rows ? found : -1;
}

/* The reversal has left its own gradient as it was, so that the sum can be taken apart again, and nothing is kept for this. */
static void measure_join(planner *p, int join) {
  enum { BLOCK = 8192 };
  const tensor dy = grad_of(p, join), sum = grad_of(p, p->net->nodes[join]->in->id);
  const int n = (int)tensor_count(sum), parts = ceil_div(n, BLOCK);
  launches *l = p->l;
  launches_at(l, "join", "norm");
  const tensor part = launches_tensor(l, "join parts", 4, 1, 1, parts, JOIN_WORDS);
  launch *k = launches_add(l, "reduce", "join_squares", "generic");
  k->look = 1;
  launch_in(l, k, sum);
  launch_in(l, k, dy);
  launch_in(l, k, p->control);
  launch_out(l, k, part);
  launch_int(l, k, n);
  launch_float(l, k, p->at[join].o.lambda);
  launch_int(l, k, BLOCK);
  launch_grid1(l, k, (size_t)parts, 1, 1);
  k = launches_add(l, "reduce", "sum_partials", "generic");
  k->look = 1;
  launch_in(l, k, part);
  launch_int(l, k, JOIN_WORDS);
  launch_int(l, k, parts);
  launch_out(l, k, external(p, "join", p->b->join, 0, JOIN_WORDS));
  launch_int(l, k, JOIN_WORDS);
  launch_int(l, k, 0);
  launch_grid1(l, k, JOIN_WORDS, 1, 1);
}

/* ---- the ends of a step ---- */

/* The rows of a sparse stream: at once into the batch, or as they are for who takes them so. */
static void take_sparse(planner *p, int which, int first, tensor indices) {
  const stream *s = &p->s->streams[which];
  const char *name = which ? "target data" : "source data";
  const int rows = indices.c, entries = (int)(rows * s->entries + 0.5), item = p->x.h * p->x.w * s->channels;
  const tensor mean = external(p, "mean", p->b->mean, 0, p->x.c);
  const sparse_part part = {.offsets = external(p, name, s->offsets, 0, rows + 1),
                            .columns = external(p, name, s->columns, 0, entries),
                            .values = external(p, name, s->x, 0, entries),
                            .indices = indices,
                            .first = first,
                            .entries = s->entries};
  if (p->direct) {
    p->sparse.x = p->x;
    p->sparse.mean = mean;
    p->sparse.scale = p->s->scale;
    p->sparse.part[p->sparse.n++] = part;
  } else {
    sparse_gather_emit(p->l, &part, mean, p->s->centred, p->s->scale, item, p->x);
  }
}

/* Of each of the rows: what part of its item the input is, and whether mirrored. Drawn anew in each step of a training. */
static tensor draw_places(planner *p, const stream *s, int first, int rows) {
  const plan_spec *spec = p->s;
  const int random = spec->train && spec->crop, mirror = spec->train && spec->mirror;
  tensor places = launches_tensor(p->l, "places", 4, rows, 1, 1, 3);
  launch *k = launches_add(p->l, "gather", "draw_places", "generic");
  launch_in(p->l, k, p->control);
  launch_out(p->l, k, places);
  launch_int(p->l, k, first);
  launch_int(p->l, k, rows);
  launch_int(p->l, k, s->h - p->x.h);
  launch_int(p->l, k, s->w - p->x.w);
  launch_int(p->l, k, random);
  launch_int(p->l, k, mirror);
  launch_int(p->l, k, (int)(uint32_t)spec->seed);
  launch_int(p->l, k, (int)(uint32_t)(spec->seed >> 32));
  launch_int(p->l, k, RNG_AUGMENT);
  launch_blocks(p->l, k, (size_t)rows);
  return places;
}

static int is_placed(const planner *p, const stream *s) {
  return (s->h && (s->h != p->x.h || s->w != p->x.w)) || (p->s->train && p->s->mirror);
}

/* Parts of images. */
static void gather_placed(planner *p, int which, int first, tensor indices, tensor to) {
  const stream *s = &p->s->streams[which];
  const char *name = which ? "target data" : "source data";
  const tensor places = draw_places(p, s, first, to.rows);
  launch *k = launches_add(p->l, "gather", s->bytes == 1 ? "gather_placed_u8" : "gather_placed_f32", "generic");
  launch_in(p->l, k, launches_external(p->l, name, s->x, s->bytes, 0, to.rows, s->h, s->w, s->channels));
  launch_in(p->l, k, indices);
  launch_in(p->l, k, places);
  launch_in(p->l, k, external(p, "mean", p->b->mean, 0, to.c));
  launch_out(p->l, k, to);
  launch_int(p->l, k, s->h);
  launch_int(p->l, k, s->w);
  launch_int(p->l, k, s->channels);
  launch_int(p->l, k, to.h);
  launch_int(p->l, k, to.w);
  launch_int(p->l, k, to.c);
  launch_int(p->l, k, to.rows * to.h * to.w);
  launch_float(p->l, k, p->s->scale);
  launch_blocks(p->l, k, (size_t)(to.rows * to.h * to.w));
}

/* Blocks and work-items are of pixels where those have few channels, else of numbers. */
static void gather(planner *p, int which, int first, int rows) {
  enum { WIDE = 16 };
  static const char *const kernels[2][2] = {{"gather_f32", "gather_u8"}, {"gather_wide_f32", "gather_wide_u8"}};
  const stream *s = &p->s->streams[which];
  tensor t = tensor_rows(p->x, first, rows), idx = marks_from(p->indices, first);
  const int wide = s->channels == t.c && t.c >= WIDE, item = t.h * t.w * (wide ? t.c : 1);
  if (rows <= 0) return;
  idx.c = rows;
  if (s->offsets) {
    take_sparse(p, which, first, idx);
    return;
  }
  if (is_placed(p, s)) {
    gather_placed(p, which, first, idx, t);
    return;
  }
  launch *k = launches_add(p->l, "gather", kernels[wide][s->bytes == 1], "generic");
  launch_in(p->l, k,
            launches_external(p->l, which ? "target data" : "source data", s->x, s->bytes, 0, rows, t.h, t.w, s->channels));
  launch_in(p->l, k, idx);
  launch_in(p->l, k, external(p, "mean", p->b->mean, 0, t.c));
  launch_out(p->l, k, t);
  launch_int(p->l, k, item);
  launch_int(p->l, k, rows * item);
  launch_float(p->l, k, p->s->scale);
  if (!wide) launch_int(p->l, k, s->channels);
  launch_int(p->l, k, t.c);
  if (!wide) launch_int(p->l, k, 0);
  launch_blocks(p->l, k, (size_t)(rows * item));
}

/* A whole number for each of the batch's rows from `first` on: labels, or domains. */
static void gather_marks(planner *p, const char *name, buffer *marks, int first, int rows, tensor to) {
  tensor idx = marks_from(p->indices, first);
  if (rows <= 0) return;
  to = marks_from(to, first);
  idx.c = to.c = rows;
  launch *k = launches_add(p->l, "gather", "gather_labels", "generic");
  launch_in(p->l, k, external(p, name, marks, 0, rows));
  launch_in(p->l, k, idx);
  launch_out(p->l, k, to);
  launch_int(p->l, k, rows);
  launch_blocks(p->l, k, (size_t)rows);
}

static void begin(planner *p) {
  const plan_spec *s = p->s;
  const shape in = net_input(p->net)->o.out;
  launches *l = p->l;
  p->control = external(p, "control", p->b->control, 0, CTL_WORDS);
  launches_at(l, "control", "step");
  p->indices = launches_tensor(l, "row indices", 4, 1, 1, 1, s->rows);
  launch *k = launches_add(l, "control", "control_next", "generic");
  launch_in(l, k, external(p, "control table", p->b->table, 0, CTL_ROW_WORDS));
  launch_in(l, k, external(p, "index table", p->b->indices, 0, s->rows));
  launch_update(l, k, p->control);
  launch_out(l, k, p->indices);
  launch_int(l, k, s->rows);
  launch_grid1(l, k, 1, 1, 1);

  launches_at(l, "input", "gather");
  p->direct = takes_sparse(p);
  p->x = p->direct ? (tensor){.rows = s->rows, .h = in.h, .w = in.w, .c = in.c}
                   : launches_tensor(l, "input", 4, s->rows, in.h, in.w, in.c);
  gather(p, 0, 0, s->split);
  gather(p, 1, s->split, s->rows - s->split);
  if (s->label_loss) { /* labels exist for stream 0 only: the target stream of a mixed batch has none to see */
    p->labels = launches_tensor(l, "labels", 4, 1, 1, 1, s->split);
    gather_marks(p, "source labels", s->streams[0].labels, 0, s->split, p->labels);
  }
  if (s->domain_loss && s->streams[0].domains) {
    p->domains = launches_tensor(l, "domains", 4, 1, 1, 1, s->rows);
    gather_marks(p, "source domains", s->streams[0].domains, 0, s->split, p->domains);
    gather_marks(p, "target domains", s->streams[1].domains, s->split, s->rows - s->split, p->domains);
  }
}

static int branch_trained(planner *p, int branch) {
  for (int i = 0; i < p->net->n; i++)
    if ((int)p->net->nodes[i]->branch == branch && p->at[i].needed && p->at[i].o.n_params) return 1;
  return 0;
}

static void measure_gradient(planner *p, int branch) {
  enum { BLOCK = 8192 };
  const int n = (int)p->net->group_count[branch], parts = ceil_div(n, BLOCK);
  launches *l = p->l;
  launches_at(l, branch_name((cldann_branch_id)branch), "norm");
  tensor part = launches_tensor(l, "norm parts", 4, 1, 1, 1, parts);
  launch *k = launches_add(l, "reduce", "square_sums", "generic");
  launch_in(l, k, external(p, "gradients", p->b->grads, p->net->group_at[branch], n));
  launch_out(l, k, part);
  launch_int(l, k, n);
  launch_int(l, k, BLOCK);
  launch_grid1(l, k, (size_t)parts, 1, 1);
  k = launches_add(l, "reduce", "gradient_norm", "generic");
  launch_in(l, k, part);
  launch_out(l, k, external(p, "norms", p->b->norms, (size_t)branch, 1));
  launch_update(l, k, p->control);
  launch_int(l, k, parts);
  launch_grid1(l, k, 1, 1, 1);
}

static void emit_update(planner *p, int branch, size_t at, size_t count, float rate) {
  const int n = (int)count;
  launches *l = p->l;
  if (n == 0 || !(rate > 0.0f)) return;
  launches_at(l, branch_name((cldann_branch_id)branch), "update");
  launch *k = launches_add(l, "optim", "optim_update", "generic");
  launch_update(l, k, external(p, "parameters", p->b->params, at, n));
  launch_in(l, k, external(p, "gradients", p->b->grads, at, n));
  launch_update(l, k, external(p, "momentum", p->b->m, at, n));
  launch_update(l, k, external(p, "second moment", p->b->v, at, n));
  launch_in(l, k, p->control);
  launch_in(l, k, external(p, "hyper", p->b->hyper, 0, HYPER_WORDS));
  launch_in(l, k, external(p, "norms", p->b->norms, 0, BRANCHES));
  launch_int(l, k, BRANCHES);
  launch_int(l, k, n);
  launch_float(l, k, rate);
  launch_int(l, k, p->s->optimiser);
  launch_blocks(l, k, (size_t)n);
}

/* One launch for all neighbours with the same factor of the learning rate: for most nets the whole branch. */
static void update(planner *p, int branch) {
  size_t at = p->net->group_at[branch], end = at;
  float rate = 1.0f;
  for (int i = 0; i < p->net->n; i++) {
    const cldann_node *n = p->net->nodes[i];
    if ((int)n->branch != branch) continue;
    for (int k = 0; k < n->o.n_params; k++) {
      if (n->o.params[k].state) continue;
      if (n->o.lr[k > 0] != rate) {
        emit_update(p, branch, at, end - at, rate);
        at = end, rate = n->o.lr[k > 0];
      }
      end = n->param_at[k] + n->o.params[k].count;
    }
  }
  emit_update(p, branch, at, end - at, rate);
}

static void finish_node(planner *p, int i) {
  const slot *n = &p->at[i];
  if (!n->needed || !n->o.type->finish) return;
  launches_at(p->l, n->o.name, "finish");
  const op_io io = io_of(p, i);
  n->o.type->finish(p->l, &n->o, &io);
}

int plan_build(device *d, cldann_net *net, const plan_buffers *b, const plan_spec *s, launches **out) {
  planner p = {.net = net, .b = b, .s = s};
  int rc;
  TRY(launches_new(net->err, device_get_info(d), &p.l));
  p.l->force = s->force;
  p.l->tuning = device_get_tuning(d);
  p.l->reference = s->reference;
  TRY(mem_new(net->err, &p.at, (size_t)net->n, sizeof *p.at));
  TRY(analyse(&p));
  begin(&p);
  for (int i = 0; i < net->n; i++)
    if (p.at[i].needed) forward_node(&p, i);
  if (s->output) p.l->output = p.at[s->output->id].y;
  if (s->train) {
    const int join = find_join(&p), meet = join < 0 ? -1 : grad_owner(&p, net->nodes[join]->in->id);
    for (int i = net->n - 1; i >= 0; i--) {
      if (i == meet) measure_join(&p, join); /* all that adds to it comes before */
      TRY(backward_node(&p, i));
    }
    /* All norms before any update: a gradient that is not finite in one branch stops them all. */
    for (int i = 0; i < BRANCHES; i++)
      if (branch_trained(&p, i)) measure_gradient(&p, i);
    for (int i = 0; i < BRANCHES; i++)
      if (branch_trained(&p, i)) update(&p, i);
    for (int i = 0; i < net->n; i++) finish_node(&p, i);
  }
  TRY(p.l->failed);
  mem_free(p.at);
  *out = p.l;
  return CLDANN_OK;
fail:
  mem_free(p.at);
  launches_free(p.l);
  return rc;
}

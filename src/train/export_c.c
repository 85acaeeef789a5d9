/*
 * train/export_c.c: cldann_export_c: a model as one C file that needs nothing but a C99 compiler and its maths library: weights
 * as constants in our own layouts (NHWC, HWIO), and plain loops for features and label head. The domain head stays behind.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/memo.h"
#include "base/text.h"
#include "data/place.h"
#include "train/export.h"

typedef struct exporter {
  exported m;
  char prefix[64];
  FILE *f;
  int step; /* whose result lies in a or b */
} exporter;

/* ---- the plain loops, of which a file gets those that it needs ---- */

static const char dense_text[] =
    "static void dense(const float *x, const float *w, const float *b, float *y, int in, int units) {\n"
    "  for (int j = 0; j < units; j++) y[j] = b[j];\n"
    "  for (int i = 0; i < in; i++)\n"
    "    for (int j = 0; j < units; j++) y[j] += x[i] * w[i * units + j];\n"
    "}\n\n";
static const char conv2d_text[] =
    "/* x (h, wd, c), w (kh, kw, c / groups, n), y (oh, ow, n); what lies outside x is 0. */\n"
    "static void conv2d(const float *x, const float *w, const float *b, float *y, int h, int wd, int c, int oh, int ow, int n, "
    "int groups,\n"
    "                   int kh, int kw, int sy, int sx, int top, int left) {\n"
    "  const int in = c / groups, out = n / groups;\n"
    "  for (int r = 0; r < oh; r++)\n"
    "    for (int q = 0; q < ow; q++, y += n) {\n"
    "      for (int j = 0; j < n; j++) y[j] = b[j];\n"
    "      for (int u = 0; u < kh; u++)\n"
    "        for (int v = 0; v < kw; v++) {\n"
    "          const int row = r * sy + u - top, col = q * sx + v - left;\n"
    "          if (row < 0 || row >= h || col < 0 || col >= wd) continue;\n"
    "          for (int k = 0; k < c; k++)\n"
    "            for (int j = k / in * out; j < (k / in + 1) * out; j++)\n"
    "              y[j] += x[(row * wd + col) * c + k] * w[((u * kw + v) * in + k % in) * n + j];\n"
    "        }\n"
    "    }\n"
    "}\n\n";
static const char pool_text[] = "/* The greatest, or the mean, of the cells of each window that lie inside x. */\n"
                                "static void pool(const float *x, float *y, int h, int wd, int c, int oh, int ow, int kh, int "
                                "kw, int sy, int sx, int top, int left,\n"
                                "                 int greatest) {\n"
                                "  for (int r = 0; r < oh; r++)\n"
                                "    for (int q = 0; q < ow; q++, y += c)\n"
                                "      for (int k = 0; k < c; k++) {\n"
                                "        float sum = 0.0f, most = -INFINITY;\n"
                                "        int n = 0;\n"
                                "        for (int u = 0; u < kh; u++)\n"
                                "          for (int v = 0; v < kw; v++) {\n"
                                "            const int row = r * sy + u - top, col = q * sx + v - left;\n"
                                "            if (row < 0 || row >= h || col < 0 || col >= wd) continue;\n"
                                "            const float z = x[(row * wd + col) * c + k];\n"
                                "            sum += z, n++;\n"
                                "            if (z > most) most = z;\n"
                                "          }\n"
                                "        y[k] = greatest ? most : sum / (float)n;\n"
                                "      }\n"
                                "}\n\n";
static const char norm_text[] = "static void batch_norm(float *x, const float *w, const float *b, const float *mean, const "
                                "float *variance, float epsilon, int n,\n"
                                "                       int c) {\n"
                                "  for (int i = 0; i < n; i++)\n"
                                "    x[i] = (x[i] - mean[i % c]) / sqrtf(variance[i % c] + epsilon) * w[i % c] + b[i % c];\n"
                                "}\n\n";

static const char lrn_text[] =
    "/* Rows of c channels, n numbers in all; a window has `half` neighbours on each side. */\n"
    "static void lrn(const float *x, float *y, int n, int c, int half, float alpha, float beta, float k) {\n"
    "  for (int i = 0; i < n; i++) {\n"
    "    const int at = i % c, first = at < half ? 0 : at - half, last = at + half < c ? at + half : c - 1;\n"
    "    float sum = 0.0f;\n"
    "    for (int d = first; d <= last; d++) sum += x[i - at + d] * x[i - at + d];\n"
    "    y[i] = x[i] * powf(k + alpha * sum, -beta);\n"
    "  }\n"
    "}\n\n";

static int uses(const exporter *p, const op_type *t) {
  for (int i = 0; i < p->m.n; i++)
    if (p->m.path[i]->o.type == t) return 1;
  return 0;
}

/* ---- weights ---- */

static void put_number(FILE *f, float v) {
  char text[40];
  snprintf(text, sizeof text, "%.9g", (double)v);
  fprintf(f, text[strcspn(text, ".e")] ? "%sf" : "%s.0f", text);
}

static void put_array(exporter *p, const char *name, const float *v, size_t n) {
  fprintf(p->f, "static const float %s[%zu] = {", name, n);
  for (size_t i = 0; i < n; i++) {
    fputs(i % 8 ? " " : "\n  ", p->f);
    put_number(p->f, v[i]);
    fputc(',', p->f);
  }
  fputs("\n};\n\n", p->f);
}

/* Node k of the path's parameter i: "w3_0". Of two domains' statistics only the target's are needed. */
static void put_weights(exporter *p) {
  char name[32];
  for (int k = 0; k < p->m.n; k++)
    for (int i = 0; i < p->m.path[k]->o.n_params && i < 4; i++) {
      snprintf(name, sizeof name, "w%d_%d", k, i);
      put_array(p, name, p->m.params + p->m.path[k]->param_at[i], p->m.path[k]->o.params[i].count);
    }
}

/* ---- the calls ---- */

static int size_of(shape s) {
  return s.h * s.w * s.c;
}

/* "a" or "b": a step that cannot be done in place moves on to the other. */
static const char *here(const exporter *p) {
  return p->step % 2 ? "b" : "a";
}
static const char *there(const exporter *p) {
  return p->step % 2 ? "a" : "b";
}

static void put_window(exporter *p, const op *o) {
  const cldann_window *w = &o->window;
  fprintf(p->f, "%d, %d, %d, %d, %d, %d", w->height, w->width, w->stride_y, w->stride_x, o->pad_top, o->pad_left);
}

static int put_step(exporter *p, int k) {
  const op *o = &p->m.path[k]->o;
  const op_type *t = o->type;
  const shape in = o->in, out = o->out;
  const int n = size_of(out);
  if (t == &op_dense) {
    fprintf(p->f, "  dense(%s, w%d_0, w%d_1, %s, %d, %d);", here(p), k, k, there(p), size_of(in), o->units), p->step++;
  } else if (t == &op_conv2d) {
    fprintf(p->f, "  conv2d(%s, w%d_0, w%d_1, %s, %d, %d, %d, %d, %d, %d, %d, ", here(p), k, k, there(p), in.h, in.w, in.c,
            out.h, out.w, out.c, o->groups);
    put_window(p, o);
    fputs(");", p->f), p->step++;
  } else if (t == &op_max_pool || t == &op_avg_pool || t == &op_global_pool) {
    fprintf(p->f, "  pool(%s, %s, %d, %d, %d, %d, %d, ", here(p), there(p), in.h, in.w, in.c, out.h, out.w);
    put_window(p, o);
    fprintf(p->f, ", %d);", t == &op_max_pool), p->step++;
  } else if (t == &op_batch_norm) {
    fprintf(p->f, "  batch_norm(%s, w%d_0, w%d_1, w%d_2, w%d_3, ", here(p), k, k, k, k);
    put_number(p->f, o->epsilon);
    fprintf(p->f, ", %d, %d);", n, out.c);
  } else if (t == &op_lrn) {
    fprintf(p->f, "  lrn(%s, %s, %d, %d, %d, ", here(p), there(p), n, out.c, o->size / 2);
    put_number(p->f, o->alpha / (float)o->size), fputs(", ", p->f);
    put_number(p->f, o->beta), fputs(", ", p->f);
    put_number(p->f, o->k), fputs(");", p->f), p->step++;
  } else if (t == &op_relu) {
    fprintf(p->f, "  for (int i = 0; i < %d; i++) %s[i] = %s[i] > 0.0f ? %s[i] : 0.0f;", n, here(p), here(p), here(p));
  } else if (t == &op_leaky_relu) {
    fprintf(p->f, "  for (int i = 0; i < %d; i++) %s[i] *= %s[i] > 0.0f ? 1.0f : ", n, here(p), here(p));
    put_number(p->f, o->slope), fputc(';', p->f);
  } else if (t == &op_sigmoid) {
    fprintf(p->f, "  for (int i = 0; i < %d; i++) %s[i] = 1.0f / (1.0f + expf(-%s[i]));", n, here(p), here(p));
  } else if (t == &op_tanh) {
    fprintf(p->f, "  for (int i = 0; i < %d; i++) %s[i] = tanhf(%s[i]);", n, here(p), here(p));
  } else if (t != &op_flatten && t != &op_dropout && t != &op_rows && !(t->flags & OP_INPUT)) {
    return err_set(p->m.e, CLDANN_E_ARG, __FILE__, __LINE__, "%s %s: this op cannot be written as C yet", t->name, o->name);
  } else {
    return CLDANN_OK;
  }
  fprintf(p->f, " /* %s: %d x %d x %d */\n", o->name, out.h, out.w, out.c);
  return CLDANN_OK;
}

static int widest(const exporter *p) {
  int most = 0;
  for (int i = 0; i < p->m.n; i++)
    if (size_of(p->m.path[i]->o.out) > most) most = size_of(p->m.path[i]->o.out);
  return most;
}

static void put_heading(exporter *p, int classes) {
  const shape in = net_input(p->m.x->net)->o.out;
  fprintf(
      p->f,
      "/*\n * %s: a classifier that cldann %s trained (experiment %s, method %s, seed %llu), in plain C99. Link with -lm.\n"
      " *\n * x: one item, (%d, %d, %d) floats, channels fastest, numbers as the training data have them (bytes 0 to 255).\n"
      " * p: the probabilities of the %d classes. scratch: %s_SCRATCH floats, whose content does not matter.\n */\n"
      "#include <math.h>\n\n#define %s_CLASSES %d\n#define %s_SCRATCH %d\n\n",
      p->prefix, CLDANN_VERSION, p->m.x->s.name, p->m.x->s.method->name, (unsigned long long)p->m.x->s.seed, in.h, in.w, in.c,
      classes, p->prefix, p->prefix, classes, p->prefix, 2 * widest(p));
  fprintf(p->f, "void %s_predict(const float *x, float *p, float *scratch);\n", p->prefix);
  if (p->m.about.classes) fprintf(p->f, "extern const char *const %s_names[%s_CLASSES];\n", p->prefix, p->prefix);
  fputc('\n', p->f);
}

static void put_names(exporter *p) {
  const char *at = p->m.about.classes;
  if (!at) return;
  fprintf(p->f, "const char *const %s_names[%s_CLASSES] = {\"", p->prefix, p->prefix);
  for (; *at; at++) {
    if (*at == '"' || *at == '\\') fputc('\\', p->f);
    if (*at == '\n')
      fputs("\", \"", p->f);
    else if (*at == '?')
      fputs("\\?", p->f); /* no trigraphs */
    else
      fputc(*at, p->f);
  }
  fputs("\"};\n\n", p->f);
}

/* The item as the net takes it: less its mean, times the scale. */
static void put_input(exporter *p) {
  const shape in = net_input(p->m.x->net)->o.out;
  if (p->m.about.channels) put_array(p, "input_mean", p->m.about.mean, (size_t)p->m.about.channels);
  put_weights(p);
  fprintf(p->f,
          "void %s_predict(const float *x, float *p, float *scratch) {\n  float *const a = scratch, *const b = scratch + %d;\n",
          p->prefix, widest(p));
  fprintf(p->f, "  for (int i = 0; i < %d; i++) a[i] = (x[i]", size_of(in));
  if (p->m.about.channels) fprintf(p->f, " - input_mean[i %% %d]", in.c);
  fputs(") * ", p->f);
  put_number(p->f, (float)p->m.x->s.scale);
  fputs(";\n", p->f);
}

static void put_probabilities(exporter *p, int classes, int units) {
  const char *z = here(p);
  if (units == 1) {
    fprintf(p->f, "  p[1] = 1.0f / (1.0f + expf(-%s[0]));\n  p[0] = 1.0f - p[1];\n  (void)b;\n}\n", z);
    return;
  }
  fprintf(p->f,
          "  float most = %s[0], sum = 0.0f;\n  for (int i = 1; i < %d; i++)\n    if (%s[i] > most) most = %s[i];\n"
          "  for (int i = 0; i < %d; i++) sum += p[i] = expf(%s[i] - most);\n  for (int i = 0; i < %d; i++) p[i] /= sum;\n  "
          "(void)b;\n}\n",
          z, classes, z, z, classes, z, classes);
}

/* ---- the file ---- */

/* A name in C of the file's: letters, digits and underscores. */
static void name_after(const char *path, char *to, size_t room) {
  size_t n = 0;
  const char *s = text_base(path);
  if (!isalpha((unsigned char)*s)) to[n++] = 'm';
  for (; *s && *s != '.' && n + 1 < room; s++) to[n++] = isalnum((unsigned char)*s) ? *s : '_';
  to[n] = 0;
}

static int write_all(exporter *p) {
  int rc = CLDANN_OK;
  put_heading(p, p->m.classes);
  put_names(p);
  if (uses(p, &op_dense)) fputs(dense_text, p->f);
  if (uses(p, &op_conv2d)) fputs(conv2d_text, p->f);
  if (uses(p, &op_max_pool) || uses(p, &op_avg_pool) || uses(p, &op_global_pool)) fputs(pool_text, p->f);
  if (uses(p, &op_batch_norm)) fputs(norm_text, p->f);
  if (uses(p, &op_lrn)) fputs(lrn_text, p->f);
  put_input(p);
  for (int k = 0; k < p->m.n; k++) TRY(put_step(p, k));
  put_probabilities(p, p->m.classes, p->m.units);
fail:
  return rc;
}

int cldann_export_c(cldann *c, const char *model, const char *path) {
  exporter p = {.f = NULL};
  memo text = {.f = NULL};
  int rc;
  TRY(export_open(c, model, "C", &p.m));
  name_after(path, p.prefix, sizeof p.prefix);
  TRY(memo_open(&c->err, &text));
  p.f = text.f;
  TRY(write_all(&p));
  TRY(memo_end(&c->err, &text));
  TRY(place_whole(&c->err, path, text.text, text.size));
fail:
  memo_free(&text);
  export_close(&p.m);
  return rc;
}

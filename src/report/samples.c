/*
 * report/samples.c: see report/samples.h. Of each domain a few items of its test set, drawn and not chosen; where there is
 * none, of its training set, whose labels are then not looked at.
 */
#include "report/samples.h"

#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "data/png.h"
#include "data/resample.h"
#include "report/html.h"
#include "train/judge.h"
#include "train/trainer_internal.h"

enum { SAMPLES = 12, SIDE_MOST = 192 };

typedef struct samples {
  trainer *t;
  FILE *f;
  const char *const *names;
  const dataset *d; /* of one domain */
  int labelled;     /* its labels may be seen */
} samples;

static int is_images(const dataset *d) {
  return d && d->type == DATA_U8 && (d->c == 1 || d->c == 3) && d->h > 1 && d->w > 1;
}

static void put_class(const samples *s, int i) {
  if (s->names)
    html_text(s->f, s->names[i]);
  else
    fprintf(s->f, "%d", i);
}

/* The item's own pixels, made smaller where they are many. */
static int put_image(const samples *s, int item) {
  const dataset *d = s->d;
  const uint8_t *from = (const uint8_t *)d->x + (size_t)item * dataset_item_bytes(d);
  const size_t pixels = (size_t)d->h * (size_t)d->w;
  const int side = d->h > d->w ? d->h : d->w;
  picture p = {.h = d->h, .w = d->w};
  uint8_t *bytes = NULL;
  size_t size = 0;
  int rc;
  TRY(mem_new(s->t->err, &p.rgb, pixels, 3));
  for (size_t i = 0; i < pixels * 3; i++) p.rgb[i] = d->c == 3 ? from[i] : from[i / 3];
  if (side > SIDE_MOST)
    TRY(picture_resize(s->t->err, &p, (d->h * SIDE_MOST + side - 1) / side, (d->w * SIDE_MOST + side - 1) / side));
  TRY(png_encode(s->t->err, d->name, &p, &bytes, &size));
  html_data(s->f, "image/png", bytes, size);
fail:
  mem_free(p.rgb);
  mem_free(bytes);
  return rc;
}

static int put_sample(const samples *s, int item, int said, double probability) {
  const int label = s->labelled ? s->d->y[item] : said;
  const char *verdict = label == said ? "right" : "wrong";
  int rc;
  fprintf(s->f, "<figure><img alt=\"Item %d of %s, taken for class ", item, s->labelled ? "the test set" : "the training set");
  put_class(s, said);
  if (s->labelled) fputs(label == said ? ", which is right" : ", which is wrong: it is ", s->f);
  if (label != said) put_class(s, label);
  fputs("\" src=\"", s->f);
  TRY(put_image(s, item));
  fputs("\"/>\n<figcaption>", s->f);
  if (s->labelled) fprintf(s->f, "<b class=\"%s\">%s</b>: ", verdict, verdict);
  put_class(s, said);
  if (label != said) fputs(", is ", s->f), put_class(s, label);
  fprintf(s->f, "<br/>p %.2f</figcaption></figure>\n", probability);
fail:
  return rc;
}

/* One of each of n equal parts: all different, and not in step with data whose classes take turns. */
static void draw_rows(int domain, int items, int n, int32_t *rows) {
  for (int i = 0; i < n; i++) {
    const int64_t first = (int64_t)i * items / n, end = (int64_t)(i + 1) * items / n;
    rows[i] =
        (int32_t)(first + rng_below(rng_words(1, RNG_REPORT, (uint32_t)domain, (uint64_t)i).v[0], (uint32_t)(end - first)));
  }
}

static int put_domain(samples *s, int domain, const char *title) {
  const cldann_node *head = net_loss(s->t->x->net, CLDANN_TARGET_LABELS);
  const int units = judge_units(&head->o), n = s->d->n < SAMPLES ? s->d->n : SAMPLES;
  int32_t rows[SAMPLES] = {0};
  dataset *some = NULL;
  float *outputs = NULL;
  double *p = NULL;
  int rc;
  draw_rows(domain, s->d->n, n, rows);
  TRY(dataset_take(s->t->err, s->d, rows, n, &some));
  TRY(mem_new(s->t->err, &outputs, (size_t)n * (size_t)units, sizeof *outputs));
  TRY(mem_new(s->t->err, &p, (size_t)judge_classes(&head->o), sizeof *p));
  TRY(trainer_outputs(s->t, some, domain, head->in, outputs));
  fprintf(s->f, "<h3>%s</h3>\n<div class=\"samples\">\n", title);
  for (int i = 0; i < n; i++) {
    const int said = judge(&head->o, outputs + (size_t)i * (size_t)units, p);
    TRY(put_sample(s, rows[i], said, p[said]));
  }
  fputs("</div>\n", s->f);
fail:
  dataset_free(some);
  mem_free(outputs);
  mem_free(p);
  return rc;
}

int samples_write(trainer *t, const char *const *names, FILE *f) {
  const cldann_experiment *x = t->x;
  const dataset *const tests[2] = {x->source_test, x->target_test}, *const trains[2] = {x->source, x->target};
  static const char *const titles[2][2] = {{"Source, training set", "Source, test set"},
                                           {"Target, training set", "Target, test set"}};
  samples s = {.t = t, .f = f, .names = names};
  int rc = CLDANN_OK, begun = 0;
  for (int i = 0; i < 2; i++) {
    s.labelled = tests[i] != NULL;
    s.d = s.labelled ? tests[i] : trains[i];
    if (!is_images(s.d)) continue;
    if (!begun++)
      fprintf(f,
              "<h2>Predictions</h2>\n<p class=\"faint\">%d items of each domain, drawn at random. p: the "
              "probability of the class that it was taken for.</p>\n",
              SAMPLES);
    TRY(put_domain(&s, i, titles[i][s.labelled]));
  }
fail:
  return rc;
}

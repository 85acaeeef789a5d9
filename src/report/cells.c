/* report/cells.c: see report/cells.h. */
#include "report/cells.h"

#include <math.h>

#include "base/text.h"

static const struct {
  const char *begin, *between, *end;
} forms[CELLS_FORMS] = {
    [CELLS_PLAIN] = {"", "  ", "\n"},
    [CELLS_MARKDOWN] = {"| ", " | ", " |\n"},
    [CELLS_CSV] = {"", ",", "\n"},
};

const char *const cells_form_names[CELLS_FORMS] = {[CELLS_PLAIN] = "plain", [CELLS_MARKDOWN] = "markdown", [CELLS_CSV] = "csv"};

int cells_open(cldann_error *e, FILE *to, cells_form form, cells *w) {
  *w = (cells){.to = to, .form = form};
  return memo_open(e, &w->cell);
}

void cells_text(cells *w, const char *text) {
  const char *before = w->form == CELLS_PLAIN ? w->columns[w->at].before : NULL;
  if (!before) before = w->at ? forms[w->form].between : forms[w->form].begin;
  fputs(before, w->to);
  if (w->form == CELLS_CSV)
    text_put_csv(text, w->to);
  else
    fprintf(w->to, "%*s", w->form == CELLS_PLAIN ? w->columns[w->at].width : 0, text);
  if (++w->at < w->n) return;
  fputs(forms[w->form].end, w->to);
  w->at = 0;
}

void cells_put(cells *w) {
  fputc('\0', w->cell.f);
  if (fflush(w->cell.f) == 0) cells_text(w, w->cell.text);
  fseek(w->cell.f, 0, SEEK_SET); /* not rewind, which forgets that memory was short */
}

void cells_number(cells *w, double v, int digits) {
  char text[TEXT_NUMBER];
  cells_text(w, text_number(text, v, digits));
}

void cells_heading(cells *w, const cells_column *columns, int n) {
  w->columns = columns, w->n = n, w->at = 0;
  for (int i = 0; i < n; i++)
    cells_text(w, w->form == CELLS_MARKDOWN && columns[i].long_name ? columns[i].long_name : columns[i].name);
  for (int i = 0; w->form == CELLS_MARKDOWN && i < n; i++) fputs(i + 1 < n ? "|---" : "|---|\n", w->to);
}

int cells_close(cldann_error *e, cells *w) {
  const int rc = w->cell.f ? memo_end(e, &w->cell) : CLDANN_OK;
  memo_free(&w->cell);
  return rc;
}

double cells_mean(const double *v, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += v[i];
  return n ? sum / n : NAN;
}

double cells_deviation(const double *v, int n) {
  const double mean = cells_mean(v, n);
  double sum = 0;
  for (int i = 0; i < n; i++) sum += pow(v[i] - mean, 2);
  return n > 1 ? sqrt(sum / (n - 1)) : NAN;
}

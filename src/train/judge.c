/* train/judge.c: see train/judge.h. */
#include "train/judge.h"

#include <math.h>

int judge_units(const op *loss) {
  return loss->in.h * loss->in.w * loss->in.c;
}

int judge_classes(const op *loss) {
  return loss->type == &op_logistic_xent ? 2 : judge_units(loss);
}

int judge(const op *loss, const float *outputs, double *p) {
  const int n = judge_units(loss);
  int best = 0;
  double sum = 0;
  if (n == 1) {
    if (p) p[1] = 1 / (1 + exp(-(double)outputs[0])), p[0] = 1 - p[1];
    return outputs[0] > 0;
  }
  for (int k = 1; k < n; k++)
    if (outputs[k] > outputs[best]) best = k;
  if (!p) return best;
  for (int k = 0; k < n; k++) sum += p[k] = exp((double)outputs[k] - (double)outputs[best]);
  for (int k = 0; k < n; k++) p[k] /= sum;
  return best;
}

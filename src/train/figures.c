/* train/figures.c: see train/figures.h. The order is that of the keys in a line, and of the columns. */
#include "train/figures.h"

#include <string.h>

#include "cldann.h"

#define NUMBER(FIELD, TAG) \
  { #FIELD, FIGURE_NUMBER, offsetof(OF, FIELD), TAG }
#define WHOLE(FIELD) \
  { #FIELD, FIGURE_WHOLE, offsetof(OF, FIELD), NULL }
#define PART(FIELD, K, TAG) \
  { #FIELD, FIGURE_PART, offsetof(OF, FIELD[K]), TAG }

#define OF cldann_progress
const figure window_figures[] = {
    WHOLE(step),
    WHOLE(steps),
    NUMBER(label_loss, "loss/label"),
    NUMBER(domain_loss, "loss/domain"),
    NUMBER(label_accuracy, "accuracy/label"),
    NUMBER(domain_accuracy, "accuracy/domain"),
    NUMBER(domain_accuracy_low, NULL),
    NUMBER(domain_accuracy_high, NULL),
    NUMBER(domain_accuracy_source, "accuracy/domain_source"),
    NUMBER(domain_accuracy_target, "accuracy/domain_target"),
    NUMBER(validation_accuracy, "accuracy/validation"),
    NUMBER(validation_loss, "loss/validation"),
    NUMBER(lr, "lr"),
    NUMBER(lambda, "lambda"),
    NUMBER(domain_weight, "weight/domain"),
    NUMBER(feature_weight, "weight/features"),
    PART(gradient_norm, 0, "gradient_norm/features"),
    PART(gradient_norm, 1, "gradient_norm/label_head"),
    PART(gradient_norm, 2, "gradient_norm/domain_head"),
    NUMBER(join_label, "join/label"),
    NUMBER(join_domain, "join/domain"),
    NUMBER(samples_per_second, "samples_per_second"),
    NUMBER(seconds, NULL),
    NUMBER(eta_seconds, NULL),
    {.key = NULL},
};
#undef OF

#define OF cldann_result
const figure result_figures[] = {
    WHOLE(steps),
    NUMBER(source_accuracy, "result/source_accuracy"),
    NUMBER(target_accuracy, "result/target_accuracy"),
    NUMBER(domain_accuracy, "result/domain_accuracy"),
    NUMBER(domain_accuracy_source, "result/domain_accuracy_source"),
    NUMBER(domain_accuracy_target, "result/domain_accuracy_target"),
    WHOLE(model_step),
    NUMBER(validation_accuracy, "result/validation_accuracy"),
    NUMBER(reverse_accuracy, "result/reverse_accuracy"),
    NUMBER(last_source_accuracy, "result/last_source_accuracy"),
    NUMBER(last_target_accuracy, "result/last_target_accuracy"),
    NUMBER(pad, "result/pad"),
    NUMBER(svm_source_accuracy, "result/svm_source_accuracy"),
    NUMBER(svm_target_accuracy, "result/svm_target_accuracy"),
    NUMBER(source_loss, "result/source_loss"),
    NUMBER(target_loss, "result/target_loss"),
    NUMBER(samples_per_second, NULL),
    NUMBER(seconds, NULL),
    {.key = NULL},
};
#undef OF

double figure_of(const figure *f, const void *of) {
  double v;
  memcpy(&v, (const char *)of + f->at, sizeof v);
  return v;
}

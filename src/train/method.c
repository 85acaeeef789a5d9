/* train/method.c: the table of methods: which streams fill the batch, and which losses train. See train/settings.h. */
#include "train/settings.h"

#include <stddef.h>

const method methods[] = {
    {.name = "dann", .id = METHOD_DANN, .source = 1, .target = 1, .label_loss = 1, .domain_loss = 1},
    {.name = "source-only", .id = METHOD_SOURCE_ONLY, .source = 1, .label_loss = 1},
    {.name = "target-only", .id = METHOD_TARGET_ONLY, .target = 1, .label_loss = 1},
    {.name = "domain-only", .id = METHOD_DOMAIN_ONLY, .source = 1, .target = 1, .domain_loss = 1, .cooperate = 1},
    {.name = "svm", .id = METHOD_SVM, .source = 1, .label_loss = 1, .linear = 1},
    {.name = NULL},
};

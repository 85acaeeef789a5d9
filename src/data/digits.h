/*
 * data/digits.h: the embedded default, digits as if written by hand, without any download. The source is grey strokes on
 * black; the target is other digits of the same kind, difference-blended over colour textures, as MNIST-M does with
 * photographs. An image is a pure function of (seed, split, domain, index). Strokes: data/glyph.h, backgrounds:
 * data/texture.h.
 */
#ifndef CLDANN_DATA_DIGITS_H
#define CLDANN_DATA_DIGITS_H

#include <stdint.h>

#include "data/dataset.h"

enum { DIGITS_SIDE = 28, DIGITS_CLASSES = 10 };
enum { DIGITS_SOURCE = 0, DIGITS_TARGET = 1 };
enum { DIGITS_TRAIN = 0, DIGITS_TEST = 1 };

/*
 * n labelled images, classes in turn: source (n,28,28,1), target (n,28,28,3), bytes. The same for any thread count.
 * Owned by the caller: dataset_free.
 */
int digits_make(cldann_error *e, uint64_t seed, int split, int domain, int n, int threads, dataset **out);

#endif

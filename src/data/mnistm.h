/*
 * data/mnistm.h: MNIST-M as in Ganin et al. 2016, section 5.2.2, by the recipe of tf-dann's create_mnistm: each digit is
 * difference-blended over a random patch of a BSDS500 training photograph. All draws come from (seed, index of the
 * digit), in whole numbers, so the bytes are the same on any machine and for any thread count.
 */
#ifndef CLDANN_DATA_MNISTM_H
#define CLDANN_DATA_MNISTM_H

#include <stdint.h>

#include "data/dataset.h"

typedef struct backgrounds backgrounds;

enum { MNISTM_TEST_INDEX = 60000 }; /* the index of the first test digit: train and test share no draw */

/* The members .../images/train/x.jpg of the original BSDS500 tarball, sorted by name, decoded on `threads` threads. */
int mnistm_load_backgrounds(cldann_error *e, const char *tgz, int threads, backgrounds **out);
int mnistm_count_backgrounds(const backgrounds *b);
void mnistm_free_backgrounds(backgrounds *b);
/*
 * (n,h,w,1) digits -> (n,h,w,3): pixel = |patch - 255 * (digit > 0)| in each channel; labels are copied. Digit i draws
 * from (seed, first_index + i). Owned by the caller: dataset_free.
 */
int mnistm_make(cldann_error *e, const backgrounds *b, const dataset *digits, uint64_t seed, uint64_t first_index, int threads,
                dataset **out);
/*
 * Both sets of a MNIST folder into out_dir (made when missing), aligned with MNIST: mnistm-train-images-idx4-ubyte,
 * mnistm-train-labels-idx1-ubyte and the two of mnistm-t10k. Four files appear, or none. stop: see cldann_make_mnistm.
 */
int mnistm_write(cldann_error *e, const char *mnist_dir, const char *bsds_tgz, const char *out_dir, uint64_t seed, int threads,
                 int (*stop)(void));

#endif

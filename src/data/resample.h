/* data/resample.h: a picture at another size, and its middle. Whole numbers, so the same bytes on any machine. */
#ifndef CLDANN_DATA_RESAMPLE_H
#define CLDANN_DATA_RESAMPLE_H

#include "data/jpeg.h"

/* Bilinear; when shrinking, the filter is as wide as the source pixels that go into one, so nothing is skipped. */
int picture_resize(cldann_error *e, picture *p, int h, int w);
/* The middle h x w pixels, which must be there. In place. */
void picture_crop(picture *p, int h, int w);

#endif

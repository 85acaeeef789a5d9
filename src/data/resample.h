/* data/resample.h: a picture at another size, and its middle. Whole numbers, so the same bytes on any machine. */
#ifndef CLDANN_DATA_RESAMPLE_H
#define CLDANN_DATA_RESAMPLE_H

#include "data/dataset.h"
#include "data/jpeg.h"

/* Bilinear; when shrinking, the filter is as wide as the source pixels that go into one, so nothing is skipped. */
int picture_resize(cldann_error *e, picture *p, int h, int w);
/* The middle h x w pixels, which must be there. In place. */
void picture_crop(picture *p, int h, int w);
/* Both for every image of a set of bytes with 1 or 3 channels; a size of {0, 0} is left alone. */
int dataset_resample(cldann_error *e, dataset *d, const int resize[2], const int crop[2]);
/* Every image of such a set turned by so many degrees, anticlockwise, about its middle: bilinear, 0 from outside. 0: nothing.
 */
int dataset_rotate(cldann_error *e, dataset *d, double degrees);

#endif

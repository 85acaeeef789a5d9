/*
 * data/glyph.h: digits as pen strokes. A class has several styles, as people differ; a style is a few smooth curves that a
 * random hand then bends, slants, scales and draws with a pen of some thickness. Knows nothing of data sets.
 */
#ifndef CLDANN_DATA_GLYPH_H
#define CLDANN_DATA_GLYPH_H

#include <stdint.h>

#include "data/draw.h"

/* Draws one digit 0..9 into a side x side image of bytes, antialiased, 0 is the background. */
void glyph_draw(draw *d, int digit, int side, uint8_t *image);

#endif

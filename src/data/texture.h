/*
 * data/texture.h: small colour textures, stand-ins for crops of photographs: clouds, gratings, tiles, cells and blobs with
 * shading, contrast and colours at random. Knows nothing of digits.
 */
#ifndef CLDANN_DATA_TEXTURE_H
#define CLDANN_DATA_TEXTURE_H

#include <stdint.h>

#include "data/draw.h"

enum { TEXTURE_SIDE_MAX = 64 };

/* Fills rgb, (side,side,3) bytes; side at most TEXTURE_SIDE_MAX. */
void texture_draw(draw *d, int side, uint8_t *rgb);

#endif

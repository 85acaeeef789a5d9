/* data/sheet.h: a sample grid as a PNG: the first images of one or two data sets, one above the other. */
#ifndef CLDANN_DATA_SHEET_H
#define CLDANN_DATA_SHEET_H

#include "data/dataset.h"

/* rows x columns images of each set (either may be NULL), magnified `zoom` times; 8-bit images of 1 or 3 channels. */
int sheet_write(cldann_error *e, const char *path, const dataset *const sets[2], int rows, int columns, int zoom);

#endif

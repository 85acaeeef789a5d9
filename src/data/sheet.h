/* data/sheet.h: data sets as PNG files: a grid of the first images of one or two, one above the other, or a folder. */
#ifndef CLDANN_DATA_SHEET_H
#define CLDANN_DATA_SHEET_H

#include "data/dataset.h"

/* rows x columns images of each set (either may be NULL), magnified `zoom` times; 8-bit images of 1 or 3 channels. */
int sheet_write(cldann_error *e, const char *path, const dataset *const sets[2], int rows, int columns, int zoom);

/* The labelled images of a set as a folder of classes, FOLDER/CLASS/0001.png, which data/images.c reads. stop may be NULL. */
int sheet_write_folder(cldann_error *e, const char *folder, const dataset *d, int (*stop)(void));

#endif

/*
 * report/html.h: what a page of HTML is written with: texts that are escaped, files that become part of the page, its head with
 * the looks. What it writes is XML too, so that a test can read it. Knows nothing of runs. Errors of the stream are the
 * caller's to look for.
 */
#ifndef CLDANN_REPORT_HTML_H
#define CLDANN_REPORT_HTML_H

#include <stdio.h>

#include "base/err.h"

/* From the first byte to where the sections go, and from there to the last. A browser asks again after `refresh` seconds; 0:
 * never.
 */
void html_begin(FILE *f, const char *title, int refresh);
void html_end(FILE *f);
/* Escaped, for between tags and for attributes in double quotes; what is no character becomes U+FFFD. */
void html_text(FILE *f, const char *s);
/* "data:TYPE;base64,..." */
void html_data(FILE *f, const char *type, const void *bytes, size_t n);
/* A picture, an SVG file, with what it shows in words. CLDANN_E_IO where the file is missing or not whole. */
int html_picture(cldann_error *e, FILE *f, const char *path, const char *words);

#endif

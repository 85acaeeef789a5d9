/*
 * report/live.h: the page of a run while it trains, made of what its folder says at the moment (report/page.h), which it only
 * reads. No model, no device. Once the run has its result and report.html, the page is that file. Knows nothing of HTTP.
 */
#ifndef CLDANN_REPORT_LIVE_H
#define CLDANN_REPORT_LIVE_H

#include <stddef.h>

#include "base/err.h"

typedef struct live live;

enum { LIVE_REFRESH = 5 }; /* seconds between two looks of a browser */

/*
 * DIR is what 'cldann train --out DIR' makes; CLDANN_E_IO where it holds no run. to_begin, not 0: a training is about to
 * begin there, so that it may not be there yet, and what a run before has left is not shown.
 */
int live_open(cldann_error *e, const char *dir, int to_begin, live **out);
void live_free(live *l);

/* The page, by malloc. Where it fails for another reason than memory there is one too, which tells why. */
int live_page(live *l, char **text, size_t *size);

#endif

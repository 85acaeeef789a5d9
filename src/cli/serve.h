/*
 * cli/serve.h: the page of a run over HTTP, for browsers on this machine alone (127.0.0.1), by libmicrohttpd; no thread. What
 * the page says is report/live.h's.
 */
#ifndef CLDANN_CLI_SERVE_H
#define CLDANN_CLI_SERVE_H

#include "report/live.h"

enum { SERVE_PORT = 8686 };

/* Port 0 takes a free one; *taken is the one it is. CLDANN_E_IO where it cannot be had, or libmicrohttpd was not there. */
int serve_listen(cldann_error *e, int port, int *taken, int *fd);
/* Until a signal came (cli_interrupted), or `until`, unless it is -1, is at its end. Takes fd. */
int serve_run(cldann_error *e, int fd, live *l, int until);

#endif

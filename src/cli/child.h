/*
 * cli/child.h: this command again, in a process of its own and for a limited time: what may crash or hang does so there.
 */
#ifndef CLDANN_CLI_CHILD_H
#define CLDANN_CLI_CHILD_H

#include <stddef.h>

enum { CHILD_CRASHED = -1, CHILD_LATE = -2, CHILD_STOPPED = -3, CHILD_NOT_STARTED = -4 };

/*
 * Runs the command with these arguments (argv[0] is filled in), both outputs into `out` as a text, cut at `room`. Returns its
 * exit status, or what ended it: a signal, the limit (it is killed then), or cli_interrupted (killed as well).
 */
int child_run(const char **argv, double seconds, char *out, size_t room);

#endif

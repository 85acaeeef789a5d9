/*
 * cli/cmd_watch.c: cldann watch: the page of a run in a browser while it trains (report/live.h, cli/serve.h); and the same
 * beside a training, in a process of its own.
 */
#define _XOPEN_SOURCE 700 /* nice */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/serve.h"
#include "data/place.h"

enum { LOWER_PRIORITY = 10 };

/* -1: not given. */
static int port_of(const cli_args *a) {
  return a->port < 0 ? SERVE_PORT : (int)a->port;
}

static int run(const cli_args *a) {
  live *l = NULL;
  cldann_error e;
  int fd, port;
  err_clear(&e);
  cli_catch_signals();
  if (live_open(&e, a->arg[0], 0, &l) < 0 || serve_listen(&e, port_of(a), &port, &fd) < 0) {
    live_free(l);
    return cli_fail(&e);
  }
  printf("http://127.0.0.1:%d/ (until Ctrl-C)\n", port);
  fflush(stdout);
  const int rc = serve_run(&e, fd, l, -1);
  live_free(l);
  return rc < 0 ? cli_fail(&e) : EXIT_INTERRUPTED;
}

/* ---- beside a training ---- */

/* A signal of the keyboard's is the training's to answer; this process ends when that one does, however. What watches gives way
 * to what trains. */
static void serve_beside(int fd, live *l, int until) {
  cldann_error e;
  err_clear(&e);
  signal(SIGINT, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  (void)!nice(LOWER_PRIORITY);
  if (serve_run(&e, fd, l, until) < 0) cli_fail(&e);
  live_free(l);
  _exit(EXIT_FINE);
}

/* Nobody writes to the pipe: its end closes with this process. */
static int start(cldann_error *e, int fd, live *l, watcher *w) {
  int ends[2], rc = CLDANN_OK;
  if (pipe(ends) != 0) FAIL(e, CLDANN_E_IO, "cannot start a process to watch: %s; close some programs", strerror(errno));
  fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  fflush(NULL); /* what is written by now is written once */
  w->process = fork();
  if (w->process == 0) {
    close(ends[1]);
    serve_beside(fd, l, ends[0]);
  }
  close(ends[0]);
  w->end = ends[1];
  if (w->process < 0) {
    close(ends[1]);
    w->process = 0;
    FAIL(e, CLDANN_E_IO, "cannot start a process to watch: %s; close some programs", strerror(errno));
  }
fail:
  return rc;
}

int cli_watch_begin(const cli_args *a, watcher *w, progress *p) {
  live *l = NULL;
  char line[64];
  cldann_error e;
  int fd = -1, port, rc;
  *w = (watcher){.dir = a->out};
  if (!a->watch && a->port >= 0) return cli_fail_usage("--port is of --watch; give both");
  if (!a->watch) return EXIT_FINE;
  if (!a->out) return cli_fail_usage("--watch shows the folder of the run; give --out DIR");
  err_clear(&e);
  TRY(serve_listen(&e, port_of(a), &port, &fd));
  TRY(place_folder(&e, a->out, &w->made));
  TRY(live_open(&e, a->out, 1, &l));
  TRY(start(&e, fd, l, w));
  snprintf(line, sizeof line, "watch it at http://127.0.0.1:%d/", port);
  progress_message(p, line);
fail:
  if (fd >= 0) close(fd);
  live_free(l);
  if (rc == CLDANN_OK) return EXIT_FINE;
  cli_watch_end(w);
  return cli_fail(&e);
}

void cli_watch_end(watcher *w) {
  if (w->process) {
    close(w->end);
    while (waitpid(w->process, NULL, 0) < 0 && errno == EINTR) continue;
  }
  if (w->made) rmdir(w->dir); /* a folder with a run in it stays */
  *w = (watcher){0};
}

const cli_command cmd_watch = {
    .name = "watch",
    .args = "DIR",
    .summary = "the page of a run in a browser, while it trains",
    .help =
        "Serves a page about the run that 'cldann train --out DIR' writes, on this machine alone (127.0.0.1): progress, last\n"
        "figures, warnings, training curves, settings. It renews itself every few seconds, and is DIR/report.html once that "
        "is\n"
        "there. Needs neither a device nor the data; the curves are by gnuplot. Ends with Ctrl-C. 'cldann train --watch'\n"
        "does the same for as long as it trains.",
    .options = CLI_PORT,
    .run = run,
};

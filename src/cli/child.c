/* cli/child.c: see cli/child.h. */
#include "cli/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"

extern char **environ;

/* The running file itself where the system tells it, so that a command found on PATH and a changed folder do no harm. */
static const char *self(char *path, size_t room) {
  const ssize_t n = readlink("/proc/self/exe", path, room - 1);
  if (n <= 0) return cli_self;
  path[n] = '\0';
  return path;
}

static int start(const char **argv, int *out, pid_t *process) {
  char path[4096];
  int ends[2], failed;
  posix_spawn_file_actions_t to;
  if (pipe(ends) != 0) return -1;
  argv[0] = self(path, sizeof path);
  posix_spawn_file_actions_init(&to);
  posix_spawn_file_actions_adddup2(&to, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&to, ends[1], STDERR_FILENO);
  posix_spawn_file_actions_addclose(&to, ends[0]);
  posix_spawn_file_actions_addclose(&to, ends[1]);
  failed = posix_spawnp(process, argv[0], &to, NULL, (char *const *)(const void *)argv, environ);
  posix_spawn_file_actions_destroy(&to);
  close(ends[1]);
  *out = ends[0];
  if (failed) close(ends[0]);
  return failed ? -1 : 0;
}

/* Reads until the other end closes; 0, or why it was given up. */
static int read_all(int from, double seconds, char *out, size_t room) {
  const double end = clock_now() + seconds;
  size_t used = 0;
  for (;;) {
    const double left = end - clock_now();
    struct pollfd p = {.fd = from, .events = POLLIN};
    char scrap[512];
    if (cli_interrupted()) return CHILD_STOPPED;
    if (left <= 0) return CHILD_LATE;
    const int ready = poll(&p, 1, left < 0.2 ? (int)(1e3 * left) + 1 : 200); /* a signal is heard soon */
    if (ready < 0 && errno != EINTR) return CHILD_CRASHED;
    if (ready <= 0) continue;
    const int full = used + 1 >= room;
    const ssize_t n = full ? read(from, scrap, sizeof scrap) : read(from, out + used, room - 1 - used);
    if (n == 0) return 0;
    if (n < 0 && errno != EINTR) return CHILD_CRASHED;
    if (n > 0 && !full) used += (size_t)n;
    out[used] = '\0';
  }
}

int child_run(const char **argv, double seconds, char *out, size_t room) {
  pid_t process;
  int from, status = 0, ended;
  out[0] = '\0';
  if (start(argv, &from, &process) != 0) return CHILD_NOT_STARTED;
  ended = read_all(from, seconds, out, room);
  close(from);
  if (ended != 0) kill(process, SIGKILL);
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) continue;
  if (ended != 0) return ended;
  return WIFEXITED(status) ? WEXITSTATUS(status) : CHILD_CRASHED;
}

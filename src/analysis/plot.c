/* analysis/plot.c: see analysis/plot.h. */
#define _POSIX_C_SOURCE 200809L
#include "analysis/plot.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "data/place.h"

extern char **environ;

const char *plot_colour(int i) {
  static const char *const colours[PLOT_COLOURS] = {"#d55e00", "#0072b2", "#009e73", "#cc79a7",
                                                    "#e69f00", "#56b4e9", "#000000", "#b0a000"};
  return colours[i % PLOT_COLOURS];
}

/* Between single quotes, where only those are special. */
static void put_quoted(FILE *f, const char *s) {
  fputc('\'', f);
  for (; *s; s++) {
    if (*s == '\'') fputc('\'', f);
    fputc(*s, f);
  }
  fputc('\'', f);
}

int plot_open(cldann_error *e, const char *dir, const char *name, const char *title, plot *p) {
  char file[80];
  int rc;
  *p = (plot){.err = e};
  snprintf(file, sizeof file, "%s.gp", name);
  TRY(place_folder(e, dir, NULL));
  TRY(text_join(e, &p->script, dir, file));
  p->f = fopen(p->script, "w");
  if (!p->f) FAIL(e, CLDANN_E_IO, "cannot write %s: %s; choose another --out", p->script, strerror(errno));
  fprintf(p->f, "# gnuplot %s.gp makes %s.png and %s.svg anew.\npicture = ", name, name, name);
  char *stem = p->script; /* the path without .gp */
  stem[strlen(stem) - 3] = '\0';
  put_quoted(p->f, stem);
  stem[strlen(stem)] = '.';
  fputs("\nset title ", p->f);
  put_quoted(p->f, title);
  fputs(" noenhanced\nset tics nomirror out\nset border 3\nset key outside right top noenhanced\nunset colorbox\n", p->f);
fail:
  if (rc < 0) mem_free(p->script);
  return rc;
}

void plot_data(plot *p, const char *name, const double *rows, int n, int columns, const int *of, int which, int line) {
  fprintf(p->f, "$%s << END\n", name);
  for (int i = 0; i < n; i++) {
    if (of && of[i] != which) continue;
    for (int k = 0; k < columns; k++) fprintf(p->f, k ? " %.6g" : "%.6g", rows[(size_t)i * (size_t)columns + (size_t)k]);
    fputc('\n', p->f);
    if (line && (i + 1) % line == 0) fputc('\n', p->f);
  }
  fputs("END\n", p->f);
}

/* gnuplot's own words are not shown: the script is there to be run by hand. */
static int run(cldann_error *e, const char *script) {
  char *const argv[] = {"gnuplot", (char *)script, NULL};
  posix_spawn_file_actions_t quiet;
  pid_t child;
  int rc = CLDANN_OK, status, failed;
  posix_spawn_file_actions_init(&quiet);
  for (int i = 0; i < 3; i++) posix_spawn_file_actions_addopen(&quiet, i, "/dev/null", O_RDWR, 0);
  failed = posix_spawnp(&child, "gnuplot", &quiet, NULL, argv, environ);
  posix_spawn_file_actions_destroy(&quiet);
  if (failed == ENOENT)
    FAIL(e, CLDANN_E_IO, "pictures need gnuplot, which is not here (Debian: gnuplot-nox); %s is ready for it", script);
  if (failed) FAIL(e, CLDANN_E_IO, "gnuplot could not be started: %s", strerror(failed));
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) FAIL(e, CLDANN_E_IO, "gnuplot failed; 'gnuplot %s' tells why", script);
fail:
  return rc;
}

int plot_close(plot *p, const char *command) {
  int rc = CLDANN_OK, bad;
  fprintf(p->f,
          "set terminal pngcairo size 900,640 font 'sans,12'\nset output picture.'.png'\n%s\n"
          "set terminal svg size 900,640 font 'sans,12' background '#ffffff'\nset output picture.'.svg'\nreplot\n",
          command);
  bad = ferror(p->f);
  if (fclose(p->f) != 0 || bad) FAIL(p->err, CLDANN_E_IO, "cannot write %s: %s; free some space", p->script, strerror(errno));
  TRY(run(p->err, p->script));
fail:
  mem_free(p->script);
  *p = (plot){0};
  return rc;
}

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

double plot_step(double range) {
  const double least = range / 4, ten = pow(10, floor(log10(least)));
  return least <= ten ? ten : least <= 2 * ten ? 2 * ten : least <= 5 * ten ? 5 * ten : 10 * ten;
}

/* Between single quotes, where only those are special. */
void plot_text(const char *s, FILE *f) {
  fputc('\'', f);
  while (*s) {
    const int n = text_character(s);
    if (*s == '\'') fputc('\'', f);
    if (n)
      fwrite(s, 1, (size_t)n, f);
    else
      fputc('?', f);
    s += n ? n : 1;
  }
  fputc('\'', f);
}

int plot_cut(const char *s, int most, char *to, size_t room) {
  size_t n = 0;
  int k = 0;
  for (; k < most && s[n]; k++) {
    const int bytes = text_character(s + n);
    n += bytes ? (size_t)bytes : 1;
  }
  snprintf(to, room, "%.*s%s", (int)n, s, s[n] ? "..." : "");
  return s[n] ? k + 3 : k;
}

/* The script's own path, as it is. */
static void put_path(const char *s, FILE *f) {
  fputc('\'', f);
  for (; *s; s++) {
    if (*s == '\'') fputc('\'', f);
    if (*s == '\n') /* a line ends the quotes */
      fputs("'.\"\\n\".'", f);
    else
      fputc(*s, f);
  }
  fputc('\'', f);
}

int plot_open(cldann_error *e, const char *dir, const char *name, const char *title, plot *p) {
  char file[80];
  int rc;
  *p = (plot){.err = e, .width = 900, .height = 640, .points = 12};
  snprintf(file, sizeof file, "%s.gp", name);
  TRY(place_folder(e, dir, NULL));
  TRY(text_join(e, &p->script, dir, file));
  p->f = fopen(p->script, "w");
  if (!p->f) FAIL(e, CLDANN_E_IO, "cannot write %s: %s; choose another --out", p->script, strerror(errno));
  fprintf(p->f, "# gnuplot %s.gp makes %s.png and %s.svg anew.\npicture = ", name, name, name);
  char *stem = p->script; /* the path without .gp */
  stem[strlen(stem) - 3] = '\0';
  put_path(stem, p->f);
  stem[strlen(stem)] = '.';
  fputs("\nset encoding utf8\nset title ", p->f);
  plot_text(title, p->f);
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

/* gnuplot's own words are not shown: the script is there to be run by hand. Its exit status, or -1 with *failed, an errno. */
static int run(const char *word, int *failed) {
  char *const argv[] = {"gnuplot", (char *)word, NULL};
  posix_spawn_file_actions_t quiet;
  pid_t child;
  int status;
  posix_spawn_file_actions_init(&quiet);
  for (int i = 0; i < 3; i++) posix_spawn_file_actions_addopen(&quiet, i, "/dev/null", O_RDWR, 0);
  *failed = posix_spawnp(&child, "gnuplot", &quiet, NULL, argv, environ);
  posix_spawn_file_actions_destroy(&quiet);
  if (*failed) return -1;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int plot_ready(void) {
  int failed;
  return run("--version", &failed) == 0;
}

static int run_script(cldann_error *e, const char *script) {
  int rc = CLDANN_OK, failed;
  const int status = run(script, &failed);
  if (failed == ENOENT)
    FAIL(e, CLDANN_E_IO, "pictures need gnuplot, which is not here (Debian: gnuplot-nox); %s is ready for it", script);
  if (failed) FAIL(e, CLDANN_E_IO, "gnuplot could not be started: %s", strerror(failed));
  if (status != 0) FAIL(e, CLDANN_E_IO, "gnuplot failed; 'gnuplot %s' tells why", script);
fail:
  return rc;
}

/* Twice the same commands and not 'replot', which knows the last of several panels alone. */
int plot_close(plot *p, const char *command) {
  int rc = CLDANN_OK, bad;
  fprintf(p->f,
          "set terminal pngcairo size %d,%d font 'sans,%d'\nset output picture.'.png'\n%s\n"
          "set terminal svg size %d,%d font 'sans,%d' background '#ffffff'\nset output picture.'.svg'\n%s\n",
          p->width, p->height, p->points, command, p->width, p->height, p->points, command);
  bad = ferror(p->f);
  if (fclose(p->f) != 0 || bad) FAIL(p->err, CLDANN_E_IO, "cannot write %s: %s; free some space", p->script, strerror(errno));
  TRY(run_script(p->err, p->script));
fail:
  mem_free(p->script);
  *p = (plot){0};
  return rc;
}

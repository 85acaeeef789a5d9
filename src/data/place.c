/* data/place.c: see data/place.h. */
#define _POSIX_C_SOURCE 200809L
#include "data/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

struct place {
  char *path, *temporary;
  FILE *file;
  int exists; /* the temporary is on the disk */
};

int place_open(cldann_error *e, place **out, const char *path) {
  int rc = CLDANN_OK;
  place *p = NULL;
  size_t room = strlen(path) + 32;
  int fd;
  TRY(mem_new(e, &p, 1, sizeof *p));
  TRY(mem_strdup(e, &p->path, path));
  TRY(mem_new(e, &p->temporary, room, 1));
  snprintf(p->temporary, room, "%s.tmp%ld", path, (long)getpid());
  fd = open(p->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) FAIL(e, CLDANN_E_IO, "cannot write %s: %s; choose a folder that can be written", path, strerror(errno));
  p->exists = 1;
  p->file = fdopen(fd, "wb");
  if (!p->file) {
    close(fd);
    FAIL(e, CLDANN_E_MEM, "cannot write %s: %s", path, strerror(errno));
  }
  *out = p;
  return CLDANN_OK;
fail:
  place_free(p);
  return rc;
}

int place_write(cldann_error *e, place *p, const void *data, size_t n) {
  if (n == 0 || fwrite(data, 1, n, p->file) == n) return CLDANN_OK;
  return err_set(e, CLDANN_E_IO, __FILE__, __LINE__, "cannot write %s: %s; free some space or choose another folder", p->path,
                 strerror(errno));
}

int place_flush(cldann_error *e, place *p) {
  int bad = 0;
  if (!p->file) return CLDANN_OK;
  bad = fflush(p->file) != 0 || fsync(fileno(p->file)) != 0;
  bad = fclose(p->file) != 0 || bad;
  p->file = NULL;
  if (!bad) return CLDANN_OK;
  return err_set(e, CLDANN_E_IO, __FILE__, __LINE__, "cannot write %s: %s; free some space or choose another folder", p->path,
                 strerror(errno));
}

int place_commit(cldann_error *e, place *p) {
  int rc = CLDANN_OK;
  TRY(place_flush(e, p));
  TRY(place_rename(e, p->temporary, p->path));
  p->exists = 0;
fail:
  return rc;
}

void place_undo(place *p) {
  if (p && !p->exists) unlink(p->path);
}

void place_free(place *p) {
  if (!p) return;
  if (p->file) fclose(p->file);
  if (p->exists) unlink(p->temporary);
  mem_free(p->path);
  mem_free(p->temporary);
  mem_free(p);
}

int place_rename(cldann_error *e, const char *from, const char *to) {
  int rc = CLDANN_OK, fd;
  char *folder = NULL, *slash;
  TRY(mem_strdup(e, &folder, to));
  if (rename(from, to) != 0) FAIL(e, CLDANN_E_IO, "cannot place %s: %s; check the folder's permissions", to, strerror(errno));
  slash = strrchr(folder, '/');
  if (slash) slash[slash == folder] = 0;
  fd = open(slash ? folder : ".", O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    (void)fsync(fd); /* not every file system can; the rename itself has succeeded */
    close(fd);
  }
fail:
  mem_free(folder);
  return rc;
}

int place_folder(cldann_error *e, const char *path, int *made) {
  int rc = CLDANN_OK, there = 1;
  char *s = NULL;
  struct stat st;
  TRY(mem_strdup(e, &s, path));
  for (size_t n = strlen(s); n > 1 && s[n - 1] == '/'; n--) s[n - 1] = 0;
  for (char *p = s + 1; s[0]; p++) {
    char c = *p;
    if (c != '/' && c != 0) continue;
    *p = 0;
    there = mkdir(s, 0777) != 0;
    if (there && (errno != EEXIST || stat(s, &st) != 0 || !S_ISDIR(st.st_mode)))
      FAIL(e, CLDANN_E_IO, "cannot make the folder %s: %s; choose a place that can be written", s,
           errno == EEXIST ? "a file has that name" : strerror(errno));
    *p = c;
    if (c == 0) break;
  }
  if (made) *made = !there;
fail:
  mem_free(s);
  return rc;
}

int place_whole(cldann_error *e, const char *path, const void *data, size_t n) {
  place *p = NULL;
  int rc;
  TRY(place_open(e, &p, path));
  TRY(place_write(e, p, data, n));
  TRY(place_commit(e, p));
fail:
  place_free(p);
  return rc;
}

int place_temporary(cldann_error *e, const char *name, char **out) {
  const char *folder = getenv("TMPDIR");
  return text_join(e, out, folder && folder[0] ? folder : "/tmp", name);
}

/* data/place.c: see data/place.h. */
#define _POSIX_C_SOURCE 200809L
#include "data/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

struct place {
  char *path, *temporary;
  FILE *file;
  int held;   /* the temporary's lock, which place_flush does not give up; -1: none */
  int exists; /* the temporary is on the disk */
};

/* Temporary names are this, the process and a number. Who writes to one holds a lock on it, which ends with the process. */
static const char mark[] = ".cldann-";

/* The folder that a path is in; the caller's (mem_free). */
static int folder_of(cldann_error *e, const char *path, char **out) {
  const char *slash = strrchr(path, '/');
  int rc;
  TRY(mem_strdup(e, out, slash ? path : "."));
  if (slash) (*out)[slash == path ? 1 : slash - path] = 0;
fail:
  return rc;
}

/* Removes a temporary that nobody writes to any more. One that is not to be had is left, as what is no file of ours. */
static void sweep_one(const char *path) {
  struct stat st;
  const int fd = open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return;
  if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && flock(fd, LOCK_EX | LOCK_NB) == 0) unlink(path);
  close(fd);
}

static int sweep(cldann_error *e, const char *folder) {
  int rc = CLDANN_OK;
  char *path = NULL;
  const struct dirent *entry;
  DIR *d = opendir(folder);
  while (d && (entry = readdir(d))) {
    if (strncmp(entry->d_name, mark, sizeof mark - 1) != 0) continue;
    TRY(text_join(e, &path, folder, entry->d_name));
    sweep_one(path);
    mem_free(path);
    path = NULL;
  }
fail:
  if (d) closedir(d);
  return rc;
}

/* A new file, locked before anybody else can have taken it for a leftover; -1 with errno. */
static int open_locked(char *name, size_t room, const char *folder) {
  for (int i = 0;; i++) {
    struct stat st;
    snprintf(name, room, "%s/%s%ld-%d", folder, mark, (long)getpid(), i);
    const int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno == EEXIST && i < INT_MAX) continue;
    if (fd < 0) return -1;
    const int lost = flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (!lost && (fstat(fd, &st) != 0 || st.st_nlink > 0)) return fd;
    close(fd);
  }
}

int place_open(cldann_error *e, place **out, const char *path) {
  int rc = CLDANN_OK, fd = -1;
  place *p = NULL;
  char *folder = NULL;
  struct stat st;
  TRY(mem_new(e, &p, 1, sizeof *p));
  p->held = -1;
  TRY(mem_strdup(e, &p->path, path));
  TRY(folder_of(e, path, &folder));
  if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) /* a folder is rename's to refuse */
    FAIL(e, CLDANN_E_IO, "cannot write %s: it is there and is no file; choose another name", path);
  TRY(sweep(e, folder));
  const size_t room = strlen(folder) + sizeof mark + 48;
  TRY(mem_new(e, &p->temporary, room, 1));
  fd = open_locked(p->temporary, room, folder);
  if (fd < 0) FAIL(e, CLDANN_E_IO, "cannot write %s: %s; choose a folder that can be written", path, strerror(errno));
  p->exists = 1;
  p->held = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (p->held < 0 || !(p->file = fdopen(fd, "wb"))) FAIL(e, CLDANN_E_IO, "cannot write %s: %s", path, strerror(errno));
  *out = p;
  mem_free(folder);
  return CLDANN_OK;
fail:
  if (fd >= 0) close(fd);
  mem_free(folder);
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
  if (p->held >= 0) close(p->held);
  mem_free(p->path);
  mem_free(p->temporary);
  mem_free(p);
}

int place_rename(cldann_error *e, const char *from, const char *to) {
  int rc, fd;
  char *folder = NULL;
  TRY(folder_of(e, to, &folder));
  if (rename(from, to) != 0) FAIL(e, CLDANN_E_IO, "cannot place %s: %s; check the folder's permissions", to, strerror(errno));
  fd = open(folder, O_RDONLY | O_CLOEXEC);
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

int place_hold(cldann_error *e, const char *folder, int *lock) {
  *lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (*lock < 0 || flock(*lock, LOCK_EX | LOCK_NB) == 0) return CLDANN_OK;
  const int taken = errno == EWOULDBLOCK;
  close(*lock);
  *lock = -1;
  if (!taken) return CLDANN_OK;
  return err_set(e, CLDANN_E_IO, __FILE__, __LINE__,
                 "another training writes to %s at this moment; wait for its end, or give another --out", folder);
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

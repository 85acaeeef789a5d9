/*
 * data/images.c: sets of PNG and JPEG files: a folder with a subfolder for each class, a text file of lines "path label", one
 * image alone. All images get one size, by resize and crop or because they have it. A set without any colour is kept as one
 * channel. Decoding: data/png.h, data/jpeg.h. See data/file.h.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/text.h"
#include "data/bytes.h"
#include "data/classes.h"
#include "data/file.h"
#include "data/lines.h"
#include "data/png.h"
#include "data/resample.h"

typedef struct entry {
  char *path;
  int32_t y; /* -1: no label */
} entry;

typedef struct gallery {
  entry *entry;
  int n, room, labelled;
  class_list classes;
} gallery;

static void gallery_free(gallery *g) {
  for (int i = 0; i < g->n; i++) mem_free(g->entry[i].path);
  mem_free(g->entry);
  classes_free(&g->classes);
}

static int gallery_add(cldann_error *e, gallery *g, const char *folder, const char *name, int32_t y) {
  int rc = CLDANN_OK;
  if (g->n == g->room) {
    const int room = g->room ? 2 * g->room : 256;
    TRY(mem_resize(e, &g->entry, (size_t)room, sizeof *g->entry));
    g->room = room;
  }
  g->entry[g->n] = (entry){NULL, y};
  TRY(text_join(e, &g->entry[g->n].path, folder, name));
  g->n++;
  g->labelled += y >= 0;
fail:
  return rc;
}

static int is_image_name(const char *name) {
  const char *dot = strrchr(name, '.');
  return name[0] != '.' && dot && (!strcasecmp(dot, ".png") || !strcasecmp(dot, ".jpg") || !strcasecmp(dot, ".jpeg"));
}

/* ---- pictures into a data set ---- */

static int note_size(cldann_error *e, image_sizes *s, const picture *p) {
  int rc = CLDANN_OK;
  if (s->n == s->room) {
    const int room = s->room ? 2 * s->room : 256;
    TRY(mem_resize(e, &s->at, (size_t)room, sizeof *s->at));
    s->room = room;
  }
  s->at[s->n][0] = p->h, s->at[s->n][1] = p->w;
  s->n++;
fail:
  return rc;
}

static int is_png(const uint8_t *bytes, size_t n) {
  return n >= 8 && !memcmp(bytes, "\x89PNG\r\n\x1a\n", 8);
}

static int is_jpeg(const uint8_t *bytes, size_t n) {
  return n >= 3 && !memcmp(bytes, "\xff\xd8\xff", 3);
}

static int decode(cldann_error *e, const file_request *r, const char *path, picture *p) {
  int rc;
  uint8_t *bytes = NULL;
  size_t n;
  memset(p, 0, sizeof *p);
  TRY(bytes_read(e, path, &bytes, &n));
  if (is_png(bytes, n))
    TRY(png_decode(e, path, bytes, n, p));
  else if (is_jpeg(bytes, n))
    TRY(jpeg_decode(e, path, bytes, n, p));
  else
    FAIL(e, CLDANN_E_FORMAT, "%s is neither PNG nor JPEG; convert it, or take it out", path);
  if (r->sizes) TRY(note_size(e, r->sizes, p));
  if (r->resize[0]) TRY(picture_resize(e, p, r->resize[0], r->resize[1]));
  if (r->crop[0] && (p->h < r->crop[0] || p->w < r->crop[1]))
    FAIL(e, CLDANN_E_FORMAT, "%s has %d x %d pixels, fewer than crop = [%d, %d]; crop less or resize", path, p->h, p->w,
         r->crop[0], r->crop[1]);
  if (r->crop[0]) picture_crop(p, r->crop[0], r->crop[1]);
fail:
  mem_free(bytes);
  if (rc < 0) {
    mem_free(p->rgb);
    p->rgb = NULL;
  }
  return rc;
}

/* Image i behind those that d has, and its path, which is d's then; the first one gives all their size. */
static int add_picture(cldann_error *e, const file_request *r, gallery *g, int i, dataset **d) {
  int rc;
  picture p;
  cldann_error own;
  entry *from = &g->entry[i];
  err_clear(&own);
  if ((rc = decode(&own, r, from->path, &p)) < 0) {
    if (r->skip_bad && rc != CLDANN_E_MEM) return 0; /* the caller counts */
    return err_set(e, rc, __FILE__, __LINE__, "%s%s", own.message,
                   rc == CLDANN_E_MEM ? "" : " (skip_bad = true leaves out such images)");
  }
  if (!*d) {
    TRY(dataset_new(e, d, text_base(r->path), DATA_U8, g->n, p.h, p.w, 3, g->labelled > 0));
    (*d)->n = 0;
    TRY(mem_new(e, &(*d)->files, (size_t)g->n, sizeof *(*d)->files));
  }
  if (p.h != (*d)->h || p.w != (*d)->w)
    FAIL(e, CLDANN_E_FORMAT, "%s has %d x %d pixels but %s has %d x %d; give resize = [h, w] or crop", from->path, p.h, p.w,
         (*d)->files[0], (*d)->h, (*d)->w);
  memcpy((uint8_t *)(*d)->x + (size_t)(*d)->n * dataset_item_bytes(*d), p.rgb, dataset_item_bytes(*d));
  if ((*d)->y) (*d)->y[(*d)->n] = from->y;
  (*d)->files[(*d)->n] = from->path;
  from->path = NULL;
  (*d)->n++;
  rc = 1;
fail:
  mem_free(p.rgb);
  return rc;
}

/* Three equal channels everywhere are one. */
static void drop_grey(dataset *d) {
  uint8_t *x = d->x;
  const size_t all = (size_t)d->n * (size_t)d->h * (size_t)d->w;
  for (size_t i = 0; i < all; i++)
    if (x[3 * i] != x[3 * i + 1] || x[3 * i] != x[3 * i + 2]) return;
  for (size_t i = 0; i < all; i++) x[i] = x[3 * i];
  d->c = 1;
}

/* Takes the classes of g. */
static int load(cldann_error *e, const file_request *r, gallery *g, dataset **out) {
  int rc = CLDANN_OK, bad = 0;
  dataset *d = NULL;
  for (int i = 0; i < g->n; i++) {
    TRY(add_picture(e, r, g, i, &d));
    bad += rc == 0;
  }
  if (!d) FAIL(e, CLDANN_E_FORMAT, "%s: none of its %d images can be read; are they PNG or JPEG?", r->path, g->n);
  d->left_out = bad;
  drop_grey(d);
  if (d->y) TRY(classes_settle(e, d, &g->classes));
  *out = d;
  d = NULL;
  rc = CLDANN_OK;
fail:
  dataset_free(d);
  return rc;
}

/* ---- folders ---- */

static int by_name(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static void names_free(char **names, int n) {
  for (int i = 0; i < n; i++) mem_free(names[i]);
  mem_free(names);
}

static int is_folder(cldann_error *e, const char *folder, const char *name, int *yes) {
  int rc;
  char *path = NULL;
  struct stat st;
  TRY(text_join(e, &path, folder, name));
  *yes = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
fail:
  mem_free(path);
  return rc;
}

/* The sorted names of the folders, or of the images, in a folder. Hidden ones do not count. */
static int list_folder(cldann_error *e, const char *path, int folders, char ***names, int *n) {
  int rc = CLDANN_OK, room = 0, yes;
  DIR *dir = opendir(path);
  if (!dir) FAIL(e, CLDANN_E_IO, "cannot open %s: %s; check its permissions", path, strerror(errno));
  for (struct dirent *f; (f = readdir(dir));) {
    if (f->d_name[0] == '.' || (!folders && !is_image_name(f->d_name))) continue;
    TRY(is_folder(e, path, f->d_name, &yes));
    if (yes != folders) continue;
    if (*n == room) {
      room = room ? 2 * room : 64;
      TRY(mem_resize(e, names, (size_t)room, sizeof **names));
    }
    TRY(mem_strdup(e, &(*names)[*n], f->d_name));
    ++*n;
  }
  if (*n) qsort(*names, (size_t)*n, sizeof **names, by_name);
fail:
  if (dir) closedir(dir);
  return rc;
}

static int add_folder(cldann_error *e, gallery *g, const char *path, int32_t y) {
  int rc, n = 0;
  char **names = NULL;
  TRY(list_folder(e, path, 0, &names, &n));
  if (n == 0) FAIL(e, CLDANN_E_FORMAT, "%s has no .png, .jpg or .jpeg files; put some there, or remove the folder", path);
  for (int i = 0; i < n; i++) TRY(gallery_add(e, g, path, names[i], y));
fail:
  names_free(names, n);
  return rc;
}

static int folder_read(cldann_error *e, const file_request *r, dataset **out) {
  int rc, n = 0, loose = 0;
  char **names = NULL, **images = NULL, *path = NULL;
  gallery g = {0};
  TRY(list_folder(e, r->path, 1, &names, &n));
  TRY(list_folder(e, r->path, 0, &images, &loose));
  if (n > 0 && loose > 0)
    FAIL(e, CLDANN_E_FORMAT, "%s has images beside folders, as %.60s and %.60s/; give each class a folder, or have images only",
         r->path, images[0], names[0]);
  if (n == 0) TRY(add_folder(e, &g, r->path, -1));
  for (int i = 0; i < n; i++) {
    int32_t y;
    const int known = g.classes.n;
    TRY(classes_add(e, &g.classes, r->path, names[i], &y));
    if (g.classes.n == known) FAIL(e, CLDANN_E_FORMAT, "%s has two folders for the class %.60s; join them", r->path, names[i]);
    TRY(text_join(e, &path, r->path, names[i]));
    TRY(add_folder(e, &g, path, y));
    mem_free(path);
    path = NULL;
  }
  TRY(load(e, r, &g, out));
fail:
  mem_free(path);
  names_free(names, n);
  names_free(images, loose);
  gallery_free(&g);
  return rc;
}

static int folder_probe(const file_head *h) {
  return h->is_folder;
}

/* ---- lists ---- */

static int add_line(cldann_error *e, const lines *l, gallery *g, const char *folder, char *line) {
  int rc = CLDANN_OK;
  char where[300], *end = line + strlen(line), *label;
  int32_t y = -1;
  while (end > line && isspace((unsigned char)end[-1])) *--end = 0;
  line += strspn(line, " \t");
  if (!*line || *line == '#') return CLDANN_OK;
  label = end;
  while (label > line && !isspace((unsigned char)label[-1])) label--;
  if (label > line && !is_image_name(text_base(line))) { /* the last word; the path before it may have spaces */
    snprintf(where, sizeof where, "%.200s:%ld", l->path, l->number);
    TRY(classes_add(e, &g->classes, where, label, &y));
    while (label > line && isspace((unsigned char)label[-1])) *--label = 0;
  }
  if (g->n > 0 && (g->labelled > 0) != (y >= 0))
    LINES_FAIL(e, l, "the line has %s label, but those before it have %s", y < 0 ? "no" : "a", y < 0 ? "one" : "none");
  TRY(gallery_add(e, g, folder, line, y));
fail:
  return rc;
}

static int list_read(cldann_error *e, const file_request *r, dataset **out) {
  int rc;
  lines l = {0};
  gallery g = {0};
  char *line, *folder = NULL;
  TRY(mem_strdup(e, &folder, r->path));
  folder[text_base(folder) - folder] = 0;
  TRY(lines_open(e, &l, r->path));
  while ((rc = lines_next(e, &l, &line)) > 0) TRY(add_line(e, &l, &g, folder, line));
  TRY(rc);
  if (g.n == 0) FAIL(e, CLDANN_E_FORMAT, "%s lists no images; write a line \"path label\" for each", r->path);
  TRY(load(e, r, &g, out));
fail:
  lines_close(&l);
  mem_free(folder);
  gallery_free(&g);
  return rc;
}

/* A first line in which some word ends like the name of an image. */
static int list_probe(const file_head *h) {
  char line[1200], *rest = NULL;
  const char *at = h->bytes;
  if (h->is_folder || strlen(h->bytes) != h->n) return 0;
  while (*at && (isspace((unsigned char)*at) || *at == '#')) at += *at == '#' ? strcspn(at, "\n") : 1;
  snprintf(line, sizeof line, "%.*s", (int)(strcspn(at, "\r\n") > 1100 ? 1100 : strcspn(at, "\r\n")), at);
  for (char *word = strtok_r(line, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest))
    if (is_image_name(text_base(word))) return !strpbrk(word, ",;");
  return 0;
}

/* ---- one image ---- */

static int image_probe(const file_head *h) {
  return !h->is_folder && (is_png((const uint8_t *)h->bytes, h->n) || is_jpeg((const uint8_t *)h->bytes, h->n));
}

static int image_read(cldann_error *e, const file_request *r, dataset **out) {
  int rc;
  gallery g = {0};
  TRY(gallery_add(e, &g, "", r->path, -1));
  TRY(load(e, r, &g, out));
fail:
  gallery_free(&g);
  return rc;
}

const file_format format_image = {"image", image_probe, image_read, FILE_IMAGES};
const file_format format_folder = {"folder", folder_probe, folder_read, FILE_IMAGES};
const file_format format_list = {"list", list_probe, list_read, FILE_IMAGES};

/*
 * data/lines.h: a text file line by line, plain or gzip, with the number of the line for errors. Lines have no length
 * limit; a zero byte or a packed file that breaks off is an error. For the readers of text formats.
 */
#ifndef CLDANN_DATA_LINES_H
#define CLDANN_DATA_LINES_H

#include <zlib.h>

#include "base/err.h"

typedef struct lines {
  const char *path;
  gzFile file;
  char *text; /* what was read ahead */
  size_t room, at, end;
  int eof;
  long number; /* of the line that lines_next gave, from 1 */
} lines;

/* A struct of zeros may be closed, whether it was opened or not. */
int lines_open(cldann_error *e, lines *l, const char *path);
/* 1 and the next line without its end, good until the next call and the caller's to change; 0 at the end of the file. */
int lines_next(cldann_error *e, lines *l, char **line);
void lines_close(lines *l);

/* An error of this line: "path:number: ..." */
#define LINES_FAIL(e, l, fmt, ...) FAIL(e, CLDANN_E_FORMAT, "%s:%ld: " fmt, (l)->path, (l)->number, __VA_ARGS__)

#endif

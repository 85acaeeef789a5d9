/*
 * base/text.h: small string work shared by all rooms: the nearest known name for "did you mean", joining of paths, and
 * numbers from text with an error that names what was read. Knows nothing of files or options; cli/ and net/ use it.
 */
#ifndef CLDANN_BASE_TEXT_H
#define CLDANN_BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

/* The known name at the smallest edit distance (swaps count once, case is ignored), or NULL when none is close. */
const char *text_nearest(const char *name, const char *const *known, size_t n);
/* *out = dir/name with one slash between, or name alone when it is absolute or dir is empty. Freed by mem_free. */
int text_join(cldann_error *e, char **out, const char *dir, const char *name);
/* The part of a path after its last slash. */
const char *text_base(const char *path);
int text_ends_with(const char *s, const char *end);
/* The whole text must be one number in [min, max]; `what` names it in the message ("--threads"). */
int text_to_int(cldann_error *e, const char *what, const char *s, int64_t min, int64_t max, int64_t *out);

/* A figure for people, with so many digits behind the point, or "-" for what is no number. Returns text. */
enum { TEXT_NUMBER = 32 };
const char *text_number(char text[TEXT_NUMBER], double v, int digits);
/* Seconds for people: 4:07, or 1:02:07; "-" for what is no time. Returns text. */
enum { TEXT_DURATION = 32 };
const char *text_duration(char text[TEXT_DURATION], double seconds);

/* Bytes of the UTF-8 character that s begins with, 1 to 4; 0 where it begins with none that may be shown: end, control, damage.
 */
int text_character(const char *s);
/* In place: a blank for each tab and end of line, '?' for every other byte that is of no character to be shown. */
void text_clean(char *s);
/* Cuts a text at the ends of its lines, in place: *lines, the caller's (mem_free), has *n of them, at least one. */
int text_lines(cldann_error *e, char *text, const char ***lines, int *n);
/* A cell of CSV: in quotes, its own doubled, where it must be. */
void text_put_csv(const char *s, FILE *f);

#endif

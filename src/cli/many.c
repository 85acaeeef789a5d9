/*
 * cli/many.c: what the commands that train many times share: the list of seeds, and one run of them, told in a line.
 */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "train/metrics.h"

enum { PART = 64, PATH_MOST = 4096 };

/* "7" or "1-5" into the list. */
static int add_range(const char *part, int64_t *seeds, int most, int *n) {
  char first[PART];
  const char *dash = strchr(part, '-');
  int64_t from = 0, to = 0;
  cldann_error e;
  err_clear(&e);
  snprintf(first, sizeof first, "%.*s", dash ? (int)(dash - part) : (int)strlen(part), part);
  if (text_to_int(&e, "--seeds", first, 0, INT64_MAX - 1, &from) < 0) return cli_fail(&e);
  to = from;
  if (dash && text_to_int(&e, "--seeds", dash + 1, 0, INT64_MAX - 1, &to) < 0) return cli_fail(&e);
  if (to < from) return cli_fail_usage("--seeds: %s ends before it starts; write it as in 1-5", part);
  if (to - from >= most - *n) return cli_fail_usage("--seeds: more than %d; give fewer", most);
  for (int64_t s = from; s <= to; s++) seeds[(*n)++] = s;
  return EXIT_FINE;
}

int cli_parse_seeds(const char *text, int64_t *seeds, int most, int *n) {
  int code = EXIT_FINE;
  for (const char *at = text; code == EXIT_FINE; at++) {
    char part[PART];
    const size_t length = strcspn(at, ",");
    if (length == 0 || length >= sizeof part) return cli_fail_usage("--seeds '%s': write numbers as in 1,2,3 or 1-5", text);
    memcpy(part, at, length);
    part[length] = 0;
    code = add_range(part, seeds, most, n);
    at += length;
    if (!*at) break;
  }
  return code;
}

int cli_train_one_of_many(cldann *c, cldann_experiment *x, const cli_args *a, const char *label, progress *p,
                          cldann_result *r) {
  char out[PATH_MOST], acc[TEXT_NUMBER], sec[TEXT_NUMBER];
  if (a->out && snprintf(out, sizeof out, "%s/%s", a->out, label) >= PATH_MOST)
    return cli_fail_usage("--out: the path is too long; give a shorter one");
  cldann_train_options o = progress_options(p, label, a->out ? out : NULL);
  o.overwrite = a->overwrite;
  const int rc = cldann_train(x, &o, r);
  progress_clear(p);
  if (rc < 0) return cli_fail(p->error.code ? &p->error : cldann_get_error(c));
  p->messages = 0; /* device and data were told; the next run's are the same */
  if (!a->quiet && !a->json)
    fprintf(stderr, "%s: target accuracy %s after %s s\n", label, text_number(acc, r->target_accuracy, 4),
            text_number(sec, r->seconds, 1));
  if (a->json && metrics_line(&p->error, stdout, "standard output", metrics_result_json(r)) < 0) return cli_fail(&p->error);
  return EXIT_FINE;
}

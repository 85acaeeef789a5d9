/* cli/cmd_bench.c: cldann bench: how fast a step is, launch by launch, beside what the device can do. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "train/metrics.h"

enum { MOST_BATCHES = 64, MOST_ROWS = 65536, WORD = 16 };

typedef struct table {
  int json, launches, shown; /* launches: shown one by one */
  cldann_error error;
} table;

static int parse_batches(const char *text, int *batches, int *n) {
  cldann_error e;
  err_clear(&e);
  for (const char *at = text;; at++) {
    char part[WORD];
    int64_t rows;
    const size_t length = strcspn(at, ",");
    if (length == 0 || length >= WORD) return cli_fail_usage("--batch '%s': write numbers with commas, as in 1,64,256", text);
    if (*n == MOST_BATCHES) return cli_fail_usage("--batch: more than %d sizes; give fewer", MOST_BATCHES);
    snprintf(part, sizeof part, "%.*s", (int)length, at);
    if (text_to_int(&e, "--batch", part, 1, MOST_ROWS, &rows) < 0) return cli_fail(&e);
    batches[(*n)++] = (int)rows;
    at += length;
    if (!*at) return EXIT_FINE;
  }
}

/* ---- launches ---- */

static json_t *launch_json(const cldann_bench_launch *k) {
  return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "type", "launch", "node", k->node,
                   "phase", k->phase, "kernel", k->kernel, "variant", k->variant, "us", metrics_number(k->us), "flops",
                   metrics_number(k->flops), "true_flops", metrics_number(k->true_flops), "bytes", metrics_number(k->bytes),
                   "gflops", metrics_number(k->gflops), "gbytes", metrics_number(k->gbytes), "flops_share",
                   metrics_number(k->flops_share), "bytes_share", metrics_number(k->bytes_share), "bound",
                   k->flops_share > k->bytes_share ? "compute" : "memory");
}

static void on_launch(void *user, const cldann_bench_launch *k) {
  table *t = user;
  if (!t->launches || t->error.code) return;
  if (t->json) {
    metrics_line(&t->error, stdout, "standard output", launch_json(k));
    return;
  }
  if (!t->shown++)
    printf("%4s  %-16s %-9s %-18s %-8s %9s %9s %9s %8s %9s %8s %7s %7s  %s\n", "#", "node", "phase", "kernel", "variant", "us",
           "MFLOP", "true", "MB", "GFLOP/s", "GB/s", "FMA %", "mem %", "bound");
  printf("%4d  %-16s %-9s %-18s %-8s %9.1f %9.3f %9.3f %8.3f %9.2f %8.2f %7.1f %7.1f  %s\n", t->shown, k->node, k->phase,
         k->kernel, k->variant, k->us, k->flops / 1e6, k->true_flops / 1e6, k->bytes / 1e6, k->gflops, k->gbytes,
         100 * k->flops_share, 100 * k->bytes_share, k->flops_share > k->bytes_share ? "compute" : "memory");
}

/* ---- totals ---- */

static json_t *result_json(const cldann_bench_result *r) {
  json_t *o = json_pack("{s:s, s:b, s:i, s:i, s:i, s:i, s:i, s:i}", "type", "bench", "inference", r->inference, "batch",
                        r->batch, "entries", r->entries, "streamed", r->streamed, "launches", r->launches, "windows",
                        r->windows, "repeats", r->repeats);
  const struct {
    const char *key;
    double value;
  } numbers[] = {
      {"step_ms", r->step_ms},
      {"step_ms_min", r->step_ms_min},
      {"step_ms_max", r->step_ms_max},
      {"launches_ms", r->launches_ms},
      {"samples_per_second", r->samples_per_second},
      {"flops", r->flops},
      {"true_flops", r->true_flops},
      {"bytes", r->bytes},
      {"gflops_dense", r->gflops_dense},
      {"gflops_true", r->gflops_true},
      {"gbytes", r->gbytes},
      {"peak_gflops", r->peak_gflops},
      {"peak_gflops_before", r->peak_gflops_before},
      {"peak_gflops_after", r->peak_gflops_after},
      {"peak_gbytes", r->peak_gbytes},
      {"peak_gbytes_before", r->peak_gbytes_before},
      {"peak_gbytes_after", r->peak_gbytes_after},
      {"peak_bytes", r->peak_bytes},
      {"peak_fraction", r->peak_fraction},
      {"memory_fraction", r->memory_fraction},
  };
  int bad = !o;
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    bad |= json_object_set_new(o, numbers[i].key, metrics_number(numbers[i].value));
  bad |= json_object_set_new(o, "device", json_string(r->device));
  bad |= json_object_set_new(o, "tuning", json_string(r->tuning));
  if (!bad) return o;
  json_decref(o);
  return NULL;
}

static void print_peaks(const cldann_bench_result *r) {
  printf("multiply-add peak %.1f GFLOP/s (before %.1f, after %.1f); memory %.1f GB/s (before %.1f, after %.1f; x + a*z over "
         "%.0f MB)\n",
         r->peak_gflops, r->peak_gflops_before, r->peak_gflops_after, r->peak_gbytes, r->peak_gbytes_before,
         r->peak_gbytes_after, r->peak_bytes / 1e6);
}

static const char *streamed_text(const cldann_bench_result *r) {
  return r->streamed == 0 ? "" : r->streamed == 1 ? ", one set streamed," : ", both sets streamed,";
}

enum { ENTRIES_TEXT = 40 };

static const char *entries_text(const cldann_bench_result *r, char text[ENTRIES_TEXT]) {
  text[0] = 0;
  if (r->entries) snprintf(text, ENTRIES_TEXT, " with %d entries each", r->entries);
  return text;
}

static void print_totals(const cldann_bench_result *r) {
  char text[ENTRIES_TEXT];
  printf("\n%d launches, %.1f MFLOP (%.1f true), %.1f MB, %.3f ms by themselves (median of %d)\n", r->launches, r->flops / 1e6,
         r->true_flops / 1e6, r->bytes / 1e6, r->launches_ms, r->repeats);
  printf("%s of %d random rows%s%s on %s: %.3f ms (median of %d windows, %.3f to %.3f), %.0f samples/s\n",
         r->inference ? "evaluation" : "training step", r->batch, entries_text(r, text), streamed_text(r), r->device,
         r->step_ms, r->windows, r->step_ms_min, r->step_ms_max, r->samples_per_second);
  print_peaks(r);
  printf("%.1f GFLOP/s dense-equivalent (%.1f true): %.1f %% of the peak; %.1f GB/s: %.1f %% of the memory's\n",
         r->gflops_dense, r->gflops_true, 100 * r->peak_fraction, r->gbytes, 100 * r->memory_fraction);
  printf("tuning: %s\n", r->tuning);
}

/* A line of a sweep. */
static void print_row(const cldann_bench_result *r, int first) {
  char text[ENTRIES_TEXT];
  if (first)
    printf("%s of random rows%s%s on %s; tuning: %s\n%6s %9s %21s %11s %9s %9s %7s %9s %7s\n",
           r->inference ? "evaluation" : "training step", entries_text(r, text), streamed_text(r), r->device, r->tuning,
           "batch", "ms", "windows from, to", "samples/s", "GFLOP/s", "peak", "peak %", "mem GB/s", "mem %");
  printf("%6d %9.3f %10.3f %10.3f %11.0f %9.1f %9.1f %7.1f %9.1f %7.1f\n", r->batch, r->step_ms, r->step_ms_min, r->step_ms_max,
         r->samples_per_second, r->gflops_dense, r->peak_gflops, 100 * r->peak_fraction, r->peak_gbytes,
         100 * r->memory_fraction);
  fflush(stdout);
}

static int should_stop(void *user) {
  const table *t = user;
  return t->error.code || cli_interrupted();
}

static int measure(cldann *c, cldann_experiment *x, const cli_args *a, table *t, int batch, int first) {
  const cldann_bench_options o = {.inference = a->inference,
                                  .batch = batch,
                                  .entries = (int)a->entries,
                                  .on_launch = on_launch,
                                  .should_stop = should_stop,
                                  .user = t};
  cldann_bench_result r;
  if (cldann_bench(x, &o, &r) < 0) return cli_fail(cldann_get_error(c));
  if (t->json && !t->error.code) metrics_line(&t->error, stdout, "standard output", result_json(&r));
  if (t->error.code) return cli_fail(&t->error);
  if (!t->json && t->launches) print_totals(&r);
  if (!t->json && !t->launches) print_row(&r, first);
  return EXIT_FINE;
}

static int run(const cli_args *a) {
  cldann *c;
  cldann_experiment *x;
  table t = {.json = a->json};
  int batches[MOST_BATCHES] = {0}, n = 0, code; /* one batch of 0 rows: the experiment's */
  if (a->batch && (code = parse_batches(a->batch, batches, &n)) != EXIT_FINE) return code;
  if (!a->batch) n = 1;
  t.launches = n == 1;
  cli_catch_signals();
  if ((code = cli_open(a, &c, &x)) != EXIT_FINE) return code;
  for (int i = 0; i < n && code == EXIT_FINE; i++) code = measure(c, x, a, &t, batches[i], i == 0);
  cldann_experiment_free(x);
  cldann_close(c);
  return code;
}

const cli_command cmd_bench = {
    .name = "bench",
    .args = "EXPERIMENT",
    .summary = "time a step, launch by launch, against the device's peaks",
    .help =
        "Times one training step, or with --inference one evaluation of a batch, on random rows: no data are needed, and for\n"
        "sparse data --entries says how many numbers of a row are not 0 (as in what 'cldann plan' prints). For each\n"
        "launch: time, FLOPs (dense-equivalent, and true where a kernel skips zeros), bytes, and the share of the device's\n"
        "multiply-add peak and memory bandwidth; the larger is its bound. Above 100 % of the memory: the bytes came from a\n"
        "cache. Both peaks are measured before and after by kernels of our own, and the higher counts. Then the step as a\n"
        "whole, queued back to back. With several --batch sizes: a line for each. With --json: an object a launch (\"type\":\n"
        "\"launch\"; not with several sizes) and one a size (\"type\": \"bench\") with step_ms, samples_per_second,\n"
        "gflops_dense, peak_gflops, peak_fraction and more.",
    .options = CLI_SET | CLI_DEVICE | CLI_TUNING | CLI_INFERENCE | CLI_BATCH | CLI_ENTRIES | CLI_JSON,
    .run = run,
};

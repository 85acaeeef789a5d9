/* cli/cmd_devices.c: cldann devices: every OpenCL device with what matters here, and which is the default. */
#include "cli/cli.h"

#include <stdio.h>

#include "train/metrics.h"

enum { MOST = 64 };

static const char *kind(const cldann_device_info *d) {
  return d->is_gpu ? "GPU" : d->is_cpu ? "CPU" : "other";
}

/* The default is whatever the library opens when none is named: asked for, not guessed. -1 when it opens none. */
static int default_index(void) {
  cldann *c = NULL;
  cldann_error e;
  int index;
  err_clear(&e);
  if (cldann_open(&c, NULL, &e) < 0) {
    fprintf(stderr, "cldann: no default device: %s\n", e.message);
    return -1;
  }
  index = cldann_device(c)->index;
  cldann_close(c);
  return index;
}

static double gib(uint64_t bytes) {
  return (double)bytes / (1024.0 * 1024.0 * 1024.0);
}

static void print_text(const cldann_device_info *d, int is_default) {
  printf("%c %d  %s\n", is_default ? '*' : ' ', d->index, d->name);
  printf("     %s, %d compute units at %d MHz, float%d, by %s\n", kind(d), d->compute_units, d->clock_mhz, d->vector_width,
         d->vendor);
  printf("     memory %.1f GiB (largest buffer %.1f GiB), local %llu KiB, work-groups up to %zu\n", gib(d->global_bytes),
         gib(d->max_alloc_bytes), (unsigned long long)(d->local_bytes / 1024), d->max_work_group);
  printf("     %s; %s; driver %s\n", d->platform, d->version, d->driver);
}

static int print_json(const cldann_device_info *d, int is_default) {
  cldann_error e;
  err_clear(&e);
  json_t *o =
      json_pack("{s:i, s:b, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:I, s:I, s:I, s:I, s:I}", "index", d->index,
                "default", is_default, "type", kind(d), "name", d->name, "vendor", d->vendor, "platform", d->platform,
                "version", d->version, "driver", d->driver, "compute_units", d->compute_units, "clock_mhz", d->clock_mhz,
                "vector_width", d->vector_width, "align_bytes", d->align_bytes, "global_bytes", (json_int_t)d->global_bytes,
                "max_alloc_bytes", (json_int_t)d->max_alloc_bytes, "local_bytes", (json_int_t)d->local_bytes, "cache_bytes",
                (json_int_t)d->cache_bytes, "max_work_group", (json_int_t)d->max_work_group);
  return metrics_line(&e, stdout, "standard output", o) < 0 ? cli_fail(&e) : EXIT_FINE;
}

static int run(const cli_args *a) {
  static cldann_device_info infos[MOST];
  cldann_error e;
  int n = 0, code = EXIT_FINE, chosen;
  err_clear(&e);
  if (cldann_devices(infos, MOST, &n, &e) < 0) return cli_fail(&e);
  if (n > MOST) n = MOST;
  chosen = default_index();
  for (int i = 0; i < n && code == EXIT_FINE; i++) {
    if (a->json)
      code = print_json(&infos[i], infos[i].index == chosen);
    else
      print_text(&infos[i], infos[i].index == chosen);
  }
  if (!a->json && chosen >= 0) puts("* is the default; --device or CLDANN_DEVICE takes an index or a part of a name.");
  return code;
}

const cli_command cmd_devices = {
    .name = "devices",
    .args = "",
    .summary = "list the OpenCL devices",
    .help =
        "Lists the devices of all OpenCL platforms. A star marks the default: $CLDANN_DEVICE, else the first GPU, else the\n"
        "first device.",
    .options = CLI_JSON,
    .run = run,
};

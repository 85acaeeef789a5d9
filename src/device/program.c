/*
 * device/program.c: from an embedded cl/<file>.cl and its -D values to a kernel that can be launched, and the texts of
 * OpenCL's errors. A (file, defs) pair is compiled once for a device, and all files without -D values at once
 * (device/kernels.h); drivers with a cache of their own (POCL, NVIDIA) keep it on disk, so there is none here.
 * CLDANN_KERNEL_PATH=dir reads the .cl files from there, for an edit-run loop.
 */
#include "device/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "device/kernels.h"

struct kernel {
  device *dev;
  cl_kernel k;
  char name[64];
};

#define CODE(x) \
  case x: return #x
static const char *code_name(cl_int code) {
  switch (code) {
    CODE(CL_DEVICE_NOT_FOUND);
    CODE(CL_DEVICE_NOT_AVAILABLE);
    CODE(CL_COMPILER_NOT_AVAILABLE);
    CODE(CL_MEM_OBJECT_ALLOCATION_FAILURE);
    CODE(CL_OUT_OF_RESOURCES);
    CODE(CL_OUT_OF_HOST_MEMORY);
    CODE(CL_PROFILING_INFO_NOT_AVAILABLE);
    CODE(CL_BUILD_PROGRAM_FAILURE);
    CODE(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
    CODE(CL_INVALID_VALUE);
    CODE(CL_INVALID_DEVICE);
    CODE(CL_INVALID_CONTEXT);
    CODE(CL_INVALID_COMMAND_QUEUE);
    CODE(CL_INVALID_MEM_OBJECT);
    CODE(CL_INVALID_BUILD_OPTIONS);
    CODE(CL_INVALID_PROGRAM);
    CODE(CL_INVALID_PROGRAM_EXECUTABLE);
    CODE(CL_INVALID_KERNEL_NAME);
    CODE(CL_INVALID_KERNEL);
    CODE(CL_INVALID_ARG_INDEX);
    CODE(CL_INVALID_ARG_VALUE);
    CODE(CL_INVALID_ARG_SIZE);
    CODE(CL_INVALID_KERNEL_ARGS);
    CODE(CL_INVALID_WORK_DIMENSION);
    CODE(CL_INVALID_WORK_GROUP_SIZE);
    CODE(CL_INVALID_WORK_ITEM_SIZE);
    CODE(CL_INVALID_GLOBAL_OFFSET);
    CODE(CL_INVALID_BUFFER_SIZE);
    CODE(CL_INVALID_GLOBAL_WORK_SIZE);
  }
  return "unnamed CL code";
}

int cl_fail(cldann_error *e, cl_int code, const char *call, const char *what, const char *file, int line) {
  const char *advice = "";
  char name[48];
  size_t n = strcspn(call, "(");
  snprintf(name, sizeof name, "%.*s", (int)(n < 47 ? n : 47), call);
  if (code == CL_MEM_OBJECT_ALLOCATION_FAILURE || code == CL_OUT_OF_RESOURCES || code == CL_OUT_OF_HOST_MEMORY)
    advice = "; the device is out of memory: use a smaller batch";
  if (e && !e->code) e->cl_code = code;
  return err_set(e, CLDANN_E_CL, file, line, "%s: OpenCL call %s failed with %s (%d)%s%s%s", what,
                 strncmp(name, "cl", 2) ? "before this" : name, code_name(code), (int)code, advice,
                 e && e->notice[0] ? "; the driver says: " : "", e ? e->notice : "");
}

/* The text of cl/<name>.cl: from CLDANN_KERNEL_PATH when set (then *owned is to be freed), else as embedded. */
static int kernel_text(cldann_error *e, const char *name, const char **text, char **owned) {
  const char *dir = getenv("CLDANN_KERNEL_PATH");
  char path[512];
  FILE *f = NULL;
  int rc = CLDANN_OK;
  *owned = NULL;
  if (!dir || !*dir) {
    for (const kernel_source *s = kernel_sources; s->name; s++)
      if (!strcmp(s->name, name)) {
        *text = s->text;
        return CLDANN_OK;
      }
    FAIL(e, CLDANN_E_ARG, "no kernel file named %s in the library", name);
  }
  snprintf(path, sizeof path, "%s/%s.%s", dir, name, !strcmp(name, "common") || !strcmp(name, "layout") ? "clh" : "cl");
  if (!(f = fopen(path, "rb")))
    FAIL(e, CLDANN_E_IO, "%s: %s; CLDANN_KERNEL_PATH must hold the cl/ folder's files", path, strerror(errno));
  fseek(f, 0, SEEK_END);
  long n = ftell(f);
  rewind(f);
  TRY(mem_new(e, owned, (size_t)n + 1, 1));
  if (fread(*owned, 1, (size_t)n, f) != (size_t)n) FAIL(e, CLDANN_E_IO, "%s: cannot be read", path);
  *text = *owned;
fail:
  if (f) fclose(f);
  return rc;
}

/* A failed build: the first line of the compiler's log that holds an error goes into the message. */
static int build_failed(device *d, cl_program prog, const char *file, cl_int code) {
  size_t n = 0;
  char *log = NULL, *at;
  clGetProgramBuildInfo(prog, d->id, CL_PROGRAM_BUILD_LOG, 0, NULL, &n);
  if (mem_new(d->err, &log, n + 1, 1) < 0) return CLDANN_E_MEM;
  clGetProgramBuildInfo(prog, d->id, CL_PROGRAM_BUILD_LOG, n, log, NULL);
  at = strstr(log, "error");
  while (at && at > log && at[-1] != '\n') at--;
  if (!at) at = log;
  d->err->cl_code = code;
  int rc = err_set(d->err, CLDANN_E_CL, __FILE__, __LINE__, "cl/%s.cl does not compile on %s: %.*s", file, d->info.name,
                   (int)strcspn(at, "\n"), at);
  mem_free(log);
  return rc;
}

/* The files of a program behind layout and common: the file itself, or all that share one with it. */
enum { MOST_TEXTS = 24 };

static int program_files(cldann_error *e, const char *file, const char *defs, const char **names, int *n) {
  int rc = CLDANN_OK, shared = 0;
  for (const kernel_source *s = kernel_sources; s->name; s++) shared |= s->shared && !strcmp(s->name, file);
  *n = 0;
  names[(*n)++] = "layout";
  names[(*n)++] = "common";
  if (!shared) names[(*n)++] = file;
  for (const kernel_source *s = kernel_sources; shared && s->name; s++) {
    if (!s->shared) continue;
    if (*n == MOST_TEXTS) FAIL(e, CLDANN_E_ARG, "more than %d kernel files in one program; raise MOST_TEXTS", MOST_TEXTS);
    names[(*n)++] = s->name;
  }
  if (shared && *defs) FAIL(e, CLDANN_E_ARG, "cl/%s.cl shares its program and takes no -D values", file);
fail:
  return rc;
}

static int program_get(device *d, const char *file, const char *defs, cl_program *out) {
  char key[1024], options[1100], *owned[MOST_TEXTS] = {NULL};
  const char *names[MOST_TEXTS], *texts[MOST_TEXTS];
  program *p = NULL;
  cl_program prog = NULL;
  cl_int code;
  int rc, n = 0;
  TRY(program_files(d->err, file, defs, names, &n));
  if (snprintf(key, sizeof key, "%s %s", names[2], defs) >= (int)sizeof key)
    FAIL(d->err, CLDANN_E_ARG, "kernel options of cl/%s.cl are too long", file);
  for (p = d->programs; p; p = p->next)
    if (!strcmp(p->key, key)) {
      *out = p->prog;
      return CLDANN_OK;
    }
  for (int i = 0; i < n; i++) TRY(kernel_text(d->err, names[i], &texts[i], &owned[i]));
  prog = clCreateProgramWithSource(d->ctx, (cl_uint)n, texts, NULL, &code);
  CL_TRY(d->err, file, code);
  snprintf(options, sizeof options, "-cl-std=CL1.2 %s", defs);
  code = clBuildProgram(prog, 1, &d->id, options, NULL, NULL);
  if (code != CL_SUCCESS) TRY(build_failed(d, prog, file, code));
  TRY(mem_new(d->err, &p, 1, sizeof *p));
  if ((rc = mem_strdup(d->err, &p->key, key)) < 0) {
    mem_free(p);
    goto fail;
  }
  p->prog = prog;
  p->next = d->programs;
  d->programs = p;
  *out = prog;
  prog = NULL;
fail:
  if (prog) clReleaseProgram(prog);
  for (int i = 0; i < n; i++) mem_free(owned[i]);
  return rc;
}

void device_free_programs(device *d) {
  while (d->programs) {
    program *p = d->programs;
    d->programs = p->next;
    clReleaseProgram(p->prog);
    mem_free(p->key);
    mem_free(p);
  }
}

int kernel_new(device *d, const char *file, const char *name, const char *defs, kernel **out) {
  cl_program prog;
  kernel *k = NULL;
  cl_int code;
  int rc;
  TRY(program_get(d, file, defs, &prog));
  TRY(mem_new(d->err, &k, 1, sizeof *k));
  k->dev = d;
  snprintf(k->name, sizeof k->name, "%s", name);
  k->k = clCreateKernel(prog, name, &code);
  CL_TRY(d->err, name, code);
  *out = k;
  return CLDANN_OK;
fail:
  mem_free(k);
  return rc;
}

void kernel_free(kernel *k) {
  if (!k) return;
  clReleaseKernel(k->k);
  mem_free(k);
}

int kernel_check_group(const kernel *k, size_t items) {
  const device *d = k->dev;
  size_t most = 0;
  cl_ulong local = 0;
  int rc = CLDANN_OK;
  CL_TRY(d->err, k->name, clGetKernelWorkGroupInfo(k->k, d->id, CL_KERNEL_WORK_GROUP_SIZE, sizeof most, &most, NULL));
  CL_TRY(d->err, k->name, clGetKernelWorkGroupInfo(k->k, d->id, CL_KERNEL_LOCAL_MEM_SIZE, sizeof local, &local, NULL));
  if (most < items || local > d->info.local_bytes)
    FAIL(d->err, CLDANN_E_DEVICE,
         "%s: as compiled by this driver it runs in groups of at most %zu, not %zu, with %llu of %llu bytes of local memory; "
         "set "
         "CLDANN_MAX_GROUP=%zu for smaller groups",
         k->name, most, items, (unsigned long long)local, (unsigned long long)d->info.local_bytes, items / 2);
fail:
  return rc;
}

int kernel_set_buffer(kernel *k, int index, const buffer *b) {
  cl_mem mem = buffer_mem(b);
  int rc = CLDANN_OK;
  CL_TRY(k->dev->err, k->name, clSetKernelArg(k->k, (cl_uint)index, sizeof mem, &mem));
fail:
  return rc;
}

int kernel_set_int(kernel *k, int index, int32_t v) {
  int rc = CLDANN_OK;
  CL_TRY(k->dev->err, k->name, clSetKernelArg(k->k, (cl_uint)index, sizeof v, &v));
fail:
  return rc;
}

int kernel_set_float(kernel *k, int index, float v) {
  int rc = CLDANN_OK;
  CL_TRY(k->dev->err, k->name, clSetKernelArg(k->k, (cl_uint)index, sizeof v, &v));
fail:
  return rc;
}

/* Room for one more event of a profiled replay. */
static int event_slot(device *d, cl_event **slot) {
  int rc = CLDANN_OK;
  if (d->n_events == d->cap_events) {
    int cap = d->cap_events ? 2 * d->cap_events : 256;
    TRY(mem_resize(d->err, &d->events, (size_t)cap, sizeof *d->events));
    d->cap_events = cap;
  }
  *slot = &d->events[d->n_events];
fail:
  return rc;
}

int kernel_launch(kernel *k, int dims, const size_t *global, const size_t *local) {
  device *d = k->dev;
  cl_event *event = NULL;
  int rc = CLDANN_OK;
  if (d->profiling) TRY(event_slot(d, &event));
  CL_TRY(d->err, k->name, clEnqueueNDRangeKernel(d->queue, k->k, (cl_uint)dims, NULL, global, local, 0, NULL, event));
  if (event) d->n_events++;
  if (d->sync) CL_TRY(d->err, k->name, clFinish(d->queue));
fail:
  return rc;
}

/*
 * device/device.c: finding and opening a device, its queue, buffers and launches. See device/device.h for the contract
 * and device/program.c for compiling. One in-order queue for all but uploads that are
 * staged ahead, which have one of their own; no hidden waits: only *_read, *_write and device_finish block.
 */
#include "device/internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "device/tuning.h"

struct buffer {
  device *dev;
  cl_mem mem;
  size_t bytes;
};

#define MAX_PLATFORMS 16
#define MAX_DEVICES 32

static void info_string(cl_device_id id, cl_device_info what, char *dst, size_t n) {
  char text[512] = "";
  clGetDeviceInfo(id, what, sizeof text - 1, text, NULL);
  snprintf(dst, n, "%.*s", (int)n - 1, text);
}

#define INFO(id, what, var) clGetDeviceInfo((id), (what), sizeof(var), &(var), NULL)

/* The one place where what we know of a driver becomes fields that the rest of the program reads. */
static void describe(cl_platform_id platform, cl_device_id id, int index, device_info *d) {
  cl_device_type type = 0;
  cl_uint units = 0, clock = 0, width = 0, align = 0;
  cl_ulong global = 0, alloc = 0, local = 0, cache = 0;
  size_t wg = 0;
  memset(d, 0, sizeof *d);
  clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof d->platform - 1, d->platform, NULL);
  info_string(id, CL_DEVICE_NAME, d->name, sizeof d->name);
  info_string(id, CL_DEVICE_VENDOR, d->vendor, sizeof d->vendor);
  info_string(id, CL_DEVICE_VERSION, d->version, sizeof d->version);
  info_string(id, CL_DRIVER_VERSION, d->driver, sizeof d->driver);
  INFO(id, CL_DEVICE_TYPE, type);
  INFO(id, CL_DEVICE_MAX_COMPUTE_UNITS, units);
  INFO(id, CL_DEVICE_MAX_CLOCK_FREQUENCY, clock);
  INFO(id, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, width);
  INFO(id, CL_DEVICE_MEM_BASE_ADDR_ALIGN, align); /* in bits */
  INFO(id, CL_DEVICE_GLOBAL_MEM_SIZE, global);
  INFO(id, CL_DEVICE_MAX_MEM_ALLOC_SIZE, alloc);
  INFO(id, CL_DEVICE_LOCAL_MEM_SIZE, local);
  INFO(id, CL_DEVICE_GLOBAL_MEM_CACHE_SIZE, cache);
  INFO(id, CL_DEVICE_MAX_WORK_GROUP_SIZE, wg);
  d->index = index;
  d->is_cpu = (type & CL_DEVICE_TYPE_CPU) != 0;
  d->is_gpu = (type & CL_DEVICE_TYPE_GPU) != 0;
  d->compute_units = (int)units;
  d->clock_mhz = (int)clock;
  d->vector_width = width >= 16 ? 16 : width >= 8 ? 8 : width >= 4 ? 4 : width >= 2 ? 2 : 1;
  d->align_bytes = (int)(align / 8);
  d->global_bytes = global;
  d->max_alloc_bytes = alloc;
  d->local_bytes = local;
  d->cache_bytes = cache;
  d->max_work_group = wg;
  const char *most = getenv("CLDANN_MAX_GROUP"); /* for drivers that promise more than their compiler keeps */
  if (most && atoi(most) > 0 && (size_t)atoi(most) < wg) d->max_work_group = (size_t)atoi(most);
}

static int enumerate(cldann_error *e, device_info *infos, cl_platform_id *platforms, cl_device_id *ids, int *count) {
  cl_platform_id p[MAX_PLATFORMS];
  cl_uint np = 0, nd;
  int rc = CLDANN_OK;
  cl_int code;
  *count = 0;
  code = clGetPlatformIDs(MAX_PLATFORMS, p, &np);
  if (code != CL_SUCCESS || np == 0)
    FAIL(e, CLDANN_E_DEVICE,
         "no OpenCL platform found; install a driver, for any CPU: apt-get install pocl-opencl-icd (and check "
         "/etc/OpenCL/vendors)");
  if (np > MAX_PLATFORMS) np = MAX_PLATFORMS;
  for (cl_uint i = 0; i < np; i++) {
    cl_device_id list[MAX_DEVICES];
    if (clGetDeviceIDs(p[i], CL_DEVICE_TYPE_ALL, MAX_DEVICES, list, &nd) != CL_SUCCESS) continue; /* a platform may be empty */
    for (cl_uint j = 0; j < nd && j < MAX_DEVICES && *count < MAX_DEVICES; j++) {
      describe(p[i], list[j], *count, &infos[*count]);
      platforms[*count] = p[i];
      ids[(*count)++] = list[j];
    }
  }
  if (*count == 0) FAIL(e, CLDANN_E_DEVICE, "%u OpenCL platform(s) found, but no device; check the driver with clinfo", np);
fail:
  return rc;
}

int device_list(cldann_error *e, device_info **out, int *n) {
  cl_platform_id platforms[MAX_DEVICES];
  cl_device_id ids[MAX_DEVICES];
  device_info *infos = NULL;
  int rc;
  TRY(mem_new(e, &infos, MAX_DEVICES, sizeof *infos));
  TRY(enumerate(e, infos, platforms, ids, n));
  *out = infos;
  return CLDANN_OK;
fail:
  mem_free(infos);
  return rc;
}

static int contains(const char *text, const char *part) {
  size_t n = strlen(part);
  for (; *text; text++) {
    size_t i = 0;
    while (i < n && tolower((unsigned char)text[i]) == tolower((unsigned char)part[i])) i++;
    if (i == n) return 1;
  }
  return 0;
}

static int matches(const device_info *d, const char *part) {
  return contains(d->name, part) || contains(d->platform, part);
}

/* Which of the n devices does the selector mean? An index into infos, or an error that lists the candidates. */
static int choose(cldann_error *e, const char *selector, const device_info *infos, int n) {
  char names[320] = "", *end = NULL;
  int hits = 0, hit = -1, rc;
  size_t used = 0;
  if (!selector || !*selector) selector = getenv("CLDANN_DEVICE");
  if (!selector || !*selector) {
    for (int i = 0; i < n; i++)
      if (infos[i].is_gpu) return i;
    return 0;
  }
  const unsigned long index = strtoul(selector, &end, 10);
  if (isdigit((unsigned char)*selector) && *end == '\0') {
    if (index < (unsigned long)n) return (int)index;
    FAIL(e, CLDANN_E_DEVICE, "there is no device %s; the devices are 0 to %d, see 'cldann devices'", selector, n - 1);
  }
  for (int i = 0; i < n; i++) {
    int hit_i = matches(&infos[i], selector);
    if (hit_i) hits++, hit = i;
    used = strlen(names);
    snprintf(names + used, sizeof names - used, "%s%d '%.60s'", used ? ", " : "", i, infos[i].name);
  }
  if (hits == 1) return hit;
  FAIL(e, CLDANN_E_DEVICE, "device '%s' matches %s; name one by index or a part of its name: %s", selector,
       hits ? "several devices" : "no device", names);
fail:
  return rc;
}

static void CL_CALLBACK context_notice(const char *text, const void *info, size_t size, void *user) {
  (void)info, (void)size;
  cldann_error *e = user;
  /* Drivers report asynchronous trouble here; the next call that fails carries it on. */
  if (e && !e->notice[0]) snprintf(e->notice, sizeof e->notice, "%.*s", (int)sizeof e->notice - 1, text);
}

/* What is the same whosever the context is. */
static int device_new(cldann_error *e, const device_info *info, cl_device_id id, device **out) {
  int rc;
  TRY(mem_new(e, out, 1, sizeof **out));
  (*out)->err = e;
  (*out)->info = *info;
  (*out)->id = id;
  (*out)->sync = getenv("CLDANN_SYNC") != NULL && *getenv("CLDANN_SYNC") == '1';
  TRY(tuning_open(e, info, NULL, &(*out)->tuning));
fail:
  return rc;
}

static int make_queue(device *d, cl_command_queue_properties props, cl_command_queue *out) {
  cl_int code;
  int rc = CLDANN_OK;
  cl_command_queue q = clCreateCommandQueue(d->ctx, d->id, props, &code);
  CL_TRY(d->err, d->info.name, code);
  *out = q;
fail:
  return rc;
}

int device_open(cldann_error *e, const char *selector, device **out) {
  device_info *infos = NULL;
  cl_platform_id platforms[MAX_DEVICES];
  cl_device_id ids[MAX_DEVICES];
  device *d = NULL;
  int rc, n, at;
  cl_int code;
  TRY(mem_new(e, &infos, MAX_DEVICES, sizeof *infos));
  TRY(enumerate(e, infos, platforms, ids, &n));
  TRY(at = choose(e, selector, infos, n));
  TRY(device_new(e, &infos[at], ids[at], &d));
  cl_context_properties props[] = {CL_CONTEXT_PLATFORM, (cl_context_properties)platforms[at], 0};
  d->ctx = clCreateContext(props, 1, &d->id, context_notice, e, &code);
  CL_TRY(e, d->info.name, code);
  TRY(make_queue(d, 0, &d->queue));
  mem_free(infos);
  *out = d;
  return CLDANN_OK;
fail:
  mem_free(infos);
  device_close(d);
  return rc;
}

/* ---- a program's own context ---- */

static int check_context(cldann_error *e, cl_context context, cl_device_id id) {
  cl_device_id of[MAX_DEVICES];
  size_t bytes = 0;
  int rc = CLDANN_OK, found = 0;
  CL_TRY(e, "the program's context", clGetContextInfo(context, CL_CONTEXT_DEVICES, sizeof of, of, &bytes));
  for (size_t i = 0; i < bytes / sizeof *of; i++) found |= of[i] == id;
  if (!found) FAIL(e, CLDANN_E_ARG, "the device is none of the context's; make the context with it, or give another device");
fail:
  return rc;
}

static int check_queue(cldann_error *e, cl_command_queue queue, cl_context context, cl_device_id id) {
  cl_context its_context = NULL;
  cl_device_id its_device = NULL;
  cl_command_queue_properties props = 0;
  int rc = CLDANN_OK;
  CL_TRY(e, "the program's queue", clGetCommandQueueInfo(queue, CL_QUEUE_CONTEXT, sizeof its_context, &its_context, NULL));
  CL_TRY(e, "the program's queue", clGetCommandQueueInfo(queue, CL_QUEUE_DEVICE, sizeof its_device, &its_device, NULL));
  CL_TRY(e, "the program's queue", clGetCommandQueueInfo(queue, CL_QUEUE_PROPERTIES, sizeof props, &props, NULL));
  if (its_context != context || its_device != id)
    FAIL(e, CLDANN_E_ARG, "the queue is of another %s than was given; give one of both, or NULL for cldann's own",
         its_context != context ? "context" : "device");
  if (props & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE)
    FAIL(e, CLDANN_E_ARG,
         "the queue runs out of order, and cldann relies on one that runs in order; give such a queue, or NULL for cldann's "
         "own");
fail:
  return rc;
}

/* Its place among all devices; a part of a device (clCreateSubDevices) has none: -1. */
static int index_of(const cl_device_id *ids, int n, cl_device_id id) {
  for (int i = 0; i < n; i++)
    if (ids[i] == id) return i;
  return -1;
}

int device_adopt(cldann_error *e, cl_context context, cl_device_id id, cl_command_queue queue, device **out) {
  device_info *infos = NULL;
  cl_platform_id platforms[MAX_DEVICES], platform = NULL;
  cl_device_id ids[MAX_DEVICES];
  device *d = NULL;
  int rc, n;
  if (!context || !id)
    FAIL(e, CLDANN_E_ARG, "cldann_open_cl needs a context and a device of it; cldann_open makes both by itself");
  TRY(check_context(e, context, id));
  if (queue) TRY(check_queue(e, queue, context, id));
  TRY(mem_new(e, &infos, MAX_DEVICES, sizeof *infos));
  TRY(enumerate(e, infos, platforms, ids, &n));
  CL_TRY(e, "the program's device", clGetDeviceInfo(id, CL_DEVICE_PLATFORM, sizeof platform, &platform, NULL));
  describe(platform, id, index_of(ids, n, id), &infos[0]);
  TRY(device_new(e, &infos[0], id, &d));
  CL_TRY(e, d->info.name, clRetainContext(context));
  d->ctx = context;
  if (queue) CL_TRY(e, d->info.name, clRetainCommandQueue(queue));
  d->queue = queue;
  if (!queue) TRY(make_queue(d, 0, &d->queue));
  mem_free(infos);
  *out = d;
  return CLDANN_OK;
fail:
  mem_free(infos);
  device_close(d);
  return rc;
}

void device_at_close(device *d, void (*f)(void)) {
  d->at_close = f;
}

static void end_profiling(device *d) {
  if (!d->ordinary) return;
  clReleaseCommandQueue(d->queue);
  d->queue = d->ordinary;
  d->ordinary = NULL;
  d->profiling = 0;
}

void device_close(device *d) {
  if (!d) return;
  if (d->staging) clFinish(d->staging);
  if (d->queue) clFinish(d->queue);
  end_profiling(d);
  if (d->at_close) d->at_close();
  device_free_programs(d);
  for (int i = 0; i < d->n_events; i++) clReleaseEvent(d->events[i]);
  mem_free(d->events);
  tuning_free(d->tuning);
  if (d->staged) clReleaseEvent(d->staged);
  if (d->staging) clReleaseCommandQueue(d->staging);
  if (d->queue) clReleaseCommandQueue(d->queue);
  if (d->ctx) clReleaseContext(d->ctx);
  mem_free(d);
}

const device_info *device_get_info(const device *d) {
  return &d->info;
}

cldann_error *device_error(device *d) {
  return d->err;
}

const tuning *device_get_tuning(const device *d) {
  return d->tuning;
}

void device_set_tuning(device *d, tuning *t) {
  tuning_free(d->tuning);
  d->tuning = t;
}

/* host: memory to use in place, or NULL. */
static int buffer_make(device *d, const char *what, void *host, size_t bytes, buffer **out) {
  const cl_mem_flags flags = host ? CL_MEM_READ_ONLY | CL_MEM_USE_HOST_PTR : CL_MEM_READ_WRITE;
  buffer *b = NULL;
  cl_int code;
  int rc;
  if (bytes == 0) bytes = 4;
  if (bytes > d->info.max_alloc_bytes)
    FAIL(d->err, CLDANN_E_MEM, "%s needs %.1f MB, but %s allows %.1f MB in one buffer; use a smaller batch or fewer items",
         what, (double)bytes / 1e6, d->info.name, (double)d->info.max_alloc_bytes / 1e6);
  TRY(mem_new(d->err, &b, 1, sizeof *b));
  b->dev = d;
  b->bytes = bytes;
  b->mem = clCreateBuffer(d->ctx, flags, bytes, host, &code);
  CL_TRY(d->err, what, code);
  *out = b;
  return CLDANN_OK;
fail:
  mem_free(b);
  return rc;
}

int buffer_new(device *d, const char *what, size_t bytes, buffer **out) {
  return buffer_make(d, what, NULL, bytes, out);
}

/* Only CPUs: what a GPU beside the CPU gains by reading the host's pages was never measured. */
static int can_use_in_place(const device *d, const void *host, size_t bytes) {
  cl_bool unified = CL_FALSE;
  INFO(d->id, CL_DEVICE_HOST_UNIFIED_MEMORY, unified);
  return bytes && d->info.is_cpu && unified && d->info.align_bytes > 0 && (uintptr_t)host % (size_t)d->info.align_bytes == 0;
}

int buffer_new_over(device *d, const char *what, const void *host, size_t bytes, buffer **out) {
  int rc;
  if (can_use_in_place(d, host, bytes)) return buffer_make(d, what, (void *)(uintptr_t)host, bytes, out);
  TRY(buffer_new(d, what, bytes, out));
  TRY(buffer_write(*out, 0, host, bytes));
fail:
  return rc;
}

void buffer_free(buffer *b) {
  if (!b) return;
  clReleaseMemObject(b->mem);
  mem_free(b);
}

size_t buffer_bytes(const buffer *b) {
  return b->bytes;
}

static int buffer_range(const buffer *b, size_t offset, size_t bytes) {
  int rc = CLDANN_OK;
  if (offset > b->bytes || bytes > b->bytes - offset)
    FAIL(b->dev->err, CLDANN_E_ARG, "copy of %zu bytes at %zu passes the end of a buffer of %zu", bytes, offset, b->bytes);
fail:
  return rc;
}

int buffer_write(buffer *b, size_t offset, const void *src, size_t bytes) {
  int rc;
  TRY(buffer_range(b, offset, bytes));
  if (bytes)
    CL_TRY(b->dev->err, "upload", clEnqueueWriteBuffer(b->dev->queue, b->mem, CL_TRUE, offset, bytes, src, 0, NULL, NULL));
fail:
  return rc;
}

int buffer_read(buffer *b, size_t offset, void *dst, size_t bytes) {
  int rc;
  TRY(buffer_range(b, offset, bytes));
  if (bytes)
    CL_TRY(b->dev->err, "read back", clEnqueueReadBuffer(b->dev->queue, b->mem, CL_TRUE, offset, bytes, dst, 0, NULL, NULL));
fail:
  return rc;
}

/* ---- staging ---- */

int buffer_stage(buffer *b, size_t offset, const void *src, size_t bytes) {
  device *d = b->dev;
  cl_event done;
  int rc;
  TRY(buffer_range(b, offset, bytes));
  if (!bytes) return CLDANN_OK;
  if (!d->staging) TRY(make_queue(d, 0, &d->staging));
  CL_TRY(d->err, "upload", clEnqueueWriteBuffer(d->staging, b->mem, CL_FALSE, offset, bytes, src, 0, NULL, &done));
  if (d->staged) clReleaseEvent(d->staged); /* that queue is in order: the last upload stands for all */
  d->staged = done;
  CL_TRY(d->err, "upload", clFlush(d->staging));
fail:
  return rc;
}

int device_await_staged(device *d) {
  int rc = CLDANN_OK;
  if (!d->staged) return CLDANN_OK;
  CL_TRY(d->err, "upload", clEnqueueBarrierWithWaitList(d->queue, 1, &d->staged, NULL));
  clReleaseEvent(d->staged);
  d->staged = NULL;
fail:
  return rc;
}

int device_flush(device *d) {
  int rc = CLDANN_OK;
  CL_TRY(d->err, d->info.name, clFlush(d->queue));
fail:
  return rc;
}

int device_finish(device *d) {
  int rc = CLDANN_OK;
  if (d->staging) CL_TRY(d->err, d->info.name, clFinish(d->staging));
  CL_TRY(d->err, d->info.name, clFinish(d->queue));
fail:
  return rc;
}

void *device_queue(device *d) {
  return d->queue;
}

void *buffer_mem(const buffer *b) {
  return b->mem;
}

/* A queue that records times takes the ordinary one's place: profiling costs, so an ordinary run never pays for it. */
int device_profile_begin(device *d) {
  cl_command_queue timed = NULL;
  int rc;
  TRY(device_finish(d));
  TRY(make_queue(d, CL_QUEUE_PROFILING_ENABLE, &timed));
  d->ordinary = d->queue;
  d->queue = timed;
  d->profiling = 1;
fail:
  return rc;
}

int device_profile_end(device *d, double *ns, int capacity, int *launches) {
  int rc;
  TRY(device_finish(d));
  *launches = d->n_events;
  for (int i = 0; i < d->n_events; i++) {
    cl_ulong start = 0, end = 0;
    CL_TRY(d->err, "profile", clGetEventProfilingInfo(d->events[i], CL_PROFILING_COMMAND_START, sizeof start, &start, NULL));
    CL_TRY(d->err, "profile", clGetEventProfilingInfo(d->events[i], CL_PROFILING_COMMAND_END, sizeof end, &end, NULL));
    if (i < capacity) ns[i] = (double)(end - start);
  }
fail:
  for (int i = 0; i < d->n_events; i++) clReleaseEvent(d->events[i]);
  d->n_events = 0;
  end_profiling(d);
  return rc;
}

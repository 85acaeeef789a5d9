/*
 * device/device.h: one device, its context and its in-order queue (and one beside it for uploads alone); buffers, programs,
 * kernels, launches.
 *
 * This room is the only one (with ops/gemm.c, for CLBlast) that calls OpenCL. Above it nobody sees a cl_ type: a buffer
 * and a kernel are opaque. Every call that can fail names itself and the CL code in the error.
 * It must not know what the kernels compute. Next: device/program.c (compiling), ops/launch.h (who uses it).
 */
#ifndef CLDANN_DEVICE_DEVICE_H
#define CLDANN_DEVICE_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef struct device device;
typedef struct tuning tuning;
typedef struct buffer buffer;
typedef struct kernel kernel;

typedef cldann_device_info device_info;

/* Every device of every platform, in the driver's order; *out is the caller's (mem_free). No platform: CLDANN_E_DEVICE. */
int device_list(cldann_error *e, device_info **out, int *n);

/*
 * Opens the device that `selector` names: an index of device_list, a part of one device's name (any case), or NULL / ""
 * for the default: $CLDANN_DEVICE, else the first GPU, else the first device. The error names the candidates.
 */
int device_open(cldann_error *e, const char *selector, device **out);
/* A device whose context, and queue unless that is NULL, are the program's; both are retained. */
int device_adopt(cldann_error *e, struct _cl_context *context, struct _cl_device_id *id, struct _cl_command_queue *queue,
                 device **out);
void device_close(device *d);
/* f is called when the device closes, while its context still lives: for a library that keeps something by context. */
void device_at_close(device *d, void (*f)(void));
const device_info *device_get_info(const device *d);
cldann_error *device_error(device *d); /* where failures of calls on this device are recorded */
/* How passes are done on this device (device/tuning.h). device_set_tuning takes it over and frees the one before. */
const tuning *device_get_tuning(const device *d);
void device_set_tuning(device *d, tuning *t);

int buffer_new(device *d, const char *what, size_t bytes, buffer **out);
/*
 * A buffer of `bytes` of host memory, for kernels to read alone. host must stay, and stay as it is, until the buffer is freed:
 * a CPU device uses it in place where it is aligned well enough (mem_new_pages), others get a copy.
 */
int buffer_new_over(device *d, const char *what, const void *host, size_t bytes, buffer **out);
void buffer_free(buffer *b);
size_t buffer_bytes(const buffer *b);
/* Blocking copies; offsets and sizes in bytes. */
int buffer_write(buffer *b, size_t offset, const void *src, size_t bytes);
int buffer_read(buffer *b, size_t offset, void *dst, size_t bytes);

/*
 * Uploads beside the launches, for data that are staged ahead: buffer_stage puts one into a second queue and returns; what is
 * launched after device_await_staged waits on the device for all staged before it. Part of the buffer may be in use meanwhile,
 * not the part written. src must stay as it is until a launch behind device_await_staged, or device_finish, is done.
 */
int buffer_stage(buffer *b, size_t offset, const void *src, size_t bytes);
int device_await_staged(device *d);

/* Compiles cl/<file>.cl with `defs` ("-DA=1 -DB=2") once per (file, defs) and makes a kernel object of its own. */
int kernel_new(device *d, const char *file, const char *name, const char *defs, kernel **out);
void kernel_free(kernel *k);
/* Fails, with the way out, where the compiled kernel cannot run in groups of `items` or with the device's local memory. */
int kernel_check_group(const kernel *k, size_t items);
int kernel_set_buffer(kernel *k, int index, const buffer *b);
int kernel_set_int(kernel *k, int index, int32_t v);
int kernel_set_float(kernel *k, int index, float v);
/* Queues one launch; never waits (unless CLDANN_SYNC=1, which waits after each and so names the kernel that fails). */
int kernel_launch(kernel *k, int dims, const size_t *global, const size_t *local);

int device_flush(device *d);
int device_finish(device *d);

/* Timed replay, for benchmarks: between begin and end each launch keeps an event. ns_out: one figure a launch. */
int device_profile_begin(device *d);
int device_profile_end(device *d, double *ns, int capacity, int *launches);

/* CL types, for ops/gemm.c only: the cl_command_queue and a buffer's cl_mem as opaque pointers. */
void *device_queue(device *d);
void *buffer_mem(const buffer *b);

#endif

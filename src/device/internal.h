/*
 * device/internal.h: what the files of this room share, with the CL types. No other room includes it.
 */
#ifndef CLDANN_DEVICE_INTERNAL_H
#define CLDANN_DEVICE_INTERNAL_H

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

#include "device/device.h"

typedef struct program { /* one compiled (file, defs); kept until the device closes */
  char *key;
  cl_program prog;
  struct program *next;
} program;

struct device {
  cldann_error *err;
  device_info info;
  cl_device_id id;
  cl_context ctx;
  cl_command_queue queue;
  cl_command_queue ordinary; /* while profiling: what `queue` is otherwise; else NULL */
  cl_command_queue staging;  /* in order too, for buffer_stage alone; NULL until it is needed */
  cl_event staged;           /* the last upload there that nobody has awaited, or NULL */
  program *programs;
  tuning *tuning;
  cl_event *events; /* while profiling */
  int n_events, cap_events, profiling;
  int sync; /* CLDANN_SYNC */
  void (*at_close)(void);
};

/* Records a failed CL call: its text, the code's name, and advice when there is some. Returns CLDANN_E_CL. */
int cl_fail(cldann_error *e, cl_int code, const char *call, const char *what, const char *file, int line);

#define CL_TRY(e, what, call)                                         \
  do {                                                                \
    cl_int cl_code_ = (call);                                         \
    if (cl_code_ != CL_SUCCESS) {                                     \
      rc = cl_fail((e), cl_code_, #call, (what), __FILE__, __LINE__); \
      goto fail;                                                      \
    }                                                                 \
  } while (0)

void device_free_programs(device *d);

#endif

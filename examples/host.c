/*
 * host.c: adaptation inside a program that has OpenCL in use already. The program keeps its context and its queue, makes its
 * data there by a kernel of its own, and hands them to cldann by callback; when cldann is closed it goes on as before.
 *
 * The data: two classes of points, one above the other. Source: as they are, with their classes. Target: moved to the right and
 * down, as by a sensor that is set otherwise, and without classes but for the test at the end.
 *
 *     cc -std=c99 host.c $(pkg-config --cflags --libs cldann OpenCL) -o host && ./host
 */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <cldann.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS = 600 };

/* ---- the program as it was ---- */

static const char kernel_text[] =
    "float draw(uint *s) { *s ^= *s << 13; *s ^= *s >> 17; *s ^= *s << 5; return (float)(*s >> 8) / 16777216.0f - 0.5f; }\n"
    "kernel void make_points(global float2 *points, float moved, uint seed) {\n"
    "  const uint i = get_global_id(0);\n"
    "  uint s = (i + 1u) * 2654435761u ^ seed;\n"
    "  float x = moved, y = (i & 1u) - moved;\n"
    "  for (int k = 0; k < 4; k++) x += 0.35f * draw(&s), y += 0.35f * draw(&s);\n"
    "  points[i] = (float2)(x, y);\n"
    "}\n";

typedef struct host {
  cl_device_id device;
  cl_context context;
  cl_command_queue queue;
  cl_program program;
  cl_kernel make_points;
  cl_mem points; /* (POINTS, 2) float */
} host;

static int host_open(host *h) {
  const char *text = kernel_text;
  cl_platform_id platform;
  cl_int code = clGetPlatformIDs(1, &platform, NULL);
  memset(h, 0, sizeof *h);
  if (code == CL_SUCCESS) code = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &h->device, NULL);
  if (code == CL_SUCCESS) h->context = clCreateContext(NULL, 1, &h->device, NULL, NULL, &code);
  if (code == CL_SUCCESS) h->queue = clCreateCommandQueue(h->context, h->device, 0, &code);
  if (code == CL_SUCCESS) h->program = clCreateProgramWithSource(h->context, 1, &text, NULL, &code);
  if (code == CL_SUCCESS) code = clBuildProgram(h->program, 1, &h->device, "", NULL, NULL);
  if (code == CL_SUCCESS) h->make_points = clCreateKernel(h->program, "make_points", &code);
  if (code == CL_SUCCESS) h->points = clCreateBuffer(h->context, CL_MEM_READ_WRITE, POINTS * 2 * sizeof(float), NULL, &code);
  if (code != CL_SUCCESS) fprintf(stderr, "OpenCL: code %d\n", (int)code);
  return code == CL_SUCCESS ? 0 : -1;
}

static void host_close(host *h) {
  if (h->points) clReleaseMemObject(h->points);
  if (h->make_points) clReleaseKernel(h->make_points);
  if (h->program) clReleaseProgram(h->program);
  if (h->queue) clReleaseCommandQueue(h->queue);
  if (h->context) clReleaseContext(h->context);
}

/* Queues the making of a set of points; what reads h->points behind it on the same queue gets this set. */
static int make_points(host *h, float moved, cl_uint seed) {
  const size_t n = POINTS;
  clSetKernelArg(h->make_points, 0, sizeof h->points, &h->points);
  clSetKernelArg(h->make_points, 1, sizeof moved, &moved);
  clSetKernelArg(h->make_points, 2, sizeof seed, &seed);
  return clEnqueueNDRangeKernel(h->queue, h->make_points, 1, NULL, &n, NULL, 0, NULL, NULL) == CL_SUCCESS ? 0 : -1;
}

/* ---- what it hands to cldann ---- */

typedef struct points {
  host *h;
  float moved;
  cl_uint seed;
} points;

/* Fills (n, 1, 1, 2) floats with the points from `first` on, and n classes where they are asked for. */
static int read_points(void *user, int first, int n, void *items, int32_t *labels) {
  points *p = user;
  const size_t one = 2 * sizeof(float);
  if (first == 0 && make_points(p->h, p->moved, p->seed) < 0) return -1;
  if (clEnqueueReadBuffer(p->h->queue, p->h->points, CL_TRUE, (size_t)first * one, (size_t)n * one, items, 0, NULL, NULL) !=
      CL_SUCCESS)
    return -1;
  for (int i = 0; labels && i < n; i++) labels[i] = (first + i) & 1;
  return 0;
}

static const char settings[] =
    "steps = 3000; batch = 16; optimiser = { kind = \"adam\"; }; lr = { schedule = \"constant\"; lr = 0.003; };\n"
    "net = { input = [1, 1, 2];\n"
    "  features = ( { op = \"dense\"; units = 15; }, { op = \"relu\"; } );\n"
    "  label_head = ( { op = \"dense\"; units = 2; }, { op = \"softmax_xent\"; } );\n"
    "  domain_head = ( { op = \"reversal\"; }, { op = \"dense\"; units = 8; }, { op = \"relu\"; },\n"
    "    { op = \"dense\"; units = 2; }, { op = \"softmax_xent\"; } ); };\n";

static void progress(void *user, const cldann_progress *p) {
  (void)user;
  if (p->step % 1000 == 0)
    printf("step %5d: label loss %.3f, domain accuracy %.2f\n", (int)p->step, p->label_loss, p->domain_accuracy);
}

static int adapt(host *h) {
  /* By cldann_set_id: source, target, and other draws of both to measure on. */
  points of[4] = {{h, 0.0f, 1}, {h, 1.0f, 2}, {h, 0.0f, 3}, {h, 1.0f, 4}};
  cldann_train_options options = {0};
  cldann_experiment *x = NULL;
  cldann_result r;
  cldann_error error;
  cldann *c;
  int rc;
  if (cldann_open_cl(&c, h->context, h->device, h->queue, &error) < 0) {
    fprintf(stderr, "%s\n", error.message);
    return -1;
  }
  rc = cldann_experiment_new(c, settings, NULL, &x);
  for (int i = 0; i < 4 && rc == 0; i++) {
    cldann_data d = {0};
    d.items = POINTS, d.height = 1, d.width = 1, d.channels = 2;
    d.type = CLDANN_FLOATS;
    d.labelled = i != CLDANN_TARGET; /* nobody knows them */
    d.read = read_points;
    d.user = &of[i];
    rc = cldann_experiment_set_data(x, (cldann_set_id)i, &d);
  }
  options.on_progress = progress;
  if (rc == 0) rc = cldann_train(x, &options, &r);
  if (rc == 0) printf("source %.3f  target %.3f\n", r.source_accuracy, r.target_accuracy);
  if (rc < 0) fprintf(stderr, "%s\n", cldann_get_error(c)->message);
  cldann_experiment_free(x);
  cldann_close(c);
  return rc;
}

int main(void) {
  float point[2];
  host h;
  int rc = host_open(&h);
  if (rc == 0) rc = adapt(&h);
  /* Context and queue are the program's, and work on. */
  if (rc == 0) rc = make_points(&h, 0.0f, 5);
  if (rc == 0 && clEnqueueReadBuffer(h.queue, h.points, CL_TRUE, 0, sizeof point, point, 0, NULL, NULL) != CL_SUCCESS) rc = -1;
  if (rc == 0) printf("and the program goes on: a new point at (%.2f, %.2f)\n", (double)point[0], (double)point[1]);
  host_close(&h);
  return rc < 0;
}

/*
 * tests/library_cl.c: cldann inside a program that uses OpenCL already: its context and queue are used, not owned, and work on
 * when cldann is closed; what cannot be used is refused.
 */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "library_suites.h"
#include "runner.h"

static cl_device_id id;
static cl_context context;

static cl_command_queue queue_of(cl_context c, cl_command_queue_properties props) {
  cl_int code;
  cl_command_queue q = clCreateCommandQueue(c, id, props, &code);
  ck_assert_int_eq(code, CL_SUCCESS);
  return q;
}

static cl_context new_context(void) {
  cl_platform_id platform;
  cl_int code;
  ck_assert_int_eq(clGetPlatformIDs(1, &platform, NULL), CL_SUCCESS);
  ck_assert_int_eq(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &id, NULL), CL_SUCCESS);
  cl_context c = clCreateContext(NULL, 1, &id, NULL, NULL, &code);
  ck_assert_int_eq(code, CL_SUCCESS);
  return c;
}

static void begin(void) {
  context = new_context();
}

static void end(void) {
  ck_assert_int_eq(clReleaseContext(context), CL_SUCCESS);
}

static cl_uint queue_count(cl_command_queue q) {
  cl_uint n = 0;
  ck_assert_int_eq(clGetCommandQueueInfo(q, CL_QUEUE_REFERENCE_COUNT, sizeof n, &n, NULL), CL_SUCCESS);
  return n;
}

static cl_uint context_count(cl_command_queue unused) {
  (void)unused;
  cl_uint n = 0;
  ck_assert_int_eq(clGetContextInfo(context, CL_CONTEXT_REFERENCE_COUNT, sizeof n, &n, NULL), CL_SUCCESS);
  return n;
}

/* A driver may hold on to a queue for a moment after its last command. */
static void comes_down_to(cl_uint wanted, cl_uint (*count)(cl_command_queue), cl_command_queue q) {
  for (int i = 0; i < 3000 && count(q) != wanted; i++) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  ck_assert_uint_eq(count(q), wanted);
}

/* Something of the host's own, done by its queue. */
static void host_works(cl_command_queue q) {
  const int pattern = 12345;
  int back[4] = {0};
  cl_int code;
  cl_mem m = clCreateBuffer(context, CL_MEM_READ_WRITE, sizeof back, NULL, &code);
  ck_assert_int_eq(code, CL_SUCCESS);
  ck_assert_int_eq(clEnqueueFillBuffer(q, m, &pattern, sizeof pattern, 0, sizeof back, 0, NULL, NULL), CL_SUCCESS);
  ck_assert_int_eq(clEnqueueReadBuffer(q, m, CL_TRUE, 0, sizeof back, back, 0, NULL, NULL), CL_SUCCESS);
  for (int i = 0; i < 4; i++) ck_assert_int_eq(back[i], pattern);
  clReleaseMemObject(m);
}

static double train_blobs(cldann *c) {
  cldann_experiment *x = NULL;
  cldann_result r;
  const char *const sets[] = {"steps=60"};
  const int rc = cldann_experiment_load(c, source_path("experiments/blobs.conf"), sets, 1, NULL, &x);
  ck_assert_msg(rc == 0, "%s", cldann_get_error(c)->message);
  const int trained = cldann_train(x, NULL, &r);
  ck_assert_msg(trained == 0, "%s", cldann_get_error(c)->message);
  cldann_experiment_free(x);
  return r.source_loss;
}

/* With a queue of the host's or without, all results are those of a context that cldann makes itself. */
START_TEST(inside_a_host) {
  cl_command_queue q = queue_of(context, _i ? CL_QUEUE_PROFILING_ENABLE : 0);
  cldann_error e;
  cldann *c = NULL, *own = NULL;
  const cl_uint queues = queue_count(q), contexts = context_count(NULL);
  ck_assert_msg(cldann_open_cl(&c, context, id, _i ? q : NULL, &e) == 0, "%s", e.message);
  ck_assert_int_eq(cldann_open(&own, "0", &e), 0);
  ck_assert_str_eq(cldann_device(c)->name, cldann_device(own)->name);
  ck_assert_int_eq(cldann_device(c)->index, 0);
  ck_assert(train_blobs(c) == train_blobs(own));
  host_works(q);
  cldann_close(c), cldann_close(own);
  host_works(q);
  comes_down_to(queues, queue_count, q);
  comes_down_to(contexts, context_count, q);
  clReleaseCommandQueue(q);
}
END_TEST

static void count_choice(void *user, const cldann_choice *choice) {
  ck_assert(choice->in_use);
  ++*(int *)user;
}

/* Timing takes a queue of its own for a while; the host's is back behind it. */
START_TEST(a_benchmark_gives_the_queue_back) {
  cl_command_queue q = queue_of(context, 0);
  cldann_error e;
  cldann *c = NULL;
  cldann_experiment *x = NULL;
  const cl_uint before = queue_count(q);
  int choices = 0;
  ck_assert_int_eq(cldann_open_cl(&c, context, id, q, &e), 0);
  ck_assert_uint_gt(queue_count(q), before);
  ck_assert_int_eq(cldann_experiment_load(c, source_path("experiments/blobs.conf"), NULL, 0, NULL, &x), 0);
  const int rc = cldann_time_choices(x, &(cldann_tune_options){.on_choice = count_choice, .user = &choices});
  ck_assert_msg(rc == 0, "%s", cldann_get_error(c)->message);
  ck_assert_int_gt(choices, 0);
  cldann_experiment_free(x);
  ck_assert(train_blobs(c) > 0);
  cldann_close(c);
  comes_down_to(before, queue_count, q);
  host_works(q);
  clReleaseCommandQueue(q);
}
END_TEST

static void *in_a_thread(void *loss) {
  cldann *c = NULL;
  if (cldann_open(&c, "0", NULL) < 0) return NULL;
  *(double *)loss = train_blobs(c);
  cldann_close(c);
  return NULL;
}

/* Two contexts in two threads at once. */
START_TEST(contexts_do_not_meet) {
  double loss[3] = {0};
  pthread_t t[2];
  in_a_thread(&loss[2]);
  for (int i = 0; i < 2; i++) ck_assert_int_eq(pthread_create(&t[i], NULL, in_a_thread, &loss[i]), 0);
  for (int i = 0; i < 2; i++) ck_assert_int_eq(pthread_join(t[i], NULL), 0);
  ck_assert(loss[2] > 0 && loss[0] == loss[2] && loss[1] == loss[2]);
}
END_TEST

static void refused(cl_context ctx, cl_device_id device, cl_command_queue q, int status, const char *wanted) {
  cldann_error e;
  cldann *c = (cldann *)&e;
  const int rc = cldann_open_cl(&c, ctx, device, q, &e);
  ck_assert_ptr_null(c);
  ck_assert_msg(rc == status && e.code == status && strstr(e.message, wanted), "%d, wanted '%s': %s", rc, wanted, e.message);
}

START_TEST(what_cannot_be_used) {
  cl_command_queue out_of_order = NULL, foreign;
  cl_context other = new_context();
  cl_command_queue_properties can = 0;
  refused(NULL, id, NULL, CLDANN_E_ARG, "needs a context and a device of it");
  refused(context, NULL, NULL, CLDANN_E_ARG, "needs a context and a device of it");
  foreign = queue_of(other, 0);
  refused(context, id, foreign, CLDANN_E_ARG, "the queue is of another context");
  clGetDeviceInfo(id, CL_DEVICE_QUEUE_PROPERTIES, sizeof can, &can, NULL);
  if (can & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE) {
    out_of_order = queue_of(context, CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE);
    refused(context, id, out_of_order, CLDANN_E_ARG, "in order");
    ck_assert_uint_eq(queue_count(out_of_order), 1);
    clReleaseCommandQueue(out_of_order);
  } else {
    printf("the device has no out-of-order queues: not tried\n");
  }
  ck_assert_int_eq(cldann_open_cl(&(cldann *){NULL}, NULL, NULL, NULL, NULL), CLDANN_E_ARG);
  clReleaseCommandQueue(foreign);
  clReleaseContext(other);
}
END_TEST

START_TEST(short_of_memory) {
  const long before = mem_live();
  const cl_uint contexts = context_count(NULL);
  int rc = CLDANN_E_MEM;
  for (long n = 1; rc == CLDANN_E_MEM && n < 100; n++) {
    cldann *c = NULL;
    mem_fail_after(n);
    rc = cldann_open_cl(&c, context, id, NULL, NULL);
    mem_fail_after(-1);
    cldann_close(c);
    ck_assert_int_eq(mem_live(), before);
    comes_down_to(contexts, context_count, NULL);
  }
  ck_assert_int_eq(rc, CLDANN_OK);
}
END_TEST

TCase *library_cl_cases(void) {
  TCase *t = tcase_create("cl");
  tcase_set_timeout(t, 300);
  tcase_add_checked_fixture(t, begin, end);
  tcase_add_loop_test(t, inside_a_host, 0, 2);
  tcase_add_test(t, a_benchmark_gives_the_queue_back);
  tcase_add_test(t, contexts_do_not_meet);
  tcase_add_test(t, what_cannot_be_used);
  tcase_add_test(t, short_of_memory);
  return t;
}

/* device/context.c: opening and closing a context, and asking it for its device and its error. See cldann.h. */
#include "device/context.h"

#include "base/mem.h"

const char *cldann_version(void) {
  return CLDANN_VERSION;
}

int cldann_devices(cldann_device_info *infos, int capacity, int *count, cldann_error *error) {
  cldann_error scrap;
  device_info *list = NULL;
  if (!error) error = &scrap;
  err_clear(error);
  *count = 0;
  int rc = device_list(error, &list, count);
  if (rc < 0) return rc;
  for (int i = 0; i < *count && i < capacity; i++) infos[i] = list[i];
  mem_free(list);
  return CLDANN_OK;
}

/* A context without a device yet. */
static int context_new(cldann **out, cldann_error *error) {
  *out = NULL;
  if (error) err_clear(error);
  return mem_new(error, out, 1, sizeof **out);
}

/* rc: what became of opening the device. */
static int context_done(cldann **out, int rc, cldann_error *error) {
  if (rc >= 0) return CLDANN_OK;
  if (error) *error = (*out)->err;
  mem_free(*out);
  *out = NULL;
  return rc;
}

int cldann_open(cldann **out, const char *device_selector, cldann_error *error) {
  const int rc = context_new(out, error);
  return rc < 0 ? rc : context_done(out, device_open(&(*out)->err, device_selector, &(*out)->dev), error);
}

int cldann_open_cl(cldann **out, struct _cl_context *context, struct _cl_device_id *id, struct _cl_command_queue *queue,
                   cldann_error *error) {
  const int rc = context_new(out, error);
  return rc < 0 ? rc : context_done(out, device_adopt(&(*out)->err, context, id, queue, &(*out)->dev), error);
}

void cldann_close(cldann *c) {
  if (!c) return;
  device_close(c->dev);
  mem_free(c);
}

const cldann_device_info *cldann_device(const cldann *c) {
  return device_get_info(c->dev);
}

const cldann_error *cldann_get_error(const cldann *c) {
  return &c->err;
}

void cldann_clear_error(cldann *c) {
  err_clear(&c->err);
}

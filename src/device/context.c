/* device/context.c: opening and closing a context, and asking it for its device and its error. See cldann.h. */
#include "device/context.h"

#include <string.h>

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

int cldann_open(cldann **out, const char *device_selector, cldann_error *error) {
  cldann_error scrap;
  cldann *c = NULL;
  int rc;
  *out = NULL;
  if (!error) error = &scrap;
  err_clear(error);
  TRY(mem_new(error, &c, 1, sizeof *c));
  if ((rc = device_open(&c->err, device_selector, &c->dev)) < 0) {
    *error = c->err;
    goto fail;
  }
  *out = c;
  return CLDANN_OK;
fail:
  mem_free(c);
  return rc;
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

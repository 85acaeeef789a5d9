/* device/context.h: what a cldann context holds: one device and the error that every call on it fills. */
#ifndef CLDANN_DEVICE_CONTEXT_H
#define CLDANN_DEVICE_CONTEXT_H

#include "device/device.h"

struct cldann {
  cldann_error err;
  device *dev;
};

#endif

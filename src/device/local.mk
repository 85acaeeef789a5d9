# src/device: the OpenCL device and all cl*() calls. kernels_embedded.c is made in the build tree, see cl/local.mk.
libcldann_internal_la_SOURCES += \
	src/device/context.c \
	src/device/context.h \
	src/device/device.c \
	src/device/device.h \
	src/device/internal.h \
	src/device/kernels.h \
	src/device/program.c

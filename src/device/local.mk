# src/device: the OpenCL device and all cl*() calls. Two files are made in the build tree: kernels_embedded.c, see
# cl/local.mk, and tuning_embedded.c from the tuning file that ships.
libcldann_internal_la_SOURCES += \
	src/device/context.c \
	src/device/context.h \
	src/device/device.c \
	src/device/device.h \
	src/device/internal.h \
	src/device/kernels.h \
	src/device/program.c \
	src/device/tuning.c \
	src/device/tuning.h
nodist_libcldann_internal_la_SOURCES += src/device/tuning_embedded.c
EXTRA_DIST += tuning/built-in.conf
CLEANFILES += src/device/tuning_embedded.c

src/device/tuning_embedded.c: tuning/built-in.conf src/device/local.mk
	$(AM_V_at)$(MKDIR_P) src/device
	$(AM_V_GEN){ echo '/* Made from tuning/built-in.conf; edit that. */' && echo '#include "device/kernels.h"' && \
	  echo 'static const unsigned char text[] = {' && \
	  od -A n -v -t x1 $(srcdir)/tuning/built-in.conf | sed -e 's/[^ ][^ ]*/0x&,/g' -e 's/  */ /g' && \
	  echo '0x00};' && echo 'const char *const tuning_built_in = (const char *)text;'; } >$@.tmp
	$(AM_V_at)mv -f $@.tmp $@

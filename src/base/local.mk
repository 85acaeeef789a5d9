# src/base: errors, memory, random numbers, text, threads; knows nothing of OpenCL.
libcldann_internal_la_SOURCES += \
	src/base/clock.h \
	src/base/conftext.c \
	src/base/conftext.h \
	src/base/err.c \
	src/base/err.h \
	src/base/hash.c \
	src/base/hash.h \
	src/base/mem.c \
	src/base/mem.h \
	src/base/memo.c \
	src/base/memo.h \
	src/base/parallel.c \
	src/base/parallel.h \
	src/base/rng.c \
	src/base/rng.h \
	src/base/text.c \
	src/base/text.h

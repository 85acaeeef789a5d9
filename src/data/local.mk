# src/data: readers, generators, samplers; host memory only.
libcldann_internal_la_SOURCES += \
	src/data/archive.c \
	src/data/archive.h \
	src/data/blobs.c \
	src/data/blobs.h \
	src/data/dataset.c \
	src/data/dataset.h \
	src/data/digits.c \
	src/data/digits.h \
	src/data/draw.h \
	src/data/fetch.c \
	src/data/fetch.h \
	src/data/find.c \
	src/data/find.h \
	src/data/glyph.c \
	src/data/glyph.h \
	src/data/idx.c \
	src/data/idx.h \
	src/data/jpeg.c \
	src/data/jpeg.h \
	src/data/mnistm.c \
	src/data/mnistm.h \
	src/data/public.c \
	src/data/place.c \
	src/data/place.h \
	src/data/sampler.c \
	src/data/sampler.h \
	src/data/sheet.c \
	src/data/sheet.h \
	src/data/texture.c \
	src/data/texture.h

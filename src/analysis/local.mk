# src/analysis: what a trained net makes of its data, for people: projections and pictures.
libcldann_internal_la_SOURCES += \
	src/analysis/confusion.c \
	src/analysis/curves.c \
	src/analysis/draw.c \
	src/analysis/draw.h \
	src/analysis/pca.c \
	src/analysis/pca.h \
	src/analysis/plot.c \
	src/analysis/plot.h \
	src/analysis/tsne.c \
	src/analysis/tsne.h

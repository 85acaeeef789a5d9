# src/net: graph of named nodes and the plan made from it.
libcldann_internal_la_SOURCES += \
	src/net/graph.c \
	src/net/graph.h \
	src/net/memory.c \
	src/net/plan.c \
	src/net/plan.h \
	src/net/replay.c \
	src/net/replay.h

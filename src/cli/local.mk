# src/cli: the command. It links the library's objects and not libcldann.so, because it also uses base/ for text and the
# JSON objects of train/metrics.h.
bin_PROGRAMS += cldann
cldann_LDADD = libcldann_internal.la
cldann_CPPFLAGS = $(AM_CPPFLAGS) -DCLDANN_PKGDATADIR='"$(pkgdatadir)"'
cldann_SOURCES = \
	src/cli/child.c \
	src/cli/child.h \
	src/cli/cli.h \
	src/cli/cmd_bench.c \
	src/cli/cmd_check_device.c \
	src/cli/cmd_compare.c \
	src/cli/cmd_data.c \
	src/cli/cmd_devices.c \
	src/cli/cmd_draw.c \
	src/cli/cmd_eval.c \
	src/cli/cmd_export.c \
	src/cli/cmd_plan.c \
	src/cli/cmd_predict.c \
	src/cli/cmd_reproduce.c \
	src/cli/cmd_runs.c \
	src/cli/cmd_train.c \
	src/cli/cmd_tune.c \
	src/cli/main.c \
	src/cli/many.c \
	src/cli/options.c \
	src/cli/progress.c \
	src/cli/session.c

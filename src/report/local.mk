# src/report: published tables beside our own figures, and a page about a run.
libcldann_internal_la_SOURCES += \
	src/report/cells.c \
	src/report/cells.h \
	src/report/html.c \
	src/report/html.h \
	src/report/live.c \
	src/report/live.h \
	src/report/page.c \
	src/report/page.h \
	src/report/report.c \
	src/report/runs.c \
	src/report/runs.h \
	src/report/samples.c \
	src/report/samples.h \
	src/report/table.c \
	src/report/table.h \
	src/report/table_write.c

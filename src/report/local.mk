# src/report: published tables beside our own figures.
libcldann_internal_la_SOURCES += \
	src/report/runs.c \
	src/report/runs.h \
	src/report/table.c \
	src/report/table.h \
	src/report/table_write.c

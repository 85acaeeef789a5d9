# src/ops: shapes, forward and backward of each op.
libcldann_internal_la_SOURCES += \
	src/ops/act.c \
	src/ops/choice.c \
	src/ops/choice.h \
	src/ops/conv2d.c \
	src/ops/conv2d.h \
	src/ops/conv2d_groups.c \
	src/ops/conv2d_local.c \
	src/ops/conv2d_pooled.c \
	src/ops/dense.c \
	src/ops/dropout.c \
	src/ops/flatten.c \
	src/ops/gemm.c \
	src/ops/gemm.h \
	src/ops/gemm_local.c \
	src/ops/launch.c \
	src/ops/launch.h \
	src/ops/layer.c \
	src/ops/loss.c \
	src/ops/lrn.c \
	src/ops/norm.c \
	src/ops/op.c \
	src/ops/op.h \
	src/ops/pool.c \
	src/ops/reversal.c \
	src/ops/sparse.c \
	src/ops/sparse.h \
	src/ops/window.c \
	src/ops/window.h

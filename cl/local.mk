# The kernels, one file per family of ops; layout.clh and common.clh come first in every program. tools/embed-cl makes
# one C file of them in the build tree. A new kernel file is one more name in a list.

# A program for each set of -D values: kernels whose inner loops need constants.
cl_own_files = \
	cl/layout.clh \
	cl/common.clh \
	cl/conv2d.cl \
	cl/conv2d_plain.cl \
	cl/conv2d_pooled.cl \
	cl/conv2d_local.cl \
	cl/gemm.cl \
	cl/gemm_local.cl \
	cl/lrn.cl \
	cl/pool.cl \
	cl/peak.cl \
	cl/sparse.cl \
	cl/tsne.cl

# One program together: kernels that take no -D values, all that varies being arguments. Names must differ between the files.
cl_shared_files = \
	cl/act.cl \
	cl/control.cl \
	cl/gather.cl \
	cl/gemm_plain.cl \
	cl/loss.cl \
	cl/norm.cl \
	cl/optim.cl \
	cl/reduce.cl \
	cl/reversal.cl \
	cl/turn.cl

cl_files = $(cl_own_files) $(cl_shared_files)
EXTRA_DIST += $(cl_files) tools/embed-cl
CLEANFILES += src/device/kernels_embedded.c
nodist_libcldann_internal_la_SOURCES += src/device/kernels_embedded.c

# cl/local.mk is a prerequisite so that a file taken off the list also leaves the library.
src/device/kernels_embedded.c: $(cl_files) tools/embed-cl cl/local.mk
	$(AM_V_at)$(MKDIR_P) src/device
	$(AM_V_GEN)cd $(srcdir) && $(SHELL) tools/embed-cl $(cl_own_files) --shared $(cl_shared_files) >$(abs_builddir)/$@.tmp
	$(AM_V_at)mv -f $@.tmp $@

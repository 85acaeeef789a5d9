# tests: programs written with Check, and scripts that read the tree or the built library. A new program is a name in
# test_programs and its _SOURCES line; a new script is a name in test_scripts.
test_scripts = \
	tests/layering \
	tests/check-exports \
	tests/check-state \
	tests/check-cxx \
	tests/check-format \
	tests/check-kernels \
	tests/check-files \
	tests/check-install \
	tests/check-man \
	tests/check-packages \
	tests/check-checks \
	tests/check-once \
	tests/report-page \
	tests/test_cli.sh \
	tests/test_complete.sh \
	tests/test_examples.sh \
	tests/test_progress.sh \
	tests/test_tune.sh \
	tests/test_watch.sh
test_programs = \
	tests/test_base \
	tests/test_device \
	tests/test_data \
	tests/test_ops \
	tests/test_net \
	tests/test_train \
	tests/test_analysis \
	tests/test_draft \
	tests/test_experiment \
	tests/test_library \
	tests/test_report

# Every program's main runs its suite through this.
runner = \
	tests/runner.c \
	tests/runner.h

tests_test_base_SOURCES = $(runner) tests/test_base.c
tests_test_device_SOURCES = $(runner) tests/test_device.c
tests_test_data_SOURCES = $(runner) \
	tests/data_arrays.c \
	tests/data_csv.c \
	tests/data_fetch.c \
	tests/data_files.c \
	tests/data_files.h \
	tests/data_generators.c \
	tests/data_idx.c \
	tests/data_images.c \
	tests/data_mnistm.c \
	tests/data_msda.c \
	tests/data_place.c \
	tests/data_sampler.c \
	tests/data_suites.h \
	tests/data_svmlight.c \
	tests/test_data.c
tests_test_ops_SOURCES = $(runner) \
	tests/harness.c \
	tests/harness.h \
	tests/ops_cases.c \
	tests/ops_choices.c \
	tests/ops_gather.c \
	tests/ops_join.c \
	tests/ops_loss.c \
	tests/ops_norm.c \
	tests/ops_pooled.c \
	tests/ops_product.c \
	tests/ops_random.c \
	tests/ops_sparse.c \
	tests/ops_suites.h \
	tests/ops_update.c \
	tests/reference.c \
	tests/reference.h \
	tests/test_ops.c
tests_test_analysis_SOURCES = $(runner) tests/test_analysis.c
tests_test_report_SOURCES = $(runner) tests/test_report.c
tests_test_net_SOURCES = $(runner) tests/test_net.c
tests_test_train_SOURCES = $(runner) \
	tests/test_train.c \
	tests/train_augment.c \
	tests/train_checkpoint.c \
	tests/train_domains.c \
	tests/train_export.c \
	tests/train_feed.c \
	tests/train_folder.c \
	tests/train_health.c \
	tests/train_layers.c \
	tests/train_predict.c \
	tests/train_ready.c \
	tests/train_linear.c \
	tests/train_sparse.c \
	tests/train_start.c \
	tests/train_suites.h \
	tests/train_tensorboard.c \
	tests/train_tensors.c \
	tests/train_validation.c \
	tests/trained.c \
	tests/trained.h
tests_test_draft_SOURCES = $(runner) tests/test_draft.c
tests_test_experiment_SOURCES = $(runner) tests/test_experiment.c
tests_test_library_SOURCES = $(runner) \
	tests/library_cl.c \
	tests/library_data.c \
	tests/library_net.c \
	tests/library_suites.h \
	tests/test_library.c

# What a program links that has no _LDADD of its own.
LDADD = libcldann_internal.la $(CHECK_LIBS)

TESTS += $(test_scripts)
EXTRA_DIST += $(test_scripts) tests/installcheck tests/check-deb tests/check-docs tests/cli_steps.sh tests/strip.awk \
	tests/http_server.py tests/events_in_tensorboard.py tests/model_in_onnx.py tests/model_in_torch.py tests/html_page.py tests/report-in-browser
if HAVE_CHECK
check_PROGRAMS += $(test_programs)
TESTS += $(test_programs)
else
check-local:
	@echo "configure did not find Check, which the test programs need (Debian: check)" >&2; exit 1
endif

# Results are the rules', whatever tuning file the user has.
# One process per program, since OpenCL runtimes do not survive fork. POCL's kernel cache stays in the build tree.
tests_env = \
	CLDANN_SRCDIR='$(abs_top_srcdir)'; CLDANN_BUILDDIR='$(abs_top_builddir)'; \
	POCL_CACHE_DIR='$(abs_top_builddir)/pocl-cache'; CK_FORK=no; CK_TIMEOUT_MULTIPLIER=10; CLDANN_TUNING=none; \
	NM='$(NM)'; CLANG_FORMAT='$(CLANG_FORMAT)'; MAKE='$(MAKE)'; CC='$(CC)'; CXX='$(CXX)'; PKG_CONFIG='$(PKG_CONFIG)'; \
	CLDANN_SYMBOL_VERSION='$(symbol_version)'; \
	export CLDANN_SRCDIR CLDANN_BUILDDIR POCL_CACHE_DIR CK_FORK CK_TIMEOUT_MULTIPLIER CLDANN_TUNING NM CLANG_FORMAT MAKE CC CXX \
	PKG_CONFIG CLDANN_SYMBOL_VERSION; \
	$(MKDIR_P) "$$POCL_CACHE_DIR";
AM_TESTS_ENVIRONMENT = $(tests_env)

# What is installed, from outside, and the examples against it; where there is no device, as far as that goes.
installcheck-local:
	@$(tests_env) DESTDIR='$(DESTDIR)' bindir='$(bindir)' pkgdatadir='$(pkgdatadir)' mandir='$(mandir)' docdir='$(docdir)' pkgconfigdir='$(pkgconfigdir)' \
	bashcompletiondir='$(bashcompletiondir)' zshcompletiondir='$(zshcompletiondir)' PKG_CONFIG='$(PKG_CONFIG)' no_man='$(no_man)' \
	$(srcdir)/tests/installcheck || test $$? = 77
	@$(tests_env) CLDANN_INSTALLED='$(DESTDIR)$(libdir)' PKG_CONFIG_SYSROOT_DIR='$(DESTDIR)' \
	$(srcdir)/tests/test_examples.sh || test $$? = 77

# The Debian packages, made of what `make dist` packs, and what lintian says of them.
check-deb:
	@CLDANN_BUILDDIR='$(abs_top_builddir)' MAKE='$(MAKE)' $(srcdir)/tests/check-deb
# The commands that the documentation shows (tests/check-docs tells how they are shortened).
check-docs: cldann$(EXEEXT)
	@$(tests_env) $(srcdir)/tests/check-docs $(DOCS)

# The op harness on its small shapes under Oclgrind, which sees accesses out of bounds, data races and API misuse. Not its
# --uninitialized, which dies of "freeze" instructions and cries wolf; the harness starts all memory as NaN instead.
# Oclgrind tells in its log and not by its exit status. 77: no oclgrind here.
check-oclgrind: $(check_PROGRAMS)
	@test -n '$(OCLGRIND)' || { echo "check-oclgrind: skipped, configure found no oclgrind (Debian: oclgrind)"; exit 77; }
	$(AM_V_at)rm -f oclgrind.log
	$(AM_V_at)$(tests_env) unset CLDANN_DEVICE; CLDANN_TEST_SMALL=1; CLDANN_REQUIRE_DEVICE=1; \
	export CLDANN_TEST_SMALL CLDANN_REQUIRE_DEVICE; \
	$(LIBTOOL) --mode=execute '$(OCLGRIND)' --check-api --data-races --log oclgrind.log tests/test_ops || exit 1; \
	if test -s oclgrind.log; then cat oclgrind.log; exit 1; fi; \
	echo "check-oclgrind: clean"
.PHONY: check-oclgrind check-deb check-docs
CLEANFILES += oclgrind.log

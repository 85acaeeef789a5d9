# src/cli: the command. It links the library's objects and not libcldann.so, because it also uses base/ for text and the
# JSON objects of train/metrics.h.
bin_PROGRAMS += cldann
cldann_LDADD = libcldann_internal.la $(MICROHTTPD_LIBS)
cldann_CPPFLAGS = $(AM_CPPFLAGS) $(MICROHTTPD_CFLAGS) -DCLDANN_PKGDATADIR='"$(pkgdatadir)"' -DCLDANN_DOCDIR='"$(docdir)"'
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
	src/cli/cmd_init.c \
	src/cli/cmd_plan.c \
	src/cli/cmd_predict.c \
	src/cli/cmd_report.c \
	src/cli/cmd_reproduce.c \
	src/cli/cmd_runs.c \
	src/cli/cmd_train.c \
	src/cli/cmd_tune.c \
	src/cli/cmd_watch.c \
	src/cli/complete.c \
	src/cli/help.c \
	src/cli/main.c \
	src/cli/many.c \
	src/cli/options.c \
	src/cli/progress.c \
	src/cli/serve.c \
	src/cli/serve.h \
	src/cli/session.c

# Manual pages, one for cldann and one a command, by the command itself, so that they say what --help says. A cross build
# cannot run it: there they are left out, unless CLDANN_FOR_BUILD names a cldann of this version that runs here.
man_pages = \
	man/cldann.1 \
	man/cldann-bench.1 \
	man/cldann-check-device.1 \
	man/cldann-compare.1 \
	man/cldann-data-digits.1 \
	man/cldann-data-fetch.1 \
	man/cldann-data-mnist-m.1 \
	man/cldann-data-sheet.1 \
	man/cldann-devices.1 \
	man/cldann-draw.1 \
	man/cldann-embed.1 \
	man/cldann-eval.1 \
	man/cldann-export.1 \
	man/cldann-init.1 \
	man/cldann-plan.1 \
	man/cldann-predict.1 \
	man/cldann-report.1 \
	man/cldann-reproduce.1 \
	man/cldann-runs.1 \
	man/cldann-train.1 \
	man/cldann-tune.1 \
	man/cldann-watch.1
if MAN_PAGES
nodist_man_MANS = $(man_pages)
else
no_man = yes
endif
CLEANFILES += $(man_pages)
$(man_pages): cldann$(EXEEXT)
	$(AM_V_at)$(MKDIR_P) man
	$(AM_V_at)$(CLDANN_FOR_BUILD) --man `basename $@ .1` >$@.tmp
	$(AM_V_at)mv -f $@.tmp $@

# Completion in bash and zsh asks the command.
bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = completions/cldann
zshcompletiondir = $(datadir)/zsh/site-functions
dist_zshcompletion_DATA = completions/_cldann

# Training: experiments, schedules, the trainer, models, the self-test.
libcldann_internal_la_SOURCES += \
	src/train/bench.c \
	src/train/budget.c \
	src/train/budget.h \
	src/train/check.c \
	src/train/conf.c \
	src/train/conf.h \
	src/train/conf_write.c \
	src/train/evaluate.c \
	src/train/experiment.c \
	src/train/experiment.h \
	src/train/experiment_data.c \
	src/train/experiment_net.c \
	src/train/feed.c \
	src/train/feed.h \
	src/train/health.c \
	src/train/health.h \
	src/train/method.c \
	src/train/metrics.c \
	src/train/metrics.h \
	src/train/model.c \
	src/train/model.h \
	src/train/peak.c \
	src/train/peak.h \
	src/train/plan_text.c \
	src/train/run.c \
	src/train/schedule.c \
	src/train/schedule.h \
	src/train/settings.h \
	src/train/stand.c \
	src/train/stand.h \
	src/train/trainer.c \
	src/train/trainer.h \
	src/train/trainer_internal.h \
	src/train/tune.c \
	src/train/validation.c \
	src/train/validation.h

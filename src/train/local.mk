# src/train: schedules, optimisers, methods, experiments, the training loop.
libcldann_internal_la_SOURCES += \
	src/train/experiment.c \
	src/train/method.c \
	src/train/metrics.c \
	src/train/optimiser.c \
	src/train/schedule.c \
	src/train/settings.c \
	src/train/trainer.c

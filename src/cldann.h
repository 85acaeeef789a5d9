/*
 * cldann.h: domain-adversarial training of neural networks (DANN) on any OpenCL device. The one installed header.
 *
 * The method (Ganin & Lempitsky 2015; Ganin et al., JMLR 2016). A network has three branches: features, shared; a label
 * head, trained on labelled source data; a domain head, trained to tell source from target. Between features and domain
 * head stands a gradient reversal: it hands its input on unchanged, and on the way back multiplies the gradient by
 * -lambda. The features so learn what the label head needs and what the domain head cannot use: a classifier that also
 * works on the target, for which no label was ever seen.
 *
 * How a program uses the library:
 *
 *     cldann *c;                                    one context: one device, one queue, one host thread
 *     cldann_open(&c, NULL, &error);
 *     cldann_net *net = cldann_net_new(c);          a graph of nodes, described once
 *     cldann_node *x = cldann_input(net, 28, 28, 3);
 *     cldann_node *f = cldann_relu(cldann_conv2d(x, 32, &(cldann_window){5, 5, 1, 1, CLDANN_SAME}, NULL));
 *     ...
 *     cldann_branch(net, CLDANN_DOMAIN_HEAD);
 *     cldann_node *d = cldann_dense(cldann_reversal(f, 1.0f), 2, NULL);
 *
 * or, all from a text file (see experiments/): cldann_experiment_load, cldann_train, cldann_evaluate.
 *
 * Rules. Functions that can fail return 0 or a negative cldann_status and leave one clear line in the context's error
 * (cldann_get_error); the first error wins until cldann_clear_error. The library never prints, exits or aborts. What you
 * _new, _open or _load you _free or _close. Images are (height, width, channels), channels fastest; weights of a
 * convolution are (kernel height, kernel width, in, out), of a dense layer (in, out). Rows are items of a batch.
 */
#ifndef CLDANN_H
#define CLDANN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CLDANN_VERSION "0.1.0"

/* ---- Status and errors ---------------------------------------------------------------------------------------- */

typedef enum cldann_status {
  CLDANN_OK = 0,
  CLDANN_E_ARG = -1,         /* a call that cannot be right */
  CLDANN_E_MEM = -2,         /* host or device memory */
  CLDANN_E_IO = -3,          /* a file that cannot be read or written */
  CLDANN_E_FORMAT = -4,      /* data that is not what it should be */
  CLDANN_E_SHAPE = -5,       /* shapes that do not fit; the message names the op */
  CLDANN_E_CONFIG = -6,      /* an experiment file or override; the message has file:line */
  CLDANN_E_DEVICE = -7,      /* no platform, or a device name that matches none or several */
  CLDANN_E_CL = -8,          /* an OpenCL call failed; cl_code has its code */
  CLDANN_E_DIVERGED = -9,    /* a loss or gradient became NaN or infinite */
  CLDANN_E_CHECK = -10,      /* a self-test failed */
  CLDANN_E_NET = -11,        /* a download */
  CLDANN_E_INTERRUPTED = -12 /* a callback or signal asked to stop */
} cldann_status;

typedef struct cldann_error {
  int code;          /* a cldann_status, 0 for none */
  int cl_code;       /* the OpenCL code when code is CLDANN_E_CL */
  char where[96];    /* file:line of the library, for bug reports */
  char message[512]; /* one line, with the fix */
  char notice[160];  /* the last thing the OpenCL driver said on its own */
} cldann_error;

const char *cldann_version(void);
const char *cldann_status_name(int status);

/* ---- Devices and the context ---------------------------------------------------------------------------------- */

typedef struct cldann_device_info {
  char name[128], vendor[64], platform[64], version[96], driver[64];
  int index; /* what cldann_open and --device take */
  int is_cpu, is_gpu;
  int compute_units, clock_mhz;
  int vector_width; /* floats in the device's own vectors: 1, 2, 4, 8 or 16 */
  int align_bytes;
  uint64_t global_bytes, max_alloc_bytes, local_bytes;
  uint64_t cache_bytes; /* of the last-level cache, as the driver tells; 0: it does not */
  size_t max_work_group;
} cldann_device_info;

typedef struct cldann cldann;

/* Fills up to `capacity` devices, *count gets how many there are. `error` may be NULL. */
int cldann_devices(cldann_device_info *infos, int capacity, int *count, cldann_error *error);

/*
 * Opens a device: an index, a part of its name or its platform's, or NULL for the default ($CLDANN_DEVICE, else the
 * first GPU, else the first device). On failure *out is NULL and `error` says why.
 */
int cldann_open(cldann **out, const char *device, cldann_error *error);
void cldann_close(cldann *c);
const cldann_device_info *cldann_device(const cldann *c);
const cldann_error *cldann_get_error(const cldann *c);
void cldann_clear_error(cldann *c);

/* ---- Networks --------------------------------------------------------------------------------------------------- */

typedef struct cldann_net cldann_net;
typedef struct cldann_node cldann_node;

typedef enum { CLDANN_FEATURES, CLDANN_LABEL_HEAD, CLDANN_DOMAIN_HEAD } cldann_branch_id;
typedef enum { CLDANN_VALID, CLDANN_SAME, CLDANN_CEIL, CLDANN_EXPLICIT } cldann_padding;
/* Which rows of a training batch: all, its source half, its target half. Outside training every choice means all. */
typedef enum { CLDANN_ROWS_ALL, CLDANN_ROWS_SOURCE, CLDANN_ROWS_TARGET } cldann_rows_id;
typedef enum { CLDANN_TARGET_LABELS, CLDANN_TARGET_DOMAIN } cldann_loss_target;
typedef enum { CLDANN_INIT_TRUNCATED_NORMAL, CLDANN_INIT_GLOROT, CLDANN_INIT_HE, CLDANN_INIT_CONSTANT } cldann_init_kind;

/* How a parameter starts. value: standard deviation (truncated normal, cut at 2), or the constant; unused otherwise. */
typedef struct cldann_init {
  cldann_init_kind kind;
  float value;
} cldann_init;

/* Initialisers of a layer with parameters; NULL where one is taken means Glorot uniform weights and zero biases. */
typedef struct cldann_layer {
  cldann_init weights, biases;
} cldann_layer;

/*
 * The window of a convolution or a pooling. SAME: output = ceil(input / stride), as TensorFlow pads. CEIL, for poolings: the
 * output is rounded up, and the last windows end at the border, as Caffe has it.
 */
typedef struct cldann_window {
  int height, width;      /* in pixels */
  int stride_y, stride_x; /* 0 means 1 for a convolution, the window for a pooling */
  cldann_padding padding;
  int top, bottom, left, right; /* for CLDANN_EXPLICIT */
} cldann_window;

/*
 * A net is built node by node. A builder that fails returns NULL and leaves the error in the context; every builder
 * takes a NULL input and hands it on, so calls can be nested and checked once. Nodes belong to the net. New nodes join
 * the branch set last by cldann_branch (at first: features); cldann_name names the newest node (default: op + number).
 */
cldann_net *cldann_net_new(cldann *c);
void cldann_net_free(cldann_net *net);
void cldann_branch(cldann_net *net, cldann_branch_id branch);
int cldann_name(cldann_node *node, const char *name);

/*
 * Of a layer with parameters: factors of the schedule's learning rate for its weights and its biases; 1 is the default, and
 * what has 0 stays as it was initialised. Of a dense or convolutional layer: the weights of each unit are shortened to `norm`
 * after a step where they are longer (Srivastava et al. 2014); 0, the default: never. CLDANN_E_ARG for another node.
 */
int cldann_learning_rate(cldann_node *node, float weights, float biases);
int cldann_max_norm(cldann_node *node, float norm);

cldann_node *cldann_input(cldann_net *net, int height, int width, int channels);
cldann_node *cldann_dense(cldann_node *x, int units, const cldann_layer *layer); /* flattens (h,w,c) itself */
cldann_node *cldann_conv2d(cldann_node *x, int filters, const cldann_window *window, const cldann_layer *layer);
cldann_node *cldann_max_pool(cldann_node *x, const cldann_window *window);
cldann_node *cldann_avg_pool(cldann_node *x, const cldann_window *window); /* mean over what of a window lies inside */
cldann_node *cldann_global_pool(cldann_node *x);                           /* mean over all pixels: (1,1,channels) */
cldann_node *cldann_relu(cldann_node *x);
cldann_node *cldann_leaky_relu(cldann_node *x, float slope); /* x, or slope * x where x < 0 */
cldann_node *cldann_sigmoid(cldann_node *x);
cldann_node *cldann_tanh(cldann_node *x);
/* In training each element is 0 with this probability, else divided by 1 - rate (Srivastava et al. 2014); otherwise y = x. */
cldann_node *cldann_dropout(cldann_node *x, float rate);
/*
 * Batch normalisation over rows and pixels of each channel (Ioffe and Szegedy 2015). In training by the batch's mean and
 * variance, with per_domain not 0 those of the source rows for them and of the target rows for them; otherwise by running ones,
 * which move by the share `momentum` a step (0.1), per domain as well. epsilon is added to variances (1e-5).
 */
cldann_node *cldann_batch_norm(cldann_node *x, int per_domain, float momentum, float epsilon);
cldann_node *cldann_flatten(cldann_node *x);
cldann_node *cldann_rows(cldann_node *x, cldann_rows_id rows);

/*
 * Gradient reversal: y = x; on the way back dx = -lambda * l * dy, with l the run-time lambda that the schedule
 * of an experiment sets at each step. The counterpart of y = flip_gradient(x, l), whose l this scales (1 is the default);
 * doc/dann.md has the equations. A negative lambda makes features
 * and domain head work together.
 */
cldann_node *cldann_reversal(cldann_node *x, float lambda);

/*
 * Losses over the rows of x (one logit a class; for the logistic loss one logit, the class being logit > 0). Labels:
 * against the batch's labels. Domain: against 0 for source rows and 1 for target rows.
 */
cldann_node *cldann_softmax_xent(cldann_node *x, cldann_loss_target target);
cldann_node *cldann_logistic_xent(cldann_node *x, cldann_loss_target target);

/* ---- Experiments ------------------------------------------------------------------------------------------------ */

typedef struct cldann_experiment cldann_experiment;

/*
 * Reads an experiment file (libconfig syntax; every key is in doc/experiments.md) and applies `n` overrides of the form
 * "key=value" or "group.key=value". data_dir: where relative data paths are looked up first, NULL for $CLDANN_DATA.
 * Nothing is loaded or compiled yet.
 */
int cldann_experiment_load(cldann *c, const char *path, const char *const *overrides, int n, const char *data_dir,
                           cldann_experiment **out);
/* The experiment that a model file is of, which the file holds. The rest as for cldann_experiment_load. */
int cldann_experiment_of_model(cldann *c, const char *model_path, const char *const *overrides, int n, const char *data_dir,
                               cldann_experiment **out);
void cldann_experiment_free(cldann_experiment *x);
/* The experiment as one file: overrides, preset and defaults in their places. Freed by cldann_free_text. */
int cldann_experiment_text(cldann_experiment *x, char **out);

/*
 * Hands the data sets that `from` has loaded to `to`, where both experiments name the same ones, with the same seed and
 * validation.share; `from` loads them again when it needs them. Else nothing happens. For many runs over one set of data.
 */
int cldann_experiment_take_data(cldann_experiment *to, cldann_experiment *from);

/* What a window of training steps, or an evaluation, measured. Losses are means over rows, accuracies 0..1. */
typedef struct cldann_progress {
  int64_t step, steps;
  double label_loss, domain_loss;                   /* NaN when that head is not trained */
  double label_accuracy;                            /* on the training rows that have labels */
  double domain_accuracy;                           /* both halves together, 0.5 = cannot tell them apart */
  double domain_accuracy_low, domain_accuracy_high; /* its 95 % interval (Wilson), by the rows of the window */
  double domain_accuracy_source, domain_accuracy_target;
  double validation_accuracy, validation_loss; /* of the label head on rows held out of its training set; NaN: none */
  double lr, lambda;
  double domain_weight, feature_weight; /* what multiplies the domain loss for the head, and for the features */
  double gradient_norm[3];              /* by branch, of the window's last step */
  double samples_per_second, seconds, eta_seconds;
} cldann_progress;

typedef struct cldann_result {
  char method[32], device[128];
  uint64_t seed;
  int64_t steps;
  double source_accuracy, target_accuracy; /* NaN where the experiment has no such test set */
  double domain_accuracy;                  /* over both test sets, each weighing the same */
  double domain_accuracy_source, domain_accuracy_target;
  double source_loss, target_loss;
  int64_t source_items, target_items;              /* in the test sets */
  double samples_per_second, seconds;              /* of the training steps alone */
  double pad;                                      /* measure.pad: proxy A-distance of the features, 2 far apart; else NaN */
  double svm_source_accuracy, svm_target_accuracy; /* measure.svm_head: of a linear SVM on the features; else NaN */
  /* Of experiments that hold rows out (the group validation), else NaN: */
  int64_t model_step;                                /* step that the model is of; `steps` without validation */
  double validation_accuracy;                        /* of the model, on those rows */
  double reverse_accuracy;                           /* of reverse validation; NaN: not asked for */
  double last_source_accuracy, last_target_accuracy; /* of the last step's parameters */
} cldann_result;

/* Called after every window of log_every steps. */
typedef void (*cldann_on_progress)(void *user, const cldann_progress *p);
/* Asked every 32 training steps or fewer; not 0 ends the work with CLDANN_E_INTERRUPTED. */
typedef int (*cldann_should_stop)(void *user);
/* Lines worth showing a user: the device, kernel variants, what was loaded. */
typedef void (*cldann_on_message)(void *user, const char *line);

typedef struct cldann_train_options {
  const char *out_dir; /* gets experiment.conf, metrics.jsonl, model.safetensors; NULL: nothing is written */
  int overwrite;       /* not 0: a run that out_dir holds may go; else it is refused, CLDANN_E_IO */
  int resume;          /* not 0: goes on from out_dir's checkpoint, bit by bit as if the run had not stopped */
  /* Steps between two checkpoints (out_dir/checkpoint.safetensors, at the line of metrics behind them), 0: none but when
   * should_stop ends the training. Gone when the training is done. */
  int64_t checkpoint_every;
  cldann_on_progress on_progress;
  cldann_on_message on_message;
  cldann_should_stop should_stop;
  void *user;
} cldann_train_options;

/*
 * Trains and evaluates. The trainer never sees a target label (method target-only apart, which is the upper bound and
 * says so). Same seed, device, driver: bit-identical weights. On CLDANN_E_DIVERGED and CLDANN_E_INTERRUPTED the model of
 * the last good step is kept (and written to out_dir).
 */
int cldann_train(cldann_experiment *x, const cldann_train_options *options, cldann_result *result);
/* Evaluates a model file written by cldann_train on the experiment's test sets, its input as that training took it. */
int cldann_evaluate(cldann_experiment *x, const char *model_path, const cldann_train_options *options, cldann_result *result);
/* What a model gets wrong on one test set. */
typedef struct cldann_detail {
  const char *set; /* "source_test", "target_test" */
  int64_t items;
  int classes;
  const char *const *names; /* of the classes, or NULL: they are numbers from 0 */
  const int64_t *counts;    /* (classes, classes): items of the row's class that were taken for the column's */
  double calibration_error; /* expected calibration error in 15 bins (Guo et al. 2017), 0..1 */
} cldann_detail;
typedef void (*cldann_on_detail)(void *user, const cldann_detail *d);
/* As cldann_evaluate, for each of the test sets there are. What is handed to on_detail is gone when that returns. */
int cldann_evaluate_detail(cldann_experiment *x, const char *model_path, const cldann_train_options *options,
                           cldann_on_detail on_detail, void *user);

/* What a model says of one item. */
typedef struct cldann_prediction {
  int64_t item, items; /* from 0; of how many */
  int label;           /* class, from 0 */
  const char *name;    /* what the class is called, or NULL: as its number */
  double probability;  /* of that class */
  const double *probabilities;
  int classes;
  double target;         /* probability that the item is of the target domain, by the domain head */
  const float *features; /* what the label head reads, where they were asked for; else NULL */
  int n_features;
} cldann_prediction;

typedef struct cldann_predict_options {
  int features;                 /* not 0: those too */
  const char *const *overrides; /* "key=value", as data.target_test.features=..., which says how `data` is read */
  int n_overrides;
  const char *data_dir;                                   /* NULL: $CLDANN_DATA */
  int (*on_item)(void *user, const cldann_prediction *p); /* in order; not 0 ends it with CLDANN_E_INTERRUPTED */
  void *user;
} cldann_predict_options;

/*
 * A model file on other data: a file or folder of images in one of the formats of kind = "file", read by the keys of the
 * experiment's target_test set where that is such a file. Labels are not looked at. The experiment's own data need not be
 * there.
 */
int cldann_predict(cldann *c, const char *model, const char *data, const cldann_predict_options *options);
/*
 * Features and label head of a model file as one C99 file that needs nothing but -lm: weights as constants, and a function
 * NAME_predict, NAME being the file's. What it takes and gives is said in the file.
 */
int cldann_export_c(cldann *c, const char *model, const char *path);
/*
 * Pictures of a model file, into options->out_dir (or the working folder), as PNG and SVG with the gnuplot scripts that made
 * them: features.*, and where the input is a point of the plane classes.*, domains.*, units.* (Ganin et al. 2016, figure 2).
 * Needs gnuplot: CLDANN_E_IO where it is missing.
 */
int cldann_draw(cldann_experiment *x, const char *model_path, const cldann_train_options *options);
/*
 * DIR/report.html: one page about the run that cldann_train wrote to DIR, x being its experiment (DIR/experiment.conf): result,
 * warnings, curves, features before and after, confusion matrix, some predictions, settings. It needs no other file; its
 * pictures are by gnuplot, and in DIR as cldann_draw writes them. Without gnuplot the page has none, and on_message is told how
 * to get them. The page of before stays where this one cannot be made whole.
 */
int cldann_report(cldann_experiment *x, const char *dir, const cldann_train_options *options);
/*
 * The launch plan of one training step and the memory of a whole run as text, the caller's to free with cldann_free_text. Loads
 * the data, and launches all kernels once without training, so as to know the process's peak.
 */
int cldann_plan_text(cldann_experiment *x, char **out);
void cldann_free_text(char *text);

/* ---- Benchmark ---------------------------------------------------------------------------------------------------- */

/* One launch of a step. GFLOP/s and GB/s are 1e9 a second. */
typedef struct cldann_bench_launch {
  char node[48], phase[16], kernel[48], variant[16];
  double us;         /* microseconds by the device's own clock (a library's product: the host's), the median of the repeats */
  double flops;      /* dense-equivalent: what the op needs when every element counts; 0 for memory-bound ops */
  double true_flops; /* what the kernel computes; less than flops where it skips zeros */
  double bytes;      /* read and written, each tensor once */
  double gflops, gbytes; /* dense-equivalent GFLOP/s and GB/s */
  double flops_share;    /* of the multiply-add peak, by true_flops; 0..1 */
  double bytes_share;    /* of the memory bandwidth; above 1 where tensors come from a cache */
} cldann_bench_launch;

typedef struct cldann_bench_result {
  char device[128], tuning[160];            /* tuning: what is in force, and how many of the passes it decides */
  int inference, batch;                     /* batch: rows of a step */
  int streamed;                             /* data sets that did not fit device_memory and were brought in during the steps */
  int launches, windows, repeats;           /* windows of step_ms, repeats of the launches' times */
  double step_ms, step_ms_min, step_ms_max; /* host's clock, steps queued back to back: median, least, most */
  double launches_ms;                       /* sum of the launches' times */
  double samples_per_second;
  double flops, true_flops, bytes;          /* of a step */
  double gflops_dense, gflops_true, gbytes; /* a second, by step_ms */
  double peak_gflops, peak_gbytes;          /* the higher of two measurements, before and after the steps */
  double peak_gflops_before, peak_gflops_after, peak_gbytes_before, peak_gbytes_after;
  double peak_bytes;                     /* memory that the bandwidth was measured over */
  double peak_fraction, memory_fraction; /* gflops_dense / peak_gflops, gbytes / peak_gbytes */
} cldann_bench_result;

typedef struct cldann_bench_options {
  int inference; /* not 0: the label head's evaluation of a batch, in place of a training step */
  int batch;     /* rows of a step; 0: the experiment's batch, or its eval_batch for inference */
  void (*on_launch)(void *user, const cldann_bench_launch *k); /* in order, when all is measured */
  cldann_should_stop should_stop;
  void *user;
} cldann_bench_options;

/*
 * Times one step of an experiment on random rows of its input's shape: none of its data are loaded, and the learning rate
 * is 0, so that weights stay as initialised. The two peaks are measured by kernels of our own in the same call. Takes some
 * seconds. options may be NULL.
 */
int cldann_bench(cldann_experiment *x, const cldann_bench_options *options, cldann_bench_result *result);

/* ---- Tuning ------------------------------------------------------------------------------------------------------- */

/*
 * How a pass of a layer is done (which kernel, which register tile ...) is a choice: by a rule on device and shape, or by a
 * tuning file that cldann_write_tuning made for the device and its driver. Never a timing while training, so runs repeat.
 * cldann_use_tuning takes a file for all that is planned from then on; "none": the rules alone; NULL: $CLDANN_TUNING, else
 * the user's file ($XDG_CONFIG_HOME/cldann/tuning.conf) where it has the device, else the one that is built in, as
 * cldann_open does. CLDANN_E_CONFIG where the file is not for this device.
 */
int cldann_use_tuning(cldann *c, const char *file);
const char *cldann_tuning(const cldann *c); /* what is in use, for people */

enum { CLDANN_KEY_ROOM = 112, CLDANN_WAY_ROOM = 192 };
typedef struct cldann_choice {
  char of[CLDANN_KEY_ROOM];  /* a pass and its shape: "gemm 64x100x2352" */
  char use[CLDANN_WAY_ROOM]; /* one way to do it: "cpu panel=0 v=16 nv=2 rows=8" */
  int tuned;                 /* by a tuning file; not by the rule */
  int in_use;                /* as it is done now; not one of the others */
  double us;                 /* microseconds of a step that go to it, 0: not measured */
} cldann_choice;
typedef void (*cldann_on_choice)(void *user, const cldann_choice *choice);

typedef struct cldann_tune_options {
  int inference; /* not 0: the evaluation of a batch, in place of a training step */
  int batch;     /* as in cldann_bench_options */
  cldann_on_choice on_choice;
  void *user;
} cldann_tune_options;

/* All choices of a step, as they are made now, with their times. */
int cldann_time_choices(cldann_experiment *x, const cldann_tune_options *options);
/* All choices of a step, each followed by the other ways that may be tried; nothing is measured. */
int cldann_list_choices(cldann_experiment *x, const cldann_tune_options *options);
/*
 * Makes the first of n choices, the others too, and holds its results in a step on random rows against those of the
 * reference kernels: CLDANN_E_CHECK where they differ. Then times it into *us. A kernel that hangs or crashes does so in this
 * process: try ways in one of their own.
 */
int cldann_try_choices(cldann_experiment *x, const cldann_choice *choices, int n, const cldann_tune_options *options,
                       double *us);
/*
 * Writes a tuning file, NULL: the user's, for this device and driver. What the file says of other devices, and of this one
 * for other shapes, stays; a choice with in_use set is left to the rule. Its times go in as comments of a kind. n 0: nothing
 * is written; the call tells whether what the file says now could be kept, before time is spent on measuring.
 */
int cldann_write_tuning(cldann *c, const char *file, const cldann_choice *choices, int n);

/* Writes a PNG with sample images of the training sets, source above target: `rows` rows of `columns` each. */
int cldann_sample_sheet(cldann_experiment *x, const char *path, int rows, int columns);

/* ---- Self-test and data ------------------------------------------------------------------------------------------ */

/* Numeric gradients of every op and the sign of the reversal on this device; a line a check goes to on_message. */
int cldann_check_device(cldann *c, cldann_on_message on_message, void *user);

/*
 * Writes MNIST-M (train 60,000 and test 10,000, in MNIST's order) as IDX files. threads <= 0: all processors. stop, which
 * may be NULL, is asked now and then: not 0 ends it with CLDANN_E_INTERRUPTED and nothing written.
 */
int cldann_make_mnistm(const char *mnist_dir, const char *bsds_tgz, const char *out_dir, uint64_t seed, int threads,
                       int (*stop)(void), cldann_error *error);
/* Downloads a data set ("mnist", "bsds500") into the cache folder, resumable, checked by SHA-256. */
int cldann_fetch(const char *name, cldann_on_message on_message, void *user, cldann_error *error);

#ifdef __cplusplus
}
#endif

#endif

/**
 * @file
 * cldann.h: domain-adversarial training of neural networks (DANN) on any OpenCL device. The one installed header.
 *
 * The method (Ganin and Lempitsky, "Unsupervised Domain Adaptation by Backpropagation", arXiv 1409.7495, "v1" below; Ganin et
 * al., "Domain-Adversarial Training of Neural Networks", JMLR 17 (2016), "JMLR" below). There are labelled data of one domain,
 * the source, and data without labels of another, the target, where a classifier is wanted. A net has three branches:
 *
 *     features      shared: from the input on; a chain of layers
 *     label head    from the features to the class; trained on the source, which alone has labels
 *     domain head   from the features to the domain, source or target; trained on both
 *
 * Between features and domain head stands a gradient reversal: it hands its input on unchanged, and on the way back multiplies
 * the gradient by -lambda. The domain head so learns to tell the domains apart, the features to make that impossible and yet to
 * serve the label head (JMLR eq. 10 and 13 to 15, doc/dann.md): a classifier that works on the target too, for which it saw no
 * label.
 *
 * The life of an experiment. A context (cldann_open) is a device and the error of the last call. In it a net is built, node by
 * node, and with settings as a text it makes an experiment; or all comes from a file. Data are named in the settings, or handed
 * over by callback. Training loads them, compiles what it needs, trains, measures on the test sets, and writes a model file,
 * which holds its experiment and is of use by itself.
 *
 *     cldann *c; cldann_experiment *x = NULL; cldann_result r; cldann_error error;
 *     if (cldann_open(&c, NULL, &error) < 0) return fail(error.message);
 *     cldann_net *net = cldann_net_new(c);
 *     cldann_node *f = cldann_relu(cldann_dense(cldann_input(net, 1, 1, 2), 15, NULL));
 *     cldann_branch(net, CLDANN_LABEL_HEAD);
 *     cldann_softmax_xent(cldann_dense(f, 2, NULL), CLDANN_TARGET_LABELS);
 *     cldann_branch(net, CLDANN_DOMAIN_HEAD);
 *     cldann_softmax_xent(cldann_dense(cldann_reversal(f, 1), 2, NULL), CLDANN_TARGET_DOMAIN);
 *     int rc = cldann_experiment_new(c, "steps = 2000;", net, &x);
 *     for each of the four sets: cldann_experiment_set_data(x, CLDANN_SOURCE, &data);
 *     if (rc == 0) rc = cldann_train(x, &(cldann_train_options){.out_dir = "run"}, &r);
 *     if (rc < 0) puts(cldann_get_error(c)->message); else printf("%.3f\n", r.target_accuracy);
 *     cldann_experiment_free(x), cldann_net_free(net), cldann_close(c);
 *
 * examples/ has this whole (blobs.c), inside a program with an OpenCL context of its own (host.c), and with a model file alone
 * (predict.c).
 *
 * Errors. What can fail returns 0 or a negative cldann_status, builders NULL, and leaves one clear line, with the fix, in the
 * context (cldann_get_error). The first error stays until cldann_clear_error, so that the cause is there behind a row of calls;
 * clear it before going on. What gets no context fills a cldann_error that is handed over. Nothing prints, exits or aborts; all
 * that is worth a line goes to a callback.
 *
 * Ownership. What you _new, _open or _load you _free or _close; NULL is fine there. Close a context last. Strings and structs
 * that are handed in are copied or done with at return; pointers in a callback's struct are good until it returns, others as
 * long as the object they are asked of. Texts that are handed out are freed by cldann_free_text.
 *
 * Threads. A context and all that is made in it belong to one thread at a time. Contexts in different threads do not meet.
 * Callbacks come on the thread of the call they were given to, and do not call back into its context.
 *
 * Shapes. Rows are items of a batch. Items are (height, width, channels), channels fastest; an item that is no image is
 * (1, 1, n). Weights of a convolution are (kernel height, kernel width, in, out), of a dense layer (in, out). Bytes are as they
 * are in the data; the settings scale them. Sizes are in bytes, times in seconds, shares and accuracies 0..1, where a name
 * does not say otherwise.
 */
#ifndef CLDANN_H
#define CLDANN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of this header; cldann_version() is the library's. */
#define CLDANN_VERSION "0.1.0"

/** @defgroup errors Status and errors
 * @{ */
/* What functions return: 0 or one of these. */
typedef enum cldann_status {
  CLDANN_OK = 0,             /* all went well */
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

/* What went wrong. */
typedef struct cldann_error {
  int code;          /* a cldann_status, 0 for none */
  int cl_code;       /* the OpenCL code when code is CLDANN_E_CL */
  char where[96];    /* file:line of the library, for bug reports */
  char message[512]; /* one line, with the fix */
  char notice[160];  /* the last thing the OpenCL driver said on its own */
} cldann_error;

const char *cldann_version(void);           /* "0.1.0"; never NULL, not to be freed */
const char *cldann_status_name(int status); /* "out of memory" and the like, for people; the same */
/** @} */

/** @defgroup devices Devices and the context
 * @{ */
/* A device, as its driver describes it. */
typedef struct cldann_device_info {
  char name[128], vendor[64], platform[64], version[96], driver[64]; /* what the driver says; version: of OpenCL */
  int index;                                                         /* what cldann_open and --device take; -1: no such */
  int is_cpu, is_gpu;                                                /* not 0: it is */
  int compute_units, clock_mhz;                                      /* cores, and their highest clock */
  int vector_width;                                                  /* floats in the device's own vectors: 1, 2, 4, 8 or 16 */
  int align_bytes;                                     /* what host memory must be aligned to, to be used in place */
  uint64_t global_bytes, max_alloc_bytes, local_bytes; /* memory: all, of one buffer, of a work-group */
  uint64_t cache_bytes;                                /* of the last-level cache, as the driver tells; 0: it does not */
  size_t max_work_group;                               /* work-items of a work-group, at most */
} cldann_device_info;

/* A context: one device, one in-order queue, and the error of the calls on it. */
typedef struct cldann cldann;

/*
 * Fills up to `capacity` devices, *count gets how many there are; infos may be NULL with capacity 0. `error` may be NULL.
 * CLDANN_E_DEVICE where no driver has one.
 */
int cldann_devices(cldann_device_info *infos, int capacity, int *count, cldann_error *error);

/*
 * Opens a device: an index, a part of its name or its platform's, or NULL for the default ($CLDANN_DEVICE, else the
 * first GPU, else the first device). On failure *out is NULL and `error`, which may be NULL, says why: CLDANN_E_DEVICE,
 * CLDANN_E_CL, CLDANN_E_MEM, or CLDANN_E_CONFIG for a bad $CLDANN_TUNING.
 */
int cldann_open(cldann **out, const char *device, cldann_error *error);

struct _cl_context;
struct _cl_device_id;
struct _cl_command_queue;
/*
 * Opens cldann inside a program that uses OpenCL already: `context` is a cl_context, `device` a cl_device_id of it, `queue` a
 * cl_command_queue of both, or NULL for one of cldann's own. They are retained, and released by cldann_close; the program keeps
 * its references. The queue must be in order: what the program put there before a call is done before what the call puts there.
 * A call may leave work queued, but its results on the host are there when it returns. CLDANN_E_ARG for what cannot be used.
 */
int cldann_open_cl(cldann **out, struct _cl_context *context, struct _cl_device_id *device, struct _cl_command_queue *queue,
                   cldann_error *error);
/* Waits for what is queued, and frees. Nets and experiments of the context must be gone by then. */
void cldann_close(cldann *c);
const cldann_device_info *cldann_device(const cldann *c); /* of the context; as long as that */
const cldann_error *cldann_get_error(const cldann *c);    /* code 0: none; as long as the context */
void cldann_clear_error(cldann *c);                       /* forgets it; the next one is then kept */
/** @} */

/** @defgroup nets Networks
 * A graph of nodes, each an op on one other node's values, described once; what is made of it is decided by the method and
 * the device.
 * @{ */
/* A graph of nodes, built in C. */
typedef struct cldann_net cldann_net;
/* One of its ops, and the values that come of it. */
typedef struct cldann_node cldann_node;

/* The three parts of a net, which the optimiser, the log and the figures keep apart. */
typedef enum { CLDANN_FEATURES, CLDANN_LABEL_HEAD, CLDANN_DOMAIN_HEAD } cldann_branch_id;
/* What a window finds beyond the border; see cldann_window. */
typedef enum { CLDANN_VALID, CLDANN_SAME, CLDANN_CEIL, CLDANN_EXPLICIT } cldann_padding;
/* Which rows of a training batch: all, its source half, its target half. Outside training every choice means all. */
typedef enum { CLDANN_ROWS_ALL, CLDANN_ROWS_SOURCE, CLDANN_ROWS_TARGET } cldann_rows_id;
/* What a loss is against: the class, or the domain. */
typedef enum { CLDANN_TARGET_LABELS, CLDANN_TARGET_DOMAIN } cldann_loss_target;
/* Normal cut at two standard deviations; uniform (Glorot and Bengio 2010); the former by fan-in (He et al. 2015); a number. */
typedef enum { CLDANN_INIT_TRUNCATED_NORMAL, CLDANN_INIT_GLOROT, CLDANN_INIT_HE, CLDANN_INIT_CONSTANT } cldann_init_kind;

/* How a parameter starts. value: standard deviation (truncated normal, cut at 2), or the constant; unused otherwise. */
typedef struct cldann_init {
  cldann_init_kind kind; /* how */
  float value;           /* its number */
} cldann_init;

/* Initialisers of a layer with parameters; NULL where one is taken means Glorot uniform weights and zero biases. */
typedef struct cldann_layer {
  cldann_init weights, biases; /* of each */
} cldann_layer;

/*
 * The window of a convolution or a pooling. VALID: only where it fits whole. SAME: output = ceil(input / stride), as TensorFlow
 * pads. CEIL, for poolings: the output is rounded up, and the last windows end at the border, as Caffe has it. EXPLICIT: by the
 * four numbers.
 */
typedef struct cldann_window {
  int height, width;            /* in pixels */
  int stride_y, stride_x;       /* 0 means 1 for a convolution, the window for a pooling */
  cldann_padding padding;       /* 0: CLDANN_VALID */
  int top, bottom, left, right; /* rows and columns of zeros, for CLDANN_EXPLICIT */
} cldann_window;

/*
 * A net is built node by node. A builder that fails returns NULL and leaves the error in the context (CLDANN_E_SHAPE where
 * sizes do not fit, CLDANN_E_ARG, CLDANN_E_MEM); every builder takes a NULL input and hands it on, so calls can be nested and
 * checked once. Nodes belong to the net. New nodes join the branch set last by cldann_branch (at first: features).
 */
cldann_net *cldann_net_new(cldann *c);
void cldann_net_free(cldann_net *net);                        /* and all its nodes */
void cldann_branch(cldann_net *net, cldann_branch_id branch); /* where nodes go from here on */
/*
 * Names a node, as messages and model files then do (NAME.weight); by default it is its op and a number. Up to 47 characters,
 * and no other node's: CLDANN_E_ARG.
 */
int cldann_name(cldann_node *node, const char *name);

/*
 * Of a layer with parameters: factors of the schedule's learning rate for its weights and its biases; 1 is the default, and
 * what has 0 stays as it was initialised. CLDANN_E_ARG for another node, or a factor below 0.
 */
int cldann_learning_rate(cldann_node *node, float weights, float biases);
/*
 * Of a dense or convolutional layer: the weights of each unit are shortened to `norm` after a step where they are longer
 * (Srivastava et al. 2014); 0, the default: never. CLDANN_E_ARG for another node, or a norm below 0.
 */
int cldann_max_norm(cldann_node *node, float norm);

cldann_node *cldann_input(cldann_net *net, int height, int width, int channels); /* one a net; rows of this shape */
/* y = x W + b, (h, w, c) read flat: (1, 1, units). */
cldann_node *cldann_dense(cldann_node *x, int units, const cldann_layer *layer);
/* Cross-correlation with `filters` kernels over all channels, plus a bias each: (h', w', filters) by the window. */
cldann_node *cldann_conv2d(cldann_node *x, int filters, const cldann_window *window, const cldann_layer *layer);
/* Channels and filters are cut into groups; filters of a group see its channels alone. Weights: (h, w, in / groups, out). */
cldann_node *cldann_grouped_conv2d(cldann_node *x, int filters, int groups, const cldann_window *window,
                                   const cldann_layer *layer);
cldann_node *cldann_max_pool(cldann_node *x, const cldann_window *window); /* the most in a window, channel by channel */
cldann_node *cldann_avg_pool(cldann_node *x, const cldann_window *window); /* mean over what of a window lies inside */
cldann_node *cldann_global_pool(cldann_node *x);                           /* mean over all pixels: (1,1,channels) */
cldann_node *cldann_relu(cldann_node *x);                                  /* max(x, 0) */
cldann_node *cldann_leaky_relu(cldann_node *x, float slope);               /* x, or slope * x where x < 0 */
cldann_node *cldann_sigmoid(cldann_node *x);                               /* 1 / (1 + exp(-x)) */
cldann_node *cldann_tanh(cldann_node *x);                                  /* tanh x */
/* In training each element is 0 with this probability, else divided by 1 - rate (Srivastava et al. 2014); otherwise y = x. */
cldann_node *cldann_dropout(cldann_node *x, float rate);
/*
 * Batch normalisation over rows and pixels of each channel (Ioffe and Szegedy 2015). In training by the batch's mean and
 * variance, with per_domain not 0 those of the source rows for them and of the target rows for them; otherwise by running ones,
 * which move by the share `momentum` a step (0.1), per domain as well. epsilon is added to variances (1e-5).
 */
cldann_node *cldann_batch_norm(cldann_node *x, int per_domain, float momentum, float epsilon);
/*
 * Local response normalisation across channels (Krizhevsky et al. 2012, section 3.3): y = x / (k + alpha / size * s)^beta, s
 * the sum of the squares of the channel and its (size - 1) / 2 neighbours on each side. AlexNet: 5, 1e-4, 0.75, and k 2;
 * Caffe's k is 1.
 */
cldann_node *cldann_lrn(cldann_node *x, int size, float alpha, float beta, float k);
cldann_node *cldann_flatten(cldann_node *x);                   /* (1, 1, h * w * c), the same values */
cldann_node *cldann_rows(cldann_node *x, cldann_rows_id rows); /* some rows of a training batch */

/*
 * Gradient reversal: y = x; on the way back dx = -lambda * l * dy, with l the run-time lambda that the schedule
 * of an experiment sets at each step (JMLR section 4.2). The counterpart of y = flip_gradient(x, l), whose l this scales (1
 * is the default). A negative lambda makes features and domain head work together.
 */
cldann_node *cldann_reversal(cldann_node *x, float lambda);

/*
 * Cross-entropy of the softmax of x, a logit for each class, over the rows of x; the last node of a head. Labels: against the
 * batch's labels. Domain: against 0 for source rows and 1 for target rows, or the domain's number where
 * the experiment has more than two and x a logit for each.
 */
cldann_node *cldann_softmax_xent(cldann_node *x, cldann_loss_target target);
/* The same by the logistic loss: x is one logit, the class being logit > 0. */
cldann_node *cldann_logistic_xent(cldann_node *x, cldann_loss_target target);
/** @} */

/** @defgroup experiments Experiments: settings, net and data
 * @{ */
/* Every constant of a run, a net, and data sets. */
typedef struct cldann_experiment cldann_experiment;

/*
 * Reads an experiment file (libconfig syntax; every key is in doc/experiments.md) and applies `n` overrides of the form
 * "key=value" or "group.key=value". data_dir: where relative data paths are looked up first, NULL for $CLDANN_DATA.
 * Nothing is loaded or compiled yet.
 */
int cldann_experiment_load(cldann *c, const char *path, const char *const *overrides, int n, const char *data_dir,
                           cldann_experiment **out);
/*
 * The same from a text in memory, in the syntax of the files (NULL or "": defaults alone), and a net built with the functions
 * above (NULL: the text has the group net). The net stays the caller's and may be freed, or used again. It is a chain of
 * features, from the input on, and from their last node a chain for each head, that ends with its loss; the rows of the label
 * head need not be cut, the method says which it sees. Data may be handed over by cldann_experiment_set_data; paths of data in
 * the text are as with data_dir NULL. CLDANN_E_CONFIG with the text's line, CLDANN_E_ARG for a net that is not so.
 */
int cldann_experiment_new(cldann *c, const char *text, const cldann_net *net, cldann_experiment **out);
/* The experiment that a model file is of, which the file holds. The rest as for cldann_experiment_load. */
int cldann_experiment_of_model(cldann *c, const char *model_path, const char *const *overrides, int n, const char *data_dir,
                               cldann_experiment **out);
void cldann_experiment_free(cldann_experiment *x); /* with its data */
/* The experiment as one file: overrides, preset and defaults in their places. Freed by cldann_free_text. */
int cldann_experiment_text(cldann_experiment *x, char **out);

/* The data sets of an experiment: two to train on, and two to measure on, which may be left out. */
typedef enum { CLDANN_SOURCE, CLDANN_TARGET, CLDANN_SOURCE_TEST, CLDANN_TARGET_TEST } cldann_set_id;
/* Of the numbers of an item: uint8_t, float. */
typedef enum { CLDANN_BYTES, CLDANN_FLOATS } cldann_data_type;

/*
 * A data set of the program's own. read is called when the data are first needed (in cldann_train, cldann_evaluate ...), on the
 * thread of that call, for items first to first + n - 1, from 0 on and each once; it fills `items`, (n, height, width,
 * channels) of the type, and where labels is not NULL the n labels, classes from 0. Not 0 ends the call with CLDANN_E_IO. What
 * it reads from must be there as long as the experiment is, which may ask for it again.
 */
typedef struct cldann_data {
  const char *name;                   /* in messages; NULL: "the program's". Copied */
  int items, height, width, channels; /* how many, and the shape of each; at least 1 */
  cldann_data_type type;              /* of what read writes */
  int labelled; /* not 0: read knows labels. CLDANN_TARGET is asked for them by method target-only alone */
  int (*read)(void *user, int first, int n, void *items, int32_t *labels); /* as above */
  void *user;                                                              /* handed to read */
} cldann_data;

/*
 * Hands an experiment a data set, in place of the one that its text names, if any; NULL: that one again. *data is copied.
 * Sizes are (height, width, channels) of the net's input; one channel may serve for several. They are checked with the rest
 * when the data are loaded (CLDANN_E_SHAPE). A model file does not hold such data: its experiment then has no such set. Each is
 * of one domain: CLDANN_E_ARG where the domain head tells more than two apart.
 */
int cldann_experiment_set_data(cldann_experiment *x, cldann_set_id set, const cldann_data *data);

/*
 * Hands the data sets that `from` has loaded to `to`, where both experiments name the same ones, with the same seed and
 * validation.share; `from` loads them again when it needs them. Else nothing happens. For many runs over one set of data.
 */
int cldann_experiment_take_data(cldann_experiment *to, cldann_experiment *from);
/** @} */

/** @defgroup training Training and evaluation
 * @{ */
/* What a window of training steps, or an evaluation, measured. Losses are means over rows, accuracies 0..1. */
typedef struct cldann_progress {
  int64_t step, steps;                                   /* steps done, of how many */
  double label_loss, domain_loss;                        /* NaN when that head is not trained */
  double label_accuracy;                                 /* on the training rows that have labels */
  double domain_accuracy;                                /* both halves together, 0.5 = cannot tell them apart */
  double domain_accuracy_low, domain_accuracy_high;      /* its 95 % interval (Wilson), by the rows of the window */
  double domain_accuracy_source, domain_accuracy_target; /* of the rows of each */
  double validation_accuracy, validation_loss;           /* of the label head on rows held out of its training set; NaN: none */
  double lr, lambda;                                     /* of the window's last step */
  double domain_weight, feature_weight; /* what multiplies the domain loss for the head, and for the features */
  double gradient_norm[3];              /* by branch, of the window's last step */
  /* Norm of the label head's gradient at the values that both heads read, over all rows of the window's last step; NaN: none.
   */
  double join_label;
  double join_domain;                              /* the same of the domain head's, behind the reversal */
  double samples_per_second, seconds, eta_seconds; /* rows of the window; of training so far; to go */
} cldann_progress;

/* What a run, or an evaluation, came to. */
typedef struct cldann_result {
  char method[32], device[128];                          /* their names */
  uint64_t seed;                                         /* of the experiment */
  int64_t steps;                                         /* that were done */
  double source_accuracy, target_accuracy;               /* NaN where the experiment has no such test set */
  double domain_accuracy;                                /* over both test sets, each weighing the same */
  double domain_accuracy_source, domain_accuracy_target; /* on each */
  double source_loss, target_loss;                       /* of the label head, mean over the items */
  int64_t source_items, target_items;                    /* in the test sets */
  double samples_per_second, seconds;                    /* of the training steps alone */
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

/* How to train; all 0 is fine. */
typedef struct cldann_train_options {
  const char *out_dir; /* gets experiment.conf, metrics.jsonl, model.safetensors and more (doc/experiments.md); NULL: nothing is
                          written */
  int tensorboard;     /* not 0: out_dir gets events.out.tfevents.* too, which TensorBoard reads; needs protobuf-c */
  int overwrite;       /* not 0: a run that out_dir holds may go; else it is refused, CLDANN_E_IO */
  int resume;          /* not 0: goes on from out_dir's newest checkpoint, bit by bit as if the run had not stopped */
  /* Steps between two checkpoints (out_dir/checkpoint-STEP.safetensors, at the line of metrics behind them), 0: none but
   * when should_stop ends the training. The last checkpoint_keep stay, 0: one. Gone when the training is done. */
  int64_t checkpoint_every;
  int checkpoint_keep;            /* see there */
  cldann_on_progress on_progress; /* or NULL */
  cldann_on_message on_message;   /* or NULL */
  cldann_should_stop should_stop; /* or NULL */
  void *user;                     /* handed to the three */
} cldann_train_options;

/*
 * Trains (JMLR eq. 13 to 15, by the method and the meaning of lambda that the settings choose; doc/dann.md) and evaluates. The
 * trainer never sees a target label (method target-only apart, which is the upper bound and says so). Same seed, device,
 * driver: bit-identical weights. On CLDANN_E_DIVERGED and CLDANN_E_INTERRUPTED the model of the last good step is kept (and
 * written to out_dir). options may be NULL. Errors: of the data (CLDANN_E_IO, _FORMAT, _SHAPE, _CONFIG), of memory (_MEM), of
 * the device (_CL).
 */
int cldann_train(cldann_experiment *x, const cldann_train_options *options, cldann_result *result);
/*
 * Evaluates a model file written by cldann_train on the experiment's test sets, its input as that training took it. Of options,
 * which may be NULL, only on_message counts.
 */
int cldann_evaluate(cldann_experiment *x, const char *model_path, const cldann_train_options *options, cldann_result *result);

/* What a model gets wrong on one test set. */
typedef struct cldann_detail {
  const char *set;          /* "source_test", "target_test" */
  int64_t items;            /* in the set */
  int classes;              /* that the label head tells apart */
  const char *const *names; /* of the classes, or NULL: they are numbers from 0 */
  const int64_t *counts;    /* (classes, classes): items of the row's class that were taken for the column's */
  double calibration_error; /* expected calibration error in 15 bins (Guo et al. 2017), 0..1 */
} cldann_detail;
/* Called for each test set there is. */
typedef void (*cldann_on_detail)(void *user, const cldann_detail *d);
/* As cldann_evaluate, for each of the test sets there are. What is handed to on_detail is gone when that returns. */
int cldann_evaluate_detail(cldann_experiment *x, const char *model_path, const cldann_train_options *options,
                           cldann_on_detail on_detail, void *user);
/** @} */

/** @defgroup models Models in use
 * Model files are in the safetensors format, named and laid out for PyTorch, with the experiment's text among the metadata.
 * @{ */
/* What a model says of one item. */
typedef struct cldann_prediction {
  int64_t item, items;         /* from 0; of how many */
  int label;                   /* class, from 0 */
  const char *name;            /* what the class is called, or NULL: as its number */
  double probability;          /* of that class */
  const double *probabilities; /* (classes), sum 1 */
  int classes;                 /* how many there are */
  double target;               /* probability that the item is of the target domain, by the domain head */
  const char *file;            /* an image's path, the data's before the image's in it; NULL: the item has no file of its own */
  const float *features;       /* what the label head reads, where they were asked for; else NULL */
  int n_features;              /* how many */
} cldann_prediction;

/* How to predict; on_item is needed. */
typedef struct cldann_predict_options {
  int features;                 /* not 0: those too */
  const char *const *overrides; /* "key=value", as data.target_test.features=..., which says how `data` is read */
  int n_overrides;              /* how many */
  const char *data_dir;         /* NULL: $CLDANN_DATA */
  const cldann_data *items;     /* the program's own, with `data` NULL: no file is read */
  int (*on_item)(void *user, const cldann_prediction *p); /* in order; not 0 ends it with CLDANN_E_INTERRUPTED */
  void *user;                                             /* handed to on_item */
} cldann_predict_options;

/*
 * A model file on other data: a file or folder of images in one of the formats of kind = "file", read by the keys of the
 * experiment's target_test set, or else its target, where that is such a file; or data NULL and options->items. Labels are not
 * looked at. The experiment's own data need not be there.
 */
int cldann_predict(cldann *c, const char *model, const char *data, const cldann_predict_options *options);
/*
 * Features and label head of a model file as one C99 file that needs nothing but -lm: weights as constants, and a function
 * NAME_predict, NAME being the file's. What it takes and gives is said in the file.
 */
int cldann_export_c(cldann *c, const char *model, const char *path);
/*
 * The same as ONNX (operator set 13): "input" is any number of items as the data have them, (batch, c, h, w) or, without
 * pixels, (batch, n); out come "logits" (batch, units) and "probabilities" (batch, classes). CLDANN_E_ARG in a build without
 * protobuf-c.
 */
int cldann_export_onnx(cldann *c, const char *model, const char *path);
/*
 * Pictures of a model file, into options->out_dir (or the working folder), as PNG and SVG with the gnuplot scripts that made
 * them: features.* (principal components), features-tsne.*, and where the input is a point of the plane classes.*, domains.*,
 * units.* (Ganin et al. 2016, figure 2). points: most items of each domain, drawn at random, to 5000; 0: 500.
 * Needs gnuplot: CLDANN_E_IO where it is missing.
 */
int cldann_draw(cldann_experiment *x, const char *model_path, int points, const cldann_train_options *options);
/** @} */

/** @defgroup speed Plans, benchmarks and tuning
 * @{ */
/*
 * DIR/report.html: one page about the run that cldann_train wrote to DIR, x being its experiment (DIR/experiment.conf): result,
 * warnings, curves, features before and after by principal components and by t-SNE, confusion matrix, some predictions,
 * settings. It needs no other file; its pictures are by gnuplot, and in DIR as cldann_draw writes them. Without gnuplot the
 * page has none, and on_message is told how to get them. The page of before stays where this one cannot be made whole.
 */
int cldann_report(cldann_experiment *x, const char *dir, const cldann_train_options *options);
/*
 * The launch plan of one training step and the memory of a whole run as text, the caller's to free with cldann_free_text. Loads
 * the data, and launches all kernels once without training, so as to know the process's peak.
 */
int cldann_plan_text(cldann_experiment *x, char **out);
void cldann_free_text(char *text); /* any text that was handed out */

/* One launch of a step. GFLOP/s and GB/s are 1e9 a second. */
typedef struct cldann_bench_launch {
  char node[48], phase[16], kernel[48], variant[16]; /* of the net; "forward" and the like; of cl/; which way to do it */
  double us;         /* microseconds by the device's own clock (a library's product: the host's), the median of the repeats */
  double flops;      /* dense-equivalent: what the op needs when every element counts; 0 for memory-bound ops */
  double true_flops; /* what the kernel computes; less than flops where it skips zeros */
  double bytes;      /* read and written, each tensor once */
  double gflops, gbytes; /* dense-equivalent GFLOP/s and GB/s */
  double flops_share;    /* of the multiply-add peak, by true_flops; 0..1 */
  double bytes_share;    /* of the memory bandwidth; above 1 where tensors come from a cache */
} cldann_bench_launch;

/* What a step costs. */
typedef struct cldann_bench_result {
  char device[128], tuning[160];            /* tuning: what is in force, and how many of the passes it decides */
  int inference, batch;                     /* batch: rows of a step */
  int entries;                              /* numbers of a row that are not 0, as asked for; 0: all of them */
  int streamed;                             /* data sets that did not fit device_memory and were brought in during the steps */
  int launches, windows, repeats;           /* windows of step_ms, repeats of the launches' times */
  double step_ms, step_ms_min, step_ms_max; /* host's clock, steps queued back to back: median, least, most */
  double launches_ms;                       /* sum of the launches' times */
  double samples_per_second;                /* rows, by step_ms */
  double flops, true_flops, bytes;          /* of a step */
  double gflops_dense, gflops_true, gbytes; /* a second, by step_ms */
  double peak_gflops, peak_gbytes;          /* the higher of two measurements, before and after the steps */
  double peak_gflops_before, peak_gflops_after, peak_gbytes_before, peak_gbytes_after; /* those */
  double peak_bytes;                     /* memory that the bandwidth was measured over */
  double peak_fraction, memory_fraction; /* gflops_dense / peak_gflops, gbytes / peak_gbytes */
} cldann_bench_result;

/* What to time; all 0 is fine. */
typedef struct cldann_bench_options {
  int inference; /* not 0: the label head's evaluation of a batch, in place of a training step */
  int batch;     /* rows of a step; 0: the experiment's batch, or its eval_batch for inference */
  int entries;   /* numbers of a row that are not 0, the others being left out as in svmlight files; 0: all, dense rows */
  void (*on_launch)(void *user, const cldann_bench_launch *k); /* in order, when all is measured */
  cldann_should_stop should_stop;                              /* or NULL, as on_launch */
  void *user;                                                  /* handed to both */
} cldann_bench_options;

/*
 * Times one step of an experiment on random rows of its input's shape, dense or of as many entries as asked for
 * (cldann_plan_text names those of the data: "entries=95"): none of its data are loaded, and the learning rate is 0, so that
 * weights stay as initialised. The two peaks are measured by kernels of our own in the same call. Takes some seconds. options
 * may be NULL.
 */
int cldann_bench(cldann_experiment *x, const cldann_bench_options *options, cldann_bench_result *result);

/*
 * How a pass of a layer is done (which kernel, which register tile ...) is a choice: by a rule on device and shape, or by a
 * tuning file that cldann_write_tuning made for the device and its driver. Never a timing while training, so runs repeat.
 * cldann_use_tuning takes a file for all that is planned from then on; "none": the rules alone; NULL: $CLDANN_TUNING, else
 * the user's file ($XDG_CONFIG_HOME/cldann/tuning.conf) where it has the device, else the one that is built in, as
 * cldann_open does. CLDANN_E_CONFIG where the file is not for this device.
 */
int cldann_use_tuning(cldann *c, const char *file);
const char *cldann_tuning(const cldann *c); /* what is in use, for people; until the next cldann_use_tuning */

/* Bytes of the texts of a choice. */
enum { CLDANN_KEY_ROOM = 112, CLDANN_WAY_ROOM = 192 };
/* A way to do a pass. */
typedef struct cldann_choice {
  char of[CLDANN_KEY_ROOM];  /* a pass and its shape: "gemm 64x100x2352" */
  char use[CLDANN_WAY_ROOM]; /* one way to do it: "cpu panel=0 v=16 nv=2 rows=8" */
  int tuned;                 /* by a tuning file; not by the rule */
  int in_use;                /* as it is done now; not one of the others */
  double us;                 /* microseconds of a step that go to it, 0: not measured */
} cldann_choice;
/* Called for each choice. */
typedef void (*cldann_on_choice)(void *user, const cldann_choice *choice);

/* Whose choices; on_choice is needed where choices are listed or timed. */
typedef struct cldann_tune_options {
  int inference;              /* not 0: the evaluation of a batch, in place of a training step */
  int batch, entries;         /* as in cldann_bench_options */
  cldann_on_choice on_choice; /* gets them */
  void *user;                 /* handed to it */
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
/** @} */

/** @defgroup draft An experiment for data of one's own
 * @{ */
/* A set of data as it lies in its file or folder. */
typedef struct cldann_set_info {
  const char *set;                             /* "source", "target", "source_test", "target_test" */
  const char *path, *format;                   /* where it is, and what it is */
  const char *features, *labels;               /* what they are called in there, where that has to be said; else NULL */
  int64_t items, unreadable;                   /* unreadable: images that are left out */
  int height, width, channels;                 /* of an item, as the experiment will take it */
  int own[2][2];                               /* least and most height, least and most width before that; 0: the same */
  int bytes, sparse;                           /* bytes, or else floats; sparse: without their zeros */
  double least, most, mean, deviation, filled; /* of all numbers; filled: share that is not 0 */
  int classes;                                 /* 0: no labels */
  const char *const *names;                    /* (classes) */
  const int64_t *counts;                       /* (classes) items of each */
} cldann_set_info;

/* What cldann_draft writes, and whom it tells. */
typedef struct cldann_draft_options {
  const char *path;              /* of the experiment file, required */
  const char *sheet;             /* PNG of samples, written where the data are images; NULL: none */
  int overwrite;                 /* not 0: both may be there already; else CLDANN_E_IO */
  const char *features, *labels; /* names in the files of both domains, or a column; NULL: those that people use are tried */
  const char *data_dir;          /* as for cldann_experiment_load */
  void (*on_set)(void *user, const cldann_set_info *s);       /* what was seen, set by set; gone behind the call */
  void (*on_note)(void *user, int warning, const char *line); /* what was decided; a warning: what may be amiss */
  void *user;                                                 /* handed to both */
} cldann_draft_options;

/*
 * Looks at a labelled source and a target, each a file or a folder in a format of kind = "file", and writes an experiment for
 * them, with comments, that trains as it is. Needs no device. What cannot be found out is an error with the fix.
 */
int cldann_draft(const char *source, const char *target, const cldann_draft_options *options, cldann_error *error);
/** @} */

/** @defgroup tools Self-test and data
 * @{ */
/* Writes a PNG with sample images of the training sets, source above target: `rows` rows of `columns` each. */
int cldann_sample_sheet(cldann_experiment *x, const char *path, int rows, int columns);

/* Numeric gradients of every op and the sign of the reversal on this device; a line a check goes to on_message. */
int cldann_check_device(cldann *c, cldann_on_message on_message, void *user);

/*
 * Writes MNIST-M (train 60,000 and test 10,000, in MNIST's order) as IDX files. threads <= 0: all processors. stop, which
 * may be NULL, is asked now and then: not 0 ends it with CLDANN_E_INTERRUPTED and nothing written.
 */
int cldann_make_mnistm(const char *mnist_dir, const char *bsds_tgz, const char *out_dir, uint64_t seed, int threads,
                       int (*stop)(void), cldann_error *error);
/*
 * Writes n images of each domain of the built-in digits as folders of PNG files, out_dir/source/3/0013.png ..., as an example
 * of what a folder of images is. stop as above, but what is written by then stays.
 */
int cldann_make_digits(const char *out_dir, int n, uint64_t seed, int (*stop)(void), cldann_error *error);
/* Downloads a data set ("mnist", "bsds500") into the cache folder, resumable, checked by SHA-256. */
int cldann_fetch(const char *name, cldann_on_message on_message, void *user, cldann_error *error);
/** @} */

#ifdef __cplusplus
}
#endif

#endif

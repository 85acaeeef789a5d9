/*
 * train/model.h: a net's parameters in a safetensors file, one tensor a parameter, named NODE.weight and NODE.bias, as the
 * PyTorch module of the same net has them: a convolution's weights (out,in,kh,kw), a dense layer's (out,in) with the inputs of
 * an image in the order (c,h,w), which is that of nn.Flatten there. Written whole or not at all.
 */
#ifndef CLDANN_TRAIN_MODEL_H
#define CLDANN_TRAIN_MODEL_H

#include "net/graph.h"

/* What a file says besides its tensors, so that a model can be used with nothing else at hand. */
typedef struct model_about {
  char *experiment; /* all of it, as cldann_experiment_text writes it */
  float *mean;      /* (channels): the net's input is (x - mean) * input.scale */
  int channels;     /* 0: no mean is subtracted */
  char *classes;    /* their names, a line each; NULL: they are numbers from 0 */
} model_about;

/* about NULL: it says nothing. */
int model_save(cldann_error *e, const char *path, const cldann_net *net, const float *params, const model_about *about);
/* All parameters as files have them: `file` as long as params, each parameter at its place. */
void model_turn(const cldann_net *net, const float *params, float *file);
/* The dimensions of the node's parameter k there; returns how many. */
int model_shape(const cldann_node *node, int k, int dims[4]);
/*
 * The image whose numbers a node takes, be it flat by now: in files, as in other programs, they have the order (c,h,w). Its own
 * input where that is no image.
 */
shape model_image(const cldann_node *node);
/* Fills params; every parameter of the net must be there with its shape. Nothing is allocated on the file's word alone. */
int model_load(cldann_error *e, const char *path, const cldann_net *net, float *params);
/*
 * Takes what a file has of the net's parameters, by name and shape, whoever wrote it; the others stay as they are.
 * CLDANN_E_FORMAT where it has none. *report gets a line for people: how many, what of the net is not there, what of the file
 * is not wanted. The caller's (mem_free).
 */
int model_take(cldann_error *e, const char *path, const cldann_net *net, float *params, char **report);
/* Where a file says nothing, as one of another program, experiment is NULL. Emptied by model_forget_about. */
int model_read_about(cldann_error *e, const char *path, model_about *about);
void model_forget_about(model_about *about);

#endif

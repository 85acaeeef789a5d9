/*
 * train/model.h: a net's parameters in a safetensors file, one tensor a parameter, named NODE.weight and NODE.bias, as the
 * PyTorch module of the same net has them: a convolution's weights (out,in,kh,kw), a dense layer's (out,in) with the inputs of
 * an image in the order (c,h,w), which is that of nn.Flatten there. Written whole or not at all.
 */
#ifndef CLDANN_TRAIN_MODEL_H
#define CLDANN_TRAIN_MODEL_H

#include "net/graph.h"

int model_save(cldann_error *e, const char *path, const cldann_net *net, const float *params);
/* Fills params; every parameter of the net must be there with its shape. Nothing is allocated on the file's word alone. */
int model_load(cldann_error *e, const char *path, const cldann_net *net, float *params);

#endif

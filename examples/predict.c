/*
 * predict.c: what a model file says of data that have no labels: a line for each item, its class, the probability of that
 * class, and the probability that the item is of the target domain. The data are a file or folder that cldann reads, as a CSV
 * file of numbers; nothing of the training is needed.
 *
 *     cc -std=c99 predict.c $(pkg-config --cflags --libs cldann) -o predict && ./predict model.safetensors DATA
 */
#include <cldann.h>
#include <stdio.h>

/* Called for each item, in order. */
static int say(void *user, const cldann_prediction *p) {
  (void)user;
  if (p->name)
    printf("%s", p->name);
  else
    printf("%d", p->label);
  printf(" %.4f %.4f\n", p->probability, p->target);
  return 0; /* anything else would end it */
}

int main(int argc, char **argv) {
  cldann_predict_options options = {0};
  cldann_error error;
  cldann *c;
  if (argc != 3) {
    fprintf(stderr, "usage: predict MODEL DATA\n");
    return 2;
  }
  if (cldann_open(&c, NULL, &error) < 0) {
    fprintf(stderr, "%s\n", error.message);
    return 1;
  }
  options.on_item = say;
  int rc = cldann_predict(c, argv[1], argv[2], &options);
  if (rc < 0) fprintf(stderr, "%s\n", cldann_get_error(c)->message);
  cldann_close(c);
  return rc < 0;
}

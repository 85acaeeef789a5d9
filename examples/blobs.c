/*
 * blobs.c: builds a net, trains it on two clouds of points with and without adaptation, and prints how much of the target
 * each gets right, whose labels neither has seen. With a folder it leaves DANN's model there, for predict.c.
 *
 *     cc -std=c99 blobs.c $(pkg-config --cflags --libs cldann) -o blobs && ./blobs [FOLDER]
 */
#include <cldann.h>
#include <stdio.h>

/* What differs from the defaults; every key is in doc/experiments.md. Data of your own instead: host.c. */
static const char settings[] =
    "steps = 4000; batch = 16;\n"
    "optimiser = { kind = \"adam\"; }; lr = { schedule = \"constant\"; lr = 0.003; };\n"
    "data = { source = { kind = \"blobs\"; }; target = { kind = \"blobs\"; };\n"
    "  source_test = { kind = \"blobs\"; seed = 2; }; target_test = { kind = \"blobs\"; seed = 2; }; };\n";

/* Builders hand NULL on, so one check of each head's end is enough. */
static int build(cldann_net *net) {
  cldann_node *x = cldann_input(net, 1, 1, 2); /* a point of the plane: one pixel of two channels */
  cldann_node *f = cldann_relu(cldann_dense(x, 15, NULL));
  cldann_branch(net, CLDANN_LABEL_HEAD);
  cldann_node *label = cldann_softmax_xent(cldann_dense(f, 2, NULL), CLDANN_TARGET_LABELS);
  cldann_branch(net, CLDANN_DOMAIN_HEAD);
  cldann_node *d = cldann_relu(cldann_dense(cldann_reversal(f, 1.0f), 8, NULL));
  cldann_node *domain = cldann_softmax_xent(cldann_dense(d, 2, NULL), CLDANN_TARGET_DOMAIN);
  return label && domain ? 0 : -1;
}

static int train(cldann *c, const cldann_net *net, const char *method, const char *folder) {
  char text[sizeof settings + 64];
  cldann_train_options options = {0};
  cldann_experiment *x;
  cldann_result r;
  snprintf(text, sizeof text, "method = \"%s\";\n%s", method, settings);
  options.out_dir = folder;
  options.overwrite = 1;
  if (cldann_experiment_new(c, text, net, &x) < 0) return -1;
  int rc = cldann_train(x, &options, &r);
  if (rc == 0) printf("%-12s source %.3f  target %.3f\n", method, r.source_accuracy, r.target_accuracy);
  cldann_experiment_free(x);
  return rc;
}

int main(int argc, char **argv) {
  cldann_error error;
  cldann *c;
  if (cldann_open(&c, NULL, &error) < 0) {
    fprintf(stderr, "%s\n", error.message);
    return 1;
  }
  cldann_net *net = cldann_net_new(c);
  int rc = net ? build(net) : -1;
  if (rc == 0) rc = train(c, net, "source-only", NULL);
  if (rc == 0) rc = train(c, net, "dann", argc > 1 ? argv[1] : NULL);
  if (rc < 0) fprintf(stderr, "%s\n", cldann_get_error(c)->message);
  cldann_net_free(net);
  cldann_close(c);
  return rc < 0;
}

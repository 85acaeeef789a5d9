/* cli/cmd_draw.c: cldann draw: pictures of a trained model (analysis/draw.c). */
#include "cli/cli.h"

static int run(const cli_args *a) {
  cldann *c;
  cldann_experiment *x;
  progress p;
  int code;
  progress_init(&p, a);
  cldann_train_options o = progress_options(&p, NULL, a->out);
  if ((code = cli_open(a, &c, &x)) != EXIT_FINE) return code;
  if (cldann_draw(x, a->arg[a->n_args - 1], (int)a->points, &o) < 0) code = cli_fail(cldann_get_error(c));
  cldann_experiment_free(x);
  cldann_close(c);
  return code;
}

const cli_command cmd_draw = {
    .name = "draw",
    .args = "[EXPERIMENT] MODEL",
    .summary = "pictures of a trained model, by gnuplot",
    .help = "Draws the features of both domains into --out: two principal components (features.png and .svg), and their\n"
            "neighbours by t-SNE (features-tsne), of up to --points items each. Where the input is a point of the plane also\n"
            "the regions of label head (classes) and domain head (domains), and the lines at which the first layer's units\n"
            "turn (units). Each picture's script, .gp, stays beside it.",
    .options = CLI_SET | CLI_DEVICE | CLI_TUNING | CLI_DATA | CLI_OUT | CLI_POINTS | CLI_QUIET,
    .run = run,
};

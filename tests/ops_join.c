/*
 * tests/ops_join.c: the norms of what two heads send to the same values (cl/reduce.cl:join_squares), against doubles. That they
 * are those of a net's heads is asked in tests/test_net.c.
 */
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "ops_suites.h"

static void join_one(const char *way, int n, int block) {
  const int parts = ceil_div(n, block);
  const float lambda = 1.5f, run_time = -0.25f;
  const double scale = -(double)lambda * (double)run_time;
  double *dy = new_normals(1, (size_t)n), *label = new_normals(2, (size_t)n), *sum = label, want[JOIN_WORDS] = {0};
  const ctl_word control[CTL_WORDS] = {[CTL_LAMBDA] = {.f = run_time}};
  rig g;
  for (int i = 0; i < n; i++) {
    want[JOIN_LABEL] += label[i] * label[i], want[JOIN_DOMAIN] += scale * dy[i] * scale * dy[i];
    sum[i] += scale * dy[i];
  }
  rig_begin(&g, way, "join");
  const int s = rig_in(&g, "sum", 4, n, 1, 1, 1), d = rig_in(&g, "dy", 4, n, 1, 1, 1);
  const int c = rig_in(&g, "control", 4, 1, 1, 1, CTL_WORDS);
  const int part = rig_out(&g, "part", 4, 1, 1, parts, JOIN_WORDS), out = rig_out(&g, "join", 4, 1, 1, 1, JOIN_WORDS);
  launch *k = launches_add(g.l, "reduce", "join_squares", way);
  launch_in(g.l, k, rig_tensor(&g, s));
  launch_in(g.l, k, rig_tensor(&g, d));
  launch_in(g.l, k, rig_tensor(&g, c));
  launch_out(g.l, k, rig_tensor(&g, part));
  launch_int(g.l, k, n);
  launch_float(g.l, k, lambda);
  launch_int(g.l, k, block);
  if (!strcmp(way, "cpu"))
    launch_grid1(g.l, k, (size_t)parts, 1, 1);
  else
    launch_grid64(g.l, k, (size_t)parts);
  k = launches_add(g.l, "reduce", "sum_partials", way);
  launch_in(g.l, k, rig_tensor(&g, part));
  launch_int(g.l, k, JOIN_WORDS);
  launch_int(g.l, k, parts);
  launch_out(g.l, k, rig_tensor(&g, out));
  launch_int(g.l, k, JOIN_WORDS);
  launch_int(g.l, k, 0);
  launch_grid1(g.l, k, JOIN_WORDS, 1, 1);
  rig_bind(&g);
  rig_put_doubles(&g, s, sum);
  rig_put_doubles(&g, d, dy);
  rig_put(&g, c, control);
  rig_run(&g, 1, g.l->n);
  rig_compare(&g, out, want, want, n);
  rig_end(&g);
  free(dy), free(label);
}

static void join_body(const char *way) {
  static const int sizes[][2] = {{1, 64}, {7, 64}, {63, 64}, {1000, 64}, {65, 13}, {70000, 8192}};
  for (int i = 0; i < 6; i++) join_one(way, sizes[i][0], sizes[i][1]);
}

START_TEST(join_norms) {
  harness_each_geometry(join_body);
}
END_TEST

TCase *join_cases(void) {
  TCase *t = tcase_create("join");
  tcase_add_test(t, join_norms);
  return t;
}

/*
 * cl/control.cl: the clock of a replay. Once a step it copies the next row of the window's tables into the control block
 * and the index lists that all other kernels read, so that a step needs no upload and no argument changes.
 */
__kernel void control_next(__global const int *table, int to, __global const int *index_table, int io, __global int *control,
                           int co, __global int *indices, int xo, int rows) {
  const int at = control[co + CTL_NEXT];
  for (int i = 0; i < CTL_ROW_WORDS; i++) control[co + i] = table[to + at * CTL_ROW_WORDS + i];
  for (int i = 0; i < rows; i++) indices[xo + i] = index_table[io + at * rows + i];
  control[co + CTL_NEXT] = at + 1;
}

/* y = value; the planner's answer when a gradient's first writer covers only some of its rows. */
__kernel void fill(__global float *y, int yo, int n, float value, int block) {
  const int first = (int)get_global_id(0) * block, end = min(first + block, n);
  for (int i = first; i < end; i++) y[yo + i] = value;
}

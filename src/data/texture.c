/*
 * data/texture.c: see data/texture.h. A family makes a pattern of 0..1 for each pixel; a ramp of three colours turns it
 * into a picture, and noise of its own for each channel keeps the colours from being flat.
 */
#include "data/texture.h"

#include <math.h>

enum { LATTICE = 16, CENTRES = 12 };

static const float turn = 6.2831853f;

typedef struct pattern {
  int side;
  float v[TEXTURE_SIDE_MAX * TEXTURE_SIDE_MAX];
} pattern;

static float clamp01(float x) {
  return x < 0 ? 0 : x > 1 ? 1 : x;
}

static float smooth(float u) {
  return u * u * (3 - 2 * u);
}

/* Adds value noise: random heights on a lattice of `cell` pixels, turned by an angle, smoothly joined. */
static void add_noise(draw *d, pattern *p, float cell, float weight) {
  float grid[LATTICE][LATTICE], angle = draw_in(d, 0, turn), c = cosf(angle) / cell, s = sinf(angle) / cell;
  float x0 = draw_in(d, 0, LATTICE), y0 = draw_in(d, 0, LATTICE);
  for (int i = 0; i < LATTICE * LATTICE; i += 4) {
    uint32_t w = draw_word(d); /* four heights of eight bits are fine enough */
    for (int k = 0; k < 4; k++) grid[i / LATTICE][i % LATTICE + k] = (float)((w >> (8 * k)) & 255) * (1.0f / 255) - .5f;
  }
  for (int y = 0; y < p->side; y++)
    for (int x = 0; x < p->side; x++) {
      float fx = c * (float)x - s * (float)y + x0 + 64, fy = s * (float)x + c * (float)y + y0 + 64;
      int ix = (int)fx, iy = (int)fy;
      float u = smooth(fx - (float)ix), v = smooth(fy - (float)iy);
      const float *a = grid[iy & (LATTICE - 1)], *b = grid[(iy + 1) & (LATTICE - 1)];
      int i = ix & (LATTICE - 1), j = (ix + 1) & (LATTICE - 1);
      p->v[y * p->side + x] += weight * ((1 - v) * (a[i] + u * (a[j] - a[i])) + v * (b[i] + u * (b[j] - b[i])));
    }
}

/* Clouds: octaves of noise. */
static void add_clouds(draw *d, pattern *p, float cell, float weight) {
  for (int octave = 0; octave < 4 && cell >= 1.2f; octave++, cell *= .5f, weight *= .6f) add_noise(d, p, cell, weight);
}

/* Stripes of any direction, soft or sharp, bent by what the pattern holds already. */
static void add_stripes(draw *d, pattern *p) {
  float angle = draw_in(d, 0, turn), wave = turn / draw_in(d, 3.5f, 14), c = wave * cosf(angle), s = wave * sinf(angle);
  float phase = draw_in(d, 0, turn), sharp = draw_in(d, .5f, 4), bent = draw_in(d, 0, 5);
  for (int y = 0; y < p->side; y++)
    for (int x = 0; x < p->side; x++) {
      float *v = &p->v[y * p->side + x];
      *v = *v * .3f + clamp01(.5f + sharp * .5f * sinf(c * (float)x + s * (float)y + phase + bent * *v)) - .5f;
    }
}

/* Tiles: each gets a height of its own; rows may be shifted as in a wall. */
static void add_tiles(draw *d, pattern *p) {
  float angle = draw_in(d, -.6f, .6f), c = cosf(angle), s = sinf(angle), wide = draw_in(d, 4, 11), high = draw_in(d, 3.5f, 11);
  float x0 = draw_in(d, 50, 70), y0 = draw_in(d, 50, 70), shift = draw_below(d, 2) ? .5f : 0, checker = draw_in(d, 0, 1);
  uint32_t heights[64];
  for (int i = 0; i < 64; i++) heights[i] = draw_word(d);
  for (int y = 0; y < p->side; y++)
    for (int x = 0; x < p->side; x++) {
      int row = (int)((s * (float)x + c * (float)y + y0) / high);
      int column = (int)((c * (float)x - s * (float)y + x0) / wide + shift * (float)(row & 1));
      float own = rng_unit(heights[(row * 13 + column) & 63]), even = (float)((row + column) & 1);
      p->v[y * p->side + x] += .9f * (own + checker * (even - own)) - .45f;
    }
}

/* Cells: the distance to the nearest of some points (stones, bubbles), or each point's own height (a map). */
static void add_cells(draw *d, pattern *p) {
  float x0[CENTRES], y0[CENTRES], own[CENTRES], map = draw_in(d, 0, 1), margin = (float)p->side * .1f;
  int n = 4 + draw_below(d, CENTRES - 3);
  for (int i = 0; i < n; i++) {
    x0[i] = draw_in(d, -margin, (float)p->side + margin);
    y0[i] = draw_in(d, -margin, (float)p->side + margin);
    own[i] = draw_in(d, -.5f, .5f);
  }
  for (int y = 0; y < p->side; y++)
    for (int x = 0; x < p->side; x++) {
      float best = 1e9f;
      int at = 0;
      for (int i = 0; i < n; i++) {
        float dx = (float)x - x0[i], dy = (float)y - y0[i], r = dx * dx + dy * dy;
        if (r < best) best = r, at = i;
      }
      p->v[y * p->side + x] += map * own[at] + (1 - map) * (clamp01(sqrtf(best) * 2 / (float)p->side * 1.7f) - .5f);
    }
}

/* Blotches: soft discs over each other; edges of things in front of other things. */
static void add_blotches(draw *d, pattern *p) {
  int n = 3 + draw_below(d, 6);
  for (int k = 0; k < n; k++) {
    float cx = draw_in(d, 0, (float)p->side), cy = draw_in(d, 0, (float)p->side), angle = draw_in(d, 0, turn);
    float a = draw_in(d, 2.5f, 11), b = draw_in(d, 2.5f, 11), soft = draw_in(d, .8f, 8), height = draw_in(d, -.55f, .55f);
    float c = cosf(angle), s = sinf(angle);
    for (int y = 0; y < p->side; y++)
      for (int x = 0; x < p->side; x++) {
        float dx = (float)x - cx, dy = (float)y - cy, u = (c * dx + s * dy) / a, w = (c * dy - s * dx) / b;
        float cover = clamp01((1 - sqrtf(u * u + w * w)) * soft);
        float *v = &p->v[y * p->side + x];
        *v += cover * (height - *v * .8f);
      }
  }
}

static void pattern_draw(draw *d, pattern *p) {
  int family = draw_below(d, 6);
  for (int i = 0; i < p->side * p->side; i++) p->v[i] = 0;
  add_clouds(d, p, draw_in(d, 6, 18), draw_in(d, .25f, .8f));
  switch (family) {
  case 0: add_stripes(d, p); break;
  case 1: add_tiles(d, p); break;
  case 2: add_cells(d, p); break;
  case 3: add_blotches(d, p); break;
  case 4: add_clouds(d, p, draw_in(d, 2.5f, 5), draw_in(d, .5f, 1)); break;
  default: break; /* smooth: sky, walls, skin */
  }
}

/*
 * Three colours from dark to light around one hue, with some freedom. The level and the tint are what makes the two domains
 * differ yet leaves something to adapt to: where a channel of the background is near 128 the ink vanishes in the difference,
 * where it is lighter the ink inverts, which a short training does not learn.
 */
static void colours_draw(draw *d, float colour[3][3]) {
  float hue = draw_in(d, 0, turn), tint = draw_in(d, 0, 50), spread = draw_in(d, 8, 38);
  float level = draw_in(d, 70, 100);
  for (int k = 0; k < 3; k++) {
    float other = hue + draw_in(d, -1.2f, 1.2f);
    for (int c = 0; c < 3; c++)
      colour[k][c] = level + (float)(k - 1) * spread + tint * cosf(other - turn / 3 * (float)c) + draw_in(d, -12, 12);
  }
}

void texture_draw(draw *d, int side, uint8_t *rgb) {
  float colour[3][3], grain = draw_in(d, 0, 18);
  pattern p = {.side = side};
  pattern_draw(d, &p);
  colours_draw(d, colour);
  for (int i = 0; i < side * side; i++) {
    float at = 2 * clamp01(.5f + p.v[i]);
    const float *a = colour[at < 1 ? 0 : 1], *b = colour[at < 1 ? 1 : 2];
    uint32_t w = draw_word(d);
    for (int c = 0; c < 3; c++) {
      float noise = grain * ((float)((w >> (8 * c)) & 255) * (1.0f / 255) - .5f);
      float v = a[c] + (at < 1 ? at : at - 1) * (b[c] - a[c]) + noise;
      rgb[3 * i + c] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
    }
  }
}

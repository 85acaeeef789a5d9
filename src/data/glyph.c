/*
 * data/glyph.c: see data/glyph.h. Styles are written in a box 0..1 wide and high, y down; the pen follows a Catmull-Rom
 * curve through the points of a stroke, and a stroke that starts where another ended makes a corner.
 */
#include "data/glyph.h"

#include <math.h>
#include <string.h>

enum { POINTS = 12, STROKES = 3, STEPS = 6 /* straight pieces between two points */ };

typedef struct point {
  float x, y;
} point;

typedef struct stroke {
  int n;
  point p[POINTS];
} stroke;

typedef struct style {
  int digit;
  stroke s[STROKES];
} style;

static const style styles[] = {
    /* 0: round; narrow, left open at the top */
    {0, {{9, {{.5f, 0}, {.2f, .1f}, {.04f, .5f}, {.2f, .9f}, {.5f, 1}, {.8f, .88f}, {.96f, .5f}, {.8f, .1f}, {.5f, 0}}}}},
    {0,
     {{10,
       {{.62f, .05f},
        {.38f, .02f},
        {.18f, .3f},
        {.14f, .65f},
        {.34f, .97f},
        {.6f, .95f},
        {.8f, .65f},
        {.82f, .3f},
        {.64f, .03f},
        {.42f, .08f}}}}},
    /* 1: a stroke; with a flag; with flag and foot */
    {1, {{3, {{.5f, 0}, {.49f, .5f}, {.5f, 1}}}}},
    {1, {{3, {{.25f, .26f}, {.42f, .14f}, {.55f, 0}}}, {3, {{.55f, 0}, {.54f, .5f}, {.53f, 1}}}}},
    {1, {{3, {{.25f, .24f}, {.4f, .14f}, {.52f, 0}}}, {2, {{.52f, 0}, {.52f, 1}}}, {2, {{.22f, 1}, {.82f, 1}}}}},
    /* 2: straight foot; looped foot */
    {2,
     {{7, {{.1f, .27f}, {.22f, .07f}, {.5f, 0}, {.78f, .1f}, {.82f, .32f}, {.55f, .65f}, {.08f, 1}}},
      {2, {{.08f, 1}, {.92f, .98f}}}}},
    {2,
     {{11,
       {{.12f, .2f},
        {.35f, 0},
        {.68f, .05f},
        {.78f, .32f},
        {.55f, .66f},
        {.22f, .94f},
        {.06f, .92f},
        {.12f, .78f},
        {.36f, .82f},
        {.66f, .98f},
        {.95f, .88f}}}}},
    /* 3: two bows; flat top */
    {3,
     {{5, {{.1f, .14f}, {.42f, 0}, {.78f, .13f}, {.72f, .36f}, {.36f, .47f}}},
      {5, {{.36f, .47f}, {.78f, .57f}, {.86f, .8f}, {.5f, 1}, {.06f, .86f}}}}},
    {3,
     {{2, {{.12f, .02f}, {.84f, 0}}},
      {2, {{.84f, 0}, {.42f, .4f}}},
      {5, {{.42f, .4f}, {.8f, .52f}, {.84f, .8f}, {.48f, 1}, {.08f, .88f}}}}},
    /* 4: open; closed; rounded open */
    {4, {{3, {{.28f, .04f}, {.2f, .32f}, {.06f, .6f}}}, {2, {{.06f, .6f}, {.94f, .58f}}}, {2, {{.7f, .22f}, {.64f, 1}}}}},
    {4, {{2, {{.66f, 0}, {.04f, .66f}}}, {2, {{.04f, .66f}, {.96f, .66f}}}, {2, {{.66f, 0}, {.64f, 1}}}}},
    {4, {{5, {{.12f, .03f}, {.1f, .36f}, {.28f, .54f}, {.6f, .52f}, {.8f, .4f}}}, {3, {{.84f, 0}, {.8f, .45f}, {.74f, 1}}}}},
    /* 5: angular; one sweep with the bar apart */
    {5,
     {{2, {{.86f, 0}, {.22f, .02f}}},
      {2, {{.22f, .02f}, {.16f, .44f}}},
      {6, {{.16f, .44f}, {.48f, .36f}, {.82f, .5f}, {.84f, .8f}, {.5f, 1}, {.08f, .9f}}}}},
    {5,
     {{7, {{.3f, .04f}, {.22f, .4f}, {.5f, .42f}, {.76f, .58f}, {.74f, .84f}, {.44f, 1}, {.12f, .92f}}},
      {2, {{.3f, .04f}, {.9f, .06f}}}}},
    /* 6: curved; straight back */
    {6,
     {{9,
       {{.74f, .02f},
        {.38f, .18f},
        {.12f, .55f},
        {.16f, .9f},
        {.5f, 1},
        {.82f, .86f},
        {.8f, .62f},
        {.5f, .5f},
        {.16f, .68f}}}}},
    {6, {{8, {{.56f, 0}, {.26f, .4f}, {.12f, .76f}, {.34f, 1}, {.7f, .94f}, {.76f, .68f}, {.48f, .56f}, {.15f, .76f}}}}},
    /* 7: plain; with a bar; with a serif and a bent stem */
    {7, {{2, {{.06f, .02f}, {.88f, 0}}}, {3, {{.88f, 0}, {.58f, .48f}, {.36f, 1}}}}},
    {7, {{2, {{.08f, .02f}, {.88f, 0}}}, {3, {{.88f, 0}, {.56f, .5f}, {.38f, 1}}}, {2, {{.3f, .52f}, {.8f, .5f}}}}},
    {7,
     {{2, {{.1f, .2f}, {.12f, .02f}}},
      {2, {{.12f, .02f}, {.86f, .04f}}},
      {4, {{.86f, .04f}, {.6f, .36f}, {.5f, .7f}, {.5f, 1}}}}},
    /* 8: one crossing line; two rings */
    {8,
     {{12,
       {{.8f, .14f},
        {.5f, 0},
        {.2f, .13f},
        {.28f, .36f},
        {.56f, .52f},
        {.82f, .72f},
        {.72f, .95f},
        {.4f, 1},
        {.16f, .86f},
        {.28f, .6f},
        {.66f, .38f},
        {.82f, .14f}}}}},
    {8,
     {{7, {{.5f, .46f}, {.22f, .34f}, {.26f, .06f}, {.56f, 0}, {.8f, .14f}, {.74f, .38f}, {.5f, .46f}}},
      {7, {{.5f, .46f}, {.14f, .64f}, {.2f, .93f}, {.52f, 1}, {.84f, .9f}, {.84f, .62f}, {.5f, .46f}}}}},
    /* 9: straight stem; curved stem */
    {9,
     {{7, {{.82f, .2f}, {.56f, 0}, {.22f, .08f}, {.12f, .34f}, {.36f, .5f}, {.68f, .42f}, {.82f, .18f}}},
      {3, {{.82f, .18f}, {.78f, .6f}, {.7f, 1}}}}},
    {9,
     {{7, {{.8f, .18f}, {.54f, 0}, {.2f, .1f}, {.14f, .36f}, {.4f, .5f}, {.7f, .4f}, {.8f, .18f}}},
      {4, {{.8f, .18f}, {.84f, .6f}, {.62f, .95f}, {.2f, .98f}}}}},
};

/* One writer's hand: how points of the box land in the image. */
typedef struct hand {
  float xx, xy, yx, yy, x0, y0; /* affine: rotation, slant, scale, then place, in pixels */
  float bend[3][6];             /* smooth displacement: three waves (fx, fy, phase, phase, ax, ay) */
  float radius, ink;
} hand;

static hand hand_draw(draw *d, int side) {
  const float turn = 6.2831853f;
  hand t;
  float unit = (float)side / 28.0f, angle = draw_in(d, -.21f, .21f), slant = draw_in(d, -.3f, .22f);
  float high = unit * draw_in(d, 16.5f, 21.0f), wide = high * draw_in(d, .52f, .86f);
  float c = cosf(angle), s = sinf(angle);
  t.xx = wide * c;
  t.xy = -high * (s + slant * c);
  t.yx = wide * s;
  t.yy = high * (c - slant * s);
  t.x0 = (float)side / 2 + unit * draw_in(d, -1.6f, 1.6f);
  t.y0 = (float)side / 2 + unit * draw_in(d, -1.6f, 1.6f);
  for (int i = 0; i < 3; i++) {
    float size = i == 0 ? .06f : .045f, most = i == 0 ? .7f : 1.4f;
    t.bend[i][0] = turn * draw_in(d, -most, most);
    t.bend[i][1] = turn * draw_in(d, -most, most);
    t.bend[i][2] = draw_in(d, 0, turn);
    t.bend[i][3] = draw_in(d, 0, turn);
    t.bend[i][4] = draw_in(d, -size, size);
    t.bend[i][5] = draw_in(d, -size, size);
  }
  t.radius = unit * draw_in(d, .95f, 1.9f);
  t.ink = draw_in(d, 235, 255);
  return t;
}

static point hand_place(const hand *t, point p) {
  point q = p;
  for (int i = 0; i < 3; i++) {
    const float *b = t->bend[i];
    float at = b[0] * p.x + b[1] * p.y;
    q.x += b[4] * sinf(at + b[2]);
    q.y += b[5] * sinf(at + b[3]);
  }
  q.x -= .5f;
  q.y -= .5f;
  return (point){t->x0 + t->xx * q.x + t->xy * q.y, t->y0 + t->yx * q.x + t->yy * q.y};
}

static float clamp01(float x) {
  return x < 0 ? 0 : x > 1 ? 1 : x;
}

/* Inks the pixels near the straight piece a-b: coverage falls from 1 to 0 over the pixel at the pen's edge. */
static void ink_piece(const hand *t, point a, point b, int side, uint8_t *image) {
  float reach = t->radius + .5f, dx = b.x - a.x, dy = b.y - a.y, length2 = dx * dx + dy * dy;
  int x0 = (int)floorf(fminf(a.x, b.x) - reach), x1 = (int)ceilf(fmaxf(a.x, b.x) + reach);
  int y0 = (int)floorf(fminf(a.y, b.y) - reach), y1 = (int)ceilf(fmaxf(a.y, b.y) + reach);
  x0 = x0 < 0 ? 0 : x0, x1 = x1 > side ? side : x1;
  y0 = y0 < 0 ? 0 : y0, y1 = y1 > side ? side : y1;
  for (int y = y0; y < y1; y++)
    for (int x = x0; x < x1; x++) {
      float px = (float)x + .5f - a.x, py = (float)y + .5f - a.y;
      float at = length2 > 0 ? clamp01((px * dx + py * dy) / length2) : 0;
      float ex = px - at * dx, ey = py - at * dy;
      float v = t->ink * clamp01(reach - sqrtf(ex * ex + ey * ey));
      if (v > image[y * side + x]) image[y * side + x] = (uint8_t)v;
    }
}

static point along(const point *p, int n, int i, float u) {
  point a = p[i > 0 ? i - 1 : 0], b = p[i], c = p[i + 1], d = p[i + 2 < n ? i + 2 : n - 1];
  float u2 = u * u, u3 = u2 * u;
  float wa = -.5f * u3 + u2 - .5f * u, wb = 1.5f * u3 - 2.5f * u2 + 1;
  float wc = -1.5f * u3 + 2 * u2 + .5f * u, wd = .5f * u3 - .5f * u2;
  return (point){wa * a.x + wb * b.x + wc * c.x + wd * d.x, wa * a.y + wb * b.y + wc * c.y + wd * d.y};
}

static const style *style_pick(draw *d, int digit) {
  int first = 0, n = 0, all = (int)(sizeof styles / sizeof *styles);
  while (styles[first].digit != digit) first++;
  while (first + n < all && styles[first + n].digit == digit) n++;
  return styles + first + draw_below(d, n);
}

void glyph_draw(draw *d, int digit, int side, uint8_t *image) {
  const style *t = style_pick(d, digit);
  hand h = hand_draw(d, side);
  memset(image, 0, (size_t)side * (size_t)side);
  for (int k = 0; k < STROKES && t->s[k].n > 0; k++) {
    stroke s = t->s[k];
    point last;
    for (int i = 0; i < s.n; i++) { /* a shaky pen, on top of the smooth bend */
      s.p[i].x += draw_in(d, -.03f, .03f);
      s.p[i].y += draw_in(d, -.03f, .03f);
    }
    last = hand_place(&h, s.p[0]);
    for (int i = 0; i + 1 < s.n; i++)
      for (int j = 1; j <= STEPS; j++) {
        point next = hand_place(&h, along(s.p, s.n, i, (float)j / STEPS));
        ink_piece(&h, last, next, side, image);
        last = next;
      }
  }
}

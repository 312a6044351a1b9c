/* line.c - a thick line on the canvas, every pixel as OpenCV's drawing.cpp sets it.
 *
 * cv::line with thickness 30 is three figures (ThickLine): a convex quadrilateral, 15 pixels to each side of the
 * line, its corners in point point with 16 fractional bits; and a filled circle of radius 15 about each end. The
 * quadrilateral itself is its outline (Line2) and its inside (FillConvexPoly), which do not agree to the pixel, so
 * both are drawn.
 *
 * OpenCV 4.13 and later, 5.0 among them, first cut the line to the picture and a margin of its thickness, in whole
 * pixels, which shifts a line that begins further outside by a fraction of a pixel. This does so too: up to 4.12 such
 * lines (and no others) differ in a few pixels at their edges. */
#include <math.h>

#include "eval/mask.h"

#define SHIFT 16 /* XY_SHIFT */
#define ONE ((int64_t)1 << SHIFT)
#define HALF (ONE / 2)
#define THICKNESS 30 /* culane_metric.py, llamas_metric.py: width=30 */
#define RADIUS (THICKNESS / 2)

/* Whole pixels, or point point. */
typedef struct point {
    int64_t x, y;
} point;

/* The row's bits, noting that it is drawn on; NULL where it is not on the canvas. */
static uint64_t *touch_row(canvas *c, int64_t y)
{
    if (y < 0 || y >= c->height)
        return NULL;
    c->top = y < c->top ? (int)y : c->top;
    c->bottom = y > c->bottom ? (int)y : c->bottom;
    return c->bits + (size_t)y * (size_t)c->stride;
}

static void fill_pixel(canvas *c, int64_t x, int64_t y)
{
    uint64_t *row = x >= 0 && x < c->width ? touch_row(c, y) : NULL;
    if (row)
        row[x / 64] |= (uint64_t)1 << (x % 64);
}

/* Covers columns first to last of row y, so far as they lie on the canvas. */
static void fill_row(canvas *c, int64_t y, int64_t first, int64_t last)
{
    first = first < 0 ? 0 : first;
    last = last < c->width ? last : c->width - 1;
    uint64_t *row = first <= last ? touch_row(c, y) : NULL;
    if (!row)
        return;
    uint64_t left = ~(uint64_t)0 << (first % 64), right = ~(uint64_t)0 >> (63 - last % 64);
    int64_t w = first / 64, end = last / 64;
    if (w == end) {
        row[w] |= left & right;
        return;
    }
    for (row[w++] |= left; w < end; w++)
        row[w] = ~(uint64_t)0;
    row[w] |= right;
}

/* The filled circle of radius 15 about p. Half-widths of the rows 0 to 15 away from its middle, as the midpoint
 * circle of OpenCV's Circle gives them. */
static void fill_circle(canvas *c, pixel p)
{
    static const uint8_t half[RADIUS + 1] = {15, 14, 14, 14, 14, 14, 13, 13, 12, 12, 11, 10, 9, 7, 5, 0};
    for (int64_t d = -RADIUS; d <= RADIUS; d++) {
        int64_t w = half[d < 0 ? -d : d];
        fill_row(c, p.y + d, p.x - w, p.x + w);
    }
}

/* On which sides of the range 0 to `right` × 0 to `bottom` a point lies. */
enum { LEFT = 1, RIGHT = 2, ABOVE = 4, BELOW = 8 };

static int sides_x(point p, int64_t right)
{
    return (p.x < 0 ? LEFT : 0) | (p.x > right ? RIGHT : 0);
}

static int sides(point p, int64_t right, int64_t bottom)
{
    return sides_x(p, right) | (p.y < 0 ? ABOVE : 0) | (p.y > bottom ? BELOW : 0);
}

/* Where the line a–b is, seen from `from` of one coordinate, when that has come to `edge`: in double, truncated. */
static int64_t cut(int64_t edge, int64_t from, int64_t run, int64_t rise)
{
    return (int64_t)((double)(edge - from) * (double)rise / (double)run);
}

/* clipLine: cuts a–b to the picture, first at its top and bottom, then at its sides, a before b, each with what
 * the cuts before it left. False where nothing is inside. */
static bool clip(int64_t right, int64_t bottom, point *a, point *b)
{
    point *ends[2] = {a, b};
    int at[2] = {sides(*a, right, bottom), sides(*b, right, bottom)};
    if (at[0] & at[1])
        return false;
    for (int i = 0; i < 2; i++) {
        point *p = ends[i];
        if (at[i] & (ABOVE | BELOW)) {
            int64_t edge = at[i] & BELOW ? bottom : 0;
            p->x += cut(edge, p->y, b->y - a->y, b->x - a->x);
            p->y = edge;
            at[i] = sides_x(*p, right);
        }
    }
    if (at[0] & at[1])
        return false;
    for (int i = 0; i < 2; i++) {
        point *p = ends[i];
        if (at[i]) {
            int64_t edge = at[i] & RIGHT ? right : 0;
            p->y += cut(edge, p->x, b->x - a->x, b->y - a->y);
            p->x = edge;
        }
    }
    return true;
}

/* The nearest whole pixel. */
static int64_t whole(int64_t v)
{
    return (v + HALF) >> SHIFT;
}

/* Line2: one pixel for each column of a flat line, for each row of a steep one, and the last. */
static void draw_edge(canvas *c, point a, point b)
{
    if (!clip(c->width * ONE - 1, c->height * ONE - 1, &a, &b))
        return;
    bool flat = llabs(b.x - a.x) > llabs(b.y - a.y);
    if (flat ? b.x < a.x : b.y < a.y) {
        point swap = a;
        a = b;
        b = swap;
    }
    int64_t dx = b.x - a.x, dy = b.y - a.y;
    int64_t count = (flat ? dx : dy) >> SHIFT, step = flat ? dy * ONE / (dx | 1) : dx * ONE / (dy | 1);
    fill_pixel(c, whole(b.x), whole(b.y));
    for (int64_t i = 0; i <= count; i++) {
        int64_t x = flat ? whole(a.x) + i : whole(a.x + i * step), y = flat ? whole(a.y + i * step) : whole(a.y) + i;
        fill_pixel(c, x, y);
    }
}

/* One of the two sides of a convex polygon, followed from its topmost corner down. */
typedef struct side {
    int corner, turn; /* the corner it goes to; +1 or −1 (as 3), the way round */
    int64_t until;    /* the row where it gets there */
    int64_t x, dx;    /* at the row, and from row to row */
} side;

/* Lets s go on to the next corner below row y; horizontal and rising edges are passed over. *left counts the edges
 * of both sides that have not been used. False where they are used up: the polygon ends. */
static bool side_turn(side *s, const point corners[4], int64_t y, int *left)
{
    int from = s->corner, to = (from + s->turn) % 4;
    while ((*left)-- > 0) {
        int64_t row = whole(corners[to].y);
        if (row > y) {
            int64_t rows = row - y;
            s->until = row;
            s->dx = ((corners[to].x - corners[from].x) * 2 + rows) / (2 * rows);
            s->x = corners[from].x;
            s->corner = to;
            return true;
        }
        from = to;
        to = (to + s->turn) % 4;
    }
    return false;
}

static void fill_inside(canvas *c, const point corners[4])
{
    int top = 0, left = 4;
    int64_t last = corners[0].y;
    for (int i = 1; i < 4; i++) {
        top = corners[i].y < corners[top].y ? i : top;
        last = corners[i].y > last ? corners[i].y : last;
    }
    last = whole(last) < c->height ? whole(last) : c->height - 1;

    int64_t y = whole(corners[top].y);
    side a = {.corner = top, .turn = 1, .until = y}, b = {.corner = top, .turn = 3, .until = y};
    for (; y <= last; y++) {
        if (y >= a.until && !side_turn(&a, corners, y, &left))
            return;
        if (y >= b.until && !side_turn(&b, corners, y, &left))
            return;
        fill_row(c, y, whole(a.x < b.x ? a.x : b.x), whole(a.x < b.x ? b.x : a.x));
        a.x += a.dx;
        b.x += b.dx;
    }
}

static void fill_quadrilateral(canvas *c, pixel from, pixel to)
{
    point p = {(int64_t)from.x + THICKNESS, (int64_t)from.y + THICKNESS};
    point q = {(int64_t)to.x + THICKNESS, (int64_t)to.y + THICKNESS};
    if (!clip(c->width + 2 * THICKNESS - 1, c->height + 2 * THICKNESS - 1, &p, &q) || (p.x == q.x && p.y == q.y))
        return;
    double dx = (double)(p.x - q.x), dy = (double)(q.y - p.y), scale = THICKNESS * HALF / sqrt(dx * dx + dy * dy);
    point out = {lrint(dy * scale), lrint(dx * scale)};
    point a = {(p.x - THICKNESS) * ONE, (p.y - THICKNESS) * ONE},
          b = {(q.x - THICKNESS) * ONE, (q.y - THICKNESS) * ONE};
    point corners[4] = {
        {a.x + out.x, a.y + out.y}, {a.x - out.x, a.y - out.y}, {b.x - out.x, b.y - out.y}, {b.x + out.x, b.y + out.y}};
    for (int i = 0; i < 4; i++)
        draw_edge(c, corners[(i + 3) % 4], corners[i]);
    fill_inside(c, corners);
}

void canvas_polyline(canvas *c, const pixel *points, size_t count)
{
    for (size_t i = 0; count >= 2 && i < count; i++) {
        bool moved = i > 0 && (points[i].x != points[i - 1].x || points[i].y != points[i - 1].y);
        if (moved)
            fill_quadrilateral(c, points[i - 1], points[i]);
        if (moved || i == 0)
            fill_circle(c, points[i]);
    }
}

#include "frame/road_look.h"

#include <math.h>

/* Textures are squares of this side, repeated. */
#define SIDE 256
#define LATTICE 16 /* points a side between which the smooth one is interpolated */

/* Metres a texel, across and along. */
#define GRAIN_ACROSS 0.012
#define GRAIN_ALONG 0.05
#define PATCH_ACROSS 0.11
#define PATCH_ALONG 0.45
/* Depth over which the grain has averaged out; depth over which haze hides a third of a colour, and the most that
 * it hides. */
#define GRAIN_DEPTH 9.0
#define HAZE_DEPTH 260.0
#define HAZE_MOST 0.45

struct look {
    int8_t grain[SIDE][SIDE], patch[SIDE][SIDE]; /* -127 to 127 */
    double asphalt[3], meadow[3], sky_high[3], sky_low[3], hill[3], tree[3], rail[3];
    double cloud; /* 0 to 1 */
    int width;
    float *hills, *trees; /* rows above the horizon, by column */
};

static uint64_t next_random(look_random *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

double look_between(look_random *random, double low, double high)
{
    return low + (high - low) * (double)(next_random(random) >> 11) * 0x1p-53;
}

/* ---- textures -------------------------------------------------------------------------------- */

static void make_grain(look *l, look_random *random)
{
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            l->grain[y][x] = (int8_t)look_between(random, -100, 100);
}

static double smooth(double t)
{
    return t * t * (3 - 2 * t);
}

/* One octave of value noise. */
static double noise_at(const float *lattice, int points, double x, double y)
{
    int x0 = (int)x % points, y0 = (int)y % points, x1 = (x0 + 1) % points, y1 = (y0 + 1) % points;
    double fx = smooth(x - floor(x)), fy = smooth(y - floor(y));
    double upper = lattice[y0 * points + x0] * (1 - fx) + lattice[y0 * points + x1] * fx;
    double lower = lattice[y1 * points + x0] * (1 - fx) + lattice[y1 * points + x1] * fx;
    return upper * (1 - fy) + lower * fy;
}

static void make_patch(look *l, look_random *random)
{
    float coarse[LATTICE * LATTICE], fine[LATTICE * LATTICE * 4];
    for (size_t i = 0; i < ARRAY_LEN(coarse); i++)
        coarse[i] = (float)look_between(random, -80, 80);
    for (size_t i = 0; i < ARRAY_LEN(fine); i++)
        fine[i] = (float)look_between(random, -45, 45);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            double u = (double)x * LATTICE / SIDE, v = (double)y * LATTICE / SIDE;
            l->patch[y][x] = (int8_t)(noise_at(coarse, LATTICE, u, v) + noise_at(fine, LATTICE * 2, u * 2, v * 2));
        }
}

static void choose_colour(look_random *random, double out[3], const double dark[3], const double bright[3])
{
    double t = look_between(random, 0, 1);
    for (int c = 0; c < 3; c++)
        out[c] = dark[c] + (bright[c] - dark[c]) * t;
}

#define CHOOSE(random, out, ...)                                                                                       \
    choose_colour(random, out, (const double[2][3]){__VA_ARGS__}[0], (const double[2][3]){__VA_ARGS__}[1])

static void choose_colours(look *l, look_random *random)
{
    CHOOSE(random, l->asphalt, {78, 76, 74}, {122, 120, 118});
    CHOOSE(random, l->meadow, {48, 92, 84}, {66, 118, 124});
    CHOOSE(random, l->sky_high, {196, 150, 104}, {214, 178, 148});
    CHOOSE(random, l->sky_low, {226, 214, 200}, {236, 228, 222});
    CHOOSE(random, l->hill, {150, 132, 112}, {176, 156, 138});
    CHOOSE(random, l->tree, {44, 62, 52}, {62, 84, 74});
    CHOOSE(random, l->rail, {150, 150, 148}, {186, 186, 184});
    l->cloud = look_between(random, 0.2, 1);
}

int look_open(look_random *random, int width, look **out, lanert_error *err)
{
    look *l;
    int rc = memory_new(&l, 1, sizeof *l, err);
    *out = l;
    if (rc)
        return rc;
    l->width = width;
    make_grain(l, random);
    make_patch(l, random);
    choose_colours(l, random);
    if ((rc = memory_new(&l->hills, (size_t)width, sizeof *l->hills, err)) ||
        (rc = memory_new(&l->trees, (size_t)width, sizeof *l->trees, err)))
        look_close(out);
    return rc;
}

void look_close(look **l)
{
    if (*l) {
        free((*l)->hills);
        free((*l)->trees);
    }
    FREE(*l);
}

/* ---- pixels ---------------------------------------------------------------------------------- */

static uint8_t to_byte(double value)
{
    return (uint8_t)(value <= 0 ? 0 : value >= 255 ? 255 : value + 0.5);
}

/* A colour seen through `depth` metres of air. */
static void hazed(const look *l, const double colour_in[3], double depth, double out[3])
{
    double t = fmin(depth / (depth + 2 * HAZE_DEPTH), HAZE_MOST);
    for (int c = 0; c < 3; c++)
        out[c] = colour_in[c] + (l->sky_low[c] - colour_in[c]) * t;
}

/* A texture's row, walked along in steps of 1/65536 of a texel; the wrap of 32 bits is a whole number of
 * textures. */
typedef struct walk {
    const int8_t *texels;
    uint32_t at, step;
} walk;

static uint32_t fixed(double texels)
{
    return (uint32_t)(int64_t)floor(texels * 65536);
}

static walk walk_from(const int8_t texture[SIDE][SIDE], const ground_row *row, int x, double across, double along)
{
    walk w = {texture[(unsigned)(int64_t)floor(row->driven / along) % SIDE], 0, 0};
    w.at = fixed((x - row->zero) * row->metres_a_pixel / across);
    w.step = fixed(row->metres_a_pixel / across);
    return w;
}

static int walk_step(walk *w)
{
    int value = w->texels[w->at >> 16 & (SIDE - 1)];
    w->at += w->step;
    return value;
}

/* Columns from ..< to of one surface. The bases are at least 30 and at most 215, the textures together within
 * ±30: nothing overflows. */
static void fill(const look *l, const ground_row *row, int from, int to, const double surface[3], double roughness)
{
    double base[3];
    hazed(l, surface, row->depth, base);
    int blue = (int)base[0], green = (int)base[1], red = (int)base[2];
    int grain_amount = (int)(18 * roughness * GRAIN_DEPTH / (GRAIN_DEPTH + row->depth));
    int patch_amount = (int)(12 * roughness * HAZE_DEPTH / (HAZE_DEPTH + 4 * row->depth));
    walk grain = walk_from(l->grain, row, from, GRAIN_ACROSS, GRAIN_ALONG);
    walk patch = walk_from(l->patch, row, from, PATCH_ACROSS, PATCH_ALONG);
    uint8_t *out = row->out + from * 3;
    for (int x = from; x < to; x++, out += 3) {
        int d = (walk_step(&grain) * grain_amount + walk_step(&patch) * patch_amount) >> 7;
        out[0] = (uint8_t)(blue + d);
        out[1] = (uint8_t)(green + d);
        out[2] = (uint8_t)(red + d);
    }
}

static int clamp_column(double x, int width)
{
    return x <= 0 ? 0 : x >= width ? width : (int)x;
}

void look_ground(const look *l, const ground_row *row, double left, double right)
{
    int from = clamp_column(row->zero + left / row->metres_a_pixel + 0.5, row->width);
    int to = clamp_column(row->zero + right / row->metres_a_pixel + 0.5, row->width);
    fill(l, row, 0, from, l->meadow, 1.5);
    fill(l, row, from, to, l->asphalt, 1);
    fill(l, row, to, row->width, l->meadow, 1.5);
}

void look_paint(const look *l, const ground_row *row, double from, double to, const colour *paint, double cover)
{
    double ink[3] = {paint->bgr[0], paint->bgr[1], paint->bgr[2]};
    hazed(l, ink, row->depth, ink);
    int first = clamp_column(floor(from + 0.5), row->width), end = clamp_column(ceil(to + 0.5), row->width);
    walk wear = walk_from(l->grain, row, first, GRAIN_ACROSS, GRAIN_ALONG);
    for (int x = first; x < end; x++) {
        double part = fmin(x + 0.5, to) - fmax(x - 0.5, from);
        double amount = fmax(part, 0) * cover * (0.88 + walk_step(&wear) / 1200.0);
        uint8_t *out = row->out + (ptrdiff_t)x * 3;
        for (int c = 0; c < 3; c++)
            out[c] = to_byte(out[c] + (ink[c] - out[c]) * amount);
    }
}

/* ---- what stands upright --------------------------------------------------------------------- */

static double ridge(const look *l, int row, double x)
{
    double at = x - floor(x / SIDE) * SIDE;
    int i = (int)at;
    double t = smooth(at - i);
    return (l->patch[row][i % SIDE] * (1 - t) + l->patch[row][(i + 1) % SIDE] * t) / 127;
}

static void raise_skyline(look *l, int height, double turn)
{
    for (int x = 0; x < l->width; x++) {
        double far = (x + turn) * 1280 / l->width;
        l->hills[x] = (float)(height * (0.045 + 0.05 * ridge(l, 7, far * 0.05)));
        l->trees[x] = (float)(height * (0.02 + 0.012 * ridge(l, 90, far * 0.21) + 0.006 * ridge(l, 200, far * 0.9)));
    }
}

static void draw_sky_row(const look *l, uint8_t *out, int width, double above, int height, double drift)
{
    double t = fmin(above / (0.42 * height), 1), base[3];
    for (int c = 0; c < 3; c++)
        base[c] = l->sky_low[c] + (l->sky_high[c] - l->sky_low[c]) * t;
    /* Clouds lie in a plane overhead: the nearer to the horizon, the smaller. */
    double depth = 50.0 * height / (above + 0.06 * height);
    ground_row plane = {
        .driven = depth + drift, .metres_a_pixel = depth / width * 0.02, .zero = width * 0.5 + drift * 3};
    walk cloud = walk_from(l->patch, &plane, 0, 0.01, 4);
    int strength = (int)(l->cloud * 90 * t), blue = (int)base[0], green = (int)base[1], red = (int)base[2];
    for (int x = 0; x < width; x++, out += 3) {
        int d = walk_step(&cloud) * strength >> 7;
        d = d < 0 ? 0 : d;
        out[0] = (uint8_t)(blue + d * (250 - blue) / 64);
        out[1] = (uint8_t)(green + d * (250 - green) / 64);
        out[2] = (uint8_t)(red + d * (250 - red) / 64);
    }
}

void look_sky(look *l, picture *p, double horizon, double turn, double time_s)
{
    int end = clamp_column(ceil(horizon + 0.5), p->height);
    raise_skyline(l, p->height, turn);
    for (int y = 0; y < end; y++) {
        double above = horizon - y;
        uint8_t *out = p->bgr + (ptrdiff_t)y * p->stride;
        draw_sky_row(l, out, p->width, fmax(above, 0), p->height, time_s + turn * 0.01);
        for (int x = 0; above < 0.1 * p->height && x < p->width; x++) {
            const double *solid = above < l->trees[x] ? l->tree : above < l->hills[x] ? l->hill : NULL;
            for (int c = 0; solid && c < 3; c++)
                out[x * 3 + c] = (uint8_t)solid[c];
        }
    }
}

void look_box(const look *l, picture *p, double left, double right, double top, double bottom, double depth)
{
    double base[3], shade[3];
    int x_end = clamp_column(ceil(right + 0.5), p->width), y_end = clamp_column(bottom + 0.5, p->height);
    for (int c = 0; c < 3; c++)
        shade[c] = l->rail[c] * 0.62;
    hazed(l, shade, depth, base);
    for (int y = clamp_column(top + 0.5, p->height); y < y_end; y++)
        for (int x = clamp_column(floor(left + 0.5), p->width); x < x_end; x++) {
            double part = fmax(fmin(x + 0.5, right) - fmax(x - 0.5, left), 0);
            uint8_t *out = p->bgr + (ptrdiff_t)y * p->stride + (ptrdiff_t)x * 3;
            for (int c = 0; c < 3; c++)
                out[c] = to_byte(out[c] + (base[c] - out[c]) * part);
        }
}

void look_beam(const look *l, uint8_t *out, int width, double upper, double lower, double depth)
{
    double from = fmin(upper, lower), to = fmax(upper, lower), base[3];
    hazed(l, l->rail, depth, base);
    int end = clamp_column(ceil(to + 0.5), width);
    for (int x = clamp_column(floor(from + 0.5), width); x < end; x++) {
        double part = fmax(fmin(x + 0.5, to) - fmax(x - 0.5, from), 0);
        double t = lower == upper ? 0.5 : (x - upper) / (lower - upper);
        double light = 0.86 + 0.16 * cos(9.42 * t); /* a beam is folded into a W */
        for (int c = 0; c < 3; c++)
            out[x * 3 + c] = to_byte(out[x * 3 + c] + (base[c] * light - out[x * 3 + c]) * part);
    }
}

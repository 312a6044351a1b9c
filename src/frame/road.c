#include "frame/road.h"

#include <math.h>

#include "frame/road_look.h"

/* Metres and seconds, in the car's frame: z ahead of the camera, u to the right across the road from the middle
 * of the car's lane. A ground point at depth z is `focal × CAMERA_HEIGHT / z` rows below the horizon. */
#define CAMERA_HEIGHT 1.45
#define FOCAL 0.82   /* of the picture's width: 63 degrees across */
#define HORIZON 0.44 /* of the picture's height */
#define SIGHT 90.0   /* how far lane lines are told */
#define LINE_WIDTH 0.16
#define DASH_LENGTH 4.0
#define DASH_PERIOD 12.0
#define VERGE 0.7       /* asphalt beyond the outermost line */
#define RAIL_OFFSET 1.3 /* from the outermost line to the guard rail */
#define RAIL_LOW 0.42
#define RAIL_HIGH 0.74
#define RAIL_SIGHT 220.0
#define POST_PERIOD 4.0
#define POST_WIDTH 0.14
#define POST_SIGHT 70.0
#define WAVES 2
#define MAX_LINES 5

/* amplitude × sin(distance / length + phase), of the distance driven. */
typedef struct wave {
    double amplitude, length, phase;
} wave;

typedef struct lane_line {
    double u;
    bool dashed;
    colour paint;
} lane_line;

struct road {
    int width, height;
    double focal, speed;
    double edge_left, edge_right; /* u of the asphalt's ends */
    double rail;                  /* u of the guard rail */
    wave curves[WAVES];           /* curvature, 1/m */
    wave sway;                    /* the car in its lane, m */
    wave nod;                     /* pitch, of the picture's height */
    lane_line lines[MAX_LINES];
    int line_count;
    look *look;
};

/* Where things are in one frame. */
typedef struct view {
    double driven, horizon;
    double offset, slope; /* the car's own place and direction across the road */
} view;

/* ---- the road's shape ------------------------------------------------------------------------ */

static double wave_at(const wave *w, double s)
{
    return w->amplitude * sin(s / w->length + w->phase);
}

/* How far the road has moved to the right `z` metres ahead: its curvature, integrated twice from the car on. */
static double bend(const road *r, double driven, double z)
{
    double sum = 0;
    for (int i = 0; i < WAVES; i++) {
        const wave *w = &r->curves[i];
        double from = driven / w->length + w->phase, to = from + z / w->length;
        sum += w->amplitude * w->length * (w->length * (sin(from) - sin(to)) + z * cos(from));
    }
    return sum;
}

/* The direction the car looks in, radians from the start's: what lies far away moves by it. */
static double heading(const road *r, double driven)
{
    double sum = 0;
    for (int i = 0; i < WAVES; i++)
        sum -= r->curves[i].amplitude * r->curves[i].length * cos(driven / r->curves[i].length + r->curves[i].phase);
    return sum;
}

static view view_at(const road *r, double time_s)
{
    view v = {.driven = r->speed * time_s};
    v.horizon = r->height * (HORIZON + wave_at(&r->nod, v.driven));
    v.offset = wave_at(&r->sway, v.driven);
    v.slope = r->sway.amplitude / r->sway.length * cos(v.driven / r->sway.length + r->sway.phase);
    return v;
}

/* Metres to the right of the camera's axis of the road's middle (u = 0) at depth z. */
static double middle_at(const road *r, const view *v, double z)
{
    return bend(r, v->driven, z) - v->offset - v->slope * z;
}

static double column_at(const road *r, const view *v, double u, double z)
{
    return r->width * 0.5 + r->focal * (u + middle_at(r, v, z)) / z;
}

/* ---- drawing --------------------------------------------------------------------------------- */

/* Metres of paint in [0, s) of a dashed line. */
static double paint_until(double s)
{
    double periods = floor(s / DASH_PERIOD);
    return periods * DASH_LENGTH + fmin(s - periods * DASH_PERIOD, DASH_LENGTH);
}

static void draw_lines(const road *r, const view *v, const ground_row *row, double near, double far)
{
    double dashes = (paint_until(v->driven + far) - paint_until(v->driven + near)) / (far - near);
    for (int i = 0; i < r->line_count; i++) {
        const lane_line *line = &r->lines[i];
        double from = row->zero + (line->u - LINE_WIDTH / 2) / row->metres_a_pixel;
        double to = row->zero + (line->u + LINE_WIDTH / 2) / row->metres_a_pixel;
        look_paint(r->look, row, from, to, &line->paint, line->dashed ? dashes : 1);
    }
}

static void draw_ground(const road *r, const view *v, picture *p)
{
    double scale = r->focal * CAMERA_HEIGHT;
    for (int y = (int)ceil(v->horizon + 0.5); y < p->height; y++) {
        if (y < 0)
            continue;
        double below = y - v->horizon, z = scale / below;
        ground_row row = {
            .out = p->bgr + (ptrdiff_t)y * p->stride, .width = p->width, .depth = z, .driven = v->driven + z};
        row.metres_a_pixel = z / r->focal;
        row.zero = column_at(r, v, 0, z);
        look_ground(r->look, &row, r->edge_left, r->edge_right);
        draw_lines(r, v, &row, scale / (below + 0.5), scale / fmax(below - 0.5, 1e-3));
    }
}

static double row_at(const road *r, const view *v, double up, double z)
{
    return v->horizon + r->focal * (CAMERA_HEIGHT - up) / z;
}

static void draw_posts(const road *r, const view *v, picture *p)
{
    double first = ceil((v->driven + 2) / POST_PERIOD) * POST_PERIOD - v->driven;
    double z = first + floor((POST_SIGHT - first) / POST_PERIOD) * POST_PERIOD;
    for (; z >= first; z -= POST_PERIOD) {
        double x = column_at(r, v, r->rail + 0.1, z), half = r->focal * POST_WIDTH / 2 / z;
        look_box(r->look, p, x - half, x + half, row_at(r, v, RAIL_HIGH, z), row_at(r, v, 0, z), z);
    }
}

/* In each row the beam is seen from the depth of its upper rim to that of its lower one, which is farther. */
static void draw_beam(const road *r, const view *v, picture *p)
{
    int from = (int)ceil(row_at(r, v, RAIL_HIGH, RAIL_SIGHT));
    for (int y = from < 0 ? 0 : from; y < p->height; y++) {
        double below = y - v->horizon;
        double high_z = r->focal * (CAMERA_HEIGHT - RAIL_HIGH) / below;
        double low_z = fmin(r->focal * (CAMERA_HEIGHT - RAIL_LOW) / below, RAIL_SIGHT);
        double upper = column_at(r, v, r->rail, high_z), lower = column_at(r, v, r->rail, low_z);
        look_beam(r->look, p->bgr + (ptrdiff_t)y * p->stride, p->width, upper, lower, high_z);
    }
}

/* ---- truth ----------------------------------------------------------------------------------- */

/* The line's points from the picture's lower rim up to where it first leaves the picture or is out of sight. */
static void trace(const road *r, const view *v, const lane_line *line, lanert_lane *lane)
{
    double scale = r->focal * CAMERA_HEIGHT, bottom = r->height - 1, top = fmax(v->horizon + scale / SIGHT, 0);
    int first = LANERT_LANE_POINTS, last = -1;
    lane->score = 1;
    for (int i = LANERT_LANE_POINTS - 1; i >= 0; i--) {
        double y = bottom - (bottom - top) * (LANERT_LANE_POINTS - 1 - i) / (LANERT_LANE_POINTS - 1);
        double x = column_at(r, v, line->u, scale / (y - v->horizon));
        bool inside = top < bottom && x >= 0 && x <= r->width - 1;
        if (!inside && last >= 0)
            break;
        if (!inside)
            continue;
        first = i;
        last = last < 0 ? i : last;
        lane->points[i] = (lanert_point){x, y};
    }
    lane->count = last < first ? 0 : last - first + 1;
    memmove(lane->points, lane->points + (lane->count ? first : 0), (size_t)lane->count * sizeof *lane->points);
}

static int trace_all(const road *r, const view *v, picture *p, lanert_error *err)
{
    int rc = p->truth ? 0 : memory_new(&p->truth, LANERT_MAX_LANES, sizeof *p->truth, err);
    if (rc)
        return rc;
    p->truth_count = 0;
    for (int i = 0; i < r->line_count; i++) {
        lanert_lane *lane = &p->truth[p->truth_count];
        trace(r, v, &r->lines[i], lane);
        p->truth_count += lane->count >= 2;
    }
    return 0;
}

int road_draw(road *r, double time_s, picture *p, lanert_error *err)
{
    view v = view_at(r, time_s);
    int rc = picture_resize(p, r->width, r->height, err);
    if (rc || (rc = trace_all(r, &v, p, err)))
        return rc;
    look_sky(r->look, p, v.horizon, heading(r, v.driven) * r->focal, time_s);
    draw_ground(r, &v, p);
    draw_posts(r, &v, p);
    draw_beam(r, &v, p);
    return 0;
}

/* ---- choosing a road ------------------------------------------------------------------------- */

static wave choose_wave(look_random *random, double amplitude, double shortest, double longest)
{
    wave w = {.amplitude = amplitude * look_between(random, 0.5, 1)};
    w.length = look_between(random, shortest, longest);
    w.phase = look_between(random, 0, 6.283185307179586);
    return w;
}

static void choose_lines(road *r, look_random *random)
{
    static const colour white = {{236, 238, 240}}, yellow = {{70, 186, 232}};
    double lane_width = look_between(random, 3.3, 3.8);
    int lanes = 2 + (int)look_between(random, 0, 3), own = (int)look_between(random, 0, lanes);
    bool yellow_left = look_between(random, 0, 1) < 0.5;
    r->line_count = lanes + 1;
    for (int i = 0; i <= lanes; i++) {
        lane_line *line = &r->lines[i];
        line->u = (i - own - 0.5) * lane_width;
        line->dashed = i > 0 && i < lanes;
        line->paint = i == 0 && yellow_left ? yellow : white;
    }
    r->edge_left = r->lines[0].u - VERGE;
    r->edge_right = r->lines[lanes].u + VERGE;
    r->rail = look_between(random, 0, 1) < 0.5 ? r->lines[0].u - RAIL_OFFSET : r->lines[lanes].u + RAIL_OFFSET;
}

int road_open(uint64_t seed, int width, int height, road **out, lanert_error *err)
{
    road *r;
    look_random random = {seed};
    int rc = memory_new(&r, 1, sizeof *r, err);
    if (rc)
        return rc;
    r->width = width;
    r->height = height;
    r->focal = FOCAL * width;
    r->speed = look_between(&random, 22, 34);
    r->curves[0] = choose_wave(&random, 1 / 450.0, 90, 160);
    r->curves[1] = choose_wave(&random, 1 / 900.0, 40, 70);
    r->sway = choose_wave(&random, 0.3, 35, 60);
    r->nod = choose_wave(&random, 0.006, 6, 11);
    choose_lines(r, &random);
    if ((rc = look_open(&random, width, &r->look, err)))
        road_close(&r);
    *out = r;
    return rc;
}

void road_close(road **r)
{
    if (*r)
        look_close(&(*r)->look);
    FREE(*r);
}

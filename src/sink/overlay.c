#include "sink/overlay.h"

#include <cairo.h>
#include <math.h>

#include "base/clock.h"
#include "base/memory.h"
#include "sink/figures.h"
#include "sink/lane_shape.h"

/* All lengths are pixels of a picture 720 high and are scaled with it. */
#define LANE_HALF_WIDTH 3.4 /* of a line's core where it is nearest */
#define LANE_FAR 0.3        /* part of that width where it is farthest */
#define LANE_CASING 1.4     /* a dark rim that sets the core off from a pale road */
#define LANE_GLOW 3.4       /* times the core's width */
#define OWN_LANE_EMPHASIS 1.25
#define OWN_LANE_ALPHA 0.25
#define TRUTH_WIDTH 1.8
#define TRUTH_DASH 7.0
#define HORIZON 0.35 /* part of the picture's height above which a line grows no thinner */
#define LABEL_SIZE 15.0
#define TITLE_SIZE 14.0
#define VALUE_SIZE 25.0
#define CAPTION_SIZE 11.5
#define PANEL_MARGIN 16.0
#define PANEL_PAD 15.0
#define TITLE_MAX_WIDTH 420.0

#define DESIGN_WIDTH 1280.0
#define DESIGN_HEIGHT 720.0
/* In a smaller picture lines and text shrink no further: text below this cannot be read. */
#define LEAST_LINE_SCALE 0.4
#define LEAST_TEXT_SCALE 0.7

typedef struct colour {
    double r, g, b;
} colour;

/* After Okabe and Ito's palette, which stays distinct to the colour-blind, lightened for dark roads. Own lane's
 * line first, then outwards. */
static const colour left_colours[] = {{0.27, 0.76, 1.00}, {0.92, 0.56, 0.82}, {0.95, 0.90, 0.30}};
static const colour right_colours[] = {{1.00, 0.66, 0.12}, {0.16, 0.84, 0.60}, {0.96, 0.45, 0.25}};
static const colour own_lane_colour = {0.25, 0.86, 0.92};
static const colour ink = {0.05, 0.07, 0.10}, white = {1, 1, 1}, alarm = {1.00, 0.66, 0.12};

typedef struct box {
    double x, y, w, h;
} box;

struct overlay {
    char title[256];
    bool truth;
    cairo_font_face_t *regular, *bold;
    figures figures;
    cairo_surface_t *panel; /* as drawn when its figures last changed */
    box panel_box;          /* where it goes */
    double panel_scale;
};

/* ---- opening --------------------------------------------------------------------------------- */

/* Cairo refuses to draw anything more once it met a text that is not UTF-8. */
static void title_set(overlay *o, const char *title)
{
    cairo_matrix_t unit;
    cairo_glyph_t *glyphs = NULL;
    int count = 0;
    snprintf(o->title, sizeof o->title, "%s", title);
    cairo_matrix_init_identity(&unit);
    cairo_font_options_t *plain = cairo_font_options_create();
    cairo_scaled_font_t *font = cairo_scaled_font_create(o->bold, &unit, &unit, plain);
    bool sound = cairo_scaled_font_text_to_glyphs(font, 0, 0, o->title, -1, &glyphs, &count, NULL, NULL, NULL) ==
                 CAIRO_STATUS_SUCCESS;
    for (char *p = o->title; *p; p++)
        if ((unsigned char)*p < ' ' || (!sound && (unsigned char)*p >= 0x7f))
            *p = '?';
    cairo_glyph_free(glyphs);
    cairo_scaled_font_destroy(font);
    cairo_font_options_destroy(plain);
}

int overlay_open(const char *title, bool truth, overlay **out, lanert_error *err)
{
    overlay *o;
    int rc = memory_new(&o, 1, sizeof *o, err);
    *out = o;
    if (rc)
        return rc;
    /* Where no font at all is installed, Cairo draws with one of its own. */
    o->regular = cairo_toy_font_face_create("sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    o->bold = cairo_toy_font_face_create("sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_BOLD);
    o->truth = truth;
    if (title)
        title_set(o, title);
    return 0;
}

void overlay_close(overlay **out)
{
    overlay *o = *out;
    if (!o)
        return;
    cairo_surface_destroy(o->panel);
    cairo_font_face_destroy(o->regular);
    cairo_font_face_destroy(o->bold);
    FREE(*out);
}

/* ---- shapes ---------------------------------------------------------------------------------- */

static void set_colour(cairo_t *cr, colour c, double alpha)
{
    cairo_set_source_rgba(cr, c.r, c.g, c.b, alpha);
}

static void round_box(cairo_t *cr, box b, double radius)
{
    cairo_new_sub_path(cr);
    cairo_arc(cr, b.x + b.w - radius, b.y + radius, radius, -M_PI / 2, 0);
    cairo_arc(cr, b.x + b.w - radius, b.y + b.h - radius, radius, 0, M_PI / 2);
    cairo_arc(cr, b.x + radius, b.y + b.h - radius, radius, M_PI / 2, M_PI);
    cairo_arc(cr, b.x + radius, b.y + radius, radius, M_PI, 3 * M_PI / 2);
    cairo_close_path(cr);
}

static bool boxes_meet(box a, box b, double gap)
{
    return a.x < b.x + b.w + gap && b.x < a.x + a.w + gap && a.y < b.y + b.h + gap && b.y < a.y + a.h + gap;
}

/* On from the current point, which is p[0], through every point: Catmull and Rom's curve. `step` −1 goes
 * through them backwards, p being the last. */
static void curve_through(cairo_t *cr, const lanert_point *p, int count, int step)
{
    for (int i = 0; i + 1 < count; i++) {
        lanert_point a = p[i * step], b = p[(i + 1) * step];
        lanert_point before = i > 0 ? p[(i - 1) * step] : a, after = i + 2 < count ? p[(i + 2) * step] : b;
        cairo_curve_to(cr, a.x + (b.x - before.x) / 6, a.y + (b.y - before.y) / 6, b.x - (after.x - a.x) / 6,
                       b.y - (after.y - a.y) / 6, b.x, b.y);
    }
}

/* ---- lanes ----------------------------------------------------------------------------------- */

static colour colour_of(int place)
{
    int i = (place < 0 ? -place : place) - 1;
    return place < 0 ? left_colours[i % (int)ARRAY_LEN(left_colours)]
                     : right_colours[i % (int)ARRAY_LEN(right_colours)];
}

/* Thinner with distance, as paint on the road is. */
static double half_width(const lane_shape *s, double y, int height, double scale)
{
    double near = (y / height - HORIZON) / (1 - HORIZON);
    near = near < 0 ? 0 : near > 1 ? 1 : near;
    bool own = s->place == -1 || s->place == 1;
    return LANE_HALF_WIDTH * scale * (own ? OWN_LANE_EMPHASIS : 1) * (LANE_FAR + (1 - LANE_FAR) * near);
}

/* The outline of a line as wide as its core, times `widen`, with `rim` pixels more on either side. */
static void lane_path(cairo_t *cr, const lane_shape *s, double widen, double rim, int height, double scale)
{
    lanert_point left[LANERT_LANE_POINTS], right[LANERT_LANE_POINTS];
    double angle = 0, half = 0;
    for (int i = 0; i < s->count; i++) {
        lanert_point before = s->points[i > 0 ? i - 1 : 0], after = s->points[i + 1 < s->count ? i + 1 : i];
        lanert_point p = s->points[i];
        angle = atan2(after.y - before.y, after.x - before.x);
        half = half_width(s, p.y, height, scale) * widen + rim;
        double dx = -sin(angle) * half, dy = cos(angle) * half;
        left[i] = (lanert_point){p.x + dx, p.y + dy};
        right[i] = (lanert_point){p.x - dx, p.y - dy};
    }
    lanert_point end = s->points[s->count - 1];
    cairo_move_to(cr, left[0].x, left[0].y);
    curve_through(cr, left, s->count, 1);
    cairo_arc_negative(cr, end.x, end.y, half, angle + M_PI / 2, angle - M_PI / 2);
    curve_through(cr, right + s->count - 1, s->count, -1);
    cairo_close_path(cr);
}

static void lane_draw(cairo_t *cr, const lane_shape *s, int height, double scale)
{
    const colour c = colour_of(s->place);
    const colour pale = {c.r + (1 - c.r) * 0.55, c.g + (1 - c.g) * 0.55, c.b + (1 - c.b) * 0.55};
    lane_path(cr, s, LANE_GLOW, 0, height, scale);
    set_colour(cr, c, 0.2);
    cairo_fill(cr);
    lane_path(cr, s, 1, LANE_CASING * scale, height, scale);
    set_colour(cr, ink, 0.55);
    cairo_fill(cr);
    lane_path(cr, s, 1, 0, height, scale);
    set_colour(cr, c, 1);
    cairo_fill(cr);
    lane_path(cr, s, 0.3, 0, height, scale);
    set_colour(cr, pale, 0.9);
    cairo_fill(cr);
}

/* The known lanes: thin and dashed, over those that were found. */
static void truth_draw(cairo_t *cr, const lanert_frame *frame, double scale)
{
    const double dash = TRUTH_DASH * scale;
    cairo_set_dash(cr, &dash, 1, 0);
    cairo_set_line_width(cr, TRUTH_WIDTH * scale);
    cairo_set_source_rgba(cr, 1, 1, 1, 0.95);
    for (int i = 0; i < frame->truth_count; i++) {
        const lanert_lane *lane = &frame->truth[i];
        for (int k = 0; k < lane->count; k++)
            cairo_line_to(cr, lane->points[k].x, lane->points[k].y);
        cairo_stroke(cr);
    }
}

/* The lane that the car drives in, between the lines on either side of it, fading into the distance. */
static void own_lane_draw(cairo_t *cr, const lane_shape *left, const lane_shape *right)
{
    const lanert_point left_end = left->points[left->count - 1], right_end = right->points[right->count - 1];
    const double top = fmax(left->points[0].y, right->points[0].y), bottom = fmax(left_end.y, right_end.y);
    cairo_move_to(cr, left->points[0].x, left->points[0].y);
    curve_through(cr, left->points, left->count, 1);
    cairo_line_to(cr, lane_shape_x(left, bottom), bottom);
    cairo_line_to(cr, lane_shape_x(right, bottom), bottom);
    cairo_line_to(cr, right_end.x, right_end.y);
    curve_through(cr, right->points + right->count - 1, right->count, -1);
    cairo_close_path(cr);
    cairo_pattern_t *fade = cairo_pattern_create_linear(0, top, 0, bottom);
    const colour c = own_lane_colour;
    cairo_pattern_add_color_stop_rgba(fade, 0, c.r, c.g, c.b, 0);
    cairo_pattern_add_color_stop_rgba(fade, 1, c.r, c.g, c.b, OWN_LANE_ALPHA);
    cairo_set_source(cr, fade);
    cairo_fill(cr);
    cairo_pattern_destroy(fade);
}

/* ---- labels ---------------------------------------------------------------------------------- */

static box text_box(cairo_t *cr, cairo_font_face_t *face, double size, const char *text)
{
    cairo_text_extents_t e;
    cairo_set_font_face(cr, face);
    cairo_set_font_size(cr, size);
    cairo_text_extents(cr, text, &e);
    return (box){e.x_bearing, e.y_bearing, e.width, e.height};
}

/* The lowest place on the lane where a label of that size is inside the picture and clear of the others. */
static bool label_place(const lane_shape *s, const lanert_frame *frame, double margin, const box *taken, int count,
                        box *label)
{
    lanert_point first = s->points[0], last = s->points[s->count - 1];
    double lowest = fmin(last.y, frame->height - margin - label->h / 2);
    for (double y = lowest; y >= first.y && y >= margin + label->h / 2; y -= label->h / 2) {
        double x = lane_shape_x(s, y);
        if (x < 0 || x > frame->width)
            continue;
        label->x = fmax(margin, fmin(x - label->w / 2, frame->width - margin - label->w));
        label->y = y - label->h / 2;
        bool clear = label->x >= 0;
        for (int i = 0; i < count && clear; i++)
            clear = !boxes_meet(*label, taken[i], margin / 2);
        if (clear)
            return true;
    }
    return false;
}

static void label_draw(cairo_t *cr, const overlay *o, const char *text, box label, box extents, colour c, double scale)
{
    const box rim = {label.x - 1.5 * scale, label.y - 1.5 * scale, label.w + 3 * scale, label.h + 3 * scale};
    round_box(cr, rim, rim.h / 2);
    set_colour(cr, ink, 0.6);
    cairo_fill(cr);
    round_box(cr, label, label.h / 2);
    set_colour(cr, c, 1);
    cairo_fill(cr);
    cairo_set_font_face(cr, o->bold);
    cairo_set_font_size(cr, LABEL_SIZE * scale);
    cairo_move_to(cr, label.x + (label.w - extents.w) / 2 - extents.x, label.y + (label.h - extents.h) / 2 - extents.y);
    set_colour(cr, ink, 1);
    cairo_show_text(cr, text);
}

static void labels_draw(cairo_t *cr, const overlay *o, const lanert_frame *frame, const lane_shape *shapes, int count,
                        double scale)
{
    box taken[LANERT_MAX_LANES + 1] = {o->panel_box};
    int n = 1;
    for (int i = 0; i < count; i++) {
        char text[16];
        if (shapes[i].score < 0) /* of lanes that have none */
            continue;
        double score = shapes[i].score <= 1 ? shapes[i].score : 0;
        snprintf(text, sizeof text, "%.2f", score);
        box extents = text_box(cr, o->bold, LABEL_SIZE * scale, text);
        box label = {0, 0, extents.w + 1.3 * LABEL_SIZE * scale, 1.55 * LABEL_SIZE * scale};
        if (!label_place(&shapes[i], frame, 8 * scale, taken, n, &label))
            continue;
        label_draw(cr, o, text, label, extents, colour_of(shapes[i].place), scale);
        taken[n++] = label;
    }
}

/* ---- the panel ------------------------------------------------------------------------------- */

typedef struct column {
    const char *caption, *value;
    double width;
    bool alarm;
} column;

static void show_text(cairo_t *cr, cairo_font_face_t *face, double size, double x, double baseline, const char *text)
{
    cairo_set_font_face(cr, face);
    cairo_set_font_size(cr, size);
    cairo_move_to(cr, x, baseline);
    cairo_show_text(cr, text);
}

/* Cuts the title, at a whole character, to what fits; returns its width. */
static double title_fit(cairo_t *cr, const overlay *o, double size, double limit, char title[256])
{
    double width;
    memcpy(title, o->title, sizeof o->title);
    size_t length = strlen(title);
    while ((width = text_box(cr, o->bold, size, title).w) > limit && length) {
        while (length && ((unsigned char)title[--length] & 0xc0) == 0x80)
            ;
        snprintf(title + length, 256 - length, "%s", length <= 252 ? "…" : "");
    }
    return width;
}

static int columns_make(cairo_t *cr, const overlay *o, double scale, column columns[3])
{
    const figures *f = &o->figures;
    const column all[] = {{"FPS", f->rate, 0, false},
                          {f->late ? "LATE" : "LATENCY", f->latency, 0, f->late},
                          {"LANES", f->lanes, 0, false}};
    int n = 0;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (!all[i].value[0])
            continue;
        columns[n] = all[i];
        double caption = text_box(cr, o->regular, CAPTION_SIZE * scale, all[i].caption).w;
        columns[n++].width = fmax(caption, text_box(cr, o->bold, VALUE_SIZE * scale, all[i].value).w);
    }
    return n;
}

/* Draws the panel, its upper left corner at (0, 0), and returns its size; called once on nothing to learn it. */
static box panel_paint(cairo_t *cr, const overlay *o, double scale)
{
    column columns[3];
    char title[256];
    const double pad = PANEL_PAD * scale, gap = 24 * scale;
    double title_width = title_fit(cr, o, TITLE_SIZE * scale, TITLE_MAX_WIDTH * scale, title), x = pad;
    double top = title[0] ? pad + 26 * scale : pad;
    int n = columns_make(cr, o, scale, columns);
    box panel = {0, 0, 0, top + 38 * scale + pad};
    for (int i = 0; i < n; i++)
        panel.w += columns[i].width + (i ? gap : 0);
    panel.w = fmax(panel.w, title_width) + 2 * pad;

    round_box(cr, (box){0.5, 0.5, panel.w - 1, panel.h - 1}, 11 * scale);
    set_colour(cr, ink, 0.66);
    cairo_fill_preserve(cr);
    cairo_set_source_rgba(cr, 1, 1, 1, 0.16);
    cairo_set_line_width(cr, 1);
    cairo_stroke(cr);

    cairo_set_source_rgba(cr, 1, 1, 1, 0.95);
    show_text(cr, o->bold, TITLE_SIZE * scale, pad, pad + 11 * scale, title);
    for (int i = 0; i < n; i++) {
        cairo_set_source_rgba(cr, 1, 1, 1, 0.62);
        show_text(cr, o->regular, CAPTION_SIZE * scale, x, top + 9 * scale, columns[i].caption);
        set_colour(cr, columns[i].alarm ? alarm : white, 1);
        show_text(cr, o->bold, VALUE_SIZE * scale, x, top + 38 * scale, columns[i].value);
        x += columns[i].width + gap;
    }
    return panel;
}

static void panel_renew(overlay *o, double scale)
{
    cairo_surface_t *nothing = cairo_recording_surface_create(CAIRO_CONTENT_ALPHA, NULL);
    cairo_t *cr = cairo_create(nothing);
    o->panel_box = panel_paint(cr, o, scale);
    cairo_destroy(cr);
    cairo_surface_destroy(nothing);

    cairo_surface_destroy(o->panel);
    o->panel = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, (int)ceil(o->panel_box.w), (int)ceil(o->panel_box.h));
    cr = cairo_create(o->panel);
    panel_paint(cr, o, scale);
    cairo_destroy(cr);
    o->panel_scale = scale;
    o->panel_box.x = o->panel_box.y = round(PANEL_MARGIN * scale);
}

/* ---- the frame ------------------------------------------------------------------------------- */

int overlay_draw(overlay *o, uint8_t *bgra, int stride, const lanert_frame *frame, const lanert_result *result,
                 lanert_error *err)
{
    lane_shape shapes[LANERT_MAX_LANES];
    const double scale = fmin(frame->width / DESIGN_WIDTH, frame->height / DESIGN_HEIGHT);
    const double line_scale = fmax(LEAST_LINE_SCALE, scale), text_scale = fmax(LEAST_TEXT_SCALE, scale);
    int count = lane_shapes_make(result->lanes, result->count, frame->width, frame->height, shapes);
    bool changed = figures_add(&o->figures, clock_ns(), result);
    if (changed || text_scale != o->panel_scale)
        panel_renew(o, text_scale);

    cairo_surface_t *surface =
        cairo_image_surface_create_for_data(bgra, CAIRO_FORMAT_RGB24, frame->width, frame->height, stride);
    cairo_t *cr = cairo_create(surface);
    const lane_shape *left = lane_shape_find(shapes, count, -1), *right = lane_shape_find(shapes, count, 1);
    if (left && right)
        own_lane_draw(cr, left, right);
    for (int i = 0; i < count; i++)
        lane_draw(cr, &shapes[i], frame->height, line_scale);
    if (o->truth)
        truth_draw(cr, frame, line_scale);
    labels_draw(cr, o, frame, shapes, count, text_scale);
    const box p = o->panel_box;
    if (2 * p.x + p.w <= frame->width && 2 * p.y + p.h <= frame->height) {
        cairo_set_source_surface(cr, o->panel, p.x, p.y);
        cairo_paint(cr);
    }
    cairo_status_t status = cairo_status(cr);
    cairo_destroy(cr);
    cairo_surface_destroy(surface);
    if (status)
        return error_set(err, status == CAIRO_STATUS_NO_MEMORY ? LANERT_ENOMEM : LANERT_EINVAL,
                         "the lanes could not be drawn on a %d×%d picture: %s", frame->width, frame->height,
                         cairo_status_to_string(status));
    return 0;
}

#include "lane/lane_file.h"

#include <limits.h>

#include "lane/spline.h"
#include "lane/text.h"

/* The rows at which a data set's file tells x. Its y are over `height`, its x over `width`: of LLAMAS one less
 * than the picture has, as the reference writes them. */
typedef struct row_grid {
    int first, step, count;
    int width, height;
} row_grid;

static const row_grid culane_rows = {270, 8, 40, 1640, 590};    /* 270, 278 … 582 */
static const row_grid llamas_rows = {300, 1, 417, 1275, 716};   /* 300, 301 … 716 */
static const row_grid tusimple_rows = {160, 10, 56, 1280, 720}; /* 160, 170 … 710 */

/* How far beyond its points a lane is still told; clrnet/utils/lane.py. */
#define MARGIN 0.01
/* What x is where a lane does not reach. */
#define NO_X (-2)

static double row_y(const row_grid *grid, int row)
{
    return (double)(grid->first + row * grid->step) / grid->height;
}

static double lane_x(const spline *s, double y)
{
    return y < s->t[0] - MARGIN || y > s->t[s->count - 1] + MARGIN ? NO_X : spline_at(s, y);
}

static int fit_lane(spline *s, const lane_curve *lanes, int i, lanert_error *err)
{
    int rc = spline_fit(s, lanes[i].y, lanes[i].x, lanes[i].count, err);
    return rc ? error_within(err, rc, "lane %d", i) : 0;
}

/* The points of one lane that lie in the picture, from the bottom up; nothing where none does. */
static int add_points(const row_grid *grid, const spline *s, const char *before, buffer *out, lanert_error *err)
{
    int rc;
    for (int row = grid->count - 1; row >= 0; row--) {
        double y = row_y(grid, row), x = lane_x(s, y);
        if (!(x >= 0 && x < 1))
            continue;
        if ((rc = buffer_text(out, before, err)) || (rc = text_fixed(out, x * grid->width, 5, err)) ||
            (rc = buffer_text(out, " ", err)) || (rc = text_fixed(out, y * grid->height, 5, err)))
            return rc;
        before = " ";
    }
    return 0;
}

static int add_lines(const row_grid *grid, const lane_curve *lanes, int count, buffer *out, lanert_error *err)
{
    int rc;
    size_t start = out->size;
    spline s;
    for (int i = 0; i < count; i++)
        if ((rc = fit_lane(&s, lanes, i, err)) || (rc = add_points(grid, &s, out->size > start ? "\n" : "", out, err)))
            return rc;
    return 0;
}

int lane_file_culane(const lane_curve *lanes, int count, buffer *out, lanert_error *err)
{
    return add_lines(&culane_rows, lanes, count, out, err);
}

int lane_file_llamas(const lane_curve *lanes, int count, buffer *out, lanert_error *err)
{
    return add_lines(&llamas_rows, lanes, count, out, err);
}

/* x in whole pixels, towards 0. */
static int pixel_x(const row_grid *grid, double x)
{
    x *= grid->width;
    return !(x >= 0) ? NO_X : x < INT_MAX ? (int)x : INT_MAX;
}

static int add_list(const row_grid *grid, const spline *s, buffer *out, lanert_error *err)
{
    int rc = 0;
    for (int row = 0; row < grid->count && !rc; row++)
        rc = buffer_format(out, err, "%s%d", row ? ", " : "[", pixel_x(grid, lane_x(s, row_y(grid, row))));
    return rc ? rc : buffer_text(out, "]", err);
}

int lane_file_tusimple(const char *raw_file, double run_time_ms, const lane_curve *lanes, int count, buffer *out,
                       lanert_error *err)
{
    int rc;
    spline s;
    if ((rc = buffer_text(out, "{\"raw_file\": ", err)) || (rc = text_string(out, raw_file, err)) ||
        (rc = buffer_text(out, ", \"lanes\": [", err)))
        return rc;
    for (int i = 0; i < count; i++)
        if ((rc = fit_lane(&s, lanes, i, err)) || (rc = buffer_text(out, i ? ", " : "", err)) ||
            (rc = add_list(&tusimple_rows, &s, out, err)))
            return rc;
    if ((rc = buffer_text(out, "], \"run_time\": ", err)) || (rc = text_number(out, run_time_ms, 6, err)))
        return rc;
    return buffer_text(out, "}", err);
}

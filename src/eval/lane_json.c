/* lane_json.c - reads TuSimple's JSON lines and LLAMAS's label files. */
#include <jansson.h>
#include <math.h>

#include "eval/lane_reader.h"
#include "eval/llamas_label.h"

static int parse(const char *text, size_t size, const char *name, int line, json_t **out, lanert_error *err)
{
    json_error_t why;
    *out = json_loadb(text, size, 0, &why);
    if (!*out)
        return error_set(err, LANERT_EFORMAT, "%s:%d: column %d: not JSON: %.200s", name, line + why.line - 1,
                         why.column, why.text);
    if (json_is_object(*out))
        return 0;
    json_decref(*out);
    *out = NULL;
    return error_set(err, LANERT_EFORMAT, "%s:%d: expected a JSON object", name, line);
}

/* Which file and line a value comes from. */
typedef struct place {
    const char *name;
    int line;
} place;

static int refuse(place at, const char *what, const char *expected, lanert_error *err)
{
    return error_set(err, LANERT_EFORMAT, "%s:%d: %s is missing or of the wrong kind; expected %s", at.name, at.line,
                     what, expected);
}

/* ---- TuSimple -------------------------------------------------------------------------------- */

void tusimple_frame_free(tusimple_frame *frame)
{
    FREE(frame->raw_file);
    FREE(frame->rows);
    lane_set_free(&frame->lanes);
    *frame = (tusimple_frame){0};
}

static int read_lane(place at, size_t index, const json_t *lane, lane_set *set, lanert_error *err)
{
    char what[64];
    int rc = lane_set_begin(set, at.line, err);
    for (size_t i = 0; !rc && i < json_array_size(lane); i++) {
        const json_t *x = json_array_get(lane, i);
        snprintf(what, sizeof what, "lanes[%zu][%zu]", index, i);
        rc = json_is_number(x) ? lane_set_add(set, json_number_value(x), 0, err) : refuse(at, what, "a number", err);
    }
    return rc;
}

static int read_rows(place at, const json_t *rows, tusimple_frame *frame, lanert_error *err)
{
    size_t count = json_array_size(rows);
    if (count < 1 || count > LANE_SET_MAX_POINTS)
        return refuse(at, "h_samples", "an array of pixel rows", err);
    int rc = memory_grow(&frame->rows, &frame->row_capacity, count, sizeof *frame->rows, err);
    for (size_t i = 0; !rc && i < count; i++) {
        const json_t *row = json_array_get(rows, i);
        frame->rows[i] = json_number_value(row);
        if (!json_is_number(row) || fabs(frame->rows[i]) > LANE_SET_MAX_COORDINATE)
            rc = refuse(at, "a value of h_samples", "a pixel row", err);
    }
    frame->row_count = count;
    return rc;
}

/* What the reference's metric needs: every lane as long as h_samples (of the label; checked when both are known). */
static int check_lengths(place at, const tusimple_frame *frame, lanert_error *err)
{
    for (size_t i = 0; i < frame->lanes.lane_count; i++)
        if (frame->lanes.lanes[i].count != frame->row_count)
            return error_set(err, LANERT_EFORMAT,
                             "%s:%d: lanes[%zu] has %zu values; expected %zu, one for each of h_samples", at.name,
                             at.line, i, frame->lanes.lanes[i].count, frame->row_count);
    return 0;
}

int tusimple_read(const char *text, size_t size, const char *name, int line, tusimple_kind kind, tusimple_frame *frame,
                  lanert_error *err)
{
    place at = {name, line};
    json_t *root = NULL;
    int rc = parse(text, size, name, line, &root, err);
    if (rc)
        return rc;
    const json_t *raw_file = json_object_get(root, "raw_file"), *lanes = json_object_get(root, "lanes"),
                 *run_time = json_object_get(root, "run_time");
    FREE(frame->raw_file);
    lane_set_clear(&frame->lanes, name);
    frame->row_count = 0;
    frame->run_time = 0;
    if (!json_is_string(raw_file) || !json_string_length(raw_file))
        rc = refuse(at, "raw_file", "the picture's name", err);
    else if (!json_is_array(lanes))
        rc = refuse(at, "lanes", "an array of lanes", err);
    else if (kind == TUSIMPLE_PREDICTION && !json_is_number(run_time))
        rc = refuse(at, "run_time", "a number of milliseconds", err);
    else if (!(frame->raw_file = strdup(json_string_value(raw_file))))
        rc = error_set(err, LANERT_ENOMEM, "out of memory");
    for (size_t i = 0; !rc && i < json_array_size(lanes); i++) {
        const json_t *lane = json_array_get(lanes, i);
        rc = json_is_array(lane) ? read_lane(at, i, lane, &frame->lanes, err)
                                 : refuse(at, "a lane", "an array of numbers", err);
    }
    if (!rc && kind == TUSIMPLE_PREDICTION)
        frame->run_time = json_number_value(run_time);
    if (!rc && kind == TUSIMPLE_LABEL) {
        rc = read_rows(at, json_object_get(root, "h_samples"), frame, err);
        if (!rc)
            rc = check_lengths(at, frame, err);
    }
    json_decref(root);
    return rc;
}

/* ---- LLAMAS ---------------------------------------------------------------------------------- */

/* Python's int(): a number, its fraction cut off, or a string that holds a whole number. */
static bool read_whole(const json_t *v, double *out)
{
    if (json_is_number(v)) {
        *out = trunc(json_number_value(v));
        return true;
    }
    const char *text = json_is_string(v) ? json_string_value(v) : "", *end = text + strlen(text);
    return strspn(text, "+-0123456789") == strlen(text) && number_scan(&text, end, out) && text == end;
}

/* Python's float(). */
static bool read_real(const json_t *v, double *out)
{
    if (json_is_number(v)) {
        *out = json_number_value(v);
        return true;
    }
    const char *text = json_is_string(v) ? json_string_value(v) : "", *end = text + strlen(text);
    return number_scan(&text, end, out) && text == end;
}

static int read_marker(place at, const json_t *json, const char *what, llamas_marker *marker, lanert_error *err)
{
    static const char *const names[] = {"pixel_start", "pixel_end"};
    double *pixels[] = {&marker->start_x, &marker->start_y, &marker->end_x, &marker->end_y};
    double *depths[] = {&marker->start_z, &marker->end_z};
    static const char *const worlds[] = {"world_start", "world_end"};
    bool good = true;
    for (int i = 0; good && i < 4; i++) {
        good = read_whole(json_object_get(json_object_get(json, names[i / 2]), i % 2 ? "y" : "x"), pixels[i]) &&
               fabs(*pixels[i]) <= LANE_SET_MAX_COORDINATE;
    }
    for (int i = 0; good && i < 2; i++)
        good = read_real(json_object_get(json_object_get(json, worlds[i]), "z"), depths[i]) && isfinite(*depths[i]);
    return good ? 0
                : refuse(at, what,
                         "a marker: whole pixels x and y in pixel_start and pixel_end, z in world_start and "
                         "world_end",
                         err);
}

static int read_llamas_lane(place at, size_t index, const json_t *json, llamas_label *label, lanert_error *err)
{
    char what[64];
    const char *id = json_string_value(json_object_get(json, "lane_id"));
    const json_t *markers = json_object_get(json, "markers");
    snprintf(what, sizeof what, "lanes[%zu]", index);
    if (!id || !json_array_size(markers))
        return refuse(at, what, "a lane_id and markers", err);
    int rc = llamas_label_lane(label, id, err);
    for (size_t i = 0; !rc && i < json_array_size(markers); i++) {
        llamas_marker marker;
        snprintf(what, sizeof what, "lanes[%zu].markers[%zu]", index, i);
        rc = read_marker(at, json_array_get(markers, i), what, &marker, err);
        if (!rc)
            rc = llamas_label_marker(label, &marker, err);
    }
    return rc;
}

int llamas_read_label(const char *text, size_t size, const char *name, lane_set *set, lanert_error *err)
{
    place at = {name, 1};
    json_t *root = NULL;
    llamas_label label = {0};
    int rc = parse(text, size, name, 1, &root, err);
    if (rc)
        return rc;
    const json_t *lanes = json_object_get(root, "lanes");
    if (!json_is_array(lanes))
        rc = refuse(at, "lanes", "an array of lanes", err);
    for (size_t i = 0; !rc && i < json_array_size(lanes); i++)
        rc = read_llamas_lane(at, i, json_array_get(lanes, i), &label, err);
    lane_set_clear(set, name);
    if (!rc)
        rc = llamas_label_trace(&label, set, err);
    llamas_label_free(&label);
    json_decref(root);
    return rc;
}

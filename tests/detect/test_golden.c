/* Parity with the PyTorch reference: for every case of the goldens, the checkpoint is converted, and the engine must
 * give the reference's predictions, lanes and lane files.
 *
 * usage: test_golden CHECKPOINTS ENGINE    the folder where make_checkpoints.sh left them, and an engine's name */
#include <dirent.h>
#include <jansson.h>
#include <math.h>

#include "detect/engines.h"
#include "engine/engine.h"
#include "frame/preprocess.h"
#include "lane/decode.h"
#include "lane/lane_file.h"
#include "model/model.h"
#include "support/testing.h"

/* The figures to reach. */
#define RAW_TOLERANCE 1e-3
#define POINT_TOLERANCE 1e-3 /* of decoded points, normalised; what the raw tolerance leaves */
#define FILE_TOLERANCE_PX 0.5
#define HALF_TOLERANCE_PX 2.0

#define PRIORS 192
#define KEPT 96
#define IMAGES 4

static const char *const images[IMAGES] = {"adv_straight_lines1", "adv_test1", "p1_solidWhiteRight",
                                           "p1_solidYellowCurve2"};
static const char *checkpoints, *tested,
    *device; /* the folder; the engine, and what it computes on, NULL: the default */
static lanert_error err;

typedef struct golden {
    char name[256], arch[32], preset[32], seed[16];
} golden;

/* "resnet18-culane-seed4" in its parts. */
static bool take_apart(const char *name, golden *g)
{
    snprintf(g->name, sizeof g->name, "%s", name);
    return sscanf(name, "%31[^-]-%31[^-]-seed%15s", g->arch, g->preset, g->seed) == 3;
}

static const char *convert_with(const golden *g, lanert_precision precision, int outputs, int keep_priors)
{
    static char path[4096];
    char checkpoint[4096];
    lanert_convert_options o;
    lanert_convert_defaults(&o);
    o.preset = g->preset;
    o.precision = precision;
    o.outputs = outputs;
    o.keep_priors = keep_priors;
    snprintf(checkpoint, sizeof checkpoint, "%s/%s-%s.pth", checkpoints, g->arch, g->seed);
    snprintf(path, sizeof path, "%s/%s-%d-%d-%d.onnx", folder, g->name, (int)precision, outputs, keep_priors);
    if (!file_exists(path))
        assert_ok(lanert_convert(checkpoint, path, &o, &err));
    return path;
}

static const char *convert(const golden *g, lanert_precision precision, int outputs)
{
    return convert_with(g, precision, outputs, 0);
}

/* ---- raw predictions ---- */

static void read_raw(const golden *g, const char *image, float *raw)
{
    char name[512];
    file_map map;
    snprintf(name, sizeof name, "reference/goldens/%s/%s.f32", g->name, image);
    assert_ok(file_map_open(SHARED(name), 0, &map, &err));
    assert_int_equal(map.size, PRIORS * NET_COLUMNS * sizeof *raw);
    memcpy(raw, map.data, map.size);
    file_map_close(&map);
}

static lanert_source *open_image(const char *image, lanert_frame *frame)
{
    char name[512];
    lanert_source *source;
    snprintf(name, sizeof name, "reference/images/%s.png", image);
    assert_ok(lanert_source_open(SHARED(name), &source, &err));
    assert_ok(lanert_source_read(source, frame, &err));
    return source;
}

/* What the network is given of an image: [320][800][3]. */
static void prepare(const golden *g, const char *image, uint8_t *pixels)
{
    const lanert_preset *p = lanert_preset_find(g->preset);
    lanert_frame frame;
    lanert_source *source = open_image(image, &frame);
    preprocess *pre;
    assert_ok(preprocess_open(LANERT_LINEAR, &pre, &err));
    assert_ok(
        preprocess_run(pre, &frame, p->cut_height * frame.height / p->ori_height, NET_WIDTH, NET_HEIGHT, pixels, &err));
    preprocess_close(&pre);
    lanert_source_close(&source);
}

static engine *open_engine(const char *path)
{
    engine_options o = {.threads = 1};
    engine *e;
    assert_ok(device_parse(device, &o.device, &err));
    assert_ok(engine_open(tested, path, &o, &e, &err));
    return e;
}

static double difference(float got, float expected)
{
    return fabs(got - expected) / fmax(1, fabs(expected));
}

static void check_raw(const golden *g, const char *path, double *worst)
{
    static uint8_t pixels[NET_HEIGHT * NET_WIDTH * 3];
    static float got[PRIORS * NET_COLUMNS], expected[PRIORS * NET_COLUMNS];
    tensor input = {"image", TENSOR_U8, 4, {1, NET_HEIGHT, NET_WIDTH, 3}, pixels};
    tensor output = {"raw", TENSOR_F32, 3, {1, PRIORS, NET_COLUMNS}, got};
    engine *e = open_engine(path);
    assert_ok(engine_bind(e, &input, 1, &output, 1, &err));
    for (int i = 0; i < IMAGES; i++) {
        prepare(g, images[i], pixels);
        assert_ok(engine_run(e, &err));
        read_raw(g, images[i], expected);
        for (int k = 0; k < PRIORS * NET_COLUMNS; k++) {
            double off = difference(got[k], expected[k]);
            *worst = fmax(*worst, off);
            if (!(off <= RAW_TOLERANCE))
                fail_msg("%s %s %s: prior %d column %d is %.6f, expected %.6f", g->name, tested, images[i],
                         k / NET_COLUMNS, k % NET_COLUMNS, got[k], expected[k]);
        }
    }
    engine_close(&e);
}

/* ---- priors that go on ---- */

static bool same_row(const float *got, const float *expected)
{
    bool same = true;
    for (int c = 0; c < NET_COLUMNS; c++)
        same &= difference(got[c], expected[c]) <= RAW_TOLERANCE;
    return same;
}

/* Which of the reference's predictions a row is, from `first` on; PRIORS: none. */
static int find_row(const float *row, const float *expected, int first)
{
    while (first < PRIORS && !same_row(row, expected + (size_t)first * NET_COLUMNS))
        first++;
    return first;
}

static void check_pruned(const golden *g, const char *path)
{
    static uint8_t pixels[NET_HEIGHT * NET_WIDTH * 3];
    static float got[LANERT_MAX_LANES * NET_COLUMNS], raw[KEPT * NET_COLUMNS], expected[PRIORS * NET_COLUMNS];
    const lanert_preset *p = lanert_preset_find(g->preset);
    int32_t count;
    tensor input = {"image", TENSOR_U8, 4, {1, NET_HEIGHT, NET_WIDTH, 3}, pixels};
    tensor outputs[] = {{"lanes", TENSOR_F32, 3, {1, p->max_lanes, NET_COLUMNS}, got},
                        {"count", TENSOR_I32, 1, {1}, &count},
                        {"raw", TENSOR_F32, 3, {1, KEPT, NET_COLUMNS}, raw}};
    engine *e = open_engine(path);
    assert_ok(engine_bind(e, &input, 1, outputs, (int)ARRAY_LEN(outputs), &err));
    for (int i = 0; i < IMAGES; i++) {
        prepare(g, images[i], pixels);
        assert_ok(engine_run(e, &err));
        read_raw(g, images[i], expected);
        assert_in_range(count, 1, p->max_lanes);
        for (int k = 0; k < count; k++)
            if (find_row(got + k * NET_COLUMNS, expected, 0) == PRIORS)
                fail_msg("%s %s: lane %d is of no prior", tested, images[i], k);
        for (int k = 0, prior = 0; k < KEPT; k++, prior++)
            if ((prior = find_row(raw + k * NET_COLUMNS, expected, prior)) == PRIORS)
                fail_msg("%s %s: row %d of raw is of no prior, or not in its place", tested, images[i], k);
    }
    engine_close(&e);
}

/* ---- lanes ---- */

/* The lanes of one image, as the reference decoded them. */
static json_t *golden_lanes(json_t *all, const golden *g, const char *image)
{
    char name[128];
    size_t i;
    json_t *one;
    snprintf(name, sizeof name, "%s.jpg", image);
    json_array_foreach(all, i, one) if (!strcmp(json_string_value(json_object_get(one, "case")), g->name) &&
                                        !strcmp(json_string_value(json_object_get(one, "image")),
                                                name)) return json_object_get(one, "lanes");
    fail_msg("lanes.json has no %s %s", g->name, image);
    return NULL;
}

static double json_at(json_t *points, int i, int axis)
{
    return json_real_value(json_array_get(json_array_get(points, (size_t)i), (size_t)axis));
}

static void check_lanes(const golden *g, const char *image, const lanert_frame *frame, const lanert_result *result,
                        json_t *expected, double tolerance)
{
    if ((size_t)result->count != json_array_size(expected))
        fail_msg("%s %s: %d lanes, expected %zu", g->name, image, result->count, json_array_size(expected));
    for (int l = 0; l < result->count; l++) {
        const lanert_lane *lane = &result->lanes[l];
        json_t *points = json_object_get(json_array_get(expected, (size_t)l), "points");
        if ((size_t)lane->count != json_array_size(points))
            fail_msg("%s %s: lane %d has %d points, expected %zu", g->name, image, l, lane->count,
                     json_array_size(points));
        for (int i = 0; i < lane->count; i++) {
            double dx = fabs(lane->points[i].x / frame->width - json_at(points, i, 0));
            double dy = fabs(lane->points[i].y / frame->height - json_at(points, i, 1));
            if (!(dx <= tolerance && dy <= 1e-6))
                fail_msg("%s %s: lane %d point %d is off by %g, %g", g->name, image, l, i, dx, dy);
        }
    }
}

/* Numbers of a text, whatever stands between them, compared one by one. Lines are compared in number. */
static void check_numbers(const golden *g, const char *image, const char *got, const char *expected)
{
    static const char digits[] = "-0123456789";
    int n = 0;
    for (;; n++) {
        got += strcspn(got, digits);
        expected += strcspn(expected, digits);
        if (!*got || !*expected)
            break;
        char *got_end, *expected_end;
        double a = strtod(got, &got_end), b = strtod(expected, &expected_end);
        /* TuSimple's numbers are truncated to whole pixels: half a pixel may become one. */
        if (!(fabs(a - b) <= (strcmp(g->preset, "tusimple") ? FILE_TOLERANCE_PX : 1)))
            fail_msg("%s %s: number %d of the lane file is %g, expected %g", g->name, image, n, a, b);
        got = got_end;
        expected = expected_end;
    }
    if (*got || *expected)
        fail_msg("%s %s: the lane file has %s numbers than expected (after %d)", g->name, image,
                 *got ? "more" : "fewer", n);
}

static void check_file(const golden *g, const char *image, const lanert_frame *frame, const lanert_result *result)
{
    lane_curve curves[LANERT_MAX_LANES];
    buffer text = {0}, wanted = {0};
    char name[512];
    file_map map;
    bool tusimple = !strcmp(g->preset, "tusimple");
    for (int i = 0; i < result->count; i++)
        lane_from_pixels(&result->lanes[i], frame->width, frame->height, &curves[i]);
    snprintf(name, sizeof name, "reference/goldens/%s/%s.%s", g->name, image, tusimple ? "tusimple.json" : "lines.txt");
    assert_ok(file_map_open(SHARED(name), 0, &map, &err));
    assert_ok(buffer_add(&wanted, map.data, map.size, &err));
    file_map_close(&map);
    if (tusimple)
        assert_ok(lane_file_tusimple("x", 0, curves, result->count, &text, &err));
    else if (!strcmp(g->preset, "llamas"))
        assert_ok(lane_file_llamas(curves, result->count, &text, &err));
    else
        assert_ok(lane_file_culane(curves, result->count, &text, &err));
    if (tusimple) { /* the golden holds the lanes alone: what stands between "lanes" and "run_time" */
        char *start = strstr(text.data, "[["), *end = strstr(text.data, "]]");
        assert_true(start && end);
        end[2] = '\0';
        check_numbers(g, image, start, wanted.data);
    } else {
        check_numbers(g, image, text.data ? text.data : "", wanted.data ? wanted.data : "");
    }
    buffer_free(&text);
    buffer_free(&wanted);
}

static lanert_detector *open_detector(const char *path, int batch)
{
    lanert_model *model;
    lanert_detector *det;
    lanert_detector_options o;
    lanert_detector_defaults(&o);
    o.engine = tested;
    o.device = device;
    o.threads = 1;
    o.precision = LANERT_FP32;
    o.batch = batch;
    assert_ok(lanert_model_open(path, NULL, &model, &err));
    assert_ok(lanert_detector_open(model, &o, &det, &err));
    lanert_model_close(&model);
    return det;
}

static void check_detections(const golden *g, const char *path, json_t *all, double tolerance, bool files)
{
    lanert_detector *det = open_detector(path, 1);
    for (int i = 0; i < IMAGES; i++) {
        lanert_frame frame;
        lanert_result result;
        lanert_source *source = open_image(images[i], &frame);
        assert_ok(lanert_detect(det, &frame, 1, &result, &err));
        check_lanes(g, images[i], &frame, &result, golden_lanes(all, g, images[i]), tolerance);
        if (files)
            check_file(g, images[i], &frame, &result);
        lanert_source_close(&source);
    }
    lanert_detector_close(&det);
}

/* ---- the tests ---- */

/* Calls check for each golden case. */
static void for_each_case(void (*check)(const golden *g, json_t *all))
{
    golden g;
    struct dirent **entries;
    json_error_t why;
    json_t *all = json_load_file(SHARED("reference/goldens/lanes.json"), 0, &why);
    int count = scandir(SHARED("reference/goldens"), &entries, NULL, alphasort), cases = 0;
    assert_non_null(all);
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.' && take_apart(entries[i]->d_name, &g)) {
            check(&g, all);
            cases++;
        }
        free(entries[i]);
    }
    free(entries);
    json_decref(all);
    assert_true(cases >= 6);
}

static void check_raw_everywhere(const golden *g, json_t *all)
{
    (void)all;
    double worst = 0;
    check_raw(g, convert(g, LANERT_FP32, LANERT_OUTPUT_BOTH), &worst);
    printf("%-24s %-12s raw within %.1e\n", g->name, tested, worst);
}

static void raw_predictions_equal_the_references(void **state)
{
    (void)state;
    for_each_case(check_raw_everywhere);
}

static void check_lanes_everywhere(const golden *g, json_t *all)
{
    static const int outputs[] = {LANERT_OUTPUT_RAW, LANERT_OUTPUT_LANES, LANERT_OUTPUT_BOTH};
    for (size_t o = 0; o < ARRAY_LEN(outputs); o++)
        check_detections(g, convert(g, LANERT_FP32, outputs[o]), all, POINT_TOLERANCE, true);
}

static void lanes_and_files_equal_the_references(void **state)
{
    (void)state;
    for_each_case(check_lanes_everywhere);
}

static void check_half(const golden *g, json_t *all)
{
    check_detections(g, convert(g, LANERT_FP16, LANERT_OUTPUT_BOTH), all,
                     HALF_TOLERANCE_PX / lanert_preset_find(g->preset)->ori_width, false);
}

static void half_precision_finds_the_same_lanes(void **state)
{
    (void)state;
    for_each_case(check_half);
}

/* The first stage's scores of made weights mean nothing, so that other lanes are found than among all priors; but each
 * as the reference has it. */
static void priors_that_go_on_are_as_they_were(void **state)
{
    (void)state;
    golden g;
    take_apart("resnet18-culane-seed4", &g);
    check_pruned(&g, convert_with(&g, LANERT_FP32, LANERT_OUTPUT_BOTH, KEPT));
}

/* x of a picture's lane file in the line `lane` at y; NaN where it has none. */
static double x_at(const char *text, int lane, double y)
{
    for (; text && lane > 0; lane--)
        if ((text = strchr(text, '\n')))
            text++;
    while (text && *text && *text != '\n') {
        char *end;
        double x = strtod(text, &end);
        if (strtod(end, &end) == y)
            return x;
        text = end;
    }
    return NAN;
}

/* A checkpoint stored in float16 has its heads.prior_ys rounded, and the reference goes by them. What it writes of some
 * pictures, where even steps would be 1.5 to 4.7 px off. */
static void rounded_heights_are_the_references(void **state)
{
    (void)state;
    static const struct {
        const char *image;
        int lane;
        double y, x;
    } points[] = {
        {"adv_test1", 1, 494, 1208.16598},
        {"adv_test1", 2, 494, 797.01969},
        {"adv_test1", 3, 494, 181.18295},
        {"p1_solidYellowCurve2", 1, 366, 647.43848},
        {"p1_solidYellowCurve2", 1, 462, 1309.46524},
    };
    const golden g = {"resnet18-culane-half", "resnet18", "culane", "4-half"};
    const char *path = convert(&g, LANERT_FP32, LANERT_OUTPUT_LANES);
    lanert_detector *det = open_detector(path, 1);
    for (size_t i = 0; i < ARRAY_LEN(points); i++) {
        lanert_frame frame;
        lanert_result result;
        lane_curve curves[LANERT_MAX_LANES];
        buffer text = {0};
        lanert_source *source = open_image(points[i].image, &frame);
        assert_ok(lanert_detect(det, &frame, 1, &result, &err));
        for (int l = 0; l < result.count; l++)
            lane_from_pixels(&result.lanes[l], frame.width, frame.height, &curves[l]);
        assert_ok(lane_file_culane(curves, result.count, &text, &err));
        double x = x_at(text.data, points[i].lane, points[i].y);
        if (!(fabs(x - points[i].x) < 0.05))
            fail_msg("%s %s: lane %d at y = %g has x = %g, expected %g", tested, points[i].image, points[i].lane,
                     points[i].y, x, points[i].x);
        buffer_free(&text);
        lanert_source_close(&source);
    }
    lanert_detector_close(&det);
}

static void a_batch_of_eight_is_eight_of_one(void **state)
{
    (void)state;
    golden g;
    take_apart("resnet18-culane-seed4", &g);
    lanert_source *sources[8];
    lanert_frame frames[8];
    lanert_result results[8], one;
    const char *path = convert(&g, LANERT_FP32, LANERT_OUTPUT_BOTH);
    lanert_detector *eight = open_detector(path, 8), *single = open_detector(path, 1);
    for (int i = 0; i < 8; i++)
        sources[i] = open_image(images[(i * 3 + 1) % IMAGES], &frames[i]);
    assert_ok(lanert_detect(eight, frames, 8, results, &err));
    for (int i = 0; i < 8; i++) {
        assert_ok(lanert_detect(single, &frames[i], 1, &one, &err));
        assert_int_equal(one.count, results[i].count);
        for (int l = 0; l < one.count; l++) {
            assert_int_equal(one.lanes[l].count, results[i].lanes[l].count);
            for (int k = 0; k < one.lanes[l].count; k++)
                assert_true(fabs(one.lanes[l].points[k].x - results[i].lanes[l].points[k].x) < FILE_TOLERANCE_PX);
        }
        lanert_source_close(&sources[i]);
    }
    lanert_detector_close(&eight);
    lanert_detector_close(&single);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw_predictions_equal_the_references), cmocka_unit_test(lanes_and_files_equal_the_references),
        cmocka_unit_test(half_precision_finds_the_same_lanes),  cmocka_unit_test(priors_that_go_on_are_as_they_were),
        cmocka_unit_test(rounded_heights_are_the_references),   cmocka_unit_test(a_batch_of_eight_is_eight_of_one),
    };
    if (argc < 3 || argc > 4 || !file_exists(argv[1]) || !shared_is_there(SHARED_DIR, "reference/goldens")) {
        fprintf(stderr, "skipped: no goldens, or no checkpoints made for them\n");
        return 77;
    }
    if (!engine_is_there(argv[2])) {
        fprintf(stderr, "skipped: %s is not usable here\n", argv[2]);
        return 77;
    }
    checkpoints = argv[1];
    tested = argv[2];
    device = argv[3];
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

/* test_decode.c - the reference's lanes from its raw predictions, and what no network should emit. */
#include "lane/decode.h"

#include <jansson.h>
#include <math.h>

#include "lane/golden.h"

static const decode_options plain = {0.4f, 50, 4, 0, 1, golden_heights};
static decode_scratch scratch;
static lane_curve lanes[LANERT_MAX_LANES];

/* A prediction: logits (0, logit), a vertical line at x over rows 0..71 from start of length, both normalised. */
static void set_row(float *row, float logit, float start, float length, float x)
{
    memset(row, 0, NET_COLUMNS * sizeof *row);
    row[1] = logit;
    row[2] = start;
    row[5] = length;
    for (int i = 0; i < LANERT_LANE_POINTS; i++)
        row[6 + i] = x;
}

static int decode_row(const float *row)
{
    return decode_raw(row, 1, &plain, &scratch, lanes);
}

/* ---- parity with the reference ------------------------------------------------------------------ */

static void check_golden(const golden_case *c, const char *image, const json_t *expected)
{
    static float raw[GOLDEN_FLOATS];
    golden_read(c, image, raw);
    int count = decode_raw(raw, GOLDEN_PRIORS, &c->options, &scratch, lanes);
    assert_int_equal(count, json_array_size(expected));
    for (int i = 0; i < count; i++) {
        const json_t *lane = json_array_get(expected, (size_t)i), *points = json_object_get(lane, "points");
        assert_int_equal(lanes[i].count, json_array_size(points));
        for (int k = 0; k < lanes[i].count; k++) {
            const json_t *point = json_array_get(points, (size_t)k);
            assert_true(lanes[i].x[k] == json_real_value(json_array_get(point, 0)));
            assert_true(lanes[i].y[k] == json_real_value(json_array_get(point, 1)));
        }
    }
}

static void test_goldens(void **state)
{
    (void)state;
    SHARED_OR_SKIP("reference/goldens/lanes.json");
    json_error_t why;
    json_t *all = json_load_file(SHARED("reference/goldens/lanes.json"), 0, &why), *entry;
    size_t index, compared = 0;
    assert_non_null(all);
    json_array_foreach(all, index, entry)
    {
        const char *name = json_string_value(json_object_get(entry, "case"));
        char image[256];
        snprintf(image, sizeof image, "%s", json_string_value(json_object_get(entry, "image")));
        *strrchr(image, '.') = '\0';
        for (size_t i = 0; i < ARRAY_LEN(golden_cases); i++)
            if (!strcmp(golden_cases[i].name, name)) {
                check_golden(&golden_cases[i], image, json_object_get(entry, "lanes"));
                compared++;
            }
    }
    assert_int_equal(compared, ARRAY_LEN(golden_cases) * ARRAY_LEN(golden_images));
    json_decref(all);
}

/* The same NMS another way: sorted first, every distance summed to its end, a matrix of who suppresses whom. */
static bool near_lanes(const float *a, const float *b, float threshold)
{
    const float *lane[] = {a, b};
    int start = 0, end = 71;
    for (int i = 0; i < 2; i++) {
        float length = lane[i][5] * 71;
        int own = (int)(lane[i][2] * 71 + 0.5);
        own = own < 0 ? 0 : own > 71 ? 71 : own;
        int last = (int)(own + length - 1 + 0.5 - (length - 1 < 0));
        start = own > start ? own : start;
        end = last < end ? last : end;
    }
    float sum = 0;
    for (int i = start; i <= end; i++) {
        float x = a[6 + i] * 799, y = b[6 + i] * 799;
        sum += x < y ? y - x : x - y;
    }
    return end >= start && sum < threshold * (float)(end - start + 1);
}

static const float *sort_rows;

static int by_logit(const void *a, const void *b)
{
    int i = *(const int *)a, j = *(const int *)b;
    float x = sort_rows[i * NET_COLUMNS + 1], y = sort_rows[j * NET_COLUMNS + 1];
    return x > y ? -1 : x < y ? 1 : i - j;
}

static int greedy(const float *raw, int priors, const decode_options *o, int *kept, int *skipped)
{
    static int order[GOLDEN_PRIORS];
    bool dead[GOLDEN_PRIORS] = {false};
    int count = 0;
    for (int i = 0; i < priors; i++)
        order[i] = i;
    sort_rows = raw;
    qsort(order, (size_t)priors, sizeof *order, by_logit);
    for (int i = 0; i < priors && count < o->max_lanes; i++) {
        *skipped += dead[i];
        if (dead[i])
            continue;
        kept[count++] = order[i];
        for (int j = i + 1; j < priors; j++)
            dead[j] |= near_lanes(raw + order[i] * NET_COLUMNS, raw + order[j] * NET_COLUMNS, o->nms_thres);
    }
    return count;
}

static void test_nms_against_sorting(void **state)
{
    (void)state;
    static float raw[GOLDEN_FLOATS];
    decode_options o = {0.0f, 50, LANERT_MAX_LANES, 0, 1, golden_heights};
    srand(7);
    int skipped = 0, compared = 0;
    for (int round = 0; round < 200; round++) {
        o.nms_thres = (float)(10 + round);
        for (int i = 0; i < GOLDEN_PRIORS; i++) {
            float *row = raw + i * NET_COLUMNS, x = (float)rand() / (float)RAND_MAX;
            /* Logits in steps, so that many are equal; lanes that lean and shake, of all lengths. */
            set_row(row, (float)(rand() % 40) / 8, (float)(rand() % 60) / 71 - 0.05f, (float)(20 + rand() % 80) / 71,
                    x);
            for (int k = 0; k < LANERT_LANE_POINTS; k++)
                row[6 + k] += (float)k / 71 * (float)(i % 3) / 8 + (float)rand() / (float)RAND_MAX * 0.05f;
        }
        int kept[LANERT_MAX_LANES], expected = greedy(raw, GOLDEN_PRIORS, &o, kept, &skipped);
        int count = decode_raw(raw, GOLDEN_PRIORS, &o, &scratch, lanes);
        assert_int_equal(count, expected);
        for (int i = 0; i < count; i++) {
            /* x of the lowest row of a lane that goes on to the bottom is row 0's. */
            const float *row = raw + kept[i] * NET_COLUMNS;
            bool whole = true;
            for (int k = 0; k < LANERT_LANE_POINTS; k++)
                whole &= row[6 + k] <= 1;
            if (whole)
                assert_true(lanes[i].x[lanes[i].count - 1] == (double)row[6]);
            compared += whole;
        }
    }
    assert_true(skipped > 1000 && compared > 1000);
}

static void test_rows_are_prior_ys(void **state)
{
    (void)state;
    float row[NET_COLUMNS];
    set_row(row, 5, 0, 1.02f, 0.5f);
    assert_int_equal(decode_row(row), 1);
    assert_int_equal(lanes[0].count, 72);
    /* float32 of linspace(1, 0, 72), from the top: heads.prior_ys of the checkpoints. */
    assert_true(lanes[0].y[0] == 0);
    assert_true(fabs(lanes[0].y[1] - 0x1.cd8568p-7) < 1e-16);
    assert_true(fabs(lanes[0].y[35] - 0x1.f8c9eap-2) < 1e-16);
    assert_true(fabs(lanes[0].y[70] - 0x1.f8c9eap-1) < 1e-16);
    assert_true(lanes[0].y[71] == 1);
    decode_options cut = plain;
    cut.cut = 270;
    cut.height = 590;
    assert_int_equal(decode_raw(row, 1, &cut, &scratch, lanes), 1);
    assert_true(lanes[0].y[0] == 270.0 / 590);
    assert_true(lanes[0].y[71] == 1);
}

/* ---- rows ------------------------------------------------------------------------------------------ */

static int points_of(float start_rows, float length_rows)
{
    float row[NET_COLUMNS];
    set_row(row, 5, start_rows / 71, length_rows / 71, 2); /* x = 2: no going on below the start */
    return decode_row(row) ? lanes[0].count : 0;
}

static void test_start_and_length(void **state)
{
    (void)state;
    assert_int_equal(points_of(10, 20), 20);
    assert_int_equal(points_of(60, 20), 12); /* as far as the last row */
    assert_int_equal(points_of(0, 1), 0);    /* one point is no lane */
    assert_int_equal(points_of(0, 2), 2);
    assert_int_equal(points_of(10, 0), 0);
    assert_int_equal(points_of(-30, 20), 20); /* clamped before the end is counted */
    assert_int_equal(points_of(900, 20), 0);  /* row 71 alone */
    assert_int_equal(points_of(10, 20.49f), 20);
    assert_int_equal(points_of(10, 20.51f), 21);
    /* 0.5 is exact in both, and 35.5 rows go to the even 36: rows 36 to 71 of x = 2. */
    float row[NET_COLUMNS];
    set_row(row, 5, 0.5f, 1, 2);
    assert_int_equal(decode_row(row), 1);
    assert_int_equal(lanes[0].count, 36);
    set_row(row, 5, 0, 0.5f, 2); /* length 35.5: 36 rows */
    assert_int_equal(decode_row(row), 1);
    assert_int_equal(lanes[0].count, 36);
}

static void test_negative_length_is_a_slice_of_python(void **state)
{
    (void)state;
    /* lane_xs[start + length:] = -2 with −5 drops the last five rows only. */
    assert_int_equal(points_of(0, -5), 67);
    assert_int_equal(points_of(10, -12), 60); /* from row 10 to before row 72 − 2 */
    assert_int_equal(points_of(0, -72), 0);
    assert_int_equal(points_of(0, -1e30f), 0);
}

static void test_going_on_below_the_start(void **state)
{
    (void)state;
    float row[NET_COLUMNS];
    set_row(row, 5, 20.0f / 71, 10.0f / 71, 0.5f);
    assert_int_equal(decode_row(row), 1);
    assert_int_equal(lanes[0].count, 30);
    row[6 + 7] = 1.01f; /* leaves the picture at row 7: rows 0 to 7 go, though 0 to 6 are inside again */
    assert_int_equal(decode_row(row), 1);
    assert_int_equal(lanes[0].count, 22);
    row[6 + 7] = 1.0f; /* the border is inside */
    assert_int_equal(decode_row(row), 1);
    assert_int_equal(lanes[0].count, 30);
    row[6 + 25] = 1.5f;  /* above the start it stays, */
    row[6 + 26] = -0.1f; /* and what is below 0 goes */
    assert_int_equal(decode_row(row), 1);
    assert_int_equal(lanes[0].count, 29);
    assert_true(lanes[0].x[4 - 1] == (double)1.5f);
    row[6 + 3] = -0.0f; /* −0 is not below 0 */
    assert_int_equal(decode_row(row), 1);
    assert_int_equal(lanes[0].count, 29);
}

/* ---- candidates ------------------------------------------------------------------------------------ */

static void test_threshold(void **state)
{
    (void)state;
    float row[NET_COLUMNS];
    set_row(row, 0, 0, 1, 0.5f);
    decode_options o = plain;
    o.conf = 0.5f; /* equal is enough */
    assert_int_equal(decode_raw(row, 1, &o, &scratch, lanes), 1);
    assert_true(lanes[0].score == 0.5f);
    o.conf = nextafterf(0.5f, 1);
    assert_int_equal(decode_raw(row, 1, &o, &scratch, lanes), 0);
    assert_int_equal(decode_raw(row, 0, &plain, &scratch, lanes), 0);
    /* Large logits do not overflow. */
    row[0] = 3e38f, row[1] = 3e38f;
    assert_int_equal(decode_row(row), 1);
    row[0] = -3e38f;
    assert_int_equal(decode_row(row), 1);
    assert_true(lanes[0].score == 1);
}

static void test_equal_scores_keep_their_order(void **state)
{
    (void)state;
    static float raw[6 * NET_COLUMNS];
    for (int i = 0; i < 6; i++)
        set_row(raw + i * NET_COLUMNS, i == 3 ? 2 : 1, 0, 1, 0.15f * (float)i);
    assert_int_equal(decode_raw(raw, 6, &plain, &scratch, lanes), 4);
    assert_true(lanes[0].x[0] == (double)(0.15f * 3));
    assert_true(lanes[1].x[0] == 0);
    assert_true(lanes[2].x[0] == (double)0.15f);
    assert_true(lanes[3].x[0] == (double)(0.15f * 2));
}

static void test_suppression_border(void **state)
{
    (void)state;
    float raw[2 * NET_COLUMNS];
    set_row(raw, 2, 0, 1, 0);
    set_row(raw + NET_COLUMNS, 1, 0, 1, 64.0f / 799);
    float apart = raw[NET_COLUMNS + 6] * 799;
    decode_options o = plain;
    o.nms_thres = apart; /* as far as the threshold is not nearer */
    assert_int_equal(decode_raw(raw, 2, &o, &scratch, lanes), 2);
    o.nms_thres = apart * 1.0001f;
    assert_int_equal(decode_raw(raw, 2, &o, &scratch, lanes), 1);
    /* No rows in common: never. */
    set_row(raw, 2, 0, 20.0f / 71, 0.5f);
    set_row(raw + NET_COLUMNS, 1, 30.0f / 71, 20.0f / 71, 0.5f);
    assert_int_equal(decode_raw(raw, 2, &o, &scratch, lanes), 2);
}

static void test_dropped_lanes_took_their_place(void **state)
{
    (void)state;
    float raw[2 * NET_COLUMNS];
    set_row(raw, 2, 0, 0, 3); /* no points, but the best score */
    set_row(raw + NET_COLUMNS, 1, 0, 1, 0.5f);
    decode_options o = plain;
    o.max_lanes = 1;
    assert_int_equal(decode_raw(raw, 2, &o, &scratch, lanes), 0);
    o.max_lanes = 2;
    assert_int_equal(decode_raw(raw, 2, &o, &scratch, lanes), 1);
}

static void test_identical_rows(void **state)
{
    (void)state;
    static float raw[GOLDEN_FLOATS];
    for (int i = 0; i < GOLDEN_PRIORS; i++)
        set_row(raw + i * NET_COLUMNS, 1, 0.1f, 0.8f, 0.3f);
    decode_options o = plain;
    o.max_lanes = LANERT_MAX_LANES;
    assert_int_equal(decode_raw(raw, GOLDEN_PRIORS, &o, &scratch, lanes), 1);
    o.nms_thres = 0; /* nothing is nearer than that */
    assert_int_equal(decode_raw(raw, GOLDEN_PRIORS, &o, &scratch, lanes), LANERT_MAX_LANES);
}

static void test_most_priors(void **state)
{
    (void)state;
    float *raw = malloc((size_t)NET_MAX_PRIORS * NET_COLUMNS * sizeof *raw);
    assert_non_null(raw);
    for (int i = 0; i < NET_MAX_PRIORS; i++)
        set_row(raw + (size_t)i * NET_COLUMNS, (float)i / NET_MAX_PRIORS, 0, 1, (float)(i % 10) / 10);
    decode_options o = plain;
    o.max_lanes = LANERT_MAX_LANES;
    assert_int_equal(decode_raw(raw, NET_MAX_PRIORS, &o, &scratch, lanes), 10);
    assert_true(lanes[0].x[0] == (double)0.5f); /* prior 4095 */
    free(raw);
}

/* ---- floats that no network should emit -------------------------------------------------------------- */

static void test_wild_values_are_harmless(void **state)
{
    (void)state;
    static const float wild[] = {NAN,   -NAN,   INFINITY,      -INFINITY,      1e30f, -1e30f, 3.4e38f,
                                 -0.0f, 1e-45f, 2147483648.0f, -2147483904.0f, 0.5f,  1,      -1};
    static float raw[64 * NET_COLUMNS];
    static lanert_lane pixels;
    srand(3);
    for (int round = 0; round < 3000; round++) {
        for (int i = 0; i < 64 * NET_COLUMNS; i++)
            raw[i] = rand() % 4 ? (float)rand() / (float)RAND_MAX : wild[(size_t)rand() % ARRAY_LEN(wild)];
        int count = decode_raw(raw, 64, &plain, &scratch, lanes);
        assert_in_range(count, 0, 4);
        for (int i = 0; i < count; i++) {
            assert_in_range(lanes[i].count, 2, 72);
            assert_true(lanes[i].score >= plain.conf && lanes[i].score <= 1);
            assert_true(!i || lanes[i].score <= lanes[i - 1].score);
            for (int k = 0; k < lanes[i].count; k++) {
                assert_true(isfinite(lanes[i].x[k]) && lanes[i].x[k] >= 0);
                assert_true(!k || lanes[i].y[k] > lanes[i].y[k - 1]);
            }
            lane_to_pixels(&lanes[i], 16384, 16384, &pixels);
            assert_true(isfinite(pixels.points[0].x));
        }
    }
}

static void test_each_field_alone(void **state)
{
    (void)state;
    float row[NET_COLUMNS];
    const float not_numbers[] = {NAN, -NAN};
    const int fields[] = {0, 1, 2, 5};
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        for (size_t k = 0; k < ARRAY_LEN(not_numbers); k++) {
            set_row(row, 5, 0, 1, 0.5f);
            row[fields[i]] = not_numbers[k];
            assert_int_equal(decode_row(row), 0);
        }
    set_row(row, 5, 0, 1e30f, 0.5f);
    assert_int_equal(decode_row(row), 1);
    assert_int_equal(lanes[0].count, 72);
    row[5] = INFINITY;
    assert_int_equal(decode_row(row), 1);
    assert_int_equal(lanes[0].count, 72);
    row[5] = 1, row[2] = 1e30f; /* all of it below the start */
    assert_int_equal(decode_row(row), 1);
    assert_int_equal(lanes[0].count, 72);
    row[2] = -INFINITY;
    assert_int_equal(decode_row(row), 1);
    assert_int_equal(lanes[0].count, 71);
    row[2] = 0;
    row[6 + 10] = NAN, row[6 + 11] = INFINITY, row[6 + 12] = -INFINITY;
    assert_int_equal(decode_row(row), 1);
    assert_int_equal(lanes[0].count, 68);
}

static void test_nan_does_not_suppress(void **state)
{
    (void)state;
    float raw[2 * NET_COLUMNS];
    set_row(raw, 2, 0, 1, 0.5f);
    set_row(raw + NET_COLUMNS, 1, 0, 1, 0.5f);
    assert_int_equal(decode_raw(raw, 2, &plain, &scratch, lanes), 1);
    raw[NET_COLUMNS + 6 + 40] = NAN;
    assert_int_equal(decode_raw(raw, 2, &plain, &scratch, lanes), 2);
    assert_int_equal(lanes[1].count, 70);
}

/* ---- rows from the graph's NMS, and pixels --------------------------------------------------------- */

static void test_kept_rows(void **state)
{
    (void)state;
    float rows[5 * NET_COLUMNS];
    for (int i = 0; i < 5; i++)
        set_row(rows + i * NET_COLUMNS, 4 - (float)i, 0, 1, 0.5f); /* near, but NMS is over */
    decode_options o = {0.2f, 50, LANERT_MAX_LANES, 0, 1, golden_heights};
    assert_int_equal(decode_kept(rows, 5, &o, lanes), 5);
    assert_true(lanes[4].score == 0.5f);
    o.conf = 0.6f; /* 1 / (1 + e^−1) = 0.73 */
    assert_int_equal(decode_kept(rows, 5, &o, lanes), 4);
    o.max_lanes = 2;
    assert_int_equal(decode_kept(rows, 5, &o, lanes), 2);
    rows[0] = NAN;
    assert_int_equal(decode_kept(rows, 5, &o, lanes), 0);
    assert_int_equal(decode_kept(rows, 0, &o, lanes), 0);
}

static void test_kept_equals_raw(void **state)
{
    (void)state;
    SHARED_OR_SKIP("reference/goldens/lanes.json");
    static float raw[GOLDEN_FLOATS];
    static lane_curve again[LANERT_MAX_LANES];
    golden_read(&golden_cases[0], golden_images[1], raw);
    decode_options o = golden_cases[0].options;
    int count = decode_raw(raw, GOLDEN_PRIORS, &o, &scratch, lanes);
    assert_int_equal(count, 4);
    float rows[4 * NET_COLUMNS];
    for (int i = 0; i < count; i++)
        for (int p = 0; p < GOLDEN_PRIORS; p++) {
            lane_curve one;
            if (decode_raw(raw + p * NET_COLUMNS, 1, &o, &scratch, &one) && one.score == lanes[i].score)
                memcpy(rows + i * NET_COLUMNS, raw + p * NET_COLUMNS, NET_COLUMNS * sizeof *rows);
        }
    assert_int_equal(decode_kept(rows, count, &o, again), count);
    for (int i = 0; i < count; i++) {
        assert_int_equal(again[i].count, lanes[i].count);
        assert_memory_equal(again[i].x, lanes[i].x, (size_t)lanes[i].count * sizeof *lanes[i].x);
    }
}

static void check_round_trip(float x, int width)
{
    lane_curve curve = {.score = 1, .count = 1, .x = {x}, .y = {1}}, back;
    lanert_lane lane;
    lane_to_pixels(&curve, width, 590, &lane);
    lane_from_pixels(&lane, width, 590, &back);
    assert_true(back.x[0] == (double)x && back.y[0] == 1);
}

static void test_pixels_and_back(void **state)
{
    (void)state;
    static const int widths[] = {1, 3, 800, 960, 1280, 1276, 1640, 1920, 4096, 16383, 16384};
    srand(11);
    for (size_t w = 0; w < ARRAY_LEN(widths); w++) {
        float low = 0, high = 1;
        for (int i = 0; i < 20000; i++) {
            check_round_trip(low, widths[w]);
            check_round_trip(high, widths[w]);
            check_round_trip((float)rand() / (float)RAND_MAX, widths[w]);
            low = nextafterf(low, 1);
            high = i < 10000 ? nextafterf(high, 0) : nextafterf(i == 10000 ? 1 : high, 2);
        }
        check_round_trip(3.4e38f, widths[w]);
    }
    lane_curve curve = {.count = 72}, back;
    lanert_lane lane;
    for (int i = 0; i < 72; i++)
        curve.y[i] = (i + 0.1) / 73;
    lane_to_pixels(&curve, 1280, 717, &lane);
    lane_from_pixels(&lane, 1280, 717, &back);
    for (int i = 0; i < 72; i++)
        assert_true(fabs(back.y[i] - curve.y[i]) <= 1.2e-16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goldens),
        cmocka_unit_test(test_nms_against_sorting),
        cmocka_unit_test(test_rows_are_prior_ys),
        cmocka_unit_test(test_start_and_length),
        cmocka_unit_test(test_negative_length_is_a_slice_of_python),
        cmocka_unit_test(test_going_on_below_the_start),
        cmocka_unit_test(test_threshold),
        cmocka_unit_test(test_equal_scores_keep_their_order),
        cmocka_unit_test(test_suppression_border),
        cmocka_unit_test(test_dropped_lanes_took_their_place),
        cmocka_unit_test(test_identical_rows),
        cmocka_unit_test(test_most_priors),
        cmocka_unit_test(test_wild_values_are_harmless),
        cmocka_unit_test(test_each_field_alone),
        cmocka_unit_test(test_nan_does_not_suppress),
        cmocka_unit_test(test_kept_rows),
        cmocka_unit_test(test_kept_equals_raw),
        cmocka_unit_test(test_pixels_and_back),
    };
    return cmocka_run_group_tests(tests, golden_setup, NULL);
}

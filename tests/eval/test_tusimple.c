/* test_tusimple.c - TuSimple's measure, on cases counted by hand. */
#include "eval/tusimple.h"

#include <math.h>

#include "support/testing.h"

static lanert_error err;
static tusimple_frame label, prediction;

/* Lanes as JSON arrays; 10 rows, 100 to 190. */
static tusimple_score bench_slow(const char *labelled, const char *predicted, int run_time)
{
    char text[4096];
    tusimple_score s;
    int n = snprintf(text, sizeof text,
                     "{\"raw_file\":\"a\",\"lanes\":[%s],\"h_samples\":[100,110,120,130,140,150,160,170,180,190]}",
                     labelled);
    assert_ok(tusimple_read(text, (size_t)n, "l", 1, TUSIMPLE_LABEL, &label, &err));
    n = snprintf(text, sizeof text, "{\"raw_file\":\"a\",\"lanes\":[%s],\"run_time\":%d}", predicted, run_time);
    assert_ok(tusimple_read(text, (size_t)n, "p", 1, TUSIMPLE_PREDICTION, &prediction, &err));
    assert_ok(tusimple_bench(&prediction, &label, &s, &err));
    return s;
}

static void assert_score(tusimple_score s, double accuracy, double fp, double fn)
{
    if (fabs(s.accuracy - accuracy) > 1e-12 || fabs(s.fp - fp) > 1e-12 || fabs(s.fn - fn) > 1e-12)
        fail_msg("accuracy %g, fp %g, fn %g; expected %g, %g, %g", s.accuracy, s.fp, s.fn, accuracy, fp, fn);
}

static tusimple_score bench(const char *labelled, const char *predicted)
{
    return bench_slow(labelled, predicted, 10);
}

#define UP(x) "[" #x "," #x "," #x "," #x "," #x "," #x "," #x "," #x "," #x "," #x "]"
#define SLANT "[0,20,40,60,80,100,120,140,160,180]"

static void test_near_enough(void **state)
{
    (void)state;
    assert_score(bench(UP(500), UP(519)), 1, 0, 0);
    /* 20 pixels are not under 20. */
    assert_score(bench(UP(500), UP(520)), 0, 1, 1);
    /* 8 of 10 rows: under the 85 in a hundred that find a lane, but its accuracy counts. */
    assert_score(bench(UP(500), "[500,500,500,500,500,500,500,500,900,900]"), .8, 1, 1);
    assert_score(bench(UP(500), "[500,500,500,500,500,500,500,500,500,-2]"), .9, 0, 0);
    /* Two columns a row: 20 · √5 = 44.7 pixels. */
    assert_score(bench(SLANT, "[44,64,84,104,124,144,164,184,204,224]"), 1, 0, 0);
    assert_score(bench(SLANT, "[45,65,85,105,125,145,165,185,205,225]"), 0, 1, 1);
    /* Absent from both is a hit. */
    assert_score(bench("[-2,-2,-2,-2,-2,5,5,5,5,5]", "[-2,-2,-2,-2,-2,5,5,5,5,5]"), 1, 0, 0);
}

static void test_counts(void **state)
{
    (void)state;
    assert_score(bench("", ""), 0, 0, 0);
    assert_score(bench("", UP(1)), 0, 1, 0);
    assert_score(bench(UP(100) "," UP(300), UP(300)), .5, 0, .5);
    assert_score(bench(UP(100), UP(100) "," UP(500)), 1, .5, 0);
    /* Two labelled lanes found by one prediction: fewer predictions than found. */
    assert_score(bench(UP(100) "," UP(110), UP(105)), 1, -1, 0);
    /* Of five, one may be missed, and the worst does not count. */
    assert_score(
        bench(UP(100) "," UP(200) "," UP(300) "," UP(400) "," UP(500), UP(100) "," UP(200) "," UP(300) "," UP(400)), 1,
        0, 0);
    assert_score(bench(UP(100) "," UP(200) "," UP(300) "," UP(400) "," UP(500), UP(100) "," UP(200) "," UP(300)), .75,
                 0, .25);
}

static void test_wholly_missed(void **state)
{
    (void)state;
    assert_score(bench_slow(UP(100), UP(100), 201), 0, 0, 1);
    assert_score(bench_slow(UP(100), UP(100), 200), 1, 0, 0);
    assert_score(bench(UP(100), UP(100) "," UP(200) "," UP(300)), 1, 2 / 3., 0);
    assert_score(bench(UP(100), UP(100) "," UP(200) "," UP(300) "," UP(400)), 0, 0, 1);
}

static void test_wrong_length(void **state)
{
    (void)state;
    tusimple_score s;
    const char *text = "{\"raw_file\":\"a\",\"lanes\":[[1,2,3]],\"run_time\":1}";
    (void)bench("", "");
    assert_ok(tusimple_read(text, strlen(text), "p.json", 3, TUSIMPLE_PREDICTION, &prediction, &err));
    assert_fails(tusimple_bench(&prediction, &label, &s, &err), LANERT_EFORMAT,
                 "p.json:3: lanes[0] has 3 values; expected 10");
}

static int free_all(void **state)
{
    (void)state;
    tusimple_frame_free(&label);
    tusimple_frame_free(&prediction);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_near_enough),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_wholly_missed),
        cmocka_unit_test(test_wrong_length),
    };
    return cmocka_run_group_tests(tests, NULL, free_all);
}

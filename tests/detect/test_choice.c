/* Precision auto, on the null engine: what is chosen, and what is said of it. */
#include "detect/choice.h"

#include "base/clock.h"
#include "detect/null_model.h"
#include "support/testing.h"

static lanert_error err;
static null_model model;

/* What the reduced precision does to the second of the two lanes that are in every frame; both precisions, to both. */
static struct effect {
    float move, score; /* parts of the width; 0: as it is */
    bool none;         /* there is no lane at all */
    bool slow;         /* it takes longer than float32, which takes STEP_MS; else less */
    bool waits;        /* other programs make it wait */
} effect;

#define STEP_MS 2

/* Time goes on in the engine alone, so that what is faster does not depend on the machine. */
static int64_t now_ns, cpu_ns;
int64_t __wrap_clock_ns(void);
int64_t __wrap_clock_cpu_ns(void);

int64_t __wrap_clock_ns(void)
{
    return now_ns;
}

int64_t __wrap_clock_cpu_ns(void)
{
    return cpu_ns;
}

static bool is_reduced(void)
{
    return model.script.precision != LANERT_PRECISION_AUTO;
}

static void take_time(void *context)
{
    (void)context;
    int ms = !is_reduced() ? STEP_MS : effect.slow ? 3 * STEP_MS : 1;
    cpu_ns += INT64_C(1000000) * ms;
    now_ns += INT64_C(1000000) * (ms + (effect.waits && is_reduced() == !effect.slow ? 10 * STEP_MS : 0));
}

static void on_run(void *context)
{
    bool reduced = is_reduced();
    take_time(context);
    float score = reduced && effect.score > 0 ? effect.score : 0.8f;
    null_model_lane(model.raw, 0.25f, effect.none ? 0.1f : 0.9f);
    null_model_lane(model.raw + NET_COLUMNS, 0.75f + (reduced ? effect.move : 0), effect.none ? 0.1f : score);
}

static int set_up(void **state)
{
    (void)state;
    null_model_raw(&model);
    effect = (struct effect){0};
    snprintf(model.info.precision, sizeof model.info.precision, "fp32");
    model.script.reduced = PRECISION_BIT(LANERT_BF16);
    model.script.on_run = on_run;
    return 0;
}

static lanert_detector_options options_of(int batch)
{
    lanert_detector_options o;
    lanert_detector_defaults(&o);
    o.engine = "null";
    o.batch = batch;
    return o;
}

static lanert_detector *open_or_fail(const lanert_detector_options *o)
{
    lanert_detector *det;
    assert_ok(choice_open(&model.info, o, &det, &err));
    return det;
}

/* Opens, asserts what was chosen, that why says those words, and that the engine was opened in it last. */
static void assert_choice(const char *precision, const char *words)
{
    lanert_detector_options o = options_of(1);
    lanert_detector *det = open_or_fail(&o);
    const char *why;
    assert_string_equal(lanert_detector_precision(det, &why), precision);
    assert_int_equal(model.script.precision,
                     strcmp(precision, "fp32") ? lanert_precision_parse(precision) : LANERT_PRECISION_AUTO);
    if (!strstr(why, words))
        fail_msg("\"%s\" does not say \"%s\"", why, words);
    lanert_detector_close(&det);
}

static void what_finds_the_same_lanes_is_chosen(void **state)
{
    (void)state;
    assert_choice("bf16", "bf16 finds the same 8 lanes of drawn roads, 0.00 pixels apart");
    effect.move = 1.5f / 799; /* of one of two lanes */
    assert_choice("bf16", "0.75 pixels apart");
    snprintf(model.info.precision, sizeof model.info.precision, "fp16");
    assert_choice("bf16", "0.75 pixels apart");
    *model.info.precision = '\0'; /* a plain export */
    assert_choice("bf16", "0.75 pixels apart");
}

static void other_lanes_are_refused(void **state)
{
    (void)state;
    effect.move = 3.0f / 799;
    assert_choice("fp32", "of 8 lanes of drawn roads, bf16 loses 0, adds 0, and moves the others by 1.50 pixels");
    effect.move = 20.0f / 799;
    assert_choice("fp32", "bf16 loses 4, adds 4, and moves the others by 0.00 pixels");
    effect = (struct effect){.score = 0.3f};
    assert_choice("fp32", "bf16 loses 4, adds 0");
}

static void what_is_slower_is_refused(void **state)
{
    (void)state;
    effect.slow = true;
    assert_choice("fp32", "bf16 finds the same 8 lanes of drawn roads, but is slower: ");
}

/* On a busy machine latency says more of the other programs. */
static void waiting_for_processors_is_not_being_slow(void **state)
{
    (void)state;
    effect.waits = true;
    assert_choice("bf16", "bf16 finds the same 8 lanes");
    effect.slow = true;
    assert_choice("fp32", "but is slower: 6.0 ms of processors' time for 2.0");
}

static void no_lanes_prove_nothing(void **state)
{
    (void)state;
    effect.none = true;
    assert_choice("fp32", "prove nothing of bf16");
}

static void fp16_is_tried_after_bf16(void **state)
{
    (void)state;
    model.script.reduced |= PRECISION_BIT(LANERT_FP16);
    assert_choice("bf16", "bf16 finds");
    model.script.fail_at = model.script.runs + CHOICE_FRAMES + 1; /* bf16's first */
    assert_choice("fp16", "fp16 finds");
}

static void fp16_is_not_tried_where_bf16_is_slower(void **state)
{
    (void)state;
    model.script.reduced |= PRECISION_BIT(LANERT_FP16);
    effect.slow = true;
    assert_choice("fp32", "bf16 finds the same 8 lanes of drawn roads, but is slower: ");
    assert_int_equal(model.script.runs, 2 * CHOICE_FRAMES);
    effect = (struct effect){.move = 20.0f / 799}; /* other lanes, but faster */
    assert_choice("fp32", "fp16 loses 4, adds 4");
}

static void a_failure_of_the_reduced_one_is_no_failure(void **state)
{
    (void)state;
    model.script.fail_at = CHOICE_FRAMES + 1;
    assert_choice("fp32", "bf16 fails: null: the script says that run 5 fails");
}

static void what_cannot_be_tried_is_as_it_was(void **state)
{
    (void)state;
    model.script.fail_at = 3;
    assert_choice("fp32", "cannot be tried: null: the script says that run 3 fails");
    model.script.fail_open = 1;
    lanert_detector_options o = options_of(1);
    lanert_detector *det;
    assert_fails(choice_open(&model.info, &o, &det, &err), LANERT_EENGINE, "open fails");
    assert_null(det);
}

static void there_is_no_trial_where_nothing_is_to_be_chosen(void **state)
{
    (void)state;
    lanert_detector_options o = options_of(1);
    model.script.reduced = 0;
    assert_choice("fp32", "");
    model.script.reduced = PRECISION_BIT(LANERT_BF16);
    o.precision = LANERT_FP32;
    for (int i = 0; i < 3; i++) {
        static const char *const expected[] = {"fp32", "bf16", "int8"};
        lanert_detector *det = open_or_fail(&o);
        const char *why;
        assert_string_equal(lanert_detector_precision(det, &why), expected[i]);
        assert_string_equal(why, "");
        assert_int_equal(model.script.precision, o.precision);
        lanert_detector_close(&det);
        o.precision = i == 0 ? LANERT_BF16 : LANERT_PRECISION_AUTO;
        snprintf(model.info.precision, sizeof model.info.precision, i == 0 ? "fp32" : "int8");
    }
    assert_int_equal(model.script.runs, 0);
}

/* What is for TensorRT is not for a processor, whatever precision was asked for. */
static void int8_values_are_warned_of(void **state)
{
    (void)state;
    lanert_detector_options o = options_of(1);
    snprintf(model.info.precision, sizeof model.info.precision, "int8");
    for (int i = 0; i < 4; i++) {
        const char *why;
        model.info.signed_values = i % 2;
        o.precision = i < 2 ? LANERT_PRECISION_AUTO : LANERT_FP32;
        lanert_detector *det = open_or_fail(&o);
        lanert_detector_precision(det, &why);
        if (i % 2)
            assert_non_null(strstr(why, "its values are int8, for TensorRT"));
        else
            assert_string_equal(why, "");
        lanert_detector_close(&det);
    }
}

/* The trial is made with the model's own thresholds and cut, so that its outcome is the model's; what is asked for
 * holds after it, whichever way it went. */
static void options_are_those_asked_for(void **state)
{
    (void)state;
    static uint8_t pixels[64 * 64 * 3];
    lanert_frame frame = {.width = 64, .height = 64, .data = {pixels}, .stride = {64 * 3}};
    lanert_detector_options o = options_of(1);
    lanert_result result;
    o.conf = 0.85f;
    o.cut = 0.5;
    for (int i = 0; i < 2; i++) {
        lanert_detector *det = open_or_fail(&o);
        assert_string_equal(lanert_detector_precision(det, NULL), i ? "fp32" : "bf16");
        assert_ok(lanert_detect(det, &frame, 1, &result, &err));
        assert_int_equal(result.count, 1); /* the other one scores 0.8 */
        assert_float_equal(result.lanes[0].points[0].y, 32, 1e-3);
        lanert_detector_close(&det);
        effect.score = 0.3f; /* which this threshold would not see */
    }
}

/* One run of the batch, and not one for each road, where the batch is larger. */
static void a_batch_is_tried_as_one(void **state)
{
    (void)state;
    static const struct {
        int batch, runs;
    } cases[] = {{1, 8}, {3, 4}, {4, 2}, {8, 2}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        lanert_detector_options o = options_of(cases[i].batch);
        model.script.runs = 0;
        lanert_detector *det = open_or_fail(&o);
        assert_string_equal(lanert_detector_precision(det, NULL), "bf16");
        assert_int_equal(detector_batch(det), cases[i].batch);
        assert_int_equal(model.script.runs, cases[i].runs);
        lanert_detector_close(&det);
    }
}

static void a_graphs_own_lanes_are_compared_too(void **state)
{
    (void)state;
    null_model_lanes(&model);
    model.script.reduced = PRECISION_BIT(LANERT_BF16);
    model.script.on_run = take_time;
    model.count = 1;
    null_model_lane(model.kept, 0.5f, 0.9f);
    assert_choice("bf16", "the same 4 lanes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_finds_the_same_lanes_is_chosen, set_up),
        cmocka_unit_test_setup(other_lanes_are_refused, set_up),
        cmocka_unit_test_setup(what_is_slower_is_refused, set_up),
        cmocka_unit_test_setup(waiting_for_processors_is_not_being_slow, set_up),
        cmocka_unit_test_setup(no_lanes_prove_nothing, set_up),
        cmocka_unit_test_setup(fp16_is_tried_after_bf16, set_up),
        cmocka_unit_test_setup(fp16_is_not_tried_where_bf16_is_slower, set_up),
        cmocka_unit_test_setup(a_failure_of_the_reduced_one_is_no_failure, set_up),
        cmocka_unit_test_setup(what_cannot_be_tried_is_as_it_was, set_up),
        cmocka_unit_test_setup(there_is_no_trial_where_nothing_is_to_be_chosen, set_up),
        cmocka_unit_test_setup(int8_values_are_warned_of, set_up),
        cmocka_unit_test_setup(options_are_those_asked_for, set_up),
        cmocka_unit_test_setup(a_batch_is_tried_as_one, set_up),
        cmocka_unit_test_setup(a_graphs_own_lanes_are_compared_too, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Presets, the names of precisions, and the numbers that a model's metadata holds. */
#include <math.h>

#include "model/metadata.h"
#include "model/preset.h"
#include "support/testing.h"

static void has_the_references_numbers(void **state)
{
    (void)state;
    const lanert_preset *p = lanert_preset_find("llamas");
    assert_non_null(p);
    assert_int_equal(p->ori_width, 1276);
    assert_int_equal(p->ori_height, 717);
    assert_int_equal(p->cut_height, 300);
    assert_true(p->conf == 0.45f && p->nms_thres == 50);
    assert_int_equal(p->max_lanes, 4);
    assert_int_equal(lanert_preset_find("tusimple")->max_lanes, 5);
    assert_null(lanert_preset_find("cityscapes"));
    assert_null(lanert_preset_find(NULL));
}

static void lists_sound_presets(void **state)
{
    (void)state;
    lanert_error err;
    int count = 0;
    for (; lanert_preset_name(count); count++)
        assert_ok(preset_check(lanert_preset_find(lanert_preset_name(count)), &err));
    assert_int_equal(count, 4);
    assert_null(lanert_preset_name(-1));
}

static void refuses_fields_out_of_range(void **state)
{
    (void)state;
    lanert_error err;
    lanert_preset p = *lanert_preset_find("culane");
    p.cut_height = p.ori_height;
    assert_fails(preset_check(&p, &err), LANERT_EFORMAT, "cut_height is 590; expected 0 to 589");
    p = *lanert_preset_find("culane");
    p.conf = NAN;
    assert_fails(preset_check(&p, &err), LANERT_EFORMAT, "conf is nan");
    p.conf = 1.5f;
    assert_fails(preset_check(&p, &err), LANERT_EFORMAT, "conf is 1.5; expected 0 to 1");
    p.conf = 0;
    p.nms_thres = -1;
    assert_fails(preset_check(&p, &err), LANERT_EFORMAT, "nms_thres is -1");
    p.nms_thres = 0;
    p.max_lanes = LANERT_MAX_LANES + 1;
    assert_fails(preset_check(&p, &err), LANERT_EFORMAT, "max_lanes is 17");
    p.max_lanes = 1;
    p.ori_width = 0;
    assert_fails(preset_check(&p, &err), LANERT_EFORMAT, "ori_width is 0");
    p.ori_width = 1;
    memset(p.name, 'x', sizeof p.name);
    assert_fails(preset_check(&p, &err), LANERT_EFORMAT, "name");
}

static void names_precisions(void **state)
{
    (void)state;
    for (int i = LANERT_PRECISION_AUTO; i <= LANERT_BF16; i++)
        assert_int_equal(lanert_precision_parse(lanert_precision_name((lanert_precision)i)), i);
    assert_int_equal(lanert_precision_parse("int8"), -1);
    assert_int_equal(lanert_precision_parse(NULL), -1);
    assert_string_equal(lanert_precision_name((lanert_precision)99), "unknown");
}

static void writes_decimals_back(void **state)
{
    (void)state;
    static const struct {
        float number;
        const char *text;
    } cases[] = {{0, "0"}, {0.4f, "0.4"}, {0.45f, "0.45"}, {50, "50"}, {1, "1"}, {0.000001f, "0.000001"}, {800, "800"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[DECIMAL_TEXT];
        float number;
        assert_int_equal(decimal_format(cases[i].number, 6, text), strlen(cases[i].text));
        assert_string_equal(text, cases[i].text);
        assert_true(decimal_parse(text, &number));
        assert_true(number == cases[i].number);
    }
}

static void refuses_what_is_no_decimal(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", ".", ".5", "-1", "1e3", "0,4", "0x1", "1.2.3", "nan", " 1", "1 ", "1234567890", "0.0123456789012"};
    float number;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (decimal_parse(texts[i], &number))
            fail_msg("'%s' was read as %g", texts[i], (double)number);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_the_references_numbers),  cmocka_unit_test(lists_sound_presets),
        cmocka_unit_test(refuses_fields_out_of_range), cmocka_unit_test(names_precisions),
        cmocka_unit_test(writes_decimals_back),        cmocka_unit_test(refuses_what_is_no_decimal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

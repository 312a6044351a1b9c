/* test_compare.c - two sets of lanes, frame by frame. */
#include <math.h>
#include <unistd.h>

#include "support/testing.h"

static lanert_error err;

typedef struct seen {
    int count, stop_after;
    char names[8][32];
    lanert_compare_frame frames[8];
} seen;

static int take(void *context, const lanert_compare_frame *frame)
{
    seen *s = context;
    snprintf(s->names[s->count], sizeof s->names[0], "%s", frame->name);
    s->frames[s->count++] = *frame;
    return s->count == s->stop_after;
}

static int compare(const char *a, const char *b, bool allow_missing, seen *s, lanert_compare_total *total)
{
    lanert_compare_options o;
    lanert_compare_defaults(&o);
    o.allow_missing = allow_missing;
    o.on_frame = take;
    o.context = s;
    return lanert_compare(temp_path(folder, a), temp_path(folder, b), &o, total, &err);
}

/* Rows of different steps, one written upwards: in rows 300 to 500 the lanes are 5 columns apart, at 400 10. */
static void test_distance(void **state)
{
    (void)state;
    seen s = {0};
    lanert_compare_total total;
    put_text("a/d/1.lines.txt", "100 500 100 400 100 300\n700 300 700 590\n");
    put_text("b/d/1.lines.txt", "1200 300 1200 590\n105 200 105 300 105 350 110 400 105 450 105 500 105 590\n");
    put_text("a/d/2.lines.txt", "10 300 20 500");
    put_text("b/d/2.lines.txt", "");
    assert_ok(compare("a", "b", false, &s, &total));
    assert_int_equal(s.count, 2);
    assert_string_equal(s.names[0], "d/1.lines.txt");
    assert_int_equal(s.frames[0].matched, 1);
    assert_int_equal(s.frames[0].lost, 1);
    assert_int_equal(s.frames[0].gained, 1);
    assert_true(s.frames[0].largest_px == 10);
    assert_true(fabs(s.frames[0].mean_px - (5 + 5 + 10 + 5 + 5) / 5.) < 1e-12);
    assert_int_equal(s.frames[1].lost, 1);
    assert_true(s.frames[1].mean_px == 0);
    assert_int_equal(total.frames, 2);
    assert_int_equal(total.matched, 1);
    assert_int_equal(total.lost, 2);
    assert_int_equal(total.gained, 1);
    assert_true(total.mean_px == s.frames[0].mean_px && total.largest_px == 10);
}

/* The pairing of least sum, not each lane's nearest: 1 takes 110 from 100's reach. */
static void test_pairing(void **state)
{
    (void)state;
    seen s = {0};
    lanert_compare_total total;
    put_text("c/1.lines.txt", "100 300 100 500\n110 300 110 500\n");
    put_text("e/1.lines.txt", "108 300 108 500\n130 300 130 500\n");
    assert_ok(compare("c", "e", false, &s, &total));
    assert_int_equal(total.matched, 2);
    assert_true(total.mean_px == (8 + 20) / 2. && total.largest_px == 20);
    /* Lanes without a row in common are not the same lane. */
    put_text("e/1.lines.txt", "100 510 100 590\n110 300 110 500\n");
    assert_ok(compare("c", "e", false, &s, &total));
    assert_int_equal(total.matched, 1);
    assert_true(total.mean_px == 0);
}

static void test_missing(void **state)
{
    (void)state;
    seen s = {0};
    lanert_compare_total total;
    put_text("f/1.lines.txt", "100 300 100 500\n");
    put_text("f/3.lines.txt", "100 300 100 500\n");
    put_text("g/2.lines.txt", "100 300 100 500\n");
    put_text("g/3.lines.txt", "100 300 100 500\n");
    assert_fails(compare("f", "g", false, &s, &total), LANERT_ENOTFOUND, "g: has no lanes for 1.lines.txt;");
    assert_fails(compare("g", "f", false, &s, &total), LANERT_ENOTFOUND, "g: has no lanes for 1.lines.txt;");
    s.count = 0;
    assert_ok(compare("f", "g", true, &s, &total));
    assert_int_equal(total.frames, 3);
    assert_int_equal(total.missing_a, 1);
    assert_int_equal(total.missing_b, 1);
    assert_int_equal(total.lost, 1);
    assert_int_equal(total.gained, 1);
    assert_int_equal(total.matched, 1);
    assert_true(s.frames[0].missing_b && s.frames[1].missing_a && !s.frames[2].missing_a);
    s = (seen){.stop_after = 1};
    assert_fails(compare("f", "g", true, &s, &total), LANERT_END, "ended before");
}

static void test_tusimple(void **state)
{
    (void)state;
    seen s = {0};
    lanert_compare_total total;
#define LINE(name, lanes) "{\"raw_file\":\"" name "\",\"lanes\":[" lanes "],\"run_time\":1}\n"
    put_text("a.json", LINE("2", "[-2,10,20,30],[-2,-2,-2,-2]") LINE("1", ""));
    put_text("b.json", LINE("1", "[5,6]") LINE("2", "[1,14,20,-2]"));
    assert_ok(compare("a.json", "b.json", false, &s, &total));
    assert_string_equal(s.names[1], "2");
    assert_int_equal(s.frames[0].gained, 1);
    assert_int_equal(s.frames[1].matched, 1);
    assert_int_equal(s.frames[1].lost, 0);
    assert_true(s.frames[1].mean_px == 2 && s.frames[1].largest_px == 4);
    put_text("b.json", LINE("1", "") LINE("1", ""));
    assert_fails(compare("a.json", "b.json", false, &s, &total), LANERT_EFORMAT, "b.json:2: raw_file 1 was on line 1");
}

/* The frames of a list alone, each as a line of the table. */
static void test_listed(void **state)
{
    (void)state;
    seen s = {0};
    lanert_compare_options o;
    lanert_compare_total total;
    char a[4096], b[4096], root[4096], csv[4096];
    file_map map;
    snprintf(a, sizeof a, "%s", temp_path(folder, "l"));
    snprintf(b, sizeof b, "%s", temp_path(folder, "m"));
    snprintf(root, sizeof root, "%s", temp_path(folder, "root"));
    snprintf(csv, sizeof csv, "%s", temp_path(folder, "table.csv"));
    put_text("root/list/test.txt", "d/2.jpg\nd/1,5.jpg\n");
    put_text("l/d/1,5.lines.txt", "100 300 100 500\n");
    put_text("l/d/2.lines.txt", "");
    put_text("l/d/3.lines.txt", "not of the list");
    put_text("m/d/1,5.lines.txt", "101 300 103 500\n");
    lanert_compare_defaults(&o);
    o.dataset = "culane";
    o.root = root;
    o.csv = csv;
    o.on_frame = take;
    o.context = &s;
    assert_fails(lanert_compare(a, b, &o, &total, &err), LANERT_ENOTFOUND, "m: has no lanes for d/2.jpg;");
    assert_false(file_exists(csv));
    o.allow_missing = true;
    s.count = 0;
    assert_ok(lanert_compare(a, b, &o, &total, &err));
    assert_int_equal(total.frames, 2);
    assert_int_equal(total.missing_b, 1);
    assert_string_equal(s.names[0], "d/1,5.jpg");
    assert_ok(file_map_open(csv, 0, &map, &err));
    const char expected[] = "frame,missing_a,missing_b,matched,lost,gained,mean_px,largest_px\n"
                            "\"d/1,5.jpg\",0,0,1,0,0,2.000,3.000\nd/2.jpg,0,1,0,0,0,0.000,0.000\n";
    assert_int_equal(map.size, sizeof expected - 1);
    assert_memory_equal(map.data, expected, map.size);
    file_map_close(&map);
    assert_fails(lanert_compare(a, b, &o, &total, &err), LANERT_EEXIST, "table.csv");
    o.force = true;
    assert_ok(lanert_compare(a, b, &o, &total, &err));
}

static void test_bad_arguments(void **state)
{
    (void)state;
    lanert_compare_total total;
    lanert_compare_options o = {0};
    seen s = {0};
    put_text("bad/1.lines.txt", "1 2 3\n");
    put_text("none/readme", "");
    assert_fails(compare("bad", "bad", false, &s, &total), LANERT_EFORMAT, "bad/1.lines.txt:1: 3 numbers");
    assert_fails(compare("none", "bad", false, &s, &total), LANERT_EFORMAT, "none: no lanes in it");
    assert_fails(compare("a.json", "bad", false, &s, &total), LANERT_EINVAL, "a folder and a file");
    assert_fails(compare("nowhere", "bad", false, &s, &total), LANERT_ENOTFOUND, "nowhere");
    assert_fails(lanert_compare("a", "b", &o, &total, &err), LANERT_EINVAL, "a limit of 0 pixels");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distance), cmocka_unit_test(test_pairing), cmocka_unit_test(test_missing),
        cmocka_unit_test(test_tusimple), cmocka_unit_test(test_listed),  cmocka_unit_test(test_bad_arguments),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

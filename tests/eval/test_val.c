/* test_val.c - whole data sets: the reference's counts, files that are wrong, journals and shards. */
#include <jansson.h>
#include <math.h>
#include <unistd.h>

#include "eval/val.h"
#include "support/testing.h"

static lanert_error err;

/* ---- against the reference ------------------------------------------------------------------- */

static json_t *load_json(const char *path)
{
    json_error_t why;
    json_t *root = json_load_file(path, 0, &why);
    if (!root)
        fail_msg("%s: %s", path, why.text);
    return root;
}

static void assert_counts(const json_t *expected, const lanert_val_counts *counts)
{
    assert_int_equal(counts->tp, json_integer_value(json_object_get(expected, "TP")));
    assert_int_equal(counts->fp, json_integer_value(json_object_get(expected, "FP")));
    assert_int_equal(counts->fn, json_integer_value(json_object_get(expected, "FN")));
    assert_true(counts->precision == json_number_value(json_object_get(expected, "Precision")));
    assert_true(counts->recall == json_number_value(json_object_get(expected, "Recall")));
    assert_true(counts->f1 == json_number_value(json_object_get(expected, "F1")));
}

static const lanert_val_category *category(const lanert_val_report *report, const char *name)
{
    for (int i = 0; i < report->category_count; i++)
        if (strcmp(report->categories[i].name, name) == 0)
            return &report->categories[i];
    fail_msg("no category %s", name);
    return NULL;
}

#define METRIC "reference/metric/"

static lanert_val_options culane_options(void)
{
    lanert_val_options o;
    lanert_val_defaults(&o);
    o.dataset = "culane";
    o.root = SHARED(METRIC "culane/annotations");
    o.list = SHARED(METRIC "culane/list/test.txt");
    o.predictions = SHARED(METRIC "culane/predictions");
    return o;
}

static void test_culane_as_reference(void **state)
{
    (void)state;
    static const char *const lists[][2] = {
        {"normal", "test0_normal"}, {"crowd", "test1_crowd"}, {"cross", "test7_cross"}, {"night", "test8_night"}};
    SHARED_OR_SKIP(METRIC "culane/expected.json");
    lanert_val_options o = culane_options();
    lanert_val *val;
    lanert_val_report report;
    char key[8];
    assert_ok(lanert_val_open(&o, &val, &err));
    assert_ok(lanert_val_run(val, NULL, NULL, &err));
    lanert_val_summary(val, &report);
    json_t *root = load_json(SHARED(METRIC "culane/expected.json"));
    const json_t *all = json_object_get(root, "all"), *mean = json_object_get(all, "mean");
    for (int t = 0; t < LANERT_VAL_THRESHOLDS; t++) {
        snprintf(key, sizeof key, "%.2f", lanert_val_threshold(t));
        assert_counts(json_object_get(all, key), &report.categories[0].at[t]);
    }
    assert_true(report.categories[0].mean_f1 == json_number_value(json_object_get(mean, "F1")));
    assert_int_equal(report.category_count, 1 + ARRAY_LEN(lists));
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        assert_counts(json_object_get(root, lists[i][1]), &category(&report, lists[i][0])->at[0]);
    assert_int_equal(report.frames, 400);
    assert_int_equal(report.unfinished + report.missing, 0);
    json_decref(root);
    lanert_val_close(&val);
}

static void test_tusimple_as_reference(void **state)
{
    (void)state;
    SHARED_OR_SKIP(METRIC "tusimple/expected.json");
    lanert_val_options o;
    lanert_val *val;
    lanert_val_report report;
    lanert_val_defaults(&o);
    o.dataset = "tusimple";
    o.root = SHARED(METRIC "tusimple");
    o.predictions = SHARED(METRIC "tusimple/predictions.json");
    assert_ok(lanert_val_open(&o, &val, &err));
    assert_ok(lanert_val_run(val, NULL, NULL, &err));
    lanert_val_summary(val, &report);
    const double got[] = {report.accuracy, report.f1, report.fp, report.fn};
    json_t *root = load_json(SHARED(METRIC "tusimple/expected.json"));
    for (size_t i = 0; i < ARRAY_LEN(got); i++)
        assert_true(fabs(got[i] - json_number_value(json_object_get(json_array_get(root, i), "value"))) < 1e-9);
    json_decref(root);
    lanert_val_close(&val);
}

/* ---- a small data set of our own ------------------------------------------------------------- */

#define FRAMES 7

/* Frame i has i % 3 lanes, predicted 4·i pixels aside; in the last frame a lane more is predicted. */
static void put_frame(int i)
{
    char name[64], truth[256] = "", predicted[256] = "";
    for (int k = 0; k < i % 3; k++) {
        size_t n = strlen(truth), m = strlen(predicted);
        snprintf(truth + n, sizeof truth - n, "%d 590 %d 450 %d 300\n", 200 + 500 * k, 260 + 450 * k, 350 + 400 * k);
        snprintf(predicted + m, sizeof predicted - m, "%d 590 %d 450 %d 300\n", 200 + 500 * k + 4 * i,
                 260 + 450 * k + 4 * i, 350 + 400 * k + 4 * i);
    }
    if (i == FRAMES - 1)
        strcat(predicted, "1500 590 1400 400\n");
    snprintf(name, sizeof name, "root/d/%d.lines.txt", i);
    put_text(name, truth);
    snprintf(name, sizeof name, "pred/d/%d.lines.txt", i);
    put_text(name, predicted);
}

static lanert_val_options small_options(void)
{
    static char root[4096], predictions[4096];
    lanert_val_options o;
    snprintf(root, sizeof root, "%s/root/", folder);
    snprintf(predictions, sizeof predictions, "%s/pred//", folder); /* as a shell completes it, and more */
    lanert_val_defaults(&o);
    o.dataset = "culane";
    o.root = root;
    o.predictions = predictions;
    o.threads = 2;
    return o;
}

static int make_small(void **state)
{
    if (make_folder(state))
        return -1;
    for (int i = 0; i < FRAMES; i++)
        put_frame(i);
    put_text("root/list/test.txt",
             "/d/0.jpg\nd/1.jpg\r\n\nd/2.jpg /mask.png 1 1 0 0\nd/3.jpg\nd/4.jpg\nd/5.jpg\n/d/6.jpg");
    put_text("root/list/test_split/test3_shadow.txt", "d/1.jpg\n/d/2.jpg\nd/of_another_list.jpg\n");
    return 0;
}

/* Of a file that is named for as long as the tests run. */
static const char *kept_path(const char *name)
{
    static char space[16][4096];
    static int next;
    snprintf(space[next], sizeof space[0], "%s", temp_path(folder, name));
    return space[next++];
}

/* Opens, runs, and gives the table of frames and the report; buffer to be freed. */
static void run_table(const lanert_val_options *o, const char *const *merge, buffer *table, lanert_val_report *report)
{
    lanert_val *val;
    file_map map;
    assert_ok(lanert_val_open(o, &val, &err));
    for (; merge && *merge; merge++)
        assert_ok(lanert_val_merge(val, *merge, &err));
    if (!merge)
        assert_ok(lanert_val_run(val, NULL, NULL, &err));
    assert_ok(lanert_val_write_csv(val, temp_path(folder, "table.csv"), true, &err));
    assert_ok(file_map_open(temp_path(folder, "table.csv"), 0, &map, &err));
    assert_ok(buffer_add(table, map.data, map.size, &err));
    file_map_close(&map);
    if (report)
        lanert_val_summary(val, report);
    lanert_val_close(&val);
}

static void test_table(void **state)
{
    (void)state;
    lanert_val_options o = small_options();
    lanert_val_report report;
    buffer table = {0};
    run_table(&o, NULL, &table, &report);
    assert_non_null(strstr(table.data, "frame,missing,predicted,labelled,categories,tp50,tp55"));
    assert_non_null(strstr(table.data, "\nd/0.jpg,0,0,0,,0,0,0,0,0,0,0,0,0,0\n"));
    assert_non_null(strstr(table.data, "\nd/1.jpg,0,1,1,shadow,1,1,1,"));
    assert_non_null(strstr(table.data, "\nd/2.jpg,0,2,2,shadow,2,"));
    assert_non_null(strstr(table.data, "\nd/6.jpg,0,1,0,,0,0,0,0,0,0,0,0,0,0\n"));
    assert_int_equal(report.category_count, 2);
    const lanert_val_category *shadow = category(&report, "shadow");
    assert_int_equal(shadow->frames, 2);
    assert_int_equal(shadow->at[0].tp, 3);
    assert_int_equal(shadow->at[0].fp + shadow->at[0].fn, 0);
    /* Frames 4 and 5 are too far aside. */
    assert_int_equal(report.categories[0].at[0].fp, 1 + 2 + 1);
    assert_int_equal(report.categories[0].at[0].fn, 1 + 2);
    buffer_free(&table);
}

static void test_threads_do_not_matter(void **state)
{
    (void)state;
    lanert_val_options o = small_options();
    buffer one = {0}, many = {0};
    o.threads = 1;
    run_table(&o, NULL, &one, NULL);
    o.threads = 5;
    run_table(&o, NULL, &many, NULL);
    assert_string_equal(one.data, many.data);
    buffer_free(&one);
    buffer_free(&many);
}

static int stop_at_3(void *context, int64_t done, int64_t total)
{
    *(int64_t *)context = total;
    return done >= 3;
}

/* A run that was stopped goes on; what a kill left of its last line is written again; the table is the same. */
static void test_journal(void **state)
{
    (void)state;
    lanert_val_options o = small_options();
    lanert_val *val;
    lanert_val_frame frame;
    buffer whole = {0}, resumed = {0};
    int64_t total = 0, wanted = 0;
    run_table(&o, NULL, &whole, NULL);
    o.journal = kept_path("journal");
    o.threads = 1;
    assert_ok(lanert_val_open(&o, &val, &err));
    assert_fails(lanert_val_run(val, stop_at_3, &total, &err), LANERT_END, "ended before");
    assert_int_equal(total, FRAMES);
    lanert_val_close(&val);

    file_map map;
    assert_ok(file_map_open(o.journal, 0, &map, &err));
    assert_int_equal(truncate(o.journal, (off_t)map.size - 5), 0);
    file_map_close(&map);
    assert_ok(lanert_val_open(&o, &val, &err));
    for (int64_t i = 0; i < lanert_val_count(val); i++) {
        assert_ok(lanert_val_frame_at(val, i, &frame, &err));
        wanted += frame.wanted;
    }
    assert_int_equal(wanted, FRAMES - 2);
    lanert_val_close(&val);
    run_table(&o, NULL, &resumed, NULL);
    assert_string_equal(whole.data, resumed.data);

    /* Finished: the predictions are not looked at any more. */
    buffer_clear(&resumed);
    assert_int_equal(rename(temp_path(folder, "pred/d"), temp_path(folder, "pred/away")), 0);
    run_table(&o, NULL, &resumed, NULL);
    assert_int_equal(rename(temp_path(folder, "pred/away"), temp_path(folder, "pred/d")), 0);
    assert_string_equal(whole.data, resumed.data);
    buffer_free(&whole);
    buffer_free(&resumed);
}

/* Whatever the length at which the writing ended, the run goes on, or starts anew. */
static void test_journal_cut_anywhere(void **state)
{
    (void)state;
    lanert_val_options o = small_options();
    buffer whole = {0}, table = {0};
    file_map map;
    run_table(&o, NULL, &whole, NULL);
    o.journal = kept_path("cut");
    run_table(&o, NULL, &table, NULL);
    assert_ok(file_map_open(o.journal, 0, &map, &err));
    off_t size = (off_t)map.size;
    file_map_close(&map);
    for (off_t length = 0; length < size; length += 13) {
        assert_int_equal(truncate(o.journal, length), 0);
        buffer_clear(&table);
        run_table(&o, NULL, &table, NULL);
        assert_string_equal(whole.data, table.data);
    }
    buffer_free(&whole);
    buffer_free(&table);
}

static void test_bad_journal(void **state)
{
    (void)state;
    lanert_val_options o = small_options();
    lanert_val *val, *second;
    file_map map;
    buffer text = {0};
    o.journal = kept_path("bad");
    assert_ok(lanert_val_open(&o, &val, &err));
    assert_ok(lanert_val_run(val, NULL, NULL, &err));
    assert_fails(lanert_val_open(&o, &second, &err), LANERT_EINVAL, "another run");
    lanert_val_close(&val);

    assert_ok(file_map_open(o.journal, 0, &map, &err));
    assert_ok(buffer_add(&text, map.data, map.size, &err));
    file_map_close(&map);
    char *third = strchr(strchr(text.data, '\n') + 1, '\n') + 1;
    third[4] ^= 1;
    assert_ok(file_write(o.journal, text.data, text.size, true, &err));
    assert_fails(lanert_val_open(&o, &val, &err), LANERT_EFORMAT, "bad:3: damaged");
    assert_null(val);

    third[4] ^= 1;
    assert_ok(file_write(o.journal, text.data, text.size, true, &err));
    o.identity = "another model";
    assert_fails(lanert_val_open(&o, &val, &err), LANERT_EINVAL, "bad:1: not a journal of this run");
    put_text("bad", "a shopping list\n");
    assert_fails(lanert_val_open(&o, &val, &err), LANERT_EINVAL, "bad:1: not a journal of this run");
    buffer_free(&text);
}

static void test_shards(void **state)
{
    (void)state;
    const char *merge[4] = {kept_path("shard1"), kept_path("shard2"), kept_path("shard3"), NULL};
    lanert_val_options o = small_options();
    lanert_val *val;
    lanert_val_report report;
    buffer whole = {0}, merged = {0}, part = {0};
    run_table(&o, NULL, &whole, NULL);
    for (int i = 0; i < 3; i++) {
        o.journal = merge[i];
        o.shard = i + 1;
        o.shards = 3;
        run_table(&o, NULL, &part, &report);
        assert_int_equal(report.frames, i ? 2 : 3);
        assert_int_equal(report.unfinished, FRAMES - report.frames);
    }
    o = small_options();
    run_table(&o, merge, &merged, &report);
    assert_int_equal(report.unfinished, 0);
    assert_string_equal(whole.data, merged.data);

    assert_ok(lanert_val_open(&o, &val, &err));
    assert_fails(lanert_val_merge(val, temp_path(folder, "table.csv"), &err), LANERT_EINVAL,
                 "not a journal of this run");
    assert_fails(lanert_val_merge(val, temp_path(folder, "none"), &err), LANERT_ENOTFOUND, "none");
    lanert_val_close(&val);
    o.shard = 4, o.shards = 3;
    assert_fails(lanert_val_open(&o, &val, &err), LANERT_EINVAL, "shard 4 of 3");
    buffer_free(&whole);
    buffer_free(&merged);
    buffer_free(&part);
}

/* ---- what is wrong with the files ------------------------------------------------------------ */

static void assert_run_fails(const lanert_val_options *o, int code, const char *part)
{
    lanert_val *val;
    assert_ok(lanert_val_open(o, &val, &err));
    assert_fails(lanert_val_run(val, NULL, NULL, &err), code, part);
    lanert_val_close(&val);
}

static void test_missing_prediction(void **state)
{
    (void)state;
    lanert_val_options o = small_options();
    lanert_val_report report;
    buffer table = {0};
    assert_int_equal(unlink(temp_path(folder, "pred/d/2.lines.txt")), 0);
    assert_int_equal(unlink(temp_path(folder, "pred/d/5.lines.txt")), 0);
    for (o.threads = 1; o.threads < 5; o.threads++)
        assert_run_fails(&o, LANERT_ENOTFOUND, "pred/d/2.lines.txt: no prediction");
    o.allow_missing = true;
    run_table(&o, NULL, &table, &report);
    assert_int_equal(report.missing, 2);
    assert_int_equal(report.categories[0].at[0].fn, 2 + 1 + 2);
    assert_non_null(strstr(table.data, "\nd/2.jpg,1,0,2,shadow,0,"));
    put_frame(2);
    put_frame(5);
    buffer_free(&table);
}

static void test_bad_lanes(void **state)
{
    (void)state;
    lanert_val_options o = small_options();
    put_text("pred/d/4.lines.txt", "1 2 3 4\n5 6 nan 8\n");
    assert_run_fails(&o, LANERT_EFORMAT, "pred/d/4.lines.txt:2: point 2 is (nan, 8)");
    put_text("pred/d/4.lines.txt", "1 2 3 4\r\n\r\n5 6 5 6");
    assert_run_fails(&o, LANERT_EFORMAT, "pred/d/4.lines.txt:3: points 1 and 2");
    put_text("pred/d/4.lines.txt", "");
    put_text("root/d/4.lines.txt", "17");
    assert_run_fails(&o, LANERT_EFORMAT, "root/d/4.lines.txt:1: 1 numbers");
    assert_int_equal(unlink(temp_path(folder, "root/d/4.lines.txt")), 0);
    o.allow_missing = true;
    assert_run_fails(&o, LANERT_ENOTFOUND, "root/d/4.lines.txt: no annotation");
    put_frame(4);
}

static void test_bad_layout(void **state)
{
    (void)state;
    lanert_val_options o = small_options();
    lanert_val *val;
    o.dataset = "coco";
    assert_fails(lanert_val_open(&o, &val, &err), LANERT_EINVAL, "\"coco\"");
    o.dataset = NULL;
    assert_fails(lanert_val_open(&o, &val, &err), LANERT_EINVAL, "expected culane, tusimple or llamas");
    o = small_options();
    put_text("bare/note.txt", "");
    o.root = temp_path(folder, "bare");
    assert_fails(lanert_val_open(&o, &val, &err), LANERT_ENOTFOUND, "bare: neither list/test.txt nor any .lines.txt");
    put_text("half/list/train.txt", "d/1.jpg\n");
    o.root = temp_path(folder, "half");
    assert_fails(lanert_val_open(&o, &val, &err), LANERT_ENOTFOUND, "not laid out as CULane");
    o.root = temp_path(folder, "pred");
    o.dataset = "tusimple";
    assert_fails(lanert_val_open(&o, &val, &err), LANERT_ENOTFOUND, "not laid out as TuSimple");
    o.dataset = "llamas";
    assert_fails(lanert_val_open(&o, &val, &err), LANERT_ENOTFOUND, "not laid out as LLAMAS");
    o.root = temp_path(folder, "nowhere");
    assert_fails(lanert_val_open(&o, &val, &err), LANERT_ENOTFOUND, "nowhere: is not a folder");
    o = small_options();
    o.predictions = temp_path(folder, "nowhere");
    assert_fails(lanert_val_open(&o, &val, &err), LANERT_ENOTFOUND, "nowhere: is not a folder");
    o = small_options();
    o.list = temp_path(folder, "list.txt");
    put_text("list.txt", "d/1.jpg\nd/2.bmp\n");
    assert_fails(lanert_val_open(&o, &val, &err), LANERT_EFORMAT, "list.txt:2: \"d/2.bmp\" is not a picture's name");
    put_text("list.txt", "\n \n");
    assert_fails(lanert_val_open(&o, &val, &err), LANERT_EFORMAT, "list.txt: no frames");
    o = small_options();
    o.predictions = NULL;
    assert_run_fails(&o, LANERT_EINVAL, "no predictions");
}

static void test_tusimple_files(void **state)
{
    (void)state;
    lanert_val_options o = small_options();
    lanert_val *val;
    lanert_val_report report;
    buffer table = {0};
#define LABEL_OF(name) "{\"raw_file\":\"" name "\",\"lanes\":[[5,6]],\"h_samples\":[1,2]}\n"
#define LANES_OF(name) "{\"raw_file\":\"" name "\",\"lanes\":[[5,6]],\"run_time\":1}\n"
    put_text("root/test_label.json", LABEL_OF("a") LABEL_OF("b"));
    put_text("p.json", LANES_OF("b"));
    o.dataset = "tusimple";
    o.predictions = temp_path(folder, "p.json");
    assert_run_fails(&o, LANERT_ENOTFOUND, "p.json: a: no prediction");
    o.allow_missing = true;
    run_table(&o, NULL, &table, &report);
    assert_true(report.accuracy == .5 && report.fp == 0 && report.fn == .5);
    assert_int_equal(report.missing, 1);
    assert_non_null(strstr(
        table.data,
        "frame,missing,predicted,labelled,accuracy,fp,fn\na,1,0,1,0.000000,0.000000,1.000000\nb,0,1,1,1.000000,"));
    put_text("p.json", LANES_OF("b") LANES_OF("c"));
    assert_fails(lanert_val_open(&o, &val, &err), LANERT_EFORMAT, "p.json:2: raw_file c is not in the labels");
    put_text("p.json", LANES_OF("b") "\n" LANES_OF("b"));
    assert_fails(lanert_val_open(&o, &val, &err), LANERT_EFORMAT, "p.json:3: raw_file b was on line 1 already");
    put_text("root/test_label.json", LABEL_OF("a") LABEL_OF("a"));
    assert_fails(lanert_val_open(&o, &val, &err), LANERT_EFORMAT,
                 "test_label.json:2: raw_file a was on line 1 already");
    buffer_free(&table);
}

/* ---- lanes from a detector ------------------------------------------------------------------- */

/* The lanes of frame 2, as found in a picture of half the size: the same as from the file. */
static void test_add(void **state)
{
    (void)state;
    lanert_val_options o = small_options();
    lanert_val *val;
    lanert_lane lanes[2] = {0};
    lanert_result result = {.count = 2, .lanes = lanes};
    lanert_val_report report;
    char *picture;
    o.predictions = NULL;
    assert_ok(lanert_val_open(&o, &val, &err));
    for (int k = 0; k < 2; k++) {
        lanes[k].count = 30;
        for (int i = 0; i < 30; i++)
            lanes[k].points[i] = (lanert_point){(200 + 500 * k + (29 - i) * 5) / 2., (590 - 10 * (29 - i)) / 2.};
    }
    assert_ok(lanert_val_add(val, 2, 820, 295, &result, &err));
    lanert_val_summary(val, &report);
    assert_int_equal(report.frames, 1);
    assert_int_equal(report.categories[0].at[0].tp, 1);
    assert_int_equal(report.categories[0].at[0].fp, 1);
    assert_ok(lanert_val_picture(val, 2, &picture, &err));
    assert_non_null(strstr(picture, "root/d/2.jpg"));
    free(picture);
    assert_fails(lanert_val_add(val, FRAMES, 820, 295, &result, &err), LANERT_EINVAL, "frame 7; there are 7");
    result.count = LANERT_MAX_LANES + 1;
    assert_fails(lanert_val_add(val, 0, 820, 295, &result, &err), LANERT_EINVAL, "d/0.jpg: 17 lanes");
    lanert_val_close(&val);
}

static void test_add_missing(void **state)
{
    (void)state;
    lanert_val_options o = small_options();
    lanert_val *val;
    lanert_val_frame frame;
    lanert_val_report report;
    o.predictions = NULL;
    assert_ok(lanert_val_open(&o, &val, &err));
    assert_fails(lanert_val_add(val, 2, 0, 0, NULL, &err), LANERT_EINVAL, "d/2.jpg: no lanes");
    lanert_val_close(&val);
    o.allow_missing = true;
    assert_ok(lanert_val_open(&o, &val, &err));
    assert_ok(lanert_val_add(val, 2, 0, 0, NULL, &err));
    assert_ok(lanert_val_frame_at(val, 2, &frame, &err));
    assert_true(frame.done && frame.missing && !frame.wanted);
    assert_int_equal(frame.labelled, 2);
    assert_int_equal(frame.predicted + frame.tp[0], 0);
    lanert_val_summary(val, &report);
    assert_int_equal(report.missing, 1);
    assert_int_equal(report.categories[0].at[0].fn, 2);
    lanert_val_close(&val);
}

/* Upper end first, and no more points than a lane can have. */
static void test_lanes(void **state)
{
    (void)state;
    lanert_val_options o = small_options();
    lanert_val *val;
    lanert_lane lanes[LANERT_MAX_LANES];
    int count;
    assert_ok(lanert_val_open(&o, &val, &err));
    assert_ok(lanert_val_lanes(val, 2, LANERT_VAL_LABELLED, lanes, &count, &err));
    assert_int_equal(count, 2);
    assert_int_equal(lanes[1].count, 3);
    assert_true(lanes[1].points[0].x == 750 && lanes[1].points[0].y == 300 && lanes[1].points[2].y == 590);
    assert_ok(lanert_val_lanes(val, 2, LANERT_VAL_PREDICTED, lanes, &count, &err));
    assert_true(count == 2 && lanes[1].points[0].x == 758 && lanes[1].score < 0);
    assert_ok(lanert_val_lanes(val, 0, LANERT_VAL_PREDICTED, lanes, &count, &err));
    assert_int_equal(count, 0);
    assert_fails(lanert_val_lanes(val, -1, LANERT_VAL_PREDICTED, lanes, &count, &err), LANERT_EINVAL, "frame -1");
    lanert_val_close(&val);
    o.predictions = NULL;
    assert_ok(lanert_val_open(&o, &val, &err));
    assert_ok(lanert_val_lanes(val, 2, LANERT_VAL_PREDICTED, lanes, &count, &err));
    assert_int_equal(count, 0);
    assert_ok(lanert_val_lanes(val, 1, LANERT_VAL_LABELLED, lanes, &count, &err));
    assert_int_equal(count, 1);
    lanert_val_close(&val);
}

static void test_lanes_thinned_and_few(void **state)
{
    (void)state;
    lanert_val_options o = small_options();
    lanert_val *val;
    lanert_lane lanes[LANERT_MAX_LANES];
    buffer text = {0};
    int count;
    for (int k = 0; k < LANERT_MAX_LANES + 4; k++) {
        for (int y = 590; y > 190; y--)
            assert_ok(buffer_format(&text, &err, "%d %d ", 30 * k, y));
        assert_ok(buffer_text(&text, "\n", &err));
    }
    put_text("many/d/0.lines.txt", text.data);
    put_text("many/list/test.txt", "d/0.jpg");
    o.root = kept_path("many");
    o.predictions = o.root;
    assert_ok(lanert_val_open(&o, &val, &err));
    assert_ok(lanert_val_lanes(val, 0, LANERT_VAL_PREDICTED, lanes, &count, &err));
    assert_int_equal(count, LANERT_MAX_LANES);
    for (int k = 0; k < count; k++) {
        assert_int_equal(lanes[k].count, LANERT_LANE_POINTS);
        assert_true(lanes[k].points[0].y == 191 && lanes[k].points[LANERT_LANE_POINTS - 1].y == 590);
        for (int i = 1; i < LANERT_LANE_POINTS; i++)
            assert_true(lanes[k].points[i].y > lanes[k].points[i - 1].y);
    }
    lanert_val_close(&val);
    buffer_free(&text);
}

/* Columns in the label's rows, without those that the lane is not in. */
static void test_lanes_of_tusimple(void **state)
{
    (void)state;
    lanert_val_options o = small_options();
    lanert_val *val;
    lanert_lane lanes[LANERT_MAX_LANES];
    int count;
    put_text("labels.json", "{\"raw_file\": \"a\", \"lanes\": [[-2, 10, 20]], \"h_samples\": [100, 110, 120]}\n");
    put_text("lanes.json", "{\"raw_file\": \"a\", \"lanes\": [[5, -2, 7], [-2, -2, 8]], \"run_time\": 1}\n");
    o.dataset = "tusimple";
    o.list = kept_path("labels.json");
    o.predictions = kept_path("lanes.json");
    assert_ok(lanert_val_open(&o, &val, &err));
    assert_ok(lanert_val_lanes(val, 0, LANERT_VAL_LABELLED, lanes, &count, &err));
    assert_true(count == 1 && lanes[0].count == 2);
    assert_true(lanes[0].points[0].x == 10 && lanes[0].points[0].y == 110 && lanes[0].points[1].y == 120);
    assert_ok(lanert_val_lanes(val, 0, LANERT_VAL_PREDICTED, lanes, &count, &err));
    assert_true(count == 1 && lanes[0].count == 2 && lanes[0].points[1].x == 7 && lanes[0].points[0].y == 100);
    lanert_val_close(&val);
}

/* Merging need not say where the lanes came from; but they came from one place. */
static void test_merge_learns(void **state)
{
    (void)state;
    lanert_val_options o = small_options();
    lanert_val *val;
    lanert_val_report report;
    o.journal = kept_path("learn");
    assert_ok(lanert_val_open(&o, &val, &err));
    assert_ok(lanert_val_run(val, NULL, NULL, &err));
    lanert_val_close(&val);
    const char *learnt = o.journal;
    o.predictions = o.root;
    o.journal = kept_path("learn_other");
    assert_ok(lanert_val_open(&o, &val, &err));
    lanert_val_close(&val);
    const char *other = o.journal;
    o.predictions = o.journal = NULL;
    assert_ok(lanert_val_open(&o, &val, &err));
    assert_ok(lanert_val_merge(val, learnt, &err));
    lanert_val_summary(val, &report);
    assert_int_equal(report.frames, FRAMES);
    assert_fails(lanert_val_merge(val, other, &err), LANERT_EINVAL, "learn_other:1: not a journal of this run");
    lanert_val_close(&val);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_culane_as_reference),
        cmocka_unit_test(test_tusimple_as_reference),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_threads_do_not_matter),
        cmocka_unit_test(test_journal),
        cmocka_unit_test(test_journal_cut_anywhere),
        cmocka_unit_test(test_bad_journal),
        cmocka_unit_test(test_shards),
        cmocka_unit_test(test_missing_prediction),
        cmocka_unit_test(test_bad_lanes),
        cmocka_unit_test(test_bad_layout),
        cmocka_unit_test(test_tusimple_files),
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_add_missing),
        cmocka_unit_test(test_lanes),
        cmocka_unit_test(test_lanes_thinned_and_few),
        cmocka_unit_test(test_lanes_of_tusimple),
        cmocka_unit_test(test_merge_learns),
    };
    return cmocka_run_group_tests(tests, make_small, remove_folder);
}

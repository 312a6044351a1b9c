#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/histogram.h"
#include "base/queue.h"
#include "base/sha256.h"
#include "support/testing.h"

static lanert_error err;

static void error_texts_are_cut_not_overrun(void **state)
{
    (void)state;
    char longer[3000];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(error_set(&err, LANERT_EIO, "%s", longer), LANERT_EIO);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_int_equal(error_within(&err, LANERT_EIO, "%s", longer), LANERT_EIO);
    assert_int_equal(error_errno(&err, LANERT_EIO, ENOENT, "%s", longer), LANERT_EIO);
    assert_int_equal(error_set(NULL, LANERT_ENOMEM, "no one listens"), LANERT_ENOMEM);
}

static void error_context_goes_in_front(void **state)
{
    (void)state;
    error_set(&err, LANERT_EFORMAT, "7 is not 8");
    assert_int_equal(error_within(&err, LANERT_EIO, "file.pth: record %d", 3), LANERT_EFORMAT);
    assert_string_equal(err.text, "file.pth: record 3: 7 is not 8");
    assert_string_equal(lanert_error_name(LANERT_EFORMAT), "EFORMAT");
    assert_string_equal(lanert_error_name(LANERT_END), "END");
    assert_string_equal(lanert_error_name(-999), "unknown");
    assert_string_equal(lanert_error_name(5), "unknown");
}

static void memory_refuses_what_cannot_be(void **state)
{
    (void)state;
    void *p = &err;
    assert_fails(memory_new(&p, SIZE_MAX / 2, 4, &err), LANERT_ENOMEM, "out of memory");
    assert_null(p);
    assert_fails(memory_aligned(&p, SIZE_MAX, &err), LANERT_ENOMEM, "out of memory");
    size_t capacity = 0;
    int *array = NULL;
    assert_fails(memory_grow(&array, &capacity, SIZE_MAX / 2, sizeof *array, &err), LANERT_ENOMEM, "out of memory");
    assert_ok(memory_grow(&array, &capacity, 100, sizeof *array, &err));
    assert_true(capacity >= 100);
    for (size_t i = 0; i < capacity; i++)
        assert_int_equal(array[i], 0);
    FREE(array);
    assert_ok(memory_aligned(&p, 0, &err));
    assert_int_equal((uintptr_t)p % 64, 0);
    FREE(p);
}

static void buffer_grows_to_its_limit(void **state)
{
    (void)state;
    buffer b = {.limit = 10};
    assert_ok(buffer_text(&b, "12345", &err));
    assert_ok(buffer_format(&b, &err, "%d", 67890));
    assert_string_equal(b.data, "1234567890");
    assert_fails(buffer_text(&b, "x", &err), LANERT_ELIMIT, "10 bytes");
    assert_fails(buffer_format(&b, &err, "%d", 1), LANERT_ELIMIT, "10 bytes");
    assert_string_equal(b.data, "1234567890");
    buffer_clear(&b);
    assert_string_equal(b.data, "");
    buffer_free(&b);
}

/* Calls of our own code come through this (the linker's --wrap), which may be a file system without O_TMPFILE. */
static bool no_tmpfile;
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

int __wrap_open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
    va_end(args);
    if (!no_tmpfile || (flags & O_TMPFILE) != O_TMPFILE)
        return __real_open(path, flags, mode);
    errno = EOPNOTSUPP;
    return -1;
}

static int make_poor_folder(void **state)
{
    no_tmpfile = true;
    return make_folder(state);
}

static int remove_poor_folder(void **state)
{
    no_tmpfile = false;
    return remove_folder(state);
}

static void file_appears_whole_or_not_at_all(void **state)
{
    (void)state;
    const char *path = temp_path(folder, "c.txt");
    file_writer w;
    assert_ok(file_writer_open(path, false, &w, &err));
    fputs("half", w.stream);
    assert_false(file_exists(path));
    file_writer_close(&w);
    assert_false(file_exists(path));
    assert_ok(file_write(path, "whole", 5, false, &err));
    assert_fails(file_write(path, "other", 5, false, &err), LANERT_EEXIST, "--force");
    assert_ok(file_write(path, "other", 5, true, &err));
    file_map map;
    assert_ok(file_map_open(path, 0, &map, &err));
    assert_int_equal(map.size, 5);
    assert_memory_equal(map.data, "other", 5);
    file_map_close(&map);
    assert_fails(file_map_open(path, 4, &map, &err), LANERT_ELIMIT, "limit of 4");
    assert_fails(file_write(folder, "", 0, true, &err), LANERT_EIO, "is a folder");
    assert_fails(file_map_open(folder, 0, &map, &err), LANERT_EIO, "is a folder");
    assert_fails(file_map_open(temp_path(folder, "none"), 0, &map, &err), LANERT_ENOTFOUND, "none");
    assert_fails(file_write(temp_path(folder, "c.txt/d"), "", 0, true, &err), LANERT_EIO, "c.txt/d: cannot be written");
    assert_fails(file_write(temp_path(folder, "a/b/c.txt"), "", 0, true, &err), LANERT_EIO, "its folder is not there");
    assert_ok(file_make_folders_above(temp_path(folder, "a/b/c.txt"), &err));
    assert_ok(file_write(temp_path(folder, "a/b/c.txt"), "", 0, true, &err));
    assert_fails(file_make_folders(temp_path(folder, "c.txt/d"), &err), LANERT_EIO, "c.txt: is a file");
    assert_ok(file_flush_folder(folder, &err));
    assert_fails(file_flush_folder(temp_path(folder, "none"), &err), LANERT_EIO, "none: cannot be written");
}

/* Nobody removes it where the program is killed: the disk is to hold no name for it. */
static void file_has_no_name_until_it_is_whole(void **state)
{
    (void)state;
    file_writer w;
    assert_ok(file_writer_open(temp_path(folder, "new.txt"), false, &w, &err));
    if (!w.unnamed) {
        file_writer_close(&w);
        skip();
    }
    assert_int_equal(rmdir(folder), 0);
    mkdir(folder, 0777);
    file_writer_close(&w);

    put_text("new.txt", "old");
    assert_ok(file_writer_open(temp_path(folder, "new.txt"), true, &w, &err));
    fputs("new", w.stream);
    FILE *again = fopen(w.temp_path, "r+"); /* as FFmpeg opens it */
    assert_non_null(again);
    fclose(again);
    assert_ok(file_writer_commit(&w, &err));
    assert_int_equal(unlink(temp_path(folder, "new.txt")), 0);
    assert_int_equal(rmdir(folder), 0);
    mkdir(folder, 0777);
}

static void file_is_written_where_a_file_can_be(void **state)
{
    (void)state;
    char longest[NAME_MAX + 1];
    struct stat st;
    file_map map;
    assert_fails(file_write(temp_path(folder, "x.json/"), "", 0, true, &err), LANERT_EIO, "is a folder");
    assert_false(file_exists(temp_path(folder, "x.json")));
    assert_fails(file_write("", "", 0, true, &err), LANERT_EIO, "expected the name of a file");
    assert_fails(file_write("-", "", 0, true, &err), LANERT_EINVAL, "standard output");
    assert_int_equal(mkfifo(temp_path(folder, "pipe"), 0666), 0);
    assert_fails(file_write(temp_path(folder, "pipe"), "", 0, true, &err), LANERT_EIO, "no plain file");
    assert_fails(file_map_open(temp_path(folder, "pipe"), 0, &map, &err), LANERT_EIO, "not a plain file");
    memset(longest, 'x', NAME_MAX);
    longest[NAME_MAX] = '\0';
    mode_t mask = umask(027);
    assert_ok(file_write(temp_path(folder, longest), "", 0, false, &err));
    umask(mask);
    assert_int_equal(stat(temp_path(folder, longest), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
}

static void file_that_came_meanwhile_stays(void **state)
{
    (void)state;
    const char *path = temp_path(folder, "both.txt");
    file_writer first, second;
    file_map map;
    assert_ok(file_writer_open(path, false, &first, &err));
    assert_ok(file_writer_open(path, false, &second, &err));
    fputs("first", first.stream);
    fputs("second", second.stream);
    assert_ok(file_writer_commit(&first, &err));
    assert_fails(file_writer_commit(&second, &err), LANERT_EEXIST, "both.txt");
    assert_ok(file_map_open(path, 0, &map, &err));
    assert_int_equal(map.size, 5);
    file_map_close(&map);
}

static void file_on_a_full_disk_leaves_nothing(void **state)
{
    (void)state;
    const char *path = temp_path(folder, "full.bin");
    static const char bytes[64 * 1024];
    struct rlimit before, tight = {4096, 4096};
    getrlimit(RLIMIT_FSIZE, &before);
    tight.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &tight);
    int rc = file_write(path, bytes, sizeof bytes, false, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(rc, LANERT_EIO);
    assert_non_null(strstr(err.text, "full.bin: cannot be written"));
    assert_false(file_exists(path));
    assert_int_equal(rmdir(temp_path(folder, "")), 0); /* no temporary file was left either */
    mkdir(temp_path(folder, ""), 0777);
}

static void paths_come_apart_and_together(void **state)
{
    (void)state;
    char *joined;
    assert_string_equal(path_base("a/b.c"), "b.c");
    assert_string_equal(path_extension("a.d/b"), "");
    assert_string_equal(path_extension("a/.hidden"), "");
    assert_string_equal(path_extension("b.tar.gz"), ".gz");
    assert_int_equal(path_folder_length("a/b//"), 3);
    assert_int_equal(path_folder_length("a/b"), 3);
    assert_int_equal(path_folder_length("/"), 0);
    assert_int_equal(path_folder_length(""), 0);
    assert_ok(path_join("a/", "b", &joined, &err));
    assert_string_equal(joined, "a/b");
    FREE(joined);
    assert_ok(path_join("a", "/b", &joined, &err));
    assert_string_equal(joined, "/b");
    FREE(joined);
}

static void sha256_of_known_texts(void **state)
{
    (void)state; /* FIPS 180-4's own example */
    char hex[65];
    assert_ok(sha256_hex("abc", 3, hex, &err));
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void *push_thousand(void *q)
{
    for (uintptr_t i = 1; i <= 1000; i++)
        if (!queue_push(q, (void *)i))
            return NULL;
    queue_close(q);
    return NULL;
}

static void queue_keeps_order_across_threads(void **state)
{
    (void)state;
    queue q;
    pthread_t thread;
    void *item;
    uintptr_t next = 1;
    assert_ok(queue_open(&q, 3, &err));
    pthread_create(&thread, NULL, push_thousand, &q);
    while (queue_pop(&q, &item))
        assert_int_equal((uintptr_t)item, next++);
    pthread_join(thread, NULL);
    assert_int_equal(next, 1001);
    assert_false(queue_push(&q, item));
    assert_false(queue_try_pop(&q, &item));
    queue_destroy(&q);
    queue_destroy(&q);
}

static void queue_close_wakes_a_full_push(void **state)
{
    (void)state;
    queue q;
    pthread_t thread;
    assert_ok(queue_open(&q, 1, &err));
    pthread_create(&thread, NULL, push_thousand, &q);
    usleep(10000);
    queue_close(&q);
    pthread_join(thread, NULL);
    queue_destroy(&q);
}

static void *push_one(void *q)
{
    if (queue_wait_room(q))
        queue_push(q, (void *)1);
    return NULL;
}

static void queue_room_is_waited_for(void **state)
{
    (void)state;
    for (int closed = 0; closed < 2; closed++) {
        queue q;
        pthread_t thread;
        void *item = NULL;
        assert_ok(queue_open(&q, 1, &err));
        assert_true(queue_wait_room(&q));
        queue_push(&q, (void *)2);
        pthread_create(&thread, NULL, push_one, &q);
        usleep(1000);
        if (closed)
            queue_close(&q);
        assert_true(queue_pop(&q, &item));
        assert_ptr_equal(item, (void *)2);
        pthread_join(thread, NULL);
        assert_int_equal(queue_try_pop(&q, &item), !closed);
        queue_close(&q);
        assert_false(queue_wait_room(&q));
        queue_destroy(&q);
    }
}

static void histogram_is_right_to_a_percent(void **state)
{
    (void)state;
    static histogram h;
    assert_true(histogram_percentile(&h, 50) == 0);
    for (int i = 1; i <= 10000; i++)
        histogram_add(&h, i / 100.0);
    for (int p = 1; p <= 100; p++) {
        double got = histogram_percentile(&h, p);
        assert_true(got >= p * 0.9999 && got <= (p + 0.01) * 1.0101);
    }
    histogram_add(&h, 1e12);
    histogram_add(&h, 0);
    assert_true(histogram_percentile(&h, 100) <= 1e12);
}

#define FILE_TESTS(make, remove)                                                                                       \
    cmocka_unit_test_setup_teardown(file_appears_whole_or_not_at_all, make, remove),                                   \
        cmocka_unit_test_setup_teardown(file_is_written_where_a_file_can_be, make, remove),                            \
        cmocka_unit_test_setup_teardown(file_that_came_meanwhile_stays, make, remove),                                 \
        cmocka_unit_test_setup_teardown(file_on_a_full_disk_leaves_nothing, make, remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_texts_are_cut_not_overrun),
        cmocka_unit_test(error_context_goes_in_front),
        cmocka_unit_test(memory_refuses_what_cannot_be),
        cmocka_unit_test(buffer_grows_to_its_limit),
        FILE_TESTS(make_folder, remove_folder),
        FILE_TESTS(make_poor_folder, remove_poor_folder),
        cmocka_unit_test_setup_teardown(file_has_no_name_until_it_is_whole, make_folder, remove_folder),
        cmocka_unit_test(paths_come_apart_and_together),
        cmocka_unit_test(sha256_of_known_texts),
        cmocka_unit_test(queue_keeps_order_across_threads),
        cmocka_unit_test(queue_close_wakes_a_full_push),
        cmocka_unit_test(queue_room_is_waited_for),
        cmocka_unit_test(histogram_is_right_to_a_percent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

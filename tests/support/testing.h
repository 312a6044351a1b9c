/* testing.h - what the cmocka tests share. */
#ifndef SUPPORT_TESTING_H
#define SUPPORT_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"

/* Asserts that a call returned 0, and prints its error's text where it did not. */
#define assert_ok(call)                                                                                                \
    do {                                                                                                               \
        int rc_ = (call);                                                                                              \
        if (rc_)                                                                                                       \
            fail_msg("%s: %s: %s", #call, lanert_error_name(rc_), err.text);                                           \
    } while (0)

/* Asserts that a call failed with `code`, and that its message holds `part`. */
#define assert_fails(call, code_, part)                                                                                \
    do {                                                                                                               \
        int rc_ = (call);                                                                                              \
        if (rc_ != (code_))                                                                                            \
            fail_msg("%s: got %s, expected %s (%s)", #call, lanert_error_name(rc_), lanert_error_name(code_),          \
                     rc_ ? err.text : "no error");                                                                     \
        if (!strstr(err.text, part))                                                                                   \
            fail_msg("%s: \"%s\" does not say \"%s\"", #call, err.text, part);                                         \
    } while (0)

/* "<shared>/<name>", static memory of 8 turns; the folder may be absent: see shared_is_there. */
const char *shared_path(const char *shared_dir, const char *name);
/* False, with a word on stderr saying what is skipped, where that folder or file is not there. */
bool shared_is_there(const char *shared_dir, const char *name);
#define SHARED(name) shared_path(SHARED_DIR, name)
#define SHARED_OR_SKIP(name)                                                                                           \
    do {                                                                                                               \
        if (!shared_is_there(SHARED_DIR, name))                                                                        \
            skip();                                                                                                    \
    } while (0)

/* The folder that a program's tests write into, made under the system's temporary one and removed with all in it by
 * these fixtures, of a test or a group. */
extern const char *folder;
int make_folder(void **state);
int remove_folder(void **state);
/* "<in>/<name>", static memory of 8 turns. */
const char *temp_path(const char *in, const char *name);
/* Writes a file into `folder`, or over one in it, and makes the folders above it. */
void put_file(const char *name, const void *bytes, size_t size);
void put_text(const char *name, const char *text);

#endif

/* checkpoint_asserts.h - what the tests of the checkpoint reader assert. */
#ifndef MODEL_CHECKPOINT_ASSERTS_H
#define MODEL_CHECKPOINT_ASSERTS_H

#include "model/checkpoint.h"

#include "support/testing.h"

#define SHAPE(...)                                                                                                     \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[])                                       \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }
#define EACH_FORM(form)                                                                                                \
    checkpoint_writer_form form = CHECKPOINT_WRITER_ZIP;                                                               \
    form <= CHECKPOINT_WRITER_LEGACY;                                                                                  \
    form++

/* Asserts that the tensor is there and reads as these values, bit by bit, and no further. */
static inline void assert_values(const checkpoint *ck, const char *name, const float *values, int64_t count)
{
    lanert_error err;
    const checkpoint_tensor *t = checkpoint_find(ck, name);
    if (!t)
        fail_msg("no tensor '%s'", name);
    assert_int_equal(t->elements, count);
    float *out = malloc((size_t)(count + 1) * sizeof *out);
    assert_non_null(out);
    out[count] = 42;
    assert_ok(checkpoint_read(t, out, &err));
    for (int64_t i = 0; i < count; i++)
        if (memcmp(&out[i], &values[i], sizeof *out) != 0)
            fail_msg("%s[%lld] is %g, not %g", name, (long long)i, (double)out[i], (double)values[i]);
    assert_true(out[count] == 42);
    free(out);
}

/* Asserts that the file is refused, with its name before the message. */
static inline void assert_refused(const buffer *file, int code, const char *part)
{
    lanert_error err = {0};
    checkpoint *ck;
    assert_fails(checkpoint_open_memory(file->data, file->size, "file.pth", &ck, &err), code, part);
    assert_int_equal(strncmp(err.text, "file.pth: ", 10), 0);
    assert_null(ck);
}

#endif

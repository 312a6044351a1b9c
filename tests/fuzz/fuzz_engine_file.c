/* Opens any bytes as an engine file. */
#include <stdlib.h>

#include "base/engine_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition) ((condition) ? (void)0 : abort())

static void check_text(const char *text, size_t size)
{
    size_t length = strnlen(text, size);
    CHECK(length < size);
    for (size_t i = 0; i < length; i++)
        CHECK((unsigned char)text[i] >= ' ' && text[i] != 0x7f);
}

/* What a plan is looked up, refused and built by. */
static void check_stamp(const engine_stamp *s)
{
    char text[ENGINE_STAMP_TEXT];
    check_text(s->tensorrt, sizeof s->tensorrt);
    check_text(s->gpu, sizeof s->gpu);
    check_text(s->capability, sizeof s->capability);
    check_text(s->driver, sizeof s->driver);
    check_text(s->model, sizeof s->model);
    check_text(s->precision, sizeof s->precision);
    check_text(s->plan, sizeof s->plan);
    CHECK(s->workspace_mb >= 0 && s->workspace_mb <= ENGINE_MAX_WORKSPACE_MB);
    CHECK(s->min_batch >= 1 && s->min_batch <= s->opt_batch && s->opt_batch <= s->max_batch);
    CHECK(s->max_batch <= ENGINE_MAX_BATCH);
    engine_stamp_format(s, text);
    CHECK(strlen(text) < sizeof text - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    engine_file f;
    lanert_error err;
    if (engine_file_read(data, size, &f, &err))
        return 0;
    CHECK(f.model == data && f.model_size <= size);
    if (!f.plan) {
        CHECK(f.model_size == size);
        return 0;
    }
    CHECK(f.plan > data + f.model_size && f.plan_size >= 1 && f.plan + f.plan_size == data + size);
    check_stamp(&f.stamp);
    engine_file_check(&f, &err);
    return 0;
}

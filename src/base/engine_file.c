#include "base/engine_file.h"

#include "base/sha256.h"
#include "base/wire.h"

/* In ModelProto, none of whose own fields has such a number; a message of a text and bytes. */
#define FIELD_ENGINE 5000786
enum { ENGINE_STAMP = 1, ENGINE_PLAN = 2 };

bool engine_file_is_named(const char *path)
{
    return !strcmp(path_extension(path), ENGINE_FILE_EXTENSION);
}

/* ---- the stamp ------------------------------------------------------------------------------- */

void engine_stamp_format(const engine_stamp *s, char text[ENGINE_STAMP_TEXT])
{
    snprintf(text, ENGINE_STAMP_TEXT,
             "tensorrt=%s\ngpu=%s\ncapability=%s\ndriver=%s\nmodel=%s\nprecision=%s\nworkspace_mb=%d\nmin_batch=%d\n"
             "opt_batch=%d\nmax_batch=%d\nversion_compatible=%d\n",
             s->tensorrt, s->gpu, s->capability, s->driver, s->model, s->precision, s->workspace_mb, s->min_batch,
             s->opt_batch, s->max_batch, s->version_compatible);
}

static void format_whole(const engine_stamp *s, char text[ENGINE_STAMP_TEXT])
{
    engine_stamp_format(s, text);
    size_t used = strlen(text);
    snprintf(text + used, ENGINE_STAMP_TEXT - used, "plan=%s\n", s->plan);
}

static bool is_sound(const engine_stamp *s)
{
    return s->workspace_mb >= 0 && s->workspace_mb <= ENGINE_MAX_WORKSPACE_MB && s->min_batch >= 1 &&
           s->min_batch <= s->opt_batch && s->opt_batch <= s->max_batch && s->max_batch <= ENGINE_MAX_BATCH;
}

/* Reads what format_whole writes, and nothing else: what was read gives the same text again. */
static int parse(const uint8_t *data, size_t size, engine_stamp *s, lanert_error *err)
{
    char text[ENGINE_STAMP_TEXT], again[ENGINE_STAMP_TEXT];
    int compatible = 0;
    bool sound = size < sizeof text;
    for (size_t i = 0; sound && i < size; i++)
        sound = data[i] == '\n' || (data[i] >= ' ' && data[i] != 0x7f);
    if (!sound)
        return error_set(err, LANERT_EFORMAT, "its stamp has %zu bytes, not all of them text; expected a short text",
                         size);
    memcpy(text, data, size);
    text[size] = '\0';
    *s = (engine_stamp){0};
    sscanf(text,
           "tensorrt=%15[^\n] gpu=%127[^\n] capability=%7[^\n] driver=%15[^\n] model=%64[^\n] precision=%7[^\n] "
           "workspace_mb=%8d min_batch=%3d opt_batch=%3d max_batch=%3d version_compatible=%1d plan=%64[^\n]",
           s->tensorrt, s->gpu, s->capability, s->driver, s->model, s->precision, &s->workspace_mb, &s->min_batch,
           &s->opt_batch, &s->max_batch, &compatible, s->plan);
    s->version_compatible = compatible;
    format_whole(s, again);
    if (strcmp(text, again) || !is_sound(s))
        return error_set(err, LANERT_EFORMAT, "its stamp is not such as 'lanert build' writes: %.60s…", text);
    return 0;
}

/* ---- files ----------------------------------------------------------------------------------- */

/* Stamp and plan, once each, in this order. */
static int read_engine(wire w, engine_file *f, lanert_error *err)
{
    wire_field stamp, plan;
    if (wire_next(&w, &stamp) != WIRE_FIELD || stamp.number != ENGINE_STAMP || stamp.type != WIRE_BYTES ||
        wire_next(&w, &plan) != WIRE_FIELD || plan.number != ENGINE_PLAN || plan.type != WIRE_BYTES || !plan.size ||
        w.at != w.end)
        return error_set(err, LANERT_EFORMAT, "what is behind the model is not a stamp and a plan");
    f->plan = plan.data;
    f->plan_size = plan.size;
    return parse(stamp.data, stamp.size, &f->stamp, err);
}

int engine_file_read(const void *data, size_t size, engine_file *f, lanert_error *err)
{
    wire w = {data, (const uint8_t *)data + size};
    wire_field field;
    wire_status status;
    const uint8_t *start = w.at;
    *f = (engine_file){.model = data, .model_size = size};
    while ((status = wire_next(&w, &field)) == WIRE_FIELD && field.number != FIELD_ENGINE)
        start = w.at;
    if (status == WIRE_END)
        return 0;
    f->model_size = (size_t)(start - f->model);
    if (status == WIRE_BROKEN || field.type != WIRE_BYTES || w.at != w.end)
        return error_set(err, LANERT_EFORMAT, "it is cut short or damaged");
    return read_engine(wire_within(&field), f, err);
}

static int check_sum(const char *what, const uint8_t *data, size_t size, const char *expected, lanert_error *err)
{
    char found[65];
    int rc = sha256_hex(data, size, found, err);
    if (!rc && strcmp(found, expected))
        rc = error_set(err, LANERT_EFORMAT, "it is damaged: its %s has the SHA-256 %s; expected %s", what, found,
                       expected);
    return rc;
}

int engine_file_check(const engine_file *f, lanert_error *err)
{
    int rc = check_sum("model", f->model, f->model_size, f->stamp.model, err);
    return rc ? rc : check_sum("plan", f->plan, f->plan_size, f->stamp.plan, err);
}

static int put_varint(buffer *b, uint64_t number, lanert_error *err)
{
    int rc = 0;
    for (; !rc && number > 0x7f; number >>= 7)
        rc = buffer_add(b, &(uint8_t){(uint8_t)(number | 0x80)}, 1, err);
    return rc ? rc : buffer_add(b, &(uint8_t){(uint8_t)number}, 1, err);
}

/* The tag and length of a field of bytes. */
static int put_tag(buffer *b, uint32_t field, size_t size, lanert_error *err)
{
    int rc = put_varint(b, (uint64_t)field << 3 | WIRE_BYTES, err);
    return rc ? rc : put_varint(b, size, err);
}

/* All that is between model and plan. */
static int make_middle(const engine_file *f, buffer *middle, lanert_error *err)
{
    char text[ENGINE_STAMP_TEXT];
    buffer inner = {0};
    int rc;
    format_whole(&f->stamp, text);
    if ((rc = put_tag(&inner, ENGINE_STAMP, strlen(text), err)) || (rc = buffer_text(&inner, text, err)) ||
        (rc = put_tag(&inner, ENGINE_PLAN, f->plan_size, err)) ||
        (rc = put_tag(middle, FIELD_ENGINE, inner.size + f->plan_size, err)))
        goto out;
    rc = buffer_add(middle, inner.data, inner.size, err);
out:
    buffer_free(&inner);
    return rc;
}

int engine_file_write(engine_file *f, file_writer *w, lanert_error *err)
{
    buffer middle = {0};
    int rc;
    if ((rc = sha256_hex(f->model, f->model_size, f->stamp.model, err)) ||
        (rc = sha256_hex(f->plan, f->plan_size, f->stamp.plan, err)) || (rc = make_middle(f, &middle, err)))
        goto out;
    /* What cannot be written the stream remembers until the commit. */
    fwrite(f->model, 1, f->model_size, w->stream);
    fwrite(middle.data, 1, middle.size, w->stream);
    fwrite(f->plan, 1, f->plan_size, w->stream);
    rc = file_writer_commit(w, err);
out:
    buffer_free(&middle);
    return rc;
}

#include "quant/trial.h"

#include <errno.h>

#include "base/file.h"
#include "base/memory.h"
#include "model/metadata.h"
#include "model/preset.h"

/* Of all outputs together; those of a ResNet101's widest layers are 16 MiB each. */
#define MAX_BYTES ((int64_t)2 << 30)

struct trial {
    file_writer file; /* never committed */
    engine *engine;
    tensor input, outputs[ENGINE_MAX_TENSORS];
    int output_count;
    uint8_t *pixels;
};

static int make_file(trial *t, const trial_setup *setup, trial_write *write, const void *context, lanert_error *err)
{
    int rc = file_writer_open(setup->beside, true, &t->file, err);
    if (rc || (rc = write(context, t->file.stream, setup->beside, err)))
        return rc;
    if (fflush(t->file.stream) || ferror(t->file.stream))
        return error_errno(err, LANERT_EIO, errno, "%s: a trial beside it cannot be written", setup->beside);
    return 0;
}

/* The file is there: what may not be found is the engine. */
static int start(trial *t, const trial_setup *setup, lanert_error *err)
{
    const engine_options options = {.threads = setup->threads};
    int rc = engine_open(setup->engine, t->file.temp_path, &options, &t->engine, err);
    if (rc != LANERT_ENOTFOUND)
        return rc;
    if (err)
        err->code = LANERT_EENGINE;
    return LANERT_EENGINE;
}

/* What is left open of a shape is the batch. */
static int take_output(trial *t, const tensor *described, int64_t *bytes, lanert_error *err)
{
    tensor *o = &t->outputs[t->output_count];
    *o = *described;
    if (o->rank > 0 && o->dims[0] < 0)
        o->dims[0] = 1;
    int64_t size = tensor_elements(o) * (int64_t)sizeof(float);
    if (o->type != TENSOR_F32 || size <= 0)
        return error_set(err, LANERT_EENGINE, "output %s has no fixed shape, or is not float32", o->name);
    if ((*bytes += size) > MAX_BYTES)
        return error_set(err, LANERT_ELIMIT, "the model's values have more than %lld bytes", (long long)MAX_BYTES);
    int rc = memory_aligned(&o->data, (size_t)size, err);
    t->output_count += !rc;
    return rc;
}

static int bind(trial *t, const char *output, lanert_error *err)
{
    static const int64_t dims[] = {1, NET_HEIGHT, NET_WIDTH, 3};
    int64_t bytes = 0;
    int count, rc = memory_aligned(&t->pixels, (size_t)NET_HEIGHT * NET_WIDTH * 3, err);
    const tensor *described = engine_outputs(t->engine, &count);
    for (int i = 0; !rc && i < count; i++)
        if (!output || !strcmp(described[i].name, output))
            rc = take_output(t, &described[i], &bytes, err);
    if (!rc)
        rc = tensor_describe(&t->input, TENSOR_IMAGE, TENSOR_U8, ARRAY_LEN(dims), dims, err);
    t->input.data = t->pixels;
    return rc ? rc : engine_bind(t->engine, &t->input, 1, t->outputs, t->output_count, err);
}

int trial_open(const trial_setup *setup, trial_write *write, const void *context, const char *output, trial **out,
               lanert_error *err)
{
    trial *t;
    int rc = memory_new(&t, 1, sizeof *t, err);
    *out = NULL;
    if (rc)
        return rc;
    if ((rc = make_file(t, setup, write, context, err)) || (rc = start(t, setup, err)) || (rc = bind(t, output, err)))
        trial_close(&t);
    *out = t;
    return rc;
}

void trial_close(trial **t)
{
    trial *d = *t;
    if (!d)
        return;
    engine_close(&d->engine);
    file_writer_close(&d->file);
    for (int i = 0; i < d->output_count; i++)
        free(d->outputs[i].data);
    free(d->pixels);
    FREE(*t);
}

int trial_run(trial *t, const uint8_t *pixels, lanert_error *err)
{
    memcpy(t->pixels, pixels, (size_t)NET_HEIGHT * NET_WIDTH * 3);
    return engine_run(t->engine, err);
}

const tensor *trial_outputs(const trial *t, int *count)
{
    *count = t->output_count;
    return t->outputs;
}

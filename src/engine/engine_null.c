#include "engine/engine_null.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/memory.h"

/* The one mutable state of the library, written by tests only: an address in the path itself would let any
 * command line point anywhere. */
static struct {
    pthread_mutex_t lock;
    null_script *scripts[64];
    unsigned next;
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER};

typedef struct null_engine {
    null_script *script;
    const tensor *outputs; /* bound; the wrapper's */
} null_engine;

void null_script_path(null_script *script, char path[32])
{
    unsigned slot = 0;
    pthread_mutex_lock(&registry.lock);
    while (slot < ARRAY_LEN(registry.scripts) && registry.scripts[slot] != script)
        slot++;
    if (slot == ARRAY_LEN(registry.scripts))
        slot = registry.next++ % ARRAY_LEN(registry.scripts);
    registry.scripts[slot] = script;
    pthread_mutex_unlock(&registry.lock);
    snprintf(path, 32, "null:%u", slot);
}

static null_script *find_script(const char *path)
{
    unsigned slot;
    null_script *script = NULL;
    pthread_mutex_lock(&registry.lock);
    if (sscanf(path, "null:%u", &slot) == 1 && slot < ARRAY_LEN(registry.scripts))
        script = registry.scripts[slot];
    pthread_mutex_unlock(&registry.lock);
    return script;
}

static void null_probe(lanert_engine_info *info)
{
    info->usable = true;
}

static int null_open(const char *path, const engine_options *options, void **self, lanert_error *err)
{
    null_script *script = find_script(path);
    null_engine *null;
    int rc;
    if (!script)
        return error_set(err, LANERT_ENOTFOUND, "the null engine runs scripts of tests, not models");
    if (script->fail_open)
        return error_set(err, LANERT_EENGINE, "the script says that open fails");
    if ((rc = memory_new(&null, 1, sizeof *null, err)))
        return rc;
    null->script = script;
    script->precision = options->precision;
    *self = null;
    return 0;
}

static int null_describe(void *self, tensor *inputs, int *input_count, tensor *outputs, int *output_count,
                         lanert_error *err)
{
    (void)err;
    const null_script *script = ((null_engine *)self)->script;
    *input_count = script->input_count;
    *output_count = script->output_count;
    for (int i = 0; i < script->input_count; i++) {
        inputs[i] = script->inputs[i];
        inputs[i].data = NULL;
    }
    for (int i = 0; i < script->output_count; i++) {
        outputs[i] = script->outputs[i];
        outputs[i].data = NULL;
    }
    return 0;
}

/* Like any engine it refuses an output whose number of frames is not the first input's. */
static int null_bind(void *self, const tensor *inputs, int input_count, const tensor *outputs, int output_count,
                     lanert_error *err)
{
    for (int i = 0; i < output_count; i++)
        if (outputs[i].data && outputs[i].rank && input_count && inputs[0].rank &&
            outputs[i].dims[0] != inputs[0].dims[0])
            return error_set(err, LANERT_EINVAL, "output \"%s\" has %lld frames, input \"%s\" %lld", outputs[i].name,
                             (long long)outputs[i].dims[0], inputs[0].name, (long long)inputs[0].dims[0]);
    ((null_engine *)self)->outputs = outputs;
    return 0;
}

static void copy_out(const tensor *canned, const tensor *out)
{
    size_t bytes = (size_t)tensor_elements(out) * tensor_type_size(out->type);
    size_t frames = out->rank ? (size_t)out->dims[0] : 1, frame = bytes / frames;
    for (size_t i = 0; i < frames; i++) {
        char *to = (char *)out->data + i * frame;
        if (canned->data)
            memcpy(to, canned->data, frame);
        else
            memset(to, 0, frame);
    }
}

static int null_run(void *self, lanert_error *err)
{
    null_engine *null = self;
    null_script *script = null->script;
    script->runs++;
    if (script->on_run)
        script->on_run(script->context);
    if (script->delay_us)
        usleep((useconds_t)script->delay_us);
    if (script->runs == script->fail_at)
        return error_set(err, LANERT_EENGINE, "the script says that run %d fails", script->runs);
    for (int i = 0; i < script->output_count; i++)
        if (null->outputs[i].data)
            copy_out(&script->outputs[i], &null->outputs[i]);
    return 0;
}

static unsigned null_reduced(void *self)
{
    return ((null_engine *)self)->script->reduced;
}

const engine_ops engine_null_ops = {
    .name = "null",
    .devices = ON(DEVICE_CPU),
    .probe = null_probe,
    .open = null_open,
    .describe = null_describe,
    .bind = null_bind,
    .run = null_run,
    .close = free,
    .reduced = null_reduced,
};

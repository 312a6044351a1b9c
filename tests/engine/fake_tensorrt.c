#include "engine/fake_tensorrt.h"

#include <dlfcn.h>
#include <onnxruntime_c_api.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/fake_cuda.h"
#include "engine/tensorrt_shim.h"

#define API __attribute__((visibility("default")))
#define MAX_TENSORS 16

API fake_tensorrt fake_tensorrt_state;

#define state fake_tensorrt_state

/* ---- TensorRT's libraries -------------------------------------------------------------------- */

API int32_t getInferLibVersion(void);
API void *createInferRuntime_INTERNAL(void *logger, int32_t version);
API void *createInferBuilder_INTERNAL(void *logger, int32_t version);
API void *createNvOnnxParser_INTERNAL(void *network, void *logger, int version);

int32_t getInferLibVersion(void)
{
    return state.version ? state.version : 110100;
}

void *createInferRuntime_INTERNAL(void *logger, int32_t version)
{
    (void)logger, (void)version;
    return &state;
}

#ifndef LEAN
void *createInferBuilder_INTERNAL(void *logger, int32_t version)
{
    return createInferRuntime_INTERNAL(logger, version);
}

void *createNvOnnxParser_INTERNAL(void *network, void *logger, int version)
{
    return createInferRuntime_INTERNAL(network ? logger : NULL, version);
}
#endif

/* ---- ONNX Runtime ---------------------------------------------------------------------------- */

static int fail(lanert_error *err, int code, const char *text)
{
    if (err) {
        err->code = code;
        snprintf(err->text, sizeof err->text, "%s", text);
    }
    return code;
}

static const OrtApi *api(void)
{
    static const OrtApi *found;
    const OrtApiBase *(*get_base)(void);
    void *library = dlopen(REAL_ONNXRUNTIME, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    void *function = library ? dlsym(library, "OrtGetApiBase") : NULL;
    if (!function)
        abort();
    memcpy(&get_base, &function, sizeof get_base);
    return found ? found : (found = get_base()->GetApi(ORT_API_VERSION));
}

static int check(OrtStatus *status, lanert_error *err)
{
    int rc = status ? fail(err, LANERT_EFORMAT, api()->GetErrorMessage(status)) : 0;
    for (char *c = rc && err ? err->text : NULL; c && *c; c++)
        if (*c == '\n')
            *c = ' ';
    if (status)
        api()->ReleaseStatus(status);
    return rc;
}

static void ORT_API_CALL log_nothing(void *context, OrtLoggingLevel severity, const char *category, const char *id,
                                     const char *location, const char *message)
{
    (void)context, (void)severity, (void)category, (void)id, (void)location, (void)message;
}

struct tensorrt_session {
    OrtEnv *env;
    OrtSession *session;
    OrtIoBinding *binding;
    OrtMemoryInfo *memory;
    int min_batch, max_batch;
    char outputs[64]; /* as fake_tensorrt has them */
    int64_t batch;
};

static void shim_close(tensorrt_session *s)
{
    if (s->binding)
        api()->ReleaseIoBinding(s->binding);
    if (s->session)
        api()->ReleaseSession(s->session);
    if (s->memory)
        api()->ReleaseMemoryInfo(s->memory);
    if (s->env)
        api()->ReleaseEnv(s->env);
    free(s);
    state.live--;
}

static int open_model(const void *onnx, size_t size, tensorrt_session **out, lanert_error *err)
{
    OrtSessionOptions *options = NULL;
    tensorrt_session *s = calloc(1, sizeof *s);
    int rc;
    state.live++;
    if (!(rc = check(api()->CreateEnvWithCustomLogger(log_nothing, NULL, ORT_LOGGING_LEVEL_FATAL, "played", &s->env),
                     err)) &&
        !(rc = check(api()->CreateSessionOptions(&options), err)) &&
        !(rc = check(api()->CreateSessionFromArray(s->env, onnx, size, options, &s->session), err)) &&
        !(rc = check(api()->CreateIoBinding(s->session, &s->binding), err)))
        rc = check(api()->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &s->memory), err);
    if (options)
        api()->ReleaseSessionOptions(options);
    if (rc)
        shim_close(s);
    else
        *out = s;
    return rc;
}

/* ---- plans ----------------------------------------------------------------------------------- */

typedef struct head {
    char words[8];
    int min_batch, max_batch;
    char outputs[64];
} head;

static void set_blob(tensorrt_blob *blob, const void *first, size_t first_size, const void *then, size_t then_size)
{
    char *owner = malloc(first_size + then_size);
    memcpy(owner, first, first_size);
    memcpy(owner + first_size, then, then_size);
    *blob = (tensorrt_blob){owner, first_size + then_size, owner};
    state.live++;
}

static void note_outputs(const char *const *names)
{
    snprintf(state.outputs, sizeof state.outputs, "%s", names ? "" : "all");
    for (; names && *names; names++) {
        size_t used = strlen(state.outputs);
        snprintf(state.outputs + used, sizeof state.outputs - used, "%s ", *names);
    }
}

static int shim_build(const tensorrt_functions *f, const tensorrt_build *b, tensorrt_built *built, lanert_error *err)
{
    head h = {"a plan", b->min_batch, b->max_batch, ""};
    tensorrt_session *s = NULL;
    const char *precision = state.precision ? state.precision : "fp32";
    int rc;
    state.builds++;
    note_outputs(b->outputs);
    memcpy(h.outputs, state.outputs, sizeof h.outputs);
    snprintf(state.build, sizeof state.build,
             "precision=%s workspace=%zu batch=%d,%d,%d compatible=%d timed=%d timing=%.*s",
             b->precision ? b->precision : "any", b->workspace, b->min_batch, b->opt_batch, b->max_batch,
             b->version_compatible, b->timed, (int)b->timing_size, (const char *)b->timing);
    if (!f->create_builder || !f->create_parser || state.fail_build)
        return fail(err, LANERT_EENGINE, "building: as told");
    if (b->precision && strcmp(b->precision, precision))
        return fail(err, LANERT_EUNSUPPORTED, "the model is of another precision");
    if ((rc = open_model(b->onnx, b->onnx_size, &s, err)))
        return rc;
    shim_close(s);
    built->precision = precision;
    set_blob(&built->plan, &h, sizeof h, b->onnx, b->onnx_size);
    if (b->timed)
        set_blob(&built->timing, b->timing ? b->timing : "", b->timing_size, "t", 1);
    return 0;
}

static void shim_release(tensorrt_blob *blob)
{
    free(blob->owner);
    state.live--;
}

static int shim_open(const tensorrt_functions *f, const void *plan, size_t size, tensorrt_session **out,
                     lanert_error *err)
{
    head h;
    state.sessions++;
    if (state.fail_open || !f->create_runtime || size < sizeof h || memcmp(plan, "a plan", 7))
        return fail(err, LANERT_EENGINE, "loading the plan: as told");
    memcpy(&h, plan, sizeof h);
    int rc = open_model((const char *)plan + sizeof h, size - sizeof h, out, err);
    if (!rc) {
        (*out)->min_batch = h.min_batch;
        (*out)->max_batch = h.max_batch;
        memcpy((*out)->outputs, h.outputs, sizeof h.outputs);
    }
    return rc;
}

/* ---- tensors --------------------------------------------------------------------------------- */

static const ONNXTensorElementDataType element_types[] = {
    [TENSOR_U8] = ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8,    [TENSOR_F32] = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
    [TENSOR_F16] = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16, [TENSOR_I32] = ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32,
    [TENSOR_I64] = ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64,
};

static int describe_type(OrtTypeInfo *type, tensor *t, lanert_error *err)
{
    const OrtTensorTypeAndShapeInfo *info;
    ONNXTensorElementDataType element;
    size_t rank, i = 0;
    int rc;
    if ((rc = check(api()->CastTypeInfoToTensorInfo(type, &info), err)))
        return rc;
    if (!info || (rc = check(api()->GetTensorElementType(info, &element), err)) ||
        (rc = check(api()->GetDimensionsCount(info, &rank), err)) || rank > TENSOR_MAX_RANK)
        return rc ? rc : fail(err, LANERT_EUNSUPPORTED, "a tensor is none that is handled");
    while (i < sizeof element_types / sizeof *element_types && element_types[i] != element)
        i++;
    if (i == sizeof element_types / sizeof *element_types)
        return fail(err, LANERT_EUNSUPPORTED, "a tensor's type is not handled");
    t->type = (tensor_type)i;
    t->rank = (int)rank;
    return check(api()->GetDimensions(info, t->dims, rank), err);
}

/* The name of the at-th output among those that were built; NULL behind the last. To be freed by the allocator. */
static char *built_output(tensorrt_session *s, size_t at, size_t count, OrtAllocator *allocator, size_t *place)
{
    for (*place = 0; *place < count; ++*place) {
        char *name, word[80];
        if (api()->SessionGetOutputName(s->session, *place, allocator, &name))
            abort();
        snprintf(word, sizeof word, "%s ", name);
        if ((!strcmp(s->outputs, "all") || strstr(s->outputs, word)) && !at--)
            return name;
        allocator->Free(allocator, name);
    }
    return NULL;
}

static int shim_describe(tensorrt_session *s, int i, tensor *t, bool *is_input, lanert_error *err)
{
    OrtAllocator *allocator;
    OrtTypeInfo *type = NULL;
    char *name = NULL;
    size_t in = 0, out = 0, at = (size_t)i;
    int rc;
    if ((rc = check(api()->SessionGetInputCount(s->session, &in), err)) ||
        (rc = check(api()->SessionGetOutputCount(s->session, &out), err)) ||
        (rc = check(api()->GetAllocatorWithDefaultOptions(&allocator), err)))
        return rc;
    *is_input = at < in;
    *t = (tensor){0};
    if (*is_input)
        rc = check(api()->SessionGetInputName(s->session, at, allocator, &name), err);
    else if (!(name = built_output(s, at - in, out, allocator, &at)))
        return LANERT_END;
    if (!rc)
        rc = check(*is_input ? api()->SessionGetInputTypeInfo(s->session, at, &type)
                             : api()->SessionGetOutputTypeInfo(s->session, at, &type),
                   err);
    if (!rc)
        rc = describe_type(type, t, err);
    if (!rc && strlen(name) >= sizeof t->name)
        rc = fail(err, LANERT_EUNSUPPORTED, "a name is too long");
    if (!rc)
        strcpy(t->name, name);
    if (name)
        allocator->Free(allocator, name);
    if (type)
        api()->ReleaseTypeInfo(type);
    return rc;
}

static size_t bytes_of(const tensor *t)
{
    static const size_t sizes[] = {
        [TENSOR_U8] = 1, [TENSOR_F32] = 4, [TENSOR_F16] = 2, [TENSOR_I32] = 4, [TENSOR_I64] = 8};
    size_t bytes = sizes[t->type];
    for (int i = 0; i < t->rank; i++)
        bytes *= (size_t)t->dims[i];
    return bytes;
}

static int shim_bind(tensorrt_session *s, const tensor *t, bool is_input, lanert_error *err)
{
    OrtValue *value = NULL;
    if (is_input)
        s->batch = t->rank ? t->dims[0] : 1;
    if (s->batch < s->min_batch || s->batch > s->max_batch)
        return fail(err, LANERT_EINVAL, "the plan was not built for this batch: as TensorRT would say");
    int rc = check(api()->CreateTensorWithDataAsOrtValue(s->memory, t->data, bytes_of(t), t->dims, (size_t)t->rank,
                                                         element_types[t->type], &value),
                   err);
    if (rc)
        return rc;
    rc = check(is_input ? api()->BindInput(s->binding, t->name, value) : api()->BindOutput(s->binding, t->name, value),
               err);
    api()->ReleaseValue(value);
    return rc;
}

/* Of models whose first dim is the batch. */
static int shim_infer_dims(tensorrt_session *s, tensor *t, lanert_error *err)
{
    (void)err;
    tensor found;
    bool is_input;
    for (int i = 0; shim_describe(s, i, &found, &is_input, NULL) == 0; i++)
        if (!strcmp(found.name, t->name))
            memcpy(t->dims, found.dims, sizeof t->dims);
    if (t->rank && t->dims[0] < 0)
        t->dims[0] = s->batch;
    return 0;
}

static void kernel(void *argument)
{
    tensorrt_session *s = argument;
    OrtStatus *status = api()->RunWithBinding(s->session, NULL, s->binding);
    if (status)
        api()->ReleaseStatus(status);
}

static int shim_enqueue(tensorrt_session *s, void *stream, lanert_error *err)
{
    if (state.fail_enqueue || fake_cuda_launch(stream, kernel, s))
        return fail(err, LANERT_EENGINE, "running the model: as told");
    return 0;
}

API tensorrt_shim lanert_tensorrt_shim = {
    .interface = TENSORRT_SHIM_INTERFACE,
    .major = 11,
    .build = shim_build,
    .release = shim_release,
    .open = shim_open,
    .close = shim_close,
    .describe = shim_describe,
    .bind = shim_bind,
    .infer_dims = shim_infer_dims,
    .enqueue = shim_enqueue,
};

#include "engine/engine.h"

#include <onnxruntime_c_api.h>

#include "base/memory.h"
#include "engine/engine_library.h"

/* Opset 17, which convert writes, came with release 1.12; release 1.N has API N. */
#define MINIMUM_API 12

extern const engine_ops engine_onnxruntime_ops;

typedef struct onnxruntime {
    engine_library library;
    const OrtApi *api;
    OrtEnv *env;
    OrtSession *session;
    OrtIoBinding *binding;
    OrtMemoryInfo *memory;
    OrtAllocator *allocator; /* ONNX Runtime's default one: not ours to release */
} onnxruntime;

static int code_of(OrtErrorCode code)
{
    switch (code) {
    case ORT_NO_SUCHFILE:
        return LANERT_ENOTFOUND;
    case ORT_NO_MODEL:
    case ORT_INVALID_PROTOBUF:
    case ORT_INVALID_GRAPH:
        return LANERT_EFORMAT;
    case ORT_NOT_IMPLEMENTED:
        return LANERT_EUNSUPPORTED;
    default:
        return LANERT_EENGINE;
    }
}

/* Turns a status, which is released, into a result. */
static int check(const OrtApi *api, OrtStatus *status, const char *what, lanert_error *err)
{
    if (!status)
        return 0;
    int rc = engine_library_error(err, code_of(api->GetErrorCode(status)), what, api->GetErrorMessage(status));
    api->ReleaseStatus(status);
    return rc;
}

/* The library may stay open where this fails. */
static int load(engine_library *library, const OrtApi **api, char version[64], lanert_error *err)
{
    const OrtApiBase *(*get_base)(void);
    unsigned minor;
    int rc = engine_library_open("onnxruntime", "libonnxruntime.so", "libonnxruntime.so.1", library, err);
    if (rc || (rc = engine_library_function(library, "OrtGetApiBase", &get_base, err)))
        return rc;
    snprintf(version, 64, "%s", get_base()->GetVersionString());
    if (sscanf(version, "1.%u", &minor) != 1 || minor < MINIMUM_API)
        return error_set(err, LANERT_EUNSUPPORTED, "%s is release %s; 1.%d or a newer 1.x is needed", library->path,
                         version, MINIMUM_API);
    *api = get_base()->GetApi(minor < ORT_API_VERSION ? minor : ORT_API_VERSION);
    return *api ? 0 : error_set(err, LANERT_EENGINE, "%s does not offer its own API %u", library->path, minor);
}

static void onnxruntime_probe(lanert_engine_info *info)
{
    engine_library library = {0};
    const OrtApi *api;
    lanert_error why;
    info->usable = !load(&library, &api, info->version, &why);
    if (!info->usable)
        snprintf(info->note, sizeof info->note, "%.*s", (int)sizeof info->note - 1, why.text);
    memcpy(info->path, library.path, sizeof library.path);
    engine_library_close(&library);
}

static void onnxruntime_close(void *self)
{
    onnxruntime *ort = self;
    if (ort->binding)
        ort->api->ReleaseIoBinding(ort->binding);
    if (ort->memory)
        ort->api->ReleaseMemoryInfo(ort->memory);
    if (ort->session)
        ort->api->ReleaseSession(ort->session);
    if (ort->env)
        ort->api->ReleaseEnv(ort->env);
    engine_library_close(&ort->library);
    free(ort);
}

/* What it has to say comes back as a status. */
static void ORT_API_CALL log_nothing(void *context, OrtLoggingLevel severity, const char *category, const char *id,
                                     const char *location, const char *message)
{
    (void)context, (void)severity, (void)category, (void)id, (void)location, (void)message;
}

static int open_session(onnxruntime *ort, const char *path, int threads, lanert_error *err)
{
    const OrtApi *api = ort->api;
    OrtSessionOptions *options = NULL;
    int rc;
    if ((rc = check(api,
                    api->CreateEnvWithCustomLogger(log_nothing, NULL, ORT_LOGGING_LEVEL_FATAL, "lanert", &ort->env),
                    "starting ONNX Runtime", err)) ||
        (rc = check(api, api->CreateSessionOptions(&options), "making options", err)) ||
        (rc = check(api, api->SetIntraOpNumThreads(options, threads), "setting threads", err)) ||
        (rc = check(api, api->SetSessionExecutionMode(options, ORT_SEQUENTIAL), "setting the execution mode", err)) ||
        (rc = check(api, api->SetSessionGraphOptimizationLevel(options, ORT_ENABLE_ALL), "setting optimisation", err)))
        goto out;
    rc = check(api, api->CreateSession(ort->env, path, options, &ort->session), "loading the model", err);
out:
    if (options)
        api->ReleaseSessionOptions(options);
    return rc;
}

static int onnxruntime_open(const char *path, const engine_options *options, void **self, lanert_error *err)
{
    onnxruntime *ort;
    char version[64];
    int rc;
    if (options->precision == LANERT_BF16)
        return error_set(err, LANERT_EUNSUPPORTED,
                         "ONNX Runtime has no bf16 arithmetic on processors; ask for fp32, or "
                         "for the engine openvino");
    if ((rc = memory_new(&ort, 1, sizeof *ort, err)))
        return rc;
    if ((rc = load(&ort->library, &ort->api, version, err)) || (rc = open_session(ort, path, options->threads, err)) ||
        (rc = check(ort->api, ort->api->CreateIoBinding(ort->session, &ort->binding), "making a binding", err)) ||
        (rc = check(ort->api, ort->api->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &ort->memory),
                    "describing memory", err)) ||
        (rc =
             check(ort->api, ort->api->GetAllocatorWithDefaultOptions(&ort->allocator), "getting an allocator", err))) {
        onnxruntime_close(ort);
        return rc;
    }
    *self = ort;
    return 0;
}

/* ---- tensors --------------------------------------------------------------------------------- */

static const ONNXTensorElementDataType element_types[] = {
    [TENSOR_U8] = ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8,    [TENSOR_F32] = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
    [TENSOR_F16] = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16, [TENSOR_I32] = ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32,
    [TENSOR_I64] = ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64,
};

static int describe_type(const OrtApi *api, const OrtTypeInfo *type, const char *name, tensor *t, lanert_error *err)
{
    const OrtTensorTypeAndShapeInfo *info;
    ONNXTensorElementDataType element;
    int64_t dims[TENSOR_MAX_RANK];
    size_t rank, i = 0;
    int rc;
    if ((rc = check(api, api->CastTypeInfoToTensorInfo(type, &info), name, err)))
        return rc;
    if (!info)
        return error_set(err, LANERT_EUNSUPPORTED, "\"%s\" is not a tensor; only tensors are handled", name);
    if ((rc = check(api, api->GetTensorElementType(info, &element), name, err)) ||
        (rc = check(api, api->GetDimensionsCount(info, &rank), name, err)))
        return rc;
    while (i < ARRAY_LEN(element_types) && element_types[i] != element)
        i++;
    if (i == ARRAY_LEN(element_types))
        return error_set(err, LANERT_EUNSUPPORTED, "tensor \"%s\" has ONNX element type %d, which is not handled", name,
                         (int)element);
    if (rank <= TENSOR_MAX_RANK && (rc = check(api, api->GetDimensions(info, dims, rank), name, err)))
        return rc;
    return tensor_describe(t, name, (tensor_type)i, (int64_t)rank, dims, err);
}

typedef OrtStatus *(ORT_API_CALL *get_name)(const OrtSession *, size_t, OrtAllocator *, char **);
typedef OrtStatus *(ORT_API_CALL *get_type)(const OrtSession *, size_t, OrtTypeInfo **);

static int describe_one(onnxruntime *ort, get_name name_of, get_type type_of, size_t i, tensor *t, lanert_error *err)
{
    const OrtApi *api = ort->api;
    OrtTypeInfo *type = NULL;
    char *name = NULL;
    int rc;
    if ((rc = check(api, name_of(ort->session, i, ort->allocator, &name), "asking for a name", err)) ||
        (rc = check(api, type_of(ort->session, i, &type), name, err)))
        goto out;
    rc = describe_type(api, type, name, t, err);
out:
    if (type)
        api->ReleaseTypeInfo(type);
    if (name)
        ort->allocator->Free(ort->allocator, name);
    return rc;
}

static int onnxruntime_describe(void *self, tensor *inputs, int *input_count, tensor *outputs, int *output_count,
                                lanert_error *err)
{
    onnxruntime *ort = self;
    const OrtApi *api = ort->api;
    size_t in, out;
    int rc;
    if ((rc = check(api, api->SessionGetInputCount(ort->session, &in), "counting inputs", err)) ||
        (rc = check(api, api->SessionGetOutputCount(ort->session, &out), "counting outputs", err)))
        return rc;
    if (in > ENGINE_MAX_TENSORS || out > ENGINE_MAX_TENSORS)
        return error_set(err, LANERT_EUNSUPPORTED, "the model has %zu inputs and %zu outputs; at most %d are handled",
                         in, out, ENGINE_MAX_TENSORS);
    for (size_t i = 0; !rc && i < in; i++)
        rc = describe_one(ort, api->SessionGetInputName, api->SessionGetInputTypeInfo, i, &inputs[i], err);
    for (size_t i = 0; !rc && i < out; i++)
        rc = describe_one(ort, api->SessionGetOutputName, api->SessionGetOutputTypeInfo, i, &outputs[i], err);
    *input_count = (int)in;
    *output_count = (int)out;
    return rc;
}

typedef OrtStatus *(ORT_API_CALL *bind_value)(OrtIoBinding *, const char *, const OrtValue *);

/* The binding keeps the value, a view of the caller's memory, alive. */
static int bind_one(onnxruntime *ort, bind_value bind, const tensor *t, lanert_error *err)
{
    const OrtApi *api = ort->api;
    OrtValue *value = NULL;
    size_t bytes = (size_t)tensor_elements(t) * tensor_type_size(t->type);
    int rc = check(api,
                   api->CreateTensorWithDataAsOrtValue(ort->memory, t->data, bytes, t->dims, (size_t)t->rank,
                                                       element_types[t->type], &value),
                   t->name, err);
    if (rc)
        return rc;
    rc = check(api, bind(ort->binding, t->name, value), t->name, err);
    api->ReleaseValue(value);
    return rc;
}

static int onnxruntime_bind(void *self, const tensor *inputs, int input_count, const tensor *outputs, int output_count,
                            lanert_error *err)
{
    onnxruntime *ort = self;
    int rc = 0;
    ort->api->ClearBoundInputs(ort->binding);
    ort->api->ClearBoundOutputs(ort->binding);
    for (int i = 0; !rc && i < input_count; i++)
        rc = bind_one(ort, ort->api->BindInput, &inputs[i], err);
    for (int i = 0; !rc && i < output_count; i++)
        if (outputs[i].data)
            rc = bind_one(ort, ort->api->BindOutput, &outputs[i], err);
    return rc;
}

static int onnxruntime_run(void *self, lanert_error *err)
{
    onnxruntime *ort = self;
    return check(ort->api, ort->api->RunWithBinding(ort->session, NULL, ort->binding), "running the model", err);
}

const engine_ops engine_onnxruntime_ops = {
    .name = "onnxruntime",
    .probe = onnxruntime_probe,
    .open = onnxruntime_open,
    .describe = onnxruntime_describe,
    .bind = onnxruntime_bind,
    .run = onnxruntime_run,
    .close = onnxruntime_close,
};

#include "engine/engine_onnxruntime.h"

#include "base/memory.h"

/* Opset 17, which convert writes, came with release 1.12; release 1.N has API N. */
#define MINIMUM_API 12

/* Between two runs the engine's threads sleep: else they keep processors from the threads that read the next frame. */
#define STOP_SPINNING "session.force_spinning_stop"

extern const engine_ops engine_onnxruntime_ops;

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

int ort_check(const OrtApi *api, OrtStatus *status, const char *what, lanert_error *err)
{
    if (!status)
        return 0;
    int rc = engine_library_error(err, code_of(api->GetErrorCode(status)), what, api->GetErrorMessage(status));
    api->ReleaseStatus(status);
    return rc;
}

/* The library may stay open where this fails. */
static int load(onnxruntime *ort, char version[64], lanert_error *err)
{
    const OrtApiBase *(*get_base)(void);
    int rc = engine_library_open("onnxruntime", "libonnxruntime.so", "libonnxruntime.so.1", ENGINE_LIBRARY_ADVICE,
                                 &ort->library, err);
    if (rc || (rc = engine_library_function(&ort->library, "OrtGetApiBase", &get_base, err)))
        return rc;
    snprintf(version, 64, "%s", get_base()->GetVersionString());
    if (sscanf(version, "1.%u", &ort->release) != 1 || ort->release < MINIMUM_API)
        return error_set(err, LANERT_EUNSUPPORTED, "%s is release %s; 1.%d or a newer 1.x is needed", ort->library.path,
                         version, MINIMUM_API);
    ort->api = get_base()->GetApi(ort->release < ORT_API_VERSION ? ort->release : ORT_API_VERSION);
    return ort->api
               ? 0
               : error_set(err, LANERT_EENGINE, "%s does not offer its own API %u", ort->library.path, ort->release);
}

static void onnxruntime_probe(lanert_engine_info *info)
{
    onnxruntime ort = {0};
    lanert_error why;
    unsigned devices;
    info->usable = !load(&ort, info->version, &why) && !ort_find_devices(ort.api, &devices, &why);
    if (info->usable)
        device_list(devices, info->devices, sizeof info->devices);
    else
        snprintf(info->note, sizeof info->note, "%.*s", (int)sizeof info->note - 1, why.text);
    memcpy(info->path, ort.library.path, sizeof ort.library.path);
    engine_library_close(&ort.library);
}

static void close_session(onnxruntime *ort)
{
    if (ort->run_options)
        ort->api->ReleaseRunOptions(ort->run_options);
    if (ort->binding)
        ort->api->ReleaseIoBinding(ort->binding);
    if (ort->session)
        ort->api->ReleaseSession(ort->session);
    ort->run_options = NULL;
    ort->binding = NULL;
    ort->session = NULL;
}

/* The providers make the GPU current on this thread, and leave it so: not in our caller's place. */
static int with_gpu(onnxruntime *ort, int (*work)(onnxruntime *, lanert_error *), lanert_error *err)
{
    int rc = cuda_enter(ort->gpu, err);
    if (rc)
        return rc;
    rc = work(ort, err);
    cuda_leave(ort->gpu);
    return rc;
}

/* The session goes before the stream and the memory that it uses. */
static void onnxruntime_close(void *self)
{
    onnxruntime *ort = self;
    bool entered = ort->gpu && !cuda_enter(ort->gpu, NULL);
    close_session(ort);
    if (entered)
        cuda_leave(ort->gpu);
    if (ort->memory)
        ort->api->ReleaseMemoryInfo(ort->memory);
    if (ort->env)
        ort->api->ReleaseEnv(ort->env);
    cuda_tensors_free(&ort->twins);
    cuda_close(&ort->gpu);
    engine_library_close(&ort->library);
    free(ort->path);
    free(ort);
}

/* What it has to say comes back as a status. */
static void ORT_API_CALL log_nothing(void *context, OrtLoggingLevel severity, const char *category, const char *id,
                                     const char *location, const char *message)
{
    (void)context, (void)severity, (void)category, (void)id, (void)location, (void)message;
}

/* ---- sessions -------------------------------------------------------------------------------- */

static int configure(onnxruntime *ort, OrtSessionOptions *options, lanert_error *err)
{
    const OrtApi *api = ort->api;
    int rc;
    if ((rc = ort_check(api, api->SetIntraOpNumThreads(options, ort->options.threads), "setting threads", err)) ||
        (rc = ort_check(api, api->SetSessionExecutionMode(options, ORT_SEQUENTIAL), "setting the execution mode",
                        err)) ||
        (rc = ort_check(api, api->SetSessionGraphOptimizationLevel(options, ORT_ENABLE_ALL), "setting optimisation",
                        err)) ||
        (rc = ort_check(api, api->AddSessionConfigEntry(options, STOP_SPINNING, "1"), "setting what idle threads do",
                        err)))
        return rc;
    return ort->gpu ? ort_add_providers(ort, options, err) : 0;
}

static int open_session(onnxruntime *ort, lanert_error *err)
{
    const OrtApi *api = ort->api;
    OrtSessionOptions *options = NULL;
    close_session(ort);
    int rc = ort_check(api, api->CreateSessionOptions(&options), "making options", err);
    if (rc)
        return rc;
    if ((rc = configure(ort, options, err)) ||
        (rc =
             ort_check(api, api->CreateSession(ort->env, ort->path, options, &ort->session), "loading the model", err)))
        goto out;
    rc = ort_check(api, api->CreateIoBinding(ort->session, &ort->binding), "making a binding", err);
out:
    api->ReleaseSessionOptions(options);
    return rc;
}

static int start(onnxruntime *ort, lanert_error *err)
{
    const OrtApi *api = ort->api;
    int rc;
    if ((rc = ort_check(api,
                        api->CreateEnvWithCustomLogger(log_nothing, NULL, ORT_LOGGING_LEVEL_FATAL, "lanert", &ort->env),
                        "starting ONNX Runtime", err)) ||
        (rc = ort_check(api, api->DisableTelemetryEvents(ort->env), "turning telemetry off", err)) ||
        (rc = ort_check(api, api->GetAllocatorWithDefaultOptions(&ort->allocator), "getting an allocator", err)) ||
        (rc = ort_check(api,
                        ort->gpu ? api->CreateMemoryInfo("Cuda", OrtDeviceAllocator, ort->options.device.index,
                                                         OrtMemTypeDefault, &ort->memory)
                                 : api->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &ort->memory),
                        "describing memory", err)))
        return rc;
    ort->graph = ort->gpu;
    if (ort->graph && !open_session(ort, NULL))
        return 0;
    ort->graph = false; /* none is to be had of a model of which a part falls to the processor */
    return open_session(ort, err);
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
    ort->options = *options;
    if (!(ort->path = strdup(path)))
        rc = error_set(err, LANERT_ENOMEM, "out of memory");
    if (rc || (rc = load(ort, version, err)) || (options->device.kind != DEVICE_CPU && (rc = ort_open_gpu(ort, err))) ||
        (rc = ort->gpu ? with_gpu(ort, start, err) : start(ort, err))) {
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
    if ((rc = ort_check(api, api->CastTypeInfoToTensorInfo(type, &info), name, err)))
        return rc;
    if (!info)
        return error_set(err, LANERT_EUNSUPPORTED, "\"%s\" is not a tensor; only tensors are handled", name);
    if ((rc = ort_check(api, api->GetTensorElementType(info, &element), name, err)) ||
        (rc = ort_check(api, api->GetDimensionsCount(info, &rank), name, err)))
        return rc;
    while (i < ARRAY_LEN(element_types) && element_types[i] != element)
        i++;
    if (i == ARRAY_LEN(element_types))
        return error_set(err, LANERT_EUNSUPPORTED, "tensor \"%s\" has ONNX element type %d, which is not handled", name,
                         (int)element);
    if (rank <= TENSOR_MAX_RANK && (rc = ort_check(api, api->GetDimensions(info, dims, rank), name, err)))
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
    if ((rc = ort_check(api, name_of(ort->session, i, ort->allocator, &name), "asking for a name", err)) ||
        (rc = ort_check(api, type_of(ort->session, i, &type), name, err)))
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
    if ((rc = ort_check(api, api->SessionGetInputCount(ort->session, &in), "counting inputs", err)) ||
        (rc = ort_check(api, api->SessionGetOutputCount(ort->session, &out), "counting outputs", err)))
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
    int rc = ort_check(api,
                       api->CreateTensorWithDataAsOrtValue(ort->memory, t->data, bytes, t->dims, (size_t)t->rank,
                                                           element_types[t->type], &value),
                       t->name, err);
    if (rc)
        return rc;
    rc = ort_check(api, bind(ort->binding, t->name, value), t->name, err);
    api->ReleaseValue(value);
    return rc;
}

static int bind_all(onnxruntime *ort, const tensor *inputs, int input_count, const tensor *outputs, int output_count,
                    lanert_error *err)
{
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

static int run_bound(onnxruntime *ort, lanert_error *err)
{
    return ort_check(ort->api, ort->api->RunWithBinding(ort->session, ort->run_options, ort->binding),
                     "running the model", err);
}

/* ---- on a GPU -------------------------------------------------------------------------------- */

static int run_on_gpu(onnxruntime *ort, lanert_error *err)
{
    int rc;
    if ((rc = cuda_tensors_upload(&ort->twins, err)) || (rc = run_bound(ort, err)) ||
        (rc = cuda_tensors_download(&ort->twins, err))) {
        cuda_wait(ort->gpu, NULL); /* for copies that may still be under way in the caller's memory */
        return rc;
    }
    return cuda_wait(ort->gpu, err);
}

/* Binds the tensors' twins, and runs once: the search for the fastest kernels and the recording of the graph take
 * place now, and where a kernel cannot be recorded it shows. */
static int bind_twins(onnxruntime *ort, lanert_error *err)
{
    const cuda_tensors *t = &ort->twins;
    int rc;
    if ((rc = ort_make_run_options(ort, err)) ||
        (rc = bind_all(ort, t->inputs, t->input_count, t->outputs, t->output_count, err)))
        return rc;
    return run_on_gpu(ort, err);
}

static int bind_on_gpu(onnxruntime *ort, lanert_error *err)
{
    int rc;
    if (ort->graph) {
        if (!bind_twins(ort, NULL))
            return 0;
        ort->graph = false;
        close_session(ort);
    }
    if (!ort->binding && (rc = open_session(ort, err)))
        return rc;
    return bind_twins(ort, err);
}

static int onnxruntime_allocate(void *self, size_t bytes, void **memory, lanert_error *err)
{
    onnxruntime *ort = self;
    return ort->gpu ? cuda_allocate_host(ort->gpu, bytes, memory, err) : memory_aligned(memory, bytes, err);
}

static void onnxruntime_release(void *self, void *memory)
{
    onnxruntime *ort = self;
    if (ort->gpu)
        cuda_free_host(ort->gpu, memory);
    else
        free(memory);
}

/* ---- on either ------------------------------------------------------------------------------- */

static int onnxruntime_bind(void *self, const tensor *inputs, int input_count, const tensor *outputs, int output_count,
                            lanert_error *err)
{
    onnxruntime *ort = self;
    if (!ort->gpu)
        return bind_all(ort, inputs, input_count, outputs, output_count, err);
    int rc = cuda_tensors_bind(&ort->twins, inputs, input_count, outputs, output_count, err);
    return rc ? rc : with_gpu(ort, bind_on_gpu, err);
}

static int onnxruntime_run(void *self, lanert_error *err)
{
    onnxruntime *ort = self;
    return ort->gpu ? with_gpu(ort, run_on_gpu, err) : run_bound(ort, err);
}

const engine_ops engine_onnxruntime_ops = {
    .name = "onnxruntime",
    .devices = ON(DEVICE_CPU) | ON(DEVICE_CUDA) | ON(DEVICE_TENSORRT),
    .probe = onnxruntime_probe,
    .open = onnxruntime_open,
    .describe = onnxruntime_describe,
    .bind = onnxruntime_bind,
    .run = onnxruntime_run,
    .close = onnxruntime_close,
    .allocate = onnxruntime_allocate,
    .release = onnxruntime_release,
};

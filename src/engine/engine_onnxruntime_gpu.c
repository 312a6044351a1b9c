#include "engine/engine_onnxruntime.h"

#include "base/cache.h"
#include "base/memory.h"

/* The CUDA provider's use_tf32, and graphs told apart by gpu_graph_id, came with 1.18. */
#define MINIMUM_GPU_API 18

static const char *const providers[DEVICE_KINDS] = {[DEVICE_CPU] = "CPUExecutionProvider",
                                                    [DEVICE_CUDA] = "CUDAExecutionProvider",
                                                    [DEVICE_TENSORRT] = "TensorrtExecutionProvider"};

int ort_find_devices(const OrtApi *api, unsigned *devices, lanert_error *err)
{
    char **list;
    int count, rc = ort_check(api, api->GetAvailableProviders(&list, &count), "asking for the providers", err);
    *devices = 0;
    if (rc)
        return rc;
    for (int i = 0; i < count; i++)
        for (int kind = DEVICE_CPU; kind < DEVICE_KINDS; kind++)
            if (!strcmp(list[i], providers[kind]))
                *devices |= ON(kind);
    return ort_check(api, api->ReleaseAvailableProviders(list, count), "asking for the providers", err);
}

/* The driver comes first: without it the provider's library does not load, and says so less plainly. */
int ort_open_gpu(onnxruntime *ort, lanert_error *err)
{
    unsigned devices;
    int rc = cuda_open(ort->options.device.index, &ort->gpu, err);
    if (rc || (rc = ort_find_devices(ort->api, &devices, err)))
        return rc;
    if (!(devices & ON(ort->options.device.kind)))
        return error_set(err, LANERT_ENOTFOUND,
                         "%s was built without the %s: 'scripts/deps.sh cuda' fetches a library that has it; set "
                         "LANERT_ENGINES to where it is",
                         ort->library.path, providers[ort->options.device.kind]);
    if (ort->release < MINIMUM_GPU_API)
        return error_set(err, LANERT_EUNSUPPORTED, "%s is release 1.%u; on GPUs 1.%d or a newer 1.x is needed",
                         ort->library.path, ort->release, MINIMUM_GPU_API);
    ort->twins.gpu = ort->gpu;
    return 0;
}

/* Float32 stays float32 (TensorFloat-32 keeps 10 bits of 23), and the arena takes what it needs, not the power of two
 * above it. */
static int add_cuda(const onnxruntime *ort, OrtSessionOptions *session, lanert_error *err)
{
    const OrtApi *api = ort->api;
    OrtCUDAProviderOptionsV2 *options = NULL;
    char index[16];
    const char *const keys[] = {"device_id", "use_tf32", "arena_extend_strategy", "enable_cuda_graph"};
    bool graph = ort->graph && ort->options.device.kind == DEVICE_CUDA;
    const char *const values[] = {index, "0", "kSameAsRequested", graph ? "1" : "0"};
    snprintf(index, sizeof index, "%d", ort->options.device.index);
    int rc = ort_check(api, api->CreateCUDAProviderOptions(&options), "making the CUDA provider's options", err);
    if (rc)
        return rc;
    if (!(rc = ort_check(api, api->UpdateCUDAProviderOptions(options, keys, values, ARRAY_LEN(keys)),
                         "setting up the CUDA provider", err)) &&
        !(rc = ort_check(api,
                         api->UpdateCUDAProviderOptionsWithValue(options, "user_compute_stream", cuda_stream(ort->gpu)),
                         "giving the CUDA provider a stream", err)))
        rc = ort_check(api, api->SessionOptionsAppendExecutionProvider_CUDA_V2(session, options),
                       "starting the CUDA provider", err);
    api->ReleaseCUDAProviderOptions(options);
    return rc;
}

static bool is_in(const onnxruntime *ort, const char *types)
{
    return ort->options.types && !strcmp(ort->options.types, types);
}

/* What TensorRT builds takes minutes, and is kept in our cache folder: it is code. */
static int add_tensorrt(const onnxruntime *ort, OrtSessionOptions *session, lanert_error *err)
{
    const OrtApi *api = ort->api;
    OrtTensorRTProviderOptionsV2 *options = NULL;
    char index[16], cache[CACHE_PATH];
    const char *const keys[] = {"device_id",
                                "trt_fp16_enable",
                                "trt_int8_enable",
                                "trt_cuda_graph_enable",
                                "trt_engine_cache_enable",
                                "trt_engine_cache_path",
                                "trt_timing_cache_enable",
                                "trt_timing_cache_path"};
    bool half = ort->options.precision == LANERT_FP16 || is_in(ort, "fp16");
    const char *const values[] = {
        index, half ? "1" : "0", is_in(ort, "int8") ? "1" : "0", ort->graph ? "1" : "0", "1", cache, "1", cache};
    snprintf(index, sizeof index, "%d", ort->options.device.index);
    int rc = cache_folder("onnxruntime-tensorrt", cache, err);
    if (rc || (rc = ort_check(api, api->CreateTensorRTProviderOptions(&options),
                              "making the TensorRT provider's options", err)))
        return rc;
    if (!(rc = ort_check(api, api->UpdateTensorRTProviderOptions(options, keys, values, ARRAY_LEN(keys)),
                         "setting up the TensorRT provider", err)) &&
        !(rc = ort_check(
              api, api->UpdateTensorRTProviderOptionsWithValue(options, "user_compute_stream", cuda_stream(ort->gpu)),
              "giving the TensorRT provider a stream", err)))
        rc = ort_check(api, api->SessionOptionsAppendExecutionProvider_TensorRT_V2(session, options),
                       "starting the TensorRT provider", err);
    api->ReleaseTensorRTProviderOptions(options);
    return rc;
}

int ort_add_providers(const onnxruntime *ort, OrtSessionOptions *session, lanert_error *err)
{
    int rc = ort->options.device.kind == DEVICE_TENSORRT ? add_tensorrt(ort, session, err) : 0;
    return rc ? rc : add_cuda(ort, session, err);
}

int ort_make_run_options(onnxruntime *ort, lanert_error *err)
{
    const OrtApi *api = ort->api;
    char id[24];
    int rc;
    if (ort->run_options)
        api->ReleaseRunOptions(ort->run_options);
    ort->run_options = NULL;
    snprintf(id, sizeof id, "%lld", (long long)++ort->binds);
    if ((rc = ort_check(api, api->CreateRunOptions(&ort->run_options), "making options", err)) ||
        (rc = ort_check(api, api->AddRunConfigEntry(ort->run_options, "disable_synchronize_execution_providers", "1"),
                        "making options", err)))
        return rc;
    return ort_check(api, api->AddRunConfigEntry(ort->run_options, "gpu_graph_id", id), "making options", err);
}

#include "engine/fake_onnxruntime.h"

#include <dlfcn.h>
#include <onnxruntime_c_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/fake_cuda.h"

#define API __attribute__((visibility("default")))

API fake_onnxruntime fake_onnxruntime_state;
API CUresult cuStreamSynchronize(CUstream stream);
extern fake_cuda fake_cuda_state;

#define state fake_onnxruntime_state

static const OrtApi *real;
static OrtApi played;
static const OrtApiBase *real_base;

static OrtStatus *ok(void)
{
    return NULL;
}

static OrtStatus *failure(const char *text)
{
    return real->CreateStatus(ORT_FAIL, text);
}

/* The runtime, which the providers call, makes a GPU current, and leaves it so; and takes memory. */
static void use_gpu(void)
{
    state.outside += !fake_cuda_state.current || fake_cuda_state.mode == CU_STREAM_CAPTURE_MODE_GLOBAL;
}

/* Of each call for a GPU. */
static OrtStatus *call(void)
{
    state.calls++;
    bool fails = state.fail_at && (state.fail_for_good ? state.calls >= state.fail_at : state.calls == state.fail_at);
    return fails ? failure("as told") : ok();
}

static bool has_graph(void)
{
    return strstr(state.cuda, "enable_cuda_graph=1") || strstr(state.tensorrt, "trt_cuda_graph_enable=1");
}

/* ---- providers ------------------------------------------------------------------------------- */

static char *all[] = {(char *)"TensorrtExecutionProvider", (char *)"CUDAExecutionProvider",
                      (char *)"CPUExecutionProvider"};

static OrtStatus *ORT_API_CALL get_providers(char ***list, int *count)
{
    *list = state.plain ? all + 2 : all;
    *count = state.plain ? 1 : 3;
    return call();
}

static OrtStatus *ORT_API_CALL release_providers(char **list, int count)
{
    (void)list, (void)count;
    return ok();
}

static void note(char *text, size_t size, const char *const *keys, const char *const *values, size_t count)
{
    *text = '\0';
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(text);
        snprintf(text + used, size - used, "%s=%s ", keys[i], values[i]);
    }
}

static OrtStatus *ORT_API_CALL create_cuda(OrtCUDAProviderOptionsV2 **options)
{
    OrtStatus *status = call();
    if (status)
        return status;
    *options = malloc(1);
    state.live++;
    return ok();
}

static OrtStatus *ORT_API_CALL update_cuda(OrtCUDAProviderOptionsV2 *options, const char *const *keys,
                                           const char *const *values, size_t count)
{
    (void)options;
    note(state.cuda, sizeof state.cuda, keys, values, count);
    return state.no_library ? failure("Failed to load library libonnxruntime_providers_cuda.so with error: "
                                      "libcublas.so.13: cannot open shared object file\n")
                            : call();
}

static OrtStatus *ORT_API_CALL update_cuda_value(OrtCUDAProviderOptionsV2 *options, const char *key, void *value)
{
    (void)options;
    state.cuda_stream = value;
    return strcmp(key, "user_compute_stream") ? failure("unknown key") : call();
}

static void ORT_API_CALL release_cuda(OrtCUDAProviderOptionsV2 *options)
{
    free(options);
    state.live--;
}

static OrtStatus *ORT_API_CALL append_cuda(OrtSessionOptions *session, const OrtCUDAProviderOptionsV2 *options)
{
    (void)session, (void)options;
    strcat(state.order, "cuda ");
    return call();
}

static OrtStatus *ORT_API_CALL create_tensorrt(OrtTensorRTProviderOptionsV2 **options)
{
    OrtStatus *status = call();
    if (status)
        return status;
    *options = malloc(1);
    state.live++;
    return ok();
}

static OrtStatus *ORT_API_CALL update_tensorrt(OrtTensorRTProviderOptionsV2 *options, const char *const *keys,
                                               const char *const *values, size_t count)
{
    (void)options;
    note(state.tensorrt, sizeof state.tensorrt, keys, values, count);
    return call();
}

static OrtStatus *ORT_API_CALL update_tensorrt_value(OrtTensorRTProviderOptionsV2 *options, const char *key,
                                                     void *value)
{
    (void)options;
    state.tensorrt_stream = value;
    return strcmp(key, "user_compute_stream") ? failure("unknown key") : call();
}

static void ORT_API_CALL release_tensorrt(OrtTensorRTProviderOptionsV2 *options)
{
    free(options);
    state.live--;
}

static OrtStatus *ORT_API_CALL append_tensorrt(OrtSessionOptions *session, const OrtTensorRTProviderOptionsV2 *options)
{
    (void)session, (void)options;
    strcat(state.order, "tensorrt ");
    return call();
}

/* ---- sessions and runs ----------------------------------------------------------------------- */

static OrtStatus *ORT_API_CALL create_options(OrtSessionOptions **options)
{
    *state.order = *state.cuda = *state.tensorrt = '\0';
    return real->CreateSessionOptions(options);
}

static OrtStatus *ORT_API_CALL create_session(const OrtEnv *env, const ORTCHAR_T *path,
                                              const OrtSessionOptions *options, OrtSession **session)
{
    OrtStatus *status = *state.order ? call() : ok();
    if (status)
        return status;
    if (*state.order)
        use_gpu();
    state.sessions++;
    if (*state.order && state.fail_graph_session && has_graph())
        return failure("This session cannot use the graph capture feature as requested by the user");
    if (state.fail_session && state.sessions > 1)
        return failure("no second session");
    return real->CreateSession(env, path, options, session);
}

static void ORT_API_CALL release_session(OrtSession *session)
{
    if (*state.order)
        use_gpu();
    real->ReleaseSession(session);
}

static OrtStatus *ORT_API_CALL create_memory(const char *name, enum OrtAllocatorType type, int id,
                                             enum OrtMemType memory, OrtMemoryInfo **out)
{
    OrtStatus *status = call();
    return status ? status : real->CreateMemoryInfo(strcmp(name, "Cuda") ? name : "Cpu", type, id, memory, out);
}

static OrtStatus *ORT_API_CALL add_run_option(OrtRunOptions *options, const char *key, const char *value)
{
    size_t used = strlen(state.run);
    snprintf(state.run + used, sizeof state.run - used, "%s=%s ", key, value);
    OrtStatus *status = call();
    return status ? status : real->AddRunConfigEntry(options, key, value);
}

static OrtStatus *ORT_API_CALL create_run_options(OrtRunOptions **options)
{
    *state.run = '\0';
    OrtStatus *status = call();
    return status ? status : real->CreateRunOptions(options);
}

static OrtStatus *ORT_API_CALL run(OrtSession *session, const OrtRunOptions *options, const OrtIoBinding *binding)
{
    OrtStatus *status = *state.order ? call() : ok();
    if (status)
        return status;
    if (*state.order)
        use_gpu();
    state.runs++;
    if (*state.order && state.fail_graph_run && has_graph())
        return failure("CUDA failure 900: operation not permitted when stream is capturing");
    if (state.runs == state.fail_run)
        return failure("CUDNN failure 4: CUDNN_STATUS_INTERNAL_ERROR");
    if (*state.order)
        cuStreamSynchronize(state.cuda_stream); /* what the GPU would have done before */
    return real->RunWithBinding(session, options, binding);
}

/* ---- the library ----------------------------------------------------------------------------- */

static const OrtApi *ORT_API_CALL get_api(uint32_t version)
{
    real = real_base->GetApi(version);
    if (!real)
        return NULL;
    played = *real;
    played.GetAvailableProviders = get_providers;
    played.ReleaseAvailableProviders = release_providers;
    played.CreateCUDAProviderOptions = create_cuda;
    played.UpdateCUDAProviderOptions = update_cuda;
    played.UpdateCUDAProviderOptionsWithValue = update_cuda_value;
    played.ReleaseCUDAProviderOptions = release_cuda;
    played.SessionOptionsAppendExecutionProvider_CUDA_V2 = append_cuda;
    played.CreateTensorRTProviderOptions = create_tensorrt;
    played.UpdateTensorRTProviderOptions = update_tensorrt;
    played.UpdateTensorRTProviderOptionsWithValue = update_tensorrt_value;
    played.ReleaseTensorRTProviderOptions = release_tensorrt;
    played.SessionOptionsAppendExecutionProvider_TensorRT_V2 = append_tensorrt;
    played.CreateSessionOptions = create_options;
    played.CreateSession = create_session;
    played.ReleaseSession = release_session;
    played.CreateMemoryInfo = create_memory;
    played.CreateRunOptions = create_run_options;
    played.AddRunConfigEntry = add_run_option;
    played.RunWithBinding = run;
    return &played;
}

static const char *ORT_API_CALL get_version(void)
{
    return state.version ? state.version : real_base->GetVersionString();
}

API const OrtApiBase *ORT_API_CALL OrtGetApiBase(void)
{
    static const OrtApiBase base = {get_api, get_version};
    const OrtApiBase *(*get_base)(void);
    void *library = dlopen(REAL_ONNXRUNTIME, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    void *function = library ? dlsym(library, "OrtGetApiBase") : NULL;
    if (!function)
        abort();
    memcpy(&get_base, &function, sizeof get_base);
    real_base = get_base();
    return &base;
}

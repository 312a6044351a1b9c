#include "engine/cuda.h"

#include "base/memory.h"
#include "engine/cuda_driver.h"
#include "engine/device.h"
#include "engine/engine_library.h"

#define ADVICE                                                                                                         \
    "install NVIDIA's driver (on Debian the package nvidia-driver) if this machine has an NVIDIA GPU, and compute on " \
    "cpu if it has none"

struct cuda {
    engine_library library;
    cuda_driver api;
    device_id id;
    CUdevice device;
    CUcontext context; /* the GPU's primary one, which SDKs use too */
    CUstream stream;
    int entered;
    CUstreamCaptureMode mode; /* while it is entered, the thread's own */
};

/* ---- errors ---------------------------------------------------------------------------------- */

static int check(const cuda_driver *api, CUresult result, const char *what, lanert_error *err)
{
    const char *name = NULL, *text = NULL;
    if (result == CUDA_SUCCESS)
        return 0;
    if (api->cuGetErrorName(result, &name) || api->cuGetErrorString(result, &text))
        return error_set(err, LANERT_EENGINE, "%s: error %d of NVIDIA's driver", what, (int)result);
    return error_set(err, result == CUDA_ERROR_OUT_OF_MEMORY ? LANERT_ENOMEM : LANERT_EENGINE, "%s: %s (%s)", what,
                     text, name);
}

/* ---- the driver ------------------------------------------------------------------------------ */

static int load_functions(const engine_library *library, cuda_driver *api, lanert_error *err)
{
    int rc;
#define LOAD(name, parameters)                                                                                         \
    if ((rc = engine_library_function(library, #name, &api->name, err)))                                               \
        return rc;
    CUDA_FUNCTIONS(LOAD)
#undef LOAD
    return 0;
}

/* Opens and starts the driver, and counts the GPUs, at least one. The library may stay open where this fails. */
static int load(engine_library *library, cuda_driver *api, int *count, lanert_error *err)
{
    int rc = engine_library_open("cuda", "libcuda.so", "libcuda.so.1", ADVICE, library, err);
    if (rc || (rc = load_functions(library, api, err)))
        return rc;
    CUresult result = api->cuInit(0);
    if (result == CUDA_ERROR_NO_DEVICE || (!result && !(result = api->cuDeviceGetCount(count)) && *count < 1))
        return error_set(err, LANERT_ENOTFOUND, "NVIDIA's driver is here (%s), but no GPU that it can use",
                         library->path);
    return check(api, result, "starting NVIDIA's driver", err);
}

static int find_device(const cuda_driver *api, int count, int index, CUdevice *found, lanert_error *err)
{
    if (index >= count)
        return error_set(err, LANERT_ENOTFOUND, "there is no GPU %d: the driver counts %d, from 0", index, count);
    return check(api, api->cuDeviceGet(found, index), "taking the GPU", err);
}

static int describe(const cuda_driver *api, CUdevice d, lanert_device_info *info, lanert_error *err)
{
    int rc, major, minor, driver;
    size_t bytes;
    if ((rc = check(api, api->cuDeviceGetName(info->model, sizeof info->model, d), "asking for the GPU's name", err)) ||
        (rc = check(api, api->cuDeviceGetAttribute(&major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, d),
                    "asking for its capability", err)) ||
        (rc = check(api, api->cuDeviceGetAttribute(&minor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, d),
                    "asking for its capability", err)) ||
        (rc = check(api, api->cuDeviceTotalMem_v2(&bytes, d), "asking for its memory", err)) ||
        (rc = check(api, api->cuDriverGetVersion(&driver), "asking for the driver's version", err)))
        return rc;
    snprintf(info->capability, sizeof info->capability, "%d.%d", major, minor);
    snprintf(info->driver, sizeof info->driver, "%d.%d", driver / 1000, driver % 1000 / 10);
    info->memory_gb = (double)bytes / 1e9;
    return 0;
}

int lanert_device_probe(int i, lanert_device_info *info, lanert_error *err)
{
    engine_library library = {0};
    cuda_driver api;
    CUdevice found;
    lanert_error why;
    int count = 0, rc;
    if (i < 0 || !info)
        return error_set(err, LANERT_EINVAL,
                         "lanert_device_probe: i is %d and info %s; 0 or more, and somewhere to put the answer, were "
                         "expected",
                         i, info ? "set" : "NULL");
    *info = (lanert_device_info){0};
    device_format((device_id){DEVICE_CUDA, i}, info->name);
    if (!(rc = load(&library, &api, &count, &why)) && i < count && !(rc = find_device(&api, count, i, &found, &why)))
        rc = describe(&api, found, info, &why);
    engine_library_close(&library);
    if (i > 0 && i >= count)
        return error_set(err, LANERT_END, "there are %d GPUs", count);
    info->usable = !rc;
    if (rc)
        snprintf(info->note, sizeof info->note, "%.*s", (int)sizeof info->note - 1, why.text);
    return 0;
}

/* ---- a GPU ----------------------------------------------------------------------------------- */

/* Says which GPU failed. */
static int told(const cuda *c, int rc, lanert_error *err)
{
    char name[DEVICE_NAME];
    return rc ? error_within(err, rc, "%s", device_format(c->id, name)) : 0;
}

/* A thread in the mode GLOBAL, as all are at first, may take no memory while another one records in that mode, as ONNX
 * Runtime does. */
int cuda_enter(cuda *c, lanert_error *err)
{
    int rc = told(c, check(&c->api, c->api.cuCtxPushCurrent_v2(c->context), "making the GPU current", err), err);
    if (!rc && c->entered++ == 0) {
        c->mode = CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
        c->api.cuThreadExchangeStreamCaptureMode(&c->mode);
    }
    return rc;
}

void cuda_leave(cuda *c)
{
    CUcontext own;
    if (--c->entered == 0)
        c->api.cuThreadExchangeStreamCaptureMode(&c->mode);
    c->api.cuCtxPopCurrent_v2(&own);
}

/* Ends what cuda_enter began; `result` is that of the call between. */
static int leave(cuda *c, CUresult result, const char *what, lanert_error *err)
{
    cuda_leave(c);
    return told(c, check(&c->api, result, what, err), err);
}

int cuda_open(int index, cuda **out, lanert_error *err)
{
    cuda *c;
    int rc, count;
    *out = NULL;
    if ((rc = memory_new(&c, 1, sizeof *c, err)))
        return rc;
    c->id = (device_id){DEVICE_CUDA, index};
    if ((rc = load(&c->library, &c->api, &count, err)) || (rc = find_device(&c->api, count, index, &c->device, err)) ||
        (rc = told(c, check(&c->api, c->api.cuDevicePrimaryCtxRetain(&c->context, c->device), "starting it", err),
                   err)) ||
        (rc = cuda_enter(c, err)) ||
        (rc = leave(c, c->api.cuStreamCreate(&c->stream, CU_STREAM_NON_BLOCKING), "making a stream", err))) {
        cuda_close(&c);
        return rc;
    }
    *out = c;
    return 0;
}

/* After a failure on the GPU nothing can be given back, and there is no one to tell: the results are not looked at. */
void cuda_close(cuda **out)
{
    cuda *c = *out;
    if (!c)
        return;
    if (c->stream && !cuda_enter(c, NULL))
        leave(c, c->api.cuStreamDestroy_v2(c->stream), "", NULL);
    if (c->context)
        c->api.cuDevicePrimaryCtxRelease_v2(c->device);
    engine_library_close(&c->library);
    FREE(*out);
}

void *cuda_stream(const cuda *c)
{
    return c->stream;
}

/* ---- memory ---------------------------------------------------------------------------------- */

static CUdeviceptr address_of(const void *memory)
{
    return (CUdeviceptr)(uintptr_t)memory;
}

int cuda_allocate(cuda *c, size_t bytes, void **memory, lanert_error *err)
{
    CUdeviceptr address = 0;
    char what[64];
    int rc = cuda_enter(c, err);
    *memory = NULL;
    snprintf(what, sizeof what, "taking %zu bytes of its memory", bytes);
    if (!rc && !(rc = leave(c, c->api.cuMemAlloc_v2(&address, bytes), what, err)))
        *memory = (void *)(uintptr_t)address;
    return rc;
}

void cuda_free(cuda *c, void *memory)
{
    if (memory && !cuda_enter(c, NULL))
        leave(c, c->api.cuMemFree_v2(address_of(memory)), "", NULL);
}

int cuda_allocate_host(cuda *c, size_t bytes, void **memory, lanert_error *err)
{
    int rc = cuda_enter(c, err);
    *memory = NULL;
    return rc ? rc
              : leave(c, c->api.cuMemHostAlloc(memory, bytes, CU_MEMHOSTALLOC_PORTABLE), "taking pinned memory", err);
}

void cuda_free_host(cuda *c, void *memory)
{
    if (memory && !cuda_enter(c, NULL))
        leave(c, c->api.cuMemFreeHost(memory), "", NULL);
}

int cuda_upload(cuda *c, void *to, const void *from, size_t bytes, lanert_error *err)
{
    int rc = cuda_enter(c, err);
    return rc ? rc
              : leave(c, c->api.cuMemcpyHtoDAsync_v2(address_of(to), from, bytes, c->stream), "copying to it", err);
}

int cuda_download(cuda *c, void *to, const void *from, size_t bytes, lanert_error *err)
{
    int rc = cuda_enter(c, err);
    return rc ? rc
              : leave(c, c->api.cuMemcpyDtoHAsync_v2(to, address_of(from), bytes, c->stream), "copying from it", err);
}

int cuda_wait(cuda *c, lanert_error *err)
{
    int rc = cuda_enter(c, err);
    return rc ? rc : leave(c, c->api.cuStreamSynchronize(c->stream), "waiting for it", err);
}

/* ---- graphs ---------------------------------------------------------------------------------- */

int cuda_record(cuda *c, lanert_error *err)
{
    int rc = cuda_enter(c, err);
    return rc ? rc
              : leave(c, c->api.cuStreamBeginCapture_v2(c->stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL), "recording",
                      err);
}

int cuda_record_end(cuda *c, void **graph, lanert_error *err)
{
    CUgraph recorded = NULL;
    CUgraphExec exec = NULL;
    int rc = cuda_enter(c, err);
    *graph = NULL;
    if (rc)
        return rc;
    CUresult result = c->api.cuStreamEndCapture(c->stream, &recorded);
    if (!result)
        result = c->api.cuGraphInstantiateWithFlags(&exec, recorded, 0);
    if (recorded)
        c->api.cuGraphDestroy(recorded);
    *graph = exec;
    return leave(c, result, "making a graph of what was recorded", err);
}

int cuda_replay(cuda *c, void *graph, lanert_error *err)
{
    int rc = cuda_enter(c, err);
    return rc ? rc : leave(c, c->api.cuGraphLaunch(graph, c->stream), "replaying a graph", err);
}

void cuda_graph_free(cuda *c, void *graph)
{
    if (graph && !cuda_enter(c, NULL))
        leave(c, c->api.cuGraphExecDestroy(graph), "", NULL);
}

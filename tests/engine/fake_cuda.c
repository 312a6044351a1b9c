#include "engine/fake_cuda.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define API __attribute__((visibility("default")))
#define MAX_WORK 64

/* A copy, or a kernel. */
typedef struct work {
    void *to;
    const void *from;
    size_t bytes;
    fake_cuda_kernel *kernel;
    void *argument;
} work;

typedef struct queue {
    work list[MAX_WORK];
    int count;
} queue;

struct CUstream_st {
    queue waiting;
    queue *recording; /* NULL: none */
};
struct CUgraph_st {
    queue recorded;
};
struct CUgraphExec_st {
    queue recorded;
};
struct CUctx_st {
    int device;
};

API fake_cuda fake_cuda_state = {.gpus = 1};
static struct CUctx_st context;

#define state fake_cuda_state

/* Streams and blocks of memory of the context. */
static struct {
    void *list[256];
    int count, holds;
} things;

static void add_thing(void *thing)
{
    if (thing && things.count < 256)
        things.list[things.count++] = thing;
    state.live += thing != NULL;
}

static void remove_thing(void *thing)
{
    int i = 0;
    while (i < things.count && things.list[i] != thing)
        i++;
    if (i == things.count)
        abort();
    things.list[i] = things.list[--things.count];
    free(thing);
    state.live--;
}

/* The functions are declared here as the driver has them. */
#define DECLARE(name, parameters) API CUresult name parameters;
CUDA_FUNCTIONS(DECLARE)
#undef DECLARE

static CUresult call(void)
{
    state.calls++;
    bool fails = state.fail_at && (state.lost ? state.calls >= state.fail_at : state.calls == state.fail_at);
    return fails ? state.fail_with : CUDA_SUCCESS;
}

CUresult cuInit(unsigned flags)
{
    (void)flags;
    return state.fail_init ? state.fail_init : call();
}

CUresult cuDriverGetVersion(int *version)
{
    *version = state.driver ? state.driver : 13020;
    return call();
}

CUresult cuGetErrorName(CUresult error, const char **name)
{
    *name = error == CUDA_ERROR_OUT_OF_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY" : "CUDA_ERROR_LAUNCH_FAILED";
    return error == 12345 ? 1 : CUDA_SUCCESS;
}

CUresult cuGetErrorString(CUresult error, const char **text)
{
    *text = error == CUDA_ERROR_OUT_OF_MEMORY ? "out of memory" : "unspecified launch failure";
    return CUDA_SUCCESS;
}

CUresult cuDeviceGetCount(int *count)
{
    *count = state.gpus;
    return call();
}

CUresult cuDeviceGet(CUdevice *device, int index)
{
    *device = index;
    return call();
}

CUresult cuDeviceGetName(char *name, int size, CUdevice device)
{
    snprintf(name, (size_t)size, "Played GPU %d", device);
    return call();
}

CUresult cuDeviceGetAttribute(int *value, CUdevice_attribute attribute, CUdevice device)
{
    (void)device;
    *value = attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR ? 8 : 9;
    return call();
}

CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice device)
{
    (void)device;
    *bytes = 8000000000;
    return call();
}

CUresult cuDevicePrimaryCtxRetain(CUcontext *out, CUdevice device)
{
    CUresult result = call();
    context.device = device;
    *out = result ? NULL : &context;
    things.holds += !result;
    state.live += !result;
    return result;
}

CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device)
{
    (void)device;
    state.live--;
    if (--things.holds == 0) {
        state.left += things.count;
        while (things.count)
            remove_thing(things.list[0]);
    }
    return call();
}

CUresult cuCtxPushCurrent_v2(CUcontext pushed)
{
    CUresult result = pushed != &context ? 201 : state.lost ? call() : CUDA_SUCCESS;
    state.current += !result;
    return result;
}

CUresult cuCtxPopCurrent_v2(CUcontext *popped)
{
    *popped = &context;
    state.current--;
    return CUDA_SUCCESS;
}

CUresult cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode *mode)
{
    CUstreamCaptureMode before = state.mode;
    state.mode = *mode;
    *mode = before;
    return CUDA_SUCCESS;
}

/* ---- memory ---------------------------------------------------------------------------------- */

static CUresult take(void **memory, size_t bytes)
{
    CUresult result = !state.current                                                   ? 201
                      : state.recording && state.mode == CU_STREAM_CAPTURE_MODE_GLOBAL ? 900
                                                                                       : call();
    *memory = result ? NULL : aligned_alloc(256, (bytes + 255) / 256 * 256);
    add_thing(*memory);
    return result ? result : *memory ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}

static CUresult give_back(void *memory)
{
    remove_thing(memory);
    return call();
}

CUresult cuMemAlloc_v2(CUdeviceptr *memory, size_t bytes)
{
    void *taken;
    CUresult result = take(&taken, bytes);
    *memory = (uintptr_t)taken;
    return result;
}

CUresult cuMemFree_v2(CUdeviceptr memory)
{
    return give_back((void *)(uintptr_t)memory);
}

CUresult cuMemHostAlloc(void **memory, size_t bytes, unsigned flags)
{
    (void)flags;
    return take(memory, bytes);
}

CUresult cuMemFreeHost(void *memory)
{
    return give_back(memory);
}

/* ---- streams --------------------------------------------------------------------------------- */

static CUresult put(CUstream stream, work w)
{
    queue *q = stream->recording ? stream->recording : &stream->waiting;
    CUresult result = q->count < MAX_WORK ? call() : 1;
    if (!result)
        q->list[q->count++] = w;
    state.waiting += !result && q == &stream->waiting;
    return result;
}

API CUresult fake_cuda_launch(CUstream stream, fake_cuda_kernel *kernel, void *argument)
{
    return state.current ? put(stream, (work){.kernel = kernel, .argument = argument}) : 201;
}

CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t bytes, CUstream stream)
{
    state.uploads++;
    return put(stream, (work){.to = (void *)(uintptr_t)to, .from = from, .bytes = bytes});
}

CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes, CUstream stream)
{
    state.downloads++;
    return put(stream, (work){.to = to, .from = (const void *)(uintptr_t)from, .bytes = bytes});
}

CUresult cuStreamCreate(CUstream *stream, unsigned flags)
{
    (void)flags;
    CUresult result = state.current ? call() : 201;
    *stream = result ? NULL : calloc(1, sizeof **stream);
    add_thing(*stream);
    return result;
}

CUresult cuStreamSynchronize(CUstream stream)
{
    state.waits++;
    for (int i = 0; i < stream->waiting.count; i++) {
        const work *w = &stream->waiting.list[i];
        if (w->kernel)
            w->kernel(w->argument);
        else
            memcpy(w->to, w->from, w->bytes);
    }
    state.waiting -= stream->waiting.count;
    stream->waiting.count = 0;
    return call();
}

CUresult cuStreamDestroy_v2(CUstream stream)
{
    remove_thing(stream);
    return call();
}

/* ---- graphs ---------------------------------------------------------------------------------- */

CUresult cuStreamBeginCapture_v2(CUstream stream, CUstreamCaptureMode mode)
{
    (void)mode;
    CUresult result = call();
    if (!result)
        add_thing(stream->recording = calloc(1, sizeof(struct CUgraph_st)));
    return result;
}

CUresult cuStreamEndCapture(CUstream stream, CUgraph *graph)
{
    CUresult result = call();
    *graph = (CUgraph)stream->recording;
    stream->recording = NULL;
    if (result && *graph)
        remove_thing(*graph);
    if (result)
        *graph = NULL;
    return result;
}

CUresult cuGraphInstantiateWithFlags(CUgraphExec *exec, CUgraph graph, unsigned long long flags)
{
    (void)flags;
    CUresult result = state.no_graphs ? 801 : call();
    *exec = result ? NULL : calloc(1, sizeof **exec);
    add_thing(*exec);
    if (*exec)
        (*exec)->recorded = graph->recorded;
    return result;
}

CUresult cuGraphDestroy(CUgraph graph)
{
    remove_thing(graph);
    return call();
}

CUresult cuGraphLaunch(CUgraphExec exec, CUstream stream)
{
    CUresult result = call();
    state.replays++;
    for (int i = 0; !result && i < exec->recorded.count; i++)
        result = put(stream, exec->recorded.list[i]);
    return result;
}

CUresult cuGraphExecDestroy(CUgraphExec exec)
{
    remove_thing(exec);
    return call();
}

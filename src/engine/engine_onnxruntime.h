/* engine_onnxruntime.h - what the files of this engine share. */
#ifndef ENGINE_ENGINE_ONNXRUNTIME_H
#define ENGINE_ENGINE_ONNXRUNTIME_H

#include <onnxruntime_c_api.h>

#include "engine/cuda_tensors.h"
#include "engine/engine_library.h"

typedef struct onnxruntime {
    engine_library library;
    const OrtApi *api;
    unsigned release; /* N of 1.N */
    engine_options options;
    char *path; /* of the model */
    OrtEnv *env;
    OrtSession *session;
    OrtIoBinding *binding;
    OrtMemoryInfo *memory;      /* where bound tensors are */
    OrtRunOptions *run_options; /* NULL: the default ones */
    OrtAllocator *allocator;    /* ONNX Runtime's default one: not ours to release */

    /* On a GPU; else zero. */
    cuda *gpu;
    cuda_tensors twins;
    bool graph;    /* the session replays its work as a CUDA graph */
    int64_t binds; /* counted: each has a graph of its own */
} onnxruntime;

/* Turns a status, which is released, into a result. */
int ort_check(const OrtApi *api, OrtStatus *status, const char *what, lanert_error *err);

/* ---- engine_onnxruntime_gpu.c: the providers of NVIDIA GPUs ---- */

/* ON(…) of the devices that this library was built for. */
int ort_find_devices(const OrtApi *api, unsigned *devices, lanert_error *err);
/* LANERT_ENOTFOUND, with what to install, where there is no driver, GPU or provider. */
int ort_open_gpu(onnxruntime *ort, lanert_error *err);
/* Has a session compute on the GPU, on its stream. What the TensorRT provider does not take falls to the CUDA one, and
 * the rest to the processor. */
int ort_add_providers(const onnxruntime *ort, OrtSessionOptions *session, lanert_error *err);
/* For runs of the next binding: they return with their work on the stream; and a graph, which holds addresses, is
 * replayed for its own binding alone. */
int ort_make_run_options(onnxruntime *ort, lanert_error *err);

#endif

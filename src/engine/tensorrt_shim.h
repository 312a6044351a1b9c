/* tensorrt_shim.h - TensorRT, whose interface is C++, for C.
 *
 * tensorrt_shim.cpp is compiled against the headers of one major release, whose classes no other release's library has,
 * and becomes a library of its own, liblanert_tensorrt.so.<major>, which has this table under the name
 * "lanert_tensorrt_shim". It is linked to no part of TensorRT: the functions of TensorRT's libraries are handed in.
 *
 * Results are those of lanert.h, with TensorRT's first complaint in the error. A GPU must be current. */
#ifndef ENGINE_TENSORRT_SHIM_H
#define ENGINE_TENSORRT_SHIM_H

#ifdef __cplusplus
extern "C" {
#endif

#include "engine/engine.h"

#define TENSORRT_SHIM_NAME "lanert_tensorrt_shim"
/* Raised when anything below changes. */
#define TENSORRT_SHIM_INTERFACE 2

/* What TensorRT's libraries have for others than C++: void *create(void *of, int version), and the like. */
typedef struct tensorrt_functions {
    void *(*create_runtime)(void *logger, int32_t version);           /* createInferRuntime_INTERNAL */
    void *(*create_builder)(void *logger, int32_t version);           /* createInferBuilder_INTERNAL; NULL: run only */
    void *(*create_parser)(void *network, void *logger, int version); /* createNvOnnxParser_INTERNAL; NULL likewise */
} tensorrt_functions;

/* A plan that runs. */
typedef struct tensorrt_session tensorrt_session;

/* Memory of TensorRT's. */
typedef struct tensorrt_blob {
    const void *data;
    size_t size;
    void *owner;
} tensorrt_blob;

typedef struct tensorrt_build {
    const void *onnx; /* the model's bytes, and where they came from, for weights kept beside it */
    size_t onnx_size;
    const char *path;
    const char *precision;      /* "fp32", "fp16", "int8": what the model must be; NULL: whatever it is */
    const char *const *outputs; /* those to compute, NULL behind them; NULL: all */
    size_t workspace;           /* bytes; 0: all that there is */
    int min_batch, opt_batch, max_batch;
    bool version_compatible;
    bool timed;         /* whether `timing` is to be filled in */
    const void *timing; /* measurements of earlier builds, or NULL */
    size_t timing_size;
} tensorrt_build;

typedef struct tensorrt_built {
    const char *precision; /* what the model is */
    tensorrt_blob plan, timing;
} tensorrt_built;

typedef struct tensorrt_shim {
    int interface;
    int major; /* of the headers */
    /* Takes minutes. Blobs are to be released also where it fails. */
    int (*build)(const tensorrt_functions *f, const tensorrt_build *build, tensorrt_built *built, lanert_error *err);
    void (*release)(tensorrt_blob *blob);
    int (*open)(const tensorrt_functions *f, const void *plan, size_t size, tensorrt_session **session,
                lanert_error *err);
    void (*close)(tensorrt_session *session);
    /* The i-th input or output, data NULL; LANERT_END after the last. */
    int (*describe)(tensorrt_session *session, int i, tensor *t, bool *is_input, lanert_error *err);
    /* Inputs first: their dims are set. LANERT_EINVAL where the plan was not built for them. Data is on the GPU. */
    int (*bind)(tensorrt_session *session, const tensor *t, bool is_input, lanert_error *err);
    /* Sets an output's dims to what the inputs that are bound make them. */
    int (*infer_dims)(tensorrt_session *session, tensor *t, lanert_error *err);
    /* Puts the work on the stream. */
    int (*enqueue)(tensorrt_session *session, void *stream, lanert_error *err);
} tensorrt_shim;

#ifdef __cplusplus
}
#endif
#endif

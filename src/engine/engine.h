/* engine.h - what every inference engine offers: tensors in, tensors out; no pictures, no lanes.
 *
 * An engine is one file, engine_<name>.c, with one table of this form. The wrapper in engine.c checks
 * arguments once, for all. SDK libraries are opened with dlopen at run time. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/error.h"

#define TENSOR_MAX_RANK 6
#define ENGINE_MAX_TENSORS 8

typedef enum tensor_type { TENSOR_U8, TENSOR_F32, TENSOR_F16, TENSOR_I32, TENSOR_I64 } tensor_type;

/* The bytes of one element. */
size_t tensor_type_size(tensor_type type);
const char *tensor_type_name(tensor_type type);

typedef struct tensor {
    char name[64];
    tensor_type type;
    int rank;
    int64_t dims[TENSOR_MAX_RANK]; /* as described: -1 where dynamic; as bound: all known */
    void *data;                    /* bound memory, the caller's, on the host */
} tensor;

/* Elements of a tensor whose dims are all known, or -1 if they are not, or overflow. */
int64_t tensor_elements(const tensor *t);

typedef struct engine_options {
    lanert_precision precision; /* AUTO and FP32: as the model's types say, nothing less exact */
    int threads;                /* 0: one for each processor */
    bool profile;               /* unused so far by engines that cannot */
} engine_options;

typedef struct engine engine;

typedef struct engine_ops {
    const char *name;
    /* Fills info in, whether usable or not; fails only when out of memory. */
    int (*probe)(lanert_engine_info *info, lanert_error *err);
    /* Loads the ONNX model at `path`. self is the engine's own state. */
    int (*open)(const char *path, const engine_options *options, void **self, lanert_error *err);
    /* The model's tensors, as its file declares them. */
    int (*describe)(void *self, tensor *inputs, int *input_count, tensor *outputs, int *output_count,
                    lanert_error *err);
    /* Sets the shapes and memory of every input and of the outputs wanted (by name; others are not
     * computed where the engine can leave them out). The memory stays bound until the next bind or close
     * and is read and written by each run. */
    int (*bind)(void *self, const tensor *inputs, int input_count, const tensor *outputs, int output_count,
                lanert_error *err);
    int (*run)(void *self, lanert_error *err);
    void (*close)(void *self);
} engine_ops;

/* The engines this build knows, in auto's order; NULL at the end. */
extern const engine_ops *const engine_table[];

/* `name` NULL or "auto": the first usable one. LANERT_ENOTFOUND with what to install where it is not
 * there; LANERT_EINVAL with the names known where the name is none of them. */
int engine_open(const char *name, const char *path, const engine_options *options, engine **e, lanert_error *err);
void engine_close(engine **e);
const char *engine_name(const engine *e);

/* Borrowed; live as long as the engine. */
const tensor *engine_inputs(const engine *e, int *count);
const tensor *engine_outputs(const engine *e, int *count);

/* Checks names, types, ranks and dims against the description, and that every data is set; see the ops. */
int engine_bind(engine *e, const tensor *inputs, int input_count, const tensor *outputs, int output_count,
                lanert_error *err);
/* LANERT_EENGINE where the engine fails; the engine stays usable or fails again, and closes cleanly. */
int engine_run(engine *e, lanert_error *err);

#endif

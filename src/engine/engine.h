/* engine.h - what every inference engine offers: tensors in, tensors out; no pictures, no lanes.
 *
 * An engine is one file, engine_<name>.c, with one table of this form. The wrapper in engine.c checks
 * arguments once, for all. SDK libraries are opened with dlopen at run time: see engine_library.h. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "engine/device.h"

#define TENSOR_MAX_RANK 6
#define ENGINE_MAX_TENSORS 32
#define ENGINE_MAX_THREADS 1024

typedef enum tensor_type { TENSOR_U8, TENSOR_F32, TENSOR_F16, TENSOR_I32, TENSOR_I64 } tensor_type;

/* The bytes of one element; they are also its alignment. */
size_t tensor_type_size(tensor_type type);
const char *tensor_type_name(tensor_type type);

typedef struct tensor {
    char name[64];
    tensor_type type;
    int rank;
    int64_t dims[TENSOR_MAX_RANK]; /* as described: -1 where dynamic; as bound: all 1 or more */
    void *data;                    /* bound memory, the caller's, on the host, dense, C order */
} tensor;

/* Elements of a tensor whose dims are all known, or -1 if they are not, or if its bytes overflow. */
int64_t tensor_elements(const tensor *t);

/* Fills a description in, data NULL. LANERT_EUNSUPPORTED where name, rank or dims do not fit. */
int tensor_describe(tensor *t, const char *name, tensor_type type, int64_t rank, const int64_t *dims,
                    lanert_error *err);

typedef struct engine_options {
    /* AUTO and FP32: as the model's types say, nothing less exact. FP16 and BF16: LANERT_EUNSUPPORTED, on open or
     * bind, where engine or processor have not that arithmetic. ONNX Runtime takes FP16 as AUTO. */
    lanert_precision precision;
    const char *types; /* what the model is written in, "fp16", "int8" …; NULL or empty: not known. ONNX Runtime's
                        * TensorRT provider takes no such model unless told. Outlives the engine */
    int threads;       /* 0: one for each processor; at most ENGINE_MAX_THREADS */
    device_id device;  /* what it computes on */
    int batch;         /* the most frames that will be bound; 0: 1. Only engines that build for a batch ask */
    /* The names of the outputs that will be bound, NULL behind them; NULL: any. Only engines that build ask, while they
     * open: the others are then not computed. */
    const char *const *outputs;
    /* May be NULL. Told what takes minutes, before it is done. */
    void (*on_note)(void *context, const char *text);
    void *context;
} engine_options;

typedef struct engine engine;

/* A bit for a precision, in a set of them. */
#define PRECISION_BIT(precision) (1u << (precision))

typedef struct engine_ops {
    const char *name;
    unsigned devices; /* ON(DEVICE_CPU) | …: what it may be told to compute on */
    bool builds;      /* takes minutes to open a model, unless it is an engine file (base/engine_file.h) */
    /* Fills in usable, version, path and note of an info that is zero but for the name and all the devices; takes away
     * those that this machine's library was not built for. */
    void (*probe)(lanert_engine_info *info);
    /* Loads the ONNX model at `path`; options->threads is 1 or more, the device one of `devices`. self is the engine's
     * own state. */
    int (*open)(const char *path, const engine_options *options, void **self, lanert_error *err);
    /* The model's tensors in its own order, as its file declares them; arrays of ENGINE_MAX_TENSORS. Called
     * once, after open. */
    int (*describe)(void *self, tensor *inputs, int *input_count, tensor *outputs, int *output_count,
                    lanert_error *err);
    /* Sets the shapes and memory of the tensors. The arrays are as described, in that order, with dims and
     * data filled in; an output whose data is NULL is not wanted, and not computed where the engine can leave
     * it out. Arrays and memory live until the next bind or close; each run reads and writes the memory. */
    int (*bind)(void *self, const tensor *inputs, int input_count, const tensor *outputs, int output_count,
                lanert_error *err);
    int (*run)(void *self, lanert_error *err);
    void (*close)(void *self);
    /* What it has below float32 here: PRECISION_BIT(LANERT_BF16) | … NULL: nothing. */
    unsigned (*reduced)(void *self);
    /* Memory of the host that this engine copies fastest from and to. Both NULL: any memory is as good. */
    int (*allocate)(void *self, size_t bytes, void **memory, lanert_error *err);
    void (*release)(void *self, void *memory);
} engine_ops;

/* The engines that auto chooses from, in its order of preference; NULL at the end. */
extern const engine_ops *const engine_table[];

/* `name` NULL or "auto": the first usable one that computes on the device; of an engine file, with the default device,
 * TensorRT on a GPU. `options` may be NULL: all zero. LANERT_ENOTFOUND with what to install where the engine or the
 * device is not there; LANERT_EINVAL with the names known where the name is none of them; LANERT_EFORMAT where the file
 * is no sound ONNX model; LANERT_EUNSUPPORTED where the engine cannot compute it as asked. */
int engine_open(const char *name, const char *path, const engine_options *options, engine **e, lanert_error *err);
/* Of an opening, or first binding, that failed: whether it was on a GPU that nobody named, and the engine computes on
 * the processor too. The options are then for that. */
bool engine_falls_back(const char *name, const char *path, engine_options *options);
void engine_close(engine **e);
const char *engine_name(const engine *e);
device_id engine_device(const engine *e); /* what it computes on: never DEFAULT or AUTO */
/* The precisions below float32 that this processor has instructions for and the engine uses: what engine_open takes for
 * a model in float32 or float16; whether it gains by them is to be tried. None on GPUs. */
unsigned engine_reduced(const engine *e);

/* Memory of the host for tensors to bind: zeroed, aligned to 64 bytes or more. Release takes NULL, and comes before
 * close. Other memory may be bound too, but may be slower. */
int engine_allocate(engine *e, size_t bytes, void *memory, lanert_error *err);
void engine_release(engine *e, void *memory);

/* Borrowed; live as long as the engine. */
const tensor *engine_inputs(const engine *e, int *count);
const tensor *engine_outputs(const engine *e, int *count);

/* Binds every input and the outputs wanted, at least one, each found by its name. LANERT_EINVAL where names,
 * types, ranks or dims differ from the description, or data is NULL or not aligned to its element. A bind
 * that fails leaves nothing bound. May allocate, and take seconds where shapes change; run allocates
 * nothing of ours. On a GPU it runs once, into the outputs. */
int engine_bind(engine *e, const tensor *inputs, int input_count, const tensor *outputs, int output_count,
                lanert_error *err);
/* LANERT_EINVAL where nothing is bound; LANERT_EENGINE where the engine fails: the outputs' content is then
 * undefined, and the engine may be run or bound again, or closed. */
int engine_run(engine *e, lanert_error *err);

#endif

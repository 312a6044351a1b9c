#include "base/memory.h"
#include "engine/cuda_tensors.h"
#include "engine/tensorrt_plan.h"

extern const engine_ops engine_tensorrt_ops;

typedef struct tensorrt {
    tensorrt_library library;
    cuda *gpu;
    tensorrt_session *session;
    cuda_tensors twins;
    cuda_tensors spare; /* outputs that nobody wants: TensorRT computes them, too */
    void *graph;        /* of a run of the bound tensors; NULL where it cannot be recorded */
} tensorrt;

static void tensorrt_probe(lanert_engine_info *info)
{
    tensorrt_library library;
    lanert_device_info gpu;
    lanert_error why;
    if (tensorrt_library_open(&library, &why)) {
        snprintf(info->note, sizeof info->note, "%.*s", (int)sizeof info->note - 1, why.text);
    } else {
        snprintf(info->version, sizeof info->version, "%s", library.version);
        memcpy(info->path, library.runtime.path, sizeof library.runtime.path);
        info->usable = !lanert_device_probe(0, &gpu, NULL) && gpu.usable;
        if (!info->usable)
            memcpy(info->note, gpu.note, sizeof gpu.note);
    }
    tensorrt_library_close(&library);
}

static void tensorrt_close(void *self)
{
    tensorrt *trt = self;
    if (trt->gpu) {
        cuda_graph_free(trt->gpu, trt->graph);
        bool entered = trt->session && !cuda_enter(trt->gpu, NULL);
        if (trt->session)
            trt->library.shim->close(trt->session);
        if (entered)
            cuda_leave(trt->gpu);
    }
    cuda_tensors_free(&trt->twins);
    cuda_tensors_free(&trt->spare);
    cuda_close(&trt->gpu);
    tensorrt_library_close(&trt->library);
    free(trt);
}

static int open_session(tensorrt *trt, const char *path, const engine_options *options, lanert_error *err)
{
    tensorrt_plan plan;
    int rc;
    if ((rc = tensorrt_library_open(&trt->library, err)) || (rc = cuda_open(options->device.index, &trt->gpu, err)) ||
        (rc = tensorrt_plan_open(path, options, &trt->library, trt->gpu, &plan, err)))
        return rc;
    if (!(rc = cuda_enter(trt->gpu, err))) {
        rc = trt->library.shim->open(&trt->library.functions, plan.file.plan, plan.file.plan_size, &trt->session, err);
        cuda_leave(trt->gpu);
    }
    tensorrt_plan_close(&plan);
    return rc;
}

static int tensorrt_open(const char *path, const engine_options *options, void **self, lanert_error *err)
{
    tensorrt *trt;
    int rc;
    if (options->precision == LANERT_BF16)
        return error_set(
            err, LANERT_EUNSUPPORTED,
            "TensorRT computes in the model's own types, and models are not written in bf16; ask for auto");
    if ((rc = memory_new(&trt, 1, sizeof *trt, err)))
        return rc;
    if ((rc = open_session(trt, path, options, err))) {
        tensorrt_close(trt);
        return rc;
    }
    trt->twins.gpu = trt->spare.gpu = trt->gpu;
    *self = trt;
    return 0;
}

static int tensorrt_describe(void *self, tensor *inputs, int *input_count, tensor *outputs, int *output_count,
                             lanert_error *err)
{
    tensorrt *trt = self;
    tensor t;
    bool is_input;
    int rc;
    for (int i = 0; (rc = trt->library.shim->describe(trt->session, i, &t, &is_input, err)) == 0; i++) {
        int *count = is_input ? input_count : output_count;
        if (*count == ENGINE_MAX_TENSORS)
            return error_set(err, LANERT_EUNSUPPORTED, "the model has more than %d %s", ENGINE_MAX_TENSORS,
                             is_input ? "inputs" : "outputs");
        (is_input ? inputs : outputs)[(*count)++] = t;
    }
    return rc == LANERT_END ? 0 : rc;
}

/* ---- binding and running --------------------------------------------------------------------- */

/* What the inputs that are bound make of an output's dims, against those of the memory for it. */
static int check_dims(tensorrt *trt, const tensor *bound, tensor *actual, lanert_error *err)
{
    *actual = *bound;
    int rc = trt->library.shim->infer_dims(trt->session, actual, err);
    if (rc)
        return rc;
    if (tensor_elements(actual) < 1 || (bound->data && memcmp(actual->dims, bound->dims, sizeof actual->dims)))
        return error_set(err, LANERT_EINVAL, "output \"%s\" has %lld elements for these inputs, its memory %lld",
                         bound->name, (long long)tensor_elements(actual), (long long)tensor_elements(bound));
    return 0;
}

static int bind_outputs(tensorrt *trt, lanert_error *err)
{
    const tensorrt_shim *shim = trt->library.shim;
    const cuda_tensors *twins = &trt->twins;
    tensor spare[ENGINE_MAX_TENSORS];
    int rc = 0, spares = 0;
    for (int i = 0; !rc && i < twins->output_count; i++) {
        tensor actual;
        if ((rc = check_dims(trt, &twins->outputs[i], &actual, err)))
            return rc;
        if (twins->outputs[i].data) {
            rc = shim->bind(trt->session, &twins->outputs[i], false, err);
        } else {
            spare[spares] = actual;
            spare[spares++].data = trt; /* anything: it is not copied */
        }
    }
    if (!rc)
        rc = cuda_tensors_bind(&trt->spare, NULL, 0, spare, spares, err);
    for (int i = 0; !rc && i < spares; i++)
        rc = shim->bind(trt->session, &trt->spare.outputs[i], false, err);
    return rc;
}

static int bind_twins(tensorrt *trt, lanert_error *err)
{
    int rc = 0;
    for (int i = 0; !rc && i < trt->twins.input_count; i++)
        rc = trt->library.shim->bind(trt->session, &trt->twins.inputs[i], true, err);
    return rc ? rc : bind_outputs(trt, err);
}

static int enqueue(tensorrt *trt, lanert_error *err)
{
    return trt->library.shim->enqueue(trt->session, cuda_stream(trt->gpu), err);
}

static int compute(tensorrt *trt, lanert_error *err)
{
    if (trt->graph)
        return cuda_replay(trt->gpu, trt->graph, err);
    int rc = cuda_enter(trt->gpu, err);
    if (!rc) {
        rc = enqueue(trt, err);
        cuda_leave(trt->gpu);
    }
    return rc;
}

static int tensorrt_run(void *self, lanert_error *err)
{
    tensorrt *trt = self;
    int rc;
    if ((rc = cuda_tensors_upload(&trt->twins, err)) || (rc = compute(trt, err)) ||
        (rc = cuda_tensors_download(&trt->twins, err))) {
        cuda_wait(trt->gpu, NULL); /* for copies that may still be under way in the caller's memory */
        return rc;
    }
    return cuda_wait(trt->gpu, err);
}

static void forget_graph(tensorrt *trt)
{
    cuda_graph_free(trt->gpu, trt->graph);
    trt->graph = NULL;
}

static void record(tensorrt *trt)
{
    if (cuda_record(trt->gpu, NULL))
        return;
    int rc = enqueue(trt, NULL);
    if (cuda_record_end(trt->gpu, &trt->graph, NULL) || rc)
        forget_graph(trt);
}

/* Runs once, which lets TensorRT prepare itself for these shapes, then records a run and replays it. */
static int warm_up(tensorrt *trt, lanert_error *err)
{
    int rc = tensorrt_run(trt, err);
    if (rc)
        return rc;
    record(trt);
    if (!trt->graph || !tensorrt_run(trt, NULL))
        return 0;
    forget_graph(trt);
    return tensorrt_run(trt, err);
}

static int tensorrt_bind(void *self, const tensor *inputs, int input_count, const tensor *outputs, int output_count,
                         lanert_error *err)
{
    tensorrt *trt = self;
    int rc;
    forget_graph(trt);
    if ((rc = cuda_tensors_bind(&trt->twins, inputs, input_count, outputs, output_count, err)) ||
        (rc = cuda_enter(trt->gpu, err)))
        return rc;
    if (!(rc = bind_twins(trt, err)))
        rc = warm_up(trt, err);
    cuda_leave(trt->gpu);
    return rc;
}

static int tensorrt_allocate(void *self, size_t bytes, void **memory, lanert_error *err)
{
    return cuda_allocate_host(((tensorrt *)self)->gpu, bytes, memory, err);
}

static void tensorrt_release(void *self, void *memory)
{
    cuda_free_host(((tensorrt *)self)->gpu, memory);
}

const engine_ops engine_tensorrt_ops = {
    .name = "tensorrt",
    .devices = ON(DEVICE_CUDA),
    .builds = true,
    .probe = tensorrt_probe,
    .open = tensorrt_open,
    .describe = tensorrt_describe,
    .bind = tensorrt_bind,
    .run = tensorrt_run,
    .close = tensorrt_close,
    .allocate = tensorrt_allocate,
    .release = tensorrt_release,
};

#include "engine/engine.h"

#include <openvino/c/openvino.h>

#include "base/memory.h"
#include "engine/engine_library.h"

/* In 2026.0 the values of ov_element_type_e changed: older libraries would take our types for others. */
#define MINIMUM_RELEASE 2026

extern const engine_ops engine_openvino_ops;

#define FUNCTIONS(X)                                                                                                   \
    X(ov_get_openvino_version)                                                                                         \
    X(ov_version_free)                                                                                                 \
    X(ov_get_last_err_msg)                                                                                             \
    X(ov_get_error_info)                                                                                               \
    X(ov_free)                                                                                                         \
    X(ov_core_create)                                                                                                  \
    X(ov_core_free)                                                                                                    \
    X(ov_core_get_property)                                                                                            \
    X(ov_core_read_model)                                                                                              \
    X(ov_core_compile_model)                                                                                           \
    X(ov_model_inputs_size)                                                                                            \
    X(ov_model_outputs_size)                                                                                           \
    X(ov_model_const_input_by_index)                                                                                   \
    X(ov_model_const_output_by_index)                                                                                  \
    X(ov_model_reshape_by_port_indexes)                                                                                \
    X(ov_model_free)                                                                                                   \
    X(ov_port_get_any_name)                                                                                            \
    X(ov_port_get_partial_shape)                                                                                       \
    X(ov_port_get_element_type)                                                                                        \
    X(ov_output_const_port_free)                                                                                       \
    X(ov_partial_shape_create_static)                                                                                  \
    X(ov_partial_shape_free)                                                                                           \
    X(ov_compiled_model_get_property)                                                                                  \
    X(ov_compiled_model_create_infer_request)                                                                          \
    X(ov_compiled_model_free)                                                                                          \
    X(ov_tensor_create_from_host_ptr)                                                                                  \
    X(ov_tensor_free)                                                                                                  \
    X(ov_infer_request_set_input_tensor_by_index)                                                                      \
    X(ov_infer_request_set_output_tensor_by_index)                                                                     \
    X(ov_infer_request_infer)                                                                                          \
    X(ov_infer_request_free)

/* The functions of the library, under their own names. */
typedef struct openvino_api {
#define DECLARE(name) __typeof__(name) *name;
    FUNCTIONS(DECLARE)
#undef DECLARE
} openvino_api;

typedef struct openvino {
    engine_library library;
    openvino_api api;
    engine_options options;
    char *path;
    ov_core_t *core;
    ov_model_t *model;             /* NULL while it is compiled: it would hold a copy of the weights */
    ov_compiled_model_t *compiled; /* for the shapes of `inputs` */
    ov_infer_request_t *request;
    tensor inputs[ENGINE_MAX_TENSORS];
} openvino;

/* Turns a status into a result, with the text of the last failure on this thread. */
static int check(const openvino_api *api, ov_status_e status, int code, const char *what, lanert_error *err)
{
    if (status == OK)
        return 0;
    const char *text = api->ov_get_last_err_msg();
    int rc = engine_library_error(err, code, what, text && *text ? text : api->ov_get_error_info(status));
    if (text)
        api->ov_free(text);
    return rc;
}

static int load_functions(const engine_library *library, openvino_api *api, lanert_error *err)
{
    int rc;
#define LOAD(name)                                                                                                     \
    if ((rc = engine_library_function(library, #name, &api->name, err)))                                               \
        return rc;
    FUNCTIONS(LOAD)
#undef LOAD
    return 0;
}

/* The library may stay open where this fails. */
static int load(engine_library *library, openvino_api *api, char version[64], lanert_error *err)
{
    ov_version_t found;
    unsigned release;
    int rc = engine_library_open("openvino", "libopenvino_c.so", "libopenvino_c.so.2641", ENGINE_LIBRARY_ADVICE,
                                 library, err);
    if (rc || (rc = load_functions(library, api, err)) ||
        (rc = check(api, api->ov_get_openvino_version(&found), LANERT_EENGINE, "asking for the version", err)))
        return rc;
    /* "2026.4.1-22982-…": the build behind the first dash says nothing to people. */
    snprintf(version, 64, "%.*s", (int)strcspn(found.buildNumber, "-"), found.buildNumber);
    api->ov_version_free(&found);
    if (sscanf(version, "%u.", &release) != 1 || release < MINIMUM_RELEASE)
        return error_set(err, LANERT_EUNSUPPORTED, "%s is release %s; %d.0 or newer is needed", library->path, version,
                         MINIMUM_RELEASE);
    return 0;
}

static void openvino_probe(lanert_engine_info *info)
{
    engine_library library = {0};
    openvino_api api;
    lanert_error why;
    info->usable = !load(&library, &api, info->version, &why);
    if (!info->usable)
        snprintf(info->note, sizeof info->note, "%.*s", (int)sizeof info->note - 1, why.text);
    memcpy(info->path, library.path, sizeof library.path);
    engine_library_close(&library);
}

/* A request cannot be told to let go of a tensor: each bind takes a new one. */
static void free_request(openvino *ov)
{
    if (ov->request)
        ov->api.ov_infer_request_free(ov->request);
    ov->request = NULL;
}

static void free_compiled(openvino *ov)
{
    free_request(ov);
    if (ov->compiled)
        ov->api.ov_compiled_model_free(ov->compiled);
    ov->compiled = NULL;
}

static void free_model(openvino *ov)
{
    if (ov->model)
        ov->api.ov_model_free(ov->model);
    ov->model = NULL;
}

static void openvino_close(void *self)
{
    openvino *ov = self;
    free_compiled(ov);
    free_model(ov);
    if (ov->core)
        ov->api.ov_core_free(ov->core);
    engine_library_close(&ov->library);
    free(ov->path);
    free(ov);
}

static int read_model(openvino *ov, lanert_error *err)
{
    if (ov->model)
        return 0;
    return check(&ov->api, ov->api.ov_core_read_model(ov->core, ov->path, NULL, &ov->model), LANERT_EFORMAT,
                 "reading the model", err);
}

static int openvino_open(const char *path, const engine_options *options, void **self, lanert_error *err)
{
    openvino *ov;
    char version[64];
    int rc;
    if ((rc = memory_new(&ov, 1, sizeof *ov, err)))
        return rc;
    ov->options = *options;
    if (!(ov->path = strdup(path)))
        rc = error_set(err, LANERT_ENOMEM, "out of memory");
    if (rc || (rc = load(&ov->library, &ov->api, version, err)) ||
        (rc = check(&ov->api, ov->api.ov_core_create(&ov->core), LANERT_EENGINE, "starting OpenVINO", err)) ||
        (rc = read_model(ov, err))) {
        openvino_close(ov);
        return rc;
    }
    *self = ov;
    return 0;
}

/* What OpenVINO also takes, but has to emulate, is not among its capabilities. */
static unsigned openvino_reduced(void *self)
{
    const openvino *ov = self;
    char *words = NULL;
    if (ov->api.ov_core_get_property(ov->core, "CPU", "OPTIMIZATION_CAPABILITIES", &words) != OK)
        return 0;
    unsigned found = (strstr(words, "BF16") ? PRECISION_BIT(LANERT_BF16) : 0) |
                     (strstr(words, "FP16") ? PRECISION_BIT(LANERT_FP16) : 0);
    ov->api.ov_free(words);
    return found;
}

/* ---- tensors --------------------------------------------------------------------------------- */

static const ov_element_type_e element_types[] = {
    [TENSOR_U8] = U8, [TENSOR_F32] = F32, [TENSOR_F16] = F16, [TENSOR_I32] = I32, [TENSOR_I64] = I64,
};

static int describe_shape(const char *name, tensor_type type, const ov_partial_shape_t *shape, tensor *t,
                          lanert_error *err)
{
    int64_t dims[TENSOR_MAX_RANK];
    if (shape->rank.min != shape->rank.max)
        return error_set(err, LANERT_EUNSUPPORTED, "tensor \"%s\" has no fixed rank; export the model with one", name);
    for (int64_t i = 0; i < shape->rank.min && i < TENSOR_MAX_RANK; i++)
        dims[i] = shape->dims[i].min == shape->dims[i].max ? shape->dims[i].min : -1;
    return tensor_describe(t, name, type, shape->rank.min, dims, err);
}

static int describe_port(const openvino_api *api, const ov_output_const_port_t *port, tensor *t, lanert_error *err)
{
    char *name = NULL;
    ov_element_type_e element;
    ov_partial_shape_t shape = {0};
    size_t i = 0;
    int rc;
    if ((rc = check(api, api->ov_port_get_any_name(port, &name), LANERT_EFORMAT, "asking for a name", err)) ||
        (rc = check(api, api->ov_port_get_element_type(port, &element), LANERT_EFORMAT, name, err)) ||
        (rc = check(api, api->ov_port_get_partial_shape(port, &shape), LANERT_EFORMAT, name, err)))
        goto out;
    while (i < ARRAY_LEN(element_types) && element_types[i] != element)
        i++;
    if (i == ARRAY_LEN(element_types))
        rc = error_set(err, LANERT_EUNSUPPORTED, "tensor \"%s\" has OpenVINO element type %d, which is not handled",
                       name, (int)element);
    else
        rc = describe_shape(name, (tensor_type)i, &shape, t, err);
out:
    api->ov_partial_shape_free(&shape);
    if (name)
        api->ov_free(name);
    return rc;
}

typedef __typeof__(ov_model_const_input_by_index) *get_port;

static int describe_one(const openvino *ov, get_port port_of, size_t i, tensor *t, lanert_error *err)
{
    ov_output_const_port_t *port;
    int rc = check(&ov->api, port_of(ov->model, i, &port), LANERT_EFORMAT, "asking for a tensor", err);
    if (rc)
        return rc;
    rc = describe_port(&ov->api, port, t, err);
    ov->api.ov_output_const_port_free(port);
    return rc;
}

static int openvino_describe(void *self, tensor *inputs, int *input_count, tensor *outputs, int *output_count,
                             lanert_error *err)
{
    const openvino *ov = self;
    const openvino_api *api = &ov->api;
    size_t in, out;
    int rc;
    if ((rc = check(api, api->ov_model_inputs_size(ov->model, &in), LANERT_EENGINE, "counting inputs", err)) ||
        (rc = check(api, api->ov_model_outputs_size(ov->model, &out), LANERT_EENGINE, "counting outputs", err)))
        return rc;
    if (in > ENGINE_MAX_TENSORS || out > ENGINE_MAX_TENSORS)
        return error_set(err, LANERT_EUNSUPPORTED, "the model has %zu inputs and %zu outputs; at most %d are handled",
                         in, out, ENGINE_MAX_TENSORS);
    for (size_t i = 0; !rc && i < in; i++)
        rc = describe_one(ov, api->ov_model_const_input_by_index, i, &inputs[i], err);
    for (size_t i = 0; !rc && i < out; i++)
        rc = describe_one(ov, api->ov_model_const_output_by_index, i, &outputs[i], err);
    *input_count = (int)in;
    *output_count = (int)out;
    return rc;
}

/* ---- compiling ------------------------------------------------------------------------------- */

/* Gives the model static shapes: dynamic ones run slower, and allocate in each run. */
static int reshape(openvino *ov, const tensor *inputs, int count, lanert_error *err)
{
    const openvino_api *api = &ov->api;
    ov_partial_shape_t shapes[ENGINE_MAX_TENSORS] = {0};
    size_t ports[ENGINE_MAX_TENSORS] = {0};
    int rc = 0;
    for (int i = 0; !rc && i < count; i++) {
        ports[i] = (size_t)i;
        rc = check(api, api->ov_partial_shape_create_static(inputs[i].rank, inputs[i].dims, &shapes[i]), LANERT_EENGINE,
                   "making a shape", err);
    }
    if (!rc)
        rc = check(api, api->ov_model_reshape_by_port_indexes(ov->model, ports, shapes, (size_t)count), LANERT_EENGINE,
                   "setting the shapes of the inputs", err);
    for (int i = 0; i < count; i++)
        api->ov_partial_shape_free(&shapes[i]);
    return rc;
}

/* The hint is no promise: a processor may lack the arithmetic. What was compiled is what counts. */
static int check_precision(const openvino *ov, const char *asked, lanert_error *err)
{
    char *got = NULL;
    int rc = check(&ov->api, ov->api.ov_compiled_model_get_property(ov->compiled, "INFERENCE_PRECISION_HINT", &got),
                   LANERT_EENGINE, "asking for the precision", err);
    if (rc)
        return rc;
    if (strcmp(got, asked))
        rc = error_set(err, LANERT_EUNSUPPORTED,
                       "on this processor OpenVINO computes in %s, not in %s as asked; ask for fp32", got, asked);
    ov->api.ov_free(got);
    return rc;
}

/* Without a hint OpenVINO computes in bf16 wherever the processor can, at a loss of accuracy nobody asked for. */
static int compile(openvino *ov, lanert_error *err)
{
    static const char *const hints[] = {
        [LANERT_PRECISION_AUTO] = "f32", [LANERT_FP32] = "f32", [LANERT_FP16] = "f16", [LANERT_BF16] = "bf16"};
    const char *hint = hints[ov->options.precision];
    const openvino_api *api = &ov->api;
    char threads[16];
    int rc;
    snprintf(threads, sizeof threads, "%d", ov->options.threads);
    /* Not pinned: two processes that pin would share the same processors, and leave others idle. */
    ov_status_e status = api->ov_core_compile_model(ov->core, ov->model, "CPU", 12, &ov->compiled,
                                                    "INFERENCE_PRECISION_HINT", hint, "PERFORMANCE_HINT", "LATENCY",
                                                    "INFERENCE_NUM_THREADS", threads, "NUM_STREAMS", "1",
                                                    "ENABLE_HYPER_THREADING", "YES", "ENABLE_CPU_PINNING", "NO");
    if ((rc = check(api, status, LANERT_EENGINE, "compiling the model", err)))
        return rc;
    return check_precision(ov, hint, err);
}

static bool same_shapes(const openvino *ov, const tensor *inputs, int count)
{
    for (int i = 0; i < count; i++)
        if (memcmp(ov->inputs[i].dims, inputs[i].dims, sizeof inputs[i].dims))
            return false;
    return true;
}

typedef __typeof__(ov_infer_request_set_input_tensor_by_index) *set_tensor;

/* The request keeps the tensor, a view of the caller's memory, alive. */
static int bind_one(const openvino *ov, set_tensor set, size_t i, const tensor *t, lanert_error *err)
{
    const openvino_api *api = &ov->api;
    int64_t dims[TENSOR_MAX_RANK];
    memcpy(dims, t->dims, sizeof dims);
    ov_shape_t shape = {.rank = t->rank, .dims = dims};
    ov_tensor_t *value = NULL;
    int rc = check(api, api->ov_tensor_create_from_host_ptr(element_types[t->type], shape, t->data, &value),
                   LANERT_EENGINE, t->name, err);
    if (rc)
        return rc;
    rc = check(api, set(ov->request, i, value), LANERT_EINVAL, t->name, err);
    api->ov_tensor_free(value);
    return rc;
}

static int openvino_bind(void *self, const tensor *inputs, int input_count, const tensor *outputs, int output_count,
                         lanert_error *err)
{
    openvino *ov = self;
    int rc;
    if (!ov->compiled || !same_shapes(ov, inputs, input_count)) {
        free_compiled(ov);
        if ((rc = read_model(ov, err)) || (rc = reshape(ov, inputs, input_count, err)) || (rc = compile(ov, err))) {
            free_compiled(ov);
            return rc;
        }
        free_model(ov);
        memcpy(ov->inputs, inputs, (size_t)input_count * sizeof *inputs);
    }
    free_request(ov);
    rc = check(&ov->api, ov->api.ov_compiled_model_create_infer_request(ov->compiled, &ov->request), LANERT_EENGINE,
               "making a request", err);
    for (int i = 0; !rc && i < input_count; i++)
        rc = bind_one(ov, ov->api.ov_infer_request_set_input_tensor_by_index, (size_t)i, &inputs[i], err);
    for (int i = 0; !rc && i < output_count; i++)
        if (outputs[i].data)
            rc = bind_one(ov, ov->api.ov_infer_request_set_output_tensor_by_index, (size_t)i, &outputs[i], err);
    return rc;
}

static int openvino_run(void *self, lanert_error *err)
{
    openvino *ov = self;
    return check(&ov->api, ov->api.ov_infer_request_infer(ov->request), LANERT_EENGINE, "running the model", err);
}

const engine_ops engine_openvino_ops = {
    .name = "openvino",
    .devices = ON(DEVICE_CPU),
    .probe = openvino_probe,
    .open = openvino_open,
    .describe = openvino_describe,
    .bind = openvino_bind,
    .run = openvino_run,
    .close = openvino_close,
    .reduced = openvino_reduced,
};

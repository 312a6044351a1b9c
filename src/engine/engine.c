#include "engine/engine.h"

#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "base/engine_file.h"
#include "base/memory.h"
#include "engine/engine_null.h"

extern const engine_ops engine_onnxruntime_ops, engine_openvino_ops, engine_tensorrt_ops;

/* OpenVINO first: a frame of CLRNet ResNet18 takes it 222 ms of one thread's time, ONNX Runtime 241 (Zen 4, fp32);
 * and the threads of the latter spin between runs, at the cost of those that read and decode. */
const engine_ops *const engine_table[] = {&engine_openvino_ops, &engine_onnxruntime_ops, &engine_tensorrt_ops, NULL};

struct engine {
    const engine_ops *ops;
    device_id device;
    void *self;
    tensor inputs[ENGINE_MAX_TENSORS], outputs[ENGINE_MAX_TENSORS]; /* as described */
    int input_count, output_count;
    tensor bound_inputs[ENGINE_MAX_TENSORS], bound_outputs[ENGINE_MAX_TENSORS];
    bool bound;
};

static void probe(const engine_ops *ops, lanert_engine_info *info)
{
    *info = (lanert_engine_info){.name = ops->name};
    device_list(ops->devices, info->devices, sizeof info->devices);
    ops->probe(info);
}

int lanert_engine_probe(int i, lanert_engine_info *info, lanert_error *err)
{
    if (i < 0 || !info)
        return error_set(err, LANERT_EINVAL,
                         "lanert_engine_probe: i is %d and info %s; 0 or more, and somewhere to "
                         "put the answer, were expected",
                         i, info ? "set" : "NULL");
    if ((size_t)i >= ARRAY_LEN(engine_table) - 1)
        return error_set(err, LANERT_END, "there are %zu engines", ARRAY_LEN(engine_table) - 1);
    probe(engine_table[i], info);
    return 0;
}

/* ---- opening --------------------------------------------------------------------------------- */

/* NULL: any. */
static int find_by_name(const char *name, const engine_ops **ops, lanert_error *err)
{
    char known[256] = "auto";
    *ops = NULL;
    if (!name || !strcmp(name, known))
        return 0;
    if (!strcmp(name, engine_null_ops.name)) {
        *ops = &engine_null_ops;
        return 0;
    }
    for (int i = 0; engine_table[i]; i++) {
        if (!strcmp(name, engine_table[i]->name)) {
            *ops = engine_table[i];
            return 0;
        }
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, ", %s", engine_table[i]->name);
    }
    return error_set(err, LANERT_EINVAL, "there is no engine \"%s\"; known are %s", name, known);
}

/* The processors that this process may run on. */
static int processor_count(void)
{
    cpu_set_t set;
    long count = sched_getaffinity(0, sizeof set, &set) ? sysconf(_SC_NPROCESSORS_ONLN) : CPU_COUNT(&set);
    return count < 1 ? 1 : count > ENGINE_MAX_THREADS ? ENGINE_MAX_THREADS : (int)count;
}

/* The SDKs' own words for a file that cannot be read are of many kinds. */
static int check_file(const char *path, lanert_error *err)
{
    file_map map;
    int rc = file_map_open(path, 0, &map, err);
    if (rc)
        return rc;
    size_t size = map.size;
    file_map_close(&map);
    return size ? 0 : error_set(err, LANERT_EFORMAT, "%s: the file is empty; an ONNX model was expected", path);
}

static int open_on(const engine_ops *ops, const char *path, const engine_options *options, engine **e,
                   lanert_error *err)
{
    engine *new = NULL;
    char name[DEVICE_NAME];
    int rc;
    if (!(ops->devices & ON(options->device.kind)))
        return error_set(err, LANERT_EUNSUPPORTED, "%s does not compute on %s", ops->name,
                         device_format(options->device, name));
    if ((rc = memory_new(&new, 1, sizeof *new, err)))
        return rc;
    new->ops = ops;
    new->device = options->device;
    if ((rc = ops->open(path, options, &new->self, err)) ||
        (rc = ops->describe(new->self, new->inputs, &new->input_count, new->outputs, &new->output_count, err))) {
        engine_close(&new);
        return error_within(err, rc, "%s: %s", ops->name, path);
    }
    *e = new;
    return 0;
}

/* A GPU runs what was built for it, and waits for no building that nobody asked for. */
static bool suits(const engine_ops *ops, const char *path, device_kind kind)
{
    return ops->devices & ON(kind) && (kind == DEVICE_CPU || ops->builds == engine_file_is_named(path));
}

/* `ops` NULL: the first usable engine that computes on the device. */
static int open_chosen(const engine_ops *ops, const char *path, const engine_options *options, engine **e,
                       lanert_error *err)
{
    if (ops)
        return open_on(ops, path, options, e, err);
    char notes[800] = "", name[DEVICE_NAME];
    for (int i = 0; engine_table[i]; i++) {
        lanert_engine_info info;
        probe(engine_table[i], &info);
        bool fits = suits(engine_table[i], path, options->device.kind);
        if (info.usable && fits)
            return open_on(engine_table[i], path, options, e, err);
        size_t used = strlen(notes);
        snprintf(notes + used, sizeof notes - used, "%s%s: %s", used ? "; " : "", info.name,
                 fits ? info.note : "not for this device, or this file");
    }
    return error_set(err, LANERT_ENOTFOUND, "no inference engine is usable on %s: %s",
                     device_format(options->device, name), notes);
}

/* AUTO, of an engine file too that no device is named for. */
static device_kind asked_device(const engine_ops *ops, const char *path, const engine_options *options)
{
    bool open = !ops && options->device.kind == DEVICE_DEFAULT && engine_file_is_named(path);
    return open ? DEVICE_AUTO : options->device.kind;
}

/* What DEFAULT is, and what is first tried for AUTO, of an engine; NULL: of any. */
static device_kind first_device(const engine_ops *ops, device_kind asked)
{
    unsigned devices = ops ? ops->devices : ON(DEVICE_CPU) | ON(DEVICE_CUDA);
    if (asked == DEVICE_AUTO)
        return devices & ON(DEVICE_CUDA) ? DEVICE_CUDA : DEVICE_CPU;
    if (asked == DEVICE_DEFAULT)
        return devices & ON(DEVICE_CPU) ? DEVICE_CPU : DEVICE_CUDA;
    return asked;
}

int engine_open(const char *name, const char *path, const engine_options *options, engine **e, lanert_error *err)
{
    engine_options chosen = options ? *options : (engine_options){0};
    const engine_ops *ops;
    int rc;
    *e = NULL;
    if (!path || chosen.threads < 0 || chosen.threads > ENGINE_MAX_THREADS || (unsigned)chosen.precision > LANERT_BF16)
        return error_set(err, LANERT_EINVAL,
                         "an engine takes the path of a model, 0 to %d threads and a lanert_precision; got \"%s\", %d "
                         "and %d",
                         ENGINE_MAX_THREADS, path ? path : "(no path)", chosen.threads, (int)chosen.precision);
    if (!chosen.threads)
        chosen.threads = processor_count();
    if ((rc = find_by_name(name, &ops, err)) || (ops != &engine_null_ops && (rc = check_file(path, err))))
        return rc;
    chosen.device.kind = first_device(ops, asked_device(ops, path, &chosen));
    return open_chosen(ops, path, &chosen, e, err);
}

bool engine_falls_back(const char *name, const char *path, engine_options *options)
{
    const engine_ops *ops;
    if (find_by_name(name, &ops, NULL) || asked_device(ops, path, options) != DEVICE_AUTO ||
        first_device(ops, DEVICE_AUTO) == DEVICE_CPU || (ops && !(ops->devices & ON(DEVICE_CPU))))
        return false;
    options->device = (device_id){DEVICE_CPU, 0};
    return true;
}

void engine_close(engine **e)
{
    if (*e && (*e)->self)
        (*e)->ops->close((*e)->self);
    FREE(*e);
}

const char *engine_name(const engine *e)
{
    return e->ops->name;
}

device_id engine_device(const engine *e)
{
    return e->device;
}

unsigned engine_reduced(const engine *e)
{
    return e->ops->reduced && e->device.kind == DEVICE_CPU ? e->ops->reduced(e->self) : 0;
}

int engine_allocate(engine *e, size_t bytes, void *memory, lanert_error *err)
{
    void *new = NULL;
    int rc = e->ops->allocate ? e->ops->allocate(e->self, bytes, &new, err) : memory_aligned(&new, bytes, err);
    if (!rc && e->ops->allocate)
        memset(new, 0, bytes);
    memcpy(memory, &new, sizeof new);
    return rc;
}

void engine_release(engine *e, void *memory)
{
    if (memory && e->ops->release)
        e->ops->release(e->self, memory);
    else
        free(memory);
}

const tensor *engine_inputs(const engine *e, int *count)
{
    *count = e->input_count;
    return e->inputs;
}

const tensor *engine_outputs(const engine *e, int *count)
{
    *count = e->output_count;
    return e->outputs;
}

/* ---- binding and running --------------------------------------------------------------------- */

/* "[N,320,800,3]"-like text of a tensor's dims, "?" where dynamic. */
static const char *shape_text(const tensor *t, char text[128])
{
    size_t used = (size_t)snprintf(text, 128, "%s[", tensor_type_name(t->type));
    for (int i = 0; i < t->rank && i < TENSOR_MAX_RANK && used < 128; i++)
        used += (size_t)(t->dims[i] < 0
                             ? snprintf(text + used, 128 - used, "%s?", i ? "," : "")
                             : snprintf(text + used, 128 - used, "%s%lld", i ? "," : "", (long long)t->dims[i]));
    if (used < 127)
        strcpy(text + used, "]");
    return text;
}

static bool fits(const tensor *given, const tensor *described)
{
    if (given->type != described->type || given->rank != described->rank)
        return false;
    for (int i = 0; i < described->rank; i++)
        if (given->dims[i] < 1 || (described->dims[i] >= 0 && given->dims[i] != described->dims[i]))
            return false;
    return tensor_elements(given) > 0;
}

/* Fills `bound` in: the description, with dims and data of the tensor of that name that is given. */
static int match(const char *kind, const tensor *described, int described_count, const tensor *given, int given_count,
                 tensor *bound, lanert_error *err)
{
    memcpy(bound, described, (size_t)described_count * sizeof *bound);
    for (int g = 0; g < given_count; g++) {
        const tensor *t = &given[g];
        char got[128], expected[128];
        int i = 0;
        while (i < described_count && strncmp(described[i].name, t->name, sizeof t->name))
            i++;
        if (i == described_count)
            return error_set(err, LANERT_EINVAL, "the model has no %s \"%.63s\"; its first is \"%s\"", kind, t->name,
                             described_count ? described[0].name : "(none)");
        if (bound[i].data)
            return error_set(err, LANERT_EINVAL, "%s \"%s\" is bound twice", kind, described[i].name);
        if (!fits(t, &described[i]))
            return error_set(err, LANERT_EINVAL, "%s \"%s\" is bound as %s; the model has %s", kind, described[i].name,
                             shape_text(t, got), shape_text(&described[i], expected));
        if (!t->data || (uintptr_t)t->data % tensor_type_size(t->type))
            return error_set(err, LANERT_EINVAL,
                             "%s \"%s\" is bound to memory at %p; memory aligned to %zu bytes was "
                             "expected",
                             kind, described[i].name, t->data, tensor_type_size(t->type));
        bound[i] = *t;
    }
    return 0;
}

int engine_bind(engine *e, const tensor *inputs, int input_count, const tensor *outputs, int output_count,
                lanert_error *err)
{
    int rc;
    e->bound = false;
    if ((rc = match("input", e->inputs, e->input_count, inputs, input_count, e->bound_inputs, err)) ||
        (rc = match("output", e->outputs, e->output_count, outputs, output_count, e->bound_outputs, err)))
        return rc;
    for (int i = 0; i < e->input_count; i++)
        if (!e->bound_inputs[i].data)
            return error_set(err, LANERT_EINVAL, "input \"%s\" is not bound", e->inputs[i].name);
    if (output_count < 1)
        return error_set(err, LANERT_EINVAL, "no output is bound; at least one was expected");
    if ((rc = e->ops->bind(e->self, e->bound_inputs, e->input_count, e->bound_outputs, e->output_count, err)))
        return error_within(err, rc, "%s", e->ops->name);
    e->bound = true;
    return 0;
}

int engine_run(engine *e, lanert_error *err)
{
    if (!e->bound)
        return error_set(err, LANERT_EINVAL, "%s: nothing is bound; engine_bind comes before engine_run", e->ops->name);
    int rc = e->ops->run(e->self, err);
    return rc ? error_within(err, rc, "%s", e->ops->name) : 0;
}

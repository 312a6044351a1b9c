#include "engine/tensorrt_build.h"

#include "engine/engine.h"

int tensorrt_stamp_here(const tensorrt_library *lib, int gpu, engine_stamp *stamp, lanert_error *err)
{
    lanert_device_info info;
    int rc = lanert_device_probe(gpu, &info, err);
    if (rc)
        return rc;
    if (!info.usable)
        return error_set(err, LANERT_ENOTFOUND, "%s", info.note);
    snprintf(stamp->tensorrt, sizeof stamp->tensorrt, "%.15s", lib->version);
    memcpy(stamp->gpu, info.model, sizeof info.model);
    memcpy(stamp->capability, info.capability, sizeof info.capability);
    memcpy(stamp->driver, info.driver, sizeof info.driver);
    return 0;
}

/* None, where the file is not there. */
static int read_timing(const char *path, file_map *map, lanert_error *err)
{
    *map = (file_map){0};
    return path && file_exists(path) ? file_map_open(path, 0, map, err) : 0;
}

static int call_builder(tensorrt_order *o, tensorrt_library *lib, cuda *gpu, const file_map *timing,
                        tensorrt_built *built, lanert_error *err)
{
    const engine_stamp *s = &o->file.stamp;
    tensorrt_build build = {
        .onnx = o->file.model,
        .onnx_size = o->file.model_size,
        .path = o->path,
        .precision = o->precision,
        .outputs = o->outputs,
        .workspace = (size_t)s->workspace_mb << 20,
        .min_batch = s->min_batch,
        .opt_batch = s->opt_batch,
        .max_batch = s->max_batch,
        .version_compatible = s->version_compatible,
        .timed = o->timing_path,
        .timing = timing->data,
        .timing_size = timing->size,
    };
    int rc = cuda_enter(gpu, err);
    if (rc)
        return rc;
    rc = lib->shim->build(&lib->functions, &build, built, err);
    cuda_leave(gpu);
    return rc;
}

static int keep(tensorrt_order *o, const tensorrt_built *built, file_writer *w, lanert_error *err)
{
    o->file.plan = built->plan.data;
    o->file.plan_size = built->plan.size;
    snprintf(o->file.stamp.precision, sizeof o->file.stamp.precision, "%s", built->precision);
    int rc = engine_file_write(&o->file, w, err);
    if (!rc && o->timing_path)
        rc = file_write(o->timing_path, built->timing.data, built->timing.size, true, err);
    return rc;
}

int tensorrt_build_file(tensorrt_order *o, tensorrt_library *lib, cuda *gpu, file_writer *w, lanert_error *err)
{
    tensorrt_built built = {0};
    file_map timing;
    int rc = read_timing(o->timing_path, &timing, err);
    if (!rc && !(rc = call_builder(o, lib, gpu, &timing, &built, err)))
        rc = keep(o, &built, w, err);
    file_map_close(&timing);
    if (built.plan.owner)
        lib->shim->release(&built.plan);
    if (built.timing.owner)
        lib->shim->release(&built.timing);
    return rc;
}

/* ---- engines by order ------------------------------------------------------------------------ */

void lanert_build_defaults(lanert_build_options *options)
{
    *options = (lanert_build_options){.min_batch = 1, .opt_batch = 1, .max_batch = 1};
}

static int check_options(const lanert_build_options *o, lanert_error *err)
{
    static const char *const known[] = {"fp32", "fp16", "int8"};
    bool found = !o->precision;
    for (size_t i = 0; !found && i < ARRAY_LEN(known); i++)
        found = !strcmp(o->precision, known[i]);
    if (!found)
        return error_set(err, LANERT_EINVAL, "precision is \"%s\"; expected fp32, fp16 or int8", o->precision);
    if (o->min_batch < 1 || o->min_batch > o->opt_batch || o->opt_batch > o->max_batch ||
        o->max_batch > ENGINE_MAX_BATCH)
        return error_set(err, LANERT_EINVAL,
                         "batches are %d, %d and %d; expected 1 to %d, none smaller than the one before", o->min_batch,
                         o->opt_batch, o->max_batch, ENGINE_MAX_BATCH);
    if (o->workspace_mb < 0 || o->workspace_mb > ENGINE_MAX_WORKSPACE_MB)
        return error_set(err, LANERT_EINVAL, "workspace_mb is %d; expected 1 to %d, or 0 for all memory",
                         o->workspace_mb, ENGINE_MAX_WORKSPACE_MB);
    return 0;
}

static int build_for(device_id device, tensorrt_order *order, file_writer *w, lanert_error *err)
{
    tensorrt_library lib;
    cuda *gpu = NULL;
    int rc;
    if ((rc = tensorrt_library_open(&lib, err)) || (rc = tensorrt_library_open_builder(&lib, err)) ||
        (rc = cuda_open(device.index, &gpu, err)) ||
        (rc = tensorrt_stamp_here(&lib, device.index, &order->file.stamp, err)))
        goto out;
    rc = tensorrt_build_file(order, &lib, gpu, w, err);
out:
    cuda_close(&gpu);
    tensorrt_library_close(&lib);
    return rc ? error_within(err, rc, "tensorrt") : 0;
}

int tensorrt_build_model(const char *model, const char *output, const lanert_build_options *options,
                         const char *const *outputs, lanert_error *err)
{
    lanert_build_options o;
    tensorrt_order order = {.path = model, .outputs = outputs};
    device_id device;
    file_writer w = {0};
    file_map map = {0};
    int rc;
    lanert_build_defaults(&o);
    if (options)
        o = *options;
    if (!model || !output || !engine_file_is_named(output))
        return error_set(err, LANERT_EINVAL,
                         "lanert_build: a model, and a name for the engine that ends in %s, were "
                         "expected; got \"%s\" and \"%s\"",
                         ENGINE_FILE_EXTENSION, model ? model : "(none)", output ? output : "(none)");
    if ((rc = check_options(&o, err)) || (rc = device_parse(o.device ? o.device : "cuda", &device, err)))
        return rc;
    if (device.kind != DEVICE_CUDA)
        return error_set(err, LANERT_EUNSUPPORTED, "TensorRT does not compute on %s; expected cuda, or cuda:1 …",
                         o.device);
    if ((rc = file_map_open(model, 0, &map, err)) || (rc = file_writer_open(output, o.force, &w, err)))
        goto out;
    if ((rc = engine_file_read(map.data, map.size, &order.file, err))) {
        rc = error_within(err, rc, "%s: no whole ONNX model", model);
        goto out;
    }
    order.precision = o.precision;
    order.timing_path = o.timing_cache;
    order.file.stamp = (engine_stamp){.workspace_mb = o.workspace_mb,
                                      .min_batch = o.min_batch,
                                      .opt_batch = o.opt_batch,
                                      .max_batch = o.max_batch,
                                      .version_compatible = o.version_compatible};
    rc = build_for(device, &order, &w, err);
out:
    file_writer_close(&w);
    file_map_close(&map);
    return rc;
}

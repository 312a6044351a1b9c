#include "engine/tensorrt_plan.h"

#include "base/cache.h"
#include "base/sha256.h"
#include "engine/tensorrt_build.h"

#define MAX_PATH (CACHE_PATH + 80)

/* Below 0, 0 or above it: "10.3.0" is older than "10.16.1". */
static int compare_versions(const char *a, const char *b)
{
    int left[3] = {0}, right[3] = {0};
    sscanf(a, "%d.%d.%d", &left[0], &left[1], &left[2]);
    sscanf(b, "%d.%d.%d", &right[0], &right[1], &right[2]);
    for (int i = 0; i < 3; i++)
        if (left[i] != right[i])
            return left[i] < right[i] ? -1 : 1;
    return 0;
}

/* Whether a plan does not fit this machine, or what is asked of it, and why. Drivers run what was built under older
 * ones. */
static bool misfits(const engine_stamp *built, const engine_stamp *wanted, char why[512])
{
    int version = compare_versions(built->tensorrt, wanted->tensorrt);
    *why = '\0';
    if (built->version_compatible ? version > 0 : version != 0)
        snprintf(why, 512, "it was built by TensorRT %s, here is %s", built->tensorrt, wanted->tensorrt);
    else if (strcmp(built->gpu, wanted->gpu) || strcmp(built->capability, wanted->capability))
        snprintf(why, 512, "it was built for %s (compute capability %s), here is %s (%s)", built->gpu,
                 built->capability, wanted->gpu, wanted->capability);
    else if (compare_versions(built->driver, wanted->driver) > 0)
        snprintf(why, 512, "it was built under a driver for CUDA %s, here is one for %s", built->driver,
                 wanted->driver);
    else if (built->max_batch < wanted->max_batch || built->min_batch > wanted->min_batch)
        snprintf(why, 512, "it was built for %d to %d frames, asked for are %d", built->min_batch, built->max_batch,
                 built->max_batch < wanted->max_batch ? wanted->max_batch : wanted->min_batch);
    return *why;
}

/* ---- the cache ------------------------------------------------------------------------------- */

/* The precision follows from the model, and is known when the plan is built. */
static void make_key(const engine_stamp *stamp, char text[ENGINE_STAMP_TEXT])
{
    engine_stamp key = *stamp;
    *key.precision = '\0';
    engine_stamp_format(&key, text);
}

/* Plans of other outputs have another place. */
static int find_place(const engine_stamp *wanted, const char *const *outputs, char path[MAX_PATH], lanert_error *err)
{
    char folder[CACHE_PATH], key[2 * ENGINE_STAMP_TEXT], name[65];
    int rc;
    make_key(wanted, key);
    for (; outputs && *outputs; outputs++) {
        size_t used = strlen(key);
        snprintf(key + used, sizeof key - used, "output=%.63s\n", *outputs);
    }
    if ((rc = cache_folder("tensorrt", folder, err)) || (rc = sha256_hex(key, strlen(key), name, err)))
        return rc;
    snprintf(path, MAX_PATH, "%s/%s%s", folder, name, ENGINE_FILE_EXTENSION);
    return 0;
}

/* Of the file that was mapped. Leaves the plan closed where it fails. */
static int read_file(const char *path, tensorrt_plan *plan, lanert_error *err)
{
    int rc;
    if ((rc = engine_file_read(plan->map.data, plan->map.size, &plan->file, err)) ||
        (plan->file.plan && (rc = engine_file_check(&plan->file, err)))) {
        tensorrt_plan_close(plan);
        return error_within(err, rc, "%s", path);
    }
    return 0;
}

/* A file that we named: who owns the folder is looked at by cache_folder, and that it is still the same one here. */
static int open_own(const char *path, tensorrt_plan *plan, lanert_error *err)
{
    int rc = file_map_open_own(path, &plan->map, err);
    return rc ? rc : read_file(path, plan, err);
}

static bool open_cached(const char *path, const engine_stamp *wanted, tensorrt_plan *plan)
{
    char asked[ENGINE_STAMP_TEXT], found[ENGINE_STAMP_TEXT];
    if (open_own(path, plan, NULL))
        return false;
    make_key(wanted, asked);
    make_key(&plan->file.stamp, found);
    if (plan->file.plan && !strcmp(asked, found))
        return true;
    tensorrt_plan_close(plan);
    return false;
}

static int build_into(const char *place, tensorrt_order *order, tensorrt_library *lib, cuda *gpu, lanert_error *err)
{
    file_writer w = {0};
    int rc = file_writer_open(place, true, &w, err);
    if (!rc)
        rc = tensorrt_build_file(order, lib, gpu, &w, err);
    file_writer_close(&w);
    return rc;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void tell(const engine_options *options, const char *path, const char *why, const engine_stamp *wanted,
                 const char *place)
{
    char text[2 * MAX_PATH];
    snprintf(text, sizeof text, "%s: %s; building for %s, which takes minutes; it is kept in %s", path, why,
             wanted->gpu, place);
    if (options->on_note)
        options->on_note(options->context, text);
}

/* Another plan than the one that the file has, if it has one. */
static int replace(const char *path, const char *why, const engine_stamp *wanted, const engine_options *options,
                   tensorrt_library *lib, cuda *gpu, tensorrt_plan *plan, lanert_error *err)
{
    tensorrt_order order = {.path = path, .file = plan->file, .outputs = options->outputs};
    tensorrt_plan other = {0};
    char place[MAX_PATH];
    lanert_error inner;
    int rc = find_place(wanted, options->outputs, place, err);
    if (rc)
        return rc;
    order.file.stamp = *wanted;
    if (!open_cached(place, wanted, &other)) {
        if (!(rc = tensorrt_library_open_builder(lib, &inner))) {
            tell(options, path, why, wanted, place);
            rc = build_into(place, &order, lib, gpu, &inner);
        }
        if (rc)
            return error_set(err, rc, "%s, and it cannot be built anew: %s", why, inner.text);
        if ((rc = open_own(place, &other, err)))
            return rc;
    }
    tensorrt_plan_close(plan);
    *plan = other;
    return 0;
}

int tensorrt_plan_open(const char *path, const engine_options *options, tensorrt_library *lib, cuda *gpu,
                       tensorrt_plan *plan, lanert_error *err)
{
    engine_stamp wanted = {.min_batch = 1, .opt_batch = 1, .max_batch = 1};
    int rc, batch = options->batch ? options->batch : 1;
    char why[512] = "TensorRT runs what it built for one GPU";
    *plan = (tensorrt_plan){0};
    if ((rc = file_map_open(path, 0, &plan->map, err)) || (rc = read_file(path, plan, err)))
        return rc;
    /* A plan is code: only in a file that is named so is it run. */
    bool built = plan->file.plan && engine_file_is_named(path);
    if (built)
        wanted = plan->file.stamp;
    if (wanted.max_batch < batch)
        wanted.opt_batch = wanted.max_batch = batch;
    if ((rc = tensorrt_stamp_here(lib, options->device.index, &wanted, err)) ||
        (rc = sha256_hex(plan->file.model, plan->file.model_size, wanted.model, err)) ||
        ((!built || misfits(&plan->file.stamp, &wanted, why)) &&
         (rc = replace(path, why, &wanted, options, lib, gpu, plan, err))))
        goto out;
    if (options->precision == LANERT_FP16 && strcmp(plan->file.stamp.precision, "fp16"))
        rc = error_set(err, LANERT_EUNSUPPORTED,
                       "the model is %s: TensorRT computes in the model's own types; convert the checkpoint with "
                       "--precision fp16",
                       plan->file.stamp.precision);
out:
    if (rc)
        tensorrt_plan_close(plan);
    return rc;
}

void tensorrt_plan_close(tensorrt_plan *plan)
{
    file_map_close(&plan->map);
    *plan = (tensorrt_plan){0};
}

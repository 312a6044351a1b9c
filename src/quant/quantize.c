/* lanert_quantize: the steps from a float32 model to one in eight bits. */
#include "quant/quantize.h"

#include <errno.h>
#include <fnmatch.h>

#include "base/file.h"
#include "base/sha256.h"
#include "model/metadata.h"
#include "quant/sensitivity.h"

#define DEFAULT_SAMPLES 64
#define DEFAULT_SENSITIVITY 2
/* Layers with less than this share of all multiplications stay in float32: together they are some per cent of the time.
 */
#define SMALL_SHARE 1e-3

static const char *const calibrations[] = {
    [LANERT_MINMAX] = "minmax", [LANERT_PERCENTILE] = "percentile", [LANERT_ENTROPY] = "entropy", [LANERT_MSE] = "mse"};

const char *lanert_calibration_name(int i)
{
    return i >= 0 && i < (int)ARRAY_LEN(calibrations) ? calibrations[i] : NULL;
}

void lanert_quantize_defaults(lanert_quantize_options *options)
{
    *options = (lanert_quantize_options){
        .samples = DEFAULT_SAMPLES, .sensitivity = DEFAULT_SENSITIVITY, .per_channel = true, .unsigned_values = true};
}

static int check_options(const lanert_quantize_options *o, lanert_error *err)
{
    if (!o->sources || o->source_count < 1)
        return error_set(err, LANERT_EINVAL,
                         "no sources of frames to calibrate with; expected pictures or videos like those that the "
                         "model will be used on");
    if (o->samples < 1 || o->samples > SAMPLES_MAX)
        return error_set(err, LANERT_EINVAL, "samples is %d; expected 1 to %d", o->samples, SAMPLES_MAX);
    if (o->sensitivity < 0 || o->sensitivity > SAMPLES_MAX)
        return error_set(err, LANERT_EINVAL, "sensitivity is %d; expected 1 to %d frames, or 0 for none",
                         o->sensitivity, SAMPLES_MAX);
    if (o->judge && !o->sensitivity)
        return error_set(err, LANERT_EINVAL,
                         "sensitivity is 0, and a judge set; expected 1 or more frames on which each layer is measured "
                         "alone, by which those are found that go back to float32");
    if (!lanert_calibration_name((int)o->calibration))
        return error_set(err, LANERT_EINVAL, "calibration is %d; expected LANERT_MINMAX, _PERCENTILE, _ENTROPY or _MSE",
                         (int)o->calibration);
    if (o->threads < 0 || o->threads > ENGINE_MAX_THREADS)
        return error_set(err, LANERT_EINVAL, "threads is %d; expected 1 to %d, or 0 for all", o->threads,
                         ENGINE_MAX_THREADS);
    if (o->keep_float_count < 0 || (o->keep_float_count && !o->keep_float))
        return error_set(err, LANERT_EINVAL, "keep_float_count is %d, and keep_float %s", o->keep_float_count,
                         o->keep_float ? "set" : "NULL");
    return 0;
}

/* Even with force, the float32 model is not written over. */
static int check_paths(const char *model, const char *onnx, lanert_error *err)
{
    if (file_is_same(model, onnx))
        return error_set(err, LANERT_EINVAL, "%s: is the model itself; give the one in eight bits another name", onnx);
    return 0;
}

int quantizer_tell(const quantizer *z, int64_t done, int64_t total, lanert_error *err)
{
    const lanert_quantize_options *o = z->options;
    if (o->on_progress && o->on_progress(o->context, z->step, done, total))
        return error_set(err, LANERT_END, "ended before the model was written");
    return 0;
}

int quantizer_begin(quantizer *z, lanert_quantize_step step, int64_t total, lanert_error *err)
{
    z->step = step;
    return quantizer_tell(z, 0, total, err);
}

static int tell(void *context, int64_t done, int64_t total)
{
    return quantizer_tell(context, done, total, NULL);
}

/* ---- running ------------------------------------------------------------------------------------- */

typedef struct planned {
    const qdq *q;
    const qdq_plan *plan;
} planned;

static int write_planned(const void *context, FILE *stream, const char *name, lanert_error *err)
{
    const planned *p = context;
    return qdq_write(p->q, p->plan, stream, name, err);
}

static int open_planned(quantizer *z, const qdq_plan *plan, trial **t, lanert_error *err)
{
    const planned context = {z->q, plan};
    return trial_open(&z->setup, write_planned, &context, z->model.raw_name, t, err);
}

qdq_plan quantizer_plan(const quantizer *z, const bool *layers)
{
    return (qdq_plan){.layers = layers,
                      .ranges = z->calibration.ranges,
                      .shift = (const float *const *)z->shifts,
                      .per_channel = z->options->per_channel,
                      .unsigned_values = z->options->unsigned_values};
}

int quantizer_measure(quantizer *z, const qdq_plan *plan, int frames, lanert_deviation *deviation, lanert_error *err)
{
    deviation_sum *sum = NULL;
    trial *t = NULL;
    int count, rc;
    if ((rc = memory_new(&sum, 1, sizeof *sum, err)) || (rc = open_planned(z, plan, &t, err)))
        goto out;
    deviation_start(&z->model, sum);
    for (int i = 0; !rc && i < frames; i++)
        if (!(rc = trial_run(t, samples_at(&z->frames, i), err)))
            deviation_add(sum, z->was[i], trial_outputs(t, &count)[0].data);
    *deviation = deviation_result(sum);
out:
    trial_close(&t);
    free(sum);
    return rc;
}

/* The float32 model's predictions. */
static int keep_predictions(quantizer *z, lanert_error *err)
{
    const size_t bytes = (size_t)z->model.priors * NET_COLUMNS * sizeof(float);
    bool *none = NULL;
    trial *t = NULL;
    int count, rc;
    if ((rc = quantizer_begin(z, LANERT_STEP_RUN, z->frames.count, err)) ||
        (rc = memory_new(&z->was, (size_t)z->frames.count, sizeof *z->was, err)) ||
        (rc = memory_new(&none, (size_t)z->layer_count, 1, err)))
        goto out;
    const qdq_plan plan = quantizer_plan(z, none);
    rc = open_planned(z, &plan, &t, err);
    for (int i = 0; !rc && i < z->frames.count; i++) {
        if ((rc = trial_run(t, samples_at(&z->frames, i), err)) || (rc = memory_new(&z->was[i], 1, bytes, err)))
            break;
        memcpy(z->was[i], trial_outputs(t, &count)[0].data, bytes);
        rc = quantizer_tell(z, i + 1, z->frames.count, err);
    }
out:
    trial_close(&t);
    free(none);
    return rc;
}

/* ---- which layers -------------------------------------------------------------------------------- */

static bool is_asked(const lanert_quantize_options *o, const char *name)
{
    for (int i = 0; i < o->keep_float_count; i++)
        if (fnmatch(o->keep_float[i], name, 0) == 0)
            return true;
    return false;
}

/* A pattern that no layer has is a slip of the pen. */
static int check_patterns(const quantizer *z, lanert_error *err)
{
    const lanert_quantize_options *o = z->options;
    for (int i = 0; i < o->keep_float_count; i++) {
        int k = 0;
        while (k < z->layer_count && fnmatch(o->keep_float[i], z->layers[k].name, 0))
            k++;
        if (k == z->layer_count)
            return error_set(err, LANERT_EINVAL, "no layer has a name like '%s'; the first is %s", o->keep_float[i],
                             z->layers[0].name);
    }
    return 0;
}

static int make_table(quantizer *z, lanert_error *err)
{
    double total = 0;
    int rc = memory_new(&z->table, (size_t)z->layer_count, sizeof *z->table, err);
    if (rc)
        return rc;
    for (int i = 0; i < z->layer_count; i++)
        total += z->layers[i].work * z->calibration.elements[z->layers[i].output];
    for (int i = 0; i < z->layer_count; i++) {
        const qdq_layer *l = &z->layers[i];
        double share = l->work * z->calibration.elements[l->output] / total;
        z->table[i] = (lanert_quantize_layer){.name = l->name,
                                              .op = l->op,
                                              .share = share,
                                              .state = is_asked(z->options, l->name) ? LANERT_LAYER_ASKED
                                                       : share < SMALL_SHARE         ? LANERT_LAYER_SMALL
                                                                                     : LANERT_LAYER_INT8};
    }
    return 0;
}

/* ---- the model ----------------------------------------------------------------------------------- */

/* What the model says of itself. */
static int describe(const quantizer *z, const lanert_quantize_report *report, qdq_entry entries[8], lanert_error *err)
{
    const lanert_quantize_options *o = z->options;
    char sha256[65];
    int rc = sha256_file(z->model.path, sha256, err), count = 0;
    if (rc)
        return rc;
#define ENTRY(key_, ...) entries[count].key = (key_), snprintf(entries[count++].text, sizeof entries->text, __VA_ARGS__)
    ENTRY(METADATA_PRECISION, "int8");
    ENTRY(METADATA_INT8_MODEL, "%s", sha256);
    ENTRY(METADATA_INT8_METHOD, "%s", calibrations[o->calibration]);
    ENTRY(METADATA_INT8_SAMPLES, "%d", z->frames.count);
    ENTRY(METADATA_INT8_SOURCES, "%d", o->source_count);
    ENTRY(METADATA_INT8_LAYERS, "%d of %d", report->int8_layers, report->layers);
    ENTRY(METADATA_INT8_VALUES, "%s", o->unsigned_values ? "uint8" : "int8");
    ENTRY(METADATA_INT8_WEIGHTS, "%s", o->per_channel ? "per-channel" : "per-tensor");
#undef ENTRY
    return 0;
}

static int write_model(quantizer *z, qdq_plan *plan, lanert_quantize_report *report, file_writer *w, lanert_error *err)
{
    qdq_entry entries[8];
    int rc = describe(z, report, entries, err);
    plan->entries = entries;
    plan->entry_count = ARRAY_LEN(entries);
    if (!rc)
        rc = qdq_write(z->q, plan, w->stream, z->output, err);
    if (!rc && (fflush(w->stream) || ferror(w->stream)))
        rc = error_errno(err, LANERT_EIO, errno, "%s: cannot be written", z->output);
    return rc;
}

static void sum_up(const quantizer *z, lanert_quantize_report *report, bool *layers)
{
    *report = (lanert_quantize_report){.samples = z->frames.count, .layers = z->layer_count};
    for (int i = 0; i < z->layer_count; i++) {
        layers[i] = z->table[i].state == LANERT_LAYER_INT8;
        report->int8_layers += layers[i];
        report->share += layers[i] ? z->table[i].share : 0;
    }
}

/* Biases, then what all of it does. */
static int correct_and_check(quantizer *z, const bool *layers, lanert_quantize_report *report, lanert_error *err)
{
    correct_free(z->q, &z->shifts);
    qdq_plan plan = quantizer_plan(z, layers);
    int rc;
    if ((rc = quantizer_begin(z, LANERT_STEP_CORRECT, z->frames.count, err)) ||
        (rc = correct(z->q, &plan, &z->frames, &z->setup, tell, z, &z->shifts, err)) ||
        (rc = quantizer_begin(z, LANERT_STEP_CHECK, z->frames.count, err)))
        return rc;
    plan = quantizer_plan(z, layers);
    return quantizer_measure(z, &plan, z->frames.count, &report->whole, err);
}

/* Writes the model that the table says, but for its name, and has it judged. */
static int try_model(quantizer *z, bool *layers, lanert_quantize_report *report, file_writer *w, lanert_error *err)
{
    const lanert_quantize_options *o = z->options;
    sum_up(z, report, layers);
    if (!report->int8_layers)
        return error_set(err, LANERT_EINVAL, "no layer is left for eight bits");
    int rc = correct_and_check(z, layers, report, err);
    qdq_plan plan = quantizer_plan(z, layers);
    if (rc || (rc = write_model(z, &plan, report, w, err)) || !o->judge)
        return rc;
    return o->judge(o->context, w->temp_path, report, err);
}

static int finish(quantizer *z, lanert_quantize_report *report, file_writer *w, lanert_error *err)
{
    bool *layers;
    int rc = memory_new(&layers, (size_t)z->layer_count, 1, err);
    if (rc)
        return rc;
    while ((rc = try_model(z, layers, report, w, err)) > 0) {
        file_writer_close(w);
        if ((rc = sensitivity_give_back(z, err)) || (rc = file_writer_open(z->output, z->options->force, w, err)))
            break;
    }
    free(layers);
    return rc ? rc : file_writer_commit(w, err);
}

/* What the others are compared with. */
static int judge_float(const quantizer *z, lanert_error *err)
{
    const lanert_quantize_options *o = z->options;
    const lanert_quantize_report report = {.layers = z->layer_count};
    int rc = o->judge ? o->judge(o->context, z->model.path, &report, err) : 0;
    return rc > 0 ? error_set(err, LANERT_EINVAL, "%s: the judge refuses the float32 model itself", z->model.path) : rc;
}

/* ---- the whole ----------------------------------------------------------------------------------- */

static int open_model(quantizer *z, const char *path, lanert_error *err)
{
    lanert_model *model;
    int rc = qdq_open(path, &z->q, err);
    if (rc || (rc = lanert_model_open(path, NULL, &model, err)))
        return rc;
    z->model = *model_describe(model);
    lanert_model_close(&model);
    z->layers = qdq_layers(z->q, &z->layer_count);
    if (!*z->model.raw_name)
        return error_set(err, LANERT_EUNSUPPORTED,
                         "%s: has no raw output, by which the loss is measured; convert the checkpoint again with "
                         "--outputs raw",
                         path);
    return check_patterns(z, err);
}

static int run(quantizer *z, const char *model, lanert_quantize_report *report, file_writer *w, lanert_error *err)
{
    const lanert_quantize_options *o = z->options;
    int rc;
    if ((rc = open_model(z, model, err)) || (rc = judge_float(z, err)) ||
        (rc = quantizer_begin(z, LANERT_STEP_READ, o->samples, err)) ||
        (rc = samples_read(o->sources, o->source_count, o->samples, &z->model.preset, tell, z, &z->frames, err)) ||
        (rc = quantizer_begin(z, LANERT_STEP_CALIBRATE, z->frames.count, err)) ||
        (rc = calibrate(z->q, &z->frames, &z->setup, o->calibration, o->unsigned_values, tell, z, &z->calibration,
                        err)) ||
        (rc = make_table(z, err)) || (rc = keep_predictions(z, err)) ||
        (rc = sensitivity_measure(z, o->sensitivity, err)))
        return rc;
    for (int i = 0; o->on_layer && i < z->layer_count; i++)
        o->on_layer(o->context, &z->table[i]);
    return finish(z, report, w, err);
}

static void close_all(quantizer *z)
{
    for (int i = 0; z->was && i < z->frames.count; i++)
        free(z->was[i]);
    free(z->was);
    free(z->table);
    if (z->q)
        correct_free(z->q, &z->shifts);
    calibration_free(&z->calibration);
    samples_free(&z->frames);
    qdq_close(&z->q);
}

int lanert_quantize(const char *model, const char *onnx, const lanert_quantize_options *options,
                    lanert_quantize_report *report, lanert_error *err)
{
    lanert_quantize_report own = {0};
    file_writer writer = {0};
    int rc;
    if (!model || !onnx || !options)
        return error_set(err, LANERT_EINVAL, "lanert_quantize: model, onnx and options must not be NULL");
    quantizer z = {.options = options,
                   .output = onnx,
                   .setup = {.beside = onnx, .engine = options->engine, .threads = options->threads}};
    if ((rc = check_options(options, err)) || (rc = check_paths(model, onnx, err)) ||
        (rc = file_writer_open(onnx, options->force, &writer, err)))
        return rc;
    rc = run(&z, model, &own, &writer, err);
    if (!rc && report)
        *report = own;
    close_all(&z);
    file_writer_close(&writer);
    return rc;
}

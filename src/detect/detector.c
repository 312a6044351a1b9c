#include "detect/detector.h"

#include "base/clock.h"
#include "detect/choice.h"
#include "engine/engine.h"
#include "frame/preprocess.h"
#include "lane/decode.h"

#define MAX_BATCH 64
#define PICTURE_BYTES ((size_t)NET_WIDTH * NET_HEIGHT * 3)

struct lanert_detector {
    model_info info;
    engine *engine;
    preprocess *pre;
    decode_options decode;
    decode_scratch scratch;
    bool cut_override; /* the cut is a fraction that the caller gave, not rows of the data set's picture */
    int batch;         /* the most frames a call may bring */
    int engine_batch;  /* N of the bound tensors; less than batch only where the model fixes it */
    uint8_t *pixels;   /* [engine_batch][320][800][3] */
    float *floats;     /* [engine_batch][3][320][800], for plain exports; else NULL */
    float *raw;        /* [engine_batch][priors][78], or NULL where the model's own NMS is used: */
    float *kept;       /* [engine_batch][max_lanes][78] */
    void *counts;      /* [engine_batch], of the type below */
    tensor_type count_type;
    lane_curve curves[LANERT_MAX_LANES];
    lanert_lane *lanes; /* [batch][LANERT_MAX_LANES] */
    char device[DEVICE_NAME];
    lanert_precision precision; /* asked for, or chosen */
    char why[CHOICE_WHY];
};

void lanert_detector_defaults(lanert_detector_options *options)
{
    *options = (lanert_detector_options){.batch = 1, .conf = -1, .nms_thres = -1, .max_lanes = -1, .cut = -1};
}

static int check_options(const lanert_detector_options *o, lanert_error *err)
{
    if (o->batch < 1 || o->batch > MAX_BATCH)
        return error_set(err, LANERT_EINVAL, "batch is %d; expected 1 to %d", o->batch, MAX_BATCH);
    if (o->threads < 0 || o->threads > 1024)
        return error_set(err, LANERT_EINVAL, "threads is %d; expected 1 to 1024, or 0 for all", o->threads);
    if (!(o->conf <= 1))
        return error_set(err, LANERT_EINVAL, "conf is %g; expected 0 to 1", o->conf);
    if (!(o->nms_thres <= NET_WIDTH))
        return error_set(err, LANERT_EINVAL, "nms_thres is %g; expected 0 to %d pixels", o->nms_thres, NET_WIDTH);
    if (o->max_lanes == 0 || o->max_lanes > LANERT_MAX_LANES)
        return error_set(err, LANERT_EINVAL, "max_lanes is %d; expected 1 to %d", o->max_lanes, LANERT_MAX_LANES);
    if (!(o->cut < 1))
        return error_set(err, LANERT_EINVAL, "cut is %g; expected a part of the height, 0 to below 1", o->cut);
    if (o->resize != LANERT_LINEAR && o->resize != LANERT_CUBIC)
        return error_set(err, LANERT_EINVAL, "resize is %d; expected LANERT_LINEAR or LANERT_CUBIC", (int)o->resize);
    return 0;
}

static void resolve_options(lanert_detector *det, const lanert_detector_options *o)
{
    const lanert_preset *p = &det->info.preset;
    det->cut_override = o->cut >= 0;
    det->decode = (decode_options){
        .conf = o->conf >= 0 ? o->conf : p->conf,
        .nms_thres = o->nms_thres >= 0 ? o->nms_thres : p->nms_thres,
        .max_lanes = o->max_lanes > 0 ? o->max_lanes : p->max_lanes,
        .cut = det->cut_override ? o->cut : p->cut_height,
        .height = det->cut_override ? 1 : p->ori_height,
        .prior_ys = det->info.prior_ys,
    };
}

/* Greedy NMS takes the best first, so that of a graph's own result a higher threshold and fewer lanes are
 * a prefix. Anything else needs the raw predictions. */
static int check_own_nms(const lanert_detector *det, lanert_error *err)
{
    const lanert_preset *p = &det->info.preset;
    const decode_options *d = &det->decode;
    if (d->conf >= p->conf && d->nms_thres == p->nms_thres && d->max_lanes <= p->max_lanes)
        return 0;
    return error_set(err, LANERT_EINVAL,
                     "%s has no raw output, and its own NMS has fixed thresholds (conf at least %g, nms-thres %g, at "
                     "most %d lanes); convert the checkpoint with --outputs raw to change them",
                     det->info.path, p->conf, p->nms_thres, p->max_lanes);
}

int detector_set_thresholds(lanert_detector *det, const lanert_detector_options *options, lanert_error *err)
{
    resolve_options(det, options);
    return *det->info.raw_name ? 0 : check_own_nms(det, err);
}

static tensor make_tensor(const char *name, tensor_type type, void *data, int rank, const int64_t *dims)
{
    tensor t = {.type = type, .rank = rank, .data = data};
    snprintf(t.name, sizeof t.name, "%s", name);
    memcpy(t.dims, dims, (size_t)rank * sizeof *dims);
    return t;
}

/* As the engine has it: models of format 1 have int64, of which TensorRT 8.6 makes int32. */
static tensor_type find_count_type(const lanert_detector *det)
{
    int count;
    const tensor *outputs = engine_outputs(det->engine, &count);
    for (int i = 0; i < count; i++)
        if (!strcmp(outputs[i].name, det->info.count_name) && outputs[i].type == TENSOR_I64)
            return TENSOR_I64;
    return TENSOR_I32;
}

static int allocate(lanert_detector *det, lanert_error *err)
{
    const model_info *m = &det->info;
    size_t n = (size_t)det->engine_batch;
    int rc = engine_allocate(det->engine, n * PICTURE_BYTES, &det->pixels, err);
    if (!rc && m->input == MODEL_INPUT_F32_NCHW)
        rc = engine_allocate(det->engine, n * PICTURE_BYTES * sizeof(float), &det->floats, err);
    if (!rc && *m->raw_name)
        return engine_allocate(det->engine, n * (size_t)m->priors * NET_COLUMNS * sizeof(float), &det->raw, err);
    if (!rc)
        rc = engine_allocate(det->engine, n * (size_t)m->preset.max_lanes * NET_COLUMNS * sizeof(float), &det->kept,
                             err);
    det->count_type = find_count_type(det);
    if (!rc)
        rc = engine_allocate(det->engine, n * tensor_type_size(det->count_type), &det->counts, err);
    return rc;
}

static int bind(lanert_detector *det, lanert_error *err)
{
    const model_info *m = &det->info;
    int64_t n = det->engine_batch;
    tensor outputs[2], input;
    int count = 0;
    if (det->floats)
        input = make_tensor(m->input_name, TENSOR_F32, det->floats, 4, (int64_t[]){n, 3, NET_HEIGHT, NET_WIDTH});
    else
        input = make_tensor(m->input_name, TENSOR_U8, det->pixels, 4, (int64_t[]){n, NET_HEIGHT, NET_WIDTH, 3});
    if (det->raw) {
        outputs[count++] = make_tensor(m->raw_name, TENSOR_F32, det->raw, 3, (int64_t[]){n, m->priors, NET_COLUMNS});
    } else {
        outputs[count++] =
            make_tensor(m->lanes_name, TENSOR_F32, det->kept, 3, (int64_t[]){n, m->preset.max_lanes, NET_COLUMNS});
        outputs[count++] = make_tensor(m->count_name, det->count_type, det->counts, 1, (int64_t[]){n});
    }
    lanert_error why;
    int rc = engine_bind(det->engine, &input, 1, outputs, count, &why);
    if (rc == LANERT_EINVAL) /* names and shapes are the model's word */
        return error_set(err, LANERT_EFORMAT, "%s: its head does not agree with its graph: %s; convert it again",
                         m->path, why.text);
    if (rc && err)
        *err = why;
    return rc;
}

/* ---- opening --------------------------------------------------------------------------------- */

void detector_outputs(const model_info *info, const char *names[3])
{
    bool raw = *info->raw_name;
    names[0] = raw ? info->raw_name : info->lanes_name;
    names[1] = raw ? NULL : info->count_name;
    names[2] = NULL;
}

static int start(lanert_detector *det, const char *name, const engine_options *options, lanert_error *err)
{
    int rc;
    if ((rc = engine_open(name, det->info.path, options, &det->engine, err)) || (rc = allocate(det, err)))
        return rc;
    return bind(det, err);
}

static void stop(lanert_detector *det)
{
    void *const bound[] = {det->pixels, det->floats, det->raw, det->kept, det->counts};
    for (size_t i = 0; i < ARRAY_LEN(bound); i++)
        engine_release(det->engine, bound[i]);
    det->pixels = NULL;
    det->floats = det->raw = det->kept = NULL;
    det->counts = NULL;
    engine_close(&det->engine);
}

/* On a GPU that nobody named, or else on the processor: whatever fails before the first frame. */
static int start_or_fall_back(lanert_detector *det, const char *name, engine_options *options, lanert_error *err)
{
    lanert_error why;
    char text[sizeof why.text + 64];
    int rc = start(det, name, options, &why);
    if (!rc)
        return 0;
    if (!engine_falls_back(name, det->info.path, options))
        return error_set(err, rc, "%s", why.text);
    stop(det);
    if ((rc = start(det, name, options, err)) || !options->on_note)
        return rc;
    snprintf(text, sizeof text, "%s; the processor computes instead", why.text);
    options->on_note(options->context, text);
    return 0;
}

/* Both engines take such a model on a processor, mostly to its loss (docs/QUANTIZATION.md). */
static void warn_of_values(lanert_detector *det)
{
    if (det->info.signed_values && engine_device(det->engine).kind == DEVICE_CPU)
        detector_set_why(det, "its values are int8, for TensorRT: ONNX Runtime is slow with it on a processor, and "
                              "OpenVINO less exact where that has no AMX; quantise with --values uint8");
}

int detector_open(const model_info *info, const lanert_detector_options *options, lanert_detector **out,
                  lanert_error *err)
{
    lanert_detector_options o;
    lanert_detector *det = NULL;
    const char *outputs[3];
    int rc;
    *out = NULL;
    lanert_detector_defaults(&o);
    if (options)
        o = *options;
    if ((rc = check_options(&o, err)) || (rc = memory_new(&det, 1, sizeof *det, err)))
        return rc;
    det->info = *info;
    det->batch = o.batch;
    det->engine_batch = info->fixed_batch ? info->fixed_batch : o.batch;
    det->precision = o.precision;
    if ((rc = detector_set_thresholds(det, &o, err)))
        goto out;
    detector_outputs(&det->info, outputs);
    engine_options eo = {.precision = o.precision,
                         .types = det->info.precision,
                         .threads = o.threads,
                         .batch = det->engine_batch,
                         .outputs = outputs,
                         .on_note = o.on_note,
                         .context = o.context};
    if ((rc = device_parse(o.device, &eo.device, err)) || (rc = preprocess_open(o.resize, &det->pre, err)) ||
        (rc = memory_new(&det->lanes, (size_t)det->batch * LANERT_MAX_LANES, sizeof *det->lanes, err)) ||
        (rc = start_or_fall_back(det, o.engine, &eo, err)))
        goto out;
    device_format(engine_device(det->engine), det->device);
    warn_of_values(det);
    *out = det;
    det = NULL;
out:
    lanert_detector_close(&det);
    return rc;
}

int lanert_detector_open(const lanert_model *model, const lanert_detector_options *options, lanert_detector **det,
                         lanert_error *err)
{
    if (!model || !det)
        return error_set(err, LANERT_EINVAL, "lanert_detector_open: model and det must not be NULL");
    return choice_open(model_describe(model), options, det, err);
}

void lanert_detector_close(lanert_detector **det)
{
    if (!det || !*det)
        return;
    lanert_detector *d = *det;
    stop(d);
    preprocess_close(&d->pre);
    FREE(d->lanes);
    FREE(*det);
}

const char *lanert_detector_engine(const lanert_detector *det)
{
    return engine_name(det->engine);
}

const char *lanert_detector_device(const lanert_detector *det)
{
    return det->device;
}

const char *lanert_detector_precision(const lanert_detector *det, const char **why)
{
    if (why)
        *why = det->why;
    if (det->precision != LANERT_PRECISION_AUTO)
        return lanert_precision_name(det->precision);
    bool half = !strcmp(det->info.precision, "fp16") && engine_device(det->engine).kind != DEVICE_CPU;
    return half || !strcmp(det->info.precision, "int8") ? det->info.precision : lanert_precision_name(LANERT_FP32);
}

unsigned detector_reduced(const lanert_detector *det)
{
    return strcmp(det->info.precision, "int8") ? engine_reduced(det->engine) : 0;
}

void detector_set_why(lanert_detector *det, const char *why)
{
    snprintf(det->why, sizeof det->why, "%s", why);
}

int detector_batch(const lanert_detector *det)
{
    return det->batch;
}

static int rows_to_cut(const lanert_detector *det, int height)
{
    return det->cut_override ? (int)(det->decode.cut * height) : preset_cut_rows(&det->info.preset, height);
}

static int preprocess_one(lanert_detector *det, const lanert_frame *frame, int slot, lanert_error *err)
{
    uint8_t *pixels = det->pixels + (size_t)slot * PICTURE_BYTES;
    int rc = preprocess_run(det->pre, frame, rows_to_cut(det, frame->height), NET_WIDTH, NET_HEIGHT, pixels, err);
    if (!rc && det->floats)
        preprocess_to_nchw(pixels, NET_WIDTH, NET_HEIGHT, det->floats + (size_t)slot * PICTURE_BYTES);
    return rc;
}

/* A broken network must not look like an empty road. */
static int refuse_output(const lanert_detector *det, const char *found, lanert_error *err)
{
    return error_set(err, LANERT_EENGINE,
                     "the network's output holds %s: the model %s is damaged, or its precision does not suffice; "
                     "inspect it, or convert its checkpoint again with --precision fp32",
                     found, det->info.path);
}

static int check_finite(const lanert_detector *det, const float *rows, int count, lanert_error *err)
{
    char found[64];
    const float *bad = decode_find_bad(rows, count, &det->decode);
    if (!bad)
        return 0;
    snprintf(found, sizeof found, "%g (row %d, column %d)", *bad, (int)((bad - rows) / NET_COLUMNS),
             (int)((bad - rows) % NET_COLUMNS));
    return refuse_output(det, found, err);
}

static int64_t count_of(const lanert_detector *det, int slot)
{
    return det->count_type == TENSOR_I64 ? ((const int64_t *)det->counts)[slot] : ((const int32_t *)det->counts)[slot];
}

static int decode_one(lanert_detector *det, const lanert_frame *frame, int slot, lanert_lane *lanes, int *count,
                      lanert_error *err)
{
    const model_info *m = &det->info;
    int rc, n;
    if (det->raw) {
        const float *raw = det->raw + (size_t)slot * (size_t)m->priors * NET_COLUMNS;
        if ((rc = check_finite(det, raw, m->priors, err)))
            return rc;
        n = decode_raw(raw, m->priors, &det->decode, &det->scratch, det->curves);
    } else {
        const float *kept = det->kept + (size_t)slot * (size_t)m->preset.max_lanes * NET_COLUMNS;
        int64_t rows = count_of(det, slot);
        if (rows == MODEL_COUNT_BROKEN)
            return refuse_output(det, "NaN or infinity", err);
        if (rows < 0 || rows > m->preset.max_lanes)
            return error_set(err, LANERT_EENGINE,
                             "the model %s counts %lld lanes of at most %d: it is damaged; convert it again", m->path,
                             (long long)rows, m->preset.max_lanes);
        if ((rc = check_finite(det, kept, (int)rows, err)))
            return rc;
        n = decode_kept(kept, (int)rows, &det->decode, det->curves);
    }
    for (int i = 0; i < n; i++)
        lane_to_pixels(&det->curves[i], frame->width, frame->height, &lanes[i]);
    *count = n;
    return 0;
}

/* Up to engine_batch frames through one run of the engine. Slots without a frame keep older pixels. */
static int detect_group(lanert_detector *det, const lanert_frame *frames, int count, lanert_lane *lanes,
                        lanert_result *results, lanert_error *err)
{
    int rc;
    int64_t start = clock_ns(), now;
    for (int i = 0; i < count; i++, start = now) {
        if ((rc = preprocess_one(det, &frames[i], i, err)))
            return rc;
        now = clock_ns();
        results[i] = (lanert_result){.preprocess_ms = NS_TO_MS(now - start)};
    }
    if ((rc = engine_run(det->engine, err)))
        return rc;
    now = clock_ns();
    double inference_ms = NS_TO_MS(now - start) / count;
    for (int i = 0; i < count; i++) {
        lanert_lane *own = lanes + (size_t)i * LANERT_MAX_LANES;
        lanert_result *r = &results[i];
        start = now;
        if ((rc = decode_one(det, &frames[i], i, own, &r->count, err)))
            return rc;
        now = clock_ns();
        r->lanes = own;
        r->inference_ms = inference_ms;
        r->decode_ms = NS_TO_MS(now - start);
        r->latency_ms = r->preprocess_ms + r->inference_ms + r->decode_ms;
    }
    return 0;
}

int lanert_detect(lanert_detector *det, const lanert_frame *frames, int count, lanert_result *results,
                  lanert_error *err)
{
    if (!det || !frames || !results)
        return error_set(err, LANERT_EINVAL, "lanert_detect: det, frames and results must not be NULL");
    if (count < 1 || count > det->batch)
        return error_set(err, LANERT_EINVAL, "%d frames in one call; expected 1 to the detector's batch, %d", count,
                         det->batch);
    for (int done = 0; done < count; done += det->engine_batch) {
        int left = count - done, group = left < det->engine_batch ? left : det->engine_batch;
        int rc =
            detect_group(det, frames + done, group, det->lanes + (size_t)done * LANERT_MAX_LANES, results + done, err);
        if (rc)
            return rc;
    }
    return 0;
}

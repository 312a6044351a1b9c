#include "model/model_read.h"

#include <ctype.h>

#include "model/metadata.h"
#include "model/onnx_type.h"

/* As lanert_detector_options has it. */
#define MAX_BATCH 64
/* num_priors of every configuration of the reference, where an export does not tell. */
#define REFERENCE_PRIORS 192

/* ---- metadata ------------------------------------------------------------------------------------ */

static int read_text(const onnx_head *head, const char *key, char *text, size_t size, lanert_error *err)
{
    const onnx_text *value = onnx_head_metadata(head, key);
    if (!value)
        return error_set(err, LANERT_EFORMAT,
                         "its metadata has no %s, which 'lanert convert' writes; convert the "
                         "checkpoint again",
                         key);
    if (value->size == 0 || value->size >= size)
        return error_set(err, LANERT_EFORMAT, "its metadata's %s has %zu bytes; expected 1 to %zu", key, value->size,
                         size - 1);
    for (size_t i = 0; i < value->size; i++)
        if (!isprint((unsigned char)value->data[i]))
            return error_set(err, LANERT_EFORMAT, "its metadata's %s holds the byte %d; expected printable text", key,
                             (unsigned char)value->data[i]);
    memcpy(text, value->data, value->size);
    text[value->size] = '\0';
    return 0;
}

static int read_float(const onnx_head *head, const char *key, float *number, lanert_error *err)
{
    char text[32];
    int rc = read_text(head, key, text, sizeof text, err);
    if (!rc && !decimal_parse(text, number))
        rc = error_set(err, LANERT_EFORMAT, "its metadata's %s is '%s'; expected a decimal number", key, text);
    return rc;
}

static int read_int(const onnx_head *head, const char *key, int *number, lanert_error *err)
{
    float value;
    int rc = read_float(head, key, &value, err);
    if (!rc && (value > 1e6f || value != (float)(int)value))
        rc = error_set(err, LANERT_EFORMAT, "its metadata's %s is %g; expected a whole number of at most 1000000", key,
                       (double)value);
    if (!rc)
        *number = (int)value;
    return rc;
}

static int read_preset(const onnx_head *head, lanert_preset *p, lanert_error *err)
{
    int rc;
    if ((rc = read_text(head, METADATA_PRESET, p->name, sizeof p->name, err)) ||
        (rc = read_int(head, METADATA_ORI_WIDTH, &p->ori_width, err)) ||
        (rc = read_int(head, METADATA_ORI_HEIGHT, &p->ori_height, err)) ||
        (rc = read_int(head, METADATA_CUT_HEIGHT, &p->cut_height, err)) ||
        (rc = read_float(head, METADATA_CONF, &p->conf, err)) ||
        (rc = read_float(head, METADATA_NMS_THRES, &p->nms_thres, err)) ||
        (rc = read_int(head, METADATA_MAX_LANES, &p->max_lanes, err)))
        return rc;
    if ((rc = preset_check(p, err)))
        error_within(err, rc, "its metadata");
    return rc;
}

static int read_format(const onnx_head *head, lanert_error *err)
{
    char format[16];
    int rc = read_text(head, METADATA_FORMAT, format, sizeof format, err);
    if (!rc && strcmp(format, METADATA_FORMAT_VERSION) && strcmp(format, METADATA_FORMAT_VERSION_1))
        rc = error_set(err, LANERT_EUNSUPPORTED,
                       "its metadata's %s is '%s', this lanert reads '%s' and '%s'; use the lanert that wrote it, or "
                       "convert the checkpoint again",
                       METADATA_FORMAT, format, METADATA_FORMAT_VERSION_1, METADATA_FORMAT_VERSION);
    return rc;
}

static int read_source(const onnx_head *head, model_info *info, lanert_error *err)
{
    int rc = read_text(head, METADATA_SOURCE, info->source_sha256, sizeof info->source_sha256, err);
    if (!rc && strspn(info->source_sha256, "0123456789abcdef") != 64)
        rc = error_set(err, LANERT_EFORMAT, "its metadata's %s is '%s'; expected 64 hexadecimal digits",
                       METADATA_SOURCE, info->source_sha256);
    return rc;
}

static int read_heights(const onnx_head *head, float *heights, lanert_error *err)
{
    char text[HEIGHTS_TEXT];
    int rc;
    heights_even(heights);
    if (!onnx_head_metadata(head, METADATA_PRIOR_YS))
        return 0;
    if ((rc = read_text(head, METADATA_PRIOR_YS, text, sizeof text, err)))
        return rc;
    rc = heights_parse(text, heights, err);
    return rc ? error_within(err, rc, "its metadata's %s", METADATA_PRIOR_YS) : 0;
}

static bool has_signed_values(const onnx_head *head)
{
    const onnx_text *values = onnx_head_metadata(head, METADATA_INT8_VALUES);
    return values && values->size == strlen("int8") && !memcmp(values->data, "int8", values->size);
}

/* ---- tensors ------------------------------------------------------------------------------------- */

/* A dim of 0 in `dims` may be any, fixed or not. */
static bool fits(const onnx_tensor *t, onnx_type type, int rank, const int64_t *dims)
{
    if (t->type != (int)type || t->rank != rank)
        return false;
    for (int i = 0; i < rank; i++)
        if (dims[i] && t->dims[i] != dims[i])
            return false;
    return true;
}

static int need_tensor(const onnx_tensor *t, const char *what, onnx_type type, int rank, const int64_t *dims,
                       lanert_error *err)
{
    onnx_tensor expected = {.type = (int)type, .rank = rank};
    if (t && fits(t, type, rank, dims))
        return 0;
    snprintf(expected.name, sizeof expected.name, "%s", what);
    for (int i = 0; i < rank; i++)
        expected.dims[i] = dims[i] ? dims[i] : -1;
    return error_set(err, LANERT_EFORMAT, "it has %s, and should have '%s'",
                     t ? onnx_tensor_words(t).text : "none such", onnx_tensor_words(&expected).text);
}

static int read_priors(const onnx_tensor *raw, int *priors, lanert_error *err)
{
    if (raw->dims[1] < 1 || raw->dims[1] > NET_MAX_PRIORS)
        return error_set(err, LANERT_EFORMAT, "it has %s; expected 1 to %d priors in the middle",
                         onnx_tensor_words(raw).text, NET_MAX_PRIORS);
    *priors = (int)raw->dims[1];
    return 0;
}

/* A batch that the input or an output fixes. */
static int read_batch(const onnx_tensor *input, const onnx_tensor *output, int *fixed, lanert_error *err)
{
    int64_t n = input->dims[0] > 0 ? input->dims[0] : output->dims[0];
    if (n > MAX_BATCH)
        return error_set(err, LANERT_EUNSUPPORTED, "it takes %lld pictures at once; at most %d are handled",
                         (long long)n, MAX_BATCH);
    *fixed = n > 0 ? (int)n : 0;
    return 0;
}

static int take_name(const onnx_tensor *t, char name[64], lanert_error *err)
{
    if (!*t->name)
        return error_set(err, LANERT_EFORMAT, "its tensor%s has no name", onnx_tensor_words(t).text);
    if (strlen(t->name) >= 64)
        return error_set(err, LANERT_EUNSUPPORTED,
                         "the name of its tensor %.60s… has %zu bytes; at most 63 are handled", t->name,
                         strlen(t->name));
    memcpy(name, t->name, strlen(t->name) + 1);
    return 0;
}

/* ---- our own models ------------------------------------------------------------------------------ */

static int read_own_tensors(const onnx_head *head, const char *outputs, model_info *info, lanert_error *err)
{
    const onnx_tensor *image = onnx_head_input(head, TENSOR_IMAGE), *raw = onnx_head_output(head, TENSOR_RAW);
    const onnx_tensor *lanes = onnx_head_output(head, TENSOR_LANES), *count = onnx_head_output(head, TENSOR_COUNT);
    bool want_lanes = strcmp(outputs, "raw") != 0, want_raw = strcmp(outputs, "lanes") != 0;
    int rc = need_tensor(image, "input " TENSOR_IMAGE, ONNX_U8, 4, DIMS(0, NET_HEIGHT, NET_WIDTH, 3), err);
    if (!rc && want_raw && !(rc = need_tensor(raw, "output " TENSOR_RAW, ONNX_F32, 3, DIMS(0, 0, NET_COLUMNS), err)) &&
        !(rc = read_priors(raw, &info->priors, err)))
        rc = take_name(raw, info->raw_name, err);
    if (!rc && want_lanes &&
        !(rc = need_tensor(lanes, "output " TENSOR_LANES, ONNX_F32, 3, DIMS(0, info->preset.max_lanes, NET_COLUMNS),
                           err)) &&
        !(rc = need_tensor(count, "output " TENSOR_COUNT, count && count->type == ONNX_I64 ? ONNX_I64 : ONNX_I32, 1,
                           DIMS(0), err))) {
        memcpy(info->lanes_name, TENSOR_LANES, sizeof TENSOR_LANES);
        memcpy(info->count_name, TENSOR_COUNT, sizeof TENSOR_COUNT);
    }
    if (!rc)
        rc = read_batch(image, want_raw ? raw : lanes, &info->fixed_batch, err);
    memcpy(info->input_name, TENSOR_IMAGE, sizeof TENSOR_IMAGE);
    return rc;
}

static int read_own(const onnx_head *head, model_info *info, lanert_error *err)
{
    char outputs[8];
    int rc;
    info->ours = true;
    info->input = MODEL_INPUT_U8_NHWC;
    info->selects = onnx_head_metadata(head, METADATA_KEEP_PRIORS) != NULL;
    info->signed_values = has_signed_values(head);
    if ((rc = read_format(head, err)) || (rc = read_preset(head, &info->preset, err)) ||
        (rc = read_text(head, METADATA_ARCH, info->arch, sizeof info->arch, err)) ||
        (rc = read_text(head, METADATA_PRECISION, info->precision, sizeof info->precision, err)) ||
        (rc = read_text(head, METADATA_WRITER, info->writer, sizeof info->writer, err)) ||
        (rc = read_source(head, info, err)) || (rc = read_heights(head, info->prior_ys, err)) ||
        (rc = read_text(head, METADATA_OUTPUTS, outputs, sizeof outputs, err)))
        return rc;
    if (strcmp(outputs, "lanes") && strcmp(outputs, "raw") && strcmp(outputs, "both"))
        return error_set(err, LANERT_EFORMAT, "its metadata's %s is '%s'; expected lanes, raw or both",
                         METADATA_OUTPUTS, outputs);
    if ((rc = read_own_tensors(head, outputs, info, err)))
        return rc;
    /* An engine may lose a NaN on its way to the predictions: OpenVINO's ReLU makes it 0. */
    return onnx_head_check_weights(head, err);
}

/* Another data set's preset for one of our models: its NMS is in the graph, and stays what it is. */
static int override_preset(model_info *info, const lanert_preset *p, lanert_error *err)
{
    const lanert_preset *own = &info->preset;
    bool same = p->conf == own->conf && p->nms_thres == own->nms_thres && p->max_lanes == own->max_lanes;
    if (!same && !*info->raw_name)
        return error_set(
            err, LANERT_EINVAL,
            "its NMS is that of preset %s, and it has no raw output for that of %s; convert the checkpoint "
            "again with --preset %s or --outputs raw",
            own->name, p->name, p->name);
    if (!same)
        *info->lanes_name = *info->count_name = '\0';
    info->preset = *p;
    return 0;
}

/* ---- plain exports ------------------------------------------------------------------------------- */

/* Exports with a dynamic batch often leave sizes open that are fixed in truth: the engine will find out. */
static bool may_fit(const onnx_tensor *t, int rank, const int64_t *dims)
{
    if (t->type != ONNX_F32 || t->rank != rank)
        return false;
    for (int i = 0; i < rank; i++)
        if (dims[i] && t->dims[i] >= 0 && t->dims[i] != dims[i])
            return false;
    return true;
}

/* The one tensor of that form; NULL where there is none, or there are several. */
static const onnx_tensor *find_only(const onnx_tensor *list, int count, int rank, const int64_t *dims)
{
    const onnx_tensor *found = NULL;
    for (int i = 0; i < count; i++)
        if (may_fit(&list[i], rank, dims)) {
            if (found)
                return NULL;
            found = &list[i];
        }
    return found;
}

/* What there is instead of the one tensor that was looked for. */
static int refuse_plain(const char *expected, const onnx_tensor *list, int count, lanert_error *err)
{
    return error_set(err, LANERT_EUNSUPPORTED, "no export of CLRNet: expected one %s; it has %d, the first of them %s",
                     expected, count, count ? onnx_tensor_words(list).text : "missing");
}

static int read_plain(const onnx_head *head, model_info *info, lanert_error *err)
{
    const onnx_tensor *image = find_only(head->inputs, head->input_count, 4, DIMS(0, 3, NET_HEIGHT, NET_WIDTH));
    const onnx_tensor *raw = find_only(head->outputs, head->output_count, 3, DIMS(0, 0, NET_COLUMNS));
    int rc;
    info->input = MODEL_INPUT_F32_NCHW;
    heights_even(info->prior_ys);
    if (!image)
        return refuse_plain("input float32 [N,3,320,800]", head->inputs, head->input_count, err);
    if (!raw)
        return refuse_plain("output float32 [N,192,78]", head->outputs, head->output_count, err);
    info->priors = REFERENCE_PRIORS;
    if ((raw->dims[1] >= 0 && (rc = read_priors(raw, &info->priors, err))) ||
        (rc = take_name(image, info->input_name, err)) || (rc = take_name(raw, info->raw_name, err)))
        return rc;
    return read_batch(image, raw, &info->fixed_batch, err);
}

/* ---- the whole ----------------------------------------------------------------------------------- */

bool model_is_ours(const onnx_head *head)
{
    return onnx_head_metadata(head, METADATA_FORMAT) != NULL;
}

int model_read(const onnx_head *head, const char *preset, model_info *info, lanert_error *err)
{
    const lanert_preset *p = lanert_preset_find(preset);
    bool ours = model_is_ours(head);
    *info = (model_info){0};
    if (preset && !p)
        return error_set(err, LANERT_EINVAL, "preset '%s' is not known; expected culane, tusimple, llamas or road",
                         preset);
    int rc = ours ? read_own(head, info, err) : read_plain(head, info, err);
    if (rc)
        return rc;
    if (ours)
        return p ? override_preset(info, p, err) : 0;
    if (!p)
        return error_set(err, LANERT_EINVAL,
                         "not written by 'lanert convert', and so without a preset; name the data set that it was "
                         "trained on with --preset: culane, tusimple, llamas or road");
    info->preset = *p;
    return 0;
}

/* lanert_convert: a checkpoint's tensors into an ONNX graph that takes pictures' bytes and gives lanes. */

#include "base/file.h"
#include "base/sha256.h"
#include "model/backbone.h"
#include "model/fpn.h"
#include "model/head.h"
#include "model/metadata.h"
#include "model/nms.h"
#include "model/preset.h"

/* Of thresholds in the metadata: 0.45f is 0.45 there. */
#define DECIMALS 6

void lanert_convert_defaults(lanert_convert_options *options)
{
    *options = (lanert_convert_options){.precision = LANERT_FP32, .outputs = LANERT_OUTPUT_RAW, .shrink = 1};
}

static int check_options(const lanert_convert_options *o, lanert_error *err)
{
    if (!lanert_preset_find(o->preset))
        return error_set(
            err, LANERT_EINVAL,
            "preset is %s%s%s; expected the data set that the checkpoint was trained on: culane, tusimple, "
            "llamas or road",
            o->preset ? "'" : "", o->preset ? o->preset : "not given", o->preset ? "'" : "");
    if (o->precision != LANERT_FP32 && o->precision != LANERT_FP16)
        return error_set(err, LANERT_EINVAL, "precision is %s; a model is written in fp32 or fp16",
                         lanert_precision_name(o->precision));
    if (o->outputs < LANERT_OUTPUT_LANES || o->outputs > LANERT_OUTPUT_BOTH)
        return error_set(err, LANERT_EINVAL, "outputs is %d; expected LANERT_OUTPUT_LANES, _RAW or _BOTH", o->outputs);
    if (o->shrink != 1 && o->shrink != 2)
        return error_set(err, LANERT_EINVAL, "shrink is %d; expected 1, or 2 for a network of half the size",
                         o->shrink);
    const lanert_preset *p = lanert_preset_find(o->preset);
    if (o->keep_priors && (o->keep_priors < p->max_lanes || o->keep_priors > NET_MAX_PRIORS))
        return error_set(err, LANERT_EINVAL,
                         "keep_priors is %d; expected %d (the preset's most lanes) to %d, or 0 for all", o->keep_priors,
                         p->max_lanes, NET_MAX_PRIORS);
    return 0;
}

/* Even with force, a person's only copy of a checkpoint is not written over. */
static int check_paths(const char *path, const char *onnx, lanert_error *err)
{
    if (file_is_same(path, onnx))
        return error_set(err, LANERT_EINVAL, "%s: is the checkpoint itself; give the model another name", onnx);
    return 0;
}

/* ---- the graph ----------------------------------------------------------------------------------- */

static void add_metadata(graph *g, const char *arch, const char *sha256, const lanert_convert_options *o)
{
    static const char *const outputs[] = {
        [LANERT_OUTPUT_LANES] = "lanes", [LANERT_OUTPUT_RAW] = "raw", [LANERT_OUTPUT_BOTH] = "both"};
    const lanert_preset *p = lanert_preset_find(o->preset);
    char conf[DECIMAL_TEXT], nms_thres[DECIMAL_TEXT];
    decimal_format(p->conf, DECIMALS, conf);
    decimal_format(p->nms_thres, DECIMALS, nms_thres);
    graph_metadata(g, METADATA_FORMAT, METADATA_FORMAT_VERSION);
    graph_metadata(g, METADATA_WRITER, "lanert %s", lanert_version());
    graph_metadata(g, METADATA_PRESET, "%s", p->name);
    graph_metadata(g, METADATA_ORI_WIDTH, "%d", p->ori_width);
    graph_metadata(g, METADATA_ORI_HEIGHT, "%d", p->ori_height);
    graph_metadata(g, METADATA_CUT_HEIGHT, "%d", p->cut_height);
    graph_metadata(g, METADATA_CONF, "%s", conf);
    graph_metadata(g, METADATA_NMS_THRES, "%s", nms_thres);
    graph_metadata(g, METADATA_MAX_LANES, "%d", p->max_lanes);
    graph_metadata(g, METADATA_ARCH, "%s", arch);
    graph_metadata(g, METADATA_PRECISION, "%s", lanert_precision_name(o->precision));
    graph_metadata(g, METADATA_OUTPUTS, "%s", outputs[o->outputs]);
    if (o->keep_priors)
        graph_metadata(g, METADATA_KEEP_PRIORS, "%d", o->keep_priors);
    graph_metadata(g, METADATA_SOURCE, "%s", sha256);
}

/* The mean of each square of `side` pixels, as a convolution: OpenVINO would move the picture about, padded to 16
 * channels, for an AveragePool. */
static value shrink_picture(graph *g, value picture, int64_t side)
{
    float *mean = graph_new_floats(g, 3 * 3 * side * side);
    for (int64_t i = 0; mean && i < 3 * 3 * side * side; i++)
        mean[i] = i / (side * side) % 4 == 0 ? 1 / (float)(side * side) : 0; /* 3×3: on the diagonal */
    value v = graph_weights(g, NULL, ONNX_F32, 4, DIMS(3, 3, side, side), mean);
    return graph_node(g, "Conv", INPUTS(picture, v),
                      ATTRIBUTES(ATTR_INTS("kernel_shape", side, side), ATTR_INTS("strides", side, side)));
}

/* The network's input is the bytes over 255. They are halved eight times here, which float16 and bfloat16 hold exactly,
 * and 256/255 is folded into the first convolution. Where something is computed between the Cast and the Transpose,
 * OpenVINO takes the picture as it lies in memory; else it turns it, and back. */
static feature add_picture(net *n, value image, double *scale)
{
    graph *g = n->g;
    graph_scope(g, "picture");
    value v = graph_binary(g, "Mul", graph_cast(g, image, ONNX_U8, ONNX_F32), graph_scalar(g, 1 / 256.0f));
    v = graph_node(g, "Transpose", INPUTS(v), ATTRIBUTES(ATTR_INTS("perm", 0, 3, 1, 2)));
    *scale = 256 / 255.0;
    if (n->shrink > 1)
        v = shrink_picture(g, v, n->shrink);
    return (feature){graph_cast(g, v, ONNX_F32, n->type), 3};
}

static void add_outputs(graph *g, value raw, int64_t priors, const lanert_convert_options *o)
{
    const lanert_preset *preset = lanert_preset_find(o->preset);
    value lanes, count;
    if (o->outputs & LANERT_OUTPUT_LANES) {
        nms_build(g, raw, priors, preset, &lanes, &count);
        graph_output(g, lanes, TENSOR_LANES, ONNX_F32, 3, DIMS(-1, preset->max_lanes, NET_COLUMNS));
        graph_output(g, count, TENSOR_COUNT, ONNX_I32, 1, DIMS(-1));
    }
    if (o->outputs & LANERT_OUTPUT_RAW)
        graph_output(g, raw, TENSOR_RAW, ONNX_F32, 3, DIMS(-1, priors, NET_COLUMNS));
}

static void build(net *n, const backbone *b, const lanert_convert_options *o)
{
    feature levels[BACKBONE_LEVELS];
    int64_t priors;
    double scale;
    value image = graph_input(n->g, TENSOR_IMAGE, ONNX_U8, 4, DIMS(-1, NET_HEIGHT, NET_WIDTH, 3));
    feature picture = add_picture(n, image, &scale);
    backbone_build(n, b, picture, scale, levels);
    fpn_build(n, levels);
    value raw = head_build(n, levels, o->keep_priors ? o->keep_priors : NET_MAX_PRIORS, &priors);
    add_outputs(n->g, raw, priors, o);
    /* Training only. */
    weights_skip(n->w, "heads.seg_decoder.");
    weights_skip(n->w, "heads.criterion.");
}

/* ---- the whole ----------------------------------------------------------------------------------- */

/* Builds the graph of an open checkpoint. */
static int make_graph(const checkpoint *ck, const char *path, const lanert_convert_options *o, graph **g,
                      lanert_error *err)
{
    net n = {.type = o->precision == LANERT_FP16 ? ONNX_F16 : ONNX_F32, .shrink = o->shrink};
    const backbone *b;
    char sha256[65];
    int rc = backbone_tell(ck, path, &b, err);
    if (!rc)
        rc = sha256_file(path, sha256, err);
    if (!rc)
        rc = weights_open(ck, &n.w, err);
    if (!rc)
        rc = graph_open(&n.g, err);
    if (rc)
        goto out;
    build(&n, b, o);
    add_metadata(n.g, b->name, sha256, o);
    if ((rc = weights_check(n.w, path, b->name, err)))
        goto out;
    if ((rc = graph_status(n.g, err))) {
        error_within(err, rc, "%s", path);
        goto out;
    }
    *g = n.g;
    n.g = NULL;
out:
    weights_close(&n.w);
    graph_close(&n.g);
    return rc;
}

int lanert_convert(const char *path, const char *onnx, const lanert_convert_options *options, lanert_error *err)
{
    checkpoint *ck = NULL;
    file_writer writer = {0};
    graph *g = NULL;
    int rc;
    if (!path || !onnx || !options)
        return error_set(err, LANERT_EINVAL, "lanert_convert: checkpoint, onnx and options must not be NULL");
    if ((rc = check_options(options, err)) || (rc = check_paths(path, onnx, err)))
        return rc;
    if ((rc = checkpoint_open(path, &ck, err)) || (rc = file_writer_open(onnx, options->force, &writer, err)) ||
        (rc = make_graph(ck, path, options, &g, err)) || (rc = graph_write(g, writer.stream, onnx, err)))
        goto out;
    rc = file_writer_commit(&writer, err);
out:
    graph_close(&g);
    file_writer_close(&writer);
    checkpoint_close(&ck);
    return rc;
}

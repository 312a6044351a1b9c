/* From a checkpoint to a model: small networks of every kind, and what is wrong with some. */
#include <math.h>
#include <unistd.h>

#include "model/metadata.h"
#include "model/model.h"
#include "model/onnx_file.h"
#include "support/tiny_clrnet.h"

static const char *checkpoint_path(void)
{
    return temp_path(folder, "net.pth");
}

static const char *model_path(void)
{
    return temp_path(folder, "net.onnx");
}

static lanert_convert_options culane(void)
{
    lanert_convert_options o;
    lanert_convert_defaults(&o);
    o.preset = "culane";
    o.force = true;
    return o;
}

static tiny_clrnet open_tiny(const char *arch)
{
    lanert_error err;
    tiny_clrnet t;
    assert_ok(tiny_clrnet_open(arch, &t, &err));
    return t;
}

/* Closes t. */
static void write_checkpoint(tiny_clrnet *t)
{
    lanert_error err;
    assert_ok(tiny_clrnet_write(t, checkpoint_path(), &err));
    tiny_clrnet_close(t);
}

/* The same, and converts it. */
static int convert(tiny_clrnet *t, const lanert_convert_options *o, lanert_error *err)
{
    write_checkpoint(t);
    return lanert_convert(checkpoint_path(), model_path(), o, err);
}

static Onnx__ModelProto *converted(const char *arch, const lanert_convert_options *o)
{
    lanert_error err;
    tiny_clrnet t = open_tiny(arch);
    assert_ok(convert(&t, o, &err));
    return onnx_file_open(model_path());
}

/* Nothing of it is there, not even under a temporary name. */
static void assert_nothing_written(void)
{
    char command[4400];
    assert_false(file_exists(model_path()));
    snprintf(command, sizeof command, "ls -A %s | grep -q onnx", folder);
    assert_int_not_equal(system(command), 0);
}

static void converts_every_backbone(void **state)
{
    (void)state;
    static const struct {
        const char *arch;
        size_t convolutions; /* of the backbone */
    } kinds[] = {{"resnet18", 21}, {"resnet34", 37}, {"resnet50", 53}, {"resnet101", 104}, {"dla34", 37}};
    /* Of neck and head: 6; 3 stages of one kept, one joined, one over all points, and two into the attention. */
    const size_t rest = 6 + 3 * 5;
    lanert_convert_options o = culane();
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        Onnx__ModelProto *m = converted(kinds[i].arch, &o);
        onnx_file_check(m);
        assert_string_equal(onnx_file_metadata(m, METADATA_ARCH), kinds[i].arch);
        assert_int_equal(onnx_file_count(m, "Conv"), kinds[i].convolutions + rest);
        assert_int_equal(onnx_file_count(m, "BatchNormalization"), 0);
        onnx__model_proto__free_unpacked(m, NULL);
    }
}

/* w·γ/√(σ²+ε)·256/255, of bytes over 256, and β − μ·γ/√(σ²+ε). */
static void folds_the_first_norm_and_the_255(void **state)
{
    (void)state;
    lanert_error err;
    lanert_convert_options o = culane();
    tiny_clrnet t = open_tiny("resnet18"), original = open_tiny("resnet18");
    assert_ok(convert(&t, &o, &err));
    Onnx__ModelProto *m = onnx_file_open(model_path());
    const float *w = tiny_clrnet_find(&original, "backbone.model.conv1.weight")->data;
    const float *gamma = tiny_clrnet_find(&original, "backbone.model.bn1.weight")->data;
    const float *beta = tiny_clrnet_find(&original, "backbone.model.bn1.bias")->data;
    const float *mean = tiny_clrnet_find(&original, "backbone.model.bn1.running_mean")->data;
    const float *variance = tiny_clrnet_find(&original, "backbone.model.bn1.running_var")->data;
    const Onnx__TensorProto *weights = onnx_file_weights(m, "backbone.model.conv1.weight");
    const Onnx__TensorProto *bias = onnx_file_weights(m, "backbone.model.conv1.bias");
    for (size_t i = 0; i < 5; i++) {
        double scale = gamma[i] / sqrt(variance[i] + 1e-5);
        float got;
        memcpy(&got, bias->raw_data.data + 4 * i, 4);
        assert_float_equal(got, beta[i] - mean[i] * scale, 1e-6);
        for (size_t j = i * 147; j < (i + 1) * 147; j++) {
            memcpy(&got, weights->raw_data.data + 4 * j, 4);
            assert_float_equal(got, w[j] * scale * 256 / 255, 256e-9);
        }
    }
    onnx__model_proto__free_unpacked(m, NULL);
    tiny_clrnet_close(&original);
}

static void writes_the_outputs_asked_for(void **state)
{
    (void)state;
    static const struct {
        int outputs;
        const char *word, *names;
    } cases[] = {{LANERT_OUTPUT_LANES, "lanes", "lanes count "},
                 {LANERT_OUTPUT_RAW, "raw", "raw "},
                 {LANERT_OUTPUT_BOTH, "both", "lanes count raw "}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char names[64] = "";
        lanert_convert_options o = culane();
        o.outputs = cases[i].outputs;
        Onnx__ModelProto *m = converted("resnet18", &o);
        onnx_file_check(m);
        for (size_t j = 0; j < m->graph->n_output; j++)
            snprintf(names + strlen(names), sizeof names - strlen(names), "%s ", m->graph->output[j]->name);
        assert_string_equal(names, cases[i].names);
        assert_string_equal(onnx_file_metadata(m, METADATA_OUTPUTS), cases[i].word);
        assert_int_equal(onnx_file_count(m, "ReduceMin"), cases[i].outputs & LANERT_OUTPUT_LANES ? 5 : 0);
        onnx__model_proto__free_unpacked(m, NULL);
    }
}

static void writes_half_precision(void **state)
{
    (void)state;
    lanert_convert_options o = culane();
    o.precision = LANERT_FP16;
    Onnx__ModelProto *m = converted("dla34", &o);
    onnx_file_check(m);
    assert_string_equal(onnx_file_metadata(m, METADATA_PRECISION), "fp16");
    assert_int_equal(onnx_file_weights(m, "backbone.model.base_layer.0.weight")->data_type,
                     ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16);
    assert_int_equal(onnx_file_weights(m, "heads.priors")->data_type, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
    assert_int_equal(onnx_file_weights(m, "heads.reg_layers.weight")->data_type, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
    for (size_t i = 0; i < m->graph->n_output; i++)
        assert_int_not_equal(m->graph->output[i]->type->tensor_type->elem_type, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16);
    onnx__model_proto__free_unpacked(m, NULL);
}

/* train/tests holds a shrunk network's lanes to PyTorch's. */
static void shrinks_the_picture(void **state)
{
    (void)state;
    lanert_convert_options o = culane();
    size_t layers = 0;
    for (o.shrink = 1; o.shrink <= 2; o.shrink++) {
        Onnx__ModelProto *m = converted("resnet18", &o);
        onnx_file_check(m);
        layers = o.shrink == 1 ? onnx_file_count(m, "Conv") : layers;
        assert_int_equal(onnx_file_count(m, "Conv"), layers + (size_t)o.shrink - 1);
        /* The neck's two, and the attention's map of 5×13 that becomes one of 10×25, in key and value. */
        assert_int_equal(onnx_file_count(m, "Resize"), o.shrink == 1 ? 2 : 4);
        onnx__model_proto__free_unpacked(m, NULL);
    }
}

/* Of the tiny network's six: not those that are all there are. */
static void leaves_priors_out(void **state)
{
    (void)state;
    lanert_convert_options o = culane();
    for (o.keep_priors = TINY_PRIORS - 1; o.keep_priors <= TINY_PRIORS; o.keep_priors++) {
        Onnx__ModelProto *m = converted("resnet18", &o);
        onnx_file_check(m);
        assert_int_equal(m->graph->output[m->graph->n_output - 1]->type->tensor_type->shape->dim[1]->dim_value,
                         o.keep_priors);
        assert_int_equal(onnx_file_count(m, "TopK"), o.keep_priors < TINY_PRIORS ? 2 : 0);
        assert_string_equal(onnx_file_metadata(m, METADATA_KEEP_PRIORS), o.keep_priors < TINY_PRIORS ? "5" : "6");
        onnx__model_proto__free_unpacked(m, NULL);
    }
    o.keep_priors = 0;
    Onnx__ModelProto *m = converted("resnet18", &o);
    assert_null(onnx_file_metadata(m, METADATA_KEEP_PRIORS));
    onnx__model_proto__free_unpacked(m, NULL);
}

static void keeps_the_stored_priors(void **state)
{
    (void)state;
    lanert_convert_options o = culane();
    tiny_clrnet t = open_tiny("resnet18");
    Onnx__ModelProto *m = converted("resnet18", &o);
    const float *table = tiny_clrnet_find(&t, "heads.priors")->data;
    const Onnx__TensorProto *priors = onnx_file_weights(m, "heads.priors");
    for (size_t i = 0; i < TINY_PRIORS; i++)
        assert_memory_equal(priors->raw_data.data + 12 * i, table + 78 * i + 2, 12);
    onnx__model_proto__free_unpacked(m, NULL);
    tiny_clrnet_close(&t);
}

static void does_without_what_is_for_training(void **state)
{
    (void)state;
    static const char *const names[] = {"heads.seg_decoder.conv.weight", "heads.criterion.weight",
                                        "heads.prior_embeddings.weight", "backbone.model.bn1.num_batches_tracked"};
    lanert_error err;
    lanert_convert_options o = culane();
    tiny_clrnet t = open_tiny("resnet18");
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        tiny_clrnet_remove(&t, names[i]);
    assert_ok(convert(&t, &o, &err));
}

/* ---- what is refused ----------------------------------------------------------------------------- */

/* Everything that is amiss, in one message. */
static void names_all_that_is_wrong(void **state)
{
    (void)state;
    lanert_error err;
    lanert_convert_options o = culane();
    unlink(model_path());
    tiny_clrnet t = open_tiny("resnet18");
    tiny_clrnet_remove(&t, "heads.roi_gather.W.bias");
    tiny_clrnet_remove(&t, "backbone.model.layer3.1.conv2.weight");
    assert_ok(tiny_clrnet_add(&t, "heads.extra", 1, (int64_t[]){2}, &err));
    tiny_clrnet_find(&t, "neck.fpn_convs.1.conv.weight")->data[7] = NAN;
    tiny_tensor *fc = tiny_clrnet_find(&t, "heads.roi_gather.fc.weight");
    fc->dims[0] = 2;
    fc->dims[1] = 2 * TINY_CHANNELS * TINY_POINTS;
    assert_fails(convert(&t, &o, &err), LANERT_EFORMAT, "2 missing (backbone.model.layer3.1.conv2.weight, heads.roi");
    assert_non_null(strstr(err.text, "net.pth"));
    assert_non_null(strstr(err.text, "CLRNet with resnet18"));
    assert_non_null(strstr(err.text, "1 of a wrong shape (heads.roi_gather.fc.weight [2,40] instead of [4,20])"));
    assert_non_null(strstr(err.text, "neck.fpn_convs.1.conv.weight holds nan at element 7"));
    assert_non_null(strstr(err.text, "1 not of this network (heads.extra)"));
    assert_nothing_written();
}

static void counts_what_it_cannot_list(void **state)
{
    (void)state;
    lanert_error err;
    lanert_convert_options o = culane();
    tiny_clrnet t = open_tiny("resnet34");
    for (size_t i = t.count; i-- > 0;)
        if (strstr(t.tensors[i].name, "layer3.5."))
            tiny_clrnet_remove(&t, t.tensors[i].name);
    assert_fails(convert(&t, &o, &err), LANERT_EFORMAT, "10 missing (backbone.model.layer3.5.conv1.weight");
    assert_non_null(strstr(err.text, " more)"));
    assert_non_null(strstr(err.text, "resnet34"));
}

static void refuses_a_negative_variance(void **state)
{
    (void)state;
    lanert_error err;
    lanert_convert_options o = culane();
    tiny_clrnet t = open_tiny("resnet50");
    tiny_clrnet_find(&t, "backbone.model.layer2.0.bn3.running_var")->data[2] = -0.5f;
    assert_fails(convert(&t, &o, &err), LANERT_EFORMAT,
                 "backbone.model.layer2.0.bn3.running_var holds -0.5 at element 2");
}

static void refuses_other_rows(void **state)
{
    (void)state;
    lanert_error err;
    lanert_convert_options o = culane();
    tiny_clrnet t = open_tiny("resnet18");
    tiny_clrnet_find(&t, "heads.sample_x_indexs")->data[3] = 72;
    tiny_clrnet_find(&t, "heads.prior_ys")->data[71] = 0.5f;
    assert_fails(convert(&t, &o, &err), LANERT_EFORMAT, "heads.sample_x_indexs holds 72 at element 3");
    assert_non_null(strstr(err.text, "heads.prior_ys holds 0.5 at element 71, expected 0"));
}

/* A checkpoint in bfloat16 has its heights in it too, and who reads the lanes goes by them. */
static void tells_rounded_rows(void **state)
{
    (void)state;
    lanert_error err;
    lanert_model *model;
    lanert_convert_options o = culane();
    tiny_clrnet t = open_tiny("resnet18");
    float *heights = tiny_clrnet_find(&t, "heads.prior_ys")->data, stored[72];
    for (int i = 0; i < 72; i++) {
        int exponent;
        frexpf(heights[i], &exponent);
        heights[i] = ldexpf(nearbyintf(ldexpf(heights[i], 8 - exponent)), exponent - 8);
    }
    assert_float_equal(heights[1], 0.984375, 0);
    memcpy(stored, heights, sizeof stored);
    assert_ok(convert(&t, &o, &err));
    assert_ok(lanert_model_open(model_path(), NULL, &model, &err));
    assert_memory_equal(model_describe(model)->prior_ys, stored, sizeof stored);
    lanert_model_close(&model);
    t = open_tiny("resnet18");
    tiny_clrnet_find(&t, "heads.prior_ys")->data[1] = 0.9826f;
    assert_fails(convert(&t, &o, &err), LANERT_EFORMAT, "heads.prior_ys holds 0.9826 at element 1");
}

static void says_nothing_of_even_rows(void **state)
{
    (void)state;
    lanert_error err;
    lanert_convert_options o = culane();
    tiny_clrnet t = open_tiny("resnet18");
    assert_ok(convert(&t, &o, &err));
    Onnx__ModelProto *m = onnx_file_open(model_path());
    assert_null(onnx_file_metadata(m, METADATA_PRIOR_YS));
    onnx__model_proto__free_unpacked(m, NULL);
    t = open_tiny("resnet18");
    tiny_clrnet_find(&t, "heads.prior_ys")->data[5] += 0x1p-24f;
    assert_ok(convert(&t, &o, &err));
    m = onnx_file_open(model_path());
    assert_non_null(onnx_file_metadata(m, METADATA_PRIOR_YS));
    onnx__model_proto__free_unpacked(m, NULL);
}

static void refuses_what_half_cannot_hold(void **state)
{
    (void)state;
    lanert_error err;
    lanert_convert_options o = culane();
    o.precision = LANERT_FP16;
    unlink(model_path());
    tiny_clrnet t = open_tiny("resnet18");
    tiny_clrnet_find(&t, "neck.fpn_convs.2.conv.bias")->data[1] = 1e6f;
    assert_fails(convert(&t, &o, &err), LANERT_EUNSUPPORTED, "neck.fpn_convs.2.conv.bias: holds 1e+06");
    assert_nothing_written();
}

/* Finite weights whose product is not. */
static void refuses_what_folds_to_infinity(void **state)
{
    (void)state;
    lanert_error err;
    lanert_convert_options o = culane();
    tiny_clrnet t = open_tiny("resnet18");
    tiny_clrnet_find(&t, "backbone.model.layer4.0.bn2.weight")->data[3] = 3e38f;
    tiny_clrnet_find(&t, "backbone.model.layer4.0.bn2.running_var")->data[3] = 0;
    assert_fails(convert(&t, &o, &err), LANERT_EUNSUPPORTED, "backbone.model.layer4.0.conv2.weight: holds ");
    assert_non_null(strstr(err.text, "float32 holds 3.40282e+38 at most"));
}

static void refuses_other_networks(void **state)
{
    (void)state;
    lanert_error err;
    lanert_convert_options o = culane();
    tiny_clrnet t = open_tiny("resnet18");
    for (size_t i = t.count; i-- > 0;)
        if (!strncmp(t.tensors[i].name, "heads.", 6))
            tiny_clrnet_remove(&t, t.tensors[i].name);
    assert_fails(convert(&t, &o, &err), LANERT_EUNSUPPORTED, "none is named heads.");
}

static void refuses_wrong_options(void **state)
{
    (void)state;
    lanert_error err;
    lanert_convert_options o = culane();
    tiny_clrnet t = open_tiny("resnet18");
    write_checkpoint(&t);
    o.preset = NULL;
    assert_fails(lanert_convert(checkpoint_path(), model_path(), &o, &err), LANERT_EINVAL, "preset is not given");
    o.preset = "kitti";
    assert_fails(lanert_convert(checkpoint_path(), model_path(), &o, &err), LANERT_EINVAL, "'kitti'");
    o = culane();
    o.precision = LANERT_BF16;
    assert_fails(lanert_convert(checkpoint_path(), model_path(), &o, &err), LANERT_EINVAL, "precision is bf16");
    o = culane();
    o.outputs = 0;
    assert_fails(lanert_convert(checkpoint_path(), model_path(), &o, &err), LANERT_EINVAL, "outputs is 0");
    o = culane();
    o.keep_priors = 3;
    assert_fails(lanert_convert(checkpoint_path(), model_path(), &o, &err), LANERT_EINVAL,
                 "keep_priors is 3; expected 4");
    o.keep_priors = 0;
    o.shrink = 3;
    assert_fails(lanert_convert(checkpoint_path(), model_path(), &o, &err), LANERT_EINVAL, "shrink is 3");
    o = culane();
    assert_fails(lanert_convert(checkpoint_path(), NULL, &o, &err), LANERT_EINVAL, "NULL");
}

static void writes_over_nothing_unasked(void **state)
{
    (void)state;
    lanert_error err;
    lanert_convert_options o = culane();
    tiny_clrnet t = open_tiny("resnet18");
    assert_ok(convert(&t, &o, &err));
    o.force = false;
    assert_fails(lanert_convert(checkpoint_path(), model_path(), &o, &err), LANERT_EEXIST, "net.onnx");
    o.force = true;
    assert_fails(lanert_convert(checkpoint_path(), checkpoint_path(), &o, &err), LANERT_EINVAL,
                 "is the checkpoint itself");
    assert_fails(lanert_convert(temp_path(folder, "none.pth"), model_path(), &o, &err), LANERT_ENOTFOUND, "none.pth");
    assert_fails(lanert_convert(model_path(), temp_path(folder, "b.onnx"), &o, &err), LANERT_EFORMAT, "net.onnx");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(converts_every_backbone),
        cmocka_unit_test(folds_the_first_norm_and_the_255),
        cmocka_unit_test(writes_the_outputs_asked_for),
        cmocka_unit_test(writes_half_precision),
        cmocka_unit_test(shrinks_the_picture),
        cmocka_unit_test(leaves_priors_out),
        cmocka_unit_test(keeps_the_stored_priors),
        cmocka_unit_test(does_without_what_is_for_training),
        cmocka_unit_test(names_all_that_is_wrong),
        cmocka_unit_test(counts_what_it_cannot_list),
        cmocka_unit_test(refuses_a_negative_variance),
        cmocka_unit_test(refuses_other_rows),
        cmocka_unit_test(tells_rounded_rows),
        cmocka_unit_test(says_nothing_of_even_rows),
        cmocka_unit_test(refuses_what_half_cannot_hold),
        cmocka_unit_test(refuses_what_folds_to_infinity),
        cmocka_unit_test(refuses_other_networks),
        cmocka_unit_test(refuses_wrong_options),
        cmocka_unit_test(writes_over_nothing_unasked),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

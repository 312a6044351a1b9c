#include "engine/tensorrt_shim.h"

#include <NvInfer.h>
#include <NvOnnxParser.h>

#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>

using namespace nvinfer1;

extern "C" __attribute__((visibility("default"))) const tensorrt_shim lanert_tensorrt_shim;

namespace
{

/* What TensorRT complained of first on this thread since complaints were looked at: those that follow it say less. */
thread_local char complaint[640];

class listener : public ILogger
{
  public:
    void log(Severity severity, AsciiChar const *message) noexcept override
    {
        if (severity <= Severity::kERROR && !complaint[0])
            for (size_t i = 0; i + 1 < sizeof complaint && message[i]; i++)
                complaint[i] = static_cast<unsigned char>(message[i]) < ' ' ? ' ' : message[i];
    }
};

/* TensorRT keeps the first logger that it is given, whoever made it, for functions that belong to nothing: so there is
 * one, which nothing destroys. */
alignas(listener) unsigned char logger_place[sizeof(listener)];
listener &logger = *new (logger_place) listener;

void forget_complaint()
{
    std::memset(complaint, 0, sizeof complaint);
}

/* Sets the error to what TensorRT said, which is then forgotten. */
int complain(lanert_error *err, int code, const char *what)
{
    if (err) {
        err->code = code;
        snprintf(err->text, sizeof err->text, "%s: %s", what, complaint[0] ? complaint : "TensorRT does not say why");
    }
    forget_complaint();
    return code;
}

__attribute__((format(printf, 3, 4))) int fail(lanert_error *err, int code, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        err->code = code;
        vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
    }
    return code;
}

/* What one of TensorRT's functions made. Where CUDA does not start, those of 10.16 and 11.1 give no NULL but an address
 * next to it: what was complained of tells. */
template <class T> std::unique_ptr<T> made(void *object)
{
    return std::unique_ptr<T>(complaint[0] ? nullptr : static_cast<T *>(object));
}

/* ---- building -------------------------------------------------------------------------------- */

/* What the types of the graph and its pairs of Q and DQ ask for. */
const char *precision_of(const INetworkDefinition &network)
{
    const char *precision = "fp32";
    for (int i = 0; i < network.getNbLayers(); i++) {
        const ILayer &layer = *network.getLayer(i);
        if (layer.getType() == LayerType::kQUANTIZE)
            return "int8";
        for (int j = 0; j < layer.getNbOutputs(); j++)
            if (layer.getOutput(j)->getType() == DataType::kHALF)
                precision = "fp16";
    }
    return precision;
}

#if NV_TENSORRT_MAJOR < 10
/* Comparisons put out truths: what they compute in is the type of what goes in. */
DataType computed_in(const ILayer &layer)
{
    if (layer.getType() == LayerType::kELEMENTWISE)
        return layer.getInput(0)->getType();
    return layer.getNbOutputs() ? layer.getOutput(0)->getType() : DataType::kINT32;
}

/* Before 10 TensorRT chose among the types that were allowed. Of int8, Q and DQ say where it is, and all else has
 * float32 alone to choose; of float16, each layer is held to its own type. */
void hold_types(INetworkDefinition &network, IBuilderConfig &config, const char *precision)
{
    if (!strcmp(precision, "int8"))
        config.setFlag(BuilderFlag::kINT8);
    if (strcmp(precision, "fp16"))
        return;
    config.setFlag(BuilderFlag::kFP16);
    config.setFlag(BuilderFlag::kOBEY_PRECISION_CONSTRAINTS);
    for (int i = 0; i < network.getNbLayers(); i++) {
        ILayer &layer = *network.getLayer(i);
        DataType type = computed_in(layer);
        if (layer.getType() != LayerType::kCONSTANT && (type == DataType::kFLOAT || type == DataType::kHALF))
            layer.setPrecision(type);
    }
}
constexpr uint32_t network_flags = 1U << static_cast<uint32_t>(NetworkDefinitionCreationFlag::kEXPLICIT_BATCH);
#else
void hold_types(INetworkDefinition &, IBuilderConfig &, const char *)
{
}
#if NV_TENSORRT_MAJOR < 11
constexpr uint32_t network_flags = 1U << static_cast<uint32_t>(NetworkDefinitionCreationFlag::kSTRONGLY_TYPED);
#else
constexpr uint32_t network_flags = 0; /* all are strongly typed */
#endif
#endif

/* The batches that inputs whose first dimension is free may have. */
int set_profile(IBuilder &builder, const INetworkDefinition &network, IBuilderConfig &config, const tensorrt_build *b,
                lanert_error *err)
{
    IOptimizationProfile *profile = builder.createOptimizationProfile();
    if (!profile)
        return fail(err, LANERT_ENOMEM, "out of memory");
    for (int i = 0; i < network.getNbInputs(); i++) {
        const ITensor &input = *network.getInput(i);
        Dims dims = input.getDimensions();
        const struct {
            OptProfileSelector selector;
            int batch;
        } sizes[] = {{OptProfileSelector::kMIN, b->min_batch},
                     {OptProfileSelector::kOPT, b->opt_batch},
                     {OptProfileSelector::kMAX, b->max_batch}};
        for (int j = 1; j < dims.nbDims; j++)
            if (dims.d[j] < 0)
                return fail(err, LANERT_EUNSUPPORTED, "input \"%s\" leaves dim %d open; only the first may be",
                            input.getName(), j);
        if (dims.nbDims == 0 || dims.d[0] >= 0)
            continue;
        for (const auto &size : sizes) {
            dims.d[0] = size.batch;
            profile->setDimensions(input.getName(), size.selector, dims);
        }
    }
    config.addOptimizationProfile(profile);
    return 0;
}

/* Float32 stays float32: TensorFloat-32 keeps 10 bits of 23. */
int configure(IBuilderConfig &config, const tensorrt_build *b, std::unique_ptr<ITimingCache> &timing, lanert_error *err)
{
    config.clearFlag(BuilderFlag::kTF32);
    if (b->workspace)
        config.setMemoryPoolLimit(MemoryPoolType::kWORKSPACE, b->workspace);
    if (b->version_compatible)
        config.setFlag(BuilderFlag::kVERSION_COMPATIBLE);
    if (!b->timed)
        return 0;
    timing.reset(config.createTimingCache(b->timing, b->timing_size));
    if (!timing || !config.setTimingCache(*timing, false))
        return complain(err, LANERT_EFORMAT,
                        "the timing cache is of another GPU or release, or damaged; name another file for it");
    return 0;
}

int parse(nvonnxparser::IParser &parser, const tensorrt_build *b, lanert_error *err)
{
    if (parser.parse(b->onnx, b->onnx_size, b->path))
        return 0;
    if (parser.getNbErrors() < 1)
        return complain(err, LANERT_EFORMAT, "reading the model");
    const nvonnxparser::IParserError &first = *parser.getError(0);
    return fail(err, LANERT_EFORMAT, "reading the model: node %d: %.600s", first.node(), first.desc());
}

bool is_among(const char *const *names, const char *name)
{
    while (*names && strcmp(*names, name))
        names++;
    return *names;
}

/* TensorRT computes whatever is an output, bound or not. */
int leave_out(INetworkDefinition &network, const char *const *outputs, lanert_error *err)
{
    for (int i = network.getNbOutputs() - 1; i >= 0; i--)
        if (!is_among(outputs, network.getOutput(i)->getName()))
            network.unmarkOutput(*network.getOutput(i));
    return network.getNbOutputs()
               ? 0
               : fail(err, LANERT_EINVAL, "the model has no output \"%.63s\"", *outputs ? *outputs : "");
}

void keep(std::unique_ptr<IHostMemory> memory, tensorrt_blob *blob)
{
    if (memory)
        *blob = {memory->data(), memory->size(), memory.get()};
    memory.release();
}

int build(const tensorrt_functions *f, const tensorrt_build *b, tensorrt_built *built, lanert_error *err)
{
    int rc;
    forget_complaint();
    std::unique_ptr<IBuilder> builder = made<IBuilder>(f->create_builder(&logger, NV_TENSORRT_VERSION));
    if (!builder)
        return complain(err, LANERT_EENGINE, "starting TensorRT's builder");
    std::unique_ptr<INetworkDefinition> network(builder->createNetworkV2(network_flags));
    std::unique_ptr<IBuilderConfig> config(builder->createBuilderConfig());
    std::unique_ptr<nvonnxparser::IParser> parser;
    if (network)
        parser = made<nvonnxparser::IParser>(
            f->create_parser(network.get(), &logger, static_cast<int>(NV_ONNX_PARSER_VERSION)));
    if (!config || !parser)
        return complain(err, LANERT_EENGINE, "starting TensorRT's parser");
    if ((rc = parse(*parser, b, err)) || (b->outputs && (rc = leave_out(*network, b->outputs, err))))
        return rc;
    built->precision = precision_of(*network);
    if (b->precision && strcmp(b->precision, built->precision))
        return fail(
            err, LANERT_EUNSUPPORTED,
            "the model is %s, not %s as asked: TensorRT computes in the model's own types, which 'lanert convert "
            "--precision' chooses",
            built->precision, b->precision);
    hold_types(*network, *config, built->precision);
    std::unique_ptr<ITimingCache> timing;
    if ((rc = configure(*config, b, timing, err)) || (rc = set_profile(*builder, *network, *config, b, err)))
        return rc;
    keep(std::unique_ptr<IHostMemory>(builder->buildSerializedNetwork(*network, *config)), &built->plan);
    if (!built->plan.data)
        return complain(err, LANERT_EENGINE, "building");
    if (timing)
        keep(std::unique_ptr<IHostMemory>(timing->serialize()), &built->timing);
    return 0;
}

void release(tensorrt_blob *blob)
{
    delete static_cast<IHostMemory *>(blob->owner);
    *blob = {};
}

/* ---- running --------------------------------------------------------------------------------- */

} // namespace

/* Members go in the reverse order. */
struct tensorrt_session {
    std::unique_ptr<IRuntime> runtime;
    std::unique_ptr<ICudaEngine> engine;
    std::unique_ptr<IExecutionContext> context;
};

namespace
{

/* A plan that runs on later releases brings a runtime of its own along, as code of the host. */
int open(const tensorrt_functions *f, const void *plan, size_t size, tensorrt_session **out, lanert_error *err)
{
    std::unique_ptr<tensorrt_session> s(new (std::nothrow) tensorrt_session);
    if (!s)
        return fail(err, LANERT_ENOMEM, "out of memory");
    forget_complaint();
    s->runtime = made<IRuntime>(f->create_runtime(&logger, NV_TENSORRT_VERSION));
    if (!s->runtime)
        return complain(err, LANERT_EENGINE, "starting TensorRT");
    s->runtime->setEngineHostCodeAllowed(true);
    s->engine.reset(s->runtime->deserializeCudaEngine(plan, size));
    if (!s->engine)
        return complain(err, LANERT_EENGINE, "loading the plan");
    s->context.reset(s->engine->createExecutionContext());
    if (!s->context)
        return complain(err, LANERT_EENGINE, "making a context");
    *out = s.release();
    return 0;
}

void close(tensorrt_session *s)
{
    delete s;
}

int type_of(DataType type)
{
    switch (type) {
    case DataType::kUINT8:
        return TENSOR_U8;
    case DataType::kFLOAT:
        return TENSOR_F32;
    case DataType::kHALF:
        return TENSOR_F16;
    case DataType::kINT32:
        return TENSOR_I32;
#if NV_TENSORRT_MAJOR >= 10
    case DataType::kINT64:
        return TENSOR_I64;
#endif
    default:
        return -1;
    }
}

int set_dims(tensor *t, const Dims &dims, lanert_error *err)
{
    if (dims.nbDims < 0 || dims.nbDims > TENSOR_MAX_RANK)
        return fail(err, LANERT_EUNSUPPORTED, "tensor \"%s\" has rank %d; 0 to %d are handled", t->name, dims.nbDims,
                    TENSOR_MAX_RANK);
    t->rank = dims.nbDims;
    for (int i = 0; i < dims.nbDims; i++)
        t->dims[i] = dims.d[i];
    return 0;
}

int describe(tensorrt_session *s, int i, tensor *t, bool *is_input, lanert_error *err)
{
    const ICudaEngine &engine = *s->engine;
    if (i >= engine.getNbIOTensors())
        return LANERT_END;
    const char *name = engine.getIOTensorName(i);
    int type = type_of(engine.getTensorDataType(name));
    if (strlen(name) >= sizeof t->name || type < 0 || engine.getTensorLocation(name) != TensorLocation::kDEVICE)
        return fail(err, LANERT_EUNSUPPORTED, "tensor \"%.100s\" has a name, type (%d) or place that is not handled",
                    name, static_cast<int>(engine.getTensorDataType(name)));
    *t = {};
    strcpy(t->name, name);
    t->type = static_cast<tensor_type>(type);
    *is_input = engine.getTensorIOMode(name) == TensorIOMode::kINPUT;
    return set_dims(t, engine.getTensorShape(name), err);
}

int bind(tensorrt_session *s, const tensor *t, bool is_input, lanert_error *err)
{
    Dims dims{};
    dims.nbDims = t->rank;
    for (int i = 0; i < t->rank; i++)
        dims.d[i] = static_cast<decltype(dims.d[0] + 0)>(t->dims[i]);
    if (is_input && !s->context->setInputShape(t->name, dims))
        return complain(err, LANERT_EINVAL, "the plan was not built for this batch");
    if (!s->context->setTensorAddress(t->name, t->data))
        return complain(err, LANERT_EENGINE, t->name);
    return 0;
}

int infer_dims(tensorrt_session *s, tensor *t, lanert_error *err)
{
    return set_dims(t, s->context->getTensorShape(t->name), err);
}

int enqueue(tensorrt_session *s, void *stream, lanert_error *err)
{
    return s->context->enqueueV3(static_cast<cudaStream_t>(stream))
               ? 0
               : complain(err, LANERT_EENGINE, "running the model");
}

} // namespace

const tensorrt_shim lanert_tensorrt_shim = {
    TENSORRT_SHIM_INTERFACE, NV_TENSORRT_MAJOR, build, release, open, close, describe, bind, infer_dims, enqueue};

#include "engine/tensorrt_library.h"

#include "base/memory.h"

/* Major releases, the newest first. */
static const int majors[] = {11, 10, 8};

#define ADVICE "install TensorRT of that release (developer.nvidia.com/tensorrt), or set LANERT_ENGINES to its folder"

static int open_file(const char *stem, int major, engine_library *library, lanert_error *err)
{
    char file[48];
    snprintf(file, sizeof file, "%s.so.%d", stem, major);
    return engine_library_open("tensorrt", file, file, ADVICE, library, err);
}

static int open_shim(int major, tensorrt_library *lib, lanert_error *err)
{
    void *table;
    int rc = open_file("liblanert_tensorrt", major, &lib->shim_library, err);
    if (rc || (rc = engine_library_function(&lib->shim_library, TENSORRT_SHIM_NAME, &table, err)))
        return rc;
    lib->shim = table;
    if (lib->shim->interface != TENSORRT_SHIM_INTERFACE)
        return error_set(err, LANERT_EENGINE, "%s is of another lanert: build or install both together",
                         lib->shim_library.path);
    return 0;
}

/* The whole of TensorRT, or else its lean runtime; the message is that of the former. */
static int open_runtime(int major, tensorrt_library *lib, lanert_error *err)
{
    if (!open_file("libnvinfer", major, &lib->runtime, NULL) ||
        !open_file("libnvinfer_lean", major, &lib->runtime, NULL))
        return 0;
    return open_file("libnvinfer", major, &lib->runtime, err);
}

static int ask_version(tensorrt_library *lib, lanert_error *err)
{
    int32_t (*get_version)(void);
    int rc = engine_library_function(&lib->runtime, "getInferLibVersion", &get_version, err);
    if (rc)
        return rc;
    /* 8.6.1 is 8601, 10.16.1 is 101601. */
    int version = get_version(), step = version < 10000 ? 10 : 100;
    snprintf(lib->version, sizeof lib->version, "%d.%d.%d", version / 100 / step, version / 100 % step, version % 100);
    return engine_library_function(&lib->runtime, "createInferRuntime_INTERNAL", &lib->functions.create_runtime, err);
}

int tensorrt_library_open(tensorrt_library *lib, lanert_error *err)
{
    lanert_error why, first = {0};
    *lib = (tensorrt_library){0};
    for (size_t i = 0; i < ARRAY_LEN(majors); i++) {
        int rc = open_shim(majors[i], lib, &why);
        if (rc && rc != LANERT_ENOTFOUND)
            return error_set(err, rc, "%s", why.text);
        if (!rc && !(rc = open_runtime(majors[i], lib, &why)))
            return ask_version(lib, err);
        if (lib->shim && !first.code)
            first = why;
        tensorrt_library_close(lib);
    }
    if (first.code)
        return error_set(err, first.code, "%s", first.text);
    return error_set(err, LANERT_ENOTFOUND,
                     "this lanert was built without it, as its headers NvInfer.h and NvOnnxParser.h were not there");
}

int tensorrt_library_open_builder(tensorrt_library *lib, lanert_error *err)
{
    int rc;
    if (engine_library_function(&lib->runtime, "createInferBuilder_INTERNAL", &lib->functions.create_builder, NULL))
        return error_set(err, LANERT_ENOTFOUND,
                         "%s runs what was built but cannot build: install the whole of TensorRT %s", lib->runtime.path,
                         lib->version);
    if ((rc = open_file("libnvonnxparser", lib->shim->major, &lib->parser, err)))
        return rc;
    return engine_library_function(&lib->parser, "createNvOnnxParser_INTERNAL", &lib->functions.create_parser, err);
}

void tensorrt_library_close(tensorrt_library *lib)
{
    engine_library_close(&lib->parser);
    engine_library_close(&lib->runtime);
    engine_library_close(&lib->shim_library);
    *lib = (tensorrt_library){0};
}

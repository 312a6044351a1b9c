/* tensorrt_build.h - building plans. */
#ifndef ENGINE_TENSORRT_BUILD_H
#define ENGINE_TENSORRT_BUILD_H

#include "base/engine_file.h"
#include "engine/cuda.h"
#include "engine/tensorrt_library.h"

typedef struct tensorrt_order {
    const char *path;           /* of the model; for weights kept beside it, and messages */
    engine_file file;           /* the model, and in the stamp how to build it */
    const char *precision;      /* what the model must be; NULL: whatever it is */
    const char *const *outputs; /* as engine_options has them */
    const char *timing_path;    /* measurements: read where they are there, and written; NULL: none */
} tensorrt_order;

/* Fills in the stamp's texts of this machine: TensorRT, GPU, driver. */
int tensorrt_stamp_here(const tensorrt_library *lib, int gpu, engine_stamp *stamp, lanert_error *err);
/* Builds the plan, which takes minutes, and commits the engine file. */
int tensorrt_build_file(tensorrt_order *order, tensorrt_library *lib, cuda *gpu, file_writer *w, lanert_error *err);

/* lanert_build, of some of the model's outputs. */
int tensorrt_build_model(const char *model, const char *output, const lanert_build_options *options,
                         const char *const *outputs, lanert_error *err);

#endif

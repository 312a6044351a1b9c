/* tensorrt_plan.h - the plan that runs a model on this machine: the one that the file has, or one that was built of it
 * before and kept in our cache folder, or a new one. */
#ifndef ENGINE_TENSORRT_PLAN_H
#define ENGINE_TENSORRT_PLAN_H

#include "base/engine_file.h"
#include "base/file.h"
#include "engine/cuda.h"
#include "engine/tensorrt_library.h"

typedef struct tensorrt_plan {
    file_map map; /* of the file that it is in */
    engine_file file;
} tensorrt_plan;

/* For the GPU that is open, and options->batch frames. What takes minutes is told options->on_note first. */
int tensorrt_plan_open(const char *path, const engine_options *options, tensorrt_library *lib, cuda *gpu,
                       tensorrt_plan *plan, lanert_error *err);
void tensorrt_plan_close(tensorrt_plan *plan);

#endif

/* tensorrt_library.h - TensorRT as it is found on this machine: its libraries, and the shim that was built for them. */
#ifndef ENGINE_TENSORRT_LIBRARY_H
#define ENGINE_TENSORRT_LIBRARY_H

#include "engine/engine_library.h"
#include "engine/tensorrt_shim.h"

typedef struct tensorrt_library {
    engine_library runtime, parser, shim_library;
    const tensorrt_shim *shim;
    tensorrt_functions functions;
    char version[32]; /* "10.16.1" */
} tensorrt_library;

/* The newest release that has a shim: the whole of it, or its lean runtime, which runs version-compatible plans alone.
 * LANERT_ENOTFOUND with what to install. To be closed also where it fails. */
int tensorrt_library_open(tensorrt_library *lib, lanert_error *err);
/* Makes it able to build. LANERT_ENOTFOUND where it is the lean runtime, or the parser is not there. */
int tensorrt_library_open_builder(tensorrt_library *lib, lanert_error *err);
void tensorrt_library_close(tensorrt_library *lib);

#endif

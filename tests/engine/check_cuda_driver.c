/* check_cuda_driver.c - holds our declarations of the driver's functions to NVIDIA's own, where the toolkit is there.
 * Compiling it is the test. */
#include <cuda.h>

#include "engine/cuda_driver.h"

#define SAME(name, parameters)                                                                                         \
    _Static_assert(__builtin_types_compatible_p(__typeof__(((cuda_driver *)0)->name), __typeof__(&(name))),            \
                   #name " is not declared as in cuda.h");
CUDA_FUNCTIONS(SAME)

/* What stands in for the types and constants where cuda.h is not there. */
_Static_assert(sizeof(CUresult) == sizeof(int) && sizeof(CUdevice_attribute) == sizeof(int) &&
                   sizeof(CUstreamCaptureMode) == sizeof(int),
               "enumerations are ints");
_Static_assert(__builtin_types_compatible_p(CUdevice, int), "CUdevice");
_Static_assert(__builtin_types_compatible_p(CUdeviceptr, unsigned long long), "CUdeviceptr");
_Static_assert(__builtin_types_compatible_p(CUcontext, struct CUctx_st *), "CUcontext");
_Static_assert(__builtin_types_compatible_p(CUstream, struct CUstream_st *), "CUstream");
_Static_assert(CUDA_SUCCESS == 0 && CUDA_ERROR_OUT_OF_MEMORY == 2 && CUDA_ERROR_NO_DEVICE == 100, "results");
_Static_assert(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR == 75 && CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR == 76,
               "attributes");
_Static_assert(__builtin_types_compatible_p(CUgraph, struct CUgraph_st *), "CUgraph");
_Static_assert(__builtin_types_compatible_p(CUgraphExec, struct CUgraphExec_st *), "CUgraphExec");
_Static_assert(CU_STREAM_NON_BLOCKING == 1 && CU_MEMHOSTALLOC_PORTABLE == 1 && CU_STREAM_CAPTURE_MODE_GLOBAL == 0 &&
                   CU_STREAM_CAPTURE_MODE_THREAD_LOCAL == 1,
               "flags");

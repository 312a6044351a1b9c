/* fake_tensorrt.h - TensorRT as tests play it: the shim, and the libraries behind it, in one. A plan is the model, and
 * ONNX Runtime computes it when fake_cuda.h's stream comes to it.
 *
 * A test that opens the same file has its state under the name "fake_tensorrt_state". */
#ifndef ENGINE_FAKE_TENSORRT_H
#define ENGINE_FAKE_TENSORRT_H

#include <stdbool.h>

typedef struct fake_tensorrt {
    int version;           /* as getInferLibVersion gives it; 0: 110100 */
    const char *precision; /* of all models; NULL: "fp32" */
    bool fail_build, fail_open, fail_enqueue;

    /* Told. */
    char outputs[64]; /* "y z " of the last build; "all" */
    char build[512];  /* "precision=any workspace=0 batch=1,1,1 compatible=0 timed=0 timing=" of the last */

    /* Counted; set them to 0. */
    int builds, sessions, live;
} fake_tensorrt;

#endif

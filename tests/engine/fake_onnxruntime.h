/* fake_onnxruntime.h - ONNX Runtime with providers for GPUs, as tests play it: the real library, which computes on the
 * processor, under the options and with the memory of fake_cuda.h's GPU.
 *
 * A test that opens the same file has its state under the name "fake_onnxruntime_state". */
#ifndef ENGINE_FAKE_ONNXRUNTIME_H
#define ENGINE_FAKE_ONNXRUNTIME_H

#include <stdbool.h>

typedef struct fake_onnxruntime {
    bool plain;              /* built without the providers */
    const char *version;     /* NULL: the real one */
    bool no_library;         /* the providers' libraries do not load */
    bool fail_graph_session; /* a session that is to record a graph cannot be made */
    bool fail_graph_run;     /* nor run */
    bool fail_session;       /* no session can be made, from the second on */
    int fail_run;            /* the run (1, 2 …) that fails; 0: none */
    int fail_at;             /* the call (1, 2 …) for a GPU that fails; 0: none */
    bool fail_for_good;      /* and all after it */

    /* Told: "device_id=0 use_tf32=0 …" of the last options set. */
    char cuda[256], tensorrt[1024];
    void *cuda_stream, *tensorrt_stream;
    char order[64]; /* of the providers of the last session: "tensorrt cuda " */
    char run[256];  /* of the last run's options */

    /* Counted; set them to 0. */
    int sessions, runs, calls;
    int outside; /* sessions and runs on a GPU that was not made current */
    int live;    /* options that were not given back */
} fake_onnxruntime;

#endif

/* engine_null.h - an engine that needs no SDK: canned tensors, programmable delay and failure. For tests
 * of everything above; engine_open knows it by the name "null", auto never chooses it. */
#ifndef ENGINE_ENGINE_NULL_H
#define ENGINE_ENGINE_NULL_H

#include "engine/engine.h"

extern const engine_ops engine_null_ops;

/* What an engine opened with this script will do. The memory is the test's; the engine counts runs in it. */
typedef struct null_script {
    /* As a model would declare them, -1 where dynamic. An output's data is what each run copies out: the
     * elements of one frame (all dims but the first), dense; repeated over dim 0. NULL: zeros. */
    tensor inputs[ENGINE_MAX_TENSORS], outputs[ENGINE_MAX_TENSORS];
    int input_count, output_count;
    int delay_us;                  /* of each run */
    void (*on_run)(void *context); /* called at the start of each run; may be NULL */
    void *context;
    unsigned reduced;           /* what it has below float32 */
    lanert_precision precision; /* as opened last */
    int fail_at;                /* the run (1, 2 …) that fails; 0: none */
    int fail_open;              /* non-zero: open fails */
    int runs;                   /* counted */
} null_script;

/* Registers a script, and gives the model path ("null:3") under which engine_open("null", …) finds it, until
 * 64 others were registered. Registering it again gives the same path. */
void null_script_path(null_script *script, char path[32]);

#endif

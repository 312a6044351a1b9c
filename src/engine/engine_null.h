/* engine_null.h - an engine that needs no SDK: canned tensors, programmable delay and failure. For tests
 * of everything above; never chosen by auto. */
#ifndef ENGINE_ENGINE_NULL_H
#define ENGINE_ENGINE_NULL_H

#include "engine/engine.h"

extern const engine_ops engine_null_ops;

/* What the next engine_open("null:<id>", …) will do. Scripts are registered by the test, by number, and
 * read by "null:3" and the like; the memory stays the test's. */
typedef struct null_script {
    tensor inputs[ENGINE_MAX_TENSORS],
        outputs[ENGINE_MAX_TENSORS]; /* output data: what each run copies out, for one frame; repeated over N */
    int input_count, output_count;
    int delay_us;  /* of each run */
    int fail_at;   /* the run (1, 2 …) that fails; 0: none */
    int fail_open; /* non-zero: open fails */
    int runs;      /* counted */
} null_script;

/* The model "path" of a null engine is the script's address as printed by this. */
void null_script_path(const null_script *script, char path[32]);

#endif

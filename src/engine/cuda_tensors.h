/* cuda_tensors.h - bound tensors' twins in a GPU's memory: inputs go up, and outputs come down, one copy each. */
#ifndef ENGINE_CUDA_TENSORS_H
#define ENGINE_CUDA_TENSORS_H

#include "engine/cuda.h"
#include "engine/engine.h"

/* Zero-initialise, set `gpu`. */
typedef struct cuda_tensors {
    cuda *gpu;   /* borrowed; must outlive this */
    void *block; /* of the GPU's memory, for all twins */
    size_t capacity;
    tensor inputs[ENGINE_MAX_TENSORS],
        outputs[ENGINE_MAX_TENSORS]; /* as bound, but data is on the GPU; NULL as there */
    void *inputs_host[ENGINE_MAX_TENSORS], *outputs_host[ENGINE_MAX_TENSORS];
    int input_count, output_count;
} cuda_tensors;

/* Takes over shapes and addresses, as engine_ops' bind is given them. Without effect where it fails. */
int cuda_tensors_bind(cuda_tensors *t, const tensor *inputs, int input_count, const tensor *outputs, int output_count,
                      lanert_error *err);
/* Both are put on the stream. */
int cuda_tensors_upload(cuda_tensors *t, lanert_error *err);
int cuda_tensors_download(cuda_tensors *t, lanert_error *err);
void cuda_tensors_free(cuda_tensors *t);

#endif

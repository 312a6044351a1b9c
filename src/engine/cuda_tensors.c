#include "engine/cuda_tensors.h"

#include "base/memory.h"

/* What cudaMalloc's own addresses are aligned to, which kernels may count on. */
#define ALIGNMENT 256

static size_t bytes_of(const tensor *t)
{
    return t->data ? (size_t)tensor_elements(t) * tensor_type_size(t->type) : 0;
}

static size_t padded(size_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* The wrapper has checked that no tensor's bytes overflow an int64_t; their sum is checked here. */
static int measure(const tensor *list, int count, size_t *total, lanert_error *err)
{
    for (int i = 0; i < count; i++)
        if (bytes_of(&list[i]) > SIZE_MAX / 2 || __builtin_add_overflow(*total, padded(bytes_of(&list[i])), total))
            return error_set(err, LANERT_ELIMIT, "tensor \"%s\" is larger than any memory", list[i].name);
    return 0;
}

static char *place(const tensor *list, int count, char *at, tensor *twins, void **hosts)
{
    for (int i = 0; i < count; i++) {
        twins[i] = list[i];
        hosts[i] = list[i].data;
        if (list[i].data)
            twins[i].data = at;
        at += padded(bytes_of(&list[i]));
    }
    return at;
}

int cuda_tensors_bind(cuda_tensors *t, const tensor *inputs, int input_count, const tensor *outputs, int output_count,
                      lanert_error *err)
{
    size_t total = 0;
    void *block;
    int rc;
    if ((rc = measure(inputs, input_count, &total, err)) || (rc = measure(outputs, output_count, &total, err)))
        return rc;
    if (total > t->capacity) {
        if ((rc = cuda_allocate(t->gpu, total, &block, err)))
            return rc;
        cuda_free(t->gpu, t->block);
        t->block = block;
        t->capacity = total;
    }
    char *at = place(inputs, input_count, t->block, t->inputs, t->inputs_host);
    place(outputs, output_count, at, t->outputs, t->outputs_host);
    t->input_count = input_count;
    t->output_count = output_count;
    return 0;
}

int cuda_tensors_upload(cuda_tensors *t, lanert_error *err)
{
    int rc = 0;
    for (int i = 0; !rc && i < t->input_count; i++)
        rc = cuda_upload(t->gpu, t->inputs[i].data, t->inputs_host[i], bytes_of(&t->inputs[i]), err);
    return rc;
}

int cuda_tensors_download(cuda_tensors *t, lanert_error *err)
{
    int rc = 0;
    for (int i = 0; !rc && i < t->output_count; i++)
        if (t->outputs[i].data)
            rc = cuda_download(t->gpu, t->outputs_host[i], t->outputs[i].data, bytes_of(&t->outputs[i]), err);
    return rc;
}

void cuda_tensors_free(cuda_tensors *t)
{
    if (t->block)
        cuda_free(t->gpu, t->block);
    *t = (cuda_tensors){0};
}

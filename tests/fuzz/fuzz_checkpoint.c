/* Opens any bytes as a checkpoint and reads every tensor of a moderate size in it. */
#include "model/checkpoint.h"

/* A few bytes may state a view of the largest size allowed: reading it would only be slow. */
#define MAX_ELEMENTS 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static float out[MAX_ELEMENTS];
    lanert_error err;
    checkpoint *ck;
    if (checkpoint_open_memory(data, size, "fuzz", &ck, &err))
        return 0;
    for (int i = 0; i < checkpoint_count(ck); i++) {
        const checkpoint_tensor *t = checkpoint_at(ck, i);
        if (checkpoint_find(ck, t->name) != t)
            abort();
        if (t->elements <= MAX_ELEMENTS)
            (void)checkpoint_read(t, out, &err);
    }
    checkpoint_close(&ck);
    return 0;
}

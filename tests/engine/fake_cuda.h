/* fake_cuda.h - a driver that tests play: libcuda.so.1 with the same functions, whose device is the host's memory and
 * whose calls fail as told.
 *
 * Copies wait on their stream until something waits for it, as on a GPU, so that who looks too early, or gives memory
 * back too early, is found out. The engine finds it as it finds the real one, by LANERT_ENGINES; a test that opens the
 * same file has its state under the name "fake_cuda_state". */
#ifndef ENGINE_FAKE_CUDA_H
#define ENGINE_FAKE_CUDA_H

#include <stdbool.h>

typedef struct fake_cuda {
    int gpus;
    int fail_init; /* what cuInit gives */
    int fail_at;   /* the call (1, 2 …) that fails with fail_with; 0: none. A context that is sound is made current
                    * without fail */
    int fail_with;
    bool lost; /* and all after it fail likewise */

    /* Counted; set them to 0. */
    int calls, uploads, downloads, waits;
    int live;    /* holds on the context, and streams and blocks of memory in it, not given back */
    int left;    /* streams and blocks that were there still when the context went, and them with it */
    int current; /* contexts made current and not put away, of all threads */
} fake_cuda;

#endif

/* fake_cuda.h - a driver that tests play: libcuda.so.1 with the same functions, whose device is the host's memory and
 * whose calls fail as told.
 *
 * Copies wait on their stream until something waits for it, as on a GPU, so that who looks too early, or gives memory
 * back too early, is found out. The engine finds it as it finds the real one, by LANERT_ENGINES; a test that opens the
 * same file has its state under the name "fake_cuda_state". */
#ifndef ENGINE_FAKE_CUDA_H
#define ENGINE_FAKE_CUDA_H

#include <stdbool.h>

#include "engine/cuda_driver.h"

typedef struct fake_cuda {
    int gpus;
    int driver;    /* as cuDriverGetVersion gives it; 0: 13020 */
    int fail_init; /* what cuInit gives */
    int fail_at;   /* the call (1, 2 …) that fails with fail_with; 0: none. A context that is sound is made current
                    * without fail */
    int fail_with;
    bool lost;      /* and all after it fail likewise */
    bool no_graphs; /* recordings come to nothing */
    bool recording; /* another thread records, in the mode GLOBAL */

    /* Counted; set them to 0. */
    int calls, uploads, downloads, waits, replays;
    int waiting; /* copies and kernels that are on a stream, of all */
    int live;    /* holds on the context, and streams and blocks of memory in it, not given back */
    int left;    /* streams and blocks that were there still when the context went, and them with it */
    int mode;    /* of recording, of the thread */
    int current; /* contexts made current and not put away, of all threads */
} fake_cuda;

/* Puts work on a stream, as a kernel would be. */
typedef void fake_cuda_kernel(void *argument);
CUresult fake_cuda_launch(CUstream stream, fake_cuda_kernel *kernel, void *argument);

#endif

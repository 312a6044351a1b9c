/* cuda.h - an NVIDIA GPU: its memory, and one stream of work on it, through the driver, which is opened at run time.
 *
 * A handle belongs to one thread at a time, whichever: each call makes the GPU's primary context current, and leaves
 * the thread with the context that it had. What fails is LANERT_EENGINE, or LANERT_ENOMEM where the GPU's memory does
 * not suffice; after a kernel went wrong all calls fail, and only cuda_close is left. */
#ifndef ENGINE_CUDA_H
#define ENGINE_CUDA_H

#include "base/error.h"

typedef struct cuda cuda;

/* LANERT_ENOTFOUND, with what to install, where there is no driver, no GPU, or none of that index. */
int cuda_open(int index, cuda **c, lanert_error *err);
void cuda_close(cuda **c);

/* The stream, a CUstream, which is also a cudaStream_t. Work put on it must be of this GPU. */
void *cuda_stream(const cuda *c);

int cuda_allocate(cuda *c, size_t bytes, void **memory, lanert_error *err);
void cuda_free(cuda *c, void *memory);
/* Memory of the host that the GPU copies from and to without the processor's help ("pinned"). */
int cuda_allocate_host(cuda *c, size_t bytes, void **memory, lanert_error *err);
void cuda_free_host(cuda *c, void *memory);

/* Makes the GPU current on this thread, for an SDK's calls, until cuda_leave; what others record does not disturb them.
 * May be nested. */
int cuda_enter(cuda *c, lanert_error *err);
void cuda_leave(cuda *c);

/* What is put on the stream from here to cuda_record_end is not done but recorded. */
int cuda_record(cuda *c, lanert_error *err);
/* The recording, to be replayed and given back; NULL where it fails. Ends the recording in any case. */
int cuda_record_end(cuda *c, void **graph, lanert_error *err);
/* Puts what was recorded on the stream. */
int cuda_replay(cuda *c, void *graph, lanert_error *err);
void cuda_graph_free(cuda *c, void *graph);

/* Put on the stream; from pinned memory they return at once, and the memory must stay until cuda_wait. */
int cuda_upload(cuda *c, void *device, const void *host, size_t bytes, lanert_error *err);
int cuda_download(cuda *c, void *host, const void *device, size_t bytes, lanert_error *err);
/* Until all that is on the stream is done. The place where what went wrong on the GPU comes to light. */
int cuda_wait(cuda *c, lanert_error *err);

#endif

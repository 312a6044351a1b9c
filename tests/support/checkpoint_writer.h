/* checkpoint_writer.h - writes checkpoints as torch.save does, in both of its forms, from tensors that the caller has.
 */
#ifndef SUPPORT_CHECKPOINT_WRITER_H
#define SUPPORT_CHECKPOINT_WRITER_H

#include "base/buffer.h"
#include "model/checkpoint.h"

typedef enum checkpoint_writer_form {
    CHECKPOINT_WRITER_ZIP,    /* PyTorch 1.6 and newer */
    CHECKPOINT_WRITER_LEGACY, /* before it: five pickles, then the storages */
} checkpoint_writer_form;

typedef struct checkpoint_writer {
    /* May be changed until the file is written. */
    checkpoint_writer_form form;
    const char *key;    /* the state dict lies under it; "" for the state dict alone. "net" */
    const char *prefix; /* before every tensor's name; "module." */
    bool training; /* beside the key: optimiser, scheduler, recorder and epoch, as the reference saves them. true */
    bool no_crc;   /* a zip without CRC-32s. false */

    const char *path; /* the caller's; NULL: only checkpoint_writer_bytes */
    struct checkpoint_writer_tensor *tensors;
    size_t count, capacity;
    buffer data; /* the tensors' bytes, one after the other */
} checkpoint_writer;

int checkpoint_writer_open(const char *path, checkpoint_writer_form form, checkpoint_writer *w, lanert_error *err);

/* A tensor in a storage of its own: `data` holds its elements in row-major order and is copied. */
int checkpoint_writer_add(checkpoint_writer *w, const char *name, checkpoint_type type, int rank, const int64_t *dims,
                          const void *data, lanert_error *err);
/* A tensor in the storage of the tensor that was added as number `base`, at an offset, with strides, in elements.
 * Nothing is checked, so that tests can write what does not fit. */
int checkpoint_writer_view(checkpoint_writer *w, const char *name, size_t base, int64_t offset, int rank,
                           const int64_t *dims, const int64_t *strides, lanert_error *err);

/* The file's bytes, behind what is in `out`. */
int checkpoint_writer_bytes(const checkpoint_writer *w, buffer *out, lanert_error *err);
/* Writes them to the path, whole or not at all. LANERT_EEXIST without `force` where it is there. */
int checkpoint_writer_finish(const checkpoint_writer *w, bool force, lanert_error *err);
void checkpoint_writer_close(checkpoint_writer *w);

#endif

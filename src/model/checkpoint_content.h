/* checkpoint_content.h - what lies in a file of torch.save, in either of its forms: a pickle, and the storages' bytes.
 */
#ifndef MODEL_CHECKPOINT_CONTENT_H
#define MODEL_CHECKPOINT_CONTENT_H

#include "model/checkpoint_archive.h"
#include "model/pickle.h"

typedef struct checkpoint_content {
    const char *form; /* "zip" or "legacy" */
    pickle pickle;    /* each of its storages has its data, of the size that it states */
    checkpoint_archive archive;
} checkpoint_content;

/* Whether the file begins as one of that form. */
bool checkpoint_is_zip(const uint8_t *data, size_t size);
bool checkpoint_is_legacy(const uint8_t *data, size_t size);

/* Both take an empty *content, and may leave it half filled where they fail. The bytes must outlive it. */
int checkpoint_load_zip(const uint8_t *data, size_t size, checkpoint_content *content, lanert_error *err);
int checkpoint_load_legacy(const uint8_t *data, size_t size, checkpoint_content *content, lanert_error *err);

#endif

/* pickle_torch.h - the globals that a pickle may name, and what torch's own build. */
#ifndef MODEL_PICKLE_TORCH_H
#define MODEL_PICKLE_TORCH_H

#include "model/pickle.h"

typedef enum pickle_makes {
    PICKLE_MAKES_DICT,      /* collections.OrderedDict */
    PICKLE_MAKES_TENSOR,    /* torch._utils._rebuild_tensor_v2 */
    PICKLE_MAKES_PARAMETER, /* torch._utils._rebuild_parameter */
    PICKLE_MAKES_NOTHING,   /* a storage's type: named in persistent ids, never called */
} pickle_makes;

typedef struct pickle_global {
    const char *module, *name;
    pickle_makes makes;
    checkpoint_type type; /* of a storage's elements */
} pickle_global;

/* NULL where the table has no such name. */
const pickle_global *pickle_global_find(const char *module, size_t module_size, const char *name, size_t name_size);

/* The storage of a persistent id ('storage', type, key, location, elements), which in files from before PyTorch 1.6
 * ends with the view that it is. */
int pickle_read_storage(const pickle_value *id, pickle_storage *storage, lanert_error *err);

/* The tensor of _rebuild_tensor_v2's arguments (storage, offset, size, stride, requires_grad, hooks[, metadata]). */
int pickle_read_tensor(const pickle_value *args, pickle_tensor *tensor, lanert_error *err);

#endif

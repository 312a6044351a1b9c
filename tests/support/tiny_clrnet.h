/* tiny_clrnet.h - the state dict of a CLRNet with few channels and few priors, to be changed and then written as a
 * checkpoint. */
#ifndef SUPPORT_TINY_CLRNET_H
#define SUPPORT_TINY_CLRNET_H

#include "base/memory.h"

enum { TINY_PRIORS = 6, TINY_POINTS = 5, TINY_CHANNELS = 4, TINY_MIDDLE = 3 };

typedef struct tiny_tensor {
    char name[128];
    int rank;
    int64_t dims[4];
    float *data;
} tiny_tensor;

typedef struct tiny_clrnet {
    tiny_tensor *tensors;
    size_t count, capacity;
    uint32_t state; /* of the pseudo-random weights */
} tiny_clrnet;

/* "resnet18", "resnet34", "resnet50", "resnet101" or "dla34", as the reference names and shapes them: neighbouring
 * stages have different widths. */
int tiny_clrnet_open(const char *arch, tiny_clrnet *t, lanert_error *err);
void tiny_clrnet_close(tiny_clrnet *t);

/* Ends the program where there is none of that name. */
tiny_tensor *tiny_clrnet_find(const tiny_clrnet *t, const char *name);
void tiny_clrnet_remove(tiny_clrnet *t, const char *name);
int tiny_clrnet_add(tiny_clrnet *t, const char *name, int rank, const int64_t *dims, lanert_error *err);

/* As torch.save would. */
int tiny_clrnet_write(const tiny_clrnet *t, const char *path, lanert_error *err);

#endif

#include "base/memory.h"

int memory_new(void *out, size_t count, size_t size, lanert_error *err)
{
    bool fits = !size || count <= SIZE_MAX / size;
    void *p = fits ? calloc(count ? count : 1, size ? size : 1) : NULL;
    memcpy(out, &p, sizeof p);
    return p ? 0 : error_set(err, LANERT_ENOMEM, "out of memory: %zu × %zu bytes could not be had", count, size);
}

int memory_grow(void *array, size_t *capacity, size_t need, size_t size, lanert_error *err)
{
    void *old, *new;
    memcpy(&old, array, sizeof old);
    if (need <= *capacity)
        return 0;
    size_t grown = *capacity < 8 ? 8 : *capacity;
    while (grown < need && grown <= SIZE_MAX / 2)
        grown *= 2;
    if (grown < need || grown > SIZE_MAX / size || !(new = realloc(old, grown * size)))
        return error_set(err, LANERT_ENOMEM, "out of memory: %zu × %zu bytes could not be had", need, size);
    memset((char *)new + *capacity *size, 0, (grown - *capacity) * size);
    memcpy(array, &new, sizeof new);
    *capacity = grown;
    return 0;
}

int memory_aligned(void *out, size_t bytes, lanert_error *err)
{
    void *p = NULL;
    if (bytes <= SIZE_MAX - 63)
        p = aligned_alloc(64, (bytes + 63) / 64 * 64 + (bytes == 0) * 64);
    if (p)
        memset(p, 0, bytes);
    memcpy(out, &p, sizeof p);
    return p ? 0 : error_set(err, LANERT_ENOMEM, "out of memory: %zu bytes could not be had", bytes);
}

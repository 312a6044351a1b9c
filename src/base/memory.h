/* memory.h - allocation that reports, and size arithmetic that cannot wrap. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* count × size zeroed bytes into *out, to be freed with free(). LANERT_ENOMEM, *out NULL, otherwise. */
int memory_new(void *out, size_t count, size_t size, lanert_error *err);

/* Makes *array (of *capacity elements of `size` bytes) hold at least `need`, doubling; the new part is
 * zeroed. */
int memory_grow(void *array, size_t *capacity, size_t need, size_t size, lanert_error *err);

/* Zeroed memory aligned to 64 bytes (a cache line, an AVX-512 register), to be freed with free(). */
int memory_aligned(void *out, size_t bytes, lanert_error *err);

#define FREE(p) (free((void *)(p)), (p) = NULL)

#define ARRAY_LEN(a) (sizeof(a) / sizeof *(a))

#endif

/* checkpoint_bytes.h - numbers and names out of a checkpoint's bytes. */
#ifndef MODEL_CHECKPOINT_BYTES_H
#define MODEL_CHECKPOINT_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The lowest n (0 to 8) bytes of a little-endian number. */
static inline uint64_t bytes_le(const uint8_t *bytes, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

/* Whether the bytes are those of a string. */
static inline bool bytes_are(const char *bytes, size_t size, const char *text)
{
    return size == strlen(text) && memcmp(bytes, text, size) == 0;
}

/* A name as a message may show it: what is not printable ASCII as '?', the end of a long one as "...". */
typedef struct bytes_shown {
    char text[100];
} bytes_shown;

static inline bytes_shown bytes_show(const char *bytes, size_t size)
{
    bytes_shown shown;
    size_t n = size < sizeof shown.text ? size : sizeof shown.text - 4;
    for (size_t i = 0; i < n; i++)
        shown.text[i] = bytes[i] >= ' ' && bytes[i] <= '~' ? bytes[i] : '?';
    strcpy(shown.text + n, n < size ? "..." : "");
    return shown;
}

#endif

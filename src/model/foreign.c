#include "model/foreign.h"

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

/* Text is taken for text by so many of its first bytes. */
#define TEXT_BYTES 512

/* What people hand over instead. */
static const struct {
    size_t at;
    const char *magic;
    size_t size;
    const char *words;
} known[] = {
    {0, "\x89PNG", 4, "a PNG picture"},
    {0, "\xff\xd8\xff", 3, "a JPEG picture"},
    {4, "ftyp", 4, "a video"},
    {0, "\x1a\x45\xdf\xa3", 4, "a video"},
    {0, "\177ELF", 4, "a program or library"},
    {0, "\x1f\x8b", 2, "a gzip file: unpack it first"},
    {0, "BZh", 3, "a bzip2 file: unpack it first"},
    {0, "\3757zXZ", 5, "an xz file: unpack it first"},
    {0, "7z\xbc\xaf", 4, "a 7-Zip file: unpack it first"},
    {257, "ustar", 5, "a tar: unpack it first"},
    {0, "\x89HDF", 4, "an HDF5 file"},
    {0, "version https://git-lfs", 23, "a Git LFS pointer: fetch the file itself with 'git lfs pull'"},
    {0, "<", 1, "text that begins with '<', perhaps the web page that a download gave instead of the file"},
    {0, "{", 1, "JSON"},
};

/* Without control characters, and bytes that are not in UTF-8. */
static bool is_text(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size && i < TEXT_BYTES; i++)
        if (data[i] >= 0xf8 || (data[i] < ' ' && !memchr("\t\n\f\r\x1b", data[i], 5)))
            return false;
    return true;
}

const char *foreign_tell(const uint8_t *data, size_t size)
{
    if (!size)
        return "empty";
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (size >= known[i].at + known[i].size && !memcmp(data + known[i].at, known[i].magic, known[i].size))
            return known[i].words;
    return is_text(data, size) ? "text" : NULL;
}

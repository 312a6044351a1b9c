#include "frame/still_codec.h"

#define TAG_ORIENTATION 0x0112

static unsigned get16(const uint8_t *p, bool big)
{
    return big ? p[0] << 8 | p[1] : p[1] << 8 | p[0];
}

static uint32_t get32(const uint8_t *p, bool big)
{
    return big ? (uint32_t)get16(p, big) << 16 | get16(p + 2, big) : (uint32_t)get16(p + 2, big) << 16 | get16(p, big);
}

int still_orientation(const uint8_t *tiff, size_t size)
{
    if (size < 8 || (memcmp(tiff, "II*\0", 4) != 0 && memcmp(tiff, "MM\0*", 4) != 0))
        return 1;
    bool big = tiff[0] == 'M';
    size_t directory = get32(tiff + 4, big);
    if (directory > size - 2)
        return 1;
    unsigned count = get16(tiff + directory, big);
    const uint8_t *entry = tiff + directory + 2;
    for (size_t left = size - directory - 2; count > 0 && left >= 12; count--, entry += 12, left -= 12) {
        if (get16(entry, big) != TAG_ORIENTATION)
            continue;
        /* A SHORT, whatever type is stated: so OpenCV's imread takes it. */
        unsigned value = get16(entry + 8, big);
        return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}

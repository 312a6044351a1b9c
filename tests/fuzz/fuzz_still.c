/* Any bytes as a JPEG picture, a PNG picture and an EXIF block. */
#include "frame/still_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A few bytes may state a picture of any size: those that would only be slow to fill are left. */
#define MAX_PIXELS (1 << 20)

static uint32_t get_be(const uint8_t *p, int bytes)
{
    uint32_t value = 0;
    while (bytes-- > 0)
        value = value << 8 | *p++;
    return value;
}

static bool is_small(const uint8_t *data, size_t size)
{
    if (size >= 24 && data[0] == 0x89)
        return (uint64_t)get_be(data + 16, 4) * get_be(data + 20, 4) <= MAX_PIXELS;
    for (size_t i = 0; i + 9 <= size; i++)
        if (data[i] == 0xff && data[i + 1] >= 0xc0 && data[i + 1] <= 0xcf &&
            (uint64_t)get_be(data + i + 5, 2) * get_be(data + i + 7, 2) > MAX_PIXELS)
            return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static picture p, turned;
    lanert_error err = {0};
    int orientation = still_orientation(data, size);
    if (orientation < 1 || orientation > 8)
        abort();
    if (!is_small(data, size))
        return 0;
    int rc = size > 0 && data[0] == 0x89 ? still_decode_png(data, size, &p, &orientation, &err)
                                         : still_decode_jpeg(data, size, &p, &orientation, &err);
    if (rc ? err.text[0] == '\0' : picture_orient(&p, orientation, &turned, &err) != 0)
        abort();
    return 0;
}

/* FFmpeg's libavutil is linked in any case, and has a hash. */
#include "base/sha256.h"

#include <libavutil/mem.h>
#include <libavutil/sha.h>

#include "base/file.h"

int sha256_hex(const void *data, size_t size, char out[65], lanert_error *err)
{
    uint8_t digest[32];
    struct AVSHA *sha = av_sha_alloc();
    if (!sha || av_sha_init(sha, 256) < 0) {
        av_free(sha);
        return error_set(err, LANERT_ENOMEM, "out of memory for a SHA-256");
    }
    av_sha_update(sha, data, size);
    av_sha_final(sha, digest);
    av_free(sha);
    for (int i = 0; i < 32; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
    return 0;
}

int sha256_file(const char *path, char out[65], lanert_error *err)
{
    file_map map;
    int rc = file_map_open(path, 0, &map, err);
    if (!rc)
        rc = sha256_hex(map.data, map.size, out, err);
    file_map_close(&map);
    return rc;
}

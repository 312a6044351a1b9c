/* lanert_model_bundled: where the model lies that comes with lanert. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/place.h"

#define NAME "road.onnx"

static bool is_there(const char *folder, const char *inner, char *path, size_t size)
{
    int length = snprintf(path, size, "%s%s/" NAME, folder, inner);
    return length >= 0 && (size_t)length < size && file_exists(path);
}

int lanert_model_bundled(char *path, size_t size, lanert_error *err)
{
    char own[PATH_MAX], found[PATH_MAX];
    if (!path)
        return error_set(err, LANERT_EINVAL, "lanert_model_bundled: path must not be NULL");
    if (!place_own_folder(own) ||
        !(is_there(own, "/" LANERT_LIBDIR_TO_MODELS, found, sizeof found) ||
          (place_is_under(own, LANERT_BUILD_DIR) && is_there(LANERT_MODELS_DIR, "", found, sizeof found))))
        return error_set(err, LANERT_ENOTFOUND,
                         "the bundled model, " NAME ", is not there; install lanert whole, or name a model: "
                         "'lanert convert' makes one of a checkpoint");
    if (strlen(found) >= size)
        return error_set(err, LANERT_ELIMIT, "the bundled model's path has %zu bytes; there is room for %zu",
                         strlen(found), size ? size - 1 : 0);
    memcpy(path, found, strlen(found) + 1);
    return 0;
}

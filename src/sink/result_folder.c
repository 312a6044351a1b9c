#include "sink/result_folder.h"

#include <dirent.h>
#include <errno.h>

#include "base/file.h"

static int check_empty(const char *folder, lanert_error *err)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return error_errno(err, LANERT_EIO, errno, "%s: folder cannot be read", folder);
    const struct dirent *entry;
    do
        entry = readdir(dir);
    while (entry && (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")));
    closedir(dir);
    return entry
               ? error_set(err, LANERT_EEXIST, "%s: is there already and is not empty; --force writes into it", folder)
               : 0;
}

int result_folder_open(const char *folder, bool force, lanert_error *err)
{
    int rc = file_make_folders(folder, err);
    return rc || force ? rc : check_empty(folder, err);
}

/* Adds "/part" for each part of a name of `length` bytes; ".." takes the last one back, as far as where the name
 * began. */
static int add_name(const char *name, size_t length, buffer *out, lanert_error *err)
{
    const char *end = name + length;
    size_t start = out->size;
    while (name < end) {
        const char *slash = memchr(name, '/', (size_t)(end - name));
        size_t n = (size_t)((slash ? slash : end) - name);
        int rc = 0;
        if (n == 2 && !memcmp(name, "..", 2)) {
            while (out->size > start && out->data[--out->size] != '/')
                ;
            out->data[out->size] = '\0';
        } else if (n > 1 || (n == 1 && *name != '.'))
            rc = buffer_format(out, err, "/%.*s", (int)n, name);
        if (rc)
            return rc;
        name += n + (slash != NULL);
    }
    return 0;
}

int result_folder_path(const char *folder, const lanert_frame *frame, const lanert_source_info *source,
                       const char *extension, buffer *out, lanert_error *err)
{
    bool video = source && !source->pictures;
    const char *name = frame->name ? frame->name : "";
    if (video)
        name = path_base(name);
    int rc = buffer_add(out, folder, path_folder_length(folder), err);
    size_t start = out->size;
    /* The extension goes first: what is left of "...mp4" is a "..". */
    if (!rc)
        rc = add_name(name, (size_t)(path_extension(name) - name), out, err);
    if (!rc && (video || out->size == start))
        rc = buffer_format(out, err, "/%05lld", (long long)frame->index);
    return rc ? rc : buffer_text(out, extension, err);
}

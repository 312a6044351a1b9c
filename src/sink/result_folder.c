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

static void cut_to(buffer *b, size_t size)
{
    b->size = size;
    b->data[size] = '\0';
}

/* Adds "/part" for each part of a name; ".." takes the last one back, as far as where the name began. */
static int add_name(const char *name, buffer *out, lanert_error *err)
{
    size_t start = out->size;
    while (*name) {
        size_t n = strcspn(name, "/");
        int rc = 0;
        if (n == 2 && !strncmp(name, "..", 2)) {
            if (out->size > start)
                cut_to(out, (size_t)(strrchr(out->data, '/') - out->data));
        } else if (n > 1 || (n == 1 && *name != '.'))
            rc = buffer_format(out, err, "/%.*s", (int)n, name);
        if (rc)
            return rc;
        name += n + (name[n] == '/');
    }
    return 0;
}

int result_folder_path(const char *folder, const lanert_frame *frame, const lanert_source_info *source,
                       const char *extension, buffer *out, lanert_error *err)
{
    bool video = source && !source->pictures;
    const char *name = frame->name ? frame->name : "";
    int rc = buffer_text(out, folder, err);
    size_t start = out->size;
    if (!rc)
        rc = add_name(video ? path_base(name) : name, out, err);
    if (rc)
        return rc;
    bool named = out->size > start;
    if (named)
        cut_to(out, (size_t)(path_extension(out->data) - out->data));
    if (video || !named)
        rc = buffer_format(out, err, "/%05lld", (long long)frame->index);
    return rc ? rc : buffer_text(out, extension, err);
}

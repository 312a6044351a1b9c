#include "base/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* Makes one folder, whose parent is there, and looks at whose it is. */
static int own_folder(const char *path, lanert_error *err)
{
    struct stat st;
    int rc = 0;
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return error_errno(err, LANERT_EIO, errno, "%s: folder cannot be made", path);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, LANERT_EIO, errno, "%s: cannot be opened as a folder", path);
    if (fstat(fd, &st) < 0)
        rc = error_errno(err, LANERT_EIO, errno, "%s", path);
    else if (st.st_uid != geteuid() || st.st_mode & 077)
        rc = error_set(err, LANERT_EIO,
                       "%s: user %u's, with mode %03o; what is kept there is run as code, so that it must be user %u's "
                       "alone, with mode 700: remove it, or set XDG_CACHE_HOME",
                       path, (unsigned)st.st_uid, (unsigned)st.st_mode & 0777, (unsigned)geteuid());
    close(fd);
    return rc;
}

int cache_folder(const char *part, char path[CACHE_PATH], lanert_error *err)
{
    const char *cache = secure_getenv("XDG_CACHE_HOME"), *home = secure_getenv("HOME");
    bool named = cache && *cache == '/'; /* the XDG base directory specification has others ignored */
    int length, rc;
    if (!named && !(home && *home == '/'))
        return error_set(err, LANERT_EIO, "there is no cache folder: neither XDG_CACHE_HOME nor HOME is set to one");
    const char *above = named ? cache : home;
    length = snprintf(path, CACHE_PATH, "%.*s%s/lanert", (int)path_folder_length(above), above, named ? "" : "/.cache");
    if ((size_t)length + strlen(part) + 2 > CACHE_PATH)
        return error_set(err, LANERT_EIO, "the cache folder's path has over %d bytes", CACHE_PATH - 1);
    path[length - (int)strlen("/lanert")] = '\0';
    if ((rc = file_make_folders(path, err)))
        return rc;
    path[strlen(path)] = '/';
    if ((rc = own_folder(path, err)))
        return rc;
    snprintf(path + length, CACHE_PATH - (size_t)length, "/%s", part);
    return own_folder(path, err);
}

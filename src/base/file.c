#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static int map_open(const char *path, size_t limit, bool own, file_map *map, lanert_error *err)
{
    struct stat st;
    int rc = 0;
    *map = (file_map){0};
    if (!*path)
        return error_set(err, LANERT_ENOTFOUND, "the name of a file to read is empty");
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe without a writer would wait for one */
    if (fd < 0)
        return error_errno(err, errno == ENOENT ? LANERT_ENOTFOUND : LANERT_EIO, errno, "%s", path);
    if (fstat(fd, &st) < 0)
        rc = error_errno(err, LANERT_EIO, errno, "%s", path);
    else if (!S_ISREG(st.st_mode))
        rc = error_set(err, LANERT_EIO, "%s: is %s; expected a file", path,
                       S_ISDIR(st.st_mode) ? "a folder" : "not a plain file");
    else if (own && (st.st_uid != geteuid() || st.st_mode & S_IWOTH))
        rc = error_set(err, LANERT_EIO,
                       "%s: user %u's, with mode %03o; it is run as code, so that it must be user %u's, "
                       "and not everybody's to write: remove it",
                       path, (unsigned)st.st_uid, (unsigned)st.st_mode & 0777, (unsigned)geteuid());
    else if (limit && (size_t)st.st_size > limit)
        rc = error_set(err, LANERT_ELIMIT, "%s: %lld bytes, more than the limit of %zu", path, (long long)st.st_size,
                       limit);
    else if (st.st_size > 0) {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED)
            rc = error_errno(err, LANERT_EIO, errno, "%s: cannot be mapped", path);
        else
            *map = (file_map){p, (size_t)st.st_size};
    }
    close(fd);
    return rc;
}

int file_map_open(const char *path, size_t limit, file_map *map, lanert_error *err)
{
    return map_open(path, limit, false, map, err);
}

int file_map_open_own(const char *path, file_map *map, lanert_error *err)
{
    return map_open(path, 0, true, map, err);
}

void file_map_close(file_map *map)
{
    if (map->data)
        munmap((void *)map->data, map->size);
    *map = (file_map){0};
}

bool file_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

bool file_is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool file_is_same(const char *a, const char *b)
{
    struct stat p, q;
    return stat(a, &p) == 0 && stat(b, &q) == 0 && p.st_dev == q.st_dev && p.st_ino == q.st_ino;
}

int file_make_folders(const char *path, lanert_error *err)
{
    int rc = 0;
    char *copy = strdup(path);
    if (!copy)
        return error_set(err, LANERT_ENOMEM, "out of memory");
    for (char *p = copy + 1; !rc; p++) {
        if (*p && *p != '/')
            continue;
        char end = *p;
        *p = '\0';
        if (mkdir(copy, 0777) < 0 && errno != EEXIST)
            rc = error_errno(err, LANERT_EIO, errno, "%s: folder cannot be made", copy);
        else if (!file_is_folder(copy))
            rc = error_set(err, LANERT_EIO, "%s: is a file; a folder is needed there", copy);
        *p = end;
        if (!end)
            break;
    }
    free(copy);
    return rc;
}

const char *path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

const char *path_extension(const char *path)
{
    const char *base = path_base(path), *dot = strrchr(base, '.');
    return dot && dot != base ? dot : base + strlen(base);
}

size_t path_folder_length(const char *folder)
{
    size_t length = strlen(folder);
    while (length && folder[length - 1] == '/')
        length--;
    return length;
}

int path_join(const char *dir, const char *name, char **out, lanert_error *err)
{
    buffer b = {0};
    int rc = 0;
    if (dir && *dir && *name != '/') {
        rc = buffer_text(&b, dir, err);
        if (!rc && dir[strlen(dir) - 1] != '/')
            rc = buffer_text(&b, "/", err);
    }
    if (!rc)
        rc = buffer_text(&b, name, err);
    if (rc)
        buffer_free(&b);
    *out = b.data;
    return rc;
}

static int folder_of(const char *path, char **folder, lanert_error *err)
{
    size_t length = (size_t)(path_base(path) - path);
    *folder = length ? strndup(path, length > 1 ? length - 1 : 1) : strdup(".");
    return *folder ? 0 : error_set(err, LANERT_ENOMEM, "out of memory");
}

int file_make_folders_above(const char *path, lanert_error *err)
{
    char *folder;
    int rc = folder_of(path, &folder, err);
    if (!rc)
        rc = file_make_folders(folder, err);
    free(folder);
    return rc;
}

int file_flush_folder(const char *path, lanert_error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
    if (fd < 0 || syncfs(fd) < 0)
        rc = error_errno(err, LANERT_EIO, errno, "%s: cannot be written", path);
    if (fd >= 0)
        close(fd);
    return rc;
}

/* What no file can be renamed to, or should be: a device, say, that a root user names. */
static int check_target(const char *path, bool force, lanert_error *err)
{
    struct stat st;
    const char *end = path + strlen(path);
    if (!strcmp(path, "-"))
        return error_set(err, LANERT_EINVAL,
                         "- is standard output, where this cannot go; expected the name of a file (./- is one)");
    if (file_is_folder(path) || end == path || end[-1] == '/')
        return error_set(err, LANERT_EIO, "%s: is a folder; expected the name of a file to write", path);
    if (stat(path, &st) < 0)
        return 0;
    if (!S_ISREG(st.st_mode))
        return error_set(err, LANERT_EIO, "%s: is no plain file; expected the name of a file to write", path);
    return force ? 0 : error_set(err, LANERT_EEXIST, "%s: is there already; --force overwrites it", path);
}

static int make_temporary_name(const char *path, buffer *name, lanert_error *err)
{
    uint64_t number;
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        return error_errno(err, LANERT_EIO, errno, "%s: no random name can be had", path);
    buffer_clear(name);
    return buffer_format(name, err, "%.*s.lanert-%016llx", (int)(path_base(path) - path), path,
                         (unsigned long long)number);
}

/* What has no name is gone when the process ends, in whatever way (open(2), O_TMPFILE); /proc lends it one. Below 0
 * where the file system cannot, or /proc is not there. */
static int open_unnamed(const char *folder, buffer *name)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
    if (fd < 0)
        return -1;
    if (buffer_format(name, NULL, "/proc/self/fd/%d", fd) == 0 && file_exists(name->data))
        return fd;
    close(fd);
    return -1;
}

/* A new file beside `path`, as readable as any. mkostemp would make it private, and the umask, by which that could be
 * undone, is the whole process's. */
static int open_named(const char *path, buffer *name, lanert_error *err)
{
    int rc, fd;
    do {
        if ((rc = make_temporary_name(path, name, err)))
            return rc;
        fd = open(name->data, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (fd < 0 && errno == EEXIST);
    if (fd < 0 && errno == ENOENT)
        return error_set(err, LANERT_EIO, "%s: its folder is not there; make it first", path);
    return fd < 0 ? error_errno(err, LANERT_EIO, errno, "%s: cannot be written", path) : fd;
}

static int open_temporary(file_writer *w, lanert_error *err)
{
    buffer name = {0};
    char *folder;
    int rc = folder_of(w->path, &folder, err), fd;
    if (rc)
        return rc;
    fd = open_unnamed(folder, &name);
    w->unnamed = fd >= 0;
    if (fd < 0)
        fd = open_named(w->path, &name, err);
    free(folder);
    if (fd >= 0)
        w->temp_path = name.data;
    else
        buffer_free(&name);
    return fd;
}

int file_writer_open(const char *path, bool force, file_writer *w, lanert_error *err)
{
    int fd, rc = check_target(path, force, err);
    *w = (file_writer){.force = force};
    if (rc)
        return rc;
    if (!(w->path = strdup(path)))
        return error_set(err, LANERT_ENOMEM, "out of memory");
    if ((fd = open_temporary(w, err)) < 0)
        rc = fd;
    else if (!(w->stream = fdopen(fd, "wb"))) {
        close(fd);
        rc = error_set(err, LANERT_ENOMEM, "out of memory");
    }
    if (rc)
        file_writer_close(w);
    return rc;
}

/* Gives an unnamed file a temporary name in the place of the one that /proc lent it. */
static bool name_temporary(file_writer *w)
{
    buffer name = {0};
    bool linked = false;
    while (!linked && make_temporary_name(w->path, &name, NULL) == 0) {
        linked = linkat(AT_FDCWD, w->temp_path, AT_FDCWD, name.data, AT_SYMLINK_FOLLOW) == 0;
        if (!linked && errno != EEXIST)
            break;
    }
    if (!linked) {
        buffer_free(&name);
        return false;
    }
    free(w->temp_path);
    w->temp_path = name.data;
    w->unnamed = false;
    return true;
}

/* Without force, a file that has come since then stays too. */
static bool put_in_place(file_writer *w)
{
    if (w->unnamed) {
        if (linkat(AT_FDCWD, w->temp_path, AT_FDCWD, w->path, AT_SYMLINK_FOLLOW) == 0)
            return true;
        if (errno != EEXIST || !w->force || !name_temporary(w))
            return false;
    }
    if (!w->force) {
        if (renameat2(AT_FDCWD, w->temp_path, AT_FDCWD, w->path, RENAME_NOREPLACE) == 0)
            return true;
        if (errno != EINVAL && errno != ENOSYS) /* what a file system says that knows no such renaming */
            return false;
    }
    return rename(w->temp_path, w->path) == 0;
}

int file_writer_commit(file_writer *w, lanert_error *err)
{
    int rc = 0;
    if (fflush(w->stream) != 0 || ferror(w->stream) || (!w->flushed_later && fsync(fileno(w->stream)) != 0))
        rc = error_errno(err, LANERT_EIO, errno, "%s: cannot be written", w->path);
    else if (!put_in_place(w))
        rc = error_errno(err, errno == EEXIST ? LANERT_EEXIST : LANERT_EIO, errno, "%s: cannot be put in place",
                         w->path);
    else
        FREE(w->temp_path);
    file_writer_close(w);
    return rc;
}

void file_writer_close(file_writer *w)
{
    if (w->stream)
        fclose(w->stream);
    if (w->temp_path && !w->unnamed)
        unlink(w->temp_path);
    free(w->path);
    free(w->temp_path);
    *w = (file_writer){0};
}

int file_write(const char *path, const void *data, size_t size, bool force, lanert_error *err)
{
    file_writer w;
    int rc = file_writer_open(path, force, &w, err);
    if (rc)
        return rc;
    w.flushed_later = true;
    if (size && fwrite(data, 1, size, w.stream) != size)
        rc = error_errno(err, LANERT_EIO, errno, "%s: cannot be written", path);
    if (!rc)
        rc = file_writer_commit(&w, err);
    file_writer_close(&w);
    return rc;
}

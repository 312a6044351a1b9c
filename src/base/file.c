#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

int file_map_open(const char *path, size_t limit, file_map *map, lanert_error *err)
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

static int make_folder_of(const char *path, lanert_error *err)
{
    int rc = 0;
    size_t length = (size_t)(path_base(path) - path);
    if (length > 1) {
        char *folder = strndup(path, length - 1);
        rc = folder ? file_make_folders(folder, err) : error_set(err, LANERT_ENOMEM, "out of memory");
        free(folder);
    }
    return rc;
}

/* What no file can be renamed to, or should be: a device, say, that a root user names. */
static int check_target(const char *path, bool force, lanert_error *err)
{
    struct stat st;
    const char *end = path + strlen(path);
    if (file_is_folder(path) || end == path || end[-1] == '/')
        return error_set(err, LANERT_EIO, "%s: is a folder; expected the name of a file to write", path);
    if (stat(path, &st) < 0)
        return 0;
    if (!S_ISREG(st.st_mode))
        return error_set(err, LANERT_EIO, "%s: is no plain file; expected the name of a file to write", path);
    return force ? 0 : error_set(err, LANERT_EEXIST, "%s: is there already; --force overwrites it", path);
}

/* A new file beside `path`, as readable as any. mkostemp would make it private, and the umask, by which that could be
 * undone, is the whole process's. */
static int open_temporary(const char *path, const char *suffix, buffer *name, lanert_error *err)
{
    uint64_t number;
    int rc, fd;
    do {
        if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
            return error_errno(err, LANERT_EIO, errno, "%s: no random name can be had", path);
        buffer_clear(name);
        if ((rc = buffer_format(name, err, "%.*s.lanert-%016llx%s", (int)(path_base(path) - path), path,
                                (unsigned long long)number, suffix ? suffix : "")))
            return rc;
        fd = open(name->data, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (fd < 0 && errno == EEXIST);
    return fd < 0 ? error_errno(err, LANERT_EIO, errno, "%s: cannot be written", path) : fd;
}

int file_writer_open(const char *path, bool force, const char *suffix, file_writer *w, lanert_error *err)
{
    buffer temp = {0};
    int rc, fd;
    *w = (file_writer){.force = force};
    if ((rc = check_target(path, force, err)) || (rc = make_folder_of(path, err)))
        return rc;
    if ((fd = open_temporary(path, suffix, &temp, err)) < 0) {
        buffer_free(&temp);
        return fd;
    }
    w->temp_path = temp.data;
    w->path = strdup(path);
    w->stream = fdopen(fd, "wb");
    if (!w->path || !w->stream) {
        if (!w->stream)
            close(fd);
        rc = error_set(err, LANERT_ENOMEM, "out of memory");
        file_writer_close(w);
    }
    return rc;
}

/* Without force, a file that has come since then stays too. */
static bool put_in_place(const file_writer *w)
{
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
    bool bad = fflush(w->stream) != 0 || ferror(w->stream) || fsync(fileno(w->stream)) != 0;
    int why = errno;
    bad |= fclose(w->stream) != 0;
    w->stream = NULL;
    if (bad)
        rc = error_errno(err, LANERT_EIO, why, "%s: cannot be written", w->path);
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
    if (w->temp_path)
        unlink(w->temp_path);
    free(w->path);
    free(w->temp_path);
    *w = (file_writer){0};
}

int file_write(const char *path, const void *data, size_t size, bool force, lanert_error *err)
{
    file_writer w;
    int rc = file_writer_open(path, force, NULL, &w, err);
    if (rc)
        return rc;
    if (size && fwrite(data, 1, size, w.stream) != size)
        rc = error_errno(err, LANERT_EIO, errno, "%s: cannot be written", path);
    if (!rc)
        rc = file_writer_commit(&w, err);
    file_writer_close(&w);
    return rc;
}

/* file.h - files read within limits, and files written whole or not at all. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdio.h>

#include "base/buffer.h"

/* A file mapped read-only. */
typedef struct file_map {
    const uint8_t *data; /* NULL for an empty file */
    size_t size;
} file_map;

/* LANERT_ENOTFOUND, LANERT_EIO (a folder, no permission), LANERT_ELIMIT (over `limit` bytes; 0: any size). */
int file_map_open(const char *path, size_t limit, file_map *map, lanert_error *err);
/* The same of a file that is to be run as code: LANERT_EIO too where it is another user's, or everybody may write to
 * it. */
int file_map_open_own(const char *path, file_map *map, lanert_error *err);
void file_map_close(file_map *map);

/* A file that appears under its name only at file_writer_commit, whole and flushed to the disk. Until then it has no
 * name, so that nothing is left of it however the process ends; or, where the file system cannot do that, a temporary
 * one beside it. */
typedef struct file_writer {
    FILE *stream;       /* write here, or to temp_path */
    char *path;         /* the name it will have */
    char *temp_path;    /* what opens it until then */
    bool flushed_later; /* may be set: the commit leaves the flushing to file_flush_folder */
    bool force, unnamed;
} file_writer;

/* Its folder must be there. Without `force`, LANERT_EEXIST where `path` is there, or is by the time of the commit. */
int file_writer_open(const char *path, bool force, file_writer *w, lanert_error *err);
int file_writer_commit(file_writer *w, lanert_error *err);
/* Throws away what was not committed; harmless afterwards. */
void file_writer_close(file_writer *w);

/* Writes `size` bytes under `path`, whole or not at all; flushed later. */
int file_write(const char *path, const void *data, size_t size, bool force, lanert_error *err);
/* Flushes all files that were written into a folder, and those below it, to the disk. A disk waits once for all of
 * them. */
int file_flush_folder(const char *path, lanert_error *err);

/* Makes a folder and those above it; those above a file. */
int file_make_folders(const char *path, lanert_error *err);
int file_make_folders_above(const char *path, lanert_error *err);

bool file_exists(const char *path);
bool file_is_folder(const char *path);
/* Whether both names lead to one file that is there. */
bool file_is_same(const char *a, const char *b);

/* Pointer into path: what is after the last '/', and the extension from its '.' (or the end). */
const char *path_base(const char *path);
const char *path_extension(const char *path);
/* Bytes of a folder's name without the slashes behind it: "a/b//" 3, "/" 0. */
size_t path_folder_length(const char *folder);
/* "dir/name", or name alone where it is absolute or dir is empty; to be freed. */
int path_join(const char *dir, const char *name, char **out, lanert_error *err);

#endif

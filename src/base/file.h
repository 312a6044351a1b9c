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
void file_map_close(file_map *map);

/* A file that appears under its name only at file_commit: written beside it under a temporary name,
 * flushed to the disk, renamed. */
typedef struct file_writer {
    FILE *stream;    /* write here, or to temp_path */
    char *path;      /* the name it will have */
    char *temp_path; /* the name it has until then */
    bool force;
} file_writer;

/* Without `force`, LANERT_EEXIST where `path` is there, or is by the time of the commit. Folders above it are made.
 * `suffix` (may be NULL) ends the temporary name, for writers that go by it (".mp4"). */
int file_writer_open(const char *path, bool force, const char *suffix, file_writer *w, lanert_error *err);
int file_writer_commit(file_writer *w, lanert_error *err);
/* Throws away what was not committed; harmless afterwards. */
void file_writer_close(file_writer *w);

/* Writes `size` bytes under `path`, whole or not at all. */
int file_write(const char *path, const void *data, size_t size, bool force, lanert_error *err);

/* Makes a folder and those above it. */
int file_make_folders(const char *path, lanert_error *err);

bool file_exists(const char *path);
bool file_is_folder(const char *path);

/* Pointer into path: what is after the last '/', and the extension from its '.' (or the end). */
const char *path_base(const char *path);
const char *path_extension(const char *path);
/* "dir/name", or name alone where it is absolute or dir is empty; to be freed. */
int path_join(const char *dir, const char *name, char **out, lanert_error *err);

#endif

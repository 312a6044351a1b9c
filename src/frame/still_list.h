/* still_list.h - the pictures that a folder, a glob, a list file or a single file stand for, in their order. */
#ifndef FRAME_STILL_LIST_H
#define FRAME_STILL_LIST_H

#include "base/buffer.h"

/* More pictures than this, or a larger list file, are refused. */
#define STILL_LIST_MAX ((size_t)10 * 1000 * 1000)
#define STILL_LIST_MAX_BYTES ((size_t)1 << 30)

typedef struct still_entry {
    size_t name; /* where in still_list.names */
    size_t line; /* of the list file, from 1 */
} still_entry;

typedef struct still_list {
    char *folder;    /* what names are relative to; "" for the working folder */
    char *list_file; /* where the names were read, or NULL */
    size_t root;     /* list files: bytes of `folder` under which the last picture was found */
    buffer names;    /* one after another, each with its NUL */
    still_entry *entries;
    size_t count, capacity;
} still_list;

/* Gathers the names that `spec` stands for:
 *   a folder   the .jpg, .jpeg and .png files in it and below, in the byte order of their paths; hidden ones
 *              and loops of links are passed over
 *   *.txt      a list: a picture a line, as still_list_find reads it; blank lines are passed over
 *   a file     itself
 *   else       a pattern of glob(3) with braces, in byte order
 * LANERT_ENOTFOUND where that is no picture at all, LANERT_EIO, LANERT_EFORMAT, LANERT_ELIMIT. */
int still_list_open(const char *spec, still_list *list, lanert_error *err);
/* Of pictures by their paths, whose names are relative to nothing. */
int still_list_take(const char *const *paths, size_t count, still_list *list, lanert_error *err);
void still_list_close(still_list *list);

/* The path of picture i, and its name: relative to the folder, to the pattern's part before its first
 * wildcard, or as the list has it, without a leading '/' and without "." and ".." (so it may safely be put
 * behind another folder); cut to `size` bytes.
 *
 * A line of a list is looked for where the last one was found, then in the list's own folder, then in each
 * folder above it, up to the root: so CULane's lists, which stand in a folder of the data set and whose lines
 * begin with '/', need no more. Where
 * the whole line is no file, what follows its first blank is taken for further columns. LANERT_ENOTFOUND, with
 * the list's name and line, where it is not there. */
int still_list_find(still_list *list, size_t i, buffer *path, char *name, size_t size, lanert_error *err);

#endif

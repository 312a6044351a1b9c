#include "frame/still_list.h"

#include <errno.h>
#include <fts.h>
#include <glob.h>
#include <limits.h>
#include <strings.h>

#include "base/file.h"

static bool has_extension(const char *path, const char *const extensions[])
{
    for (; *extensions; extensions++)
        if (strcasecmp(path_extension(path), *extensions) == 0)
            return true;
    return false;
}

static bool is_picture_name(const char *path)
{
    static const char *const extensions[] = {".jpg", ".jpeg", ".png", NULL};
    return has_extension(path, extensions);
}

static bool is_video_name(const char *path)
{
    static const char *const extensions[] = {".mp4", ".avi", ".mkv", ".mov", ".ts", ".webm", ".m4v", ".mpg", NULL};
    return has_extension(path, extensions);
}

static int add(still_list *list, const char *name, size_t length, size_t line, lanert_error *err)
{
    if (list->count == STILL_LIST_MAX)
        return error_set(err, LANERT_ELIMIT, "more than %zu pictures: take a part of them", STILL_LIST_MAX);
    int rc = memory_grow(&list->entries, &list->capacity, list->count + 1, sizeof *list->entries, err);
    size_t at = list->names.size;
    if (rc || (rc = buffer_add(&list->names, name, length, err)) || (rc = buffer_add(&list->names, "", 1, err)))
        return rc;
    list->entries[list->count++] = (still_entry){at, line};
    return 0;
}

static int compare_names(const void *a, const void *b, void *names)
{
    const char *text = names;
    return strcmp(text + ((const still_entry *)a)->name, text + ((const still_entry *)b)->name);
}

static void sort(still_list *list)
{
    if (list->count > 1)
        qsort_r(list->entries, list->count, sizeof *list->entries, compare_names, list->names.data);
}

/* ---- folders --------------------------------------------------------------------------------- */

/* One step of the walk. FTS_LOGICAL follows links; one that leads back to a folder above it is an FTS_DC. */
static int visit(still_list *list, FTS *walk, FTSENT *entry, size_t prefix, size_t *videos, lanert_error *err)
{
    if (entry->fts_level > 0 && entry->fts_name[0] == '.') {
        fts_set(walk, entry, FTS_SKIP);
        return 0;
    }
    if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR)
        return error_errno(err, LANERT_EIO, entry->fts_errno, "%s: folder cannot be read", entry->fts_path);
    if (entry->fts_info != FTS_F)
        return 0;
    *videos += is_video_name(entry->fts_name);
    if (!is_picture_name(entry->fts_name))
        return 0;
    const char *name = entry->fts_path + prefix;
    return add(list, name, strlen(name), 0, err);
}

static int walk_folder(still_list *list, size_t *videos, lanert_error *err)
{
    char *const start[] = {list->folder, NULL};
    size_t prefix = strlen(list->folder) + (list->folder[strlen(list->folder) - 1] != '/');
    FTS *walk = fts_open(start, FTS_LOGICAL | FTS_NOCHDIR, NULL);
    if (!walk)
        return error_errno(err, LANERT_EIO, errno, "%s: folder cannot be read", list->folder);
    FTSENT *entry;
    int rc = 0;
    while (!rc && (errno = 0, entry = fts_read(walk)))
        rc = visit(list, walk, entry, prefix, videos, err);
    if (!rc && errno)
        rc = error_errno(err, LANERT_EIO, errno, "%s: folder cannot be read", list->folder);
    fts_close(walk);
    return rc;
}

static int open_folder(const char *spec, still_list *list, lanert_error *err)
{
    size_t length = strlen(spec), videos = 0;
    while (length > 1 && spec[length - 1] == '/')
        length--;
    if (!(list->folder = strndup(spec, length)))
        return error_set(err, LANERT_ENOMEM, "out of memory");
    int rc = walk_folder(list, &videos, err);
    if (rc)
        return rc;
    if (list->count == 0 && videos > 0)
        return error_set(err, LANERT_ENOTFOUND, "%s: no .jpg, .jpeg or .png file in this folder, but %zu video%s: %s",
                         spec, videos, videos > 1 ? "s" : "", "name a video itself to read it");
    if (list->count == 0)
        return error_set(err, LANERT_ENOTFOUND, "%s: no .jpg, .jpeg or .png file in this folder or below it", spec);
    sort(list);
    return 0;
}

/* ---- patterns -------------------------------------------------------------------------------- */

static int open_glob(const char *spec, still_list *list, lanert_error *err)
{
    glob_t found = {0};
    int rc = 0;
    size_t prefix = strcspn(spec, "*?[{");
    while (prefix > 0 && spec[prefix - 1] != '/')
        prefix--;
    if (!(list->folder = strndup(spec, prefix)))
        return error_set(err, LANERT_ENOMEM, "out of memory");
    int why = glob(spec, GLOB_NOSORT | GLOB_BRACE, NULL, &found);
    if (why && why != GLOB_NOMATCH)
        rc = error_set(err, why == GLOB_NOSPACE ? LANERT_ENOMEM : LANERT_EIO, "%s: the pattern cannot be followed",
                       spec);
    for (size_t i = 0; !rc && i < found.gl_pathc; i++)
        if (!file_is_folder(found.gl_pathv[i]))
            rc = add(list, found.gl_pathv[i] + prefix, strlen(found.gl_pathv[i] + prefix), 0, err);
    if (!rc && list->count == 0)
        rc = error_set(err, LANERT_ENOTFOUND, "%s: no file matches this pattern", spec);
    globfree(&found);
    sort(list);
    return rc;
}

/* ---- lists ----------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static int parse_list(const char *text, size_t size, still_list *list, lanert_error *err)
{
    const char *end = text + size;
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) /* a byte order mark */
        text += 3;
    for (size_t line = 1; text < end; line++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *from = text, *to = newline ? newline : end;
        text = newline ? newline + 1 : end;
        while (from < to && is_blank(*from))
            from++;
        while (from < to && is_blank(to[-1]))
            to--;
        if (from == to)
            continue;
        if (to - from >= PATH_MAX || memchr(from, '\0', (size_t)(to - from)))
            return error_set(err, LANERT_EFORMAT, "%s:%zu: is not a picture's path; expected a list with a path a line",
                             list->list_file, line);
        int rc = add(list, from, (size_t)(to - from), line, err);
        if (rc)
            return rc;
    }
    return 0;
}

static int open_list(const char *spec, still_list *list, lanert_error *err)
{
    file_map map;
    if (!(list->list_file = strdup(spec)) || !(list->folder = realpath(spec, NULL)))
        return error_errno(err, errno == ENOMEM ? LANERT_ENOMEM : LANERT_EIO, errno, "%s", spec);
    *strrchr(list->folder, '/') = '\0';
    list->root = strlen(list->folder);
    int rc = file_map_open(spec, STILL_LIST_MAX_BYTES, &map, err);
    if (rc)
        return rc;
    rc = parse_list((const char *)map.data, map.size, list, err);
    file_map_close(&map);
    if (!rc && list->count == 0)
        rc = error_set(err, LANERT_ENOTFOUND, "%s: the list is empty; expected a picture's path a line", spec);
    return rc;
}

/* Is this line a file below the first `root` bytes of the list's folder? */
static int try_root(still_list *list, size_t root, const char *line, size_t length, buffer *path, bool *found,
                    lanert_error *err)
{
    size_t slashes = strspn(line, "/");
    slashes = slashes < length ? slashes : length;
    buffer_clear(path);
    int rc = buffer_add(path, list->folder, root, err);
    if (rc || (rc = buffer_text(path, "/", err)) || (rc = buffer_add(path, line + slashes, length - slashes, err)))
        return rc;
    *found = file_exists(path->data);
    if (*found)
        list->root = root;
    return 0;
}

/* Where the last picture was found, so will most others be: CULane's list has 34,680 of them. */
static int find_line(still_list *list, const char *line, size_t length, buffer *path, bool *found, lanert_error *err)
{
    size_t root = strlen(list->folder);
    int rc = try_root(list, list->root, line, length, path, found, err);
    while (!rc && !*found) {
        rc = try_root(list, root, line, length, path, found, err);
        if (root == 0)
            break;
        do
            root--;
        while (list->folder[root] != '/');
    }
    return rc;
}

/* ---- all ------------------------------------------------------------------------------------- */

static int open_single(const char *spec, still_list *list, lanert_error *err)
{
    const char *base = path_base(spec);
    if (!(list->folder = strndup(spec, (size_t)(base - spec))))
        return error_set(err, LANERT_ENOMEM, "out of memory");
    return add(list, base, strlen(base), 0, err);
}

int still_list_open(const char *spec, still_list *list, lanert_error *err)
{
    int rc;
    *list = (still_list){0};
    if (file_is_folder(spec))
        rc = open_folder(spec, list, err);
    else if (!file_exists(spec))
        rc = open_glob(spec, list, err);
    else if (strcasecmp(path_extension(spec), ".txt") == 0)
        rc = open_list(spec, list, err);
    else
        rc = open_single(spec, list, err);
    if (rc)
        still_list_close(list);
    return rc;
}

int still_list_take(const char *const *paths, size_t count, still_list *list, lanert_error *err)
{
    *list = (still_list){.folder = strdup("")};
    int rc = list->folder ? 0 : error_set(err, LANERT_ENOMEM, "out of memory");
    for (size_t i = 0; !rc && i < count; i++)
        rc = add(list, paths[i], strlen(paths[i]), 0, err);
    if (rc)
        still_list_close(list);
    return rc;
}

void still_list_close(still_list *list)
{
    free(list->folder);
    free(list->list_file);
    free(list->entries);
    buffer_free(&list->names);
    *list = (still_list){0};
}

/* Appends each component of `from` but "", "." and "..", with '/' between, as far as there is room. */
static void tidy(const char *from, size_t length, char *name, size_t size)
{
    const char *end = from + length;
    size_t used = 0;
    while (from < end) {
        const char *slash = memchr(from, '/', (size_t)(end - from));
        size_t n = (size_t)((slash ? slash : end) - from);
        bool nothing = n == 0 || (n == 1 && from[0] == '.') || (n == 2 && from[0] == '.' && from[1] == '.');
        if (!nothing && used > 0 && used < size - 1)
            name[used++] = '/';
        if (!nothing && n > size - 1 - used)
            n = size - 1 - used;
        if (!nothing) {
            memcpy(name + used, from, n);
            used += n;
        }
        from = slash ? slash + 1 : end;
    }
    name[used] = '\0';
}

int still_list_find(still_list *list, size_t i, buffer *path, char *name, size_t size, lanert_error *err)
{
    const char *text = list->names.data + list->entries[i].name;
    size_t length = strlen(text), column = strcspn(text, " \t");
    bool found = !list->list_file;
    int rc = 0;
    tidy(text, length, name, size);
    if (!list->list_file) {
        buffer_clear(path);
        const char *slash = *list->folder && list->folder[strlen(list->folder) - 1] != '/' ? "/" : "";
        return buffer_format(path, err, "%s%s%s", list->folder, slash, text);
    }
    rc = find_line(list, text, length, path, &found, err);
    if (!rc && !found && column < length) {
        tidy(text, column, name, size);
        rc = find_line(list, text, column, path, &found, err);
    }
    if (!rc && !found)
        rc = error_set(err, LANERT_ENOTFOUND, "%s:%zu: there is no picture %s in %s/ or a folder above it",
                       list->list_file, list->entries[i].line, text, list->folder);
    return rc;
}

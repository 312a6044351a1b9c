/* dataset.c - frames, lists and folders, whatever the kind of data set. */
#include "eval/dataset.h"

#include <errno.h>
#include <fts.h>

static const dataset_ops *const kinds[] = {&dataset_culane, &dataset_tusimple, &dataset_llamas};

static int copy_text(const char *text, char **out, lanert_error *err)
{
    *out = text ? strdup(text) : NULL;
    return text && !*out ? error_set(err, LANERT_ENOMEM, "out of memory") : 0;
}

int dataset_open(const char *name, const char *root, const char *list, const char *predictions, dataset *d,
                 lanert_error *err)
{
    int rc;
    *d = (dataset){0};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (name && strcmp(name, kinds[i]->name) == 0)
            d->ops = kinds[i];
    if (!d->ops)
        return error_set(err, LANERT_EINVAL, "data set \"%s\"; expected culane, tusimple or llamas", name ? name : "");
    if (!root || !*root)
        return error_set(err, LANERT_EINVAL, "no root; expected the folder of the %s annotations", name);
    if (!file_is_folder(root))
        return error_set(err, LANERT_ENOTFOUND, "%s: is not a folder; expected that of the %s annotations", root, name);
    if ((rc = copy_text(root, &d->root, err)) || (rc = copy_text(predictions, &d->predictions, err)) ||
        (rc = d->ops->open(d, list, predictions, err)))
        dataset_close(d);
    else if (!d->count) {
        rc = error_set(err, LANERT_EFORMAT, "%s: no frames in it", list ? list : root);
        dataset_close(d);
    }
    return rc;
}

void dataset_close(dataset *d)
{
    for (size_t i = 0; i < d->count; i++)
        free(d->frames[i].name);
    free(d->frames);
    free(d->root);
    free(d->labels);
    free(d->predictions);
    file_map_close(&d->label_map);
    file_map_close(&d->prediction_map);
    *d = (dataset){0};
}

int dataset_add(dataset *d, const char *name, size_t length, dataset_frame **frame, lanert_error *err)
{
    if (d->count == DATASET_MAX_FRAMES)
        return error_set(err, LANERT_ELIMIT, "more than %d frames", DATASET_MAX_FRAMES);
    int rc = memory_grow(&d->frames, &d->capacity, d->count + 1, sizeof *d->frames, err);
    if (rc)
        return rc;
    char *copy = strndup(name, length);
    if (!copy)
        return error_set(err, LANERT_ENOMEM, "out of memory");
    d->frames[d->count] = (dataset_frame){.name = copy};
    *frame = &d->frames[d->count++];
    return 0;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

int dataset_lines(const file_map *map, dataset_on_line *take, void *context, lanert_error *err)
{
    const char *text = (const char *)map->data;
    size_t left = map->size;
    int rc = 0;
    for (int line = 1; !rc && left; line++) {
        const char *stop = memchr(text, '\n', left);
        size_t whole = stop ? (size_t)(stop - text) + 1 : left, size = whole;
        while (size && is_space(text[size - 1]))
            size--;
        if (size)
            rc = take(context, text, size, line, err);
        text += whole;
        left -= whole;
    }
    return rc;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool ends_in(const char *name, const char *ending)
{
    size_t length = strlen(name), tail = strlen(ending);
    return length > tail && strcmp(name + length - tail, ending) == 0;
}

static int walk(FTS *tree, size_t skip, const char *ending, dataset_on_file *take, void *context, lanert_error *err)
{
    const FTSENT *entry;
    int rc = 0;
    while (!rc && (errno = 0, entry = fts_read(tree))) {
        const char *name = entry->fts_path + skip;
        while (*name == '/')
            name++;
        if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS)
            rc = error_errno(err, LANERT_EIO, entry->fts_errno, "%s", entry->fts_path);
        else if ((entry->fts_info == FTS_F || entry->fts_info == FTS_SL) && ends_in(name, ending))
            rc = take(context, name, err);
    }
    return rc ? rc : errno ? error_errno(err, LANERT_EIO, errno, "a folder cannot be read") : 0;
}

int dataset_walk(const char *folder, const char *ending, dataset_on_file *take, void *context, lanert_error *err)
{
    char *start[] = {(char *)folder, NULL};
    FTS *tree = fts_open(start, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
    if (!tree)
        return error_errno(err, LANERT_EIO, errno, "%s", folder);
    int rc = walk(tree, strlen(folder), ending, take, context, err);
    fts_close(tree);
    return rc;
}

static int by_frame_name(const void *a, const void *b, void *frames)
{
    const dataset_frame *all = frames;
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    int order = strcmp(all[i].name, all[j].name);
    return order ? order : i < j ? -1 : i > j;
}

int dataset_order(const dataset *d, size_t **order, lanert_error *err)
{
    int rc = memory_new(order, d->count, sizeof **order, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < d->count; i++)
        (*order)[i] = i;
    if (d->count)
        qsort_r(*order, d->count, sizeof **order, by_frame_name, d->frames);
    return 0;
}

bool dataset_find(const dataset *d, const size_t *order, const char *name, size_t *at)
{
    size_t low = 0, high = d->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(d->frames[order[middle]].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *at = low;
    return low < d->count && strcmp(d->frames[order[low]].name, name) == 0;
}

int dataset_path(const char *folder, const char *name, size_t cut, const char *ending, char **path, lanert_error *err)
{
    buffer b = {0};
    int rc = buffer_format(&b, err, "%.*s/%.*s%s", (int)path_folder_length(folder), folder, (int)(strlen(name) - cut),
                           name, ending);
    *path = b.data;
    return rc;
}

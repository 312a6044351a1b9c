/* dataset_llamas.c - LLAMAS: a label file a picture, in folders of drives.
 *
 * Below root, labels/valid/<drive>/<name>.json, color_images/valid/<drive>/<name>_color_rect.png; below the
 * predictions <drive>/<name>.lines.txt (llamas_metric.py, clrnet/datasets/llamas.py). */
#include "eval/dataset.h"

#define LABELS "labels/valid"

static int take_label(void *context, const char *name, lanert_error *err)
{
    dataset_frame *frame;
    return dataset_add(context, name, strlen(name), &frame, err);
}

typedef struct reading {
    dataset *d;
    const char *path;
} reading;

static int take_listed(void *context, const char *text, size_t size, int line, lanert_error *err)
{
    const reading *r = context;
    dataset_frame *frame;
    if (size < 6 || memcmp(text + size - 5, ".json", 5) != 0 || memchr(text, '\0', size))
        return error_set(err, LANERT_EFORMAT, "%s:%d: \"%.*s\" is not a label's name; expected one ending in .json",
                         r->path, line, (int)(size < 60 ? size : 60), text);
    return dataset_add(r->d, text, size, &frame, err);
}

static int read_list(dataset *d, const char *list, lanert_error *err)
{
    file_map map;
    reading r = {d, list};
    int rc = file_map_open(list, DATASET_MAX_LIST_FILE, &map, err);
    if (!rc)
        rc = dataset_lines(&map, take_listed, &r, err);
    file_map_close(&map);
    return rc;
}

static int open_llamas(dataset *d, const char *list, const char *predictions, lanert_error *err)
{
    int rc;
    if (predictions && !file_is_folder(predictions))
        return error_set(err, LANERT_ENOTFOUND, "%s: is not a folder; expected that of LLAMAS predictions, .lines.txt",
                         predictions);
    if ((rc = path_join(d->root, LABELS, &d->labels, err)))
        return rc;
    if (!file_is_folder(d->labels)) {
        free(d->labels);
        if (!(d->labels = strdup(d->root)))
            return error_set(err, LANERT_ENOMEM, "out of memory");
    }
    if (list)
        return read_list(d, list, err);
    rc = dataset_walk(d->labels, ".json", take_label, d, err);
    if (!rc && !d->count)
        rc = error_set(err, LANERT_ENOTFOUND, "%s: not laid out as LLAMAS: no .json labels in it or in " LABELS,
                       d->root);
    return rc;
}

static int truth_path(const dataset *d, const dataset_frame *frame, char **path, lanert_error *err)
{
    return path_join(d->labels, frame->name, path, err);
}

/* The drive and the picture, whatever folders are above them (get_label_base). */
static const char *short_name(const dataset_frame *frame)
{
    const char *name = path_base(frame->name);
    if (name > frame->name)
        for (name--; name > frame->name && name[-1] != '/'; name--)
            ;
    return name;
}

static int prediction_path(const dataset *d, const dataset_frame *frame, char **path, lanert_error *err)
{
    return dataset_path(d->predictions, short_name(frame), strlen(".json"), ".lines.txt", path, err);
}

static int picture_path(const dataset *d, const dataset_frame *frame, char **path, lanert_error *err)
{
    char *folder;
    int rc;
    if (strcmp(d->labels, d->root) == 0)
        return error_set(err, LANERT_ENOTFOUND, "%s: has no " LABELS ", so where its pictures are is not known",
                         d->root);
    if ((rc = path_join(d->root, "color_images/valid", &folder, err)))
        return rc;
    rc = dataset_path(folder, short_name(frame), strlen(".json"), "_color_rect.png", path, err);
    free(folder);
    return rc;
}

const dataset_ops dataset_llamas = {
    .name = "llamas",
    .rules = &overlap_llamas,
    .open = open_llamas,
    .truth_path = truth_path,
    .prediction_path = prediction_path,
    .picture_path = picture_path,
};

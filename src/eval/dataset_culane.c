/* dataset_culane.c - CULane: a list of pictures, or a folder of them; beside each, and in the folder of predictions,
 * its
 * `.lines.txt`. */
#include <ctype.h>

#include "eval/dataset.h"

const char *const dataset_culane_categories[DATASET_CATEGORIES] = {"normal", "crowd", "hlight", "shadow", "noline",
                                                                   "arrow",  "curve", "cross",  "night"};

/* A picture's name in a line of a list: without the '/' in front and, in the lists made for training, without the
 * columns behind it. */
static size_t name_in_line(const char **text, size_t size)
{
    if (size && **text == '/') {
        (*text)++;
        size--;
    }
    for (size_t i = 4; i < size; i++)
        if (isblank((unsigned char)(*text)[i]) && memcmp(*text + i - 4, ".jpg", 4) == 0)
            return i;
    return size;
}

typedef struct reading {
    dataset *d;
    const char *path;
    const size_t *order; /* of a category's list: d's frames by name */
    unsigned category;   /* its bit */
} reading;

static int take_frame(void *context, const char *text, size_t size, int line, lanert_error *err)
{
    const reading *r = context;
    dataset_frame *frame;
    size = name_in_line(&text, size);
    if (size < 5 || memcmp(text + size - 4, ".jpg", 4) != 0 || memchr(text, '\0', size))
        return error_set(err, LANERT_EFORMAT, "%s:%d: \"%.*s\" is not a picture's name; expected one ending in .jpg",
                         r->path, line, (int)(size < 60 ? size : 60), text);
    return dataset_add(r->d, text, size, &frame, err);
}

/* Frames that the main list lacks are of no concern: it may be a part of the whole. */
static int take_category(void *context, const char *text, size_t size, int line, lanert_error *err)
{
    const reading *r = context;
    (void)line;
    size = name_in_line(&text, size);
    char *name = strndup(text, size);
    size_t at;
    if (!name)
        return error_set(err, LANERT_ENOMEM, "out of memory");
    if (dataset_find(r->d, r->order, name, &at))
        for (; at < r->d->count && strcmp(r->d->frames[r->order[at]].name, name) == 0; at++)
            r->d->frames[r->order[at]].categories |= r->category;
    free(name);
    return 0;
}

static int read_list(reading *r, const char *path, dataset_on_line *take, lanert_error *err)
{
    file_map map;
    int rc = file_map_open(path, DATASET_MAX_LIST_FILE, &map, err);
    r->path = path;
    if (!rc)
        rc = dataset_lines(&map, take, r, err);
    file_map_close(&map);
    return rc;
}

/* "<folder of the list>/test_split/test3_shadow.txt", where it is there. */
static int read_category(reading *r, const char *list, int i, lanert_error *err)
{
    buffer path = {0};
    int rc = buffer_format(&path, err, "%.*stest_split/test%d_%s.txt", (int)(path_base(list) - list), list, i,
                           dataset_culane_categories[i]);
    if (!rc && file_exists(path.data)) {
        r->category = 1u << i;
        r->d->categories |= r->category;
        rc = read_list(r, path.data, take_category, err);
    }
    buffer_free(&path);
    return rc;
}

static int open_lists(dataset *d, const char *list, lanert_error *err)
{
    size_t *order = NULL;
    reading r = {.d = d};
    int rc = read_list(&r, list, take_frame, err);
    if (!rc)
        rc = dataset_order(d, &order, err);
    r.order = order;
    for (int i = 0; !rc && i < DATASET_CATEGORIES; i++)
        rc = read_category(&r, list, i, err);
    free(order);
    return rc;
}

/* The picture that a label is beside; where there is none, a name that says so when it is read. */
static int take_label(void *context, const char *name, lanert_error *err)
{
    static const char *const endings[] = {".png", ".jpeg", ".jpg"};
    const int stem = (int)(strlen(name) - strlen(".lines.txt"));
    dataset *d = context;
    dataset_frame *frame;
    buffer path = {0};
    int rc = 0;
    for (size_t i = 0; !rc && i < ARRAY_LEN(endings); i++) {
        buffer_clear(&path);
        rc = buffer_format(&path, err, "%s/%.*s%s", d->root, stem, name, endings[i]);
        if (!rc && file_exists(path.data))
            break;
    }
    if (!rc) {
        const char *picture = path.data + strlen(d->root) + 1;
        rc = dataset_add(d, picture, strlen(picture), &frame, err);
    }
    buffer_free(&path);
    return rc;
}

static int open_folder(dataset *d, lanert_error *err)
{
    int rc = dataset_walk(d->root, ".lines.txt", take_label, d, err);
    if (!rc && !d->count)
        rc = error_set(err, LANERT_ENOTFOUND,
                       "%s: neither list/test.txt nor any .lines.txt is in it; expected CULane's layout, or pictures "
                       "with their labels beside them",
                       d->root);
    return rc;
}

/* A CULane that lacks its list is not scored with the pictures it is trained on. */
static bool has_lists(const dataset *d)
{
    char *path = NULL;
    bool there = path_join(d->root, "list", &path, NULL) || file_exists(path);
    free(path);
    return there;
}

static int open_culane(dataset *d, const char *list, const char *predictions, lanert_error *err)
{
    char *own = NULL;
    int rc;
    if (predictions && !file_is_folder(predictions))
        return error_set(err, LANERT_ENOTFOUND, "%s: is not a folder; expected that of CULane predictions, .lines.txt",
                         predictions);
    if (!list && !has_lists(d))
        return open_folder(d, err);
    if (!list && (rc = path_join(d->root, "list/test.txt", &own, err)))
        return rc;
    rc = open_lists(d, list ? list : own, err);
    if (rc == LANERT_ENOTFOUND && !list)
        rc = error_within(err, rc, "%s: not laid out as CULane; --list names the list of pictures", d->root);
    free(own);
    return rc;
}

static int truth_path(const dataset *d, const dataset_frame *frame, char **path, lanert_error *err)
{
    return dataset_path(d->root, frame->name, strlen(path_extension(frame->name)), ".lines.txt", path, err);
}

static int prediction_path(const dataset *d, const dataset_frame *frame, char **path, lanert_error *err)
{
    return dataset_path(d->predictions, frame->name, strlen(path_extension(frame->name)), ".lines.txt", path, err);
}

static int picture_path(const dataset *d, const dataset_frame *frame, char **path, lanert_error *err)
{
    return path_join(d->root, frame->name, path, err);
}

const dataset_ops dataset_culane = {
    .name = "culane",
    .rules = &overlap_culane,
    .open = open_culane,
    .truth_path = truth_path,
    .prediction_path = prediction_path,
    .picture_path = picture_path,
};

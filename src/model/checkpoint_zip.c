/* The zip of PyTorch 1.6 and newer: <top>/data.pkl, <top>/data/<key> for each storage, <top>/version, and from 2.1 on
 * <top>/byteorder. */
#include "model/checkpoint_bytes.h"
#include "model/checkpoint_content.h"

#define OBJECT "/data.pkl"

/* The folder that all records lie in: the file's name at the time it was saved. */
typedef struct folder {
    const char *name;
    size_t size;
} folder;

bool checkpoint_is_zip(const uint8_t *data, size_t size)
{
    return size >= 4 && memcmp(data, "PK\3\4", 4) == 0;
}

/* <top>/<name>, or NULL. */
static checkpoint_record *find_in(const checkpoint_archive *archive, folder top, const char *name, size_t name_size)
{
    char path[512];
    if (top.size + 1 + name_size > sizeof path)
        return NULL;
    memcpy(path, top.name, top.size);
    path[top.size] = '/';
    memcpy(path + top.size + 1, name, name_size);
    return checkpoint_archive_find(archive, path, top.size + 1 + name_size);
}

/* The record <top>/data.pkl, of which there must be one. */
static int find_object(const checkpoint_archive *archive, folder *top, checkpoint_record **object, lanert_error *err)
{
    *object = NULL;
    *top = (folder){0};
    for (size_t i = 0; i < archive->count; i++) {
        checkpoint_record *r = &archive->records[i];
        const char *slash = memchr(r->name, '/', r->name_size);
        size_t before = slash ? (size_t)(slash - r->name) : 0;
        if (!before || !bytes_are(slash, r->name_size - before, OBJECT))
            continue;
        if (*object)
            return error_set(err, LANERT_EFORMAT, "holds two checkpoints, '%s' and '%s'; expected one",
                             bytes_show((*object)->name, (*object)->name_size).text,
                             bytes_show(r->name, r->name_size).text);
        *object = r;
        *top = (folder){r->name, before};
    }
    if (*object)
        return 0;
    bytes_shown first = archive->count ? bytes_show(archive->records[0].name, archive->records[0].name_size)
                                       : (bytes_shown){""};
    return error_set(err, LANERT_EUNSUPPORTED,
                     "is a zip without a data.pkl, so not one of torch.save (its first record is '%s'): where it is a "
                     "checkpoint packed for download, unpack it and use the .pth file in it",
                     first.text);
}

static int refuse_torchscript(const checkpoint_archive *archive, folder top, lanert_error *err)
{
    const char *found = find_in(archive, top, "constants.pkl", 13) ? "constants.pkl" : NULL;
    for (size_t i = 0; i < archive->count && !found; i++) {
        const checkpoint_record *r = &archive->records[i];
        if (r->name_size > top.size + 6 && memcmp(r->name, top.name, top.size) == 0 &&
            memcmp(r->name + top.size, "/code/", 6) == 0)
            found = "code";
    }
    if (!found)
        return 0;
    return error_set(
        err, LANERT_EUNSUPPORTED,
        "is a TorchScript archive (it has '%s/%s'), a program rather than a checkpoint: use the checkpoint "
        "that training saved, or torch.save({'net': torch.jit.load(file).state_dict()}, …)",
        bytes_show(top.name, top.size).text, found);
}

static int refuse_compressed(const checkpoint_archive *archive, lanert_error *err)
{
    for (size_t i = 0; i < archive->count; i++) {
        const checkpoint_record *r = &archive->records[i];
        if (r->method)
            return error_set(
                err, LANERT_EUNSUPPORTED,
                "record '%s' is compressed (method %u), and torch.save compresses nothing: pack the records "
                "again without compression (zip -0), or load the file with torch.load and save it again",
                bytes_show(r->name, r->name_size).text, r->method);
    }
    return 0;
}

static int check_byte_order(const checkpoint_archive *archive, folder top, lanert_error *err)
{
    checkpoint_record *r = find_in(archive, top, "byteorder", 9);
    if (!r || bytes_are((const char *)r->data, r->size, "little"))
        return 0;
    return error_set(
        err, LANERT_EUNSUPPORTED,
        "record '%s' says '%s'; only little-endian checkpoints are read: load it with torch.load and save it "
        "on a little-endian machine",
        bytes_show(r->name, r->name_size).text, bytes_show((const char *)r->data, r->size).text);
}

static int find_storage(const checkpoint_archive *archive, folder top, pickle_storage *storage, lanert_error *err)
{
    char name[5 + PICKLE_MAX_KEY] = "data/";
    memcpy(name + 5, storage->key, storage->key_size);
    checkpoint_record *r = find_in(archive, top, name, 5 + storage->key_size);
    if (!r)
        return error_set(err, LANERT_EFORMAT, "record '%s/data/%s' is missing, though data.pkl names it",
                         bytes_show(top.name, top.size).text, bytes_show(storage->key, storage->key_size).text);
    uint64_t bytes = (uint64_t)storage->elements * checkpoint_type_size(storage->type);
    if (r->size != bytes)
        return error_set(err, LANERT_EFORMAT,
                         "record '%s' has %zu bytes; data.pkl says %lld elements of %s, %llu bytes",
                         bytes_show(r->name, r->name_size).text, r->size, (long long)storage->elements,
                         checkpoint_type_name(storage->type), (unsigned long long)bytes);
    storage->data = r->data;
    storage->record = r;
    return 0;
}

int checkpoint_load_zip(const uint8_t *data, size_t size, checkpoint_content *content, lanert_error *err)
{
    checkpoint_archive *archive = &content->archive;
    checkpoint_record *object;
    folder top;
    size_t at = 0;
    int rc;
    content->form = "zip";
    if ((rc = checkpoint_archive_open(data, size, archive, err)) || (rc = find_object(archive, &top, &object, err)) ||
        (rc = refuse_torchscript(archive, top, err)) || (rc = refuse_compressed(archive, err)) ||
        (rc = check_byte_order(archive, top, err)) || (rc = checkpoint_record_verify(object, err)))
        return rc;
    if ((rc = pickle_load(object->data, object->size, &at, &content->pickle, err)))
        return error_within(err, rc, "record '%s'", bytes_show(object->name, object->name_size).text);
    if (at != object->size)
        return error_set(err, LANERT_EFORMAT, "record '%s' goes on for %zu bytes behind its pickle",
                         bytes_show(object->name, object->name_size).text, object->size - at);
    for (size_t i = 0; i < content->pickle.storage_count && !rc; i++)
        rc = find_storage(archive, top, content->pickle.storages[i], err);
    return rc;
}

/* The form before PyTorch 1.6: five pickles in a row (magic number, protocol, system, the object, the keys of its
 * storages), then each storage in the order of the keys: a count of elements in 8 bytes, and the elements. */
#include "model/checkpoint_bytes.h"
#include "model/checkpoint_content.h"

/* The first pickle: protocol 2, LONG1 of 10 bytes 0x1950a86a20f9469cfc6c, STOP (torch/serialization.py). */
static const uint8_t magic[] = {0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46,
                                0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.'};

#define PROTOCOL_VERSION 1001

bool checkpoint_is_legacy(const uint8_t *data, size_t size)
{
    return size >= sizeof magic && memcmp(data, magic, sizeof magic) == 0;
}

static int load_part(const uint8_t *data, size_t size, size_t *at, const char *what, pickle *p, lanert_error *err)
{
    int rc = pickle_load(data, size, at, p, err);
    return rc ? error_within(err, rc, "pickle of %s", what) : 0;
}

static int check_protocol(const uint8_t *data, size_t size, size_t *at, lanert_error *err)
{
    pickle p;
    int rc = load_part(data, size, at, "the protocol", &p, err);
    if (!rc && (p.root->kind != PICKLE_INT || p.root->integer != PROTOCOL_VERSION))
        rc = error_set(err, LANERT_EUNSUPPORTED, "its second pickle is not %d, the protocol of torch.save before 1.6",
                       PROTOCOL_VERSION);
    pickle_free(&p);
    return rc;
}

static int check_system(const uint8_t *data, size_t size, size_t *at, lanert_error *err)
{
    pickle p;
    int rc = load_part(data, size, at, "the system", &p, err);
    if (rc)
        return rc;
    const pickle_value *little = p.root->kind == PICKLE_DICT ? pickle_find(p.root, "little_endian") : NULL;
    if (!little || little->kind != PICKLE_BOOL)
        rc = error_set(err, LANERT_EFORMAT, "its third pickle does not say whether it is little_endian");
    else if (!little->integer)
        rc = error_set(err, LANERT_EUNSUPPORTED,
                       "was written on a big-endian machine; only little-endian checkpoints are read: load it with "
                       "torch.load and save it on a little-endian machine");
    pickle_free(&p);
    return rc;
}

static int compare_keys(const pickle_storage *a, const char *key, size_t key_size)
{
    int order = memcmp(a->key, key, a->key_size < key_size ? a->key_size : key_size);
    return order ? order : (a->key_size > key_size) - (a->key_size < key_size);
}

static int compare_storages(const void *a, const void *b)
{
    const pickle_storage *s = *(pickle_storage *const *)a, *t = *(pickle_storage *const *)b;
    return compare_keys(s, t->key, t->key_size);
}

/* The first storage of that key among those sorted by it; the others follow. */
static size_t find_first(const pickle *object, const pickle_value *key)
{
    size_t low = 0, high = object->storage_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_keys(object->storages[middle], key->text.bytes, key->text.size) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Gives every mention of the storage its data at *at, and leaves *at behind it. */
static int place_storage(const uint8_t *data, size_t size, size_t *at, const pickle_value *key, const pickle *object,
                         lanert_error *err)
{
    bytes_shown shown = bytes_show(key->text.bytes, key->text.size);
    size_t i = find_first(object, key), bytes = 0;
    if (i == object->storage_count || compare_keys(object->storages[i], key->text.bytes, key->text.size) != 0)
        return error_set(err, LANERT_EFORMAT, "storage '%s' is listed, but no tensor lies in it", shown.text);
    if (size - *at < 8)
        return error_set(err, LANERT_EFORMAT, "the file is cut short at storage '%s'; copy or download it again",
                         shown.text);
    uint64_t elements = bytes_le(data + *at, 8);
    *at += 8;
    for (; i < object->storage_count; i++) {
        pickle_storage *s = object->storages[i];
        if (compare_keys(s, key->text.bytes, key->text.size) != 0)
            break;
        if (s->data)
            return error_set(err, LANERT_EFORMAT, "storage '%s' is listed twice", shown.text);
        if ((uint64_t)s->elements != elements)
            return error_set(err, LANERT_EFORMAT, "storage '%s' has %llu elements at byte %zu; its tensors say %lld",
                             shown.text, (unsigned long long)elements, *at - 8, (long long)s->elements);
        size_t own = (size_t)s->elements * checkpoint_type_size(s->type);
        if (bytes && own != bytes)
            return error_set(err, LANERT_EFORMAT, "storage '%s' is named with types of different sizes", shown.text);
        if (own > size - *at)
            return error_set(
                err, LANERT_EFORMAT,
                "the file is cut short: storage '%s' has %zu bytes at byte %zu, but only %zu are left; copy "
                "or download it again",
                shown.text, own, *at, size - *at);
        s->data = data + *at;
        bytes = own;
    }
    *at += bytes;
    return 0;
}

/* Reads the list of keys and the storages behind it, up to the file's end. */
static int place_storages(const uint8_t *data, size_t size, size_t *at, const pickle *object, lanert_error *err)
{
    pickle keys;
    int rc = load_part(data, size, at, "the storages' keys", &keys, err);
    if (rc)
        return rc;
    if (keys.root->kind != PICKLE_LIST)
        rc = error_set(err, LANERT_EFORMAT, "its fifth pickle is %s; expected a list of the storages' keys",
                       pickle_kind_name(keys.root->kind));
    if (object->storage_count)
        qsort(object->storages, object->storage_count, sizeof *object->storages, compare_storages);
    for (size_t i = 0; !rc && i < keys.root->list.count; i++) {
        const pickle_value *key = keys.root->list.items[i];
        rc = key->kind == PICKLE_TEXT ? place_storage(data, size, at, key, object, err)
                                      : error_set(err, LANERT_EFORMAT, "a storage's key in its fifth pickle is %s",
                                                  pickle_kind_name(key->kind));
    }
    pickle_free(&keys);
    for (size_t i = 0; !rc && i < object->storage_count; i++) {
        const pickle_storage *s = object->storages[i];
        if (!s->data)
            rc = error_set(err, LANERT_EFORMAT, "storage '%s' is not listed, though a tensor lies in it",
                           bytes_show(s->key, s->key_size).text);
    }
    if (!rc && *at != size)
        rc = error_set(err, LANERT_EFORMAT, "%zu bytes follow the last storage: the sizes do not add up", size - *at);
    return rc;
}

int checkpoint_load_legacy(const uint8_t *data, size_t size, checkpoint_content *content, lanert_error *err)
{
    size_t at = sizeof magic;
    int rc;
    content->form = "legacy";
    if ((rc = check_protocol(data, size, &at, err)) || (rc = check_system(data, size, &at, err)) ||
        (rc = load_part(data, size, &at, "the object", &content->pickle, err)))
        return rc;
    return place_storages(data, size, &at, &content->pickle, err);
}

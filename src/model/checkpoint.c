#include "model/checkpoint.h"

#include "base/file.h"
#include "model/checkpoint_bytes.h"
#include "model/checkpoint_content.h"
#include "model/foreign.h"

struct checkpoint {
    file_map map; /* empty where the bytes are the caller's */
    checkpoint_content content;
    const char *key;
    bool had_prefix;
    checkpoint_tensor *tensors;
    const checkpoint_tensor **by_name;
    char *names; /* what the tensors' names point into */
    int count;
};

/* What DataParallel puts before every name. */
static const char prefix[] = "module.";

/* Where trainers keep the state dict; "net" is the reference's. */
static const char *const state_keys[] = {"net", "state_dict", "model"};

/* Says what a file is that is no checkpoint, as far as its first bytes tell. */
static int refuse(const uint8_t *data, size_t size, lanert_error *err)
{
    if (size >= 262 && memcmp(data + 257, "ustar", 5) == 0)
        return error_set(
            err, LANERT_EUNSUPPORTED,
            "is a tar; where it is a checkpoint of PyTorch before 0.1.10, load it with torch.load and save it "
            "again, else unpack it and use the .pth file in it");
    const char *other = foreign_tell(data, size);
    if (other)
        return error_set(err, LANERT_EFORMAT, "is %s; expected a checkpoint of torch.save", other);
    if (data[0] == 0x80)
        return error_set(
            err, LANERT_EUNSUPPORTED,
            "is a pickle, but not one that torch.save wrote; load it in Python and save the state dict with "
            "torch.save");
    if (size > 2 && data[0] == 0x08 && data[1] < 0x20 && data[2] == 0x12) /* an IR version, then a producer's name */
        return error_set(err, LANERT_EFORMAT,
                         "begins as an ONNX model, which needs no converting; expected a checkpoint of torch.save");
    return error_set(err, LANERT_EFORMAT,
                     "is not a checkpoint of torch.save: it begins neither as a zip nor with torch's magic number");
}

static int load(const uint8_t *data, size_t size, checkpoint_content *content, lanert_error *err)
{
    if (checkpoint_is_zip(data, size))
        return checkpoint_load_zip(data, size, content, err);
    if (checkpoint_is_legacy(data, size))
        return checkpoint_load_legacy(data, size, content, err);
    return refuse(data, size, err);
}

/* "'a', 'b', …": the first keys of a dict, for a message. */
static const char *list_keys(const pickle_value *dict, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < dict->list.count && i < 2 * 8; i += 2) {
        const pickle_value *key = dict->list.items[i];
        if (key->kind == PICKLE_TEXT && used + sizeof(bytes_shown) + 8 < size)
            used += (size_t)snprintf(out + used, size - used, "%s'%s'", used ? ", " : "",
                                     bytes_show(key->text.bytes, key->text.size).text);
    }
    return out;
}

static bool holds_tensors(const pickle_value *dict)
{
    for (size_t i = 1; i < dict->list.count; i += 2)
        if (dict->list.items[i]->kind == PICKLE_TENSOR)
            return true;
    return false;
}

static int find_state(checkpoint *ck, const pickle_value **state, lanert_error *err)
{
    const pickle_value *root = ck->content.pickle.root;
    char keys[512];
    if (root->kind != PICKLE_DICT)
        return error_set(err, LANERT_EUNSUPPORTED, "holds %s; expected a state dict, or a dict with one under 'net'",
                         pickle_kind_name(root->kind));
    for (size_t i = 0; i < ARRAY_LEN(state_keys); i++) {
        *state = pickle_find(root, state_keys[i]);
        if (*state && (*state)->kind == PICKLE_DICT) {
            ck->key = state_keys[i];
            return 0;
        }
    }
    ck->key = "";
    *state = root;
    if (holds_tensors(root))
        return 0;
    return error_set(
        err, LANERT_EUNSUPPORTED,
        "holds no state dict: neither tensors nor a dict under 'net', 'state_dict' or 'model', but the keys "
        "%s",
        list_keys(root, keys, sizeof keys));
}

/* Checks that the state dict holds named tensors and nothing else, and measures their names. */
static int check_state(checkpoint *ck, const pickle_value *state, size_t *name_bytes, lanert_error *err)
{
    ck->had_prefix = state->list.count > 0;
    *name_bytes = 0;
    for (size_t i = 0; i < state->list.count; i += 2) {
        const pickle_value *name = state->list.items[i], *value = state->list.items[i + 1];
        if (name->kind != PICKLE_TEXT)
            return error_set(err, LANERT_EFORMAT, "a key of the state dict is %s; expected a name",
                             pickle_kind_name(name->kind));
        bytes_shown shown = bytes_show(name->text.bytes, name->text.size);
        if (value->kind != PICKLE_TENSOR)
            return error_set(err, LANERT_EUNSUPPORTED, "entry '%s' of the state dict is %s; expected a tensor",
                             shown.text, pickle_kind_name(value->kind));
        if (name->text.size >= CHECKPOINT_MAX_NAME)
            return error_set(err, LANERT_ELIMIT, "the name '%s' has %zu bytes; at most %d are read", shown.text,
                             name->text.size, CHECKPOINT_MAX_NAME - 1);
        for (size_t c = 0; c < name->text.size; c++)
            if (name->text.bytes[c] < '!' || name->text.bytes[c] > '~')
                return error_set(err, LANERT_EUNSUPPORTED, "the name '%s' has a byte other than printable ASCII",
                                 shown.text);
        ck->had_prefix &= name->text.size > strlen(prefix) && memcmp(name->text.bytes, prefix, strlen(prefix)) == 0;
        *name_bytes += name->text.size + 1;
    }
    return 0;
}

static int read_tensor(const pickle_tensor *from, checkpoint_tensor *to, lanert_error *err)
{
    pickle_storage *storage = from->storage;
    *to = (checkpoint_tensor){.name = to->name, .type = storage->type, .rank = from->rank, .elements = from->elements};
    memcpy(to->dims, from->dims, sizeof to->dims);
    memcpy(to->strides, from->strides, sizeof to->strides);
    to->data = storage->data + (size_t)from->offset * checkpoint_type_size(storage->type);
    return storage->record ? checkpoint_record_verify(storage->record, err) : 0;
}

static int read_state(checkpoint *ck, const pickle_value *state, lanert_error *err)
{
    size_t count = state->list.count / 2, name_bytes, skip;
    int64_t left = CHECKPOINT_MAX_ELEMENTS;
    int rc;
    if ((rc = check_state(ck, state, &name_bytes, err)) ||
        (rc = memory_new(&ck->tensors, count, sizeof *ck->tensors, err)) ||
        (rc = memory_new(&ck->by_name, count, sizeof *ck->by_name, err)) ||
        (rc = memory_new(&ck->names, name_bytes, 1, err)))
        return rc;
    char *names = ck->names;
    skip = ck->had_prefix ? strlen(prefix) : 0;
    for (size_t i = 0; i < count; i++) {
        const pickle_value *name = state->list.items[2 * i], *value = state->list.items[2 * i + 1];
        checkpoint_tensor *t = &ck->tensors[i];
        size_t size = name->text.size - skip;
        memcpy(names, name->text.bytes + skip, size);
        t->name = names;
        names += size + 1;
        ck->by_name[i] = t;
        if ((rc = read_tensor(value->tensor, t, err)))
            return rc;
        if (t->elements > left)
            return error_set(err, LANERT_ELIMIT, "tensor '%s' brings the state dict over %lld elements", t->name,
                             (long long)CHECKPOINT_MAX_ELEMENTS);
        left -= t->elements;
    }
    ck->count = (int)count;
    return 0;
}

static int compare_tensors(const void *a, const void *b)
{
    return strcmp((*(const checkpoint_tensor *const *)a)->name, (*(const checkpoint_tensor *const *)b)->name);
}

static int index_names(checkpoint *ck, lanert_error *err)
{
    qsort(ck->by_name, (size_t)ck->count, sizeof *ck->by_name, compare_tensors);
    for (int i = 1; i < ck->count; i++)
        if (strcmp(ck->by_name[i - 1]->name, ck->by_name[i]->name) == 0)
            return error_set(err, LANERT_EFORMAT, "tensor '%s' is in the state dict twice", ck->by_name[i]->name);
    return 0;
}

static int open_bytes(checkpoint *ck, const uint8_t *data, size_t size, lanert_error *err)
{
    const pickle_value *state;
    int rc;
    if ((rc = load(data, size, &ck->content, err)) || (rc = find_state(ck, &state, err)) ||
        (rc = read_state(ck, state, err)))
        return rc;
    return index_names(ck, err);
}

int checkpoint_open_memory(const void *data, size_t size, const char *name, checkpoint **ck, lanert_error *err)
{
    int rc = memory_new(ck, 1, sizeof **ck, err);
    if (rc)
        return rc;
    rc = open_bytes(*ck, data, size, err);
    if (rc) {
        error_within(err, rc, "%s", name);
        checkpoint_close(ck);
    }
    return rc;
}

int checkpoint_open(const char *path, checkpoint **ck, lanert_error *err)
{
    file_map map;
    *ck = NULL;
    int rc = file_map_open(path, 0, &map, err);
    if (rc)
        return rc;
    if ((rc = checkpoint_open_memory(map.data, map.size, path, ck, err)))
        file_map_close(&map);
    else
        (*ck)->map = map;
    return rc;
}

void checkpoint_close(checkpoint **ck)
{
    if (!*ck)
        return;
    pickle_free(&(*ck)->content.pickle);
    checkpoint_archive_close(&(*ck)->content.archive);
    free((*ck)->tensors);
    free((*ck)->by_name);
    free((*ck)->names);
    file_map_close(&(*ck)->map);
    FREE(*ck);
}

int checkpoint_count(const checkpoint *ck)
{
    return ck->count;
}

const checkpoint_tensor *checkpoint_at(const checkpoint *ck, int i)
{
    return &ck->tensors[i];
}

const checkpoint_tensor *checkpoint_find(const checkpoint *ck, const char *name)
{
    checkpoint_tensor wanted = {.name = name};
    const checkpoint_tensor *key = &wanted;
    const checkpoint_tensor **found =
        bsearch(&key, ck->by_name, (size_t)ck->count, sizeof *ck->by_name, compare_tensors);
    return found ? *found : NULL;
}

const char *checkpoint_form(const checkpoint *ck)
{
    return ck->content.form;
}

bool checkpoint_had_prefix(const checkpoint *ck)
{
    return ck->had_prefix;
}

const char *checkpoint_key(const checkpoint *ck)
{
    return ck->key;
}

#include "model/pickle.h"

#include "model/checkpoint_bytes.h"

/* Values never move, so that they can point at each other. */
struct pickle_block {
    struct pickle_block *next;
    size_t used;
    pickle_value values[256];
};

const char *pickle_kind_name(pickle_kind kind)
{
    static const char *const names[] = {"None",   "a bool", "an integer", "a number",  "a string", "a tuple",
                                        "a list", "a dict", "a type",     "a storage", "a tensor"};
    return names[kind];
}

int pickle_value_new(pickle *p, pickle_kind kind, pickle_value **value, lanert_error *err)
{
    struct pickle_block *block = p->blocks;
    int rc;
    *value = NULL;
    if (p->value_count == PICKLE_MAX_VALUES)
        return error_set(err, LANERT_ELIMIT, "more than %d objects: no checkpoint of CLRNet has as many",
                         PICKLE_MAX_VALUES);
    if (!block || block->used == ARRAY_LEN(block->values)) {
        if ((rc = memory_new(&block, 1, sizeof *block, err)))
            return rc;
        block->next = p->blocks;
        p->blocks = block;
    }
    p->value_count++;
    *value = &block->values[block->used++];
    (*value)->kind = kind;
    return 0;
}

void pickle_free(pickle *p)
{
    for (struct pickle_block *block = p->blocks, *next; block; block = next) {
        next = block->next;
        for (size_t i = 0; i < block->used; i++) {
            pickle_value *value = &block->values[i];
            if (value->kind == PICKLE_TUPLE || value->kind == PICKLE_LIST || value->kind == PICKLE_DICT)
                free(value->list.items);
            else if (value->kind == PICKLE_TENSOR)
                free(value->tensor);
        }
        free(block);
    }
    for (size_t i = 0; i < p->storage_count; i++)
        free(p->storages[i]);
    free(p->storages);
    *p = (pickle){0};
}

const pickle_value *pickle_find(const pickle_value *dict, const char *key)
{
    for (size_t i = dict->list.count; i >= 2; i -= 2) {
        const pickle_value *name = dict->list.items[i - 2];
        if (name->kind == PICKLE_TEXT && bytes_are(name->text.bytes, name->text.size, key))
            return dict->list.items[i - 1];
    }
    return NULL;
}

/* pickle.h - the pickles that torch.save writes, read by a machine that builds data and can call nothing.
 *
 * A pickle is a program for a stack machine. This one knows the 31 opcodes that Python's pickler emits for
 * containers, numbers, strings and tensors under protocol 2, torch.save's own. A global name is a row of a fixed
 * table, never a look-up; REDUCE, BUILD and the setters work on nothing but what the table's rows built. Any
 * other opcode or global is refused by name. */
#ifndef MODEL_PICKLE_H
#define MODEL_PICKLE_H

#include "model/checkpoint.h"

/* What a pickle may ask for. Nothing is expanded and nothing recurses, so that memory grows with these and with the
 * bytes read alone: shared and cyclic references cost what they take in the file. */
enum {
    PICKLE_MAX_VALUES = 1 << 20, /* objects in all; ResNet101 with AdamW's state makes 27 000 */
    PICKLE_MAX_STACK = 1 << 16,  /* values waiting; the pickler hands containers over by the thousand */
    PICKLE_MAX_MARKS = 256,      /* containers open at once; a checkpoint nests 6 */
    PICKLE_MAX_MEMO = 1 << 20,   /* the memo's slots; the pickler numbers them from 0 without gaps */
    PICKLE_MAX_TEXT = 1 << 20,   /* bytes of a string; a training log's text may lie beside the weights */
    PICKLE_MAX_GLOBAL = 256,     /* bytes of a module's or class's name */
    PICKLE_MAX_KEY = 64,         /* bytes of a storage's key, which is a number in decimal */
};

typedef enum pickle_kind {
    PICKLE_NONE,
    PICKLE_BOOL,
    PICKLE_INT,
    PICKLE_NUMBER, /* a float, or an integer of more than 64 bits: its value is not kept */
    PICKLE_TEXT,
    PICKLE_TUPLE,
    PICKLE_LIST,
    PICKLE_DICT,
    PICKLE_GLOBAL,
    PICKLE_STORAGE,
    PICKLE_TENSOR,
} pickle_kind;

/* The memory under tensors, as the pickle states it. */
typedef struct pickle_storage {
    const char *key; /* the storage's name in the file; not NUL-terminated */
    size_t key_size;
    checkpoint_type type;
    int64_t elements;                 /* elements × element size fits an int64_t */
    const uint8_t *data;              /* NULL until the file's reader has found it */
    struct checkpoint_record *record; /* where it lies in a zip; NULL in other files */
} pickle_storage;

/* Checked to lie inside the elements of its storage. */
typedef struct pickle_tensor {
    pickle_storage *storage;
    int64_t offset; /* of the first element in the storage, in elements */
    int rank;
    int64_t dims[CHECKPOINT_MAX_RANK];
    int64_t strides[CHECKPOINT_MAX_RANK]; /* in elements, none negative */
    int64_t elements;
} pickle_tensor;

typedef struct pickle_value pickle_value;
struct pickle_value {
    pickle_kind kind;
    union {
        int64_t integer; /* PICKLE_INT; PICKLE_BOOL: 0 or 1 */
        struct {
            const char *bytes; /* in the pickle; not NUL-terminated */
            size_t size;
        } text;
        struct {
            pickle_value **items; /* of a dict: key, value, key, value … as they were set, duplicates and all */
            size_t count, capacity;
            bool ordered; /* an OrderedDict: the one thing that BUILD may give attributes */
        } list;           /* PICKLE_TUPLE, PICKLE_LIST, PICKLE_DICT */
        const struct pickle_global *global;
        pickle_storage *storage;
        pickle_tensor *tensor;
    };
};

typedef struct pickle {
    pickle_value *root;
    pickle_storage **storages; /* one for each time that the pickle names one, in its order */
    size_t storage_count, storage_capacity;
    struct pickle_block *blocks;
    size_t value_count;
} pickle;

/* Runs the pickle that starts at data[*at], and leaves *at behind it. Strings and keys point into `data`, which must
 * outlive *p. LANERT_EFORMAT, LANERT_EUNSUPPORTED, LANERT_ELIMIT, LANERT_ENOMEM; *p is then empty. */
int pickle_load(const uint8_t *data, size_t size, size_t *at, pickle *p, lanert_error *err);
void pickle_free(pickle *p);

/* A zeroed value of that kind, which lives and dies with *p. LANERT_ELIMIT, LANERT_ENOMEM. */
int pickle_value_new(pickle *p, pickle_kind kind, pickle_value **value, lanert_error *err);

/* What the dict holds under that key (set last, as in Python), or NULL. */
const pickle_value *pickle_find(const pickle_value *dict, const char *key);

/* "a tuple", "None" …: for messages. */
const char *pickle_kind_name(pickle_kind kind);

#endif

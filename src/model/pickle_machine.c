#include "model/pickle.h"

#include "model/checkpoint_bytes.h"
#include "model/pickle_torch.h"

/* Python's names and numbers (Lib/pickletools.py). */
enum opcode {
    OP_PROTO = 0x80,
    OP_STOP = '.',
    OP_MARK = '(',
    OP_GLOBAL = 'c',
    OP_NONE = 'N',
    OP_NEWTRUE = 0x88,
    OP_NEWFALSE = 0x89,
    OP_BININT = 'J',
    OP_BININT1 = 'K',
    OP_BININT2 = 'M',
    OP_LONG1 = 0x8a,
    OP_BINFLOAT = 'G',
    OP_BINUNICODE = 'X',
    OP_EMPTY_TUPLE = ')',
    OP_TUPLE1 = 0x85,
    OP_TUPLE2 = 0x86,
    OP_TUPLE3 = 0x87,
    OP_TUPLE = 't',
    OP_EMPTY_LIST = ']',
    OP_APPEND = 'a',
    OP_APPENDS = 'e',
    OP_EMPTY_DICT = '}',
    OP_SETITEM = 's',
    OP_SETITEMS = 'u',
    OP_BINPUT = 'q',
    OP_LONG_BINPUT = 'r',
    OP_BINGET = 'h',
    OP_LONG_BINGET = 'j',
    OP_BINPERSID = 'Q',
    OP_REDUCE = 'R',
    OP_BUILD = 'b',
};

/* torch.save's default, and the only protocol that its files are found in. */
#define PROTOCOL 2

typedef struct machine {
    const uint8_t *data;
    size_t size, at;
    pickle *p;
    pickle_value **stack;
    size_t depth, stack_capacity;
    size_t marks[PICKLE_MAX_MARKS]; /* the stack's depth where each open container began */
    size_t mark_count;
    pickle_value **memo;
    size_t memo_capacity;
} machine;

static int take(machine *m, size_t n, const uint8_t **bytes, lanert_error *err)
{
    *bytes = NULL;
    if (n > m->size - m->at)
        return error_set(err, LANERT_EFORMAT, "%zu bytes were expected, but only %zu are left: the file is cut short",
                         n, m->size - m->at);
    *bytes = m->data + m->at;
    m->at += n;
    return 0;
}

static int push(machine *m, pickle_value *value, lanert_error *err)
{
    int rc;
    if (m->depth == PICKLE_MAX_STACK)
        return error_set(err, LANERT_ELIMIT, "more than %d values wait on the stack", PICKLE_MAX_STACK);
    if ((rc = memory_grow(&m->stack, &m->stack_capacity, m->depth + 1, sizeof *m->stack, err)))
        return rc;
    m->stack[m->depth++] = value;
    return 0;
}

static int push_new(machine *m, pickle_kind kind, pickle_value **value, lanert_error *err)
{
    int rc = pickle_value_new(m->p, kind, value, err);
    return rc ? rc : push(m, *value, err);
}

/* Checks that n values lie above the last mark. */
static int need(const machine *m, size_t n, lanert_error *err)
{
    size_t floor = m->mark_count ? m->marks[m->mark_count - 1] : 0;
    if (m->depth - floor < n)
        return error_set(err, LANERT_EFORMAT, "%zu values are needed, but %zu are there: the pickle is damaged", n,
                         m->depth - floor);
    return 0;
}

static int open_mark(machine *m, lanert_error *err)
{
    if (m->mark_count == PICKLE_MAX_MARKS)
        return error_set(err, LANERT_ELIMIT, "containers nest deeper than %d", PICKLE_MAX_MARKS);
    m->marks[m->mark_count++] = m->depth;
    return 0;
}

/* Forgets the last mark; *n values lie above where it was. */
static int close_mark(machine *m, size_t *n, lanert_error *err)
{
    *n = 0;
    if (!m->mark_count)
        return error_set(err, LANERT_EFORMAT, "a container ends that never began: the pickle is damaged");
    *n = m->depth - m->marks[--m->mark_count];
    return 0;
}

static int push_bool(machine *m, bool truth, lanert_error *err)
{
    pickle_value *value;
    int rc = push_new(m, PICKLE_BOOL, &value, err);
    if (!rc)
        value->integer = truth;
    return rc;
}

/* An integer of n (0 to 8) bytes, in two's complement where it has a sign. */
static int push_integer(machine *m, size_t n, bool has_sign, lanert_error *err)
{
    const uint8_t *bytes;
    pickle_value *value;
    int rc;
    if ((rc = take(m, n, &bytes, err)) || (rc = push_new(m, PICKLE_INT, &value, err)))
        return rc;
    uint64_t bits = bytes_le(bytes, n);
    if (has_sign && n > 0 && n < 8 && bytes[n - 1] & 0x80)
        bits |= UINT64_MAX << (8 * n);
    value->integer = (int64_t)bits;
    return 0;
}

static int push_number(machine *m, size_t n, lanert_error *err)
{
    const uint8_t *bytes;
    pickle_value *value;
    int rc = take(m, n, &bytes, err);
    return rc ? rc : push_new(m, PICKLE_NUMBER, &value, err);
}

static int push_long(machine *m, lanert_error *err)
{
    const uint8_t *n;
    int rc = take(m, 1, &n, err);
    if (rc)
        return rc;
    return *n <= 8 ? push_integer(m, *n, true, err) : push_number(m, *n, err);
}

static int push_text(machine *m, lanert_error *err)
{
    const uint8_t *head, *bytes;
    pickle_value *value;
    int rc = take(m, 4, &head, err);
    if (rc)
        return rc;
    size_t size = bytes_le(head, 4);
    if (size > PICKLE_MAX_TEXT)
        return error_set(err, LANERT_ELIMIT, "a string of %zu bytes; at most %d are read", size, PICKLE_MAX_TEXT);
    if ((rc = take(m, size, &bytes, err)) || (rc = push_new(m, PICKLE_TEXT, &value, err)))
        return rc;
    value->text.bytes = (const char *)bytes;
    value->text.size = size;
    return 0;
}

typedef struct line {
    const char *text;
    size_t size;
} line;

static int take_line(machine *m, line *taken, lanert_error *err)
{
    size_t left = m->size - m->at, limit = left < PICKLE_MAX_GLOBAL ? left : PICKLE_MAX_GLOBAL;
    const uint8_t *start = m->data + m->at, *end = limit ? memchr(start, '\n', limit) : NULL;
    *taken = (line){0};
    if (!end)
        return error_set(err, LANERT_EFORMAT, "a global's name does not end within %zu bytes", limit);
    *taken = (line){(const char *)start, (size_t)(end - start)};
    m->at += taken->size + 1;
    return 0;
}

static int push_global(machine *m, lanert_error *err)
{
    line module, name;
    pickle_value *value;
    int rc;
    if ((rc = take_line(m, &module, err)) || (rc = take_line(m, &name, err)))
        return rc;
    const pickle_global *global = pickle_global_find(module.text, module.size, name.text, name.size);
    if (!global)
        return error_set(err, LANERT_EUNSUPPORTED,
                         "the global '%s.%s' is refused: only tensors and plain containers are read, and nothing is "
                         "executed; load the file where you trust it and save the state dict alone: "
                         "torch.save({'net': model.state_dict()}, …)",
                         bytes_show(module.text, module.size).text, bytes_show(name.text, name.size).text);
    if ((rc = push_new(m, PICKLE_GLOBAL, &value, err)))
        return rc;
    value->global = global;
    return 0;
}

/* The top n values become one tuple. */
static int make_tuple(machine *m, size_t n, lanert_error *err)
{
    pickle_value *tuple;
    int rc;
    if ((rc = need(m, n, err)) || (rc = pickle_value_new(m->p, PICKLE_TUPLE, &tuple, err)))
        return rc;
    if (n && (rc = memory_new(&tuple->list.items, n, sizeof *tuple->list.items, err)))
        return rc;
    m->depth -= n;
    if (n)
        memcpy(tuple->list.items, m->stack + m->depth, n * sizeof *tuple->list.items);
    tuple->list.count = tuple->list.capacity = n;
    return push(m, tuple, err);
}

static int make_marked_tuple(machine *m, lanert_error *err)
{
    size_t n;
    int rc = close_mark(m, &n, err);
    return rc ? rc : make_tuple(m, n, err);
}

/* The top n values go into the list or dict under them. */
static int extend(machine *m, size_t n, pickle_kind kind, lanert_error *err)
{
    int rc = need(m, n + 1, err);
    if (rc)
        return rc;
    pickle_value *into = m->stack[m->depth - n - 1];
    if (into->kind != kind)
        return error_set(err, LANERT_EFORMAT, "items are put into %s; expected %s", pickle_kind_name(into->kind),
                         pickle_kind_name(kind));
    if (kind == PICKLE_DICT && n % 2)
        return error_set(err, LANERT_EFORMAT, "a dict is given a key without a value");
    if ((rc =
             memory_grow(&into->list.items, &into->list.capacity, into->list.count + n, sizeof *into->list.items, err)))
        return rc;
    m->depth -= n;
    for (size_t i = 0; i < n; i++)
        into->list.items[into->list.count++] = m->stack[m->depth + i];
    return 0;
}

static int extend_marked(machine *m, pickle_kind kind, lanert_error *err)
{
    size_t n;
    int rc = close_mark(m, &n, err);
    return rc ? rc : extend(m, n, kind, err);
}

static int memo_put(machine *m, size_t width, lanert_error *err)
{
    const uint8_t *bytes;
    int rc;
    if ((rc = take(m, width, &bytes, err)) || (rc = need(m, 1, err)))
        return rc;
    size_t slot = bytes_le(bytes, width);
    if (slot >= PICKLE_MAX_MEMO)
        return error_set(err, LANERT_ELIMIT, "memo slot %zu; at most %d are kept", slot, PICKLE_MAX_MEMO);
    if ((rc = memory_grow(&m->memo, &m->memo_capacity, slot + 1, sizeof *m->memo, err)))
        return rc;
    m->memo[slot] = m->stack[m->depth - 1];
    return 0;
}

static int memo_get(machine *m, size_t width, lanert_error *err)
{
    const uint8_t *bytes;
    int rc = take(m, width, &bytes, err);
    if (rc)
        return rc;
    size_t slot = bytes_le(bytes, width);
    if (slot >= m->memo_capacity || !m->memo[slot])
        return error_set(err, LANERT_EFORMAT, "memo slot %zu is empty: the pickle is damaged", slot);
    return push(m, m->memo[slot], err);
}

static int find_storage(machine *m, lanert_error *err)
{
    pickle *p = m->p;
    pickle_storage *storage;
    pickle_value *value;
    int rc;
    if ((rc = need(m, 1, err)) ||
        (rc = memory_grow(&p->storages, &p->storage_capacity, p->storage_count + 1, sizeof *p->storages, err)) ||
        (rc = memory_new(&storage, 1, sizeof *storage, err)))
        return rc;
    p->storages[p->storage_count++] = storage;
    if ((rc = pickle_read_storage(m->stack[--m->depth], storage, err)) ||
        (rc = push_new(m, PICKLE_STORAGE, &value, err)))
        return rc;
    value->storage = storage;
    return 0;
}

static int make_ordered_dict(machine *m, const pickle_value *args, lanert_error *err)
{
    pickle_value *value;
    int rc;
    if (args->list.count)
        return error_set(
            err, LANERT_EUNSUPPORTED,
            "an OrderedDict is made from %zu arguments, as Python 2 did; expected none: load the file with "
            "torch.load and save it again",
            args->list.count);
    if ((rc = push_new(m, PICKLE_DICT, &value, err)))
        return rc;
    value->list.ordered = true;
    return 0;
}

static int make_tensor(machine *m, const pickle_value *args, lanert_error *err)
{
    pickle_value *value;
    int rc;
    if ((rc = push_new(m, PICKLE_TENSOR, &value, err)) ||
        (rc = memory_new(&value->tensor, 1, sizeof *value->tensor, err)))
        return rc;
    return pickle_read_tensor(args, value->tensor, err);
}

/* A parameter is the tensor in it. */
static int make_parameter(machine *m, const pickle_value *args, lanert_error *err)
{
    if (args->list.count != 3 || args->list.items[0]->kind != PICKLE_TENSOR)
        return error_set(err, LANERT_EFORMAT, "a parameter is not made from a tensor, a flag and hooks");
    return push(m, args->list.items[0], err);
}

static int reduce(machine *m, lanert_error *err)
{
    int rc = need(m, 2, err);
    if (rc)
        return rc;
    const pickle_value *args = m->stack[--m->depth], *callable = m->stack[--m->depth];
    if (callable->kind != PICKLE_GLOBAL || args->kind != PICKLE_TUPLE)
        return error_set(err, LANERT_EFORMAT, "%s is called with %s; expected a type and a tuple",
                         pickle_kind_name(callable->kind), pickle_kind_name(args->kind));
    switch (callable->global->makes) {
    case PICKLE_MAKES_DICT:
        return make_ordered_dict(m, args, err);
    case PICKLE_MAKES_TENSOR:
        return make_tensor(m, args, err);
    case PICKLE_MAKES_PARAMETER:
        return make_parameter(m, args, err);
    case PICKLE_MAKES_NOTHING:
        break;
    }
    return error_set(err, LANERT_EFORMAT, "%s.%s is called; only persistent ids may name it", callable->global->module,
                     callable->global->name);
}

/* Attributes of an OrderedDict (a state dict's _metadata), which nothing here needs. */
static int build(machine *m, lanert_error *err)
{
    int rc = need(m, 2, err);
    if (rc)
        return rc;
    const pickle_value *state = m->stack[--m->depth], *object = m->stack[m->depth - 1];
    if (object->kind != PICKLE_DICT || !object->list.ordered || state->kind != PICKLE_DICT)
        return error_set(err, LANERT_EFORMAT, "%s is given the state of %s; expected an OrderedDict and a dict",
                         pickle_kind_name(object->kind), pickle_kind_name(state->kind));
    return 0;
}

static int check_protocol(machine *m, lanert_error *err)
{
    const uint8_t *version;
    int rc = take(m, 1, &version, err);
    if (!rc && *version != PROTOCOL)
        rc = error_set(err, LANERT_EUNSUPPORTED,
                       "pickle protocol %u; expected %d, torch.save's default: save it again without pickle_protocol",
                       *version, PROTOCOL);
    return rc;
}

static int step(machine *m, uint8_t opcode, lanert_error *err)
{
    pickle_value *value;
    switch (opcode) {
    case OP_PROTO:
        return check_protocol(m, err);
    case OP_MARK:
        return open_mark(m, err);
    case OP_GLOBAL:
        return push_global(m, err);
    case OP_NONE:
        return push_new(m, PICKLE_NONE, &value, err);
    case OP_NEWTRUE:
        return push_bool(m, true, err);
    case OP_NEWFALSE:
        return push_bool(m, false, err);
    case OP_BININT:
        return push_integer(m, 4, true, err);
    case OP_BININT1:
        return push_integer(m, 1, false, err);
    case OP_BININT2:
        return push_integer(m, 2, false, err);
    case OP_LONG1:
        return push_long(m, err);
    case OP_BINFLOAT:
        return push_number(m, 8, err);
    case OP_BINUNICODE:
        return push_text(m, err);
    case OP_EMPTY_TUPLE:
        return make_tuple(m, 0, err);
    case OP_TUPLE1:
        return make_tuple(m, 1, err);
    case OP_TUPLE2:
        return make_tuple(m, 2, err);
    case OP_TUPLE3:
        return make_tuple(m, 3, err);
    case OP_TUPLE:
        return make_marked_tuple(m, err);
    case OP_EMPTY_LIST:
        return push_new(m, PICKLE_LIST, &value, err);
    case OP_APPEND:
        return extend(m, 1, PICKLE_LIST, err);
    case OP_APPENDS:
        return extend_marked(m, PICKLE_LIST, err);
    case OP_EMPTY_DICT:
        return push_new(m, PICKLE_DICT, &value, err);
    case OP_SETITEM:
        return extend(m, 2, PICKLE_DICT, err);
    case OP_SETITEMS:
        return extend_marked(m, PICKLE_DICT, err);
    case OP_BINPUT:
        return memo_put(m, 1, err);
    case OP_LONG_BINPUT:
        return memo_put(m, 4, err);
    case OP_BINGET:
        return memo_get(m, 1, err);
    case OP_LONG_BINGET:
        return memo_get(m, 4, err);
    case OP_BINPERSID:
        return find_storage(m, err);
    case OP_REDUCE:
        return reduce(m, err);
    case OP_BUILD:
        return build(m, err);
    default:
        return error_set(err, LANERT_EUNSUPPORTED,
                         "pickle opcode 0x%02x is refused: torch.save writes no such thing for tensors and plain "
                         "containers; load the file where you trust it and save the state dict alone: "
                         "torch.save({'net': model.state_dict()}, …)",
                         opcode);
    }
}

/* Up to the STOP, which must find one value and no open container. */
static int run(machine *m, lanert_error *err)
{
    for (;;) {
        const uint8_t *opcode;
        size_t place = m->at;
        int rc = take(m, 1, &opcode, err);
        if (!rc && *opcode == OP_STOP) {
            if (m->depth == 1 && !m->mark_count)
                return 0;
            rc = error_set(err, LANERT_EFORMAT, "the pickle stops with %zu values; expected 1", m->depth);
        } else if (!rc) {
            rc = step(m, *opcode, err);
        }
        if (rc)
            return error_within(err, rc, "at byte %zu", place);
    }
}

int pickle_load(const uint8_t *data, size_t size, size_t *at, pickle *p, lanert_error *err)
{
    machine m = {.data = data, .size = size, .at = *at, .p = p};
    *p = (pickle){0};
    int rc = run(&m, err);
    if (rc) {
        pickle_free(p);
    } else {
        p->root = m.stack[0];
        *at = m.at;
    }
    free(m.stack);
    free(m.memo);
    return rc;
}

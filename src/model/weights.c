#include "model/weights.h"

#include <math.h>
#include <stdarg.h>

#include "base/buffer.h"

/* Kinds of fault, in the order in which they are told. */
typedef enum fault { FAULT_MISSING, FAULT_SHAPE, FAULT_VALUE, FAULT_UNEXPECTED, FAULT_KINDS } fault;

static const char *const fault_words[FAULT_KINDS] = {
    [FAULT_MISSING] = "missing",
    [FAULT_SHAPE] = "of a wrong shape",
    [FAULT_VALUE] = "with wrong values",
    [FAULT_UNEXPECTED] = "not of this network",
};

/* A message has about 1000 bytes; each kind gets its share of names before "and 12 more". */
#define LIST_BYTES 220

typedef struct fault_list {
    int count, shown;
    buffer text;
} fault_list;

struct weights {
    const checkpoint *ck;
    bool *used; /* [checkpoint_count] */
    fault_list faults[FAULT_KINDS];
    int rc; /* of the first failure that is no fault of the checkpoint: out of memory */
    lanert_error error;
};

int weights_open(const checkpoint *ck, weights **out, lanert_error *err)
{
    weights *w;
    int rc = memory_new(&w, 1, sizeof *w, err);
    *out = NULL;
    if (rc)
        return rc;
    w->ck = ck;
    if ((rc = memory_new(&w->used, (size_t)checkpoint_count(ck), sizeof *w->used, err)))
        weights_close(&w);
    *out = w;
    return rc;
}

void weights_close(weights **w)
{
    if (!*w)
        return;
    for (int i = 0; i < FAULT_KINDS; i++)
        buffer_free(&(*w)->faults[i].text);
    free((*w)->used);
    FREE(*w);
}

static void __attribute__((format(printf, 3, 0))) note(weights *w, fault kind, const char *format, va_list args)
{
    fault_list *list = &w->faults[kind];
    char text[256];
    vsnprintf(text, sizeof text, format, args);
    if (list->count++ && list->text.size + strlen(text) > LIST_BYTES)
        return;
    int rc = buffer_format(&list->text, &w->error, "%s%s", list->shown ? ", " : "", text);
    if (rc && !w->rc)
        w->rc = rc;
    list->shown++;
}

static void __attribute__((format(printf, 3, 4))) note_fault(weights *w, fault kind, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    note(w, kind, format, args);
    va_end(args);
}

void weights_note(weights *w, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    note(w, FAULT_VALUE, format, args);
    va_end(args);
}

int64_t weights_dim(const weights *w, const char *name, int axis)
{
    const checkpoint_tensor *t = checkpoint_find(w->ck, name);
    return t && axis < t->rank ? t->dims[axis] : 0;
}

static bool same_shape(const checkpoint_tensor *t, int rank, const int64_t *dims)
{
    if (t->rank != rank)
        return false;
    for (int i = 0; i < rank; i++)
        if (t->dims[i] < 1 || (dims[i] && dims[i] != t->dims[i]))
            return false;
    return true;
}

/* "[64,?,3,3]", of 8 dimensions at most. */
typedef struct shape_words {
    char text[8 * 21 + 2];
} shape_words;

static shape_words words_of(int rank, const int64_t *dims)
{
    shape_words w = {"["};
    size_t used = 1;
    for (int i = 0; i < rank; i++) {
        const char *comma = i ? "," : "";
        size_t left = sizeof w.text - used;
        int n = dims[i] ? snprintf(w.text + used, left, "%s%lld", comma, (long long)dims[i])
                        : snprintf(w.text + used, left, "%s?", comma);
        used += (size_t)n;
    }
    snprintf(w.text + used, sizeof w.text - used, "]");
    return w;
}

static void note_shape(weights *w, const checkpoint_tensor *t, int rank, const int64_t *dims)
{
    note_fault(w, FAULT_SHAPE, "%s %s instead of %s", t->name, words_of(t->rank, t->dims).text,
               words_of(rank, dims).text);
}

static void mark_used(weights *w, const checkpoint_tensor *t)
{
    for (int i = 0; i < checkpoint_count(w->ck); i++)
        if (checkpoint_at(w->ck, i) == t)
            w->used[i] = true;
}

static bool all_finite(weights *w, const checkpoint_tensor *t, const float *data)
{
    for (int64_t i = 0; i < t->elements; i++)
        if (!isfinite(data[i])) {
            note_fault(w, FAULT_VALUE, "%s holds %g at element %lld", t->name, (double)data[i], (long long)i);
            return false;
        }
    return true;
}

float *weights_take(weights *w, const char *name, int rank, int64_t *dims)
{
    const checkpoint_tensor *t = checkpoint_find(w->ck, name);
    float *data = NULL;
    if (!t) {
        note_fault(w, FAULT_MISSING, "%s", name);
        return NULL;
    }
    mark_used(w, t);
    if (!same_shape(t, rank, dims)) {
        note_shape(w, t, rank, dims);
        return NULL;
    }
    memcpy(dims, t->dims, (size_t)rank * sizeof *dims);
    int rc = memory_new(&data, (size_t)t->elements, sizeof *data, &w->error);
    if (!rc)
        rc = checkpoint_read(t, data, &w->error);
    if (rc && !w->rc)
        w->rc = rc;
    if (rc || !all_finite(w, t, data))
        FREE(data);
    return data;
}

void weights_skip(weights *w, const char *prefix)
{
    for (int i = 0; i < checkpoint_count(w->ck); i++)
        if (!strncmp(checkpoint_at(w->ck, i)->name, prefix, strlen(prefix)))
            w->used[i] = true;
}

/* BatchNorm counts its batches; nothing in inference asks for it. */
static bool is_counter(const char *name)
{
    static const char suffix[] = ".num_batches_tracked";
    size_t length = strlen(name);
    return length > sizeof suffix - 1 && !strcmp(name + length - (sizeof suffix - 1), suffix);
}

static void note_unexpected(weights *w)
{
    for (int i = 0; i < checkpoint_count(w->ck); i++) {
        const char *name = checkpoint_at(w->ck, i)->name;
        if (!w->used[i] && !is_counter(name))
            note_fault(w, FAULT_UNEXPECTED, "%s", name);
        w->used[i] = true;
    }
}

static int tell_faults(const weights *w, buffer *text, int *total, lanert_error *err)
{
    int rc = 0;
    for (int i = 0; i < FAULT_KINDS && !rc; i++) {
        const fault_list *list = &w->faults[i];
        if (!list->count)
            continue;
        rc = buffer_format(text, err, "%s%d %s (%s", *total ? "; " : "", list->count, fault_words[i], list->text.data);
        if (!rc && list->shown < list->count)
            rc = buffer_format(text, err, " and %d more", list->count - list->shown);
        if (!rc)
            rc = buffer_text(text, ")", err);
        *total += list->count;
    }
    return rc;
}

int weights_check(weights *w, const char *path, const char *arch, lanert_error *err)
{
    buffer text = {0};
    int total = 0;
    note_unexpected(w);
    if (w->rc)
        return error_set(err, w->rc, "%s: %s", path, w->error.text);
    int rc = tell_faults(w, &text, &total, err);
    if (!rc && total)
        rc = error_set(err, LANERT_EFORMAT, "%s: its tensors are not those of a CLRNet with %s: %s", path, arch,
                       text.data);
    buffer_free(&text);
    return rc;
}

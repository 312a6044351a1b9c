#include "model/name_table.h"

int name_table_add(name_table *n, const char *text, int owner, lanert_error *err)
{
    int rc = memory_grow(&n->list, &n->capacity, n->count + 1, sizeof *n->list, err);
    if (!rc)
        n->list[n->count++] = (name_entry){text, owner};
    return rc;
}

static int order(const void *a, const void *b)
{
    const name_entry *x = a, *y = b;
    int texts = strcmp(x->text, y->text);
    return texts ? texts : (x->owner > y->owner) - (x->owner < y->owner);
}

void name_table_sort(name_table *n)
{
    if (n->count)
        qsort(n->list, n->count, sizeof *n->list, order);
}

const char *name_table_twice(const name_table *n)
{
    for (size_t i = 1; i < n->count; i++)
        if (!strcmp(n->list[i - 1].text, n->list[i].text))
            return n->list[i].text;
    return NULL;
}

int name_table_find(const name_table *n, const char *text)
{
    size_t low = 0, high = n->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(n->list[middle].text, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n->count && !strcmp(n->list[low].text, text) ? (int)low : -1;
}

void name_table_free(name_table *n)
{
    free(n->list);
    *n = (name_table){0};
}

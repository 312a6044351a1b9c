/* name_table.h - names and what they belong to, found quickly. */
#ifndef MODEL_NAME_TABLE_H
#define MODEL_NAME_TABLE_H

#include "base/memory.h"

typedef struct name_entry {
    const char *text; /* borrowed */
    int owner;        /* what the user makes of it */
} name_entry;

/* Zero-initialise; free with name_table_free. */
typedef struct name_table {
    name_entry *list;
    size_t count, capacity;
} name_table;

int name_table_add(name_table *n, const char *text, int owner, lanert_error *err);
/* Sorts them, after the last was added and before any is looked up; of equal ones the lowest owner first. */
void name_table_sort(name_table *n);
/* A name that is there twice, NULL where there is none. */
const char *name_table_twice(const name_table *n);
/* Its place in the list, the first of equal ones; -1: not there. */
int name_table_find(const name_table *n, const char *text);
void name_table_free(name_table *n);

#endif

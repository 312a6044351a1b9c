#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench.h"

const json_t *bench_at(const json_t *value, const char *path)
{
    char key[64];
    while (value && *path) {
        size_t length = strcspn(path, ".");
        snprintf(key, sizeof key, "%.*s", (int)length, path);
        value = json_object_get(value, key);
        path += length + (path[length] == '.');
    }
    return value;
}

double bench_number(const json_t *value, const char *path)
{
    const json_t *number = bench_at(value, path);
    return json_is_number(number) ? json_number_value(number) : NAN;
}

const char *bench_text(const json_t *value, const char *path)
{
    const char *text = json_string_value(bench_at(value, path));
    return text ? text : "";
}

json_t *bench_string(const char *text)
{
    json_t *string = json_string(text);
    char *copy = string ? NULL : strdup(text);
    if (!copy)
        return string;
    for (char *c = copy; *c; c++)
        if ((signed char)*c < 0)
            *c = '?';
    string = json_string(copy);
    free(copy);
    return string;
}

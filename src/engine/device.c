#include "engine/device.h"

#include <string.h>

#include "base/memory.h"

#define MAX_INDEX 999

static const char *const names[] = {
    [DEVICE_DEFAULT] = "default", [DEVICE_AUTO] = "auto",         [DEVICE_CPU] = "cpu",
    [DEVICE_CUDA] = "cuda",       [DEVICE_TENSORRT] = "tensorrt",
};

/* "", or ":" and digits. */
static bool parse_index(const char *text, int *index)
{
    *index = 0;
    if (!*text)
        return true;
    size_t digits = strspn(text + 1, "0123456789");
    if (*text != ':' || !digits || digits > 3 || text[1 + digits])
        return false;
    *index = atoi(text + 1);
    return *index <= MAX_INDEX;
}

int device_parse(const char *name, device_id *d, lanert_error *err)
{
    *d = (device_id){0};
    if (!name)
        return 0;
    size_t length = strcspn(name, ":");
    for (int kind = DEVICE_AUTO; kind < DEVICE_KINDS; kind++) {
        if (strlen(names[kind]) != length || strncmp(names[kind], name, length))
            continue;
        d->kind = (device_kind)kind;
        if (kind < DEVICE_CUDA ? !name[length] : parse_index(name + length, &d->index))
            return 0;
    }
    return error_set(err, LANERT_EINVAL,
                     "there is no device \"%s\"; expected auto, cpu, cuda or tensorrt, the last two "
                     "with :1 behind for the second GPU, and so on",
                     name);
}

const char *device_format(device_id d, char text[DEVICE_NAME])
{
    if (d.kind < DEVICE_CUDA)
        snprintf(text, DEVICE_NAME, "%s", names[d.kind]);
    else
        snprintf(text, DEVICE_NAME, "%s:%d", names[d.kind], d.index);
    return text;
}

void device_list(unsigned kinds, char *text, size_t size)
{
    *text = '\0';
    for (int kind = DEVICE_CPU; kind < DEVICE_KINDS; kind++) {
        size_t used = strlen(text);
        if (kinds & ON(kind))
            snprintf(text + used, size - used, "%s%s", used ? ", " : "", names[kind]);
    }
}

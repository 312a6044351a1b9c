#include "base/error.h"

#include <string.h>

static const char *const names[] = {
    [LANERT_PRECISION_AUTO] = "auto", [LANERT_FP32] = "fp32", [LANERT_FP16] = "fp16", [LANERT_BF16] = "bf16"};

#define COUNT ((int)(sizeof names / sizeof *names))

int lanert_precision_parse(const char *name)
{
    for (int i = 0; name && i < COUNT; i++)
        if (!strcmp(name, names[i]))
            return i;
    return -1;
}

const char *lanert_precision_name(lanert_precision precision)
{
    return (int)precision >= 0 && (int)precision < COUNT ? names[precision] : "unknown";
}

/* engines.h - the engines that a test runs on, where they are there. */
#ifndef DETECT_ENGINES_H
#define DETECT_ENGINES_H

#include <string.h>

#include "lanert/lanert.h"

static const char *const engines[] = {"onnxruntime", "openvino"};

static inline bool engine_is_there(const char *name)
{
    lanert_engine_info info;
    for (int i = 0; lanert_engine_probe(i, &info, NULL) == 0; i++)
        if (!strcmp(info.name, name))
            return info.usable;
    return false;
}

#endif

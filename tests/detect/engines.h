/* engines.h - the engines that a test runs on, where they are there. */
#ifndef DETECT_ENGINES_H
#define DETECT_ENGINES_H

#include <string.h>

#include "lanert/lanert.h"

/* OpenVINO takes six times as long to open a model where AddressSanitizer intercepts its allocations. The plain build
 * has it in all tests; there it is left to test_engine, test_correct and the command line. */
static const char *const engines[] = {
    "onnxruntime",
#ifndef __SANITIZE_ADDRESS__
    "openvino",
#endif
};

static inline bool engine_is_there(const char *name)
{
    lanert_engine_info info;
    for (int i = 0; lanert_engine_probe(i, &info, NULL) == 0; i++)
        if (!strcmp(info.name, name))
            return info.usable;
    return false;
}

#endif

/* engine_absent.c - stands in for the engines whose C headers were not there when lanert was built. */
#include "engine/engine.h"

#include <string.h>

extern const engine_ops engine_onnxruntime_ops, engine_openvino_ops;

static const char note[] = "this lanert was built without it, as its C header was not there: run scripts/deps.sh and "
                           "build again";

__attribute__((unused)) static void absent_probe(lanert_engine_info *info)
{
    memcpy(info->note, note, sizeof note);
}

__attribute__((unused)) static int absent_open(const char *path, const engine_options *options, void **self,
                                               lanert_error *err)
{
    (void)path, (void)options, (void)self;
    return error_set(err, LANERT_ENOTFOUND, "%s", note);
}

#ifndef LANERT_ONNXRUNTIME
const engine_ops engine_onnxruntime_ops = {.name = "onnxruntime",
                                           .devices = ON(DEVICE_CPU) | ON(DEVICE_CUDA) | ON(DEVICE_TENSORRT),
                                           .probe = absent_probe,
                                           .open = absent_open};
#endif
#ifndef LANERT_OPENVINO
const engine_ops engine_openvino_ops = {
    .name = "openvino", .devices = ON(DEVICE_CPU), .probe = absent_probe, .open = absent_open};
#endif

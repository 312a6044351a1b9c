/* detector_options.h - the options that say which model finds lanes, and how; of every subcommand that runs one. */
#ifndef CLI_DETECTOR_OPTIONS_H
#define CLI_DETECTOR_OPTIONS_H

#include "cli/cli.h"

/* The texts are borrowed. */
typedef struct detector_options {
    const char *model, *preset; /* model NULL: the bundled one, once opened */
    char bundled[4096];
    lanert_detector_options options;
} detector_options;

enum {
    DETECTOR_PRESET = 512,
    DETECTOR_ENGINE,
    DETECTOR_DEVICE,
    DETECTOR_PRECISION,
    DETECTOR_THREADS,
    DETECTOR_BATCH,
    DETECTOR_CONF,
    DETECTOR_NMS,
    DETECTOR_LANES,
    DETECTOR_CUT,
    DETECTOR_RESIZE,
    DETECTOR_END
};

/* Rows of a subcommand's table of long options; --model is 'm'. */
/* clang-format off */
#define DETECTOR_LONGS \
    {"model", required_argument, NULL, 'm'}, \
    {"preset", required_argument, NULL, DETECTOR_PRESET}, \
    {"engine", required_argument, NULL, DETECTOR_ENGINE}, \
    {"device", required_argument, NULL, DETECTOR_DEVICE}, \
    {"precision", required_argument, NULL, DETECTOR_PRECISION}, \
    {"threads", required_argument, NULL, DETECTOR_THREADS}, \
    {"batch", required_argument, NULL, DETECTOR_BATCH}, \
    {"conf", required_argument, NULL, DETECTOR_CONF}, \
    {"nms-thres", required_argument, NULL, DETECTOR_NMS}, \
    {"max-lanes", required_argument, NULL, DETECTOR_LANES}, \
    {"cut", required_argument, NULL, DETECTOR_CUT}, \
    {"resize", required_argument, NULL, DETECTOR_RESIZE}

#define DETECTOR_HELP \
    "  -m, --model MODEL.onnx     written by 'lanert convert', or a plain ONNX export of CLRNet\n" \
    "      --preset NAME          culane, tusimple, llamas or road: needed for a plain export, which does not say\n" \
    "      --engine NAME          auto (the default), onnxruntime, openvino or tensorrt\n" \
    "      --device NAME          cpu (the default), cuda (an NVIDIA GPU; cuda:1 is the second), tensorrt (the same,\n" \
    "                             through ONNX Runtime's TensorRT), or auto: a GPU if there is one\n" \
    "      --precision NAME       fp32, fp16, bf16, or auto (the default): the model's own; or bf16 or fp16 where the\n" \
    "                             processor has it and drawn roads show the same lanes in it\n" \
    "      --threads N            of the engine; 0 (the default): one for each processor\n" \
    "      --batch N              frames that go through the engine together (default 1)\n" \
    "      --conf SCORE           the score a lane needs, 0 to 1\n" \
    "      --nms-thres PIXELS     mean distance, at width 800, under which two lanes are one\n" \
    "      --max-lanes N          the most lanes in a frame\n" \
    "      --cut FRACTION         the part of a picture's height to cut away at the top, 0 to below 1\n" \
    "      --resize NAME          linear (the default) or cubic\n"
/* clang-format on */

void detector_options_init(detector_options *o);
/* Whether option_next's c is one of these. */
bool detector_options_own(int c);
/* Takes its value; says what is wrong and returns false. */
bool detector_options_parse(detector_options *o, int c, const char *value);
/* Takes "MODEL.onnx,engine=openvino,precision=bf16": the names are those of the options. Cuts spec up. */
bool detector_options_parse_spec(detector_options *o, char *spec);

/* Where no model was named, names the bundled one; says what is wrong and returns an exit status. */
int detector_options_complete(detector_options *o);

/* Opens model and detector. Says what is wrong and returns an exit status; both are NULL or to be closed. */
int detector_options_open(const detector_options *o, lanert_model **model, lanert_detector **det);

#endif

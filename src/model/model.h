/* model.h - an opened model: its preset, and how its tensors look, read from the file's head. */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "model/heights.h"
#include "model/preset.h"

/* What count says of a picture whose predictions are not finite. */
#define MODEL_COUNT_BROKEN (-1)

/* How the picture goes in. */
typedef enum model_input { MODEL_INPUT_U8_NHWC, MODEL_INPUT_F32_NCHW } model_input;

typedef struct model_info {
    char path[4096];
    lanert_preset preset;
    float prior_ys[HEIGHTS_COUNT]; /* heights of a lane's rows, as the network goes by them */
    model_input input;
    char input_name[64];
    int fixed_batch;        /* 0: dynamic */
    char raw_name[64];      /* output [N,priors,78], float32; empty: none */
    int priors;             /* of raw */
    bool selects;           /* these are some of the network's, not in every picture the same */
    char lanes_name[64];    /* output [N,max_lanes,78], float32, rows of raw; empty: none */
    char count_name[64];    /* output [N], int32 or int64: the rows of lanes in use, or MODEL_COUNT_BROKEN */
    bool ours;              /* written by lanert_convert; else a plain export */
    char arch[32];          /* "resnet18" …; empty where not known */
    char precision[8];      /* "fp32", "fp16", "int8"; empty where not known */
    bool signed_values;     /* of a model in eight bits: int8 between layers, not uint8 */
    char source_sha256[65]; /* of the checkpoint; empty where not known */
    char writer[32];        /* "lanert 0.1.0" */
} model_info;

const model_info *model_describe(const lanert_model *model);

#endif

/* qdq_stem.h - the first convolution of the picture's bytes, 7×7 in steps of two, as one of 4×4 over blocks of 2×2
 * pixels: the same sums, with four rows of 48 bytes to gather for each of them instead of seven of 21. ONNX Runtime's
 * network takes a twentieth less time for it, OpenVINO's a sixtieth more; in float32 both are slower, with a third more
 * to multiply. */
#ifndef MODEL_QDQ_STEM_H
#define MODEL_QDQ_STEM_H

#include "model/qdq_parts.h"

#define STEM_CHANNELS 12 /* of a block: row, column, colour */
#define STEM_SIDE 4

/* Nodes cast, multiply, turn and conv stand in this order, and nothing else takes what is between them. */
typedef struct qdq_stem {
    int cast, multiply, turn, conv;
    const char *image; /* uint8 [N,height,width,3] */
    int64_t height, width;
    const char *source, *weights; /* what multiply makes, and conv's: float32 [out,3,7,7] */
} qdq_stem;

/* False where the model has no such layer. */
bool qdq_stem_find(const qdq *q, qdq_stem *s);
/* The picture's blocks, uint8 [N,height/2,width/2,12]. */
value qdq_stem_blocks(graph *g, const qdq_stem *s);
/* [out][3][7][7] as [out][12][4][4]. */
int8_t *qdq_stem_weights(graph *g, const int8_t *data, int64_t out);
/* Makes conv one of blocks. */
void qdq_stem_change(graph *g, const qdq_stem *s);

#endif

/* qdq.h - a model in eight bits: which of its layers can be, and the model with QuantizeLinear and DequantizeLinear
 * pairs around those that shall be.
 *
 * A layer is a convolution or product with constant weights. Weights become symmetric int8, the values that go into a
 * layer and come out of it int8 or uint8. Maxima, concatenations, transpositions and the like between layers are done
 * on eight bits too, and so are the sums of residual blocks: engines fuse what has pairs on all sides. Biases and all
 * else stay float32. Nothing here depends on names or on the network; the numbers come from whoever has run it. */
#ifndef MODEL_QDQ_H
#define MODEL_QDQ_H

#include <stdio.h>

#include "base/memory.h"

typedef struct qdq qdq;

typedef struct qdq_layer {
    const char *name; /* of its node */
    const char *op;   /* "Conv", "Gemm" or "MatMul" */
    int input;        /* what goes in: its place among the values */
    int output;       /* what comes out, behind its bias and Relu */
    int channels;     /* of its output */
    bool biased;      /* the mean of its output can be shifted */
    double work;      /* multiplications for each element that comes out */
} qdq_layer;

/* A float32 value of the graph that some choice of layers quantises. */
typedef struct qdq_value {
    const char *name;
    int scale;   /* values that are the same numbers in another order share one */
    bool source; /* none of those that go before it has the same scale */
} qdq_value;

typedef struct qdq_range {
    float low, high; /* low <= 0 <= high */
} qdq_range;

typedef struct qdq_entry {
    const char *key;
    char text[256];
} qdq_entry;

typedef struct qdq_plan {
    const bool *layers;        /* [layers] which are in eight bits */
    const qdq_range *ranges;   /* [scales] */
    bool per_channel;          /* weights have a scale for each output channel; else one */
    bool unsigned_values;      /* values become uint8, with a zero point; else int8, symmetric */
    const float *const *shift; /* [layers][channels], added to the bias; a NULL layer or NULL: nothing */
    const qdq_entry *entries;  /* metadata; those of a key that is there replace it */
    int entry_count;
} qdq_plan;

/* Opens a float32 model that lanert wrote; it is read within limits. LANERT_EFORMAT, LANERT_EUNSUPPORTED (another
 * program's, float16, in eight bits already), LANERT_ELIMIT. */
int qdq_open(const char *path, qdq **q, lanert_error *err);
void qdq_close(qdq **q);

/* Borrowed; live as long as q. In the order of the graph. */
const qdq_layer *qdq_layers(const qdq *q, int *count);
const qdq_value *qdq_values(const qdq *q, int *count);
int qdq_scale_count(const qdq *q);
/* Whether the range is known without looking: that of a picture's bytes. */
bool qdq_known(const qdq *q, int scale, qdq_range *range);

/* The float32 model, for one picture, with `count` values from `first` on as its outputs "observed0", "observed1"… */
int qdq_write_observed(const qdq *q, int first, int count, FILE *stream, const char *name, lanert_error *err);
/* The same with an output [channels] for each of `count` layers from `first` on that the plan has and that are biased:
 * how far, in the mean over the picture, the float32 layer's output lies above that of the same layer in eight bits. */
int qdq_write_shifts(const qdq *q, const qdq_plan *plan, int first, int count, FILE *stream, const char *name,
                     lanert_error *err);
/* The model in eight bits. */
int qdq_write(const qdq *q, const qdq_plan *plan, FILE *stream, const char *name, lanert_error *err);

#endif

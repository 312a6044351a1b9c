/* CLRHead.get_lanes (clrnet/models/heads/clr_head.py) and devIoU and nms_collect (clrnet/ops/csrc/nms_kernel.cu):
 * max_lanes times the best prior that is left is kept, and those near it are dropped.
 *
 * Equal scores go to the lower prior. Starts are clamped to rows 0 to 71. A picture whose predictions are not all
 * numbers, as far as they are read, has no lanes, and the count −1. lane/decode.c is the same in C, and the two are
 * held to each other by tests. No operator is asked for the order of equal elements, for an index that may not be
 * there, or for a conversion to integers that may not fit; and comparisons are Less, LessOrEqual and Equal, since
 * OpenVINO on x86 finds NaN greater than anything. */
#include "model/nms.h"

#include <float.h>

#define DEAD (-1.0f) /* the score of a prior that is no lane, or dropped, or kept */

/* The priors, as every step needs them. */
typedef struct candidates {
    graph *g;
    int64_t count;
    value table;      /* [N,priors,80]: raw, start, end */
    value xs;         /* [N,priors,72] in pixels of a width of 800 */
    value start, end; /* [N,priors,1] first and last row */
    value index;      /* [priors] 0, 1, 2 … */
    value rows;       /* [72] 0, 1, 2 … */
    value zero, one, dead;
} candidates;

static value op(graph *g, const char *name, value a, value b)
{
    return graph_binary(g, name, a, b);
}

static value where(graph *g, value condition, value yes, value no)
{
    return graph_node(g, "Where", INPUTS(condition, yes, no), NULL);
}

static value to_float(graph *g, value truth)
{
    return graph_node(g, "Cast", INPUTS(truth), ATTRIBUTES(ATTR_INT("to", ONNX_F32)));
}

static value count_up(graph *g, int64_t count)
{
    float *data = graph_new_floats(g, count);
    for (int64_t i = 0; data && i < count; i++)
        data[i] = (float)i;
    return graph_weights(g, NULL, ONNX_F32, 1, &count, data);
}

static value reduce(graph *g, const char *name, value x, int64_t axis)
{
    /* Axes of ReduceSum are an input from opset 13 on, those of ReduceMax and ReduceMin from 18 on. */
    if (!strcmp(name, "ReduceSum"))
        return graph_node(g, name, INPUTS(x, graph_indices(g, 1, &axis)), ATTRIBUTES(ATTR_INT("keepdims", 1)));
    return graph_node(g, name, INPUTS(x), ATTRIBUTES(ATTR_INTS("axes", axis), ATTR_INT("keepdims", 1)));
}

static value clamp(graph *g, value x, value low, value high)
{
    return graph_node(g, "Clip", INPUTS(x, low, high), NULL);
}

/* ⌊x + ½⌋ without the rounding of that sum: the reference adds in double. x − ⌊x⌋ is exact, or within ½ of 1. */
static value round_half_up(graph *g, value x)
{
    value floor = graph_unary(g, "Floor", x);
    value fraction = op(g, "Sub", x, floor);
    return op(g, "Add", floor, to_float(g, op(g, "LessOrEqual", graph_scalar(g, 0.5f), fraction)));
}

/* int(start_y·71 + 0.5), clamped to 0 … 71. */
static value first_row(graph *g, value start_y, value strips)
{
    value place = op(g, "Mul", start_y, strips);
    return round_half_up(g, clamp(g, place, graph_scalar(g, 0), strips));
}

/* int(start + l − 1 + 0.5 − [l − 1 < 0]) of l = length·71, at most 71; −1 where it is negative. With e = start + l − 1
 * it is ⌊e + ½⌋ less one where l < 1; but C truncates, so that down to e > −½ it is not below 0. */
static value last_row(graph *g, value length, value start, value strips)
{
    value one = graph_scalar(g, 1);
    value l = op(g, "Mul", length, strips);
    value short_of_one = to_float(g, op(g, "Less", op(g, "Sub", l, one), graph_scalar(g, 0)));
    value e = clamp(g, op(g, "Sub", op(g, "Add", start, l), one), graph_scalar(g, -1), strips);
    value lowest = op(g, "Sub", to_float(g, op(g, "Less", graph_scalar(g, -0.5f), e)), one);
    return op(g, "Max", op(g, "Sub", round_half_up(g, e), short_of_one), lowest);
}

static candidates read_table(graph *g, value raw, int64_t priors)
{
    candidates c = {.g = g, .count = priors, .index = count_up(g, priors), .rows = count_up(g, LANERT_LANE_POINTS)};
    value part[5], strips = graph_scalar(g, NET_STRIPS);
    /* logits; start_y; start_x and theta; length; x */
    graph_split(g, raw, 2, 5, DIMS(2, 1, 2, 1, LANERT_LANE_POINTS), part);
    c.zero = graph_scalar(g, 0);
    c.one = graph_scalar(g, 1);
    c.dead = graph_scalar(g, DEAD);
    c.start = first_row(g, part[1], strips);
    c.end = last_row(g, part[3], c.start, strips);
    c.xs = op(g, "Mul", part[4], graph_scalar(g, NET_WIDTH - 1));
    c.table = graph_concat(g, 2, INPUTS(raw, c.start, c.end));
    return c;
}

/* [N,1,1], 0 where a logit, or anything of a prior whose score [N,priors,1] suffices, is NaN or infinite; else 1. Of
 * the others, a line all but parallel to the rows may leave float32's range, and does no harm. */
static value find_sound(const candidates *c, value raw, value score, value conf)
{
    graph *g = c->g;
    value finite = op(g, "LessOrEqual", graph_unary(g, "Abs", raw), graph_scalar(g, FLT_MAX));
    value geometry = op(g, "Less", c->one, count_up(g, NET_COLUMNS)); /* columns behind the two logits */
    value unread = op(g, "And", op(g, "Less", score, conf), geometry);
    return graph_node(g, "ReduceMin", INPUTS(to_float(g, op(g, "Or", finite, unread))),
                      ATTRIBUTES(ATTR_INTS("axes", 1, 2), ATTR_INT("keepdims", 1)));
}

/* [N,priors]: the score of those that may be lanes, DEAD of others, and of all where a picture is not sound. */
static value first_scores(const candidates *c, value raw, float threshold, value *sound)
{
    graph *g = c->g;
    value conf = graph_scalar(g, threshold);
    value shares = graph_node(g, "Softmax", INPUTS(graph_slice(g, raw, 2, 0, 2)), ATTRIBUTES(ATTR_INT("axis", -1)));
    value score = graph_slice(g, shares, 2, 1, 2);
    *sound = find_sound(c, raw, score, conf);
    value enough = op(g, "And", op(g, "LessOrEqual", conf, score), op(g, "Equal", *sound, c->one));
    return op(g, "Squeeze", where(g, enough, score, c->dead), graph_indices(g, 1, DIMS(2)));
}

/* [N,priors], true for the best that is left and false everywhere where none is. */
static value pick_best(const candidates *c, value scores)
{
    graph *g = c->g;
    /* Where none is left the top is 0, and nobody's. */
    value top = op(g, "Max", reduce(g, "ReduceMax", scores, 1), c->zero);
    value none = graph_scalar(g, (float)c->count);
    value first = reduce(g, "ReduceMin", where(g, op(g, "Equal", scores, top), c->index, none), 1);
    return op(g, "Equal", c->index, first);
}

/* [N,priors], true for those that `row` [N,1,80] suppresses: Σ|xa − xb| < threshold·(end − start + 1) over the rows
 * that both have. */
static value find_near(const candidates *c, value row, float threshold)
{
    graph *g = c->g;
    value part[4];
    graph_split(g, row, 2, 4, DIMS(NET_COLUMNS - LANERT_LANE_POINTS, LANERT_LANE_POINTS, 1, 1), part);
    value start = op(g, "Max", c->start, part[2]), end = op(g, "Min", c->end, part[3]);
    value xs = op(g, "Mul", part[1], graph_scalar(g, NET_WIDTH - 1));
    value apart = graph_unary(g, "Abs", op(g, "Sub", c->xs, xs));
    value shared = op(g, "And", op(g, "LessOrEqual", start, c->rows), op(g, "LessOrEqual", c->rows, end));
    value distance = reduce(g, "ReduceSum", where(g, shared, apart, c->zero), 2);
    value rows = op(g, "Add", op(g, "Sub", end, start), c->one);
    value near = op(g, "Less", distance, op(g, "Mul", rows, graph_scalar(g, threshold)));
    return op(g, "Squeeze", near, graph_indices(g, 1, DIMS(2)));
}

void nms_build(graph *g, value raw, int64_t priors, const lanert_preset *preset, value *lanes, value *count)
{
    value kept[LANERT_MAX_LANES + 1] = {NULL}, found[LANERT_MAX_LANES + 2] = {NULL}, sound;
    graph_scope(g, "nms");
    candidates c = read_table(g, raw, priors);
    value scores = first_scores(&c, raw, preset->conf, &sound);
    /* −1 or 0, to be added to the lanes. */
    found[preset->max_lanes] = op(g, "Squeeze", op(g, "Sub", sound, c.one), graph_indices(g, 1, DIMS(2)));
    for (int i = 0; i < preset->max_lanes; i++) {
        graph_scope(g, "nms.%d", i);
        value best = pick_best(&c, scores);
        value mask = op(g, "Unsqueeze", best, graph_indices(g, 1, DIMS(2)));
        value row = reduce(g, "ReduceSum", where(g, mask, c.table, c.zero), 1);
        value gone = op(g, "Or", best, find_near(&c, row, preset->nms_thres));
        scores = where(g, gone, c.dead, scores);
        kept[i] = row;
        found[i] = to_float(g, best);
    }
    graph_scope(g, "nms");
    value all = preset->max_lanes > 1 ? graph_concat(g, 1, kept) : kept[0];
    *lanes = graph_slice(g, all, 2, 0, NET_COLUMNS);
    value sum = graph_node(g, "ReduceSum", INPUTS(graph_concat(g, 1, found), graph_indices(g, 1, DIMS(1))),
                           ATTRIBUTES(ATTR_INT("keepdims", 0)));
    *count = graph_node(g, "Cast", INPUTS(sum), ATTRIBUTES(ATTR_INT("to", ONNX_I32)));
}

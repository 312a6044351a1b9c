#include "model/priors.h"

#include <math.h>

#include "model/heights.h"
#include "model/metadata.h"

#define ROWS LANERT_LANE_POINTS

/* ---- the checkpoint's buffers -------------------------------------------------------------------- */

static void check_rows(net *n, const priors *p)
{
    for (int64_t i = 0; i < p->points; i++)
        if (!(p->rows[i] >= 0 && p->rows[i] < ROWS && p->rows[i] == floorf(p->rows[i]))) {
            weights_note(n->w, "heads.sample_x_indexs holds %g at element %lld, expected rows of 0 to %d",
                         (double)p->rows[i], (long long)i, ROWS - 1);
            memset(p->rows, 0, (size_t)p->points * sizeof *p->rows);
            return;
        }
}

/* Whoever reads the lanes has to know of heights that are not the usual ones. */
static void tell_heights(net *n, const priors *p)
{
    float even[ROWS];
    char text[HEIGHTS_TEXT];
    lanert_error err;
    heights_even(even);
    if (heights_check(p->prior_ys, &err)) {
        weights_note(n->w, "heads.prior_ys %s", err.text);
    } else if (memcmp(p->prior_ys, even, sizeof even) != 0) {
        heights_format(p->prior_ys, text);
        graph_metadata(n->g, METADATA_PRIOR_YS, "%s", text);
    }
}

static void reverse(float *data, int64_t count)
{
    for (int64_t i = 0; i < count / 2; i++) {
        float kept = data[i];
        data[i] = data[count - 1 - i];
        data[count - 1 - i] = kept;
    }
}

/* Inference reads the stored lines, and not the embeddings that a training step has changed since. */
void priors_take(net *n, priors *p)
{
    p->count = weights_dim(n->w, "heads.priors", 0);
    p->points = weights_dim(n->w, "heads.priors_on_featmap", 1);
    p->table = weights_take(n->w, "heads.priors", 2, (int64_t[]){p->count, NET_COLUMNS});
    p->on_map = weights_take(n->w, "heads.priors_on_featmap", 2, (int64_t[]){p->count, p->points});
    p->rows = weights_take(n->w, "heads.sample_x_indexs", 1, (int64_t[]){p->points});
    p->feat_ys = weights_take(n->w, "heads.prior_feat_ys", 1, (int64_t[]){p->points});
    p->prior_ys = weights_take(n->w, "heads.prior_ys", 1, (int64_t[]){ROWS});
    weights_skip(n->w, "heads.prior_embeddings.");
    if (p->count > NET_MAX_PRIORS)
        weights_note(n->w, "heads.priors has %lld priors, at most %d are handled", (long long)p->count, NET_MAX_PRIORS);
    if (!p->table || !p->on_map || !p->rows || !p->feat_ys || !p->prior_ys) {
        priors_free(p);
        return;
    }
    check_rows(n, p);
    tell_heights(n, p);
    /* The checkpoint has these from the bottom up, feat_ys from the top down. */
    reverse(p->rows, p->points);
    for (int64_t i = 0; i < p->count; i++)
        reverse(p->on_map + i * p->points, p->points);
}

void priors_free(priors *p)
{
    FREE(p->table);
    FREE(p->on_map);
    FREE(p->rows);
    FREE(p->feat_ys);
    FREE(p->prior_ys);
}

/* ---- the stored lines ---------------------------------------------------------------------------- */

value priors_parameters(net *n, priors *p)
{
    float *table = p->table;
    p->table = NULL;
    for (int64_t i = 0; table && i < p->count; i++)
        memmove(table + 3 * i, table + NET_COLUMNS * i + 2, 3 * sizeof *table);
    return graph_weights(n->g, "heads.priors", ONNX_F32, 3, DIMS(1, p->count, 3), table);
}

value priors_samples(net *n, priors *p)
{
    value xs = graph_weights(n->g, "heads.priors_on_featmap", ONNX_F32, 3, DIMS(1, p->count, p->points), p->on_map);
    p->on_map = NULL;
    return xs;
}

/* ---- geometry ------------------------------------------------------------------------------------ */

/* x = (start_x·799 + (1 − prior_y − start_y)·320 / tan(θπ + 1e-5)) / 799 at `heights` [k], which are 1 − prior_y:
 * [N,count,k]. In the reference's own order, for the same rounding. */
static value line_xs(net *n, value parameters, value heights)
{
    graph *g = n->g;
    value part[3], width = graph_scalar(g, NET_WIDTH - 1);
    graph_split(g, parameters, 2, 3, DIMS(1, 1, 1), part);
    value angle = graph_binary(g, "Mul", part[2], graph_scalar(g, (float)M_PI));
    value slope = graph_unary(g, "Tan", graph_binary(g, "Add", angle, graph_scalar(g, 1e-5f)));
    value rise = graph_binary(g, "Mul", graph_binary(g, "Sub", heights, part[0]), graph_scalar(g, NET_HEIGHT));
    value start = graph_binary(g, "Mul", part[1], width);
    return graph_binary(g, "Div", graph_binary(g, "Add", start, graph_binary(g, "Div", rise, slope)), width);
}

value lines_at_samples(net *n, const priors *p, value parameters)
{
    float *heights = p->rows ? graph_new_floats(n->g, p->points) : NULL;
    for (int64_t i = 0; heights && i < p->points; i++)
        heights[i] = 1 - p->prior_ys[(int)p->rows[i]];
    return line_xs(n, parameters, graph_weights(n->g, NULL, ONNX_F32, 1, &p->points, heights));
}

value lines_at_rows(net *n, const priors *p, value parameters)
{
    float *heights = p->rows ? graph_new_floats(n->g, ROWS) : NULL;
    for (int64_t i = 0; heights && i < ROWS; i++)
        heights[i] = 1 - p->prior_ys[i];
    return line_xs(n, parameters, graph_weights(n->g, NULL, ONNX_F32, 1, DIMS(ROWS), heights));
}

/* ---- sampling ------------------------------------------------------------------------------------ */

/* torch.nn.functional.grid_sample (bilinear, zero padding, align_corners) as products of matrices, which every engine
 * does fast: a sample is the sum of all places of the map, each times hat(its distance) in rows and in columns, and
 * hat(d) = max(0, 1 − |d|) is 0 from the next place on. All lines are sampled at the same heights, so that the rows
 * come first, by a constant; then each of these rows has its own columns. Channels stay last: what an engine moves
 * about to have them so, it moves on the small map, and not on the samples. */

/* hat of each sample's distance from each row of a map: [points,height]. */
static value row_weights(net *n, const priors *p, int64_t height)
{
    float *data = p->feat_ys ? graph_new_floats(n->g, p->points * height) : NULL;
    for (int64_t i = 0; data && i < p->points * height; i++) {
        double row = (double)p->feat_ys[i / height] * (double)(height - 1);
        data[i] = (float)fmax(0, 1 - fabs(row - (double)(i % height)));
    }
    return graph_weights(n->g, NULL, ONNX_F32, 2, DIMS(p->points, height), data);
}

/* A sample's place on a row of a map, [N,points,k]: the column before it, and the part of a column that is left. */
typedef struct place {
    value whole, part;
} place;

/* From x at the samples [N,k,points]. Beyond one column outside the map, hat is 0 of all. */
static place places(net *n, value xs, int64_t width)
{
    graph *g = n->g;
    value x = graph_node(g, "Transpose", INPUTS(xs), ATTRIBUTES(ATTR_INTS("perm", 0, 2, 1)));
    x = graph_binary(g, "Mul", x, graph_scalar(g, (float)(width - 1)));
    x = graph_node(g, "Clip", INPUTS(x, graph_scalar(g, -1), graph_scalar(g, (float)width)), NULL);
    value whole = graph_unary(g, "Floor", x);
    return (place){whole, graph_binary(g, "Sub", x, whole)};
}

/* hat of each sample's distance from each column of a map: [N,points,k,width]. */
static value column_weights(net *n, place at, int64_t width)
{
    graph *g = n->g;
    float *columns = graph_new_floats(g, width);
    for (int64_t i = 0; columns && i < width; i++)
        columns[i] = (float)i;
    value last = graph_indices(g, 1, DIMS(3)), column = graph_weights(g, NULL, ONNX_F32, 1, &width, columns);
    value distance = graph_binary(g, "Sub", graph_binary(g, "Unsqueeze", at.whole, last), column);
    distance = graph_binary(g, "Add", distance, graph_binary(g, "Unsqueeze", at.part, last));
    return graph_unary(g, "Relu", graph_binary(g, "Sub", graph_scalar(g, 1), graph_unary(g, "Abs", distance)));
}

/* OpenVINO, asked for bfloat16, rounds the inputs of every operator but those that lie between an output and the
 * products of matrices before it (EnforceInferencePrecision in its graph.cpp). A place on the map would be off by up to
 * a quarter of a column, and a lane by as many pixels; rounded apart, its whole column is exact, and its part right to
 * 1/512. So that both are made in float32, an output has to depend on them. No part reaches 2, which an engine cannot
 * know. */
value lines_hold(net *n, value part)
{
    graph *g = n->g;
    value never = graph_binary(g, "Greater", part, graph_scalar(g, 2));
    never = graph_node(g, "Cast", INPUTS(never), ATTRIBUTES(ATTR_INT("to", ONNX_F32)));
    return graph_node(g, "ReduceMax", INPUTS(never), ATTRIBUTES(ATTR_INTS("axes", 1, 2), ATTR_INT("keepdims", 1)));
}

value lines_features(net *n, const priors *p, feature map, int64_t stride, value xs, value *part)
{
    graph *g = n->g;
    extent size = map_extent(n, stride);
    value last = graph_node(g, "Transpose", INPUTS(map.v), ATTRIBUTES(ATTR_INTS("perm", 0, 2, 3, 1)));
    value flat = graph_binary(g, "Reshape", last, graph_indices(g, 3, DIMS(0, size.height, size.width * map.channels)));
    value rows = graph_binary(g, "MatMul", row_weights(n, p, size.height), flat);
    rows = graph_binary(g, "Reshape", rows, graph_indices(g, 4, DIMS(0, p->points, size.width, map.channels)));
    place at = places(n, xs, size.width);
    *part = at.part;
    value samples = graph_binary(g, "MatMul", column_weights(n, at, size.width), rows);
    return graph_node(g, "Transpose", INPUTS(samples), ATTRIBUTES(ATTR_INTS("perm", 0, 3, 1, 2)));
}

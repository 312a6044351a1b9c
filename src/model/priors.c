#include "model/priors.h"

#include <math.h>

#define ROWS LANERT_LANE_POINTS

/* A sample's place on the map is kept inside this, of −1 to 1 from edge to edge (align_corners). With a map of at
 * least 25 columns everything beyond ±1.09 is padding, so that the features stay the same, and a line all but
 * parallel to the rows asks for no column that an engine's integers cannot hold. */
#define GRID_BOUND 2.0f

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

/* Half of a bfloat16's last place below 1: as far as a height moves that is stored in 16 bits. */
#define HEIGHT_ROUNDING 0x1p-9

/* Lanes are read off at these heights elsewhere too, so that no others will do, but for their rounding. */
static void check_heights(net *n, const priors *p)
{
    for (int i = 0; i < ROWS; i++) {
        double expected = 1 - (double)i / NET_STRIPS;
        if (fabs(p->prior_ys[i] - expected) > HEIGHT_ROUNDING) {
            weights_note(n->w, "heads.prior_ys holds %g at element %d, expected %g (%d even steps from 1 to 0)",
                         (double)p->prior_ys[i], i, expected, NET_STRIPS);
            return;
        }
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
    check_heights(n, p);
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

value priors_samples(net *n, priors *p, value image)
{
    graph *g = n->g;
    value xs = graph_weights(g, "heads.priors_on_featmap", ONNX_F32, 3, DIMS(1, p->count, p->points), p->on_map);
    p->on_map = NULL;
    value batch = graph_node(g, "Shape", INPUTS(image), ATTRIBUTES(ATTR_INT("start", 0), ATTR_INT("end", 1)));
    return graph_binary(g, "Expand", xs, graph_concat(g, 0, INPUTS(batch, graph_indices(g, 2, DIMS(1, 1)))));
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

/* (x, y) of −1 to 1 for each sample [N,count,points,2]: (2·x, 0·x) + (−1, 2·y − 1). */
static value sample_grid(net *n, const priors *p, value xs)
{
    graph *g = n->g;
    value low = graph_scalar(g, (1 - GRID_BOUND) / 2), high = graph_scalar(g, (1 + GRID_BOUND) / 2);
    value bounded = graph_node(g, "Clip", INPUTS(xs, low, high), NULL);
    value column = graph_binary(g, "Unsqueeze", bounded, graph_indices(g, 1, DIMS(3)));
    value scaled = graph_binary(g, "Mul", column, graph_floats(g, 1, DIMS(2), (const float[]){2, 0}));
    float *offset = p->feat_ys ? graph_new_floats(g, p->points * 2) : NULL;
    for (int64_t i = 0; offset && i < p->points; i++) {
        offset[2 * i] = -1;
        offset[2 * i + 1] = p->feat_ys[i] * 2 - 1;
    }
    return graph_binary(g, "Add", scaled, graph_weights(g, NULL, ONNX_F32, 2, DIMS(p->points, 2), offset));
}

value lines_features(net *n, const priors *p, value map, value xs)
{
    return graph_node(
        n->g, "GridSample", INPUTS(map, sample_grid(n, p, xs)),
        ATTRIBUTES(ATTR_TEXT("mode", "bilinear"), ATTR_TEXT("padding_mode", "zeros"), ATTR_INT("align_corners", 1)));
}

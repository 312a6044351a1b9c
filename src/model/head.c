/* clrnet/models/heads/clr_head.py. Lines, and everything behind the convolutions, are float32, whatever those are.
 * Between stages a line is worked out only where it is sampled. Priors never look at each other, so that those that are
 * dropped after the first stage change nothing in the others. */
#include "model/head.h"

#include "model/priors.h"
#include "model/roi_gather.h"

#define LINEAR_LAYERS 2    /* num_fc */
#define COARSEST_STRIDE 32 /* of the map that the first stage looks at; the next ones' is half as much each */

/* The columns of reg_layers: start_y, start_x and theta; length; 72 offsets. */
enum { MOVES = 3, LENGTHS = 1, OFFSETS = LANERT_LANE_POINTS };

/* Linear layers with ReLU, and one without at the end. */
typedef struct perceptron {
    dense layers[LINEAR_LAYERS + 1];
} perceptron;

static void perceptron_take(net *n, perceptron *p, const char *kind, int64_t width, int64_t out)
{
    for (int i = 0; i < LINEAR_LAYERS; i++)
        p->layers[i] = dense_take(n, module_of("heads.%s_modules.%d", kind, 2 * i).name, width, width, ONNX_F32);
    p->layers[LINEAR_LAYERS] = dense_take(n, module_of("heads.%s_layers", kind).name, width, out, ONNX_F32);
}

static value perceptron_apply(net *n, const perceptron *p, value x)
{
    for (int i = 0; i < LINEAR_LAYERS; i++)
        x = graph_unary(n->g, "Relu", dense_apply(n, &p->layers[i], x));
    return dense_apply(n, &p->layers[LINEAR_LAYERS], x);
}

value head_build(net *n, const feature levels[BACKBONE_LEVELS], int64_t keep, int64_t *count)
{
    graph *g = n->g;
    priors p = {0};
    roi r;
    perceptron classify, regress;
    int64_t channels = levels[0].channels;
    value features = "", change[3] = {"", "", ""}, held[ROI_STAGES];
    graph_scope(g, "head");
    priors_take(n, &p);
    roi_take(n, &r, channels, p.count, p.points);
    perceptron_take(n, &classify, "cls", channels, 2);
    perceptron_take(n, &regress, "reg", channels, MOVES + LENGTHS + OFFSETS);
    *count = p.count;
    value parameters = priors_parameters(n, &p), xs = priors_samples(n, &p);
    for (int stage = 0; stage < ROI_STAGES; stage++) {
        graph_scope(g, "head.stage%d", stage);
        value map = graph_cast(g, levels[BACKBONE_LEVELS - 1 - stage].v, n->type, ONNX_F32);
        value samples = lines_features(n, &p, (feature){map, channels}, COARSEST_STRIDE >> stage, xs, &held[stage]);
        features = roi_gather(n, &r, stage, samples, map);
        graph_split(g, perceptron_apply(n, &regress, features), 2, 3, DIMS(MOVES, LENGTHS, OFFSETS), change);
        parameters = graph_binary(g, "Add", parameters, change[0]);
        if (stage == 0 && keep < *count) {
            graph_scope(g, "head.selection");
            selection best = selection_make(g, keep, perceptron_apply(n, &classify, features), parameters);
            parameters = selection_rows(g, best, parameters);
            roi_select(g, &r, best);
            *count = keep;
        }
        if (stage < ROI_STAGES - 1)
            xs = lines_at_samples(n, &p, parameters);
    }
    value logits = perceptron_apply(n, &classify, features);
    for (int stage = 1; stage < ROI_STAGES; stage++) /* the first's places are constants */
        logits = graph_binary(g, "Add", logits, lines_hold(n, held[stage]));
    xs = graph_binary(g, "Add", lines_at_rows(n, &p, parameters), change[2]);
    priors_free(&p);
    return graph_concat(g, 2, INPUTS(logits, parameters, change[1], xs));
}

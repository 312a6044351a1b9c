#include "model/selection.h"

#include <float.h>

/* lane − none of logits [N,priors,2], or more than any number where something of the prior is no number: [N,priors]. */
static value scores(graph *g, value logits, value parameters)
{
    value most = graph_scalar(g, FLT_MAX), last = graph_indices(g, 1, DIMS(2)), part[2];
    graph_split(g, logits, 2, 2, DIMS(1, 1), part);
    value score = graph_binary(g, "Sub", part[1], part[0]);
    value all = graph_unary(g, "Abs", graph_concat(g, 2, INPUTS(score, parameters)));
    value sum = graph_node(g, "ReduceSum", INPUTS(all, last), ATTRIBUTES(ATTR_INT("keepdims", 1)));
    value sound = graph_binary(g, "LessOrEqual", sum, most);
    return graph_binary(g, "Squeeze", graph_node(g, "Where", INPUTS(sound, score, most), NULL), last);
}

selection selection_make(graph *g, int64_t keep, value logits, value parameters)
{
    value count = graph_indices(g, 1, &keep), best[2], rising[2];
    graph_nodes(g, "TopK", INPUTS(scores(g, logits, parameters), count), ATTRIBUTES(ATTR_INT("axis", 1)), 2, best);
    graph_nodes(g, "TopK", INPUTS(best[1], count), ATTRIBUTES(ATTR_INT("axis", 1), ATTR_INT("largest", 0)), 2, rising);
    return graph_binary(g, "Unsqueeze", rising[0], graph_indices(g, 1, DIMS(2)));
}

value selection_rows(graph *g, selection s, value rows)
{
    return graph_node(g, "GatherND", INPUTS(rows, s), ATTRIBUTES(ATTR_INT("batch_dims", 1)));
}

value selection_columns(graph *g, selection s, value map)
{
    value turned = graph_node(g, "Transpose", INPUTS(map), ATTRIBUTES(ATTR_INTS("perm", 0, 3, 1, 2)));
    return graph_node(g, "Transpose", INPUTS(selection_rows(g, s, turned)), ATTRIBUTES(ATTR_INTS("perm", 0, 2, 3, 1)));
}

value selection_shared(graph *g, selection s, value rows)
{
    return graph_node(g, "GatherND", INPUTS(rows, s), NULL);
}

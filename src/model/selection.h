/* selection.h - some of each picture's priors: those that score best, in the order that they have. */
#ifndef MODEL_SELECTION_H
#define MODEL_SELECTION_H

#include "model/onnx_graph.h"

/* Which rows of [N,priors,…] are selected: [N,keep,1] int64, rising. */
typedef value selection;

/* The `keep` best by their logits [N,priors,2]. One whose logits or parameters [N,priors,3] are not finite is better
 * than any other: what is broken has to be seen at the end. Of equal ones at the edge, any. */
selection selection_make(graph *g, int64_t keep, value logits, value parameters);

/* The selected of rows [N,priors,…]: [N,keep,…]. */
value selection_rows(graph *g, selection s, value rows);
/* The selected of columns [N,channels,height,priors]: [N,channels,height,keep]. */
value selection_columns(graph *g, selection s, value map);
/* Of what each picture has the same, [priors,c]: [N,keep,c]. */
value selection_shared(graph *g, selection s, value rows);

#endif

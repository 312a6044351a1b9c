/* Opens any bytes as an ONNX file, by itself and with each data set's preset, and as a graph to be changed. */
#include <stdlib.h>

#include "model/model_read.h"
#include "model/onnx_graph_load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition) ((condition) ? (void)0 : abort())

/* What a detector goes by. */
static void check_info(const model_info *m)
{
    CHECK(!preset_check(&m->preset, NULL));
    CHECK(*m->input_name && m->fixed_batch >= 0 && m->fixed_batch <= 64);
    CHECK(*m->raw_name || (*m->lanes_name && *m->count_name));
    CHECK(!*m->raw_name || (m->priors >= 1 && m->priors <= NET_MAX_PRIORS));
    CHECK(!*m->lanes_name == !*m->count_name);
    float again[HEIGHTS_COUNT];
    char text[HEIGHTS_TEXT];
    CHECK(!heights_check(m->prior_ys, NULL));
    heights_format(m->prior_ys, text);
    CHECK(!heights_parse(text, again, NULL) && !memcmp(again, m->prior_ys, sizeof again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static model_info info;
    lanert_error err;
    onnx_head *head;
    graph *g;
    if (!graph_load(data, size, "fuzz", &g, &err))
        graph_close(&g);
    if (onnx_head_open_memory(data, size, "fuzz", &head, &err))
        return 0;
    for (int i = -1; i < 0 || lanert_preset_name(i); i++)
        if (!model_read(head, i < 0 ? NULL : lanert_preset_name(i), &info, &err))
            check_info(&info);
    for (int i = 0; i < head->input_count; i++)
        CHECK(strlen(onnx_tensor_words(&head->inputs[i]).text) > 0);
    for (int i = 0; i < head->output_count; i++)
        CHECK(strlen(onnx_tensor_words(&head->outputs[i]).text) > 0);
    onnx_head_close(&head);
    return 0;
}

#include "model/model.h"

#include "model/model_read.h"

struct lanert_model {
    model_info info;
};

int lanert_model_open(const char *path, const char *preset, lanert_model **model, lanert_error *err)
{
    onnx_head *head = NULL;
    lanert_model *m = NULL;
    lanert_error inner;
    int rc;
    if (!path || !model)
        return error_set(err, LANERT_EINVAL, "lanert_model_open: path and model must not be NULL");
    *model = NULL;
    if (strlen(path) >= sizeof m->info.path)
        return error_set(err, LANERT_EINVAL, "the path of the model has %zu bytes; at most %zu are handled",
                         strlen(path), sizeof m->info.path - 1);
    if ((rc = onnx_head_open(path, &head, err)) || (rc = memory_new(&m, 1, sizeof *m, err)))
        goto out;
    if ((rc = model_read(head, preset, &m->info, &inner))) {
        error_set(err, rc, "%s: %s", path, inner.text);
        goto out;
    }
    memcpy(m->info.path, path, strlen(path) + 1);
    *model = m;
    m = NULL;
out:
    onnx_head_close(&head);
    free(m);
    return rc;
}

void lanert_model_close(lanert_model **model)
{
    if (model)
        FREE(*model);
}

const lanert_preset *lanert_model_preset(const lanert_model *model)
{
    return &model->info.preset;
}

const model_info *model_describe(const lanert_model *model)
{
    return &model->info;
}

#include "detect/detector.h"
#include "engine/tensorrt_build.h"

/* Of what is no model to us the builder says why, or takes all outputs. */
int lanert_build(const char *model, const char *output, const lanert_build_options *options, lanert_error *err)
{
    const char *outputs[3];
    lanert_model *m = NULL;
    bool known = model && !lanert_model_open(model, NULL, &m, NULL);
    if (known)
        detector_outputs(model_describe(m), outputs);
    int rc = tensorrt_build_model(model, output, options, known ? outputs : NULL, err);
    lanert_model_close(&m);
    return rc;
}

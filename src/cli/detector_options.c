#include "cli/detector_options.h"

#include <string.h>

static void tell(void *context, const char *text)
{
    (void)context;
    say_note("%s", text);
}

void detector_options_init(detector_options *o)
{
    *o = (detector_options){0};
    lanert_detector_defaults(&o->options);
    o->options.on_note = tell;
}

bool detector_options_own(int c)
{
    return c == 'm' || (c >= DETECTOR_PRESET && c < DETECTOR_END);
}

static bool parse_float(const char *option, const char *text, double high, float *value)
{
    double number;
    if (!option_double(option, text, 0, high, &number))
        return false;
    *value = (float)number;
    return true;
}

static bool parse_cut(const char *text, double *value)
{
    if (!option_double("--cut", text, 0, 1, value))
        return false;
    if (*value < 1)
        return true;
    say_usage("--cut is '%s': nothing of the picture is left; expected less than 1", text);
    return false;
}

static bool parse_resize(const char *text, lanert_resize *value)
{
    static const char *const names[] = {"linear", "cubic", NULL};
    int place;
    if (!option_name("--resize", text, names, &place))
        return false;
    *value = place ? LANERT_CUBIC : LANERT_LINEAR;
    return true;
}

bool detector_options_parse(detector_options *o, int c, const char *value)
{
    switch (c) {
    case 'm':
        o->model = value;
        return true;
    case DETECTOR_PRESET:
        o->preset = value;
        return true;
    case DETECTOR_ENGINE:
        o->options.engine = value;
        return true;
    case DETECTOR_DEVICE:
        o->options.device = value;
        return true;
    case DETECTOR_PRECISION:
        return option_precision(value, &o->options.precision);
    case DETECTOR_THREADS:
        return option_int("--threads", value, 0, 1024, &o->options.threads);
    case DETECTOR_BATCH:
        return option_int("--batch", value, 1, 64, &o->options.batch);
    case DETECTOR_CONF:
        return parse_float("--conf", value, 1, &o->options.conf);
    case DETECTOR_NMS:
        return parse_float("--nms-thres", value, 800, &o->options.nms_thres);
    case DETECTOR_LANES:
        return option_int("--max-lanes", value, 1, LANERT_MAX_LANES, &o->options.max_lanes);
    case DETECTOR_CUT:
        return parse_cut(value, &o->options.cut);
    default:
        return parse_resize(value, &o->options.resize);
    }
}

static bool parse_pair(detector_options *o, const char *name, char *pair)
{
    static const struct option known[] = {DETECTOR_LONGS, {0}};
    char *value = strchr(pair, '=');
    if (value) {
        *value++ = '\0';
        for (const struct option *k = known + 1; k->name; k++)
            if (!strcmp(k->name, pair))
                return detector_options_parse(o, k->val, value);
    }
    say_usage("%s: '%s' says nothing of a model; expected such as engine=openvino or precision=fp16", name, pair);
    return false;
}

bool detector_options_parse_spec(detector_options *o, char *spec)
{
    char *save = NULL;
    o->model = strtok_r(spec, ",", &save);
    for (char *pair; (pair = strtok_r(NULL, ",", &save));)
        if (!parse_pair(o, o->model, pair))
            return false;
    return true;
}

int detector_options_complete(detector_options *o)
{
    lanert_error err;
    if (o->model)
        return EXIT_DONE;
    if (lanert_model_bundled(o->bundled, sizeof o->bundled, &err)) {
        say_error("%s", err.text);
        return EXIT_MODEL;
    }
    o->model = o->bundled;
    return EXIT_DONE;
}

int detector_options_open(const detector_options *o, lanert_model **model, lanert_detector **det)
{
    lanert_error err;
    *det = NULL;
    interrupt_at_once(EXIT_DONE); /* an engine may be minutes in the building */
    int rc = lanert_model_open(o->model, o->preset, model, &err);
    if (!rc)
        rc = lanert_detector_open(*model, &o->options, det, &err);
    interrupt_at_once(-1);
    if (!rc)
        return EXIT_DONE;
    say_error("%s", err.text);
    return rc == LANERT_EINVAL ? EXIT_USAGE : EXIT_MODEL;
}

#include <string.h>

#include "cli/cli.h"

static const char help[] =
    "usage: lanert build MODEL.onnx -o MODEL.engine [OPTION]...\n"
    "\n"
    "Builds a TensorRT engine for this machine's NVIDIA GPU, which takes minutes. It is a file with the model in it, "
    "to\n"
    "be used in its place; where it does not fit the machine, it is built anew and kept in the cache folder.\n"
    "\n"
    "  -o, --output MODEL.engine   where the engine goes\n"
    "      --precision NAME        what the model must be, else nothing is built: fp32, fp16 or int8. TensorRT "
    "computes\n"
    "                              in the model's own types, which 'lanert convert' and 'lanert quantize' choose\n"
    "      --device NAME           cuda (the default), or cuda:1 and so on\n"
    "      --workspace MB          the most of the GPU's memory that kernels may use besides; 0 (the default): all\n"
    "      --timing-cache FILE     measurements of kernels: read where they are there, and written\n"
    "      --min-batch N           the fewest frames in one run (default 1)\n"
    "      --opt-batch N           the number that it is fastest for (default: --min-batch)\n"
    "      --max-batch N           the most (default: --opt-batch)\n"
    "      --version-compatible    later releases of TensorRT run it too\n"
    "      --force                 overwrite MODEL.engine\n"
    "  -q, --quiet                 say nothing but errors\n"
    "  -h, --help                  this text\n"
    "\n"
    "exit status: 0 done, 1 the engine could not be written, 2 wrong usage, 3 the model, TensorRT or the GPU is not\n"
    "usable, 4 the model could not be read\n";

typedef struct job {
    lanert_build_options options;
    const char *output;
    bool quiet;
} job;

enum { PRECISION = 256, DEVICE, WORKSPACE, TIMING, MIN_BATCH, OPT_BATCH, MAX_BATCH, COMPATIBLE, FORCE };

static bool set_text(const char **value)
{
    *value = optarg;
    return true;
}

static bool parse_precision(const char **precision)
{
    static const char *const names[] = {"fp32", "fp16", "int8", NULL};
    int place;
    if (!option_name("--precision", optarg, names, &place))
        return false;
    *precision = names[place];
    return true;
}

static bool parse_option(job *j, int c)
{
    lanert_build_options *o = &j->options;
    switch (c) {
    case 'o':
        return set_text(&j->output);
    case PRECISION:
        return parse_precision(&o->precision);
    case DEVICE:
        return set_text(&o->device);
    case WORKSPACE:
        return option_int("--workspace", optarg, 0, 1 << 20, &o->workspace_mb);
    case TIMING:
        return set_text(&o->timing_cache);
    case MIN_BATCH:
        return option_int("--min-batch", optarg, 1, 64, &o->min_batch);
    case OPT_BATCH:
        return option_int("--opt-batch", optarg, 1, 64, &o->opt_batch);
    case MAX_BATCH:
        return option_int("--max-batch", optarg, 1, 64, &o->max_batch);
    case COMPATIBLE:
        return o->version_compatible = true;
    case FORCE:
        return o->force = true;
    case 'q':
        return j->quiet = true;
    default:
        return false;
    }
}

/* What was not said follows from what was. */
static void complete_batches(lanert_build_options *o)
{
    if (!o->min_batch)
        o->min_batch = 1;
    if (!o->opt_batch)
        o->opt_batch = o->min_batch;
    if (!o->max_batch)
        o->max_batch = o->opt_batch;
}

int cmd_build(int argc, char **argv)
{
    static const struct option longs[] = {
        {"output", required_argument, NULL, 'o'},
        {"precision", required_argument, NULL, PRECISION},
        {"device", required_argument, NULL, DEVICE},
        {"workspace", required_argument, NULL, WORKSPACE},
        {"timing-cache", required_argument, NULL, TIMING},
        {"min-batch", required_argument, NULL, MIN_BATCH},
        {"opt-batch", required_argument, NULL, OPT_BATCH},
        {"max-batch", required_argument, NULL, MAX_BATCH},
        {"version-compatible", no_argument, NULL, COMPATIBLE},
        {"force", no_argument, NULL, FORCE},
        {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    job j = {0};
    lanert_error err;
    int c;
    while ((c = option_next(argc, argv, ":o:qh", longs)) != -1) {
        if (c == 'h')
            return print_help(help);
        if (!parse_option(&j, c))
            return EXIT_USAGE;
    }
    if (optind != argc - 1)
        return say_usage(optind == argc ? "no model was named" : "one model at a time");
    if (!j.output)
        return say_usage("-o MODEL.engine is missing");
    complete_batches(&j.options);
    const char *model = argv[optind];
    double start = now_s();
    if (!j.quiet)
        say_note("building %s of %s; this takes minutes", j.output, model);
    int rc = lanert_build(model, j.output, &j.options, &err);
    if (rc)
        say_error("%s", err.text);
    else if (!j.quiet)
        say_note("%s: built in %.1f s", j.output, now_s() - start);
    return status_of(rc, model);
}

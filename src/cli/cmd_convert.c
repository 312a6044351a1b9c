#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"

static const char help[] =
    "usage: lanert convert CHECKPOINT.pth -o MODEL.onnx --preset NAME [OPTION]...\n"
    "\n"
    "Makes an ONNX model of a CLRNet checkpoint (ResNet18, 34, 50, 101 or DLA34), ready for 'lanert detect' and for\n"
    "any engine that reads ONNX. Nothing in the checkpoint is executed.\n"
    "\n"
    "  -o, --output MODEL.onnx     where the model goes\n"
    "      --preset NAME           the data set it was trained on: culane, tusimple, llamas; or road (train/)\n"
    "      --precision NAME        fp32 (the default), or fp16: half the size, for GPUs\n"
    "      --outputs NAME          raw (the default): the predictions [N,192,78]; lanes: NMS inside the graph; both\n"
    "      --keep-priors N         only the N priors that score best go on after the network's first stage, and raw "
    "has\n"
    "                              only these: faster, and with trained weights no lane is lost down to some N, see\n"
    "                              docs/BENCHMARKS.md; all by default\n"
    "      --shrink 2              it was trained on pictures half as wide and high; the graph makes them so\n"
    "      --force                 overwrite MODEL.onnx\n"
    "  -q, --quiet                 say nothing but errors\n"
    "  -h, --help                  this text\n"
    "\n"
    "exit status: 0 done, 1 the model could not be written, 2 wrong usage, 3 the checkpoint is not usable, 4 it could\n"
    "not be read\n";

static void report(const char *checkpoint, const char *output, const lanert_convert_options *o, double seconds)
{
    struct stat st = {0};
    stat(output, &st);
    say_note("%s: %.1f MB, %s, preset %s, of %s in %.1f s", output, (double)st.st_size / 1e6,
             lanert_precision_name(o->precision), o->preset, checkpoint, seconds);
}

int cmd_convert(int argc, char **argv)
{
    enum { PRESET = 256, PRECISION, OUTPUTS, KEEP_PRIORS, SHRINK, FORCE };
    static const struct option longs[] = {
        {"output", required_argument, NULL, 'o'},
        {"preset", required_argument, NULL, PRESET},
        {"precision", required_argument, NULL, PRECISION},
        {"outputs", required_argument, NULL, OUTPUTS},
        {"keep-priors", required_argument, NULL, KEEP_PRIORS},
        {"shrink", required_argument, NULL, SHRINK},
        {"force", no_argument, NULL, FORCE},
        {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    static const char *const precisions[] = {"fp32", "fp16", NULL};
    static const char *const outputs[] = {"lanes", "raw", "both", NULL};
    lanert_convert_options o;
    lanert_error err;
    const char *output = NULL;
    bool quiet = false;
    int c, place;
    lanert_convert_defaults(&o);
    while ((c = option_next(argc, argv, ":o:qh", longs)) != -1) {
        switch (c) {
        case 'o':
            output = optarg;
            break;
        case PRESET:
            o.preset = optarg;
            break;
        case PRECISION:
            if (!option_name("--precision", optarg, precisions, &place))
                return EXIT_USAGE;
            o.precision = place ? LANERT_FP16 : LANERT_FP32;
            break;
        case OUTPUTS:
            if (!option_name("--outputs", optarg, outputs, &place))
                return EXIT_USAGE;
            o.outputs = place + 1; /* LANERT_OUTPUT_LANES, _RAW and _BOTH are 1, 2 and 3 */
            break;
        case KEEP_PRIORS:
            if (!option_int("--keep-priors", optarg, 1, 4096, &o.keep_priors))
                return EXIT_USAGE;
            break;
        case SHRINK:
            if (!option_int("--shrink", optarg, 1, 2, &o.shrink))
                return EXIT_USAGE;
            break;
        case FORCE:
            o.force = true;
            break;
        case 'q':
            quiet = true;
            break;
        case 'h':
            return print_help(help);
        default:
            return EXIT_USAGE;
        }
    }
    if (optind != argc - 1)
        return say_usage(optind == argc ? "no checkpoint was named" : "one checkpoint at a time");
    if (!output)
        return say_usage("-o MODEL.onnx is missing");
    if (!o.preset)
        return say_usage("--preset is missing: culane, tusimple, llamas or road, what the checkpoint was trained on");
    double start = now_s();
    int rc = lanert_convert(argv[optind], output, &o, &err);
    if (rc)
        say_error("%s", err.text);
    else if (!quiet)
        report(argv[optind], output, &o, now_s() - start);
    return status_of(rc, argv[optind]);
}
